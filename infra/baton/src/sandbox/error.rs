//! What the REST side answers when it refuses, in Intercom's own shape and codes.
//!
//! The sandbox's control API has errors of its own (`control`): nothing here is for people.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::rest::Reply;

/// A refusal: an HTTP status and one entry of an `error.list`.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    code: &'static str,
    message: String,
    field: Option<&'static str>,
    /// Headers besides those of every answer, such as the `Link` of a 410.
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What a REST operation comes to.
pub(crate) type Answer<T> = Result<T, ApiError>;

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, headers: Vec::new() }
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Access Token Invalid")
    }

    /// A token that was valid once.
    pub(crate) fn token_revoked() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "token_revoked", "Access Token Revoked")
    }

    pub(crate) fn missing_scope(scope: &str) -> Self {
        let message = format!("You do not have the required scope ({scope}) to access this resource");
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// A conversation (or route) that this workspace does not have.
    pub(crate) fn no_resource() -> Self {
        Self::not_found("Resource Not Found")
    }

    pub(crate) fn no_contact() -> Self {
        Self::not_found("User Not Found")
    }

    pub(crate) fn no_admin() -> Self {
        Self::new(StatusCode::NOT_FOUND, "admin_not_found", "Admin not found")
    }

    pub(crate) fn no_assignee() -> Self {
        Self::new(StatusCode::NOT_FOUND, "assignee_not_found", "Assignee not found")
    }

    pub(crate) fn no_team() -> Self {
        Self::new(StatusCode::NOT_FOUND, "team_not_found", "Team not found")
    }

    pub(crate) fn no_tag() -> Self {
        Self::new(StatusCode::NOT_FOUND, "tag_not_found", "Tag not found")
    }

    pub(crate) fn no_part() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "conversation_part_or_message_not_found",
            "Conversation part or message not found",
        )
    }

    pub(crate) fn not_redactable() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "conversation_part_not_redactable",
            "This conversation part cannot be redacted",
        )
    }

    pub(crate) fn not_acceptable() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            "media_type_not_acceptable",
            "The Accept header should send a media type of application/json",
        )
    }

    pub(crate) fn no_company() -> Self {
        Self::new(StatusCode::NOT_FOUND, "company_not_found", "Company Not Found")
    }

    pub(crate) fn last_customer() -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "parameter_invalid", "Removing the last customer is not allowed")
    }

    pub(crate) fn merge_failed(message: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "merge_failed", message)
    }

    /// A body that is not what the description asks for.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parameter_invalid", message)
    }

    pub(crate) fn invalid_field(field: &'static str, message: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::invalid(message) }
    }

    /// A required member that is absent.
    pub(crate) fn missing(field: &'static str) -> Self {
        Self {
            field: Some(field),
            ..Self::new(StatusCode::BAD_REQUEST, "parameter_not_found", format!("{field} is required"))
        }
    }

    /// A body that is understood, and refused.
    pub(crate) fn unprocessable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// The words are those of the documentation (an example of version 2.1's) and, for an archived
    /// contact, what others have met.
    pub(crate) fn contact_exists(id: &str, archived: bool) -> Self {
        let kind = if archived { "An archived contact" } else { "A contact" };
        let message = format!("{kind} matching those details already exists with id={id}");
        Self::new(StatusCode::CONFLICT, "conflict", message)
    }

    /// A contact that became part of another one, from 2.16.
    pub(crate) fn contact_merged(into: &str) -> Self {
        let message = "This contact has been merged. See the 'Link' header for the canonical contact.";
        let headers = vec![("link", format!("</contacts/{into}>; rel=\"canonical\""))];
        Self { headers, ..Self::new(StatusCode::GONE, "contact_merged", message) }
    }

    /// A blocked contact. The status is a guess.
    pub(crate) fn not_restorable() -> Self {
        let message = "User has been blocked and is not restorable";
        Self::new(StatusCode::BAD_REQUEST, "not_restorable", message)
    }

    pub(crate) fn not_in_version() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "intercom_version_invalid",
            "Requested resource is not available in current API version.",
        )
    }

    pub(crate) fn unknown_version() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "intercom_version_invalid", "The requested version could not be found")
    }

    pub(crate) fn rate_limited(limit: u32) -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rate_limit_exceeded",
            format!("Exceeded rate limit of {limit} in 10_seconds"),
        )
    }

    /// The status of a fault that a test asked for, with the code that goes with it.
    pub(crate) fn fault(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        let (code, message) = match status.as_u16() {
            401 => return Self::unauthorized(),
            // What an address outside a workspace's allowlist is told is not documented.
            403 => ("forbidden", "Forbidden"),
            404 => return Self::no_resource(),
            408 => ("request_timeout", "Request Timeout"),
            409 => ("conflict", "Conflict"),
            429 => ("rate_limit_exceeded", "Too Many Requests"),
            503 => ("service_unavailable", "Service Unavailable"),
            500.. => ("server_error", "Server Error"),
            _ => ("client_error", "Client Error"),
        };
        Self::new(status, code, message)
    }

    pub(crate) fn reply(self, request_id: &str) -> Reply {
        let body = Some(self.body(request_id).to_string());
        Reply { status: self.status, headers: self.headers, body }
    }

    pub(crate) fn body(&self, request_id: &str) -> Value {
        let mut entry = json!({"code": self.code, "message": self.message});
        if let Some(field) = self.field {
            entry["field"] = json!(field);
        }
        json!({"type": "error.list", "request_id": request_id, "errors": [entry]})
    }
}
