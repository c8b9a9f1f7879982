//! What Baton tells bots: an event's envelope, and what happened. What is in a message, and who is who,
//! is `told`'s matter.

use serde::{Deserialize, Serialize};

use super::told::{AgentData, AttachmentData, ContextData, MessageData};
use super::{BadCommand, ConversationRef, IntercomRef, SessionRef, VERSION};
use crate::domain::conversation::{Conversation, EventKind, PendingEvent};
use crate::domain::ids::{AppId, BotId, CommandId, ConversationId, ConversationKey, TeamId, Timestamp};
use crate::domain::transfer::{Agent, Availability, is_session};

/// Something that a bot is told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventMessage {
    /// The protocol's version: 1.
    pub v: u8,
    /// The event's id: the same for every delivery of it. A bot that has seen it ignores it.
    pub id: String,
    /// The bot.
    pub bot: String,
    /// The conversation in Intercom; null for a chat of the bot's own that is not opened there.
    #[serde(default)]
    pub conversation: Option<ConversationRef>,
    /// The chat of the bot's own that is handed over, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionRef>,
    /// The event's number in the conversation, from 1.
    pub seq: u64,
    /// The number of the event before it; 0 for the first.
    pub prev_seq: u64,
    /// Counts take-overs. A command that answers this event repeats it.
    pub epoch: u64,
    /// When it happened, in Unix milliseconds.
    pub occurred_at: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum Event {
    /// The customer wrote.
    Message {
        /// What. Where it was several messages in a row, all of them as one: their texts parted by empty lines,
        /// all their files, the last choice among them, and the number and time of the last.
        message: Box<MessageData>,
        /// Each message by itself, oldest first, where it was several in a row. An answer to the event is one
        /// to all of them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        messages: Vec<MessageData>,
        /// With whom the bot speaks, and where.
        context: Box<ContextData>,
    },
    /// A message that the bot was told of has been deleted; the bot must forget it.
    MessageRedacted {
        /// Which.
        part_id: String,
    },
    /// The conversation waits for people. The bot is silent from here on.
    HandoverWaiting {
        /// The team, or null for the Unassigned inbox.
        team_id: Option<String>,
    },
    /// A person has the conversation, or has spoken in it. The bot is silent from here on.
    AgentJoined {
        /// Who.
        agent: AgentData,
    },
    /// The bot has the conversation again.
    Resumed {
        /// What was said meanwhile, oldest first. What the customer still waits for an answer to
        /// follows as `message`.
        stretch: Vec<MessageData>,
        /// With whom the bot speaks, and where.
        context: Box<ContextData>,
    },
    /// The conversation was closed. Of a chat of the bot's own: the bot has it by itself again.
    Closed {
        /// `bot` when the bot's own command did it, else `people`. Of a chat of the bot's own: `people`,
        /// `customer`, `timeout`, or `deletion` when the conversation was deleted in Intercom.
        by: String,
        /// Of a chat of the bot's own, what was said since it was given away, oldest first; else null.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stretch: Option<Vec<MessageData>>,
    },
    /// A chat of the bot's own is with another teammate.
    AgentChanged {
        /// Who.
        agent: AgentData,
        /// Who had it before.
        former: AgentData,
    },
    /// The teammate has a chat of the bot's own no more; it waits for people.
    AgentLeft {
        /// Who had it.
        agent: AgentData,
    },
    /// Somebody at Intercom said something to the customer of a chat of the bot's own.
    AgentMessage {
        /// What; its author is a `teammate`, or a machine: `operator` or `other`.
        message: MessageData,
    },
    /// Nobody is there; the chat waits for people all the same, or was not taken.
    NobodyThere {
        /// `away`, or `nobody` where no teammate could take it at all.
        availability: String,
        /// When people are there again, in Unix seconds, where that is known.
        opens_at: Option<u64>,
        /// What the customer is promised; null where the chat was not taken.
        message: Option<String>,
    },
    /// Somebody was waited for in vain.
    TimedOut {
        /// `nobody` has taken the chat, or the `teammate` or the `customer` did not answer.
        what: String,
        /// What the customer is to be told.
        message: Option<String>,
        /// What becomes of the chat: `bot`, `team`, `close` or `keep`.
        then: String,
    },
    /// A chat of the bot's own that was over is with people again: it goes on in Intercom.
    Reopened {},
    /// The customer rated the conversation.
    Rated {
        /// 1 (worst) to 5.
        rating: u64,
        /// What the customer added.
        remark: Option<String>,
    },
    /// A command was carried out.
    CommandDone {
        /// Which.
        command_id: String,
        /// The part that it made in Intercom, where it made one.
        part_id: Option<String>,
    },
    /// The files of a message, with addresses that are fresh: what became of an `attachments` command,
    /// in the place of `command_done`.
    Attachments {
        /// Which command.
        command_id: String,
        /// Of which part, or null for the conversation's first message.
        part_id: Option<String>,
        /// The files.
        attachments: Vec<AttachmentData>,
    },
    /// What was said, once more: what became of a `replay` command, in the place of `command_done`.
    Replayed {
        /// Which command.
        command_id: String,
        /// What was said, oldest first: at most 100 messages. What was deleted since is missing.
        messages: Vec<MessageData>,
        /// The `from` that goes on where this ends; null at the end.
        next: Option<String>,
    },
    /// A command was refused. It will not be tried again.
    CommandRejected {
        /// Which.
        command_id: String,
        /// Why, for programs.
        code: String,
        /// Why, for people.
        message: String,
    },
    /// A command came too late.
    CommandSuperseded {
        /// Which.
        command_id: String,
        /// What came before it: `turn` when somebody took the conversation over or gave it back,
        /// `message` when the customer wrote something that the bot did not know when it decided
        /// to close. It is told of that too, and decides anew. `rule` when the workspace's rules
        /// leave the answer to people, or unsaid.
        #[serde(default)]
        by: String,
    },
    /// An answer that the rules had left to people is said after all: a teammate wants it so.
    SuggestionSent {
        /// The command that had asked for it.
        command_id: String,
        /// The candidate that the teammate chose, from 1; null where it is the answer itself.
        number: Option<usize>,
    },
}

impl EventMessage {
    /// The event as its bot gets it.
    #[must_use]
    pub fn new(key: &ConversationKey, state: &Conversation, pending: &PendingEvent) -> Self {
        Self {
            v: VERSION,
            id: format!("evt_{}_{}_{}_{}", key.app_id, key.conversation_id, state.born.seconds(), pending.seq),
            bot: pending.bot.to_string(),
            conversation: pending.of.as_ref().or(state.in_intercom(key)).map(|id| conversation_ref(&key.app_id, id)),
            session: state.transfer.as_ref().map(|transfer| SessionRef {
                app_id: key.app_id.to_string(),
                id: transfer.session.clone(),
                channel: Some(transfer.channel.clone()),
            }),
            seq: pending.seq,
            prev_seq: pending.seq.saturating_sub(1),
            epoch: pending.epoch,
            occurred_at: pending.occurred_at.0,
            event: Event::new(&pending.kind, state),
        }
    }

    /// Where what it tells of is kept.
    ///
    /// # Errors
    /// [`BadCommand`] where it names nothing that can be.
    pub fn key(&self, bot: &BotId) -> Result<ConversationKey, BadCommand> {
        match &self.session {
            Some(session) => session.key(bot),
            None => self.conversation.as_ref().ok_or(BadCommand::NoConversation)?.key(),
        }
    }

    /// The refusal of a command that could not be recorded. It has no number: it is of no
    /// conversation that the bot has.
    #[must_use]
    pub fn refusal(
        key: &ConversationKey,
        bot: &BotId,
        command_id: &CommandId,
        code: &str,
        message: String,
        at: Timestamp,
    ) -> Self {
        Self {
            v: VERSION,
            id: format!("evt_{}_{}_refused_{command_id}", key.app_id, key.conversation_id),
            bot: bot.to_string(),
            conversation: (!is_session(key)).then(|| conversation_ref(&key.app_id, &key.conversation_id)),
            session: None,
            seq: 0,
            prev_seq: 0,
            epoch: 0,
            occurred_at: at.0,
            event: Event::CommandRejected { command_id: command_id.to_string(), code: code.to_owned(), message },
        }
    }
}

fn conversation_ref(app_id: &AppId, id: &ConversationId) -> ConversationRef {
    ConversationRef { intercom: IntercomRef { app_id: app_id.to_string(), conversation_id: id.to_string() } }
}

impl Event {
    fn new(kind: &EventKind, state: &Conversation) -> Self {
        let id = |command_id: &CommandId| command_id.to_string();
        match kind {
            EventKind::Message { message, earlier } => {
                let data = |message| MessageData::new(message, state.profile.is_by_email());
                let messages: Vec<MessageData> = earlier.iter().chain([message]).map(data).collect();
                let message = Box::new(MessageData::joined(&messages));
                let messages = if earlier.is_empty() { Vec::new() } else { messages };
                Self::Message { message, messages, context: Box::new(ContextData::new(state)) }
            }
            EventKind::MessageRedacted { part_id } => Self::MessageRedacted { part_id: part_id.to_string() },
            EventKind::HandoverWaiting { team } => {
                Self::HandoverWaiting { team_id: team.as_ref().map(TeamId::to_string) }
            }
            EventKind::AgentJoined { teammate, name } => {
                let joined = Agent { id: teammate.clone(), name: name.clone(), avatar: None };
                Self::AgentJoined { agent: AgentData::new(&joined.as_known(agent_of(state))) }
            }
            EventKind::Resumed { stretch } => Self::Resumed {
                stretch: stretch.iter().map(|message| MessageData::new(message, state.profile.is_by_email())).collect(),
                context: Box::new(ContextData::new(state)),
            },
            EventKind::Closed { by_bot } => {
                Self::Closed { by: if *by_bot { "bot" } else { "people" }.to_owned(), stretch: None }
            }
            EventKind::Returned { by, stretch } => {
                let stretch = stretch.iter().map(|message| MessageData::new(message, state.profile.is_by_email()));
                Self::Closed { by: by.as_str().to_owned(), stretch: Some(stretch.collect()) }
            }
            EventKind::AgentChanged { agent, former } => {
                Self::AgentChanged { agent: AgentData::new(agent), former: AgentData::new(former) }
            }
            EventKind::AgentLeft { agent } => Self::AgentLeft { agent: AgentData::new(agent) },
            EventKind::AgentMessage { message } => {
                let mut message = MessageData::new(message, state.profile.is_by_email());
                let agent = agent_of(state).filter(|agent| agent.id.as_str() == message.author.id);
                message.author.avatar = agent.and_then(|agent| agent.avatar.clone());
                Self::AgentMessage { message }
            }
            EventKind::NobodyThere { availability, message } => Self::NobodyThere {
                availability: if *availability == Availability::Nobody { "nobody" } else { "away" }.to_owned(),
                opens_at: match availability {
                    Availability::Away { opens_at } => opens_at.map(Timestamp::seconds),
                    Availability::Available | Availability::Nobody => None,
                },
                message: Some(message.clone()).filter(|message| !message.is_empty()),
            },
            EventKind::TimedOut { patience, message, then } => Self::TimedOut {
                what: patience.as_str().to_owned(),
                message: message.clone(),
                then: then.as_str().to_owned(),
            },
            EventKind::Reopened => Self::Reopened {},
            EventKind::Rated { rating } => Self::Rated { rating: rating.rating, remark: rating.remark.clone() },
            EventKind::Attachments { command_id, part_id, attachments } => Self::Attachments {
                command_id: id(command_id),
                part_id: part_id.as_ref().map(|part_id| part_id.to_string()),
                attachments: attachments.iter().map(AttachmentData::new).collect(),
            },
            EventKind::Replayed { command_id, messages, next } => Self::Replayed {
                command_id: id(command_id),
                messages: messages
                    .iter()
                    .map(|message| MessageData::new(message, state.profile.is_by_email()))
                    .collect(),
                next: next.as_ref().map(|part_id| part_id.to_string()),
            },
            EventKind::CommandDone { command_id, part_id } => Self::CommandDone {
                command_id: id(command_id),
                part_id: part_id.as_ref().map(|part_id| part_id.to_string()),
            },
            EventKind::CommandRejected { command_id, code, message } => {
                Self::CommandRejected { command_id: id(command_id), code: code.clone(), message: message.clone() }
            }
            EventKind::CommandSuperseded { command_id, by } => {
                Self::CommandSuperseded { command_id: id(command_id), by: by.as_str().to_owned() }
            }
            EventKind::SuggestionSent { command_id, number } => {
                Self::SuggestionSent { command_id: id(command_id), number: *number }
            }
        }
    }
}

/// The teammate who has a bot's own chat.
fn agent_of(state: &Conversation) -> Option<&Agent> {
    state.transfer.as_ref().and_then(|transfer| transfer.agent.as_ref())
}
