//! Requests that are applied later than doubts settle. No source says that Intercom does so; if it does, a message can
//! be there twice, or be there although its bot was told that it is not said. Nobody can keep that from happening,
//! so what is promised is that each of these is noticed, within a sweep, and that nothing is lost.
//!
//! What is noticed is what is logged: the line that the alarm is made of.

use std::collections::BTreeMap;
use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::bot::Style;
use crate::chance::Chance;
use crate::faults::{Fate, Fault, Point, Storm};
use crate::intercom::{Deed, Who, bot_team, bot_teammate};
use crate::product::Setting;
use crate::run::{Ending, Play, View, run_and_look};
use crate::world::{Manner, QueueName, Role, World, with};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;

/// How long after a part is there it is noticed, at most: a sweep each minute, a minute that the index lags behind, and
/// what it takes to fetch and decide.
pub const NOTICED_MS: u64 = 2 * MINUTE + 30 * SECOND;

/// What came of runs.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// How many there were.
    pub runs: u64,
    /// What was wrong, by seed.
    pub wrong: Vec<(u64, String)>,
    /// Parts that are one too many.
    pub surplus: u64,
    /// How many times that was noticed.
    pub noticed: u64,
    /// The longest time until it was, in milliseconds.
    pub slowest_ms: u64,
}

/// Hears what the product logs of what comes late.
#[derive(Debug)]
struct Ear;

/// Looks for the decision in a line.
#[derive(Debug, Default)]
struct Hears(u32);

impl Visit for Hears {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "decisions" {
            self.0 += value.matches("arrived_late").count() as u32;
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}

impl Subscriber for Ear {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut hears = Hears::default();
        event.record(&mut hears);
        for _ in 0..hears.0 {
            with(|world| {
                let now = world.now;
                world.noticed.push(now);
                world.tell(10, |_| "it is noticed that something came late".to_owned());
            });
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A conversation in which the same is said more than once, things are done in Intercom of every kind, and people come
/// and go. One of its requests is late, or, in every fourth, a third of them are; in every second a third of the
/// webhooks are lost.
#[must_use]
pub fn play(late_ms: u64, stale_ms: u64, skew_ms: u64, seed: u64) -> (Play, Manner) {
    let mut chance = Chance::of(seed ^ 0x1a7e);
    let mut play = Play { setting: Setting::default(), ..Play::default() };
    play.talks.push((0, 1, "<p>m1 ok</p>".to_owned(), false));
    let mut act = |at: u64, who: Who, deed: Deed| play.acts.push((at, 0, who, deed));
    act(SECOND, Who::Workflow, Deed::Assign(bot_team()));
    let words = ["m2 two", "m3 ok", "m4 note", "m5 shut", "m6 ok", "m7 close", "m8 ok", "m9 farewell"];
    for (number, words) in (1..).zip(words) {
        let at = number * 30 * SECOND + chance.below(20 * SECOND);
        act(at, Who::Customer, Deed::Say(format!("<p>{words}</p>")));
        if chance.strikes(2_000) {
            let taken = at + chance.below(60 * SECOND);
            act(taken, Who::Alice, Deed::Say("<p>I am here</p>".to_owned()));
            act(taken + chance.between(10, 60) * SECOND, Who::Bob, Deed::Assign(bot_teammate()));
        }
    }
    act(6 * MINUTE, Who::Alice, Deed::Assign(bot_teammate()));
    act(7 * MINUTE, Who::Customer, Deed::Say("<p>m10 ok</p>".to_owned()));
    play.peace = 8 * MINUTE;
    let late = Storm::of(Point::Post, Fault::Late).by(Role::Behind(QueueName::Replies));
    play.storms.push(match seed % 4 {
        3 => Storm::of(Point::Post, Fault::Late).per_myriad(3_000),
        2 => Storm::of(Point::Post, Fault::Late).by(Role::Behind(QueueName::Close)).skip(seed as u32 / 4 % 2).most(1),
        _ => late.skip(chance.below(16) as u32).most(1),
    });
    if stale_ms > 0 {
        play.storms.push(Storm::of(Point::Get, Fault::Stale).by(Role::Behind(QueueName::Replies)));
    }
    if seed % 2 == 1 {
        play.storms.push(Storm::of(Point::Deliver, Fault::Dropped).per_myriad(3_000));
    }
    let style = if seed % 8 < 4 { Style::Same } else { Style::Posts };
    let manner = Manner {
        even: false,
        late_ms,
        least_late_ms: late_ms,
        stale_ms,
        style,
        skew_ms,
        outlasts: true,
        ..Manner::default()
    };
    (play, manner)
}

/// Runs one of them.
#[must_use]
pub fn live(late_ms: u64, stale_ms: u64, skew_ms: u64, seed: u64, view: View) -> (Ending, Figures) {
    let (play, manner) = play(late_ms, stale_ms, skew_ms, seed);
    run(&play, manner, seed, view)
}

/// Runs such a play, and judges it.
#[must_use]
pub fn run(play: &Play, manner: Manner, seed: u64, view: View) -> (Ending, Figures) {
    let mut figures = Figures { runs: 1, ..Figures::default() };
    let ending = tracing::subscriber::with_default(Ear, || {
        run_and_look(play, seed, Fate::Fair, manner, view, |world| {
            let wrong = judge(world, &mut figures);
            wrong.into_iter().for_each(|what| world.accuse(what));
        })
    });
    figures.wrong = ending.wrong.iter().map(|what| (seed, what.clone())).collect();
    (ending, figures)
}

/// What came too many, and whether each of it was noticed.
fn judge(world: &World, figures: &mut Figures) -> Vec<String> {
    let talk = &world.talks[0];
    let mut made: BTreeMap<_, Vec<u64>> = BTreeMap::new();
    // What sets a state is one too many only where the state is another by then; and what was to be said with a hand-over
    // that was overtaken may have been said before.
    let mut perhaps = 0;
    for part in &talk.parts {
        let Some(by) = &part.made else { continue };
        match &part.to {
            None => made.entry(by.clone()).or_default().push(part.at),
            Some(_) => perhaps += 1,
        }
    }
    let mut surplus = Vec::new();
    for (by, at) in &made {
        let issued = by.command.as_ref().and_then(|id| world.memories[0].issued.get(id));
        let is_done = issued.is_none_or(|issued| issued.results.first() == Some(&"done"));
        let is_all_of_it = issued.is_none_or(|issued| matches!(issued.kind, "reply" | "note" | "close"));
        // A close that arrives while it is made again is late, and the only one.
        let closes = issued.is_some_and(|issued| issued.kind == "close");
        perhaps += u64::from((!is_done && !is_all_of_it) || closes);
        surplus.extend(at.iter().skip(usize::from(is_done || !is_all_of_it)));
    }
    surplus.sort_unstable();
    (figures.surplus, figures.noticed) = (surplus.len() as u64, world.noticed.len() as u64);
    let mut wrong = Vec::new();
    if !(figures.surplus..=figures.surplus + perhaps).contains(&figures.noticed) {
        wrong.push(format!("{} parts are too many, and {} were noticed", figures.surplus, figures.noticed));
    }
    let in_pairs = surplus.iter().zip(&world.noticed).filter(|_| figures.noticed == figures.surplus);
    for (came, noticed) in in_pairs {
        figures.slowest_ms = figures.slowest_ms.max(noticed.saturating_sub(*came));
    }
    if figures.slowest_ms > NOTICED_MS {
        wrong.push(format!("what came late was noticed after {} ms", figures.slowest_ms));
    }
    wrong
}

/// Runs so many of them, all with a request that is so late, reads that are up to so old, and clocks that are so far off.
#[must_use]
pub fn all(late_ms: u64, stale_ms: u64, skew_ms: u64, seeds: std::ops::Range<u64>) -> Figures {
    seeds.fold(Figures::default(), |mut all, seed| {
        let (_, figures) = live(late_ms, stale_ms, skew_ms, seed, View::default());
        all.runs += 1;
        all.wrong.extend(figures.wrong);
        all.surplus += figures.surplus;
        all.noticed += figures.noticed;
        all.slowest_ms = all.slowest_ms.max(figures.slowest_ms);
        all
    })
}
