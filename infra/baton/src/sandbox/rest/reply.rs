//! What an operation answers when it succeeds: mostly 200 and JSON.

use axum::http::StatusCode;
use serde_json::Value;

/// A success. A refusal is an `ApiError`.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Headers besides those of every answer.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// The text of the JSON. None leaves the answer empty.
    pub(crate) body: Option<String>,
}

impl Reply {
    /// JSON that is text already.
    pub(crate) fn json(text: String) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Some(text) }
    }
}

impl Reply {
    /// An answer without content.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: Vec::new(), body: None }
    }
}

impl From<Value> for Reply {
    fn from(body: Value) -> Self {
        Self::json(body.to_string())
    }
}
