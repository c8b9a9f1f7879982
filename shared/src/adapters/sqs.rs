//! Queues: what our functions put on them, and how long a message stays hidden.
//!
//! Every queue is FIFO, its group the conversation. Repeating a send with the same deduplication
//! id within five minutes is one send, so the SDK may try again.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
#[cfg(feature = "lambda")]
use aws_sdk_sqs::types::MessageAttributeValue;

use crate::domain::ids::{ConversationKey, Timestamp};
use crate::ports::{Clock, Doorbells, Unavailable, Wakers, Worker};
use crate::wire::bot::{CommandMessage, EventMessage};
use crate::wire::queue::{InboxMessage, News, VERSION, WorkMessage};
use crate::wire::sha256_hex;

/// The longest time that SQS hides a message, in seconds.
const MAX_VISIBILITY_S: u64 = 43_200;

/// From when on a wait is left to the sweep, in milliseconds. Settling takes 30 s and a rate limit
/// 10 s; these are waited for to the second.
#[cfg(feature = "lambda")]
const FAR_MS: u64 = 45_000;

/// Anything that is put on a queue, in JSON.
fn json(value: &impl serde::Serialize) -> Result<String, Unavailable> {
    serde_json::to_string(value).map_err(|error| Unavailable { what: "SQS", why: format!("not sent: {error}") })
}

/// SQS takes 128 characters; what is longer is hashed.
fn bounded(id: String) -> String {
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

    /// Puts a message.
    ///
    /// # Errors
    /// [`Unavailable`]: whether it was put is not known; put it again.
    pub async fn put(&self, group: &str, deduplication_id: String, body: String) -> Result<(), Unavailable> {
        let sent = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_group_id(group)
            .message_deduplication_id(bounded(deduplication_id))
            .message_body(body)
            .send()
            .await;
        sent.map(|_| ()).map_err(unavailable)
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

fn unavailable<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Unavailable {
    Unavailable { what: "SQS", why: super::connection::why(&error) }
}

/// The inbox, into which the edge puts notifications.
#[derive(Debug, Clone)]
pub struct Inbox(pub Queue);

impl Inbox {
    /// Puts one notification. `notification_id` is Intercom's: a retry of the same within five
    /// minutes is dropped by the queue.
    ///
    /// # Errors
    /// [`Unavailable`]: it is not durable.
    pub async fn put(&self, message: &InboxMessage, notification_id: &str) -> Result<(), Unavailable> {
        let group = format!("{}#{}", message.app_id, message.conversation_id);
        self.0.put(&group, notification_id.to_owned(), json(message)?).await
    }
}

/// The queues between the functions, as far as one function writes to them.
#[derive(Debug, Clone, Default)]
pub struct Queues {
    /// Towards `conversation-router`.
    pub inbox: Option<Queue>,
    /// Towards `bot-dispatch`.
    pub bot_events: Option<Queue>,
    /// Towards `bot-reply`.
    pub replies: Option<Queue>,
    /// Towards `close-conversation`.
    pub close: Option<Queue>,
}

impl Queues {
    fn of(&self, worker: Worker) -> Result<&Queue, Unavailable> {
        let queue = match worker {
            Worker::Router => &self.inbox,
            Worker::Dispatch => &self.bot_events,
            Worker::Reply => &self.replies,
            Worker::Close => &self.close,
        };
        queue
            .as_ref()
            .ok_or_else(|| Unavailable { what: "SQS", why: format!("this function has no queue towards {worker:?}") })
    }

    /// Puts a command of a bot that has proved who it is. The same command within five minutes is
    /// one.
    ///
    /// # Errors
    /// [`Unavailable`]: it is not durable.
    pub async fn put_command(
        &self,
        to: Worker,
        key: &ConversationKey,
        bot: &str,
        command: &CommandMessage,
    ) -> Result<(), Unavailable> {
        let message = WorkMessage::Command { v: VERSION, bot: bot.to_owned(), command: Box::new(command.clone()) };
        let body = json(&message)?;
        self.of(to)?.put(&key.to_string(), sha256_hex(body.as_bytes()), body).await
    }

    /// Puts the refusal of a command.
    ///
    /// # Errors
    /// [`Unavailable`]: it is not durable.
    pub async fn put_refusal(&self, key: &ConversationKey, event: &EventMessage) -> Result<(), Unavailable> {
        let message = WorkMessage::Refusal { v: VERSION, bot: event.bot.clone(), event: Box::new(event.clone()) };
        // A group of its own: what waits for the conversation's own bot must not wait for this.
        let group = bounded(format!("{key}#{}", event.bot));
        self.of(Worker::Dispatch)?.put(&group, event.id.clone(), json(&message)?).await
    }
}

impl Wakers for Queues {
    async fn wake(&self, worker: Worker, key: &ConversationKey, about: &str) -> Result<(), Unavailable> {
        let (app_id, conversation_id) = (key.app_id.to_string(), key.conversation_id.to_string());
        let body = match worker {
            Worker::Router => json(&InboxMessage { v: VERSION, app_id, conversation_id, news: News::Due })?,
            _ => json(&WorkMessage::Wake { v: VERSION, app_id, conversation_id })?,
        };
        self.of(worker)?.put(&key.to_string(), format!("{key}#{worker:?}#{about}"), body).await
    }
}

impl Doorbells for Queues {
    async fn ring(&self, key: &ConversationKey, about: &str) -> Result<(), Unavailable> {
        let (app_id, conversation_id) = (key.app_id.to_string(), key.conversation_id.to_string());
        let message = InboxMessage { v: VERSION, app_id, conversation_id, news: News::Doorbell };
        self.of(Worker::Router)?.put(&key.to_string(), format!("{key}#doorbell#{about}"), json(&message)?).await
    }
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

#[cfg(feature = "lambda")]
impl<C: Clock> crate::lambda::batch::Custody for Keeper<C> {
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

    async fn park(&self, record: &crate::lambda::batch::SqsRecord, why: &str) -> Result<(), Unavailable> {
        let reason = MessageAttributeValue::builder().data_type("String").string_value(why).build();
        let reason = reason.map_err(|error| Unavailable { what: "SQS", why: error.to_string() })?;
        let group = if record.group().is_empty() { record.message_id.as_str() } else { record.group() };
        let put = self
            .dead_letters
            .client
            .send_message()
            .queue_url(&self.dead_letters.url)
            .message_group_id(group)
            .message_deduplication_id(bounded(record.message_id.clone()))
            .message_attributes("reason", reason)
            .message_body(&record.body);
        put.send().await.map(|_| ()).map_err(unavailable)
    }
}
