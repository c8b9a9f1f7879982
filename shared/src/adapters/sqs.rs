//! Queues in SQS: how a message is put, how long it stays hidden, where it is parked. What our
//! functions put on them is [`crate::lambda::queues`]'s matter.
//!
//! Repeating a send with the same deduplication id within five minutes is one send, so the SDK may
//! try again.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::MessageAttributeValue;

use crate::domain::ids::Timestamp;
use crate::lambda::batch::{Custody, SqsRecord};
use crate::lambda::queues;
use crate::ports::{Clock, Fifo, Unavailable};
use crate::wire::{passed_on, sha256_hex};

/// The queues between the functions.
pub type Queues = queues::Queues<Queue>;

/// The longest time that SQS hides a message, in seconds.
const MAX_VISIBILITY_S: u64 = 43_200;

/// From when on a wait is left to the sweep, in milliseconds. Settling takes 30 s and a rate limit
/// 10 s; these are waited for to the second.
const FAR_MS: u64 = 45_000;

/// The longest text that is put beside a message, in characters.
const MAX_BESIDE_CHARS: usize = 2_500;

/// SQS takes 128 characters; what is longer is hashed.
pub(super) fn bounded(id: String) -> String {
    if id.len() <= 128 { id } else { sha256_hex(id.as_bytes()) }
}

/// One queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue at this address.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Asks the queue for its ARN: opens the connection, and shows early that queue or permission
    /// is missing.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn open(&self) -> Result<(), Unavailable> {
        let name = aws_sdk_sqs::types::QueueAttributeName::QueueArn;
        let asked = self.client.get_queue_attributes().queue_url(&self.url).attribute_names(name).send().await;
        asked.map(|_| ()).map_err(unavailable)
    }
}

impl Fifo for Queue {
    async fn put(&self, group: &str, deduplication_id: String, body: String) -> Result<(), Unavailable> {
        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(bounded(group.to_owned()))
            .message_deduplication_id(bounded(deduplication_id))
            .message_body(body)
            .send()
            .await;
        sent.map(|_| ()).map_err(unavailable)
    }
}

/// A message attribute; none where there is nothing to say. Characters that SQS refuses are left
/// out.
pub(super) fn beside(text: &str) -> Option<MessageAttributeValue> {
    let is_taken = |character: &char| !character.is_control() && !matches!(character, '\u{fffe}' | '\u{ffff}');
    let text: String = text.chars().filter(is_taken).take(MAX_BESIDE_CHARS).collect();
    if text.is_empty() {
        return None;
    }
    MessageAttributeValue::builder().data_type("String").string_value(text).build().ok()
}

pub(super) fn unavailable<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Unavailable {
    Unavailable { what: "SQS", why: super::connection::why(&error) }
}

/// Keeps messages of one queue: hides them, or parks them.
#[derive(Debug, Clone)]
pub struct Keeper<C> {
    /// The queue.
    pub queue: Queue,
    /// Its dead-letter queue.
    pub dead_letters: Queue,
    /// The time.
    pub clock: C,
}

impl<C: Clock> Custody for Keeper<C> {
    fn is_far(&self, moment: Timestamp) -> bool {
        moment > self.clock.now().plus_ms(FAR_MS)
    }

    fn after_ms(&self, ms: u64) -> Timestamp {
        self.clock.now().plus_ms(ms)
    }

    async fn hide_until(&self, receipt_handle: &str, until: Timestamp) {
        let wait_ms = until.0.saturating_sub(self.clock.now().0);
        let seconds = wait_ms.div_ceil(1000).clamp(1, MAX_VISIBILITY_S);
        let change = self.queue.client.change_message_visibility().queue_url(&self.queue.url);
        let timeout = i32::try_from(seconds).unwrap_or(i32::MAX);
        let changed = change.receipt_handle(receipt_handle).visibility_timeout(timeout).send().await;
        if let Err(reason) = changed.map_err(unavailable) {
            tracing::warn!(outcome = "not_hidden", why = %reason);
        }
    }

    async fn park(&self, record: &SqsRecord, why: &str) -> Result<(), Unavailable> {
        let group = if record.group().is_empty() { record.message_id.as_str() } else { record.group() };
        let notes = [
            (passed_on::REASON, why.to_owned()),
            (passed_on::ATTEMPT, record.attempt().to_string()),
            (passed_on::SENDERS, record.senders()),
            (passed_on::REPLAY, record.beside(passed_on::REPLAY).to_owned()),
        ];
        let notes = notes.into_iter().filter_map(|(name, text)| Some((name.to_owned(), beside(&text)?))).collect();
        let put = self
            .dead_letters
            .client
            .send_message()
            .queue_url(&self.dead_letters.url)
            .message_group_id(group)
            .message_deduplication_id(bounded(record.message_id.clone()))
            .set_message_attributes(Some(notes))
            .message_body(&record.body);
        put.send().await.map(|_| ()).map_err(unavailable)
    }
}
