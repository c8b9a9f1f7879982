//! The bot protocol, version 1: what Baton tells bots, and what bots may ask.
//!
//! These types are the protocol: the JSON Schemas in `shared/schema/` are generated from them. A
//! reader skips fields that it does not know, so fields may be added within a version.

mod command;
mod event;
mod told;

use serde::{Deserialize, Serialize};

pub use self::command::{CommandData, CommandMessage, Commands, MAX_COMMANDS_AT_ONCE, TargetData};
pub use self::event::{Event, EventMessage};
pub use self::told::{AgentData, AttachmentData, AuthorData, ContactData, ContextData, MessageData};
use crate::domain::ids::{AppId, BotId, ConversationId, ConversationKey, InvalidId};
use crate::domain::transfer::{MAX_SESSION_BYTES, session_row};
pub use crate::wire::blocks::{BlockData, CardData, ChoiceData, FormatData, LinkData};
pub use crate::wire::start::{CustomerData, FileData, LineData, StartData};

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
