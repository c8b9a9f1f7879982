//! Messages in a row: gathered while more may follow, and told as one event when nothing more has.
//! How long that is, and what else ends it, is [`crate::domain::burst`]'s matter.

use super::{Decision, Stepper};
use crate::domain::burst::Burst;
use crate::domain::content::Message;
use crate::domain::conversation::{EventKind, OutboxEntry};
use crate::domain::ids::PartId;

impl Stepper<'_> {
    /// The customer's message is on its way to the bot: at once, or with what else is written in a row.
    pub(super) fn gather(&mut self, message: Message) {
        let window_ms = self.workspace.bursts.of(&self.state.profile);
        if !self.state.burst.as_ref().is_some_and(|burst| window_ms > 0 && burst.has_room_for(&message)) {
            self.end_the_burst();
        }
        if window_ms == 0 {
            self.tell(EventKind::Message { message, earlier: Vec::new() });
            return;
        }
        self.note(Decision::Gathers);
        let (now, last_out) = (self.now, self.state.last_out);
        let burst = self.state.burst.get_or_insert_with(|| Box::new(Burst::begin(now)));
        burst.join(message, window_ms, last_out, now);
    }

    /// Nobody wrote anything more.
    pub(super) fn gathered(&mut self) {
        if self.state.burst.as_ref().is_some_and(|burst| burst.is_due(self.now)) {
            self.end_the_burst();
        }
    }

    /// What was written in a row becomes an event, in the present epoch.
    pub(super) fn end_the_burst(&mut self) {
        let Some(burst) = self.state.burst.take() else { return };
        let mut earlier = burst.messages;
        let Some(message) = earlier.pop() else { return };
        self.state.exchange.are_one_turn(earlier.len());
        self.tell(EventKind::Message { message, earlier });
        if let Some(from) = self.state.taken_from.as_mut().filter(|from| burst.since <= from.at) {
            from.until = self.state.last_event;
        }
    }

    /// Whether a message was deleted before the bot was told of it: then it never is.
    pub(super) fn forgets_untold(&mut self, part: &PartId) -> bool {
        let forgotten = self.state.burst.as_mut().is_some_and(|burst| burst.forget(part));
        if self.state.burst.as_ref().is_some_and(|burst| burst.messages.is_empty()) {
            self.state.burst = None;
        }
        forgotten
    }

    /// Whether the customer has written something since this entry was decided that the bot is still to
    /// be told of.
    pub(super) fn is_older_than_the_burst(&self, entry: &OutboxEntry) -> bool {
        self.state.burst.as_ref().is_some_and(|burst| entry.seq <= burst.last_out)
    }
}
