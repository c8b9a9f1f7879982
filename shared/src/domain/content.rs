//! What is said: content blocks from bots, messages from Intercom. Values only; how they look in
//! Intercom is [`super::render`]'s matter, how HTML becomes text is [`super::incoming`]'s.

use serde::{Deserialize, Serialize};

use super::ids::{PartId, Timestamp};

/// How a bot's text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextFormat {
    /// As it stands; every character is shown.
    Plain,
    /// CommonMark.
    Markdown,
    /// HTML, cut down to an allow-list.
    Html,
}

/// One piece of a bot's message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// How they are written.
        format: TextFormat,
    },
    /// A picture by its address.
    Image {
        /// `https` address, which Intercom and the customer's browser fetch.
        url: String,
        /// Shown above it, in bold.
        title: Option<String>,
        /// Shown below the title.
        description: Option<String>,
    },
    /// A file by its address, attached to the message.
    File {
        /// `https` address, which Intercom fetches.
        url: String,
        /// What it is called.
        name: Option<String>,
    },
}

/// Whether a body from Intercom is HTML (webhooks up to version 2.14, and the REST API) or plain
/// text (webhooks from 2.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFormat {
    /// HTML.
    Html,
    /// Plain text.
    Plain,
}

/// A message's body as Intercom gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// The text, in `format`.
    pub text: String,
    /// How to read it.
    pub format: BodyFormat,
}

impl Body {
    /// An HTML body.
    #[must_use]
    pub fn html(text: impl Into<String>) -> Self {
        Self { text: text.into(), format: BodyFormat::Html }
    }
}

/// A file in a message from Intercom. Its address is temporary (30 minutes for customers' uploads).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is called.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it is, for now.
    pub url: String,
    /// Its media type.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Its size in bytes.
    #[serde(default)]
    pub size_bytes: Option<u64>,
}

/// Who wrote something in Intercom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    /// User, lead or visitor (`user`, `lead`, `contact`).
    Customer,
    /// A person on the team (`admin`), or our own bot teammate: the id tells.
    Teammate,
    /// Fin, Operator or a workflow (`bot`). Never taken for a person.
    Operator,
    /// Anything else, `team` among them.
    Other,
}

/// The author of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// What kind of author.
    pub kind: AuthorKind,
    /// The author's id within its kind.
    pub id: String,
    /// The name that Intercom shows.
    #[serde(default)]
    pub name: Option<String>,
}

/// A message that somebody wrote in Intercom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The part, or none for the conversation's first message (Intercom's `source`).
    #[serde(default)]
    pub part_id: Option<PartId>,
    /// Who wrote it.
    pub author: Author,
    /// What was written, if anything beside attachments.
    #[serde(default)]
    pub body: Option<Body>,
    /// Files with it.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// When.
    pub created_at: Timestamp,
}
