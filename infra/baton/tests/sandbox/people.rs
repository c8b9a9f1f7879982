//! Teammates, teams, tags, attributes and events over REST.

use serde_json::{Value, json};

use crate::harness::{ALICE, CARLA, Lab, SUPPORT};

#[tokio::test]
async fn a_teammate_goes_away_with_or_without_a_reason() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    let path = format!("/admins/{ALICE}/away");
    let away = json!({"away_mode_enabled": true, "away_mode_reassign": true, "away_status_reason_id": 60_001});
    let shown = lab.rest_in("2.10", "PUT", &path, away.clone()).await.ok();
    assert_eq!((&shown["away_mode_enabled"], &shown["away_mode_reassign"]), (&json!(true), &json!(true)));
    assert!(shown.get("away_status_reason_id").is_none());
    let shown = lab.rest("PUT", &path, away).await.ok();
    assert_eq!(shown["away_status_reason_id"], 60_001);
    assert_eq!(lab.get(&format!("/admins/{ALICE}")).await["away_mode_enabled"], true);
    for _ in 0..2 {
        let told = hooks.next().await;
        assert_eq!((told.topic(), &told.item()["id"]), ("admin.away_mode_updated", &json!(ALICE)));
    }
    let deleted = json!({"away_mode_enabled": true, "away_mode_reassign": false, "away_status_reason_id": 60_002});
    assert_eq!(lab.rest("PUT", &path, deleted).await.refusal(), (400, "parameter_invalid"));
    let half = json!({"away_mode_enabled": true});
    assert_eq!(lab.rest("PUT", &path, half).await.refusal(), (400, "parameter_not_found"));
    let nobody = json!({"away_mode_enabled": true, "away_mode_reassign": false});
    let nobody = lab.rest("PUT", "/admins/1/away", nobody).await;
    assert_eq!(nobody.body["errors"][0]["message"], "Admin for admin_id not found");
    assert_eq!(lab.get("/away_status_reasons").await["data"][0]["label"], "On a break");
    let alice = lab.rest_in("2.16", "GET", &format!("/admins/{ALICE}"), Value::Null).await.ok();
    assert_eq!(alice["role"]["name"], "Support Agent");
    assert!(lab.get(&format!("/admins/{ALICE}")).await.get("role").is_none());
}

#[tokio::test]
async fn a_teams_work_can_be_counted_from_2_16() {
    let lab = Lab::start().await;
    let id = lab.started("help").await;
    let assign = json!({"admin_id": ALICE, "action": "assign", "assignee": {"type": "admin", "id": ALICE}});
    lab.by_hand(&id, "teammate", assign).await;
    let path = format!("/teams/{SUPPORT}/metrics");
    let too_old = lab.rest("GET", &path, Value::Null).await;
    assert_eq!(too_old.refusal(), (400, "intercom_version_invalid"));
    let metrics = lab.rest_in("2.16", "GET", &path, Value::Null).await.ok();
    let alice = json!({"type": "team_metric", "admin_id": ALICE, "open": 1, "idle": 0, "snoozed": 0});
    assert_eq!(metrics["data"][0], alice);
    lab.control("POST", "/clock", json!({"advance_seconds": 60})).await.ok();
    let metrics = lab.rest_in("2.16", "GET", &format!("{path}?idle_threshold=60"), Value::Null).await.ok();
    assert_eq!(metrics["data"][0]["idle"], 1);
}

#[tokio::test]
async fn tags_are_put_on_many_at_once_in_the_manner_of_the_version() {
    let lab = Lab::start().await;
    let body = json!({"name": "beta", "users": [{"id": CARLA}, {"id": "nobody"}]});
    let refused = lab.rest("POST", "/tags", body.clone()).await;
    assert_eq!(refused.refusal(), (404, "not_found"));
    // The tag is there nevertheless.
    let tags = lab.get("/tags").await;
    let beta = tags["data"].as_array().unwrap().iter().find(|tag| tag["name"] == "beta").unwrap();
    let id = beta["id"].as_str().unwrap();
    let done = lab.rest_in("2.16", "POST", "/tags", body).await.ok();
    assert_eq!((&done["id"], &done["users"]), (&json!(id), &json!([{"id": CARLA, "tagged": true}])));
    assert_eq!(lab.get(&format!("/contacts/{CARLA}/tags")).await["data"][0]["name"], "beta");
    let companies = json!({"name": "beta", "companies": [{"company_id": "1"}]});
    assert_eq!(lab.rest("POST", "/tags", companies.clone()).await.refusal(), (404, "company_not_found"));
    assert_eq!(lab.rest_in("2.16", "POST", "/tags", companies).await.ok()["companies"], json!([]));
    let untag = json!({"name": "beta", "users": [{"id": CARLA, "untag": true}]});
    assert_eq!(lab.rest_in("2.16", "POST", "/tags", untag).await.ok()["users"][0]["tagged"], false);
    let renamed = lab.post("/tags", json!({"id": id, "name": "gamma"})).await;
    assert_eq!((&renamed["id"], &renamed["name"]), (&json!(id), &json!("gamma")));

    let used = lab.rest("DELETE", "/tags/7002", Value::Null).await;
    assert_eq!(used.refusal(), (400, "tag_has_dependent_objects"));
    let deleted = lab.rest("DELETE", &format!("/tags/{id}"), Value::Null).await;
    assert_eq!((deleted.status, deleted.body), (200, Value::Null));
    assert_eq!(lab.rest("GET", &format!("/tags/{id}"), Value::Null).await.refusal(), (404, "not_found"));
}

#[tokio::test]
async fn attributes_are_defined_before_they_have_values() {
    let lab = Lab::start().await;
    let body = json!({"name": "Shoe size", "model": "contact", "data_type": "integer"});
    let made = lab.post("/data_attributes", body.clone()).await;
    assert_eq!(made["full_name"], "custom_attributes.Shoe size");
    assert_eq!(lab.rest("POST", "/data_attributes", body).await.refusal(), (400, "parameter_invalid"));
    let carla = format!("/contacts/{CARLA}");
    let changed = lab.rest("PUT", &carla, json!({"custom_attributes": {"Shoe size": 44}})).await.ok();
    assert_eq!(changed["custom_attributes"]["Shoe size"], 44);
    let path = format!("/data_attributes/{}", made["id"]);
    assert_eq!(lab.rest("PUT", &path, json!({"archived": true})).await.ok()["archived"], true);
    let refused = lab.rest("PUT", &carla, json!({"custom_attributes": {"Shoe size": 45}})).await;
    assert_eq!(refused.refusal(), (400, "parameter_invalid"));
    let missing = lab.rest("PUT", "/data_attributes/1000", json!({})).await;
    assert_eq!(missing.refusal(), (404, "field_not_found"));

    let names = |list: &Value| {
        let data = list["data"].as_array().unwrap();
        data.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(names(&lab.get("/data_attributes?model=contact").await).contains(&"seats".to_owned()));
    assert!(names(&lab.get("/data_attributes?model=conversation").await).contains(&"Order number".to_owned()));
    let moved = lab.rest_in("2.16", "GET", "/data_attributes?model=conversation", Value::Null).await;
    assert_eq!(moved.refusal(), (422, "parameter_invalid"));
}

#[tokio::test]
async fn the_attributes_of_conversations_have_a_place_of_their_own_from_2_16() {
    let lab = Lab::start().await;
    let rest = async |method: &str, path: &str, body: Value| lab.rest_in("2.16", method, path, body).await;
    let path = "/conversations/attributes";
    assert_eq!(lab.rest("GET", path, Value::Null).await.refusal(), (400, "intercom_version_invalid"));
    let wrong = rest("POST", path, json!({"name": "Mood", "data_type": "colour"})).await;
    assert_eq!(wrong.refusal(), (422, "parameter_invalid"));
    let options = json!([{"label": "good"}, {"label": "bad"}]);
    let mood = rest("POST", path, json!({"name": "Mood", "data_type": "list", "options": options})).await.ok();
    let mood_path = format!("{path}/{}", mood["id"]);
    let id = lab.started("hi").await;
    let put = async |value: &str| {
        let body = json!({"custom_attributes": {"Mood": value}});
        lab.rest("PUT", &format!("/conversations/{id}"), body).await.status
    };
    assert_eq!((put("good").await, put("so-so").await), (200, 400));
    let longer = rest("POST", &format!("{mood_path}/options"), json!({"label": "so-so"})).await.ok();
    assert_eq!(longer["options"][2]["label"], "so-so");
    assert_eq!(put("so-so").await, 200);
    let option = format!("{mood_path}/options/{}", longer["options"][0]["id"].as_str().unwrap());
    let renamed = rest("PUT", &option, json!({"label": "great"})).await.ok();
    assert_eq!(renamed["options"][0]["label"], "great");
    let extra = rest("PUT", &option, json!({"label": "great", "id": 1})).await;
    assert_eq!(extra.refusal(), (422, "parameter_invalid"));
    assert_eq!(rest("DELETE", &option, Value::Null).await.ok()["options"][0]["archived"], true);
    let other = format!("{mood_path}/options/{}", longer["options"][1]["id"].as_str().unwrap());
    assert_eq!(rest("DELETE", &other, Value::Null).await.refusal(), (422, "parameter_invalid"));
    assert_eq!(rest("PUT", &mood_path, json!({"name": "Feeling"})).await.ok()["name"], "Feeling");
    assert_eq!(rest("DELETE", &mood_path, Value::Null).await.ok()["archived"], true);
    let all = rest("GET", path, Value::Null).await.ok();
    assert!(all["data"].as_array().unwrap().iter().all(|one| one["name"] != "Feeling"));
    let missing = rest("GET", &format!("{path}/1000"), Value::Null).await;
    assert_eq!(missing.refusal(), (404, "conversation_attribute_not_found"));
}

#[tokio::test]
async fn events_are_taken_in_and_counted() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.15").await;
    for created_at in [1_700_000_000, 1_700_000_600] {
        let body = json!({"event_name": "ordered", "created_at": created_at, "user_id": "cust-1001",
                          "metadata": {"order": "4711"}});
        let answer = lab.rest("POST", "/events", body).await;
        assert_eq!((answer.status, answer.body), (202, Value::Null));
    }
    assert_eq!(hooks.next().await.item()["metadata"]["order"], "4711");
    let list = lab.get("/events?type=user&user_id=cust-1001&summary=true").await;
    assert_eq!(list["intercom_user_id"], CARLA);
    let ordered = json!({"name": "ordered", "first": "2023-11-14T22:13:20.000Z",
                         "last": "2023-11-14T22:23:20.000Z", "count": 2});
    assert_eq!(list["events"], json!([ordered]));
    let nobody = json!({"event_name": "ordered", "created_at": 1, "user_id": "none"});
    assert_eq!(lab.rest("POST", "/events", nobody).await.refusal(), (404, "not_found"));
    let nameless = json!({"created_at": 1, "user_id": "cust-1001"});
    assert_eq!(lab.rest("POST", "/events", nameless).await.refusal(), (400, "parameter_not_found"));
}
