//! A bot that could not be reached gets its conversations back: when it has taken the messages that waited
//! for it, and nobody has taken the conversation meanwhile. What it said to those came too late, so what
//! nobody has answered is told to it once more. What counts as taking: a person's word or note, an
//! assignment by anybody, a close. Until then nobody knows but Baton; the bot is given the conversation
//! by an assignment as a person would make it, and has it when that is seen in Intercom to have been
//! first.
//!
//! What it does not do: take a conversation from a teammate. Whoever carries the assignment out looks
//! first whether one has it.

use super::{Decision, Stepper};
use crate::domain::conversation::{Action, Control, EventKind, OutboxEntry, PendingEvent, Progress, Relief, Weight};
use crate::domain::part::{Assignee, Observation, Part};

impl Stepper<'_> {
    /// People got the conversation because the bot cannot be reached. A teammate who was named for that
    /// keeps it.
    pub(super) fn lend(&mut self, to: &Assignee) {
        if !self.workspace.take_back || matches!(to, Assignee::Teammate(_)) {
            return;
        }
        let first = self.state.events.iter().find_map(|event| match &event.kind {
            EventKind::Message { message, earlier } => Some(earlier.first().unwrap_or(message).part_id.clone()),
            _ => None,
        });
        self.state.relieved = Some(Relief { source: first == Some(None), since: first.flatten() });
    }

    /// The bot took an event. When it was the last message that waited, the bot has caught up: the router
    /// is to look whether anybody has taken the conversation.
    pub(super) fn look_whether_it_may_come_back(&mut self) {
        if self.state.relieved.is_some() && !self.state.returning && self.has_caught_up() {
            self.state.resume_at = self.state.resume_at.or(Some(self.now));
        }
    }

    /// Whether no message waits for the bot.
    pub(super) fn has_caught_up(&self) -> bool {
        let is_message = |event: &PendingEvent| matches!(event.kind, EventKind::Message { .. });
        self.state.burst.is_none() && !self.state.events.iter().any(is_message)
    }

    /// Somebody has taken the conversation. What is not on the wire yet is not sent.
    pub(super) fn somebody_came(&mut self) {
        if self.state.relieved.take().is_some() {
            self.drop_a_waiting_return();
        }
    }

    /// Looks at the whole conversation: nobody has taken it, so it is assigned to the bot.
    pub(super) fn come_back(&mut self, observation: &Observation) {
        self.state.resume_at = None;
        if self.state.returning || self.state.control != Control::Human {
            return;
        }
        if matches!(&observation.assignee, Assignee::Teammate(_)) && !self.workspace.is_bots(&observation.assignee) {
            self.somebody_came();
        }
        if self.state.relieved.is_none() {
            return;
        }
        self.note(Decision::BotReturns);
        self.state.returning = true;
        let to = Assignee::Teammate(self.workspace.bot_teammate.clone());
        self.enqueue(None, Weight::Completes, Action::Assign { to, fallbacks: Vec::new() });
    }

    /// The assignment to the bot is there. Whoever was ahead of it has the conversation.
    pub(super) fn returned(&mut self, part: &Part, observation: &Observation, taking: &mut bool) {
        if self.state.relieved.is_some() {
            self.give_to_bot(taking);
            return;
        }
        let Some(before) = self.who_had_it_before(part, observation, |_| true) else { return };
        if matches!(self.state.control, Control::Bot | Control::Paused) {
            return;
        }
        let to = if self.workspace.is_bots(&before) { Assignee::Nobody } else { before };
        self.has_opened_what_was_closed();
        self.note(Decision::ReturnUndone);
        self.enqueue(None, Weight::Completes, Action::Assign { to, fallbacks: vec![Assignee::Nobody] });
        self.state.assignee = Some(observation.assignee.clone());
        self.state.resume_at = None;
    }

    /// We emptied the seat. A hand-over to a team takes a second request for it where the bot has the seat,
    /// and that one may come late: a person who has taken the seat meanwhile gets it back.
    pub(super) fn left_the_seat(&mut self, part: &Part, observation: &Observation) {
        broken_as!(EmptiedSeatStaysEmpty => return);
        let workspace = self.workspace;
        let leaves_the_seat_alone =
            |other: &Part| other.is_by(&workspace.bot_teammate) && matches!(other.assigned_to, Some(Assignee::Team(_)));
        let before = self.who_had_it_before(part, observation, |other| !leaves_the_seat_alone(other));
        let Some(to @ Assignee::Teammate(_)) = before else { return };
        if !self.workspace.is_bots(&to) {
            self.note(Decision::SeatGivenBack);
            self.enqueue(None, Weight::Optional, Action::Assign { to, fallbacks: Vec::new() });
        }
    }

    /// Whether an action gives the bot its conversation back.
    pub(super) fn is_return(&self, entry: &OutboxEntry) -> bool {
        matches!(&entry.action, Action::Assign { to, .. } if self.workspace.is_bots(to))
    }

    pub(super) fn is_taking_back(&self) -> bool {
        self.state.outbox.iter().any(|entry| self.is_return(entry))
    }

    /// A return that is not on the wire yet is not begun when somebody has the conversation.
    pub(super) fn drop_a_waiting_return(&mut self) {
        if self.state.relieved.is_some() && self.state.control == Control::Human {
            return;
        }
        let workspace = self.workspace;
        self.state.outbox.retain(|entry| {
            let is_return = matches!(&entry.action, Action::Assign { to, .. } if workspace.is_bots(to));
            !is_return || !matches!(entry.progress, Progress::Pending { .. })
        });
    }
}
