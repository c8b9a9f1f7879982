//! Whose an access token is: Intercom says it of each (`GET /me`). For whoever puts one; a token of
//! another workspace would make the bot speak there.

use std::time::Duration;

use serde_json::Value;

use super::http;
use crate::domain::ids::AppId;
use crate::domain::settings::Workspace;
use crate::domain::token::AccessToken;

/// How long Intercom may take.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// Asks Intercom, where the workspace has its data, whose a token is. It is repeated nowhere.
///
/// # Errors
/// In words, why it is not known.
pub async fn owner_of(workspace: &Workspace, token: &AccessToken) -> Result<AppId, String> {
    let url = format!("{}/me", workspace.api_url);
    let request = http::client(TIMEOUT)?
        .get(&url)
        .bearer_auth(token.reveal())
        .header("Accept", "application/json")
        .header("Intercom-Version", workspace.api_version.to_string());
    let response = request.send().await.map_err(|error| format!("GET {url}: {}", http::kind_of(&error)))?;
    let status = response.status();
    if !status.is_success() {
        return Err(format!("GET {url} was answered with {}", status.as_u16()));
    }
    let body = http::read(response, MAX_ANSWER_BYTES).await.map_err(|error| format!("GET {url}: {error}"))?;
    let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    let app_id = answer.pointer("/app/id_code").and_then(Value::as_str).and_then(|id| AppId::parse(id).ok());
    app_id.ok_or_else(|| format!("the answer to GET {url} names no workspace"))
}
