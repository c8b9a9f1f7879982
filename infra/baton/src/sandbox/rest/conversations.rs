//! Conversations over REST, all but what is said in them (`replies`).

use serde_json::{Value, json};

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{Conversation, Message, State};
use crate::sandbox::query::{Paging, Query};
use crate::sandbox::render::{self, Style};
use crate::sandbox::text;
use crate::sandbox::workspace::Workspace;

/// What conversations can be searched by, besides custom attributes.
const CONVERSATION_FIELDS: [&str; 12] = [
    "id",
    "created_at",
    "updated_at",
    "open",
    "state",
    "read",
    "admin_assignee_id",
    "team_assignee_id",
    "contact_ids",
    "teammate_ids",
    "tag_ids",
    "waiting_since",
];
/// How many conversations a page has when nothing is asked.
const CONVERSATIONS_PER_PAGE: usize = 20;

/// The number in a path; what is not one names no conversation.
pub(super) fn conversation_id(text: &str) -> Answer<u64> {
    text.parse().map_err(|_| ApiError::no_resource())
}

/// A contact starts a conversation. The answer is the message, not the conversation.
pub(super) fn create(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let from = fields.object("from")?.ok_or_else(|| ApiError::missing("from"))?;
    let contact_id = from.required_id("id")?;
    if !matches!(from.required_text("type")?, "user" | "lead" | "contact") {
        return Err(ApiError::invalid_field("type", "from.type must be user, lead or contact"));
    }
    let body = fields.required_text("body")?;
    workspace.contact_author(&contact_id)?;
    let message = Message {
        // HTML is documented as unsupported here, so that it is only text.
        body: Some(text::stored_from_messenger(body)),
        attachments: fields.attachments(workspace, call.base_url)?,
        created_at: fields.number("created_at")?,
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

pub(super) fn get(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let conversation = workspace.conversation(conversation_id(call.param("id"))?)?;
    Ok(render::whole_conversation(workspace, conversation, call.style()).into())
}

pub(super) fn list(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let per_page = match call.query("per_page") {
        None => None,
        Some(text) => {
            Some(text.parse().map_err(|_| ApiError::invalid_field("per_page", "per_page must be a whole number"))?)
        }
    };
    let cursor = call.query("starting_after");
    let paging = Paging::new(per_page, cursor, CONVERSATIONS_PER_PAGE)?;
    Ok(page(call, workspace, &paging, |_| true).into())
}

pub(super) fn search(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let query = Query::parse(fields.required("query")?, &CONVERSATION_FIELDS)?;
    let paging = match &fields.object("pagination")? {
        None => Paging::new(None, None, CONVERSATIONS_PER_PAGE)?,
        Some(asked) => Paging::new(asked.number("per_page")?, asked.text("starting_after")?, CONVERSATIONS_PER_PAGE)?,
    };
    let wanted = |one: &Conversation| query.matches(&|field| conversation_field(one, field));
    Ok(page(call, workspace, &paging, wanted).into())
}

/// A page of conversations without their parts, last changed first.
fn page(call: &Call<'_>, workspace: &Workspace, paging: &Paging, wanted: impl Fn(&Conversation) -> bool) -> Value {
    let all = workspace.conversations.values();
    let mut found: Vec<&Conversation> = all.filter(|one| wanted(one)).collect();
    found.sort_by_key(|one| std::cmp::Reverse((one.updated_at, one.id)));
    let (page, pages) = paging.cut(&found, |one| one.id.to_string());
    let conversations: Vec<Value> = page.iter().map(|one| render::list_item(workspace, one, call.style())).collect();
    json!({
        "type": "conversation.list",
        "pages": pages,
        "total_count": found.len(),
        "conversations": conversations,
    })
}

fn conversation_field(one: &Conversation, field: &str) -> Vec<Value> {
    let ids = |ids: &mut dyn Iterator<Item = String>| ids.map(Value::String).collect();
    // Unassigned is null in some versions and 0 in others; a search finds it as either.
    let assignee = |id: Option<u64>| match id {
        Some(id) => vec![json!(id)],
        None => vec![Value::Null, json!(0)],
    };
    match field {
        "id" => vec![json!(one.id)],
        "created_at" => vec![json!(one.created_at)],
        "updated_at" => vec![json!(one.updated_at)],
        "waiting_since" => vec![json!(one.waiting_since)],
        "open" => vec![json!(one.state != State::Closed)],
        "state" => vec![json!(one.state.name())],
        "read" => vec![json!(one.read)],
        "admin_assignee_id" => assignee(one.admin_assignee),
        "team_assignee_id" => assignee(one.team_assignee),
        "contact_ids" => ids(&mut one.contact_ids.iter().cloned()),
        "teammate_ids" => ids(&mut one.teammates.iter().map(u64::to_string)),
        "tag_ids" => ids(&mut one.tags.iter().map(|tag| tag.id.to_string())),
        other => other
            .strip_prefix("custom_attributes.")
            .and_then(|name| one.custom_attributes.get(name))
            .cloned()
            .into_iter()
            .collect(),
    }
}

/// Sets `read` and, as far as the version has them, the title and custom attributes. Members
/// that the version does not have are ignored, as unknown members are.
pub(super) fn update(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = conversation_id(call.param("id"))?;
    workspace.conversation(id)?;
    let fields = Fields::parse(call.body)?;
    let read = fields.flag("read")?;
    let title = fields.text("title")?;
    if let (Some(attributes), true) = (fields.object("custom_attributes")?, call.version.has_updatable_attributes()) {
        workspace.set_attributes(id, attributes.into_map(), call.via())?;
    }
    let conversation = workspace.conversation_mut(id)?;
    if let Some(read) = read {
        conversation.read = read;
    }
    if let (Some(title), true) = (title, call.version.has_updatable_title()) {
        conversation.title = Some(title.to_owned());
    }
    whole(call, workspace, id)
}

pub(super) fn delete(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = conversation_id(call.param("id"))?;
    workspace.delete(id)?;
    Ok(json!({"id": id.to_string(), "object": "conversation", "deleted": true}).into())
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
    let style: Style = call.style();
    Ok(render::whole_conversation(workspace, conversation, style).into())
}
