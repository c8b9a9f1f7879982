//! Intercom's JSON: notifications and the REST API's answers, as far as they matter here.
//!
//! Nothing is taken for granted: ids are texts or numbers, whatever can be missing is optional,
//! what is unknown is skipped. One notification that cannot be read in detail still yields its
//! conversation's id, and the rest is fetched. Shapes: Intercom's API description 2.10 to 2.16 and
//! real notifications.

mod around;
mod conversation;
mod loose;
mod notification;
mod shown;

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

pub use self::around::{
    ContactItem, ContactList, ConversationContext, ErrorItem, ErrorList, SourceContext, TagItem, TargetItem,
};
pub use self::conversation::{
    AttachmentItem, AuthorItem, ContactRef, ContactRefs, ConversationItem, DateStyle, PartItem, PartList, PartMetadata,
    QuickReplyItem, RatingItem, SourceItem, Statistics,
};
pub(super) use self::loose::{loose, nullable};
pub use self::notification::{
    CONVERSATION_TOPICS, ChangedItem, ConversationPage, ItemIds, NextPage, Notification, NotificationData, Pages,
    TopicKind,
};

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::content::{BodyFormat, QuickReplies};
    use crate::domain::ids::{AdminId, TeamId};
    use crate::domain::part::Assignee;

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
