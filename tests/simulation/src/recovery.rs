//! The great accidents: all consumers dead until everything is in the dead-letter queues, which are
//! then put back into live traffic; every row lost, and rebuilt from Intercom.

use crate::chance::Chance;
use crate::faults::Fate;
use crate::life;
use crate::mutants::Mutant;
use crate::run::{Ending, Play, Trouble, View, run};

/// An hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// All workers behind queues are dead for an hour while people go on writing; a message is dead
/// after three receives. Then an operator puts the dead letters back, while the writing goes on.
#[must_use]
pub fn consumers_dead(seed: u64, words: bool, mutant: Option<Mutant>) -> Ending {
    let (mut play, _, manner, _) = life::of_seed(seed);
    stretch(&mut play, 3 * HOUR_MS, seed);
    play.events = vec![(HOUR_MS / 2, Trouble::WorkersDown(HOUR_MS)), (HOUR_MS * 3 / 2 + 5_000, Trouble::Redrive)];
    run(&play, seed, Fate::Fair, manner, View { words, mutant, most_receives: 3 })
}

/// Every row is lost in the middle, and what was said is found by the search.
#[must_use]
pub fn rows_lost(seed: u64, words: bool) -> Ending {
    let (mut play, _, manner, _) = life::of_seed(seed);
    stretch(&mut play, 3 * HOUR_MS, seed);
    play.events = vec![(HOUR_MS, Trouble::Wipe)];
    run(&play, seed, Fate::Fair, manner, View { words, ..View::default() })
}

/// Spreads what is done over a longer time.
fn stretch(play: &mut Play, span: u64, seed: u64) {
    let mut chance = Chance::of(seed ^ 0x57e7);
    for (at, ..) in &mut play.acts {
        *at = if *at < 5_000 { *at } else { chance.between(5_000, span) };
    }
    play.peace = span + 60_000;
}
