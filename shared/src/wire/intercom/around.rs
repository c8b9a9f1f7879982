//! What stands around a conversation in the REST API's answers: contacts, tags, teammates and teams, errors.

use serde::Deserialize;

use super::Id;
use super::loose::{loose_number, nullable};
use crate::wire::traits::TagNames;

/// A contact, from `GET /contacts/{id}`, as far as it travels with events.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ContactItem {
    /// Intercom's id.
    pub id: Option<Id>,
    /// The company's id.
    pub external_id: Option<Id>,
    /// `user` or `lead`.
    pub role: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Set language.
    pub language_override: Option<String>,
    /// The browser's language.
    pub browser_language: Option<String>,
    /// Where the customer is.
    pub location: Option<serde_json::Map<String, serde_json::Value>>,
    /// Custom attributes.
    pub custom_attributes: Option<serde_json::Map<String, serde_json::Value>>,
    /// When it was made, in Unix seconds.
    #[serde(deserialize_with = "loose_number")]
    pub created_at: Option<u64>,
    /// When they were last seen, in Unix seconds.
    #[serde(deserialize_with = "loose_number")]
    pub last_seen_at: Option<u64>,
}

/// What else `GET /conversations/{id}` tells for the profile.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ConversationContext {
    /// Whom it is with.
    pub contacts: Option<ContactList>,
    /// Its custom attributes.
    pub custom_attributes: Option<serde_json::Map<String, serde_json::Value>>,
    /// Its tags.
    pub tags: Option<TagNames>,
    /// Where it began.
    pub source: Option<SourceContext>,
}

/// The list around the contacts.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ContactList {
    /// The contacts.
    #[serde(deserialize_with = "nullable")]
    pub contacts: Vec<ContactItem>,
}

/// A tag.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TagItem {
    /// Its id.
    pub id: Option<Id>,
    /// Its name.
    pub name: Option<String>,
}

/// A teammate or a team, as far as it tells whether anybody would find a conversation there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TargetItem {
    /// Of a teammate: whether they see the inbox.
    pub has_inbox_seat: Option<bool>,
    /// Of a team: its members.
    pub admin_ids: Option<Vec<Id>>,
}

impl TargetItem {
    /// Why nobody would find it there, as a code and in words; none where somebody would, or where it
    /// does not say.
    #[must_use]
    pub fn vacancy(&self) -> Option<(&'static str, &'static str)> {
        if self.has_inbox_seat == Some(false) {
            return Some(("no_inbox_seat", "the teammate has no inbox seat"));
        }
        let is_empty = self.admin_ids.as_ref().is_some_and(Vec::is_empty);
        is_empty.then_some(("empty_team", "the team has no members"))
    }
}

/// Where a conversation began.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SourceContext {
    /// The page.
    pub url: Option<String>,
    /// How.
    pub delivered_as: Option<String>,
    /// The channel.
    #[serde(rename = "type")]
    pub channel: Option<String>,
}

/// An error list. Parsed leniently: not every error of Intercom's has this shape.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ErrorList {
    /// The errors.
    #[serde(deserialize_with = "nullable")]
    pub errors: Vec<ErrorItem>,
}

/// One error.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ErrorItem {
    /// For programs; an open set.
    pub code: Option<String>,
    /// For people.
    pub message: Option<String>,
}
