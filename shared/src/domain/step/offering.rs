//! What the bot says, as entries of the outbox, and what it offers to choose from: remembered when it
//! is there, so that the customer's answer comes back to the bot as the option's value.
//!
//! An offer stands while nothing else was said after it. Which offer a typed answer is to is told by
//! the parts' order; a pressed button is known by its id, also after that.

use super::Stepper;
use super::observed::MAX_STRETCH;
use crate::domain::blocks::Said;
use crate::domain::choice;
use crate::domain::content::{AuthorKind, Body, BodyFormat, Choice, Message, Offer};
use crate::domain::conversation::{Action, CommandOutcome, EventKind, MAX_OFFERS, Offered, Progress, Weight, remember};
use crate::domain::ids::{CommandId, PartId};
use crate::domain::incoming;
use crate::domain::part::Part;

impl Stepper<'_> {
    /// Puts a reply's messages on their way. The command that says them is done with the last, and
    /// fails with each.
    pub(super) fn say(&mut self, command: Option<&CommandId>, weight: Weight, messages: Vec<Said>) {
        let last = messages.len().saturating_sub(1);
        for (place, Said { pause_ms, html, attachment_urls, offer }) in messages.into_iter().enumerate() {
            let weight = if weight == Weight::Completes && place < last { Weight::Required } else { weight };
            self.enqueue(command, weight, Action::Reply { html, attachment_urls, offer });
            if let Some(entry) = self.state.outbox.back_mut() {
                entry.pause_ms = pause_ms;
            }
        }
    }

    /// A pause begins when all that was to be done before it is settled. Nobody waits for it: the
    /// entry is due later, and so is what stands behind it.
    pub(super) fn begin_the_pause(&mut self) {
        let Some(head) = self.state.outbox.front_mut().filter(|head| head.pause_ms > 0) else { return };
        if let Progress::Pending { not_before } = &mut head.progress {
            *not_before = (*not_before).max(self.now.plus_ms(head.pause_ms));
            head.pause_ms = 0;
        }
    }

    /// Part of a reply was refused, and its command with it: the bot knows, and what was to follow is
    /// not said.
    pub(super) fn drop_the_rest(&mut self, command: Option<&CommandId>) {
        self.state.outbox.retain(|entry| {
            let of_it = command.is_some() && entry.command.as_ref() == command;
            let waits = matches!(entry.progress, Progress::Pending { .. });
            !(of_it && waits && matches!(entry.action, Action::Reply { .. }) && entry.weight != Weight::Optional)
        });
    }

    /// Something of the bot's has reached the customer: what it offers stands from now on, and nothing
    /// that was offered before.
    pub(super) fn remember_offer(&mut self, part: Option<&PartId>, offer: Option<&Offer>) {
        let options = offer.map(|offer| offer.options.clone()).unwrap_or_default();
        let stands = self.state.offers.back().is_some_and(|last| !last.options.is_empty());
        if stands || !options.is_empty() {
            remember(&mut self.state.offers, Offered { part: part.cloned(), options }, MAX_OFFERS);
        }
    }

    /// Whether the bot was told of a message, so that it may look at its files.
    pub(super) fn check_told(&self, part: Option<&PartId>) -> Result<(), (&'static str, String)> {
        let told = part.map_or(self.state.told.source, |part| self.state.told.covers(part));
        let redacted = part.is_some_and(|part| self.state.redacted.contains(part));
        if told && !redacted {
            return Ok(());
        }
        Err(("unknown_message", "the bot was not told of this message, or it has been deleted".to_owned()))
    }

    /// Up to where what was said is told once more: no further than the bot was told of it before.
    pub(super) fn replayed_to(
        &self,
        from: Option<&PartId>,
        to: Option<&PartId>,
    ) -> Result<Option<PartId>, (&'static str, String)> {
        let unknown = |id: &PartId| ("unknown_message", format!("the bot was told of no message up to {id} yet"));
        if let Some(id) = [from, to].into_iter().flatten().find(|id| !self.state.told.covers(id)) {
            return Err(unknown(id));
        }
        if to.is_some() && from > to {
            return Err(("empty", "the last message lies before the first".to_owned()));
        }
        Ok(to.cloned().or_else(|| self.state.told.part.clone()))
    }

    /// What was looked up is told to the bot that asked, as its command's result.
    pub(super) fn shown(&mut self, position: usize, messages: &[Message]) {
        let Some(entry) = self.state.outbox.remove(position) else { return };
        let Some(command_id) = entry.command else { return };
        let event = match entry.action {
            Action::Attachments { part_id } => {
                let attachments = messages.iter().flat_map(|message| message.attachments.clone()).collect();
                EventKind::Attachments { command_id: command_id.clone(), part_id, attachments }
            }
            Action::Replay { .. } => {
                let next = messages.get(MAX_STRETCH).and_then(|message| message.part_id.clone());
                let messages = messages.iter().take(MAX_STRETCH).map(|message| self.understood(message.clone()));
                EventKind::Replayed { command_id: command_id.clone(), messages: messages.collect(), next }
            }
            _ => return,
        };
        if let Some(record) = self.state.commands.iter_mut().find(|record| record.id == command_id) {
            record.outcome = CommandOutcome::Done { part_id: None };
        }
        self.tell(event);
    }

    /// Whether a notification shows an e-mail as plain text of several lines, in which the message that it
    /// answers cannot be told from its own words. `GET` has it as HTML.
    pub(super) fn is_flattened(&self, fresh: &[&Part]) -> bool {
        let is_flat = |part: &&Part| {
            let body = part.body.as_ref().filter(|body| body.format == BodyFormat::Plain);
            part.author.kind == AuthorKind::Customer && body.is_some_and(|body| body.text.trim().contains('\n'))
        };
        self.state.profile.is_by_email() && fresh.iter().any(is_flat)
    }

    /// The customer's message with the option that it chooses, if it does.
    pub(super) fn understood(&self, mut message: Message) -> Message {
        message.choice = self.choice_of(&message);
        if let (None, Some(choice)) = (&message.body, &message.choice) {
            message.body = Some(Body { text: choice.label.clone(), format: BodyFormat::Plain });
        }
        message
    }

    fn choice_of(&self, message: &Message) -> Option<Choice> {
        let part = message.part_id.as_ref()?;
        if let Some(uuid) = &message.pressed {
            return self.state.offers.iter().rev().find_map(|offered| choice::pressed(&offered.options, uuid));
        }
        let before = |offered: &&Offered| offered.part.as_ref().is_none_or(|offering| offering < part);
        let offered = self.state.offers.iter().rev().find(before)?;
        let body = message.body.as_ref()?;
        let own = Some(body).filter(|_| self.state.profile.is_by_email()).and_then(incoming::own_words);
        choice::typed(&offered.options, &own.map_or_else(|| incoming::text(body), |(text, _)| text))
    }
}
