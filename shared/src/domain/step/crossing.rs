//! Assignments of our own that cross other people's: which of them was first is told by the parts' order. A hand-over
//! goes on where nobody came behind it; whoever took a conversation while the bot was taking it gets it back.

use super::sending::may_have_made;
use super::{Effect, Stepper};
use crate::domain::conversation::{Action, Control, OutboxEntry, Weight};
use crate::domain::part::{Assignee, Observation, Part};

impl Stepper<'_> {
    /// Whether the bot's own hand-over comes after this part of the whole conversation: it is there, or is to come yet.
    pub(super) fn leaves_after(&self, part: &Part, observation: &Observation) -> bool {
        let is_away = |to: &Assignee| !self.workspace.is_bots(to);
        let is_later = |own: &&Part| own.id > part.id && own.is_by(&self.workspace.bot_teammate);
        let is_there =
            observation.parts.iter().filter(is_later).any(|own| own.assigned_to.as_ref().is_some_and(is_away));
        let has_come = |entry: &OutboxEntry| {
            observation
                .parts
                .iter()
                .any(|own| own.id < part.id && own.is_by(&self.workspace.bot_teammate) && may_have_made(entry, own))
        };
        is_there || self.hand_overs().any(|entry| !has_come(entry))
    }

    /// The hand-overs that are to come. One that somebody has overtaken is not made again: should it have arrived all the
    /// same, its part tells.
    fn hand_overs(&self) -> impl Iterator<Item = &OutboxEntry> {
        self.state.outbox.iter().filter(|entry| {
            let is_away = matches!(&entry.action, Action::Assign { to, .. } if !self.workspace.is_bots(to));
            is_away && entry.epoch == self.state.epoch
        })
    }

    /// Whether a hand-over is to come that nobody has overtaken: it opens what is closed.
    pub(super) fn is_leaving(&self) -> bool {
        self.hand_overs().next().is_some()
    }

    /// A hand-over is settled, and was not the last that happened; or it was not made. Whose the conversation is now
    /// is looked at, at once.
    pub(super) fn look_whose_it_is(&mut self, was_handing_over: bool) {
        let settled = was_handing_over && !self.is_handing_over() && self.state.transfer.is_none();
        let is_known = self.state.assignee.as_ref().is_some_and(|assignee| !self.workspace.is_bots(assignee));
        if settled && !is_known && self.state.control == Control::Human && !self.state.deleted {
            self.state.assignee = None;
            self.state.resume_at = Some(self.now);
        }
    }

    /// It is assigned to the bot. Whoever took or closed it while that was on the wire gets it back.
    pub(super) fn have_taken(&mut self) {
        match (self.state.control, self.state.assignee.clone()) {
            (Control::Human | Control::Closed, Some(to)) if !self.workspace.is_bots(&to) => {
                self.give_back_what_was_taken(to);
            }
            _ => {
                self.state.away = false;
                self.state.assignee = Some(Assignee::Teammate(self.workspace.bot_teammate.clone()));
            }
        }
    }

    /// The conversation was taken for the bot after somebody else had taken it, or closed it: it goes back, as where
    /// that is known when the taking is confirmed.
    pub(super) fn took_what_was_taken(&mut self, part: &Part, observation: &Observation) {
        if self.is_handing_over() {
            return; // it is on its way to them, or to whom the bot has given it since
        }
        let Some(to) = self.who_had_it_before(part, observation, |_| true) else { return };
        if !self.workspace.is_bots(&to) {
            self.give_back_what_was_taken(to);
        }
    }

    /// To whom it was assigned before a part, by those that count. None where somebody has decided since, or where only
    /// the whole conversation tells, which is fetched then.
    pub(super) fn who_had_it_before(
        &mut self,
        part: &Part,
        observation: &Observation,
        counts: impl Fn(&Part) -> bool,
    ) -> Option<Assignee> {
        if !observation.complete {
            self.effects.push(Effect::Fetch);
            return None;
        }
        let parts = observation.parts_in_order();
        if parts.iter().any(|later| later.id > part.id && later.assigned_to.is_some()) {
            return None;
        }
        let before = parts.into_iter().take_while(|other| other.id < part.id).filter(|other| counts(other));
        Some(before.filter_map(|other| other.assigned_to.clone()).last().unwrap_or(Assignee::Nobody))
    }

    /// To whoever had it before the bot took it.
    pub(super) fn give_back_what_was_taken(&mut self, to: Assignee) {
        self.has_opened_what_was_closed();
        self.enqueue(None, Weight::Optional, Action::Assign { to, fallbacks: Vec::new() });
    }

    /// An assignment to the bot has opened what somebody had closed.
    pub(super) fn has_opened_what_was_closed(&mut self) {
        if self.state.control == Control::Closed {
            self.state.control = Control::Human;
            self.new_epoch();
        }
    }
}
