//! What the bot is told of a conversation.
//!
//! What is told, and in which order, [`crate::domain::step`] decides; how it reads on the wire is not its matter.

use serde::{Deserialize, Serialize};

use super::Overtaker;
use crate::domain::content::{Attachment, Message};
use crate::domain::ids::{AdminId, BotId, CommandId, ConversationId, PartId, TeamId, Timestamp};
use crate::domain::part::Rating;
use crate::domain::transfer::{Agent, Availability, Outcome, Patience};

/// What the bot missed while people had the conversation.
pub type Stretch = Vec<Message>;

/// Something that the bot is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum EventKind {
    /// The customer wrote.
    Message {
        /// What.
        message: Message,
        /// What was written right before it and belongs to the same turn, oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier: Vec<Message>,
    },
    /// A message that the bot was told of has been deleted.
    MessageRedacted {
        /// Which.
        part_id: PartId,
    },
    /// It waits for people: handed over, or taken from the bot, to a team or to nobody.
    HandoverWaiting {
        /// The team, or none for Unassigned.
        #[serde(default)]
        team: Option<TeamId>,
    },
    /// A person has it, or has spoken in it.
    AgentJoined {
        /// Who.
        teammate: AdminId,
        /// By which name.
        #[serde(default)]
        name: Option<String>,
    },
    /// The bot has it again.
    Resumed {
        /// What was said since it last heard, oldest first, without what follows as `message`.
        stretch: Stretch,
    },
    /// It was closed.
    Closed {
        /// Whether the bot's own command closed it.
        by_bot: bool,
    },
    /// The customer rated it.
    Rated {
        /// How.
        rating: Rating,
    },
    /// A command was carried out.
    CommandDone {
        /// Which.
        command_id: CommandId,
        /// The part that it made, where it made one.
        #[serde(default)]
        part_id: Option<PartId>,
    },
    /// Fresh addresses of a message's files, for the command that asked for them.
    Attachments {
        /// Which command; it is done.
        command_id: CommandId,
        /// Of which part, or of the first message.
        #[serde(default)]
        part_id: Option<PartId>,
        /// The files, as Intercom shows them now.
        attachments: Vec<Attachment>,
    },
    /// What was said, told once more, for the command that asked for it.
    Replayed {
        /// Which command; it is done.
        command_id: CommandId,
        /// What was said, oldest first.
        messages: Vec<Message>,
        /// From which part on it goes on, where it was too much.
        #[serde(default)]
        next: Option<PartId>,
    },
    /// A command was refused, by Baton or by Intercom. It will not be tried again.
    CommandRejected {
        /// Which.
        command_id: CommandId,
        /// Why, for programs.
        code: String,
        /// Why, for people.
        message: String,
    },
    /// A command came too late.
    CommandSuperseded {
        /// Which.
        command_id: CommandId,
        /// What came before it.
        #[serde(default)]
        by: Overtaker,
    },
    /// What a rule had left to people is said after all: a teammate wants it so.
    SuggestionSent {
        /// The command that had asked for it.
        command_id: CommandId,
        /// The candidate, from 1; none where it is the answer itself.
        #[serde(default)]
        number: Option<usize>,
    },
    /// A chat of the bot's is given to people although nobody is there now.
    NobodyThere {
        /// Whether nobody could take it at all, or until when, where that is known.
        availability: Availability,
        /// What the customer is promised.
        message: String,
    },
    /// Another teammate has the bot's chat.
    AgentChanged {
        /// Who.
        agent: Agent,
        /// Who had it before.
        former: Agent,
    },
    /// The teammate has the bot's chat no more; nobody has it.
    AgentLeft {
        /// Who had it.
        agent: Agent,
    },
    /// Somebody said something to the customer of the bot's chat.
    AgentMessage {
        /// What.
        message: Message,
    },
    /// Somebody was waited for in vain.
    TimedOut {
        /// Who.
        patience: Patience,
        /// What the customer is told.
        #[serde(default)]
        message: Option<String>,
        /// What becomes of the chat.
        then: Outcome,
    },
    /// The bot's chat is with people again: it was opened in Intercom.
    Reopened,
    /// The bot has its chat again, by itself.
    Returned {
        /// Who ended it.
        by: Ender,
        /// What was said since it was given away, oldest first.
        stretch: Stretch,
    },
}

impl EventKind {
    /// The event's name in the bot protocol and in logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::MessageRedacted { .. } => "message_redacted",
            Self::HandoverWaiting { .. } => "handover_waiting",
            Self::AgentJoined { .. } => "agent_joined",
            Self::Resumed { .. } => "resumed",
            Self::Closed { .. } => "closed",
            Self::Rated { .. } => "rated",
            Self::CommandDone { .. } => "command_done",
            Self::Attachments { .. } => "attachments",
            Self::Replayed { .. } => "replayed",
            Self::CommandRejected { .. } => "command_rejected",
            Self::CommandSuperseded { .. } => "command_superseded",
            Self::SuggestionSent { .. } => "suggestion_sent",
            Self::NobodyThere { .. } => "nobody_there",
            Self::AgentChanged { .. } => "agent_changed",
            Self::AgentLeft { .. } => "agent_left",
            Self::AgentMessage { .. } => "agent_message",
            Self::TimedOut { .. } => "timed_out",
            Self::Reopened => "reopened",
            Self::Returned { .. } => "closed",
        }
    }
}

/// Who ended the relaying of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ender {
    /// People closed it, or gave it to the bot.
    People,
    /// The customer, by the bot's command.
    Customer,
    /// Somebody was waited for in vain.
    TimeOut,
    /// The conversation was deleted.
    Deletion,
}

impl Ender {
    /// Its name in the bot protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Customer => "customer",
            Self::TimeOut => "timeout",
            Self::Deletion => "deletion",
        }
    }
}

/// An event on its way to the bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEvent {
    /// Its number in this conversation, from 1.
    pub seq: u64,
    /// The epoch in which it happened.
    pub epoch: u64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// For which bot.
    pub bot: BotId,
    /// What happened.
    pub kind: EventKind,
    /// In which conversation of Intercom's, where it is not the one that the row is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<ConversationId>,
    /// How often it has been tried in vain.
    #[serde(default)]
    pub attempts: u32,
    /// Not before this moment.
    #[serde(default)]
    pub due_at: Timestamp,
}
