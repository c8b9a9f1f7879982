//! `make model-check`: every scenario to its end, what was explored, and what does not hold. Ends
//! with 1 where something does not. A name, or part of it, runs the scenarios of that name alone.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::time::Duration;

use model::mutants::Mutant;
use model::properties;
use model::run::explore;
use model::scenarios;
use stateright::Expectation;

fn main() -> ExitCode {
    let which = std::env::args().nth(1).unwrap_or_default();
    let (mut worlds, mut moves, mut time, mut bad) = (0, 0, Duration::ZERO, false);
    let (mut situations, mut met) = (BTreeSet::new(), BTreeMap::new());
    println!("{:<28} {:>10} {:>11} {:>6} {:>8}", "scenario", "states", "moves", "depth", "time");
    for (name, bounds) in scenarios::full().into_iter().filter(|(name, _)| name.contains(&which)) {
        let explored = explore(bounds, Mutant::None, true);
        let seconds = explored.time.as_secs_f64();
        println!("{name:<28} {:>10} {:>11} {:>6} {seconds:>6.1} s", explored.worlds, explored.moves, explored.depth);
        for violated in &explored.violated {
            println!("VIOLATED: {violated}");
            bad = true;
        }
        worlds += explored.worlds;
        moves += explored.moves;
        time += explored.time;
        situations.extend(explored.situations);
        for (sight, times) in explored.met {
            *met.entry(sight).or_insert(0) += times;
        }
    }
    println!("{:<28} {worlds:>10} {moves:>11} {:>6} {:>6.1} s", "all", "", time.as_secs_f64());
    for property in properties::all() {
        let (kind, held) = match property.expectation {
            Expectation::Sometimes => ("sometimes", situations.contains(property.name)),
            _ => ("always", !bad),
        };
        let mark = if held { "yes" } else { "NO" };
        println!("{mark:>3}  {kind}: {}", property.name);
        bad |= !held && which.is_empty();
    }
    println!("met: {met:?}");
    if bad { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
