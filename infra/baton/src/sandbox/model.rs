//! The nouns of a workspace: contacts, conversations, parts.
//!
//! Plain data without rules (`actions`), JSON (`render`) or identity (`ids`). Bodies are HTML
//! as stored (`text`), moments are Unix seconds. Who the people are is in `model/people`.

mod people;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::kept::Indexed;
use super::parts::Parts;

pub(crate) use self::people::{
    Admin, AwayStatusReason, Contact, ContactBy, DataEvent, MergedContact, Note, OauthCode, People, SentMessage, Team,
    Visitor,
};

/// Who wrote a part, as it was known then: later renames do not reach old parts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Author {
    pub(crate) kind: AuthorKind,
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    /// Fin's own words, in contrast to a workflow's.
    pub(crate) from_ai_agent: bool,
}

/// The kinds of authors that the sandbox has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum AuthorKind {
    User,
    Lead,
    Admin,
    Bot,
}

impl AuthorKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Lead => "lead",
            Self::Admin => "admin",
            Self::Bot => "bot",
        }
    }

    pub(crate) fn is_contact(self) -> bool {
        matches!(self, Self::User | Self::Lead)
    }
}

/// What a conversation is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Open,
    Closed,
    Snoozed,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Snoozed => "snoozed",
        }
    }
}

/// The types of parts that the sandbox makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PartType {
    Comment,
    Note,
    QuickReply,
    Open,
    Close,
    Snoozed,
    Unsnoozed,
    Assignment,
    AssignAndReopen,
    AttributeUpdated,
    ParticipantAdded,
    ParticipantRemoved,
    MergedPrimary,
    MergedSecondary,
    PriorityChanged,
}

impl PartType {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Note => "note",
            Self::QuickReply => "quick_reply",
            Self::Open => "open",
            Self::Close => "close",
            Self::Snoozed => "snoozed",
            Self::Unsnoozed => "unsnoozed",
            Self::Assignment => "assignment",
            Self::AssignAndReopen => "assign_and_reopen",
            Self::AttributeUpdated => "conversation_attribute_updated_by_admin",
            Self::ParticipantAdded => "participant_added",
            // The names of the two below are guesses after their counterparts.
            Self::ParticipantRemoved => "participant_removed",
            Self::MergedSecondary => "merged_secondary_conversation",
            Self::MergedPrimary => "merged_primary_conversation",
            Self::PriorityChanged => "priority_changed",
        }
    }
}

/// Who a conversation is given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Assignee {
    Admin(u64),
    Team(u64),
    /// Takes the teammate away and leaves the team.
    NoAdmin,
    /// Takes the team away and leaves the teammate.
    NoTeam,
    /// Takes both away, as the inbox's "Unassigned" does.
    Nobody,
}

/// A file on a message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Attachment {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) content_type: String,
    pub(crate) filesize: u64,
}

/// A choice that a quick reply offers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct QuickReplyOption {
    pub(crate) text: String,
    pub(crate) uuid: String,
}

/// What makes a message an e-mail.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Email {
    pub(crate) subject: String,
    /// The addresses with their names, sender and receiver.
    pub(crate) from: (String, Option<String>),
    pub(crate) to: (String, Option<String>),
    pub(crate) message_id: String,
}

/// How a part reaches the customer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Notified {
    /// At once: in the Messenger, or by e-mail in a conversation by e-mail.
    #[default]
    AtOnce,
    /// Only when the Messenger is opened again, as the sender asked for.
    OnRefresh,
    /// Never: what a bot writes in a conversation by e-mail is stored and not mailed.
    Never,
}

impl Notified {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::OnRefresh => "on_refresh",
            Self::Never => "never",
        }
    }
}

/// What somebody wrote: the content of a part before it is one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Message {
    /// Of a first message that was sent before its conversation began; a new one when absent.
    pub(crate) id: Option<u64>,
    pub(crate) body: Option<String>,
    pub(crate) attachments: Vec<Attachment>,
    /// The choices offered by a teammate.
    pub(crate) quick_reply_options: Vec<QuickReplyOption>,
    /// The choice made by a contact.
    pub(crate) quick_reply_uuid: Option<String>,
    /// Only for imported history; now when absent.
    pub(crate) created_at: Option<u64>,
    pub(crate) email: Option<Email>,
    pub(crate) notified: Notified,
    /// The page that the Messenger was open on, of a first message.
    pub(crate) url: Option<String>,
}

/// One entry of a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) id: u64,
    pub(crate) part_type: PartType,
    pub(crate) body: Option<String>,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
    pub(crate) assigned_to: Option<Assignee>,
    pub(crate) author: Author,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) redacted: bool,
    pub(crate) state: State,
    pub(crate) tags: Vec<AppliedTag>,
    pub(crate) app_package_code: Option<String>,
    pub(crate) quick_reply_options: Vec<QuickReplyOption>,
    pub(crate) quick_reply_uuid: Option<String>,
    /// The attribute and its value, for the part that an update leaves.
    pub(crate) changed_attribute: Option<(String, Value)>,
    #[serde(default)]
    pub(crate) email: Option<Email>,
    #[serde(default)]
    pub(crate) notified: Notified,
}

impl Part {
    /// Whether it is something for the customer to read.
    pub(crate) fn is_for_customer(&self) -> bool {
        let has_content = self.body.is_some() || !self.attachments.is_empty() || !self.quick_reply_options.is_empty();
        has_content && self.part_type != PartType::Note
    }

    /// Whether the customer comes to see it, in the Messenger or by e-mail.
    pub(crate) fn is_visible_to_customer(&self) -> bool {
        self.is_for_customer() && self.notified != Notified::Never
    }
}

/// The message that a conversation began with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) id: u64,
    pub(crate) body: String,
    pub(crate) author: Author,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) redacted: bool,
    /// Present in a conversation by e-mail.
    #[serde(default)]
    pub(crate) email: Option<Email>,
    /// The page that the Messenger was open on.
    #[serde(default)]
    pub(crate) url: Option<String>,
}

/// A tag on a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AppliedTag {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) applied_at: u64,
    pub(crate) applied_by: u64,
}

/// A customer's rating.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rating {
    pub(crate) rating: u8,
    pub(crate) remark: Option<String>,
    pub(crate) created_at: u64,
    pub(crate) contact_id: Option<String>,
    pub(crate) admin_id: Option<u64>,
}

/// What Intercom keeps about its AI agent's part in a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct AiAgent {
    pub(crate) source_title: Option<String>,
    pub(crate) answered: bool,
    pub(crate) resolution: Option<Resolution>,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
}

/// How it ended for the AI agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Resolution {
    Assumed,
    Confirmed,
    /// Handed over to a person.
    Escalated,
    NegativeFeedback,
}

/// A conversation that was deleted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Deleted {
    pub(crate) id: u64,
    pub(crate) deleted_at: u64,
    pub(crate) metrics_retained: bool,
}

/// The moments and counts that Intercom keeps for reports.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Statistics {
    pub(crate) first_contact_reply_at: Option<u64>,
    pub(crate) first_assignment_at: Option<u64>,
    pub(crate) first_admin_reply_at: Option<u64>,
    pub(crate) first_close_at: Option<u64>,
    pub(crate) last_assignment_at: Option<u64>,
    pub(crate) last_assignment_admin_reply_at: Option<u64>,
    pub(crate) last_contact_reply_at: Option<u64>,
    pub(crate) last_admin_reply_at: Option<u64>,
    pub(crate) last_close_at: Option<u64>,
    pub(crate) last_closed_by: Option<u64>,
    pub(crate) count_reopens: u32,
    pub(crate) count_assignments: u32,
    /// How long each answered customer message waited, in seconds.
    pub(crate) waits_seconds: Vec<u64>,
}

/// A conversation in the Messenger.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Conversation {
    pub(crate) id: u64,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
    pub(crate) waiting_since: Option<u64>,
    pub(crate) snoozed_until: Option<u64>,
    pub(crate) source: Source,
    pub(crate) contact_ids: Vec<String>,
    pub(crate) admin_assignee: Option<u64>,
    pub(crate) team_assignee: Option<u64>,
    pub(crate) state: State,
    pub(crate) read: bool,
    pub(crate) tags: Vec<AppliedTag>,
    pub(crate) title: Option<String>,
    pub(crate) custom_attributes: Map<String, Value>,
    pub(crate) rating: Option<Rating>,
    /// Teammates who took part.
    pub(crate) teammates: BTreeSet<u64>,
    /// Saved apart from the rest, as most of them never change again.
    #[serde(skip)]
    pub(crate) parts: Parts,
    pub(crate) statistics: Statistics,
    #[serde(default)]
    pub(crate) ai_agent: Option<AiAgent>,
    #[serde(default)]
    pub(crate) has_priority: bool,
    /// Conversations that are linked: those merged into this one, or the one it was merged into.
    #[serde(default)]
    pub(crate) linked: Vec<u64>,
    /// Set when it was merged into another.
    #[serde(default)]
    pub(crate) merged_into: Option<u64>,
    /// The part up to which the customer has read, 0 before anything.
    #[serde(default)]
    pub(crate) read_by_customer: u64,
}

impl Conversation {
    /// The newest choice of that id among the quick replies that were offered.
    pub(crate) fn offered(&self, uuid: &str) -> Option<&QuickReplyOption> {
        let mut options = self.parts.iter().rev().flat_map(|part| &part.quick_reply_options);
        options.find(|option| option.uuid == uuid)
    }

    pub(crate) fn is_by_email(&self) -> bool {
        self.source.email.is_some()
    }

    pub(crate) fn part(&self, id: u64) -> Option<&Part> {
        let at = self.parts.binary_search_by_key(&id, |part| part.id).ok()?;
        self.parts.get(at)
    }

    pub(crate) fn part_mut(&mut self, id: u64) -> Option<&mut Part> {
        let at = self.parts.binary_search_by_key(&id, |part| part.id).ok()?;
        self.parts.get_mut(at)
    }
}

/// What a conversation is found by, besides its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ConversationBy {
    /// In lower case: searches see no difference.
    Contact(String),
    /// When it was last changed.
    Update(u64),
}

impl ConversationBy {
    pub(crate) fn contact(id: &str) -> Self {
        Self::Contact(id.to_lowercase())
    }
}

impl Indexed for Conversation {
    type By = ConversationBy;

    fn found_by(&self) -> Vec<ConversationBy> {
        let contacts = self.contact_ids.iter().map(|id| ConversationBy::contact(id));
        contacts.chain([ConversationBy::Update(self.updated_at)]).collect()
    }
}

/// An uploaded file: content type and bytes.
pub(crate) type StoredFile = (String, Vec<u8>);

impl Indexed for StoredFile {
    type By = ();

    fn found_by(&self) -> Vec<()> {
        Vec::new()
    }
}
