//! A server of the Lambda Runtime API, as the sandbox offers it to a function's process.
//!
//! `GET /2018-06-01/runtime/invocation/next` waits for an event, the function posts its result to
//! `…/invocation/{id}/response` or `…/error`, and `…/init/error` says that it could not start
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>). The time of an invocation is
//! taken where it is closest to the function: from just before the event is written to its socket
//! until its result has been read.
//!
//! One server drives one process, from its start to its end, as one sandbox does. There is no
//! response streaming to a caller (a streamed result is collected), no SnapStart and no extension.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::http::{self, Request, Server, lock};

/// How long a function has for one invocation; also the deadline it is told.
pub const INVOCATION_TIMEOUT: Duration = Duration::from_secs(30);

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const INIT_ERROR: &str = "/2018-06-01/runtime/init/error";
const INVOCATION: &str = "/2018-06-01/runtime/invocation/";
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:000000000000:function:bench";

/// What a function made of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It posted a result.
    Returned,
    /// It posted an error: the handler failed or panicked.
    Failed,
}

/// The end of an invocation.
#[derive(Clone, Debug)]
pub struct Response {
    /// Whether the function returned or failed.
    pub outcome: Outcome,
    /// What it posted, as it posted it.
    pub body: Vec<u8>,
    /// From handing out the event until the result was read.
    pub elapsed: Duration,
}

impl Response {
    /// The HTTP status in the result of a function behind API Gateway; `None` when the function
    /// failed or its result has no `statusCode`.
    #[must_use]
    pub fn status_code(&self) -> Option<u16> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Proxy {
            status_code: u16,
        }
        match self.outcome {
            Outcome::Returned => serde_json::from_slice::<Proxy>(&self.body).ok().map(|proxy| proxy.status_code),
            Outcome::Failed => None,
        }
    }
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeApiError {
    /// The function reported that it cannot start.
    #[error("the function failed to start: {0}")]
    Init(String),
    /// The function has not asked for its first event in time.
    #[error("the function did not ask for an event within {0:?}")]
    NotReady(Duration),
    /// No invocation came to its end for [`INVOCATION_TIMEOUT`].
    #[error("no answer from the function within {INVOCATION_TIMEOUT:?}, {unanswered} events unanswered")]
    NoAnswer {
        /// Events handed out or still queued.
        unanswered: usize,
    },
}

/// A running server; dropping it closes its port and every connection.
#[derive(Debug)]
pub struct RuntimeApi {
    shared: Arc<Shared>,
    server: Server,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the connections that wait for an event.
    queued: Condvar,
    /// Wakes whoever waits for the function.
    answered: Condvar,
}

#[derive(Debug, Default)]
struct State {
    submitted: u64,
    queue: VecDeque<(u64, Arc<[u8]>)>,
    handed_out: HashMap<u64, Instant>,
    finished: HashMap<u64, Response>,
    finished_count: u64,
    /// Only these wake the waiting thread, so that a run of many events is not disturbed by it.
    awaited: HashSet<u64>,
    first_next: Option<Instant>,
    init_error: Option<String>,
    closed: bool,
}

impl RuntimeApi {
    /// Listens on a free loop-back port.
    ///
    /// # Errors
    /// When no port or no thread is to be had.
    pub fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let server = Server::start("runtime-api", {
            let shared = Arc::clone(&shared);
            move |request| shared.answer(request)
        })?;
        Ok(Self { shared, server })
    }

    /// Where it listens: the value of `AWS_LAMBDA_RUNTIME_API`.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Waits until the function has asked for its first event, and says when that was. Calling it
    /// again returns at once.
    ///
    /// # Errors
    /// [`RuntimeApiError::Init`] when the function reports that it cannot start,
    /// [`RuntimeApiError::NotReady`] when it does neither within `timeout`.
    pub fn wait_ready(&self, timeout: Duration) -> Result<Instant, RuntimeApiError> {
        let (state, _) = self
            .shared
            .answered
            .wait_timeout_while(lock(&self.shared.state), timeout, |state| {
                state.first_next.is_none() && state.init_error.is_none()
            })
            .unwrap_or_else(PoisonError::into_inner);
        match (&state.init_error, state.first_next) {
            (Some(error), _) => Err(RuntimeApiError::Init(error.clone())),
            (None, Some(at)) => Ok(at),
            (None, None) => Err(RuntimeApiError::NotReady(timeout)),
        }
    }

    /// Hands one event (JSON) to the function and waits for its end.
    ///
    /// # Errors
    /// [`RuntimeApiError::NoAnswer`] after [`INVOCATION_TIMEOUT`], which is also what a function
    /// that died looks like.
    pub fn invoke(&self, event: impl Into<Arc<[u8]>>) -> Result<Response, RuntimeApiError> {
        let mut responses = self.invoke_all([event.into()])?;
        responses.pop().ok_or(RuntimeApiError::NoAnswer { unanswered: 1 })
    }

    /// Hands the events to the function one after the other, each as soon as it asks for the next,
    /// and waits for the end of all. The responses are in the order of the events.
    ///
    /// # Errors
    /// [`RuntimeApiError::NoAnswer`] when no invocation ends for [`INVOCATION_TIMEOUT`].
    pub fn invoke_all(&self, events: impl IntoIterator<Item = Arc<[u8]>>) -> Result<Vec<Response>, RuntimeApiError> {
        let mut state = lock(&self.shared.state);
        let first = state.submitted;
        for event in events {
            let id = state.submitted;
            state.queue.push_back((id, event));
            state.submitted += 1;
        }
        let ids = first..state.submitted;
        self.shared.queued.notify_all();
        // The last first: a function takes events in order, so the others have ended by then.
        for id in ids.clone().rev() {
            while !state.finished.contains_key(&id) {
                state.awaited.insert(id);
                let finished_before = state.finished_count;
                let (guard, wait) = self
                    .shared
                    .answered
                    .wait_timeout(state, INVOCATION_TIMEOUT)
                    .unwrap_or_else(PoisonError::into_inner);
                state = guard;
                if wait.timed_out() && state.finished_count == finished_before {
                    state.awaited.remove(&id);
                    let unanswered = state.queue.len() + state.handed_out.len();
                    return Err(RuntimeApiError::NoAnswer { unanswered });
                }
            }
        }
        Ok(ids.filter_map(|id| state.finished.remove(&id)).collect())
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        lock(&self.shared.state).closed = true;
        self.shared.queued.notify_all();
    }
}

impl Shared {
    fn answer(&self, request: Request) -> Vec<u8> {
        let now = Instant::now();
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", NEXT) => self.next(now),
            ("POST", INIT_ERROR) => {
                lock(&self.state).init_error = Some(String::from_utf8_lossy(&request.body).into_owned());
                self.answered.notify_all();
                accepted()
            }
            ("POST", path) => match parse_result_path(path) {
                Some((id, outcome)) => self.finish(id, outcome, request.body, now),
                None => http::response(404, &[], b""),
            },
            _ => http::response(404, &[], b""),
        }
    }

    /// Waits for an event, for as long as it takes: a sandbox sleeps until there is one.
    fn next(&self, now: Instant) -> Vec<u8> {
        let mut state = lock(&self.state);
        if state.first_next.is_none() {
            state.first_next = Some(now);
            self.answered.notify_all();
        }
        let (id, event) = loop {
            if state.closed {
                return http::response(500, &[("connection", "close")], b"");
            }
            if let Some(queued) = state.queue.pop_front() {
                break queued;
            }
            state = self.queued.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        let request_id = request_id(id);
        let deadline_ms = (epoch() + INVOCATION_TIMEOUT).as_millis().to_string();
        let bytes = http::response(
            200,
            &[
                ("content-type", "application/json"),
                ("Lambda-Runtime-Aws-Request-Id", &request_id),
                ("Lambda-Runtime-Deadline-Ms", &deadline_ms),
                ("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN),
                ("Lambda-Runtime-Trace-Id", "Root=1-00000000-000000000000000000000000;Sampled=0"),
            ],
            &event,
        );
        // The clock starts when the bytes are ready to be written.
        lock(&self.state).handed_out.insert(id, Instant::now());
        bytes
    }

    fn finish(&self, id: u64, outcome: Outcome, body: Vec<u8>, now: Instant) -> Vec<u8> {
        let mut state = lock(&self.state);
        let Some(handed_out) = state.handed_out.remove(&id) else {
            // As Lambda answers a result for an invocation that is not open.
            return http::response(400, &[], br#"{"errorType":"InvalidRequestID"}"#);
        };
        state.finished.insert(id, Response { outcome, body, elapsed: now - handed_out });
        state.finished_count += 1;
        let awaited = state.awaited.remove(&id);
        drop(state);
        if awaited {
            self.answered.notify_all();
        }
        accepted()
    }
}

fn accepted() -> Vec<u8> {
    http::response(202, &[("content-type", "application/json")], br#"{"status":"OK"}"#)
}

/// A request id in the shape of Lambda's, a UUID.
fn request_id(id: u64) -> String {
    format!("00000000-0000-4000-8000-{id:012x}")
}

fn parse_result_path(path: &str) -> Option<(u64, Outcome)> {
    let (request_id, result) = path.strip_prefix(INVOCATION)?.split_once('/')?;
    let outcome = match result {
        "response" => Outcome::Returned,
        "error" => Outcome::Failed,
        _ => return None,
    };
    let (_, number) = request_id.rsplit_once('-')?;
    Some((u64::from_str_radix(number, 16).ok()?, outcome))
}

#[expect(clippy::disallowed_methods, reason = "the server plays Lambda, whose deadlines are in real time")]
pub(crate) fn epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::thread;

    use super::*;
    use crate::http::tests::exchange;

    fn header<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
        headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Plays a function that takes `count` events and ends each with `result` and the event itself.
    fn play(address: SocketAddr, count: usize, result: &'static str) -> thread::JoinHandle<()> {
        thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            for _ in 0..count {
                let (status, headers, event) = exchange(&mut stream, &format!("GET {NEXT} HTTP/1.1\r\n\r\n"));
                assert_eq!(status, 200);
                let id = header(&headers, "Lambda-Runtime-Aws-Request-Id");
                let deadline_ms: u128 = header(&headers, "Lambda-Runtime-Deadline-Ms").parse().unwrap();
                assert!(deadline_ms > epoch().as_millis());
                let event = String::from_utf8(event).unwrap();
                let post = format!(
                    "POST {INVOCATION}{id}/{result} HTTP/1.1\r\nContent-Length: {}\r\n\r\n{event}",
                    event.len()
                );
                assert_eq!(exchange(&mut stream, &post).0, 202);
            }
        })
    }

    #[test]
    fn responses_come_in_the_order_of_the_events() {
        let api = RuntimeApi::start().unwrap();
        let function = play(api.address(), 21, "response");
        api.wait_ready(INVOCATION_TIMEOUT).unwrap();
        let events: Vec<Arc<[u8]>> = (0..20).map(|n| Arc::from(format!("{n}").into_bytes())).collect();
        let responses = api.invoke_all(events.clone()).unwrap();
        assert!(responses.iter().map(|response| &response.body[..]).eq(events.iter().map(|event| &event[..])));
        let response = api.invoke(*br#"{"statusCode":204}"#).unwrap();
        assert_eq!((response.outcome, response.status_code()), (Outcome::Returned, Some(204)));
        assert!(response.elapsed > Duration::ZERO);
        function.join().unwrap();
    }

    #[test]
    fn a_failed_invocation_has_no_status() {
        let api = RuntimeApi::start().unwrap();
        let function = play(api.address(), 1, "error");
        let response = api.invoke(*br#"{"statusCode":200}"#).unwrap();
        assert_eq!((response.outcome, response.status_code()), (Outcome::Failed, None));
        function.join().unwrap();
    }

    #[test]
    fn a_function_that_cannot_start_is_not_ready() {
        let api = RuntimeApi::start().unwrap();
        let silent = api.wait_ready(Duration::from_millis(1));
        assert!(matches!(silent, Err(RuntimeApiError::NotReady(_))));
        let mut stream = TcpStream::connect(api.address()).unwrap();
        exchange(&mut stream, &format!("POST {INIT_ERROR} HTTP/1.1\r\nContent-Length: 4\r\n\r\nboom"));
        let failed = api.wait_ready(INVOCATION_TIMEOUT);
        assert!(matches!(failed, Err(RuntimeApiError::Init(error)) if error == "boom"));
    }

    #[test]
    fn a_result_for_an_unknown_invocation_is_refused() {
        let api = RuntimeApi::start().unwrap();
        let mut stream = TcpStream::connect(api.address()).unwrap();
        let post = format!("POST {INVOCATION}{}/response HTTP/1.1\r\n\r\n", request_id(7));
        assert_eq!(exchange(&mut stream, &post).0, 400);
        assert_eq!(exchange(&mut stream, "GET /elsewhere HTTP/1.1\r\n\r\n").0, 404);
    }
}
