//! The control API below `/_sandbox`: the hands of the people in a workspace.
//!
//! The table of its endpoints is in the module above. What it takes and answers is the
//! sandbox's own and no part of Intercom; errors are `{"error": "…"}` for people to read.

mod access;
mod customers;
mod logs;
mod merges;
mod sent_messages;
mod webhooks;
mod workflows;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::actions::ReplyKind;
use super::error::ApiError;
use super::faults::Order;
use super::model::{Assignee, Attachment, ContactBy, Message};
use super::render::{self, Style};
use super::rest::fields::attachment_at;
use super::rest::routes as operations_table;
use super::text;
use super::workspace::Workspace;
use super::{Shared, WorkspaceGuard, hands, lists, live, page, platform, timeline};

/// The largest control request.
const BODY_LIMIT_BYTES: usize = 8 * 1024 * 1024;
/// How long a snooze is when nothing is said: an hour.
const SNOOZE_SECONDS: u64 = 3_600;
/// The furthest that the time is moved at once: a year.
const LONGEST_MOVE_SECONDS: u64 = 365 * 86_400;

/// The routes, to be nested at `/_sandbox`.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    let conversation = Router::new()
        .route("/", get(show).delete(remove))
        .route("/events", get(events))
        .route("/customer", post(customers::write))
        .route("/read", post(customers::read))
        .route("/participants", post(customers::attach))
        .route("/participants/{contact_id}", delete(customers::detach))
        .route("/teammate", post(teammate))
        .route("/operator", post(workflows::operator))
        .route("/rating", post(rating))
        .route("/redact", post(redact))
        .route("/tag", post(tag));
    let conversation = conversation.route("/untag", post(hands::untag)).route("/timeline", get(timeline::show));
    Router::new()
        .route("/page/{name}", get(page::file))
        .route("/workspaces", get(lists::workspaces))
        .route("/{app_id}/directory", get(lists::directory))
        .route("/{app_id}/people", get(lists::people))
        .route("/{app_id}/rows", get(lists::rows))
        .route("/{app_id}/live", get(live::stream))
        .route("/{app_id}/files", post(hands::upload))
        .route("/{app_id}/contacts", post(hands::new_contact))
        .route("/{app_id}/admins/{id}/away", post(hands::away))
        .route("/trace", post(hands::trace))
        .route("/bot/{*path}", get(platform::pass_on).post(platform::pass_on))
        .route("/health", get(health))
        .route("/operations", get(operations))
        .merge(logs::routes())
        .merge(access::routes())
        .route("/faults", get(faults).post(add_fault).delete(clear_faults))
        .route("/faults/{id}", delete(remove_fault))
        .route("/reset", post(reset))
        .route("/clock", get(time).post(move_time))
        .merge(webhooks::routes())
        .merge(super::oauth::control_routes())
        .merge(sent_messages::routes())
        .merge(merges::routes())
        .route("/{app_id}/files/{file}", get(file))
        .route("/{app_id}/conversations", post(customers::start))
        .route("/{app_id}/automation", get(workflows::show).post(workflows::set))
        .nest("/{app_id}/conversations/{id}", conversation)
        .merge(super::scenario::routes())
        .fallback(async || refuse(StatusCode::NOT_FOUND, "there is no such control endpoint"))
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
}

/// A refusal in words.
pub(crate) struct Refusal(StatusCode, String);

pub(crate) type Reply = Result<Response, Refusal>;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        with_status(self.0, json!({"error": self.1}))
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        let body = error.body("");
        let message = body["errors"][0]["message"].as_str().unwrap_or_default();
        Self(error.status, message.to_owned())
    }
}

pub(crate) fn refuse(status: StatusCode, message: impl Into<String>) -> Refusal {
    Refusal(status, message.into())
}

pub(crate) fn done(value: Value) -> Reply {
    Ok(with_status(StatusCode::OK, value))
}

fn with_status(status: StatusCode, value: Value) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    (status, json, value.to_string()).into_response()
}

pub(crate) fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| refuse(StatusCode::BAD_REQUEST, format!("the body: {error}")))
}

pub(crate) fn workspace<'a>(shared: &'a Shared, app_id: &str) -> Result<WorkspaceGuard<'a>, Refusal> {
    shared.workspace(app_id).ok_or_else(|| refuse(StatusCode::NOT_FOUND, format!("there is no workspace {app_id:?}")))
}

/// An id as a number or as text, as both are natural to write.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Id {
    Number(u64),
    Text(String),
}

impl Id {
    pub(crate) fn number(&self) -> Result<u64, Refusal> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Text(text) => {
                text.parse().map_err(|_| refuse(StatusCode::BAD_REQUEST, format!("{text:?} is not a decimal id")))
            }
        }
    }
}

/// An attachment as the control API takes it: an address alone, or with what is known.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum File {
    Address(String),
    Described { url: String, name: Option<String>, content_type: Option<String>, filesize: Option<u64> },
}

impl From<File> for Attachment {
    fn from(file: File) -> Self {
        match file {
            File::Address(url) => attachment_at(&url),
            File::Described { url, name, content_type, filesize } => {
                let known = attachment_at(&url);
                Self {
                    name: name.unwrap_or(known.name),
                    content_type: content_type.unwrap_or(known.content_type),
                    filesize: filesize.unwrap_or(known.filesize),
                    url,
                }
            }
        }
    }
}

fn typed(body: &str, attachments: Vec<File>) -> Message {
    Message {
        body: (!body.is_empty()).then(|| text::stored_from_messenger(body)),
        attachments: attachments.into_iter().map(Attachment::from).collect(),
        ..Message::default()
    }
}

#[derive(Debug, Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn health(State(shared): State<Arc<Shared>>) -> Reply {
    let data = shared.saving.as_ref();
    let data = data.map(|saving| json!({"directory": saving.directory(), "problem": saving.problem()}));
    done(json!({"status": "ok", "data": data}))
}

async fn operations() -> Reply {
    done(json!({"operations": operations_table::list()}))
}

async fn add_fault(State(shared): State<Arc<Shared>>, body: Bytes) -> Reply {
    let order: Order = parse(&body)?;
    let added = shared.faults.add(order, shared.clock.now_ms());
    let id = added.map_err(|problem| refuse(StatusCode::BAD_REQUEST, problem))?;
    done(json!({"id": id}))
}

async fn faults(State(shared): State<Arc<Shared>>) -> Reply {
    done(json!({"faults": shared.faults.shown()}))
}

async fn remove_fault(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Reply {
    if !shared.faults.remove(id) {
        return Err(refuse(StatusCode::NOT_FOUND, format!("there is no fault {id}")));
    }
    done(json!({"status": "ok"}))
}

async fn clear_faults(State(shared): State<Arc<Shared>>) -> Reply {
    shared.faults.clear();
    done(json!({"status": "ok"}))
}

async fn reset(State(shared): State<Arc<Shared>>) -> Reply {
    shared.reset();
    done(json!({"status": "ok"}))
}

async fn file(State(shared): State<Arc<Shared>>, Path((app_id, file)): Path<(String, u64)>) -> Reply {
    let workspace = workspace(&shared, &app_id)?;
    let (content_type, bytes) =
        workspace.files.get(&file).ok_or_else(|| refuse(StatusCode::NOT_FOUND, "there is no such file"))?;
    Ok(page::uploaded(content_type, bytes.clone()))
}

/// The contact of that name; a new lead when there is none, or no name.
pub(crate) fn contact_named(workspace: &mut Workspace, name: Option<String>) -> String {
    let known = name.clone().map(|name| workspace.contacts.all_by(&ContactBy::Name(name)));
    if let Some(known) = known.unwrap_or_default().first() {
        return known.id.clone();
    }
    workspace.new_lead(name, None)
}

async fn time(State(shared): State<Arc<Shared>>) -> Reply {
    done(json!({"now": shared.clock.now(), "ahead_seconds": shared.clock.ahead().as_secs()}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance_seconds: u64,
}

async fn move_time(State(shared): State<Arc<Shared>>, body: Bytes) -> Reply {
    let asked: Advance = parse(&body)?;
    if asked.advance_seconds > LONGEST_MOVE_SECONDS {
        return Err(refuse(StatusCode::BAD_REQUEST, format!("advance_seconds is at most {LONGEST_MOVE_SECONDS}")));
    }
    shared.clock.advance(Duration::from_secs(asked.advance_seconds));
    time(State(shared)).await
}

pub(crate) type InConversation = Path<(String, u64)>;

async fn show(State(shared): State<Arc<Shared>>, Path((app_id, id)): InConversation) -> Reply {
    let workspace = workspace(&shared, &app_id)?;
    let conversation = workspace.conversation(id)?;
    let parts: Vec<_> = conversation.parts.iter().collect();
    let style = Style::control();
    let mut value = render::conversation(&workspace, conversation, &parts, style);
    value["row"] = lists::row(&workspace, conversation);
    value["seen_by_customer"] = render::seen_by_customer(conversation);
    value["notified"] = conversation
        .parts
        .iter()
        .filter(|part| part.is_for_customer() && !part.author.kind.is_contact())
        .map(|part| (part.id.to_string(), json!(part.notified.name())))
        .collect();
    done(value)
}

async fn remove(State(shared): State<Arc<Shared>>, Path((app_id, id)): InConversation) -> Reply {
    workspace(&shared, &app_id)?.delete(id, true)?;
    done(json!({"deleted": true}))
}

async fn events(
    State(shared): State<Arc<Shared>>,
    Path((app_id, id)): InConversation,
    Query(asked): Query<After>,
) -> Reply {
    let workspace = workspace(&shared, &app_id)?;
    let start = workspace.events.partition_point(|e| e.n <= asked.after);
    let events: Vec<Value> = workspace
        .events
        .range(start..)
        .filter(|event| event.conversation_id == id)
        .map(|event| event.entry.clone())
        .collect();
    done(json!({"events": events}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Teammate {
    admin_id: Id,
    action: Action,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    assignee: Option<To>,
    #[serde(default)]
    snoozed_until: Option<u64>,
    /// Files of a reply.
    #[serde(default)]
    attachments: Vec<File>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Reply,
    Note,
    Assign,
    Close,
    Open,
    Snooze,
    Unsnooze,
    Priority,
    #[serde(rename = "no_priority")]
    NoPriority,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum To {
    Admin { id: Id },
    Team { id: Id },
    Nobody,
}

impl To {
    fn assignee(&self) -> Result<Assignee, Refusal> {
        Ok(match self {
            Self::Admin { id } => Assignee::Admin(id.number()?),
            Self::Team { id } => Assignee::Team(id.number()?),
            Self::Nobody => Assignee::Nobody,
        })
    }
}

async fn teammate(State(shared): State<Arc<Shared>>, Path((app_id, id)): InConversation, body: Bytes) -> Reply {
    let asked: Teammate = parse(&body)?;
    let mut workspace = workspace(&shared, &app_id)?;
    let admin_id = asked.admin_id.number()?;
    let body = asked.body.filter(|body| !body.is_empty());
    let body = body.map(|body| text::stored_from_api(&body));
    let needed = |what: &str| refuse(StatusCode::BAD_REQUEST, format!("{what} is needed"));
    let part_id = match asked.action {
        Action::Reply | Action::Note => {
            let kind = match asked.action {
                Action::Note => ReplyKind::Note,
                _ => ReplyKind::Comment,
            };
            let attachments: Vec<_> = asked.attachments.into_iter().map(Attachment::from).collect();
            if body.is_none() && attachments.is_empty() {
                return Err(needed("body"));
            }
            let message = Message { body, attachments, ..Message::default() };
            workspace.admin_reply(id, admin_id, kind, message, None)?
        }
        Action::Assign => {
            let assignee = asked.assignee.ok_or_else(|| needed("assignee"))?.assignee()?;
            workspace.assign(id, admin_id, assignee, body, None)?
        }
        Action::Priority => workspace.set_priority(id, admin_id, true)?,
        Action::NoPriority => workspace.set_priority(id, admin_id, false)?,
        Action::Close => workspace.close(id, admin_id, body, None)?,
        Action::Open | Action::Unsnooze => workspace.open(id, admin_id, None)?,
        Action::Snooze => {
            let later = || workspace.clock.now() + SNOOZE_SECONDS;
            let until = asked.snoozed_until.unwrap_or_else(later);
            workspace.snooze(id, admin_id, until, None)?
        }
    };
    done(json!({"part_id": part_id.to_string()}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rated {
    rating: u8,
    #[serde(default)]
    remark: Option<String>,
}

async fn rating(State(shared): State<Arc<Shared>>, Path((app_id, id)): InConversation, body: Bytes) -> Reply {
    let asked: Rated = parse(&body)?;
    workspace(&shared, &app_id)?.rate(id, asked.rating, asked.remark)?;
    done(json!({"status": "ok"}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Redact {
    part_id: Id,
}

/// Redacts a part, or the first message when its id is given.
async fn redact(State(shared): State<Arc<Shared>>, Path((app_id, id)): InConversation, body: Bytes) -> Reply {
    let asked: Redact = parse(&body)?;
    let part_id = asked.part_id.number()?;
    let mut workspace = workspace(&shared, &app_id)?;
    if workspace.conversation(id)?.source.id == part_id {
        workspace.redact_source(id, part_id)?;
    } else {
        workspace.redact_part(id, part_id)?;
    }
    done(json!({"status": "ok"}))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagIt {
    name: String,
    admin_id: Id,
}

async fn tag(State(shared): State<Arc<Shared>>, Path((app_id, id)): InConversation, body: Bytes) -> Reply {
    let asked: TagIt = parse(&body)?;
    let admin_id = asked.admin_id.number()?;
    let mut workspace = workspace(&shared, &app_id)?;
    let tag_id = workspace.tag_named(&asked.name);
    let tag = workspace.tag(id, tag_id, admin_id)?;
    done(render::applied_tag(&tag))
}
