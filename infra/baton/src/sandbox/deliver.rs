//! Webhooks out: signed, in order within a conversation, tried twice at most.
//!
//! One task takes the notices that changes leave and keeps a lane for each conversation, so
//! that a slow receiver holds up only what concerns the same conversation; Intercom itself
//! promises no order at all. A failed notice leaves its lane and comes back once, later.
//! Intercom's throttling after a 429, its pauses and its suspensions are not imitated: a 429
//! is a failure like others here.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::clock::Clock;
use super::faults::{Faults, Struck, WebhookFacts, WebhookFault};
use super::journal::{Delivery, Journal};
use super::resolve::LoopbackNames;
use super::topic::Topic;
use super::workspace::Subscription;

/// Intercom's time for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How many deliveries run at once.
const IN_FLIGHT: usize = 64;
/// The one answer that ends a subscription at once.
const GONE: u16 = 410;
/// What a notice is signed with whose signature is to be wrong.
const WRONG_KEY: &[u8] = b"not the client secret";
/// How many notices may wait for the courier, and behind others of their conversation; more
/// are dropped and logged as that.
const QUEUE: usize = 20_000;
/// How many notices may wait for a later time, such as all retries for a dead receiver.
const POSTPONED: usize = 20_000;

/// One notification on its way.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) app_id: String,
    pub(crate) topic: Topic,
    /// None for pings, as in real ones.
    pub(crate) notification_id: Option<String>,
    pub(crate) conversation_id: Option<u64>,
    /// The `data.item`, as it was at the moment of the change.
    pub(crate) item: Value,
    pub(crate) created_at: u64,
    pub(crate) subscription: Arc<Subscription>,
    /// What the sandbox does wrong with it on request.
    pub(crate) fault: Option<(Struck, WebhookFault)>,
}

impl Notice {
    /// What it is signed with; nothing when a fault leaves the signature out.
    fn key(&self) -> Option<&[u8]> {
        match self.fault {
            Some((_, WebhookFault::Unsigned)) => None,
            Some((_, WebhookFault::WrongSignature)) => Some(WRONG_KEY),
            _ => Some(self.subscription.client_secret.as_bytes()),
        }
    }
}

/// Where changes leave their notices. Never waits.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Notice>,
    journal: Arc<Journal>,
}

impl Outbox {
    pub(crate) fn put(&self, notice: Notice) {
        if let Err(error) = self.queue.try_send(notice) {
            let outcome = Outcome::Dropped("the queue is full or the sandbox is stopping");
            let lost = error.into_inner();
            let at_ms = lost.created_at.saturating_mul(1_000);
            self.journal.delivery(log_entry(&lost, 0, &outcome, at_ms, 0));
        }
    }
}

/// The sending side.
#[derive(Debug)]
pub(crate) struct Courier {
    client: reqwest::Client,
    journal: Arc<Journal>,
    faults: Arc<Faults>,
    clock: Clock,
    retry_after: Duration,
}

/// How one attempt went.
#[derive(Debug)]
enum Outcome {
    /// The receiver answered this status.
    Answered(u16),
    /// There was no answer, and why.
    Unanswered(String),
    /// The sandbox did not send it, and why.
    Dropped(&'static str),
}

impl Outcome {
    fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(status) => Some(*status),
            Self::Unanswered(_) | Self::Dropped(_) => None,
        }
    }

    fn deserves_retry(&self) -> bool {
        match self {
            Self::Answered(status) => !(200..300).contains(status) && *status != GONE,
            Self::Unanswered(_) => true,
            Self::Dropped(_) => false,
        }
    }
}

/// Notices that go out one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Lane {
    /// Those of one conversation.
    Conversation(String, Option<u64>),
    /// A batch that a fault held.
    Held(u64),
}

/// An outbox and the place where its notices come out.
pub(crate) fn outbox(journal: Arc<Journal>) -> (Outbox, mpsc::Receiver<Notice>) {
    let (queue, notices) = mpsc::channel(QUEUE);
    (Outbox { queue, journal }, notices)
}

impl Courier {
    /// # Errors
    /// When no HTTP client can be built, which means that TLS is broken on this machine.
    pub(crate) fn new(
        journal: Arc<Journal>,
        faults: Arc<Faults>,
        clock: Clock,
        retry_after: Duration,
    ) -> Result<Self, reqwest::Error> {
        // Somebody else in this process may have installed a provider; theirs will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = || {
            reqwest::Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .dns_resolver(Arc::new(LoopbackNames))
                .timeout(ANSWER_TIMEOUT)
        };
        // A machine without root certificates can still be sent webhooks over plain HTTP.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build())?;
        Ok(Self { client, journal, faults, clock, retry_after })
    }

    /// Delivers until all outboxes are gone. Dropping the future ends every delivery.
    pub(crate) async fn run(self: Arc<Self>, mut notices: mpsc::Receiver<Notice>) {
        let mut dispatch = Dispatch {
            courier: self,
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

    /// Asks a receiver whether it is one, as Intercom does when a URL is saved.
    ///
    /// # Errors
    /// In words for the caller, when there is no answer.
    pub(crate) async fn probe(&self, url: &str) -> Result<u16, String> {
        match self.client.head(url).send().await {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => Err(reason(&error)),
        }
    }

    /// Sends the test notification; answers the receiver's status if there was one.
    pub(crate) async fn ping(&self, app_id: &str, subscription: Arc<Subscription>) -> Option<u16> {
        let notice = Notice {
            app_id: app_id.to_owned(),
            topic: Topic::Ping,
            notification_id: None,
            conversation_id: None,
            item: json!({"type": "ping", "message": "something something interzen"}),
            created_at: self.clock.now(),
            subscription,
            fault: None,
        };
        self.attempt(&notice, 1).await.status()
    }

    /// Sends a notice once and logs how it went.
    async fn attempt(&self, notice: &Notice, attempt: u32) -> Outcome {
        let at_ms = self.clock.now_ms();
        let started = Instant::now();
        let outcome = if notice.subscription.is_active() {
            self.post(notice, attempt).await
        } else {
            Outcome::Dropped("the subscription has ended")
        };
        if outcome.status() == Some(GONE) {
            notice.subscription.disable();
        }
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.journal.delivery(log_entry(notice, attempt, &outcome, at_ms, duration_ms));
        outcome
    }

    async fn post(&self, notice: &Notice, attempt: u32) -> Outcome {
        let body = envelope(notice, attempt).to_string();
        let mut request = self
            .client
            .post(&notice.subscription.url)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json")
            .header("User-Agent", "intercom-parrot-service-client/1.0");
        if let Some(key) = notice.key() {
            request = request.header("X-Hub-Signature", signature(key, body.as_bytes()));
        }
        match request.body(body).send().await {
            Ok(answer) => Outcome::Answered(answer.status().as_u16()),
            Err(error) => Outcome::Unanswered(reason(&error)),
        }
    }

    /// A delivery that belongs to no lane any more.
    async fn later(
        self: Arc<Self>,
        notice: Notice,
        attempt: u32,
        after: Duration,
        permits: Arc<Semaphore>,
    ) -> Finished {
        self.clock.sleep(after).await;
        let outcome = self.with_permit(&notice, attempt, &permits).await;
        let retry = (attempt == 1 && outcome.deserves_retry()).then_some(notice);
        Finished { retry, ..Finished::default() }
    }

    /// Waits for the end of the time for which a fault holds notices.
    async fn hold(self: Arc<Self>, batch: (u64, u64), hold_ms: u64) -> Finished {
        self.clock.sleep(Duration::from_millis(hold_ms)).await;
        Finished { release: Some(batch), ..Finished::default() }
    }

    async fn in_lane(self: Arc<Self>, lane: Lane, notice: Notice, permits: Arc<Semaphore>) -> Finished {
        let outcome = self.with_permit(&notice, 1, &permits).await;
        let retry = outcome.deserves_retry().then_some(notice);
        Finished { lane: Some(lane), retry, ..Finished::default() }
    }

    async fn with_permit(&self, notice: &Notice, attempt: u32, permits: &Semaphore) -> Outcome {
        // The semaphore is never closed, so that waiting for it cannot fail.
        let _permit = permits.acquire().await;
        self.attempt(notice, attempt).await
    }
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
                self.postpone(notice.clone(), 1, Duration::from_millis(ms));
                self.enqueue(notice);
            }
            WebhookFault::Delay(ms) => self.postpone(notice, 1, Duration::from_millis(ms)),
            WebhookFault::Reverse { last, hold_ms } => self.hold(struck.id, notice, last, hold_ms),
            WebhookFault::Drop => self.give_up(&notice, 0, "by a fault"),
        }
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
                free.insert((self.batches, vec![notice]));
                self.deliveries.spawn(self.courier.clone().hold((fault_id, self.batches), hold_ms));
                self.batches
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

    fn give_up(&self, notice: &Notice, attempt: u32, why: &'static str) {
        let entry = log_entry(notice, attempt, &Outcome::Dropped(why), self.courier.clock.now_ms(), 0);
        self.courier.journal.delivery(entry);
    }

    fn enqueue(&mut self, notice: Notice) {
        self.enqueue_in(Lane::Conversation(notice.app_id.clone(), notice.conversation_id), notice);
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
        let courier = self.courier.clone();
        self.deliveries.spawn(courier.in_lane(lane, notice, self.permits.clone()));
    }

    fn postpone(&mut self, notice: Notice, attempt: u32, after: Duration) {
        if self.deliveries.len() >= POSTPONED {
            self.give_up(&notice, attempt, "too many others wait for their time");
            return;
        }
        let courier = self.courier.clone();
        self.deliveries.spawn(courier.later(notice, attempt, after, self.permits.clone()));
    }

    fn finished(&mut self, finished: Finished) {
        if let Some(notice) = finished.retry {
            self.postpone(notice, 2, self.courier.retry_after);
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

/// The body of a webhook, in the shape of the real ones.
fn envelope(notice: &Notice, attempt: u32) -> Value {
    json!({
        "type": "notification_event",
        "app_id": notice.app_id,
        "data": {"type": "notification_event_data", "item": notice.item},
        "links": {},
        "id": notice.notification_id,
        "topic": notice.topic.name(),
        "delivery_status": notice.notification_id.as_ref().map(|_| "pending"),
        "delivery_attempts": attempt,
        "delivered_at": 0,
        "first_sent_at": notice.created_at,
        "created_at": notice.created_at,
        "self": null,
    })
}

/// `sha1=` and the lowercase hex HMAC-SHA1 of the exact bytes of the body.
fn signature(client_secret: &[u8], body: &[u8]) -> String {
    // An HMAC takes keys of every length, so that there is no error to tell.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(client_secret) else {
        return String::new();
    };
    mac.update(body);
    let mut text = String::from("sha1=");
    for byte in mac.finalize().into_bytes() {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

fn log_entry(notice: &Notice, attempt: u32, outcome: &Outcome, at_ms: u64, duration_ms: u64) -> Delivery {
    let problem = match outcome {
        Outcome::Answered(_) => None,
        Outcome::Unanswered(why) => Some(why.clone()),
        Outcome::Dropped(why) => Some(format!("dropped: {why}")),
    };
    Delivery {
        at_ms,
        app_id: notice.app_id.clone(),
        topic: notice.topic.name(),
        notification_id: notice.notification_id.clone(),
        conversation_id: notice.conversation_id.map(|id| id.to_string()),
        attempt,
        status: outcome.status(),
        duration_ms,
        problem,
        fault: notice.fault.map(|(struck, _)| struck),
    }
}

/// The innermost cause, which is the one that says something ("connection refused").
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", ANSWER_TIMEOUT.as_secs());
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn a_signature_is_the_hmac_of_rfc_2202() {
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
    }
}
