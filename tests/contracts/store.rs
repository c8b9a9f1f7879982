//! The store: one item a conversation, which is also the lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use shared::adapters::clock::RandomNames;
use shared::adapters::dynamodb::Table;
use shared::domain::content::{Author, AuthorKind, Body, Message};
use shared::domain::conversation::{CommandOutcome, CommandRecord, Control, Conversation, EventKind, PendingEvent};
use shared::domain::health::Health;
use shared::domain::ids::{AppId, BotId, CommandId, ConversationKey, Timestamp};
use shared::ports::{Bookmark, Bookmarks, Conversations, NotSaved, Stored, Wellbeing};
use shared::testing::FakeStore;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::aws::LocalAws;
use super::run;

const NOW: Timestamp = Timestamp(1_768_040_000_000);

fn key(number: u32) -> ConversationKey {
    format!("abc123#{number}").parse().unwrap()
}

fn conversation(epoch: u64) -> Conversation {
    Conversation { control: Control::Bot, epoch, bot: BotId::parse("demo").ok(), ..Conversation::default() }
}

fn with_event(due_at: Timestamp, words: &str) -> Conversation {
    let message = Message {
        part_id: None,
        author: Author { kind: AuthorKind::Customer, id: "c".to_owned(), name: None },
        body: Some(Body::html(words)),
        attachments: Vec::new(),
        created_at: NOW,
        pressed: None,
        choice: None,
    };
    let event = PendingEvent {
        seq: 1,
        epoch: 1,
        occurred_at: NOW,
        bot: BotId::parse("demo").unwrap(),
        kind: EventKind::Message { message, earlier: Vec::new() },
        of: None,
        attempts: 0,
        due_at,
    };
    Conversation { events: [event].into(), ..conversation(1) }
}

/// How bots do is kept for each, and changed only by who knows it.
async fn keeps_how_bots_do(store: &impl Wellbeing) {
    let (demo, other) = (BotId::parse("demo").unwrap(), BotId::parse("other").unwrap());
    let well = Health::default();
    assert_eq!(store.health(&demo).await.unwrap(), well);
    let (failing, later) = (well.after_failure(NOW), well.after_failure(NOW.plus_ms(1)));
    assert!(store.set_health(&demo, &well, &failing).await.unwrap());
    assert!(!store.set_health(&demo, &well, &later).await.unwrap(), "somebody else was first");
    assert_eq!(store.health(&demo).await.unwrap(), failing);
    assert_eq!(store.health(&other).await.unwrap(), well, "each bot has its own");
    assert!(store.set_health(&demo, &failing, &well).await.unwrap());
    assert!(store.set_health(&demo, &well, &later).await.unwrap(), "what is well again can fail again");
}

/// Commands that are put aside come back, to their own conversation.
async fn keeps_commands(store: &impl Conversations) {
    let id = |text: &str| CommandId::parse(text).unwrap();
    let record = |id: CommandId, digest: &str| {
        let outcome = CommandOutcome::Rejected { code: "empty".to_owned(), message: "nothing".to_owned() };
        CommandRecord { id, digest: digest.to_owned(), outcome }
    };
    let odd = id("a/very-odd#id:$%~");
    assert_eq!(store.aside(&key(7), &odd).await.unwrap(), None);
    for digest in ["d1", "d2"] {
        store.put_aside(&key(7), &record(odd.clone(), digest), NOW).await.unwrap();
        assert_eq!(store.aside(&key(7), &odd).await.unwrap(), Some(record(odd.clone(), digest)));
    }
    assert_eq!(store.aside(&key(7), &id("another")).await.unwrap(), None);
    assert_eq!(store.aside(&key(8), &odd).await.unwrap(), None, "each conversation has its own");
    assert_eq!(store.load(&key(7)).await.unwrap(), Stored::default(), "it is no conversation");
}

/// What every store promises.
async fn keeps_its_promises(store: &(impl Conversations + Bookmarks + Wellbeing)) {
    keeps_how_bots_do(store).await;
    keeps_commands(store).await;
    let (one, other) = (AppId::parse("abc123").unwrap(), AppId::parse("def456").unwrap());
    assert_eq!(store.bookmark(&one).await.unwrap(), None);
    for page in [Some("p2".to_owned()), None] {
        let mark = Bookmark { since: NOW, began: NOW.plus_ms(5), newest: NOW.plus_ms(3), page };
        store.set_bookmark(&one, &mark).await.unwrap();
        assert_eq!(store.bookmark(&one).await.unwrap(), Some(mark));
    }
    assert_eq!(store.bookmark(&other).await.unwrap(), None, "each workspace has its own");

    assert_eq!(store.load(&key(1)).await.unwrap(), Stored::default(), "what was never saved is new");
    assert_eq!(store.save(&key(1), &conversation(1), 0, NOW).await, Ok(1));
    assert_eq!(store.load(&key(1)).await.unwrap(), Stored { conversation: conversation(1), version: 1 });
    assert_eq!(store.save(&key(1), &conversation(2), 1, NOW).await, Ok(2));
    assert_eq!(store.save(&key(1), &conversation(9), 1, NOW).await, Err(NotSaved::Conflict), "an old version");
    assert_eq!(store.save(&key(1), &conversation(9), 0, NOW).await, Err(NotSaved::Conflict), "taken for new");
    assert_eq!(store.load(&key(1)).await.unwrap().conversation, conversation(2));
    assert_eq!(store.load(&key(2)).await.unwrap().version, 0, "another conversation is another item");

    let long = with_event(NOW, &"word ".repeat(40_000));
    assert_eq!(store.save(&key(3), &long, 0, NOW).await, Ok(1));
    assert_eq!(store.load(&key(3)).await.unwrap().conversation, long, "long texts come back whole");

    assert_eq!(store.save(&key(4), &with_event(NOW.plus_ms(5_000), "later"), 0, NOW).await, Ok(1));
    let mut due = store.due(NOW, 100).await.unwrap();
    due.sort();
    assert_eq!(due, [key(3)], "what is due now, and only that");
    assert_eq!(store.due(NOW.plus_ms(5_000), 100).await.unwrap().len(), 2);
    assert_eq!(store.save(&key(3), &conversation(1), 1, NOW).await, Ok(2));
    assert_eq!(store.due(NOW, 100).await.unwrap(), [], "what is done is not due");
}

pub(crate) async fn create_table(port: u16) -> Table<RandomNames> {
    let client = LocalAws::connection(port).dynamodb();
    let attribute =
        |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap();
    let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap();
    let due = GlobalSecondaryIndex::builder()
        .index_name("due")
        .key_schema(element("due_shard", KeyType::Hash))
        .key_schema(element("due_at", KeyType::Range))
        .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
        .build()
        .unwrap();
    // A table is not made twice, and the first call to a local AWS may take longer than the functions wait.
    let patient = client.config().to_builder();
    let patient = patient.retry_config(RetryConfig::disabled()).timeout_config(TimeoutConfig::disabled()).build();
    aws_sdk_dynamodb::Client::from_conf(patient)
        .create_table()
        .table_name("conversations")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("sk", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_shard", ScalarAttributeType::S))
        .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
        .key_schema(element("pk", KeyType::Hash))
        .key_schema(element("sk", KeyType::Range))
        .global_secondary_indexes(due)
        .send()
        .await
        .unwrap();
    Table::new(client, "conversations", RandomNames)
}

#[test]
fn the_fake_keeps_the_stores_promises() {
    run(keeps_its_promises(&FakeStore::default()));
}

#[test]
fn dynamodb_keeps_the_stores_promises() {
    let aws = LocalAws::start();
    run(async { keeps_its_promises(&create_table(aws.port).await).await });
}

#[test]
fn of_two_that_save_at_once_one_wins() {
    let aws = LocalAws::start();
    run(async {
        let table = create_table(aws.port).await;
        for round in 0..20 {
            let (key, one, two) = (key(100 + round), conversation(1), conversation(2));
            let saved = futures_util::join!(table.save(&key, &one, 0, NOW), table.save(&key, &two, 0, NOW));
            assert!(matches!(saved, (Ok(1), Err(NotSaved::Conflict)) | (Err(NotSaved::Conflict), Ok(1))), "{saved:?}");
        }
    });
}

/// Passes calls on, and loses the answer of the first call of this operation after it was applied.
pub(crate) async fn answer_losing_proxy(upstream: u16, operation: &'static str, lost: Arc<AtomicU32>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::task::spawn_local(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let lost = Arc::clone(&lost);
            tokio::task::spawn_local(async move {
                while let Some(request) = read_message(&mut client).await {
                    let mut server = TcpStream::connect(("127.0.0.1", upstream)).await.unwrap();
                    server.write_all(&request).await.unwrap();
                    let Some(answer) = read_message(&mut server).await else { return };
                    let it_is = String::from_utf8_lossy(&request).contains(&format!("DynamoDB_20120810.{operation}"));
                    if it_is && lost.fetch_add(1, Ordering::SeqCst) == 0 {
                        return;
                    }
                    client.write_all(&answer).await.unwrap();
                }
            });
        }
    });
    port
}

/// One HTTP/1.1 message: head, and as many bytes as it announces.
async fn read_message(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    loop {
        if let Some(head) = message.windows(4).position(|window| window == b"\r\n\r\n") {
            let text = String::from_utf8_lossy(&message[..head]).to_ascii_lowercase();
            let length =
                text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
            if message.len() >= head + 4 + length.unwrap_or(0) {
                return Some(message);
            }
        }
        let mut chunk = [0; 16_384];
        let read = stream.read(&mut chunk).await.ok().filter(|read| *read > 0)?;
        message.extend_from_slice(&chunk[..read]);
    }
}

#[test]
fn a_save_whose_answer_was_lost_is_recognised_when_the_sdk_repeats_it() {
    let aws = LocalAws::start();
    run(async {
        create_table(aws.port).await;
        let lost = Arc::new(AtomicU32::new(0));
        let port = answer_losing_proxy(aws.port, "UpdateItem", Arc::clone(&lost)).await;
        let table = Table::new(LocalAws::connection(port).dynamodb(), "conversations", RandomNames);
        assert_eq!(table.save(&key(1), &conversation(1), 0, NOW).await, Ok(1));
        assert_eq!(lost.load(Ordering::SeqCst), 2, "it was sent twice, and applied once");
        assert_eq!(table.load(&key(1)).await.unwrap().version, 1);
    });
}
