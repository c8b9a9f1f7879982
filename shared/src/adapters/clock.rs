//! The machine's clock, and fresh names.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::ids::{ClaimId, Timestamp};
use crate::ports::{Clock, Names};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where time enters")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Names that nobody has: random UUIDs.
#[derive(Debug, Clone, Copy, Default)]
pub struct RandomNames;

impl Names for RandomNames {
    fn claim(&self) -> ClaimId {
        // 32 hex digits are an id, always.
        ClaimId::parse(uuid::Uuid::new_v4().simple().to_string())
            .unwrap_or_else(|_| unreachable!("hex digits are an id"))
    }
}
