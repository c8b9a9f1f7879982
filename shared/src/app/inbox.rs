//! What comes in at the edge is made durable: on the inbox, or, when that cannot be reached, as a
//! row that `reconcile` puts on the inbox later. What a message says is no matter here.
//!
//! A message that is kept although its put was applied, or that is put back by a worker that dies
//! before it forgets the row, is on the queue twice under one deduplication id: within five minutes
//! the queue drops the second, and later the router knows its parts. Rows of a group go back in
//! their order. One that overtakes them, because the queue came back before the sweep, rings its
//! conversation's doorbell all the same: the gap shows.

use std::collections::BTreeSet;

use crate::domain::ids::Timestamp;
use crate::ports::{Clock, Fifo, InboxRow, InboxRows, Unavailable};

/// How many rows are read at once.
const PAGE: usize = 400;
/// How much of an invocation is left to what comes after, in milliseconds.
const LEFT_TO_OTHERS_MS: u64 = 20_000;
/// After so many puts that failed the queue is taken to be down still.
const MAX_FAILURES: u32 = 3;

/// Where a message came to rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// On the inbox.
    Put,
    /// In a row, because the inbox could not be reached.
    Kept(Unavailable),
}

/// Makes a message durable. One call downstream, and a second only when the first failed.
///
/// # Errors
/// [`Unavailable`]: neither could be reached, and it is not known to be durable.
pub async fn take_in<Q, R, C>(
    queue: &Q,
    rows: &R,
    clock: &C,
    group: String,
    deduplication_id: String,
    body: String,
) -> Result<Taken, Unavailable>
where
    Q: Fifo,
    R: InboxRows,
    C: Clock,
{
    let Err(reason) = queue.put(&group, deduplication_id.clone(), body.clone()).await else { return Ok(Taken::Put) };
    rows.keep(&InboxRow { group, deduplication_id, body, kept_at: clock.now() }).await?;
    Ok(Taken::Kept(reason))
}

/// What was put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PutBack {
    /// Rows that are on the inbox now.
    pub put: u32,
    /// Puts that failed; those rows, and what is behind them in their groups, are left for next time.
    pub failed: u32,
}

/// Puts what is kept on the inbox, each row under the group and deduplication id that it came with,
/// and forgets it once the put was confirmed.
///
/// # Errors
/// [`Unavailable`]: the rows. Those that are left are put back next time.
pub async fn put_back<Q, R, C>(queue: &Q, rows: &R, clock: &C, deadline: Timestamp) -> Result<PutBack, Unavailable>
where
    Q: Fifo,
    R: InboxRows,
    C: Clock,
{
    let mut done = PutBack::default();
    let is_late = || clock.now().plus_ms(LEFT_TO_OTHERS_MS) > deadline;
    loop {
        let page = rows.kept(PAGE).await?;
        if page.is_empty() {
            return Ok(done);
        }
        let mut held_up = BTreeSet::new();
        for row in &page {
            if held_up.contains(&row.group) {
                continue;
            }
            if is_late() {
                return Ok(done);
            }
            match queue.put(&row.group, row.deduplication_id.clone(), row.body.clone()).await {
                Ok(()) => {
                    // Dies here: it is put once more, under the same id.
                    rows.forget(row).await?;
                    done.put += 1;
                }
                Err(reason) => {
                    tracing::error!(outcome = "not_put_back", group = row.group, why = %reason);
                    done.failed += 1;
                    held_up.insert(&row.group);
                    if done.failed >= MAX_FAILURES {
                        return Ok(done);
                    }
                }
            }
        }
        if done.failed > 0 {
            return Ok(done);
        }
    }
}
