//! One notification: what is in it, how it is signed, and what the log says of it.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

use super::super::faults::{Struck, WebhookFault};
use super::super::journal::Delivery;
use super::super::subscription::{Subscription, Verdict};
use super::super::topic::Topic;
use super::super::workspace::Workspace;

/// The one answer that ends a subscription at once.
const GONE: u16 = 410;
/// The one answer that throttles it.
const TOO_MANY: u16 = 429;
/// What a notice is signed with whose signature is to be wrong.
const WRONG_KEY: &[u8] = b"not the client secret";

/// One notification on its way.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) app_id: String,
    pub(crate) topic: Topic,
    /// None for pings, as in real ones.
    notification_id: Option<String>,
    pub(crate) conversation_id: Option<u64>,
    /// The `data.item`, as it was at the moment of the change.
    item: Value,
    created_at: u64,
    pub(super) subscription: Arc<Subscription>,
    /// How often it has been sent.
    pub(super) attempts: u32,
    /// Whether it has its only retry behind it or before it.
    pub(super) has_failed: bool,
    /// What the sandbox does wrong with it on request.
    pub(super) fault: Option<(Struck, WebhookFault)>,
}

impl Notice {
    pub(crate) fn new(
        workspace: &Workspace,
        topic: Topic,
        conversation_id: Option<u64>,
        notification_id: String,
        item: Value,
        subscription: Arc<Subscription>,
    ) -> Self {
        Self {
            app_id: workspace.app_id.clone(),
            topic,
            notification_id: Some(notification_id),
            conversation_id,
            item,
            created_at: workspace.clock.now(),
            subscription,
            attempts: 0,
            has_failed: false,
            fault: None,
        }
    }

    /// The test notification.
    pub(super) fn ping(app_id: &str, now: u64, subscription: Arc<Subscription>) -> Self {
        Self {
            app_id: app_id.to_owned(),
            topic: Topic::Ping,
            notification_id: None,
            conversation_id: None,
            item: json!({"type": "ping", "message": "something something interzen"}),
            created_at: now,
            subscription,
            attempts: 0,
            has_failed: false,
            fault: None,
        }
    }

    /// When it was made, in Unix milliseconds.
    pub(super) fn created_ms(&self) -> u64 {
        self.created_at.saturating_mul(1_000)
    }

    /// The body of the webhook, in the shape of the real ones.
    pub(super) fn envelope(&self) -> String {
        let envelope = json!({
            "type": "notification_event",
            "app_id": self.app_id,
            "data": {"type": "notification_event_data", "item": self.item},
            "links": {},
            "id": self.notification_id,
            "topic": self.topic.name(),
            "delivery_status": self.notification_id.as_ref().map(|_| "pending"),
            "delivery_attempts": self.attempts,
            "delivered_at": 0,
            "first_sent_at": self.created_at,
            "created_at": self.created_at,
            "self": null,
        });
        envelope.to_string()
    }

    /// The signature of a body; none when a fault leaves it out.
    pub(super) fn signature(&self, body: &str) -> Option<String> {
        let key = match self.fault {
            Some((_, WebhookFault::Unsigned)) => return None,
            Some((_, WebhookFault::WrongSignature)) => WRONG_KEY,
            _ => self.subscription.settings.client_secret.as_bytes(),
        };
        Some(signature(key, body.as_bytes()))
    }

    /// What the log says of an attempt, or of giving it up, at that moment.
    pub(super) fn log_entry(&self, outcome: &Outcome, at_ms: u64, duration_ms: u64) -> Delivery {
        let problem = match outcome {
            Outcome::Answered(_) => None,
            Outcome::Unanswered(why) => Some(why.clone()),
            Outcome::Dropped(why) => Some(format!("dropped: {why}")),
        };
        Delivery {
            at_ms,
            duration_ms,
            app_id: self.app_id.clone(),
            client_id: self.subscription.settings.client_id.clone(),
            topic: self.topic.name(),
            notification_id: self.notification_id.clone(),
            conversation_id: self.conversation_id.map(|id| id.to_string()),
            attempt: self.attempts,
            status: outcome.status(),
            problem,
            fault: self.fault.map(|(struck, _)| struck),
        }
    }
}

/// How one attempt went.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The receiver answered this status.
    Answered(u16),
    /// There was no answer, and why.
    Unanswered(String),
    /// The sandbox did not send it, and why.
    Dropped(&'static str),
}

impl Outcome {
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(status) => Some(*status),
            Self::Unanswered(_) | Self::Dropped(_) => None,
        }
    }

    /// What it means for the subscription; nothing when nothing was sent.
    ///
    /// Every 2xx is a success. A redirect is not followed and is an error.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Answered(200..300) => Some(Verdict::Success),
            Self::Answered(GONE) => Some(Verdict::Gone),
            Self::Answered(TOO_MANY) => Some(Verdict::TooMany),
            Self::Answered(_) | Self::Unanswered(_) => Some(Verdict::Error),
            Self::Dropped(_) => None,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::{Outcome, Verdict, signature};

    #[test]
    fn a_signature_is_the_hmac_of_rfc_2202() {
        assert_eq!(
            signature(b"Jefe", b"what do ya want for nothing?"),
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
    }

    #[test]
    fn every_2xx_is_a_success_and_a_redirect_is_none() {
        let verdict = |status| Outcome::Answered(status).verdict();
        assert_eq!(verdict(204), Some(Verdict::Success));
        assert_eq!(verdict(302), Some(Verdict::Error));
        assert_eq!(verdict(404), Some(Verdict::Error));
        assert_eq!(verdict(410), Some(Verdict::Gone));
        assert_eq!(verdict(429), Some(Verdict::TooMany));
    }
}
