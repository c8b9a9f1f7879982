//! The page: its files, as they are embedded, and who may use what stands beside them.
//!
//! Everything a browser loads comes from here; the content security policy allows nothing else
//! but pictures. Files are revalidated at each use, so that a newer sandbox is seen at once.

use std::sync::{Arc, LazyLock};

use axum::body::Body;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use sha1::{Digest, Sha1};

use super::connection::HangUp;
use super::control::refuse;
use super::feed::Subject;
use super::{Shared, rest};

/// Where the page is.
pub(crate) const ADDRESS: &str = "/_sandbox/";

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: blob: http: https:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types baton-bodies";

struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static [u8],
}

macro_rules! asset {
    ($name:literal, $content_type:expr) => {
        Asset {
            name: $name,
            content_type: $content_type,
            content: include_bytes!(concat!("../../../sandbox/page/", $name)),
        }
    };
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

static ASSETS: &[Asset] = &[
    asset!("index.html", "text/html; charset=utf-8"),
    asset!("page.css", "text/css; charset=utf-8"),
    asset!("icon.svg", "image/svg+xml"),
    asset!("api.js", SCRIPT),
    asset!("app.js", SCRIPT),
    asset!("baton.js", SCRIPT),
    asset!("chat.js", SCRIPT),
    asset!("chats.js", SCRIPT),
    asset!("conversation.js", SCRIPT),
    asset!("dom.js", SCRIPT),
    asset!("inbox.js", SCRIPT),
    asset!("markdown.js", SCRIPT),
    asset!("messenger.js", SCRIPT),
    asset!("overlays.js", SCRIPT),
    asset!("rows.js", SCRIPT),
    asset!("safe-html.js", SCRIPT),
    asset!("state.js", SCRIPT),
    asset!("workshop.js", SCRIPT),
];

/// The entity tags of the files, in their order.
static TAGS: LazyLock<Vec<String>> = LazyLock::new(|| ASSETS.iter().map(|asset| tag(asset.content)).collect());

fn tag(content: &[u8]) -> String {
    let digest = Sha1::digest(content);
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// `GET /`: a person with a browser is led to the page, a program to the REST API.
pub(crate) async fn home(shared: State<Arc<Shared>>, hang_up: ConnectInfo<HangUp>, request: Request) -> Response {
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|types| types.contains("text/html")) {
        let vary = [(header::VARY, "accept")];
        return (vary, Redirect::to(ADDRESS)).into_response();
    }
    rest::serve(shared, hang_up, request).await
}

/// `GET /_sandbox/`
pub(crate) async fn index(headers: HeaderMap) -> Response {
    file(Path("index.html".to_owned()), headers).await
}

/// `GET /_sandbox/page/{name}`
pub(crate) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let found = ASSETS.iter().zip(TAGS.iter()).find(|(asset, _)| asset.name == name);
    let Some((asset, tag)) = found else {
        return refuse(StatusCode::NOT_FOUND, "the page has no such file").into_response();
    };
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let unchanged = known.is_some_and(|tags| tags == "*" || tags.split(',').any(|one| one.trim() == tag));
    let mut response = if unchanged {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, asset.content_type)], asset.content).into_response()
    };
    let mut set = |name: header::HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::ETAG, tag);
    set(header::CACHE_CONTROL, "no-cache");
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    response
}

/// A file that somebody uploaded: shown when it is a picture, otherwise kept. It never runs,
/// although it comes from where the page comes from.
pub(crate) fn uploaded(content_type: &str, content: Vec<u8>) -> Response {
    let shown = content_type.starts_with("image/");
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_DISPOSITION, if shown { "inline" } else { "attachment" }),
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'; style-src 'unsafe-inline'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Body::from(content)).into_response()
}

/// Stands before the control API. It has no credentials, so a page from elsewhere, which a
/// browser names in `Origin`, is kept out. And what was changed by hand is told to the feed.
pub(crate) async fn watch(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if request.method() == Method::GET || request.method() == Method::HEAD {
        return next.run(request).await;
    }
    if is_foreign(request.headers()) {
        return refuse(StatusCode::FORBIDDEN, "a page from another address may not use the control API")
            .into_response();
    }
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    match about(&path) {
        // What else these change, they tell by themselves.
        _ if path == "/trace" || path.starts_with("/bot/") => {}
        Some((app_id, id)) => shared.feed().changed(app_id, Subject::Conversation(id)),
        None => shared.feed().changed_everywhere(),
    }
    response
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else {
        return false;
    };
    let from = origin.split_once("://").map(|(_, host)| host);
    from.is_none() || from != text(header::HOST)
}

/// The conversation in a path of the control API.
fn about(path: &str) -> Option<(&str, u64)> {
    let mut segments = path.split('/').skip(1);
    let app_id = segments.next()?;
    segments.next().filter(|word| *word == "conversations")?;
    Some((app_id, segments.next()?.parse().ok()?))
}
