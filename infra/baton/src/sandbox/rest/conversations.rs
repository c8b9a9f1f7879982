//! Conversations over REST: one at a time, all but what is said in them (`replies`).
//!
//! Lists are in `search`, participants in `participants`.

use serde_json::json;

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{ContactBy, Message};
use crate::sandbox::render;
use crate::sandbox::text;
use crate::sandbox::texts;
use crate::sandbox::workspace::Workspace;

/// The number in a path; what is not one names no conversation.
pub(super) fn conversation_id(text: &str) -> Answer<u64> {
    text.parse().map_err(|_| ApiError::no_resource())
}

/// A contact starts a conversation. The answer is the message, not the conversation.
pub(super) fn create(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let from = fields.object("from")?.ok_or_else(|| ApiError::missing("from"))?;
    let contact_id = starter(&from, workspace)?;
    let body = fields.required_text("body")?;
    // A subject is documented for e-mail, which nobody can start here, and a brand for
    // workspaces with several: both are read and mean nothing.
    fields.text("subject")?;
    if call.version.is_2_16() {
        fields.text("brand_id")?;
    }
    workspace.contact_author(&contact_id)?;
    let attachments = fields.attachments(workspace, call.base_url)?;
    if body.is_empty() && attachments.is_empty() {
        return Err(ApiError::missing("body"));
    }
    let message = Message {
        // HTML is documented as unsupported here, so that it is only text.
        body: Some(text::stored_from_messenger(body)),
        attachments,
        created_at: fields.number("created_at")?.filter(|_| call.version.has_contact_message_times()),
        ..Message::default()
    };
    let id = workspace.start_by_contact(&contact_id, message)?;
    let conversation = workspace.conversation(id)?;
    Ok(json!({
        "type": "user_message",
        "id": conversation.source.id.to_string(),
        "created_at": conversation.created_at,
        "body": body,
        "message_type": "inapp",
        "conversation_id": id.to_string(),
    })
    .into())
}

/// The contact that starts. A visitor, who writes as `contact`, may be named by `user_id`, and
/// becomes a lead by writing.
fn starter(from: &Fields, workspace: &mut Workspace) -> Answer<String> {
    let named = from.id("id")?.or(from.id("user_id")?);
    if let Some(visitor) = named.and_then(|id| workspace.visitor(&id)).cloned() {
        return Ok(workspace.visitor_to_lead(visitor));
    }
    match (from.required_text("type")?, from.id("id")?, from.id("user_id")?) {
        ("user" | "lead" | "contact", Some(id), _) => Ok(id),
        ("contact", None, Some(user_id)) => {
            let mut contacts = workspace.contacts.all_by(&ContactBy::external_id(&user_id)).into_iter();
            let found = contacts.find(|one| one.external_id.as_ref() == Some(&user_id));
            found.map(|one| one.id.clone()).ok_or_else(ApiError::no_contact)
        }
        ("user" | "lead" | "contact", None, _) => Err(ApiError::missing("id")),
        _ => Err(ApiError::invalid_field("type", "from.type must be user, lead or contact")),
    }
}

pub(super) fn get(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let conversation = workspace.conversation(conversation_id(call.param("id"))?)?;
    Ok(Reply::json(texts::whole_conversation(workspace, conversation, call.style())))
}

/// Sets `read` and, as far as the version has them, the title, the company and custom
/// attributes. Members that the version does not have are ignored, as unknown members are.
pub(super) fn update(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = conversation_id(call.param("id"))?;
    workspace.conversation(id)?;
    let fields = Fields::parse(call.body)?;
    let read = fields.flag("read")?;
    let title = if call.version.has_updatable_title() { fields.text("title")? } else { None };
    if call.version.has_updatable_company() && fields.id("company_id")?.is_some() {
        // The sandbox has no companies; null takes none away.
        return Err(ApiError::no_company());
    }
    if let (Some(attributes), true) = (fields.object("custom_attributes")?, call.version.has_updatable_attributes()) {
        workspace.set_attributes(id, attributes.into_map(), call.via())?;
    }
    let conversation = workspace.conversation_mut(id)?;
    if let Some(read) = read {
        conversation.read = read;
    }
    if let Some(title) = title {
        conversation.title = Some(title.to_owned());
    }
    whole(call, workspace, id)
}

pub(super) fn delete(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = conversation_id(call.param("id"))?;
    let metrics_retained = match call.query("retain_metrics").filter(|_| call.version.is_2_16()) {
        None | Some("true") => true,
        Some("false") => false,
        Some(_) => return Err(ApiError::invalid_field("retain_metrics", "retain_metrics must be true or false")),
    };
    workspace.delete(id, metrics_retained)?;
    Ok(json!({"id": id.to_string(), "object": "conversation", "deleted": true}).into())
}

/// `POST …/convert`: the sandbox has no ticket types, so that none is a customer's.
pub(super) fn convert(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let id = conversation_id(call.param("id"))?;
    workspace.conversation(id)?;
    let fields = Fields::parse(call.body)?;
    fields.required_id("ticket_type_id")?;
    fields.object("attributes")?;
    Err(ApiError::invalid("Ticket type is not a customer ticket type"))
}

/// `POST …/merge`: the conversation of the path into that of the body.
pub(super) fn merge(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let secondary = conversation_id(call.param("id"))?;
    workspace.conversation(secondary)?;
    let fields = Fields::parse(call.body)?;
    let primary = fields.required("merge_into_conversation_id")?.as_u64().ok_or_else(|| {
        let message = "merge_into_conversation_id must be a valid integer conversation ID";
        ApiError::invalid_field("merge_into_conversation_id", message)
    })?;
    workspace.merge(secondary, primary, call.via())?;
    whole(call, workspace, primary)
}

/// `POST …/run_assignment_rules`, which 2.12 took away.
pub(super) fn run_assignment_rules(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = conversation_id(call.param("id"))?;
    workspace.run_assignment_rules(id)?;
    whole(call, workspace, id)
}

/// `GET …/side_conversations`: nobody can start one here, so that there are none.
pub(super) fn side_conversations(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    workspace.conversation(conversation_id(call.param("id"))?)?;
    let page = call.query_number("page")?.unwrap_or(1);
    let per_page = call.query_number("per_page")?.unwrap_or(25);
    Ok(json!({
        "type": "side_conversation.list",
        "side_conversations": [],
        "total_count": 0,
        "pages": {"type": "pages", "page": page, "per_page": per_page, "total_pages": 0},
    })
    .into())
}

/// `GET …/handling_events`: nobody can pause handling here, so that there are none.
pub(super) fn handling_events(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    workspace.conversation(conversation_id(call.param("id"))?)?;
    Ok(json!({"handling_events": []}).into())
}

pub(super) fn tag(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = tagged_conversation(workspace, call.param("id"))?;
    let fields = Fields::parse(call.body)?;
    let tag_id = fields.required_id("id")?;
    let admin_id = fields.admin(workspace)?;
    let tag_id = tag_id.parse().map_err(|_| ApiError::no_tag())?;
    let tag = workspace.tag(id, tag_id, admin_id)?;
    Ok(render::applied_tag(&tag).into())
}

pub(super) fn untag(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = tagged_conversation(workspace, call.param("id"))?;
    let admin_id = Fields::parse(call.body)?.admin(workspace)?;
    let tag_id = call.param("tag_id").parse().map_err(|_| ApiError::no_tag())?;
    let tag = workspace.untag(id, tag_id, admin_id)?;
    Ok(render::applied_tag(&tag).into())
}

/// The tag operations have their own words for a conversation that is not there.
fn tagged_conversation(workspace: &Workspace, id: &str) -> Answer<u64> {
    id.parse()
        .ok()
        .filter(|id| workspace.conversations.contains_key(id))
        .ok_or_else(|| ApiError::not_found("Conversation not found"))
}

pub(super) fn redact(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let kind = fields.required_text("type")?;
    let number = |text: String| text.parse().map_err(|_| ApiError::no_part());
    let id = number(fields.required_id("conversation_id")?)?;
    match kind {
        "conversation_part" => {
            let part_id = number(fields.required_id("conversation_part_id")?)?;
            workspace.redact_part(id, part_id)?;
        }
        "source" => {
            let source_id = number(fields.required_id("source_id")?)?;
            workspace.redact_source(id, source_id)?;
        }
        _ => {
            return Err(ApiError::invalid_field("type", "type must be conversation_part or source"));
        }
    }
    whole(call, workspace, id)
}

/// The conversation after a change.
pub(super) fn whole(call: &Call<'_>, workspace: &Workspace, id: u64) -> Answer<Reply> {
    let conversation = workspace.conversation(id)?;
    Ok(Reply::json(texts::whole_conversation(workspace, conversation, call.style())))
}
