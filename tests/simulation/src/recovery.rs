//! The great accidents: all consumers dead until everything is in the dead-letter queues, which are
//! then put back into live traffic; every row lost, and rebuilt from Intercom.

use crate::chance::Chance;
use crate::faults::{Fate, Weather};
use crate::mutants::Mutant;
use crate::run::{Ending, Play, Trouble, View, run};
use crate::world::Manner;
use crate::{life, ruled};

/// An hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// All workers behind queues, or those that carry out commands, are dead for an hour while people go
/// on writing; a message is dead after three receives. Then an operator puts the dead letters back, while the writing goes on. In
/// every other seed processes die, and queues and the table fail, all the time, also the operator's,
/// who tries again after a while.
#[must_use]
pub fn consumers_dead(seed: u64, words: bool, mutant: Option<Mutant>) -> Ending {
    let (mut play, _, manner, _) = life::of_seed(seed);
    stretch(&mut play, 3 * HOUR_MS, seed);
    let back = HOUR_MS * 3 / 2 + 5_000;
    let down = if seed % 4 < 2 { Trouble::WorkersDown(HOUR_MS) } else { Trouble::RepliersDown(HOUR_MS) };
    play.events = vec![(HOUR_MS / 2, down), (back, Trouble::Redrive)];
    play.events.extend([90_000, 600_000, HOUR_MS].map(|later| (back + later, Trouble::Redrive)));
    let weather = Weather { deaths: 300, table: 300, queues: 300, again: 300, ..Weather::default() };
    let fate = if seed.is_multiple_of(2) { Fate::Fair } else { Fate::Chance(Box::new(weather)) };
    run(&play, seed, fate, manner, View { words, mutant, most_receives: 3, ..View::default() })
}

/// Every row is lost in the middle, and what was said is found by the search.
#[must_use]
pub fn rows_lost(seed: u64, words: bool) -> Ending {
    let (play, _, manner, _) = life::of_seed(seed);
    lose_rows(play, manner, seed, words)
}

/// The same with rules, offers and teammates' notes.
#[must_use]
pub fn ruled_rows_lost(seed: u64, words: bool) -> Ending {
    let (play, _, manner, _) = ruled::life::of_seed(seed);
    lose_rows(play, manner, seed, words)
}

fn lose_rows(mut play: Play, manner: Manner, seed: u64, words: bool) -> Ending {
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
