//! What the control API can make go wrong, as a client and a receiver see it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{BOT, Hooks, Lab};

const TOKEN: [(&str, &str); 1] = [("Authorization", "Bearer sandbox-token")];

impl Lab {
    async fn fault(&self, fault: Value) -> u64 {
        self.control("POST", "/faults", fault).await.ok()["id"].as_u64().unwrap()
    }

    async fn faults(&self) -> Value {
        self.control("GET", "/faults", Value::Null).await.ok()["faults"].clone()
    }

    async fn parts(&self, id: &str) -> u64 {
        self.get(&format!("/conversations/{id}")).await["conversation_parts"]["total_count"].as_u64().unwrap()
    }
}

fn reply() -> Value {
    json!({"message_type": "comment", "type": "admin", "admin_id": BOT, "body": "a"})
}

#[tokio::test]
async fn a_fault_is_shown_with_what_it_did_and_named_by_the_requests_it_hit() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let order = json!({"match": {"app_id": "sandbox1", "conversation_id": id}, "fault": "fail_before", "status": 500});
    let fault = lab.fault(order.clone()).await;
    lab.get("/me").await;
    let refused = lab.rest("POST", &format!("/conversations/{id}/reply"), reply()).await;
    assert_eq!(refused.refusal(), (500, "server_error"));
    assert_eq!(lab.parts(&id).await, 0);

    let mut shown = order;
    shown["id"] = json!(fault);
    shown["left"] = json!(0);
    shown["hits"] = json!(1);
    assert_eq!(lab.faults().await, json!([shown]));
    let log = lab.control("GET", "/requests", Value::Null).await.ok();
    assert_eq!(log["requests"][0]["fault"], Value::Null);
    assert_eq!(log["requests"][1]["fault"], json!({"id": fault, "fault": "fail_before"}));
    assert_eq!(log["requests"][1]["conversation_id"], json!(id));
}

#[tokio::test]
async fn a_fault_that_is_always_there_ends_when_it_is_removed() {
    let lab = Lab::start().await;
    let id = lab
        .fault(json!({"match": {"path_contains": "/me"}, "fault": "fail_before", "status": 403, "times": "always"}))
        .await;
    for _ in 0..3 {
        assert_eq!(lab.rest("GET", "/me", Value::Null).await.refusal(), (403, "forbidden"));
    }
    assert_eq!(lab.control("DELETE", &format!("/faults/{id}"), Value::Null).await.status, 200);
    lab.get("/me").await;
    assert_eq!(lab.control("DELETE", &format!("/faults/{id}"), Value::Null).await.status, 404);
    assert_eq!(lab.faults().await, json!([]));
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_deed() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let path = format!("/conversations/{id}/reply");
    for (kind, parts) in [("disconnect_before", 0), ("disconnect_after", 1)] {
        lab.fault(json!({"match": {"method": "POST"}, "fault": kind})).await;
        assert!(lab.send("POST", &path, &TOKEN, &reply().to_string()).await.is_err());
        assert_eq!(lab.parts(&id).await, parts, "{kind}");
    }
    let log = lab.control("GET", "/requests", Value::Null).await.ok();
    assert_eq!((&log["requests"][0]["status"], &log["requests"][1]["status"]), (&Value::Null, &json!(200)));
}

#[tokio::test]
async fn an_answer_is_late_before_or_after_the_deed_on_the_sandboxs_clock() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let path = format!("/conversations/{id}/reply");
    let body = reply().to_string();
    for (kind, parts) in [("delay", 0), ("delay_after", 2)] {
        lab.fault(json!({"match": {"method": "POST"}, "fault": kind, "delay_ms": 3_600_000})).await;
        let late = lab.send("POST", &path, &TOKEN, &body);
        let meanwhile = async {
            let deadline = Instant::now() + Duration::from_secs(10);
            while lab.faults().await.as_array().unwrap().last().unwrap()["left"] != 0 {
                assert!(Instant::now() < deadline);
            }
            let seen = lab.parts(&id).await;
            lab.control("POST", "/clock", json!({"advance_seconds": 3_601})).await.ok();
            seen
        };
        let (answer, seen) = tokio::join!(late, meanwhile);
        assert_eq!((answer.unwrap().status, seen), (200, parts), "{kind}");
    }
}

#[tokio::test]
async fn an_answer_can_be_no_json_or_half_of_it() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let path = format!("/conversations/{id}/reply");
    for (kind, parts) in [("garbled", 1), ("truncated", 2)] {
        lab.fault(json!({"match": {"method": "POST"}, "fault": kind})).await;
        let answer = lab.rest("POST", &path, reply()).await;
        // The harness reads what is no JSON as null.
        assert_eq!((answer.status, answer.body), (200, Value::Null), "{kind}");
        assert_eq!(lab.parts(&id).await, parts, "{kind}");
    }
}

#[tokio::test]
async fn a_stale_read_answers_what_was_true_when_the_fault_was_set() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let got = format!("/conversations/{id}");
    let before = lab.get(&got).await;
    let fault = lab.fault(json!({"fault": "stale_read", "times": "always"})).await;
    lab.post(&format!("{got}/reply"), reply()).await;
    let close = json!({"message_type": "close", "type": "admin", "admin_id": BOT});
    let closed = lab.post(&format!("{got}/parts"), close).await;
    assert_eq!(closed["state"], "closed");
    let newer = lab.started("another").await;

    assert_eq!(lab.get(&got).await, before);
    let missing = lab.rest("GET", &format!("/conversations/{newer}"), Value::Null).await;
    assert_eq!(missing.status, 404);
    assert_eq!(lab.get("/conversations").await["total_count"], 1);
    let open = json!({"query": {"field": "state", "operator": "=", "value": "open"}});
    assert_eq!(lab.post("/conversations/search", open.clone()).await["total_count"], 1);

    lab.control("DELETE", &format!("/faults/{fault}"), Value::Null).await.ok();
    assert_eq!(lab.get(&got).await["state"], "closed");
    assert_eq!(lab.get("/conversations").await["total_count"], 2);
    assert_eq!(lab.post("/conversations/search", open).await["conversations"][0]["id"], json!(newer));
}

#[tokio::test]
async fn a_read_that_is_stale_by_some_time_catches_up_with_the_clock() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    lab.fault(json!({"fault": "stale_read", "stale_ms": 60_000, "times": "always"})).await;
    lab.by_hand(&id, "customer", json!({"body": "1"})).await;
    lab.control("POST", "/clock", json!({"advance_seconds": 50})).await.ok();
    lab.by_hand(&id, "customer", json!({"body": "2"})).await;
    assert_eq!(lab.parts(&id).await, 0);
    lab.control("POST", "/clock", json!({"advance_seconds": 30})).await.ok();
    assert_eq!(lab.parts(&id).await, 1);
    lab.control("POST", "/clock", json!({"advance_seconds": 40})).await.ok();
    assert_eq!(lab.parts(&id).await, 2);
}

#[tokio::test]
async fn held_webhooks_arrive_with_the_last_one_first() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let id = lab.started("0").await;
    hooks.next().await;
    lab.fault(json!({"webhook": {"conversation_id": id}, "fault": "reverse", "times": 3})).await;
    for n in 1..=4 {
        lab.by_hand(&id, "customer", json!({"body": n.to_string()})).await;
    }
    let mut bodies = Vec::new();
    for _ in 0..4 {
        bodies.push(hooks.next().await.part()["body"].clone());
    }
    bodies.retain(|body| body != "4");
    assert_eq!(bodies, ["3", "2", "1"]);
}

#[tokio::test]
async fn held_webhooks_go_out_when_their_time_is_over() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let id = lab.started("0").await;
    hooks.next().await;
    lab.fault(json!({"webhook": {}, "fault": "reverse", "times": "always", "hold_ms": 600_000})).await;
    lab.by_hand(&id, "customer", json!({"body": "1"})).await;
    lab.by_hand(&id, "customer", json!({"body": "2"})).await;
    lab.until_hits(2).await;
    lab.control("POST", "/clock", json!({"advance_seconds": 601})).await.ok();
    assert_eq!(hooks.next().await.part()["body"], "2");
    assert_eq!(hooks.next().await.part()["body"], "1");
}

impl Lab {
    /// Waits until nothing is left of the fault that was added last.
    async fn until_the_last_struck(&self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.faults().await.as_array().unwrap().last().unwrap()["left"] != 0 {
            assert!(Instant::now() < deadline);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until the only fault has struck so often.
    async fn until_hits(&self, hits: u64) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.faults().await[0]["hits"] != hits {
            assert!(Instant::now() < deadline);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

#[tokio::test]
async fn a_repetition_can_come_later() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    lab.fault(json!({"webhook": {"app_id": "sandbox1"}, "fault": "repeat", "delay_ms": 86_400_000})).await;
    lab.started("0").await;
    let first = hooks.next().await;
    assert!(hooks.is_empty());
    lab.control("POST", "/clock", json!({"advance_seconds": 86_401})).await.ok();
    assert_eq!(hooks.next().await.body, first.body);
    let log = lab.deliveries(3).await;
    assert_eq!(log[1]["fault"]["fault"], "repeat");
    assert_eq!(log[2]["fault"]["fault"], "repeat");
}

#[tokio::test]
async fn a_signature_can_be_wrong_or_absent() {
    let lab = Lab::start().await;
    let mut hooks = Hooks::forgiving().await;
    lab.control("POST", "/sandbox1/webhook", json!({"url": hooks.url("127.0.0.1")})).await.ok();
    let ping = hooks.next().await;
    assert!(ping.is_signed());
    lab.fault(json!({"webhook": {}, "fault": "unsigned"})).await;
    lab.fault(json!({"webhook": {}, "fault": "wrong_signature"})).await;
    let id = lab.started("0").await;
    let unsigned = hooks.next().await;
    assert!(!unsigned.headers.contains_key("x-hub-signature"));
    lab.by_hand(&id, "customer", json!({"body": "1"})).await;
    let forged = hooks.next().await;
    assert!(forged.headers.contains_key("x-hub-signature"));
    assert!(!forged.is_signed());
    lab.by_hand(&id, "customer", json!({"body": "2"})).await;
    assert!(hooks.next().await.is_signed());
}

#[tokio::test]
async fn a_share_of_the_requests_fails_and_the_same_ones_next_time() {
    let run = |seed: u64| async move {
        let lab = Lab::start().await;
        lab.fault(json!({"fault": "fail_before", "chance": 0.3, "seed": seed})).await;
        let mut statuses = Vec::new();
        for _ in 0..50 {
            statuses.push(lab.rest("GET", "/me", Value::Null).await.status);
        }
        statuses
    };
    let first = run(4).await;
    assert!(first.contains(&200) && first.contains(&503), "{first:?}");
    assert_eq!(first, run(4).await);
    assert_ne!(first, run(5).await);
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_stop_what_it_asked_for() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    for (kind, parts) in [("delay", 1), ("delay_after", 2)] {
        lab.fault(json!({"match": {"path_contains": "/reply"}, "fault": kind, "delay_ms": 3_600_000})).await;
        let path = format!("/conversations/{id}/reply");
        tokio::select! {
            _ = lab.rest("POST", &path, reply()) => panic!("{kind}: it is answered"),
            () = lab.until_the_last_struck() => {} // and the caller is gone
        }
        lab.control("POST", "/clock", json!({"advance_seconds": 3_601})).await.ok();
        let stored = async {
            while lab.parts(&id).await < parts {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), stored).await.unwrap();
    }
    // The line of the log as well, which comes when the answer would have.
    let logged = async {
        loop {
            let log = lab.control("GET", "/requests", Value::Null).await.ok();
            let requests = log["requests"].as_array().unwrap();
            if requests.iter().filter(|one| one["method"] == "POST" && one["status"] == 200).count() == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), logged).await.unwrap();
}
