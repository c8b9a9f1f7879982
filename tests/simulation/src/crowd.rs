//! A crowd of conversations, and one among them that goes wrong: what the others notice of it.

use crate::chance::Chance;
use crate::faults::Fate;
use crate::intercom::{Deed, Who};
use crate::run::{Ending, Play, Trouble, View, run};
use crate::world::Manner;

/// What goes wrong with the first conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amiss {
    /// Nothing.
    Nothing,
    /// A message that nobody can read is on the inbox before its customer's.
    Poison,
    /// Intercom does not show it, so that none of these many messages on the inbox can be handled.
    Stuck(u32),
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Figures {
    /// How long each of the others waited for an answer, in milliseconds, sorted.
    pub others_ms: Vec<u64>,
    /// How long the first conversation's customer did.
    pub own_ms: Vec<u64>,
    /// How the run ended.
    pub ending: Ending,
}

impl Figures {
    /// The time within which this share of the others was answered, in milliseconds.
    #[must_use]
    pub fn within(&self, percent: usize) -> u64 {
        let place = (self.others_ms.len() * percent).div_ceil(100).saturating_sub(1);
        self.others_ms.get(place).copied().unwrap_or(u64::MAX)
    }
}

/// When it goes wrong, in milliseconds.
const AMISS_MS: u64 = 60_000;
/// For how long customers write after that.
const SPAN_MS: u64 = 600_000;

/// In so many conversations, all the bot's, each customer writes once while the first goes wrong.
#[must_use]
pub fn crowd(talks: usize, amiss: Amiss) -> Figures {
    let mut chance = Chance::of(7);
    let mut play = Play { peace: AMISS_MS + SPAN_MS + 60_000, ..Play::default() };
    for talk in 0..talks {
        play.talks.push((talk % 2, 1 + (talk / 2) as u64, "<p>first reply</p>".to_owned(), true));
        let at = if talk == 0 { 100 } else { chance.between(0, SPAN_MS) };
        play.acts.push((AMISS_MS + at, talk, Who::Customer, Deed::Say("<p>then reply</p>".to_owned())));
    }
    play.events = match amiss {
        Amiss::Nothing => Vec::new(),
        Amiss::Poison => vec![(AMISS_MS, Trouble::Poison)],
        Amiss::Stuck(count) => vec![(AMISS_MS, Trouble::Stuck(count))],
    };
    let mut ending = run(&play, 7, Fate::Fair, Manner::default(), View { measures: true, ..View::default() });
    let (own, others): (Vec<_>, Vec<_>) =
        std::mem::take(&mut ending.answers_ms).into_iter().partition(|(talk, _)| *talk == 0);
    let mut others_ms: Vec<u64> = others.into_iter().map(|(_, ms)| ms).collect();
    others_ms.sort_unstable();
    Figures { others_ms, own_ms: own.into_iter().map(|(_, ms)| ms).collect(), ending }
}
