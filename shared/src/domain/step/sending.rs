//! The way of an action to Intercom: claim, one attempt, confirm; in doubt settle, read back, and
//! only then try again. At most one action of a conversation is on the wire at any time, in order.

use super::transferred::{SKEW_MS, settle_ms};
use super::{Answer, Decision, Effect, Stepper};
use crate::domain::budget::Call;
use crate::domain::content::{Body, BodyFormat};
use crate::domain::conversation::{
    Action, CommandOutcome, Control, Conversation, Lane, MAX_OWN_PARTS, OutboxEntry, Overtaker, Progress, Weight,
    remember,
};
use crate::domain::ids::{ClaimId, PartId, Timestamp};
use crate::domain::incoming;
use crate::domain::likeness::Likeness;
use crate::domain::part::{Assignee, Observation, Part};
use crate::domain::render;

/// What of Intercom a claim in this lane would be for. It is as urgent as the most urgent of what
/// waits behind it: a tag that a reply waits for holds the customer up.
#[must_use]
pub fn next_call(state: &Conversation, lane: Lane, now: Timestamp) -> Option<Call> {
    let head = state.outbox.front().filter(|head| head.action.lane() == lane)?;
    let requests = match &head.progress {
        Progress::Pending { not_before } if *not_before <= now => Call::of(&head.action).requests,
        Progress::Unknown { settle_at, .. } if *settle_at <= now => 1,
        _ => return None,
    };
    let urgency = state.outbox.iter().map(|entry| Call::of(&entry.action).urgency).max()?;
    Some(Call { urgency, requests })
}

impl Stepper<'_> {
    /// Moves what is due in the lane to then: it was not tried, and keeps its place.
    pub(super) fn put_off(&mut self, lane: Lane, until: Timestamp) {
        self.supersede_the_overtaken();
        self.drop_a_waiting_return();
        let now = self.now;
        let Some(head) = self.state.outbox.front_mut().filter(|head| head.action.lane() == lane) else { return };
        let (Progress::Pending { not_before: due } | Progress::Unknown { settle_at: due, .. }) = &mut head.progress
        else {
            return;
        };
        if *due <= now {
            *due = until;
        }
        self.effects.push(Effect::Wait { until: *due });
    }

    pub(super) fn claim(&mut self, lane: Lane, claim: &ClaimId, until: Timestamp) {
        self.supersede_the_overtaken();
        self.drop_a_waiting_return();
        let (now, settle_ms) = (self.now, self.workspace.settle_ms);
        let last_known = self.state.last_known_part();
        let Some(head) = self.state.outbox.front_mut() else { return };
        if head.action.lane() != lane {
            return; // the other lane's turn; `waiting` names it
        }
        if let Progress::Claimed { until, after, .. } = &head.progress
            && *until <= now
        {
            let settle_ms = super::transferred::settle_ms(&head.action, settle_ms);
            head.progress = Progress::Unknown { settle_at: until.plus_ms(settle_ms), after: after.clone() };
        }
        let effect = match &head.progress {
            Progress::Pending { not_before } if *not_before > now => Effect::Wait { until: *not_before },
            Progress::Pending { .. } => {
                if let Some(transfer) = &self.state.transfer {
                    head.action = transfer.addressed(head.action.clone());
                }
                head.progress = Progress::Claimed { claim: claim.clone(), until, after: last_known };
                Effect::Perform { seq: head.seq, action: head.action.clone() }
            }
            Progress::Claimed { until, .. } => Effect::Wait { until: *until },
            Progress::Unknown { settle_at, .. } if *settle_at > now => Effect::Wait { until: *settle_at },
            Progress::Unknown { after, settle_at } => match &head.action {
                Action::Begin { contact, .. } => {
                    // The chat may have been given away once more since this was tried.
                    let tried = settle_at.minus_ms(super::transferred::settle_ms(&head.action, settle_ms));
                    let started = self.state.transfer.as_ref().map(|transfer| transfer.started_at);
                    let since = started.unwrap_or_default().min(tried);
                    Effect::Search { seq: head.seq, contact: contact.id.clone(), since: since.minus_ms(SKEW_MS) }
                }
                // Whoever is looked for is found as well when it is done twice.
                Action::FindContact { .. } | Action::LookWhoIsThere { .. } => {
                    let after = after.clone();
                    head.progress = Progress::Claimed { claim: claim.clone(), until, after };
                    Effect::Perform { seq: head.seq, action: head.action.clone() }
                }
                _ => Effect::ReadBack { seq: head.seq },
            },
        };
        self.effects.push(effect);
    }

    pub(super) fn answered(&mut self, seq: u64, claim: &ClaimId, answer: &Answer) {
        let Some(position) = self.state.outbox.iter().position(|entry| entry.seq == seq) else {
            // Our echo settled it before. Where something was given up that may have been that echo, this one is looked
            // at when it is shown.
            if self.state.given_up.is_empty() {
                self.remember_own(answer);
            }
            return;
        };
        let entry = self.state.outbox[position].clone();
        let ours = matches!(&entry.progress, Progress::Claimed { claim: holder, .. } if holder == claim);
        let proves = matches!(answer, Answer::Done { .. } | Answer::Begun { .. });
        if !ours && !proves {
            return; // somebody took over meanwhile; only a success still tells something
        }
        match answer {
            Answer::Done { part_id } => self.done(position, part_id.clone()),
            Answer::Shown { messages } => self.shown(position, messages),
            Answer::There(availability) => self.there(position, *availability),
            Answer::Contact(contact) => self.found(position, contact),
            Answer::Begun { conversation } => self.begun(position, conversation),
            Answer::NotSent { retry_at } => self.back_in_line(position, *retry_at),
            Answer::Rejected { code, message } => self.rejected(position, code, message),
            Answer::Unknown => {
                let settle_at = self.now.plus_ms(settle_ms(&entry.action, self.workspace.settle_ms));
                self.state.outbox[position].progress = Progress::Unknown { settle_at, after: entry.after().cloned() };
            }
        }
    }

    /// A part of ours that nothing waits for any more: the last request of a hand-over, perhaps.
    fn remember_own(&mut self, answer: &Answer) {
        if let Answer::Done { part_id: Some(part_id) } = answer {
            self.know_own(part_id);
            self.is_looked_at_when_shown(part_id);
        }
    }

    /// Who had taken the seat that we may have emptied, only what is shown tells.
    fn is_looked_at_when_shown(&mut self, part_id: &PartId) {
        let seen = &self.state.seen;
        if !seen.covers(part_id) && self.state.unshown.as_ref().is_none_or(|known| seen.covers(known)) {
            self.state.unshown = Some(part_id.clone());
        }
    }

    pub(super) fn know_own(&mut self, part_id: &PartId) {
        if !self.state.own_parts.contains(part_id) {
            remember(&mut self.state.own_parts, part_id.clone(), MAX_OWN_PARTS);
        }
    }

    pub(super) fn done(&mut self, position: usize, part_id: Option<PartId>) {
        let Some(entry) = self.state.outbox.remove(position) else { return };
        if let Some(part_id) = &part_id {
            self.know_own(part_id);
        }
        let newest = part_id.is_some() && part_id > self.state.seen.part;
        match &entry.action {
            Action::Reply { offer, .. } => self.remember_offer(part_id.as_ref(), offer.as_ref()),
            action => self.is_marked(action),
        }
        self.finish(&entry, CommandOutcome::Done { part_id: part_id.clone() });
        if self.state.transfer.is_some() {
            self.have_relayed(&entry, part_id.as_ref(), newest);
            return;
        }
        if self.is_return(&entry) {
            self.state.resume_at = Some(self.now); // the router looks at once who was first
            return;
        }
        if let (Action::Assign { .. }, Some(part_id)) = (&entry.action, &part_id) {
            self.is_looked_at_when_shown(part_id);
        }
        if matches!(entry.action, Action::Reply { .. } | Action::Close { .. }) {
            self.state.exchange.message_is_there(part_id, self.now);
        }
        if !matches!(entry.action, Action::Close { .. }) {
            if newest {
                self.heed_what_we_did(&entry.action);
            }
            return;
        }
        // The customer may have written while the close was on the wire. Then the bot was asked,
        // and keeps the conversation: its answer opens it again. So does a hand-over.
        let keeps = self.was_asked_since(&entry) && self.state.control == Control::Bot;
        if keeps || self.is_leaving() {
            return;
        }
        // People who took it over while the close was on the wire did not want it closed.
        if entry.epoch < self.state.epoch && self.is_with_people() {
            self.open_again();
        } else {
            self.closed(true, &mut false);
        }
    }

    /// What we did came after all that is known. Where somebody else did something while it was on
    /// the wire, it counts as it does in Intercom.
    fn heed_what_we_did(&mut self, action: &Action) {
        if let Action::Assign { to, .. } = action {
            self.state.assignee = Some(to.clone());
        }
        match action {
            // A message opens a closed conversation.
            Action::Reply { .. } if self.state.control == Control::Closed => {
                self.state.control = Control::Paused;
                self.new_epoch();
                // Due at once: the router looks at whose it is, and gives it to the bot.
                self.state.resume_at = Some(self.now);
            }
            Action::Assign { to, .. } if self.state.control != Control::Human => {
                self.give_to_people(to, true, &mut false);
            }
            Action::Take { .. } => self.have_taken(),
            _ => {}
        }
    }

    /// It could not be assigned to the bot: whoever has it keeps it, and nothing is said.
    fn have_not_taken(&mut self, code: &str) {
        if self.state.control != Control::Bot {
            return;
        }
        self.state.control = Control::Human;
        // Whose it is now is looked at with whatever is shown next.
        self.state.assignee = None;
        self.new_epoch();
        self.note(Decision::PeopleTake);
        self.tell_waiting(&Assignee::Nobody);
        self.say_to_teammates(&format!("I could not take the conversation ({code})."));
    }

    /// Undoes a close that crossed a take-over.
    pub(super) fn open_again(&mut self) {
        if !self.state.outbox.iter().any(|entry| entry.action == Action::Open) {
            self.enqueue(None, Weight::Optional, Action::Open);
        }
    }

    /// Whether the bot was told of a message after this entry was decided. Told, not written: what the
    /// customer wrote before something of our own may be heard after it.
    fn was_asked_since(&self, entry: &OutboxEntry) -> bool {
        entry.last_message.is_some_and(|known| known < self.state.last_message) || self.is_older_than_the_burst(entry)
    }

    /// It did not arrive: its turn comes again, but for a close when the bot was asked meanwhile.
    pub(super) fn back_in_line(&mut self, position: usize, not_before: Timestamp) {
        let asked = self.was_asked_since(&self.state.outbox[position]);
        self.state.outbox[position].progress = Progress::Pending { not_before };
        if asked {
            self.drop_a_waiting_close(Overtaker::Message);
        }
        self.supersede_the_overtaken();
    }

    pub(super) fn rejected(&mut self, position: usize, code: &str, message: &str) {
        if self.begins_anew(position, code) {
            return;
        }
        let Some(mut entry) = self.state.outbox.remove(position) else { return };
        if let Action::Assign { to, fallbacks } = &mut entry.action
            && !fallbacks.is_empty()
        {
            let refused = std::mem::replace(to, fallbacks.remove(0));
            let text = format!("Intercom did not take the hand-over to {} ({code}).", named(&refused));
            entry.progress = Progress::Pending { not_before: self.now };
            self.state.outbox.insert(position, entry);
            self.enqueue(None, Weight::Optional, Action::Note { html: render::plain(&text) });
            return;
        }
        if let Action::Reply { offer: Some(offer), .. } = &mut entry.action
            && offer.buttons
        {
            // The same choice without buttons: the list that numbers it.
            offer.buttons = false;
            entry.progress = Progress::Pending { not_before: self.now };
            self.state.outbox.insert(position, entry);
            return;
        }
        let outcome = CommandOutcome::Rejected { code: code.to_owned(), message: message.to_owned() };
        self.finish(&entry, outcome);
        if entry.weight != Weight::Optional {
            self.drop_the_rest(entry.command.as_ref());
        }
        if self.state.transfer.is_some() {
            self.have_not_relayed(&entry);
            return;
        }
        match entry.action {
            Action::Assign { .. } if self.is_return(&entry) => {
                (self.state.relieved, self.state.returning) = (None, false);
            }
            Action::Assign { .. } => self.keep_the_conversation(&entry),
            Action::Take { .. } if entry.epoch == self.state.epoch => self.have_not_taken(code),
            // No bot asked for it, so no bot is told: a teammate did, or the settings.
            Action::Reply { .. } if entry.command.is_none() && entry.weight != Weight::Optional => {
                let words =
                    format!("Intercom did not take what was to be sent ({code}); the customer has not read it.");
                self.say_to_teammates(&words);
            }
            _ => {}
        }
    }

    /// No hand-over was possible at all: the customer must not be left with nobody.
    fn keep_the_conversation(&mut self, entry: &OutboxEntry) {
        if self.state.control == Control::Human && self.state.epoch == entry.epoch {
            self.state.control = Control::Paused;
            self.new_epoch();
            // Due at once: the router fetches what was said meanwhile and gives it to the bot. Not to
            // one that would only be relieved again.
            self.state.resume_at = (!self.goes_in_circles()).then_some(self.now);
        }
    }

    pub(super) fn read_back(&mut self, seq: u64, observation: &Observation) {
        let Some(position) = self.state.outbox.iter().position(|entry| entry.seq == seq) else { return };
        let entry = self.state.outbox[position].clone();
        if !matches!(entry.progress, Progress::Unknown { .. }) {
            return; // settled meanwhile, by our echo or by another worker
        }
        let mut own = observation.parts_in_order();
        own.retain(|part| self.may_be_ours(part));
        let arrives = |part: &&Part| carries(part, &entry) && !self.holds_a_seat(&entry, observation);
        let arrived = own.into_iter().find(arrives).map(|part| part.id.clone());
        if let Some(part_id) = arrived {
            self.note(Decision::FoundSent);
            self.done(position, Some(part_id));
        } else {
            self.note(Decision::FoundNotSent);
            self.has_not_arrived(&entry);
            self.back_in_line(position, self.now);
        }
    }

    /// Our own part came by before its confirmation did: what was on the wire, or in doubt, is
    /// there; so is what was given up and is to be made again. Whether it was so.
    pub(super) fn settle_by_echo(&mut self, part: &Part, observation: &Observation) -> bool {
        broken_as!(EchoSettlesNothing => return false);
        let Some(head) = self.state.outbox.front() else { return false };
        let given_up = self.given_up_after(head);
        let is_waited_for = match (&head.progress, given_up) {
            (Progress::Pending { .. }, None) => false,
            (_, after) => after.flatten().is_none_or(|after| part.id > *after),
        };
        let proves = is_waited_for && carries(part, head) && !self.holds_a_seat(head, observation);
        if proves {
            if given_up.is_some() {
                self.arrives_in_time(head.seq);
            }
            self.done(0, Some(part.id.clone()));
        }
        proves
    }
}

impl Stepper<'_> {
    /// Whether the bot still holds a seat in what was last assigned to people. A hand-over is a request
    /// for each side that a conversation can be assigned on, and arrived with the last of them.
    fn holds_a_seat(&self, entry: &OutboxEntry, observation: &Observation) -> bool {
        broken_as!(HalfAHandoverCounts => return false);
        matches!(entry.action, Action::Assign { .. })
            && self.workspace.is_bots(&observation.assignee)
            && !self.workspace.is_bots(&observation.owner())
    }
}

impl OutboxEntry {
    /// The last part that was known when it was claimed.
    pub(super) fn after(&self) -> Option<&PartId> {
        match &self.progress {
            Progress::Pending { .. } => None,
            Progress::Claimed { after, .. } | Progress::Unknown { after, .. } => after.as_ref(),
        }
    }
}

/// Whether a part may be what this entry, which is on the wire or in doubt, has made.
pub(super) fn may_have_made(entry: &OutboxEntry, part: &Part) -> bool {
    !matches!(entry.progress, Progress::Pending { .. }) && carries(part, entry)
}

/// Whether a part of ours is what this entry makes: later than its claim, and like it.
fn carries(part: &Part, entry: &OutboxEntry) -> bool {
    let is_later = entry.after().is_none_or(|after| part.id > *after);
    is_later && Likeness::of(&entry.action).is_some_and(|likeness| likeness.fits(part))
}

/// A plain text, for comparing.
pub(super) fn words_of(text: &str) -> String {
    incoming::comparable(&Body { text: text.to_owned(), format: BodyFormat::Plain })
}

fn named(assignee: &Assignee) -> String {
    match assignee {
        Assignee::Teammate(id) => format!("teammate {id}"),
        Assignee::Team(id) => format!("team {id}"),
        Assignee::Nobody => "the Unassigned inbox".to_owned(),
    }
}
