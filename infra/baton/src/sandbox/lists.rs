//! The lists that the page shows: conversations as rows, people, workspaces.
//!
//! Rows are small and come a screen or two at a time, newest change first, so that 20,000
//! conversations are listed as quickly as 20. These are the page's own shapes, not Intercom's.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::control::{Reply, done, workspace};
use super::model::{Author, Contact, Conversation, Part, State as Condition};
use super::text::{self, Links};
use super::workspace::Workspace;

/// Rows of one answer, unless asked otherwise.
const ROWS: usize = 60;
const MOST_ROWS: usize = 200;
/// How much of a message a row shows.
const PREVIEW_CHARS: usize = 140;

/// Which conversations are asked for. What is absent does not narrow.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// `all`, `unassigned`, `admin:ID` or `team:ID`.
    view: Option<String>,
    /// `open`, `snoozed` or `closed`.
    state: Option<String>,
    contact_id: Option<String>,
    /// Words of a message, a name, an address, a tag, or an id.
    q: Option<String>,
    /// The `next` of the answer before.
    after: Option<String>,
    limit: Option<usize>,
}

/// `GET /_sandbox/workspaces`
pub(crate) async fn workspaces(State(shared): State<Arc<Shared>>) -> Reply {
    let list: Vec<Value> = shared
        .workspaces
        .keys()
        .filter_map(|app_id| shared.workspace(app_id))
        .map(|one| json!({"app_id": one.app_id, "name": one.name, "region": one.region}))
        .collect();
    done(json!({"workspaces": list, "run": shared.feed().run(), "bot": shared.platform.is_some()}))
}

/// `GET /_sandbox/{app_id}/directory`
pub(crate) async fn directory(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>) -> Reply {
    let bots: Vec<u64> = shared.tokens.admin_ids(&app_id);
    let workspace = workspace(&shared, &app_id)?;
    let admins: Vec<Value> = workspace
        .admins
        .values()
        .map(|one| {
            json!({
                "id": one.id.to_string(),
                "name": one.name,
                "email": one.email,
                "has_inbox_seat": one.has_inbox_seat,
                "away_mode_enabled": one.away_mode_enabled,
                "is_bot": bots.contains(&one.id),
                "team_ids": one.team_ids.iter().map(u64::to_string).collect::<Vec<_>>(),
            })
        })
        .collect();
    let teams: Vec<Value> =
        workspace.teams.values().map(|one| json!({"id": one.id.to_string(), "name": one.name})).collect();
    let tags: Vec<Value> =
        workspace.tags.iter().map(|(id, name)| json!({"id": id.to_string(), "name": name})).collect();
    done(json!({
        "app_id": workspace.app_id,
        "name": workspace.name,
        "region": workspace.region,
        "operator_id": workspace.operator_id.to_string(),
        "now": workspace.clock.now(),
        "admins": admins,
        "teams": teams,
        "tags": tags,
        "contact_count": workspace.contacts.len(),
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct People {
    q: Option<String>,
    limit: Option<usize>,
}

/// `GET /_sandbox/{app_id}/people`: customers, those first whom something was heard of last.
pub(crate) async fn people(
    State(shared): State<Arc<Shared>>,
    Path(app_id): Path<String>,
    Query(asked): Query<People>,
) -> Reply {
    let workspace = workspace(&shared, &app_id)?;
    let needle = asked.q.unwrap_or_default().trim().to_lowercase();
    let heard = |one: &Contact| one.last_replied_at.or(one.last_seen_at).unwrap_or(one.created_at);
    let mut found: Vec<&Contact> =
        workspace.contacts.values().filter(|one| needle.is_empty() || contact_has(one, &needle)).collect();
    found.sort_by(|a, b| heard(b).cmp(&heard(a)).then_with(|| a.id.cmp(&b.id)));
    let limit = asked.limit.unwrap_or(ROWS).min(MOST_ROWS);
    let shown: Vec<Value> = found.iter().take(limit).map(|one| person(one)).collect();
    done(json!({"people": shown, "total": found.len()}))
}

/// A customer as the page names one.
pub(crate) fn person(one: &Contact) -> Value {
    json!({"id": one.id, "name": one.name, "email": one.email, "role": one.role, "external_id": one.external_id})
}

/// `GET /_sandbox/{app_id}/rows`
pub(crate) async fn rows(
    State(shared): State<Arc<Shared>>,
    Path(app_id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Reply {
    let workspace = workspace(&shared, &app_id)?;
    done(listed(&workspace, &wanted))
}

fn listed(workspace: &Workspace, wanted: &Wanted) -> Value {
    let needle = wanted.q.as_deref().unwrap_or_default().trim().to_lowercase();
    let mut counts = Counts::default();
    let mut found: Vec<&Conversation> = Vec::new();
    for one in workspace.conversations.values() {
        if wanted.state.as_deref().is_some_and(|state| state != one.state.name()) {
            continue;
        }
        counts.add(one);
        if wanted.admits(one) && (needle.is_empty() || has(workspace, one, &needle)) {
            found.push(one);
        }
    }
    let total = found.len();
    let place = |one: &Conversation| (one.updated_at, one.id);
    if let Some(last) = wanted.after.as_deref().and_then(cursor) {
        found.retain(|one| place(one) < last);
    }
    let limit = wanted.limit.unwrap_or(ROWS).clamp(1, MOST_ROWS);
    let more = found.len() > limit;
    if more {
        // Only what is shown has to be in order.
        found.select_nth_unstable_by(limit, |a, b| place(b).cmp(&place(a)));
        found.truncate(limit);
    }
    found.sort_unstable_by_key(|one| Reverse(place(one)));
    let next = found.last().filter(|_| more).map(|one| format!("{}.{}", one.updated_at, one.id));
    json!({
        "rows": found.iter().map(|one| row(workspace, one)).collect::<Vec<_>>(),
        "next": next,
        "total": total,
        "counts": counts.json(),
    })
}

fn cursor(text: &str) -> Option<(u64, u64)> {
    let (updated_at, id) = text.split_once('.')?;
    Some((updated_at.parse().ok()?, id.parse().ok()?))
}

impl Wanted {
    fn admits(&self, one: &Conversation) -> bool {
        let of_contact = self.contact_id.as_ref().is_none_or(|id| one.contact_ids.contains(id));
        let in_view = match self.view.as_deref().map(|view| view.split_once(':').unwrap_or((view, ""))) {
            None | Some(("all", _)) => true,
            Some(("admin", id)) => one.admin_assignee.is_some_and(|admin| admin.to_string() == id),
            Some(("team", id)) => one.team_assignee.is_some_and(|team| team.to_string() == id),
            Some(("unassigned", _)) => one.admin_assignee.is_none() && one.team_assignee.is_none(),
            Some(_) => false,
        };
        of_contact && in_view
    }
}

/// How many conversations each view has.
#[derive(Debug, Default)]
struct Counts {
    all: usize,
    unassigned: usize,
    admins: BTreeMap<u64, usize>,
    teams: BTreeMap<u64, usize>,
}

impl Counts {
    fn add(&mut self, one: &Conversation) {
        self.all += 1;
        if one.admin_assignee.is_none() && one.team_assignee.is_none() {
            self.unassigned += 1;
        }
        if let Some(id) = one.admin_assignee {
            *self.admins.entry(id).or_default() += 1;
        }
        if let Some(id) = one.team_assignee {
            *self.teams.entry(id).or_default() += 1;
        }
    }

    fn json(&self) -> Value {
        let mut value = json!({"all": self.all, "unassigned": self.unassigned});
        for (id, count) in &self.admins {
            value[format!("admin:{id}")] = json!(count);
        }
        for (id, count) in &self.teams {
            value[format!("team:{id}")] = json!(count);
        }
        value
    }
}

/// Whether a conversation, or who takes part in it, has a text that is given in small letters.
fn has(workspace: &Workspace, one: &Conversation, needle: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(needle);
    let body = |html: &str| holds(&text::plain(html, Links::LabelOnly));
    one.id.to_string() == needle
        || one
            .contact_ids
            .iter()
            .filter_map(|id| workspace.contacts.get(id))
            .any(|contact| contact_has(contact, needle))
        || one.tags.iter().any(|tag| holds(&tag.name))
        || one.title.as_deref().is_some_and(holds)
        || body(&one.source.body)
        || one.parts.iter().any(|part| part.body.as_deref().is_some_and(body))
}

fn contact_has(one: &Contact, needle: &str) -> bool {
    one.id == needle
        || [&one.name, &one.email, &one.external_id]
            .into_iter()
            .flatten()
            .any(|text| text.to_lowercase().contains(needle))
}

/// A conversation as a row.
pub(crate) fn row(workspace: &Workspace, one: &Conversation) -> Value {
    let contact = one.contact_ids.first().and_then(|id| workspace.contacts.get(id));
    let last = one.parts.iter().rev().find(|part| part.body.is_some() || !part.attachments.is_empty());
    json!({
        "id": one.id.to_string(),
        "updated_at": one.updated_at,
        "created_at": one.created_at,
        "state": one.state.name(),
        "snoozed_until": one.snoozed_until.filter(|_| one.state == Condition::Snoozed),
        "waiting_since": one.waiting_since,
        "title": one.title,
        "contact": contact.map(person),
        "contact_ids": one.contact_ids,
        "admin_assignee_id": one.admin_assignee.map(|id| id.to_string()),
        "team_assignee_id": one.team_assignee.map(|id| id.to_string()),
        "tags": one.tags.iter().map(|tag| &tag.name).collect::<Vec<_>>(),
        "rating": one.rating.as_ref().map(|rating| rating.rating),
        "last": last.map_or_else(|| first_message(one), last_message),
        "seen": one.parts.iter().rev().find(|part| part.is_visible_to_customer())
            .map_or_else(|| first_message(one), last_message),
    })
}

fn first_message(one: &Conversation) -> Value {
    message(&one.source.author, Some(&one.source.body), one.source.attachments.len(), one.created_at, false)
}

fn last_message(part: &Part) -> Value {
    let note = part.part_type == super::model::PartType::Note;
    message(&part.author, part.body.as_deref(), part.attachments.len(), part.created_at, note)
}

fn message(author: &Author, body: Option<&str>, files: usize, at: u64, note: bool) -> Value {
    let text = text::plain(body.unwrap_or_default(), Links::LabelOnly);
    let text: String = text.chars().take(PREVIEW_CHARS).map(|c| if c.is_whitespace() { ' ' } else { c }).collect();
    json!({
        "by": author.kind.name(),
        "author_id": author.id,
        "name": author.name,
        "text": text,
        "files": files,
        "at": at,
        "note": note,
    })
}
