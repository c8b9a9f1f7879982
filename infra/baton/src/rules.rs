//! What an operator asks about the rules: how far the bot and the teammates agree, node by node.

use shared::adapters::agreement_rows::agreements;
use shared::adapters::connection::Connection;
use shared::domain::agreement::{ENOUGH, NodeReport, report};
use shared::domain::settings::Settings;

use crate::token::{TokenError, table_of};

/// The report of each workspace, line by line.
///
/// # Errors
/// [`TokenError`], where the table is not found or cannot be read.
pub async fn lines(
    connection: &Connection,
    stack: &str,
    table: Option<String>,
    settings: &Settings,
) -> Result<Vec<String>, TokenError> {
    let client = connection.dynamodb();
    let table = table_of(connection, stack, table).await?;
    let mut lines = Vec::new();
    for app_id in settings.workspaces.keys() {
        let nodes = report(&agreements(&client, &table, app_id).await?);
        lines.push(match nodes.len() {
            0 => format!("{app_id}: nothing has been suggested, tried out or answered by a node yet"),
            _ => format!("{app_id}: agreement by node, of the last 30 days at least; an advice takes {ENOUGH}"),
        });
        lines.extend(nodes.iter().map(line));
    }
    Ok(lines)
}

/// `  Refunds (refunds): suggest, 19 of 20 agreed (95 %), may go from suggest to answer`.
fn line(node: &NodeReport) -> String {
    let NodeReport { origin, deed, shadow, agreed, judged, advice } = node;
    let percent = (100 * agreed).checked_div(*judged).unwrap_or(0);
    let shadow = if *shadow { " (tried out)" } else { "" };
    let (label, id, deed, advice) = (&origin.label, &origin.node, deed.as_str(), advice.as_words());
    format!("  {label} ({id}): {deed}{shadow}, {agreed} of {judged} agreed ({percent} %), {advice}")
}

#[cfg(test)]
mod tests {
    use shared::domain::agreement::{Advice, Origin};
    use shared::domain::rules::Deed;

    use super::*;

    #[test]
    fn a_line_tells_counts_and_advice() {
        let origin = Origin { node: "n1".to_owned(), label: "Refunds".to_owned() };
        let node =
            NodeReport { origin, deed: Deed::Suggest, shadow: false, agreed: 19, judged: 20, advice: Advice::Answer };
        assert_eq!(line(&node), "  Refunds (n1): suggest, 19 of 20 agreed (95 %), may go from suggest to answer");
    }
}
