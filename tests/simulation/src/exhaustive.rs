//! Every schedule: a conversation of three messages with a hand-over, and up to so many faults, at
//! every call and every delivery, of every kind.
//!
//! A run with some faults shows which calls come after the last of them; each of these, with each
//! kind of fault, is another run. So every schedule is run once, and none that cannot happen.

use crate::faults::{Fate, Point};
use crate::intercom::{Deed, Who, bot_team};
use crate::run::{Ending, Play, View, run};
use crate::world::Manner;

/// The play: the customer begins, workflow assigns to the bot, the bot answers, answers again, and
/// hands over.
#[must_use]
pub fn play() -> Play {
    let said = |words: &str| Deed::Say(format!("<p>{words}</p>"));
    Play {
        talks: vec![(0, 1, "<p>m1 reply</p>".to_owned(), false)],
        acts: vec![
            (1_000, 0, Who::Workflow, Deed::Assign(bot_team())),
            (9_000, 0, Who::Customer, said("m2 ok")),
            (18_000, 0, Who::Customer, said("m3 handover")),
        ],
        peace: 3_600_000,
        ..Play::default()
    }
}

/// A schedule: at which calls what goes wrong.
pub type Schedule = Vec<(u32, u8)>;

/// Plays one schedule.
#[must_use]
pub fn play_one(schedule: &Schedule, remembers: bool, view: View) -> Ending {
    let fate = Fate::Schedule { faults: schedule.clone(), points: Vec::new(), remembers, calls: 0 };
    run(&play(), 7, fate, Manner::default(), view)
}

/// What came of all of them.
#[derive(Debug, Clone, Default)]
pub struct Count {
    /// How many schedules there were, by the number of faults.
    pub schedules: Vec<u64>,
    /// The bad ones, and what was wrong first.
    pub bad: Vec<(Schedule, String)>,
}

/// Which part of the schedules to play: those whose first fault's number leaves this remainder.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// The remainder.
    pub part: u32,
    /// Of how many.
    pub of: u32,
}

/// Plays every schedule of up to `most` faults; stops at ten bad ones. `heard` is told of every one.
pub fn all(most: usize, share: Share, mut heard: impl FnMut(&Count)) -> Count {
    let mut count = Count { schedules: vec![0; most + 1], bad: Vec::new() };
    descend(&mut Vec::new(), most, share, &mut count, &mut heard);
    count
}

fn descend(schedule: &mut Schedule, most: usize, share: Share, count: &mut Count, heard: &mut impl FnMut(&Count)) {
    if count.bad.len() >= 10 {
        return;
    }
    let ending = play_one(schedule, schedule.len() < most, View::default());
    count.schedules[schedule.len()] += 1;
    if let Some(first) = ending.wrong.first() {
        count.bad.push((schedule.clone(), first.clone()));
    }
    heard(count);
    if schedule.len() == most {
        return;
    }
    let from = schedule.last().map_or(0, |(call, _)| call + 1);
    for (call, point) in ending.points.iter().enumerate().skip(from as usize) {
        if schedule.is_empty() && call as u32 % share.of != share.part {
            continue;
        }
        for kind in 0..kinds(*point) {
            schedule.push((call as u32, kind));
            descend(schedule, most, share, count, heard);
            schedule.pop();
        }
    }
}

fn kinds(point: Point) -> u8 {
    point.faults().len() as u8
}
