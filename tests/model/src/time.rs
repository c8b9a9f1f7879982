//! Time, as far as it decides anything. The product compares moments with now, and adds to now; so
//! now stands still, and time passes by moving what lies ahead one tick nearer. A tick is the life
//! of a claim, the time to settle, the wait after a refusal and the patience with a silent
//! teammate: each of them may end before or after any other thing, and that is all that matters.

use shared::domain::conversation::{Conversation, Progress};
use shared::domain::ids::Timestamp;

/// Now, always.
pub const NOW: Timestamp = Timestamp(1_768_040_000_000);
/// A tick, in milliseconds: a minute, the unit of `resume_after_minutes`.
pub const TICK_MS: u64 = 60_000;

/// A moment, a tick nearer. What is past counts as now, but a claim's end is known a tick longer,
/// since the time to settle counts from it.
fn nearer(moment: &mut Timestamp, floor: Timestamp) {
    moment.0 = moment.0.saturating_sub(TICK_MS).max(floor.0);
}

/// Lets a tick pass.
pub fn pass(row: &mut Conversation) {
    for event in &mut row.events {
        nearer(&mut event.due_at, NOW);
    }
    for entry in &mut row.outbox {
        match &mut entry.progress {
            Progress::Pending { not_before } => nearer(not_before, NOW),
            Progress::Claimed { until, .. } => nearer(until, Timestamp(NOW.0 - TICK_MS)),
            Progress::Unknown { settle_at, .. } => nearer(settle_at, NOW),
        }
    }
    if let Some(resume_at) = &mut row.resume_at {
        nearer(resume_at, NOW);
    }
}

fn head_due_at(row: &Conversation) -> Option<Timestamp> {
    row.outbox.front().map(|entry| match &entry.progress {
        Progress::Pending { not_before } => *not_before,
        Progress::Claimed { until, .. } => *until,
        Progress::Unknown { settle_at, .. } => *settle_at,
    })
}

/// Whether something can be done about the first entry.
#[must_use]
pub fn head_is_due(row: &Conversation) -> bool {
    head_due_at(row).is_some_and(|due| due <= NOW)
}

/// Whether anything lies ahead that somebody waits for.
#[must_use]
pub fn waits(row: &Conversation) -> bool {
    let event = row.events.front().map(|event| event.due_at);
    [event, head_due_at(row), row.resume_at].into_iter().flatten().any(|moment| moment > NOW)
}
