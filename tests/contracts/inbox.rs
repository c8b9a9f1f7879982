//! What could not be put on the inbox: rows that are kept, read in order and forgotten; and the
//! whole way over the wire, from a queue that is not there to one that is.

use std::time::{Duration, Instant};

use shared::adapters::clock::SystemClock;
use shared::adapters::inbox_rows::InboxTable;
use shared::adapters::sqs::Queue;
use shared::app::inbox::{PutBack, Taken, put_back};
use shared::domain::ids::Timestamp;
use shared::lambda::queues::Inbox;
use shared::ports::{Clock as _, InboxRow, InboxRows};
use shared::testing::FakeInboxRows;
use shared::wire::queue::{InboxMessage, News, VERSION};

use super::aws::LocalAws;
use super::queues::{queue, received};
use super::run;
use super::store::create_table;

fn row(group: u32, id: &str, at: u64) -> InboxRow {
    let (group, body) = (format!("abc123#{group}"), format!("{{\"words\":\"ü of {id}\"}}"));
    InboxRow { group, deduplication_id: id.to_owned(), body, kept_at: Timestamp(1_768_040_000_000 + at) }
}

/// What every keeper of rows promises.
async fn keeps_its_promises(rows: &impl InboxRows) {
    assert_eq!(rows.kept(100).await.unwrap(), []);
    for group in 0..10 {
        // The later first, and the same delivery in two conversations.
        rows.keep(&row(group, "b", 9_000_000)).await.unwrap();
        rows.keep(&row(group, "a", 999)).await.unwrap();
    }
    let kept = rows.kept(100).await.unwrap();
    assert_eq!(kept.len(), 20);
    for group in 0..10 {
        let of_it: Vec<_> = kept.iter().filter(|kept| kept.group == row(group, "", 0).group).cloned().collect();
        assert_eq!(of_it, [row(group, "a", 999), row(group, "b", 9_000_000)]);
    }
    assert!((1..=8).contains(&rows.kept(8).await.unwrap().len()));
    for _ in 0..2 {
        rows.forget(&row(3, "a", 999)).await.unwrap();
        let kept = rows.kept(100).await.unwrap();
        assert!(kept.len() == 19 && !kept.contains(&row(3, "a", 999)));
    }
}

#[test]
fn the_fake_keeps_the_rows_promises() {
    run(keeps_its_promises(&FakeInboxRows::default()));
}

#[test]
fn dynamodb_keeps_the_rows_promises() {
    let aws = LocalAws::start();
    run(async {
        create_table(aws.port).await;
        keeps_its_promises(&InboxTable::new(LocalAws::connection(aws.port), "conversations")).await;
    });
}

fn message(conversation_id: &str) -> InboxMessage {
    let (app_id, conversation_id) = ("abc123".to_owned(), conversation_id.to_owned());
    InboxMessage { v: VERSION, app_id, conversation_id, news: News::Doorbell }
}

#[test]
fn a_notification_goes_through_the_table_when_the_queue_is_not_there() {
    let aws = LocalAws::start();
    run(async {
        create_table(aws.port).await;
        let edge = LocalAws::connection_of_the_edge(aws.port);
        let rows = InboxTable::new(edge.clone(), "conversations");
        let missing = Queue::new(edge.sqs(), format!("http://127.0.0.1:{}/000000000000/none.fifo", aws.port));
        let inbox = Inbox { queue: missing, rows, clock: SystemClock };
        for id in ["notif_1", "notif_2"] {
            let taken = inbox.put(&message("1"), id).await.unwrap();
            assert!(matches!(taken, Taken::Kept(why) if why.what == "SQS"));
        }
        let client = LocalAws::connection(aws.port).sqs();
        let there = queue(&client, "inbox").await;
        let rows = InboxTable::new(LocalAws::connection(aws.port), "conversations");
        let deadline = SystemClock.now().plus_ms(60_000);
        assert_eq!(put_back(&there, &rows, &SystemClock, deadline).await, Ok(PutBack { put: 2, failed: 0 }));
        assert_eq!(put_back(&there, &rows, &SystemClock, deadline).await, Ok(PutBack::default()));
        let bodies: Vec<_> =
            received(&client, "inbox").await.into_iter().map(|message| message.body.unwrap()).collect();
        assert_eq!(bodies, vec![serde_json::to_string(&message("1")).unwrap(); 2]);
    });
}

/// Intercom waits for five seconds; queue and table together are asked for less than two.
#[test]
fn an_aws_that_takes_calls_and_says_nothing_is_given_up_before_intercom_gives_up() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = tokio::task::spawn_local(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                held.push(stream);
                if held.len() == 100 {
                    break;
                }
            }
        });
        let edge = LocalAws::connection_of_the_edge(port);
        let queue = Queue::new(edge.sqs(), format!("http://127.0.0.1:{port}/000000000000/inbox.fifo"));
        let inbox = Inbox { queue, rows: InboxTable::new(edge, "conversations"), clock: SystemClock };
        let began = Instant::now();
        let answer = inbox.put(&message("1"), "notif_1").await;
        assert_eq!(answer.unwrap_err().what, "DynamoDB", "the table was asked too");
        assert!(began.elapsed() < Duration::from_secs(4), "it took {:?}", began.elapsed());
        taken.abort();
    });
}
