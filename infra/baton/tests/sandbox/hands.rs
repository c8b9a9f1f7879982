//! What people and workflows do through the control API, and what happens by itself.

use baton_cli::sandbox::{Options, Seed};
use serde_json::{Value, json};

use crate::harness::{ALICE, BOT, CARLA, Lab, SUPPORT};

fn parts(conversation: &Value) -> &Vec<Value> {
    conversation["conversation_parts"]["conversation_parts"].as_array().unwrap()
}

#[tokio::test]
async fn a_button_that_was_offered_can_be_pressed() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let option = json!({"text": "Yes & no", "uuid": "b1a7c1de-0000-4000-8000-000000000001"});
    let offer = json!({"message_type": "quick_reply", "type": "admin", "admin_id": BOT, "reply_options": [option]});
    lab.post(&format!("/conversations/{id}/reply"), offer).await;
    lab.by_hand(&id, "customer", json!({"quick_reply_uuid": option["uuid"]})).await;
    let conversation = lab.get(&format!("/conversations/{id}")).await;
    let pressed = parts(&conversation).last().unwrap();
    assert_eq!(pressed["body"], "<p>Yes &amp; no</p>");
    assert_eq!(pressed["metadata"]["quick_reply_uuid"], option["uuid"]);
    let path = format!("/sandbox1/conversations/{id}/customer");
    let wrong = lab.control("POST", &path, json!({"quick_reply_uuid": "other"})).await;
    assert_eq!(wrong.status, 400);
}

#[tokio::test]
async fn what_a_bot_writes_in_an_email_conversation_is_not_mailed() {
    let lab = Lab::start().await;
    let begin = json!({"lead": {"name": "Eve", "email": "eve@customer.example"}, "body": "Hello", "email": {"subject": "Help"}});
    let started = lab.control("POST", "/sandbox1/conversations", begin).await.ok();
    let id = started["conversation_id"].as_str().unwrap().to_owned();
    let path = format!("/conversations/{id}");
    let reply = json!({"message_type": "comment", "type": "admin", "admin_id": BOT, "body": "from the app"});
    lab.post(&format!("{path}/reply"), reply.clone()).await;
    lab.by_hand(&id, "operator", json!({"body": "from the operator"})).await;
    lab.by_hand(&id, "teammate", json!({"admin_id": ALICE, "action": "reply", "body": "from Alice"})).await;
    lab.by_hand(&id, "customer", json!({"body": "Thanks", "quoted": "from Alice"})).await;
    let conversation = lab.get(&path).await;
    assert_eq!(conversation["source"]["type"], "email");
    assert_eq!(conversation["source"]["subject"], "Help");
    let answer = parts(&conversation).last().unwrap();
    assert_eq!(answer["email_message_metadata"]["subject"], "Re: Help");
    assert_eq!(answer["body"], "<p>Thanks</p><blockquote><p>from Alice</p></blockquote>");
    let newest = lab.rest_in("2.16", "GET", &path, Value::Null).await.ok();
    assert_eq!(newest["channel"], json!({"initial": "email", "current": "email"}));

    let seen = lab.control("GET", &format!("/sandbox1{path}"), Value::Null).await.ok();
    let notified: Vec<&Value> =
        parts(&conversation).iter().map(|part| &seen["notified"][part["id"].as_str().unwrap()]).collect();
    assert_eq!(
        notified,
        ["never", "never", "at_once"].map(|name| json!(name)).iter().chain([&Value::Null]).collect::<Vec<_>>()
    );
    assert_eq!(seen["seen_by_customer"].as_array().unwrap().len(), 3);

    lab.control("POST", "/sandbox1/automation", json!({"mails_bot_replies": true})).await.ok();
    let answered = lab.post(&format!("{path}/reply"), reply).await;
    let seen = lab.control("GET", &format!("/sandbox1{path}"), Value::Null).await.ok();
    let last = parts(&answered).last().unwrap()["id"].as_str().unwrap();
    assert_eq!(seen["notified"][last], "at_once");
}

#[tokio::test]
async fn the_auto_responder_answers_every_message() {
    let lab = Lab::start().await;
    let automation = json!({"auto_reply": {"body": "We are away", "admin_id": 900_002}});
    let set = lab.control("POST", "/sandbox1/automation", automation).await.ok();
    assert_eq!(set["auto_reply"]["body"], "We are away");
    let id = lab.started("hi").await;
    lab.by_hand(&id, "customer", json!({"body": "hello?"})).await;
    let conversation = lab.get(&format!("/conversations/{id}")).await;
    let authors: Vec<&Value> = parts(&conversation).iter().map(|part| &part["author"]["id"]).collect();
    assert_eq!(authors, [ALICE, CARLA, ALICE]);
    let nobody = json!({"auto_reply": {"body": "x", "admin_id": 5}});
    let refused = lab.control("POST", "/sandbox1/automation", nobody).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_workflow_assigns_some_time_after_the_customer_wrote() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let later = json!({"assign_after_ms": {"ms": 2_000, "team_id": 500_001}});
    lab.control("POST", "/sandbox1/automation", later).await.ok();
    let id = lab.started("hi").await;
    assert_eq!(hooks.next().await.topic(), "conversation.user.created");
    assert_eq!(lab.get(&format!("/conversations/{id}")).await["team_assignee_id"], Value::Null);
    lab.control("POST", "/clock", json!({"advance_seconds": 3})).await.ok();
    let assigned = hooks.next().await;
    assert_eq!(assigned.topic(), "conversation.admin.assigned");
    assert_eq!(assigned.part()["author"]["type"], "bot");
    assert_eq!(assigned.item()["team_assignee_id"].to_string(), SUPPORT);
}

#[tokio::test]
async fn a_snoozed_conversation_wakes_at_its_time_unless_it_was_opened() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let (sleeper, woken) = (lab.started("a").await, lab.started("b").await);
    let clock = lab.control("GET", "/clock", Value::Null).await.ok();
    let until = clock["now"].as_u64().unwrap() + 1_000;
    for id in [&sleeper, &woken] {
        let snooze = json!({"message_type": "snoozed", "admin_id": BOT, "snoozed_until": until});
        lab.post(&format!("/conversations/{id}/parts"), snooze).await;
    }
    lab.by_hand(&woken, "customer", json!({"body": "already here"})).await;
    // Two beginnings, two snoozes and the message have been told before the time comes.
    for _ in 0..5 {
        hooks.next().await;
    }
    lab.control("POST", "/clock", json!({"advance_seconds": 1_001})).await.ok();
    let wake = hooks.next().await;
    assert_eq!((wake.topic(), &wake.item()["id"]), ("conversation.admin.unsnoozed", &json!(sleeper)));
    assert_eq!(wake.part()["part_type"], "unsnoozed");
    assert_eq!(wake.item()["state"], "open");
    let other = lab.get(&format!("/conversations/{woken}")).await;
    assert_eq!(parts(&other).last().unwrap()["part_type"], "open");
}

#[tokio::test]
async fn fin_answers_and_hands_over() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    lab.by_hand(&id, "operator", json!({"body": "I am Fin", "from_ai_agent": true})).await;
    let over =
        json!({"action": "hand_over", "assignee": {"type": "team", "id": SUPPORT}, "body": "A person will help"});
    lab.by_hand(&id, "operator", over).await;
    let path = format!("/conversations/{id}");
    let conversation = lab.get(&path).await;
    assert_eq!(conversation["ai_agent_participated"], true);
    assert_eq!(conversation["ai_agent"]["resolution_state"], "escalated");
    assert_eq!(conversation["ai_agent"]["last_answer_type"], "ai_answer");
    assert_eq!(conversation["team_assignee_id"].to_string(), SUPPORT);
    let older = lab.rest_in("2.14", "GET", &path, Value::Null).await.ok();
    assert_eq!(older["ai_agent"]["resolution_state"], "routed_to_team");
    let said: Vec<&Value> = parts(&conversation).iter().map(|part| &part["author"]["from_ai_agent"]).collect();
    assert_eq!(said, [true, true, false]);
}

#[tokio::test]
async fn workflows_close_and_tag() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let id = lab.started("hi").await;
    lab.by_hand(&id, "operator", json!({"action": "tag", "tag": "vip"})).await;
    lab.by_hand(&id, "operator", json!({"action": "close", "body": "bye"})).await;
    let told = hooks.topics(5).await;
    let wanted = [
        "conversation.user.created",
        "conversation_part.tag.created",
        "conversation.admin.closed",
        "conversation.admin.replied",
        "conversation.operator.replied",
    ];
    assert_eq!(told, wanted);
    let conversation = lab.get(&format!("/conversations/{id}")).await;
    assert_eq!((&conversation["state"], &conversation["tags"]["tags"][0]["name"]), (&json!("closed"), &json!("vip")));
}

#[tokio::test]
async fn reading_is_told_once_with_everything_that_was_new() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let id = lab.started("hi").await;
    for n in 0..3 {
        lab.by_hand(&id, "teammate", json!({"admin_id": ALICE, "action": "reply", "body": n.to_string()})).await;
    }
    lab.by_hand(&id, "teammate", json!({"admin_id": ALICE, "action": "note", "body": "secret"})).await;
    let read = lab.by_hand(&id, "read", json!({})).await;
    assert_eq!(read["part_ids"].as_array().unwrap().len(), 3);
    assert_eq!(lab.by_hand(&id, "read", json!({})).await["part_ids"], json!([]));
    for _ in 0..5 {
        hooks.next().await;
    }
    let told = hooks.next().await;
    assert_eq!(told.topic(), "conversation.read");
    assert_eq!(told.item()["conversation_parts"]["total_count"], 3);
    lab.by_hand(&id, "teammate", json!({"admin_id": ALICE, "action": "priority"})).await;
    let urgent = hooks.next().await;
    assert_eq!((urgent.topic(), &urgent.item()["priority"]), ("conversation.priority.updated", &json!("priority")));
}

#[tokio::test]
async fn participants_are_added_and_write_under_their_own_name() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let body = json!({"lead": {"name": "Zoe"}, "admin_id": ALICE});
    let added = lab.by_hand(&id, "participants", body).await;
    let zoe = added["contact_id"].as_str().unwrap();
    lab.by_hand(&id, "customer", json!({"body": "me too", "contact_id": zoe})).await;
    let conversation = lab.get(&format!("/conversations/{id}")).await;
    assert_eq!(parts(&conversation).last().unwrap()["author"]["name"], "Zoe");
    let path = format!("/sandbox1/conversations/{id}/participants/{zoe}");
    lab.control("DELETE", &path, json!({"admin_id": ALICE})).await.ok();
    let conversation = lab.get(&format!("/conversations/{id}")).await;
    assert_eq!(conversation["contacts"]["contacts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_seed_brings_a_backlog_that_nobody_is_notified_of() {
    let mut seed: Value = serde_json::from_str(include_str!("../../../sandbox/seed.json")).unwrap();
    seed["workspaces"][0]["conversations"] = json!([
        {
            "contact_id": CARLA, "subject": "An old one", "state": "closed", "tags": ["vip"],
            "messages": [
                {"from": "contact", "body": "long ago", "minutes_ago": 1_000},
                {"from": ALICE, "body": "<b>done</b>", "minutes_ago": 900},
                {"from": ALICE, "body": "easy", "minutes_ago": 800, "note": true},
            ],
        },
        {
            "contact_id": CARLA, "team_assignee_id": SUPPORT,
            "messages": [{"from": "contact", "body": "waiting", "minutes_ago": 10}, {"from": "fin", "body": "hm"}],
        },
    ]);
    let parse = |seed: &Value| Seed::parse(&seed.to_string(), std::path::Path::new("backlog.json"));
    let options = Options { seed: Some(parse(&seed).unwrap()), ..Options::default() };
    let lab = Lab::start_with(options).await;
    let now = lab.control("GET", "/clock", Value::Null).await.ok()["now"].as_u64().unwrap();
    let list = lab.get("/conversations").await;
    let (newer, older) = (&list["conversations"][0], &list["conversations"][1]);
    assert_eq!(newer["team_assignee_id"].to_string(), SUPPORT);
    assert_eq!((&older["state"], &older["source"]["type"]), (&json!("closed"), &json!("email")));
    assert!(older["updated_at"].as_u64().unwrap() < now - 47_000, "{older}");
    assert_eq!(lab.control("GET", "/deliveries", Value::Null).await.ok()["deliveries"], json!([]));

    seed["workspaces"][0]["conversations"][1]["messages"][0]["from"] = json!("nobody");
    let mistake = parse(&seed).unwrap_err().to_string();
    assert!(mistake.contains("workspaces[0].conversations[1].messages[0].from"), "{mistake}");
}
