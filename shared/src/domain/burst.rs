//! Messages that a customer writes in a row, which are one turn for the bot.
//!
//! They are kept beside the events, without a number of their own, until the customer has written
//! nothing more for a while. Then they become one event, which from there on is like any other: it
//! never grows, so that a delivery that is repeated says the same. Whatever changes who has the
//! conversation ends the wait; what the bot is told of meanwhile does not wait behind it. Who waits, and
//! until when, is read off the row: no worker is held for it.

use serde::{Deserialize, Serialize};

use super::content::Message;
use super::ids::{PartId, Timestamp};
use super::part::Profile;

/// A customer who never stops is heard after so many windows.
const MAX_WINDOWS: u64 = 5;
/// How many messages are one turn, at most.
const MAX_MESSAGES: usize = 20;
/// How much they may hold in all, in bytes.
const MAX_BYTES: usize = 32 * 1024;
/// How long after a window that is over a message may have come to us, in milliseconds, to be taken for
/// one that more may follow. What is older was written to somebody else, or while we were down.
const LATE_MS: u64 = 30_000;

/// How long more is waited for after each message, in milliseconds; not at all where it is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Windows {
    /// In conversations by e-mail.
    pub email_ms: u64,
    /// In all others.
    pub ms: u64,
}

impl Windows {
    /// The window for a conversation.
    #[must_use]
    pub fn of(self, profile: &Profile) -> u64 {
        if profile.is_by_email() { self.email_ms } else { self.ms }
    }
}

/// What the customer wrote in a row, while more may follow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// What, oldest first.
    pub messages: Vec<Message>,
    /// When the first was heard.
    pub since: Timestamp,
    /// When the bot is told, if nothing more comes.
    pub due_at: Timestamp,
    /// The number of the last action that was decided before the last message.
    pub last_out: u64,
}

impl Burst {
    /// One that nothing is in yet.
    #[must_use]
    pub fn begin(now: Timestamp) -> Self {
        Self { messages: Vec::new(), since: now, due_at: now, last_out: 0 }
    }

    /// Whether a message still belongs to the turn.
    #[must_use]
    pub fn has_room_for(&self, message: &Message) -> bool {
        let bytes: usize = self.messages.iter().chain([message]).map(size).sum();
        self.messages.is_empty() || (self.messages.len() < MAX_MESSAGES && bytes <= MAX_BYTES)
    }

    /// The customer has written this too. After a button that was pressed nothing is waited for.
    pub fn join(&mut self, message: Message, window_ms: u64, last_out: u64, now: Timestamp) {
        let written = message.created_at;
        let is_late = written.0 > 0 && written.plus_ms(window_ms.saturating_add(LATE_MS)) <= now;
        let wait_ms = if is_late { 0 } else { window_ms };
        let last = self.since.plus_ms(window_ms.saturating_mul(MAX_WINDOWS));
        self.due_at = if message.pressed.is_some() { now } else { self.due_at.max(now.plus_ms(wait_ms)).min(last) };
        self.last_out = last_out;
        self.messages.push(message);
    }

    /// Whether the messages are complete.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.due_at <= now
    }

    /// Takes out a message that was deleted before the bot was told of it; whether it was here.
    pub fn forget(&mut self, part: &PartId) -> bool {
        let before = self.messages.len();
        self.messages.retain(|message| message.part_id.as_ref() != Some(part));
        self.messages.len() < before
    }
}

fn size(message: &Message) -> usize {
    let text = message.body.as_ref().map_or(0, |body| body.text.len());
    text + message.attachments.iter().map(|attachment| attachment.url.len()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::content::{Author, AuthorKind, Body, BodyFormat};

    const NOW: Timestamp = Timestamp(1_768_040_000_000);

    fn message(number: u64, text: &str, at: Timestamp) -> Message {
        Message {
            part_id: PartId::parse(number.to_string()).ok(),
            author: Author { kind: AuthorKind::Customer, id: "c".to_owned(), name: None },
            body: Some(Body { text: text.to_owned(), format: BodyFormat::Plain }),
            attachments: Vec::new(),
            created_at: at,
            pressed: None,
            choice: None,
        }
    }

    #[test]
    fn each_message_is_waited_after_but_somebody_who_never_stops_is_heard() {
        let mut burst = Burst::begin(NOW);
        for (number, at, due) in [(1, 0, 3_000), (2, 2_000, 5_000), (3, 4_900, 7_900), (4, 13_000, 15_000)] {
            let now = NOW.plus_ms(at);
            burst.join(message(number, "hi", now), 3_000, number, now);
            assert_eq!(burst.due_at, NOW.plus_ms(due), "after {at} ms");
            assert!(!burst.is_due(NOW.plus_ms(due - 1)) && burst.is_due(NOW.plus_ms(due)));
        }
        assert_eq!((burst.messages.len(), burst.last_out), (4, 4));
    }

    #[test]
    fn an_old_message_is_not_waited_after_and_a_button_ends_the_wait() {
        let mut burst = Burst::begin(NOW);
        burst.join(message(1, "an hour ago", Timestamp(NOW.0 - 3_600_000)), 120_000, 0, NOW);
        assert!(burst.is_due(NOW));
        burst.join(message(2, "of an unknown time", Timestamp(0)), 120_000, 0, NOW);
        assert_eq!(burst.due_at, NOW.plus_ms(120_000));
        burst.join(Message { pressed: Some("u".to_owned()), ..message(3, "Yes", NOW) }, 120_000, 0, NOW.plus_ms(5));
        assert_eq!(burst.due_at, NOW.plus_ms(5));
    }

    #[test]
    fn a_turn_is_bounded() {
        let mut burst = Burst::begin(NOW);
        let long = "x".repeat(60_000);
        assert!(burst.has_room_for(&message(1, &long, NOW)), "one message is always a turn");
        burst.join(message(1, "short", NOW), 1_000, 0, NOW);
        assert!(!burst.has_room_for(&message(2, &long, NOW)) && burst.has_room_for(&message(2, "short", NOW)));
        for number in 2..=20 {
            assert!(burst.has_room_for(&message(number, "short", NOW)));
            burst.join(message(number, "short", NOW), 1_000, 0, NOW);
        }
        assert!(!burst.has_room_for(&message(21, "short", NOW)));
    }

    #[test]
    fn what_was_deleted_is_forgotten() {
        let mut burst = Burst::begin(NOW);
        for number in [1, 2, 3] {
            burst.join(message(number, "hi", NOW), 1_000, 0, NOW);
        }
        assert!(burst.forget(&PartId::parse("2").unwrap()) && !burst.forget(&PartId::parse("2").unwrap()));
        assert_eq!(burst.messages.len(), 2);
    }
}
