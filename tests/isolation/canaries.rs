//! What is secret, and what people say, is marked, and goes through everything: through what works,
//! and through everything that can go wrong. The mark must be in no log line at any level that a
//! deployment can have, in no error, in no reason of a dead letter, and in nothing that shows itself
//! in `Debug`. Metrics are made of log lines.

use std::cell::RefCell;
use std::collections::{BTreeSet, VecDeque};
use std::fmt::{Debug, Display};
use std::rc::Rc;

use serde_json::{Value, json};
use shared::adapters::bots::Messengers;
use shared::adapters::clock::{RandomNames, SystemClock};
use shared::adapters::connection::Connection;
use shared::adapters::dynamodb::Table;
use shared::adapters::inbox_rows::InboxTable;
use shared::adapters::kms::KmsKey;
use shared::adapters::sqs::{Queue, Queues};
use shared::adapters::token_owner::owner_of;
use shared::adapters::token_rows::TokenTable;
use shared::config::{Environment, Secrets};
use shared::domain::conversation::{Action, Conversation, Lane};
use shared::domain::ids::{AppId, Timestamp};
use shared::domain::token::{AccessToken, Binding, SealedToken};
use shared::ports::{
    Bots as _, Clock as _, Conversations as _, Fifo as _, InboxRow, InboxRows as _, Intercom as _, Seals as _,
    TokenRows as _,
};
use shared::testing::KeptLog;
use shared::wire::outgoing::Reach;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;

use super::run;
use super::world::{self, MARK, World, app, bot, marked};

/// Everything that an operator could read.
#[derive(Clone, Default)]
struct Readable(KeptLog);

impl Readable {
    /// As the functions log, at the most that they can be told to.
    fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let kept = self.0.clone();
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || kept.clone());
        tracing::subscriber::set_default(subscriber.with_max_level(LevelFilter::DEBUG).finish())
    }

    /// Notes a text that is not logged here, but would be.
    fn note(&self, text: &str) {
        self.0.note(text);
    }

    /// Notes an error as it would be logged, and as it shows itself.
    fn error<T, E: Display + Debug>(&self, outcome: Result<T, E>) {
        let Err(error) = outcome else { panic!("it was to fail") };
        self.note(&format!("{error} {error:?}"));
    }

    fn text(&self) -> String {
        self.0.text()
    }

    /// The lines with a mark, in any of its forms.
    fn marked(&self) -> Vec<String> {
        let forms = [MARK.to_owned(), world::in_base64(MARK)[..12].to_owned(), world::in_hex(MARK)];
        let has = |line: &&str| forms.iter().any(|form| line.to_lowercase().contains(&form.to_lowercase()));
        self.text().lines().filter(has).map(str::to_owned).collect()
    }

    /// Which outcomes were logged.
    fn outcomes(&self) -> BTreeSet<String> {
        let lines = self.text();
        let values = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        values.filter_map(|line| line["outcome"].as_str().map(str::to_owned)).collect()
    }
}

/// Somebody outside who answers as told, in order, and then with nothing at all.
#[derive(Clone)]
struct Stranger {
    answers: Rc<RefCell<VecDeque<(u16, String)>>>,
    port: u16,
}

impl Stranger {
    async fn begin() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stranger = Self { answers: Rc::default(), port: listener.local_addr().unwrap().port() };
        let answers = Rc::clone(&stranger.answers);
        tokio::task::spawn_local(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = vec![0; 256 * 1024];
                let mut heard = 0;
                while let Ok(read @ 1..) = stream.read(&mut bytes[heard..]).await {
                    heard += read;
                    let text = String::from_utf8_lossy(&bytes[..heard]).to_ascii_lowercase();
                    let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                    let length =
                        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
                    if body.len() >= length.unwrap_or(0) {
                        break;
                    }
                }
                let Some((status, body)) = answers.borrow_mut().pop_front() else { continue };
                let head = format!(
                    "HTTP/1.1 {status} {MARK}\r\nlocation: http://127.0.0.1:9/{MARK}\r\nx-amzn-errortype: ValidationException\r\n\
                     content-type: application/x-amz-json-1.0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            }
        });
        stranger
    }

    fn answers(&self, answers: &[(u16, &str)]) {
        *self.answers.borrow_mut() = answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

fn token() -> AccessToken {
    AccessToken::parse(marked("token")).unwrap()
}

#[test]
fn no_secret_and_no_word_is_logged_or_shows_itself() {
    run(async {
        let readable = Readable::default();
        let world = World::begin(world::Way::Https).await;
        let listening = readable.listen();
        world.live().await;
        what_comes_in(&world, &readable).await;
        what_is_asked_in_intercom(&world, &readable).await;
        what_bots_say(&world, &readable).await;
        what_aws_says(&readable).await;
        what_shows_itself(&world, &readable);
        for (_, why) in world.take_parked() {
            readable.note(&why);
        }
        drop(listening);
        assert_eq!(readable.marked(), Vec::<String>::new());
        // It was not silent: everything that can be told of was told of.
        let told = readable.outcomes();
        for outcome in [
            "enqueued",
            "heeded",
            "decided",
            "delivered",
            "command",
            "carried_out",
            "unreadable",
            "other_workspace",
            "parked",
            "failed",
            "refused",
            "malformed_answer",
            "denied",
            "no_token",
            "rate_limited",
            "unknown",
            "kept_in_the_table",
            "handed_on",
            "later",
            "panicked",
        ] {
            assert!(told.contains(outcome), "{outcome} was not met: {told:?}");
        }
        world.end().await;
    });
}

/// The search finds a mark, in each of its forms and wherever it stands.
#[test]
fn a_mark_that_is_logged_is_found() {
    let readable = Readable::default();
    let listening = readable.listen();
    let secret = marked("secret");
    tracing::info!(outcome = "leak", words = secret);
    tracing::debug!("{}", world::in_base64(&secret));
    tracing::error!(why = %world::in_hex(&secret));
    tracing::warn!(why = ?secret.to_uppercase());
    tracing::trace!(secret, "no deployment logs at this level");
    drop(listening);
    readable.error(Err::<(), _>(shared::ports::Unavailable { what: "a leak", why: secret }));
    assert_eq!(readable.marked().len(), 5);
}

/// Notifications and messages that are refused, broken, or cannot be read.
async fn what_comes_in(world: &World, readable: &Readable) {
    let mut broken = world::notification(&json!(app(0)));
    broken["data"]["item"]["id"] = json!({ MARK: 1 });
    let mut nameless = world::notification(&json!(app(0)));
    nameless["topic"] = json!(marked("topic"));
    let mut wordy = world::notification(&json!(app(0)));
    wordy["data"]["item"]["source"] = json!(marked("source"));
    let bodies = [broken, nameless, wordy, world::notification(&json!(app(1))), json!(marked("text"))];
    for down in [true, false] {
        world.set_inbox_down(down);
        for body in &bodies {
            for signed_by in [0, 1] {
                world.post_webhook(0, signed_by, body).await;
            }
        }
        world.post_webhook(0, 0, &world::notification(&json!(app(0)))).await;
    }
    let from_inbox = world.take_messages("inbox");
    assert!(!from_inbox.is_empty());
    for (group, body) in from_inbox {
        let _ = world.heed(&group, &body).await;
    }
    let broken = |text: &str| text.replace("MARK", MARK);
    let junk = [
        broken("{\"MARK"),
        broken("\"MARK\""),
        broken(r#"{"kind":"MARK"}"#),
        broken(r#"{"kind":"wake","v":1,"app_id":"MARK words","conversation_id":"1"}"#),
        broken(r#"{"kind":"command","v":1,"bot":"MARK words","command":{"id":"c","type":"MARK"}}"#),
        broken(r#"{"v":1,"app_id":"ws00","conversation_id":"MARK x","news":"doorbell"}"#),
        broken(r#"{"v":1,"app_id":"ws00","conversation_id":"1","news":"notification","topic":"t","item":"MARK"}"#),
    ];
    for text in &junk {
        readable.error(world.heed("ws00#1", text).await);
        readable.error(world.dispatch("ws00#1", text).await);
        readable.error(world.work_ours(Lane::Replies, text).await);
    }
    world.batch(&junk).await;
    // Commands whose form is wrong, in the ways that quote what was sent.
    let mut wrong = Vec::new();
    for (kind, data) in [
        ("reply", json!({ "content": [{ "type": marked("type") }] })),
        ("reply", json!({ "content": marked("content") })),
        (&*marked("kind"), json!({})),
        ("snooze", json!({ "until": marked("until") })),
        ("handover", json!({ "to": { "team": marked("team words ü") } })),
    ] {
        let command = json!({
            "v": 1, "id": "bad", "type": kind, "data": data,
            "conversation": { "intercom": { "app_id": app(0), "conversationId": world::CONVERSATION } }
        });
        let wrapped = json!({ "kind": "command", "v": 1, "bot": bot(0), "command": command });
        wrong.push(wrapped.to_string());
        world.post_commands(0, 0, &command).await;
        world.post_commands(0, 1, &command).await;
        world.post_commands(0, 0, &json!(marked("body"))).await;
    }
    let unknown = json!({
        "v": 1, "id": "c2", "type": "note", "data": { "text": marked("note") },
        "conversation": { "intercom": { "app_id": app(1), "conversationId": world::CONVERSATION } }
    });
    wrong.push(json!({ "kind": "command", "v": 1, "bot": bot(0), "command": unknown }).to_string());
    world.batch(&wrong).await;
    // What fails, and comes again.
    world.forget_known_tokens();
    world.set_key_down(true);
    let doorbell = json!({ "v": 1, "app_id": app(0), "conversation_id": world::CONVERSATION, "news": "doorbell" });
    world.batch_of_the_inbox(&doorbell.to_string()).await;
    world.set_key_down(false);
    // A close goes on to its own queue, with its words.
    let close = json!({
        "v": 1, "id": "close", "type": "close", "data": { "reason": marked("reason") },
        "conversation": { "intercom": { "app_id": app(0), "conversationId": world::CONVERSATION } }
    });
    let wrapped = json!({ "kind": "command", "v": 1, "bot": bot(0), "command": close }).to_string();
    world.batch(&[wrapped]).await;
    world.take_messages("close");
    world.take_messages("bot-events");
    world.take_messages("replies");
}

/// Intercom answers with everything but what was asked, quoting what it was told.
async fn what_is_asked_in_intercom(world: &World, readable: &Readable) {
    let stranger = Stranger::begin().await;
    let mut workspace = world.workspace(0);
    workspace.api_url = stranger.url();
    let error = format!(r#"{{"type":"error.list","errors":[{{"code":"some_code","message":"{MARK} {MARK}"}}]}}"#);
    let page = format!("<html>{MARK}</html>");
    let id = shared::domain::ids::ConversationId::parse(world::CONVERSATION).unwrap();
    let actions = [
        Action::Reply {
            html: format!("<p>{MARK}</p>"),
            attachment_urls: vec![format!("https://x.example/{MARK}")],
            offer: None,
        },
        Action::Note { html: format!("<p>{MARK}</p>") },
        Action::Close { html: Some(format!("<p>{MARK}</p>")) },
        Action::Tag { name: marked("tag") },
        Action::SetAttributes { attributes: json!({ "a": marked("value") }).as_object().unwrap().clone() },
    ];
    let answers = [
        (400, &error),
        (403, &error),
        (404, &error),
        (422, &page),
        (429, &error),
        (500, &page),
        (200, &page),
        (302, &page),
    ];
    for (status, body) in answers {
        for action in &actions {
            stranger.answers(&[(status, body), (status, body)]);
            let answer = world.intercom().perform(&workspace, &id, action).await;
            // What Intercom says of a refusal is told to the bot, not to the log.
            if !matches!(answer, shared::domain::step::Answer::Rejected { .. }) {
                readable.note(&format!("{answer:?}"));
            }
        }
        stranger.answers(&[(status, body)]);
        readable.error(world.intercom().observe(&workspace, &id, true).await);
        stranger.answers(&[(status, body)]);
        readable.error(owner_of(&workspace, &token()).await);
    }
    for action in &actions {
        let _ = world.intercom().perform(&workspace, &id, action).await;
    }
    stranger.answers(&[(401, &error)]);
    readable.error(world.intercom().observe(&workspace, &id, false).await);
    stranger.answers(&[(401, &error)]);
    let _ = world.intercom().perform(&workspace, &id, &actions[0]).await;
    // Tokens that are not there, do not open, or cannot be had.
    world.forget_known_tokens();
    let own = world.swap_token(0, 1);
    readable.error(world.look_in_intercom(0).await);
    world.take_token_away(0);
    readable.error(world.look_in_intercom(0).await);
    let _ = world.intercom().perform(&workspace, &id, &actions[0]).await;
    world.give_token_back(0, own);
    world.set_key_down(true);
    readable.error(world.look_in_intercom(0).await);
    let _ = world.intercom().perform(&workspace, &id, &actions[0]).await;
    world.set_key_down(false);
}

/// Bots answer with everything but commands.
async fn what_bots_say(world: &World, readable: &Readable) {
    let stranger = Stranger::begin().await;
    let nobody = reached_at(stranger.port).sqs();
    let secrets = marked_secrets();
    let secrets: Vec<_> = secrets.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let queues = Queues { replies: Some(Queue::new(nobody.clone(), stranger.url())), ..Queues::default() };
    let bots = Messengers::new(Secrets::of(&secrets), nobody, queues, SystemClock, Reach::ThisMachineToo).unwrap();
    readable.note(&format!("{bots:?}"));
    let mut told = world.bot(0);
    told.transport = shared::domain::settings::Transport::Https {
        url: format!("{}/{MARK}", stranger.url()),
        secret: shared::domain::settings::SecretName("bot".to_owned()),
    };
    let (key, state) = (world.key(0), Conversation::default());
    for (status, body) in [(500, MARK), (302, MARK), (401, MARK), (429, MARK)] {
        stranger.answers(&[(status, body)]);
        readable.error(bots.deliver(&told, &key, &state, &world.event(0)).await);
    }
    readable.error(bots.deliver(&told, &key, &state, &world.event(0)).await);
    // What is no answer is put on a queue as a refusal, which does not work either.
    for answer in [format!("{{\"{MARK}"), json!({ "commands": [{ "type": MARK }] }).to_string()] {
        stranger.answers(&[(200, &answer), (400, MARK), (400, MARK)]);
        readable.error(bots.deliver(&told, &key, &state, &world.event(0)).await);
        // And where the queue works, the operator is told that there was no answer.
        world.answer_with(0, &json!({ "commands": [{ "type": marked("kind"), "data": answer }] }));
        world.happens(0).await;
    }
}

/// AWS quotes what it was given.
async fn what_aws_says(readable: &Readable) {
    let stranger = Stranger::begin().await;
    let connection = reached_at(stranger.port);
    readable.note(&format!("{connection:?}"));
    let words = json!({ "__type": "ValidationException", "message": marked("words"), "Item": { "a": { "S": MARK } } })
        .to_string();
    let app_id = AppId::parse(app(0)).unwrap();
    let binding = Binding { app_id: app_id.clone(), version: 1 };
    let rows = TokenTable::new(connection.dynamodb(), "table");
    let key = KmsKey::new(connection.kms(), "alias/key");
    let store = Table::new(connection.dynamodb(), "table", RandomNames);
    let inbox = InboxTable::new(connection.clone(), "table");
    let queue = Queue::new(connection.sqs(), stranger.url());
    let row = SealedToken { version: 1, sealed: MARK.as_bytes().to_vec(), since: Timestamp(1) };
    let kept = InboxRow {
        group: "ws00#1".to_owned(),
        deduplication_id: "d".to_owned(),
        body: marked("body"),
        kept_at: Timestamp(1),
    };
    let mut state = Conversation::default();
    state.commands.push_back(shared::domain::conversation::CommandRecord {
        id: shared::domain::ids::CommandId::parse("c").unwrap(),
        digest: marked("digest"),
        outcome: shared::domain::conversation::CommandOutcome::Accepted,
    });
    let conversation = shared::domain::ids::ConversationKey::parse("ws00", "1").unwrap();
    for (status, body) in [(400, words.as_str()), (200, MARK)] {
        let again = [(status, body); 6];
        stranger.answers(&again);
        readable.error(key.seal(&binding, &token()).await);
        stranger.answers(&again);
        readable.error(key.open(&binding, MARK.as_bytes()).await);
        stranger.answers(&again);
        readable.error(rows.sealed(&app_id).await);
        stranger.answers(&again);
        readable.error(rows.keep(&app_id, &row).await);
        stranger.answers(&again);
        readable.error(store.save(&conversation, &state, 0, Timestamp(1)).await);
        stranger.answers(&again);
        readable.error(store.load(&conversation).await);
        stranger.answers(&again);
        readable.error(inbox.keep(&kept).await);
        stranger.answers(&again);
        readable.error(queue.put("ws00#1", "d".to_owned(), marked("body")).await);
    }
    // A row that holds what it should not.
    let item =
        json!({ "Item": { "pk": { "S": "x" }, "version": { "N": "1" }, "state": { "S": format!("{{\"{MARK}") } } });
    stranger.answers(&[(200, &item.to_string())]);
    readable.error(store.load(&conversation).await);
    let opened = json!({ "Plaintext": world::in_base64(&format!("{MARK} {MARK}")), "KeyId": "k" });
    stranger.answers(&[(200, &opened.to_string())]);
    readable.error(key.open(&binding, MARK.as_bytes()).await);
}

/// What holds a secret does not show it, nor does what refuses to start.
fn what_shows_itself(world: &World, readable: &Readable) {
    let secrets = marked_secrets();
    let pairs: Vec<_> = secrets.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    readable.note(&format!("{:?} {:?}", Secrets::of(&pairs), token()));
    readable.note(&format!("{:?}", SealedToken { version: 1, sealed: MARK.into(), since: SystemClock.now() }));
    readable.note(&world.shown());
    let mut environment = Environment::of([
        ("WEBHOOK_SECRETS".to_owned(), format!("{{\"a\": {MARK}")),
        ("BOT_SECRETS".to_owned(), format!("{{\"a\": [\"{MARK}\"]}}")),
    ]);
    environment.secrets("WEBHOOK_SECRETS");
    environment.secrets("BOT_SECRETS");
    readable.error(environment.finish());
    readable.error(AccessToken::parse(format!("{MARK} ü")));
    let file = std::env::temp_dir().join(format!("canary-{}", std::process::id()));
    std::fs::write(&file, format!("{MARK} {MARK}")).unwrap();
    readable.error(baton_cli::token::read(Some(&file)));
    std::fs::remove_file(&file).unwrap();
}

fn marked_secrets() -> Vec<(String, String)> {
    vec![("bot".to_owned(), format!("whsec_{}", world::in_base64(&marked("bot-secret-of-24-bytes"))))]
}

/// How our functions would reach an AWS at this port.
fn reached_at(port: u16) -> Connection {
    let variables = [
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", marked("aws-secret")),
        ("AWS_SESSION_TOKEN", marked("aws-session")),
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
    ];
    let mut environment = Environment::of(variables.map(|(name, value)| (name.to_owned(), value)));
    Connection::from_environment(&mut environment)
}
