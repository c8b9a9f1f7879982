//! More hands of the people in a workspace, which the page needs: files, people, tags off, away.
//!
//! Like `control`, whose endpoints these stand beside; the table of them all is in the module
//! above.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::control::{Id, InConversation, Reply, contact_named, done, parse, refuse, workspace};
use super::feed::Subject;
use super::lists::person;
use super::render;
use super::rest::fields::keep_file;
use super::seed::Role;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewContact {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    role: Option<Role>,
}

/// `POST /_sandbox/{app_id}/contacts`: another customer; a lead when nothing is said.
pub(crate) async fn new_contact(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, body: Bytes) -> Reply {
    let asked: NewContact = parse(&body)?;
    let mut workspace = workspace(&shared, &app_id)?;
    let id = contact_named(&mut workspace, None);
    let contact = workspace.contacts.get_mut(&id).ok_or_else(|| refuse(StatusCode::NOT_FOUND, "it is gone"))?;
    contact.name = asked.name.filter(|name| !name.trim().is_empty());
    contact.email = asked.email.filter(|email| !email.trim().is_empty());
    contact.role = asked.role.unwrap_or(contact.role);
    if asked.external_id.is_some() {
        contact.external_id = asked.external_id;
    }
    done(person(contact))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Away {
    away_mode_enabled: bool,
}

/// `POST /_sandbox/{app_id}/admins/{id}/away`
pub(crate) async fn away(
    State(shared): State<Arc<Shared>>,
    Path((app_id, id)): Path<(String, u64)>,
    body: Bytes,
) -> Reply {
    let asked: Away = parse(&body)?;
    let mut workspace = workspace(&shared, &app_id)?;
    let admin =
        workspace.admins.get_mut(&id).ok_or_else(|| refuse(StatusCode::NOT_FOUND, "there is no such teammate"))?;
    admin.away_mode_enabled = asked.away_mode_enabled;
    done(json!({"away_mode_enabled": admin.away_mode_enabled}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    name: String,
}

/// `POST /_sandbox/{app_id}/files?name=N`: the body is the file. The answer can be an
/// attachment of a message.
pub(crate) async fn upload(
    State(shared): State<Arc<Shared>>,
    Path(app_id): Path<String>,
    Query(named): Query<Named>,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or("application/octet-stream");
    let filesize = body.len();
    let mut workspace = workspace(&shared, &app_id)?;
    let id = keep_file(&mut workspace, content_type, body.to_vec());
    let url = format!("{}/_sandbox/{app_id}/files/{id}", shared.base_url);
    done(json!({"url": url, "name": named.name, "content_type": content_type, "filesize": filesize}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagOff {
    name: String,
    admin_id: Id,
}

/// `POST …/{id}/untag`
pub(crate) async fn untag(State(shared): State<Arc<Shared>>, Path((app_id, id)): InConversation, body: Bytes) -> Reply {
    let asked: TagOff = parse(&body)?;
    let admin_id = asked.admin_id.number()?;
    let mut workspace = workspace(&shared, &app_id)?;
    let tags = &workspace.conversation(id)?.tags;
    let tag_id = tags.iter().find(|tag| tag.name.eq_ignore_ascii_case(&asked.name)).map(|tag| tag.id);
    let tag_id = tag_id.ok_or_else(|| refuse(StatusCode::NOT_FOUND, "it has no such tag"))?;
    let tag = workspace.untag(id, tag_id, admin_id)?;
    done(render::applied_tag(&tag))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    steps: Vec<Value>,
}

/// `POST /_sandbox/trace`: what a bridge says about its decisions, all steps or none.
pub(crate) async fn trace(State(shared): State<Arc<Shared>>, body: Bytes) -> Reply {
    let asked: Steps = parse(&body)?;
    let places = shared.traces.add(asked.steps).map_err(|problem| refuse(StatusCode::BAD_REQUEST, problem))?;
    for (app_id, id) in places {
        shared.feed().changed(&app_id, Subject::Steps(id));
    }
    done(json!({"status": "ok"}))
}
