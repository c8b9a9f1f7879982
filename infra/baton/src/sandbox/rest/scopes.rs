//! What a token may do: Intercom's scopes, which an app's developer ticks.
//!
//! The names of those for conversations are documented, and so is the refusal; which scope
//! another operation needs, and what it is called, is a guess. What is not named here needs
//! none. Older reports know the refusal as 401 `token_unauthorized`.

use super::super::error::{Answer, ApiError};

/// Whether a token with these scopes may do it; a token without a list may do everything.
///
/// # Errors
/// 403 `forbidden`, with the scope that is missing.
pub(super) fn check(scopes: Option<&[String]>, method: &str, segments: &[String], keeps_metrics: bool) -> Answer<()> {
    let Some(scopes) = scopes else { return Ok(()) };
    let path: Vec<&str> = segments.iter().map(String::as_str).collect();
    match needed(method, &path, keeps_metrics) {
        Some(scope) if !scopes.iter().any(|one| one == scope) => Err(ApiError::missing_scope(scope)),
        _ => Ok(()),
    }
}

fn needed(method: &str, path: &[&str], keeps_metrics: bool) -> Option<&'static str> {
    let reads = method == "GET" || path.last() == Some(&"search");
    let (read, write) = match path {
        ["conversations", _, "tags", ..] => ("read_tags", "write_tags"),
        ["conversations", _] if method == "DELETE" && !keeps_metrics => {
            return Some("delete_conversations_and_metrics");
        }
        ["conversations", ..] => ("read_conversations", "write_conversations"),
        ["admins" | "teams" | "away_status_reasons", ..] => ("read_admins", "update_admins"),
        ["tags", ..] => ("read_tags", "write_tags"),
        ["contacts" | "visitors" | "companies" | "segments" | "data_attributes", ..] => {
            ("read_users_and_companies", "write_users_and_companies")
        }
        ["tickets" | "ticket_types" | "ticket_states", ..] => ("read_tickets", "write_tickets"),
        ["events", ..] => ("read_events", "write_events"),
        ["ip_allowlist"] => ("manage_ip_allowlist", "manage_ip_allowlist"),
        _ => return None,
    };
    Some(if reads { read } else { write })
}

#[cfg(test)]
mod tests {
    use super::needed;

    #[test]
    fn reading_writing_and_deleting_for_good_are_scopes_of_their_own() {
        let conversation = ["conversations", "7"];
        assert_eq!(needed("GET", &conversation, true), Some("read_conversations"));
        assert_eq!(needed("POST", &["conversations", "search"], true), Some("read_conversations"));
        assert_eq!(needed("POST", &["conversations", "7", "reply"], true), Some("write_conversations"));
        assert_eq!(needed("POST", &["conversations", "7", "tags"], true), Some("write_tags"));
        assert_eq!(needed("DELETE", &conversation, true), Some("write_conversations"));
        assert_eq!(needed("DELETE", &conversation, false), Some("delete_conversations_and_metrics"));
        assert_eq!(needed("GET", &["me"], true), None);
    }
}
