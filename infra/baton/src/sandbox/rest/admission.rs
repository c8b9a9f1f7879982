//! Who is let in: the token, the region it is used in, and how often its app may call.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::Shared;
use super::super::error::{Answer, ApiError};
use super::super::limits::RateStatus;
use super::super::tokens::Credentials;
use super::super::workspace::Workspace;
use super::header_text;

/// What the token of a request opens.
///
/// # Errors
/// 401 `token_revoked` for one that was valid once, 401 `unauthorized` for all else.
pub(crate) fn credentials(shared: &Shared, headers: &HeaderMap) -> Answer<Credentials> {
    let token = header_text(headers, header::AUTHORIZATION.as_str()).and_then(access_token);
    let token = token.ok_or_else(ApiError::unauthorized)?;
    match shared.tokens.find(&token) {
        Some(credentials) => Ok(credentials),
        None if shared.tokens.is_revoked(&token) => Err(ApiError::token_revoked()),
        None => Err(ApiError::unauthorized()),
    }
}

/// The token in an `Authorization` header. Intercom's older clients send it as the name of a
/// user without a password.
fn access_token(header: &str) -> Option<Cow<'_, str>> {
    let (scheme, rest) = header.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Cow::Borrowed(rest));
    }
    let pair = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(rest).ok()).flatten()?;
    let pair = String::from_utf8(pair).ok()?;
    pair.split_once(':').map(|(name, _)| Cow::Owned(name.to_owned()))
}

/// The workspace that a request is meant for, whether or not it is let in.
pub(super) fn app_id(shared: &Shared, headers: &HeaderMap) -> Option<String> {
    let token = header_text(headers, header::AUTHORIZATION.as_str()).and_then(access_token)?;
    shared.tokens.app_id(&token)
}

/// Refuses a workspace of another region at the host of one. The host without a region, and
/// every other name that the sandbox is reached by, serves all; how a wrong region is refused
/// is a guess.
///
/// # Errors
/// 401 `unauthorized`.
pub(super) fn check_region(headers: &HeaderMap, region: &str) -> Answer<()> {
    let host = header_text(headers, header::HOST.as_str()).unwrap_or_default();
    let asked = match host.split('.').collect::<Vec<_>>().as_slice() {
        ["api", "eu", ..] => "EU",
        ["api", "au", ..] => "AU",
        _ => return Ok(()),
    };
    if asked.eq_ignore_ascii_case(region) { Ok(()) } else { Err(ApiError::unauthorized()) }
}

/// Counts a call of an app, or refuses it as a fault wants it.
pub(super) fn count_call(workspace: &mut Workspace, credentials: &Credentials, is_refused: bool) -> RateStatus {
    let now = workspace.clock.now();
    let client_id = credentials.client_id.as_deref();
    let calls_per_minute = credentials.token.calls_per_minute;
    if is_refused {
        workspace.limits.exhausted(client_id, calls_per_minute, now)
    } else {
        workspace.limits.count(client_id, calls_per_minute, now)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::check_region;

    #[test]
    fn a_regions_host_serves_its_own_workspaces_alone() {
        let is_served = |host: &'static str, region| {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static(host))]);
            check_region(&headers, region).is_ok()
        };
        assert!(is_served("127.0.0.1:4242", "EU"));
        assert!(is_served("api.intercom.io", "EU"));
        assert!(is_served("api.eu.intercom.io", "EU"));
        assert!(!is_served("api.eu.localhost:4242", "US"));
        assert!(!is_served("api.au.intercom.io", "EU"));
    }
}
