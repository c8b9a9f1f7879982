//! What people do and what goes wrong, as the control API takes it. Decides nothing and does
//! nothing: a step goes in, a request comes out.

use serde_json::{Value, json};

use super::cast::{Cast, Owner};
use super::script::Deed;

/// A request of the control API about a conversation: the method, the path below it, the body.
pub(crate) type Request = (&'static str, &'static str, Value);

/// A deed of people in a conversation that has begun; none for any other step.
///
/// # Errors
/// In words, when the workspace has nobody of that role.
pub(crate) fn request(deed: &Deed, cast: &Cast, now: u64) -> Result<Option<Request>, String> {
    let by = |who: &str, action: &str, more: Value| {
        let mut body = json!({"admin_id": cast.teammate(who)?, "action": action});
        for (key, value) in more.as_object().into_iter().flatten() {
            body[key] = value.clone();
        }
        Ok::<_, String>(("POST", "/teammate", body))
    };
    Ok(Some(match deed {
        Deed::TeammateReplies { teammate_replies, by: who, files } => {
            by(who, "reply", json!({"body": teammate_replies, "attachments": files}))?
        }
        Deed::AssignedTo { assigned_to, by: who, saying } => {
            let assignee = match cast.find(assigned_to)? {
                Owner::Teammate(id) => json!({"type": "admin", "id": id}),
                Owner::Team(id) => json!({"type": "team", "id": id}),
                Owner::Nobody => json!({"type": "nobody"}),
            };
            match who.as_str() {
                "workflow" => ("POST", "/operator", json!({"action": "assign", "assignee": assignee})),
                teammate => by(teammate, "assign", json!({"assignee": assignee, "body": saying}))?,
            }
        }
        Deed::ClosedBy { closed_by, saying } => by(closed_by, "close", json!({"body": saying}))?,
        Deed::OpenedBy { opened_by } => by(opened_by, "open", json!({}))?,
        Deed::SnoozedBy { snoozed_by, seconds } => by(snoozed_by, "snooze", json!({"snoozed_until": now + seconds}))?,
        Deed::WokenBy { woken_by } => by(woken_by, "unsnooze", json!({}))?,
        Deed::DeletedBy { .. } => ("DELETE", "", Value::Null),
        Deed::WorkflowSays { workflow_says } => ("POST", "/operator", json!({"body": workflow_says})),
        Deed::FinSays { fin_says } => ("POST", "/operator", json!({"body": fin_says, "from_ai_agent": true})),
        Deed::CustomerRates { customer_rates, remark } => {
            ("POST", "/rating", json!({"rating": customer_rates, "remark": remark}))
        }
        Deed::Tagged { tagged, by: who } => ("POST", "/tag", json!({"name": tagged, "admin_id": cast.teammate(who)?})),
        _ => return Ok(None),
    }))
}

/// A fault of the conversation's requests or webhooks; none for any other step.
///
/// # Errors
/// In words, when it would hit other conversations and is not to.
pub(crate) fn fault(deed: &Deed, app_id: &str, id: Option<u64>, alone: bool) -> Result<Option<Value>, String> {
    let id = id.map(|id| id.to_string());
    let (kind, mut wanted, fault, with) = match deed {
        Deed::IntercomFails { intercom_fails, on, with } if on == "everything" => {
            ("match", json!({}), intercom_fails, with)
        }
        Deed::IntercomFails { intercom_fails, on, with } => {
            let mut wanted = json!({"conversation_id": id});
            let (method, path) = on.split_once(' ').unwrap_or((on, ""));
            for (key, value) in [("method", method), ("path_contains", path)] {
                if !value.is_empty() {
                    wanted[key] = json!(value);
                }
            }
            ("match", wanted, intercom_fails, with)
        }
        Deed::WebhooksFail { webhooks_fail, topic, with } => {
            ("webhook", json!({"topic": topic, "conversation_id": id}), webhooks_fail, with)
        }
        _ => return Ok(None),
    };
    if wanted["conversation_id"].is_null() && !alone {
        return Err("a fault that is not of this conversation alone hits others: it needs `alone`".to_owned());
    }
    wanted["app_id"] = json!(app_id);
    let mut body = json!(with);
    body["fault"] = json!(fault);
    body[kind] = wanted;
    Ok(Some(body))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::cast::Cast;
    use super::super::script::Deed;
    use super::{fault, request};

    fn replies(by: &str) -> Deed {
        Deed::TeammateReplies { teammate_replies: "Hi".to_owned(), by: by.to_owned(), files: Vec::new() }
    }

    fn fails(on: &str) -> Deed {
        let with = toml::from_str("times = 2").unwrap();
        Deed::IntercomFails { intercom_fails: "fail_before".to_owned(), on: on.to_owned(), with }
    }

    #[test]
    fn a_deed_names_its_teammate_by_id() {
        let cast = Cast::for_test(1, &[("bot team", 9)], &[("team", 5)]);
        assert_eq!(request(&replies("team"), &cast, 0).unwrap_err(), "\"team\" is no teammate");
        assert_eq!(request(&replies("king"), &cast, 0).unwrap_err(), "the workspace has no \"king\"");
        let to = Deed::ClosedBy { closed_by: "bot".to_owned(), saying: Some("Bye".to_owned()) };
        let body = json!({"admin_id": 1, "action": "close", "body": "Bye"});
        assert_eq!(request(&to, &cast, 0).unwrap(), Some(("POST", "/teammate", body)));
        assert_eq!(request(&fails(""), &cast, 0).unwrap(), None);
    }

    #[test]
    fn a_fault_is_of_its_conversation_unless_it_plays_alone() {
        let body = |wanted| Some(json!({"fault": "fail_before", "times": 2, "match": wanted}));
        let of_reply = json!({"app_id": "a", "conversation_id": "7", "method": "POST", "path_contains": "/reply"});
        assert_eq!(fault(&fails("POST /reply"), "a", Some(7), false).unwrap(), body(of_reply));
        let of_all = json!({"app_id": "a", "conversation_id": "7"});
        assert_eq!(fault(&fails(""), "a", Some(7), false).unwrap(), body(of_all));
        assert_eq!(fault(&fails("everything"), "a", Some(7), true).unwrap(), body(json!({"app_id": "a"})));
        assert!(fault(&fails("everything"), "a", Some(7), false).unwrap_err().contains("alone"));
        assert!(fault(&fails("GET"), "a", None, false).unwrap_err().contains("alone"));
        assert_eq!(fault(&replies("bot"), "a", None, false).unwrap(), None);
    }
}
