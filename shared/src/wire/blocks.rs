//! The bot protocol's content: what a bot's message is made of, and what of it the customer chose. Part
//! of [`super::bot`], and versioned with it.

use serde::{Deserialize, Serialize};

use crate::domain::content::{Block, Card, Choice, Link, TextFormat};

/// One piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BlockData {
    /// Words.
    Text {
        /// The words.
        text: String,
        /// How they are written.
        #[serde(default)]
        format: FormatData,
    },
    /// A picture.
    Image {
        /// Its `https` address.
        url: String,
        /// Shown above it.
        #[serde(default)]
        title: Option<String>,
        /// Shown below the title.
        #[serde(default)]
        description: Option<String>,
    },
    /// A file.
    File {
        /// Its `https` address.
        url: String,
        /// What it is called.
        #[serde(default)]
        name: Option<String>,
    },
    /// Answers to choose from, after everything else of the message: Intercom's quick replies where the
    /// API's version has them, else a list with numbers. A button that is pressed, a number or a label
    /// that is typed comes back as the message's `choice`. One a message, and none in a hand-over.
    Options {
        /// The question, as Markdown.
        #[serde(default)]
        text: Option<String>,
        /// The answers, 1 to 20. No two may read the same.
        options: Vec<ChoiceData>,
    },
    /// Something with a title: shown in bold, then the description, the picture, the links.
    Card(CardData),
    /// Several things, shown as a list.
    List {
        /// Shown above it.
        #[serde(default)]
        title: Option<String>,
        /// The things, 1 to 30.
        items: Vec<CardData>,
    },
    /// Several cards, shown one below the other.
    Carousel {
        /// The cards, 1 to 30.
        cards: Vec<CardData>,
    },
    /// What follows is said this much after what was said before. What the bot says later stays behind
    /// it. Without anything to follow it is nothing.
    Pause {
        /// Milliseconds, 1 to 30,000.
        ms: u64,
    },
    /// People are to go on from here: a reply with it hands the conversation over, with its other
    /// blocks as the last message.
    ConnectToAgent {
        /// For the teammates, as Markdown.
        #[serde(default)]
        note: Option<String>,
    },
}

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FormatData {
    /// As it stands.
    Plain,
    /// CommonMark.
    #[default]
    Markdown,
    /// HTML, cut down to paragraphs, headings, lists, emphasis, code, links and pictures.
    Html,
}

/// An answer to choose from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChoiceData {
    /// What the customer reads, at most 200 bytes.
    pub label: String,
    /// What the bot gets back, at most 1,000 bytes.
    pub value: String,
}

/// A card, or one thing of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CardData {
    /// What it is.
    pub title: String,
    /// More, as plain text.
    #[serde(default)]
    pub description: Option<String>,
    /// `https` address of a picture.
    #[serde(default)]
    pub image_url: Option<String>,
    /// Where the title leads: an `https`, `http` or `mailto` address.
    #[serde(default)]
    pub url: Option<String>,
    /// Further links, at most 20.
    #[serde(default)]
    pub links: Vec<LinkData>,
}

/// A link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LinkData {
    /// What the customer reads.
    pub label: String,
    /// Where it leads: an `https`, `http` or `mailto` address.
    pub url: String,
}

impl BlockData {
    /// The block; none where it is nothing to say, but an escalation, which [`super::bot`] heeds.
    #[must_use]
    pub fn into_domain(self) -> Option<Block> {
        Some(match self {
            Self::Text { text, format } => Block::Text { text, format: format.into() },
            Self::Image { url, title, description } => Block::Image { url, title, description },
            Self::File { url, name } => Block::File { url, name },
            Self::Options { text, options } => {
                let choice = |ChoiceData { label, value }| Choice { label, value };
                Block::Options { text, options: options.into_iter().map(choice).collect() }
            }
            Self::Card(card) => Block::Card(card.into()),
            Self::List { title, items } => Block::List { title, items: items.into_iter().map(Card::from).collect() },
            Self::Carousel { cards } => Block::Carousel { cards: cards.into_iter().map(Card::from).collect() },
            Self::Pause { ms } => Block::Pause { ms },
            Self::ConnectToAgent { .. } => return None,
        })
    }
}

impl From<FormatData> for TextFormat {
    fn from(format: FormatData) -> Self {
        match format {
            FormatData::Plain => Self::Plain,
            FormatData::Markdown => Self::Markdown,
            FormatData::Html => Self::Html,
        }
    }
}

impl From<CardData> for Card {
    fn from(data: CardData) -> Self {
        let link = |LinkData { label, url }| Link { label, url };
        Self {
            title: data.title,
            description: data.description,
            image_url: data.image_url,
            url: data.url,
            links: data.links.into_iter().map(link).collect(),
        }
    }
}

impl From<&Choice> for ChoiceData {
    fn from(choice: &Choice) -> Self {
        Self { label: choice.label.clone(), value: choice.value.clone() }
    }
}
