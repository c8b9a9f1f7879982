//! Messages that wait for an answer, by hand.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::super::Shared;
use super::super::model::Message;
use super::super::text;
use super::{Reply, done, parse, workspace};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/{app_id}/messages/{id}/answer", post(answer))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerTo {
    contact_id: String,
    body: String,
}

async fn answer(State(shared): State<Arc<Shared>>, Path((app_id, id)): Path<(String, u64)>, body: Bytes) -> Reply {
    let asked: AnswerTo = parse(&body)?;
    let message = Message { body: Some(text::stored_from_messenger(&asked.body)), ..Message::default() };
    let conversation_id = workspace(&shared, &app_id)?.answer_message(id, &asked.contact_id, message)?;
    done(json!({"conversation_id": conversation_id.to_string()}))
}
