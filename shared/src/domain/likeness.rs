//! What an action leaves in Intercom, as far as it shows there: Intercom tells nobody which request made a
//! part, so a part of ours is known by its kind, its words, and what it comes after.
//!
//! Words are kept as a number. Compared as text, because Intercom changes the HTML that it is given, and
//! webhooks from 2.15 have none.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::content::{AuthorKind, Body, BodyFormat};
use super::conversation::Action;
use super::ids::{ContactId, PartId, Timestamp};
use super::incoming;
use super::part::{Assignee, Observation, Part, PartKind};

/// By what the trace of an action is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Likeness {
    /// A message with these words.
    Message {
        /// The words.
        words: u64,
    },
    /// A message that says nothing and offers these.
    Buttons {
        /// The options.
        options: u64,
    },
    /// A note with these words.
    Note {
        /// The words.
        words: u64,
    },
    /// An assignment to this one.
    Assignment {
        /// To whom.
        to: Assignee,
    },
    /// An assignment to whoever made it.
    Taking,
    /// Closing. A conversation is closed once, so the kind tells enough.
    Closing,
    /// The customer's message with these words.
    Relayed {
        /// The words.
        words: u64,
        /// Where there are none, so many files: how Intercom names one that it was given is not documented.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        files: Option<usize>,
    },
    /// A conversation that this customer begins with these words.
    Opening {
        /// The customer.
        contact: ContactId,
        /// The words.
        words: u64,
    },
}

impl Likeness {
    /// By what this action is known; nothing where it leaves no trace, or where it may be repeated.
    #[must_use]
    pub fn of(action: &Action) -> Option<Self> {
        Some(match action {
            Action::Reply { offer: Some(offer), .. } if offer.buttons => {
                Self::Buttons { options: several(offer.options.iter().map(|option| option.uuid.as_str())) }
            }
            Action::Reply { html, .. } => Self::Message { words: html_words(html) },
            Action::Note { html } => Self::Note { words: html_words(html) },
            Action::Assign { to, .. } => Self::Assignment { to: to.clone() },
            Action::Take { .. } => Self::Taking,
            Action::Close { .. } => Self::Closing,
            Action::Relay { text, files, .. } => {
                Self::Relayed { words: plain_words(text), files: text.trim().is_empty().then_some(files.len()) }
            }
            Action::Begin { contact, text, .. } => {
                Self::Opening { contact: contact.id.clone(), words: plain_words(text) }
            }
            _ => return None,
        })
    }

    /// Whether a part looks like it.
    #[must_use]
    pub fn fits(&self, part: &Part) -> bool {
        let by_customer = part.author.kind == AuthorKind::Customer;
        if by_customer != matches!(self, Self::Relayed { .. }) {
            return false;
        }
        let is_message = matches!(part.kind, PartKind::Comment | PartKind::Open);
        match self {
            Self::Message { words } => is_message && body_words(part.body.as_ref()) == *words,
            Self::Relayed { words, files } => {
                let as_many = files.is_none_or(|files| part.attachments.len() == files);
                is_message && as_many && body_words(part.body.as_ref()) == *words
            }
            Self::Buttons { options } => is_message && offers(part, *options),
            Self::Note { words } => part.kind == PartKind::Note && body_words(part.body.as_ref()) == *words,
            Self::Assignment { to } => part.assigned_to.as_ref() == Some(to),
            Self::Taking => {
                let to = part.assigned_to.as_ref();
                matches!(to, Some(Assignee::Teammate(to)) if to.as_str() == part.author.id)
            }
            Self::Closing => part.kind == PartKind::Close,
            Self::Opening { .. } => false,
        }
    }

    /// Whether a conversation begins like it.
    #[must_use]
    pub fn begins(&self, shown: &Observation) -> bool {
        let Self::Opening { contact, words } = self else { return false };
        let Some(source) = shown.source.as_ref().filter(|source| source.author.kind == AuthorKind::Customer) else {
            return false;
        };
        let is_theirs = shown.contact.as_ref().is_none_or(|theirs| theirs == contact);
        is_theirs && body_words(source.body.as_ref()) == *words
    }
}

/// Attempts that were given up: Intercom was asked when they should long have arrived, and did not show them. Should
/// one arrive after all, it is one too many, and somebody is to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// The outbox entry's number.
    pub seq: u64,
    /// By what they would be known.
    pub likeness: Likeness,
    /// The last part that was known when the first of them was made.
    #[serde(default)]
    pub after: Option<PartId>,
    /// How many of them may still arrive.
    pub times: u32,
    /// When the last was given up.
    pub at: Timestamp,
}

impl GivenUp {
    /// Whether this part may be one of them.
    #[must_use]
    pub fn may_have_made(&self, part: &Part) -> bool {
        self.after.as_ref().is_none_or(|after| part.id > *after) && self.likeness.fits(part)
    }
}

/// Whether a part of ours is these buttons. Notifications in the form of versions before 2.14 do not show
/// which; then it is one that says nothing.
fn offers(part: &Part, options: u64) -> bool {
    let shown = &part.quick_replies.offered;
    let says_nothing = part.body.as_ref().is_none_or(|body| body.text.trim().is_empty()) && part.attachments.is_empty();
    several(shown.iter().map(String::as_str)) == options || (shown.is_empty() && says_nothing)
}

fn body_words(body: Option<&Body>) -> u64 {
    number(&body.map(incoming::comparable).unwrap_or_default())
}

fn html_words(html: &str) -> u64 {
    number(&incoming::comparable_html(html))
}

fn plain_words(text: &str) -> u64 {
    number(&incoming::comparable(&Body { text: text.to_owned(), format: BodyFormat::Plain }))
}

fn several<'a>(names: impl Iterator<Item = &'a str>) -> u64 {
    number(&names.collect::<Vec<_>>().join("\n"))
}

fn number(text: &str) -> u64 {
    Sha256::digest(text.as_bytes()).iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}
