//! The REST API as a whole: from a request to an answer in Intercom's manner.
//!
//! Routing, credentials, versions, rate limits, faults and the request log are here; what the
//! operations do is in the modules below. An operation runs under its workspace's lock, which
//! is never held while anything is awaited.

mod accept;
mod admins;
pub(crate) mod admission;
mod attributes;
mod contact_links;
mod contact_search;
mod contacts;
mod conversations;
mod events;
pub(crate) mod fields;
mod messages;
mod office_hours;
mod participants;
mod replies;
mod reply;
pub(crate) mod routes;
mod scopes;
mod search;
mod spoil;
mod tags;
mod visitors;
mod whom;

use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;

pub(crate) use self::reply::Reply;
use self::routes::Handler;
use self::spoil::{Spoil, conversation_in};
use super::Shared;
use super::connection::HangUp;
use super::error::{Answer, ApiError};
use super::ids;
use super::journal;
use super::limits::RateStatus;
use super::render::Style;
use super::seed::TokenSeed;
use super::tokens::Credentials;
use super::version::ApiVersion;

/// The largest request: ten uploads of a few megabytes each, in base64.
const BODY_LIMIT_BYTES: usize = 64 * 1024 * 1024;

/// A request that has been let in.
pub(crate) struct Call<'a> {
    /// What the parameters of the path stand for, decoded.
    params: routes::Params,
    query: Vec<(String, String)>,
    body: &'a [u8],
    version: ApiVersion,
    token: &'a TokenSeed,
    base_url: &'a str,
}

impl Call<'_> {
    /// A parameter of the path; empty for a name that the path does not have.
    fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A whole number of the query.
    fn query_number(&self, name: &'static str) -> Answer<Option<u64>> {
        let number = |text: &str| {
            text.parse().map_err(|_| ApiError::invalid_field(name, format!("{name} must be a whole number")))
        };
        self.query(name).map(number).transpose()
    }

    /// The teammate whose token it is.
    fn admin_id(&self) -> u64 {
        self.token.admin_id.parse().unwrap_or_default()
    }

    fn style(&self) -> Style {
        Style::rest(self.version, self.query("display_as") == Some("plaintext"))
    }

    /// What the parts of this call carry as their maker.
    fn via(&self) -> Option<&str> {
        Some(&self.token.app_package_code)
    }
}

/// What is known about a request besides its answer.
#[derive(Default)]
struct Trace {
    app_id: Option<String>,
    version: Option<ApiVersion>,
    rate: Option<RateStatus>,
    spoil: Spoil,
}

/// Answers one REST request. A caller that has stopped waiting does not stop what it asked for.
pub(crate) async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(hang_up): ConnectInfo<HangUp>,
    request: Request,
) -> Response {
    let served = tokio::spawn(carry_out(shared, hang_up, request)).await;
    served.unwrap_or_else(|_| respond(Err(ApiError::fault(500)), &Trace::default()))
}

async fn carry_out(shared: Arc<Shared>, hang_up: HangUp, request: Request) -> Response {
    let at_ms = shared.clock.now_ms();
    let started = Instant::now();
    let (head, body) = request.into_parts();
    let (method, uri, headers) = (head.method, head.uri, head.headers);
    let body = to_bytes(body, BODY_LIMIT_BYTES).await;
    let credentials = admission::credentials(&shared, &headers);
    let app_id = match &credentials {
        Ok(known) => Some(known.app_id.clone()),
        Err(_) => admission::app_id(&shared, &headers),
    };
    let spoil = Spoil::choose(&shared.faults, &shared.clock, app_id.as_deref(), &method, &uri);
    spoil.wait_before(&shared.clock).await;
    let mut trace = Trace { app_id, spoil, ..Trace::default() };
    let (body, answer) = match body {
        Ok(body) => {
            let answer =
                credentials.and_then(|known| answer(&shared, &known, &method, &uri, &headers, &body, &mut trace));
            (body, answer)
        }
        Err(_) => {
            let error =
                ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "parameter_invalid", "The request body is too large");
            (Bytes::new(), Err(error))
        }
    };
    spoil.wait_after(&shared.clock).await;
    let cut = spoil.hang_up(&hang_up);
    let mut response = respond(answer, &trace);
    // Intercom tells the time by the clock that its rate limits go by.
    let now = UNIX_EPOCH + Duration::from_secs(shared.clock.now());
    if let Ok(date) = HeaderValue::try_from(httpdate::fmt_http_date(now)) {
        response.headers_mut().insert(header::DATE, date);
    }
    let answered = if shared.journal.is_recording() { Some(copied(&mut response).await) } else { None };
    let entry = journal::Request {
        at_ms,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        method: method.to_string(),
        conversation_id: conversation_in(uri.path()).map(str::to_owned),
        path: uri.path().to_owned(),
        query: uri.query().map(str::to_owned),
        version: header_text(&headers, "intercom-version").map(str::to_owned),
        app_id: trace.app_id,
        body,
        status: (!cut).then(|| response.status().as_u16()),
        fault: spoil.struck(),
    };
    shared.journal.request(entry, answered);
    response
}

/// An answer for the record, which stays as it is.
async fn copied(response: &mut Response) -> journal::Answered {
    let body = std::mem::take(response.body_mut());
    // The body is in memory already, so that there is nothing to wait for and nothing to fail.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    *response.body_mut() = Body::from(body.clone());
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    journal::Answered { headers, body }
}

/// Lets a request in and does what it asks, as far as the fault lets it.
fn answer(
    shared: &Shared,
    credentials: &Credentials,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
    trace: &mut Trace,
) -> Answer<Reply> {
    let mut workspace = shared.workspace(&credentials.app_id).ok_or_else(ApiError::unauthorized)?;
    admission::check_region(headers, &workspace.region)?;
    let rate = admission::count_call(&mut workspace, credentials, trace.spoil.is_rate_limit());
    trace.rate = Some(rate);
    if rate.exceeded {
        return Err(ApiError::rate_limited(rate.limit));
    }
    let version = match header_text(headers, "intercom-version") {
        None => credentials.token.default_version,
        Some(text) => text.parse().map_err(|_| ApiError::unknown_version())?,
    };
    trace.version = Some(version);
    trace.spoil.before()?;
    accept::takes_json(headers)?;
    let segments = segments(uri.path());
    let (handler, params) = routes::find(method.as_str(), &segments, version)?;
    let query = pairs(uri.query().unwrap_or_default());
    let keeps_metrics = !query.iter().any(|(name, value)| name == "retain_metrics" && value == "false");
    scopes::check(credentials.token.scopes.as_deref(), method.as_str(), &segments, keeps_metrics)?;
    let call = Call { params, query, body, version, token: &credentials.token, base_url: &shared.base_url };
    let present = trace.spoil.stale_since().map(|moment_ms| workspace.go_back_to(moment_ms));
    let done = match handler {
        Handler::Reads(read) => read(&call, &workspace),
        Handler::Changes(change) => change(&call, &mut workspace),
    };
    if let Some(present) = present {
        workspace.return_to(present);
    }
    trace.spoil.after()?;
    done
}

fn respond(answer: Answer<Reply>, trace: &Trace) -> Response {
    let request_id = ids::uuid();
    let reply = answer.unwrap_or_else(|error| error.reply(&request_id));
    let mut text = reply.body.map(String::into_bytes).unwrap_or_default();
    text.truncate(trace.spoil.kept_of(text.len()));
    let has_body = !text.is_empty();
    let (status, body, content_type) = match trace.spoil.other_answer() {
        None => (reply.status, Body::from(text), "application/json; charset=utf-8"),
        Some((other, content_type)) => (StatusCode::OK, Body::from(other), content_type),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    // What the sandbox puts into headers is printable ASCII, which is always valid.
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    for (name, value) in reply.headers {
        set(name, value);
    }
    set("x-request-id", request_id);
    if let Some(version) = trace.version {
        set("intercom-version", version.to_string());
    }
    if let Some(rate) = trace.rate {
        set("x-ratelimit-limit", rate.limit.to_string());
        set("x-ratelimit-remaining", rate.remaining.to_string());
        set("x-ratelimit-reset", rate.reset_at.to_string());
    }
    response
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn segments(path: &str) -> Vec<String> {
    path.split('/').filter(|segment| !segment.is_empty()).map(|segment| decoded(segment, false)).collect()
}

pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decoded(key, true), decoded(value, true)))
        .collect()
}

/// Percent-decodes; what is not an escape stays as it is.
fn decoded(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escape =
            text.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (escape, byte) {
            (Some(decoded), _) => {
                out.push(decoded);
                at += 3;
                continue;
            }
            (None, b'+') if plus_is_space => out.push(b' '),
            (None, other) => out.push(*other),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn paths_and_queries_are_decoded() {
        assert_eq!(decoded("a%40b%2Fc+d%zz", false), "a@b/c+d%zz");
        assert_eq!(decoded("a+b%C3%A9", true), "a bé");
    }
}
