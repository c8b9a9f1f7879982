//! The stream of changes in a workspace, as server-sent events.
//!
//! An event's id names the run of the process and the number of the last change in it, so that
//! a reader that comes back with `Last-Event-ID` goes on where it was. Changes that come close
//! together travel together, and a conversation comes as its row in a list (`lists`) at the time
//! of sending. The events: `hello` (`{run, now, ahead_seconds}`), `changes` (`{now, conversations,
//! gone, steps, surroundings}`), `resync` when something was missed, `beat` when nothing happens.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};

use super::Shared;
use super::control::{Reply, workspace};
use super::feed::{Found, Subject};
use super::lists;

/// How often something is said when nothing happens.
const BEAT: Duration = Duration::from_secs(10);
/// Changes this close together travel together.
const GATHER: Duration = Duration::from_millis(40);
/// How many different things one event is about, at most.
const SUBJECTS_AT_ONCE: usize = 100;

struct Reader {
    shared: Arc<Shared>,
    app_id: String,
    n: u64,
    /// What to say before anything else.
    first: Vec<Event>,
}

/// `GET /_sandbox/{app_id}/live`
pub(crate) async fn stream(State(shared): State<Arc<Shared>>, Path(app_id): Path<String>, headers: HeaderMap) -> Reply {
    drop(workspace(&shared, &app_id)?);
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let reader = Reader::new(shared, app_id, seen);
    let events = stream::unfold(reader, async |mut reader| {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    let mut response: Response = Sse::new(events).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

impl Reader {
    fn new(shared: Arc<Shared>, app_id: String, seen: Option<&str>) -> Self {
        let last = shared.feed().last();
        let (run, n) = match seen.and_then(|id| id.rsplit_once('.')) {
            Some((run, n)) => (run, n.parse().unwrap_or(u64::MAX)),
            None => (shared.feed().run(), last),
        };
        let same_run = run == shared.feed().run();
        let mut reader = Self { n: if same_run { n } else { last }, shared, app_id, first: Vec::new() };
        if !same_run {
            reader.first.push(reader.event("resync", json!({})));
        }
        let hello = json!({
            "run": reader.shared.feed().run(),
            "now": reader.shared.clock.now(),
            "ahead_seconds": reader.shared.clock.ahead().as_secs(),
        });
        reader.first.push(reader.event("hello", hello));
        reader
    }

    async fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.first.pop() {
            return Some(event);
        }
        loop {
            match tokio::time::timeout(BEAT, self.shared.feed().beyond(self.n)).await {
                Err(_) => return Some(self.event("beat", json!({"now": self.shared.clock.now()}))),
                Ok(false) => return None,
                Ok(true) => {}
            }
            tokio::time::sleep(GATHER).await;
            match self.shared.feed().after(self.n, &self.app_id, SUBJECTS_AT_ONCE) {
                Found::Missed(last) => {
                    self.n = last;
                    return Some(self.event("resync", json!({})));
                }
                Found::Changes(subjects, upto) => {
                    self.n = upto;
                    if !subjects.is_empty() {
                        return Some(self.event("changes", self.rendered(&subjects)));
                    }
                }
            }
        }
    }

    fn rendered(&self, subjects: &[Subject]) -> Value {
        let mut rows = Vec::new();
        let mut gone = Vec::new();
        let mut steps = BTreeSet::new();
        // A workspace is never taken away while the process runs.
        if let Some(workspace) = self.shared.workspace(&self.app_id) {
            for subject in subjects {
                match subject {
                    Subject::Conversation(id) => match workspace.conversations.get(id) {
                        Some(one) => rows.push(lists::row(&workspace, one)),
                        None => gone.push(id.to_string()),
                    },
                    Subject::Steps(id) => {
                        steps.insert(id.to_string());
                    }
                    Subject::Surroundings => {}
                }
            }
        }
        json!({
            "now": self.shared.clock.now(),
            "ahead_seconds": self.shared.clock.ahead().as_secs(),
            "conversations": rows,
            "gone": gone,
            "steps": steps,
            "surroundings": subjects.contains(&Subject::Surroundings),
        })
    }

    fn event(&self, name: &str, data: Value) -> Event {
        let id = format!("{}.{}", self.shared.feed().run(), self.n);
        Event::default().event(name).id(id).data(data.to_string())
    }
}
