//! Random lives with rules and notes.

use super::turns::WISHES;
use crate::chance::Chance;
use crate::faults::Fate;
use crate::intercom::{Deed, Who};
use crate::life;
use crate::mutants::Mutant;
use crate::run::{Ending, Play, View, run};
use crate::world::Manner;

/// What teammates write to the bot, whatever it has done.
const NOTES: [&str; 15] = [
    "pause 1", "pause 2", "pause 5", "pause 20", "pause", "pause 1", "resume", "take", "retry", "retry", "send 1",
    "send 2", "dismiss", "why", "summary",
];

/// A customer's words, with what they wish for instead.
fn wishing(words: &str, chance: &mut Chance) -> String {
    if chance.strikes(2_500) {
        return words.to_owned();
    }
    let name = words.strip_suffix("</p>").unwrap_or(words).split(' ').next().unwrap_or_default();
    format!("{name} {}</p>", chance.one_of(&WISHES))
}

/// The life of a seed.
#[must_use]
pub fn of_seed(seed: u64) -> (Play, Fate, Manner, View) {
    let (mut play, fate, manner, view) = life::of_seed(seed);
    let mut chance = Chance::of(seed ^ 0x000f_fe12);
    for (_, _, first, _) in &mut play.talks {
        *first = wishing(first, &mut chance);
    }
    let mut last = 0;
    for (at, _, who, deed) in &mut play.acts {
        last = last.max(*at);
        if let (Who::Customer, Deed::Say(words)) = (who, deed) {
            *words = wishing(words, &mut chance);
        }
    }
    let mut asked = 0;
    for talk in 0..play.talks.len() {
        for _ in 0..chance.between(0, 5) {
            asked += 1;
            let person = chance.one_of(&[Who::Alice, Who::Bob]);
            let own = format!("x{asked}");
            let words: &str = if chance.strikes(2_000) { &own } else { chance.one_of(&NOTES) };
            let at = chance.between(2_000, last.max(3_000));
            play.acts.push((at, talk, person, Deed::Note(format!("<p>/bot {words}</p>"))));
            if chance.strikes(4_000) {
                // Somebody writes right then.
                let text = wishing(&format!("<p>n{asked} reply</p>"), &mut chance);
                play.acts.push((at + chance.below(6_000), talk, Who::Customer, Deed::Say(text)));
            }
        }
    }
    play.setting.ruled = Some(chance.one_of(&["answer", "answer", "suggest", "send", "nothing"]));
    play.setting.monitors = chance.strikes(2_500);
    play.setting.bursts = chance.strikes(1_500);
    (play, fate, manner, view)
}

/// Runs a seed's life.
#[must_use]
pub fn live(seed: u64, words: bool, mutant: Option<Mutant>) -> Ending {
    let (play, fate, manner, view) = of_seed(seed);
    run(&play, seed, fate, manner, View { words, mutant, ..view })
}
