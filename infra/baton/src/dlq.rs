//! `baton dlq`: the dead letters of a deployment, in words. What is done with them is
//! [`shared::app::dead_letters`]'s matter.
//!
//! What a letter says is shown only where that is asked for, between two lines that say so.

use std::collections::{BTreeMap, BTreeSet};

use shared::adapters::clock::{RandomNames, SystemClock};
use shared::adapters::connection::Connection;
use shared::adapters::dead_letters::Shelf;
use shared::app::dead_letters::{Seen, look, replay};
use shared::domain::ids::Timestamp;
use shared::ports::{Clock as _, DeadLetter, Names as _, Unavailable};

/// The queues, as the template names them, and the function that reads each.
pub const QUEUES: [(&str, &str); 4] = [
    ("inbox", "conversation-router"),
    ("bot-events", "bot-dispatch"),
    ("replies", "bot-reply"),
    ("close", "close-conversation"),
];

/// Why it was not done, or not to the end.
#[derive(Debug, thiserror::Error)]
pub enum DlqError {
    /// SQS refuses, or does not answer, or there is no such queue.
    #[error("{0} (are the stack's name, the region and the permissions right?)")]
    Unavailable(#[from] Unavailable),
    /// There is no queue of this name.
    #[error("there is no queue {0}: it is inbox, bot-events, replies or close")]
    NoSuchQueue(String),
    /// Letters that were named are not there.
    #[error("not found: {0} (gone, in somebody else's hand, or behind ten others of their conversation)")]
    NotFound(String),
    /// The time was up.
    #[error("there are more than can be held at once: run it again")]
    CutShort,
}

/// Which letters are meant.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Of these queues; of all where none is named.
    pub queues: Vec<String>,
    /// These; all where none is named.
    pub ids: BTreeSet<String>,
}

impl Choice {
    fn is_meant(&self, letter: &DeadLetter) -> bool {
        self.ids.is_empty() || self.ids.contains(&letter.id)
    }
}

/// The dead letters of a stack.
#[derive(Debug, Clone)]
pub struct Stack {
    connection: Connection,
    name: String,
}

type Queue = (&'static str, &'static str);

impl Stack {
    /// The stack of this name.
    #[must_use]
    pub fn new(connection: Connection, name: impl Into<String>) -> Self {
        Self { connection, name: name.into() }
    }

    async fn shelves(&self, choice: &Choice) -> Result<Vec<(Queue, Shelf)>, DlqError> {
        let is_queue = |name: &&String| !QUEUES.iter().any(|(queue, _)| queue == name);
        if let Some(unknown) = choice.queues.iter().find(is_queue) {
            return Err(DlqError::NoSuchQueue(unknown.clone()));
        }
        let mut shelves = Vec::new();
        for queue in QUEUES {
            if choice.queues.is_empty() || choice.queues.iter().any(|name| name == queue.0) {
                shelves.push((queue, Shelf::find(self.connection.sqs(), &self.name, queue.0).await?));
            }
        }
        Ok(shelves)
    }

    /// Tells of each queue how many letters rest in it, since when, and why.
    ///
    /// # Errors
    /// [`DlqError`].
    pub async fn ls(&self, choice: &Choice, say: &mut dyn FnMut(&str)) -> Result<(), DlqError> {
        for ((queue, _), shelf) in self.shelves(choice).await? {
            let count = shelf.count().await?;
            let seen = if count == 0 { Seen::default() } else { look(&shelf, &SystemClock).await? };
            let oldest = seen.letters.iter().map(|letter| letter.since).min();
            let since = oldest.map_or_else(String::new, |since| format!(", the oldest for {}", rested(since)));
            say(&format!("{queue}: {}{since}", count.max(seen.letters.len() as u64)));
            for (reason, count) in by_reason(&seen) {
                say(&format!("  {count:>5}  {reason}"));
            }
            let unseen = count.saturating_sub(seen.letters.len() as u64);
            if unseen > 0 {
                say(&format!("  {unseen:>5}  not to be seen now: in a hand, or behind others of their conversation"));
            }
        }
        Ok(())
    }

    /// Tells of each letter all but what it says; that too, where it is asked for.
    ///
    /// # Errors
    /// [`DlqError`].
    pub async fn show(&self, choice: &Choice, with_bodies: bool, say: &mut dyn FnMut(&str)) -> Result<(), DlqError> {
        let mut missing = choice.ids.clone();
        let mut cut_short = false;
        for ((queue, function), shelf) in self.shelves(choice).await? {
            let seen = look(&shelf, &SystemClock).await?;
            cut_short |= seen.cut_short;
            for letter in seen.letters.iter().filter(|letter| choice.is_meant(letter)) {
                missing.remove(&letter.id);
                say(&format!("{}  {queue}, read by {function}", letter.id));
                say(&format!("  group     {}", letter.group.escape_debug()));
                say(&format!("  reason    {}", why(letter)));
                if let Some(attempts) = letter.attempts {
                    say(&format!("  attempts  {attempts}"));
                }
                say(&format!("  rests     {}", rested(letter.since)));
                if letter.replay.is_some() {
                    say("  replayed  yes, and given up again");
                }
                if with_bodies {
                    say("  --- what it says; a customer's words may be in it ---");
                    say(&readable(&letter.body));
                    say("  --- end ---");
                } else {
                    say(&format!("  body      {} bytes; --body prints it", letter.body.len()));
                }
            }
        }
        ended(missing, cut_short)
    }

    /// Puts letters back, or says which would be.
    ///
    /// # Errors
    /// [`DlqError`]; what was put back until then stays so.
    pub async fn replay(&self, choice: &Choice, dry: bool, say: &mut dyn FnMut(&str)) -> Result<(), DlqError> {
        let mut missing = choice.ids.clone();
        let mut cut_short = false;
        let name = RandomNames.claim();
        for ((queue, _), shelf) in self.shelves(choice).await? {
            if dry {
                let seen = look(&shelf, &SystemClock).await?;
                cut_short |= seen.cut_short;
                let meant: Vec<&DeadLetter> = seen.letters.iter().filter(|letter| choice.is_meant(letter)).collect();
                for letter in &meant {
                    missing.remove(&letter.id);
                    say(&format!("{}  {queue}  {}", letter.id, letter.group.escape_debug()));
                }
                say(&format!("{queue}: {} would be put back", meant.len()));
                continue;
            }
            let done = replay(&shelf, &SystemClock, name.as_str(), |letter| choice.is_meant(letter)).await;
            cut_short |= done.cut_short;
            done.put.iter().for_each(|id| {
                missing.remove(id);
            });
            say(&format!("{queue}: {} put back", done.put.len()));
            if !done.returned.is_empty() {
                say(&format!("  {} came back at once; `baton dlq show` tells why", done.returned.len()));
            }
            if let Some(reason) = done.stopped {
                return Err(reason.into());
            }
        }
        ended(missing, cut_short)
    }
}

fn ended(missing: BTreeSet<String>, cut_short: bool) -> Result<(), DlqError> {
    if cut_short {
        return Err(DlqError::CutShort);
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(DlqError::NotFound(missing.into_iter().collect::<Vec<_>>().join(", ")))
}

fn by_reason(seen: &Seen) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for letter in &seen.letters {
        *counts.entry(why(letter)).or_default() += 1;
    }
    counts
}

/// Why it rests there, in one line; nothing in it can steer a terminal.
fn why(letter: &DeadLetter) -> String {
    letter.reason.as_deref().unwrap_or("failed each time it was tried").escape_debug().to_string()
}

/// What it says, readably; nothing in it can steer a terminal.
fn readable(body: &str) -> String {
    let value = serde_json::from_str::<serde_json::Value>(body);
    let text = value.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| body.to_owned());
    let is_harmless = |character: char| !character.is_control() && !is_turning(character);
    let line = |line: &str| {
        let harmless = |character: char| {
            if is_harmless(character) { character.to_string() } else { character.escape_unicode().to_string() }
        };
        line.chars().map(harmless).collect::<String>()
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Characters that change the direction of what is written after them.
fn is_turning(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How long it has rested, in words.
fn rested(since: Timestamp) -> String {
    let seconds = SystemClock.now().seconds().saturating_sub(since.seconds());
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_can_steer_a_terminal() {
        for body in ["\u{1b}[2J", "{\"a\": \"\\u001b[31m\"}", "a\rb\u{202e}c\u{9b}"] {
            let shown = readable(body);
            assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "{shown:?}");
            assert!(!shown.contains('\u{202e}'));
        }
        assert_eq!(readable("{\"words\":\"Où?\"}"), "{\n  \"words\": \"Où?\"\n}");
    }
}
