//! What bots ask for, as values. The wire form is [`crate::wire::bot`]'s matter.

use super::content::Block;
use super::ids::{AdminId, BotId, CommandId, PartId, TeamId, Timestamp};
use super::part::Assignee;
use super::rules::Turn;
use super::transfer::{Customer, File};

/// Whom a bot wants to hand over to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandoverTarget {
    /// A team.
    Team(TeamId),
    /// A teammate.
    Teammate(AdminId),
    /// As the settings say.
    Default,
}

/// What a bot asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// Say something to the customer.
    Reply {
        /// What.
        content: Vec<Block>,
    },
    /// Say something to the customer, if the workspace's rules let the bot say what it came to so.
    Answer {
        /// What.
        content: Vec<Block>,
        /// How the bot came to it.
        turn: Turn,
    },
    /// Give the conversation to people, as the rules and the settings say: the dialog came to a place
    /// that only they are to go on from.
    Escalate {
        /// A last message to the customer.
        content: Vec<Block>,
        /// For the teammates.
        note: Option<String>,
        /// How the bot came to it, where it says so.
        turn: Option<Turn>,
    },
    /// Tell the teammates something.
    Note {
        /// What, as Markdown.
        text: String,
    },
    /// Give the conversation to people.
    Handover {
        /// To whom.
        to: HandoverTarget,
        /// Why, for the teammates.
        reason: Option<String>,
        /// More for the teammates, as Markdown.
        note: Option<String>,
        /// A last message to the customer.
        content: Vec<Block>,
        /// Tags to attach.
        tags: Vec<String>,
        /// Attributes to set.
        attributes: serde_json::Map<String, serde_json::Value>,
    },
    /// Close the conversation.
    Close {
        /// What the customer reads, as Markdown.
        reason: Option<String>,
        /// Tags to attach.
        tags: Vec<String>,
        /// Attributes to set.
        attributes: serde_json::Map<String, serde_json::Value>,
    },
    /// Attach tags.
    Tag {
        /// Their names.
        tags: Vec<String>,
    },
    /// Set attributes.
    SetAttributes {
        /// Name and value of each.
        attributes: serde_json::Map<String, serde_json::Value>,
    },
    /// Fresh addresses of a message's files.
    Attachments {
        /// Which part; the conversation's first message where it is none.
        part_id: Option<PartId>,
    },
    /// Everything that was said, told once more.
    Replay {
        /// From which part on; from the conversation's first message where it is none.
        from: Option<PartId>,
        /// Up to which part; up to the last that the bot was told of where it is none.
        to: Option<PartId>,
    },
    /// Snooze.
    Snooze {
        /// Until when.
        until: Timestamp,
    },
    /// Give a chat of the bot's own to people.
    TransferStart(Box<TransferStart>),
    /// The customer of such a chat wrote.
    TransferMessage {
        /// What, as plain text.
        text: String,
        /// Files.
        files: Vec<File>,
    },
    /// The customer ended such a chat.
    TransferEnd {
        /// Why, for the teammates.
        reason: Option<String>,
    },
    /// Delete a message of the customer's that went to Intercom.
    Redact {
        /// Which; the words with which the conversation was opened where it is none.
        part_id: Option<PartId>,
    },
}

/// A chat that is to be given to people.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TransferStart {
    /// The bot platform's name of it.
    pub session: String,
    /// By which channel the customer writes.
    pub channel: String,
    /// The customer.
    pub customer: Customer,
    /// The customer's own last words, as plain text.
    pub text: String,
    /// Files with them.
    pub files: Vec<File>,
    /// To whom; as the channel is mapped where it is none.
    pub to: Option<Assignee>,
    /// Why, for the teammates.
    pub reason: Option<String>,
    /// What it is about, as Markdown, for the teammates.
    pub summary: Option<String>,
    /// What the bot has collected: name and value.
    pub data: Vec<(String, String)>,
    /// What was said before.
    pub transcript: Vec<Line>,
    /// Tags to attach.
    pub tags: Vec<String>,
    /// Attributes of the conversation to set.
    pub attributes: serde_json::Map<String, serde_json::Value>,
}

/// One line of what was said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Whether the customer said it, or the bot.
    pub by_customer: bool,
    /// By which name.
    pub name: Option<String>,
    /// The words, as Markdown.
    pub text: String,
    /// When, where it is known.
    pub at: Option<Timestamp>,
}

/// A command from a bot, which has proved to be that bot.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Its id: the same id is carried out once.
    pub id: CommandId,
    /// Who asks.
    pub bot: BotId,
    /// SHA-256 of its meaning, in hex.
    pub digest: String,
    /// The epoch in which the bot decided it, where it said so.
    pub epoch: Option<u64>,
    /// The number of the last event that the bot had seen when it decided, where it said so.
    pub seq: Option<u64>,
    /// What it asks for.
    pub ask: Ask,
}
