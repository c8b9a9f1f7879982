//! Webhooks out: signed, answered within five seconds, tried twice at most.
//!
//! One task takes the notices that changes leave and sends them in the order of `lanes`. What
//! an answer does to the subscription, and whether anything is sent to it at all, is decided in
//! `subscription`. All waiting is on the sandbox's clock, except for the answer of a receiver,
//! which lives in real time.

mod lanes;
mod notice;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};

pub(crate) use self::notice::Notice;
use self::notice::Outcome;
use super::clock::Clock;
use super::faults::Faults;
use super::feed::Feed;
use super::journal::Journal;
use super::resolve::LoopbackNames;
use super::subscription::{Gate, Subscription, Verdict};

/// Intercom's time for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How many notices may wait for the courier, and behind others of their lane; more are dropped
/// and logged as that.
const QUEUE: usize = 20_000;

/// Where changes leave their notices. Never waits.
#[derive(Debug, Clone)]
pub(crate) struct Outbox {
    queue: mpsc::Sender<Notice>,
    journal: Arc<Journal>,
}

impl Outbox {
    /// One that nobody empties.
    pub(crate) fn nowhere() -> Self {
        outbox(Arc::default()).0
    }

    /// Where changes are made known.
    pub(crate) fn feed(&self) -> &Feed {
        &self.journal.feed
    }

    pub(crate) fn put(&self, notice: Notice) {
        if let Err(error) = self.queue.try_send(notice) {
            let outcome = Outcome::Dropped("the queue is full or the sandbox is stopping");
            let lost = error.into_inner();
            self.journal.delivery(lost.log_entry(&outcome, lost.created_ms(), 0));
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
    pub(crate) async fn run(self: Arc<Self>, notices: mpsc::Receiver<Notice>) {
        lanes::run(self, notices).await;
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

    /// Tells an app something that is no webhook of its subscription. Whether it arrives is of
    /// no consequence.
    pub(crate) async fn tell(&self, url: &str, notice: &serde_json::Value) {
        let request = self.client.post(url).header("Content-Type", "application/json");
        drop(request.body(notice.to_string()).send().await);
    }

    /// Sends the test notification; answers the receiver's status if there was one.
    pub(crate) async fn ping(&self, app_id: &str, subscription: Arc<Subscription>) -> Option<u16> {
        let mut notice = Notice::ping(app_id, self.clock.now(), subscription);
        self.attempt(&mut notice).await.status()
    }

    /// Waits until the subscription lets a notice go, and sends it. What is throttled stays here
    /// until it is through, which is no failure; how often it is tried then is not documented.
    async fn carry(&self, notice: &mut Notice, permits: &Semaphore) -> Outcome {
        loop {
            let subscription = notice.subscription.clone();
            let changed = subscription.changes().notified();
            let mut changed = std::pin::pin!(changed);
            // From here on no change is missed, whenever it is waited for.
            changed.as_mut().enable();
            match subscription.gate(notice.created_ms(), self.clock.now_ms()) {
                Gate::Send => {
                    // The semaphore is never closed, so that waiting for it cannot fail.
                    let _permit = permits.acquire().await;
                    let outcome = self.attempt(notice).await;
                    if outcome.verdict() != Some(Verdict::TooMany) {
                        return outcome;
                    }
                }
                Gate::Wait(ms) => tokio::select! {
                    () = self.clock.sleep(Duration::from_millis(ms)) => {}
                    () = changed => {}
                },
                Gate::Drop(why) => {
                    self.give_up(notice, why);
                    return Outcome::Dropped(why);
                }
            }
        }
    }

    /// Sends a notice once, whatever its subscription is in, and logs how it went.
    async fn attempt(&self, notice: &mut Notice) -> Outcome {
        notice.attempts += 1;
        let began_ms = self.clock.now_ms();
        let started = Instant::now();
        let outcome = self.post(notice).await;
        if let Some(verdict) = outcome.verdict() {
            notice.subscription.answered(verdict, began_ms, self.clock.now_ms());
        }
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.journal.delivery(notice.log_entry(&outcome, began_ms, duration_ms));
        outcome
    }

    async fn post(&self, notice: &Notice) -> Outcome {
        let body = notice.envelope();
        let mut request = self
            .client
            .post(&notice.subscription.settings.url)
            .header("Accept", "application/json")
            .header("Content-Type", "application/json")
            .header("User-Agent", "intercom-parrot-service-client/1.0");
        if let Some(signature) = notice.signature(&body) {
            request = request.header("X-Hub-Signature", signature);
        }
        match request.body(body).send().await {
            Ok(answer) => Outcome::Answered(answer.status().as_u16()),
            Err(error) => Outcome::Unanswered(reason(&error)),
        }
    }

    /// Logs that a notice will not be sent any more.
    fn give_up(&self, notice: &Notice, why: &'static str) {
        self.journal.delivery(notice.log_entry(&Outcome::Dropped(why), self.clock.now_ms(), 0));
    }

    /// Waits for so long from now on, whenever the waiting begins.
    fn timer(&self, after: Duration) -> impl Future<Output = ()> + Send + use<> {
        let clock = self.clock.clone();
        let due_ms = clock.now_ms().saturating_add(u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
        async move {
            let left_ms = due_ms.saturating_sub(clock.now_ms());
            clock.sleep(Duration::from_millis(left_ms)).await;
        }
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
