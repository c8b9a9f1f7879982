//! Who may call how often: tokens and rate limits by hand.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;

use super::super::Shared;
use super::{Reply, done, parse, refuse, workspace};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/{app_id}/limits", get(limits).post(set_limits))
        .route("/{app_id}/tokens", get(tokens).post(change_tokens))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetLimits {
    #[serde(default)]
    calls_per_minute: Option<u32>,
    #[serde(default)]
    workspace_calls_per_minute: Option<u32>,
    /// Whose `calls_per_minute`; the workspace's own app when absent.
    #[serde(default)]
    client_id: Option<String>,
}

async fn limits(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>) -> Reply {
    let now = shared.clock.now();
    done(workspace(&shared, &app_id)?.limits.shown(now))
}

async fn set_limits(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, body: Bytes) -> Reply {
    let asked: SetLimits = parse(&body)?;
    let now = shared.clock.now();
    let mut workspace = workspace(&shared, &app_id)?;
    if let Some(calls) = asked.calls_per_minute {
        workspace.limits.limit_app(asked.client_id.as_deref(), calls);
    }
    if let Some(calls) = asked.workspace_calls_per_minute {
        workspace.limits.limit_workspace(calls);
    }
    done(workspace.limits.shown(now))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangeTokens {
    /// All of the workspace when absent.
    #[serde(default)]
    token: Option<String>,
    action: TokenAction,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TokenAction {
    Revoke,
    Restore,
}

async fn tokens(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>) -> Reply {
    drop(workspace(&shared, &app_id)?);
    done(json!({"tokens": shared.tokens.of(&app_id)}))
}

async fn change_tokens(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, body: Bytes) -> Reply {
    let asked: ChangeTokens = parse(&body)?;
    drop(workspace(&shared, &app_id)?);
    let known = shared.tokens.of(&app_id);
    let meant: Vec<_> = known.iter().filter(|one| asked.token.as_ref().is_none_or(|text| *text == one.token)).collect();
    if meant.is_empty() {
        return Err(refuse(StatusCode::NOT_FOUND, format!("{app_id:?} has no such token")));
    }
    for one in meant {
        match asked.action {
            TokenAction::Revoke => shared.tokens.revoke(&one.token),
            TokenAction::Restore => shared.tokens.restore(&one.token),
        };
    }
    done(json!({"tokens": shared.tokens.of(&app_id)}))
}
