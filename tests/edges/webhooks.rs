//! The edge towards Intercom.

use std::cell::Cell;
use std::sync::Mutex;

use baton_tests::{CLIENT_SECRET, conversation_item, gateway_request, notification, now, sign};
use lambda_http::Request;
use proptest::prelude::*;
use serde_json::{Value, json};
use shared::app::inbox::Taken;
use shared::config::{Environment, Secrets};
use shared::ports::Unavailable;
use shared::wire::intercom::CONVERSATION_TOPICS;
use shared::wire::queue::{InboxMessage, News};
use webhook_ingress::{Doors, MAX_BODY_BYTES, Notifications, handle};

const PATH: &str = "acme-7f3k2q";

/// An inbox that keeps what it gets.
#[derive(Default)]
struct Kept {
    messages: Mutex<Vec<(InboxMessage, String)>>,
    queue_is_down: bool,
    table_is_down: bool,
}

impl Notifications for Kept {
    async fn put(&self, message: &InboxMessage, id: &str) -> Result<Taken, Unavailable> {
        if self.table_is_down {
            return Err(Unavailable { what: "DynamoDB", why: "scripted".to_owned() });
        }
        self.messages.lock().unwrap().push((message.clone(), id.to_owned()));
        let down = Unavailable { what: "SQS", why: "scripted".to_owned() };
        Ok(if self.queue_is_down { Taken::Kept(down) } else { Taken::Put })
    }
}

fn doors() -> Doors {
    let mut settings = shared::testing::settings();
    for workspace in settings.workspaces.values_mut() {
        workspace.previous_client_secret = Some(shared::domain::settings::SecretName("old".to_owned()));
    }
    let secrets = Secrets::of(&[("acme", CLIENT_SECRET), ("old", "the-secret-before")]);
    let mut environment = Environment::of([]);
    let doors = Doors::new(&settings, &secrets, &mut environment);
    environment.finish().unwrap();
    doors
}

fn post(body: &[u8], headers: &Value, base64: bool) -> Request {
    gateway_request("POST", &format!("/intercom/{PATH}"), ("webhook_path", PATH), headers, body, base64)
}

/// The status, and what was enqueued.
fn send(request: &Request) -> (u16, Vec<(InboxMessage, String)>) {
    let inbox = Kept::default();
    let response = now(handle(&doors(), &inbox, request));
    assert!(response.body().is_empty(), "there is nothing to say to Intercom");
    (response.status().as_u16(), inbox.messages.into_inner().unwrap())
}

fn send_signed(body: &Value) -> (u16, Vec<(InboxMessage, String)>) {
    let body = body.to_string();
    send(&post(body.as_bytes(), &json!({ "x-hub-signature": sign(body.as_bytes(), CLIENT_SECRET) }), false))
}

fn a_message() -> Value {
    notification("conversation.user.replied", &conversation_item("<p>Hi &amp; hello — ü</p>"))
}

#[test]
fn a_signed_notification_is_enqueued_once_and_answered_with_200() {
    let (status, enqueued) = send_signed(&a_message());
    assert_eq!(status, 200);
    let [(message, id)] = &enqueued[..] else { panic!("{enqueued:?}") };
    assert_eq!((message.app_id.as_str(), message.conversation_id.as_str()), ("abc123", "215470000000001"));
    assert_eq!(id, "notif_2f1c2f0e-0d0b-4a57-9d7c-0123456789ab");
    let News::Notification { topic, item } = &message.news else { panic!("{message:?}") };
    assert_eq!(topic, "conversation.user.replied");
    let seen = item.observation(false);
    assert_eq!(seen.parts[0].id.as_str(), "37358198341");
    assert_eq!(shared::domain::incoming::text(seen.parts[0].body.as_ref().unwrap()), "Hi & hello — ü");
    assert_eq!(seen.part_count, Some(2));
    assert_eq!(seen.traits.attributes.unwrap()["plan"], "team", "rules may ask for it");
    let slim = serde_json::to_string(message).unwrap();
    assert!(!slim.contains("ai_agent") && !slim.contains("waiting_since") && slim.len() < 2_000, "{slim}");
}

#[test]
fn the_signature_is_over_the_bytes_also_when_api_gateway_encodes_them() {
    let body = a_message().to_string();
    let headers = json!({ "x-hub-signature": sign(body.as_bytes(), CLIENT_SECRET) });
    assert_eq!(send(&post(body.as_bytes(), &headers, true)).0, 200);
    let encoded = json!({ "x-hub-signature": sign(b"something else", CLIENT_SECRET) });
    assert_eq!(send(&post(body.as_bytes(), &encoded, true)).0, 401);
}

#[test]
fn both_live_secrets_sign_and_no_other() {
    let body = a_message().to_string();
    for (secret, status) in [(CLIENT_SECRET, 200), ("the-secret-before", 200), ("another", 401), ("", 401)] {
        let headers = json!({ "x-hub-signature": sign(body.as_bytes(), secret) });
        assert_eq!(send(&post(body.as_bytes(), &headers, false)).0, status, "signed with {secret:?}");
    }
}

#[test]
fn what_is_not_signed_exactly_so_is_refused_and_enqueues_nothing() {
    let body = a_message().to_string();
    let right = sign(body.as_bytes(), CLIENT_SECRET);
    let hex = right.trim_start_matches("sha1=");
    let wrong = [
        json!({}),
        json!({ "x-hub-signature": "" }),
        json!({ "x-hub-signature": hex }),
        json!({ "x-hub-signature": format!("sha256={hex}") }),
        json!({ "x-hub-signature": format!("sha1={}", hex.to_uppercase()) }),
        json!({ "x-hub-signature": format!("{right}0") }),
        json!({ "x-hub-signature": format!("{right},{right}") }),
        json!({ "x-hub-signature-256": right }),
    ];
    for headers in wrong {
        let (status, enqueued) = send(&post(body.as_bytes(), &headers, false));
        assert_eq!((status, enqueued.len()), (401, 0), "{headers}");
    }
    let mut twice = post(body.as_bytes(), &json!({ "x-hub-signature": right }), false);
    let value = right.parse().unwrap();
    twice.headers_mut().append("x-hub-signature", value);
    assert_eq!(send(&twice).0, 401, "two signatures are none");
}

#[test]
fn head_and_ping_are_answered() {
    let request = gateway_request("HEAD", &format!("/intercom/{PATH}"), ("webhook_path", PATH), &json!({}), b"", false);
    assert_eq!(send(&request), (200, Vec::new()));
    let mut ping = notification("ping", &json!({ "type": "ping", "message": "something something interzen" }));
    ping["id"] = Value::Null;
    assert_eq!(send_signed(&ping), (200, Vec::new()));
}

#[test]
fn an_address_that_nobody_has_is_404() {
    for method in ["HEAD", "POST"] {
        let request = gateway_request(method, "/intercom/else", ("webhook_path", "else"), &json!({}), b"{}", false);
        assert_eq!(send(&request).0, 404);
    }
}

#[test]
fn every_topic_of_conversations_goes_on_and_the_others_are_acknowledged() {
    for topic in CONVERSATION_TOPICS {
        let (status, enqueued) = send_signed(&notification(topic, &conversation_item("<p>x</p>")));
        assert_eq!((status, enqueued.len()), (200, 1), "{topic}");
    }
    for topic in ["contact.user.created", "contact.deleted", "ticket.created", "conversation.read", "no.such.topic", ""]
    {
        let (status, enqueued) = send_signed(&notification(topic, &conversation_item("<p>x</p>")));
        assert_eq!((status, enqueued.len()), (200, 0), "{topic}");
    }
}

#[test]
fn items_in_odd_shapes_still_ring_for_their_conversation() {
    let deleted = notification("conversation.deleted", &json!({ "type": "conversation", "conversation_id": "77" }));
    let attached = notification(
        "conversation.contact.attached",
        &json!({ "conversation": { "parts": [], "options": {}, "model": { "id": 77 } }, "contact": { "created_at": "2026" } }),
    );
    let mut odd = conversation_item("<p>x</p>");
    odd["id"] = json!(77);
    odd["conversation_parts"] = json!("surprise");
    let odd = notification("conversation.user.replied", &odd);
    for (body, news) in [(deleted, News::Deleted), (attached, News::Doorbell), (odd, News::Doorbell)] {
        let (status, enqueued) = send_signed(&body);
        assert_eq!(status, 200);
        assert_eq!((enqueued[0].0.conversation_id.as_str(), &enqueued[0].0.news), ("77", &news), "{body}");
    }
}

#[test]
fn the_legacy_shape_and_what_cannot_be_read_are_acknowledged() {
    let legacy = json!({ "type": "conversation", "id": "1", "user": {}, "assignee": { "type": "nobody_admin" }, "conversation_message": {} });
    assert_eq!(send_signed(&notification("conversation.user.created", &legacy)), (200, Vec::new()));
    assert_eq!(send_signed(&notification("conversation.user.created", &json!({ "id": null }))), (200, Vec::new()));
    assert_eq!(send_signed(&json!([1, 2, 3])), (200, Vec::new()));
}

#[test]
fn both_body_formats_and_both_kinds_of_none_are_understood() {
    let mut item = conversation_item("2 < 3 & <b>so</b>");
    item["statistics"]["first_contact_reply_at"] = json!(1_768_031_789);
    item["admin_assignee_id"] = json!(0);
    item["team_assignee_id"] = json!("500009");
    let (_, enqueued) = send_signed(&notification("conversation.user.replied", &item));
    let News::Notification { item, .. } = &enqueued[0].0.news else { panic!() };
    let seen = item.observation(false);
    assert_eq!(shared::domain::incoming::text(seen.parts[0].body.as_ref().unwrap()), "2 < 3 & <b>so</b>");
    assert_eq!(format!("{:?}", seen.assignee), r#"Team(TeamId("500009"))"#);
}

#[test]
fn another_workspace_at_this_address_is_refused() {
    let mut body = a_message();
    body["app_id"] = json!("other1");
    assert_eq!(send_signed(&body), (401, Vec::new()));
}

#[test]
fn a_large_notification_goes_on_as_ids_and_a_huge_one_is_413() {
    for size in [70_000, 1_200_000] {
        let (status, enqueued) =
            send_signed(&notification("conversation.user.replied", &conversation_item(&"x".repeat(size))));
        assert_eq!((status, &enqueued[0].0.news), (200, &News::Doorbell));
        assert_eq!(enqueued[0].0.conversation_id, "215470000000001");
    }
    let body = "x".repeat(MAX_BODY_BYTES + 1);
    let headers = json!({ "x-hub-signature": sign(body.as_bytes(), CLIENT_SECRET) });
    assert_eq!(send(&post(body.as_bytes(), &headers, false)), (413, Vec::new()));
}

#[test]
fn when_the_queue_is_down_a_row_is_as_good_and_when_that_fails_too_intercom_is_to_come_again() {
    let body = a_message().to_string();
    let request = post(body.as_bytes(), &json!({ "x-hub-signature": sign(body.as_bytes(), CLIENT_SECRET) }), false);
    for (table_is_down, status) in [(false, 200), (true, 500)] {
        let inbox = Kept { queue_is_down: true, table_is_down, ..Kept::default() };
        assert_eq!(now(handle(&doors(), &inbox, &request)).status().as_u16(), status);
        assert_eq!(inbox.messages.lock().unwrap().len(), usize::from(!table_is_down));
    }
}

#[test]
fn a_missing_secret_is_named_at_the_start() {
    let mut environment = Environment::of([]);
    let _ = Doors::new(&shared::testing::settings(), &Secrets::default(), &mut environment);
    let report = environment.finish().unwrap_err().to_string();
    assert!(report.contains("\"acme\" of workspace abc123"), "{report}");
}

/// A mutation of a valid request: of its body, its signature, its path, or its method.
#[derive(Debug, Clone)]
enum Mutation {
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Signature(Vec<u8>),
    SignatureByte(usize, u8),
    Method(&'static str),
    Path(String),
    Resigned(usize, Vec<u8>),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<usize>(), 1_u8..).prop_map(|(at, mask)| Mutation::Flip(at, mask)),
        any::<usize>().prop_map(Mutation::Cut),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        prop::collection::vec(0x20_u8..0x7f, 0..60).prop_map(Mutation::Signature),
        (0_usize..45, 0x20_u8..0x7f).prop_map(|(at, byte)| Mutation::SignatureByte(at, byte)),
        prop::sample::select(vec!["GET", "PUT", "DELETE", "OPTIONS", "HEAD"]).prop_map(Mutation::Method),
        "[a-z0-9-]{0,20}".prop_map(Mutation::Path),
        (any::<usize>(), prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, bytes)| Mutation::Resigned(at, bytes)),
    ]
}

fn mutated(mutation: &Mutation) -> (Request, bool) {
    let mut body = a_message().to_string().into_bytes();
    let original = body.clone();
    let mut signature = sign(&body, CLIENT_SECRET).into_bytes();
    let right = signature.clone();
    let (mut method, mut path) = ("POST", PATH.to_owned());
    match mutation {
        Mutation::Flip(at, mask) => {
            let at = at % body.len();
            body[at] ^= mask;
        }
        Mutation::Cut(at) => body.truncate(at % body.len()),
        Mutation::Insert(at, bytes) => {
            let at = at % body.len();
            body.splice(at..at, bytes.iter().copied());
        }
        Mutation::Signature(text) => signature.clone_from(text),
        Mutation::SignatureByte(at, byte) => signature[*at] = *byte,
        Mutation::Method(other) => method = other,
        Mutation::Path(other) => path.clone_from(other),
        Mutation::Resigned(at, bytes) => {
            let at = at % body.len();
            let end = (at + bytes.len()).min(body.len());
            body.splice(at..end, bytes.iter().copied());
            signature = sign(&body, CLIENT_SECRET).into_bytes();
        }
    }
    let signed = (body == original && signature == right) || matches!(mutation, Mutation::Resigned(..));
    let genuine = signed && method == "POST" && path == PATH;
    let headers = json!({ "x-hub-signature": String::from_utf8_lossy(&signature) });
    (gateway_request(method, &format!("/intercom/{path}"), ("webhook_path", &path), &headers, &body, true), genuine)
}

#[test]
fn ten_thousand_mutated_webhooks_neither_panic_nor_get_in_nor_get_a_forbidden_answer() {
    let (runs, let_in) = (Cell::new(0), Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 10_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&mutation(), |mutation| {
            let (request, genuine) = mutated(&mutation);
            let (status, enqueued) = send(&request);
            runs.set(runs.get() + 1);
            let_in.set(let_in.get() + enqueued.len());
            prop_assert!(matches!(status, 200 | 401 | 404 | 413), "status {status}");
            prop_assert!(enqueued.is_empty() || genuine, "what was not signed was enqueued");
            prop_assert!(status != 200 || genuine || *request.method() == "HEAD");
            Ok(())
        })
        .unwrap();
    assert!(runs.get() >= 10_000 && let_in.get() > 0, "the property must have been put to the test");
}
