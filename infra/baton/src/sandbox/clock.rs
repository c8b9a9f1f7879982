//! The one place where the sandbox reads the time, and where its time can be moved on.
//!
//! Each sandbox has one clock, which runs as the machine's does, ahead of it by as much as it
//! was moved. Everything that waits in the sandbox waits on this clock, so that moving it
//! brings what is due at once. It is never moved back. Intercom counts in whole Unix seconds.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, watch};

/// A sandbox's time. Clones are the same clock.
#[derive(Debug, Clone)]
pub(crate) struct Clock {
    /// How far ahead of the machine's time it is.
    ahead: Arc<watch::Sender<Duration>>,
    /// Rung when something is to happen at a time (`alarms`).
    bell: Arc<Notify>,
}

impl Default for Clock {
    fn default() -> Self {
        Self { ahead: Arc::new(watch::Sender::new(Duration::ZERO)), bell: Arc::default() }
    }
}

impl Clock {
    /// Unix seconds now.
    pub(crate) fn now(&self) -> u64 {
        self.since_epoch().as_secs()
    }

    /// Unix milliseconds now.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.since_epoch().as_millis()).unwrap_or(u64::MAX)
    }

    /// How far ahead of the machine's time it is.
    pub(crate) fn ahead(&self) -> Duration {
        *self.ahead.borrow()
    }

    /// Moves the time on. Who sleeps until then wakes.
    pub(crate) fn advance(&self, by: Duration) {
        self.ahead.send_modify(|ahead| *ahead = ahead.saturating_add(by));
    }

    /// Says that there is a new time to wait for.
    pub(crate) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until that is said; at once when it was said since the last time.
    pub(crate) async fn rung(&self) {
        self.bell.notified().await;
    }

    /// Waits for so long on this clock.
    pub(crate) async fn sleep(&self, duration: Duration) {
        let due = self.since_epoch().saturating_add(duration);
        let mut moves = self.ahead.subscribe();
        loop {
            // Marked as seen before the look at the time, so that no move is missed.
            moves.mark_unchanged();
            let left = due.saturating_sub(self.since_epoch());
            if left.is_zero() {
                return;
            }
            // The sender is in `self`, so that the channel cannot be closed.
            drop(tokio::time::timeout(left, moves.changed()).await);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "this is the sandbox's clock, everything else asks here")]
    fn since_epoch(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).saturating_add(self.ahead())
    }
}

/// A moment as Intercom wrote it in webhooks up to API 2.14: `2026-01-10T07:56:29.000Z`.
pub(crate) fn iso_8601(unix_seconds: u64) -> String {
    let (year, month, day) = civil_date(unix_seconds / 86_400);
    let second_of_day = unix_seconds % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.000Z",
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    )
}

/// Days since 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted
/// from March in eras of 400 years, so that the leap day is the last day of a year.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Clock, iso_8601};

    #[tokio::test]
    async fn who_sleeps_wakes_when_the_time_is_moved_past() {
        let clock = Clock::default();
        let before = clock.now();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_secs(3_600)).await }
        });
        tokio::task::yield_now().await; // it is asleep now
        clock.advance(Duration::from_secs(1_800));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!sleeper.is_finished());
        clock.advance(Duration::from_secs(1_801));
        tokio::time::timeout(Duration::from_secs(5), sleeper).await.unwrap().unwrap();
        assert!(clock.now() >= before + 3_601);
    }

    #[test]
    fn moments_are_written_as_intercom_writes_them() {
        assert_eq!(iso_8601(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso_8601(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(iso_8601(1_768_031_789), "2026-01-10T07:56:29.000Z");
        assert_eq!(iso_8601(1_798_761_599), "2026-12-31T23:59:59.000Z");
    }
}
