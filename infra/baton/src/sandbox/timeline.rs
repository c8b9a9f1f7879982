//! What happened around one conversation, from all sides, in the order of time.
//!
//! What people did and saw (the workspace's events), the webhooks sent, the requests received,
//! and what the bridge says about itself (`trace`). Each entry has `kind`, `at_ms` and `key`,
//! and besides what its source has.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::control::{InConversation, Reply, done, refuse, workspace};
use super::journal::Wanted;
use axum::http::StatusCode;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    /// The `next` of the answer before.
    after: Option<String>,
}

/// The last entry of each source that a reader has.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Place {
    event: u64,
    delivery: u64,
    request: u64,
    step: u64,
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let numbers: Option<Vec<u64>> = text.split('.').map(|number| number.parse().ok()).collect();
        let [event, delivery, request, step] = numbers?.try_into().ok()?;
        Some(Self { event, delivery, request, step })
    }

    fn text(self) -> String {
        format!("{}.{}.{}.{}", self.event, self.delivery, self.request, self.step)
    }
}

/// `GET …/conversations/{id}/timeline?after=`
pub(crate) async fn show(
    State(shared): State<Arc<Shared>>,
    Path((app_id, id)): InConversation,
    Query(asked): Query<Asked>,
) -> Reply {
    let mut place = match asked.after.as_deref() {
        None => Place::default(),
        Some(text) => Place::parse(text)
            .ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "after is the next of an earlier answer"))?,
    };
    let mut entries = Vec::new();
    let workspace = workspace(&shared, &app_id)?;
    let start = workspace.events.partition_point(|event| event.n <= place.event);
    for event in workspace.events.range(start..).filter(|event| event.conversation_id == id) {
        place.event = event.n;
        if event.entry["kind"] != "notification" {
            entries.push(labelled("event", event.n, event.entry.clone()));
        }
    }
    drop(workspace);
    let wanted = Wanted::about(&app_id, id);
    let (deliveries, last) = shared.journal.deliveries(&wanted.clone().after(place.delivery));
    entries.extend(deliveries.into_iter().map(|one| labelled("webhook", number(&one), one)));
    place.delivery = last;
    let (requests, last) = shared.journal.requests(&wanted.after(place.request));
    entries.extend(requests.into_iter().map(|one| labelled("request", number(&one), one)));
    place.request = last;
    for (n, step) in shared.traces.after(&(app_id, id), place.step) {
        place.step = n;
        entries.push(labelled("step", n, step));
    }
    entries.sort_by_key(|entry| (entry["at_ms"].as_u64(), rank(entry)));
    done(json!({"entries": entries, "next": place.text()}))
}

fn number(entry: &Value) -> u64 {
    entry["n"].as_u64().unwrap_or_default()
}

/// In one millisecond a request comes before what it did, and that before the webhook about it.
fn rank(entry: &Value) -> usize {
    ["request", "event", "webhook"].iter().position(|kind| entry["kind"] == *kind).unwrap_or(3)
}

fn labelled(kind: &str, n: u64, mut entry: Value) -> Value {
    if let Some(of_event) = entry.get("kind").cloned() {
        entry["event"] = of_event;
    }
    entry["kind"] = json!(kind);
    entry["key"] = json!(format!("{kind}-{n}"));
    entry
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place { event: 1, delivery: 22, request: 333, step: 0 };
        assert_eq!(Place::parse(&place.text()), Some(place));
        for wrong in ["", "1.2.3", "1.2.3.4.5", "1.2.3.x"] {
            assert_eq!(Place::parse(wrong), None);
        }
    }
}
