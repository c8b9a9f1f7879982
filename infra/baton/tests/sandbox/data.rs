//! A directory keeps what a sandbox has: over stops, over kills, until a reset.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use baton_cli::sandbox::{Options, Origin, Seed};
use serde_json::{Value, json};

use crate::harness::{ALICE, BOT, CARLA, Lab};

/// A directory that is not there yet, and goes when the value does.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("baton-data-{name}-{}", std::process::id())))
    }

    async fn lab(&self) -> Lab {
        Lab::start_with(Options { data: Some(self.0.clone()), ..Options::default() }).await
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn comment(body: &str) -> Value {
    json!({"message_type": "comment", "type": "admin", "admin_id": BOT, "body": body})
}

#[tokio::test]
async fn a_stopped_sandbox_goes_on_where_it_was() {
    let directory = Directory::new("restart");
    let lab = directory.lab().await;
    assert_eq!(lab.sandbox.origin(), Origin::NewDirectory);
    let id = lab.started("Hi").await;
    let path = format!("/conversations/{id}");
    let upload = json!({"name": "a.txt", "content_type": "text/plain", "data": "aGk="});
    let mut with_file = comment("<p>one</p>");
    with_file["attachment_files"] = json!([upload]);
    lab.post(&format!("{path}/reply"), with_file).await;
    let whole = lab.post(&format!("{path}/reply"), comment("<p>two</p>")).await;
    let first = whole["conversation_parts"]["conversation_parts"][0]["id"].clone();
    lab.by_hand(&id, "redact", json!({"part_id": first})).await;
    lab.by_hand(&id, "tag", json!({"name": "urgent", "admin_id": ALICE})).await;
    let gone = lab.started("going").await;
    lab.control("DELETE", &format!("/sandbox1/conversations/{gone}"), Value::Null).await.ok();
    let lead = json!({"contact_name": "Newcomer", "body": "who am I"});
    let lead = lab.control("POST", "/sandbox1/conversations", lead).await.ok()["contact_id"].clone();
    lab.control("POST", "/clock", json!({"advance_seconds": 86_400})).await.ok();
    let before = lab.get(&path).await;
    let tags = lab.get("/tags").await;
    let carla = lab.get(&format!("/contacts/{CARLA}")).await;
    lab.sandbox.stop().await.unwrap();

    let lab = directory.lab().await;
    assert_eq!(lab.sandbox.origin(), Origin::Directory);
    assert_eq!(lab.get(&path).await, before);
    assert_eq!(lab.get("/tags").await, tags);
    assert_eq!(lab.get(&format!("/contacts/{CARLA}")).await, carla);
    let newcomer = lab.get(&format!("/contacts/{}", lead.as_str().unwrap())).await;
    assert_eq!(newcomer["name"], "Newcomer");
    assert_eq!(lab.rest("GET", &format!("/conversations/{gone}"), Value::Null).await.status, 404);
    let clock = lab.control("GET", "/clock", Value::Null).await.ok();
    assert_eq!(clock["ahead_seconds"], 86_400);
    let file = lab.control("GET", "/sandbox1/files/1", Value::Null).await;
    assert_eq!((file.status, file.headers["content-type"].to_str().unwrap()), (200, "text/plain"));
    // Ids go on, and what is done now is kept as well.
    let next = lab.started("next").await;
    assert!(next > gone, "{next}");
    lab.post(&format!("{path}/reply"), comment("<p>three</p>")).await;
    let before = lab.get(&path).await;
    lab.sandbox.stop().await.unwrap();
    let lab = directory.lab().await;
    assert_eq!(lab.get(&path).await, before);
}

#[tokio::test]
async fn webhooks_go_on_to_where_they_went() {
    let directory = Directory::new("webhooks");
    let lab = directory.lab().await;
    let mut hooks = lab.hooks("2.15").await;
    lab.sandbox.stop().await.unwrap();
    let lab = directory.lab().await;
    lab.started("Hi").await;
    assert_eq!(hooks.next().await.topic(), "conversation.user.created");
}

#[tokio::test]
async fn the_directory_goes_before_the_seed_and_a_reset_forgets_what_it_holds() {
    let directory = Directory::new("reset");
    let lab = directory.lab().await;
    let id = lab.started("Hi").await;
    lab.sandbox.stop().await.unwrap();

    let other = r#"{"workspaces":[{"app_id":"other","name":"Other","client_secret":"s",
        "access_tokens":[],"admins":[{"id":"1","name":"x","email":"x@y.example"}]}]}"#;
    let seed = Some(Seed::parse(other, std::path::Path::new("other.json")).unwrap());
    let options = Options { data: Some(directory.0.clone()), seed, ..Options::default() };
    let lab = Lab::start_with(options).await;
    assert_eq!(lab.get(&format!("/conversations/{id}")).await["id"], id.as_str());
    lab.control("POST", "/reset", json!({})).await.ok();
    assert_eq!(lab.get("/conversations").await["total_count"], 0);
    lab.sandbox.stop().await.unwrap();

    let lab = directory.lab().await;
    assert_eq!(lab.get("/conversations").await["total_count"], 0);
    assert_eq!(lab.get("/me").await["app"]["id_code"], "sandbox1");
    // The same id again, without anything of the one that was forgotten.
    assert_eq!(lab.started("new").await, id);
    let fresh = lab.get(&format!("/conversations/{id}")).await;
    assert_eq!(fresh["conversation_parts"]["total_count"], 0);
}

/// The sandbox as a process, which can be killed.
struct Process {
    child: Child,
    url: String,
}

impl Process {
    fn start(directory: &Directory) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--data"]).arg(&directory.0);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("sandbox listening on ").unwrap().to_owned();
        Self { child, url }
    }

    /// As `kill -9` does it.
    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be dead already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

async fn call(method: &str, url: String, body: &Value) -> Result<Value, reqwest::Error> {
    // No sandbox in this process has done so.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build()?;
    let request = client.request(method.parse().unwrap(), url).header("Authorization", "Bearer sandbox-token");
    let answer = request.body(body.to_string()).send().await?;
    assert_eq!(answer.status(), 200);
    Ok(serde_json::from_slice(&answer.bytes().await?).unwrap())
}

#[tokio::test]
async fn a_killed_sandbox_loses_the_last_moment_alone_and_has_no_holes() {
    let directory = Directory::new("killed");
    let mut process = Process::start(&directory);
    let start = json!({"contact_id": CARLA, "body": "Hi"});
    let started = call("POST", format!("{}/_sandbox/sandbox1/conversations", process.url), &start).await.unwrap();
    let path = format!("/conversations/{}", started["conversation_id"].as_str().unwrap());
    let mut known = 0;
    for run_ms in [330, 470, 615] {
        // Replies are sent until the process dies in the middle of them.
        let mut answered: Vec<Instant> = Vec::new();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(run_ms) {
            let n = known + answered.len();
            call("POST", format!("{}{path}/reply", process.url), &comment(&format!("<p>{n}</p>"))).await.unwrap();
            answered.push(Instant::now());
        }
        let killed = Instant::now();
        process.kill();
        process = Process::start(&directory);
        let whole = call("GET", format!("{}{path}", process.url), &Value::Null).await.unwrap();
        let parts = whole["conversation_parts"]["conversation_parts"].as_array().unwrap();
        for (n, part) in parts.iter().enumerate() {
            assert_eq!(part["body"], format!("<p>{n}</p>"), "parts are there up to some, without holes");
        }
        assert_eq!(whole["statistics"]["count_conversation_parts"], parts.len());
        let old_enough = |at: &&Instant| killed.duration_since(**at) > Duration::from_millis(200);
        let promised = known + answered.iter().filter(old_enough).count();
        assert!(parts.len() >= promised, "{} of {promised} promised parts", parts.len());
        known = parts.len();
    }
    assert!(known > 3, "{known}");
    drop(process);
}
