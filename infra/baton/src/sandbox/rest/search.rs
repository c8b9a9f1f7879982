//! Lists of conversations: all of them, those that a search finds, those that were deleted.
//!
//! All fields of the description can be searched by; a field that it does not have is refused.
//! Lists and searches show the conversations without their parts, as Intercom's do.

use std::cmp::Reverse;

use serde_json::{Value, json};

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{Conversation, ConversationBy, State};
use crate::sandbox::query::{Field, Kind, Paging, Query, Sort};
use crate::sandbox::render::{self, Style};
use crate::sandbox::text::{self, Links};
use crate::sandbox::workspace::Workspace;

/// How many conversations a page has when nothing is asked.
const PER_PAGE: usize = 20;
/// How many deleted ones a page may have.
const DELETED_PER_PAGE: u64 = 60;

/// What conversations can be searched by, besides custom attributes.
#[rustfmt::skip]
const FIELDS: [Field; 53] = [
    ("id", Kind::Text),
    ("created_at", Kind::Date),
    ("updated_at", Kind::Date),
    ("source.type", Kind::Text),
    ("source.id", Kind::Text),
    ("source.delivered_as", Kind::Text),
    ("source.subject", Kind::Text),
    ("source.body", Kind::Words),
    ("source.author.id", Kind::Text),
    ("source.author.type", Kind::Text),
    ("source.author.name", Kind::Text),
    ("source.author.email", Kind::Text),
    ("source.url", Kind::Text),
    ("contact_ids", Kind::Text),
    ("teammate_ids", Kind::Text),
    ("admin_assignee_id", Kind::Integer),
    ("team_assignee_id", Kind::Integer),
    ("channel_initiated", Kind::Text),
    ("open", Kind::Flag),
    ("read", Kind::Flag),
    ("state", Kind::Text),
    ("waiting_since", Kind::Date),
    ("snoozed_until", Kind::Date),
    ("tag_ids", Kind::Text),
    ("priority", Kind::Text),
    ("statistics.time_to_assignment", Kind::Integer),
    ("statistics.time_to_admin_reply", Kind::Integer),
    ("statistics.time_to_first_close", Kind::Integer),
    ("statistics.time_to_last_close", Kind::Integer),
    ("statistics.median_time_to_reply", Kind::Integer),
    ("statistics.first_contact_reply_at", Kind::Date),
    ("statistics.first_assignment_at", Kind::Date),
    ("statistics.first_admin_reply_at", Kind::Date),
    ("statistics.first_close_at", Kind::Date),
    ("statistics.last_assignment_at", Kind::Date),
    ("statistics.last_assignment_admin_reply_at", Kind::Date),
    ("statistics.last_contact_reply_at", Kind::Date),
    ("statistics.last_admin_reply_at", Kind::Date),
    ("statistics.last_close_at", Kind::Date),
    ("statistics.last_closed_by_id", Kind::Text),
    ("statistics.count_reopens", Kind::Integer),
    ("statistics.count_assignments", Kind::Integer),
    ("statistics.count_conversation_parts", Kind::Integer),
    ("conversation_rating.replied_at", Kind::Date),
    ("conversation_rating.score", Kind::Integer),
    ("conversation_rating.remark", Kind::Text),
    ("conversation_rating.contact_id", Kind::Text),
    ("conversation_rating.admin_id", Kind::Text),
    ("ai_agent_participated", Kind::Flag),
    ("ai_agent.resolution_state", Kind::Text),
    ("ai_agent.last_answer_type", Kind::Text),
    ("ai_agent.source_type", Kind::Text),
    ("ai_agent.source_title", Kind::Text),
];

pub(super) fn list(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let paging = Paging::new(call.query_number("per_page")?, call.query("starting_after"), PER_PAGE)?;
    let total = workspace.conversations.len();
    let mut page = newest(workspace, &paging, paging.per_page() + 1);
    let more = page.len() > paging.per_page();
    page.truncate(paging.per_page());
    let pages = paging.pages(total, page.last().filter(|_| more).map(|one| one.id.to_string()));
    Ok(answered(call, workspace, &page, &pages, total).into())
}

/// So many of all conversations from where the page begins, last changed first.
fn newest<'a>(workspace: &'a Workspace, paging: &Paging, count: usize) -> Vec<&'a Conversation> {
    let all = &workspace.conversations;
    let index = all.index();
    let start = (ConversationBy::Update(0), 0);
    let entries = match paging.after() {
        None => index.range(start..),
        // One that is gone since ends the list.
        Some(cursor) => match cursor.parse().ok().and_then(|id: u64| all.get(&id)) {
            Some(one) => index.range(start..(ConversationBy::Update(one.updated_at), one.id)),
            None => return Vec::new(),
        },
    };
    entries.rev().take(count).filter_map(|(_, id)| all.get(id)).collect()
}

pub(super) fn search(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let query = Query::parse(fields.required("query")?, &FIELDS)?;
    let sort = fields.get("sort").map(|sort| Sort::parse(sort, &FIELDS)).transpose()?;
    let paging = match &fields.object("pagination")? {
        None => Paging::new(None, None, PER_PAGE)?,
        Some(asked) => Paging::new(asked.number("per_page")?, asked.text("starting_after")?, PER_PAGE)?,
    };
    let wanted = |one: &&Conversation| query.matches(&|field| values(workspace, one, field, call.style()));
    let all = &workspace.conversations;
    let mut found: Vec<&Conversation> = match query.one_of("contact_ids") {
        None => all.values().filter(wanted).collect(),
        Some(contacts) => {
            let of_contact = |id| all.all_by(&ConversationBy::Contact(id));
            contacts.into_iter().flat_map(of_contact).filter(wanted).collect()
        }
    };
    found.sort_unstable_by_key(|one| Reverse((one.updated_at, one.id)));
    found.dedup_by_key(|one| one.id);
    if let Some(sort) = sort {
        let key = |one: &Conversation| {
            let value = values(workspace, one, &sort.field, call.style()).into_iter().next();
            value.map(|value| (value.as_i64(), value.to_string()))
        };
        found.sort_by_cached_key(|one| key(one));
        if sort.descending {
            found.reverse();
        }
    }
    let (page, pages) = paging.cut(&found, |one| one.id.to_string());
    Ok(answered(call, workspace, page, &pages, found.len()).into())
}

/// Conversations without their parts.
fn answered(call: &Call<'_>, workspace: &Workspace, page: &[&Conversation], pages: &Value, total: usize) -> Value {
    let conversations: Vec<Value> = page.iter().map(|one| render::list_item(workspace, one, call.style())).collect();
    json!({
        "type": "conversation.list",
        "pages": pages,
        "total_count": total,
        "conversations": conversations,
    })
}

/// What a conversation has in a field. The usual ones are taken from the model, the others from
/// the conversation as it would be answered.
fn values(workspace: &Workspace, one: &Conversation, field: &str, style: Style) -> Vec<Value> {
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
        "snoozed_until" => vec![json!(one.snoozed_until)],
        "open" => vec![json!(one.state != State::Closed)],
        "state" => vec![json!(one.state.name())],
        "read" => vec![json!(one.read)],
        "admin_assignee_id" => assignee(one.admin_assignee),
        "team_assignee_id" => assignee(one.team_assignee),
        "contact_ids" => ids(&mut one.contact_ids.iter().cloned()),
        "teammate_ids" => ids(&mut one.teammates.iter().map(u64::to_string)),
        "tag_ids" => ids(&mut one.tags.iter().map(|tag| tag.id.to_string())),
        "source.body" => vec![json!(text::plain(&one.source.body, Links::LabelOnly))],
        "conversation_rating.score" => vec![json!(one.rating.as_ref().map(|rating| rating.rating))],
        "conversation_rating.replied_at" => vec![json!(one.rating.as_ref().map(|rating| rating.created_at))],
        "conversation_rating.contact_id" => vec![json!(one.rating.as_ref().and_then(|r| r.contact_id.clone()))],
        "conversation_rating.admin_id" => vec![json!(one.rating.as_ref().and_then(|r| r.admin_id))],
        "channel_initiated" => rendered(workspace, one, "source.type", style),
        other => match other.strip_prefix("custom_attributes.") {
            Some(name) => vec![one.custom_attributes.get(name).cloned().unwrap_or_default()],
            None => rendered(workspace, one, other, style),
        },
    }
}

fn rendered(workspace: &Workspace, one: &Conversation, field: &str, style: Style) -> Vec<Value> {
    let whole = render::list_item(workspace, one, style);
    let pointer = format!("/{}", field.replace('.', "/"));
    vec![whole.pointer(&pointer).cloned().unwrap_or_default()]
}

/// `GET /conversations/deleted`: by pages with numbers, the last deleted first.
pub(super) fn deleted(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let per_page = call.query_number("per_page")?.unwrap_or(PER_PAGE as u64);
    if !(1..=DELETED_PER_PAGE).contains(&per_page) {
        return Err(ApiError::invalid_field("per_page", "per_page is from 1 to 60"));
    }
    let page = call.query_number("page")?.unwrap_or(1).max(1);
    let ascending = match call.query("order") {
        None | Some("desc") => false,
        Some("asc") => true,
        Some(_) => return Err(ApiError::invalid_field("order", "order must be asc or desc")),
    };
    let mut all: Vec<Value> = workspace
        .deleted
        .iter()
        .map(|gone| {
            json!({
                "type": "conversation",
                "id": gone.id.to_string(),
                "metrics_retained": gone.metrics_retained,
                "deleted_at": gone.deleted_at,
            })
        })
        .collect();
    if !ascending {
        all.reverse();
    }
    let total = all.len();
    let pages = (total as u64).div_ceil(per_page);
    let skipped = usize::try_from((page - 1).saturating_mul(per_page)).unwrap_or(usize::MAX);
    let shown: Vec<Value> =
        all.into_iter().skip(skipped).take(usize::try_from(per_page).unwrap_or(usize::MAX)).collect();
    let order = if ascending { "asc" } else { "desc" };
    let next = (page < pages).then(|| {
        format!("{}/conversations/deleted?per_page={per_page}&order={order}&page={}", call.base_url, page + 1)
    });
    let pages = json!({"type": "pages", "next": next, "page": page, "per_page": per_page, "total_pages": pages});
    Ok(json!({"type": "conversations.list", "total_count": total, "pages": pages, "conversations": shown}).into())
}
