//! Intercom notifications as API Gateway hands them to `webhook-ingress`.
//!
//! The shape is that of a 2.x `conversation.user.replied`; the data is made up. Each notification
//! has an id and a part of its own, so that none is taken for a repetition.

use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::runtime_api::epoch;
use crate::sqs::hex;

/// The workspace of every notification.
pub const APP_ID: &str = "bench1";
/// The last segment of the webhook's address.
pub const WEBHOOK_PATH: &str = "bench-hook";
/// The key that Intercom signs with, a stand-in.
pub const CLIENT_SECRET: &str = "bench-secret";
/// Length of every notification's body.
pub const BODY_BYTES: usize = 10 * 1024;

/// How a request is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// As Intercom does: HMAC-SHA1 of the body with the client secret.
    Valid,
    /// Well formed, made with another key.
    OtherKey,
    /// No header at all.
    Missing,
}

/// A signed or unsigned request as an API Gateway HTTP API event, payload format 2.0.
#[must_use]
pub fn event(number: u64, signature: Signature) -> Arc<[u8]> {
    let path = format!("/intercom/{WEBHOOK_PATH}");
    let body = notification(number, epoch().as_secs());
    let mut headers = json!({
        "accept": "application/json",
        "content-length": body.len().to_string(),
        "content-type": "application/json",
        "host": "bench.execute-api.us-east-1.amazonaws.com",
        "user-agent": "intercom-parrot-service-client/1.0",
        "x-amzn-trace-id": "Root=1-00000000-000000000000000000000000",
        "x-forwarded-for": "192.0.2.1",
        "x-forwarded-port": "443",
        "x-forwarded-proto": "https",
    });
    let key = match signature {
        Signature::Valid => Some(CLIENT_SECRET),
        Signature::OtherKey => Some("another-secret"),
        Signature::Missing => None,
    };
    if let Some(key) = key {
        headers["x-hub-signature"] = Value::from(sign(key, &body));
    }
    let event = json!({
        "version": "2.0",
        "routeKey": "POST /intercom/{webhook_path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "bench",
            "domainName": "bench.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "bench",
            "http": {
                "method": "POST",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "intercom-parrot-service-client/1.0",
            },
            "requestId": format!("bench{number:010}="),
            "routeKey": "POST /intercom/{webhook_path}",
            "stage": "$default",
            "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1_767_225_600_000_u64,
        },
        "pathParameters": { "webhook_path": WEBHOOK_PATH },
        "body": body,
        "isBase64Encoded": false,
    });
    event.to_string().into_bytes().into()
}

fn sign(key: &str, body: &str) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(body.as_bytes());
    format!("sha1={}", hex(&mac.finalize().into_bytes()))
}

/// The body of a notification, [`BODY_BYTES`] long.
fn notification(number: u64, now_s: u64) -> String {
    let mut notification = json!({
        "type": "notification_event",
        "app_id": APP_ID,
        "data": { "type": "notification_event_data", "item": conversation(number, now_s) },
        "links": {},
        "id": format!("notif_00000000-0000-4000-8000-{number:012x}"),
        "topic": "conversation.user.replied",
        "delivery_status": "pending",
        "delivery_attempts": 1,
        "delivered_at": 0,
        "first_sent_at": now_s,
        "created_at": now_s,
        "self": null,
    });
    let missing = BODY_BYTES.saturating_sub(notification.to_string().len());
    let attributes = &mut notification["data"]["item"]["custom_attributes"];
    // `"Order note 00":"",` around each value: what real workspaces add is many values of this kind.
    let (frame, each) = (r#""Order note 00":"","#.len(), 300);
    let count = missing / each;
    for index in 0..count {
        let length = if index + 1 == count { each + missing % each } else { each };
        attributes[format!("Order note {index:02}")] = Value::from(filler(length - frame));
    }
    notification.to_string()
}

fn filler(length: usize) -> String {
    "Two boxes of oat biscuits, one arrived open; asked for a new one. ".chars().cycle().take(length).collect()
}

fn conversation(number: u64, now_s: u64) -> Value {
    json!({
        "type": "conversation",
        "id": "300000000000001",
        "created_at": now_s - 600,
        "updated_at": now_s,
        "waiting_since": now_s,
        "snoozed_until": null,
        "source": {
            "type": "conversation",
            "id": "4000000001",
            "delivered_as": "customer_initiated",
            "subject": "",
            "body": "<p>Good morning, where is my order?</p>",
            "author": contact_author(),
            "attachments": [],
            "url": "https://shop.example/orders",
            "redacted": false,
        },
        "contacts": {
            "type": "contact.list",
            "contacts": [{ "type": "contact", "id": CONTACT_ID, "external_id": "customer-1" }],
        },
        "first_contact_reply": {
            "created_at": now_s - 600, "type": "conversation", "url": "https://shop.example/orders",
        },
        "admin_assignee_id": 900_001,
        "team_assignee_id": null,
        "open": true,
        "state": "open",
        "read": false,
        "tags": { "type": "tag.list", "tags": [] },
        "priority": "not_priority",
        "sla_applied": null,
        "statistics": statistics(now_s),
        "conversation_rating": null,
        "teammates": { "type": "admin.list", "admins": [{ "type": "admin", "id": "900001" }] },
        "title": "",
        "custom_attributes": { "Has attachments": false, "Auto-translated": false, "Copilot used": false },
        "topics": { "type": "topic.list", "topics": [], "total_count": 0 },
        "ticket": null,
        "linked_objects": { "type": "list", "data": [], "total_count": 0, "has_more": false },
        "ai_agent": null,
        "ai_agent_participated": false,
        "conversation_parts": {
            "type": "conversation_part.list",
            "conversation_parts": [part(number, now_s)],
            "total_count": 1,
        },
    })
}

const CONTACT_ID: &str = "70000000000000000000beef";

fn contact_author() -> Value {
    json!({ "type": "user", "id": CONTACT_ID, "name": "Robin Example", "email": "robin@shop.example" })
}

fn part(number: u64, now_s: u64) -> Value {
    json!({
        "type": "conversation_part",
        "id": (50_000_000_000 + number).to_string(),
        "part_type": "comment",
        "body": "<p>It should have come on Tuesday. The \u{201c}tracking\u{201d} page says \"on its way\".</p>",
        "created_at": now_s,
        "updated_at": now_s,
        "notified_at": now_s,
        "assigned_to": null,
        "author": contact_author(),
        "attachments": [],
        "external_id": null,
        "redacted": false,
        "metadata": {},
        "email_message_metadata": null,
        "state": "open",
        "tags": [],
        "event_details": {},
        "app_package_code": null,
    })
}

fn statistics(now_s: u64) -> Value {
    json!({
        "type": "conversation_statistics",
        "time_to_assignment": 20,
        "time_to_admin_reply": 25,
        "time_to_first_close": null,
        "time_to_last_close": null,
        "median_time_to_reply": 25,
        "first_contact_reply_at": now_s - 600,
        "first_assignment_at": now_s - 580,
        "first_admin_reply_at": now_s - 575,
        "first_close_at": null,
        "last_assignment_at": now_s - 580,
        "last_assignment_admin_reply_at": now_s - 575,
        "last_contact_reply_at": now_s,
        "last_admin_reply_at": now_s - 575,
        "last_close_at": null,
        "last_closed_by_id": null,
        "count_reopens": 0,
        "count_assignments": 1,
        "count_conversation_parts": 4,
        "assigned_team_first_response_time": [],
        "assigned_team_first_response_time_in_office_hours": [],
        "handling_time": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(event: &[u8]) -> (Value, Value) {
        let event: Value = serde_json::from_slice(event).unwrap();
        let body = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
        (event, body)
    }

    #[test]
    fn a_signature_is_the_hmac_of_the_body() {
        // Made with `openssl dgst -sha1 -hmac bench-secret`.
        assert_eq!(sign(CLIENT_SECRET, "hello"), "sha1=de2d695dcaf87954a996d13d61b20f17b6b25374");
        let (event, _) = parse(&event(1, Signature::Valid));
        let expected = sign(CLIENT_SECRET, event["body"].as_str().unwrap());
        assert_eq!(event["headers"]["x-hub-signature"], expected.as_str());
    }

    #[test]
    fn without_the_key_there_is_another_signature_or_none() {
        let (unsigned, body) = parse(&event(1, Signature::Missing));
        assert_eq!(unsigned["headers"].get("x-hub-signature"), None);
        let (forged, _) = parse(&event(1, Signature::OtherKey));
        assert_ne!(forged["headers"]["x-hub-signature"], sign(CLIENT_SECRET, &body.to_string()));
    }

    #[test]
    fn notifications_have_the_size_and_an_identity_of_their_own() {
        let (first, one) = parse(&event(1, Signature::Valid));
        let (second, other) = parse(&event(40_000, Signature::Valid));
        for event in [&first, &second] {
            assert_eq!(event["body"].as_str().unwrap().len(), BODY_BYTES);
        }
        let part = |body: &Value| body["data"]["item"]["conversation_parts"]["conversation_parts"][0]["id"].clone();
        assert_ne!(one["id"], other["id"]);
        assert_ne!(part(&one), part(&other));
    }
}
