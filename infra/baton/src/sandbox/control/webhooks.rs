//! Subscriptions by hand: what the Developer Hub's page for webhooks does.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::post;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Shared;
use super::super::seed::WebhookSeed;
use super::super::subscription::{Settings, Subscription};
use super::super::version::ApiVersion;
use super::super::workspace::Workspace;
use super::{Refusal, Reply, done, parse, refuse, workspace};

pub(super) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/{app_id}/webhook", post(subscribe).get(show))
        .route("/{app_id}/webhook/live", post(set_live))
        .route("/{app_id}/webhook/ping", post(ping))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Subscribe {
    url: String,
    #[serde(default)]
    topics: Option<Vec<String>>,
    #[serde(default)]
    version: Option<ApiVersion>,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    is_public: bool,
}

/// Which app is meant: the workspace's own when nothing is said.
#[derive(Debug, Deserialize)]
struct Which {
    client_id: Option<String>,
}

/// Saves a receiver as the Developer Hub does: a HEAD that must be answered 200, then a ping.
async fn subscribe(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, body: Bytes) -> Reply {
    let asked: Subscribe = parse(&body)?;
    let client_secret = client_secret(&shared, &app_id, asked.client_id.as_deref())?;
    let unusable = |why: String| {
        let problem = format!("{} must answer HEAD with 200: {why}", asked.url);
        refuse(StatusCode::UNPROCESSABLE_ENTITY, problem)
    };
    let head_status = shared.courier.probe(&asked.url).await.map_err(unusable)?;
    if head_status != 200 {
        return Err(unusable(format!("it answered {head_status}")));
    }
    let webhook = WebhookSeed {
        url: asked.url.clone(),
        topics: asked.topics,
        version: asked.version.unwrap_or(ApiVersion::DEFAULT),
        is_public: asked.is_public,
    };
    let settings = Settings::new(webhook, asked.client_id, client_secret);
    let subscription = Subscription::new(settings, shared.clock.now_ms());
    workspace(&shared, &app_id)?.subscribe(subscription.clone());
    let ping_status = shared.courier.ping(&app_id, subscription).await;
    done(json!({"head_status": head_status, "ping_status": ping_status}))
}

/// The key of an app's signatures.
fn client_secret(shared: &Shared, app_id: &str, client_id: Option<&str>) -> Result<String, Refusal> {
    let Some(client_id) = client_id else {
        return Ok(workspace(shared, app_id)?.client_secret.clone());
    };
    let apps = shared.workspaces.get(app_id).map(|installed| installed.seed.other_apps.as_slice());
    let app = apps.unwrap_or_default().iter().find(|app| app.client_id == client_id);
    let unknown = || refuse(StatusCode::NOT_FOUND, format!("{app_id:?} has no app {client_id:?} in other_apps"));
    app.map(|app| app.client_secret.clone()).ok_or_else(unknown)
}

async fn show(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, Query(which): Query<Which>) -> Reply {
    let now_ms = shared.clock.now_ms();
    let workspace = workspace(&shared, &app_id)?;
    let mut value = find(&workspace, &which)?.shown(now_ms);
    let others = workspace.subscriptions.iter().filter(|one| one.settings.client_id != which.client_id);
    value["others"] = others.map(|one| one.shown(now_ms)).collect::<Value>();
    done(value)
}

async fn set_live(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, Query(which): Query<Which>) -> Reply {
    let now_ms = shared.clock.now_ms();
    let subscription = find(&*workspace(&shared, &app_id)?, &which)?;
    subscription.set_live(now_ms);
    done(subscription.shown(now_ms))
}

/// The Developer Hub's "send a test request".
async fn ping(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, Query(which): Query<Which>) -> Reply {
    let subscription = find(&*workspace(&shared, &app_id)?, &which)?;
    let ping_status = shared.courier.ping(&app_id, subscription).await;
    done(json!({"ping_status": ping_status}))
}

fn find(workspace: &Workspace, which: &Which) -> Result<Arc<Subscription>, Refusal> {
    let found = workspace.subscriptions.iter().find(|one| one.settings.client_id == which.client_id);
    found.cloned().ok_or_else(|| refuse(StatusCode::NOT_FOUND, "there is no such subscription"))
}
