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
    /// Answers to choose from. Offered last, whatever stands behind them.
    Options {
        /// The question, as Markdown.
        text: Option<String>,
        /// The answers.
        options: Vec<Choice>,
    },
    /// Something with a title, perhaps a picture, and where to go from there.
    Card(Card),
    /// Several things, as a list.
    List {
        /// Above them.
        title: Option<String>,
        /// The things.
        items: Vec<Card>,
    },
    /// Several cards, one below the other: Intercom has no carousel.
    Carousel {
        /// The cards.
        cards: Vec<Card>,
    },
    /// What follows is said this much later.
    Pause {
        /// Milliseconds.
        ms: u64,
    },
}

/// An answer to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// What the customer reads.
    pub label: String,
    /// What the bot gets back.
    pub value: String,
}

/// A card, or one thing of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Card {
    /// What it is.
    pub title: String,
    /// More, as plain text.
    pub description: Option<String>,
    /// `https` address of a picture.
    pub image_url: Option<String>,
    /// Where its title leads.
    pub url: Option<String>,
    /// Further links.
    pub links: Vec<Link>,
}

/// A link with its label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What the customer reads.
    pub label: String,
    /// Where it leads: `https`, `http` or `mailto`.
    pub url: String,
}

/// Answers that are offered with a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The answers.
    pub options: Vec<OfferedOption>,
    /// Whether they are Intercom's own quick replies. Then the message's HTML, which numbers them, is
    /// what is sent instead where Intercom refuses those.
    pub buttons: bool,
}

/// One answer that is offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferedOption {
    /// By what Intercom tells that it was pressed.
    pub uuid: String,
    /// The answer.
    #[serde(flatten)]
    pub choice: Choice,
}

/// What of Intercom's quick replies is in a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QuickReplies {
    /// The ids of the ones that it offers.
    pub offered: Vec<String>,
    /// The id of the one that was pressed.
    pub pressed: Option<String>,
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
    /// The id of the quick reply that the customer pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressed: Option<String>,
    /// Which of the bot's options it chooses, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
}
