//! Bots: the messenger against the demo bot, which knows only the protocol.

use std::process::{Child, Command, Stdio};

use aws_sdk_sqs::types::QueueAttributeName;
use shared::adapters::bots::Messengers;
use shared::adapters::clock::SystemClock;
use shared::adapters::sqs::{Queue, Queues};
use shared::config::Secrets;
use shared::domain::content::{Author, AuthorKind, Body, Message};
use shared::domain::conversation::{Conversation, EventKind, PendingEvent};
use shared::domain::ids::{BotId, Timestamp};
use shared::domain::settings::{Bot, SecretName, Transport};
use shared::ports::Bots as _;
use shared::testing::key;
use shared::wire::bot::{CommandData, EventMessage};
use shared::wire::outgoing::Reach;
use shared::wire::queue::WorkMessage;

use super::aws::{LocalAws, free_port, root, wait_for};
use super::run;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const ANOTHER_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct DemoBot {
    process: Child,
    port: u16,
}

impl Drop for DemoBot {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl DemoBot {
    fn start() -> Self {
        let port = free_port();
        let port_text = port.to_string();
        let bot = root().join("infra/demo-bot/bot.py");
        Self::run(port, Command::new("python3").arg(bot).args(["--port", &port_text]))
    }

    /// The bot of the README.
    fn of_the_readme() -> Self {
        let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
        let bot = readme.split("```python\n").nth(1).unwrap().split("```").next().unwrap().to_owned();
        let port = free_port();
        Self::run(port, Command::new("python3").args(["-c", &bot]).env("PORT", port.to_string()))
    }

    fn run(port: u16, command: &mut Command) -> Self {
        let mut process =
            command.env("BOT_SECRET", SECRET).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for(port, &mut process, "the demo bot");
        Self { process, port }
    }
}

fn event(seq: u64, words: &str) -> PendingEvent {
    let author = Author { kind: AuthorKind::Customer, id: "c".to_owned(), name: None };
    let body = Some(Body::html(format!("<p>{words}</p>")));
    let message = Message {
        part_id: None,
        author,
        body,
        attachments: Vec::new(),
        created_at: Timestamp(1),
        pressed: None,
        choice: None,
    };
    PendingEvent {
        seq,
        epoch: 3,
        occurred_at: Timestamp(1),
        bot: BotId::parse("demo").unwrap(),
        kind: EventKind::Message { message, earlier: Vec::new() },
        of: None,
        attempts: 0,
        due_at: Timestamp(0),
    }
}

fn https(port: u16) -> Bot {
    let url = format!("http://127.0.0.1:{port}/events");
    Bot {
        id: BotId::parse("demo").unwrap(),
        handover_after_minutes: 10,
        burst_ms: 0,
        transport: Transport::Https { url, secret: SecretName("demo".to_owned()) },
    }
}

async fn fifo(client: &aws_sdk_sqs::Client, name: &str) -> String {
    let queue = client.create_queue().queue_name(name).attributes(QueueAttributeName::FifoQueue, "true").send().await;
    queue.unwrap().queue_url.unwrap()
}

/// The messengers of `bot-dispatch`, with this secret of the bot's.
fn messengers(client: &aws_sdk_sqs::Client, replies_url: &str, secret: &str) -> Messengers<SystemClock> {
    let queues = Queues { replies: Some(Queue::new(client.clone(), replies_url)), ..Queues::default() };
    Messengers::new(Secrets::of(&[("demo", secret)]), client.clone(), queues, SystemClock, Reach::ThisMachineToo)
        .unwrap()
}

async fn received(client: &aws_sdk_sqs::Client, url: &str) -> Vec<String> {
    let answer = client.receive_message().queue_url(url).max_number_of_messages(10).send().await.unwrap();
    answer.messages.unwrap_or_default().into_iter().filter_map(|message| message.body).collect()
}

#[test]
fn what_a_bot_answers_is_on_its_way_before_the_event_counts_as_taken() {
    let (aws, bot) = (LocalAws::start(), DemoBot::start());
    run(async {
        let client = LocalAws::connection(aws.port).sqs();
        let url = fifo(&client, "replies.fifo").await;
        let messengers = |secret| messengers(&client, &url, secret);
        let state = Conversation::default();
        let question = event(7, "When are you open? What hours?");
        for _ in 0..2 {
            messengers(SECRET).deliver(&https(bot.port), &key(), &state, &question).await.unwrap();
        }
        let enqueued = received(&client, &url).await;
        let [body] = &enqueued[..] else { panic!("an event that comes twice is answered once: {enqueued:?}") };
        let WorkMessage::Command { bot: named, command, .. } = serde_json::from_str(body).unwrap() else {
            panic!("{body}")
        };
        assert_eq!(
            (named.as_str(), command.id.as_deref(), command.epoch, command.seq),
            ("demo", Some("evt_abc123_215470000000001_0_7/0"), Some(3), Some(7))
        );
        assert!(matches!(command.command, CommandData::Reply { .. }));

        let refused =
            messengers(ANOTHER_SECRET).deliver(&https(bot.port), &key(), &state, &question).await.unwrap_err();
        assert_eq!(refused.why, "status 401");
        let nobody = messengers(SECRET).deliver(&https(free_port()), &key(), &state, &question).await.unwrap_err();
        assert_eq!(nobody.why, "no connection");
    });
}

#[test]
fn the_bot_of_the_readme_is_complete() {
    let (aws, bot) = (LocalAws::start(), DemoBot::of_the_readme());
    run(async {
        let client = LocalAws::connection(aws.port).sqs();
        let url = fifo(&client, "replies.fifo").await;
        let messengers = |secret| messengers(&client, &url, secret);
        for (seq, words) in [(1, "Hello"), (2, "a human, please")] {
            let event = event(seq, words);
            messengers(SECRET).deliver(&https(bot.port), &key(), &Conversation::default(), &event).await.unwrap();
        }
        let commands: Vec<_> =
            received(&client, &url).await.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        let of = |message: &WorkMessage| match message {
            WorkMessage::Command { command, .. } => command.command.clone(),
            other => panic!("{other:?}"),
        };
        assert!(
            matches!(&of(&commands[0]), CommandData::Reply { content, .. } if format!("{content:?}").contains("You said: *Hello*"))
        );
        assert!(matches!(of(&commands[1]), CommandData::Handover { .. }));
        let refused = messengers(ANOTHER_SECRET)
            .deliver(&https(bot.port), &key(), &Conversation::default(), &event(3, "x"))
            .await
            .unwrap_err();
        assert_eq!(refused.why, "status 401");
    });
}

#[test]
fn a_bot_with_a_queue_gets_its_events_there_in_order_and_once() {
    let aws = LocalAws::start();
    run(async {
        let client = LocalAws::connection(aws.port).sqs();
        let url = fifo(&client, "bot.fifo").await;
        let messengers =
            Messengers::new(Secrets::default(), client.clone(), Queues::default(), SystemClock, Reach::ThisMachineToo)
                .unwrap();
        let transport = Transport::Sqs { queue_url: url.clone(), sender_id: "AROAX".to_owned() };
        let bot = Bot { id: BotId::parse("demo").unwrap(), transport, handover_after_minutes: 10, burst_ms: 0 };
        for seq in [1, 1, 2] {
            messengers.deliver(&bot, &key(), &Conversation::default(), &event(seq, "Hi")).await.unwrap();
        }
        let events: Vec<EventMessage> =
            received(&client, &url).await.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), [1, 2]);
    });
}
