//! What went in and out: the REST requests received and the webhooks delivered.
//!
//! Kept in memory up to a limit, and requests on request also with their answers as JSON lines
//! in a file, which a thread of its own writes. Headers of requests are not part of an entry, so
//! no token ever is.

use std::collections::VecDeque;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::faults::Struck;
use super::feed::{Feed, Subject};

/// How many entries of each kind are kept.
const ENTRIES_KEPT: usize = 10_000;
/// Larger bodies (uploads) are mentioned by size only.
const BODY_KEPT_BYTES: usize = 128 * 1024;

/// A REST request and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// When it came, in Unix milliseconds.
    pub(crate) at_ms: u64,
    pub(crate) duration_ms: u64,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The conversation in the path.
    pub(crate) conversation_id: Option<String>,
    pub(crate) query: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) app_id: Option<String>,
    pub(crate) body: Bytes,
    /// The status answered; none when a fault cut the connection.
    pub(crate) status: Option<u16>,
    /// What the sandbox did wrong with it on request.
    pub(crate) fault: Option<Struck>,
}

/// An answer as it left, for the file.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// One attempt at a webhook delivery.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Delivery {
    /// When it was sent or given up, in Unix milliseconds.
    pub(crate) at_ms: u64,
    pub(crate) app_id: String,
    /// The app it was for; none for the workspace's own.
    pub(crate) client_id: Option<String>,
    pub(crate) topic: &'static str,
    pub(crate) notification_id: Option<String>,
    pub(crate) conversation_id: Option<String>,
    /// How often it had been sent then; 0 for one that never was.
    pub(crate) attempt: u32,
    /// What the receiver answered; none when it did not, see `problem`.
    pub(crate) status: Option<u16>,
    pub(crate) duration_ms: u64,
    /// Why there is no status.
    pub(crate) problem: Option<String>,
    /// What the sandbox did wrong with it on request.
    pub(crate) fault: Option<Struck>,
}

/// Both logs.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    requests: Mutex<Log<Request>>,
    deliveries: Mutex<Log<Delivery>>,
    recorder: Option<mpsc::Sender<(u64, Arc<Request>, Answered)>>,
    /// Where every entry is made known to those who watch.
    pub(crate) feed: Feed,
}

/// Which entries of a log are wanted.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Those with higher numbers; all when absent.
    after: Option<u64>,
    /// At most so many: the first of them after `after`, the last of all without it.
    limit: Option<usize>,
    app_id: Option<String>,
    conversation_id: Option<String>,
}

impl Wanted {
    /// Those about one conversation.
    pub(crate) fn about(app_id: &str, conversation_id: u64) -> Self {
        Self { app_id: Some(app_id.to_owned()), conversation_id: Some(conversation_id.to_string()), ..Self::default() }
    }

    /// Those with higher numbers.
    pub(crate) fn after(self, n: u64) -> Self {
        Self { after: Some(n), ..self }
    }

    fn fits(&self, app_id: Option<&str>, conversation_id: Option<&str>) -> bool {
        let same = |wanted: &Option<String>, found| wanted.is_none() || wanted.as_deref() == found;
        same(&self.app_id, app_id) && same(&self.conversation_id, conversation_id)
    }
}

/// Entries under running numbers. They are shared, so that the lock is held only to find them.
#[derive(Debug)]
struct Log<T> {
    entries: VecDeque<(u64, Arc<T>)>,
    last: u64,
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), last: 0 }
    }
}

impl<T> Log<T> {
    fn add(&mut self, entry: Arc<T>) -> u64 {
        self.last += 1;
        if self.entries.len() == ENTRIES_KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back((self.last, entry));
        self.last
    }

    /// The wanted entries that fit, the oldest first, and the last number.
    fn find(&self, wanted: &Wanted, fits: impl Fn(&T) -> bool) -> (Vec<(u64, Arc<T>)>, u64) {
        let limit = wanted.limit.unwrap_or(usize::MAX);
        let start = self.entries.partition_point(|(n, _)| *n <= wanted.after.unwrap_or_default());
        let fitting = self.entries.range(start..).filter(|(_, entry)| fits(entry));
        let mut found: Vec<_> = match wanted.after {
            Some(_) => fitting.take(limit).cloned().collect(),
            None => fitting.rev().take(limit).cloned().collect(),
        };
        found.sort_by_key(|(n, _)| *n);
        (found, self.last)
    }
}

impl Journal {
    /// A journal that also appends every request to a file.
    ///
    /// # Errors
    /// When the file cannot be opened for writing.
    pub(crate) fn recording(file: &Path) -> std::io::Result<Self> {
        let mut file = std::fs::File::options().create(true).append(true).open(file)?;
        let (recorder, entries) = mpsc::channel::<(u64, Arc<Request>, Answered)>();
        // The thread ends when the journal, which holds the only sender, is dropped.
        std::thread::Builder::new().name("sandbox-recorder".to_owned()).spawn(move || {
            for (n, request, answered) in entries {
                let mut entry = request_json(n, &request);
                entry["answer"] = answer_json(&answered);
                let line = format!("{entry}\n");
                if file.write_all(line.as_bytes()).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { recorder: Some(recorder), ..Self::default() })
    }

    /// Whether answers are wanted.
    pub(crate) fn is_recording(&self) -> bool {
        self.recorder.is_some()
    }

    /// Logs a request; the answer goes into the file alone.
    pub(crate) fn request(&self, request: Request, answered: Option<Answered>) {
        let request = Arc::new(request);
        let n = lock(&self.requests).add(request.clone());
        let subjects = subjects(&request);
        let app_id = request.app_id.clone();
        if let (Some(recorder), Some(answered)) = (&self.recorder, answered) {
            // A full disk ends the recording, not the sandbox.
            drop(recorder.send((n, request, answered)));
        }
        for subject in subjects.into_iter().flatten() {
            self.feed.changed(app_id.as_deref().unwrap_or_default(), subject);
        }
    }

    pub(crate) fn delivery(&self, delivery: Delivery) {
        let conversation = delivery.conversation_id.as_ref().and_then(|id| id.parse().ok());
        let app_id = delivery.app_id.clone();
        let struck = delivery.fault.is_some();
        lock(&self.deliveries).add(Arc::new(delivery));
        if let Some(id) = conversation {
            self.feed.changed(&app_id, Subject::Steps(id));
        }
        // A fault that struck has one strike less; what is about no conversation is the subscription's.
        if struck || conversation.is_none() {
            self.feed.changed(&app_id, Subject::Surroundings);
        }
    }

    /// The requests that are wanted, and the number of the last there is.
    pub(crate) fn requests(&self, wanted: &Wanted) -> (Vec<Value>, u64) {
        let (entries, last) = lock(&self.requests)
            .find(wanted, |request| wanted.fits(request.app_id.as_deref(), request.conversation_id.as_deref()));
        (entries.iter().map(|(n, request)| request_json(*n, request)).collect(), last)
    }

    /// The attempts to deliver that are wanted, and the number of the last there is.
    pub(crate) fn deliveries(&self, wanted: &Wanted) -> (Vec<Value>, u64) {
        let (entries, last) = lock(&self.deliveries)
            .find(wanted, |delivery| wanted.fits(Some(&delivery.app_id), delivery.conversation_id.as_deref()));
        (entries.iter().map(|(n, delivery)| delivery_json(*n, delivery)).collect(), last)
    }

    /// Forgets all entries. Numbers go on, so that nobody who polls misses one.
    pub(crate) fn clear(&self) {
        lock(&self.requests).entries.clear();
        lock(&self.deliveries).entries.clear();
    }
}

fn request_json(n: u64, request: &Request) -> Value {
    json!({
        "n": n,
        "at_ms": request.at_ms,
        "duration_ms": request.duration_ms,
        "conversation_id": request.conversation_id,
        "fault": request.fault,
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "version": request.version,
        "app_id": request.app_id,
        "body": body_json(&request.body),
        "status": request.status,
    })
}

fn delivery_json(n: u64, delivery: &Delivery) -> Value {
    let mut value = json!(delivery);
    value["n"] = json!(n);
    value
}

fn answer_json(answered: &Answered) -> Value {
    let headers: Value = answered.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({"headers": headers, "body": serde_json::from_slice::<Value>(&answered.body).unwrap_or_default()})
}

/// What a request shows or changes: a conversation that is read is only shown. A fault that
/// struck has one strike less.
fn subjects(request: &Request) -> [Option<Subject>; 3] {
    let changes = request.method != "GET";
    let struck = request.fault.is_some().then_some(Subject::Surroundings);
    match request.conversation_id.as_ref().and_then(|id| id.parse().ok()) {
        Some(id) => [Some(Subject::Steps(id)), changes.then_some(Subject::Conversation(id)), struck],
        None => [changes.then_some(Subject::Surroundings), None, struck],
    }
}

fn body_json(body: &Bytes) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if body.len() > BODY_KEPT_BYTES {
        return json!(format!("({} bytes)", body.len()));
    }
    serde_json::from_slice(body).unwrap_or_else(|_| json!(String::from_utf8_lossy(body)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Log, Wanted};

    fn numbers(log: &Log<u64>, wanted: &Wanted) -> Vec<u64> {
        log.find(wanted, |entry| entry % 2 == 0).0.into_iter().map(|(n, _)| n).collect()
    }

    #[test]
    fn a_limit_takes_the_next_after_a_number_and_the_last_without_one() {
        let mut log = Log::default();
        for n in 1..=10 {
            log.add(Arc::new(n));
        }
        let wanted = |after, limit| Wanted { after, limit, ..Wanted::default() };
        assert_eq!(numbers(&log, &wanted(None, None)), [2, 4, 6, 8, 10]);
        assert_eq!(numbers(&log, &wanted(Some(3), Some(2))), [4, 6]);
        assert_eq!(numbers(&log, &wanted(None, Some(2))), [8, 10]);
        assert_eq!(numbers(&log, &wanted(Some(10), Some(2))), [0_u64; 0]);
    }
}
