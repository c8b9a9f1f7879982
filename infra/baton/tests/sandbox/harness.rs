//! A sandbox, a client for it, and a receiver of webhooks that checks every signature.
//!
//! The receiver computes signatures by itself, so that the sandbox's mistakes cannot hide.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use baton_cli::sandbox::{Options, Running, Sandbox};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::sync::mpsc;

/// Longer than anything here takes, shorter than anybody waits.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) const CARLA: &str = "65a0c0ffee0000000000c001";
pub(crate) const BOT: &str = "900001";
pub(crate) const ALICE: &str = "900002";
pub(crate) const SUPPORT: &str = "500001";

pub(crate) struct Lab {
    pub(crate) sandbox: Running,
    client: reqwest::Client,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// The status and the code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        assert_eq!(self.body["type"], "error.list", "{}", self.body);
        let code = self.body["errors"][0]["code"].as_str();
        (self.status, code.unwrap_or_default())
    }
}

impl Lab {
    pub(crate) async fn start() -> Self {
        Self::start_with(Options { retry_after_ms: Some(50), ..Options::default() }).await
    }

    pub(crate) async fn start_with(options: Options) -> Self {
        let sandbox = Sandbox::start(options).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build();
        Self { sandbox, client: client.unwrap() }
    }

    /// A REST call to `sandbox1` with the headers given.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<Answer, reqwest::Error> {
        let method: Method = method.parse().unwrap();
        let url = format!("{}{path}", self.sandbox.url());
        let mut request = self.client.request(method, url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.to_owned()).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Answer { status, headers, body })
    }

    pub(crate) async fn rest_in(&self, version: &str, method: &str, path: &str, body: Value) -> Answer {
        let headers = [("Authorization", "Bearer sandbox-token"), ("Intercom-Version", version)];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, &headers, &body).await.unwrap()
    }

    pub(crate) async fn rest(&self, method: &str, path: &str, body: Value) -> Answer {
        self.rest_in("2.15", method, path, body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.rest("GET", path, Value::Null).await.ok()
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        self.rest("POST", path, body).await.ok()
    }

    /// A call to the control API.
    pub(crate) async fn control(&self, method: &str, path: &str, body: Value) -> Answer {
        let path = format!("/_sandbox{path}");
        let sent = self.send(method, &path, &[], &body.to_string()).await;
        sent.unwrap()
    }

    /// Carla starts a conversation in `sandbox1`.
    pub(crate) async fn started(&self, text: &str) -> String {
        let body = json!({"contact_id": CARLA, "body": text});
        let answer = self.control("POST", "/sandbox1/conversations", body).await;
        answer.ok()["conversation_id"].as_str().unwrap().to_owned()
    }

    /// Something done to a conversation of `sandbox1` by hand.
    pub(crate) async fn by_hand(&self, id: &str, what: &str, body: Value) -> Value {
        let path = format!("/sandbox1/conversations/{id}/{what}");
        self.control("POST", &path, body).await.ok()
    }

    /// Subscribes a new receiver to `sandbox1` and takes the ping out of it.
    pub(crate) async fn hooks(&self, version: &str) -> Hooks {
        let mut hooks = Hooks::start().await;
        let body = json!({"url": hooks.url("127.0.0.1"), "version": version});
        let answer = self.control("POST", "/sandbox1/webhook", body).await;
        assert_eq!(answer.ok(), json!({"head_status": 200, "ping_status": 200}));
        assert_eq!(hooks.next().await.body["topic"], "ping");
        hooks
    }

    /// The delivery log, as soon as it has so many entries.
    pub(crate) async fn deliveries(&self, count: usize) -> Vec<Value> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let log = self.control("GET", "/deliveries", Value::Null).await.ok();
            let entries = log["deliveries"].as_array().unwrap().clone();
            if entries.len() >= count {
                return entries;
            }
            assert!(tokio::time::Instant::now() < deadline, "{entries:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

/// One webhook as it arrived.
#[derive(Debug)]
pub(crate) struct Hook {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    signed: bool,
}

impl Hook {
    pub(crate) fn topic(&self) -> &str {
        self.body["topic"].as_str().unwrap()
    }

    /// Whether it carries the signature of its bytes.
    pub(crate) fn is_signed(&self) -> bool {
        self.signed
    }

    pub(crate) fn item(&self) -> &Value {
        &self.body["data"]["item"]
    }

    /// The only part of the payload.
    pub(crate) fn part(&self) -> &Value {
        let list = &self.item()["conversation_parts"];
        assert_eq!(list["total_count"], 1, "{list}");
        &list["conversation_parts"][0]
    }
}

/// A receiver of webhooks.
pub(crate) struct Hooks {
    port: u16,
    arrived: mpsc::UnboundedReceiver<Hook>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

#[derive(Clone)]
struct Receiver {
    arrived: mpsc::UnboundedSender<Hook>,
    answers: Arc<Mutex<VecDeque<u16>>>,
    strict: bool,
}

impl Hooks {
    /// One that insists on signatures.
    pub(crate) async fn start() -> Self {
        Self::listen(true).await
    }

    /// One that takes webhooks without a signature, or with a wrong one.
    pub(crate) async fn forgiving() -> Self {
        Self::listen(false).await
    }

    async fn listen(strict: bool) -> Self {
        let (sender, arrived) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(VecDeque::new()));
        let receiver = Receiver { arrived: sender, answers: answers.clone(), strict };
        let app = Router::new().fallback(receive).with_state(receiver);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { port, arrived, answers }
    }

    pub(crate) fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/hooks", self.port)
    }

    /// What to answer to the next webhooks, one after the other; afterwards 200.
    pub(crate) fn answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    pub(crate) async fn next(&mut self) -> Hook {
        let hook = tokio::time::timeout(PATIENCE, self.arrived.recv()).await;
        hook.expect("a webhook in time").expect("a receiver")
    }

    pub(crate) async fn topics(&mut self, count: usize) -> Vec<String> {
        let mut topics = Vec::new();
        for _ in 0..count {
            topics.push(self.next().await.topic().to_owned());
        }
        topics
    }

    /// Whether nothing more has arrived; ask after something that arrives later than it would.
    pub(crate) fn is_empty(&mut self) -> bool {
        self.arrived.try_recv().is_err()
    }
}

async fn receive(State(receiver): State<Receiver>, method: Method, headers: HeaderMap, bytes: Bytes) -> StatusCode {
    if method == Method::HEAD {
        return StatusCode::OK;
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(b"sandbox-secret").unwrap();
    mac.update(&bytes);
    let digest = mac.finalize().into_bytes();
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let given = headers.get("x-hub-signature").and_then(|value| value.to_str().ok());
    let signed = given == Some(format!("sha1={hex}").as_str());
    assert!(signed || !receiver.strict, "{given:?}");
    let body = serde_json::from_slice(&bytes).unwrap();
    receiver.arrived.send(Hook { headers, body, signed }).unwrap();
    let status = receiver.answers.lock().unwrap().pop_front();
    StatusCode::from_u16(status.unwrap_or(200)).unwrap()
}
