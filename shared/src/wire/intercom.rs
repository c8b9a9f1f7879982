//! Intercom's JSON: notifications and the REST API's answers, as far as they matter here.
//!
//! Nothing is taken for granted: ids are texts or numbers, whatever can be missing is optional,
//! what is unknown is skipped. One notification that cannot be read in detail still yields its
//! conversation's id, and the rest is fetched. Shapes: Intercom's API description 2.10 to 2.16 and
//! real notifications.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::traits::{TagNames, few_attributes, few_tags};
use crate::domain::content::{Attachment, Author, AuthorKind, Body, BodyFormat, Message, QuickReplies};
use crate::domain::ids::{AdminId, ContactId, PartId, TeamId, Timestamp};
use crate::domain::part::{Assignee, Observation, Part, PartKind, Rating, Traits};

/// An id that Intercom writes as a text here and as a number there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Id(pub String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = Id;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id, as text or number")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                Ok(Id(text.to_owned()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number.to_string()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Id, E> {
                Ok(Id(number.to_string()))
            }
        }
        deserializer.deserialize_any(IdVisitor)
    }
}

impl Id {
    /// The id, unless it is one of Intercom's ways to say "none": empty, or `0` (from 2.16).
    #[must_use]
    pub fn some(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.is_empty() && *text != "0")
    }
}

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

/// An id, or anything else in its place.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum LooseId {
    Id(Id),
    Other(IgnoredAny),
}

impl LooseId {
    fn id(self) -> Option<String> {
        match self {
            Self::Id(id) => id.some().map(str::to_owned),
            Self::Other(IgnoredAny) => None,
        }
    }
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|IgnoredAny| true)
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

/// A conversation, from a notification or from `GET /conversations/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ConversationItem {
    /// Its id.
    pub id: Option<Id>,
    /// Whether it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<bool>,
    /// `open`, `closed` or `snoozed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The teammate; null or 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub admin_assignee_id: Option<Id>,
    /// The team; null or 0 for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team_assignee_id: Option<Id>,
    /// When it was begun, in Unix seconds.
    #[serde(deserialize_with = "loose_number", skip_serializing_if = "Option::is_none")]
    pub created_at: Option<u64>,
    /// The first message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceItem>,
    /// Whom it is with.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose")]
    pub contacts: Option<ContactRefs>,
    /// Its parts: those that caused a notification, or up to 500.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_parts: Option<PartList>,
    /// Of its statistics, the number of parts and how dates are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
    /// The rating.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_rating: Option<RatingItem>,
    /// Its tags, as far as a notification may carry them.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "few_tags")]
    pub tags: Option<TagNames>,
    /// Its custom attributes, likewise.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "few_attributes")]
    pub custom_attributes: Option<serde_json::Map<String, serde_json::Value>>,
    /// Whether the item is in the shape of version 1.
    #[serde(rename = "conversation_message", deserialize_with = "present", skip_serializing)]
    pub legacy: bool,
}

/// The first message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceItem {
    /// Its id, of another space than parts' ids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Id>,
    /// Its author.
    pub author: Option<AuthorItem>,
    /// Its text.
    pub body: Option<String>,
    /// Files with it.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub attachments: Vec<AttachmentItem>,
    /// Whether its text was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<bool>,
}

/// The list around the customers.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactRefs {
    /// The customers.
    #[serde(deserialize_with = "nullable")]
    pub contacts: Vec<ContactRef>,
}

/// A customer, by id.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactRef {
    /// Intercom's id.
    pub id: Option<Id>,
    /// The company's own id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Id>,
}

/// The list around the parts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartList {
    /// The parts.
    #[serde(deserialize_with = "nullable")]
    pub conversation_parts: Vec<PartItem>,
}

/// One part.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartItem {
    /// Its id.
    pub id: Option<Id>,
    /// What it is; an open set.
    pub part_type: Option<String>,
    /// Its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// When it was made, in Unix seconds.
    #[serde(deserialize_with = "loose_number")]
    pub created_at: Option<u64>,
    /// Whom it assigns to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<AuthorItem>,
    /// Who made it.
    pub author: Option<AuthorItem>,
    /// Files with it.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub attachments: Vec<AttachmentItem>,
    /// Whether its text was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redacted: Option<bool>,
    /// Quick replies, from version 2.14.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose")]
    pub metadata: Option<PartMetadata>,
    /// The app that made it over the API; null for what people do in the inbox (from 2.13).
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "loose_id")]
    pub app_package_code: Option<Id>,
}

/// What of a part's metadata matters here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartMetadata {
    /// The quick replies that it offers.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "nullable")]
    pub quick_reply_options: Vec<QuickReplyItem>,
    /// The one that was pressed. Intercom's descriptions and its list of changes name it differently.
    #[serde(alias = "quick_reply_option_uuid", skip_serializing_if = "Option::is_none")]
    pub quick_reply_uuid: Option<Id>,
}

/// A quick reply.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuickReplyItem {
    /// Its id.
    pub uuid: Option<Id>,
}

/// An author or assignee.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AuthorItem {
    /// `user`, `lead`, `contact`, `admin`, `bot`, `team`; an open set.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The id within its type.
    pub id: Option<Id>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AttachmentItem {
    /// Its name.
    pub name: Option<String>,
    /// Its address, for 30 minutes.
    pub url: Option<String>,
    /// Its media type.
    pub content_type: Option<String>,
    /// Its size in bytes.
    #[serde(deserialize_with = "loose_number")]
    pub filesize: Option<u64>,
}

/// A rating.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RatingItem {
    /// 1 to 5.
    #[serde(deserialize_with = "loose_number")]
    pub rating: Option<u64>,
    /// What the customer added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// How a notification writes its dates, which tells how it writes its bodies: ISO 8601 and HTML up
/// to version 2.14, Unix seconds and plain text from 2.15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateStyle {
    /// Texts.
    Iso,
    /// Numbers.
    Unix,
}

/// What matters of `statistics`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Statistics {
    /// How many parts there are in all.
    pub count_conversation_parts: Option<u64>,
    /// How dates are written, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateStyle>,
}

impl<'de> Deserialize<'de> for Statistics {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct StatisticsVisitor;
        impl<'de> Visitor<'de> for StatisticsVisitor {
            type Value = Statistics;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a conversation's statistics")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Statistics, A::Error> {
                let mut statistics = Statistics::default();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if key == "count_conversation_parts" {
                        statistics.count_conversation_parts = map.next_value::<LooseNumber>()?.0;
                    } else if key == "dates" {
                        statistics.dates = map.next_value()?;
                    } else if key.ends_with("_at") && statistics.dates.is_none() {
                        statistics.dates = map.next_value::<DateProbe>()?.0;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(statistics)
            }
        }
        deserializer.deserialize_map(StatisticsVisitor)
    }
}

/// A number where it is one; anything else in its place is none, and no reason to give up the
/// whole conversation.
struct LooseNumber(Option<u64>);

/// How a date is written, where it is one.
struct DateProbe(Option<DateStyle>);

impl<'de> Deserialize<'de> for LooseNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Number(number) => Some(number),
            Scalar::Text | Scalar::Other => None,
        }))
    }
}

impl<'de> Deserialize<'de> for DateProbe {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match Scalar::deserialize(deserializer)? {
            Scalar::Number(_) => Some(DateStyle::Unix),
            Scalar::Text => Some(DateStyle::Iso),
            Scalar::Other => None,
        }))
    }
}

fn loose_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Id>, D::Error> {
    let id = Option::<LooseId>::deserialize(deserializer)?;
    Ok(id.and_then(LooseId::id).map(Id))
}

fn loose_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    LooseNumber::deserialize(deserializer).map(|number| number.0)
}

/// Any JSON, of which only the kind and a number matter.
enum Scalar {
    Number(u64),
    Text,
    Other,
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }
            fn visit_str<E: de::Error>(self, _: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text)
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_unit<E: de::Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Other)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<Scalar, A::Error> {
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Other)
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

pub(super) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// What has another shape than is known is left out, instead of spoiling the whole conversation.
pub(super) fn loose<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Loose<T> {
        Known(T),
        Other(IgnoredAny),
    }
    Ok(match Option::<Loose<T>>::deserialize(deserializer)? {
        Some(Loose::Known(value)) => Some(value),
        Some(Loose::Other(IgnoredAny)) | None => None,
    })
}

impl PartMetadata {
    fn quick_replies(&self) -> QuickReplies {
        let known = |id: &Id| id.some().filter(|id| id.len() <= MAX_OPTION_ID_BYTES).map(str::to_owned);
        let offered = self.quick_reply_options.iter().take(MAX_OPTIONS);
        QuickReplies {
            offered: offered.filter_map(|option| option.uuid.as_ref().and_then(known)).collect(),
            pressed: self.quick_reply_uuid.as_ref().and_then(known),
        }
    }
}

impl ConversationItem {
    /// How this item's bodies are written. The REST API's are HTML; a notification's follow the
    /// app's version, which shows in its dates and, where it has none, in the text itself.
    fn body_format(&self, complete: bool, text: &str) -> BodyFormat {
        if complete {
            return BodyFormat::Html;
        }
        match self.statistics.as_ref().and_then(|statistics| statistics.dates) {
            Some(DateStyle::Iso) => BodyFormat::Html,
            Some(DateStyle::Unix) => BodyFormat::Plain,
            None if looks_like_intercoms_html(text) => BodyFormat::Html,
            None => BodyFormat::Plain,
        }
    }

    fn body(&self, complete: bool, text: Option<&String>) -> Option<Body> {
        text.map(|text| Body { text: cut(text).to_owned(), format: self.body_format(complete, text) })
    }

    /// What this item shows. `complete` says that it is the REST API's answer.
    #[must_use]
    pub fn observation(&self, complete: bool) -> Observation {
        let parts = self.conversation_parts.iter().flat_map(|list| &list.conversation_parts);
        Observation {
            complete,
            assignee: self.assignee(),
            open: self.open.unwrap_or(self.state.as_deref() != Some("closed")),
            source: self.source.as_ref().and_then(|source| self.source_message(complete, source)),
            parts: parts.filter_map(|part| self.part(complete, part)).collect(),
            part_count: self.statistics.as_ref().and_then(|statistics| statistics.count_conversation_parts),
            rating: self
                .conversation_rating
                .as_ref()
                .and_then(|item| item.rating.map(|rating| Rating { rating, remark: item.remark.clone() })),
            profile: None,
            traits: Traits {
                tags: self.tags.as_ref().map(TagNames::names),
                attributes: self.custom_attributes.clone(),
            },
            contact: self.contact(),
            external_id: self
                .contacts
                .as_ref()
                .and_then(|list| list.contacts.first()?.external_id.as_ref()?.some())
                .map(str::to_owned),
            crew: Vec::new(),
        }
    }

    /// The customer: who is listed first, else who wrote first.
    fn contact(&self) -> Option<ContactId> {
        let listed =
            self.contacts.as_ref().and_then(|list| list.contacts.first()).and_then(|contact| contact.id.as_ref());
        let source = self.source.as_ref().and_then(|source| source.author.as_ref());
        let wrote =
            source.filter(|item| author(Some(*item)).kind == AuthorKind::Customer).and_then(|item| item.id.as_ref());
        ContactId::parse(listed.or(wrote)?.some()?).ok()
    }

    fn assignee(&self) -> Assignee {
        let id = |id: &Option<Id>| id.as_ref().and_then(Id::some).map(str::to_owned);
        let teammate = id(&self.admin_assignee_id).and_then(|id| AdminId::parse(id).ok());
        let team = id(&self.team_assignee_id).and_then(|id| TeamId::parse(id).ok());
        match (teammate, team) {
            (Some(teammate), _) => Assignee::Teammate(teammate),
            (None, Some(team)) => Assignee::Team(team),
            (None, None) => Assignee::Nobody,
        }
    }

    fn source_message(&self, complete: bool, source: &SourceItem) -> Option<Message> {
        let body = self.body(complete, source.body.as_ref()).filter(|body| !body.text.trim().is_empty());
        let attachments = attachments(&source.attachments);
        if source.redacted == Some(true) || (body.is_none() && attachments.is_empty()) {
            return None;
        }
        let author = author(source.author.as_ref());
        Some(Message {
            part_id: None,
            author,
            body,
            attachments,
            created_at: Timestamp::from_seconds(self.created_at.unwrap_or_default()),
            pressed: None,
            choice: None,
        })
    }

    fn part(&self, complete: bool, part: &PartItem) -> Option<Part> {
        let kind = part_kind(part.part_type.as_deref().unwrap_or_default());
        let assigned_to = match (&part.assigned_to, kind) {
            (Some(assignee), _) => Some(assignee_of(assignee)),
            (None, PartKind::Assignment) => Some(Assignee::Nobody),
            (None, _) => None,
        };
        Some(Part {
            id: PartId::parse(part.id.as_ref()?.some()?).ok()?,
            kind,
            author: author(part.author.as_ref()),
            body: self.body(complete, part.body.as_ref()),
            assigned_to,
            attachments: attachments(&part.attachments),
            created_at: Timestamp::from_seconds(part.created_at.unwrap_or_default()),
            redacted: part.redacted.unwrap_or(false),
            quick_replies: part.metadata.as_ref().map(PartMetadata::quick_replies).unwrap_or_default(),
            by_app: part.app_package_code.as_ref().and_then(Id::some).is_some(),
        })
    }
}

/// The longest text of a message that is read, in bytes. Longer ones, of e-mails, are cut.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How many files of a message are read.
const MAX_ATTACHMENTS: usize = 20;
/// How many quick replies of a message are read, and the longest id of one, in bytes.
const MAX_OPTIONS: usize = 100;
const MAX_OPTION_ID_BYTES: usize = 100;

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_BODY_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn part_kind(part_type: &str) -> PartKind {
    match part_type {
        "comment" | "quick_reply" => PartKind::Comment,
        "note" => PartKind::Note,
        "assignment" | "assign_and_reopen" | "assign_and_unsnooze" | "default_assignment" | "away_mode_assignment" => {
            PartKind::Assignment
        }
        "open" => PartKind::Open,
        "close" => PartKind::Close,
        "snoozed" => PartKind::Snoozed,
        "unsnoozed" | "timer_unsnooze" => PartKind::Unsnoozed,
        _ => PartKind::Other,
    }
}

fn author(item: Option<&AuthorItem>) -> Author {
    let kind = match item.and_then(|item| item.kind.as_deref()) {
        Some("user" | "lead" | "contact" | "visitor") => AuthorKind::Customer,
        Some("admin") => AuthorKind::Teammate,
        Some("bot") => AuthorKind::Operator,
        _ => AuthorKind::Other,
    };
    let id = item.and_then(|item| item.id.as_ref()).map(|id| id.0.clone()).unwrap_or_default();
    Author { kind, id, name: item.and_then(|item| item.name.clone()) }
}

fn assignee_of(item: &AuthorItem) -> Assignee {
    let id = item.id.as_ref().and_then(Id::some).unwrap_or_default();
    let teammate = || AdminId::parse(id).map(Assignee::Teammate);
    let team = || TeamId::parse(id).map(Assignee::Team);
    match item.kind.as_deref() {
        Some("admin") => teammate().unwrap_or(Assignee::Nobody),
        Some("team") => team().unwrap_or(Assignee::Nobody),
        _ => Assignee::Nobody,
    }
}

fn attachments(items: &[AttachmentItem]) -> Vec<Attachment> {
    let known = items.iter().take(MAX_ATTACHMENTS).filter_map(|item| {
        Some(Attachment {
            name: item.name.clone(),
            url: item.url.clone()?,
            content_type: item.content_type.clone(),
            size_bytes: item.filesize,
        })
    });
    known.collect()
}

/// Whether a text of unknown format is HTML as Intercom writes it: in block elements throughout.
fn looks_like_intercoms_html(text: &str) -> bool {
    const BLOCKS: [&str; 10] = ["<p", "<div", "<ul", "<ol", "<h1", "<h2", "<pre", "<img", "<table", "<br"];
    let text = text.trim();
    text.ends_with('>')
        && BLOCKS.iter().any(|block| text.get(..block.len()).is_some_and(|start| start.eq_ignore_ascii_case(block)))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_may_be_texts_or_numbers_and_none_is_null_or_zero() {
        for (json, assignee) in [
            (
                r#"{"admin_assignee_id":9608799,"team_assignee_id":null}"#,
                Assignee::Teammate(AdminId::parse("9608799").unwrap()),
            ),
            (
                r#"{"admin_assignee_id":0,"team_assignee_id":"814865"}"#,
                Assignee::Team(TeamId::parse("814865").unwrap()),
            ),
            (r#"{"admin_assignee_id":0,"team_assignee_id":0}"#, Assignee::Nobody),
            (r#"{"admin_assignee_id":null}"#, Assignee::Nobody),
            (r"{}", Assignee::Nobody),
        ] {
            let item: ConversationItem = serde_json::from_str(json).unwrap();
            assert_eq!(item.observation(false).assignee, assignee, "{json}");
        }
    }

    #[test]
    fn dates_tell_whether_bodies_are_html() {
        let body = |statistics: &str| {
            let json = format!(r#"{{"source":{{"body":"<p>a</p>"}},"statistics":{statistics}}}"#);
            let item: ConversationItem = serde_json::from_str(&json).unwrap();
            item.observation(false).source.unwrap().body.unwrap().format
        };
        assert_eq!(body(r#"{"first_close_at":null,"last_close_at":"2026-01-10T08:13:35.000Z"}"#), BodyFormat::Html);
        assert_eq!(body(r#"{"first_close_at":1768032815}"#), BodyFormat::Plain);
        assert_eq!(body(r#"{"count_conversation_parts":3}"#), BodyFormat::Html);
    }

    #[test]
    fn an_odd_field_does_not_spoil_the_conversation() {
        let json = r#"{"id":"1","contacts":{"contacts":[7,{"id":{}}]},"statistics":{"count_conversation_parts":"many","first_close_at":{"odd":1}},"conversation_rating":{"rating":-1},
            "conversation_parts":{"conversation_parts":[{"id":7,"part_type":"comment","body":"x","created_at":"2026-01-10","attachments":[{"url":"u","filesize":1.5}]}]}}"#;
        let item: ConversationItem = serde_json::from_str(json).unwrap();
        let seen = item.observation(false);
        assert_eq!((seen.parts.len(), seen.part_count, seen.rating), (1, None, None));
    }

    #[test]
    fn a_conversations_id_is_found_wherever_it_is() {
        for (json, id) in [
            (r#"{"type":"conversation","id":"1"}"#, Some("1")),
            (r#"{"type":"conversation","conversation_id":215472621305755}"#, Some("215472621305755")),
            (r#"{"conversation":{"parts":[],"model":{"id":77}},"contact":{"id":"x"}}"#, Some("77")),
            (r#"{"id":{"odd":true},"conversation_id":"9"}"#, Some("9")),
            (r#"{"id":null}"#, None),
        ] {
            let ids: ItemIds = serde_json::from_str(json).unwrap();
            assert_eq!(ids.conversation_id().as_deref(), id, "{json}");
        }
    }

    #[test]
    fn a_pressed_button_is_read_by_either_name_and_an_odd_one_spoils_nothing() {
        let seen = |metadata: &str| {
            let json = format!(
                r#"{{"conversation_parts":{{"conversation_parts":[{{"id":"7","part_type":"comment","metadata":{metadata}}}]}}}}"#
            );
            let item: ConversationItem = serde_json::from_str(&json).unwrap();
            let slim: ConversationItem = serde_json::from_str(&serde_json::to_string(&item).unwrap()).unwrap();
            assert_eq!(slim, item);
            slim.observation(false).parts.remove(0).quick_replies
        };
        let pressed = |id: &str| QuickReplies { pressed: Some(id.to_owned()), ..QuickReplies::default() };
        assert_eq!(seen(r#"{"quick_reply_uuid":"a-b"}"#), pressed("a-b"));
        assert_eq!(seen(r#"{"quick_reply_option_uuid":1448547007,"x":{}}"#), pressed("1448547007"));
        let offered =
            seen(r#"{"quick_reply_options":[{"text":"Yes","uuid":"a"},{"text":"No"}],"quick_reply_uuid":null}"#);
        assert_eq!(offered, QuickReplies { offered: vec!["a".to_owned()], pressed: None });
        for odd in
            ["null", "[]", "[1]", "7", "\"x\"", r#"{"quick_reply_options":{"a":1}}"#, r#"{"quick_reply_uuid":[]}"#]
        {
            assert_eq!(seen(odd), QuickReplies::default(), "{odd}");
        }
    }

    #[test]
    fn a_slim_item_shows_the_same_as_the_whole_one() {
        let json = r#"{"id":"1","open":true,"x":[1,{"y":2}],"admin_assignee_id":5,"source":{"body":"hi","author":{"type":"lead","id":"a"}},
            "statistics":{"count_conversation_parts":2,"first_close_at":17},
            "conversation_parts":{"conversation_parts":[{"id":7,"part_type":"comment","body":"x","created_at":17,"author":{"type":"user","id":"a"},"attachments":null}]}}"#;
        let item: ConversationItem = serde_json::from_str(json).unwrap();
        let slim: ConversationItem = serde_json::from_str(&serde_json::to_string(&item).unwrap()).unwrap();
        assert_eq!(slim.observation(false), item.observation(false));
        assert_eq!(slim.observation(false).parts.len(), 1);
    }
}
