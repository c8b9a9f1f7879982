//! More demand than Intercom takes: customers of both workspaces write so much that the bots' answers
//! are a multiple of the rate limit, for a while; and tokens that are revoked meanwhile.

use crate::chance::Chance;
use crate::faults::Fate;
use crate::intercom::{Deed, Who};
use crate::limits::{Limit, Limits, Request, Taken};
use crate::run::{Ending, Play, View, run};
use crate::world::Manner;

/// What customers want.
#[derive(Debug, Clone)]
pub struct Demand {
    /// How many conversations each workspace has.
    pub talks: usize,
    /// For how long they write, in milliseconds.
    pub span_ms: u64,
    /// How long each of them waits between two messages, in milliseconds.
    pub each_ms: u64,
    /// What they wish for, by conversation in turn.
    pub wishes: &'static [&'static str],
    /// Intercom's limits.
    pub limit: Limit,
}

impl Demand {
    /// Three times of what Intercom takes: answers, in so many conversations, for so long.
    #[must_use]
    pub fn of_three_times(calls: u32, span_ms: u64) -> Self {
        let limit = Limit { calls, ..Limit::default() };
        let talks = calls as usize * 6 / 10;
        Self { talks, span_ms, each_ms: 2_000, wishes: &["reply"], limit }
    }
}

/// Lives through a demand.
///
/// # Panics
/// Never: the run has limits.
#[must_use]
pub fn meet(demand: &Demand, seed: u64, view: View) -> (Ending, Limits) {
    let mut ending = live(demand, seed, view);
    let limits = ending.limits.take().unwrap();
    (ending, limits)
}

fn live(demand: &Demand, seed: u64, view: View) -> Ending {
    let mut chance = Chance::of(seed ^ 0x4a7e5);
    let mut play = Play { limit: Some(demand.limit.clone()), peace: demand.span_ms + 60_000, ..Play::default() };
    for talk in 0..2 * demand.talks {
        let wish = demand.wishes[talk / 2 % demand.wishes.len()];
        play.talks.push((talk % 2, 1 + (talk / 2) as u64, format!("<p>m0 {wish}</p>"), true));
        let mut at = chance.between(1_000, 1_000 + demand.each_ms);
        let mut number = 0;
        while at < demand.span_ms {
            number += 1;
            play.acts.push((at, talk, Who::Customer, Deed::Say(format!("<p>m{number} {wish}</p>"))));
            at += demand.each_ms;
        }
    }
    let manner = Manner { even: false, ..Manner::default() };
    run(&play, seed, Fate::Fair, manner, view)
}

/// Jain's index of fairness: 1 where all have the same, 1/n where one has it all.
#[must_use]
pub fn fairness(shares: &[u64]) -> f64 {
    let sum: u64 = shares.iter().sum();
    let squares: u64 = shares.iter().map(|share| share * share).sum();
    (sum * sum) as f64 / (shares.len() as u64 * squares).max(1) as f64
}

impl Limits {
    /// The requests of this kind that were served, between these moments.
    pub fn served(&self, what: &'static str, from: u64, until: u64) -> impl Iterator<Item = &Request> {
        let is = move |request: &&Request| request.what == what && request.at >= from && request.at < until;
        self.requests.iter().filter(is).filter(|request| request.taken == Taken::Served)
    }

    /// How many requests were taken so.
    #[must_use]
    pub fn count(&self, taken: Taken) -> usize {
        self.requests.iter().filter(|request| request.taken == taken).count()
    }

    /// The requests of this kind in each conversation of a workspace.
    #[must_use]
    pub fn by_talk(&self, workspace: usize, what: &'static str, from: u64, until: u64) -> Vec<u64> {
        let talks = self.requests.iter().filter_map(|request| request.talk).max().unwrap_or_default();
        let mut shares = vec![0; talks / 2 + 1];
        for request in self.served(what, from, until).filter(|request| request.workspace == workspace) {
            if let Some(talk) = request.talk {
                shares[talk / 2] += 1;
            }
        }
        shares
    }
}
