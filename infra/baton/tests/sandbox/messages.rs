//! Messages that teammates send: no conversation until somebody answers.

use serde_json::{Value, json};

use crate::harness::{ALICE, CARLA, Lab};

const DAN: &str = "65a0c0ffee0000000000c002";

fn message(to: Value) -> Value {
    json!({"message_type": "in_app", "body": "Hello", "from": {"type": "admin", "id": 900_002}, "to": to})
}

#[tokio::test]
async fn a_message_becomes_a_conversation_when_it_is_answered() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let sent = lab.post("/messages", message(json!({"type": "user", "id": CARLA}))).await;
    assert_eq!((&sent["type"], &sent["message_type"]), (&json!("admin_message"), &json!("inapp")));
    assert_eq!((&sent["owner"]["id"], sent.get("conversation_id")), (&json!(ALICE), None));
    assert_eq!(lab.get("/conversations").await["total_count"], 0);
    let id = sent["id"].as_str().unwrap();
    let path = format!("/sandbox1/messages/{id}/answer");
    let by_other = lab.control("POST", &path, json!({"contact_id": DAN, "body": "Hi"})).await;
    assert_eq!(by_other.status, 404);
    let answered = lab.control("POST", &path, json!({"contact_id": CARLA, "body": "Hi"})).await.ok();
    let topics = hooks.topics(2).await;
    assert_eq!(topics, ["conversation.admin.single.created", "conversation.user.replied"]);
    let query = json!({"query": {"field": "source.id", "operator": "=", "value": id}});
    let found = lab.post("/conversations/search", query).await;
    assert_eq!(found["conversations"][0]["id"], answered["conversation_id"]);
    assert_eq!(found["conversations"][0]["source"]["author"]["id"], ALICE);
    assert_eq!(lab.control("POST", &path, json!({"contact_id": CARLA, "body": "Hi"})).await.status, 404);
}

#[tokio::test]
async fn a_conversation_can_be_had_at_once_and_with_several() {
    let lab = Lab::start().await;
    let mut body = message(json!([{"type": "user", "id": CARLA}, {"type": "lead", "id": DAN}]));
    body["create_conversation_without_contact_reply"] = json!(true);
    let too_old = lab.rest_in("2.13", "POST", "/messages", body.clone()).await;
    assert_eq!(too_old.refusal(), (400, "parameter_invalid"));
    let sent = lab.post("/messages", body).await;
    let conversation = lab.get(&format!("/conversations/{}", sent["conversation_id"].as_str().unwrap())).await;
    assert_eq!(conversation["source"]["id"], sent["id"]);
    assert_eq!(conversation["contacts"]["contacts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_as_documented() {
    let lab = Lab::start().await;
    let to = json!({"type": "user", "id": CARLA});
    let refused = async |version: &str, change: Value| {
        let mut body = message(to.clone());
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = lab.rest_in(version, "POST", "/messages", body).await;
        let (status, code) = answer.refusal();
        (status, code.to_owned())
    };
    assert_eq!(refused("2.15", json!({"body": null})).await, (400, "parameter_invalid".to_owned()));
    assert_eq!(refused("2.15", json!({"message_type": "email"})).await, (422, "parameter_not_found".to_owned()));
    assert_eq!(refused("2.15", json!({"message_type": "whatsapp"})).await, (400, "parameter_invalid".to_owned()));
    assert_eq!(refused("2.16", json!({"message_type": "whatsapp"})).await, (403, "api_plan_restricted".to_owned()));
    let nobody = json!({"to": {"type": "user", "id": "none"}});
    assert_eq!(refused("2.15", nobody).await, (404, "not_found".to_owned()));
}
