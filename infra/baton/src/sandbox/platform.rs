//! The bot platform's own chats, as the page asks for them: passed on to the address that the
//! platform has, so that the page talks to nobody but the sandbox, and no other page to the platform.
//!
//! JSON goes through and nothing else; what the platform answers is never shown as a document.
//! What a chat is, and who says what in it, is the platform's affair.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Shared;
use super::control::{Refusal, Reply, refuse};

/// Longer than the platform lets a window wait for news.
const TIMEOUT: Duration = Duration::from_secs(40);

/// Where the bot platform is.
#[derive(Debug)]
pub(crate) struct Platform {
    client: reqwest::Client,
    url: String,
}

impl Platform {
    /// The platform at an address.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub(crate) fn at(url: &str) -> Result<Self, reqwest::Error> {
        let redirects = reqwest::redirect::Policy::none();
        let client =
            reqwest::Client::builder().no_proxy().tls_certs_only([]).redirect(redirects).timeout(TIMEOUT).build()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned() })
    }
}

/// `GET` and `POST /_sandbox/bot/{*path}`
pub(crate) async fn pass_on(
    State(shared): State<Arc<Shared>>,
    method: Method,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Reply {
    let platform = shared.platform.as_ref();
    let platform = platform.ok_or_else(|| refuse(StatusCode::NOT_FOUND, "no bot platform is connected"))?;
    let segments = path.split('/').map(segment).collect::<Option<Vec<_>>>();
    let segments = segments.ok_or_else(|| refuse(StatusCode::NOT_FOUND, "the bot platform has no such address"))?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}/chat/{}{query}", platform.url, segments.join("/"));
    let silent = |_| refuse(StatusCode::BAD_GATEWAY, "the bot platform does not answer");
    let request = platform.client.request(method, url).header(header::CONTENT_TYPE, "application/json").body(body);
    let answer = request.send().await.map_err(silent)?;
    let status = answer.status();
    let bytes = answer.bytes().await.map_err(silent)?;
    json(status, &bytes)
}

/// A part of a path that leads nowhere else: what chats, and requests about them, are called.
fn segment(text: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!text.is_empty() && text.chars().all(plain)).then_some(text)
}

fn json(status: StatusCode, bytes: &[u8]) -> Result<Response, Refusal> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|_| refuse(StatusCode::BAD_GATEWAY, "the bot platform answers something that is no JSON"))?;
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((status, headers, value.to_string()).into_response())
}
