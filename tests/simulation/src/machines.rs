//! Bots that talk with machines: what a customer's auto-responder, or another bot in the customer's
//! place, does to a bot that answers everything.
//!
//! A run is fair, so that the limit is strict: a fault may make a machine look slower than it is. The
//! bot may say ten messages in ten minutes without a person's word, then nothing; people have the
//! conversation, and were told why.

use shared::domain::conversation::Control;

use crate::faults::Fate;
use crate::intercom::{Deed, Said, Talk, Who, bot_teammate, is_bots};
use crate::mutants::Mutant;
use crate::run::{Ending, Play, View, run};
use crate::world::{Event, Manner, World, with};

/// How a machine answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// Something else each time, after so many milliseconds.
    Echo(u64),
    /// The same each time, after so many milliseconds: somebody is out of office.
    Absent(u64),
    /// Nothing. The bot talks alone: it answers twelve times.
    Mute,
}

/// The most that a bot may say without a person's word, as the product has it unless it is set.
const MOST: usize = 10;
const WINDOW_MS: u64 = 600_000;

impl World {
    /// The machine in the customer's place hears what the bot says.
    pub(crate) fn machine_hears(&mut self, talk: usize, who: Who, deed: &Deed) {
        let Some(machine) = self.machine else { return };
        let says = matches!(deed, Deed::Say(_) | Deed::Close(Some(_)));
        if who != Who::Bot || !says {
            return;
        }
        if let Some(what) = goes_round(&self.talks[talk]) {
            self.accuse(what);
        }
        let (after, words) = match machine {
            Machine::Echo(after) => (after, format!("m{} reply", self.talks[talk].parts.len())),
            Machine::Absent(after) => (after, "I am out of the office until Monday the fourth of May".to_owned()),
            Machine::Mute => return,
        };
        self.at(self.now + after, Event::Act(talk, Who::Customer, Deed::Say(format!("<p>{words}</p>"))));
    }
}

/// Whether the bot has said more than it may since a person last acted.
fn goes_round(talk: &Talk) -> Option<String> {
    let since = talk.parts.iter().rposition(|part| part.who.is_person()).map_or(0, |place| place + 1);
    let said: Vec<&Said> = talk.parts[since..].iter().filter(|part| part.who == Who::Bot && part.is_seen()).collect();
    let one_more = said.windows(MOST + 1).any(|some| some[MOST].at < some[0].at + WINDOW_MS);
    one_more.then(|| format!("{} messages without a person's word", said.len()))
}

/// A bot and a machine, and, where it is given back, a teammate who lets the bot begin anew.
#[must_use]
pub fn talk(machine: Machine, given_back: bool, words: bool, mutant: Option<Mutant>) -> Ending {
    let first = if machine == Machine::Mute { "<p>m1 dozen</p>" } else { "<p>m1 reply</p>" };
    let mut play = Play {
        talks: vec![(0, 1, first.to_owned(), true)],
        peace: 3_600_000,
        machine: Some(machine),
        ..Play::default()
    };
    if given_back {
        play.acts.push((1_800_000, 0, Who::Alice, Deed::Assign(bot_teammate())));
        play.acts.push((1_860_000, 0, Who::Customer, Deed::Say(first.replace("m1", "m900"))));
    }
    let mut ending = run(&play, 7, Fate::Fair, Manner::default(), View { words, mutant, ..View::default() });
    ending.wrong.extend(with(stopped));
    ending
}

/// Whether people have what went in circles, and know it.
fn stopped(world: &mut World) -> Vec<String> {
    let (talk, mut wrong) = (&world.talks[0], Vec::new());
    let state = world.rows.get(&talk.key).map(|row| row.state.clone()).unwrap_or_default();
    if state.control != Control::Human || talk.parts.iter().rev().find_map(|part| part.to.as_ref()).is_none_or(is_bots)
    {
        wrong.push(format!("people do not have it: {:?}", state.control));
    }
    let notes =
        talk.parts.iter().filter(|part| part.kind == "note" && part.text.contains("without a word of a person"));
    if notes.count() == 0 {
        wrong.push("nobody was told why the bot is silent".to_owned());
    }
    let broken_off = world.memories[0].issued.values().filter(|issued| issued.results.contains(&"broken off")).count();
    if broken_off == 0 {
        wrong.push("the bot was not told".to_owned());
    }
    wrong
}
