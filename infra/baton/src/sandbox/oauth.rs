//! How an app is installed: the page that asks, the code, the token, and the end of it.
//!
//! `GET /oauth` is what a developer sends people to at app.intercom.com; `POST
//! /auth/eagle/token` and `POST /auth/uninstall` are those of api.intercom.io. The apps are the
//! seed's. What goes to and fro here holds secrets, so that it is not logged, and faults do not
//! strike it.

mod page;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::control::{self, Refusal, parse, refuse};
use super::error::{Answer, ApiError};
use super::ids;
use super::model::OauthCode;
use super::rest::{self, admission, pairs};
use super::seed::{AppSeed, TokenSeed};
use super::subscription::{Settings, Subscription};
use super::tokens::Credentials;

/// How long a code can be exchanged: ten minutes. Intercom's time is not documented.
const CODE_SECONDS: u64 = 600;

/// The routes at Intercom's own paths.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/oauth", get(ask).post(decide).fallback(rest::serve))
        .route("/auth/eagle/token", post(exchange).fallback(rest::serve))
        .route("/auth/uninstall", post(uninstall).fallback(rest::serve))
}

/// The route of the control API.
pub(crate) fn control_routes() -> Router<Arc<Shared>> {
    Router::new().route("/{app_id}/uninstall", post(uninstall_by_hand))
}

/// What an app asks for.
struct Request<'a> {
    app: &'a AppSeed,
    redirect_uri: String,
    state: Option<String>,
}

impl<'a> Request<'a> {
    /// # Errors
    /// In words for the person at the page: whoever asks is not who they say, so that nobody is
    /// sent anywhere.
    fn read(shared: &'a Shared, members: &[(String, String)]) -> Result<Self, &'static str> {
        let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let client_id = member("client_id").ok_or("The address has no client_id.")?;
        let app = shared.app(&client_id).ok_or("There is no app with this client_id.")?;
        let redirect_uri = match member("redirect_uri").filter(|uri| !uri.is_empty()) {
            None => app.redirect_uris.first().cloned(),
            Some(uri) => Some(uri).filter(|uri| app.redirect_uris.contains(uri)),
        };
        let redirect_uri = redirect_uri.ok_or("The app has not registered this redirect_uri.")?;
        Ok(Self { app, redirect_uri, state: member("state").filter(|state| !state.is_empty()) })
    }

    /// Back to the app with the outcome.
    fn redirect(&self, outcome: &[(&str, &str)]) -> Response {
        let mut address = self.redirect_uri.clone();
        let state = self.state.as_deref().map(|state| ("state", state));
        for (name, value) in outcome.iter().copied().chain(state) {
            address.push(if address.contains('?') { '&' } else { '?' });
            address.push_str(name);
            address.push('=');
            address.push_str(&encoded(value));
        }
        (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
    }
}

/// Percent-encodes all but letters, digits and `-._~`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

async fn ask(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    match Request::read(&shared, &pairs(query.as_deref().unwrap_or_default())) {
        Ok(request) => page::question(&shared, &request),
        Err(problem) => page::problem(problem),
    }
}

async fn decide(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let members = pairs(&String::from_utf8_lossy(&body));
    let request = match Request::read(&shared, &members) {
        Ok(request) => request,
        Err(problem) => return page::problem(problem),
    };
    let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if member("decision") != Some("approve") {
        let why = "The teammate denied the request";
        return request.redirect(&[("error", "access_denied"), ("error_description", why)]);
    }
    let (app_id, admin_id) = member("teammate").and_then(|text| text.split_once('/')).unwrap_or_default();
    let admin_id = admin_id.parse().unwrap_or_default();
    let Some(mut workspace) = shared.workspace(app_id).filter(|one| one.admins.contains_key(&admin_id)) else {
        return page::problem("There is no such teammate.");
    };
    let code = new_code();
    let issued_at = shared.clock.now();
    let promise = OauthCode { client_id: request.app.client_id.clone(), admin_id, issued_at };
    workspace.people.oauth_codes.retain(|_, code| issued_at < code.issued_at.saturating_add(CODE_SECONDS));
    workspace.people.oauth_codes.insert(code.clone(), promise);
    drop(workspace);
    request.redirect(&[("code", &code)])
}

/// Base64 that ends in `=`, as Intercom's codes may: a client that drops it learns it here.
fn new_code() -> String {
    STANDARD.encode(ids::uuid().replace('-', ""))
}

async fn exchange(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    answered(token(&shared, &body))
}

/// Exchanges a code for a token, which installs the app. The words of a refused app are a guess.
fn token(shared: &Shared, body: &[u8]) -> Answer<Value> {
    let members = members(body)?;
    let member = |name: &'static str| {
        let found = members.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty()).ok_or_else(|| ApiError::missing(name))
    };
    let (code, client_id, client_secret) = (member("code")?, member("client_id")?, member("client_secret")?);
    let refused = |message| ApiError::new(StatusCode::UNAUTHORIZED, "unauthorized", message);
    let app = shared.app(client_id).filter(|app| app.client_secret == client_secret);
    let app = app.ok_or_else(|| refused("Unauthorized Client"))?;
    let now = shared.clock.now();
    for app_id in shared.workspaces.keys() {
        let Some(mut workspace) = shared.workspace(app_id) else { continue };
        let promised = workspace.people.oauth_codes.get(code).filter(|promise| promise.client_id == app.client_id);
        let Some(promise) = promised.cloned() else { continue };
        // A code is good for one try, also when it comes too late.
        workspace.people.oauth_codes.remove(code);
        if now >= promise.issued_at.saturating_add(CODE_SECONDS) {
            break;
        }
        let is_new = workspace.people.installed_apps.insert(app.client_id.clone());
        if let (Some(webhook), true) = (&app.webhook, is_new) {
            let settings = Settings::new(webhook.clone(), Some(app.client_id.clone()), app.client_secret.clone());
            workspace.subscribe(Subscription::new(settings, shared.clock.now_ms()));
        }
        drop(workspace);
        let text = STANDARD.encode(format!("tok:{}:1:0", ids::uuid().replace('-', "_")));
        let token = TokenSeed {
            token: text.clone(),
            admin_id: promise.admin_id.to_string(),
            app_package_code: app.app_package_code.clone(),
            default_version: app.default_version,
            calls_per_minute: app.calls_per_minute,
            client_id: Some(app.client_id.clone()),
            scopes: app.scopes.clone(),
        };
        shared.tokens.grant(Credentials { app_id: app_id.clone(), client_id: token.client_id.clone(), token });
        return Ok(json!({"token_type": "Bearer", "token": text, "access_token": text}));
    }
    Err(refused("Unauthorized Code"))
}

/// The members of a body, which is JSON or a form.
fn members(body: &[u8]) -> Answer<Vec<(String, String)>> {
    if body.first() != Some(&b'{') {
        return Ok(pairs(&String::from_utf8_lossy(body)));
    }
    let map: serde_json::Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| ApiError::invalid(format!("Invalid JSON: {error}")))?;
    let text = |(name, value): (String, Value)| Some((name, value.as_str()?.to_owned()));
    Ok(map.into_iter().filter_map(text).collect())
}

/// The app whose token it is leaves the workspace. What is answered is a guess.
async fn uninstall(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let done = admission::credentials(&shared, &headers).map(|credentials| {
        shared.tokens.revoke(&credentials.token.token);
        if let Some(client_id) = &credentials.client_id {
            shared.uninstall(&credentials.app_id, client_id);
        }
        json!({"status": "uninstalled"})
    });
    answered(done)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByHand {
    client_id: String,
}

/// A teammate takes an app out of the workspace.
async fn uninstall_by_hand(
    State(shared): State<Arc<Shared>>,
    Path(app_id): Path<String>,
    body: Bytes,
) -> Result<Response, Refusal> {
    let asked: ByHand = parse(&body)?;
    if !shared.uninstall(&app_id, &asked.client_id) {
        let problem = format!("the app {:?} is not installed in {app_id:?}", asked.client_id);
        return Err(refuse(StatusCode::NOT_FOUND, problem));
    }
    control::done(json!({"status": "ok"}))
}

impl Shared {
    fn app(&self, client_id: &str) -> Option<&AppSeed> {
        self.seed.apps.iter().find(|app| app.client_id == client_id)
    }

    /// Ends all that an app has in a workspace and tells it so; false when it has nothing there.
    fn uninstall(&self, app_id: &str, client_id: &str) -> bool {
        let Some(mut workspace) = self.workspace(app_id) else { return false };
        let was_installed = workspace.people.installed_apps.remove(client_id);
        workspace.people.oauth_codes.retain(|_, code| code.client_id != client_id);
        workspace.unsubscribe_app(client_id);
        drop(workspace);
        let had_tokens = self.tokens.revoke_app(app_id, client_id);
        if !was_installed && !had_tokens {
            return false;
        }
        if let Some(url) = self.app(client_id).and_then(|app| app.uninstall_url.clone()) {
            let courier = self.courier.clone();
            let notice = json!({"app_id": app_id});
            // Told once, whether or not it arrives; a signature is not documented.
            tokio::spawn(async move { courier.tell(&url, &notice).await });
        }
        true
    }
}

fn answered(answer: Answer<Value>) -> Response {
    let request_id = ids::uuid();
    let (status, body) = match answer {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => (error.status, error.body(&request_id)),
    };
    let headers = [(header::CONTENT_TYPE, "application/json; charset=utf-8".to_owned())];
    (status, headers, [("x-request-id", request_id)], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::{encoded, new_code};

    #[test]
    fn codes_end_in_an_equals_sign_that_an_address_has_to_escape() {
        let code = new_code();
        assert!(code.ends_with('='));
        assert!(encoded(&code).ends_with("%3D"));
        assert_eq!(encoded("a b&é"), "a%20b%26%C3%A9");
    }
}
