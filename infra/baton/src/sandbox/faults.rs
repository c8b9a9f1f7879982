//! Failures on request: what a test wants to go wrong, how often.
//!
//! A fault is used up by the requests or webhooks that it matches, the oldest fault first.
//! This decides only; `rest` and `deliver` act on the decision.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// A fault as the control API takes it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    /// The REST requests that it hits; all when empty.
    #[serde(default, rename = "match")]
    requests: Option<RequestMatch>,
    /// Present for a fault of webhooks instead of requests.
    #[serde(default)]
    webhook: Option<WebhookMatch>,
    fault: FaultKind,
    /// The status of `fail_before` and `fail_after`, 503 when absent.
    #[serde(default)]
    status: Option<u16>,
    #[serde(default)]
    delay_ms: Option<u64>,
    #[serde(default = "once")]
    times: u32,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestMatch {
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    path_contains: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookMatch {
    #[serde(default)]
    topic: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultKind {
    FailBefore,
    FailAfter,
    DisconnectAfter,
    RateLimit,
    Delay,
    Drop,
    Repeat,
}

/// What befalls one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestFault {
    /// Answer the status and change nothing.
    FailBefore(u16),
    /// Do what was asked, then answer the status.
    FailAfter(u16),
    /// Do what was asked, then cut the connection.
    DisconnectAfter,
    /// Answer 429 and change nothing.
    RateLimit,
    /// Wait so many milliseconds, then go on.
    Delay(u64),
}

/// What befalls one webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebhookFault {
    /// Never send it.
    Drop,
    /// Send it twice.
    Repeat,
    /// Send it so many milliseconds later; others may overtake it.
    Delay(u64),
}

/// The faults that wait for their request or webhook.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    waiting: Mutex<Vec<Fault>>,
    /// So that requests of a sandbox without faults take no lock.
    count: AtomicUsize,
}

const DEFAULT_STATUS: u16 = 503;
const DEFAULT_DELAY_MS: u64 = 1_000;

impl Faults {
    /// Adds a fault.
    ///
    /// # Errors
    /// In words for the caller, when the fault makes no sense.
    pub(crate) fn add(&self, fault: Fault) -> Result<(), String> {
        fault.check()?;
        let mut waiting = self.lock();
        waiting.push(fault);
        self.count.store(waiting.len(), Ordering::Relaxed);
        Ok(())
    }

    pub(crate) fn clear(&self) {
        self.lock().clear();
        self.count.store(0, Ordering::Relaxed);
    }

    pub(crate) fn for_request(&self, method: &str, path: &str) -> Option<RequestFault> {
        let fault = self.take(|fault| fault.hits_request(method, path))?;
        let status = fault.status.unwrap_or(DEFAULT_STATUS);
        match fault.fault {
            FaultKind::FailBefore => Some(RequestFault::FailBefore(status)),
            FaultKind::FailAfter => Some(RequestFault::FailAfter(status)),
            FaultKind::DisconnectAfter => Some(RequestFault::DisconnectAfter),
            FaultKind::RateLimit => Some(RequestFault::RateLimit),
            FaultKind::Delay => Some(RequestFault::Delay(fault.delay())),
            FaultKind::Drop | FaultKind::Repeat => None,
        }
    }

    pub(crate) fn for_webhook(&self, topic: &str) -> Option<WebhookFault> {
        let fault = self.take(|fault| fault.hits_webhook(topic))?;
        match fault.fault {
            FaultKind::Drop => Some(WebhookFault::Drop),
            FaultKind::Repeat => Some(WebhookFault::Repeat),
            FaultKind::Delay => Some(WebhookFault::Delay(fault.delay())),
            FaultKind::FailBefore | FaultKind::FailAfter | FaultKind::DisconnectAfter | FaultKind::RateLimit => None,
        }
    }

    /// Uses the oldest matching fault once.
    fn take(&self, hits: impl Fn(&Fault) -> bool) -> Option<Fault> {
        if self.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut waiting = self.lock();
        let at = waiting.iter().position(hits)?;
        let fault = waiting.get_mut(at)?;
        fault.times -= 1;
        let taken = fault.clone();
        if taken.times == 0 {
            waiting.remove(at);
        }
        self.count.store(waiting.len(), Ordering::Relaxed);
        Some(taken)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn check(&self) -> Result<(), String> {
        let of_webhooks = self.webhook.is_some();
        let fits = match self.fault {
            FaultKind::Drop | FaultKind::Repeat => of_webhooks,
            FaultKind::Delay => true,
            FaultKind::FailBefore | FaultKind::FailAfter | FaultKind::DisconnectAfter | FaultKind::RateLimit => {
                !of_webhooks
            }
        };
        if !fits || (of_webhooks && self.requests.is_some()) {
            return Err("webhook faults are drop, repeat and delay; request faults are fail_before, \
                 fail_after, disconnect_after, rate_limit and delay"
                .to_owned());
        }
        if self.times == 0 {
            return Err("times must be at least 1".to_owned());
        }
        if self.status.is_some_and(|status| !(400..600).contains(&status)) {
            return Err("status must be from 400 to 599".to_owned());
        }
        Ok(())
    }

    fn delay(&self) -> u64 {
        self.delay_ms.unwrap_or(DEFAULT_DELAY_MS)
    }

    fn hits_request(&self, method: &str, path: &str) -> bool {
        let wanted = self.requests.clone().unwrap_or_default();
        self.webhook.is_none()
            && wanted.method.is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && wanted.path_contains.is_none_or(|wanted| path.contains(&wanted))
    }

    fn hits_webhook(&self, topic: &str) -> bool {
        self.webhook.as_ref().is_some_and(|wanted| wanted.topic.as_ref().is_none_or(|wanted| wanted == topic))
    }
}

fn once() -> u32 {
    1
}
