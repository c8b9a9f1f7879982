//! The account of what was decided: one log line for each change of a conversation.
//!
//! It says what the change came from, who has the conversation now, what the bot is told and what
//! is to be done in Intercom, by kinds and numbers: never a word of a message. Whoever asks why the
//! bot spoke, or did not, reads these lines in order.

use std::fmt::Write as _;

use super::Desk;
use crate::domain::conversation::Conversation;
use crate::domain::ids::ConversationKey;
use crate::domain::step::{Effect, Input};
use crate::ports::{Clock, Stored};

/// Writes the line for a change that was saved.
pub(super) fn record<S, W, C: Clock>(
    desk: &Desk<S, W, C>,
    key: &ConversationKey,
    inputs: &[Input],
    before: &Conversation,
    after: &Stored,
    effects: &[Effect],
) {
    let state = &after.conversation;
    tracing::info!(
        outcome = "decided",
        app_id = %key.app_id,
        conversation_id = %state.in_intercom(key).unwrap_or(&key.conversation_id),
        // Where it is kept, if that is another name.
        chat = state.transfer.is_some().then(|| key.conversation_id.as_str()),
        at_ms = desk.clock.now().0,
        cause = listed(inputs.iter().map(|input| (input.name(), None))),
        version = after.version,
        owner = state.control.as_str(),
        epoch = state.epoch,
        told = listed(events_after(before, state)),
        to_do = listed(actions_after(before, state)),
        settled = listed(settled(before, state)),
        decisions = listed(effects.iter().filter_map(decision)),
    );
}

/// Events that the bot is to be told of, and their numbers.
fn events_after<'a>(
    before: &Conversation,
    after: &'a Conversation,
) -> impl Iterator<Item = (&'static str, Option<u64>)> + 'a {
    let last = before.last_event;
    after.events.iter().filter(move |event| event.seq > last).map(|event| (event.kind.as_str(), Some(event.seq)))
}

/// What is to be done in Intercom, by kind and number.
fn actions_after<'a>(
    before: &Conversation,
    after: &'a Conversation,
) -> impl Iterator<Item = (&'static str, Option<u64>)> + 'a {
    let last = before.last_out;
    after.outbox.iter().filter(move |entry| entry.seq > last).map(|entry| (entry.action.as_str(), Some(entry.seq)))
}

/// What was to be done in Intercom and is no more: done, refused or overtaken.
fn settled<'a>(
    before: &'a Conversation,
    after: &'a Conversation,
) -> impl Iterator<Item = (&'static str, Option<u64>)> + 'a {
    let is_left = |seq: u64| after.outbox.iter().any(|entry| entry.seq == seq);
    let gone = before.outbox.iter().filter(move |entry| !is_left(entry.seq));
    gone.map(|entry| (entry.action.as_str(), Some(entry.seq)))
}

fn decision(effect: &Effect) -> Option<(&'static str, Option<u64>)> {
    match effect {
        Effect::Note(decision) => Some((decision.as_str(), None)),
        _ => None,
    }
}

/// `message 3, resumed 4`; none where there is nothing to list.
fn listed(names: impl Iterator<Item = (&'static str, Option<u64>)>) -> Option<String> {
    let mut text = String::new();
    for (name, number) in names {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(name);
        if let Some(number) = number {
            // Writing to a text cannot fail.
            let _ = write!(text, " {number}");
        }
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::listed;

    #[test]
    fn a_list_names_kinds_and_numbers() {
        assert_eq!(listed([("message", Some(3)), ("bot_takes", None)].into_iter()).unwrap(), "message 3, bot_takes");
        assert_eq!(listed(std::iter::empty()), None);
    }
}
