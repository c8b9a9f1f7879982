//! What an operation answers when it succeeds: mostly 200 and JSON.

use axum::http::StatusCode;
use serde_json::Value;

/// A success. A refusal is an `ApiError`.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    /// Headers besides those of every answer.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// None leaves the answer empty.
    pub(crate) body: Option<Value>,
}

impl From<Value> for Reply {
    fn from(body: Value) -> Self {
        Self { status: StatusCode::OK, headers: Vec::new(), body: Some(body) }
    }
}
