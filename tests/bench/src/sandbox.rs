//! `make bench-sandbox`: what the Intercom sandbox bears, so that a load test measures the bridge.
//!
//! The sandbox is the real binary, on a core of its own; the clients and the receiver of its
//! webhooks share another. A small workspace has 1,000 conversations, some of them long, and a
//! large one many; each exists twice, with webhooks and without. All figures of a round are
//! measured one after the other, and the rounds again, so that whatever else the machine does
//! falls on all of them alike. Beside the time that passes stands the CPU time that the server
//! spent, which a busy machine hardly changes.

mod client;
pub mod options;
mod report;

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use self::client::{Connection, request, run};
use self::options::Options;
use self::report::{Row, Sample};
use crate::http::{self, Server};
use crate::placement::{Cores, Placement};
use crate::usage::{memory, settled_cpu};

/// How many conversations of so many parts the small workspace has. A long one keeps its length
/// roughly while replies are added, and answers show 500 parts at most.
const LENGTHS: [(usize, usize); 4] = [(2, 690), (20, 250), (100, 50), (500, 10)];
/// Parts of the conversations that are replied to in the large workspace.
const LARGE_PARTS: usize = 20;
/// How many of those there are.
const LARGE_SAMPLE: usize = 250;
const CONTACTS: usize = 100;
const ADMIN: &str = "900001";

/// The benchmark's outcome.
#[derive(Debug)]
pub struct Report {
    /// For a person.
    pub table: String,
    /// What is slower than it has to be.
    pub missed: Vec<String>,
}

/// Starts the sandbox, fills it and measures it. `say` hears how it goes.
///
/// # Errors
/// When the sandbox does not start, breaks, or answers something but 200.
pub fn measure(options: &Options, binary: &Path, say: impl Fn(&str)) -> io::Result<Report> {
    // Before anything starts a thread.
    let placement = Placement::fix(Cores::Apart)?;
    let receiver = Server::start("webhooks", |_| http::response(200, &[], b""))?;
    let files = Files::create()?;
    let seed = seed(&format!("http://{}/", receiver.address()));
    fs::write(files.0.join("seed.json"), seed.to_string())?;
    let sandbox = placement.on_process_core(|| Sandbox::start(binary, &files, options.data))??;

    say("filling the small workspaces");
    let [quiet, loud] = [fill_small(&sandbox, "quiet")?, fill_small(&sandbox, "loud")?];
    say("filling the large workspace");
    let large = fill_large(&sandbox, options.large)?;
    let resident = memory(sandbox.id())?.resident_bytes;

    let mut figures = Vec::new();
    for ((parts, ids), (_, loud_ids)) in quiet.iter().zip(&loud) {
        let target = *parts == 20;
        figures.push((format!("reply, {parts} parts"), target, replies("quiet", ids, options)));
        figures.push((format!("reply, {parts} parts, webhooks"), target, replies("loud", loud_ids, options)));
        figures.push((format!("get, {parts} parts"), target, gets("quiet", ids, options)));
    }
    figures.push(("list".to_owned(), false, lists("quiet", options)));
    figures.push(("search by contact".to_owned(), false, searches("quiet", by_contact, options)));
    figures.push(("search by state".to_owned(), false, searches("quiet", by_state, options)));
    let count = options.large;
    figures.push((format!("reply, 20 parts, {count} conversations"), true, replies("large", &large, options)));
    figures.push((format!("get, 20 parts, {count} conversations"), true, gets("large", &large, options)));
    figures.push((format!("list, {count} conversations"), false, lists("large", options)));
    figures.push((format!("last page of the list, {count} conversations"), false, deep(&sandbox, options)?));
    figures.push((format!("search by contact, {count} conversations"), false, searches("large", by_contact, options)));
    // Looks at every conversation, so that fewer will do.
    let few = Options { requests: options.requests.div_ceil(20), ..options.clone() };
    figures.push((format!("search by state, {count} conversations"), false, searches("large", by_state, &few)));

    let mut rows: Vec<Row> = figures
        .iter()
        .map(|(name, has_target, _)| Row { name: name.clone(), has_target: *has_target, samples: Vec::new() })
        .collect();
    for round in 1..=options.rounds {
        say(&format!("round {round}/{}", options.rounds));
        for (row, (_, _, requests)) in rows.iter_mut().zip(&figures) {
            let before = settled_cpu(sandbox.id())?;
            let run = run(sandbox.address, requests, options.connections)?;
            row.samples.push(Sample::of(&run, settled_cpu(sandbox.id())? - before));
        }
    }
    let mib = |bytes: u64| bytes / (1 << 20);
    let table = format!(
        "{}\nMemory: {} MiB when filled, {} MiB after {} rounds.",
        report::table(&rows),
        mib(resident),
        mib(memory(sandbox.id())?.resident_bytes),
        options.rounds,
    );
    Ok(Report { table, missed: rows.iter().filter_map(Row::missed).collect() })
}

/// Files of a run: the seed, perhaps the data. They go with the value.
struct Files(PathBuf);

impl Files {
    fn create() -> io::Result<Self> {
        let directory = std::env::temp_dir().join(format!("bench-sandbox-{}", std::process::id()));
        fs::create_dir_all(&directory)?;
        Ok(Self(directory))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What cannot be removed is left to the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running sandbox; dropping it kills the process.
struct Sandbox {
    child: Child,
    address: SocketAddr,
}

impl Sandbox {
    fn start(binary: &Path, files: &Files, data: bool) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command.args(["sandbox", "--listen", "127.0.0.1:0", "--seed"]).arg(files.0.join("seed.json"));
        if data {
            command.arg("--data").arg(files.0.join("data"));
        }
        let log = File::create(files.0.join("log"))?;
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        let address = line.trim().strip_prefix("sandbox listening on http://").and_then(|address| address.parse().ok());
        match address {
            Some(address) => Ok(Self { child, address }),
            None => {
                let status = child.wait()?;
                let log = fs::read_to_string(files.0.join("log"))?;
                Err(io::Error::other(format!("{} did not start ({status}): {line}{log}", binary.display())))
            }
        }
    }

    fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn contact(number: usize) -> String {
    format!("65a0c0ffee{:014x}", number % CONTACTS)
}

/// Three workspaces without a limit worth the name; the tokens are called as they are.
fn seed(webhooks: &str) -> Value {
    let workspace = |app_id: &str, webhook: Option<Value>| {
        let contacts: Vec<Value> =
            (0..CONTACTS).map(|n| json!({"id": contact(n), "role": "user", "external_id": format!("c{n}")})).collect();
        json!({
            "app_id": app_id,
            "name": app_id,
            "client_secret": "bench",
            "access_tokens": [{
                "token": app_id, "admin_id": ADMIN, "app_package_code": "bench", "calls_per_minute": u32::MAX,
            }],
            "admins": [{"id": ADMIN, "name": "Bench", "email": "bench@sandbox.example", "has_inbox_seat": true}],
            "contacts": contacts,
            "webhook": webhook,
        })
    };
    let hook = json!({"url": webhooks, "topics": ["conversation.admin.replied"]});
    json!({"workspaces": [workspace("quiet", None), workspace("loud", Some(hook)), workspace("large", None)]})
}

/// Starts conversations; answers their ids.
fn start(sandbox: &Sandbox, app: &str, count: usize) -> io::Result<Vec<String>> {
    let mut connection = Connection::open(sandbox.address)?;
    let path = format!("/_sandbox/{app}/conversations");
    (0..count)
        .map(|n| {
            let body = json!({"contact_id": contact(n), "body": "Hello, I have a question about my order"});
            let started: Value = answer(&mut connection, &request("POST", &path, None, &body.to_string()))?;
            Ok(started["conversation_id"].as_str().unwrap_or_default().to_owned())
        })
        .collect()
}

fn answer(connection: &mut Connection, request: &[u8]) -> io::Result<Value> {
    let response = connection.call(request)?;
    if response.status != 200 {
        return Err(io::Error::other(format!("{}: {}", response.status, String::from_utf8_lossy(&response.body))));
    }
    Ok(serde_json::from_slice(&response.body)?)
}

/// Notes, which no webhook tells here, until each conversation has so many parts.
fn lengthen(sandbox: &Sandbox, app: &str, ids: &[String], parts: usize) -> io::Result<()> {
    let notes: Vec<Vec<u8>> = ids.iter().flat_map(|id| (0..parts).map(|_| reply(app, id, "note"))).collect();
    run(sandbox.address, &notes, 1).map(drop)
}

/// The conversations of each length.
fn fill_small(sandbox: &Sandbox, app: &str) -> io::Result<Vec<(usize, Vec<String>)>> {
    let one = |(parts, count): (usize, usize)| {
        let ids = start(sandbox, app, count)?;
        lengthen(sandbox, app, &ids, parts)?;
        Ok((parts, ids))
    };
    LENGTHS.into_iter().map(one).collect()
}

/// The conversations of the large workspace that are long enough to be looked at.
fn fill_large(sandbox: &Sandbox, count: usize) -> io::Result<Vec<String>> {
    let mut ids = start(sandbox, "large", count)?;
    let step = (count / LARGE_SAMPLE).max(1);
    ids = ids.into_iter().step_by(step).take(LARGE_SAMPLE).collect();
    lengthen(sandbox, "large", &ids, LARGE_PARTS)?;
    Ok(ids)
}

fn reply(app: &str, id: &str, message_type: &str) -> Vec<u8> {
    let body = json!({
        "message_type": message_type,
        "type": "admin",
        "admin_id": ADMIN,
        "body": "<p>Thank you for writing. Your order left us <b>yesterday</b> and should arrive tomorrow; \
                 <a href=\"https://shop.example/orders/4711\">here</a> you can follow it.</p>",
    });
    request("POST", &format!("/conversations/{id}/reply"), Some(app), &body.to_string())
}

fn replies(app: &str, ids: &[String], options: &Options) -> Vec<Vec<u8>> {
    ids.iter().cycle().take(options.requests).map(|id| reply(app, id, "comment")).collect()
}

fn gets(app: &str, ids: &[String], options: &Options) -> Vec<Vec<u8>> {
    let get = |id: &String| request("GET", &format!("/conversations/{id}"), Some(app), "");
    ids.iter().cycle().take(options.requests).map(get).collect()
}

fn lists(app: &str, options: &Options) -> Vec<Vec<u8>> {
    vec![request("GET", "/conversations?per_page=20", Some(app), ""); options.requests]
}

/// Requests for the page that is reached last when one follows the cursors.
fn deep(sandbox: &Sandbox, options: &Options) -> io::Result<Vec<Vec<u8>>> {
    let mut connection = Connection::open(sandbox.address)?;
    let mut path = "/conversations?per_page=150".to_owned();
    loop {
        let page = answer(&mut connection, &request("GET", &path, Some("large"), ""))?;
        let Some(cursor) = page["pages"]["next"]["starting_after"].as_str() else { break };
        let cursor = cursor.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        path = format!("/conversations?per_page=150&starting_after={cursor}");
    }
    let path = path.replace("per_page=150", "per_page=20");
    Ok(vec![request("GET", &path, Some("large"), ""); options.requests])
}

fn by_contact(n: usize) -> Value {
    let of = json!({"field": "contact_ids", "operator": "=", "value": contact(n)});
    let open = json!({"field": "open", "operator": "=", "value": true});
    json!({"operator": "AND", "value": [of, open]})
}

fn by_state(_: usize) -> Value {
    let closed = json!({"field": "state", "operator": "=", "value": "closed"});
    let since = json!({"field": "updated_at", "operator": ">", "value": 1_700_000_000});
    json!({"operator": "AND", "value": [since, closed]})
}

fn searches(app: &str, query: fn(usize) -> Value, options: &Options) -> Vec<Vec<u8>> {
    let search = |n| {
        let body = json!({"query": query(n), "pagination": {"per_page": 20}});
        request("POST", "/conversations/search", Some(app), &body.to_string())
    };
    (0..options.requests).map(search).collect()
}
