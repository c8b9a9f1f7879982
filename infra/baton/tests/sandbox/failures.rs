//! What the control API shows, and what it can make go wrong.

use std::time::{Duration, Instant};

use baton_cli::sandbox::{Options, Sandbox, StartError};
use serde_json::{Value, json};

use crate::harness::{ALICE, BOT, Lab};

fn comment(body: &str) -> Value {
    json!({"message_type": "comment", "type": "admin", "admin_id": BOT, "body": body})
}

#[tokio::test]
async fn the_customer_sees_messages_and_no_notes() {
    let lab = Lab::start().await;
    let id = lab.started("Hello").await;
    lab.post(&format!("/conversations/{id}/reply"), comment("<p>Hi <b>you</b></p>")).await;
    let note = json!({"admin_id": ALICE, "action": "note", "body": "strange one"});
    lab.by_hand(&id, "teammate", note).await;
    let close = json!({"admin_id": ALICE, "action": "close", "body": "Bye"});
    lab.by_hand(&id, "teammate", close).await;
    let path = format!("/sandbox1/conversations/{id}");
    let shown = lab.control("GET", &path, Value::Null).await.ok();
    let seen: Vec<(&str, &str)> = shown["seen_by_customer"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let name = one["author"]["name"].as_str().unwrap();
            (name, one["body"].as_str().unwrap())
        })
        .collect();
    assert_eq!(seen, [("Carla", "Hello"), ("Baton Bot", "Hi you"), ("Alice", "Bye")]);
    assert_eq!(shown["conversation_parts"]["total_count"], 3);
}

#[tokio::test]
async fn pollers_get_every_event_once() {
    let lab = Lab::start().await;
    let id = lab.started("one").await;
    lab.by_hand(&id, "customer", json!({"body": "two"})).await;
    let events = |after: u64| {
        let path = format!("/sandbox1/conversations/{id}/events?after={after}");
        async { lab.control("GET", &{ path }, Value::Null).await.ok()["events"].clone() }
    };
    let all = events(0).await;
    let kinds: Vec<_> = all.as_array().unwrap().iter().map(|e| e["kind"].clone()).collect();
    assert_eq!(kinds, ["source", "notification", "part", "notification"]);
    let last = all[3]["n"].as_u64().unwrap();
    assert_eq!(events(last).await, json!([]));
    lab.by_hand(&id, "customer", json!({"body": "three"})).await;
    assert_eq!(events(last).await[0]["part"]["body"], "<p>three</p>");
}

#[tokio::test]
async fn requests_are_logged_without_their_tokens() {
    let file = std::env::temp_dir().join(format!("sandbox-record-{}.jsonl", std::process::id()));
    drop(std::fs::remove_file(&file));
    let lab = Lab::start_with(Options { record: Some(file.clone()), ..Options::default() }).await;
    lab.get("/me?x=1").await;
    lab.rest("POST", "/tags", json!({"name": "t"})).await.ok();
    let mut log = lab.control("GET", "/requests?after=1", Value::Null).await.ok();
    let entry = log["requests"][0].as_object_mut().unwrap();
    assert!(entry.remove("at_ms").is_some_and(|ms| ms.as_u64() > Some(1_700_000_000_000)));
    assert!(entry.remove("duration_ms").is_some_and(|ms| ms.is_u64()));
    let expected = json!({"requests": [{
        "n": 2, "method": "POST", "path": "/tags", "query": null, "version": "2.15",
        "app_id": "sandbox1", "body": {"name": "t"}, "status": 200, "conversation_id": null, "fault": null,
    }], "last": 2});
    assert_eq!(log, expected);
    let deadline = Instant::now() + Duration::from_secs(10);
    let recorded = loop {
        let text = std::fs::read_to_string(&file).unwrap();
        if text.lines().count() == 2 {
            break text;
        }
        assert!(Instant::now() < deadline, "{text}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    std::fs::remove_file(&file).unwrap();
    assert!(!recorded.contains("sandbox-token"));
    let first: Value = serde_json::from_str(recorded.lines().next().unwrap()).unwrap();
    assert_eq!((&first["query"], &first["n"]), (&json!("x=1"), &json!(1)));
}

#[tokio::test]
async fn a_fault_strikes_as_often_as_asked_before_or_after_the_deed() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let reply = format!("/conversations/{id}/reply");
    let count = || async {
        let got = lab.get(&format!("/conversations/{id}")).await;
        got["conversation_parts"]["total_count"].as_u64().unwrap()
    };
    let fault = |kind: &str| json!({"match": {"method": "POST", "path_contains": "/reply"}, "fault": kind, "times": 1});
    lab.control("POST", "/faults", fault("fail_before")).await.ok();
    let answer = lab.rest("POST", &reply, comment("a")).await;
    assert_eq!((answer.refusal(), count().await), ((503, "service_unavailable"), 0));

    lab.control("POST", "/faults", fault("fail_after")).await.ok();
    let answer = lab.rest("POST", &reply, comment("b")).await;
    assert_eq!((answer.status, count().await), (503, 1));

    lab.control("POST", "/faults", fault("disconnect_after")).await.ok();
    let token = [("Authorization", "Bearer sandbox-token")];
    let body = comment("c").to_string();
    assert!(lab.send("POST", &reply, &token, &body).await.is_err());
    assert_eq!(count().await, 2);

    lab.control("POST", "/faults", fault("rate_limit")).await.ok();
    let answer = lab.rest("POST", &reply, comment("d")).await;
    assert_eq!(answer.refusal(), (429, "rate_limit_exceeded"));
    assert_eq!(answer.headers["x-ratelimit-remaining"], "0");
    lab.post(&reply, comment("e")).await;
    assert_eq!(count().await, 3);

    lab.control("POST", "/faults", fault("fail_before")).await.ok();
    lab.control("DELETE", "/faults", Value::Null).await.ok();
    lab.post(&reply, comment("f")).await;
    let nonsense = json!({"fault": "drop"});
    assert_eq!(lab.control("POST", "/faults", nonsense).await.status, 400);
}

#[tokio::test]
async fn webhooks_can_be_dropped_and_repeated() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let topic = json!({"topic": "conversation.user.replied"});
    let id = lab.started("hi").await;
    lab.control("POST", "/faults", json!({"webhook": topic, "fault": "drop"})).await.ok();
    lab.by_hand(&id, "customer", json!({"body": "lost"})).await;
    hooks.next().await;
    lab.deliveries(3).await;
    lab.control("POST", "/faults", json!({"webhook": topic, "fault": "repeat"})).await.ok();
    lab.by_hand(&id, "customer", json!({"body": "twice"})).await;
    let (first, second) = (hooks.next().await, hooks.next().await);
    assert_eq!(first.body, second.body);
    assert_eq!(first.part()["body"], "twice");
}

#[tokio::test]
async fn a_reset_goes_back_to_the_seed() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let id = lab.started("hi").await;
    hooks.next().await;
    lab.control("POST", "/reset", json!({})).await.ok();
    let answer = lab.rest("GET", &format!("/conversations/{id}"), Value::Null).await;
    assert_eq!(answer.refusal(), (404, "not_found"));
    assert_eq!(lab.started("again").await, id);
    let path = format!("/sandbox1/conversations/{id}/events");
    let log = lab.control("GET", &path, Value::Null).await.ok();
    assert_eq!(log["events"][1]["subscribed"], false);
    let log = lab.control("GET", "/deliveries", Value::Null).await.ok();
    assert_eq!(log["deliveries"], json!([]));
    assert!(hooks.is_empty());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let lab = Lab::start().await;
    let taken =
        Options { listen: lab.sandbox.url().trim_start_matches("http://").parse().unwrap(), ..Options::default() };
    let refused = Sandbox::start(taken).await;
    assert!(matches!(refused, Err(StartError::Listen { .. })));
}

#[tokio::test]
async fn a_stopped_sandbox_answers_nobody() {
    let lab = Lab::start().await;
    lab.get("/me").await;
    let url = lab.sandbox.url();
    let started = Instant::now();
    lab.sandbox.stop().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(2));
    assert!(reqwest::get(format!("{url}/me")).await.is_err());
}
