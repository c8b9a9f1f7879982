//! Batches of queue messages.
//!
//! A batch is worked through group by group: groups side by side, the messages of one group in
//! order. At a group's first failure the rest of the group is given back unread, so that order
//! holds; other groups go on. A panic fails one message, not the process. What is not reported as
//! failed is deleted by the platform, so the answer is built from the messages, never from what
//! happened to finish.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use crate::app::Unfinished;
use crate::domain::ids::{InvalidId, Timestamp};
use crate::ports::Unavailable;
use crate::wire::{passed_on, where_in_json};

/// A batch, as Lambda's event source mapping gives it.
#[derive(Debug, Clone, Deserialize)]
pub struct SqsBatch {
    /// The messages.
    #[serde(rename = "Records")]
    pub records: Vec<SqsRecord>,
}

/// One message.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SqsRecord {
    /// Its id, by which it is reported as failed.
    pub message_id: String,
    /// By which its visibility is changed.
    pub receipt_handle: String,
    /// What it says.
    #[serde(default)]
    pub body: String,
    /// What SQS says of it.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// What travels beside it; whoever sent it wrote this.
    #[serde(default)]
    pub message_attributes: BTreeMap<String, Beside>,
}

/// A message attribute.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Beside {
    /// What it says, if it is a text.
    #[serde(default)]
    pub string_value: Option<String>,
}

impl SqsRecord {
    fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    /// What a message attribute says.
    #[must_use]
    pub fn beside(&self, name: &str) -> &str {
        self.message_attributes.get(name).and_then(|beside| beside.string_value.as_deref()).unwrap_or_default()
    }

    /// Its message group: the conversation.
    #[must_use]
    pub fn group(&self) -> &str {
        self.attribute("MessageGroupId")
    }

    /// Who put it on the queue, as SQS attests.
    #[must_use]
    pub fn sender(&self) -> &str {
        passed_on::identity(self.attribute("SenderId"))
    }

    /// Whose message it is: who put it on the queue, or, where that is one of the trusted and
    /// passed it on, the one from whom they had it.
    #[must_use]
    pub fn speaker(&self, trusted: &[String]) -> &str {
        passed_on::speaker(self.sender(), self.beside(passed_on::SENDERS), trusted)
    }

    /// The list of senders that goes with it when it is passed on.
    #[must_use]
    pub fn senders(&self) -> String {
        passed_on::handed_on(self.sender(), self.beside(passed_on::SENDERS))
    }

    /// How often it has been received, this time included.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attribute("ApproximateReceiveCount").parse().unwrap_or(1)
    }
}

/// Which messages failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    /// Those that are to be given again.
    pub batch_item_failures: Vec<ItemFailure>,
}

/// A message that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Its id.
    pub item_identifier: String,
}

/// How a message was handled.
pub type Handled = Result<&'static str, NotHandled>;

/// Why a message was not handled to the end. It is given again, after the queue's visibility
/// timeout or at the moment named; what cannot be read is parked in the dead-letter queue at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotHandled {
    /// It has a form that is not read here. Repeating does not help. The text goes to the log, so
    /// it must not quote the message.
    #[error("the message cannot be read: {0}")]
    Unreadable(String),
    /// All that it brought is recorded; there is more to do then.
    #[error("there is more to do at {0:?}")]
    Waits(Timestamp),
    /// It is to be given again.
    #[error(transparent)]
    Unfinished(#[from] Unfinished),
    /// Something outside failed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<serde_json::Error> for NotHandled {
    /// Tells what is wrong and where; the parser's own words would quote the message.
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(where_in_json(&error))
    }
}

impl From<InvalidId> for NotHandled {
    fn from(error: InvalidId) -> Self {
        Self::Unreadable(error.to_string())
    }
}

impl NotHandled {
    fn retry_at(&self) -> Option<Timestamp> {
        match self {
            Self::Unfinished(Unfinished::Later { at, .. }) | Self::Waits(at) => Some(*at),
            _ => None,
        }
    }
}

/// What can be done with a message beside deleting it and leaving it to the queue.
#[expect(async_fn_in_trait, reason = "the functions run on one thread, so futures need no Send bound")]
pub trait Custody {
    /// Whether a moment is so far off that the sweep, which runs each minute, serves better than a
    /// message that is received again and again and counts as failed at last.
    fn is_far(&self, moment: Timestamp) -> bool;

    /// The moment so many milliseconds from now.
    fn after_ms(&self, ms: u64) -> Timestamp;

    /// Hides the message until then. A failure only means that the queue's own time holds.
    async fn hide_until(&self, receipt_handle: &str, until: Timestamp);

    /// Puts a copy of the message into the dead-letter queue, with the reason, so that it blocks
    /// its conversation no longer.
    ///
    /// # Errors
    /// [`Unavailable`]: it is not there.
    async fn park(&self, record: &SqsRecord, why: &str) -> Result<(), Unavailable>;
}

/// How often a message may panic before it is parked.
const MAX_PANICS: u32 = 3;
/// How long a message rests after its first failure, in milliseconds. The time doubles until it is
/// as long as the queue's own, which then holds: a customer waits seconds for what failed once, and
/// a long outage uses up few tries.
const FIRST_REST_MS: u64 = 5_000;
/// The queues' own time, in milliseconds.
const VISIBILITY_MS: u64 = 180_000;

/// From which attempt on a message that waits for a moment comes less often than it could: waiting
/// is no failure, but each attempt counts towards the queue's last.
const PATIENT_FROM: u32 = 20;

/// When a message that waits for a moment comes again, at its nth attempt.
fn comes_again<V: Custody>(until: Timestamp, attempt: u32, custody: &V) -> Timestamp {
    if attempt < PATIENT_FROM { until } else { until.max(custody.after_ms(VISIBILITY_MS)) }
}

/// How long a message rests after its nth failure; nothing when the queue's own time holds.
fn rest_ms(attempt: u32) -> Option<u64> {
    let rest = FIRST_REST_MS.checked_shl(attempt.saturating_sub(1)).unwrap_or(VISIBILITY_MS);
    (attempt < u64::BITS && rest < VISIBILITY_MS).then_some(rest)
}

/// Works through a batch with `handle`, which is given one message after the other of each group.
pub async fn work<V, F, Fut>(batch: &SqsBatch, custody: &V, handle: F) -> BatchAnswer
where
    V: Custody,
    F: Fn(SqsRecord) -> Fut,
    Fut: Future<Output = Handled>,
{
    let mut groups: BTreeMap<&str, Vec<&SqsRecord>> = BTreeMap::new();
    for record in &batch.records {
        // A message without a group is a group of its own.
        let group = if record.group().is_empty() { record.message_id.as_str() } else { record.group() };
        groups.entry(group).or_default().push(record);
    }
    let failed = join_all(groups.into_values().map(|group| work_group(group, custody, &handle))).await;
    let failures = failed.into_iter().flatten().map(|item_identifier| ItemFailure { item_identifier });
    BatchAnswer { batch_item_failures: failures.collect() }
}

async fn work_group<V, F, Fut>(group: Vec<&SqsRecord>, custody: &V, handle: &F) -> Vec<String>
where
    V: Custody,
    F: Fn(SqsRecord) -> Fut,
    Fut: Future<Output = Handled>,
{
    for (position, record) in group.iter().enumerate() {
        let attempt = AssertUnwindSafe(async { handle((*record).clone()).await }).catch_unwind().await;
        let until = match attempt {
            Ok(Ok(outcome)) => {
                tracing::info!(
                    outcome,
                    group = record.group(),
                    message_id = record.message_id,
                    attempt = record.attempt()
                );
                continue;
            }
            Ok(Err(NotHandled::Waits(until))) if custody.is_far(until) => {
                tracing::info!(outcome = "left_to_the_sweep", group = record.group());
                continue;
            }
            Ok(Err(NotHandled::Unreadable(why))) if is_parked(record, custody, &why).await => continue,
            Ok(Err(reason)) => failed(record, &reason, custody),
            Err(_panic) => {
                tracing::error!(outcome = "panicked", group = record.group(), attempt = record.attempt());
                if record.attempt() >= MAX_PANICS && is_parked(record, custody, "it panics").await {
                    continue;
                }
                None
            }
        };
        let rest = group.get(position..).unwrap_or_default();
        if let Some(until) = until {
            // Those behind it must not become visible before it.
            for hidden in rest {
                custody.hide_until(&hidden.receipt_handle, until).await;
            }
        }
        return rest.iter().map(|record| record.message_id.clone()).collect();
    }
    Vec::new()
}

/// Logs a failure; until when the message is to be hidden, unless the queue's own time holds.
fn failed<V: Custody>(record: &SqsRecord, reason: &NotHandled, custody: &V) -> Option<Timestamp> {
    broken_as!(LimitIsFailure => return rest_ms(record.attempt()).map(|ms| custody.after_ms(ms)));
    if let Some(until) = reason.retry_at() {
        tracing::info!(outcome = "later", group = record.group(), attempt = record.attempt(), why = %reason);
        return Some(comes_again(until, record.attempt(), custody));
    }
    tracing::error!(outcome = "failed", group = record.group(), attempt = record.attempt(), why = %reason);
    rest_ms(record.attempt()).map(|ms| custody.after_ms(ms))
}

async fn is_parked<V: Custody>(record: &SqsRecord, custody: &V, why: &str) -> bool {
    let parked = custody.park(record, why).await;
    let outcome = if parked.is_ok() { "parked" } else { "not_parked" };
    tracing::error!(outcome, group = record.group(), message_id = record.message_id, why);
    parked.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[derive(Default)]
    struct Noted {
        hidden: RefCell<Vec<(String, Timestamp)>>,
        parked: RefCell<Vec<String>>,
    }

    impl Custody for Noted {
        fn is_far(&self, moment: Timestamp) -> bool {
            moment > Timestamp(1_000)
        }

        fn after_ms(&self, ms: u64) -> Timestamp {
            Timestamp(ms)
        }

        async fn hide_until(&self, receipt_handle: &str, until: Timestamp) {
            self.hidden.borrow_mut().push((receipt_handle.to_owned(), until));
        }

        async fn park(&self, record: &SqsRecord, _why: &str) -> Result<(), Unavailable> {
            self.parked.borrow_mut().push(record.message_id.clone());
            Ok(())
        }
    }

    fn record(id: &str, group: &str) -> SqsRecord {
        let json = serde_json::json!({
            "messageId": id, "receiptHandle": format!("r-{id}"), "body": id,
            "attributes": {"MessageGroupId": group, "SenderId": "AROAX:function", "ApproximateReceiveCount": "2"}
        });
        serde_json::from_value(json).unwrap()
    }

    fn run(batch: &SqsBatch, behave: impl Fn(&str) -> Handled) -> (Vec<String>, Vec<String>, Vec<(String, Timestamp)>) {
        let seen = RefCell::new(Vec::new());
        let noted = Noted::default();
        let answer = work(batch, &noted, |record| {
            seen.borrow_mut().push(record.body.clone());
            let handled = behave(&record.body);
            async move { handled }
        })
        .now_or_never()
        .unwrap();
        let failed = answer.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        (failed, seen.into_inner(), noted.hidden.into_inner())
    }

    #[test]
    fn a_group_stops_at_its_first_failure_and_the_others_go_on() {
        let batch = SqsBatch {
            records: vec![
                record("a1", "a"),
                record("b1", "b"),
                record("a2", "a"),
                record("b2", "b"),
                record("a3", "a"),
            ],
        };
        let (failed, seen, _) =
            run(&batch, |body| if body == "a2" { Err(Unfinished::Contended.into()) } else { Ok("done") });
        assert_eq!(failed, ["a2", "a3"]);
        assert!(!seen.contains(&"a3".to_owned()) && seen.contains(&"b2".to_owned()));
    }

    #[test]
    fn what_failed_comes_again_soon_at_first_and_ever_later() {
        let batch = SqsBatch { records: vec![record("a1", "a"), record("a2", "a")] };
        let (.., hidden) = run(&batch, |_| Err(Unfinished::Contended.into()));
        let second = Timestamp(10_000); // it is the second attempt
        assert_eq!(hidden, [("r-a1".to_owned(), second), ("r-a2".to_owned(), second)]);
        let rests: Vec<Option<u64>> = [1, 2, 6, 7, 100, u32::MAX].map(rest_ms).to_vec();
        assert_eq!(rests, [Some(5_000), Some(10_000), Some(160_000), None, None, None]);
    }

    #[test]
    fn a_panic_fails_one_message_and_what_is_behind_it() {
        let batch = SqsBatch { records: vec![record("a1", "a"), record("b1", "b"), record("b2", "b")] };
        let (failed, ..) = run(&batch, |body| if body == "b1" { panic!("on purpose") } else { Ok("done") });
        assert_eq!(failed, ["b1", "b2"]);
    }

    #[test]
    fn a_wait_hides_the_message_and_what_is_behind_it_until_then() {
        let batch = SqsBatch { records: vec![record("a1", "a"), record("a2", "a")] };
        let at = Timestamp(5);
        let (failed, _, hidden) = run(&batch, |_| Err(Unfinished::Later { at, why: "test" }.into()));
        assert_eq!(failed, ["a1", "a2"]);
        assert_eq!(hidden, [("r-a1".to_owned(), at), ("r-a2".to_owned(), at)]);
    }

    #[test]
    fn what_waits_again_and_again_comes_ever_less_often_and_is_not_given_up() {
        let noted = Noted::default();
        let at = Timestamp(5);
        assert_eq!([1, 19].map(|attempt| comes_again(at, attempt, &noted)), [at, at]);
        assert_eq!(comes_again(at, 20, &noted), Timestamp(VISIBILITY_MS));
        let later = Timestamp(VISIBILITY_MS + 1);
        assert_eq!(comes_again(later, 20, &noted), later);
    }

    #[test]
    fn what_is_recorded_and_due_much_later_is_left_to_the_sweep() {
        let batch = SqsBatch { records: vec![record("a1", "a"), record("a2", "a")] };
        let far = Timestamp(1_001);
        let (failed, seen, hidden) = run(&batch, |_| Err(NotHandled::Waits(far)));
        assert_eq!((failed.len(), seen.len(), hidden.len()), (0, 2, 0));
        let (failed, ..) = run(&batch, |_| Err(Unfinished::Later { at: far, why: "test" }.into()));
        assert_eq!(failed, ["a1", "a2"], "what is not recorded must come again");
    }

    #[test]
    fn what_cannot_be_read_is_parked_and_blocks_nobody() {
        let batch = SqsBatch { records: vec![record("a1", "a"), record("a2", "a")] };
        let custody = Noted::default();
        let answer = work(&batch, &custody, |record| async move {
            if record.body == "a1" { Err(NotHandled::Unreadable("no JSON".to_owned())) } else { Ok("done") }
        });
        assert!(answer.now_or_never().unwrap().batch_item_failures.is_empty());
        assert_eq!(custody.parked.into_inner(), ["a1"]);
    }

    #[test]
    fn the_answer_has_lambdas_form() {
        let answer = BatchAnswer { batch_item_failures: vec![ItemFailure { item_identifier: "m1".into() }] };
        assert_eq!(serde_json::to_string(&answer).unwrap(), r#"{"batchItemFailures":[{"itemIdentifier":"m1"}]}"#);
        assert_eq!(serde_json::to_string(&BatchAnswer::default()).unwrap(), r#"{"batchItemFailures":[]}"#);
    }

    #[test]
    fn a_roles_session_does_not_belong_to_the_sender() {
        assert_eq!(record("a", "a").sender(), "AROAX");
    }
}
