//! Identifiers in the forms Intercom gives them.
//!
//! Conversations, parts, messages and tags are numbered by each workspace for itself, as
//! Intercom's are unique only inside a workspace. What has to be unguessable or unique across
//! workspaces (notifications, requests) is drawn at random.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// The counters of one workspace. They only go up, also when something is deleted.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Counters {
    conversation: u64,
    part: u64,
    message: u64,
    tag: u64,
    contact: u64,
    event: u64,
    file: u64,
    /// Notes, attributes, office hours: what has small numbers.
    thing: u64,
}

impl Default for Counters {
    fn default() -> Self {
        // Conversation ids are above 2^32 as Intercom's are, so that a 32-bit field shows itself.
        Self {
            conversation: 215_470_000_000_000,
            part: 37_358_000_000,
            message: 3_381_000_000,
            tag: 8_000,
            contact: 0,
            event: 0,
            file: 0,
            thing: 0,
        }
    }
}

impl Counters {
    pub(crate) fn conversation(&mut self) -> u64 {
        next(&mut self.conversation)
    }

    pub(crate) fn part(&mut self) -> u64 {
        next(&mut self.part)
    }

    pub(crate) fn message(&mut self) -> u64 {
        next(&mut self.message)
    }

    pub(crate) fn tag(&mut self) -> u64 {
        next(&mut self.tag)
    }

    pub(crate) fn event(&mut self) -> u64 {
        next(&mut self.event)
    }

    pub(crate) fn file(&mut self) -> u64 {
        next(&mut self.file)
    }

    pub(crate) fn thing(&mut self) -> u64 {
        next(&mut self.thing)
    }

    /// Lets the events of a workspace that was reset go on where they were, so that nobody who
    /// polls misses one. Everything else is numbered from the start again.
    pub(crate) fn go_on_after(&mut self, before: &Self) {
        self.event = before.event;
    }

    /// 24 hexadecimal digits, the form of Intercom's contact ids.
    pub(crate) fn contact(&mut self) -> String {
        format!("65b0c0ffee{:014x}", next(&mut self.contact))
    }
}

fn next(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter
}

/// A random UUID (version 4). The randomness is the seed that the standard library draws from
/// the system for its hash maps: unique, and good enough for a stand-in.
pub(crate) fn uuid() -> String {
    static KEYS: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let keys = KEYS.get_or_init(RandomState::new);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let (a, b) = (keys.hash_one((n, 0_u8)), keys.hash_one((n, 1_u8)));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0x0fff,
        0x8000 | ((b >> 48) & 0x3fff),
        b & 0xffff_ffff_ffff,
    )
}

#[cfg(test)]
mod tests {
    use super::{Counters, uuid};

    #[test]
    fn ids_have_intercoms_forms() {
        let mut counters = Counters::default();
        assert_eq!(counters.conversation(), 215_470_000_000_001);
        assert_eq!(counters.contact().len(), 24);
        let id = uuid();
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'));
        assert_ne!(uuid(), id);
    }
}
