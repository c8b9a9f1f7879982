//! What is said and done in a conversation over REST: `/reply` and `/parts`.

use super::conversations::{conversation_id, whole};
use super::fields::Fields;
use super::{Call, Reply, whom};
use crate::sandbox::actions::ReplyKind;
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{Assignee, ConversationBy, Message, Notified};
use crate::sandbox::text;
use crate::sandbox::workspace::Workspace;

/// `POST /conversations/{id}/reply`, by a contact or a teammate.
pub(super) fn reply(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let id = call.param("id");
    let id = if id == "last" { last_conversation(&fields, workspace)? } else { conversation_id(id)? };
    workspace.conversation(id)?;
    match fields.required_text("type")? {
        "user" => contact_reply(call, workspace, &fields, id)?,
        "admin" => admin_reply(call, workspace, &fields, id)?,
        _ => {
            return Err(ApiError::invalid_field("type", "type must be user or admin"));
        }
    }
    whole(call, workspace, id)
}

/// `last` is the conversation that the contact of the request had last.
fn last_conversation(fields: &Fields, workspace: &Workspace) -> Answer<u64> {
    let contact_id = &whom::contact(fields, workspace)?.id;
    workspace
        .conversations
        .all_by(&ConversationBy::contact(contact_id))
        .into_iter()
        .max_by_key(|one| (one.updated_at, one.id))
        .map(|one| one.id)
        .ok_or_else(ApiError::no_resource)
}

fn contact_reply(call: &Call<'_>, workspace: &mut Workspace, fields: &Fields, id: u64) -> Answer<()> {
    let kind = reply_kind(call, fields)?;
    if kind == ReplyKind::Note {
        return Err(wrong_message_type("comment, or quick_reply from 2.14"));
    }
    let contact_id = whom::contact(fields, workspace)?.id.clone();
    let chosen = if call.version.has_quick_replies() { fields.quick_reply_options()?.into_iter().next() } else { None };
    if kind == ReplyKind::QuickReply && chosen.is_none() {
        return Err(ApiError::missing("reply_options"));
    }
    let attachments = fields.attachments(workspace, call.base_url)?;
    let body = fields.text("body")?;
    if body.is_none() && chosen.is_none() {
        return Err(ApiError::missing("body"));
    }
    let said = body.filter(|body| !body.is_empty());
    let said = said.or(chosen.as_ref().map(|option| option.text.as_str()));
    if said.is_none() && attachments.is_empty() {
        return Err(ApiError::missing("body"));
    }
    let message = Message {
        body: said.map(text::stored_from_messenger),
        attachments,
        quick_reply_uuid: chosen.as_ref().map(|option| option.uuid.clone()),
        created_at: fields.number("created_at")?.filter(|_| call.version.has_contact_message_times()),
        ..Message::default()
    };
    workspace.contact_reply(id, &contact_id, message, call.via())?;
    Ok(())
}

fn admin_reply(call: &Call<'_>, workspace: &mut Workspace, fields: &Fields, id: u64) -> Answer<()> {
    let kind = reply_kind(call, fields)?;
    let admin_id = fields.admin(workspace)?;
    let skips = call.version.has_skip_notifications() && fields.flag("skip_notifications")? == Some(true);
    let attachments = fields.attachments(workspace, call.base_url)?;
    let body = fields.text("body")?.filter(|body| !body.is_empty());
    let options = match kind {
        ReplyKind::QuickReply => fields.quick_reply_options()?,
        ReplyKind::Comment | ReplyKind::Note => Vec::new(),
    };
    match kind {
        ReplyKind::QuickReply if options.is_empty() => {
            return Err(ApiError::missing("reply_options"));
        }
        ReplyKind::Comment | ReplyKind::Note if body.is_none() && attachments.is_empty() => {
            return Err(ApiError::missing("body"));
        }
        _ => {}
    }
    let message = Message {
        body: body.map(text::stored_from_api),
        attachments,
        quick_reply_options: options,
        created_at: fields.number("created_at")?,
        notified: if skips { Notified::OnRefresh } else { Notified::AtOnce },
        ..Message::default()
    };
    workspace.admin_reply(id, admin_id, kind, message, call.via())?;
    Ok(())
}

fn reply_kind(call: &Call<'_>, fields: &Fields) -> Answer<ReplyKind> {
    match fields.required_text("message_type")? {
        "comment" => Ok(ReplyKind::Comment),
        "note" => Ok(ReplyKind::Note),
        "quick_reply" if call.version.has_quick_replies() => Ok(ReplyKind::QuickReply),
        _ => Err(wrong_message_type("comment, note, or quick_reply from 2.14")),
    }
}

fn wrong_message_type(wanted: &str) -> ApiError {
    ApiError::invalid_field("message_type", format!("message_type must be {wanted}"))
}

/// `POST /conversations/{id}/parts`: close, snooze, open, assign.
pub(super) fn manage(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = conversation_id(call.param("id"))?;
    workspace.conversation(id)?;
    let fields = Fields::parse(call.body)?;
    let body = fields.text("body")?.filter(|body| !body.is_empty());
    let body = body.map(text::stored_from_api);
    match fields.required_text("message_type")? {
        "close" => {
            if fields.required_text("type")? != "admin" {
                return Err(ApiError::invalid_field("type", "type must be admin"));
            }
            let admin_id = fields.admin(workspace)?;
            workspace.close(id, admin_id, body, call.via())?;
        }
        "snoozed" => {
            let admin_id = fields.admin(workspace)?;
            let until = fields.number("snoozed_until")?.ok_or_else(|| ApiError::missing("snoozed_until"))?;
            workspace.snooze(id, admin_id, until, call.via())?;
        }
        "open" => {
            let admin_id = fields.admin(workspace)?;
            workspace.open(id, admin_id, call.via())?;
        }
        "assignment" => {
            let assignee = assignee(&fields)?;
            let admin_id = fields.admin(workspace)?;
            workspace.assign(id, admin_id, assignee, body, call.via())?;
        }
        _ => return Err(wrong_message_type("close, snoozed, open or assignment")),
    }
    whole(call, workspace, id)
}

/// Whom an assignment names. `0` empties the side that `type` names and leaves the other.
fn assignee(fields: &Fields) -> Answer<Assignee> {
    let is_team = match fields.required_text("type")? {
        "admin" => false,
        "team" => true,
        _ => {
            return Err(ApiError::invalid_field("type", "type must be admin or team"));
        }
    };
    let id: u64 = fields.required_id("assignee_id")?.parse().map_err(|_| ApiError::no_assignee())?;
    Ok(match (id, is_team) {
        (0, false) => Assignee::NoAdmin,
        (0, true) => Assignee::NoTeam,
        (id, false) => Assignee::Admin(id),
        (id, true) => Assignee::Team(id),
    })
}
