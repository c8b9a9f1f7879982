//! Fifty workspaces around the real handlers. Every port notes what is touched, and whose it is.

mod apart;
mod hands;
mod ports;

use base64::Engine as _;
use baton_cli::sandbox::{Options, Running, Sandbox, Seed};
use baton_tests::conversation_item;
use bot_ingress::Callers;
use serde_json::{Value, json};
use shared::adapters::intercom::RestApi;
use shared::app::Desk;
use shared::app::pace::Paced;
use shared::app::tokens::{Vault, put};
use shared::config::{Environment, Secrets};
use shared::domain::conversation::Lane;
use shared::domain::ids::{AppId, ConversationKey, Timestamp};
use shared::domain::settings::Settings;
use shared::domain::token::AccessToken;
use shared::lambda::batch::SqsRecord;
use shared::lambda::messengers::Messengers;
use shared::lambda::queues::{Inbox, Queues};
use shared::lambda::work::Office;
use shared::testing::FakeSeals;
use webhook_ingress::Doors;

pub(crate) use self::ports::Touch;
use self::ports::{Fresh, Rows, Sqs, State, Time, Ways, with};

/// How many workspaces there are.
pub(crate) const COUNT: usize = 50;
/// The one conversation of each workspace. Their ids are the same, as Intercom's may be.
pub(crate) const CONVERSATION: &str = "215470000000001";
const BEGAN: u64 = 1_768_040_000_000;
/// Stands in everything that is secret, and in everything that somebody says.
pub(crate) const MARK: &str = "heliotrope";

/// The workspace of a number.
pub(crate) fn app(n: usize) -> String {
    format!("ws{n:02}")
}

/// Its bot.
pub(crate) fn bot(n: usize) -> String {
    format!("bot{n:02}")
}

/// What its customer says.
pub(crate) fn words(n: usize) -> String {
    format!("{MARK}-of-ws{n:02}")
}

fn client_secret(n: usize) -> String {
    marked(&format!("client-secret-of-ws{n:02}"))
}

fn bot_secret(n: usize) -> String {
    format!("whsec_{}", in_base64(&marked(&format!("bot-secret-{n:04}"))))
}

fn access_token(n: usize) -> String {
    marked(&format!("token-{n:02}"))
}

/// A marked text.
pub(crate) fn marked(text: &str) -> String {
    format!("{MARK}-{text}")
}

pub(crate) fn in_base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

pub(crate) fn in_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn key_of(n: usize) -> ConversationKey {
    ConversationKey::parse(&app(n), CONVERSATION).unwrap()
}

/// A notification that names a workspace.
pub(crate) fn notification(app_id: &Value) -> Value {
    let mut item = conversation_item("<p>x</p>");
    item["statistics"]["count_conversation_parts"] = json!(0);
    item["conversation_parts"] =
        json!({ "type": "conversation_part.list", "total_count": 0, "conversation_parts": [] });
    let mut notification = baton_tests::notification("conversation.user.created", &item);
    notification["app_id"] = app_id.clone();
    notification
}

/// How the bots are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Signed requests.
    Https,
    /// Queues.
    Sqs,
}
pub(crate) type Api = Paced<RestApi<Time, Vault<Rows, FakeSeals, Time>>, Rows, Time>;

/// The functions, and what is around them.
pub(crate) struct World {
    sandbox: Running,
    settings: Settings,
    desk: Desk<Rows, Queues<Sqs>, Time>,
    replier: Office<Rows, Sqs, Time, Api, Fresh>,
    closer: Office<Rows, Sqs, Time, Api, Fresh>,
    bots: Messengers<Ways, Sqs, Time>,
    doors: Doors,
    callers: Callers,
    inbox: Inbox<Sqs, Rows, Time>,
    seals: FakeSeals,
}

const OURS: &str = "AROAOURS";

impl World {
    /// Fifty workspaces in the sandbox, each with a conversation that is the bot's, and the functions
    /// before their first invocation.
    pub(crate) async fn begin(way: Way) -> Self {
        with(|state| *state = State { now: BEGAN, ..State::default() });
        let sandbox = Sandbox::start(Options { seed: Some(seed()), ..Options::default() }).await.unwrap();
        let http = shared::adapters::http::client(std::time::Duration::from_secs(5)).unwrap();
        for n in 0..COUNT {
            let url = format!("{}/_sandbox/{}/conversations", sandbox.url(), app(n));
            let body = json!({ "contact_name": format!("{MARK} Carla"), "body": words(n) });
            let begun: Value = http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
            assert_eq!(begun["conversation_id"], CONVERSATION, "all have the same id");
            let parts = http.post(format!("{}/conversations/{CONVERSATION}/parts", sandbox.url()));
            let to_the_bot =
                json!({ "message_type": "assignment", "type": "admin", "admin_id": "900002", "assignee_id": "900001" });
            let assigned = parts.bearer_auth(access_token(n)).json(&to_the_bot).send().await.unwrap();
            assert_eq!(assigned.status(), 200);
        }
        let settings = settings(way, &sandbox.url());
        let seals = FakeSeals::default();
        for n in 0..COUNT {
            let (app_id, token) = (AppId::parse(app(n)).unwrap(), AccessToken::parse(access_token(n)).unwrap());
            put(&Rows, &seals, &app_id, &token, Timestamp(BEGAN)).await.unwrap();
        }
        let queues = || Queues {
            inbox: Some(Sqs("inbox")),
            bot_events: Some(Sqs("bot-events")),
            replies: Some(Sqs("replies")),
            close: Some(Sqs("close")),
        };
        let desk = || Desk { settings: settings.clone(), store: Rows, wakers: queues(), clock: Time };
        let office = |lane| Office {
            desk: desk(),
            intercom: Paced::new(RestApi::new(Vault::new(Rows, seals.clone(), Time), Time).unwrap(), Rows, Time),
            names: Fresh,
            trusted_senders: vec![OURS.to_owned()],
            lane,
        };
        let names: Vec<_> = (0..COUNT).map(|n| (app(n), client_secret(n), bot(n), bot_secret(n))).collect();
        let webhook_secrets: Vec<_> = names.iter().map(|(app, secret, ..)| (app.as_str(), secret.as_str())).collect();
        let bot_secrets: Vec<_> = names.iter().map(|(.., bot, secret)| (bot.as_str(), secret.as_str())).collect();
        let mut environment = Environment::of([]);
        let doors = Doors::new(&settings, &Secrets::of(&webhook_secrets), &mut environment);
        environment.finish().unwrap();
        let world = Self {
            sandbox,
            desk: desk(),
            replier: office(Lane::Replies),
            closer: office(Lane::Close),
            bots: Messengers { lines: Ways, queues: queues(), clock: Time },
            doors,
            callers: Callers::new(&settings, &Secrets::of(&bot_secrets)),
            inbox: Inbox { queue: Sqs("inbox"), rows: Rows, clock: Time },
            settings,
            seals,
        };
        world.take();
        world
    }

    /// Every workspace lives: a webhook, the conversation fetched and given to the bot, a reply of the
    /// bot's, carried out in Intercom. All of it is its own.
    pub(crate) async fn live(&self) {
        for n in 0..COUNT {
            assert_eq!(self.post_webhook(n, n, &notification(&json!(app(n)))).await, 200);
            let only = |touches: Vec<Touch>, expected: &[Touch]| {
                assert!(!touches.is_empty());
                assert!(touches.iter().all(|touch| expected.contains(touch)), "{n}: {touches:?}");
            };
            only(self.take(), &[Touch::Put("inbox", app(n))]);
            for (group, body) in self.take_messages("inbox") {
                self.heed(&group, &body).await.unwrap();
            }
            let own = [
                Touch::Read(app(n)),
                Touch::Written(app(n)),
                Touch::TokenRead(app(n)),
                Touch::Budgeted(app(n)),
                Touch::Put("bot-events", app(n)),
            ];
            only(self.take(), &own);
            for (group, body) in self.take_messages("bot-events") {
                self.dispatch(&group, &body).await.unwrap();
            }
            only(
                self.take(),
                &[Touch::Read(app(n)), Touch::Written(app(n)), Touch::Told(bot(n)), Touch::Fares(bot(n))],
            );
            let told = self.take_told();
            assert!(told.iter().any(|(_, event)| event.to_string().contains(&words(n))), "{n}: {told:?}");
            let reply = json!({
                "v": 1, "id": "own", "type": "reply", "data": { "content": [{ "type": "text", "text": format!("answer to {}", words(n)) }] },
                "conversation": { "intercom": { "app_id": app(n), "conversationId": CONVERSATION } }
            });
            let wrapped = json!({ "kind": "command", "v": 1, "bot": bot(n), "command": reply });
            assert_eq!(self.work_ours(Lane::Replies, &wrapped.to_string()).await.as_deref(), Ok("carried_out"));
            only(self.take(), &own);
            for (group, body) in self.take_messages("bot-events") {
                self.dispatch(&group, &body).await.unwrap();
            }
            self.take();
            assert!(self.take_told().iter().any(|(to, event)| *to == bot(n) && event["type"] == "command_done"));
        }
    }

    /// In every workspace of Intercom there is what its own bot said, once, and nothing else of a bot's.
    pub(crate) async fn end(self) {
        let http = shared::adapters::http::client(std::time::Duration::from_secs(5)).unwrap();
        for n in 0..COUNT {
            let call = http.get(format!("{}/conversations/{CONVERSATION}", self.sandbox.url()));
            let call = call.bearer_auth(access_token(n)).header("Intercom-Version", "2.15");
            let shown = call.send().await.unwrap().text().await.unwrap();
            assert!(!shown.contains("not yours"), "{shown}");
            assert_eq!(
                shown.matches(&format!("answer to {MARK}-of-")).count(),
                shown.matches(&format!("answer to {}", words(n))).count()
            );
            assert!(shown.contains(&format!("answer to {}", words(n))), "{shown}");
        }
        self.sandbox.stop().await.unwrap();
    }
}

fn record(sender: &str, group: &str, body: &str) -> SqsRecord {
    let json = json!({
        "messageId": format!("m-{group}"), "receiptHandle": "r", "body": body,
        "attributes": { "SenderId": sender, "MessageGroupId": group, "ApproximateReceiveCount": "1" }
    });
    serde_json::from_value(json).unwrap()
}

fn settings(way: Way, api_url: &str) -> Settings {
    let mut text = "local = true\n".to_owned();
    for n in 0..COUNT {
        let (app, bot) = (app(n), bot(n));
        text.push_str(&format!(
            "[[workspace]]\napp_id = \"{app}\"\nwebhook_path = \"path-of-{app}\"\nregion = \"us\"\napi_url = \"{api_url}\"\n\
             client_secret = \"secret:{app}\"\nbot_teammate = \"900001\"\nbot_teams = [\"500009\"]\nbot = \"{bot}\"\n"
        ));
        let transport = match way {
            Way::Https => {
                format!("transport = \"https\"\nurl = \"http://127.0.0.1:9/{bot}\"\nsecret = \"secret:{bot}\"\n")
            }
            Way::Sqs => format!(
                "transport = \"sqs\"\nqueue_url = \"http://127.0.0.1:9/1/{bot}.fifo\"\nsender_id = \"AROA{}\"\n",
                bot.to_uppercase()
            ),
        };
        text.push_str(&format!("[[bot]]\nid = \"{bot}\"\n{transport}"));
    }
    shared::wire::settings::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn seed() -> Seed {
    let workspace = |n: usize| {
        json!({
            "app_id": app(n), "name": app(n), "client_secret": client_secret(n),
            "access_tokens": [{ "token": access_token(n), "admin_id": "900001", "app_package_code": "baton" }],
            "admins": [
                { "id": "900001", "name": "Bot", "email": "bot@sandbox.example", "has_inbox_seat": true },
                { "id": "900002", "name": "Alice", "email": "alice@sandbox.example", "has_inbox_seat": true }
            ],
            "teams": [{ "id": "500009", "name": "Bot", "admin_ids": ["900001"] }],
            "contacts": [{ "id": "65a0c0ffee0000000000c001", "role": "user", "name": format!("{MARK} Carla"), "email": format!("{MARK}@customer.example") }]
        })
    };
    let seed = json!({ "workspaces": (0..COUNT).map(workspace).collect::<Vec<_>>() });
    serde_json::from_value(seed).unwrap()
}
