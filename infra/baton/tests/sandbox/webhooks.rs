//! Which webhooks a deed fires, in which shape, and how they are delivered.

use serde_json::{Value, json};

use crate::harness::{ALICE, BOT, CARLA, Hooks, Lab, SUPPORT};

#[tokio::test]
async fn a_customers_first_message_arrives_signed_with_its_text_in_the_source() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.14").await;
    let id = lab.started("Hello <there>").await;

    let hook = hooks.next().await;
    assert_eq!(hook.topic(), "conversation.user.created");
    assert_eq!(hook.headers["user-agent"], "intercom-parrot-service-client/1.0");
    assert_eq!(hook.headers["content-type"], "application/json");
    assert_eq!(hook.body["type"], "notification_event");
    assert_eq!(hook.body["app_id"], "sandbox1");
    assert_eq!(hook.body["delivery_status"], "pending");
    assert!(hook.body["id"].as_str().unwrap().starts_with("notif_"));
    let item = hook.item();
    assert_eq!(item["id"], json!(id));
    assert!(id.parse::<u64>().unwrap() > u64::from(u32::MAX));
    assert_eq!(item["source"]["body"], "<p>Hello &lt;there&gt;</p>");
    assert_eq!(item["source"]["author"]["id"], CARLA);
    assert_eq!(item["contacts"]["contacts"][0]["external_id"], "cust-1001");
    assert_eq!(item["conversation_parts"]["total_count"], 0);
    assert_eq!(item["admin_assignee_id"], Value::Null);
}

#[tokio::test]
async fn payloads_are_html_and_iso_up_to_2_14_and_plain_and_unix_from_2_15() {
    let lab = Lab::start().await;
    let mut old = lab.hooks("2.14").await;
    let id = lab.started("first").await;
    lab.by_hand(&id, "customer", json!({"body": "a\nb"})).await;
    old.next().await;
    let html = old.next().await;
    assert_eq!(html.topic(), "conversation.user.replied");
    assert_eq!(html.part()["body"], "<p>a<br>b</p>");
    let at = &html.item()["statistics"]["last_contact_reply_at"];
    assert!(at.as_str().unwrap().ends_with(".000Z"), "{at}");
    lab.by_hand(&id, "teammate", json!({"admin_id": ALICE, "action": "close"})).await;
    assert_eq!(old.next().await.item()["statistics"]["last_closed_by_id"], 900_002);

    let mut new = lab.hooks("2.15").await;
    lab.by_hand(&id, "customer", json!({"body": "c\nd"})).await;
    let plain = new.next().await;
    assert_eq!(plain.part()["body"], "c\nd");
    assert_eq!(plain.item()["source"]["body"], "first");
    assert_eq!(plain.item()["statistics"]["count_conversation_parts"], 3);
    assert_eq!(plain.item()["statistics"]["last_closed_by_id"], ALICE);
    assert!(plain.item()["statistics"]["last_contact_reply_at"].is_u64());
    assert!(old.is_empty());
}

#[tokio::test]
async fn our_own_reply_comes_back_as_an_echo_with_our_package_code() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.14").await;
    let id = lab.started("hi").await;
    hooks.next().await;
    let body = json!({"message_type": "comment", "type": "admin", "admin_id": BOT, "body": "yo"});
    let answer = lab.post(&format!("/conversations/{id}/reply"), body).await;

    let echo = hooks.next().await;
    assert_eq!(echo.topic(), "conversation.admin.replied");
    let parts = answer["conversation_parts"]["conversation_parts"].as_array();
    assert_eq!(echo.part()["id"], parts.unwrap()[0]["id"]);
    assert_eq!(echo.part()["app_package_code"], "baton-sandbox");
    assert_eq!(echo.part()["author"]["id"], BOT);

    let by_alice = json!({"admin_id": ALICE, "action": "reply", "body": "I am here"});
    lab.by_hand(&id, "teammate", by_alice).await;
    assert_eq!(hooks.next().await.part()["app_package_code"], Value::Null);
}

#[tokio::test]
async fn assigning_with_a_comment_fires_several_topics_with_the_same_part() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.14").await;
    let id = lab.started("hi").await;
    hooks.next().await;
    let body = json!({
        "message_type": "assignment", "type": "team", "admin_id": BOT,
        "assignee_id": SUPPORT, "body": "A colleague takes over.",
    });
    lab.post(&format!("/conversations/{id}/parts"), body).await;

    let (first, second, third) = (hooks.next().await, hooks.next().await, hooks.next().await);
    assert_eq!(first.topic(), "conversation.admin.assigned");
    assert_eq!(second.topic(), "conversation.admin.open.assigned");
    assert_eq!(third.topic(), "conversation.admin.replied");
    assert_eq!(first.part(), third.part());
    assert_ne!(first.body["id"], third.body["id"]);
    assert_eq!(first.part()["part_type"], "assignment");
    assert_eq!(first.part()["assigned_to"], json!({"type": "team", "id": SUPPORT}));
    assert_eq!(first.item()["team_assignee_id"], 500_001);
}

#[tokio::test]
async fn what_teammates_do_fires_the_topic_of_each_deed() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.14").await;
    let id = lab.started("hi").await;
    let deeds = [
        json!({"admin_id": ALICE, "action": "note", "body": "careful"}),
        json!({"admin_id": ALICE, "action": "snooze"}),
        json!({"admin_id": ALICE, "action": "unsnooze"}),
        json!({"admin_id": ALICE, "action": "close", "body": "Bye"}),
        json!({"admin_id": ALICE, "action": "open"}),
        json!({"admin_id": ALICE, "action": "assign", "assignee": {"type": "nobody"}}),
    ];
    for deed in deeds {
        lab.by_hand(&id, "teammate", deed).await;
    }
    lab.by_hand(&id, "operator", json!({"body": "workflow"})).await;
    let fin = json!({"body": "answer", "from_ai_agent": true});
    lab.by_hand(&id, "operator", fin).await;
    lab.by_hand(&id, "rating", json!({"rating": 5, "remark": "good"})).await;
    lab.by_hand(&id, "tag", json!({"name": "vip", "admin_id": ALICE})).await;
    let path = format!("/sandbox1/conversations/{id}");
    lab.control("DELETE", &path, Value::Null).await.ok();
    let expected = [
        "conversation.user.created",
        "conversation.admin.noted",
        "conversation.admin.snoozed",
        "conversation.admin.unsnoozed",
        "conversation.admin.closed",
        "conversation.admin.replied",
        "conversation.admin.opened",
        "conversation.admin.assigned",
        "conversation.admin.open.assigned",
        "conversation.operator.replied",
        "conversation.admin.replied",
        "conversation.operator.replied",
        "conversation.rating.added",
        "conversation_part.tag.created",
    ];
    assert_eq!(hooks.topics(expected.len()).await, expected);
    let deleted = hooks.next().await;
    assert_eq!(deleted.topic(), "conversation.deleted");
    assert_eq!(deleted.item(), &json!({"type": "conversation", "conversation_id": id}));
}

#[tokio::test]
async fn a_redacted_part_is_told_without_its_words() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.14").await;
    let id = lab.started("hi").await;
    let part = lab.by_hand(&id, "customer", json!({"body": "my card is 1234"})).await;
    hooks.topics(2).await;
    lab.by_hand(&id, "redact", json!({"part_id": part["part_id"]})).await;
    let hook = hooks.next().await;
    assert_eq!(hook.topic(), "conversation_part.redacted");
    assert_eq!(hook.part()["body"], "<p><i>This message was deleted</i></p>");
    assert_eq!(hook.part()["redacted"], true);
}

#[tokio::test]
async fn only_chosen_topics_are_sent_and_operator_topics_only_from_2_14() {
    let lab = Lab::start().await;
    let mut hooks = Hooks::start().await;
    let body = json!({
        "url": hooks.url("127.0.0.1"),
        "topics": ["conversation.user.replied", "conversation.operator.replied"],
        "version": "2.13",
    });
    lab.control("POST", "/sandbox1/webhook", body).await.ok();
    let id = lab.started("hi").await;
    lab.by_hand(&id, "operator", json!({"body": "bot"})).await;
    lab.by_hand(&id, "customer", json!({"body": "again"})).await;
    assert_eq!(hooks.topics(2).await, ["ping", "conversation.user.replied"]);
}

#[tokio::test]
async fn notifications_of_a_conversation_arrive_in_order() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let id = lab.started("0").await;
    for n in 1..=40 {
        lab.by_hand(&id, "customer", json!({"body": n.to_string()})).await;
    }
    hooks.next().await;
    for n in 1..=40 {
        assert_eq!(hooks.next().await.part()["body"], json!(n.to_string()));
    }
}

#[tokio::test]
async fn a_failed_webhook_is_tried_exactly_once_more() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    hooks.answer(&[500, 503]);
    lab.started("hi").await;
    let (first, second) = (hooks.next().await, hooks.next().await);
    assert_eq!(first.body["id"], second.body["id"]);
    assert_eq!(second.body["delivery_attempts"], 2);
    let log = lab.deliveries(3).await;
    let of = |n: usize| (log[n]["attempt"].as_u64(), log[n]["status"].as_u64());
    assert_eq!((of(1), of(2)), ((Some(1), Some(500)), (Some(2), Some(503))));

    // A third attempt would arrive before the second of a notice that failed later.
    hooks.answer(&[500]);
    lab.started("another").await;
    let (other, again) = (hooks.next().await, hooks.next().await);
    assert_ne!(other.body["id"], first.body["id"]);
    assert_eq!(other.body["id"], again.body["id"]);
    assert_eq!(lab.deliveries(5).await.len(), 5);
}

#[tokio::test]
async fn a_gone_receiver_gets_nothing_more() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    hooks.answer(&[410]);
    lab.started("hi").await;
    hooks.next().await;
    lab.deliveries(2).await;
    let id = lab.started("another").await;
    let path = format!("/sandbox1/conversations/{id}/events");
    let log = lab.control("GET", &path, Value::Null).await.ok();
    assert_eq!(log["events"][1]["topic"], "conversation.user.created");
    assert_eq!(log["events"][1]["subscribed"], false);
}

#[tokio::test]
async fn a_slow_receiver_does_not_hold_up_other_conversations_or_callers() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let delay = json!({"webhook": {}, "fault": "delay", "delay_ms": 500});
    lab.control("POST", "/faults", delay).await.ok();
    let late = lab.started("late").await;
    let soon = lab.started("soon").await;
    assert_eq!(hooks.next().await.item()["id"], json!(soon));
    assert_eq!(hooks.next().await.item()["id"], json!(late));
}

#[tokio::test]
async fn names_below_localhost_reach_the_loopback_under_their_own_name() {
    let lab = Lab::start().await;
    let mut hooks = Hooks::start().await;
    let url = hooks.url("abc123.execute-api.localhost");
    let body = json!({"url": url});
    let answer = lab.control("POST", "/sandbox1/webhook", body).await;
    assert_eq!(answer.ok()["ping_status"], 200);
    let host = hooks.next().await.headers["host"].to_str().unwrap().to_owned();
    assert!(host.starts_with("abc123.execute-api.localhost:"), "{host}");
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_head_is_refused_and_the_old_one_stays() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    // The sandbox's own REST side answers HEAD with 401.
    let body = json!({"url": format!("{}/me", lab.sandbox.url())});
    let answer = lab.control("POST", "/sandbox1/webhook", body).await;
    assert_eq!(answer.status, 422);
    assert!(answer.body["error"].as_str().unwrap().contains("it answered 401"));
    let nobody = json!({"url": "http://127.0.0.1:1/"});
    let answer = lab.control("POST", "/sandbox1/webhook", nobody).await;
    assert_eq!(answer.status, 422, "{}", answer.body);
    lab.started("hi").await;
    assert_eq!(hooks.next().await.topic(), "conversation.user.created");
}
