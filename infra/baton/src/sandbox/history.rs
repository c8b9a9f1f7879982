//! What conversations were before their latest changes, for reads that are to be stale.
//!
//! Nothing is kept unless somebody ordered such a fault (`faults`), and only from then on. Old
//! states are put in the place of the present ones for as long as one read takes, so that no
//! operation knows about them. Contacts and all else are read as they are.

use std::collections::{BTreeMap, VecDeque};

use super::model::Conversation;
use super::workspace::Workspace;

/// How many old states a workspace keeps; reads that would need older ones are less stale.
const STATES_KEPT: usize = 2_000;

/// The old states of a workspace's conversations.
#[derive(Debug, Default)]
pub(crate) struct History {
    on: bool,
    now_ms: u64,
    /// Everything that happens under one lock is one change.
    turn: u64,
    past: VecDeque<Past>,
}

/// A conversation as it was until a moment.
#[derive(Debug)]
struct Past {
    until_ms: u64,
    turn: u64,
    id: u64,
    /// None when it did not exist.
    conversation: Option<Conversation>,
}

/// The present states, while older ones are in their place.
#[derive(Debug)]
#[must_use = "the present has to be put back"]
pub(crate) struct Present(Vec<(u64, Option<Conversation>)>);

impl History {
    /// Begins another change, at that moment. What was kept is dropped when nobody needs it.
    pub(crate) fn next_turn(&mut self, on: bool, now_ms: u64) {
        self.turn += 1;
        self.now_ms = now_ms;
        if self.on && !on {
            self.past.clear();
        }
        self.on = on;
    }

    /// Keeps a conversation as it is before a change; its first state in a turn counts.
    pub(crate) fn keep(&mut self, id: u64, before: Option<&Conversation>) {
        if !self.on || self.past.iter().rev().take_while(|past| past.turn == self.turn).any(|past| past.id == id) {
            return;
        }
        if self.past.len() == STATES_KEPT {
            self.past.pop_front();
        }
        let past = Past { until_ms: self.now_ms, turn: self.turn, id, conversation: before.cloned() };
        self.past.push_back(past);
    }

    /// What was different at a moment: of each conversation the oldest state that outlived it.
    fn at(&self, moment_ms: u64) -> BTreeMap<u64, Option<Conversation>> {
        let mut states = BTreeMap::new();
        for past in self.past.iter().filter(|past| past.until_ms >= moment_ms) {
            states.entry(past.id).or_insert_with(|| past.conversation.clone());
        }
        states
    }
}

impl Workspace {
    /// Puts the conversations back to a moment (Unix milliseconds).
    pub(crate) fn go_back_to(&mut self, moment_ms: u64) -> Present {
        let states = self.history.at(moment_ms);
        Present(states.into_iter().map(|(id, state)| (id, self.put(id, state))).collect())
    }

    pub(crate) fn return_to(&mut self, present: Present) {
        for (id, state) in present.0 {
            self.put(id, state);
        }
    }

    fn put(&mut self, id: u64, state: Option<Conversation>) -> Option<Conversation> {
        match state {
            Some(conversation) => self.conversations.insert(id, conversation),
            None => self.conversations.remove(&id),
        }
    }
}
