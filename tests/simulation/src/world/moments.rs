//! What happens when: what is to come, what goes wrong at a call, clocks, and workers, who have their
//! deadlines.

use std::cmp::Reverse;

use super::{BEGINNING, Event, HOP_MS, INVOCATION_MS, Role, TICK_MS, Worker, World};
use crate::faults::{Fate, Fault, Point, Storm};

impl World {
    /// Lets something happen then.
    pub fn at(&mut self, at: u64, event: Event) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(event);
        self.order += 1;
        self.events.push(Reverse((at.max(self.now), self.order, slot)));
    }

    /// What happens next; time goes on to then.
    pub fn next(&mut self, not_after: u64) -> Option<Event> {
        let Reverse((at, ..)) = self.events.peek()?;
        if *at > not_after {
            return None;
        }
        let Reverse((at, _, slot)) = self.events.pop()?;
        self.now = at;
        self.free.push(slot);
        self.slots[slot].take()
    }

    /// Whether the only things to come are these.
    pub fn all_to_come(&self, are: impl FnMut(&Event) -> bool) -> bool {
        self.slots.iter().flatten().all(are)
    }

    /// What goes wrong at this call.
    pub fn strikes(&mut self, point: Point) -> Option<Fault> {
        self.may_jump();
        let fated = self.fate.strikes(point, &mut self.chance);
        let fault = self.storm_strikes(point).or(fated);
        if let Some(fault) = fault {
            let who = self.workers.get(self.current).map(|worker| worker.role);
            self.tell(fault as u64, |_| format!("FAULT {fault:?} at {point:?}, by {who:?}"));
        }
        fault
    }

    pub(super) fn storm_strikes(&mut self, point: Point) -> Option<Fault> {
        let role = self.workers.get(self.current).map(|worker| worker.role);
        let at = self.now - BEGINNING;
        let rages = |storm: &&mut Storm| {
            storm.point == point
                && (storm.from..storm.until).contains(&at)
                && storm.most > 0
                && storm.by.is_none_or(|by| role == Some(by))
        };
        let chance = &mut self.chance;
        let storm = self.storms.iter_mut().filter(rages).find(|storm| chance.strikes(storm.per_myriad))?;
        if storm.skip > 0 {
            storm.skip -= 1;
            return None;
        }
        storm.most -= 1;
        self.struck += 1;
        Some(storm.fault)
    }

    fn skew(&mut self) -> i64 {
        let skew = self.manner.skew_ms;
        self.chance.between(0, 2 * skew) as i64 - skew as i64
    }

    /// The present worker's clock is set, forwards or back.
    fn may_jump(&mut self) {
        if self.manner.jumps && self.chance.strikes(500) {
            let skew_ms = self.skew();
            let current = self.current;
            self.workers.get_mut(current).into_iter().for_each(|worker| worker.skew_ms = skew_ms);
        }
    }

    /// How many calls there were so far, in a run of a schedule.
    #[must_use]
    pub fn calls_so_far(&self) -> Option<u32> {
        match &self.fate {
            Fate::Schedule { calls, .. } => Some(*calls),
            _ => None,
        }
    }

    /// At how many calls something could have gone wrong so far, where they are remembered.
    #[must_use]
    pub fn points_so_far(&self) -> usize {
        match if self.peaceful { &self.fate_before } else { &self.fate } {
            Fate::Schedule { points, .. } => points.len(),
            _ => 0,
        }
    }

    /// A wait between these bounds.
    pub fn wait(&mut self, low: u64, high: u64) -> u64 {
        if self.manner.even { (low + high) / 2 } else { self.chance.between(low, high) }
    }

    /// The moment as the present worker's clock shows it.
    #[must_use]
    pub fn shown_time(&self) -> u64 {
        self.shown_time_of_all()
            .saturating_add_signed(self.workers.get(self.current).map_or(0, |worker| worker.skew_ms))
    }

    /// The moment as a clock that is not off shows it.
    #[must_use]
    pub fn shown_time_of_all(&self) -> u64 {
        if self.manner.coarse { self.now / TICK_MS * TICK_MS } else { self.now }
    }

    /// The first moment from then on at which something is handed over: a message, a webhook.
    #[must_use]
    pub fn hop(&self, at: u64) -> u64 {
        if self.manner.coarse { at.next_multiple_of(HOP_MS) } else { at }
    }

    /// The first moment from then on at which a queue's clock ticks.
    #[must_use]
    pub fn tick(&self, at: u64) -> u64 {
        if self.manner.coarse { at.next_multiple_of(TICK_MS) } else { at }
    }

    /// A new worker.
    pub fn hire(&mut self, role: Role) -> usize {
        let mut skew_ms = self.skew();
        if role == Role::Sweeper {
            skew_ms += self.manner.sweeper_ahead_ms as i64;
        }
        let deadline = self.now + INVOCATION_MS;
        self.workers.push(Worker {
            role,
            deadline,
            dead: false,
            claims: Vec::new(),
            skew_ms,
            webhook: None,
            command: None,
        });
        let worker = self.workers.len() - 1;
        self.at(deadline + self.manner.stopped_late_ms, Event::Deadline(worker));
        worker
    }
}
