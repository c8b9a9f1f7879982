//! What the tests share: webhooks as Intercom sends them, signed as Intercom signs them, wrapped
//! as API Gateway wraps them; and a bridge of the real use cases over fakes.

pub mod chat;

use futures_util::FutureExt as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use lambda_http::Request;
use serde_json::{Value, json};
use sha1::Sha1;
use shared::app::heed::{News, heed};
use shared::app::{Desk, Report, Unfinished, carry_out, deliver, sweep};
use shared::domain::command::{Ask, Command, HandoverTarget};
use shared::domain::content::{Block, TextFormat};
use shared::domain::conversation::{Conversation, EventKind, Lane};
use shared::domain::ids::{BotId, CommandId, Timestamp};
use shared::domain::part::Observation;
use shared::ports::{Clock as _, Worker};
use shared::testing::{
    BOT, FakeBots, FakeIntercom, FakeStore, FakeWakers, ManualClock, Numbered, Scene, key, settings,
};

/// The client secret of the test workspace.
pub const CLIENT_SECRET: &str = "the-client-secret";

/// Intercom's signature of a body.
///
/// # Panics
/// Never: HMAC takes keys of any length.
#[must_use]
pub fn sign(body: &[u8], secret: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap_or_else(|_| unreachable!());
    mac.update(body);
    let code: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha1={code}")
}

/// A notification as Intercom sends it.
#[must_use]
pub fn notification(topic: &str, item: &Value) -> Value {
    json!({
        "type": "notification_event",
        "app_id": "abc123",
        "data": { "type": "notification_event_data", "item": item },
        "links": {},
        "id": "notif_2f1c2f0e-0d0b-4a57-9d7c-0123456789ab",
        "topic": topic,
        "delivery_status": "pending",
        "delivery_attempts": 1,
        "delivered_at": 0,
        "first_sent_at": 1_768_032_001,
        "created_at": 1_768_032_001,
        "self": null
    })
}

/// A conversation as notifications carry it, up to version 2.14, with one part by the customer.
#[must_use]
pub fn conversation_item(part_body: &str) -> Value {
    json!({
        "type": "conversation", "id": "215470000000001", "created_at": 1_768_031_789, "updated_at": 1_768_032_000,
        "waiting_since": 1_768_032_000, "snoozed_until": null,
        "source": {
            "type": "conversation", "id": "3381828792", "delivered_as": "customer_initiated", "subject": "",
            "body": "<p>Hello</p>", "attachments": [], "url": "https://shop.example/cart", "redacted": false,
            "author": { "type": "lead", "id": "6762f0dd1bb69f9f2193bb83", "name": "Carla", "email": "" }
        },
        "contacts": { "type": "contact.list", "contacts": [{ "type": "contact", "id": "6762f0dd1bb69f9f2193bb83", "external_id": "c-1" }] },
        "admin_assignee_id": 900_001, "team_assignee_id": null, "open": true, "state": "open", "read": false,
        "tags": { "type": "tag.list", "tags": [] }, "priority": "not_priority",
        "statistics": {
            "type": "conversation_statistics", "first_contact_reply_at": "2026-01-10T07:56:29.000Z",
            "last_close_at": null, "count_conversation_parts": 2
        },
        "conversation_rating": null, "title": "", "custom_attributes": { "plan": "team" }, "ai_agent_participated": false,
        "conversation_parts": {
            "type": "conversation_part.list", "total_count": 1,
            "conversation_parts": [{
                "type": "conversation_part", "id": "37358198341", "part_type": "comment", "body": part_body,
                "created_at": 1_768_032_000, "updated_at": 1_768_032_000, "notified_at": 1_768_032_000, "assigned_to": null,
                "author": { "type": "user", "id": "6762f0dd1bb69f9f2193bb83", "name": "Carla", "email": "" },
                "attachments": [], "external_id": null, "redacted": false, "app_package_code": null
            }]
        }
    })
}

/// A request as API Gateway's HTTP API hands it to a function.
///
/// # Panics
/// When the JSON is not of API Gateway's form, which is a mistake of the test.
#[must_use]
pub fn gateway_request(
    method: &str,
    path: &str,
    parameter: (&str, &str),
    headers: &Value,
    body: &[u8],
    base64: bool,
) -> Request {
    use base64::Engine as _;
    let body = if base64 {
        base64::engine::general_purpose::STANDARD.encode(body)
    } else {
        String::from_utf8_lossy(body).into_owned()
    };
    let event = json!({
        "version": "2.0", "routeKey": format!("{method} {path}"), "rawPath": path, "rawQueryString": "",
        "headers": headers, "pathParameters": { parameter.0: parameter.1 },
        "requestContext": {
            "accountId": "000000000000", "apiId": "a1", "domainName": "a1.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "a1", "requestId": "r1", "routeKey": format!("{method} {path}"), "stage": "$default",
            "time": "10/Jan/2026:08:00:01 +0000", "timeEpoch": 1_768_032_001_000_u64,
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "34.231.68.152", "userAgent": "intercom-parrot-service-client/1.0" }
        },
        "body": body, "isBase64Encoded": base64
    });
    lambda_http::request::from_str(&event.to_string()).unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a future that waits for nothing outside.
///
/// # Panics
/// When it does wait.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap_or_else(|| panic!("the future waits for something"))
}

/// The bridge: the real use cases over fakes.
#[derive(Debug)]
pub struct Bridge {
    /// Settings, store, wakers, clock.
    pub desk: Desk<FakeStore, FakeWakers, ManualClock>,
    /// Intercom.
    pub intercom: FakeIntercom,
    /// The bot.
    pub bots: FakeBots,
    names: Numbered,
}

/// How long an invocation may take here, in milliseconds.
const INVOCATION_MS: u64 = 30_000;

impl Bridge {
    /// A bridge before a conversation that looks like this.
    #[must_use]
    pub fn before(scene: &Scene) -> Self {
        Self {
            desk: Desk {
                settings: settings(),
                store: FakeStore::default(),
                wakers: FakeWakers::default(),
                clock: ManualClock::at(1_768_040_000_000),
            },
            intercom: FakeIntercom::showing(scene.whole(), BOT),
            bots: FakeBots::default(),
            names: Numbered::default(),
        }
    }

    /// A bridge whose bot has the conversation, and was told of the first message.
    #[must_use]
    pub fn with_the_bot(scene: &mut Scene) -> Self {
        scene.assign_to_bot();
        let bridge = Self::before(scene);
        bridge.notified(scene);
        let _ = bridge.told();
        bridge.desk.wakers.take();
        bridge.intercom.take_gets();
        bridge.desk.store.take_counts();
        bridge
    }

    /// The scene went on: Intercom shows it, and notifies of its last part.
    pub fn notified(&self, scene: &Scene) -> Report {
        self.try_notified(scene).unwrap_or_else(|error| panic!("{error}"))
    }

    /// As [`Bridge::notified`], for when it may fail.
    ///
    /// # Errors
    /// As [`heed`].
    pub fn try_notified(&self, scene: &Scene) -> Result<Report, Unfinished> {
        let told = scene.whole();
        self.intercom.change(|shown| {
            let known = std::mem::take(&mut shown.parts);
            *shown = told;
            shown.parts.extend(known.into_iter().filter(|part| part.is_by(&bot())));
            shown.parts = shown.parts_in_order().into_iter().cloned().collect();
            shown.part_count = Some(shown.parts.len() as u64);
        });
        let mut seen = scene.notification();
        seen.part_count = self.intercom.shown().part_count;
        self.heard(&News::Shown(Box::new(seen)))
    }

    /// Something is heard of the conversation.
    ///
    /// # Errors
    /// As [`heed`].
    pub fn heard(&self, news: &News) -> Result<Report, Unfinished> {
        now(heed(&self.desk, &self.intercom, &key(), news))
    }

    /// Intercom notifies of our own last part.
    pub fn echoed(&self) {
        let mut seen: Observation = self.intercom.shown();
        seen.complete = false;
        seen.parts = seen.parts.last().cloned().into_iter().collect();
        self.heard(&News::Shown(Box::new(seen))).unwrap_or_else(|error| panic!("{error}"));
    }

    /// The bot asks for something; `bot-reply` or `close-conversation` carries it out.
    ///
    /// # Errors
    /// As [`carry_out::carry_out`].
    pub fn asked(&self, id: &str, ask: Ask) -> Result<Report, Unfinished> {
        self.asked_knowing(id, None, ask)
    }

    /// As [`Bridge::asked`], by a bot that says which event was the last that it had seen.
    ///
    /// # Errors
    /// As [`carry_out::carry_out`].
    pub fn asked_knowing(&self, id: &str, seq: Option<u64>, ask: Ask) -> Result<Report, Unfinished> {
        let lane = if matches!(ask, Ask::Close { .. }) { Lane::Close } else { Lane::Replies };
        let command = Command {
            id: CommandId::parse(id).unwrap_or_else(|error| panic!("{error}")),
            bot: BotId::parse("demo").unwrap_or_else(|error| panic!("{error}")),
            digest: format!("{ask:?}"),
            epoch: None,
            seq,
            ask,
        };
        self.carry_out(lane, Some(&command))
    }

    /// A worker of a lane runs.
    ///
    /// # Errors
    /// As [`carry_out::carry_out`].
    pub fn carry_out(&self, lane: Lane, command: Option<&Command>) -> Result<Report, Unfinished> {
        let deadline = self.desk.clock.now().plus_ms(INVOCATION_MS);
        to_the_end(now(carry_out::carry_out(&self.desk, &self.intercom, &self.names, lane, &key(), command, deadline)))
    }

    /// What the bot is told now.
    #[must_use]
    pub fn told(&self) -> Vec<EventKind> {
        let deadline = self.desk.clock.now().plus_ms(INVOCATION_MS);
        now(deliver::deliver(&self.desk, &self.bots, &key(), deadline)).unwrap_or_else(|error| panic!("{error}"));
        self.bots.take().into_iter().map(|event| event.kind).collect()
    }

    /// As [`Bridge::told`], for when the bot does not take it.
    ///
    /// # Errors
    /// As [`deliver::deliver`].
    pub fn try_tell(&self) -> Result<Report, Unfinished> {
        let deadline = self.desk.clock.now().plus_ms(INVOCATION_MS);
        to_the_end(now(deliver::deliver(&self.desk, &self.bots, &key(), deadline)))
    }

    /// The minute's sweep; who was woken.
    #[must_use]
    pub fn swept(&self) -> Vec<Worker> {
        self.desk.wakers.take();
        now(sweep::sweep(&self.desk)).unwrap_or_else(|error| panic!("{error}"));
        self.desk.wakers.take()
    }

    /// The conversation as it is stored.
    #[must_use]
    pub fn state(&self) -> Conversation {
        self.desk.store.conversation(&key())
    }

    /// What the customer has read from the bot.
    #[must_use]
    pub fn bots_words(&self) -> Vec<String> {
        let parts = self.intercom.shown().parts;
        let own = parts.iter().filter(|part| part.author.id == BOT);
        let said = own.filter_map(shared::domain::part::Part::message).filter_map(|message| message.body);
        said.map(|body| shared::domain::incoming::text(&body)).collect()
    }
}

fn bot() -> shared::domain::ids::AdminId {
    shared::domain::ids::AdminId::parse(BOT).unwrap_or_else(|error| panic!("{error}"))
}

/// A hand-over without words, note or tags.
#[must_use]
pub fn handover(to: HandoverTarget) -> Ask {
    let attributes = serde_json::Map::new();
    Ask::Handover { to, reason: None, note: None, content: Vec::new(), tags: Vec::new(), attributes }
}

/// A close, with what the customer reads.
#[must_use]
pub fn close(reason: Option<&str>) -> Ask {
    Ask::Close { reason: reason.map(str::to_owned), tags: Vec::new(), attributes: serde_json::Map::new() }
}

/// A worker's report, or when it is to come again.
fn to_the_end(report: Result<Report, Unfinished>) -> Result<Report, Unfinished> {
    match report {
        Ok(Report { due: Some(at), .. }) => Err(Unfinished::Later { at, why: "due" }),
        report => report,
    }
}

/// A reply of plain words.
#[must_use]
pub fn reply(words: &str) -> Ask {
    Ask::Reply { content: vec![Block::Text { text: words.to_owned(), format: TextFormat::Plain }] }
}

/// Milliseconds later than the tests' beginning.
#[must_use]
pub fn at(bridge: &Bridge, ms: u64) -> Timestamp {
    bridge.desk.clock.now().plus_ms(ms)
}
