//! Who may call how often, and what the logs say of it.

use baton_cli::sandbox::{Options, OtherAppSeed, Seed};
use serde_json::{Value, json};

use crate::harness::{BOT, CARLA, Lab};

/// A sandbox whose first workspace has a second app, with a token of its own.
async fn two_apps(scopes: Option<&[&str]>) -> Lab {
    let mut seed = Seed::embedded().unwrap();
    let workspace = &mut seed.workspaces[0];
    let mut token = workspace.access_tokens[0].clone();
    token.token = "other-token".to_owned();
    token.client_id = Some("other".to_owned());
    token.scopes = scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
    workspace.access_tokens.push(token);
    workspace.other_apps.push(OtherAppSeed {
        client_id: "other".to_owned(),
        client_secret: "other-secret".to_owned(),
        webhook: None,
    });
    Lab::start_with(Options { seed: Some(seed), ..Options::default() }).await
}

impl Lab {
    async fn as_other(&self, method: &str, path: &str, body: Value) -> crate::harness::Answer {
        let headers = [("Authorization", "Bearer other-token"), ("Intercom-Version", "2.16")];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, &headers, &body).await.unwrap()
    }

    async fn change_tokens(&self, body: Value) -> Value {
        self.control("POST", "/sandbox1/tokens", body).await.ok()["tokens"].clone()
    }
}

#[tokio::test]
async fn a_revoked_token_is_told_apart_from_one_that_never_was_and_can_come_back() {
    let lab = two_apps(None).await;
    let tokens = lab.change_tokens(json!({"token": "sandbox-token", "action": "revoke"})).await;
    assert_eq!(
        tokens[1],
        json!({
            "token": "sandbox-token", "client_id": null, "admin_id": BOT, "scopes": null, "revoked": true,
        })
    );
    assert_eq!(lab.rest("GET", "/me", Value::Null).await.refusal(), (401, "token_revoked"));
    let log = lab.control("GET", "/requests?app_id=sandbox1", Value::Null).await.ok();
    assert_eq!(log["requests"][0]["status"], 401);
    let stranger = lab.send("GET", "/me", &[("Authorization", "Bearer nobodys")], "").await.unwrap();
    assert_eq!(stranger.refusal(), (401, "unauthorized"));
    lab.as_other("GET", "/me", Value::Null).await.ok();

    lab.change_tokens(json!({"action": "revoke"})).await;
    assert_eq!(lab.as_other("GET", "/me", Value::Null).await.refusal(), (401, "token_revoked"));
    lab.change_tokens(json!({"action": "restore"})).await;
    lab.get("/me").await;
    let unknown = json!({"token": "sandbox2-token", "action": "revoke"});
    assert_eq!(lab.control("POST", "/sandbox1/tokens", unknown).await.status, 404);
}

#[tokio::test]
async fn a_token_may_do_what_its_scopes_say() {
    let lab = two_apps(Some(&["read_conversations"])).await;
    let id = lab.started("hi").await;
    let path = format!("/conversations/{id}");
    lab.as_other("GET", &path, Value::Null).await.ok();
    lab.as_other("GET", "/me", Value::Null).await.ok();
    let reply = json!({"message_type": "comment", "type": "user", "intercom_user_id": CARLA, "body": "a"});
    let refused = lab.as_other("POST", &format!("{path}/reply"), reply.clone()).await;
    assert_eq!(refused.refusal(), (403, "forbidden"));
    let message = "You do not have the required scope (write_conversations) to access this resource";
    assert_eq!(refused.body["errors"][0]["message"], message);
    assert_eq!(lab.as_other("GET", "/tags", Value::Null).await.refusal(), (403, "forbidden"));
    lab.post(&format!("{path}/reply"), reply).await;
}

#[tokio::test]
async fn a_regions_own_host_refuses_workspaces_of_another() {
    let lab = Lab::start().await;
    let token = ("Authorization", "Bearer sandbox-token");
    let at = |host: &'static str| {
        let headers = [token, ("Host", host)];
        let lab = &lab;
        async move { lab.send("GET", "/me", &headers, "").await.unwrap().status }
    };
    assert_eq!(at("api.intercom.io").await, 200);
    assert_eq!(at("api.eu.intercom.io").await, 401);
}

#[tokio::test]
async fn limits_can_be_made_smaller_for_an_app_and_for_all() {
    let lab = two_apps(None).await;
    let set = |body: Value| {
        let lab = &lab;
        async move { lab.control("POST", "/sandbox1/limits", body).await.ok() }
    };
    // Windows of a new limit begin with the next ten seconds, so that none ends in between.
    let mut shown = set(json!({"calls_per_minute": 500})).await;
    assert_eq!(shown["apps"][0]["limit"], 83);
    lab.get("/me").await;
    shown = set(json!({"calls_per_minute": 6})).await;
    assert_eq!((&shown["apps"][0]["limit"], &shown["workspace"]["limit"]), (&json!(1), &json!(4_166)));
    let refused = until_refused(&lab).await;
    assert_eq!(refused.refusal(), (429, "rate_limit_exceeded"));
    assert_eq!(refused.headers["x-ratelimit-limit"], "1");
    assert_eq!(refused.headers["x-ratelimit-remaining"], "0");
    assert_eq!(refused.body["errors"][0]["message"], "Exceeded rate limit of 1 in 10_seconds");
    lab.as_other("GET", "/me", Value::Null).await.ok();

    let reset: u64 = refused.headers["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    let now = lab.control("GET", "/clock", Value::Null).await.ok()["now"].as_u64().unwrap();
    assert!((1..=10).contains(&(reset - now)), "{reset} {now}");
    lab.control("POST", "/clock", json!({"advance_seconds": 10})).await.ok();
    lab.get("/me").await;

    set(json!({"calls_per_minute": 10_000, "workspace_calls_per_minute": 6})).await;
    let refused = until_refused(&lab).await;
    assert_eq!(refused.headers["x-ratelimit-limit"], "1");
}

/// The first answer of a window that is used up; the window may end once on the way.
async fn until_refused(lab: &Lab) -> crate::harness::Answer {
    for _ in 0..4 {
        let answer = lab.rest("GET", "/me", Value::Null).await;
        if answer.status == 429 {
            return answer;
        }
    }
    panic!("nothing was refused");
}

#[tokio::test]
async fn the_logs_are_asked_for_one_conversation_and_in_pages() {
    let lab = Lab::start().await;
    let _hooks = lab.hooks("2.15").await;
    let (one, two) = (lab.started("one").await, lab.started("two").await);
    for id in [&one, &two, &one] {
        lab.get(&format!("/conversations/{id}")).await;
    }
    lab.get("/me").await;
    let log = |path: String| {
        let lab = &lab;
        async move { lab.control("GET", &path, Value::Null).await.ok() }
    };
    let numbers = |log: &Value, kind: &str| -> Vec<u64> {
        log[kind].as_array().unwrap().iter().map(|entry| entry["n"].as_u64().unwrap()).collect()
    };
    let about_one = log(format!("/requests?app_id=sandbox1&conversation_id={one}")).await;
    assert_eq!((numbers(&about_one, "requests"), &about_one["last"]), (vec![1, 3], &json!(4)));
    assert_eq!(numbers(&log("/requests?limit=2".to_owned()).await, "requests"), [3, 4]);
    assert_eq!(numbers(&log("/requests?limit=2&after=1".to_owned()).await, "requests"), [2, 3]);
    assert!(numbers(&log("/requests?app_id=sandbox2".to_owned()).await, "requests").is_empty());

    lab.deliveries(3).await;
    let about_two = log(format!("/deliveries?conversation_id={two}")).await;
    assert_eq!(about_two["deliveries"].as_array().unwrap().len(), 1);
    assert_eq!(about_two["deliveries"][0]["conversation_id"], json!(two));
    assert_eq!(lab.control("GET", "/requests?aftr=1", Value::Null).await.status, 400);
}
