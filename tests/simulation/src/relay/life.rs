//! Random lives of chats at bot platforms, beside conversations of Intercom's own.

use shared::domain::part::Assignee;

use super::chat::{Cast, Step};
use super::heard::PSST;
use crate::bot::Style;
use crate::chance::Chance;
use crate::faults::{Fate, Weather};
use crate::intercom::{Deed, Who, bot_teammate, support, teammate};
use crate::life;
use crate::mutants::Mutant;
use crate::product::{Away, Setting};
use crate::run::{Ending, Play, View, run};
use crate::world::Manner;

/// What people do in a chat's conversation, by chance.
fn deed(chance: &mut Chance, words: &mut u32) -> (Who, Deed) {
    let person = chance.one_of(&[Who::Alice, Who::Bob]);
    let mut says = || {
        *words += 1;
        Deed::Say(format!("<p>p{words} at your service</p>"))
    };
    match chance.below(24) {
        0..=8 => (person, says()),
        9 => (person, Deed::Note(format!("<p>{PSST}</p>"))),
        10..=12 => (person, Deed::Assign(teammate(person))),
        13 => (person, Deed::Assign(support())),
        14 => (person, Deed::Assign(Assignee::Nobody)),
        15 => (person, Deed::Assign(bot_teammate())),
        16..=17 => (person, Deed::Close(None)),
        18 => (person, Deed::Close(Some("<p>Bye</p>".to_owned()))),
        19 => (person, Deed::Open),
        20 => (person, Deed::Snooze),
        21 => (Who::Workflow, says()),
        22 => (Who::Customer, Deed::Rate(chance.between(1, 5))),
        _ => (person, if chance.strikes(700) { Deed::Delete } else { Deed::Note(format!("<p>{PSST}</p>")) }),
    }
}

/// One chat.
fn chat(number: usize, span: u64, chance: &mut Chance) -> Cast {
    let mut cast = Cast {
        workspace: number % 2,
        session: format!("s{number}"),
        customer: chance.strikes(7_000).then(|| format!("u{number}")),
        channel: if chance.strikes(9_000) { "web" } else { "whatsapp" },
        steps: Vec::new(),
    };
    let (mut said, mut by_people) = (0, 0);
    let mut words = move || {
        said += 1;
        format!("c{number} w{said}")
    };
    for start in 0..chance.one_of(&[1, 1, 2, 3]) {
        let at = if start == 0 { chance.between(100, 5_000) } else { chance.between(5_000, span) };
        cast.steps.push((at, Step::Start(words())));
        if chance.strikes(2_000) {
            cast.steps.push((at + chance.between(10, 20_000), Step::StartAgain));
        }
    }
    for _ in 0..chance.between(2, 9) {
        let at = chance.between(1_000, span);
        let text = words();
        cast.steps.push((at, Step::Say(text.clone())));
        if chance.strikes(1_500) {
            cast.steps.push((at + chance.below(300), Step::Say(words())));
        }
        if chance.strikes(1_200) {
            // The very same words through the other door, just then.
            let other = Step::InIntercom(Who::Customer, Deed::Say(format!("<p>{text}</p>")));
            cast.steps.push((at + chance.below(12_000), other));
        }
    }
    for _ in 0..chance.between(1, 9) {
        let (who, deed) = deed(chance, &mut by_people);
        cast.steps.push((chance.between(1_500, span), Step::InIntercom(who, deed)));
    }
    if chance.strikes(4_000) {
        for _ in 0..chance.between(1, 3) {
            let deed = Deed::Say(format!("<p>{} by mail</p>", words()));
            cast.steps.push((chance.between(2_000, span), Step::InIntercom(Who::Customer, deed)));
        }
    }
    for (per_myriad, step) in [
        (1_500, Step::SayAnyway(words())),
        (3_000, Step::End),
        (1_000, Step::Redact),
        (1_000, Step::RedactPersons),
        (800, Step::PeopleBegin(format!("p{number} hello"))),
    ] {
        if chance.strikes(per_myriad) {
            cast.steps.push((chance.between(2_000, span), step));
        }
    }
    cast
}

/// From this seed on lives have more in them. Those before stay what they were, so that one that showed a mistake goes on
/// showing that there is none.
pub const GROWN: u64 = 60_000_000;

/// From this seed on files are sent, too.
pub const WITH_FILES: u64 = 70_000_000;

/// Customers and people send files, with words and without.
fn sends_files(chats: &mut [Cast], chance: &mut Chance) {
    let mut count = 0;
    for (_, step) in chats.iter_mut().flat_map(|chat| &mut chat.steps) {
        if !chance.strikes(3_000) {
            continue;
        }
        let from = count;
        count += chance.one_of(&[1, 1, 2, 3]);
        let kind = |chance: &mut Chance| if chance.strikes(3_000) { "fetched" } else { "file" };
        let files = (from..count).map(|number| format!("{}{number}.png", kind(chance))).collect();
        let words = |words: &String, chance: &mut Chance| {
            if chance.strikes(3_000) { String::new() } else { words.clone() }
        };
        match step {
            Step::Start(said) => *step = Step::StartWith(words(said, chance), files),
            Step::Say(said) => *step = Step::Send(words(said, chance), files),
            Step::InIntercom(who, Deed::Say(said)) => {
                *step = Step::InIntercom(*who, Deed::Send(words(said, chance), files));
            }
            _ => {}
        }
    }
}

/// A customer who has two chats at once.
fn grows(chats: &mut Vec<Cast>, span: u64, chance: &mut Chance) {
    if chance.strikes(4_000) {
        let first = &mut chats[0];
        let customer = first.customer.get_or_insert_with(|| "u0".to_owned()).clone();
        let workspace = first.workspace;
        if chats.len() == 1 {
            chats.push(chat(1, span, chance));
        }
        (chats[1].workspace, chats[1].customer) = (workspace, Some(customer));
    }
}

/// From this seed on people come back to conversations that chats have left; not where files are sent, but in those that
/// have everything.
pub const COME_BACK: u64 = 62_000_000;

/// From this seed on lives have all of it.
pub const ALL: u64 = 80_000_000;

/// Somebody writes in the conversation that a chat has left for one that people began.
fn come_back(cast: &mut Cast, span: u64, chance: &mut Chance) {
    if !chance.strikes(2_500) {
        return;
    }
    let at = chance.between(2_000, span);
    cast.steps.push((at, Step::PeopleBegin(format!("{} news", cast.session))));
    for word in 0..chance.between(1, 3) {
        let who = chance.one_of(&[Who::Alice, Who::Bob, Who::Bob, Who::Customer]);
        let words = format!("<p>{} back {word}</p>", cast.session);
        cast.steps.push((at + chance.below(span), Step::InTheFirst(who, Deed::Say(words))));
    }
}

/// The life of a seed.
#[must_use]
pub fn of_seed(seed: u64) -> (Play, Fate, Manner, View) {
    let (mut play, _, manner, _) = life::of_seed(seed);
    let mut chance = Chance::of(seed ^ 0x7e1a);
    let span = chance.one_of(&[20_000, 120_000, 600_000, 3_600_000]);
    // Conversations of Intercom's own go on beside it, now and then.
    if !chance.strikes(2_500) {
        (play.talks, play.acts) = (Vec::new(), Vec::new());
    }
    play.acts.retain(|(at, ..)| *at < span);
    play.events.clear();
    play.chats = (0..chance.one_of(&[1, 1, 2, 3])).map(|number| chat(number, span, &mut chance)).collect();
    if seed >= GROWN {
        grows(&mut play.chats, span, &mut Chance::of(seed ^ 0x6f0e));
    }
    if seed >= WITH_FILES {
        sends_files(&mut play.chats, &mut Chance::of(seed ^ 0xf11e));
    }
    if (COME_BACK..WITH_FILES).contains(&seed) || seed >= ALL {
        let mut chance = Chance::of(seed ^ 0x2b1d);
        play.chats.iter_mut().for_each(|cast| come_back(cast, span, &mut chance));
    }
    let few = life::trouble(&mut play, span, &mut chance);
    let mut patience = |thens: &[&'static str]| {
        let minutes = chance.one_of(&[0, 0, 0, 1, 3, 10]);
        (minutes, if minutes == 0 { "" } else { chance.one_of(thens) })
    };
    let patience = [
        patience(&["bot", "close", "keep", "team:500002"]),
        patience(&["bot", "close", "keep", "team:500002"]),
        patience(&["bot", "close", "keep"]),
    ];
    play.setting = Setting {
        transfers: true,
        stays: chance.strikes(3_000),
        away: if chance.strikes(8_000) { Away::Ignored } else { chance.one_of(&[Away::Promised, Away::Refused]) },
        patience,
        ..play.setting
    };
    let weather = Weather::of_chance(&mut chance);
    let manner = Manner { style: chance.one_of(&[Style::Same, Style::Posts]), ..manner };
    let view = View { most_receives: if few { 3 } else { 0 }, ..View::default() };
    (play, Fate::Chance(Box::new(weather)), manner, view)
}

/// Runs a seed's life.
#[must_use]
pub fn live(seed: u64, words: bool, mutant: Option<Mutant>) -> Ending {
    let (play, fate, manner, view) = of_seed(seed);
    run(&play, seed, fate, manner, View { words, mutant, ..view })
}
