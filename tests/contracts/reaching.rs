//! What agent transfer asks of Intercom, through the REST adapter against the sandbox: the customer
//! found or made known, conversations opened, things said in them as the customer, and who is there.

mod contacts;
mod files;
mod opening;
mod presence;

use std::path::PathBuf;

use baton_cli::sandbox::{Options, Running, Sandbox, Seed, WorkspaceSeed};
use serde_json::{Value, json};
use shared::adapters::clock::SystemClock;
use shared::adapters::intercom::RestApi;
use shared::domain::conversation::Action;
use shared::domain::ids::{AppId, ConversationId};
use shared::domain::settings::{ApiVersion, Workspace};
use shared::domain::step::Answer;
use shared::domain::transfer::{Contact, Customer, File};
use shared::ports::{Clock, Intercom as _};
use shared::testing::{HeldTokens, workspace};
use shared::wire::outgoing::Reach;

use super::aws::root;

const CARLA: &str = "65a0c0ffee0000000000c001";
const DAN: &str = "65a0c0ffee0000000000c002";
/// Dan's, by which Intercom knows leads.
const DANS_ID: &str = "0c3a5f1e-7d2b-4c58-9e61-2f9f6b1d8a42";

/// Where the requests of these tests are kept, for the check against Intercom's descriptions.
fn record(test: &str) -> PathBuf {
    let directory = root().join(".local/test/requests");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join(format!("contract-reaching-{test}.jsonl"));
    let _ = std::fs::remove_file(&file);
    file
}

/// The sandbox, a workspace there, and the adapter.
struct Reached<C: Clock = SystemClock> {
    sandbox: Running,
    workspace: Workspace,
    api: RestApi<C, HeldTokens>,
    http: reqwest::Client,
}

impl Reached {
    async fn start(test: &str, version: &str) -> Self {
        Self::seeded(test, version, |_| ()).await
    }

    /// With another seed; `seed` changes it.
    async fn seeded(test: &str, version: &str, seed: impl FnOnce(&mut WorkspaceSeed)) -> Self {
        Self::kept(Some(record(test)), version, seed).await
    }

    async fn kept(record: Option<PathBuf>, version: &str, seed: impl FnOnce(&mut WorkspaceSeed)) -> Self {
        let mut all = Seed::embedded().unwrap();
        all.workspaces[0].search_lag_ms = 0;
        seed(&mut all.workspaces[0]);
        let options = Options { seed: Some(all), record, ..Options::default() };
        let sandbox = Sandbox::start(options).await.unwrap();
        let mut workspace = workspace();
        workspace.app_id = AppId::parse("sandbox1").unwrap();
        workspace.api_url = sandbox.url();
        workspace.api_version = ApiVersion::parse(version).unwrap();
        let api = adapter(SystemClock).reaching(Reach::ThisMachineToo);
        let http = shared::adapters::http::client(std::time::Duration::from_secs(20)).unwrap();
        Self { sandbox, workspace, api, http }
    }
}

fn adapter<C: Clock>(clock: C) -> RestApi<C, HeldTokens> {
    RestApi::new(HeldTokens::of(&[("sandbox1", "sandbox-token")]), clock).unwrap()
}

impl<C: Clock> Reached<C> {
    /// The same sandbox and workspace by another clock.
    fn by<D: Clock>(self, clock: D) -> Reached<D> {
        Reached { api: adapter(clock), sandbox: self.sandbox, workspace: self.workspace, http: self.http }
    }

    /// A request of somebody else's, in the newest version; it is marked, as it is not Baton's.
    async fn rest(&self, method: &str, path: &str, body: Value) -> Value {
        let url = format!("{}{path}?beside=baton", self.sandbox.url());
        let request = self.http.request(method.parse().unwrap(), url).bearer_auth("sandbox-token");
        let request = request.header("Accept", "application/json").header("Intercom-Version", "2.16");
        let request = if body.is_null() { request } else { request.json(&body) };
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        let answer = self.http.post(url).json(body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn made(&self, body: Value) -> String {
        self.rest("POST", "/contacts", body).await["id"].as_str().unwrap().to_owned()
    }

    /// A fault that befalls requests, once.
    async fn fault(&self, mut fault: Value, method: &str, path: &str) {
        fault["match"] = json!({ "method": method, "path_contains": path });
        fault["times"] = json!(1);
        self.control("faults", &fault).await;
    }

    /// What was asked since the request of that number, as `method path`.
    async fn asked_since(&self, after: u64) -> Vec<String> {
        let log = self.log(after).await;
        let one =
            |request: &Value| format!("{} {}", request["method"].as_str().unwrap(), request["path"].as_str().unwrap());
        log.iter().map(one).collect()
    }

    async fn log(&self, after: u64) -> Vec<Value> {
        let url = format!("{}/_sandbox/requests?after={after}", self.sandbox.url());
        let log: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        log["requests"].as_array().unwrap().clone()
    }

    /// The number of the last request.
    async fn last(&self) -> u64 {
        self.log(0).await.last().and_then(|request| request["n"].as_u64()).unwrap_or_default()
    }

    async fn perform(&self, id: &ConversationId, action: &Action) -> Answer {
        self.api.perform(&self.workspace, id, action).await
    }

    async fn find(&self, customer: &Customer) -> Answer {
        let action = Action::FindContact { customer: customer.clone(), session: "s1".to_owned() };
        self.perform(&nowhere(), &action).await
    }

    async fn found(&self, customer: &Customer) -> Contact {
        match self.find(customer).await {
            Answer::Contact(contact) => contact,
            answer => panic!("{customer:?}: {answer:?}"),
        }
    }

    async fn begin(&self, contact: &Contact, text: &str) -> Answer {
        let begin = Action::Begin { contact: contact.clone(), text: text.to_owned(), files: Vec::new() };
        self.perform(&nowhere(), &begin).await
    }

    async fn begun(&self, contact: &Contact, text: &str) -> ConversationId {
        match self.begin(contact, text).await {
            Answer::Begun { conversation } => conversation,
            answer => panic!("{answer:?}"),
        }
    }

    async fn relay(&self, id: &ConversationId, contact: &Contact, text: &str, files: Vec<File>) -> Answer {
        let relay = Action::Relay { contact: contact.id.clone(), text: text.to_owned(), files };
        self.perform(id, &relay).await
    }
}

/// In the place of a conversation's id, where there is none yet.
fn nowhere() -> ConversationId {
    ConversationId::parse("session:0").unwrap()
}

fn customer(fields: Value) -> Customer {
    serde_json::from_value(fields).unwrap()
}

fn contact(id: &str, role: &str) -> Contact {
    serde_json::from_value(json!({ "id": id, "role": role })).unwrap()
}

fn rejected_as(answer: &Answer, wanted: &str) {
    assert!(matches!(answer, Answer::Rejected { code, .. } if code == wanted), "{wanted}: {answer:?}");
}
