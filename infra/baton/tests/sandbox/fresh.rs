//! What is kept for speed never shows: texts and indexes are as fresh as the conversations.

use serde_json::{Value, json};

use crate::harness::{ALICE, BOT, CARLA, Lab};

fn comment(body: &str) -> Value {
    json!({"message_type": "comment", "type": "admin", "admin_id": BOT, "body": body})
}

/// The bodies of the parts, each found with its tags.
fn parts(conversation: &Value) -> Vec<(String, usize)> {
    let parts = conversation["conversation_parts"]["conversation_parts"].as_array().unwrap();
    let body = |part: &Value| part["body"].as_str().unwrap_or_default().to_owned();
    parts.iter().map(|part| (body(part), part["tags"].as_array().unwrap().len())).collect()
}

#[tokio::test]
async fn an_answer_has_every_change_of_its_parts_in_every_style() {
    let lab = Lab::start().await;
    let id = lab.started("Hi").await;
    let path = format!("/conversations/{id}");
    let plain = format!("{path}?display_as=plaintext");
    for n in 0..3 {
        let after = lab.post(&format!("{path}/reply"), comment(&format!("<p>No. {n}</p>"))).await;
        assert_eq!(after, lab.get(&path).await);
        assert_eq!(parts(&after).len(), n + 1);
        assert_eq!(parts(&lab.get(&plain).await)[n], (format!("No. {n}"), 0));
    }
    let part_id = lab.get(&path).await["conversation_parts"]["conversation_parts"][0]["id"].clone();
    lab.by_hand(&id, "redact", json!({"part_id": part_id})).await;
    assert_eq!(parts(&lab.get(&plain).await)[0], ("This message was deleted".to_owned(), 0));
    let tag = lab.by_hand(&id, "tag", json!({"name": "urgent", "admin_id": ALICE})).await;
    assert_eq!(parts(&lab.get(&path).await)[2], ("<p>No. 2</p>".to_owned(), 1));
    let untag = format!("{path}/tags/{}", tag["id"].as_str().unwrap());
    lab.rest("DELETE", &untag, json!({"admin_id": ALICE})).await.ok();
    assert_eq!(parts(&lab.get(&path).await)[2], ("<p>No. 2</p>".to_owned(), 0));
}

#[tokio::test]
async fn five_hundred_parts_are_answered_and_all_are_counted() {
    let lab = Lab::start().await;
    let id = lab.started("Hi").await;
    for n in 0..501 {
        lab.by_hand(&id, "customer", json!({"body": format!("No. {n}")})).await;
    }
    let whole = lab.get(&format!("/conversations/{id}")).await;
    let list = &whole["conversation_parts"];
    assert_eq!(list["total_count"], 501);
    assert_eq!((parts(&whole).len(), parts(&whole)[0].0.as_str()), (500, "<p>No. 1</p>"));
    let after = lab.post(&format!("/conversations/{id}/reply"), comment("<p>last</p>")).await;
    assert_eq!(parts(&after)[0].0, "<p>No. 2</p>");
    assert_eq!(parts(&after)[499].0, "<p>last</p>");
}

fn ids(list: &Value) -> Vec<String> {
    let list = list["conversations"].as_array().unwrap();
    list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn lists_and_searches_follow_every_change() {
    let lab = Lab::start().await;
    let mut all = Vec::new();
    for n in 0..5 {
        all.push(lab.started(&format!("No. {n}")).await);
    }
    let mut newest: Vec<String> = all.iter().rev().cloned().collect();
    assert_eq!(ids(&lab.get("/conversations").await), newest);
    // What changes last is first.
    lab.control("POST", "/clock", json!({"advance_seconds": 5})).await.ok();
    lab.by_hand(&all[1], "customer", json!({"body": "again"})).await;
    newest.retain(|id| *id != all[1]);
    newest.insert(0, all[1].clone());
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = lab.get(&format!("/conversations?per_page=2{cursor}")).await;
        assert_eq!((&page["total_count"], &page["pages"]["total_pages"]), (&json!(5), &json!(3)));
        found.extend(ids(&page));
        let Some(next) = page["pages"]["next"]["starting_after"].as_str() else { break };
        cursor = format!("&starting_after={}", next.replace('=', "%3D").replace('+', "%2B"));
    }
    assert_eq!(found, newest);

    let of = |id: &str| json!({"query": {"field": "contact_ids", "operator": "=", "value": id}});
    assert_eq!(ids(&lab.post("/conversations/search", of(CARLA)).await), newest);
    assert!(ids(&lab.post("/conversations/search", of("65a0c0ffee0000000000c0ff")).await).is_empty());
    lab.control("DELETE", &format!("/sandbox1/conversations/{}", all[1]), Value::Null).await.ok();
    newest.remove(0);
    assert_eq!(ids(&lab.post("/conversations/search", of(CARLA)).await), newest);
    assert_eq!(ids(&lab.get("/conversations").await), newest);
    // The contact's last conversation is the one that changed last.
    let body = json!({"message_type": "comment", "type": "user", "intercom_user_id": CARLA, "body": "me"});
    assert_eq!(lab.post("/conversations/last/reply", body).await["id"], newest[0].as_str());
}
