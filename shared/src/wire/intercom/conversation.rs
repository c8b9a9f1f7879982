//! A conversation as notifications and the REST API have it, as far as it matters here. It is written
//! again, slim, on the way to the router. What it means is `shown`'s matter.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::Id;
use super::loose::{DateProbe, LooseNumber, loose, loose_id, loose_number, nullable, present};
use crate::wire::traits::{TagNames, few_attributes, few_tags};

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
