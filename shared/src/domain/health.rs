//! How a bot does: one small value for the whole bot, shared by all its conversations. What becomes
//! of a conversation whose bot does badly is [`super::step`]'s matter.

use serde::{Deserialize, Serialize};

use super::ids::Timestamp;

/// After how long without a success a bot is called no more, but for a probe, in milliseconds.
pub const DISABLED_AFTER_MS: u64 = 5 * 24 * 3_600_000;
/// The time between two probes, in milliseconds.
pub const PROBE_EVERY_MS: u64 = 3_600_000;

/// How a bot does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Since when it has taken nothing; none while it takes events.
    pub failing_since: Option<Timestamp>,
    /// When one that is disabled may be called again.
    pub probe_at: Timestamp,
}

impl Health {
    /// After a delivery in vain. Only the first one of a series changes it.
    #[must_use]
    pub fn after_failure(&self, now: Timestamp) -> Self {
        Self { failing_since: self.failing_since.or(Some(now)), probe_at: self.probe_at }
    }

    /// Whether it is called no more, but for a probe.
    #[must_use]
    pub fn is_disabled(&self, now: Timestamp) -> bool {
        self.failing_since.is_some_and(|since| since.plus_ms(DISABLED_AFTER_MS) <= now)
    }

    /// How a disabled bot is while it is probed, if it is time for that.
    #[must_use]
    pub fn probed(&self, now: Timestamp) -> Option<Self> {
        let due = self.probe_at <= now;
        due.then(|| Self { probe_at: now.plus_ms(PROBE_EVERY_MS), ..self.clone() })
    }
}
