//! The edge towards bots that speak HTTPS.

use std::sync::Mutex;

use baton_tests::{gateway_request, now};
use bot_ingress::{Callers, CommandSink, handle};
use lambda_http::Request;
use serde_json::{Value, json};
use shared::config::Secrets;
use shared::domain::ids::{ConversationKey, Timestamp};
use shared::domain::signature::{self, Key};
use shared::ports::Unavailable;
use shared::testing::{ManualClock, settings};
use shared::wire::bot::CommandMessage;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NOW: Timestamp = Timestamp(1_768_040_000_000);

#[derive(Default)]
struct Kept {
    commands: Mutex<Vec<(String, String, CommandMessage)>>,
    down: bool,
}

impl CommandSink for Kept {
    async fn put(&self, key: &ConversationKey, bot: &str, command: &CommandMessage) -> Result<(), Unavailable> {
        if self.down {
            return Err(Unavailable { what: "SQS", why: "scripted".to_owned() });
        }
        self.commands.lock().unwrap().push((key.to_string(), bot.to_owned(), command.clone()));
        Ok(())
    }
}

fn command(id: &str) -> Value {
    json!({
        "v": 1, "id": id, "type": "reply", "epoch": 1,
        "conversation": { "intercom": { "app_id": "abc123", "conversationId": "215470000000001" } },
        "data": { "content": [{ "type": "text", "text": "Hi" }] }
    })
}

fn request(bot: &str, body: &[u8], at: Timestamp, signed: &[u8]) -> Request {
    let key = Key::from_whsec(SECRET).unwrap();
    let headers = json!({
        "webhook-id": "msg_1",
        "webhook-timestamp": at.seconds().to_string(),
        "webhook-signature": signature::sign(&key, "msg_1", at, signed),
    });
    gateway_request("POST", &format!("/bots/{bot}/commands"), ("bot", bot), &headers, body, false)
}

fn send(request: &Request) -> (u16, Value, usize) {
    send_to(&Kept::default(), request)
}

fn send_to(sink: &Kept, request: &Request) -> (u16, Value, usize) {
    let callers = Callers::new(&settings(), &Secrets::of(&[("demo", SECRET)]));
    let response = now(handle(&callers, sink, &ManualClock::at(NOW.0), request));
    let body = serde_json::from_slice(response.body().as_ref()).unwrap();
    (response.status().as_u16(), body, sink.commands.lock().unwrap().len())
}

fn signed(body: &Value) -> Request {
    let body = body.to_string();
    request("demo", body.as_bytes(), NOW, body.as_bytes())
}

#[test]
fn one_command_or_several_are_taken_in_order() {
    assert_eq!(send(&signed(&command("c1"))), (202, json!({ "accepted": 1 }), 1));
    let sink = Kept::default();
    send_to(&sink, &signed(&json!({ "commands": [command("c1"), command("c2")] })));
    let ids: Vec<_> =
        sink.commands.into_inner().unwrap().into_iter().map(|(key, bot, command)| (key, bot, command.id)).collect();
    let expected = |id: &str| ("abc123#215470000000001".to_owned(), "demo".to_owned(), Some(id.to_owned()));
    assert_eq!(ids, [expected("c1"), expected("c2")]);
}

#[test]
fn what_is_not_signed_by_the_bot_now_is_refused() {
    let body = command("c1").to_string();
    let refused = [
        request("demo", body.as_bytes(), NOW, b"another body"),
        request("demo", body.as_bytes(), NOW.plus_ms(301_000), body.as_bytes()),
        gateway_request("POST", "/bots/demo/commands", ("bot", "demo"), &json!({}), body.as_bytes(), false),
    ];
    for request in refused {
        let (status, answer, enqueued) = send(&request);
        assert_eq!((status, enqueued), (401, 0), "{answer}");
    }
    assert_eq!(send(&request("nobody", body.as_bytes(), NOW, body.as_bytes())).0, 404);
}

#[test]
fn a_body_is_taken_whole_or_not_at_all_and_the_answer_says_what_is_wrong() {
    let mut no_conversation = command("c2");
    no_conversation.as_object_mut().unwrap().remove("conversation");
    let cases = [
        (json!({ "commands": [command("c1"), no_conversation] }), "commands[1]: a command needs its `conversation`"),
        (json!({ "commands": [] }), "1 to 20"),
        (json!({ "commands": vec![command("x"); 21] }), "1 to 20"),
        (json!({ "type": "reply", "data": {} }), "content"),
        (json!("hello"), "expected"),
    ];
    for (body, words) in cases {
        let (status, answer, enqueued) = send(&signed(&body));
        assert_eq!((status, enqueued), (400, 0), "{body}");
        assert!(answer["error"].as_str().unwrap().contains(words), "{answer} does not tell {words}");
    }
}

#[test]
fn when_the_queue_is_down_the_bot_is_told_to_come_again() {
    let sink = Kept { down: true, ..Kept::default() };
    assert_eq!(send_to(&sink, &signed(&command("c1"))).0, 500);
}
