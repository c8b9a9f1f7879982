//! Bots: events to them over HTTPS, signed by the rules of Standard Webhooks, or over a queue of
//! their own; and what a bot answers in the HTTP response.

use std::time::Duration;

use reqwest::{Client, Response, StatusCode};

use super::http;
use super::sqs::{Queue, Queues};
use crate::config::Secrets;
use crate::domain::conversation::{Conversation, PendingEvent};
use crate::domain::ids::{CommandId, ConversationKey};
use crate::domain::settings::{Bot, SecretName, Transport};
use crate::domain::signature::{self, Key};
use crate::ports::{Bots, Clock, NotTaken, Worker};
use crate::wire::bot::{CommandMessage, Commands, EventMessage, MAX_COMMANDS_AT_ONCE};

/// How long a bot has to answer, in all.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(10_000);
/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// The bots of the settings.
#[derive(Debug, Clone)]
pub struct Messengers<C> {
    client: Client,
    secrets: Secrets,
    sqs: aws_sdk_sqs::Client,
    queues: Queues,
    clock: C,
}

impl<C: Clock> Messengers<C> {
    /// The bots, with their secrets by name, and the queue for what they answer.
    ///
    /// # Errors
    /// The words of the TLS library when the system has no usable roots.
    pub fn new(secrets: Secrets, sqs: aws_sdk_sqs::Client, queues: Queues, clock: C) -> Result<Self, String> {
        Ok(Self { client: http::client(REQUEST_TIMEOUT)?, secrets, sqs, queues, clock })
    }

    /// Gives a bot an event in the protocol's form.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn send(&self, bot: &Bot, key: &ConversationKey, event: &EventMessage) -> Result<(), NotTaken> {
        let body = serde_json::to_string(event).map_err(|error| not_taken(error.to_string()))?;
        match &bot.transport {
            Transport::Sqs { queue_url, .. } => {
                let queue = Queue::new(self.sqs.clone(), queue_url);
                queue
                    .put(&key.to_string(), event.id.clone(), body)
                    .await
                    .map_err(|reason| not_taken(reason.to_string()))
            }
            Transport::Https { url, secret } => {
                let response = self.post(url, secret, &event.id, body).await?;
                self.take_answer(bot, key, event, response).await
            }
        }
    }

    async fn post(&self, url: &str, secret: &SecretName, id: &str, body: String) -> Result<Response, NotTaken> {
        let key = self.secrets.get(secret).and_then(Key::from_whsec);
        let key = key.ok_or_else(|| not_taken("the bot's secret is missing or is no whsec_ key".to_owned()))?;
        let now = self.clock.now();
        let response = self
            .client
            .post(url)
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
            return Ok(response);
        }
        let retry_after_ms = retry_after_ms(&response)
            .filter(|_| matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE));
        Err(NotTaken { why: format!("status {}", status.as_u16()), retry_after_ms })
    }

    /// Puts what the bot answered on the way, before the event counts as taken. The commands' ids
    /// follow from the event, so an answer that comes twice is carried out once.
    async fn take_answer(
        &self,
        bot: &Bot,
        key: &ConversationKey,
        event: &EventMessage,
        response: Response,
    ) -> Result<(), NotTaken> {
        let body = http::read(response, MAX_ANSWER_BYTES).await.map_err(|reason| not_taken(reason.to_string()))?;
        // A refusal is of no event that could be answered; answering it could go on for ever.
        if event.seq == 0 || body.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let problem = match read_answer(&body, bot, event) {
            Ok(commands) => {
                for (about, command) in &commands {
                    let put = self.queues.put_command(Worker::Reply, about, bot.id.as_str(), command).await;
                    put.map_err(|reason| not_taken(reason.to_string()))?;
                }
                return Ok(());
            }
            Err(problem) => problem,
        };
        // The bot has the event; what it meant to say is reported to it, and to the operator.
        tracing::error!(outcome = "malformed_answer", bot = %bot.id, seq = event.seq);
        let command_id =
            CommandId::parse(format!("{}/answer", event.id)).map_err(|error| not_taken(error.to_string()))?;
        let refusal = EventMessage::refusal(key, &bot.id, &command_id, "malformed", problem, self.clock.now());
        self.queues.put_refusal(key, &refusal).await.map_err(|reason| not_taken(reason.to_string()))
    }
}

impl<C: Clock> Bots for Messengers<C> {
    async fn deliver(
        &self,
        bot: &Bot,
        key: &ConversationKey,
        state: &Conversation,
        event: &PendingEvent,
    ) -> Result<(), NotTaken> {
        self.send(bot, key, &EventMessage::new(key, state, event)).await
    }
}

/// Reads what a bot answered: all commands, or what is wrong.
fn read_answer(body: &[u8], bot: &Bot, event: &EventMessage) -> Result<Vec<(ConversationKey, CommandMessage)>, String> {
    let answer: Commands =
        serde_json::from_slice(body).map_err(|error| format!("the answer is not of the protocol's form: {error}"))?;
    if answer.commands.len() > MAX_COMMANDS_AT_ONCE {
        return Err(format!("an answer has at most {MAX_COMMANDS_AT_ONCE} commands"));
    }
    let commands = answer.commands.into_iter().enumerate().map(|(position, command)| {
        let command = command.answering(event, position);
        command.checked(&bot.id).map(|about| (about, command)).map_err(|error| format!("commands[{position}]: {error}"))
    });
    commands.collect()
}

fn not_taken(why: String) -> NotTaken {
    NotTaken { why, retry_after_ms: None }
}

fn retry_after_ms(response: &Response) -> Option<u64> {
    let seconds: u64 = response.headers().get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.saturating_mul(1000))
}
