//! Identifiers, each a type of its own, so that one cannot be passed for another.
//!
//! Intercom's ids are unique only within a workspace (its unversioned change of April 2023), so
//! nothing here is a key by itself: a conversation is addressed by [`ConversationKey`], which
//! starts with the workspace.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// The text is empty.
    #[error("an id is empty")]
    Empty,
    /// The text is longer than [`MAX_ID_LEN`] bytes.
    #[error("an id is longer than {MAX_ID_LEN} characters")]
    TooLong,
    /// The text has a character other than ASCII letters, digits, `_`, `-`, `.` or `:`.
    #[error("an id may have letters, digits, '_', '-', '.' and ':' only")]
    BadCharacter,
}

/// The longest identifier that is taken, in bytes. Intercom's own are 24 at most; the bound keeps
/// a message group id (`app_id#conversation_id`) below the 128 characters that SQS allows.
pub const MAX_ID_LEN: usize = 60;

fn check_id(text: &str) -> Result<(), InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    if text.len() > MAX_ID_LEN {
        return Err(InvalidId::TooLong);
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    if text.bytes().all(allowed) { Ok(()) } else { Err(InvalidId::BadCharacter) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a text as this identifier.
            ///
            /// # Errors
            /// [`InvalidId`] when it is empty, too long, or has a character that it may not have.
            pub fn parse(text: impl Into<String>) -> Result<Self, InvalidId> {
                let text = text.into();
                $check(&text)?;
                Ok(Self(text))
            }

            /// The identifier's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A workspace: Intercom's `app_id` (`app.id_code` in `GET /me`).
    AppId, check_id
);
id!(
    /// A conversation within a workspace.
    ConversationId, check_id
);
id!(
    /// A teammate ("admin" in Intercom's API).
    AdminId, check_id
);
id!(
    /// A team of teammates.
    TeamId, check_id
);
id!(
    /// A bot, as the settings name it.
    BotId, check_id
);
id!(
    /// A customer in Intercom ("contact").
    ContactId, check_id
);
id!(
    /// One attempt to send: the fresh name under which a worker holds an outbox entry.
    ClaimId, check_id
);

id!(
    /// A command's id, chosen by the bot. It makes the command idempotent, so its form is free:
    /// 1 to 200 printable ASCII characters.
    CommandId, check_command_id
);
id!(
    /// A conversation part's id. Ids grow as parts are added, so they order the parts of a
    /// conversation: decimal ids by value, whatever their length.
    PartId, check_id
);

fn check_command_id(text: &str) -> Result<(), InvalidId> {
    if text.is_empty() {
        return Err(InvalidId::Empty);
    }
    if text.len() > 200 {
        return Err(InvalidId::TooLong);
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic()) { Ok(()) } else { Err(InvalidId::BadCharacter) }
}

/// Orders identifiers by their text, for maps.
macro_rules! ordered_by_text {
    ($($name:ident),*) => {$(
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.cmp(&other.0)
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
    )*};
}

ordered_by_text!(AppId, ConversationId, BotId, CommandId);

impl Ord for PartId {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (mine, theirs) = (self.0.trim_start_matches('0'), other.0.trim_start_matches('0'));
        mine.len().cmp(&theirs.len()).then_with(|| mine.cmp(theirs)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for PartId {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A conversation's address: the workspace first, always.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConversationKey {
    /// The workspace.
    pub app_id: AppId,
    /// The conversation within it.
    pub conversation_id: ConversationId,
}

impl ConversationKey {
    /// Takes two texts as a conversation's address.
    ///
    /// # Errors
    /// [`InvalidId`] when either is no id.
    pub fn parse(app_id: &str, conversation_id: &str) -> Result<Self, InvalidId> {
        Ok(Self { app_id: AppId::parse(app_id)?, conversation_id: ConversationId::parse(conversation_id)? })
    }
}

impl fmt::Display for ConversationKey {
    /// `app_id#conversation_id`: the message group of every queue and the key of the table's rows.
    /// `#` is in no id, so two keys never share a text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.app_id, self.conversation_id)
    }
}

impl std::str::FromStr for ConversationKey {
    type Err = InvalidId;
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (app_id, conversation_id) = text.split_once('#').ok_or(InvalidId::BadCharacter)?;
        Self::parse(app_id, conversation_id)
    }
}

/// A moment, in milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// A moment from Unix seconds, Intercom's unit.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The moment in whole Unix seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// The moment `ms` milliseconds earlier.
    #[must_use]
    pub fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// The moment `ms` milliseconds later.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_ids_are_ordered_by_value_whatever_their_length() {
        let id = |text: &str| PartId::parse(text).unwrap();
        assert!(id("9") < id("10"));
        assert!(id("2824382500") < id("37358198341"));
        assert!(id("007") < id("8"));
    }

    #[test]
    fn an_id_with_a_separator_or_a_blank_is_refused() {
        for text in ["", "a#b", "a b", "ä", &"9".repeat(61)] {
            assert!(ConversationId::parse(text).is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_key_survives_its_text() {
        let key: ConversationKey = "abc123#215472621202693".parse().unwrap();
        assert_eq!(key.to_string(), "abc123#215472621202693");
    }
}
