//! Scenarios from the command line: which a running sandbox has, and playing one there.
//!
//! The sandbox plays; this asks for it and tells how it goes, line by line.

use std::time::Duration;

use serde_json::{Value, json};

/// How often the sandbox is asked how a run stands.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Longer than any answer of the control API takes.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a scenario could not be played to its end.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// The sandbox is not there.
    #[error("there is no sandbox at {0}: {1}")]
    NotThere(String, reqwest::Error),
    /// The sandbox refuses, and why.
    #[error("the sandbox refuses: {0}")]
    Refused(String),
}

/// A sandbox that runs somewhere.
#[derive(Debug)]
pub struct Stage {
    client: reqwest::Client,
    url: String,
}

impl Stage {
    /// A sandbox at a base address.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn at(url: &str) -> Result<Self, reqwest::Error> {
        // Somebody else in this process may have installed a provider; theirs will do.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).timeout(TIMEOUT).build()?;
        Ok(Self { client, url: url.trim_end_matches('/').to_owned() })
    }

    /// A line for each scenario: its name and its title.
    ///
    /// # Errors
    /// When the sandbox is not there.
    pub async fn list(&self) -> Result<Vec<String>, ScenarioError> {
        let answer = self.ask(self.client.get(self.path("/scenarios"))).await?;
        let scenarios = answer["scenarios"].as_array().cloned().unwrap_or_default();
        let width = scenarios.iter().map(|one| text(&one["name"]).len()).max().unwrap_or_default();
        Ok(scenarios.iter().map(|one| format!("{:width$}  {}", text(&one["name"]), text(&one["title"]))).collect())
    }

    /// Plays a scenario and tells each step as it ends; whether it passed.
    ///
    /// # Errors
    /// When the sandbox is not there, or has no such scenario or workspace.
    pub async fn play(&self, app_id: &str, name: &str, mut tell: impl FnMut(&str)) -> Result<bool, ScenarioError> {
        let begun = self.ask(self.client.post(self.path(&format!("/{app_id}/scenarios/{name}")))).await?;
        tell(name);
        let mut told = 0;
        loop {
            let run = self.ask(self.client.get(self.path(&format!("/scenario-runs/{}", begun["run"])))).await?;
            let steps = run["steps"].as_array().cloned().unwrap_or_default();
            let over: Vec<&Value> = steps.iter().take_while(|step| step["outcome"] != json!("running")).collect();
            over.iter().skip(told).for_each(|step| tell(&line(step)));
            told = over.len();
            match text(&run["outcome"]) {
                "running" => tokio::time::sleep(LOOK_EVERY).await,
                outcome => {
                    tell(outcome);
                    return Ok(outcome == "passed");
                }
            }
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("{}/_sandbox{rest}", self.url)
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Value, ScenarioError> {
        let not_there = |error| ScenarioError::NotThere(self.url.clone(), error);
        let answer = request.send().await.map_err(not_there)?;
        let status = answer.status();
        let body: Value = serde_json::from_slice(&answer.bytes().await.map_err(not_there)?).unwrap_or_default();
        if status.is_success() {
            return Ok(body);
        }
        let why = text(&body["error"]);
        Err(ScenarioError::Refused(if why.is_empty() { status.to_string() } else { why.to_owned() }))
    }
}

/// A step that is over: when it began, how it went, and why it failed if it did.
fn line(step: &Value) -> String {
    let at = step["at_ms"].as_f64().unwrap_or_default() / 1_000.0;
    let mark = if step["outcome"] == json!("passed") { "✓" } else { "✗" };
    let detail = match text(&step["detail"]) {
        "" => String::new(),
        detail => format!("\n{:>12}{detail}", ""),
    };
    format!("{at:>8.1} s {mark} {}{detail}", text(&step["step"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
