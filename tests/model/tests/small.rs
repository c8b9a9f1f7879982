//! The small run: everything that can happen within narrow bounds, and mutants that must be found.
//! `make model-check` is the full one.

use std::collections::BTreeSet;

use model::model::Sight;
use model::mutants::Mutant;
use model::properties;
use model::run::explore;
use model::scenarios;
use stateright::Expectation;

#[test]
fn within_narrow_bounds_everything_holds_and_every_situation_comes_about() {
    let (mut situations, mut met) = (BTreeSet::new(), BTreeSet::new());
    for (name, bounds) in scenarios::small() {
        let explored = explore(bounds, Mutant::None, true);
        assert!(explored.violated.is_empty(), "{name}: {}", explored.violated.join("\n"));
        assert!(explored.worlds > 1_000, "{name}: only {} worlds", explored.worlds);
        situations.extend(explored.situations);
        met.extend(explored.met.into_keys());
    }
    let missing: Vec<_> = properties::all()
        .into_iter()
        .filter(|property| property.expectation == Expectation::Sometimes && !situations.contains(property.name))
        .map(|property| property.name)
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
    let unmet: Vec<_> = [
        Sight::HeardWhatIsKnown,
        Sight::DecidedOnTheOld,
        Sight::ToldAgain,
        Sight::Resumed,
        Sight::ArrivedLate,
        Sight::SettledByEcho,
        Sight::DoubtSettledByEcho,
        Sight::FoundSent,
        Sight::FoundNotSent,
        Sight::Reopened,
        Sight::PutOff,
    ]
    .into_iter()
    .filter(|sight| !met.contains(sight))
    .collect();
    assert_eq!(unmet, vec![]);
}

#[test]
fn every_mutant_is_found() {
    let mut missed = Vec::new();
    for mutant in Mutant::ALL {
        let explored = explore(scenarios::that_finds(mutant), mutant, false);
        let what = explored.violated.first().and_then(|violated| violated.lines().next());
        println!("{mutant:?}: {what:?} after {} worlds, {:?}", explored.worlds, explored.time);
        if what.is_none() {
            missed.push(mutant);
        }
    }
    assert_eq!(missed, vec![]);
}
