//! The customer's hands: to begin, in the Messenger or by e-mail, to go on, to press a button.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{File, Id, InConversation, Reply, contact_named, done, parse, refuse, typed, workspace};
use crate::sandbox::Shared;
use crate::sandbox::text;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    #[serde(default)]
    contact_id: Option<String>,
    #[serde(default)]
    contact_name: Option<String>,
    /// Somebody new, whatever names there are.
    #[serde(default)]
    lead: Option<Lead>,
    /// A teammate who starts the conversation instead of the customer.
    #[serde(default)]
    admin_id: Option<Id>,
    #[serde(default)]
    body: String,
    #[serde(default)]
    attachments: Vec<File>,
    /// Makes it an e-mail.
    #[serde(default)]
    email: Option<Mail>,
    /// The page that the Messenger is open on.
    #[serde(default)]
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lead {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mail {
    #[serde(default)]
    subject: String,
}

pub(super) async fn start(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, body: Bytes) -> Reply {
    let asked: Start = parse(&body)?;
    if asked.email.is_some() && asked.admin_id.is_some() {
        return Err(refuse(StatusCode::BAD_REQUEST, "only the customer starts by e-mail here"));
    }
    let mut workspace = workspace(&shared, &app_id)?;
    let contact_id = match (asked.contact_id, asked.lead) {
        (Some(id), _) => id,
        (None, Some(lead)) => workspace.new_lead(lead.name, lead.email),
        (None, None) => contact_named(&mut workspace, asked.contact_name),
    };
    let mut message = typed(&asked.body, asked.attachments);
    message.email = asked.email.map(|mail| workspace.email_from(&contact_id, &mail.subject));
    message.url = asked.url;
    let id = match asked.admin_id {
        None => workspace.start_by_contact(&contact_id, message)?,
        Some(admin_id) => {
            message.body = Some(text::stored_from_api(&asked.body));
            workspace.start_by_admin(admin_id.number()?, &contact_id, message)?
        }
    };
    done(json!({"conversation_id": id.to_string(), "contact_id": contact_id}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    #[serde(default)]
    body: String,
    #[serde(default)]
    attachments: Vec<File>,
    /// The choice that is pressed; its text is the body.
    #[serde(default)]
    quick_reply_uuid: Option<String>,
    /// What a mail program puts below an answer.
    #[serde(default)]
    quoted: Option<String>,
    /// Which participant writes, if there are several.
    #[serde(default)]
    contact_id: Option<String>,
}

pub(super) async fn write(State(shared): State<Arc<Shared>>, Path((app_id, id)): InConversation, body: Bytes) -> Reply {
    let asked: Customer = parse(&body)?;
    let mut workspace = workspace(&shared, &app_id)?;
    let conversation = workspace.conversation(id)?;
    let contact = asked.contact_id.or_else(|| conversation.contact_ids.first().cloned()).unwrap_or_default();
    let mut message = typed(&asked.body, asked.attachments);
    if let Some(uuid) = &asked.quick_reply_uuid {
        let chosen = conversation.offered(uuid);
        let chosen = chosen.ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "no such quick reply was offered"))?;
        message.body = Some(text::stored_from_messenger(&chosen.text));
        message.quick_reply_uuid = Some(uuid.clone());
    }
    if let Some(email) = &conversation.source.email {
        message.email = Some(workspace.email_from(&contact, &format!("Re: {}", email.subject)));
        if let (Some(body), Some(quoted)) = (&mut message.body, &asked.quoted) {
            body.push_str(&text::quoted(quoted));
        }
    } else if asked.quoted.is_some() {
        return Err(refuse(StatusCode::BAD_REQUEST, "quoted is for conversations by e-mail"));
    }
    if message.body.is_none() && message.attachments.is_empty() {
        return Err(refuse(StatusCode::BAD_REQUEST, "body is empty"));
    }
    let part_id = workspace.contact_reply(id, &contact, message, None)?;
    done(json!({"part_id": part_id.to_string()}))
}

/// The customer opens the conversation and reads what is new.
pub(super) async fn read(State(shared): State<Arc<Shared>>, Path((app_id, id)): InConversation) -> Reply {
    let part_ids = workspace(&shared, &app_id)?.customer_reads(id)?;
    let part_ids: Vec<String> = part_ids.iter().map(u64::to_string).collect();
    done(json!({"part_ids": part_ids}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Participant {
    #[serde(default)]
    contact_id: Option<String>,
    #[serde(default)]
    lead: Option<Lead>,
    admin_id: Id,
}

/// A teammate lets somebody take part.
pub(super) async fn attach(
    State(shared): State<Arc<Shared>>,
    Path((app_id, id)): InConversation,
    body: Bytes,
) -> Reply {
    let asked: Participant = parse(&body)?;
    let mut workspace = workspace(&shared, &app_id)?;
    let actor = workspace.admin_author(asked.admin_id.number()?)?;
    workspace.conversation(id)?;
    let contact_id = match (asked.contact_id, asked.lead) {
        (Some(id), _) => id,
        (None, Some(lead)) => workspace.new_lead(lead.name, lead.email),
        (None, None) => return Err(refuse(StatusCode::BAD_REQUEST, "contact_id or lead is needed")),
    };
    workspace.attach_contact(id, &contact_id, actor, None)?;
    done(json!({"contact_id": contact_id}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Detach {
    admin_id: Id,
}

/// A teammate takes somebody out.
pub(super) async fn detach(
    State(shared): State<Arc<Shared>>,
    Path((app_id, id, contact_id)): Path<(String, u64, String)>,
    body: Bytes,
) -> Reply {
    let asked: Detach = parse(&body)?;
    let admin_id = asked.admin_id.number()?;
    workspace(&shared, &app_id)?.detach_contact(id, &contact_id, admin_id, None)?;
    done(json!({"status": "ok"}))
}
