//! How much may happen: what each run explores to its end.

use crate::intercom::{To, Who};
use crate::model::Bounds;
use crate::moves::Deed;
use crate::mutants::Mutant;
use crate::world::Left;

const NOTHING: Left = Left { customer: 0, people: 0, give_back: 0, hand_overs: 0, closes: 0, faults: 0, refusals: 0 };

fn all_deeds() -> Vec<(Who, Deed)> {
    vec![
        (Who::Alice, Deed::Says),
        (Who::Alice, Deed::Assigns(To::Alice)),
        (Who::Alice, Deed::Assigns(To::Support)),
        (Who::Alice, Deed::Assigns(To::Nobody)),
        (Who::Alice, Deed::Closes),
        (Who::Alice, Deed::Opens),
        (Who::Bob, Deed::Says),
        (Who::Bob, Deed::Assigns(To::Bob)),
        (Who::Workflow, Deed::Assigns(To::BotTeam)),
    ]
}

fn bounds(left: Left) -> Bounds {
    Bounds { left, deeds: all_deeds(), same_words: false, resumes: false, machine: None }
}

/// The small run of the normal tests.
#[must_use]
pub fn small() -> Vec<(&'static str, Bounds)> {
    vec![
        ("one fault", bounds(Left { customer: 1, faults: 1, ..NOTHING })),
        ("a close", bounds(Left { customer: 1, closes: 1, ..NOTHING })),
        ("a person", Bounds { deeds: few_deeds(), ..bounds(Left { people: 1, give_back: 1, ..NOTHING }) }),
        ("a machine", machine(1, Left { customer: 1, ..NOTHING })),
        ("a hand-over", Bounds { deeds: few_deeds(), ..bounds(Left { people: 1, hand_overs: 1, ..NOTHING }) }),
    ]
}

/// A machine that answers whatever the bot says; Alice may speak, and a workflow give the bot what it
/// was relieved of.
fn machine(most: u32, left: Left) -> Bounds {
    let deeds = vec![(Who::Alice, Deed::Says), (Who::Workflow, Deed::Assigns(To::BotTeam))];
    Bounds { machine: Some(most), deeds, ..bounds(left) }
}

fn few_deeds() -> Vec<(Who, Deed)> {
    vec![(Who::Alice, Deed::Says), (Who::Alice, Deed::Closes)]
}

/// Bounds within which a mutant shows itself.
#[must_use]
pub fn that_finds(mutant: Mutant) -> Bounds {
    if mutant == Mutant::NeverTiresOfMachines {
        return machine(1, Left { customer: 1, ..NOTHING });
    }
    let left = match mutant {
        Mutant::IgnoresTheEpoch | Mutant::IgnoresPeople => Left { people: 1, give_back: 1, ..NOTHING },
        Mutant::ForgetsWhatItSaw => Left { customer: 1, ..NOTHING },
        Mutant::IgnoresTheGap => Left { customer: 2, ..NOTHING },
        Mutant::ReadsBackAnything | Mutant::ForgetsItsOwn => Left { customer: 1, faults: 1, ..NOTHING },
        _ => Left { faults: 1, ..NOTHING },
    };
    Bounds { same_words: matches!(mutant, Mutant::ReadsBackAnything | Mutant::ForgetsItsOwn), ..bounds(left) }
}

/// The full run.
#[must_use]
pub fn full() -> Vec<(&'static str, Bounds)> {
    vec![
        ("people, customer", bounds(Left { people: 1, customer: 1, ..NOTHING })),
        ("people and faults", bounds(Left { people: 1, faults: 1, ..NOTHING })),
        ("closing, people", bounds(Left { people: 1, closes: 1, ..NOTHING })),
        ("closing, giving back", bounds(Left { give_back: 1, closes: 1, faults: 1, ..NOTHING })),
        ("two faults", bounds(Left { faults: 2, ..NOTHING })),
        ("same words", Bounds { same_words: true, ..bounds(Left { customer: 1, faults: 2, ..NOTHING }) }),
        ("resuming alone", Bounds { resumes: true, ..bounds(Left { people: 1, customer: 1, ..NOTHING }) }),
        ("handing over, faults", bounds(Left { people: 1, hand_overs: 1, faults: 1, ..NOTHING })),
        ("closing, faults", bounds(Left { customer: 1, closes: 1, faults: 1, ..NOTHING })),
        ("deaf", bounds(Left { refusals: 1, people: 1, ..NOTHING })),
        ("deaf, a fault", bounds(Left { refusals: 2, faults: 1, ..NOTHING })),
        ("deaf, customer", bounds(Left { refusals: 1, customer: 1, ..NOTHING })),
        ("a machine", machine(2, Left { customer: 2, ..NOTHING })),
        ("a machine, people", machine(1, Left { customer: 1, people: 1, ..NOTHING })),
        ("flapping", Bounds { deeds: flaps(), ..bounds(Left { people: 2, give_back: 1, ..NOTHING }) }),
    ]
}

/// Back and forth between people and the bot.
fn flaps() -> Vec<(Who, Deed)> {
    vec![
        (Who::Alice, Deed::Assigns(To::Alice)),
        (Who::Bob, Deed::Assigns(To::Bob)),
        (Who::Workflow, Deed::Assigns(To::BotTeam)),
    ]
}
