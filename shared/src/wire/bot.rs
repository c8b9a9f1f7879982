//! The bot protocol, version 1: what Baton tells bots, and what bots may ask.
//!
//! These types are the protocol: the JSON Schemas in `shared/schema/` are generated from them. A
//! reader skips fields that it does not know, so fields may be added within a version.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::command::{Ask, Command, HandoverTarget};
use crate::domain::content::{Attachment, AuthorKind, Block, Message};
use crate::domain::conversation::{Conversation, EventKind, PendingEvent};
use crate::domain::ids::{
    AdminId, AppId, BotId, CommandId, ConversationId, ConversationKey, InvalidId, PartId, TeamId, Timestamp,
};
use crate::domain::incoming;
use crate::domain::rules::Turn;
use crate::domain::transfer::{Agent, Availability, File, MAX_SESSION_BYTES, is_session, session_row};
pub use crate::wire::blocks::{BlockData, CardData, ChoiceData, FormatData, LinkData};
use crate::wire::sha256_hex;
pub use crate::wire::start::{CustomerData, FileData, LineData, StartData};
use crate::wire::tags::TagsData;
use crate::wire::turn::TurnData;

/// The protocol's version.
pub const VERSION: u8 = 1;

/// Which conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConversationRef {
    /// Its address in Intercom.
    pub intercom: IntercomRef,
}

/// A conversation's address in Intercom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IntercomRef {
    /// The workspace.
    pub app_id: String,
    /// The conversation within it.
    #[serde(rename = "conversationId")]
    pub conversation_id: String,
}

/// A chat of the bot's own, by the name that the bot gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SessionRef {
    /// The workspace.
    pub app_id: String,
    /// The chat's name: 1 to 200 bytes.
    pub id: String,
    /// By which channel the customer writes. Told by Baton; bots need not repeat it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
}

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

/// A message in Intercom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageData {
    /// The part, or null for the conversation's first message.
    pub part_id: Option<String>,
    /// Who wrote it.
    pub author: AuthorData,
    /// The words as plain text, links as `label (address)`. Of an e-mail, without the message that it
    /// answers and the signature.
    pub text: String,
    /// The words as Markdown.
    pub markdown: String,
    /// Of an e-mail of which something is left out, all of it as plain text; else null.
    #[serde(default)]
    pub full_text: Option<String>,
    /// Which of the options that the bot offered it chooses: by its button, its number, or its label
    /// however it is typed. Null where it is anything else, or could mean two of them.
    #[serde(default)]
    pub choice: Option<ChoiceData>,
    /// Files with it.
    pub attachments: Vec<AttachmentData>,
    /// When, in Unix milliseconds; 0 where Intercom does not say.
    pub created_at: u64,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuthorData {
    /// `customer`, `teammate`, `operator` (Fin, workflows) or `other`.
    pub kind: String,
    /// The id within its kind.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The address of a picture: of the teammate who has a bot's own chat, where it is known.
    #[serde(default)]
    pub avatar: Option<String>,
}

/// A teammate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentData {
    /// The teammate's id.
    pub id: String,
    /// The name, where it is known.
    pub name: Option<String>,
    /// The address of a picture, where it is known.
    #[serde(default)]
    pub avatar: Option<String>,
}

/// A file in a message. Its address is temporary: 30 minutes for customers' uploads. The command
/// `attachments` asks for fresh ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentData {
    /// What it is called.
    pub name: Option<String>,
    /// Where it is, for now.
    pub url: String,
    /// Its media type.
    pub content_type: Option<String>,
    /// Its size in bytes.
    pub size_bytes: Option<u64>,
}

/// With whom the bot speaks, and where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContextData {
    /// The customer.
    pub contact: ContactData,
    /// The conversation's custom attributes.
    pub attributes: Map<String, Value>,
    /// The conversation's tags.
    pub tags: Vec<String>,
    /// The page on which it began.
    pub url: Option<String>,
    /// How it came in (`customer_initiated`, `operator_initiated`, …).
    pub delivered_as: Option<String>,
}

/// The customer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContactData {
    /// Intercom's id.
    pub id: Option<String>,
    /// The company's own id.
    pub external_id: Option<String>,
    /// `user` or `lead`.
    pub role: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// Country, region, city, as far as known.
    pub location: std::collections::BTreeMap<String, String>,
    /// Custom attributes.
    pub attributes: Map<String, Value>,
}

/// What a bot asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommandMessage {
    /// The protocol's version: 1.
    #[serde(default = "version")]
    pub v: u8,
    /// The command's id, chosen by the bot, 1 to 200 printable ASCII characters. The same id with
    /// the same payload is carried out once. May be left out in an HTTP response, where Baton
    /// numbers the commands by the event that they answer.
    #[serde(default)]
    pub id: Option<String>,
    /// The conversation. May be left out in an HTTP response.
    #[serde(default)]
    pub conversation: Option<ConversationRef>,
    /// A chat of the bot's own, in the place of a conversation. May be left out in an HTTP response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionRef>,
    /// The epoch of the event that this answers. May be left out in an HTTP response. Without it
    /// a reply that comes after a hand-over and back cannot be told from a fresh one.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The `seq` of the last event of the conversation that the bot had seen when it decided. May
    /// be left out in an HTTP response, where it is that of the event. With it a `close` that
    /// crosses a message of the customer's is superseded, and the message is not closed over.
    #[serde(default)]
    pub seq: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub command: CommandData,
}

fn version() -> u8 {
    VERSION
}

/// The body of an HTTP response to an event, and of a POST to Baton's address for commands.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Commands {
    /// What the bot asks for, in order. At most 20.
    #[serde(default)]
    pub commands: Vec<CommandMessage>,
}

/// The most commands that are taken at once.
pub const MAX_COMMANDS_AT_ONCE: usize = 20;

/// What a bot can ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum CommandData {
    /// Say something to the customer.
    Reply {
        /// What, as one message.
        content: Vec<BlockData>,
        /// How the bot came to it. Where it is named, the workspace's rules decide what becomes of
        /// the answer; without it the answer is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<TurnData>,
    },
    /// Tell the teammates something.
    Note {
        /// What, as Markdown.
        text: String,
    },
    /// Give the conversation to people.
    Handover {
        /// To whom; as the workspace's settings say where it is left out.
        #[serde(default)]
        to: Option<TargetData>,
        /// Why, for the teammates.
        #[serde(default)]
        reason: Option<String>,
        /// More for the teammates, as Markdown: a summary, collected data.
        #[serde(default)]
        note: Option<String>,
        /// A last message to the customer.
        #[serde(default)]
        content: Vec<BlockData>,
        /// Tags to attach; created when missing. A list, or a text with commas;
        /// `intercom_tags` is taken for it too.
        #[serde(default, alias = "intercom_tags")]
        tags: TagsData,
        /// Attributes to set.
        #[serde(default)]
        attributes: Map<String, Value>,
    },
    /// Close the conversation.
    Close {
        /// What the customer reads, as Markdown.
        #[serde(default)]
        reason: Option<String>,
        /// Tags to attach; created when missing. A list, or a text with commas;
        /// `intercom_tags` is taken for it too.
        #[serde(default, alias = "intercom_tags")]
        tags: TagsData,
        /// Attributes to set.
        #[serde(default)]
        attributes: Map<String, Value>,
    },
    /// Attach tags; created when missing.
    Tag {
        /// Their names: a list, or a text with commas; `intercom_tags` is taken for it too.
        #[serde(alias = "intercom_tags")]
        tags: TagsData,
    },
    /// Set custom attributes of the conversation. They must exist in the workspace.
    SetAttributes {
        /// Name and value of each.
        attributes: Map<String, Value>,
    },
    /// Look up the files of a message that the bot was told of, whose addresses run out after a while. The
    /// event `attachments` brings fresh ones.
    Attachments {
        /// Which part; null or left out for the conversation's first message.
        #[serde(default)]
        part_id: Option<String>,
    },
    /// Tell what was said once more, for a bot that has lost it: messages of the customer, of people and
    /// of the bot, no further than the bot was told of them. The event `replayed` brings them.
    Replay {
        /// From which part on; null or left out: from the conversation's first message.
        #[serde(default)]
        from: Option<String>,
        /// Up to which part; null or left out: up to the last that the bot was told of.
        #[serde(default)]
        to: Option<String>,
    },
    /// Snooze the conversation.
    Snooze {
        /// Until when, in Unix seconds.
        until: u64,
    },
    /// Give a chat of the bot's own to people: it is opened in Intercom, and what is said goes to and fro
    /// until it is closed. A second start while people have it joins it.
    TransferStart(Box<StartData>),
    /// The customer of a chat of the bot's own wrote.
    TransferMessage {
        /// What, as plain text.
        #[serde(default)]
        text: String,
        /// Files, at most 10.
        #[serde(default)]
        attachments: Vec<FileData>,
    },
    /// The customer ended a chat of the bot's own, or the bot takes it back.
    TransferEnd {
        /// Why, for the teammates.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Delete what the customer of a chat of the bot's own wrote, in Intercom.
    Redact {
        /// Which part: `command_done` has told it. The words with which the conversation was opened where it is
        /// none.
        #[serde(default)]
        part_id: Option<String>,
    },
}

/// Whom to hand over to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TargetData {
    /// A team, by its id.
    Team(String),
    /// A teammate, by their id.
    Teammate(String),
}

/// Why a command cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCommand {
    /// It is no JSON of the protocol's form.
    #[error("{0}")]
    Form(String),
    /// It is of another version.
    #[error("version {0} is not spoken here; 1 is")]
    Version(u8),
    /// A confidence is no share of one.
    #[error("a confidence is a number from 0 to 1")]
    Confidence,
    /// It has no id.
    #[error("a command needs an `id`")]
    NoId,
    /// It names no conversation.
    #[error("a command needs its `conversation`, or the `session` of a chat of the bot's own")]
    NoConversation,
    /// It begins a chat that has no name.
    #[error("`transfer_start` needs its `session`")]
    NoSession,
    /// A chat's name is none.
    #[error("a session's id is a text of 1 to 200 bytes")]
    Session,
    /// An id is no id.
    #[error("{field}: {source}")]
    Id {
        /// Where.
        field: &'static str,
        /// Why.
        source: InvalidId,
    },
}

pub(super) fn named(field: &'static str) -> impl Fn(InvalidId) -> BadCommand {
    move |source| BadCommand::Id { field, source }
}

impl ConversationRef {
    /// The conversation's address, if these are ids.
    ///
    /// # Errors
    /// [`BadCommand::Id`].
    pub fn key(&self) -> Result<ConversationKey, BadCommand> {
        let app_id = AppId::parse(&*self.intercom.app_id).map_err(named("app_id"))?;
        let conversation_id =
            ConversationId::parse(&*self.intercom.conversation_id).map_err(named("conversationId"))?;
        Ok(ConversationKey { app_id, conversation_id })
    }
}

impl SessionRef {
    /// The address under which a bot's chat is kept.
    ///
    /// # Errors
    /// [`BadCommand`] when these are no ids.
    pub fn key(&self, bot: &BotId) -> Result<ConversationKey, BadCommand> {
        let app_id = AppId::parse(&*self.app_id).map_err(named("session.app_id"))?;
        if self.id.is_empty() || self.id.len() > MAX_SESSION_BYTES {
            return Err(BadCommand::Session);
        }
        let conversation_id = session_row(bot, &self.id).map_err(named("session.id"))?;
        Ok(ConversationKey { app_id, conversation_id })
    }
}

impl CommandMessage {
    /// Reads a command.
    ///
    /// # Errors
    /// [`BadCommand::Form`] with the JSON error's words, which name the field.
    pub fn from_json(json: &[u8]) -> Result<Self, BadCommand> {
        serde_json::from_slice(json).map_err(|error| BadCommand::Form(error.to_string()))
    }

    /// This command with what an HTTP response may leave out: taken from the event that it
    /// answers, so the same response twice is the same command.
    #[must_use]
    pub fn answering(mut self, event: &EventMessage, position: usize) -> Self {
        self.id.get_or_insert_with(|| format!("{}/{position}", event.id));
        if self.conversation.is_none() && self.session.is_none() {
            self.session.clone_from(&event.session);
            self.conversation = event.conversation.clone().filter(|_| event.session.is_none());
        }
        // Epochs and numbers are a conversation's own: they say nothing of another one.
        let same_chat = match (&self.session, &event.session) {
            (Some(mine), Some(its)) => mine.id == its.id && mine.app_id == its.app_id,
            (None, _) => self.conversation.is_some() && self.conversation == event.conversation,
            (Some(_), None) => false,
        };
        if same_chat {
            self.epoch.get_or_insert(event.epoch);
            self.seq.get_or_insert(event.seq);
        }
        self
    }

    /// Which conversation it is about.
    ///
    /// # Errors
    /// [`BadCommand`] where it names none, or none that can be.
    pub fn key(&self, bot: &BotId) -> Result<ConversationKey, BadCommand> {
        match &self.session {
            Some(session) => session.key(bot),
            None => self.conversation.as_ref().ok_or(BadCommand::NoConversation)?.key(),
        }
    }

    /// Whether it can be carried out, as far as its form tells; about which conversation it is.
    ///
    /// # Errors
    /// [`BadCommand`] says what is missing or malformed.
    pub fn checked(&self, bot: &BotId) -> Result<ConversationKey, BadCommand> {
        let key = self.key(bot)?;
        self.clone().into_domain(bot.clone())?;
        Ok(key)
    }

    /// The command of a bot that has proved who it is.
    ///
    /// # Errors
    /// [`BadCommand`] says what is missing or malformed.
    pub fn into_domain(self, bot: BotId) -> Result<Command, BadCommand> {
        if self.v != VERSION {
            return Err(BadCommand::Version(self.v));
        }
        let digest = self.digest();
        let session = self.session.map(|session| session.id);
        let id = CommandId::parse(self.id.ok_or(BadCommand::NoId)?).map_err(named("id"))?;
        let ask = match self.command {
            CommandData::Reply { content, turn } => {
                let turn = turn.map(TurnData::into_domain).transpose()?;
                reply(content, turn)
            }
            CommandData::Note { text } => Ask::Note { text },
            CommandData::Handover { to, reason, note, content, tags, attributes } => {
                let to = match to {
                    None => HandoverTarget::Default,
                    Some(TargetData::Team(id)) => HandoverTarget::Team(TeamId::parse(id).map_err(named("to.team"))?),
                    Some(TargetData::Teammate(id)) => {
                        HandoverTarget::Teammate(AdminId::parse(id).map_err(named("to.teammate"))?)
                    }
                };
                Ask::Handover { to, reason, note, content: blocks(content), tags: tags.into_names(), attributes }
            }
            CommandData::Close { reason, tags, attributes } => {
                Ask::Close { reason, tags: tags.into_names(), attributes }
            }
            CommandData::Tag { tags } => Ask::Tag { tags: tags.into_names() },
            CommandData::SetAttributes { attributes } => Ask::SetAttributes { attributes },
            CommandData::Attachments { part_id } => {
                let part_id = part_id.map(PartId::parse).transpose().map_err(named("part_id"))?;
                Ask::Attachments { part_id }
            }
            CommandData::Replay { from, to } => Ask::Replay {
                from: from.map(PartId::parse).transpose().map_err(named("from"))?,
                to: to.map(PartId::parse).transpose().map_err(named("to"))?,
            },
            CommandData::TransferStart(start) => start.into_domain(session.ok_or(BadCommand::NoSession)?)?,
            CommandData::TransferMessage { text, attachments } => {
                Ask::TransferMessage { text, files: attachments.into_iter().map(File::from).collect() }
            }
            CommandData::TransferEnd { reason } => Ask::TransferEnd { reason },
            CommandData::Redact { part_id } => {
                Ask::Redact { part_id: part_id.map(PartId::parse).transpose().map_err(named("part_id"))? }
            }
            CommandData::Snooze { until } => Ask::Snooze { until: Timestamp::from_seconds(until) },
        };
        Ok(Command { id, bot, digest, epoch: self.epoch, seq: self.seq, ask })
    }

    /// SHA-256 of what it means, in hex. Object keys are sorted, so spelling does not matter.
    fn digest(&self) -> String {
        let value = serde_json::to_value(&self.command).unwrap_or_default();
        sha256_hex(value.to_string().as_bytes())
    }

    /// Whether it closes the conversation, which `close-conversation` does.
    #[must_use]
    pub fn closes(&self) -> bool {
        matches!(self.command, CommandData::Close { .. })
    }
}

/// A reply, or an escalation, where one of its blocks asks for people.
fn reply(mut content: Vec<BlockData>, turn: Option<Turn>) -> Ask {
    let connects = content.iter().find_map(|block| match block {
        BlockData::ConnectToAgent { note } => Some(note.clone()),
        _ => None,
    });
    content.retain(|block| !matches!(block, BlockData::ConnectToAgent { .. }));
    let content = blocks(content);
    match (connects, turn) {
        (Some(note), turn) => Ask::Escalate { content, note, turn },
        (None, Some(turn)) => Ask::Answer { content, turn },
        (None, None) => Ask::Reply { content },
    }
}

fn blocks(content: Vec<BlockData>) -> Vec<Block> {
    content.into_iter().filter_map(BlockData::into_domain).collect()
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

impl AgentData {
    fn new(agent: &Agent) -> Self {
        Self { id: agent.id.to_string(), name: agent.name.clone(), avatar: agent.avatar.clone() }
    }
}

impl AttachmentData {
    fn new(attachment: &Attachment) -> Self {
        Self {
            name: attachment.name.clone(),
            url: attachment.url.clone(),
            content_type: attachment.content_type.clone(),
            size_bytes: attachment.size_bytes,
        }
    }
}

impl MessageData {
    fn new(message: &Message, by_email: bool) -> Self {
        let body = message.body.as_ref();
        let all = body.map(incoming::text).unwrap_or_default();
        let own =
            body.filter(|_| by_email && message.author.kind == AuthorKind::Customer).and_then(incoming::own_words);
        let full_text = own.is_some().then(|| all.clone());
        let (text, markdown) = own.unwrap_or_else(|| (all, body.map(incoming::markdown).unwrap_or_default()));
        let kind = match message.author.kind {
            AuthorKind::Customer => "customer",
            AuthorKind::Teammate => "teammate",
            AuthorKind::Operator => "operator",
            AuthorKind::Other => "other",
        };
        let attachments = message.attachments.iter().map(AttachmentData::new);
        Self {
            part_id: message.part_id.as_ref().map(|part_id| part_id.to_string()),
            author: AuthorData {
                kind: kind.to_owned(),
                id: message.author.id.clone(),
                name: message.author.name.clone(),
                avatar: None,
            },
            text,
            markdown,
            full_text,
            choice: message.choice.as_ref().map(ChoiceData::from),
            attachments: attachments.collect(),
            created_at: message.created_at.0,
        }
    }
}

impl ContextData {
    fn new(state: &Conversation) -> Self {
        let profile = state.profile.clone();
        Self {
            contact: ContactData {
                id: profile.contact_id,
                external_id: profile.external_id,
                role: profile.role,
                name: profile.name,
                email: profile.email,
                phone: profile.phone,
                language: profile.language,
                location: profile.location,
                attributes: profile.contact_attributes,
            },
            attributes: profile.conversation_attributes,
            tags: profile.tags,
            url: profile.url,
            delivered_as: profile.delivered_as,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_meaning_has_the_same_digest_however_it_is_spelt() {
        let one = CommandMessage::from_json(br#"{"v":1,"id":"c1","type":"note","data":{"text":"a"}}"#).unwrap();
        let two = CommandMessage::from_json(br#"{"data":{"text":"a","new_field":1},"id":"c2","type":"note"}"#).unwrap();
        let three = CommandMessage::from_json(br#"{"v":1,"id":"c1","type":"note","data":{"text":"b"}}"#).unwrap();
        assert_eq!(one.digest(), two.digest());
        assert_ne!(one.digest(), three.digest());
    }

    #[test]
    fn tags_are_named_by_a_list_or_a_text_under_either_name() {
        for tags in [r#""tags":["a","b, c"]"#, r#""intercom_tags":["a","b, c"]"#] {
            let json = format!(r#"{{"id":"c1","type":"handover","data":{{{tags}}}}}"#);
            let command = CommandMessage::from_json(json.as_bytes()).unwrap();
            let Ask::Handover { tags, .. } = command.into_domain(BotId::parse("demo").unwrap()).unwrap().ask else {
                panic!("it is a hand-over")
            };
            assert_eq!(tags, ["a", "b, c"]);
        }
        let command =
            CommandMessage::from_json(br#"{"id":"c1","type":"tag","data":{"intercom_tags":"a, b"}}"#).unwrap();
        let ask = command.into_domain(BotId::parse("demo").unwrap()).unwrap().ask;
        assert_eq!(ask, Ask::Tag { tags: vec!["a".to_owned(), "b".to_owned()] });
    }

    #[test]
    fn an_answer_knows_what_its_event_told_of_its_own_conversation_only() {
        let key: ConversationKey = "abc123#1".parse().unwrap();
        let mut event = EventMessage::refusal(
            &key,
            &BotId::parse("demo").unwrap(),
            &CommandId::parse("c").unwrap(),
            "",
            String::new(),
            Timestamp(0),
        );
        (event.seq, event.epoch) = (7, 3);
        let close = |more: &str| {
            let json = format!(r#"{{"type":"close","data":{{}}{more}}}"#);
            let command = CommandMessage::from_json(json.as_bytes()).unwrap().answering(&event, 0);
            (command.epoch, command.seq)
        };
        assert_eq!(close(""), (Some(3), Some(7)));
        assert_eq!(close(r#","seq":5,"epoch":2"#), (Some(2), Some(5)), "what the bot says stands");
        let elsewhere = r#","conversation":{"intercom":{"app_id":"abc123","conversationId":"2"}}"#;
        assert_eq!(close(elsewhere), (None, None));
    }

    #[test]
    fn a_command_that_cannot_be_read_says_where() {
        let error = CommandMessage::from_json(br#"{"v":1,"id":"c1","type":"reply","data":{}}"#).unwrap_err();
        assert!(error.to_string().contains("content"), "{error}");
        let error = CommandMessage::from_json(br#"{"v":1,"id":"c1","type":"dance","data":{}}"#).unwrap_err();
        assert!(error.to_string().contains("dance"), "{error}");
        let bot = || BotId::parse("demo").unwrap();
        let command = CommandMessage::from_json(br#"{"v":2,"id":"c1","type":"note","data":{"text":"a"}}"#).unwrap();
        assert_eq!(command.into_domain(bot()), Err(BadCommand::Version(2)));
        let command = CommandMessage::from_json(br#"{"type":"note","data":{"text":"a"}}"#).unwrap();
        assert_eq!(command.key(&bot()), Err(BadCommand::NoConversation));
        assert_eq!(command.into_domain(bot()), Err(BadCommand::NoId));
    }
}
