//! The queues: in order per conversation, the same call once.

use aws_sdk_sqs::types::QueueAttributeName;
use shared::adapters::clock::SystemClock;
use shared::adapters::sqs::{Keeper, Queue, Queues};
use shared::lambda::batch::{Custody as _, SqsRecord};
use shared::lambda::queues::Inbox;
use shared::ports::{Clock as _, Fifo as _, Wakers, Worker};
use shared::testing::{FakeInboxRows, FakeWakers, key};
use shared::wire::bot::CommandMessage;
use shared::wire::queue::{InboxMessage, News, VERSION, WorkMessage};

use super::aws::LocalAws;
use super::run;

pub(crate) async fn queue(client: &aws_sdk_sqs::Client, name: &str) -> Queue {
    let created =
        client.create_queue().queue_name(format!("{name}.fifo")).attributes(QueueAttributeName::FifoQueue, "true");
    Queue::new(client.clone(), created.send().await.unwrap().queue_url.unwrap())
}

pub(crate) async fn received(client: &aws_sdk_sqs::Client, name: &str) -> Vec<aws_sdk_sqs::types::Message> {
    let url = client.get_queue_url().queue_name(format!("{name}.fifo")).send().await.unwrap().queue_url.unwrap();
    let system = aws_sdk_sqs::types::MessageSystemAttributeName::All;
    let answer =
        client.receive_message().queue_url(url).max_number_of_messages(10).message_system_attribute_names(system);
    answer.send().await.unwrap().messages.unwrap_or_default()
}

fn bodies(messages: &[aws_sdk_sqs::types::Message]) -> Vec<WorkMessage> {
    messages.iter().map(|message| serde_json::from_str(message.body.as_ref().unwrap()).unwrap()).collect()
}

async fn wakes_once_for_the_same(wakers: &impl Wakers) {
    for about in ["event1", "event1", "event2"] {
        wakers.wake(Worker::Dispatch, &key(), about).await.unwrap();
    }
}

#[test]
fn the_fake_wakes_once_for_the_same() {
    let wakers = FakeWakers::default();
    run(wakes_once_for_the_same(&wakers));
    assert_eq!(wakers.take(), [Worker::Dispatch, Worker::Dispatch]);
}

#[test]
fn sqs_wakes_once_for_the_same_and_keeps_commands_in_order() {
    let aws = LocalAws::start();
    run(async {
        let client = LocalAws::connection(aws.port).sqs();
        let queues = Queues {
            inbox: Some(queue(&client, "inbox").await),
            bot_events: Some(queue(&client, "bot-events").await),
            replies: Some(queue(&client, "replies").await),
            close: None,
        };
        wakes_once_for_the_same(&queues).await;
        let messages = received(&client, "bot-events").await;
        let wake = WorkMessage::Wake { v: VERSION, app_id: "abc123".into(), conversation_id: "215470000000001".into() };
        assert_eq!(bodies(&messages), [wake.clone(), wake]);
        let group = messages[0].attributes.as_ref().unwrap()
            [&aws_sdk_sqs::types::MessageSystemAttributeName::MessageGroupId]
            .clone();
        assert_eq!(group, key().to_string());

        let command = |id: &str| {
            let json = format!(r#"{{"id":"{id}","type":"note","data":{{"text":"a"}}}}"#);
            CommandMessage::from_json(json.as_bytes()).unwrap()
        };
        for id in ["c1", "c1", "c2"] {
            queues.put_command(Worker::Reply, &key(), "demo", &command(id)).await.unwrap();
        }
        let ids: Vec<_> = bodies(&received(&client, "replies").await)
            .into_iter()
            .map(|message| match message {
                WorkMessage::Command { command, .. } => command.id.unwrap(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ids, ["c1", "c2"]);
        assert!(queues.wake(Worker::Close, &key(), "x").await.is_err(), "a queue that this function has not");
    });
}

#[test]
fn a_notification_that_intercom_repeats_is_on_the_inbox_once() {
    let aws = LocalAws::start();
    run(async {
        let client = LocalAws::connection(aws.port).sqs();
        let inbox = Inbox { queue: queue(&client, "inbox").await, rows: FakeInboxRows::default(), clock: SystemClock };
        inbox.queue.open().await.unwrap();
        let message =
            InboxMessage { v: VERSION, app_id: "abc123".into(), conversation_id: "1".into(), news: News::Doorbell };
        for id in ["notif_1", "notif_1", "notif_2"] {
            inbox.put(&message, id).await.unwrap();
        }
        assert_eq!(received(&client, "inbox").await.len(), 2);
        assert!(inbox.rows.rows().is_empty(), "nothing goes through the table while the queue is there");
        let missing = Queue::new(client, "http://127.0.0.1:1/000000000000/none.fifo");
        assert!(missing.put("g", "notif_3".to_owned(), "{}".to_owned()).await.is_err());
    });
}

#[test]
fn a_hidden_message_comes_back_at_its_time() {
    let aws = LocalAws::start();
    run(async {
        let client = LocalAws::connection(aws.port).sqs();
        let queue = queue(&client, "inbox").await;
        queue.put("g", "1".to_owned(), "{}".to_owned()).await.unwrap();
        let message = received(&client, "inbox").await.remove(0);
        let dead_letters = self::queue(&client, "dead").await;
        let keeper = Keeper { queue, dead_letters, clock: SystemClock };
        keeper.hide_until(&message.receipt_handle.unwrap(), SystemClock.now().plus_ms(700)).await;
        assert!(received(&client, "inbox").await.is_empty());
        // Visible again after a second, where the queue's own time would be thirty.
        let mut tries = 0;
        while received(&client, "inbox").await.is_empty() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            tries += 1;
            assert!(tries < 50, "it does not come back");
        }
    });
}

#[test]
fn a_parked_message_rests_in_the_dead_letter_queue_with_its_reason() {
    let aws = LocalAws::start();
    run(async {
        let client = LocalAws::connection(aws.port).sqs();
        let (queue, dead_letters) = (queue(&client, "inbox").await, queue(&client, "dead").await);
        let keeper = Keeper { queue, dead_letters, clock: SystemClock };
        let json = serde_json::json!({ "messageId": "m1", "receiptHandle": "r", "body": "nonsense", "attributes": { "MessageGroupId": "g" } });
        let record: SqsRecord = serde_json::from_value(json).unwrap();
        keeper.park(&record, "it is no JSON").await.unwrap();
        keeper.park(&record, "it is no JSON").await.unwrap();
        let parked = received(&client, "dead").await;
        assert_eq!(parked.iter().map(|message| message.body.as_deref()).collect::<Vec<_>>(), [Some("nonsense")]);
        assert!(keeper.is_far(SystemClock.now().plus_ms(60_000)) && !keeper.is_far(SystemClock.now().plus_ms(30_000)));
    });
}
