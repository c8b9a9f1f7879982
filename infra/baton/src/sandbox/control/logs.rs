//! The two logs: what was asked of the REST API, and which webhooks were tried.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::get;
use serde_json::json;

use super::super::Shared;
use super::super::journal::Wanted;
use super::{Reply, done};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new().route("/requests", get(requests)).route("/deliveries", get(deliveries))
}

async fn requests(State(shared): State<Arc<Shared>>, Query(wanted): Query<Wanted>) -> Reply {
    let (requests, last) = shared.journal.requests(&wanted);
    done(json!({"requests": requests, "last": last}))
}

async fn deliveries(State(shared): State<Arc<Shared>>, Query(wanted): Query<Wanted>) -> Reply {
    let (deliveries, last) = shared.journal.deliveries(&wanted);
    done(json!({"deliveries": deliveries, "last": last}))
}
