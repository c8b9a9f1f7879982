//! What Baton's functions say to each other over queues. Versioned: a function of the version
//! before must be able to read it, or leave it to the one that can.
//!
//! Queues carry identities, the table carries truth: losing, repeating or reordering one of these
//! changes nothing but the time. Only what is not in the table yet travels in full: a
//! notification, and a bot's command.

use serde::{Deserialize, Serialize};

use super::intercom::ConversationItem;

/// The version of these messages.
pub const VERSION: u8 = 1;

/// Towards `conversation-router`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InboxMessage {
    /// The version of the form.
    pub v: u8,
    /// The workspace. It was bound by the signature.
    pub app_id: String,
    /// The conversation.
    pub conversation_id: String,
    /// What happened.
    #[serde(flatten)]
    pub news: News,
}

/// What happened to a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum News {
    /// Intercom notified us; what it showed, slimmed.
    Notification {
        /// The topic.
        topic: String,
        /// The conversation.
        item: Box<ConversationItem>,
    },
    /// Something happened; what, is to be fetched. For notifications that are too large or that
    /// cannot be read in detail, and for the sweep.
    Doorbell,
    /// It was deleted.
    Deleted,
    /// Something is due.
    Due,
}

/// Towards `bot-dispatch`, `bot-reply` and `close-conversation`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkMessage {
    /// There is something to do for this conversation; the table says what. Harmless, whoever
    /// sends it.
    Wake {
        /// The version of the form.
        v: u8,
        /// The workspace.
        app_id: String,
        /// The conversation.
        conversation_id: String,
    },
    /// A bot asks for something, and has proved to one of our functions to be that bot.
    Command {
        /// The version of the form.
        v: u8,
        /// The bot.
        bot: String,
        /// What it asks for, in the bot protocol's form.
        command: Box<super::bot::CommandMessage>,
    },
    /// A bot is to be told that its command could not even be recorded.
    Refusal {
        /// The version of the form.
        v: u8,
        /// The bot.
        bot: String,
        /// What it is told, in the bot protocol's form.
        event: Box<super::bot::EventMessage>,
    },
}
