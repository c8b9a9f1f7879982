//! The runs of scenarios: what is being played and how it went.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};

/// How many runs are remembered.
const RUNS_KEPT: usize = 500;

/// How a run or a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Running,
    Passed,
    Failed,
}

/// One step of a run.
#[derive(Debug, Clone, Serialize)]
struct Told {
    at_ms: u64,
    step: String,
    outcome: Outcome,
    detail: Option<String>,
}

/// One run.
#[derive(Debug)]
pub(crate) struct Run {
    name: String,
    app_id: String,
    conversation_id: Option<u64>,
    outcome: Outcome,
    steps: Vec<Told>,
    began: Instant,
}

impl Run {
    fn new(name: &str, app_id: &str) -> Self {
        Self {
            name: name.to_owned(),
            app_id: app_id.to_owned(),
            conversation_id: None,
            outcome: Outcome::Running,
            steps: Vec::new(),
            began: Instant::now(),
        }
    }

    /// The conversation to look at while it is played: the first.
    pub(crate) fn plays_in(&mut self, conversation_id: u64) {
        self.conversation_id.get_or_insert(conversation_id);
    }

    pub(crate) fn begin(&mut self, step: String) {
        let at_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.steps.push(Told { at_ms, step, outcome: Outcome::Running, detail: None });
    }

    /// The step that was begun last is over.
    pub(crate) fn end(&mut self, finding: Result<(), String>) {
        if let Some(step) = self.steps.last_mut() {
            step.outcome = if finding.is_ok() { Outcome::Passed } else { Outcome::Failed };
            step.detail = finding.err();
        }
    }

    pub(crate) fn finish(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    fn json(&self) -> Value {
        json!({
            "name": self.name,
            "app_id": self.app_id,
            "conversation_id": self.conversation_id.map(|id| id.to_string()),
            "outcome": self.outcome,
            "steps": self.steps,
        })
    }
}

/// All runs that are remembered, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Runs(Mutex<BTreeMap<u64, Arc<Mutex<Run>>>>);

impl Runs {
    /// A new run and its number.
    pub(crate) fn open(&self, name: &str, app_id: &str) -> (u64, Arc<Mutex<Run>>) {
        let run = Arc::new(Mutex::new(Run::new(name, app_id)));
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = runs.last_key_value().map_or(1, |(last, _)| last + 1);
        runs.insert(number, run.clone());
        if runs.len() > RUNS_KEPT {
            runs.pop_first();
        }
        (number, run)
    }

    pub(crate) fn json(&self, number: u64) -> Option<Value> {
        let run = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&number).cloned()?;
        let json = run.lock().unwrap_or_else(PoisonError::into_inner).json();
        Some(json)
    }
}
