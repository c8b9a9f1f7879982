//! One round of one binary: a fresh process, a timed run, and a count of what it calls.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::placement::Placement;
use crate::process::{LambdaProcess, StartError};
use crate::runtime_api::{Response, RuntimeApi, RuntimeApiError};
use crate::sqs::Sqs;
use crate::usage::{memory, settled_cpu};
use crate::webhook::{APP_ID, CLIENT_SECRET, Signature, WEBHOOK_PATH, event};

/// Requests of each kind whose calls are counted one by one, after the timed run.
pub const PROBES: usize = 100;

/// Which of the two binaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The empty handler: 200 to everything, no calls.
    Empty,
    /// `webhook-ingress`: one message a signed webhook, nothing for any other.
    Ingress,
}

impl Subject {
    fn log_file(self) -> &'static str {
        match self {
            Self::Empty => "empty.log",
            Self::Ingress => "ingress.log",
        }
    }
}

/// The figures of one round.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// CPU time until the process rests after asking for its first event.
    pub init_cpu: Duration,
    /// From its start until it asks for its first event.
    pub init_wall: Duration,
    /// From handing out the first event until its result.
    pub first: Duration,
    /// Median of the others.
    pub p50: Duration,
    /// 99th percentile of the others.
    pub p99: Duration,
    /// CPU time of the whole run, the first invocation included, by invocation.
    pub cpu_per_invocation: Duration,
    /// Most resident memory up to the end of the run.
    pub peak_bytes: u64,
    /// Resident memory at the end of the run.
    pub resident_bytes: u64,
    /// SQS calls before the first event.
    pub init_calls: u64,
    /// Most SQS calls for one signed webhook.
    pub calls_signed: u64,
    /// Most SQS calls for one request that is not signed, or signed with another key.
    pub calls_unsigned: u64,
}

/// Why a round has no figures.
#[derive(Debug, thiserror::Error)]
pub enum RoundError {
    /// A double or a file of the benchmark's own failed, or `/proc` cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The function did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The function stopped answering.
    #[error("{source}; the end of its log:\n{log}")]
    Invoke {
        /// What the Runtime API saw of it.
        source: RuntimeApiError,
        /// The end of what it wrote.
        log: String,
    },
}

/// The directory of a run, for the settings and the logs; dropping it removes it.
#[derive(Debug)]
pub struct Workspace(PathBuf);

impl Workspace {
    /// Makes a directory under the system's temporary directory.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn create() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("baton-bench-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        fs::write(path.join("baton.toml"), settings())?;
        Ok(Self(path))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What is left in the temporary directory does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings() -> String {
    format!(
        r#"local = true
[[workspace]]
app_id = "{APP_ID}"
webhook_path = "{WEBHOOK_PATH}"
region = "us"
api_version = "2.15"
client_secret = "secret:bench"
bot_teammate = "900001"
bot_teams = []
bot = "demo"
[[bot]]
id = "demo"
transport = "https"
url = "http://127.0.0.1:9/events"
secret = "secret:demo"
"#
    )
}

/// Every event of a round, made before anything is timed.
#[derive(Debug)]
pub struct Events {
    run: Vec<Arc<[u8]>>,
    signed: Vec<Arc<[u8]>>,
    unsigned: Vec<Arc<[u8]>>,
}

impl Events {
    /// `invocations` (at least one) signed webhooks for the timed run, and those whose calls are counted one by
    /// one. Each has an identity of its own.
    #[must_use]
    pub fn prepare(invocations: usize) -> Self {
        let mut number = 0..;
        let mut take = |count: usize, signature: fn(usize) -> Signature| {
            number.by_ref().take(count).enumerate().map(|(index, number)| event(number, signature(index))).collect()
        };
        Self {
            run: take(invocations.max(1), |_| Signature::Valid),
            signed: take(PROBES, |_| Signature::Valid),
            unsigned: take(PROBES, |index| if index % 2 == 0 { Signature::Missing } else { Signature::OtherKey }),
        }
    }
}

/// What all rounds have in common.
#[derive(Debug)]
pub struct Setup {
    /// The settings and the logs.
    pub workspace: Workspace,
    /// The cores.
    pub placement: Placement,
    /// The events.
    pub events: Events,
}

/// Starts the binary, measures it, and checks its answers and its calls. What is wrong with those
/// is added to `failures` in words; the figures are returned all the same.
///
/// # Errors
/// When there are no figures: the process does not start or stops answering.
pub fn round(subject: Subject, binary: &Path, setup: &Setup, failures: &mut Vec<String>) -> Result<Sample, RoundError> {
    let Setup { workspace, placement, events } = setup;
    let api = RuntimeApi::start()?;
    let sqs = Sqs::start()?;
    let log = workspace.0.join(subject.log_file());
    let env = ingress_env(&sqs, workspace);
    let env = env.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut process = placement.on_process_core(|| LambdaProcess::start(binary, &api, &env, &log))??;
    let init_wall = process.wait_ready(&api)?;
    let init_cpu = settled_cpu(process.id())?;
    let init_calls = calls(&sqs).total;

    let invoked = |source| RoundError::Invoke { source, log: process.log_end() };
    let mut responses = vec![api.invoke(Arc::clone(&events.run[0])).map_err(invoked)?];
    responses.extend(api.invoke_all(events.run[1..].iter().cloned()).map_err(invoked)?);
    let run_cpu = settled_cpu(process.id())? - init_cpu;
    let memory = memory(process.id())?;

    let mut checks = Checks { subject, failures };
    checks.statuses("in the timed run", &responses, 200);
    let ran = calls(&sqs);
    checks.run_calls(ran.total - init_calls, ran.messages, responses.len());
    let calls_signed = checks.probe("signed", &api, &sqs, &events.signed, 200, 1).map_err(invoked)?;
    let calls_unsigned = checks.probe("unsigned", &api, &sqs, &events.unsigned, 401, 0).map_err(invoked)?;

    let first = responses[0].elapsed;
    let mut warm: Vec<Duration> = responses.iter().skip(1).map(|response| response.elapsed).collect();
    warm.sort_unstable();
    Ok(Sample {
        init_cpu,
        init_wall,
        first,
        p50: percentile(&warm, 50).unwrap_or(first),
        p99: percentile(&warm, 99).unwrap_or(first),
        cpu_per_invocation: run_cpu.div_f64(responses.len() as f64),
        peak_bytes: memory.peak_bytes,
        resident_bytes: memory.resident_bytes,
        init_calls,
        calls_signed,
        calls_unsigned,
    })
}

/// What `webhook-ingress` is configured with; the empty handler gets it too and reads none of it.
fn ingress_env(sqs: &Sqs, workspace: &Workspace) -> [(&'static str, String); 6] {
    [
        ("AWS_ENDPOINT_URL_SQS", sqs.endpoint_url()),
        ("INBOX_QUEUE_URL", sqs.queue_url("inbox.fifo")),
        ("TABLE_NAME", "none".to_owned()),
        ("WEBHOOK_SECRETS", format!(r#"{{"bench":"{CLIENT_SECRET}"}}"#)),
        ("SETTINGS_FILE", workspace.0.join("baton.toml").display().to_string()),
        ("LOG_LEVEL", "info".to_owned()),
    ]
}

struct Checks<'a> {
    subject: Subject,
    failures: &'a mut Vec<String>,
}

impl Checks<'_> {
    /// The empty handler answers 200 to everything and calls nothing.
    fn expected(&self, ingress_status: u16, ingress_calls: u64) -> (u16, u64) {
        match self.subject {
            Subject::Empty => (200, 0),
            Subject::Ingress => (ingress_status, ingress_calls),
        }
    }

    fn statuses(&mut self, place: &str, responses: &[Response], ingress_status: u16) {
        let (expected, _) = self.expected(ingress_status, 0);
        let wrong: Vec<&Response> =
            responses.iter().filter(|response| response.status_code() != Some(expected)).collect();
        if let Some(first) = wrong.first() {
            let body: String = String::from_utf8_lossy(&first.body).chars().take(300).collect();
            self.failures.push(format!(
                "{:?}: {} of {} answers {place} are not {expected}; the first: {:?} {body}",
                self.subject,
                wrong.len(),
                responses.len(),
                first.outcome,
            ));
        }
    }

    fn run_calls(&mut self, total: u64, messages: u64, invocations: usize) {
        let (_, each) = self.expected(200, 1);
        let expected = each * invocations as u64;
        if (total, messages) != (expected, expected) {
            self.failures.push(format!(
                "{:?}: {total} SQS calls in the timed run, {messages} of them SendMessage, instead of {expected}",
                self.subject,
            ));
        }
    }

    /// Counts the calls of each request by itself and returns the most calls of one.
    fn probe(
        &mut self,
        kind: &str,
        api: &RuntimeApi,
        sqs: &Sqs,
        events: &[Arc<[u8]>],
        ingress_status: u16,
        ingress_calls: u64,
    ) -> Result<u64, RuntimeApiError> {
        let (_, expected) = self.expected(ingress_status, ingress_calls);
        let (mut responses, mut most, mut wrong) = (Vec::new(), 0, 0);
        for event in events {
            let before = calls(sqs);
            responses.push(api.invoke(Arc::clone(event))?);
            let after = calls(sqs);
            let total = after.total - before.total;
            most = most.max(total);
            wrong += usize::from((total, after.messages - before.messages) != (expected, expected));
        }
        self.statuses(&format!("to {kind} requests"), &responses, ingress_status);
        if wrong > 0 {
            self.failures.push(format!(
                "{:?}: {wrong} of {} {kind} requests did not make exactly {expected} SQS calls; the most by one: {most}",
                self.subject,
                events.len(),
            ));
        }
        Ok(most)
    }
}

struct Calls {
    total: u64,
    messages: u64,
}

fn calls(sqs: &Sqs) -> Calls {
    let calls = sqs.calls();
    Calls { total: calls.values().sum(), messages: calls.get("SendMessage").copied().unwrap_or_default() }
}

/// The nearest-rank percentile of sorted values; `None` of nothing.
fn percentile(sorted: &[Duration], percent: usize) -> Option<Duration> {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_nearest_rank() {
        let values: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        assert_eq!(percentile(&values, 50), Some(Duration::from_micros(100)));
        assert_eq!(percentile(&values, 99), Some(Duration::from_micros(198)));
        assert_eq!(percentile(&values[..1], 50), Some(Duration::from_micros(1)));
        assert_eq!(percentile(&[], 50), None);
    }

    #[test]
    fn every_event_of_a_round_is_another() {
        let events = Events::prepare(3);
        let all: std::collections::HashSet<_> =
            events.run.iter().chain(&events.signed).chain(&events.unsigned).collect();
        assert_eq!(all.len(), 3 + 2 * PROBES);
    }
}
