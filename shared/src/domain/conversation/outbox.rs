//! The way of an action to Intercom, and of a command to its end, as they are kept.
//!
//! An entry's way is a claim, one attempt, and a confirmation; [`crate::domain::step`] takes it there.

use serde::{Deserialize, Serialize};

use super::Action;
use crate::domain::ids::{ClaimId, CommandId, PartId, Timestamp};

/// How far an outbox entry has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Progress {
    /// Waits for its turn.
    Pending {
        /// Not before this moment (the reset of a rate limit).
        #[serde(default)]
        not_before: Timestamp,
    },
    /// A worker has it, and may be sending it at this moment.
    Claimed {
        /// The worker's name for this attempt.
        claim: ClaimId,
        /// When the worker is certainly dead; from then on the outcome counts as unknown.
        until: Timestamp,
        /// The last part that was known when it was claimed: what it makes comes after.
        #[serde(default)]
        after: Option<PartId>,
    },
    /// It may or may not have reached Intercom.
    Unknown {
        /// When a late arrival is no longer to be expected, and Intercom may be asked.
        settle_at: Timestamp,
        /// As in [`Progress::Claimed`].
        #[serde(default)]
        after: Option<PartId>,
    },
}

/// What an outbox entry means for the command that asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The command is done when this entry is, and fails with it.
    Completes,
    /// The command fails with it.
    Required,
    /// The command goes on without it.
    Optional,
}

/// An action on its way to Intercom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Its number in this conversation, from 1.
    pub seq: u64,
    /// The epoch in which it was decided.
    pub epoch: u64,
    /// The number of the last event until then that told of a customer's message.
    #[serde(default)]
    pub last_message: Option<u64>,
    /// The command that asked for it; none where Baton itself decided.
    #[serde(default)]
    pub command: Option<CommandId>,
    /// What the entry means for its command.
    pub weight: Weight,
    /// What to do.
    pub action: Action,
    /// How far it has come.
    pub progress: Progress,
    /// How long after what was before it, in milliseconds; 0 once that time has begun.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pause_ms: u64,
    /// The bot's suggestion that a teammate has sent by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
}

/// A suggestion on its way to the customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The command that asked for it.
    pub command: CommandId,
    /// Which of several it is.
    #[serde(default)]
    pub number: Option<usize>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(ms: &u64) -> bool {
    *ms == 0
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum CommandOutcome {
    /// On its way.
    Accepted,
    /// Carried out.
    Done {
        /// The part that it made.
        #[serde(default)]
        part_id: Option<PartId>,
    },
    /// Refused.
    Rejected {
        /// Why, for programs.
        code: String,
        /// Why, for people.
        message: String,
    },
    /// Too late.
    Superseded {
        /// What came before it.
        #[serde(default)]
        by: Overtaker,
    },
}

/// What came before a command that is too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overtaker {
    /// Somebody took the conversation over, or gave it back.
    #[default]
    Turn,
    /// The customer's message, which the bot did not know when it decided to close.
    Message,
    /// A rule of the workspace: the answer is left unsaid, or to people.
    Rule,
}

impl Overtaker {
    /// Its name in the bot protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Message => "message",
            Self::Rule => "rule",
        }
    }
}

/// A command that was seen, so that it is not carried out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// Its id.
    pub id: CommandId,
    /// SHA-256 of its meaning, in hex: the same id with another payload is a mistake.
    pub digest: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: CommandOutcome,
}
