//! Who and what a workspace has, as far as settings name it: teammates, teams, tags and attributes. For whoever
//! checks a settings file; it is read only, and repeated nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::http;
use crate::domain::settings::Workspace;
use crate::domain::token::AccessToken;

/// How long Intercom may take for one list.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest list that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// What a workspace has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// The teammates, by id, and whether each has an inbox seat.
    pub teammates: BTreeMap<String, bool>,
    /// The teams, by id, and how many members each has.
    pub teams: BTreeMap<String, usize>,
    /// The tags' names, in small letters: Intercom tells no case apart in them.
    pub tags: BTreeSet<String>,
    /// The custom attributes of conversations and of customers; none where the settings ask for none.
    pub attributes: BTreeSet<String>,
}

impl Directory {
    /// Asks Intercom for it.
    ///
    /// # Errors
    /// In words, why it is not known.
    pub async fn of(workspace: &Workspace, token: &AccessToken) -> Result<Self, String> {
        let mut directory = Self::default();
        for admin in list(workspace, token, "/admins", "admins").await? {
            let has_seat = admin.get("has_inbox_seat").and_then(Value::as_bool).unwrap_or(true);
            directory.teammates.extend(id_of(&admin).map(|id| (id, has_seat)));
        }
        for team in list(workspace, token, "/teams", "teams").await? {
            let members = team.get("admin_ids").and_then(Value::as_array).map_or(1, Vec::len);
            directory.teams.extend(id_of(&team).map(|id| (id, members)));
        }
        for tag in list(workspace, token, "/tags", "data").await? {
            directory.tags.extend(tag.get("name").and_then(Value::as_str).map(str::to_lowercase));
        }
        if workspace.rules.all().any(|rule| !rule.when.attributes.is_empty()) {
            for path in ["/data_attributes?model=contact", attributes_of_conversations(workspace)] {
                for attribute in list(workspace, token, path, "data").await? {
                    directory.attributes.extend(attribute.get("name").and_then(Value::as_str).map(str::to_owned));
                }
            }
        }
        Ok(directory)
    }
}

/// Where the attributes of conversations are listed.
fn attributes_of_conversations(workspace: &Workspace) -> &'static str {
    if workspace.api_version.lists_attributes_of_conversations() {
        "/conversations/attributes"
    } else {
        "/data_attributes?model=conversation"
    }
}

fn id_of(item: &Value) -> Option<String> {
    match item.get("id")? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

async fn list(workspace: &Workspace, token: &AccessToken, path: &str, key: &str) -> Result<Vec<Value>, String> {
    let url = format!("{}{path}", workspace.api_url);
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
    let mut answer: Value = serde_json::from_slice(&body).unwrap_or_default();
    match answer.get_mut(key).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        _ => Err(format!("the answer to GET {url} has no list of {key}")),
    }
}
