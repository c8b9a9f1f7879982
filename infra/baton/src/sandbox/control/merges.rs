//! Merging contacts by hand, as the inbox does with duplicates of any role.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::super::Shared;
use super::{Reply, done, parse, refuse, workspace};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/{app_id}/contacts/{id}/merge", post(merge))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Merge {
    into: String,
}

async fn merge(State(shared): State<Arc<Shared>>, Path((app_id, id)): Path<(String, String)>, body: Bytes) -> Reply {
    let asked: Merge = parse(&body)?;
    if asked.into == id {
        return Err(refuse(StatusCode::BAD_REQUEST, "a contact cannot be merged into itself"));
    }
    workspace(&shared, &app_id)?.merge_contacts(&id, &asked.into)?;
    done(json!({"status": "ok"}))
}
