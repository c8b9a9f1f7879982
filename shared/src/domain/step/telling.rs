//! Bots that do not take their events: when each is tried again, when people get the conversation,
//! and when an event is given up. How the bot does elsewhere comes with the input.

use super::{Decision, Stepper};
use crate::domain::conversation::Control;
use crate::domain::ids::Timestamp;

/// The waits between the deliveries of one event, in seconds: 12 deliveries over 72 hours.
const WAITS_S: [u64; 11] = [5, 25, 90, 480, 1_800, 3_600, 10_800, 28_800, 43_200, 82_800, 87_600];
/// How long an event that waits behind one that is given up may have waited, in milliseconds.
const GIVEN_UP_AFTER_MS: u64 = 72 * 3_600_000;
/// The longest time that a bot can ask to be left alone, in milliseconds.
const MAX_RETRY_AFTER_MS: u64 = 24 * 3_600_000;
/// The shortest wait between two deliveries, in milliseconds.
const MIN_WAIT_MS: u64 = 1_000;

/// A delivery in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Vain {
    /// The event's number.
    pub seq: u64,
    /// How long the bot asks to be left alone, in milliseconds.
    pub retry_after_ms: u64,
    /// Since when the bot has taken nothing, in any conversation.
    pub failing_since: Timestamp,
    /// After how long people are to get its conversations, in milliseconds.
    pub handover_after_ms: u64,
}

impl Stepper<'_> {
    pub(super) fn not_delivered(&mut self, vain: Vain) {
        let now = self.now;
        let Some(event) = self.state.events.front_mut().filter(|event| event.seq == vain.seq) else { return };
        event.attempts += 1;
        let wait = event.attempts.checked_sub(1).and_then(|vain| WAITS_S.get(usize::try_from(vain).ok()?));
        let next = wait.map(|seconds| now.plus_ms(seconds.saturating_mul(1_000)));
        let asked = now.plus_ms(vain.retry_after_ms.clamp(MIN_WAIT_MS, MAX_RETRY_AFTER_MS));
        // A bot that asks to be left alone for longer than people are to wait has said enough.
        let hand_over_at = vain.failing_since.plus_ms(vain.handover_after_ms);
        let has_it = self.state.control == Control::Bot;
        let relieved = has_it && (hand_over_at <= now || hand_over_at < asked || next.is_none());
        if let Some(next) = next {
            let next = if has_it && !relieved { next.min(hand_over_at) } else { next };
            event.due_at = next.max(asked);
        } else {
            self.give_up(vain.seq);
        }
        if hand_over_at <= now {
            self.people_are_cut_off();
        }
        if relieved {
            let to = self.relieve(Decision::BotUnreachable, "The bot cannot be reached.");
            self.tell_waiting(&to);
            self.lend(&to);
        }
    }

    /// What people say in a chat of the bot platform's does not reach the customer for a while: they are
    /// to know.
    fn people_are_cut_off(&mut self) {
        let relays = self.is_relaying();
        let Some(transfer) = self.state.transfer.as_mut().filter(|transfer| relays && !transfer.cut_off) else {
            return;
        };
        transfer.cut_off = true;
        self.say_to_teammates(
            "The customer's chat cannot be reached at the moment. What is written here is delivered, in order, as soon as \
             it can be.",
        );
    }

    /// The chat can be reached again.
    pub(super) fn people_are_through(&mut self) {
        let Some(transfer) = self.state.transfer.as_mut().filter(|transfer| transfer.cut_off) else { return };
        transfer.cut_off = false;
        self.say_to_teammates(
            "The customer's chat can be reached again; what was written meanwhile is being delivered.",
        );
    }

    /// The bot is not told of an event, nor of those behind it that have waited as long. It sees
    /// from the next one's number that something is missing.
    fn give_up(&mut self, seq: u64) {
        let now = self.now;
        let is_over = |at: Timestamp| at.plus_ms(GIVEN_UP_AFTER_MS) <= now;
        while self.state.events.front().is_some_and(|event| event.seq <= seq || is_over(event.occurred_at)) {
            self.state.events.pop_front();
            self.note(Decision::EventGivenUp);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn twelve_deliveries_take_three_days() {
        assert_eq!(super::WAITS_S.iter().sum::<u64>(), 72 * 3_600);
        assert_eq!(super::WAITS_S.len() + 1, 12);
    }
}
