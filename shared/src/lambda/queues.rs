//! What our functions put on queues, in which group, and what counts as the same.
//!
//! Every queue is FIFO, its group the conversation. Putting a message again under the same
//! deduplication id within five minutes is putting it once.

use crate::app::inbox::{Taken, take_in};
use crate::domain::ids::ConversationKey;
use crate::ports::{Clock, Doorbells, Fifo, InboxRows, Unavailable, Wakers, Worker};
use crate::wire::bot::{CommandMessage, EventMessage};
use crate::wire::queue::{InboxMessage, News, VERSION, WorkMessage};
use crate::wire::sha256_hex;

/// Anything that is put on a queue, in JSON.
fn json(value: &impl serde::Serialize) -> Result<String, Unavailable> {
    serde_json::to_string(value).map_err(|error| Unavailable { what: "SQS", why: format!("not sent: {error}") })
}

/// The inbox, as the edge puts notifications into it.
#[derive(Debug, Clone)]
pub struct Inbox<Q, R, C> {
    /// The queue.
    pub queue: Q,
    /// What holds notifications while the queue cannot be reached.
    pub rows: R,
    /// The time.
    pub clock: C,
}

impl<Q: Fifo, R: InboxRows, C: Clock> Inbox<Q, R, C> {
    /// Makes one notification durable. `notification_id` is Intercom's: a retry of the same within
    /// five minutes is dropped by the queue.
    ///
    /// # Errors
    /// [`Unavailable`]: it is not durable.
    pub async fn put(&self, message: &InboxMessage, notification_id: &str) -> Result<Taken, Unavailable> {
        let group = format!("{}#{}", message.app_id, message.conversation_id);
        take_in(&self.queue, &self.rows, &self.clock, group, notification_id.to_owned(), json(message)?).await
    }
}

/// The queues between the functions, as far as one function writes to them.
#[derive(Debug, Clone)]
pub struct Queues<Q> {
    /// Towards `conversation-router`.
    pub inbox: Option<Q>,
    /// Towards `bot-dispatch`.
    pub bot_events: Option<Q>,
    /// Towards `bot-reply`.
    pub replies: Option<Q>,
    /// Towards `close-conversation`.
    pub close: Option<Q>,
}

impl<Q> Default for Queues<Q> {
    /// No queue at all.
    fn default() -> Self {
        Self { inbox: None, bot_events: None, replies: None, close: None }
    }
}

impl<Q: Fifo> Queues<Q> {
    fn of(&self, worker: Worker) -> Result<&Q, Unavailable> {
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
        let group = format!("{key}#{}", event.bot);
        self.of(Worker::Dispatch)?.put(&group, event.id.clone(), json(&message)?).await
    }
}

impl<Q: Fifo> Wakers for Queues<Q> {
    async fn wake(&self, worker: Worker, key: &ConversationKey, about: &str) -> Result<(), Unavailable> {
        let (app_id, conversation_id) = (key.app_id.to_string(), key.conversation_id.to_string());
        let body = match worker {
            Worker::Router => json(&InboxMessage { v: VERSION, app_id, conversation_id, news: News::Due })?,
            _ => json(&WorkMessage::Wake { v: VERSION, app_id, conversation_id })?,
        };
        self.of(worker)?.put(&key.to_string(), format!("{key}#{worker:?}#{about}"), body).await
    }
}

impl<Q: Fifo> Doorbells for Queues<Q> {
    async fn ring(&self, key: &ConversationKey, about: &str) -> Result<(), Unavailable> {
        let (app_id, conversation_id) = (key.app_id.to_string(), key.conversation_id.to_string());
        let message = InboxMessage { v: VERSION, app_id, conversation_id, news: News::Doorbell };
        self.of(Worker::Router)?.put(&key.to_string(), format!("{key}#doorbell#{about}"), json(&message)?).await
    }
}
