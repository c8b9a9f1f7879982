//! What a bot would have said, kept while a teammate decides whether it is said. Stored with the
//! conversation, so the types derive serde.

use serde::{Deserialize, Serialize};

use super::blocks::Said;
use super::ids::{CommandId, Timestamp};
use super::render;
use super::rules::{Confidence, Deed, Root, Ruling};

/// A message that is ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What it is called, where the bot names several.
    #[serde(default)]
    pub label: Option<String>,
    /// The messages.
    pub messages: Vec<Said>,
}

impl Held {
    /// What the customer would read, as Intercom HTML for a note.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut html = String::new();
        for said in &self.messages {
            html.push_str(&said.html);
            for url in &said.attachment_urls {
                html.push_str(&render::plain(url));
            }
            for option in said.offer.iter().flat_map(|offer| &offer.options) {
                html.push_str(&render::plain(&format!("[{}]", option.choice.label)));
            }
        }
        html
    }
}

/// Why a suggestion is no more to be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spent {
    /// The customer has written since.
    CustomerWrote,
    /// A teammate has answered.
    TeammateWrote,
    /// It was sent.
    Sent,
    /// A teammate dismissed it.
    Dismissed,
    /// The conversation was closed.
    Closed,
}

impl Spent {
    /// As teammates are told.
    #[must_use]
    pub fn as_words(self) -> &'static str {
        match self {
            Self::CustomerWrote => "the customer has written since",
            Self::TeammateWrote => "a teammate has answered since",
            Self::Sent => "it has been sent already",
            Self::Dismissed => "it was dismissed",
            Self::Closed => "the conversation was closed since",
        }
    }
}

/// An answer that a rule leaves to a teammate's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suggestion {
    /// The command that asked for it.
    pub command: CommandId,
    /// The root node that it comes from.
    #[serde(default)]
    pub root: Option<Root>,
    /// What the rule wants: to suggest, or, where it is only tried out, perhaps to answer.
    #[serde(default)]
    pub deed: Deed,
    /// When.
    pub at: Timestamp,
    /// The answer itself.
    pub answer: Held,
    /// The candidates, best first, where the bot named several.
    #[serde(default)]
    pub candidates: Vec<Held>,
    /// Nobody is shown it.
    #[serde(default)]
    pub shadow: bool,
    /// Why it is no more to be acted on.
    #[serde(default)]
    pub spent: Option<Spent>,
    /// It was to be sent, and was not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsent: bool,
}

impl Suggestion {
    /// Whether a teammate may still decide on it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.spent.is_none() && !self.shadow
    }

    /// Why it is no more to be acted on, as teammates are told.
    #[must_use]
    pub fn as_words(&self) -> Option<&'static str> {
        match self.spent? {
            Spent::Sent if self.unsent => Some("it was to be sent, and is not: something came before it"),
            spent => Some(spent.as_words()),
        }
    }

    /// What `send N` means: a candidate, or the answer where there is only that.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Option<&Held> {
        match (self.candidates.as_slice(), number) {
            ([], 1) => Some(&self.answer),
            (candidates, number) => candidates.get(number.checked_sub(1)?),
        }
    }

    /// How many a teammate can choose from.
    #[must_use]
    pub fn count(&self) -> usize {
        self.candidates.len().max(1)
    }
}

/// What became of one of the bot's answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruled {
    /// When.
    pub at: Timestamp,
    /// What teammates call the node, where the bot named one.
    #[serde(default)]
    pub node: Option<String>,
    /// How sure the bot was, where it said so.
    #[serde(default)]
    pub confidence: Option<Confidence>,
    /// The ruling.
    pub ruling: Ruling,
}

/// How many rulings are remembered, at most.
pub const MAX_RULED: usize = 8;
