//! Runs a scenario to its end and says what came of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use stateright::{Checker, Expectation, HasDiscoveries, Model as _};

use crate::model::{Bounds, Model, Sight};
use crate::mutants::Mutant;

/// What came of a scenario.
#[derive(Debug)]
pub struct Explored {
    /// How many different worlds there are.
    pub worlds: usize,
    /// How many moves lead to them.
    pub moves: usize,
    /// How far the farthest is.
    pub depth: usize,
    /// How long it took.
    pub time: Duration,
    /// What does not hold, with the moves that show it.
    pub violated: Vec<String>,
    /// The situations that came about.
    pub situations: Vec<&'static str>,
    /// What was met in steps.
    pub met: BTreeMap<Sight, u64>,
}

/// Explores everything that can happen within the bounds. With `ways`, also whether there is always
/// a way to rest, and to the bot's having the conversation.
///
/// # Panics
/// When the checker does.
#[must_use]
pub fn explore(bounds: Bounds, mutant: Mutant, ways: bool) -> Explored {
    let began = Instant::now();
    let model = Model::new(bounds, mutant);
    if ways {
        model.graph.keep();
    }
    let checker = model.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let model = checker.model();
    let (mut violated, mut situations) = (Vec::new(), Vec::new());
    let expectations: BTreeMap<_, _> =
        model.properties().into_iter().map(|property| (property.name, property.expectation)).collect();
    for (name, path) in checker.discoveries() {
        if expectations.get(name) == Some(&Expectation::Sometimes) {
            situations.push(name);
            continue;
        }
        let mut told = format!("{name}\n");
        let last = path.last_state().clone();
        for next in path.into_actions() {
            let _ = writeln!(told, "    {next:?}");
        }
        let _ = writeln!(told, "    parts: {:?}", last.parts);
        let _ = writeln!(told, "    row: {:?}, outbox {:?}", last.row.control, last.row.outbox);
        let _ = writeln!(told, "    commands: {:?}", last.commands);
        violated.push(told);
    }
    if ways && violated.is_empty() {
        let restless = model.graph.stranded(|_| true, |kind| kind.quiet);
        let lost = model.graph.stranded(|kind| kind.can_be_given, |kind| kind.bots);
        if restless > 0 {
            violated.push(format!("there is always a way to rest: not from {restless} worlds"));
        }
        if lost > 0 {
            violated.push(format!("the bot can always get it back: not from {lost} worlds"));
        }
    }
    situations.sort_unstable();
    Explored {
        worlds: checker.unique_state_count(),
        moves: checker.state_count(),
        depth: checker.max_depth(),
        time: began.elapsed(),
        violated,
        situations,
        met: model.sights.met(),
    }
}
