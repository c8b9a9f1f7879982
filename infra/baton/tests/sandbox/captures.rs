//! Payloads held against real ones, where those lie beside the project.
//!
//! Every member that a captured notification has must be in the sandbox's for the same deed.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{ALICE, Lab};

/// A captured notification; none when the captures are not there.
fn captured(name: &str) -> Option<Value> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/intercom/webhooks");
    let Ok(text) = std::fs::read_to_string(directory.join(name)) else {
        eprintln!("{name} is not beside the project: nothing is compared with it");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// What `real` has and `ours` lacks or has of another kind.
fn missing(real: &Value, ours: &Value, path: &str, found: &mut Vec<String>) {
    match (real, ours) {
        // The attributes of a workspace are its own.
        _ if path.ends_with("/custom_attributes") => {}
        (Value::Object(real), Value::Object(ours)) => {
            for (name, value) in real {
                let place = format!("{path}/{name}");
                match ours.get(name) {
                    Some(other) => missing(value, other, &place, found),
                    None => found.push(place),
                }
            }
        }
        (Value::Array(real), Value::Array(ours)) => {
            if let (Some(one), Some(other)) = (real.first(), ours.first()) {
                missing(one, other, &format!("{path}/0"), found);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (real, ours) if std::mem::discriminant(real) == std::mem::discriminant(ours) => {}
        _ => found.push(format!("{path}: {ours} instead of the like of {real}")),
    }
}

#[tokio::test]
async fn notifications_have_every_member_of_the_captured_ones() {
    let lab = Lab::start().await;
    let mut hooks = lab.hooks("2.14").await;
    let id = lab.started("hello").await;
    let yours = json!({"admin_id": ALICE, "action": "assign", "assignee": {"type": "admin", "id": ALICE}, "body": "x"});
    let assigned = lab.by_hand(&id, "teammate", yours).await;
    lab.by_hand(&id, "redact", json!({"part_id": assigned["part_id"]})).await;
    lab.control("DELETE", &format!("/sandbox1/conversations/{id}"), Value::Null).await.ok();
    let mut ours = Vec::new();
    for _ in 0..6 {
        ours.push(hooks.next().await.body);
    }
    for (file, topic) in [
        ("conversation_admin_open_assigned.json", "conversation.admin.open.assigned"),
        ("conversation_part_redacted.json", "conversation_part.redacted"),
        ("conversation_deleted.json", "conversation.deleted"),
    ] {
        let Some(real) = captured(file) else { return };
        let ours = ours.iter().find(|one| one["topic"] == topic).unwrap();
        let mut found = Vec::new();
        missing(&real, ours, "", &mut found);
        assert!(found.is_empty(), "{topic}: {found:#?}");
        if topic == "conversation.deleted" {
            let mut extra = Vec::new();
            missing(ours, &real, "", &mut extra);
            assert!(extra.is_empty(), "{extra:#?}");
        }
    }
}
