//! Intercom's rate limit: a number of calls a minute, dealt out in windows of ten seconds.
//!
//! Counted per access token. The larger limit that all of a workspace's apps share is not
//! kept: one app is all the sandbox has.

/// Length of one window.
const WINDOW_SECONDS: u64 = 10;
/// Windows in a minute, so the share of the limit that one window gets.
const WINDOWS_PER_MINUTE: u32 = 6;

/// The count of one token's calls in the current window.
#[derive(Debug)]
pub(crate) struct RateWindow {
    limit: u32,
    used: u32,
    ends_at: u64,
}

/// What the `X-RateLimit-*` headers of one answer say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateStatus {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) reset_at: u64,
    pub(crate) exceeded: bool,
}

impl RateWindow {
    pub(crate) fn new(calls_per_minute: u32) -> Self {
        Self { limit: calls_per_minute / WINDOWS_PER_MINUTE, used: 0, ends_at: 0 }
    }

    /// Counts one call at `now` (Unix seconds).
    pub(crate) fn count(&mut self, now: u64) -> RateStatus {
        self.roll(now);
        let exceeded = self.used >= self.limit;
        self.used = self.used.saturating_add(1);
        self.status(exceeded)
    }

    /// Uses the rest of the window up, for a fault that a test asked for.
    pub(crate) fn exhausted(&mut self, now: u64) -> RateStatus {
        self.roll(now);
        RateStatus { remaining: 0, ..self.status(true) }
    }

    fn roll(&mut self, now: u64) {
        if now >= self.ends_at {
            self.used = 0;
            self.ends_at = (now / WINDOW_SECONDS + 1) * WINDOW_SECONDS;
        }
    }

    fn status(&self, exceeded: bool) -> RateStatus {
        RateStatus {
            limit: self.limit,
            remaining: self.limit.saturating_sub(self.used),
            reset_at: self.ends_at,
            exceeded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RateWindow;

    #[test]
    fn a_minute_is_dealt_out_in_windows_of_ten_seconds() {
        let mut window = RateWindow::new(10_000);
        assert_eq!(window.count(100).limit, 1_666);
        assert_eq!(window.count(109).remaining, 1_664);
        assert_eq!(window.count(110).remaining, 1_665);
    }

    #[test]
    fn the_call_after_the_last_is_refused_until_the_window_ends() {
        let mut window = RateWindow::new(12);
        assert!(!window.count(100).exceeded);
        assert!(!window.count(101).exceeded);
        let refused = window.count(102);
        assert!(refused.exceeded);
        assert_eq!((refused.remaining, refused.reset_at), (0, 110));
        assert!(!window.count(110).exceeded);
    }
}
