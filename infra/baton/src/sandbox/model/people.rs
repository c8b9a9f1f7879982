//! The people of a workspace: teammates, teams, contacts, visitors, and what is kept about them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::AppliedTag;
use crate::sandbox::kept::Indexed;
use crate::sandbox::seed::Role;

/// A teammate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Admin {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) job_title: Option<String>,
    pub(crate) avatar: Option<String>,
    /// The id and the name of what the teammate may do.
    pub(crate) role: Option<(String, String)>,
    pub(crate) has_inbox_seat: bool,
    pub(crate) away_mode_enabled: bool,
    pub(crate) away_mode_reassign: bool,
    pub(crate) away_status_reason_id: Option<u64>,
    pub(crate) team_ids: Vec<u64>,
}

/// A team of teammates.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Team {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) admin_ids: Vec<u64>,
    pub(crate) assignment_limit: Option<u64>,
    pub(crate) distribution_method: String,
}

/// Why a teammate is away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AwayStatusReason {
    pub(crate) id: u64,
    pub(crate) label: String,
    pub(crate) emoji: String,
    pub(crate) deleted: bool,
}

/// A customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) id: String,
    pub(crate) role: Role,
    pub(crate) external_id: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) phone: Option<String>,
    pub(crate) avatar: Option<String>,
    pub(crate) owner_id: Option<u64>,
    pub(crate) language_override: Option<String>,
    pub(crate) unsubscribed_from_emails: bool,
    pub(crate) location: BTreeMap<String, String>,
    pub(crate) custom_attributes: Map<String, Value>,
    pub(crate) tags: Vec<AppliedTag>,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
    pub(crate) signed_up_at: Option<u64>,
    pub(crate) last_seen_at: Option<u64>,
    pub(crate) last_replied_at: Option<u64>,
    pub(crate) last_contacted_at: Option<u64>,
    /// Put away: in no list and no search, but not gone.
    pub(crate) archived: bool,
    /// Put away for good, as a spammer.
    pub(crate) blocked: bool,
}

impl Contact {
    /// A contact of whom nothing is known yet.
    pub(crate) fn new(id: String, role: Role, now: u64) -> Self {
        Self {
            id,
            role,
            external_id: None,
            email: None,
            name: None,
            phone: None,
            avatar: None,
            owner_id: None,
            language_override: None,
            unsubscribed_from_emails: false,
            location: BTreeMap::new(),
            custom_attributes: Map::new(),
            tags: Vec::new(),
            created_at: now,
            updated_at: now,
            signed_up_at: None,
            last_seen_at: None,
            last_replied_at: None,
            last_contacted_at: None,
            archived: false,
            blocked: false,
        }
    }

    pub(crate) fn role_name(&self) -> &'static str {
        self.role.name()
    }
}

/// What a contact is found by, besides its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ContactBy {
    /// In lower case, as the next one: searches see no difference.
    Email(String),
    ExternalId(String),
    Name(String),
}

impl ContactBy {
    pub(crate) fn email(address: &str) -> Self {
        Self::Email(address.to_lowercase())
    }

    pub(crate) fn external_id(id: &str) -> Self {
        Self::ExternalId(id.to_lowercase())
    }
}

impl Indexed for Contact {
    type By = ContactBy;

    fn found_by(&self) -> Vec<ContactBy> {
        let email = self.email.as_deref().map(ContactBy::email);
        let external_id = self.external_id.as_deref().map(ContactBy::external_id);
        let name = self.name.clone().map(ContactBy::Name);
        [email, external_id, name].into_iter().flatten().collect()
    }
}

/// Somebody in the Messenger who has not written yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Visitor {
    pub(crate) id: String,
    /// The Messenger's id of the visitor, a lead's `external_id` later.
    pub(crate) user_id: String,
    pub(crate) name: Option<String>,
    pub(crate) pseudonym: String,
    pub(crate) custom_attributes: Map<String, Value>,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
}

/// A contact that became part of another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MergedContact {
    pub(crate) into: String,
    pub(crate) role: Role,
    pub(crate) external_id: Option<String>,
    pub(crate) merged_at: u64,
}

/// What a teammate wrote down about a contact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) id: u64,
    pub(crate) contact_id: String,
    pub(crate) admin_id: Option<u64>,
    pub(crate) body: String,
    pub(crate) created_at: u64,
}

/// Something that a contact did, as the company reports it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DataEvent {
    pub(crate) contact_id: String,
    pub(crate) event_name: String,
    pub(crate) created_at: u64,
    pub(crate) metadata: Map<String, Value>,
}

/// What a teammate sent and nobody has answered yet: no conversation until somebody does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SentMessage {
    pub(crate) id: u64,
    pub(crate) admin_id: u64,
    pub(crate) contact_ids: Vec<String>,
    pub(crate) is_email: bool,
    pub(crate) subject: Option<String>,
    pub(crate) body: String,
    pub(crate) created_at: u64,
}

/// What a workspace keeps about people besides the admins, teams, tags and contacts as such.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct People {
    pub(crate) visitors: BTreeMap<String, Visitor>,
    /// Contacts that were merged, by the id they had.
    pub(crate) merged: BTreeMap<String, MergedContact>,
    pub(crate) notes: BTreeMap<u64, Note>,
    pub(crate) data_events: Vec<DataEvent>,
    pub(crate) sent_messages: BTreeMap<u64, SentMessage>,
    pub(crate) away_status_reasons: Vec<AwayStatusReason>,
    /// Whether nobody may be away without a reason.
    pub(crate) away_status_reason_mandatory: bool,
    /// The segments that are defined by a tag, which keep it from being deleted.
    pub(crate) tag_segments: BTreeMap<u64, Vec<String>>,
    /// The apps that were installed through OAuth, by their client ids.
    pub(crate) installed_apps: BTreeSet<String>,
    /// Codes that wait to be exchanged for a token.
    pub(crate) oauth_codes: BTreeMap<String, OauthCode>,
}

/// A promise of a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OauthCode {
    pub(crate) client_id: String,
    /// The teammate who approved.
    pub(crate) admin_id: u64,
    pub(crate) issued_at: u64,
}
