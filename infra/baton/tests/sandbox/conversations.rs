//! Conversations over REST: who takes part, what is refused, what the versions differ in.

use serde_json::{Value, json};

use crate::harness::{ALICE, BOT, CARLA, Lab};

const DAN: &str = "65a0c0ffee0000000000c002";

fn parts(conversation: &Value) -> &Vec<Value> {
    conversation["conversation_parts"]["conversation_parts"].as_array().unwrap()
}

#[tokio::test]
async fn bodies_that_the_description_refuses_are_refused_under_their_member() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let (reply, manage) = (format!("/conversations/{id}/reply"), format!("/conversations/{id}/parts"));
    let (customers, tags) = (format!("/conversations/{id}/customers"), format!("/conversations/{id}/tags"));
    let one = format!("/conversations/{id}");
    let user = json!({"message_type": "comment", "type": "user", "intercom_user_id": CARLA, "body": "x"});
    let admin = json!({"message_type": "comment", "type": "admin", "admin_id": BOT, "body": "x"});
    let start = json!({"from": {"type": "user", "id": CARLA}, "body": "x"});
    let with = |base: &Value, name: &str, value: Value| {
        let mut body = base.clone();
        body[name] = value;
        body
    };
    let without = |base: &Value, name: &str| {
        let mut body = base.clone();
        body.as_object_mut().unwrap().remove(name);
        body
    };
    let table = [
        ("POST", "/conversations", without(&start, "from"), "from"),
        ("POST", "/conversations", without(&start, "body"), "body"),
        ("POST", "/conversations", with(&start, "body", json!(5)), "body"),
        ("POST", "/conversations", with(&start, "from", json!({"type": "user"})), "id"),
        ("POST", "/conversations", with(&start, "from", json!({"type": "bot", "id": CARLA})), "type"),
        ("POST", "/conversations", with(&start, "attachment_urls", json!("x")), "attachment_urls"),
        ("POST", "/conversations", with(&start, "created_at", json!("now")), "created_at"),
        ("POST", &reply, without(&user, "message_type"), "message_type"),
        ("POST", &reply, without(&user, "type"), "type"),
        ("POST", &reply, without(&user, "body"), "body"),
        ("POST", &reply, without(&user, "intercom_user_id"), "intercom_user_id"),
        ("POST", &reply, with(&user, "message_type", json!("note")), "message_type"),
        ("POST", &reply, with(&user, "reply_options", json!([{"text": "x"}])), "reply_options"),
        ("POST", &reply, without(&admin, "admin_id"), "admin_id"),
        ("POST", &reply, with(&admin, "message_type", json!("quick_reply")), "reply_options"),
        ("POST", &reply, with(&admin, "skip_notifications", json!("yes")), "skip_notifications"),
        ("POST", &reply, with(&admin, "attachment_urls", json!(["ftp://x"])), "attachment_urls"),
        ("POST", &reply, with(&admin, "attachment_files", json!([{"name": "x"}])), "attachment_files"),
        ("POST", &manage, json!({"admin_id": BOT}), "message_type"),
        ("POST", &manage, json!({"message_type": "close", "admin_id": BOT}), "type"),
        ("POST", &manage, json!({"message_type": "open"}), "admin_id"),
        ("POST", &manage, json!({"message_type": "snoozed", "admin_id": BOT}), "snoozed_until"),
        ("POST", &manage, json!({"message_type": "assignment", "type": "admin", "admin_id": BOT}), "assignee_id"),
        ("POST", &customers, json!({"admin_id": BOT}), "customer"),
        ("POST", &customers, json!({"admin_id": BOT, "customer": {}}), "intercom_user_id"),
        ("POST", &tags, json!({"admin_id": BOT}), "id"),
        ("POST", "/conversations/redact", json!({"type": "part", "conversation_id": id}), "type"),
        ("POST", "/conversations/search", json!({}), "query"),
        ("PUT", &one, json!({"read": "yes"}), "read"),
        ("PUT", &one, json!({"title": 5}), "title"),
        ("PUT", &one, json!({"custom_attributes": []}), "custom_attributes"),
    ];
    for (method, path, body, field) in table {
        let answer = lab.rest(method, path, body.clone()).await;
        assert_eq!(answer.status, 400, "{method} {path} {body}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["field"], field, "{method} {path} {body}: {}", answer.body);
    }
    let untouched = lab.get(&one).await;
    assert_eq!(parts(&untouched).len(), 0);
}

#[tokio::test]
async fn contacts_join_by_id_or_address_and_the_last_one_stays() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.14").await;
    let id = lab.started("hi").await;
    hooks.next().await;
    let customers = format!("/conversations/{id}/customers");
    let join = |customer: Value| json!({"admin_id": BOT, "customer": customer});
    let joined = lab.post(&customers, join(json!({"intercom_user_id": DAN}))).await;
    assert_eq!(parts(&joined)[0]["part_type"], "participant_added");
    assert_eq!(joined["contacts"]["contacts"][1]["id"], DAN);

    let attached = hooks.next().await;
    assert_eq!(attached.topic(), "conversation.contact.attached");
    let item = attached.item();
    assert!(item.get("type").is_none() && item.get("id").is_none());
    assert_eq!(item["conversation"]["model"]["id"].as_u64().unwrap().to_string(), id);
    assert_eq!(item["contact"]["id"], DAN);
    assert!(item["contact"]["created_at"].as_str().unwrap().ends_with("Z"));

    let again = lab.post(&customers, join(json!({"intercom_user_id": DAN}))).await;
    assert_eq!(parts(&again).len(), 1);
    let new = lab.post(&customers, join(json!({"email": "new@customer.example"}))).await;
    let lead = new["contacts"]["contacts"][2]["id"].as_str().unwrap();
    assert_eq!(lab.get(&format!("/contacts/{lead}")).await["role"], "lead");
    assert_eq!(hooks.topics(2).await, ["contact.lead.created", "conversation.contact.attached"]);
    let stranger = lab.rest("POST", &customers, join(json!({"user_id": "nobody"}))).await;
    assert_eq!(stranger.refusal(), (404, "not_found"));

    let admin = json!({"admin_id": BOT});
    for contact in [DAN, lead] {
        lab.rest("DELETE", &format!("{customers}/{contact}"), admin.clone()).await.ok();
        let detached = hooks.next().await;
        assert_eq!(detached.topic(), "conversation.contact.detached");
        assert_eq!(detached.part()["part_type"], "participant_removed");
    }
    let gone = lab.rest("DELETE", &format!("{customers}/{DAN}"), admin.clone()).await;
    assert_eq!(gone.body["errors"][0]["message"], "User Not Found");
    let last = lab.rest("DELETE", &format!("{customers}/{CARLA}"), admin).await;
    assert_eq!(last.refusal(), (422, "parameter_invalid"));
    assert_eq!(last.body["errors"][0]["message"], "Removing the last customer is not allowed");
}

#[tokio::test]
async fn merging_closes_one_conversation_and_the_other_goes_on() {
    let lab = Lab::start().await;
    let (one, other) = (lab.started("one").await, lab.started("other").await);
    let path = format!("/conversations/{one}/merge");
    let into = |id: &str| json!({"merge_into_conversation_id": id.parse::<u64>().unwrap()});
    let early = lab.rest_in("2.15", "POST", &path, into(&other)).await;
    assert_eq!(early.refusal(), (400, "intercom_version_invalid"));
    let merged = lab.rest_in("2.16", "POST", &path, into(&other)).await.ok();
    assert_eq!(merged["id"], json!(other));
    assert_eq!(parts(&merged)[0]["part_type"], "merged_primary_conversation");
    assert_eq!(merged["linked_objects"]["data"][0]["id"], json!(one));
    assert_eq!(lab.get(&format!("/conversations/{one}")).await["state"], "closed");
    for (path, id, message) in [
        (path.clone(), other.as_str(), "Secondary conversation has already been merged"),
        (format!("/conversations/{other}/merge"), other.as_str(), "Cannot merge a conversation into itself"),
        (format!("/conversations/{other}/merge"), "1", "Primary conversation not found"),
    ] {
        let refused = lab.rest_in("2.16", "POST", &path, into(id)).await;
        assert_eq!(refused.refusal(), (422, "merge_failed"));
        assert_eq!(refused.body["errors"][0]["message"], message);
    }
    let text = json!({"merge_into_conversation_id": "x"});
    let refused = lab.rest_in("2.16", "POST", &path, text).await;
    assert_eq!(refused.refusal(), (400, "parameter_invalid"));
}

#[tokio::test]
async fn the_deleted_are_listed_by_pages() {
    let lab = Lab::start().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let id = lab.started(&n.to_string()).await;
        let path = format!("/conversations/{id}?retain_metrics={}", n != 1);
        lab.rest_in("2.16", "DELETE", &path, Value::Null).await.ok();
        ids.push(id);
    }
    let page = lab.rest_in("2.16", "GET", "/conversations/deleted?per_page=2", Value::Null).await.ok();
    assert_eq!(page["conversations"][0]["id"], json!(ids[2]));
    assert_eq!(page["conversations"][1]["metrics_retained"], false);
    assert_eq!((&page["total_count"], &page["pages"]["total_pages"]), (&json!(3), &json!(2)));
    let next = page["pages"]["next"].as_str().unwrap().strip_prefix(&lab.sandbox.url()).unwrap().to_owned();
    let rest = lab.rest_in("2.16", "GET", &next, Value::Null).await.ok();
    assert_eq!(rest["conversations"][0]["id"], json!(ids[0]));
    assert_eq!(rest["pages"]["next"], Value::Null);
}

#[tokio::test]
async fn a_caller_that_does_not_take_json_is_refused() {
    let lab = Lab::start().await;
    let token = ("Authorization", "Bearer sandbox-token");
    let answer = lab.send("GET", "/me", &[token, ("Accept", "text/html")], "").await.unwrap();
    assert_eq!(answer.refusal(), (406, "media_type_not_acceptable"));
    let answer = lab.send("GET", "/me", &[token, ("Accept", "text/html, */*;q=0.1")], "").await.unwrap();
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn the_last_conversation_of_a_contact_can_be_answered_without_its_id() {
    let lab = Lab::start().await;
    lab.started("first").await;
    let newest = lab.started("second").await;
    for who in [
        json!({"intercom_user_id": CARLA}),
        json!({"user_id": "cust-1001"}),
        json!({"email": "carla@customer.example"}),
    ] {
        let mut body = json!({"message_type": "comment", "type": "user", "body": "more"});
        body.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        let answer = lab.post("/conversations/last/reply", body).await;
        assert_eq!(answer["id"], json!(newest));
        assert_eq!(parts(&answer).last().unwrap()["author"]["id"], CARLA);
    }
}

#[tokio::test]
async fn versions_differ_in_what_can_be_updated_and_asked() {
    let lab = Lab::start().await;
    let id = lab.started("hi").await;
    let path = format!("/conversations/{id}");
    let company = lab.rest_in("2.13", "PUT", &path, json!({"company_id": "1"})).await;
    assert_eq!(company.status, 200);
    let company = lab.rest_in("2.14", "PUT", &path, json!({"company_id": "1"})).await;
    assert_eq!(company.refusal(), (404, "company_not_found"));
    lab.rest_in("2.14", "PUT", &path, json!({"company_id": null, "title": "T"})).await.ok();
    assert_eq!(lab.get(&path).await["title"], "T");
    let rules = format!("{path}/run_assignment_rules");
    let to = json!({"default_assignee": {"admin_id": 900_002}});
    lab.control("POST", "/sandbox1/automation", to).await.ok();
    let answer = lab.rest_in("2.12", "POST", &rules, Value::Null).await;
    assert_eq!(answer.refusal(), (400, "intercom_version_invalid"));
    let assigned = lab.rest_in("2.11", "POST", &rules, Value::Null).await.ok();
    assert_eq!(assigned["admin_assignee_id"].to_string(), ALICE);
    assert_eq!(parts(&assigned)[0]["author"]["type"], "bot");
    let convert = lab.rest("POST", &format!("{path}/convert"), json!({"ticket_type_id": "53"})).await;
    assert_eq!(convert.refusal(), (400, "parameter_invalid"));
    let events = lab.get(&format!("{path}/handling_events")).await;
    assert_eq!(events, json!({"handling_events": []}));
}

#[tokio::test]
async fn a_search_orders_by_the_field_that_is_asked_for() {
    let lab = Lab::start().await;
    let (first, second) = (lab.started("apples and pears").await, lab.started("plums").await);
    let all = json!({"field": "updated_at", "operator": ">", "value": 0});
    let sorted = |order: &str| json!({"query": all, "sort": {"field": "id", "order": order}});
    let page = lab.post("/conversations/search", sorted("ascending")).await;
    assert_eq!(page["conversations"][0]["id"], json!(first));
    let page = lab.post("/conversations/search", sorted("descending")).await;
    assert_eq!(page["conversations"][0]["id"], json!(second));
    let query = json!({"query": {"field": "source.body", "operator": "=", "value": "pears"}});
    let page = lab.post("/conversations/search", query).await;
    assert_eq!((&page["total_count"], &page["conversations"][0]["id"]), (&json!(1), &json!(first)));
}
