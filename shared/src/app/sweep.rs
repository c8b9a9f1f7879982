//! What is due is put before its worker again: `reconcile`'s use case.
//!
//! It decides nothing and calls nobody outside: it wakes the worker that a conversation is waiting
//! for, whose own use case finds out what is to be done. So it repairs whatever was lost between
//! a save and a queue, in a queue, or with a worker.

use super::{Desk, worker_of};
use crate::domain::step;
use crate::ports::{Clock, Conversations, Unavailable, Wakers, Worker};

/// How many conversations one sweep looks at.
pub const MAX_A_SWEEP: usize = 1_000;

/// What a sweep found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Conversations in which something was due.
    pub due: u32,
    /// Workers that were woken.
    pub woken: u32,
}

/// Sweeps once. Safe to repeat; a worker that finds nothing to do does nothing.
///
/// # Errors
/// [`Unavailable`]: the rest is swept next time.
pub async fn sweep<S, W, C>(desk: &Desk<S, W, C>) -> Result<Swept, Unavailable>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
{
    let now = desk.clock.now();
    let minute = now.seconds() / 60;
    let mut swept = Swept::default();
    for key in desk.store.due(now, MAX_A_SWEEP).await? {
        swept.due += 1;
        let state = match desk.store.load(&key).await {
            Ok(stored) => stored.conversation,
            Err(reason) => {
                // One row that cannot be read must not keep the others from being swept.
                tracing::error!(outcome = "not_swept", app_id = %key.app_id, conversation_id = %key.conversation_id, why = %reason);
                continue;
            }
        };
        let waiting = step::waiting(&state);
        let mut workers = Vec::new();
        if waiting.event.is_some() || waiting.burst.is_some() {
            workers.push(Worker::Dispatch);
        }
        if let Some((lane, _)) = waiting.action {
            workers.push(worker_of(lane));
        }
        if state.resume_at.is_some_and(|due| due <= now) {
            workers.push(Worker::Router);
        }
        for worker in workers {
            desk.wakers.wake(worker, &key, &format!("sweep{minute}")).await?;
            swept.woken += 1;
        }
    }
    Ok(swept)
}
