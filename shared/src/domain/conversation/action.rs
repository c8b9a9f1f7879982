//! What is to be done in Intercom, and what is so of each kind of it: which function does it, whether it
//! outlives a take-over, whether doing it twice would show.
//!
//! On its way there it is an [`super::OutboxEntry`].

use serde::{Deserialize, Serialize};

use crate::domain::content::Offer;
use crate::domain::ids::{AdminId, ContactId, PartId, Timestamp};
use crate::domain::part::Assignee;
use crate::domain::transfer::{Contact, Customer, File};

/// What is to be done in Intercom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Action {
    /// A message that the customer reads.
    Reply {
        /// Intercom HTML.
        html: String,
        /// Addresses of files; at most 10.
        #[serde(default)]
        attachment_urls: Vec<String>,
        /// Answers to choose from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<Offer>,
    },
    /// A note that teammates read.
    Note {
        /// Intercom HTML.
        html: String,
    },
    /// Assign to somebody else.
    Assign {
        /// To whom.
        to: Assignee,
        /// To whom when Intercom refuses that one, best first.
        #[serde(default)]
        fallbacks: Vec<Assignee>,
    },
    /// Assign to the bot, if it is still where it was: whoever took it meanwhile keeps it.
    Take {
        /// Where it was.
        from: Assignee,
    },
    /// Close, with a last message that the customer reads.
    Close {
        /// Intercom HTML, if there is something to say.
        #[serde(default)]
        html: Option<String>,
    },
    /// Open it again.
    Open,
    /// Attach a tag, which is created when missing.
    Tag {
        /// Its name.
        name: String,
    },
    /// Set custom attributes of the conversation.
    SetAttributes {
        /// Name and value of each.
        attributes: serde_json::Map<String, serde_json::Value>,
    },
    /// Look up the files of a message, whose addresses run out.
    Attachments {
        /// Of which part; of the first message where it is none.
        #[serde(default)]
        part_id: Option<PartId>,
    },
    /// Look up what was said.
    Replay {
        /// From which part on; from the first message where it is none.
        #[serde(default)]
        from: Option<PartId>,
        /// Up to which part; the first message alone where it is none.
        #[serde(default)]
        to: Option<PartId>,
    },
    /// Snooze.
    Snooze {
        /// Until when.
        until: Timestamp,
    },
    /// Look whether people are there for a hand-over.
    LookWhoIsThere {
        /// To whom.
        to: Assignee,
    },
    /// Find the customer in Intercom, or make them known there.
    FindContact {
        /// The customer.
        customer: Customer,
        /// The chat, by which somebody who is not known is told from others.
        session: String,
    },
    /// Say something as the customer: where the conversation is not opened yet, that opens it. Which of
    /// the two it is shows when its turn has come.
    Say {
        /// The words, as plain text.
        text: String,
        /// Files.
        #[serde(default)]
        files: Vec<File>,
    },
    /// Open a conversation with the customer's own words.
    Begin {
        /// As whom.
        contact: Contact,
        /// The words, as plain text.
        text: String,
        /// Files.
        #[serde(default)]
        files: Vec<File>,
    },
    /// Say something as the customer in a conversation that is opened.
    Relay {
        /// As whom.
        contact: ContactId,
        /// The words, as plain text.
        text: String,
        /// Files.
        #[serde(default)]
        files: Vec<File>,
    },
    /// Take a teammate off it who does not answer, if they still have it.
    Unseat {
        /// Who.
        teammate: AdminId,
    },
    /// Delete the words of a message.
    Redact {
        /// Which; the first message where it is none.
        #[serde(default)]
        part_id: Option<PartId>,
    },
}

/// Which function carries an action out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// `bot-reply`.
    Replies,
    /// `close-conversation`.
    Close,
}

impl Action {
    /// The action's name in logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reply { .. } => "reply",
            Self::Note { .. } => "note",
            Self::Assign { .. } => "assign",
            Self::Take { .. } => "take",
            Self::Close { .. } => "close",
            Self::Open => "open",
            Self::Tag { .. } => "tag",
            Self::SetAttributes { .. } => "set_attributes",
            Self::Attachments { .. } => "attachments",
            Self::Replay { .. } => "replay",
            Self::Snooze { .. } => "snooze",
            Self::LookWhoIsThere { .. } => "look_who_is_there",
            Self::FindContact { .. } => "find_contact",
            Self::Say { .. } => "say",
            Self::Begin { .. } => "begin",
            Self::Relay { .. } => "relay",
            Self::Redact { .. } => "redact",
            Self::Unseat { .. } => "unseat",
        }
    }

    /// The function that carries it out.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::Close { .. } => Lane::Close,
            _ => Lane::Replies,
        }
    }

    /// Whether it dies with its epoch. Notes, tags and attributes are for teammates and stay true
    /// after a take-over; everything else would act over a person.
    #[must_use]
    pub fn dies_with_its_epoch(&self) -> bool {
        !matches!(
            self,
            Self::Note { .. }
                | Self::Tag { .. }
                | Self::SetAttributes { .. }
                | Self::Attachments { .. }
                | Self::Replay { .. }
                | Self::Redact { .. }
        )
    }

    /// Whether carrying it out twice would show twice, because it adds a part instead of setting
    /// a state that can be read first.
    #[must_use]
    pub fn adds_a_message(&self) -> bool {
        matches!(
            self,
            Self::Reply { .. } | Self::Note { .. } | Self::Say { .. } | Self::Begin { .. } | Self::Relay { .. }
        )
    }
}
