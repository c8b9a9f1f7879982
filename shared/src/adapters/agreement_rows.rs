//! The judgements that conversations keep of the bot's suggestions and answers, for an operator's
//! report: the whole table is looked through, which is for a person who waits, not for a function.

use aws_sdk_dynamodb::Client;
use serde_json::Value;

use super::dynamodb::{text_value, unavailable};
use crate::domain::agreement::Agreement;
use crate::domain::ids::AppId;
use crate::ports::Unavailable;

/// What a row has that keeps judgements.
const MARK: &str = "\"agreements\":";

/// All judgements of a workspace that the table still has. A conversation that people have is kept for
/// 30 days after its last change.
///
/// # Errors
/// [`Unavailable`], also where the credentials may not read the table.
pub async fn agreements(client: &Client, table: &str, app_id: &AppId) -> Result<Vec<Agreement>, Unavailable> {
    let mut found = Vec::new();
    let mut from = None;
    loop {
        let page = client
            .scan()
            .table_name(table)
            .filter_expression("sk = :sk AND begins_with(pk, :app) AND contains(#state, :mark)")
            .projection_expression("#state")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":sk", text_value("STATE"))
            .expression_attribute_values(":app", text_value(&format!("{app_id}#")))
            .expression_attribute_values(":mark", text_value(MARK))
            .set_exclusive_start_key(from.take())
            .send()
            .await
            .map_err(unavailable)?;
        for item in page.items.unwrap_or_default() {
            let text = item.get("state").and_then(|value| value.as_s().ok());
            found.extend(text.map(|text| of_row(text)).unwrap_or_default());
        }
        match page.last_evaluated_key.filter(|key| !key.is_empty()) {
            Some(key) => from = Some(key),
            None => return Ok(found),
        }
    }
}

/// The judgements in one row. What cannot be read counts for nothing: it is of another release.
fn of_row(state: &str) -> Vec<Agreement> {
    let Ok(mut state) = serde_json::from_str::<Value>(state) else { return Vec::new() };
    let Some(Value::Array(agreements)) = state.get_mut("agreements").map(Value::take) else { return Vec::new() };
    agreements.into_iter().filter_map(|agreement| serde_json::from_value(agreement).ok()).collect()
}
