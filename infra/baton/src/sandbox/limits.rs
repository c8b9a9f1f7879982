//! Intercom's rate limits: a number of calls a minute, dealt out in windows of ten seconds.
//!
//! Every app has a limit of its own, whichever of its tokens is used, and all apps of a
//! workspace share a larger one; that is the rule for private apps, which those here are. The
//! headers show the window of the app, or the one that is used up. Which of the two real
//! answers show when both are in force is not documented.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Length of one window.
const WINDOW_SECONDS: u64 = 10;
/// Windows in a minute, so the share of the limit that one window gets.
const WINDOWS_PER_MINUTE: u32 = 6;

/// The limits of one workspace and its apps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Limits {
    workspace: RateWindow,
    /// By the app's client id, which is empty for the workspace's own.
    apps: BTreeMap<String, RateWindow>,
}

/// The count of calls in the current window.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct RateWindow {
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

impl Limits {
    pub(crate) fn new(workspace_calls_per_minute: u32) -> Self {
        Self { workspace: RateWindow::new(workspace_calls_per_minute), apps: BTreeMap::new() }
    }

    /// Counts a call of an app at `now` (Unix seconds). One that the app's limit refuses does not
    /// count for the workspace.
    pub(crate) fn count(&mut self, client_id: Option<&str>, calls_per_minute: u32, now: u64) -> RateStatus {
        let of_app = self.app(client_id, calls_per_minute).count(now);
        if of_app.exceeded {
            return of_app;
        }
        let of_all = self.workspace.count(now);
        if of_all.exceeded { of_all } else { of_app }
    }

    /// Refuses a call as if the app's window were used up, for a fault that a test asked for.
    pub(crate) fn exhausted(&mut self, client_id: Option<&str>, calls_per_minute: u32, now: u64) -> RateStatus {
        self.app(client_id, calls_per_minute).exhausted(now)
    }

    /// Gives the workspace another limit, from the present window on.
    pub(crate) fn limit_workspace(&mut self, calls_per_minute: u32) {
        self.workspace.set(calls_per_minute);
    }

    /// Gives an app another limit, from the present window on.
    pub(crate) fn limit_app(&mut self, client_id: Option<&str>, calls_per_minute: u32) {
        self.app(client_id, calls_per_minute).set(calls_per_minute);
    }

    /// For the control API.
    pub(crate) fn shown(&mut self, now: u64) -> Value {
        let apps: Vec<Value> = self
            .apps
            .iter_mut()
            .map(|(client_id, window)| {
                let mut value = window.shown(now);
                value["client_id"] = json!(Some(client_id).filter(|id| !id.is_empty()));
                value
            })
            .collect();
        json!({"workspace": self.workspace.shown(now), "apps": apps})
    }

    /// An app's window, which begins with its first call.
    fn app(&mut self, client_id: Option<&str>, calls_per_minute: u32) -> &mut RateWindow {
        let client_id = client_id.unwrap_or_default();
        self.apps.entry(client_id.to_owned()).or_insert_with(|| RateWindow::new(calls_per_minute))
    }
}

impl RateWindow {
    fn new(calls_per_minute: u32) -> Self {
        Self { limit: calls_per_minute / WINDOWS_PER_MINUTE, used: 0, ends_at: 0 }
    }

    fn set(&mut self, calls_per_minute: u32) {
        self.limit = calls_per_minute / WINDOWS_PER_MINUTE;
    }

    /// Counts one call at `now` (Unix seconds).
    fn count(&mut self, now: u64) -> RateStatus {
        self.roll(now);
        let exceeded = self.used >= self.limit;
        if !exceeded {
            self.used += 1;
        }
        self.status(exceeded)
    }

    fn exhausted(&mut self, now: u64) -> RateStatus {
        self.roll(now);
        RateStatus { remaining: 0, ..self.status(true) }
    }

    fn shown(&mut self, now: u64) -> Value {
        self.roll(now);
        let status = self.status(false);
        json!({"limit": status.limit, "remaining": status.remaining, "reset_at": status.reset_at})
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
    use super::{Limits, RateWindow};

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

    #[test]
    fn apps_have_their_own_limits_and_share_the_workspaces() {
        let mut limits = Limits::new(18);
        assert!(!limits.count(None, 12, 100).exceeded);
        assert!(!limits.count(None, 12, 100).exceeded);
        let own = limits.count(None, 12, 100);
        assert_eq!((own.exceeded, own.limit), (true, 2));
        let other = limits.count(Some("other"), 12, 100);
        assert_eq!((other.exceeded, other.limit, other.remaining), (false, 2, 1));
        let shared = limits.count(Some("other"), 12, 100);
        assert_eq!((shared.exceeded, shared.limit, shared.remaining), (true, 3, 0));
        assert!(!limits.count(None, 12, 110).exceeded);
    }

    #[test]
    fn another_limit_counts_what_was_used_before() {
        let mut limits = Limits::new(600);
        limits.count(None, 600, 100);
        limits.count(None, 600, 100);
        limits.limit_app(None, 12);
        assert!(limits.count(None, 600, 100).exceeded);
        limits.limit_app(None, 600);
        limits.limit_workspace(6);
        assert_eq!(limits.count(None, 600, 100).limit, 1);
    }
}
