//! Failures on request: what a test wants to go wrong, how often.
//!
//! One request or notification meets one fault at most: the oldest that matches it and has
//! strikes left. This decides only; `rest` and `deliver` act on the decision, and what a fault
//! may say is in `order`. Faults are tools of a test and not part of any workspace, so that
//! they do not outlive the process.

mod order;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde_json::{Value, json};

use self::order::Kind;
pub(crate) use self::order::Order;

/// How many faults that are used up are still shown.
const USED_UP_SHOWN: usize = 100;
const DEFAULT_STATUS: u16 = 503;
const DEFAULT_DELAY_MS: u64 = 1_000;
const DEFAULT_HOLD_MS: u64 = 5_000;

/// What befalls one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestFault {
    /// Answer the status and change nothing.
    FailBefore(u16),
    /// Do what was asked, then answer the status.
    FailAfter(u16),
    /// Cut the connection and change nothing.
    DisconnectBefore,
    /// Do what was asked, then cut the connection.
    DisconnectAfter,
    /// Answer 429 and change nothing.
    RateLimit,
    /// Wait so many milliseconds, then go on.
    Delay(u64),
    /// Do what was asked, then wait so many milliseconds before the answer.
    DelayAfter(u64),
    /// Answer what was true at that moment (Unix milliseconds).
    StaleRead(u64),
    /// Do what was asked, then answer 200 with something that is no JSON.
    Garbled,
    /// Do what was asked, then answer only the first half of the body.
    Truncated,
}

/// What befalls one notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WebhookFault {
    /// Never send it.
    Drop,
    /// Send it twice, the second time so many milliseconds later.
    Repeat(u64),
    /// Send it so many milliseconds later; others may overtake it.
    Delay(u64),
    /// Keep it until the fault is used up or so many milliseconds have passed since the first
    /// was kept, and then send the last one first.
    Reverse {
        /// Whether it is the last that this fault keeps.
        last: bool,
        hold_ms: u64,
    },
    /// Send it without a signature.
    Unsigned,
    /// Sign it with another key.
    WrongSignature,
}

/// The fault that struck, for the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Struck {
    pub(crate) id: u64,
    pub(crate) fault: &'static str,
}

/// What is known about a request when its fault is chosen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestFacts<'a> {
    pub(crate) app_id: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) conversation_id: Option<&'a str>,
    /// Whether it reads conversations and changes nothing.
    pub(crate) reads_conversations: bool,
    pub(crate) now_ms: u64,
}

/// What is known about a notification when its fault is chosen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WebhookFacts<'a> {
    pub(crate) app_id: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) conversation_id: Option<u64>,
}

/// A fault and how often it struck.
#[derive(Debug)]
struct Fault {
    id: u64,
    order: Order,
    set_at_ms: u64,
    /// None for no end.
    left: Option<u32>,
    hits: u64,
    /// How many requests or notifications it could have struck.
    seen: u64,
}

#[derive(Debug, Default)]
struct List {
    waiting: Vec<Fault>,
    used_up: VecDeque<Fault>,
    last_id: u64,
}

/// The faults of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    list: Mutex<List>,
    /// How many wait, so that requests of a sandbox without faults take no lock.
    waiting: AtomicUsize,
    /// How many of those make reads stale, for which old states are kept.
    stale: AtomicUsize,
}

impl Faults {
    /// Adds a fault at that moment (Unix milliseconds) and answers its id.
    ///
    /// # Errors
    /// In words for the caller, when the fault makes no sense.
    pub(crate) fn add(&self, order: Order, now_ms: u64) -> Result<u64, String> {
        order.check()?;
        let mut list = self.lock();
        list.last_id += 1;
        let id = list.last_id;
        let left = order.strikes();
        list.waiting.push(Fault { id, order, set_at_ms: now_ms, left, hits: 0, seen: 0 });
        self.count(&list);
        Ok(id)
    }

    /// Takes one fault away; false when there is none of that id.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut list = self.lock();
        let before = list.waiting.len() + list.used_up.len();
        list.waiting.retain(|fault| fault.id != id);
        list.used_up.retain(|fault| fault.id != id);
        self.count(&list);
        list.waiting.len() + list.used_up.len() < before
    }

    /// Takes all faults away. Ids go on.
    pub(crate) fn clear(&self) {
        let mut list = self.lock();
        list.waiting.clear();
        list.used_up.clear();
        self.count(&list);
    }

    /// All faults as they were ordered with their counts, the oldest first. Those used up stay
    /// for a while, so that a test can see that its fault struck.
    pub(crate) fn shown(&self) -> Vec<Value> {
        let list = self.lock();
        let mut faults: Vec<&Fault> = list.used_up.iter().chain(&list.waiting).collect();
        faults.sort_by_key(|fault| fault.id);
        faults.into_iter().map(Fault::shown).collect()
    }

    /// Whether old states of conversations have to be kept for stale reads.
    pub(crate) fn need_the_past(&self) -> bool {
        self.stale.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn for_request(&self, request: RequestFacts<'_>) -> Option<(Struck, RequestFault)> {
        self.strike(|fault| fault.order.hits_request(request), |fault| fault.request_fault(request.now_ms))
    }

    pub(crate) fn for_webhook(&self, notice: WebhookFacts<'_>) -> Option<(Struck, WebhookFault)> {
        self.strike(|fault| fault.order.hits_webhook(notice), Fault::webhook_fault)
    }

    /// Lets the oldest matching fault strike once.
    fn strike<T>(&self, matches: impl Fn(&Fault) -> bool, effect: impl Fn(&Fault) -> Option<T>) -> Option<(Struck, T)> {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let mut list = self.lock();
        // A share's dice are thrown for each that it could strike, whether or not it does.
        let at = list.waiting.iter_mut().position(|fault| matches(fault) && fault.throws())?;
        let fault = list.waiting.get_mut(at)?;
        fault.hits += 1;
        fault.left = fault.left.map(|left| left.saturating_sub(1));
        let struck = Struck { id: fault.id, fault: fault.order.fault.name() };
        let effect = effect(fault).map(|effect| (struck, effect));
        if fault.left == Some(0) {
            let fault = list.waiting.remove(at);
            if list.used_up.len() == USED_UP_SHOWN {
                list.used_up.pop_front();
            }
            list.used_up.push_back(fault);
            self.count(&list);
        }
        effect
    }

    fn count(&self, list: &List) {
        let stale = list.waiting.iter().filter(|fault| fault.order.fault == Kind::StaleRead).count();
        self.waiting.store(list.waiting.len(), Ordering::Relaxed);
        self.stale.store(stale, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    fn shown(&self) -> Value {
        let mut value = json!(self.order);
        value["id"] = json!(self.id);
        value["left"] = self.left.map_or_else(|| json!("always"), |left| json!(left));
        value["hits"] = json!(self.hits);
        value
    }

    fn throws(&mut self) -> bool {
        let Some(chance) = self.order.chance else { return true };
        self.seen += 1;
        dice(self.order.seed.unwrap_or_default(), self.seen) < chance
    }

    fn request_fault(&self, now_ms: u64) -> Option<RequestFault> {
        let status = self.order.status.unwrap_or(DEFAULT_STATUS);
        let delay_ms = self.order.delay_ms.unwrap_or(DEFAULT_DELAY_MS);
        match self.order.fault {
            Kind::FailBefore => Some(RequestFault::FailBefore(status)),
            Kind::FailAfter => Some(RequestFault::FailAfter(status)),
            Kind::DisconnectBefore => Some(RequestFault::DisconnectBefore),
            Kind::DisconnectAfter => Some(RequestFault::DisconnectAfter),
            Kind::RateLimit => Some(RequestFault::RateLimit),
            Kind::Delay => Some(RequestFault::Delay(delay_ms)),
            Kind::DelayAfter => Some(RequestFault::DelayAfter(delay_ms)),
            Kind::StaleRead => {
                let asked = self.order.stale_ms.map_or(self.set_at_ms, |ms| now_ms.saturating_sub(ms));
                Some(RequestFault::StaleRead(asked.max(self.set_at_ms)))
            }
            Kind::Garbled => Some(RequestFault::Garbled),
            Kind::Truncated => Some(RequestFault::Truncated),
            Kind::Drop | Kind::Repeat | Kind::Reverse | Kind::Unordered | Kind::Unsigned | Kind::WrongSignature => None,
        }
    }

    fn webhook_fault(&self) -> Option<WebhookFault> {
        let delay_ms = self.order.delay_ms.unwrap_or(DEFAULT_DELAY_MS);
        match self.order.fault {
            Kind::Drop => Some(WebhookFault::Drop),
            Kind::Repeat => Some(WebhookFault::Repeat(self.order.delay_ms.unwrap_or_default())),
            Kind::Delay => Some(WebhookFault::Delay(delay_ms)),
            Kind::Reverse => Some(WebhookFault::Reverse {
                last: self.left == Some(0),
                hold_ms: self.order.hold_ms.unwrap_or(DEFAULT_HOLD_MS),
            }),
            // Each waits for a time of its own, so that any may overtake any.
            Kind::Unordered => {
                let share = dice(self.order.seed.unwrap_or_default(), self.hits.wrapping_add(1 << 32));
                Some(WebhookFault::Delay(share_of(delay_ms, share)))
            }
            Kind::Unsigned => Some(WebhookFault::Unsigned),
            Kind::WrongSignature => Some(WebhookFault::WrongSignature),
            Kind::FailBefore
            | Kind::FailAfter
            | Kind::DisconnectBefore
            | Kind::DisconnectAfter
            | Kind::RateLimit
            | Kind::DelayAfter
            | Kind::StaleRead
            | Kind::Garbled
            | Kind::Truncated => None,
        }
    }
}

impl Order {
    fn hits_request(&self, request: RequestFacts<'_>) -> bool {
        if self.webhook.is_some() || (self.fault == Kind::StaleRead && !request.reads_conversations) {
            return false;
        }
        let Some(wanted) = &self.requests else { return true };
        same(wanted.app_id.as_deref(), request.app_id)
            && wanted.method.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(request.method))
            && wanted.path_contains.as_ref().is_none_or(|wanted| request.path.contains(wanted))
            && same(wanted.conversation_id.as_deref(), request.conversation_id)
    }

    fn hits_webhook(&self, notice: WebhookFacts<'_>) -> bool {
        let Some(wanted) = &self.webhook else { return false };
        let conversation_id = notice.conversation_id.map(|id| id.to_string());
        same(wanted.app_id.as_deref(), Some(notice.app_id))
            && same(wanted.topic.as_deref(), Some(notice.topic))
            && same(wanted.conversation_id.as_deref(), conversation_id.as_deref())
    }
}

/// Whether it is what was asked for; nothing asked for is anything.
fn same(wanted: Option<&str>, found: Option<&str>) -> bool {
    wanted.is_none() || wanted == found
}

/// The n-th throw of the dice of a seed, from 0 up to 1 (SplitMix64).
fn dice(seed: u64, n: u64) -> f64 {
    let mut x = seed.wrapping_add(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^= x >> 31;
    // 53 bits are what a float holds exactly.
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

fn share_of(ms: u64, share: f64) -> u64 {
    // Waits are minutes at most, far below where floats lose whole milliseconds.
    (ms as f64 * share) as u64
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Faults, RequestFacts, RequestFault, WebhookFacts, WebhookFault};

    fn faults(orders: &[Value]) -> Faults {
        let faults = Faults::default();
        for order in orders {
            faults.add(serde_json::from_value(order.clone()).unwrap(), 1_000).unwrap();
        }
        faults
    }

    fn reply_in(app_id: &'static str, conversation_id: &'static str) -> RequestFacts<'static> {
        RequestFacts {
            app_id: Some(app_id),
            method: "POST",
            path: "/conversations/7/reply",
            conversation_id: Some(conversation_id),
            reads_conversations: false,
            now_ms: 9_000,
        }
    }

    fn hit(faults: &Faults, request: RequestFacts<'_>) -> Option<RequestFault> {
        faults.for_request(request).map(|(_, fault)| fault)
    }

    #[test]
    fn the_oldest_that_matches_strikes_until_it_is_used_up() {
        let matching = json!({"app_id": "a", "method": "post", "path_contains": "/reply", "conversation_id": 7});
        let faults = faults(&[
            json!({"match": matching, "fault": "fail_before", "status": 500, "times": 2}),
            json!({"fault": "garbled", "times": "always"}),
        ]);
        assert_eq!(hit(&faults, reply_in("b", "7")), Some(RequestFault::Garbled));
        assert_eq!(hit(&faults, reply_in("a", "8")), Some(RequestFault::Garbled));
        assert_eq!(hit(&faults, reply_in("a", "7")), Some(RequestFault::FailBefore(500)));
        assert_eq!(hit(&faults, reply_in("a", "7")), Some(RequestFault::FailBefore(500)));
        assert_eq!(hit(&faults, reply_in("a", "7")), Some(RequestFault::Garbled));
        let shown = faults.shown();
        assert_eq!((&shown[0]["left"], &shown[0]["hits"]), (&json!(0), &json!(2)));
        assert_eq!((&shown[1]["left"], &shown[1]["hits"]), (&json!("always"), &json!(3)));
    }

    #[test]
    fn a_fault_that_is_taken_away_strikes_no_more() {
        let faults = faults(&[json!({"fault": "garbled", "times": "always"}), json!({"fault": "truncated"})]);
        assert!(faults.remove(1));
        assert!(!faults.remove(1));
        assert_eq!(hit(&faults, reply_in("a", "7")), Some(RequestFault::Truncated));
        assert_eq!(hit(&faults, reply_in("a", "7")), None);
        faults.clear();
        assert!(faults.shown().is_empty());
    }

    #[test]
    fn a_stale_read_strikes_reads_alone_and_never_reaches_behind_its_own_beginning() {
        let faults =
            faults(&[json!({"fault": "stale_read"}), json!({"fault": "stale_read", "stale_ms": 3_000, "times": 2})]);
        assert!(faults.need_the_past());
        assert_eq!(hit(&faults, reply_in("a", "7")), None);
        let read = RequestFacts { reads_conversations: true, ..reply_in("a", "7") };
        assert_eq!(hit(&faults, read), Some(RequestFault::StaleRead(1_000)));
        assert_eq!(hit(&faults, read), Some(RequestFault::StaleRead(6_000)));
        let early = RequestFacts { now_ms: 2_000, ..read };
        assert_eq!(hit(&faults, early), Some(RequestFault::StaleRead(1_000)));
        assert!(!faults.need_the_past());
    }

    #[test]
    fn a_share_strikes_the_same_ones_for_the_same_seed() {
        let run = |seed: u64| {
            let faults = faults(&[json!({"fault": "garbled", "chance": 0.25, "seed": seed})]);
            let hits: Vec<bool> = (0..1_000).map(|_| hit(&faults, reply_in("a", "7")).is_some()).collect();
            hits
        };
        let hits = run(7);
        assert_eq!(hits, run(7));
        assert_ne!(hits, run(8));
        let count = hits.iter().filter(|hit| **hit).count();
        assert!((200..300).contains(&count), "{count}");
    }

    #[test]
    fn webhooks_are_matched_by_topic_and_conversation() {
        let webhook = json!({"app_id": "a", "topic": "conversation.user.replied", "conversation_id": "7"});
        let faults = faults(&[json!({"webhook": webhook, "fault": "reverse", "times": 2})]);
        let about = |id| WebhookFacts { app_id: "a", topic: "conversation.user.replied", conversation_id: Some(id) };
        assert_eq!(faults.for_webhook(about(8)), None);
        let hit = |last| Some(WebhookFault::Reverse { last, hold_ms: 5_000 });
        assert_eq!(faults.for_webhook(about(7)).map(|(_, fault)| fault), hit(false));
        assert_eq!(faults.for_webhook(about(7)).map(|(_, fault)| fault), hit(true));
        assert_eq!(faults.for_webhook(about(7)), None);
    }

    #[test]
    fn unordered_ones_wait_for_times_of_their_own() {
        let faults = faults(&[json!({"webhook": {}, "fault": "unordered", "delay_ms": 1_000, "times": "always"})]);
        let any = WebhookFacts { app_id: "a", topic: "ping", conversation_id: None };
        let waits: std::collections::BTreeSet<u64> = (0..10)
            .map(|_| match faults.for_webhook(any) {
                Some((_, WebhookFault::Delay(ms))) if ms < 1_000 => ms,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(waits.len() > 5, "{waits:?}");
    }
}
