//! A verified notification, made into what goes on the inbox. Reads only bytes whose signature
//! held; fails never, because a notification that is refused is sent once more and then lost.

use serde_json::value::RawValue;

use super::intercom::{ConversationItem, Id, ItemIds, Notification, TopicKind};
use super::queue::{InboxMessage, News, VERSION};
use super::sha256_hex;
use crate::domain::ids::ConversationKey;

/// Above this size, in bytes, a message on the inbox carries ids only. SQS counts in steps of
/// 64 KiB.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Above this size, in bytes, a notification is not read in detail.
pub const MAX_DETAIL_BYTES: usize = 1024 * 1024;

/// What a notification comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// It goes on the inbox.
    Forward {
        /// As what.
        message: Box<InboxMessage>,
        /// Under which deduplication id: Intercom's id of the delivery.
        notification_id: String,
    },
    /// It is acknowledged, and counted under this name.
    Acknowledge(&'static str),
    /// It names a workspace that this address is not for.
    OtherWorkspace,
}

/// Reads a notification that came in at an address for the workspaces `is_ours`.
#[must_use]
pub fn receive(body: &[u8], is_ours: impl Fn(&str) -> bool) -> Received {
    let Ok(notification) = serde_json::from_slice::<Notification<'_>>(body) else {
        return Received::Acknowledge("unreadable");
    };
    if !is_ours(&notification.app_id.0) {
        return Received::OtherWorkspace;
    }
    match TopicKind::of(&notification.topic) {
        TopicKind::Ping => Received::Acknowledge("ping"),
        TopicKind::Contact => Received::Acknowledge("contact"),
        TopicKind::Unknown => Received::Acknowledge("unknown_topic"),
        kind => forward(body, &notification, kind),
    }
}

fn forward(body: &[u8], notification: &Notification<'_>, kind: TopicKind) -> Received {
    let item = notification.data.item;
    let detailed = (kind == TopicKind::Conversation && body.len() <= MAX_DETAIL_BYTES).then(|| detail(item)).flatten();
    let (id, news) = match detailed {
        Some(item) if item.legacy => return Received::Acknowledge("legacy"),
        Some(item) => {
            let id = item.id.as_ref().and_then(Id::some).map(str::to_owned);
            let topic = notification.topic.to_string();
            (id, News::Notification { topic, item: Box::new(item) })
        }
        None => {
            let ids: ItemIds = serde_json::from_str(item.get()).unwrap_or_default();
            if ids.is_legacy() {
                return Received::Acknowledge("legacy");
            }
            let news = if kind == TopicKind::Deleted { News::Deleted } else { News::Doorbell };
            (ids.conversation_id(), news)
        }
    };
    let Some(id) = id else { return Received::Acknowledge("no_conversation") };
    if ConversationKey::parse(&notification.app_id.0, &id).is_err() {
        return Received::Acknowledge("no_conversation");
    }
    let mut message = InboxMessage { v: VERSION, app_id: notification.app_id.0.clone(), conversation_id: id, news };
    let is_large = serde_json::to_vec(&message).is_ok_and(|json| json.len() > MAX_MESSAGE_BYTES);
    if is_large {
        message.news = News::Doorbell;
    }
    Received::Forward { message: Box::new(message), notification_id: notification_id(notification, body) }
}

/// The conversation in detail, if it is in a shape that is known.
fn detail(item: &RawValue) -> Option<ConversationItem> {
    let item: ConversationItem = serde_json::from_str(item.get()).ok()?;
    (item.legacy || item.id.as_ref().and_then(Id::some).is_some()).then_some(item)
}

/// Intercom's id of the delivery, if it is of SQS's alphabet and length; else a hash of the whole
/// notification, which is the same for a retry but for its counters.
fn notification_id(notification: &Notification<'_>, body: &[u8]) -> String {
    let id = notification.id.as_ref().and_then(Id::some);
    let fits = |id: &&str| id.len() <= 128 && id.bytes().all(|byte| byte.is_ascii_graphic());
    id.filter(fits).map_or_else(|| sha256_hex(body), str::to_owned)
}
