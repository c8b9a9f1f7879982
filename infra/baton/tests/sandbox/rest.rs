//! The REST API: what it answers, refuses, and changes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use baton_cli::sandbox::{Options, Seed};
use serde_json::{Value, json};

use crate::harness::{ALICE, BOT, CARLA, Lab, SUPPORT};

fn comment(body: &str) -> Value {
    json!({"message_type": "comment", "type": "admin", "admin_id": BOT, "body": body})
}

fn last_part(conversation: &Value) -> &Value {
    let parts = conversation["conversation_parts"]["conversation_parts"].as_array();
    parts.unwrap().last().unwrap()
}

#[tokio::test]
async fn the_workspace_and_its_people_are_those_of_the_seed() {
    let lab = Lab::start().await;
    let me = lab.get("/me").await;
    assert_eq!(me["id"], BOT);
    assert_eq!(me["app"]["id_code"], "sandbox1");
    assert_eq!(me["app"]["region"], "US");
    assert_eq!(lab.get("/admins").await["admins"][1]["name"], "Alice");
    assert_eq!(lab.get("/admins/900002").await["team_ids"], json!([500_001]));
    assert_eq!(lab.get("/teams").await["teams"][0]["name"], "Support");
    let team = lab.get(&format!("/teams/{SUPPORT}")).await;
    assert_eq!(team["admin_ids"], json!([900_002, 900_003]));
    let carla = lab.get(&format!("/contacts/{CARLA}")).await;
    assert_eq!(carla["custom_attributes"]["plan"], "pro");
    let found = lab.get("/contacts/find_by_external_id/cust-1001").await;
    assert_eq!(found["id"], CARLA);
    let query = json!({"query": {"field": "name", "operator": "=", "value": "Dan"}});
    let dan = lab.post("/contacts/search", query).await;
    assert_eq!(dan["data"][0]["role"], "lead");
    let missing = lab.rest("GET", "/admins/1", Value::Null).await;
    assert_eq!(missing.refusal(), (404, "admin_not_found"));
    let missing = lab.rest("GET", "/teams/1", Value::Null).await;
    assert_eq!(missing.refusal(), (404, "team_not_found"));
}

#[tokio::test]
async fn workspaces_share_nothing() {
    let lab = Lab::start().await;
    let id = lab.started("secret of one").await;
    let other = [("Authorization", "Bearer sandbox2-token")];
    let path = format!("/conversations/{id}");
    let answer = lab.send("GET", &path, &other, "").await.unwrap();
    assert_eq!(answer.refusal(), (404, "not_found"));
    let body = json!({"contact_id": CARLA, "body": "mine"});
    let second = lab.control("POST", "/sandbox2/conversations", body).await;
    assert_eq!(second.ok()["conversation_id"], json!(id));
    let answer = lab.send("GET", &path, &other, "").await.unwrap().ok();
    assert_eq!(answer["source"]["author"]["name"], "Erik");
}

#[tokio::test]
async fn a_token_also_comes_as_a_user_without_a_password() {
    let lab = Lab::start().await;
    let status_of = async |header: &str| lab.send("GET", "/me", &[("Authorization", header)], "").await.unwrap().status;
    let basic = |pair: &str| format!("Basic {}", STANDARD.encode(pair));
    assert_eq!(status_of(&basic("sandbox-token:")).await, 200);
    assert_eq!(status_of("bearer sandbox-token").await, 200);
    for wrong in [&basic("nonsense:"), &basic("sandbox-token"), "Basic sandbox-token", "sandbox-token", "Bearer"] {
        assert_eq!(status_of(wrong).await, 401, "{wrong}");
    }
}

#[tokio::test]
async fn refusals_have_intercoms_statuses_and_codes() {
    let lab = Lab::start().await;
    let wrong = [("Authorization", "Bearer nonsense")];
    let answer = lab.send("GET", "/me", &wrong, "").await.unwrap();
    assert_eq!(answer.refusal(), (401, "unauthorized"));
    assert_eq!(answer.body["request_id"], answer.headers["x-request-id"].to_str().unwrap());

    let answer = lab.rest_in("2.9", "GET", "/me", Value::Null).await;
    assert_eq!(answer.refusal(), (400, "intercom_version_invalid"));
    let answer = lab.rest("PATCH", "/me", Value::Null).await;
    assert_eq!(answer.refusal(), (404, "not_found"));
    let token = [("Authorization", "Bearer sandbox-token")];
    let answer = lab.send("POST", "/conversations", &token, "{\"from\":").await;
    assert_eq!(answer.unwrap().refusal(), (400, "parameter_invalid"));

    let id = lab.started("hi").await;
    let reply = format!("/conversations/{id}/reply");
    let mut body = comment("x");
    body["admin_id"] = json!("12");
    let answer = lab.rest("POST", &reply, body).await;
    assert_eq!(answer.refusal(), (404, "admin_not_found"));
    let empty = json!({"message_type": "note", "type": "admin", "admin_id": BOT});
    let answer = lab.rest("POST", &reply, empty).await;
    assert_eq!(answer.refusal(), (400, "parameter_not_found"));
    assert_eq!(answer.body["errors"][0]["field"], "body");
    let answer = lab.rest("POST", "/conversations/1/reply", comment("x")).await;
    assert_eq!(answer.refusal(), (404, "not_found"));
}

#[tokio::test]
async fn an_answer_says_how_much_of_the_rate_limit_is_left() {
    let lab = Lab::start().await;
    let answer = lab.rest("GET", "/me", Value::Null).await;
    assert_eq!(answer.headers["x-ratelimit-limit"], "1666");
    let number = |name: &str| -> u64 { answer.headers[name].to_str().unwrap().parse().unwrap() };
    assert!(number("x-ratelimit-remaining") < 1_666);
    assert_eq!(number("x-ratelimit-reset") % 10, 0);
}

#[tokio::test]
async fn a_caller_that_is_too_fast_is_refused_until_the_window_ends() {
    let mut seed = Seed::embedded().unwrap();
    seed.workspaces[0].access_tokens[0].calls_per_minute = 12;
    let lab = Lab::start_with(Options { seed: Some(seed), ..Options::default() }).await;
    // Two calls fit into a window, and so few calls do not take more than two windows.
    let mut refused = None;
    for _ in 0..5 {
        let answer = lab.rest("GET", "/me", Value::Null).await;
        if answer.status != 200 {
            refused = Some(answer);
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.refusal(), (429, "rate_limit_exceeded"));
    assert_eq!(refused.headers["x-ratelimit-limit"], "2");
    assert_eq!(refused.headers["x-ratelimit-remaining"], "0");
    let message = &refused.body["errors"][0]["message"];
    assert_eq!(message, "Exceeded rate limit of 2 in 10_seconds");
}

#[tokio::test]
async fn a_reply_answers_the_whole_conversation_with_the_new_part_last() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let reply = format!("/conversations/{id}/reply");
    let first = lab.post(&reply, comment("2 < 3")).await;
    assert_eq!(last_part(&first)["body"], "<p class=\"no-margin\">2 &lt; 3</p>");
    assert_eq!(last_part(&first)["part_type"], "comment");
    let html = "<p>Read <a href=\"https://docs.example\">this</a></p><script>no()</script>";
    let second = lab.post(&reply, comment(html)).await;
    assert_eq!(second["conversation_parts"]["total_count"], 2);
    let clean = "<p>Read <a href=\"https://docs.example\">this</a></p>";
    assert_eq!(last_part(&second)["body"], clean);

    let path = format!("/conversations/{id}?display_as=plaintext");
    assert_eq!(last_part(&lab.get(&path).await)["body"], "Read this");
    let newest = lab.rest_in("2.16", "GET", &path, Value::Null).await.ok();
    assert_eq!(last_part(&newest)["body"], "Read this (https://docs.example)");
}

#[tokio::test]
async fn a_contact_starts_and_replies_and_reopens_what_was_closed() {
    let lab = Lab::start().await;
    let body = json!({"from": {"type": "user", "id": CARLA}, "body": "Hello"});
    let message = lab.post("/conversations", body).await;
    assert_eq!(message["type"], "user_message");
    assert_eq!(message["body"], "Hello");
    let id = message["conversation_id"].as_str().unwrap();

    let close = json!({"message_type": "close", "type": "admin", "admin_id": BOT, "body": "Bye"});
    let closed = lab.post(&format!("/conversations/{id}/parts"), close).await;
    assert_eq!((&closed["state"], &closed["open"]), (&json!("closed"), &json!(false)));
    assert_eq!(last_part(&closed)["part_type"], "close");
    assert_eq!(closed["statistics"]["last_closed_by_id"], BOT);

    let again = json!({
        "message_type": "comment", "type": "user", "user_id": "cust-1001", "body": "Wait",
        "attachment_urls": ["https://files.example/a/photo.png?x=1"],
    });
    let open = lab.post("/conversations/last/reply", again).await;
    assert_eq!(open["id"], json!(id));
    assert_eq!(open["state"], "open");
    assert_eq!(last_part(&open)["part_type"], "open");
    assert_eq!(last_part(&open)["body"], "<p>Wait</p>");
    let attachment = &last_part(&open)["attachments"][0];
    assert_eq!(attachment["name"], "photo.png");
    assert_eq!(attachment["content_type"], "image/png");

    let stranger = json!({"from": {"type": "user", "id": "0".repeat(24)}, "body": "x"});
    let answer = lab.rest("POST", "/conversations", stranger).await;
    assert_eq!(answer.refusal(), (404, "not_found"));
    assert_eq!(answer.body["errors"][0]["message"], "User Not Found");
}

#[tokio::test]
async fn uploaded_files_can_be_fetched_and_eleven_are_too_many() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let reply = format!("/conversations/{id}/reply");
    let mut body = comment("");
    let file = json!({"name": "a.txt", "content_type": "text/plain", "data": "aGVsbG8="});
    body["attachment_files"] = json!([file]);
    let answer = lab.post(&reply, body.clone()).await;
    let attachment = &last_part(&answer)["attachments"][0];
    assert_eq!((&attachment["filesize"], &attachment["name"]), (&json!(5), &json!("a.txt")));
    let url = attachment["url"].as_str().unwrap();
    let path = url.strip_prefix(&lab.sandbox.url()).unwrap();
    let fetched = lab.send("GET", path, &[], "").await.unwrap();
    assert_eq!(fetched.headers["content-type"], "text/plain");

    body["attachment_files"] = json!(vec![file; 11]);
    let answer = lab.rest("POST", &reply, body).await;
    assert_eq!(answer.refusal(), (400, "parameter_invalid"));
}

#[tokio::test]
async fn quick_replies_exist_from_2_14() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let reply = format!("/conversations/{id}/reply");
    let option = json!({"text": "Yes", "uuid": "b1a7c1de-0000-4000-8000-000000000001"});
    let offer = json!({
        "message_type": "quick_reply", "type": "admin", "admin_id": BOT,
        "reply_options": [option],
    });
    let answer = lab.rest_in("2.13", "POST", &reply, offer.clone()).await;
    assert_eq!(answer.refusal(), (400, "parameter_invalid"));
    let offered = lab.rest_in("2.14", "POST", &reply, offer).await.ok();
    assert_eq!(last_part(&offered)["part_type"], "quick_reply");
    assert_eq!(last_part(&offered)["metadata"]["quick_reply_options"], json!([option]));

    let choice = json!({
        "message_type": "quick_reply", "type": "user", "intercom_user_id": CARLA,
        "reply_options": [option],
    });
    let chosen = lab.post(&reply, choice).await;
    assert_eq!(last_part(&chosen)["metadata"]["quick_reply_uuid"], option["uuid"]);
    assert_eq!(last_part(&chosen)["body"], "<p>Yes</p>");
}

#[tokio::test]
async fn a_conversation_is_assigned_to_a_teammate_and_a_team_side_by_side() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let parts = format!("/conversations/{id}/parts");
    let assign =
        |kind: &str, to: &str| json!({"message_type": "assignment", "type": kind, "admin_id": BOT, "assignee_id": to});
    lab.post(&parts, assign("admin", ALICE)).await;
    let both = lab.post(&parts, assign("team", SUPPORT)).await;
    assert_eq!(both["admin_assignee_id"], 900_002);
    assert_eq!(both["team_assignee_id"], 500_001);
    let less = lab.post(&parts, assign("admin", "0")).await;
    assert_eq!(less["admin_assignee_id"], Value::Null);
    assert_eq!(less["team_assignee_id"], 500_001);
    let path = format!("/conversations/{id}");
    let newest = lab.rest_in("2.16", "GET", &path, Value::Null).await.ok();
    assert_eq!(newest["admin_assignee_id"], 0);
    let answer = lab.rest("POST", &parts, assign("team", "77")).await;
    assert_eq!(answer.refusal(), (404, "assignee_not_found"));

    let close = json!({"message_type": "close", "type": "admin", "admin_id": BOT});
    lab.post(&parts, close).await;
    let reopened = lab.post(&parts, assign("admin", ALICE)).await;
    assert_eq!(last_part(&reopened)["part_type"], "assign_and_reopen");
    assert_eq!(reopened["state"], "open");
}

#[tokio::test]
async fn snoozing_needs_a_time_and_opening_ends_it() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let parts = format!("/conversations/{id}/parts");
    let mut body = json!({"message_type": "snoozed", "admin_id": BOT});
    let answer = lab.rest("POST", &parts, body.clone()).await;
    assert_eq!(answer.refusal(), (400, "parameter_not_found"));
    body["snoozed_until"] = json!(4_000_000_000_u64);
    let snoozed = lab.post(&parts, body).await;
    assert_eq!(snoozed["state"], "snoozed");
    assert_eq!((&snoozed["open"], &snoozed["snoozed_until"]), (&json!(true), &json!(4_000_000_000_u64)));
    let opened = lab.post(&parts, json!({"message_type": "open", "admin_id": BOT})).await;
    assert_eq!((&opened["state"], &opened["snoozed_until"]), (&json!("open"), &Value::Null));
}

#[tokio::test]
async fn tags_are_made_by_name_and_attached_by_id() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let tag = lab.post("/tags", json!({"name": "Bot handled"})).await;
    let same = lab.post("/tags", json!({"name": "bot handled"})).await;
    assert_eq!(tag["id"], same["id"]);
    let answer = lab.rest("POST", "/tags", json!({"test": "x"})).await;
    assert_eq!(answer.refusal(), (400, "parameter_invalid"));
    let tags = format!("/conversations/{id}/tags");
    let body = json!({"id": tag["id"], "admin_id": BOT});
    let attached = lab.post(&tags, body).await;
    assert_eq!(attached["applied_by"], json!({"type": "admin", "id": BOT}));
    let got = lab.get(&format!("/conversations/{id}")).await;
    assert_eq!(got["tags"]["tags"][0]["name"], "Bot handled");
    let path = format!("{tags}/{}", tag["id"].as_str().unwrap());
    lab.rest("DELETE", &path, json!({"admin_id": BOT})).await.ok();
    let answer = lab.rest("DELETE", &path, json!({"admin_id": BOT})).await;
    assert_eq!(answer.refusal(), (404, "tag_not_found"));
}

#[tokio::test]
async fn only_attributes_that_exist_can_be_set() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let path = format!("/conversations/{id}");
    let body = json!({"read": true, "custom_attributes": {"Order number": "A-7"}});
    let changed = lab.rest("PUT", &path, body.clone()).await.ok();
    assert_eq!(changed["custom_attributes"]["Order number"], "A-7");
    assert_eq!(changed["read"], true);
    let unknown = json!({"custom_attributes": {"Nonsense": 1}});
    let answer = lab.rest("PUT", &path, unknown).await;
    assert_eq!(answer.refusal(), (400, "parameter_invalid"));
    let other = lab.started("hi").await;
    let path = format!("/conversations/{other}");
    let old = lab.rest_in("2.10", "PUT", &path, body).await.ok();
    assert_eq!((&old["read"], &old["custom_attributes"]), (&json!(true), &json!({})));
}

#[tokio::test]
async fn old_versions_lack_what_came_later() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let reply = format!("/conversations/{id}/reply");
    let old = lab.rest_in("2.10", "POST", &reply, comment("x")).await.ok();
    let part = last_part(&old);
    assert!(part.get("app_package_code").is_none() && part.get("metadata").is_none());
    assert!(old.get("ai_agent_participated").is_none());
    let new = lab.get(&format!("/conversations/{id}")).await;
    assert_eq!(last_part(&new)["app_package_code"], "baton-sandbox");
    assert_eq!(last_part(&new)["author"]["from_ai_agent"], false);
    let path = "/contacts/find_by_external_id/cust-1001";
    let answer = lab.rest_in("2.12", "GET", path, Value::Null).await;
    assert_eq!(answer.refusal(), (400, "intercom_version_invalid"));
    let path = format!("/conversations/{id}");
    let answer = lab.rest_in("2.12", "DELETE", &path, Value::Null).await;
    assert_eq!(answer.refusal(), (400, "intercom_version_invalid"));
    let deleted = lab.rest("DELETE", &path, Value::Null).await.ok();
    assert_eq!(deleted, json!({"id": id, "object": "conversation", "deleted": true}));
}

#[tokio::test]
async fn conversations_are_found_page_by_page() {
    let lab = Lab::start().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(lab.started(&n.to_string()).await);
    }
    let close = json!({"message_type": "close", "type": "admin", "admin_id": BOT});
    lab.post(&format!("/conversations/{}/parts", ids[4]), close).await;
    let query = json!({"operator": "AND", "value": [
        {"field": "state", "operator": "=", "value": "open"},
        {"operator": "OR", "value": [
            {"field": "updated_at", "operator": ">", "value": 0},
            {"field": "contact_ids", "operator": "IN", "value": [CARLA]},
        ]},
    ]});
    let mut found = Vec::new();
    let mut pagination = json!({"per_page": 3});
    loop {
        let body = json!({"query": query, "pagination": pagination});
        let page = lab.post("/conversations/search", body).await;
        assert_eq!(page["total_count"], 4);
        for conversation in page["conversations"].as_array().unwrap() {
            assert!(conversation.get("conversation_parts").is_none());
            found.push(conversation["id"].as_str().unwrap().to_owned());
        }
        match page["pages"]["next"].as_object() {
            Some(next) => pagination = json!(next),
            None => break,
        }
    }
    found.sort();
    assert_eq!(found, ids[..4]);
    let page = lab.get("/conversations?per_page=2").await;
    assert_eq!(page["conversations"].as_array().unwrap().len(), 2);
    assert_eq!(page["pages"]["total_pages"], 3);
}

#[tokio::test]
async fn redacting_takes_words_away_and_refuses_what_has_none() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let reply = format!("/conversations/{id}/reply");
    let answer = lab.post(&reply, comment("secret")).await;
    let mut body = json!({
        "type": "conversation_part", "conversation_id": id,
        "conversation_part_id": last_part(&answer)["id"],
    });
    let redacted = lab.post("/conversations/redact", body.clone()).await;
    assert_eq!(last_part(&redacted)["redacted"], true);
    let open = json!({"message_type": "open", "admin_id": BOT});
    let opened = lab.post(&format!("/conversations/{id}/parts"), open).await;
    body["conversation_part_id"] = last_part(&opened)["id"].clone();
    let answer = lab.rest("POST", "/conversations/redact", body.clone()).await;
    assert_eq!(answer.refusal(), (400, "conversation_part_not_redactable"));
    body["conversation_part_id"] = json!("nope");
    let answer = lab.rest("POST", "/conversations/redact", body).await;
    assert_eq!(answer.refusal(), (404, "conversation_part_or_message_not_found"));
}

#[tokio::test]
async fn a_conversation_is_answered_with_its_500_newest_parts() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    for n in 0..502 {
        lab.by_hand(&id, "customer", json!({"body": n.to_string()})).await;
    }
    let got = lab.get(&format!("/conversations/{id}")).await;
    let parts = got["conversation_parts"]["conversation_parts"].as_array().unwrap();
    assert_eq!(parts.len(), 500);
    assert_eq!(parts[0]["body"], "<p>2</p>");
    assert_eq!(got["statistics"]["count_conversation_parts"], 502);
}
