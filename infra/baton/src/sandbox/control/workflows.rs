//! What happens without a teammate: the operator's and Fin's deeds, and the automation.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;

use super::{InConversation, Reply, To, done, parse, refuse, workspace};
use crate::sandbox::Shared;
use crate::sandbox::automation::Automation;
use crate::sandbox::model::{Assignee, Message};
use crate::sandbox::render;
use crate::sandbox::text;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Operator {
    #[serde(default)]
    action: Action,
    #[serde(default)]
    body: String,
    #[serde(default)]
    from_ai_agent: bool,
    #[serde(default)]
    assignee: Option<To>,
    #[serde(default)]
    tag: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    #[default]
    Reply,
    Assign,
    Close,
    Tag,
    HandOver,
}

pub(super) async fn operator(
    State(shared): State<Arc<Shared>>,
    Path((app_id, id)): InConversation,
    body: Bytes,
) -> Reply {
    let asked: Operator = parse(&body)?;
    let stored = (!asked.body.is_empty()).then(|| text::stored_from_api(&asked.body));
    let message = stored.map(|body| Message { body: Some(body), ..Message::default() });
    let assignee = asked.assignee.as_ref().map(To::assignee).transpose()?;
    let needed = |what: &str| refuse(StatusCode::BAD_REQUEST, format!("{what} is needed"));
    let mut workspace = workspace(&shared, &app_id)?;
    let part_id = match asked.action {
        Action::Reply => workspace.operator_reply(id, message.ok_or_else(|| needed("body"))?, asked.from_ai_agent)?,
        Action::Assign => workspace.assign_by_operator(id, assignee.ok_or_else(|| needed("assignee"))?, message)?,
        Action::Close => workspace.close_by_operator(id, message)?,
        Action::HandOver => workspace.hand_over(id, assignee.unwrap_or(Assignee::Nobody), message)?,
        Action::Tag => {
            let tag = workspace.tag_by_operator(id, &asked.tag.ok_or_else(|| needed("tag"))?)?;
            return done(render::applied_tag(&tag));
        }
    };
    done(json!({"part_id": part_id.to_string()}))
}

pub(super) async fn show(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>) -> Reply {
    done(json!(workspace(&shared, &app_id)?.automation))
}

/// Puts another automation in the place of the present one.
pub(super) async fn set(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, body: Bytes) -> Reply {
    let asked: Automation = parse(&body)?;
    let mut workspace = workspace(&shared, &app_id)?;
    workspace.automate(asked)?;
    done(json!(workspace.automation))
}
