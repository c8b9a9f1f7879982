//! A random life: who writes what and when, how the operator set it, what goes wrong.

use shared::domain::part::Assignee;

use crate::bot::Style;
use crate::chance::Chance;
use crate::faults::{Fate, Weather};
use crate::intercom::{Deed, Who, bot_team, bot_teammate, support, teammate};
use crate::product::Setting;
use crate::run::{Play, Trouble, View, run};
use crate::world::Manner;

/// What customers wish for, by which a bot knows what to do.
const WISHES: [&str; 16] = [
    "reply", "reply", "reply", "ok", "ok", "two", "two", "note", "tag", "handover", "farewell", "close", "shut",
    "nobody", "odd", "reply",
];

/// What they wish for in a life of endings.
const ENDINGS: [&str; 6] = ["close", "shut", "handover", "farewell", "nobody", "two"];

/// What people and workflows do, by chance.
fn deed(chance: &mut Chance) -> (Who, Deed) {
    let person = chance.one_of(&[Who::Alice, Who::Bob]);
    match chance.below(24) {
        0..=3 => (person, Deed::Say("<p>I am here</p>".to_owned())),
        4 => (person, Deed::Note("<p>psst</p>".to_owned())),
        5..=6 => (person, Deed::Assign(teammate(person))),
        7 => (person, Deed::Assign(support())),
        8..=10 => (person, Deed::Assign(bot_teammate())),
        11 => (person, Deed::Assign(bot_team())),
        12 => (Who::Workflow, Deed::Assign(support())),
        13..=14 => (Who::Workflow, Deed::Assign(bot_team())),
        15 => (person, Deed::Close(None)),
        16 => (person, Deed::Close(Some("<p>Closed</p>".to_owned()))),
        17 => (person, Deed::Open),
        18 => (person, Deed::Snooze),
        19 => (Who::Workflow, Deed::Say("<p>Fin says</p>".to_owned())),
        20 => (Who::Customer, Deed::Rate(chance.between(1, 5))),
        21 => (person, Deed::Redact),
        22 => (person, Deed::Assign(Assignee::Nobody)),
        _ => (person, if chance.strikes(1_000) { Deed::Delete } else { Deed::Snooze }),
    }
}

/// Somebody takes the conversation and gives it back within seconds, right after a message.
fn flap(play: &mut Play, talk: usize, span: u64, chance: &mut Chance) {
    for _ in 0..chance.between(1, 4) {
        let person = chance.one_of(&[Who::Alice, Who::Bob]);
        let at = chance.between(3_000, span);
        let takes =
            if chance.strikes(5_000) { Deed::Assign(teammate(person)) } else { Deed::Say("<p>Mine</p>".to_owned()) };
        play.acts.push((at, talk, Who::Customer, Deed::Say("<p>again reply</p>".to_owned())));
        let taken = at + chance.between(200, 4_000);
        play.acts.push((taken, talk, person, takes));
        if chance.strikes(8_000) {
            play.acts.push((taken + chance.between(100, 3_000), talk, person, Deed::Assign(bot_teammate())));
        }
    }
}

/// What happens to everybody at once while it lasts, and when there is peace. Whether dead letters are put
/// back in the middle of it.
pub fn trouble(play: &mut Play, span: u64, chance: &mut Chance) -> bool {
    for trouble in [
        Trouble::BotDown(chance.one_of(&[30_000, 900_000, 2_400_000])),
        Trouble::WorkersDown(chance.one_of(&[60_000, 3_600_000])),
    ] {
        if chance.strikes(600) {
            play.events.push((chance.below(span), trouble));
        }
    }
    let few = chance.strikes(1_500);
    if few {
        play.events.push((chance.below(span), Trouble::Redrive));
    }
    play.peace = span + chance.between(1_000, 120_000);
    few
}

/// The life of a seed.
#[must_use]
pub fn of_seed(seed: u64) -> (Play, Fate, Manner, View) {
    let mut chance = Chance::of(seed ^ 0x11fe);
    let mut play = Play::default();
    let talks = chance.one_of(&[1, 1, 2, 3]);
    let span = chance.one_of(&[20_000, 120_000, 600_000, 3_600_000]);
    let (endings, flaps) = (chance.strikes(2_500), chance.strikes(2_500));
    let mut words = 0;
    let mut message = |chance: &mut Chance| {
        words += 1;
        let wish = if endings { chance.one_of(&ENDINGS) } else { chance.one_of(&WISHES) };
        format!("<p>m{words} {wish}</p>")
    };
    for talk in 0..talks {
        let with_the_bot = chance.strikes(5_000);
        play.talks.push((talk % 2, 1 + (talk / 2) as u64, message(&mut chance), with_the_bot));
        if !with_the_bot && chance.strikes(9_500) {
            let to = if chance.strikes(5_000) { bot_team() } else { bot_teammate() };
            play.acts.push((chance.between(100, 5_000), talk, Who::Workflow, Deed::Assign(to)));
        }
        for _ in 0..chance.between(2, 9) {
            let at = chance.between(1_000, span);
            let text = message(&mut chance);
            play.acts.push((at, talk, Who::Customer, Deed::Say(text)));
            if chance.strikes(1_500) {
                let text = message(&mut chance);
                play.acts.push((at + chance.below(300), talk, Who::Customer, Deed::Say(text)));
            }
        }
        if chance.strikes(6_000) {
            for _ in 0..chance.between(1, 6) {
                let (who, deed) = deed(&mut chance);
                play.acts.push((chance.between(1_000, span), talk, who, deed));
            }
        }
        if flaps {
            flap(&mut play, talk, span, &mut chance);
        }
    }
    let few = trouble(&mut play, span, &mut chance);
    play.setting = Setting {
        resumes: chance.strikes(3_000),
        introduces: chance.strikes(1_500),
        reopened_to_people: chance.strikes(2_000),
        ..Setting::default()
    };
    let weather = Weather::of_chance(&mut chance);
    let manner = Manner {
        even: false,
        skew_ms: chance.one_of(&[0, 0, 50, 900]),
        sweeps: true,
        stale_ms: chance.one_of(&[500, 5_000, 9_000]),
        late_ms: chance.one_of(&[1_000, 15_000]),
        delay_ms: chance.one_of(&[5_000, 120_000, 1_800_000]),
        style: chance.one_of(&[Style::Same, Style::Other, Style::Posts]),
        ..Manner::default()
    };
    let view = View { most_receives: if few { 3 } else { 0 }, ..View::default() };
    (play, Fate::Chance(Box::new(weather)), manner, view)
}

/// A life in which nothing is swept: only workers die, and queues fail, and what is missed so is
/// made good by what comes again.
#[must_use]
pub fn live_unswept(seed: u64, words: bool, mutant: Option<crate::mutants::Mutant>) -> crate::run::Ending {
    let (mut play, _, manner, _) = of_seed(seed);
    (play.events, play.setting.resumes) = (Vec::new(), false);
    let weather = Weather { deaths: 150, queues: 150, ..Weather::default() };
    let manner = Manner { sweeps: false, skew_ms: 0, ..manner };
    run(&play, seed, Fate::Chance(Box::new(weather)), manner, View { words, mutant, ..View::default() })
}

/// A life in which customers write in a row, and what they write so is one turn.
#[must_use]
pub fn live_in_bursts(seed: u64, words: bool, mutant: Option<crate::mutants::Mutant>) -> crate::run::Ending {
    let (mut play, fate, manner, view) = of_seed(seed);
    play.setting.bursts = true;
    let mut chance = Chance::of(seed ^ 0xb0_5757);
    let mut words_more = 0;
    let said: Vec<(u64, usize)> =
        play.acts.iter().filter(|(_, _, who, _)| *who == Who::Customer).map(|(at, talk, ..)| (*at, *talk)).collect();
    for (mut at, talk) in said {
        while chance.strikes(5_000) {
            words_more += 1;
            at += chance.between(100, 4_500);
            let text = format!("<p>more{words_more} {}</p>", chance.one_of(&WISHES));
            play.acts.push((at, talk, Who::Customer, Deed::Say(text)));
        }
    }
    run(&play, seed, fate, manner, View { words, mutant, ..view })
}

/// Runs a seed's life.
#[must_use]
pub fn live(seed: u64, words: bool, mutant: Option<crate::mutants::Mutant>) -> crate::run::Ending {
    let (play, fate, manner, view) = of_seed(seed);
    run(&play, seed, fate, manner, View { words, mutant, ..view })
}
