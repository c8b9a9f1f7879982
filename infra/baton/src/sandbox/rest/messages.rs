//! Messages that a teammate sends, or a contact, over REST.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::fields::Fields;
use super::{Call, Reply, conversations};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::SentMessage;
use crate::sandbox::render;
use crate::sandbox::text;
use crate::sandbox::workspace::Workspace;

/// A message by a teammate; by a contact it begins a conversation, as in Intercom's examples.
pub(super) fn create(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let from = fields.object("from")?.ok_or_else(|| ApiError::missing("from"))?;
    if from.required_text("type")? != "admin" {
        return conversations::create(call, workspace);
    }
    let is_email = match fields.required_text("message_type")? {
        "in_app" | "inapp" | "conversation" => false,
        "email" => true,
        // No workspace here has bought it.
        "whatsapp" if call.version.is_2_16() => {
            return Err(ApiError::new(StatusCode::FORBIDDEN, "api_plan_restricted", "Active subscription needed."));
        }
        _ => return Err(ApiError::invalid_field("message_type", "message_type must be in_app or email")),
    };
    let body = fields.text("body")?.filter(|body| !body.is_empty());
    let body = body.ok_or_else(|| ApiError::invalid("Body is required"))?;
    let subject = fields.text("subject")?.map(str::to_owned);
    if is_email && subject.is_none() {
        return Err(ApiError::unprocessable("parameter_not_found", "No subject supplied for email message"));
    }
    if !matches!(fields.text("template")?, None | Some("plain" | "personal" | "company" | "announcement")) {
        return Err(ApiError::invalid_field("template", "template must be plain or personal"));
    }
    let admin_id = from.required_id("id")?.parse().ok().filter(|id| workspace.admins.contains_key(id));
    let admin_id = admin_id.ok_or_else(ApiError::no_admin)?;
    let contact_ids = recipients(call, workspace, &fields)?;
    let at_once = fields.flag("create_conversation_without_contact_reply")?.unwrap_or_default();
    let sent = SentMessage {
        id: workspace.counters.message(),
        admin_id,
        contact_ids,
        is_email,
        subject: subject.clone(),
        body: text::stored_from_api(body),
        created_at: fields.number("created_at")?.unwrap_or_else(|| workspace.clock.now()),
    };
    let mut value = json!({
        "type": "admin_message",
        "id": sent.id.to_string(),
        "created_at": sent.created_at,
        "body": body,
        "message_type": if is_email { "email" } else { "inapp" },
        "owner": workspace.admins.get(&admin_id).map(|admin| render::admin(admin, call.version)),
    });
    if let Some(subject) = subject {
        value["subject"] = json!(subject);
    }
    if let Some(id) = workspace.send_message(sent, at_once)? {
        value["conversation_id"] = json!(id.to_string());
    }
    Ok(value.into())
}

/// The contacts in `to`, one or, from 2.14, several. Copies go to addresses alone, so that
/// `cc` and `bcc` are only checked.
fn recipients(call: &Call<'_>, workspace: &Workspace, fields: &Fields) -> Answer<Vec<String>> {
    for copies in ["cc", "bcc"] {
        if let (Some(Value::Array(_)), true) = (fields.get(copies), call.version.has_several_recipients()) {
            for one in fields.objects(copies)? {
                recipient(workspace, &one)?;
            }
        }
    }
    match fields.get("to") {
        Some(Value::Array(list)) if call.version.has_several_recipients() && !list.is_empty() => {
            fields.objects("to")?.iter().map(|one| recipient(workspace, one)).collect()
        }
        _ => {
            let to = fields.object("to")?.ok_or_else(|| ApiError::missing("to"))?;
            Ok(vec![recipient(workspace, &to)?])
        }
    }
}

fn recipient(workspace: &Workspace, to: &Fields) -> Answer<String> {
    if !matches!(to.required_text("type")?, "user" | "lead" | "contact") {
        return Err(ApiError::invalid_field("type", "to.type must be user or lead"));
    }
    let user_id = to.id("user_id")?;
    let found = match to.id("id")? {
        Some(id) => workspace.contact(&id).ok(),
        None if user_id.is_some() => workspace.contacts.values().find(|one| one.external_id == user_id),
        None => return Err(ApiError::missing("id")),
    };
    found.map(|contact| contact.id.clone()).ok_or_else(ApiError::no_contact)
}
