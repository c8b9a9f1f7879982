//! Which notification goes out when: lanes, retries, and what faults do to the order.
//!
//! Notifications of one conversation and one app share a lane and go out one after the other,
//! so that a slow receiver holds up only what concerns the same conversation; Intercom itself
//! promises no order at all. One that fails leaves its lane and comes back once, later.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::super::faults::{WebhookFacts, WebhookFault};
use super::super::subscription::Verdict;
use super::notice::Notice;
use super::{Courier, QUEUE};

/// How many deliveries run at once.
const IN_FLIGHT: usize = 64;
/// How many notices may wait for a later time, such as all retries for a dead receiver.
const POSTPONED: usize = 20_000;

/// Notices that go out one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Lane {
    /// Those of one workspace, app and conversation.
    Conversation(String, Option<String>, Option<u64>),
    /// A batch that a fault held.
    Held(u64),
}

/// What a delivery or a wait leaves behind.
#[derive(Default)]
struct Finished {
    lane: Option<Lane>,
    /// The notice, when it is to be tried a second time.
    retry: Option<Notice>,
    /// The batch of held notices whose time is over: the fault, and which of its batches.
    release: Option<(u64, u64)>,
}

/// The lanes and what is under way in them.
struct Dispatch {
    courier: Arc<Courier>,
    /// Lanes with a delivery under way, and what waits behind it.
    lanes: HashMap<Lane, VecDeque<Notice>>,
    /// How many wait in all lanes together.
    waiting: usize,
    /// What faults hold to send it in the opposite order, by fault: the number of the batch,
    /// and its notices.
    held: HashMap<u64, (u64, Vec<Notice>)>,
    batches: u64,
    deliveries: JoinSet<Finished>,
    permits: Arc<Semaphore>,
}

/// Delivers until all outboxes are gone. Dropping the future ends every delivery.
pub(super) async fn run(courier: Arc<Courier>, mut notices: mpsc::Receiver<Notice>) {
    let mut dispatch = Dispatch {
        courier,
        lanes: HashMap::new(),
        waiting: 0,
        held: HashMap::new(),
        batches: 0,
        deliveries: JoinSet::new(),
        permits: Arc::new(Semaphore::new(IN_FLIGHT)),
    };
    loop {
        tokio::select! {
            notice = notices.recv(), if dispatch.waiting < QUEUE => match notice {
                Some(notice) => dispatch.accept(notice),
                None => return,
            },
            Some(finished) = dispatch.deliveries.join_next() => {
                // Deliveries are neither aborted nor do they panic, so there is no error.
                if let Ok(finished) = finished {
                    dispatch.finished(finished);
                }
            }
        }
    }
}

impl Dispatch {
    fn accept(&mut self, mut notice: Notice) {
        notice.fault = self.courier.faults.for_webhook(WebhookFacts {
            app_id: &notice.app_id,
            topic: notice.topic.name(),
            conversation_id: notice.conversation_id,
        });
        let Some((struck, fault)) = notice.fault else { return self.enqueue(notice) };
        match fault {
            WebhookFault::Unsigned | WebhookFault::WrongSignature => self.enqueue(notice),
            WebhookFault::Repeat(0) => {
                self.enqueue(notice.clone());
                self.enqueue(notice);
            }
            WebhookFault::Repeat(ms) => {
                self.postpone(notice.clone(), Duration::from_millis(ms));
                self.enqueue(notice);
            }
            WebhookFault::Delay(ms) => self.postpone(notice, Duration::from_millis(ms)),
            WebhookFault::Reverse { last, hold_ms } => self.hold(struck.id, notice, last, hold_ms),
            WebhookFault::Drop => self.courier.give_up(&notice, "by a fault"),
        }
    }

    fn enqueue(&mut self, notice: Notice) {
        let client_id = notice.subscription.settings.client_id.clone();
        let lane = Lane::Conversation(notice.app_id.clone(), client_id, notice.conversation_id);
        self.enqueue_in(lane, notice);
    }

    fn enqueue_in(&mut self, lane: Lane, notice: Notice) {
        if let Some(waiting) = self.lanes.get_mut(&lane) {
            waiting.push_back(notice);
            self.waiting += 1;
            return;
        }
        self.lanes.insert(lane.clone(), VecDeque::new());
        self.start(lane, notice);
    }

    fn start(&mut self, lane: Lane, notice: Notice) {
        let delivery = deliver(self.courier.clone(), notice, self.permits.clone());
        self.deliveries.spawn(async { Finished { lane: Some(lane), ..delivery.await } });
    }

    /// Sends a notice later, in no lane.
    fn postpone(&mut self, notice: Notice, after: Duration) {
        if self.deliveries.len() >= POSTPONED {
            self.courier.give_up(&notice, "too many others wait for their time");
            return;
        }
        let wait = self.courier.timer(after);
        let delivery = deliver(self.courier.clone(), notice, self.permits.clone());
        self.deliveries.spawn(async {
            wait.await;
            delivery.await
        });
    }

    fn hold(&mut self, fault_id: u64, notice: Notice, last: bool, hold_ms: u64) {
        let batch = match self.held.entry(fault_id) {
            Entry::Occupied(mut held) => {
                let (batch, notices) = held.get_mut();
                notices.push(notice);
                *batch
            }
            Entry::Vacant(free) => {
                self.batches += 1;
                let batch = self.batches;
                free.insert((batch, vec![notice]));
                let wait = self.courier.timer(Duration::from_millis(hold_ms));
                self.deliveries.spawn(async move {
                    wait.await;
                    Finished { release: Some((fault_id, batch)), ..Finished::default() }
                });
                batch
            }
        };
        if last {
            self.release(fault_id, batch);
        }
    }

    /// Sends what a fault held, the last one first, one after the other.
    fn release(&mut self, fault_id: u64, batch: u64) {
        if self.held.get(&fault_id).is_none_or(|(held, _)| *held != batch) {
            return; // It was complete before its time was over.
        }
        let Some((_, notices)) = self.held.remove(&fault_id) else { return };
        for notice in notices.into_iter().rev() {
            self.enqueue_in(Lane::Held(batch), notice);
        }
    }

    fn finished(&mut self, finished: Finished) {
        if let Some(notice) = finished.retry {
            self.postpone(notice, self.courier.retry_after);
        }
        if let Some((fault_id, batch)) = finished.release {
            self.release(fault_id, batch);
        }
        let Some(lane) = finished.lane else { return };
        match self.lanes.get_mut(&lane).and_then(VecDeque::pop_front) {
            Some(next) => {
                self.waiting -= 1;
                self.start(lane, next);
            }
            None => drop(self.lanes.remove(&lane)),
        }
    }
}

/// Sends a notice as soon as its subscription lets it.
async fn deliver(courier: Arc<Courier>, mut notice: Notice, permits: Arc<Semaphore>) -> Finished {
    let outcome = courier.carry(&mut notice, &permits).await;
    let failed = outcome.verdict() == Some(Verdict::Error);
    let is_first_failure = failed && !notice.has_failed;
    notice.has_failed |= failed;
    Finished { retry: is_first_failure.then_some(notice), ..Finished::default() }
}
