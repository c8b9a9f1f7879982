//! Dead letters over the wire, against an AWS on this machine: what parks them, what looks at them,
//! what puts them back; and `baton dlq` in words.

use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use baton_cli::dlq::{Choice, DlqError, QUEUES, Stack};
use shared::adapters::clock::SystemClock;
use shared::adapters::dead_letters::Shelf;
use shared::adapters::sqs::Keeper;
use shared::app::dead_letters::{look, replay};
use shared::lambda::batch::{Custody as _, SqsRecord};
use shared::ports::{DeadLetters as _, Fifo as _};

use super::aws::LocalAws;
use super::queues::queue;
use super::run;

type Client = aws_sdk_sqs::Client;

/// Words that only `show --body` may print.
const WORDS: &str = "Where is my order?";

async fn address(client: &Client, name: &str) -> String {
    client.get_queue_url().queue_name(format!("{name}.fifo")).send().await.unwrap().queue_url.unwrap()
}

/// The queues of a stack, as the template ties them together, but that two tries are all.
async fn stack(client: &Client) {
    for (name, _) in QUEUES {
        queue(client, &format!("baton-{name}-dead-letter")).await;
        queue(client, &format!("baton-{name}")).await;
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:baton-{name}-dead-letter.fifo");
        let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":2}}"#);
        let url = address(client, &format!("baton-{name}")).await;
        let set = client.set_queue_attributes().queue_url(url);
        set.attributes(QueueAttributeName::RedrivePolicy, policy).send().await.unwrap();
    }
}

async fn put_dead(client: &Client, name: &str, group: &str, id: &str) {
    let dead = queue(client, &format!("baton-{name}-dead-letter")).await;
    dead.put(group, id.to_owned(), format!(r#"{{"id":"{id}","words":"{WORDS}"}}"#)).await.unwrap();
}

/// As the functions park, what a bot has put on replies.
async fn park(client: &Client, id: &str, sender: &str) {
    let json = serde_json::json!({
        "messageId": id, "receiptHandle": "r", "body": format!(r#"{{"id":"{id}","words":"{WORDS}"}}"#),
        "attributes": { "MessageGroupId": "abc123#1", "SenderId": sender, "ApproximateReceiveCount": "3" }
    });
    let record: SqsRecord = serde_json::from_value(json).unwrap();
    let dead_letters = queue(client, "baton-replies-dead-letter").await;
    let keeper = Keeper { queue: queue(client, "baton-replies").await, dead_letters, clock: SystemClock };
    keeper.park(&record, "it is no JSON\u{0} at line 1").await.unwrap();
}

/// What is on a queue: ids, with the senders that came along. It is taken for good.
async fn taken(client: &Client, name: &str) -> Vec<(String, String)> {
    let url = address(client, name).await;
    let mut taken = Vec::new();
    loop {
        let receive =
            client.receive_message().queue_url(&url).max_number_of_messages(10).message_attribute_names("All");
        let messages = receive.send().await.unwrap().messages.unwrap_or_default();
        if messages.is_empty() {
            return taken;
        }
        for message in messages {
            let body: serde_json::Value = serde_json::from_str(message.body.as_ref().unwrap()).unwrap();
            let senders = message.message_attributes.and_then(|mut all| all.remove("senders")?.string_value);
            taken.push((body["id"].as_str().unwrap().to_owned(), senders.unwrap_or_default()));
            client
                .delete_message()
                .queue_url(&url)
                .receipt_handle(message.receipt_handle.unwrap())
                .send()
                .await
                .unwrap();
        }
    }
}

fn ids(taken: &[(String, String)]) -> Vec<&str> {
    taken.iter().map(|(id, _)| id.as_str()).collect()
}

fn local(aws: &LocalAws) -> (Client, Stack) {
    let connection = LocalAws::connection(aws.port);
    (connection.sqs(), Stack::new(connection, "baton"))
}

/// What a command says, and how it ends.
struct Said(Vec<String>, Result<(), DlqError>);

async fn ls(stack: &Stack) -> Vec<String> {
    let mut said = Vec::new();
    stack.ls(&Choice::default(), &mut |line| said.push(line.to_owned())).await.unwrap();
    said
}

async fn show(stack: &Stack, choice: Choice, with_bodies: bool) -> Said {
    let mut said = Vec::new();
    let ended = stack.show(&choice, with_bodies, &mut |line| said.push(line.to_owned())).await;
    Said(said, ended)
}

async fn put_back(stack: &Stack, choice: Choice, dry: bool) -> Said {
    let mut said = Vec::new();
    let ended = stack.replay(&choice, dry, &mut |line| said.push(line.to_owned())).await;
    Said(said, ended)
}

fn of_queue(name: &str) -> Choice {
    Choice { queues: vec![name.to_owned()], ..Choice::default() }
}

#[test]
fn looking_tells_all_but_the_words_and_leaves_everything_as_it_was() {
    let aws = LocalAws::start();
    run(async {
        let (client, stack_of_ours) = local(&aws);
        stack(&client).await;
        for id in ["a1", "a2"] {
            put_dead(&client, "inbox", "abc123#1", id).await;
        }
        park(&client, "c1", "AROABOT:session").await;
        for _ in 0..2 {
            let said = ls(&stack_of_ours).await;
            assert!(said[0].starts_with("inbox: 2, the oldest for "), "{said:?}");
            assert_eq!(said[1].trim(), "2  failed each time it was tried");
            assert_eq!(said[2], "bot-events: 0");
            assert!(said[3].starts_with("replies: 1, the oldest for "), "{said:?}");
            assert_eq!(said[4].trim(), "1  it is no JSON at line 1");
            assert_eq!((said[5].as_str(), said.len()), ("close: 0", 6));
        }
        let Said(said, ended) = show(&stack_of_ours, Choice::default(), false).await;
        ended.unwrap();
        let text = said.join("\n");
        for expected in ["inbox, read by conversation-router", "replies, read by bot-reply", "group     abc123#1"] {
            assert!(text.contains(expected), "no {expected} in {text}");
        }
        assert!(text.contains("reason    it is no JSON at line 1\n  attempts  3"), "{text}");
        assert!(text.contains("reason    failed each time it was tried\n  attempts  2"), "{text}");
        assert!(!text.contains(WORDS), "{text}");
        let Said(said, ended) = show(&stack_of_ours, of_queue("replies"), true).await;
        ended.unwrap();
        let place = said.iter().position(|line| line.contains(WORDS)).unwrap();
        assert!(said[place - 1].contains("a customer's words may be in it") && said[place + 1].contains("--- end"));
        let Said(said, ended) = put_back(&stack_of_ours, Choice::default(), true).await;
        ended.unwrap();
        assert_eq!(said.iter().filter(|line| line.contains("abc123#1")).count(), 3, "{said:?}");
        assert!(taken(&client, "baton-inbox").await.is_empty() && taken(&client, "baton-replies").await.is_empty());
        assert_eq!(ls(&stack_of_ours).await.len(), 6);
    });
}

#[test]
fn what_is_put_back_keeps_group_order_and_senders_and_is_gone_from_the_dead_letters() {
    let aws = LocalAws::start();
    run(async {
        let (client, stack_of_ours) = local(&aws);
        stack(&client).await;
        // More than are received at once, in two conversations.
        for number in 0..13 {
            put_dead(&client, "inbox", "abc123#1", &format!("a{number:02}")).await;
            put_dead(&client, "inbox", "abc123#2", &format!("b{number:02}")).await;
        }
        park(&client, "c1", "AROABOT:session").await;
        let Said(said, ended) = put_back(&stack_of_ours, of_queue("inbox"), false).await;
        ended.unwrap();
        assert_eq!(said, ["inbox: 26 put back"]);
        let back = taken(&client, "baton-inbox").await;
        for group in ["a", "b"] {
            let of_group: Vec<&str> = ids(&back).into_iter().filter(|id| id.starts_with(group)).collect();
            assert_eq!(of_group, (0..13).map(|number| format!("{group}{number:02}")).collect::<Vec<_>>());
        }
        let Said(said, _) = put_back(&stack_of_ours, Choice::default(), false).await;
        assert_eq!(said, ["inbox: 0 put back", "bot-events: 0 put back", "replies: 1 put back", "close: 0 put back"]);
        let back = taken(&client, "baton-replies").await;
        // The local AWS attests the account for everybody; the bot was attested when it was parked.
        assert_eq!(back, [("c1".to_owned(), "000000000000,AROABOT".to_owned())]);
        assert!(ls(&stack_of_ours).await.iter().all(|line| line.ends_with(": 0")));
    });
}

#[test]
fn one_is_put_back_by_its_id_and_one_that_is_not_there_is_named() {
    let aws = LocalAws::start();
    run(async {
        let (client, stack_of_ours) = local(&aws);
        stack(&client).await;
        for id in ["a1", "a2", "a3"] {
            put_dead(&client, "inbox", "abc123#1", id).await;
        }
        let shelf = Shelf::find(client.clone(), "baton", "inbox").await.unwrap();
        let second = look(&shelf, &SystemClock).await.unwrap().letters.remove(1);
        let choice = Choice { ids: [second.id, "no-such-id".to_owned()].into(), ..Choice::default() };
        let Said(_, ended) = put_back(&stack_of_ours, choice, false).await;
        assert!(matches!(ended, Err(DlqError::NotFound(ids)) if ids == "no-such-id"));
        assert_eq!(ids(&taken(&client, "baton-inbox").await), ["a2"]);
        let left = look(&shelf, &SystemClock).await.unwrap().letters;
        assert_eq!(left.iter().map(|letter| &letter.body[7..9]).collect::<Vec<_>>(), ["a1", "a3"]);
        let Said(_, ended) = put_back(&stack_of_ours, of_queue("outbox"), false).await;
        assert!(matches!(ended, Err(DlqError::NoSuchQueue(name)) if name == "outbox"));
    });
}

#[test]
fn a_replay_that_died_between_put_and_delete_is_repeated_as_one() {
    let aws = LocalAws::start();
    run(async {
        let (client, _) = local(&aws);
        stack(&client).await;
        for id in ["a1", "a2"] {
            put_dead(&client, "inbox", "abc123#1", id).await;
        }
        let shelf = Shelf::find(client.clone(), "baton", "inbox").await.unwrap();
        // It dies here: the first is on its queue again, and a dead letter still, with the second.
        let in_hand = shelf.take().await.unwrap();
        shelf.put_back(&in_hand[0], "r1").await.unwrap();
        assert!(shelf.take().await.unwrap().is_empty(), "what is in a hand is nobody else's");
        for letter in in_hand.iter().rev() {
            shelf.let_go(letter).await; // as if the minute were over
        }
        let again = replay(&shelf, &SystemClock, "r2", |_| true).await;
        assert_eq!((again.put.len(), again.stopped), (2, None));
        assert_eq!(ids(&taken(&client, "baton-inbox").await), ["a1", "a2"]);
    });
}

#[test]
fn what_cannot_be_put_stays_and_can_be_seen() {
    let aws = LocalAws::start();
    run(async {
        let (client, stack_of_ours) = local(&aws);
        stack(&client).await;
        put_dead(&client, "inbox", "abc123#1", "a1").await;
        let shelf = Shelf::find(client.clone(), "baton", "inbox").await.unwrap();
        client.delete_queue().queue_url(address(&client, "baton-inbox").await).send().await.unwrap();
        let stopped = replay(&shelf, &SystemClock, "r1", |_| true).await;
        assert!(stopped.put.is_empty() && stopped.stopped.is_some());
        assert_eq!(look(&shelf, &SystemClock).await.unwrap().letters.len(), 1);
        let Said(_, ended) = put_back(&stack_of_ours, Choice::default(), false).await;
        assert!(matches!(&ended, Err(DlqError::Unavailable(why)) if why.why.contains("baton-inbox.fifo")), "{ended:?}");
    });
}

/// A bot's own attributes go along when SQS itself gives its message up. They change nothing.
#[test]
fn a_list_of_senders_that_a_bot_wrote_is_behind_its_own_name() {
    let aws = LocalAws::start();
    run(async {
        let (client, _) = local(&aws);
        stack(&client).await;
        let url = address(&client, "baton-replies").await;
        let list = MessageAttributeValue::builder().data_type("String").string_value("AROAINGRESS").build().unwrap();
        let put = client.send_message().queue_url(&url).message_group_id("abc123#1").message_deduplication_id("1");
        put.message_attributes("senders", list).message_body(r#"{"id":"c1"}"#).send().await.unwrap();
        for _ in 0..3 {
            client.receive_message().queue_url(&url).visibility_timeout(0).send().await.unwrap();
        }
        let shelf = Shelf::find(client.clone(), "baton", "replies").await.unwrap();
        let letter = shelf.take().await.unwrap().remove(0);
        assert_eq!(letter.senders, "000000000000,AROAINGRESS", "who SQS attests comes first");
        assert_eq!((letter.reason, letter.attempts), (None, Some(2)));
    });
}

#[test]
fn the_queues_have_the_templates_names() {
    let template = std::fs::read_to_string(super::aws::root().join("infra/template.yaml")).unwrap();
    for (queue, function) in QUEUES {
        for name in [format!("{queue}.fifo"), format!("{queue}-dead-letter.fifo")] {
            assert!(template.contains(&format!("QueueName: !Sub ${{AWS::StackName}}-{name}\n")), "{name}");
        }
        assert!(template.contains(&format!("FunctionName: !Sub ${{AWS::StackName}}-{function}\n")), "{function}");
    }
}
