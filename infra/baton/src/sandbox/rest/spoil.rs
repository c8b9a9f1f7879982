//! What the faults of requests (`faults`) do to a request and its answer on their way.

use std::time::Duration;

use axum::http::{Method, Uri};

use super::super::clock::Clock;
use super::super::connection::HangUp;
use super::super::error::{Answer, ApiError};
use super::super::faults::{Faults, RequestFacts, RequestFault, Struck};

/// What a proxy in between may say when it does not know better.
const NO_JSON: &str = "<html><head><title>200 OK</title></head><body><h1>200 OK</h1></body></html>";

/// The fault that strikes one request; most have none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spoil(Option<(Struck, RequestFault)>);

impl Spoil {
    /// Chooses the fault, which may be used up by that.
    pub(super) fn choose(faults: &Faults, clock: &Clock, app_id: Option<&str>, method: &Method, uri: &Uri) -> Self {
        Self(faults.for_request(RequestFacts {
            app_id,
            method: method.as_str(),
            path: uri.path(),
            conversation_id: conversation_in(uri.path()),
            reads_conversations: reads_conversations(method, uri.path()),
            now_ms: clock.now_ms(),
        }))
    }

    pub(super) fn struck(&self) -> Option<Struck> {
        self.0.map(|(struck, _)| struck)
    }

    pub(super) fn is_rate_limit(&self) -> bool {
        self.fault() == Some(RequestFault::RateLimit)
    }

    /// The moment whose truth a read is to answer (Unix milliseconds).
    pub(super) fn stale_since(&self) -> Option<u64> {
        match self.fault() {
            Some(RequestFault::StaleRead(moment_ms)) => Some(moment_ms),
            _ => None,
        }
    }

    pub(super) async fn wait_before(&self, clock: &Clock) {
        if let Some(RequestFault::Delay(ms)) = self.fault() {
            clock.sleep(Duration::from_millis(ms)).await;
        }
    }

    pub(super) async fn wait_after(&self, clock: &Clock) {
        if let Some(RequestFault::DelayAfter(ms)) = self.fault() {
            clock.sleep(Duration::from_millis(ms)).await;
        }
    }

    /// Cuts the connection; false when that is not the fault.
    pub(super) fn hang_up(&self, line: &HangUp) -> bool {
        let cut = matches!(self.fault(), Some(RequestFault::DisconnectBefore | RequestFault::DisconnectAfter));
        if cut {
            line.now();
        }
        cut
    }

    /// # Errors
    /// When the request must not be carried out.
    pub(super) fn before(&self) -> Answer<()> {
        match self.fault() {
            Some(RequestFault::FailBefore(status)) => Err(ApiError::fault(status)),
            // Nobody will read it.
            Some(RequestFault::DisconnectBefore) => Err(ApiError::fault(503)),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// When the request is to fail although it has been carried out.
    pub(super) fn after(&self) -> Answer<()> {
        match self.fault() {
            Some(RequestFault::FailAfter(status)) => Err(ApiError::fault(status)),
            _ => Ok(()),
        }
    }

    /// Something else to answer with status 200, and its content type.
    pub(super) fn other_answer(&self) -> Option<(&'static str, &'static str)> {
        (self.fault() == Some(RequestFault::Garbled)).then_some((NO_JSON, "text/html"))
    }

    /// How many of so many bytes of an answer are sent.
    pub(super) fn kept_of(&self, bytes: usize) -> usize {
        if self.fault() == Some(RequestFault::Truncated) { bytes / 2 } else { bytes }
    }

    fn fault(&self) -> Option<RequestFault> {
        self.0.map(|(_, fault)| fault)
    }
}

/// The conversation that a path is about.
pub(super) fn conversation_in(path: &str) -> Option<&str> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty());
    let id = (segments.next() == Some("conversations")).then(|| segments.next())??;
    id.bytes().all(|byte| byte.is_ascii_digit()).then_some(id)
}

fn reads_conversations(method: &Method, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    match *method {
        Method::GET => path == "/conversations" || conversation_in(path).is_some(),
        Method::POST => path == "/conversations/search",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Method;

    use super::{conversation_in, reads_conversations};

    #[test]
    fn a_path_names_its_conversation() {
        assert_eq!(conversation_in("/conversations/17/reply"), Some("17"));
        assert_eq!(conversation_in("/conversations/search"), None);
        assert_eq!(conversation_in("/conversations"), None);
        assert_eq!(conversation_in("/contacts/17"), None);
    }

    #[test]
    fn lists_searches_and_single_ones_are_reads() {
        assert!(reads_conversations(&Method::GET, "/conversations"));
        assert!(reads_conversations(&Method::GET, "/conversations/17"));
        assert!(reads_conversations(&Method::POST, "/conversations/search"));
        assert!(!reads_conversations(&Method::POST, "/conversations"));
        assert!(!reads_conversations(&Method::PUT, "/conversations/17"));
        assert!(!reads_conversations(&Method::GET, "/tags"));
    }
}
