//! The `Accept` header: whether a caller takes JSON, which is all that there is.

use axum::http::HeaderMap;

use crate::sandbox::error::{Answer, ApiError};

/// # Errors
/// 406 when the caller names media types and JSON is none of them. Intercom refuses a call
/// without the header as well; here it is let in, as a call written by hand or by a small
/// client means JSON and nothing is learned by refusing it.
pub(super) fn takes_json(headers: &HeaderMap) -> Answer<()> {
    let mut named = headers.get_all("accept").iter().filter_map(|value| value.to_str().ok()).peekable();
    if named.peek().is_none() || named.flat_map(|value| value.split(',')).any(is_json) {
        return Ok(());
    }
    Err(ApiError::not_acceptable())
}

fn is_json(range: &str) -> bool {
    let mut parameters = range.split(';').map(str::trim);
    let media_type = parameters.next().unwrap_or_default().to_ascii_lowercase();
    let refused = parameters.any(|parameter| matches!(parameter, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
    !refused && matches!(media_type.as_str(), "" | "*/*" | "application/*" | "application/json")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::takes_json;

    #[test]
    fn json_is_taken_unless_it_is_excluded() {
        for (accept, taken) in [
            ("application/json", true),
            ("*/*", true),
            ("text/html, application/json;q=0.9", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/html", false),
            ("application/json;q=0", false),
            ("application/vnd.api+json", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("accept", HeaderValue::from_static(accept));
            assert_eq!(takes_json(&headers).is_ok(), taken, "{accept}");
        }
        assert!(takes_json(&HeaderMap::new()).is_ok());
    }
}
