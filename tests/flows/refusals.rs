//! What cannot even be recorded is refused, once, in words that its bot can act on; and a refusal finds its
//! bot also where the chat is the bot's own.

use baton_tests::now;
use serde_json::{Value, json};
use shared::app::Desk;
use shared::domain::conversation::Lane;
use shared::domain::ids::Timestamp;
use shared::lambda::queues::Queues;
use shared::lambda::work::Office;
use shared::testing::{BOT, FakeFifo, FakeIntercom, FakeStore, ManualClock, Numbered, Scene, settings};

const OURS: &str = "AROAOURS";

/// What a bot hears of a command that `bot-reply` takes from the bot's own address.
fn refused(command: &Value) -> Vec<Value> {
    let bot_events = FakeFifo::default();
    let office = Office {
        desk: Desk {
            settings: settings(),
            store: FakeStore::default(),
            wakers: Queues { bot_events: Some(bot_events.clone()), ..Queues::default() },
            clock: ManualClock::at(1_768_040_000_000),
        },
        intercom: FakeIntercom::showing(Scene::default().whole(), BOT),
        names: Numbered::default(),
        trusted_senders: vec![OURS.to_owned()],
        lane: Lane::Replies,
    };
    let body = json!({ "kind": "command", "v": 1, "bot": "demo", "command": command });
    let record = serde_json::from_value(json!({
        "messageId": "m", "receiptHandle": "r", "body": body.to_string(), "messageAttributes": {},
        "attributes": { "SenderId": OURS, "MessageGroupId": "abc123#1" }
    }))
    .unwrap();
    now(office.handle(&record, Timestamp(u64::MAX))).unwrap();
    let told = bot_events.messages().into_iter().map(|(.., body)| serde_json::from_str::<Value>(&body).unwrap());
    told.map(|message| message["event"].clone()).collect()
}

#[test]
fn a_workspace_that_the_settings_do_not_have_is_told_instead_of_tried_again_and_again() {
    let told = refused(&json!({
        "id": "c1", "type": "note", "data": { "text": "a" },
        "conversation": { "intercom": { "app_id": "elsewhere", "conversationId": "1" } }
    }));
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["data"]["code"], &told[0]["data"]["command_id"]), (&json!("unknown_workspace"), &json!("c1")));
}

#[test]
fn a_message_of_a_chat_that_was_never_started_is_refused_under_its_own_name() {
    let told = refused(&json!({
        "id": "c1", "type": "transfer_message", "data": { "text": "hello?" },
        "session": { "app_id": "abc123", "id": "chat 7" }
    }));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["data"]["code"], "unknown_conversation");
    assert_eq!((&told[0]["session"]["id"], &told[0]["conversation"]), (&json!("chat 7"), &Value::Null));
}
