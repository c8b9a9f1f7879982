//! Bots are told, over whatever way they are reached, and what they answer at once is put on its
//! way.

use super::queues::Queues;
use crate::domain::conversation::{Conversation, PendingEvent};
use crate::domain::ids::{CommandId, ConversationKey};
use crate::domain::settings::{Bot, SecretName, Transport};
use crate::ports::{Bots, Clock, Fifo, NotTaken, Worker};
use crate::wire::bot::{CommandMessage, Commands, EventMessage, MAX_COMMANDS_AT_ONCE};

/// The ways to bots.
#[expect(async_fn_in_trait, reason = "the functions run on one thread, so futures need no Send bound")]
pub trait Lines {
    /// Posts an event, signed, and gives what was answered.
    ///
    /// # Errors
    /// [`NotTaken`].
    async fn post(&self, url: &str, secret: &SecretName, id: &str, body: String) -> Result<Vec<u8>, NotTaken>;

    /// Puts an event on the bot's own queue.
    ///
    /// # Errors
    /// [`NotTaken`].
    async fn put(&self, queue_url: &str, group: &str, id: &str, body: String) -> Result<(), NotTaken>;
}

/// The bots of the settings.
#[derive(Debug, Clone)]
pub struct Messengers<L, Q, C> {
    /// The ways to them.
    pub lines: L,
    /// Where their answers go.
    pub queues: Queues<Q>,
    /// The time.
    pub clock: C,
}

impl<L: Lines, Q: Fifo, C: Clock> Messengers<L, Q, C> {
    /// Gives a bot an event in the protocol's form.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn send(&self, bot: &Bot, key: &ConversationKey, event: &EventMessage) -> Result<(), NotTaken> {
        let body = serde_json::to_string(event).map_err(|error| not_taken(error.to_string()))?;
        match &bot.transport {
            Transport::Sqs { queue_url, .. } => self.lines.put(queue_url, &key.to_string(), &event.id, body).await,
            Transport::Https { url, secret } => {
                let answer = self.lines.post(url, secret, &event.id, body).await?;
                self.take_answer(bot, key, event, &answer).await
            }
        }
    }

    /// Puts what the bot answered on the way, before the event counts as taken. The commands' ids
    /// follow from the event, so an answer that comes twice is carried out once.
    async fn take_answer(
        &self,
        bot: &Bot,
        key: &ConversationKey,
        event: &EventMessage,
        body: &[u8],
    ) -> Result<(), NotTaken> {
        // A refusal is of no event that could be answered; answering it could go on for ever.
        if event.seq == 0 || body.iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        let problem = match read_answer(body, bot, event) {
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

impl<L: Lines, Q: Fifo, C: Clock> Bots for Messengers<L, Q, C> {
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

/// A failure without a wish for when to come again.
#[must_use]
pub fn not_taken(why: String) -> NotTaken {
    NotTaken { why, retry_after_ms: None }
}
