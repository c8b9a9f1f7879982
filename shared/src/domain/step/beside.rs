//! Conversations of a chat's customer that are not the chat's: people begin them, or the chat has left them. Where the
//! bot has the chat, it goes on in such a one. Where others have it, it stays with them, and what is said beside it is passed on
//! all the same, so that the customer reads it and nobody speaks into the void; the customer's answers go
//! to those who have the chat, who are told.
//!
//! Of each it is kept how far it was passed on, in the chat's row; a row of its own it gets when the chat goes
//! on there. Nothing is ever said in it by us.

use super::transferred::SKEW_MS;
use super::{Decision, Effect, Stepper};
use crate::domain::content::{AuthorKind, Message};
use crate::domain::conversation::{Control, Conversation, EventKind, MAX_REDACTED, Progress, Watermark, remember};
use crate::domain::ids::{BotId, ContactId, ConversationId, Timestamp};
use crate::domain::likeness::Likeness;
use crate::domain::part::{Observation, Part};
use crate::domain::transfer::{Beside, Contact};

/// After how long a conversation that people have begun is looked at again, where the chat is busy with
/// another, in milliseconds.
const BUSY_MS: u64 = 5_000;

/// The channel of a chat that people have begun.
const OF_INTERCOM: &str = "intercom";

/// Whether Intercom shows more than is known of a conversation beside a chat, so that it has to be fetched.
/// `shown` is without parts, as a search gives it.
#[must_use]
pub fn is_behind_beside(chat: &Conversation, conversation: &ConversationId, shown: &Observation) -> bool {
    let by_people = shown.is_begun_by_people();
    let Some(transfer) = &chat.transfer else { return by_people && shown.open };
    if transfer.conversation.as_ref() == Some(conversation) {
        return false;
    }
    match transfer.beside(conversation) {
        Some(known) => !known.of_another && (known.count.is_none() || shown.part_count > known.count),
        None => by_people,
    }
}

/// With which contact, and since when, conversations that people have begun are to be looked for now: their
/// notifications came when nobody knew yet whose chat it was, because the chat's start was carried out late. What is
/// older than the chat is history.
#[must_use]
pub fn looks_beside(chat: &Conversation) -> Option<(&ContactId, Timestamp)> {
    let transfer = chat.transfer.as_ref().filter(|transfer| transfer.look_beside && chat.outbox.is_empty())?;
    transfer.contact.as_ref().map(|contact| (&contact.id, chat.born))
}

impl Stepper<'_> {
    /// They were looked for, and those that there are were met.
    pub(super) fn looked_beside(&mut self) {
        if let Some(transfer) = &mut self.state.transfer {
            transfer.look_beside = false;
        }
    }

    /// Intercom shows a conversation of this chat's customer. It may be the one that is being opened; or
    /// people have begun it, and the customer is to read it where they are.
    pub(super) fn met(
        &mut self,
        conversation: &ConversationId,
        observation: &Observation,
        chat: Option<&(BotId, String)>,
    ) {
        let by_people = observation.is_begun_by_people();
        let is_first = self.state.bot.is_none();
        if let (true, true, Some((bot, name)), true) = (by_people, observation.open, chat, is_first) {
            self.be_a_session(bot, name, OF_INTERCOM);
            if let (Some(transfer), Some(id)) = (&mut self.state.transfer, observation.contact.clone()) {
                transfer.contact = Some(Contact { id, role: "user".to_owned() });
            }
        }
        let Some(transfer) = &self.state.transfer else { return };
        if transfer.conversation.as_ref() == Some(conversation) {
            return;
        }
        let known = transfer.beside(conversation);
        if known.as_ref().is_some_and(|known| known.of_another) {
            return;
        }
        let (has_twin, is_known) = (transfer.has_twin, known.is_some());
        broken_as!(LeftIsLeft => if is_known && !by_people { return; });
        let opening = !is_known
            && self.state.outbox.front().is_some_and(|head| {
                let open = matches!(head.progress, Progress::Claimed { .. } | Progress::Unknown { .. });
                open && Likeness::of(&head.action).is_some_and(|opening| opening.begins(observation))
            });
        broken_as!(OpeningHasNoEcho => return);
        // Where the customer has several chats, each may be opened in the same words: then only the answer tells whose it
        // is, or the search, which knows those of the others.
        if opening && has_twin {
            return;
        }
        if opening {
            self.begun(0, conversation);
        } else if by_people && is_first {
            self.people_begin(Beside::of(conversation));
        } else if by_people || is_known {
            self.people_write_beside(conversation, observation);
        } else {
            self.begins_late(observation);
        }
    }

    /// People have begun a conversation with the customer of a chat that has another, or none.
    fn people_write_beside(&mut self, conversation: &ConversationId, observation: &Observation) {
        let is_whole = observation.complete || (observation.parts.is_empty() && observation.part_count == Some(0));
        if !is_whole {
            self.effects.push(Effect::Fetch);
            return;
        }
        let known = self.state.transfer.as_ref().and_then(|transfer| transfer.beside(conversation));
        let known = known.unwrap_or_else(|| self.before_the_chat(conversation, observation));
        let said = self.said_after(&known, observation);
        let by_somebody =
            |message: &Message| matches!(message.author.kind, AuthorKind::Teammate | AuthorKind::Customer);
        let is_with_the_bot = self.state.control == Control::Closed;
        if is_with_the_bot && !said.iter().any(by_somebody) {
            // What is sent automatically waits until somebody says something.
            self.know_beside(Beside { count: observation.part_count, ..known });
        } else if is_with_the_bot && observation.open && self.state.outbox.is_empty() {
            self.people_begin(known);
        } else if is_with_the_bot && observation.open {
            // What is still to be done is about the conversation before this one.
            self.effects.push(Effect::Wait { until: self.now.plus_ms(BUSY_MS) });
        } else {
            self.pass_on_beside(known, observation, said);
        }
    }

    fn know_beside(&mut self, known: Beside) {
        if let Some(transfer) = &mut self.state.transfer {
            transfer.know_beside(known);
        }
    }

    /// What was said in it before this chat was known here: that is history.
    fn before_the_chat(&self, conversation: &ConversationId, observation: &Observation) -> Beside {
        let born = self.state.born;
        let is_before = |message: &Message| message.created_at.0 > 0 && message.created_at.plus_ms(SKEW_MS) < born;
        let mut mark = Watermark { source: observation.source.as_ref().is_some_and(is_before), part: None };
        let parts = observation.parts_in_order().into_iter();
        let before = parts.filter(|part| part.created_at.0 > 0 && part.created_at.plus_ms(SKEW_MS) < born);
        before.for_each(|part| mark.raise(&part.id));
        Beside { seen: mark, ..Beside::of(conversation) }
    }

    /// What the customer is to read, or has written there, in order. What the chat has said there before it left is ours.
    fn said_after(&self, known: &Beside, observation: &Observation) -> Vec<Message> {
        let source = observation.source.iter().filter(|_| !known.seen.source).cloned();
        let parts = observation.parts_in_order().into_iter().filter(|part| !known.seen.covers(&part.id));
        let parts = parts.filter(|part| !part.is_by(&self.workspace.bot_teammate) && !known.own.contains(&part.id));
        source.chain(parts.filter_map(Part::message)).collect()
    }

    /// The chat stays where it is: what is said here is passed on, once, and those who have the chat are told.
    fn pass_on_beside(&mut self, known: Beside, observation: &Observation, said: Vec<Message>) {
        let Beside { conversation, seen: mark, mut own, of_another, .. } = known;
        if !said.is_empty() {
            self.note(Decision::PassedOnBeside);
            self.tell_those_who_have_it(&conversation);
        }
        for message in said {
            let kind = if message.author.kind == AuthorKind::Customer {
                self.customer_spoke();
                EventKind::Message { message, earlier: Vec::new() }
            } else {
                EventKind::AgentMessage { message }
            };
            self.tell_of(kind, Some(conversation.clone()));
        }
        for part in observation.parts.iter().filter(|part| part.redacted && mark.covers(&part.id)) {
            if !self.state.redacted.contains(&part.id) {
                remember(&mut self.state.redacted, part.id.clone(), MAX_REDACTED);
                let kind = EventKind::MessageRedacted { part_id: part.id.clone() };
                self.tell_of(kind, Some(conversation.clone()));
            }
        }
        let mut seen = Watermark { source: true, part: mark.part };
        observation.parts.iter().for_each(|part| seen.raise(&part.id));
        own.retain(|part| !seen.covers(part)); // what is shown may be old
        self.know_beside(Beside { conversation, seen, count: observation.part_count, own, of_another });
    }

    /// Once for each such conversation.
    fn tell_those_who_have_it(&mut self, conversation: &ConversationId) {
        let is_told = self.state.transfer.as_ref().is_some_and(|transfer| transfer.others.contains(conversation));
        if self.state.control == Control::Human && !is_told {
            self.say_to_teammates(&format!(
                "Conversation {conversation} is with the same customer. What is said there is passed on as \
                 well; what the customer answers arrives here, as long as the chat is here."
            ));
        }
    }

    /// People have begun a conversation with the customer of a chat that the bot has by itself: the chat goes on
    /// there. What lies at or below the mark is known.
    fn people_begin(&mut self, known: Beside) {
        let Beside { conversation, seen: mark, own, .. } = known;
        self.note(Decision::TransferStarts);
        self.has_conversation(&conversation);
        self.state.own_parts = own.into();
        self.state.control = Control::Human;
        self.new_epoch();
        let now = self.now;
        if let Some(transfer) = &mut self.state.transfer {
            transfer.started_at = now;
            transfer.began_after = Watermark::default();
            transfer.agent = None;
        }
        if mark.source {
            self.tell(EventKind::Reopened);
        }
        (self.state.seen, self.state.told) = (mark.clone(), mark);
    }
}
