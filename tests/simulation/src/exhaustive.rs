//! Every schedule: a conversation of three messages with a hand-over, and up to so many faults, at
//! every call and every delivery, of every kind.
//!
//! A run with some faults shows which calls come after the last of them; each of these, with each
//! kind of fault, is another run. So every schedule is run once, and none that cannot happen. Where
//! the world after a run's last fault is one that another run has come to, with no fewer faults left,
//! the run ends: what may follow is followed from there. Fewer faults come first, so that this is so
//! whenever it can be.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::faults::{Fate, Point};
use crate::intercom::{Deed, Who, bot_team};
use crate::mutants::Mutant;
use crate::run::{Ending, Play, View, run_watched};
use crate::world::{Digest, Event, Manner, World};

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
    play_until(schedule, remembers, view, |_, _| false)
}

/// Plays one schedule, and asks whenever nobody works after its last fault whether what follows is known.
#[must_use]
pub fn play_until(
    schedule: &Schedule,
    remembers: bool,
    view: View,
    mut is_known: impl FnMut(&World, &Event) -> bool,
) -> Ending {
    let fate = Fate::Schedule { faults: schedule.clone(), points: Vec::new(), remembers, calls: 0 };
    let manner = Manner { coarse: true, ..Manner::default() };
    let last = schedule.last().map_or(0, |(call, _)| call + 1);
    let after_the_last = |world: &World| world.calls_so_far().is_none_or(|calls| calls >= last);
    run_watched(&play(), 7, fate, manner, view, |_| (), |world, next| after_the_last(world) && is_known(world, next))
}

/// What came of all of them.
#[derive(Debug, Clone, Default)]
pub struct Count {
    /// How many schedules were played, by the number of faults.
    pub schedules: Vec<u64>,
    /// How many of them led into a world that another was followed from.
    pub merged: u64,
    /// How many different worlds there were between calls, after the last fault.
    pub worlds: u64,
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

/// How to go about it.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// Up to so many faults.
    pub most: usize,
    /// Which part.
    pub share: Share,
    /// Whether worlds that are known are not followed again.
    pub merges: bool,
    /// After how many bad ones to stop.
    pub most_bad: usize,
    /// With a mutant.
    pub mutant: Option<Mutant>,
}

impl Way {
    /// All schedules of up to so many faults.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { most, share: Share { part: 0, of: 1 }, merges: true, most_bad: 10, mutant: None }
    }
}

const SHARDS: usize = 64;

/// What the threads have in common.
struct Common {
    way: Way,
    known: [Mutex<HashSet<Digest>>; SHARDS],
    played: Vec<AtomicU64>,
    merged: AtomicU64,
    bad: Mutex<Vec<(Schedule, String)>>,
}

/// A schedule that was played, and what could have gone wrong after it.
type Played = (Schedule, Vec<Point>);

impl Common {
    /// Plays one; what could have gone wrong.
    fn play(&self, schedule: &Schedule) -> Vec<Point> {
        let view = View { mutant: self.way.mutant, ..View::default() };
        let is_known = |world: &World, next: &Event| {
            let digest = world.digest(next);
            let mut known = self.known[digest as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner);
            self.way.merges && !known.insert(digest)
        };
        let ending = play_until(schedule, schedule.len() < self.way.most, view, is_known);
        self.played[schedule.len()].fetch_add(1, Ordering::Relaxed);
        self.merged.fetch_add(u64::from(ending.is_part), Ordering::Relaxed);
        if let Some(first) = ending.wrong.first() {
            let mut bad = self.bad.lock().unwrap_or_else(PoisonError::into_inner);
            bad.push((schedule.clone(), first.clone()));
        }
        ending.points
    }

    fn is_enough(&self) -> bool {
        self.bad.lock().unwrap_or_else(PoisonError::into_inner).len() >= self.way.most_bad
    }

    /// Plays every schedule that has one fault more than this one.
    fn play_after(&self, (schedule, points): &Played) -> Vec<Played> {
        let mut next = Vec::new();
        let from = schedule.last().map_or(0, |(call, _)| call + 1);
        for (call, point) in points.iter().enumerate().skip(from as usize) {
            let share = self.way.share;
            if self.is_enough() || (schedule.is_empty() && call as u32 % share.of != share.part) {
                continue;
            }
            for kind in 0..kinds(*point) {
                let mut longer = schedule.clone();
                longer.push((call as u32, kind));
                let points = self.play(&longer);
                if longer.len() < self.way.most {
                    next.push((longer, points));
                }
            }
        }
        next
    }

    fn count(&self) -> Count {
        let size = |shard: &Mutex<HashSet<_>>| shard.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        Count {
            schedules: self.played.iter().map(|played| played.load(Ordering::Relaxed)).collect(),
            merged: self.merged.load(Ordering::Relaxed),
            worlds: self.known.iter().map(size).sum(),
            bad: self.bad.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }
}

/// Plays every schedule, on all cores. `heard` is told every now and then.
pub fn all(way: Way, heard: impl Fn(&Count) + Sync) -> Count {
    let common = Common {
        way,
        known: std::array::from_fn(|_| Mutex::default()),
        played: (0..=way.most).map(|_| AtomicU64::new(0)).collect(),
        merged: AtomicU64::new(0),
        bad: Mutex::default(),
    };
    let mut level = vec![(Vec::new(), common.play(&Vec::new()))];
    for _ in 0..way.most {
        level = deeper(&common, &level, &heard);
    }
    let mut count = common.count();
    count.bad.sort();
    count
}

/// Plays every schedule that has one fault more than these.
fn deeper(common: &Common, level: &[Played], heard: &(impl Fn(&Count) + Sync)) -> Vec<Played> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (turn, next, over) = (AtomicUsize::new(0), Mutex::new(Vec::new()), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let play = || {
            while let Some(played) = level.get(turn.fetch_add(1, Ordering::Relaxed)) {
                let longer = common.play_after(played);
                next.lock().unwrap_or_else(PoisonError::into_inner).extend(longer);
            }
        };
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(play)).collect();
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                heard(&common.count());
                std::thread::park_timeout(Duration::from_millis(500));
            }
        });
        let ended: Vec<_> = workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        over.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok), "a run panicked");
    });
    let mut next = next.into_inner().unwrap_or_else(PoisonError::into_inner);
    next.sort_unstable();
    next
}

fn kinds(point: Point) -> u8 {
    point.faults().len() as u8
}

/// What was compared.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    /// How many schedules were played to their ends.
    pub schedules: u64,
    /// How many worlds there were between calls, after the last fault.
    pub worlds: u64,
    /// How often one was come to again.
    pub again: u64,
    /// What followed from a world, and did not from the same world in another run.
    pub different: Vec<String>,
}

/// What follows from a world until nobody works again: what can go wrong, and the next world, or the end.
type Follows = (Vec<Point>, Result<Digest, Vec<String>>);

/// Plays every schedule of up to so many faults to its end, of those with the most faults one of so many;
/// compares what follows from the same worlds.
#[must_use]
pub fn compare(most: usize, one_of: usize, mutant: Option<Mutant>) -> Compared {
    let mut compared = Compared::default();
    let mut follows: HashMap<Digest, (Follows, Schedule)> = HashMap::new();
    let mut level = vec![Vec::new()];
    for faults in 0..=most {
        let mut next = Vec::new();
        for schedule in level {
            let mut moments = Vec::new();
            let view = View { mutant, ..View::default() };
            let ending = play_until(&schedule, true, view, |world, event| {
                moments.push((world.digest(event), world.points_so_far()));
                false
            });
            compared.schedules += 1;
            for (place, (digest, from)) in moments.iter().enumerate() {
                let after = moments.get(place + 1);
                let until = after.map_or(ending.points.len(), |(_, until)| *until);
                let points = ending.points[*from..until].to_vec();
                let follows_here = (points, after.map(|(digest, _)| *digest).ok_or(ending.wrong.clone()));
                let (known, by) = follows.entry(*digest).or_insert_with(|| {
                    compared.worlds += 1;
                    (follows_here.clone(), schedule.clone())
                });
                compared.again += u64::from(*by != schedule);
                if *known != follows_here {
                    compared.different.push(format!("{by:?} and {schedule:?} at moment {place}"));
                    break;
                }
            }
            let from = schedule.last().map_or(0, |(call, _)| call + 1);
            for (call, point) in ending.points.iter().enumerate().skip(from as usize) {
                next.extend((0..kinds(*point)).map(|kind| [&schedule[..], &[(call as u32, kind)]].concat()));
            }
        }
        level = next.into_iter().step_by(if faults + 1 == most { one_of } else { 1 }).collect();
    }
    compared
}
