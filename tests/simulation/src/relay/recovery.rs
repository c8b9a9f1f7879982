//! The great accident: all consumers dead until everything that chats wait for is in the dead-letter queues, which
//! are then put back into live traffic.

use super::life;
use crate::chance::Chance;
use crate::faults::{Fate, Weather};
use crate::mutants::Mutant;
use crate::run::{Ending, Trouble, View, run};

/// An hour, in milliseconds.
const HOUR_MS: u64 = 3_600_000;

/// All workers behind queues, or those that carry out commands, are dead for an hour while people and customers
/// go on writing; a message is dead after three receives. Then an operator puts the dead letters back.
#[must_use]
pub fn consumers_dead(seed: u64, words: bool, mutant: Option<Mutant>) -> Ending {
    let (mut play, _, manner, _) = life::of_seed(seed);
    (play.talks, play.acts) = (Vec::new(), Vec::new());
    let span = 3 * HOUR_MS;
    let mut chance = Chance::of(seed ^ 0x57e7);
    for (at, _) in play.chats.iter_mut().flat_map(|chat| &mut chat.steps) {
        *at = if *at < 5_000 { *at } else { chance.between(5_000, span) };
    }
    play.peace = span + 60_000;
    let back = HOUR_MS * 3 / 2 + 5_000;
    let down = if seed % 4 < 2 { Trouble::WorkersDown(HOUR_MS) } else { Trouble::RepliersDown(HOUR_MS) };
    play.events = vec![(HOUR_MS / 2, down), (back, Trouble::Redrive)];
    play.events.extend([90_000, 600_000, HOUR_MS].map(|later| (back + later, Trouble::Redrive)));
    let weather = Weather { deaths: 300, table: 300, queues: 300, again: 300, ..Weather::default() };
    let fate = if seed.is_multiple_of(2) { Fate::Fair } else { Fate::Chance(Box::new(weather)) };
    run(&play, seed, fate, manner, View { words, mutant, most_receives: 3, ..View::default() })
}
