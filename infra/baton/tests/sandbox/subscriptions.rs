//! What the answers of a receiver do to its subscription.

use std::time::{Duration, Instant};

use baton_cli::sandbox::{Options, OtherAppSeed, Seed};
use serde_json::{Value, json};

use crate::harness::{Hooks, Lab};

impl Lab {
    async fn subscription(&self) -> Value {
        self.control("GET", "/sandbox1/webhook", Value::Null).await.ok()
    }

    async fn advance(&self, seconds: u64) {
        self.control("POST", "/clock", json!({"advance_seconds": seconds})).await.ok();
    }

    /// Waits until the subscription is in that state.
    async fn until_state(&self, state: &str) -> Value {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let shown = self.subscription().await;
            if shown["state"] == state {
                return shown;
            }
            assert!(Instant::now() < deadline, "{shown}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

impl Lab {
    /// Waits until so many deliveries were logged, and answers the last.
    async fn last_delivery(&self, count: u64) -> Value {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let log = self.control("GET", "/deliveries?limit=1", Value::Null).await.ok();
            if log["last"].as_u64() >= Some(count) {
                return log["deliveries"][0].clone();
            }
            assert!(Instant::now() < deadline, "{log}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn lab() -> Lab {
    Lab::start_with(Options::default()).await
}

#[tokio::test]
async fn a_subscription_is_shown_as_it_is_set_up_and_as_it_is() {
    let lab = lab().await;
    assert_eq!(lab.control("GET", "/sandbox1/webhook", Value::Null).await.status, 404);
    let hooks = lab.hooks("2.14").await;
    let shown = lab.subscription().await;
    assert_eq!(shown["url"], hooks.url("127.0.0.1"));
    assert_eq!((&shown["state"], &shown["until"], &shown["version"]), (&json!("live"), &Value::Null, &json!("2.14")));
    assert_eq!(shown["counters"], json!({"attempts": 1, "succeeded": 1, "failed": 0, "throttled": 0, "dropped": 0}));
    let pinged = lab.control("POST", "/sandbox1/webhook/ping", json!({})).await.ok();
    assert_eq!(pinged, json!({"ping_status": 200}));
    assert_eq!(lab.subscription().await["counters"]["attempts"], 2);
}

#[tokio::test]
async fn a_retry_follows_after_a_minute_and_not_sooner() {
    let lab = lab().await;
    let mut hooks = lab.hooks("2.15").await;
    hooks.answer(&[302, 500]);
    lab.started("hi").await;
    let first = hooks.next().await;
    lab.deliveries(2).await;
    lab.advance(58).await;
    lab.started("another").await;
    assert_ne!(hooks.next().await.body["id"], first.body["id"]);
    lab.deliveries(3).await;
    lab.advance(3).await;
    let again = hooks.next().await;
    assert_eq!((&again.body["id"], &again.body["delivery_attempts"]), (&first.body["id"], &json!(2)));
    lab.advance(60).await;
    assert_eq!(hooks.next().await.body["delivery_attempts"], 2);
    assert_eq!(lab.deliveries(5).await.len(), 5);
}

#[tokio::test]
async fn a_429_holds_everything_back_and_nothing_is_lost() {
    let lab = lab().await;
    let mut hooks = lab.hooks("2.15").await;
    hooks.answer(&[429]);
    let first = lab.started("first").await;
    hooks.next().await;
    let shown = lab.until_state("throttled").await;
    let lasts = shown["until"].as_u64().unwrap() - shown["since"].as_u64().unwrap();
    assert!((60..=61).contains(&lasts), "{shown}");
    let second = lab.started("second").await;
    lab.advance(50).await;
    assert_eq!(lab.subscription().await["state"], "throttled");
    assert!(hooks.is_empty());
    lab.advance(12).await;
    let mut ids = [hooks.next().await.item()["id"].clone(), hooks.next().await.item()["id"].clone()];
    ids.sort_by_key(Value::to_string);
    assert_eq!(ids, [json!(first), json!(second)]);
    assert_eq!(lab.subscription().await["state"], "live");
}

#[tokio::test]
async fn what_throttling_would_delay_for_more_than_two_hours_is_dropped() {
    let lab = lab().await;
    let mut hooks = lab.hooks("2.15").await;
    hooks.answer(&[429; 20]);
    lab.started("first").await;
    // 1 + 2 + 4 + 8 + 16 + 32 minutes make 63; another 64 would be too much.
    for (throttled, minutes) in [1, 2, 4, 8, 16, 32].into_iter().enumerate() {
        assert_eq!(hooks.next().await.body["delivery_attempts"], json!(throttled + 1));
        lab.until_state("throttled").await;
        lab.advance(minutes * 60 + 1).await;
    }
    hooks.next().await;
    let log = lab.deliveries(9).await;
    assert_eq!(log[8]["problem"], "dropped: throttling would delay it for more than two hours");
    assert_eq!(log[8]["attempt"], 7);
}

#[tokio::test]
async fn setting_it_live_ends_the_throttling_at_once() {
    let lab = lab().await;
    let mut hooks = lab.hooks("2.15").await;
    hooks.answer(&[429]);
    lab.started("first").await;
    let first = hooks.next().await;
    lab.until_state("throttled").await;
    let shown = lab.control("POST", "/sandbox1/webhook/live", json!({})).await.ok();
    assert_eq!(shown["state"], "live");
    assert_eq!(hooks.next().await.body["id"], first.body["id"]);
}

#[tokio::test]
async fn after_more_than_a_thousand_errors_what_comes_is_dropped_for_a_quarter_of_an_hour() {
    let lab = lab().await;
    let mut hooks = lab.hooks("2.15").await;
    hooks.answer(&[500; 1_001]);
    let id = lab.started("0").await;
    // Every message fails once and is tried again a minute later.
    for n in 1..=500 {
        lab.by_hand(&id, "customer", json!({"body": n.to_string()})).await;
    }
    lab.last_delivery(502).await;
    lab.advance(61).await;
    lab.until_state("paused").await;
    while !hooks.is_empty() {}
    lab.by_hand(&id, "customer", json!({"body": "lost"})).await;
    let last = lab.last_delivery(1_004).await;
    assert_eq!(last["problem"], "dropped: the subscription is paused");
    lab.advance(15 * 60 + 1).await;
    lab.by_hand(&id, "customer", json!({"body": "arrives"})).await;
    loop {
        if hooks.next().await.item()["conversation_parts"]["conversation_parts"][0]["body"] == "arrives" {
            break;
        }
    }
}

#[tokio::test]
async fn a_week_of_errors_suspends_it_until_it_is_set_live() {
    let lab = lab().await;
    let mut hooks = lab.hooks("2.15").await;
    hooks.answer(&[500, 500]);
    let id = lab.started("hi").await;
    hooks.next().await;
    lab.deliveries(2).await;
    lab.advance(7 * 86_400 + 1).await;
    hooks.next().await;
    lab.until_state("suspended").await;
    lab.by_hand(&id, "customer", json!({"body": "nobody hears it"})).await;
    let path = format!("/sandbox1/conversations/{id}/events");
    let log = lab.control("GET", &path, Value::Null).await.ok();
    assert_eq!(log["events"][3]["subscribed"], false);
    lab.control("POST", "/sandbox1/webhook/live", json!({})).await.ok();
    lab.by_hand(&id, "customer", json!({"body": "again"})).await;
    assert_eq!(hooks.next().await.part()["body"], "again");
}

#[tokio::test]
async fn two_apps_of_a_workspace_are_told_separately_and_in_their_own_versions() {
    let mut seed = Seed::embedded().unwrap();
    let other = OtherAppSeed { client_id: "other".to_owned(), client_secret: "other-secret".to_owned(), webhook: None };
    seed.workspaces[0].other_apps.push(other);
    let lab = Lab::start_with(Options { seed: Some(seed), ..Options::default() }).await;
    let mut own = lab.hooks("2.15").await;
    let mut other = Hooks::forgiving().await;
    let body = json!({"url": other.url("127.0.0.1"), "client_id": "other", "version": "2.14"});
    lab.control("POST", "/sandbox1/webhook", body.clone()).await.ok();
    assert!(!other.next().await.is_signed(), "signed with the first app's secret");
    let stranger = json!({"url": other.url("127.0.0.1"), "client_id": "stranger"});
    assert_eq!(lab.control("POST", "/sandbox1/webhook", stranger).await.status, 404);

    other.answer(&[410]);
    let id = lab.started("hi").await;
    let (one, two) = (own.next().await, other.next().await);
    assert_ne!(one.body["id"], two.body["id"]);
    assert_eq!((&one.item()["source"]["body"], &two.item()["source"]["body"]), (&json!("hi"), &json!("<p>hi</p>")));
    lab.deliveries(4).await;
    lab.by_hand(&id, "customer", json!({"body": "more"})).await;
    assert_eq!(own.next().await.part()["body"], "more");
    let shown = lab.subscription().await;
    assert_eq!((&shown["state"], &shown["others"][0]["state"]), (&json!("live"), &json!("ended")));
    assert_eq!(shown["others"][0]["client_id"], "other");
}
