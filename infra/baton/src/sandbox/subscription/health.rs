//! Whether a subscription is being served, and what its receiver's answers do to that.
//!
//! The rules are Intercom's for webhooks: throttled after a 429, paused after more than a
//! thousand errors in a row within a quarter of an hour, suspended after a week of errors,
//! ended by a 410. How fast the throttling grows is not documented: it doubles here. Whether
//! a 429 is also an error for the other rules is not documented either: it is none here. Pure
//! bookkeeping in Unix milliseconds; waiting and sending are `deliver`'s.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const MINUTE_MS: u64 = 60_000;
/// The first throttling, which doubles with each that follows without a success.
const SHORTEST_THROTTLE_MS: u64 = MINUTE_MS;
/// The longest throttling, and how much a notification may be delayed by it.
const LONGEST_THROTTLE_MS: u64 = 120 * MINUTE_MS;
/// One error more than these, in a row and within the window, pauses the subscription.
const ERRORS_ENDURED: usize = 1_000;
const ERROR_WINDOW_MS: u64 = 15 * MINUTE_MS;
const PAUSE_MS: u64 = 15 * MINUTE_MS;
/// How long a private app's receiver may fail without a success.
const FAILURE_ENDURED_MS: u64 = 7 * 24 * 60 * MINUTE_MS;

/// What a subscription is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Live,
    /// Notifications wait until a moment.
    Throttled,
    /// Notifications are dropped until a moment.
    Paused,
    /// Nothing is sent until somebody sets it live.
    Suspended,
    /// The receiver is gone. Nothing is sent until somebody sets it live.
    Ended,
}

/// What is to be done with a notification now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    Send,
    /// Ask again after so many milliseconds.
    Wait(u64),
    /// Never send it, and why.
    Drop(&'static str),
}

/// What an attempt came to, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Success,
    TooMany,
    Gone,
    Error,
}

/// The state of a subscription and what led to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Health {
    state: State,
    since_ms: u64,
    until_ms: Option<u64>,
    /// The last throttling's length; zero after a success.
    throttle_ms: u64,
    /// When the last errors in a row were.
    recent_errors: VecDeque<u64>,
    errors_in_a_row: u64,
    failing_since_ms: Option<u64>,
    counters: Counters,
}

/// What became of all attempts and notifications since the subscription was made.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Counters {
    attempts: u64,
    succeeded: u64,
    failed: u64,
    throttled: u64,
    /// Notifications that were never sent because of the subscription's state.
    dropped: u64,
}

impl Health {
    pub(crate) fn new(now_ms: u64) -> Self {
        Self {
            state: State::Live,
            since_ms: now_ms,
            until_ms: None,
            throttle_ms: 0,
            recent_errors: VecDeque::new(),
            errors_in_a_row: 0,
            failing_since_ms: None,
            counters: Counters::default(),
        }
    }

    /// Whether notifications are made for it at all.
    pub(crate) fn is_on(&self) -> bool {
        !matches!(self.state, State::Suspended | State::Ended)
    }

    /// What to do with a notification that was made at that moment.
    pub(crate) fn gate(&mut self, created_ms: u64, now_ms: u64) -> Gate {
        self.roll(now_ms);
        let gate = match (self.state, self.until_ms) {
            (State::Throttled, Some(until)) if until.saturating_sub(created_ms) <= LONGEST_THROTTLE_MS => {
                Gate::Wait(until.saturating_sub(now_ms))
            }
            (State::Throttled, _) => Gate::Drop("throttling would delay it for more than two hours"),
            (State::Live, _) => Gate::Send,
            (State::Paused, _) => Gate::Drop("the subscription is paused"),
            (State::Suspended, _) => Gate::Drop("the subscription is suspended"),
            (State::Ended, _) => Gate::Drop("the subscription has ended"),
        };
        if matches!(gate, Gate::Drop(_)) {
            self.counters.dropped += 1;
        }
        gate
    }

    /// Takes an answer to an attempt that began at that moment into account.
    pub(crate) fn answered(&mut self, verdict: Verdict, began_ms: u64, now_ms: u64, is_public: bool) {
        self.roll(now_ms);
        self.counters.attempts += 1;
        match verdict {
            Verdict::Success => {
                self.counters.succeeded += 1;
                self.forgive();
            }
            Verdict::TooMany => {
                self.counters.throttled += 1;
                self.throttle(began_ms, now_ms);
            }
            Verdict::Gone => {
                self.counters.failed += 1;
                self.enter(State::Ended, now_ms, None);
            }
            Verdict::Error => {
                self.counters.failed += 1;
                self.count_error(now_ms, is_public);
            }
        }
    }

    /// Serves it again, whatever it was in.
    pub(crate) fn set_live(&mut self, now_ms: u64) {
        self.forgive();
        self.enter(State::Live, now_ms, None);
    }

    /// For the control API: moments in Unix seconds.
    pub(crate) fn shown(&mut self, now_ms: u64) -> Value {
        self.roll(now_ms);
        json!({
            "state": self.state,
            "since": self.since_ms / 1_000,
            "until": self.until_ms.map(|ms| ms.div_ceil(1_000)),
            "failing_since": self.failing_since_ms.map(|ms| ms / 1_000),
            "errors_in_a_row": self.errors_in_a_row,
            "counters": self.counters,
        })
    }

    fn forgive(&mut self) {
        self.throttle_ms = 0;
        self.recent_errors.clear();
        self.errors_in_a_row = 0;
        self.failing_since_ms = None;
    }

    fn throttle(&mut self, began_ms: u64, now_ms: u64) {
        // Those that were under way when it began say nothing new.
        if !self.is_on() || (self.state != State::Live && began_ms <= self.since_ms) {
            return;
        }
        self.throttle_ms = (self.throttle_ms * 2).clamp(SHORTEST_THROTTLE_MS, LONGEST_THROTTLE_MS);
        self.enter(State::Throttled, now_ms, Some(self.throttle_ms));
    }

    fn count_error(&mut self, now_ms: u64, is_public: bool) {
        self.errors_in_a_row += 1;
        self.recent_errors.push_back(now_ms);
        let failing_since = *self.failing_since_ms.get_or_insert(now_ms);
        if !self.is_on() {
            return;
        }
        if !is_public && now_ms.saturating_sub(failing_since) > FAILURE_ENDURED_MS {
            self.enter(State::Suspended, now_ms, None);
        } else if self.recent_errors.len() > ERRORS_ENDURED {
            let first = self.recent_errors.pop_front().unwrap_or(now_ms);
            if now_ms.saturating_sub(first) <= ERROR_WINDOW_MS {
                self.recent_errors.clear();
                self.enter(State::Paused, now_ms, Some(PAUSE_MS));
            }
        }
    }

    /// Ends what has an end that has come.
    fn roll(&mut self, now_ms: u64) {
        if let Some(until) = self.until_ms.filter(|until| *until <= now_ms) {
            self.enter(State::Live, until, None);
        }
    }

    fn enter(&mut self, state: State, now_ms: u64, for_ms: Option<u64>) {
        self.state = state;
        self.since_ms = now_ms;
        self.until_ms = for_ms.map(|ms| now_ms + ms);
    }
}

#[cfg(test)]
mod tests {
    use super::{Gate, Health, MINUTE_MS, State, Verdict};

    const DAY_MS: u64 = 24 * 60 * MINUTE_MS;

    fn answered(health: &mut Health, verdict: Verdict, at_ms: u64) {
        health.answered(verdict, at_ms, at_ms, false);
    }

    #[test]
    fn a_429_delays_everything_for_a_minute_and_the_next_for_two() {
        let mut health = Health::new(0);
        answered(&mut health, Verdict::TooMany, 1_000);
        assert_eq!(health.gate(1_000, 1_000), Gate::Wait(MINUTE_MS));
        assert_eq!(health.gate(1_000, 31_000), Gate::Wait(30_000));
        // One that was under way at the first changes nothing.
        health.answered(Verdict::TooMany, 900, 40_000, false);
        assert_eq!(health.gate(1_000, 61_000), Gate::Send);
        answered(&mut health, Verdict::TooMany, 61_001);
        assert_eq!(health.gate(61_001, 61_001), Gate::Wait(2 * MINUTE_MS));
        answered(&mut health, Verdict::Success, 400_000);
        answered(&mut health, Verdict::TooMany, 400_001);
        assert_eq!(health.gate(400_001, 400_001), Gate::Wait(MINUTE_MS));
    }

    #[test]
    fn throttling_ends_at_two_hours_and_drops_what_it_would_delay_longer() {
        let mut health = Health::new(0);
        let mut now = 0;
        for minutes in [1, 2, 4, 8, 16, 32, 64, 120, 120] {
            answered(&mut health, Verdict::TooMany, now);
            assert_eq!(health.gate(now, now), Gate::Wait(minutes * MINUTE_MS));
            assert!(minutes < 120 || matches!(health.gate(now - 1, now), Gate::Drop(_)));
            now += minutes * MINUTE_MS;
        }
    }

    #[test]
    fn more_than_a_thousand_errors_in_a_row_pause_it_for_a_quarter_of_an_hour() {
        let mut health = Health::new(0);
        for n in 0..1_000 {
            answered(&mut health, Verdict::Error, n);
        }
        answered(&mut health, Verdict::Success, 1_000);
        for n in 0..1_000 {
            answered(&mut health, Verdict::Error, 2_000 + n);
            assert_eq!(health.gate(0, 2_000 + n), Gate::Send);
        }
        answered(&mut health, Verdict::Error, 3_000);
        assert_eq!(health.gate(3_000, 3_000), Gate::Drop("the subscription is paused"));
        assert_eq!(health.gate(3_000, 3_000 + 15 * MINUTE_MS), Gate::Send);
    }

    #[test]
    fn a_thousand_errors_that_take_longer_do_not_pause_it() {
        let mut health = Health::new(0);
        for n in 0..3_000 {
            answered(&mut health, Verdict::Error, n * 1_000);
        }
        assert_eq!(health.state, State::Live);
        assert_eq!(health.recent_errors.len(), 1_000);
    }

    #[test]
    fn a_week_of_errors_suspends_a_private_app_until_it_is_set_live() {
        let mut health = Health::new(0);
        answered(&mut health, Verdict::Error, 0);
        answered(&mut health, Verdict::Error, 7 * DAY_MS);
        assert!(health.is_on());
        answered(&mut health, Verdict::Error, 7 * DAY_MS + 1);
        assert!(!health.is_on());
        assert!(matches!(health.gate(0, 100 * DAY_MS), Gate::Drop(_)));
        health.set_live(100 * DAY_MS);
        answered(&mut health, Verdict::Error, 101 * DAY_MS);
        assert!(health.is_on());
    }

    #[test]
    fn a_public_app_is_never_suspended_and_a_success_begins_the_week_anew() {
        let mut public = Health::new(0);
        public.answered(Verdict::Error, 0, 0, true);
        public.answered(Verdict::Error, 0, 30 * DAY_MS, true);
        assert!(public.is_on());
        let mut health = Health::new(0);
        answered(&mut health, Verdict::Error, 0);
        answered(&mut health, Verdict::Success, 5 * DAY_MS);
        answered(&mut health, Verdict::Error, 8 * DAY_MS);
        assert!(health.is_on());
    }

    #[test]
    fn a_gone_receiver_stays_gone_whatever_comes_later() {
        let mut health = Health::new(0);
        answered(&mut health, Verdict::Gone, 5);
        answered(&mut health, Verdict::Success, 6);
        health.answered(Verdict::TooMany, 1, 7, false);
        answered(&mut health, Verdict::TooMany, 8);
        answered(&mut health, Verdict::Error, 8 * DAY_MS);
        assert_eq!(health.state, State::Ended);
        assert_eq!(health.shown(9)["counters"]["failed"], 2);
    }

    #[test]
    fn what_is_kept_of_it_brings_it_back() {
        let mut health = Health::new(0);
        answered(&mut health, Verdict::TooMany, 1_000);
        let kept = serde_json::to_string(&health).unwrap();
        let mut again: Health = serde_json::from_str(&kept).unwrap();
        assert_eq!(again.gate(1_000, 2_000), health.gate(1_000, 2_000));
        assert_eq!(again.shown(2_000), health.shown(2_000));
    }
}
