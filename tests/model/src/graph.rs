//! What can be reached from where: for rules of the kind "from every world there is a way to …",
//! which the checker does not know. While it explores, every step and what each world is are kept;
//! then the ways are walked back from the goals.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use crate::world::World;

/// What a world is, as far as it is a goal or a start.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kind {
    /// Nothing is under way.
    pub quiet: bool,
    /// The bot has the conversation.
    pub bots: bool,
    /// A person may still give it to the bot.
    pub can_be_given: bool,
}

#[derive(Debug, Default)]
struct Kept {
    worlds: HashMap<u64, Kind>,
    steps: Vec<(u64, u64)>,
}

/// The steps and worlds that were explored.
#[derive(Debug, Default)]
pub struct Graph {
    kept: Mutex<Option<Kept>>,
}

fn name_of(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

impl Graph {
    /// Keeps what is explored from now on.
    pub fn keep(&self) {
        *self.kept.lock().unwrap() = Some(Kept::default());
    }

    pub(crate) fn leads(&self, from: &World, to: &World) {
        if let Some(kept) = self.kept.lock().unwrap().as_mut() {
            kept.steps.push((name_of(from), name_of(to)));
        }
    }

    pub(crate) fn is(&self, world: &World, kind: impl FnOnce() -> Kind) {
        if let Some(kept) = self.kept.lock().unwrap().as_mut() {
            kept.worlds.insert(name_of(world), kind());
        }
    }

    /// How many worlds that are `starts` have no way to one of the `goals`.
    ///
    /// # Panics
    /// When nothing was kept.
    #[must_use]
    pub fn stranded(&self, starts: impl Fn(&Kind) -> bool, goals: impl Fn(&Kind) -> bool) -> usize {
        let kept = self.kept.lock().unwrap();
        let kept = kept.as_ref().expect("the graph is kept");
        let number: HashMap<u64, usize> =
            kept.worlds.keys().enumerate().map(|(number, name)| (*name, number)).collect();
        let mut ends: Vec<u32> = vec![0; number.len() + 1];
        let steps = || kept.steps.iter().filter_map(|(from, to)| Some((*number.get(from)?, *number.get(to)?)));
        for (_, to) in steps() {
            ends[to + 1] += 1;
        }
        for place in 1..ends.len() {
            ends[place] += ends[place - 1];
        }
        let mut sources = vec![0_u32; ends[number.len()] as usize];
        let mut next = ends.clone();
        for (from, to) in steps() {
            sources[next[to] as usize] = from as u32;
            next[to] += 1;
        }
        let mut reached = vec![false; number.len()];
        let mut open: Vec<usize> =
            kept.worlds.iter().filter(|(_, kind)| goals(kind)).map(|(name, _)| number[name]).collect();
        for goal in &open {
            reached[*goal] = true;
        }
        while let Some(place) = open.pop() {
            for from in &sources[ends[place] as usize..ends[place + 1] as usize] {
                if !std::mem::replace(&mut reached[*from as usize], true) {
                    open.push(*from as usize);
                }
            }
        }
        kept.worlds.iter().filter(|(name, kind)| starts(kind) && !reached[number[name]]).count()
    }
}
