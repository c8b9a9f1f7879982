//! Dead-letter queues in SQS. Queues are found by the names that the template gives them, so nothing
//! but SQS is asked. What is put back keeps its group and the list of its senders.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};

use super::sqs::{beside, bounded, unavailable};
use crate::domain::ids::Timestamp;
use crate::ports::{DeadLetter, DeadLetters, Unavailable};
use crate::wire::passed_on;

/// How long a letter in the hand is hidden from others, in seconds.
const HIDDEN_S: i32 = 60;

/// The dead-letter queue of one queue.
#[derive(Debug, Clone)]
pub struct Shelf {
    client: Client,
    name: String,
    url: String,
    home: String,
    home_url: String,
    tries: Option<u32>,
}

impl Shelf {
    /// That of a stack's queue, by the queue's name in the template: `inbox`, `bot-events`,
    /// `replies` or `close`.
    ///
    /// # Errors
    /// [`Unavailable`]: it is not there, or may not be seen.
    pub async fn find(client: Client, stack: &str, queue: &str) -> Result<Self, Unavailable> {
        let (name, home) = (format!("{stack}-{queue}-dead-letter.fifo"), format!("{stack}-{queue}.fifo"));
        let url = address(&client, &name).await?;
        let home_url = address(&client, &home).await?;
        let policy = QueueAttributeName::RedrivePolicy;
        let asked = client.get_queue_attributes().queue_url(&home_url).attribute_names(policy.clone()).send().await;
        let mut attributes = asked.map_err(|error| failed(&home, error))?.attributes.unwrap_or_default();
        let tries = attributes.remove(&policy).and_then(|policy| tries_of(&policy));
        Ok(Self { client, name, url, home, home_url, tries })
    }

    /// How many letters there are, about; those in somebody's hand are counted.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn count(&self) -> Result<u64, Unavailable> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let ask = self.client.get_queue_attributes().queue_url(&self.url);
        let asked = ask.set_attribute_names(Some(names.to_vec())).send().await;
        let found = asked.map_err(|error| failed(&self.name, error))?.attributes.unwrap_or_default();
        Ok(names.iter().filter_map(|name| found.get(name)?.parse::<u64>().ok()).sum())
    }

    fn letter(&self, message: Message) -> Option<DeadLetter> {
        let mut system = message.attributes.unwrap_or_default();
        let mut notes = message.message_attributes.unwrap_or_default();
        let mut note = |name: &str| notes.remove(name).and_then(|note| note.string_value);
        let reason = note(passed_on::REASON);
        let attempts = note(passed_on::ATTEMPT).and_then(|text| text.parse().ok());
        let senders = note(passed_on::SENDERS).unwrap_or_default();
        let sender = system.remove(&MessageSystemAttributeName::SenderId).unwrap_or_default();
        let sent = system.get(&MessageSystemAttributeName::SentTimestamp).and_then(|text| text.parse().ok());
        Some(DeadLetter {
            id: message.message_id?,
            group: system.remove(&MessageSystemAttributeName::MessageGroupId)?,
            since: Timestamp(sent.unwrap_or_default()),
            attempts: if reason.is_some() { attempts } else { self.tries },
            reason,
            replay: note(passed_on::REPLAY),
            senders: passed_on::handed_on(&sender, &senders),
            body: message.body.unwrap_or_default(),
            receipt: message.receipt_handle?,
        })
    }
}

impl DeadLetters for Shelf {
    async fn take(&self) -> Result<Vec<DeadLetter>, Unavailable> {
        // The id makes an answer that was lost come again, instead of hiding what was in it.
        let attempt = uuid::Uuid::new_v4().simple().to_string();
        let receive = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .receive_request_attempt_id(attempt)
            .max_number_of_messages(10)
            .visibility_timeout(HIDDEN_S)
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let received = receive.send().await.map_err(|error| failed(&self.name, error))?;
        Ok(received.messages.unwrap_or_default().into_iter().filter_map(|message| self.letter(message)).collect())
    }

    async fn put_back(&self, letter: &DeadLetter, replay: &str) -> Result<(), Unavailable> {
        let notes = [(passed_on::SENDERS, letter.senders.as_str()), (passed_on::REPLAY, replay)];
        let notes = notes.into_iter().filter_map(|(name, text)| Some((name.to_owned(), beside(text)?))).collect();
        let put = self
            .client
            .send_message()
            .queue_url(&self.home_url)
            .message_group_id(&letter.group)
            .message_deduplication_id(bounded(format!("replay-{}", letter.id)))
            .set_message_attributes(Some(notes))
            .message_body(&letter.body);
        put.send().await.map(|_| ()).map_err(|error| failed(&self.home, error))
    }

    async fn delete(&self, letter: &DeadLetter) -> Result<(), Unavailable> {
        let delete = self.client.delete_message().queue_url(&self.url).receipt_handle(&letter.receipt);
        delete.send().await.map(|_| ()).map_err(|error| failed(&self.name, error))
    }

    async fn let_go(&self, letter: &DeadLetter) {
        let show = self.client.change_message_visibility().queue_url(&self.url).receipt_handle(&letter.receipt);
        // What is not shown now shows itself within the minute.
        drop(show.visibility_timeout(0).send().await);
    }
}

async fn address(client: &Client, name: &str) -> Result<String, Unavailable> {
    let found = client.get_queue_url().queue_name(name).send().await.map_err(|error| failed(name, error))?;
    Ok(found.queue_url.unwrap_or_default())
}

fn failed<E: ProvideErrorMetadata, R>(name: &str, error: SdkError<E, R>) -> Unavailable {
    let Unavailable { what, why } = unavailable(error);
    Unavailable { what, why: format!("{name}: {why}") }
}

/// How often a message is tried before SQS gives it up.
fn tries_of(redrive_policy: &str) -> Option<u32> {
    let policy: serde_json::Value = serde_json::from_str(redrive_policy).ok()?;
    let count = policy.get("maxReceiveCount")?;
    count.as_u64().and_then(|count| count.try_into().ok()).or_else(|| count.as_str()?.parse().ok())
}
