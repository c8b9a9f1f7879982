//! Contacts and visitors over REST, and the webhooks of what happens to them.

use serde_json::{Value, json};

use crate::harness::{ALICE, CARLA, Lab};

const DAN: &str = "65a0c0ffee0000000000c002";
const VISITOR: &str = "65a0c0ffee0000000000c0f1";
const VISITOR_USER_ID: &str = "3ecf64d0-9ed1-4e9f-88e1-da7d6e6782f3";

fn message(body: &Value) -> &str {
    body["errors"][0]["message"].as_str().unwrap()
}

async fn made(lab: &Lab, body: Value) -> String {
    lab.post("/contacts", body).await["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_contact_needs_one_of_three_and_no_two_users_are_the_same() {
    let lab = Lab::start().await;
    let answer = lab.rest("POST", "/contacts", json!({"name": "Nobody"})).await;
    assert_eq!(answer.refusal(), (400, "parameter_not_found"));
    let answer = lab.rest("POST", "/contacts", json!({"role": "visitor"})).await;
    assert_eq!(answer.refusal(), (400, "parameter_invalid"));
    let answer = lab.rest("POST", "/contacts", json!({"email": "nowhere"})).await;
    assert_eq!(answer.refusal(), (400, "parameter_invalid"));

    let body = json!({"email": "joe@bloggs.example", "custom_attributes": {"seats": 3}});
    let joe = lab.post("/contacts", body).await;
    assert_eq!((&joe["role"], &joe["email_domain"]), (&json!("user"), &json!("bloggs.example")));
    assert_eq!(joe["custom_attributes"]["seats"], 3);
    let id = joe["id"].as_str().unwrap();
    let twice = lab.rest("POST", "/contacts", json!({"email": "Joe@bloggs.example"})).await;
    assert_eq!(twice.refusal(), (409, "conflict"));
    assert_eq!(message(&twice.body), format!("A contact matching those details already exists with id={id}"));
    let same_external_id = lab.rest("POST", "/contacts", json!({"external_id": "cust-1001"})).await;
    assert!(message(&same_external_id.body).ends_with(CARLA));
    // A lead may have anybody's address.
    let lead = lab.post("/contacts", json!({"role": "lead", "email": "joe@bloggs.example"})).await;
    assert_eq!(lead["role"], "lead");
    assert!(lead["external_id"].is_string());

    lab.post(&format!("/contacts/{id}/archive"), Value::Null).await;
    let twice = lab.rest("POST", "/contacts", json!({"email": "joe@bloggs.example"})).await;
    assert_eq!(message(&twice.body), format!("An archived contact matching those details already exists with id={id}"));
    let unknown = json!({"email": "x@bloggs.example", "custom_attributes": {"shoe size": 44}});
    assert_eq!(lab.rest("POST", "/contacts", unknown).await.refusal(), (400, "parameter_invalid"));
}

#[tokio::test]
async fn a_contact_is_changed_archived_blocked_and_deleted() {
    let lab = Lab::start().await;
    let carla = format!("/contacts/{CARLA}");
    let body = json!({"name": null, "owner_id": 900_002, "language_override": "fr", "unsubscribed_from_emails": true});
    let changed = lab.rest("PUT", &carla, body.clone()).await.ok();
    assert_eq!((&changed["name"], &changed["owner_id"]), (&Value::Null, &json!(900_002)));
    assert_eq!((&changed["email"], &changed["language_override"]), (&json!("carla@customer.example"), &json!("fr")));
    let shown = lab.rest_in("2.16", "GET", &carla, Value::Null).await.ok();
    assert_eq!(shown["owner_id"], ALICE);
    let old = json!({"language_override": "de"});
    assert_eq!(lab.rest_in("2.14", "PUT", &carla, old).await.ok()["language_override"], "fr");
    let wrong = lab.rest("PUT", &carla, json!({"owner_id": "1"})).await;
    assert_eq!(wrong.refusal(), (404, "admin_not_found"));
    let wrong = lab.rest("PUT", &carla, json!({"name": 5})).await;
    assert_eq!(wrong.refusal(), (400, "parameter_invalid"));

    let archived = lab.post(&format!("{carla}/archive"), Value::Null).await;
    assert_eq!(archived, json!({"type": "contact", "id": CARLA, "external_id": "cust-1001", "archived": true}));
    assert_eq!(lab.rest("GET", &carla, Value::Null).await.refusal(), (404, "not_found"));
    assert_eq!(lab.get("/contacts").await["total_count"], 1);
    let back = lab.post(&format!("{carla}/unarchive"), Value::Null).await;
    assert_eq!(back["archived"], false);
    lab.get(&carla).await;

    let too_old = lab.rest_in("2.12", "POST", &format!("{carla}/block"), Value::Null).await;
    assert_eq!(too_old.refusal(), (400, "intercom_version_invalid"));
    assert_eq!(lab.post(&format!("{carla}/block"), Value::Null).await["blocked"], true);
    let stuck = lab.rest("POST", &format!("{carla}/unarchive"), Value::Null).await;
    assert_eq!(stuck.refusal(), (400, "not_restorable"));
    let deleted = lab.rest("DELETE", &format!("/contacts/{DAN}"), Value::Null).await.ok();
    assert_eq!((&deleted["id"], &deleted["deleted"]), (&json!(DAN), &json!(true)));
    assert_eq!(lab.rest("GET", &format!("/contacts/{DAN}"), Value::Null).await.refusal(), (404, "not_found"));
}

#[tokio::test]
async fn a_merged_contact_is_gone_in_the_manner_of_the_version() {
    let lab = Lab::start().await;
    let body = json!({"from": {"type": "lead", "id": DAN}, "body": "hello"});
    let conversation = lab.post("/conversations", body).await["conversation_id"].as_str().unwrap().to_owned();
    let tags = format!("/contacts/{DAN}/tags");
    lab.post(&tags, json!({"id": "7001"})).await;
    let both = json!({"from": DAN, "into": CARLA});
    let strangers = lab.rest_in("2.16", "POST", "/contacts/merge", both.clone()).await;
    assert_eq!(strangers.refusal(), (400, "invalid_merge"));
    let backwards = lab.rest("POST", "/contacts/merge", json!({"from": CARLA, "into": DAN})).await;
    assert_eq!(backwards.refusal(), (400, "parameter_invalid"));
    let mut skipped = both.clone();
    skipped["skip_duplicate_validation"] = json!(true);
    let merged = lab.rest_in("2.16", "POST", "/contacts/merge?include_merge_history=true", skipped).await.ok();
    assert_eq!((&merged["id"], &merged["name"]), (&json!(CARLA), &json!("Carla")));
    assert_eq!(merged["tags"]["data"][0]["id"], "7001");
    assert_eq!(merged["merge_history"][0]["source_contact_id"], DAN);

    let dan = format!("/contacts/{DAN}");
    assert_eq!(lab.rest("GET", &dan, Value::Null).await.refusal(), (404, "not_found"));
    let gone = lab.rest_in("2.16", "GET", &dan, Value::Null).await;
    assert_eq!(gone.refusal(), (410, "contact_merged"));
    assert_eq!(gone.headers["link"], format!("</contacts/{CARLA}>; rel=\"canonical\""));
    let conversation = lab.get(&format!("/conversations/{conversation}")).await;
    assert_eq!(conversation["contacts"]["contacts"][0]["id"], CARLA);
    let history = lab.rest_in("2.16", "GET", &format!("/contacts/{CARLA}/merge_history"), Value::Null).await.ok();
    assert_eq!((&history["data"][0]["source_contact_role"], &history["has_more"]), (&json!("lead"), &json!(false)));
}

#[tokio::test]
async fn a_merged_contact_is_followed_through_several_merges() {
    let lab = Lab::start().await;
    let mut chain = vec![DAN.to_owned()];
    for n in 0..4 {
        chain.push(made(&lab, json!({"external_id": format!("hop-{n}")})).await);
    }
    for pair in chain.windows(2) {
        let path = format!("/sandbox1/contacts/{}/merge", pair[0]);
        lab.control("POST", &path, json!({"into": pair[1]})).await.ok();
    }
    let link = async |path: &str| {
        let gone = lab.rest_in("2.16", "GET", path, Value::Null).await;
        assert_eq!(gone.refusal(), (410, "contact_merged"));
        gone.headers["link"].to_str().unwrap().to_owned()
    };
    // Three merges on, and no further.
    assert_eq!(link(&format!("/contacts/{DAN}")).await, format!("</contacts/{}>; rel=\"canonical\"", chain[3]));
    let last = format!("</contacts/{}>; rel=\"canonical\"", chain[4]);
    assert_eq!(link(&format!("/contacts/{}", chain[1])).await, last);
    assert_eq!(link("/contacts/find_by_external_id/hop-0").await, last);
    let itself = lab.control("POST", &format!("/sandbox1/contacts/{CARLA}/merge"), json!({"into": CARLA})).await;
    assert_eq!(itself.status, 400);
}

#[tokio::test]
async fn duplicates_are_merged_without_being_asked_twice() {
    let lab = Lab::start().await;
    let lead = made(&lab, json!({"role": "lead", "email": "carla@customer.example"})).await;
    let both = json!({"from": lead, "into": CARLA});
    lab.rest_in("2.16", "POST", "/contacts/merge", both).await.ok();
}

#[tokio::test]
async fn a_search_sees_a_new_contact_late_and_a_changed_one_as_it_was() {
    let lab = Lab::start().await;
    let by = |field: &str, value: &str| json!({"query": {"field": field, "operator": "=", "value": value}});
    let id = made(&lab, json!({"email": "late@bloggs.example", "name": "Late"})).await;
    assert_eq!(lab.post("/contacts/search", by("name", "Late")).await["total_count"], 0);
    let found = lab.rest("GET", &format!("/contacts/{id}"), Value::Null).await.ok();
    assert_eq!(found["name"], "Late");
    lab.control("POST", "/clock", json!({"advance_seconds": 2})).await.ok();
    assert_eq!(lab.post("/contacts/search", by("name", "late")).await["data"][0]["id"], id.as_str());
    lab.rest("PUT", &format!("/contacts/{id}"), json!({"name": "Later"})).await.ok();
    // Found by the name that it had, answered with the one that it has.
    assert_eq!(lab.post("/contacts/search", by("name", "Late")).await["data"][0]["name"], "Later");
    lab.control("POST", "/clock", json!({"advance_seconds": 2})).await.ok();
    assert_eq!(lab.post("/contacts/search", by("name", "Late")).await["total_count"], 0);

    let by_role = |order: &str| {
        json!({"query": {"field": "role", "operator": "IN", "value": ["user", "lead"]},
               "sort": {"field": "name", "order": order}, "pagination": {"per_page": 2}})
    };
    let first = lab.rest_in("2.16", "POST", "/contacts/search", by_role("ascending")).await.ok();
    assert_eq!((&first["data"][0]["name"], &first["total_count"]), (&json!("Carla"), &json!(3)));
    let mut second = by_role("ascending");
    second["pagination"]["starting_after"] = first["pages"]["next"]["starting_after"].clone();
    let second = lab.rest_in("2.16", "POST", "/contacts/search", second).await.ok();
    assert_eq!(second["data"][0]["name"], "Later");
    let refused = lab.rest_in("2.16", "POST", "/contacts/search", by_role("desc")).await;
    assert_eq!(refused.refusal(), (400, "invalid_sort_order"));
    assert_eq!(lab.post("/contacts/search", by_role("desc")).await["data"][0]["name"], "Later");
}

#[tokio::test]
async fn tags_and_notes_hang_on_a_contact() {
    let lab = Lab::start().await;
    let carla = format!("/contacts/{CARLA}");
    let tag = lab.post(&format!("{carla}/tags"), json!({"id": 7001})).await;
    assert_eq!((&tag["name"], &tag["applied_by"]["id"]), (&json!("vip"), &json!("900001")));
    assert_eq!(lab.get(&format!("{carla}/tags")).await["data"][0]["id"], "7001");
    let missing = lab.rest("POST", &format!("{carla}/tags"), json!({"id": "1"})).await;
    assert_eq!(missing.refusal(), (404, "not_found"));
    let note = lab.post(&format!("{carla}/notes"), json!({"body": "Hello", "admin_id": ALICE})).await;
    assert_eq!((&note["author"]["name"], &note["contact"]["id"]), (&json!("Alice"), &json!(CARLA)));
    let id = note["id"].as_str().unwrap();
    assert_eq!(lab.get(&format!("/notes/{id}")).await["body"], "<p>Hello</p>");
    assert_eq!(lab.get(&format!("{carla}/notes")).await["total_count"], 1);
    let second = lab.get(&format!("{carla}/notes?page=2")).await;
    assert_eq!(
        (&second["data"], &second["pages"]["page"], &second["pages"]["next"]),
        (&json!([]), &json!(2), &Value::Null)
    );
    let shown = lab.get(&carla).await;
    assert_eq!(shown["notes"]["data"][0], json!({"type": "note", "id": id, "url": format!("/notes/{id}")}));
    assert_eq!(shown["tags"]["total_count"], 1);
    lab.rest("DELETE", &format!("{carla}/tags/7001"), Value::Null).await.ok();
    let again = lab.rest("DELETE", &format!("{carla}/tags/7001"), Value::Null).await;
    assert_eq!(again.refusal(), (404, "not_found"));
    let nobody = lab.rest("POST", "/contacts/none/notes", json!({"body": "x"})).await;
    assert_eq!(nobody.refusal(), (404, "not_found"));
    for empty in ["segments", "subscriptions", "companies"] {
        assert_eq!(lab.get(&format!("{carla}/{empty}")).await["data"], json!([]), "{empty}");
    }
}

#[tokio::test]
async fn a_visitor_becomes_a_lead_by_writing_and_a_user_by_signing_up() {
    let lab = Lab::start().await;
    let visitor = lab.get(&format!("/visitors?user_id={VISITOR_USER_ID}")).await;
    assert_eq!((&visitor["id"], &visitor["anonymous"]), (&json!(VISITOR), &json!(true)));
    let renamed = lab.rest("PUT", "/visitors", json!({"id": VISITOR, "name": "Gareth"})).await.ok();
    assert_eq!(renamed["name"], "Gareth");
    let missing = lab.rest("GET", "/visitors?user_id=none", Value::Null).await;
    assert_eq!((missing.refusal(), message(&missing.body)), ((404, "not_found"), "Visitor Not Found"));

    let body = json!({"from": {"type": "contact", "user_id": VISITOR_USER_ID}, "body": "hi"});
    let started = lab.post("/conversations", body).await;
    let id = started["conversation_id"].as_str().unwrap();
    let conversation = lab.get(&format!("/conversations/{id}")).await;
    assert_eq!(conversation["source"]["author"]["type"], "lead");
    assert_eq!(conversation["contacts"]["contacts"][0]["id"], VISITOR);
    let lead = lab.get(&format!("/contacts/{VISITOR}")).await;
    assert_eq!((&lead["role"], &lead["external_id"]), (&json!("lead"), &json!(VISITOR_USER_ID)));
    lab.control("POST", "/reset", Value::Null).await.ok();

    let convert = json!({"type": "user", "visitor": {"user_id": VISITOR_USER_ID}, "user": {"user_id": "cust-7"}});
    let user = lab.post("/visitors/convert", convert.clone()).await;
    assert_eq!((&user["id"], &user["external_id"]), (&json!(VISITOR), &json!("cust-7")));
    let again = lab.rest("POST", "/visitors/convert", convert).await;
    assert_eq!(again.refusal(), (404, "not_found"));
}

#[tokio::test]
async fn what_happens_to_contacts_is_told() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.16").await;
    let id = made(&lab, json!({"role": "lead"})).await;
    let created = hooks.next().await;
    assert_eq!((created.topic(), &created.item()["id"]), ("contact.lead.created", &json!(id)));
    let path = format!("/contacts/{id}");
    lab.rest("PUT", &path, json!({"email": "a@bloggs.example", "owner_id": ALICE})).await.ok();
    assert_eq!(hooks.topics(1).await, ["contact.lead.added_email"]);
    let updated = hooks.next().await;
    assert_eq!((updated.topic(), &updated.item()["owner_id"]), ("contact.lead.updated", &json!(ALICE)));
    lab.post(&format!("{path}/tags"), json!({"id": "7001"})).await;
    let tagged = hooks.next().await;
    assert_eq!(tagged.topic(), "contact.lead.tag.created");
    assert_eq!((&tagged.item()["tag"]["name"], &tagged.item()["contact"]["id"]), (&json!("vip"), &json!(id)));
    lab.rest("PUT", &path, json!({"role": "user", "external_id": "cust-9"})).await.ok();
    assert_eq!(hooks.topics(2).await, ["contact.lead.signed_up", "contact.user.updated"]);
    lab.rest("PUT", &path, json!({"email": "b@bloggs.example", "unsubscribed_from_emails": true})).await.ok();
    let topics = hooks.topics(3).await;
    assert_eq!(topics, ["contact.email.updated", "contact.unsubscribed", "contact.user.updated"]);
    lab.rest("DELETE", &format!("{path}/tags/7001"), Value::Null).await.ok();
    lab.post(&format!("{path}/archive"), Value::Null).await;
    lab.post(&format!("{path}/unarchive"), Value::Null).await;
    let topics = hooks.topics(3).await;
    assert_eq!(topics, ["contact.user.tag.deleted", "contact.archived", "contact.unarchive"]);
    lab.rest("POST", "/contacts/merge", json!({"from": DAN, "into": id})).await.ok();
    let merged = hooks.next().await;
    assert_eq!(merged.topic(), "contact.merged");
    assert_eq!((&merged.item()["id"], &merged.item()["merged_from"]["id"]), (&json!(id), &json!(DAN)));
    lab.rest("DELETE", &path, Value::Null).await.ok();
    let deleted = hooks.next().await;
    assert_eq!(deleted.item(), &json!({"type": "contact", "id": id, "external_id": "cust-9"}));
    let convert = json!({"type": "user", "visitor": {"id": VISITOR}, "user": {"email": "v@bloggs.example"}});
    lab.post("/visitors/convert", convert).await;
    assert_eq!(hooks.topics(2).await, ["contact.user.created", "visitor.signed_up"]);
}
