//! SQS FIFO queues as their guarantees describe them: groups in order, one at a time; visibility;
//! deduplication within five minutes; receive counts; a dead-letter queue and its redrive.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::rc::Rc;

/// How long the same deduplication id counts as the same message, in milliseconds.
const DEDUPLICATION_MS: u64 = 300_000;
/// How long a dead letter is hidden from others while somebody has it in the hand, in milliseconds.
const HAND_MS: u64 = 60_000;
/// How many messages an event source mapping hands over at once.
pub const BATCH: usize = 10;

/// A message on a queue.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its number, which is also its id.
    pub number: u64,
    /// Its group.
    pub group: Rc<str>,
    /// What it says.
    pub body: Rc<str>,
    /// Who sent it, as SQS attests.
    pub sender: &'static str,
    /// What its sender wrote beside it: who had sent it before, and the replay that put it back.
    pub beside: [Rc<str>; 2],
    /// How often it was received.
    pub received: u32,
    /// Hidden until then.
    pub hidden_until: u64,
    /// By which it can be hidden and deleted, until it is received again.
    pub receipt: u64,
}

/// Something that was put on a queue.
#[derive(Debug, Clone)]
struct Known {
    put_at: u64,
    /// The event that it answers, where it is a command.
    answers: Option<Box<str>>,
}

/// The event that a command answers: it is in the command's id.
fn answered_by(body: &str) -> Option<Box<str>> {
    let id = body.split(r#""id":"evt_"#).nth(1)?.split('"').next()?;
    id.rsplit_once('/').map(|(event, _)| event.into())
}

/// A queue and its dead-letter queue.
#[derive(Debug, Default)]
pub struct Queue {
    groups: BTreeMap<Rc<str>, VecDeque<Message>>,
    known: HashMap<(Rc<str>, String), Known>,
    /// Messages that were received too often, or parked, in order.
    pub dead: VecDeque<Message>,
    /// What dead letters say that lay there while what was behind them in their group was handled: SQS
    /// lets it go ahead of them.
    pub overtaken: Vec<Rc<str>>,
    /// What letters that were ever dead say: what comes after them does not wait for them.
    pub died: Vec<Rc<str>>,
    /// How often a message is received before it is dead.
    pub most_receives: u32,
    /// How long a received message is hidden, in milliseconds.
    pub visibility_ms: u64,
    /// When the mapping looks next, if it is to, and which look that is.
    pub pump_at: Option<(u64, u64)>,
    /// The time between two ticks of its clock, in milliseconds.
    pub tick_ms: u64,
}

impl Queue {
    /// An empty queue, as the template has them, with a clock that ticks so.
    #[must_use]
    pub fn ticking(tick_ms: u64) -> Self {
        Self { most_receives: 100, visibility_ms: 180_000, tick_ms, ..Self::default() }
    }

    /// Whether a message under this id was put in the last five minutes; from now on it was.
    pub fn is_known(&mut self, group: &Rc<str>, id: String, body: &str, now: u64) -> bool {
        let now = now / self.tick_ms * self.tick_ms;
        if self.known.len() > 256 {
            self.known.retain(|_, known| known.put_at + DEDUPLICATION_MS > now);
        }
        let name = (Rc::clone(group), id);
        if self.known.get(&name).is_some_and(|known| known.put_at + DEDUPLICATION_MS > now) {
            return true;
        }
        self.known.insert(name, Known { put_at: now, answers: answered_by(body) });
        false
    }

    /// The ids under which something was put in the last five minutes: with the groups, the moments, and for
    /// a command the event that it answers.
    pub fn ids(&self, now: u64) -> impl Iterator<Item = (&Rc<str>, &str, u64, Option<&str>)> {
        let now = now / self.tick_ms * self.tick_ms;
        let ids =
            self.known.iter().map(|((group, id), known)| (group, id.as_str(), known.put_at, known.answers.as_deref()));
        ids.filter(move |(_, _, put_at, _)| put_at + DEDUPLICATION_MS > now)
    }

    /// Its messages, group by group.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.groups.values().flatten()
    }

    /// Puts a message at its group's end.
    pub fn push(&mut self, message: Message) {
        self.groups.entry(Rc::clone(&message.group)).or_default().push_back(message);
    }

    /// Up to ten messages of groups of which none is hidden, each group's in order.
    pub fn receive(&mut self, now: u64, receipts: &mut u64) -> Vec<Message> {
        let mut batch = Vec::new();
        for messages in self.groups.values_mut() {
            if batch.len() == BATCH || messages.iter().any(|message| message.hidden_until > now) {
                continue;
            }
            while messages.front().is_some_and(|first| first.received >= self.most_receives) {
                let dead = messages.pop_front();
                self.died.extend(dead.iter().map(|message| Rc::clone(&message.body)));
                self.dead.extend(dead.map(|message| Message { hidden_until: 0, receipt: 0, ..message }));
            }
            for message in messages.iter_mut().take(BATCH - batch.len()) {
                if message.received >= self.most_receives {
                    break; // its turn to die comes when it is the first
                }
                *receipts += 1;
                message.received += 1;
                message.receipt = *receipts;
                message.hidden_until = (now + self.visibility_ms).next_multiple_of(self.tick_ms);
                batch.push(message.clone());
            }
        }
        self.groups.retain(|_, messages| !messages.is_empty());
        batch
    }

    /// When the next hidden message becomes visible.
    #[must_use]
    pub fn next_visible(&self) -> Option<u64> {
        let of_group = |messages: &VecDeque<Message>| messages.iter().map(|message| message.hidden_until).max();
        self.groups.values().filter_map(of_group).min()
    }

    /// Deletes what was received under this receipt.
    pub fn delete(&mut self, group: &str, receipt: u64) {
        let handled = self.find(receipt).map(|message| message.number);
        let lay_there = |dead: &&Message| *dead.group == *group && handled.is_some_and(|number| dead.number < number);
        self.overtaken.extend(self.dead.iter().filter(lay_there).map(|dead| Rc::clone(&dead.body)));
        if let Some(messages) = self.groups.get_mut(group) {
            messages.retain(|message| message.receipt != receipt);
            if messages.is_empty() {
                self.groups.remove(group);
            }
        }
    }

    /// Hides what was received under this receipt.
    pub fn hide(&mut self, receipt: u64, until: u64) {
        let mut all = self.groups.values_mut().flatten();
        if let Some(message) = all.find(|message| message.receipt == receipt) {
            message.hidden_until = until;
        }
    }

    /// A message that is on the queue, by its receipt.
    #[must_use]
    pub fn find(&self, receipt: u64) -> Option<&Message> {
        self.groups.values().flatten().find(|message| message.receipt == receipt)
    }

    /// Up to ten dead letters of groups of which nobody has one in the hand, each group's in order;
    /// with the last first where that is asked for.
    pub fn take_dead(&mut self, now: u64, receipts: &mut u64, reversed: bool) -> Vec<Message> {
        let held = |message: &&Message| message.hidden_until > now;
        let blocked: Vec<Rc<str>> = self.dead.iter().filter(held).map(|message| Rc::clone(&message.group)).collect();
        let mut places: Vec<usize> = (0..self.dead.len()).collect();
        if reversed {
            places.reverse();
        }
        places.retain(|place| !blocked.contains(&self.dead[*place].group));
        let mut taken = Vec::new();
        for place in places.into_iter().take(BATCH) {
            *receipts += 1;
            let message = &mut self.dead[place];
            (message.receipt, message.hidden_until) = (*receipts, now + HAND_MS);
            taken.push(message.clone());
        }
        taken
    }

    /// Deletes the dead letter that was taken under this receipt, or lets it go.
    pub fn end_dead(&mut self, receipt: u64, is_deleted: bool) {
        if is_deleted {
            self.dead.retain(|message| message.receipt != receipt);
        } else if let Some(message) = self.dead.iter_mut().find(|message| message.receipt == receipt) {
            message.hidden_until = 0;
        }
    }

    /// How many messages there are, the dead left out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.values().map(VecDeque::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}
