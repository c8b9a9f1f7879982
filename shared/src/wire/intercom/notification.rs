//! Notifications, and pages of a search: which conversation, and what of it is read further.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Id;
use super::loose::{LooseId, present};

/// A webhook notification's envelope. Its item is left unread: its shape depends on the topic.
#[derive(Debug, Deserialize)]
pub struct Notification<'a> {
    /// The workspace.
    pub app_id: Id,
    /// What happened.
    #[serde(borrow)]
    pub topic: Cow<'a, str>,
    /// The delivery's id; null for pings. A retry has the same one.
    #[serde(default)]
    pub id: Option<Id>,
    /// What it is about.
    #[serde(borrow)]
    pub data: NotificationData<'a>,
}

/// The middle layer of the envelope.
#[derive(Debug, Deserialize)]
pub struct NotificationData<'a> {
    /// The object.
    #[serde(borrow)]
    pub item: &'a RawValue,
}

/// One page of a search for conversations. The conversations are left unread: one that cannot be
/// read must not hide the others.
#[derive(Debug, Deserialize)]
pub struct ConversationPage<'a> {
    /// The conversations, without their parts.
    #[serde(borrow, default)]
    pub conversations: Vec<&'a RawValue>,
    /// How many there are on all pages.
    #[serde(default)]
    pub total_count: Option<u64>,
    /// Where the next page is.
    #[serde(default)]
    pub pages: Option<Pages>,
}

/// Where the next page is.
#[derive(Debug, Default, Deserialize)]
pub struct Pages {
    /// Null on the last page.
    #[serde(default)]
    pub next: Option<NextPage>,
}

/// The next page.
#[derive(Debug, Deserialize)]
pub struct NextPage {
    /// What to ask for.
    #[serde(default)]
    pub starting_after: Option<String>,
}

/// When a conversation changed, in a search's answer.
#[derive(Debug, Deserialize)]
pub struct ChangedItem {
    /// Its id.
    pub id: Id,
    /// Unix seconds.
    #[serde(default)]
    pub updated_at: u64,
}

/// What a topic means for Baton.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopicKind {
    /// Intercom checks the address.
    Ping,
    /// Something happened in a conversation; the item is the conversation.
    Conversation,
    /// A conversation was deleted; the item has `conversation_id` and no `id`.
    Deleted,
    /// A contact was attached; the item is in Intercom's internal shape.
    ContactAttached,
    /// Something happened to a contact. Accepted, and not needed.
    Contact,
    /// Anything else. Accepted, and counted.
    Unknown,
}

/// The topics of conversations that are acted on.
pub const CONVERSATION_TOPICS: [&str; 15] = [
    "conversation.user.created",
    "conversation.user.replied",
    "conversation.admin.assigned",
    "conversation.admin.open.assigned",
    "conversation.admin.replied",
    "conversation.admin.noted",
    "conversation.admin.closed",
    "conversation.admin.opened",
    "conversation.admin.snoozed",
    "conversation.admin.unsnoozed",
    "conversation.admin.single.created",
    "conversation.operator.replied",
    "conversation.rating.added",
    "conversation_part.redacted",
    "conversation_part.tag.created",
];

impl TopicKind {
    /// What a topic means.
    #[must_use]
    pub fn of(topic: &str) -> Self {
        match topic {
            "ping" => Self::Ping,
            "conversation.deleted" => Self::Deleted,
            "conversation.contact.attached" => Self::ContactAttached,
            topic if CONVERSATION_TOPICS.contains(&topic) => Self::Conversation,
            topic if topic.starts_with("contact.") => Self::Contact,
            _ => Self::Unknown,
        }
    }
}

/// The ids in an item of any shape.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ItemIds {
    id: Option<LooseId>,
    conversation_id: Option<LooseId>,
    conversation: Option<LooseConversation>,
    #[serde(rename = "conversation_message", deserialize_with = "present")]
    legacy: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LooseConversation {
    id: Option<LooseId>,
    model: Option<LooseModel>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct LooseModel {
    id: Option<LooseId>,
}

impl ItemIds {
    /// Whether the item is in the shape of version 1, which apps of that age still get.
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        self.legacy
    }

    /// The conversation's id, wherever it is.
    #[must_use]
    pub fn conversation_id(self) -> Option<String> {
        let nested = self.conversation.and_then(|conversation| {
            let model = conversation.model.and_then(|model| model.id).and_then(LooseId::id);
            model.or_else(|| conversation.id.and_then(LooseId::id))
        });
        nested.or_else(|| self.conversation_id.and_then(LooseId::id)).or_else(|| self.id.and_then(LooseId::id))
    }
}
