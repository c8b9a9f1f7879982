//! The scenarios' endpoints of the control API.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::super::Shared;
use super::super::control::{Reply, done, refuse};
use super::player;

/// The routes, to be merged with the others below `/_sandbox`.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/scenarios", get(list))
        .route("/scenario-runs/{run}", get(show))
        .route("/{app_id}/scenarios/{name}", post(play))
}

async fn list(State(shared): State<Arc<Shared>>) -> Reply {
    let scenario = |(name, one): (&str, &super::script::Scenario)| json!({"name": name, "title": one.title, "accident": one.accident, "holds": one.holds, "alone": one.alone});
    let scenarios: Vec<Value> = shared.scenarios.library.iter().map(scenario).collect();
    done(json!({"scenarios": scenarios}))
}

async fn play(State(shared): State<Arc<Shared>>, Path((app_id, name)): Path<(String, String)>) -> Reply {
    let none = |what: &str| refuse(StatusCode::NOT_FOUND, format!("there is no {what}"));
    let scenario = shared.scenarios.library.get(&name).ok_or_else(|| none(&format!("scenario {name:?}")))?;
    let run = player::play(&shared, &app_id, &name, scenario)
        .map_err(|problem| refuse(StatusCode::INTERNAL_SERVER_ERROR, problem))?;
    done(json!({"run": run.ok_or_else(|| none(&format!("workspace {app_id:?} with an access token")))?}))
}

async fn show(State(shared): State<Arc<Shared>>, Path(run): Path<u64>) -> Reply {
    let run = shared.scenarios.runs.json(run);
    done(run.ok_or_else(|| refuse(StatusCode::NOT_FOUND, "there is no such run"))?)
}
