//! The way to bots: over HTTPS, signed by the rules of Standard Webhooks, or over a queue of their
//! own. What they are told, and what becomes of their answers, is [`crate::lambda::messengers`]'s
//! matter.

use std::time::Duration;

use reqwest::{Response, StatusCode};

use super::http::{self, Outside};
use super::sqs::{Queue, Queues};
use crate::config::Secrets;
use crate::domain::settings::SecretName;
use crate::domain::signature::{self, Key};
use crate::lambda::messengers::{self, Lines, not_taken};
use crate::ports::{Clock, Fifo as _, NotTaken};
use crate::wire::outgoing::Reach;

/// How long a bot has to answer, in all.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(10_000);
/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Requests and queues.
#[derive(Debug, Clone)]
pub struct Network<C> {
    outside: Outside,
    secrets: Secrets,
    sqs: aws_sdk_sqs::Client,
    clock: C,
}

/// The bots of the settings.
pub type Messengers<C> = messengers::Messengers<Network<C>, Queue, C>;

impl<C: Clock + Clone> Messengers<C> {
    /// The bots, with their secrets by name, and the queue for what they answer. Those that speak
    /// HTTPS are connected to within `reach`.
    ///
    /// # Errors
    /// The words of the TLS library when the system has no usable roots.
    pub fn new(
        secrets: Secrets,
        sqs: aws_sdk_sqs::Client,
        queues: Queues,
        clock: C,
        reach: Reach,
    ) -> Result<Self, String> {
        let outside = Outside::new(REQUEST_TIMEOUT, reach)?;
        let lines = Network { outside, secrets, sqs, clock: clock.clone() };
        Ok(Self { lines, queues, clock })
    }
}

impl<C: Clock> Lines for Network<C> {
    async fn put(&self, queue_url: &str, group: &str, id: &str, body: String) -> Result<(), NotTaken> {
        let put = Queue::new(self.sqs.clone(), queue_url).put(group, id.to_owned(), body).await;
        put.map_err(|reason| not_taken(reason.to_string()))
    }

    async fn post(&self, url: &str, secret: &SecretName, id: &str, body: String) -> Result<Vec<u8>, NotTaken> {
        let key = self.secrets.get(secret).and_then(Key::from_whsec);
        let key = key.ok_or_else(|| not_taken("the bot's secret is missing or is no whsec_ key".to_owned()))?;
        let now = self.clock.now();
        let response = self
            .outside
            .post(url)
            .map_err(|refused| not_taken(refused.to_string()))?
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", now.seconds().to_string())
            .header("webhook-signature", signature::sign(&key, id, now, body.as_bytes()))
            .body(body)
            .send()
            .await
            .map_err(|error| not_taken(http::kind_of(&error).to_owned()))?;
        let status = response.status();
        if status.is_success() {
            return http::read(response, MAX_ANSWER_BYTES).await.map_err(|reason| not_taken(reason.to_string()));
        }
        let retry_after_ms = retry_after_ms(&response)
            .filter(|_| matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE));
        Err(NotTaken { why: format!("status {}", status.as_u16()), retry_after_ms })
    }
}

fn retry_after_ms(response: &Response) -> Option<u64> {
    let seconds: u64 = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.saturating_mul(1000))
}
