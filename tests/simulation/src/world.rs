//! The world: its time, what is about to happen, and everything in it. One thread, no real time;
//! whatever happens follows from the seed.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet, VecDeque};
use std::fmt::Write as _;
use std::rc::Rc;

use shared::domain::conversation::{Action, Control, Conversation, EventKind};
use shared::domain::ids::{AppId, ConversationKey, PartId, Timestamp};
use shared::lambda::batch::{BatchAnswer, Beside, SqsBatch, SqsRecord};
use shared::ports::{Bookmark, InboxRow};
use shared::wire::bot::{CommandMessage, EventMessage};
use shared::wire::passed_on;
use shared::wire::queue::{InboxMessage, News, VERSION};

use crate::bot::{self, Issued, Memory, Style};
use crate::chance::Chance;
use crate::check::{self, Births};
use crate::faults::{Fate, Fault, Point, Storm};
use crate::intercom::{Deed, Made, Said, Talk, Webhook, Who};
use crate::limits::Limits;
use crate::mutants::Mutant;
use crate::queue::{Message, Queue};

mod sameness;

pub use sameness::Digest;

/// A moment far from 0, in milliseconds.
pub const BEGINNING: u64 = 1_768_040_000_000;
/// How long an invocation may take, in milliseconds.
pub const INVOCATION_MS: u64 = 30_000;

/// How far two ticks of a coarse clock are apart, in milliseconds.
const TICK_MS: u64 = 1_000;

/// How far the moments at which something is handed over are apart in a coarse world, in milliseconds.
const HOP_MS: u64 = 100;

/// A message that nobody can read.
pub const POISON: &str = "{";

/// The queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueueName {
    /// Towards the router.
    Inbox,
    /// Towards the dispatcher.
    BotEvents,
    /// Towards the replier.
    Replies,
    /// Towards the closer.
    Close,
}

/// All of them.
pub const QUEUES: [QueueName; 4] = [QueueName::Inbox, QueueName::BotEvents, QueueName::Replies, QueueName::Close];

/// Who a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `webhook-ingress`.
    Edge,
    /// The function behind a queue.
    Behind(QueueName),
    /// `bot-ingress`.
    BotEdge,
    /// `reconcile`.
    Sweeper,
    /// Who puts dead letters back.
    Operator,
}

impl Role {
    /// The sender that SQS attests for it.
    #[must_use]
    pub fn sender(self) -> &'static str {
        match self {
            Self::Edge => "AROAEDGE",
            Self::BotEdge => "AROABOTEDGE",
            Self::Behind(_) => "AROAWORKER",
            Self::Sweeper => "AROASWEEPER",
            Self::Operator => "AROAOPERATOR",
        }
    }
}

/// Something that is about to happen.
#[derive(Debug)]
pub enum Event {
    /// A worker goes on.
    Poll(usize),
    /// A worker is stopped by the platform.
    Deadline(usize),
    /// The mapping of a queue looks for messages.
    Pump(QueueName, u64),
    /// Somebody acts in Intercom.
    Act(usize, Who, Deed),
    /// A webhook is delivered.
    Deliver(Webhook),
    /// A request that nobody waits for any more is applied.
    Applies(usize, Action, Option<Made>),
    /// A bot reads its own queue.
    BotReads(usize),
    /// A bot posts a command, or puts it on a queue.
    BotGives(usize, Box<CommandMessage>),
    /// The minute's sweep.
    Sweep,
    /// An operator looks at the dead letters.
    Redrive,
    /// From here on nothing goes wrong any more.
    Peace,
    /// The bot is unreachable until then.
    BotDown(u64),
    /// All workers behind queues fail until then.
    WorkersDown(u64),
    /// Those that carry out what bots ask fail until then.
    RepliersDown(u64),
    /// Every row is lost.
    Wipe,
    /// A message that nobody can read is on the inbox.
    Poison,
    /// The first conversation cannot be fetched, and so many messages ask for it.
    Stuck(u32),
    /// A conversation's row goes, as rows do that were kept long enough.
    Expire(usize),
    /// The webhooks that are held back are let go, newest first.
    Release,
    /// Every webhook so far is delivered once more.
    Repeat,
}

/// What is known of a worker.
#[derive(Debug)]
pub struct Worker {
    /// Who it is.
    pub role: Role,
    /// When it is stopped.
    pub deadline: u64,
    /// Whether it died.
    pub dead: bool,
    /// The entries that it claimed and has not let go.
    pub claims: Vec<(ConversationKey, u64, String)>,
    /// By how much its clock is off.
    pub skew_ms: i64,
    /// The webhook that it receives.
    pub webhook: Option<Webhook>,
    /// The command that it takes from a bot.
    pub command: Option<(usize, Box<CommandMessage>)>,
}

/// How a run is set up.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Whether waits are of fixed length.
    pub even: bool,
    /// Whether the product's and the queues' clocks tick in seconds, messages and webhooks are handed over in
    /// steps, and nothing is left to chance: so what differs in milliseconds alone is soon the same.
    pub coarse: bool,
    /// How far clocks are off, in milliseconds.
    pub skew_ms: u64,
    /// Whether the sweep runs.
    pub sweeps: bool,
    /// How old an answer of Intercom's may be, in milliseconds.
    pub stale_ms: u64,
    /// How late a request may be applied, in milliseconds.
    pub late_ms: u64,
    /// How late a webhook may come, in milliseconds.
    pub delay_ms: u64,
    /// How the first workspace's bot answers; the second's uses queues.
    pub style: Style,
    /// How late after its deadline a worker is stopped, in milliseconds.
    pub stopped_late_ms: u64,
    /// How many parts of a conversation Intercom shows, at most: the newest.
    pub most_parts: usize,
    /// Whether webhooks are remembered, to be repeated.
    pub remembers: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            even: true,
            coarse: false,
            skew_ms: 0,
            sweeps: true,
            stale_ms: 5_000,
            late_ms: 15_000,
            delay_ms: 120_000,
            style: Style::Same,
            stopped_late_ms: 0,
            most_parts: 500,
            remembers: false,
        }
    }
}

/// A row of the table.
#[derive(Debug, Default, Clone)]
pub struct Row {
    /// Its version.
    pub version: u64,
    /// Its state.
    pub state: Conversation,
}

/// Everything.
#[derive(Debug)]
pub struct World {
    /// Milliseconds since the epoch.
    pub now: u64,
    order: u64,
    events: BinaryHeap<Reverse<(u64, u64, usize)>>,
    slots: Vec<Option<Event>>,
    free: Vec<usize>,
    /// Where chance comes from.
    pub chance: Chance,
    /// Who decides what goes wrong.
    pub fate: Fate,
    /// How the run is set up.
    pub manner: Manner,
    /// The mutant that is on, of those that live in the ports.
    pub mutant: Option<Mutant>,
    /// The workers so far.
    pub workers: Vec<Worker>,
    /// The one that runs.
    pub current: usize,
    queues: [Queue; 4],
    receipts: u64,
    /// The table.
    pub rows: BTreeMap<ConversationKey, Row>,
    /// How far each workspace was searched.
    pub bookmarks: BTreeMap<AppId, Bookmark>,
    /// What the inbox did not take.
    pub inbox_rows: Vec<InboxRow>,
    /// How the bots do.
    pub healths: BTreeMap<shared::domain::ids::BotId, shared::domain::health::Health>,
    /// How often a bot got back what people had only because it could not be reached.
    pub returns: u32,
    /// How often all rows were lost.
    pub life: u32,
    /// The conversations.
    pub talks: Vec<Talk>,
    births: BTreeMap<(usize, u32), Births>,
    parts: [u64; 2],
    /// What bots know, by conversation.
    pub memories: Vec<Memory>,
    /// The bots' own queues, by conversation.
    pub bot_queues: Vec<VecDeque<Rc<str>>>,
    deliveries: BTreeMap<String, usize>,
    bot_down_until: u64,
    /// The conversation that Intercom does not show.
    pub sick: Option<usize>,
    /// After how many tries messages were parked.
    pub parked: Vec<u32>,
    /// Until when all workers fail.
    pub workers_down_until: u64,
    /// Until when those fail that carry out what bots ask.
    pub repliers_down_until: u64,
    /// What was found to be wrong.
    pub wrong: Vec<String>,
    /// The run in words, where it is wanted.
    pub log: Option<Vec<String>>,
    /// The run as a number.
    pub hash: u64,
    /// How many requests Intercom got that change something.
    pub posts: u64,
    /// How many webhooks are on their way.
    pub webhooks: u64,
    /// How many claims were made.
    pub claims: u64,
    /// Whether nothing goes wrong any more.
    pub peaceful: bool,
    /// Who decided before the peace.
    pub fate_before: Fate,
    /// Intercom's rate limits, where the run is about them.
    pub limits: Option<Limits>,
    /// What goes wrong beside, while it lasts.
    pub storms: Vec<Storm>,
    /// How often storms struck.
    pub struck: u64,
    /// Webhooks that are held back.
    held: Vec<Webhook>,
    /// Notifications that are on the inbox or in a row, or were.
    durable: HashSet<String>,
    places: BTreeMap<ConversationKey, usize>,
    /// Webhooks so far, where they are remembered.
    past: Vec<Webhook>,
    /// What was counted.
    pub tally: Tally,
    /// The machine that answers in the customers' name.
    pub machine: Option<crate::machines::Machine>,
}

/// What a run counts, for the figures that are promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Requests that read a conversation from Intercom, in order to tell what became of a doubtful
    /// send, or what was missed.
    pub gets: u64,
    /// Replies of bots that are in Intercom.
    pub replies: u64,
    /// Events that told a bot of its own words.
    pub echoes: u64,
    /// Messages that were kept in a row because the inbox could not be reached.
    pub kept: u64,
    /// Calls to Intercom that were refused for the token.
    pub denied: u64,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new(0, Fate::Fair, Manner::default()));
}

/// Looks at the world, or changes it.
pub fn with<R>(look: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with_borrow_mut(look)
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64, fate: Fate, manner: Manner) -> Self {
        let tick_ms = if manner.coarse { TICK_MS } else { 1 };
        let queue = || Queue::ticking(tick_ms);
        Self {
            now: BEGINNING,
            order: 0,
            events: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            chance: Chance::of(seed),
            fate,
            manner,
            mutant: None,
            workers: Vec::new(),
            current: 0,
            queues: [queue(), queue(), queue(), queue()],
            receipts: 0,
            rows: BTreeMap::new(),
            bookmarks: BTreeMap::new(),
            inbox_rows: Vec::new(),
            healths: BTreeMap::new(),
            returns: 0,
            life: 0,
            talks: Vec::new(),
            births: BTreeMap::new(),
            parts: [1_000, 1_000],
            memories: Vec::new(),
            bot_queues: Vec::new(),
            deliveries: BTreeMap::new(),
            bot_down_until: 0,
            sick: None,
            parked: Vec::new(),
            workers_down_until: 0,
            repliers_down_until: 0,
            wrong: Vec::new(),
            log: None,
            hash: seed,
            posts: 0,
            webhooks: 0,
            claims: 0,
            peaceful: false,
            fate_before: Fate::Fair,
            storms: Vec::new(),
            struck: 0,
            durable: HashSet::new(),
            places: BTreeMap::new(),
            held: Vec::new(),
            past: Vec::new(),
            tally: Tally::default(),
            limits: None,
            machine: None,
        }
    }

    /// Remembers what happens: as a number always, in words where they are wanted.
    pub fn tell(&mut self, what: u64, words: impl FnOnce(&Self) -> String) {
        self.hash = (self.hash.rotate_left(5) ^ what ^ self.now).wrapping_mul(0x517c_c1b7_2722_0a95);
        if self.log.is_some() {
            let at = self.now - BEGINNING;
            let line = format!("{:>7}.{:03}  {}", at / 1_000, at % 1_000, words(self));
            self.log.as_mut().into_iter().for_each(|log| log.push(line.clone()));
        }
    }

    /// Something is wrong.
    pub fn accuse(&mut self, what: String) {
        self.tell(1, |_| format!("VIOLATION {what}"));
        self.wrong.push(what);
    }

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
        let fated = self.fate.strikes(point, &mut self.chance);
        let fault = self.storm_strikes(point).or(fated);
        if let Some(fault) = fault {
            let who = self.workers.get(self.current).map(|worker| worker.role);
            self.tell(fault as u64, |_| format!("FAULT {fault:?} at {point:?}, by {who:?}"));
        }
        fault
    }

    fn storm_strikes(&mut self, point: Point) -> Option<Fault> {
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

    /// The conversation of this key.
    #[must_use]
    pub fn talk(&self, key: &ConversationKey) -> Option<usize> {
        self.places.get(key).copied()
    }

    /// A new conversation.
    pub fn add(&mut self, key: ConversationKey) {
        self.places.insert(key.clone(), self.talks.len());
        self.talks.push(Talk::new(key, ""));
        self.memories.push(Memory::default());
        self.bot_queues.push(VecDeque::new());
    }

    /// A notification lies where it cannot be lost.
    pub fn is_kept(&mut self, notification_id: &str) {
        self.durable.insert(notification_id.to_owned());
    }

    /// Whether it does.
    #[must_use]
    pub fn is_durable(&self, notification_id: &str) -> bool {
        self.durable.contains(notification_id)
    }

    /// A new worker.
    pub fn hire(&mut self, role: Role) -> usize {
        let skew = self.manner.skew_ms;
        let skew_ms = self.chance.between(0, 2 * skew) as i64 - skew as i64;
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

    // ── queues ──────────────────────────────────────────────────────────────────────────────────

    /// A queue.
    pub fn queue(&mut self, name: QueueName) -> &mut Queue {
        &mut self.queues[name as usize]
    }

    /// Puts a message on a queue, unless it is there under the same id.
    pub fn put(&mut self, name: QueueName, group: &str, id: String, body: String, sender: &'static str) {
        self.put_beside(name, group, id, body, sender, Default::default());
    }

    /// Puts a message with what its sender writes beside it.
    pub fn put_beside(
        &mut self,
        name: QueueName,
        group: &str,
        id: String,
        body: String,
        sender: &'static str,
        beside: [Rc<str>; 2],
    ) {
        let group: Rc<str> =
            if self.mutant == Some(Mutant::NoMessageGroups) { id.as_str().into() } else { group.into() };
        let (id, body) = self
            .mutant
            .map_or_else(|| (id.clone(), body.clone()), |mutant| mutant.spoils_message(id.clone(), body.clone()));
        let now = self.now;
        if name == QueueName::Inbox {
            self.is_kept(&id);
        }
        if self.queue(name).is_known(&group, id, &body, now) {
            self.tell(2, |_| format!("{name:?}: {group} has it already"));
            return;
        }
        self.receipts += 1;
        let number = self.receipts;
        self.tell(bot::hash(&body), |_| format!("{name:?} gets for {group}: {}", cut(&body)));
        let body = body.into();
        let message = Message { number, group, body, sender, beside, received: 0, hidden_until: 0, receipt: 0 };
        self.queue(name).push(message);
        self.pump_soon(name);
    }

    fn pump_soon(&mut self, name: QueueName) {
        let at = self.now + self.wait(5, 60);
        self.pump_at(name, at);
    }

    /// Lets a queue's mapping look then, if it would not look sooner.
    fn pump_at(&mut self, name: QueueName, at: u64) {
        let at = self.hop(at.max(self.now + 1));
        let queue = self.queue(name);
        if queue.pump_at.is_none_or(|(known, _)| known > at) {
            self.receipts += 1;
            let look = self.receipts;
            self.queue(name).pump_at = Some((at, look));
            self.at(at, Event::Pump(name, look));
        }
    }

    /// The mapping looks: a batch, where there is one.
    pub fn receive(&mut self, name: QueueName, look: u64) -> Option<SqsBatch> {
        let now = self.now;
        let queue = &mut self.queues[name as usize];
        if queue.pump_at != Some((now, look)) {
            return None; // it looks sooner, or has looked
        }
        queue.pump_at = None;
        let messages = queue.receive(now, &mut self.receipts);
        self.look_again(name);
        if messages.is_empty() {
            return None;
        }
        let numbers: Vec<u64> = messages.iter().map(|message| message.number).collect();
        self.tell(numbers[0], |_| format!("{name:?} hands over {numbers:?}"));
        let record = |message: &Message| SqsRecord {
            message_id: message.number.to_string(),
            receipt_handle: message.receipt.to_string(),
            body: message.body.to_string(),
            attributes: [
                ("MessageGroupId", message.group.to_string()),
                ("SenderId", message.sender.to_owned()),
                ("ApproximateReceiveCount", message.received.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
            message_attributes: [passed_on::SENDERS, passed_on::REPLAY]
                .into_iter()
                .zip(&message.beside)
                .map(|(name, text)| (name.to_owned(), Beside { string_value: Some(text.to_string()) }))
                .collect(),
        };
        Some(SqsBatch { records: messages.iter().map(record).collect() })
    }

    fn look_again(&mut self, name: QueueName) {
        if let Some(at) = self.queue(name).next_visible() {
            self.pump_at(name, at);
        }
    }

    /// An invocation ended with this answer: what it handled is deleted.
    pub fn finish(&mut self, name: QueueName, batch: &SqsBatch, answer: &BatchAnswer) {
        let fault = self.strikes(Point::Finish);
        if fault == Some(Fault::DiesBefore) {
            return;
        }
        let everything = self.mutant == Some(Mutant::FailuresAcknowledged);
        let mut given_again = fault == Some(Fault::GivenAgain);
        for record in &batch.records {
            let failed = answer.batch_item_failures.iter().any(|failure| failure.item_identifier == record.message_id);
            if (!failed || everything) && !std::mem::take(&mut given_again) {
                let receipt = record.receipt_handle.parse().unwrap_or(0);
                self.queue(name).delete(record.group(), receipt);
            }
        }
        let failed = answer.batch_item_failures.len();
        self.tell(failed as u64, |_| format!("{name:?} is done with {}, {failed} failed", batch.records.len()));
        if fault.is_none() && failed == 0 {
            self.nothing_is_held();
        }
        self.pump_soon(name);
        self.look_again(name);
    }

    /// A worker that came to its end well holds nothing any more.
    fn nothing_is_held(&mut self) {
        let claims = std::mem::take(&mut self.workers[self.current].claims);
        for (key, seq, claim) in claims {
            let holds = |row: &Row| {
                row.state.outbox.iter().any(|entry| {
                    matches!(&entry.progress, shared::domain::conversation::Progress::Claimed { claim: holder, .. } if holder.as_str() == claim)
                })
            };
            if self.rows.get(&key).is_some_and(holds) {
                self.accuse(format!("a worker is done, and still holds entry {seq} of {key}"));
            }
        }
    }

    /// Whether an operator has anything to put back, who looks again in a while once all is at peace.
    pub fn is_anything_dead(&mut self) -> bool {
        if self.peaceful {
            self.at(self.now + 1_200_000, Event::Redrive);
        }
        let dead: usize = self.queues.iter().map(|queue| queue.dead.len()).sum();
        if dead > 0 {
            self.tell(dead as u64, |_| format!("an operator puts {dead} dead letters back"));
        }
        dead > 0
    }

    /// Whether the worker behind this queue cannot start.
    #[must_use]
    pub fn is_down(&self, name: QueueName) -> bool {
        let carries_out = matches!(name, QueueName::Replies | QueueName::Close);
        self.now < self.workers_down_until || (carries_out && self.now < self.repliers_down_until)
    }

    /// Dead letters that nobody has in the hand.
    pub fn take_dead(&mut self, name: QueueName) -> Vec<Message> {
        let reversed = self.mutant == Some(Mutant::DeadLettersReversed);
        self.queues[name as usize].take_dead(self.now, &mut self.receipts, reversed)
    }

    // ── the table ───────────────────────────────────────────────────────────────────────────────

    /// Writes a row if it still has this version; the new version.
    pub fn save(&mut self, key: &ConversationKey, state: &Conversation, version: u64) -> Option<u64> {
        let before = self.rows.get(key).cloned().unwrap_or_default();
        let blind = self.mutant == Some(Mutant::NoCompareAndSwap);
        if before.version != version && !blind {
            self.tell(3, |_| format!("row {key}: conflict, {version} is {} now", before.version));
            return None;
        }
        let next = before.version + 1;
        self.tell(next ^ state.epoch << 32, |_| format!("row {key}: {}", describe(next, state)));
        self.note_claims(key, &before.state, state);
        if let Some(talk) = self.talk(key) {
            let births = self.births.entry((talk, self.life)).or_default();
            let mut wrong = Vec::new();
            check::row(&self.talks[talk], &self.memories[talk], &before.state, state, births, &mut wrong);
            wrong.into_iter().for_each(|what| self.accuse(format!("{key}: {what}")));
            // What the bot took while people had it, or may have taken, is told again at its return.
            let waits = before.state.events.iter().any(|event| matches!(event.kind, EventKind::Message { .. }));
            let relief = before.state.relieved.as_ref().filter(|_| state.control == Control::Bot && !waits);
            if let Some(relief) = relief {
                self.returns += 1;
                self.memories[talk].forget(|part| {
                    part == 0 && relief.source
                        || part > 0 && PartId::parse(part.to_string()).is_ok_and(|part| relief.covers(&part))
                });
            }
        } else {
            self.accuse(format!("a row for {key}, which does not exist"));
        }
        if next % 8 == 0 && !self.manner.coarse {
            let stored = serde_json::to_string(state).unwrap_or_default();
            if stored.len() > check::MAX_ROW_BYTES {
                self.accuse(format!("row {key} has {} bytes", stored.len()));
            }
            if serde_json::from_str::<Conversation>(&stored).ok().as_ref() != Some(state) {
                self.accuse(format!("row {key} does not come back as it was stored"));
            }
        }
        let mut state = state.clone();
        if let Some(mutant) = self.mutant {
            mutant.spoils_row(&before.state, &mut state);
        }
        self.rows.insert(key.clone(), Row { version: next, state });
        Some(next)
    }

    fn note_claims(&mut self, key: &ConversationKey, before: &Conversation, after: &Conversation) {
        use shared::domain::conversation::Progress;
        for entry in &after.outbox {
            if let Progress::Claimed { claim, .. } = &entry.progress
                && !before.outbox.iter().any(|other| other.progress == entry.progress)
                && let Some(worker) = self.workers.get_mut(self.current)
            {
                worker.claims.push((key.clone(), entry.seq, claim.to_string()));
            }
        }
    }

    // ── Intercom ────────────────────────────────────────────────────────────────────────────────

    /// Which entry the present worker carries out, as the table shows it.
    #[must_use]
    pub fn made_by(&self, talk: usize, action: &Action) -> Option<Made> {
        let key = &self.talks[talk].key;
        let claims = self.workers.get(self.current).map_or(&[][..], |worker| &worker.claims);
        let seq = claims.iter().rev().find(|(held, ..)| held == key).map(|(_, seq, _)| *seq);
        let outbox = &self.rows.get(key)?.state.outbox;
        let entry = outbox.iter().find(|entry| Some(entry.seq) == seq);
        let entry = entry.or_else(|| outbox.iter().find(|entry| entry.action == *action));
        let command = entry.and_then(|entry| entry.command.as_ref()).map(|id| Rc::from(id.as_str()));
        Some(Made { life: self.life, seq: seq.or(entry.map(|entry| entry.seq))?, command })
    }

    /// Somebody acts in Intercom; the number of the part that was made.
    pub fn happens(&mut self, talk: usize, who: Who, deed: &Deed, made: Option<Made>) -> Option<u64> {
        let workspace = usize::from(self.talks[talk].key.app_id.as_str() != "abc123");
        let id = self.parts[workspace] + 1;
        let now = self.now;
        self.tally.replies += u64::from(who == Who::Bot && matches!(deed, Deed::Say(_)));
        let topics = self.talks[talk].happens(who, deed, id, now, made)?;
        let changed = matches!(deed, Deed::Redact | Deed::RedactFirst | Deed::Delete);
        if !changed {
            self.parts[workspace] = id;
        }
        self.tell(id, |world| {
            format!(
                "Intercom {}: {who:?} {deed:?}{}",
                world.talks[talk].key,
                if changed { String::new() } else { format!(", part {id}") }
            )
        });
        for topic in topics {
            self.notify(talk, topic);
        }
        self.machine_hears(talk, who, deed);
        (!changed).then_some(id)
    }

    /// A webhook is sent, with whatever goes wrong on its way.
    pub fn notify(&mut self, talk: usize, topic: &'static str) {
        self.receipts += 1;
        let id = self.receipts;
        let body: Rc<str> = self.talks[talk].notification(topic, id).into();
        let webhook = Webhook { talk, body, id, attempts: 0 };
        if self.manner.remembers {
            self.past.push(webhook.clone());
        }
        let wait = self.wait(50, 900);
        let fault = self.strikes(Point::Deliver);
        match fault {
            Some(Fault::Dropped) => self.talks[talk].missed = true,
            Some(Fault::Held) => self.held.push(webhook),
            Some(Fault::Copies) => {
                let delay = self.manner.delay_ms;
                for copy in 0..self.chance.between(1, 4) {
                    let again = self.wait(1_000, delay);
                    let other = webhook.body.replace(&format!("notif_{id}\""), &format!("notif_{id}x{copy}\""));
                    let body = if copy % 2 == 0 { Rc::clone(&webhook.body) } else { other.into() };
                    self.send(again, Webhook { body, ..webhook.clone() });
                }
                self.send(wait, webhook);
            }
            Some(Fault::Delayed) => {
                let delay = self.manner.delay_ms;
                let wait = self.wait(1_000, delay);
                self.send(wait, webhook);
            }
            Some(Fault::Twice) => {
                let delay = self.manner.delay_ms;
                let again = self.wait(1_000, delay);
                self.send(again, webhook.clone());
                self.send(wait, webhook);
            }
            _ => self.send(wait, webhook),
        }
    }

    /// What is held back goes out, newest first.
    fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        for (position, webhook) in held.into_iter().rev().enumerate() {
            self.send(10 * position as u64, webhook);
        }
    }

    /// All that was ever notified is notified again.
    fn repeat(&mut self) {
        for (position, webhook) in self.past.clone().into_iter().enumerate() {
            self.send(20 * position as u64, webhook);
        }
    }

    fn send(&mut self, wait: u64, webhook: Webhook) {
        self.webhooks += 1;
        let at = self.hop(self.now + wait);
        self.at(at, Event::Deliver(webhook));
    }

    /// A webhook was answered, or was not: Intercom tries once more after a minute.
    pub fn answered(&mut self, mut webhook: Webhook, ok: bool) {
        self.webhooks -= 1;
        webhook.attempts += 1;
        if ok {
            return;
        }
        if webhook.attempts < 2 {
            self.tell(webhook.id, |_| format!("webhook {} failed, and is sent again in a minute", webhook.id));
            self.send(60_000, webhook);
        } else {
            self.talks[webhook.talk].missed = true;
        }
    }

    // ── bots ────────────────────────────────────────────────────────────────────────────────────

    /// Whether the bot can be reached.
    #[must_use]
    pub fn is_bot_up(&self) -> bool {
        self.now >= self.bot_down_until
    }

    /// The bot cannot be reached until then.
    pub fn bot_goes_down(&mut self, until: u64) {
        self.tell(until, |_| "the bots are down".to_owned());
        self.bot_down_until = until;
    }

    /// A bot gets an event; what it answers at once.
    pub fn bot_takes(&mut self, body: &str, style: Style) -> Vec<CommandMessage> {
        let Ok(event) = serde_json::from_str::<EventMessage>(body) else {
            self.accuse(format!("an event that cannot be read: {body}"));
            return Vec::new();
        };
        let talk = event.conversation.key().ok().and_then(|key| self.talk(&key));
        let Some(talk) = talk else {
            self.accuse(format!("an event of a conversation that does not exist: {body}"));
            return Vec::new();
        };
        let serves = if self.talks[talk].key.app_id.as_str() == "abc123" { "one" } else { "two" };
        if event.bot != serves {
            self.accuse(format!("an event for {serves} went to {}", event.bot));
        }
        let mut wrong = Vec::new();
        self.is_answered_already(talk, &event);
        self.is_no_echo(talk, &event);
        let new = self.memories[talk].take(&event, &mut wrong);
        if new {
            self.memories[talk].note_time(&event, self.now);
        }
        self.tell(bot::hash(body), |_| {
            format!(
                "bot {} takes{} {}: {}",
                event.bot,
                if new { "" } else { " again" },
                event.id,
                cut(&serde_json::to_string(&event.event).unwrap_or_default())
            )
        });
        wrong.into_iter().for_each(|what| self.accuse(format!("bot: {what}")));
        let delivery = self.deliveries.entry(event.id.clone()).or_insert(0);
        let alters = style == Style::Other;
        let wishes = bot::wishes(&event, *delivery, alters);
        *delivery += 1;
        let own_ids = matches!(style, Style::Posts | Style::Queues);
        let mut commands = Vec::new();
        for (position, (kind, json)) in wishes.into_iter().enumerate() {
            let command = bot::command(&event, position, own_ids, &json);
            let id: Rc<str> = command.id.clone().unwrap_or_default().into();
            let memory = &mut self.memories[talk].issued;
            let issued = memory.entry(id).or_insert(Issued {
                epoch: event.epoch,
                seq: event.seq,
                kind,
                results: Vec::new(),
                altered: false,
                odd: json.contains("[]"),
            });
            issued.altered |= alters && !new;
            commands.push(command);
        }
        if !own_ids {
            return commands;
        }
        if new {
            let mut wait = 0;
            for command in commands {
                wait += self.wait(100, 2_000); // in order
                if self.chance.strikes(2_000) && !self.manner.even {
                    let again = wait + self.wait(100, 400_000);
                    self.at(self.now + again, Event::BotGives(talk, Box::new(command.clone())));
                }
                self.at(self.now + wait, Event::BotGives(talk, Box::new(command)));
            }
        }
        Vec::new()
    }

    /// What was answered before a row was lost is not asked again.
    fn is_answered_already(&mut self, talk: usize, event: &EventMessage) {
        let shared::wire::bot::Event::Message { message, .. } = &event.event else { return };
        let memory = &self.memories[talk];
        let part: u64 = message.part_id.as_ref().and_then(|id| id.parse().ok()).unwrap_or(0);
        let again = memory.known.contains(&part) && !memory.events.contains_key(&event.id);
        // What the bot says in this life answers what it was told in this life.
        let answers = |said: &&Said| {
            let before = said.made.as_ref().is_some_and(|made| made.life < self.life);
            before && said.id > part && said.who == Who::Bot && said.is_seen()
        };
        if again && let Some(answer) = self.talks[talk].parts.iter().find(answers).map(|said| said.id) {
            self.accuse(format!("message {part}, which part {answer} answered, is told again: {}", event.id));
        }
    }

    /// A bot is told of customers' words, and of people's as said meanwhile; never of its own.
    fn is_no_echo(&mut self, talk: usize, event: &EventMessage) {
        use shared::wire::bot::Event;
        let author = |id: Option<&String>| {
            let id: u64 = id.and_then(|id| id.parse().ok())?;
            self.talks[talk].parts.iter().find(|part| part.id == id).map(|part| part.who)
        };
        let echoes = match &event.event {
            Event::Message { message, .. } => author(message.part_id.as_ref()).is_some_and(|who| who != Who::Customer),
            Event::Resumed { stretch, .. } => {
                stretch.iter().any(|message| author(message.part_id.as_ref()) == Some(Who::Bot))
            }
            _ => false,
        };
        if echoes {
            self.tally.echoes += 1;
            self.accuse(format!("an echo: {} tells the bot of what no customer said", event.id));
        }
    }

    /// A bot's own queue has an event for it.
    pub fn for_the_bot(&mut self, talk: usize, body: Rc<str>) {
        self.bot_queues[talk].push_back(body);
        let wait = self.wait(20, 400);
        self.at(self.now + wait, Event::BotReads(talk));
    }

    /// A bot that uses queues puts its command there itself; whether it did.
    pub fn puts_itself(&mut self, talk: usize, command: &CommandMessage) -> bool {
        let (key, group) = (&self.talks[talk].key, Rc::clone(&self.talks[talk].group));
        if key.app_id.as_str() == "abc123" {
            return false;
        }
        let body = serde_json::to_string(command).unwrap_or_default();
        let id = format!("{}{}", command.id.clone().unwrap_or_default(), self.now); // SQS does not help
        self.put(QueueName::Replies, &group, id, body, "AROABOT");
        true
    }

    // ── the course of a run ─────────────────────────────────────────────────────────────────────

    /// Every workspace is to be searched from the beginning.
    pub fn search_anew(&mut self) {
        let first = Bookmark { since: Timestamp(BEGINNING), began: Timestamp(BEGINNING), page: None };
        for app_id in crate::product::WORKSPACES {
            self.bookmarks.insert(AppId::parse(app_id).unwrap(), first.clone());
        }
    }

    /// The customer writes for the first time.
    pub fn begins(&mut self, talk: usize) {
        self.tell(7, |world| {
            format!("Intercom {}: the customer begins: {}", world.talks[talk].key, world.talks[talk].first)
        });
        self.talks[talk].updated_at = self.now;
        self.notify(talk, "conversation.user.created");
    }

    /// The present worker came to its end.
    pub fn ended_well(&mut self) {
        let worker = &mut self.workers[self.current];
        (worker.webhook, worker.command) = (None, None);
    }

    /// A worker was lost: whoever called it notices.
    pub fn lost(&mut self, worker: usize, how: &str) {
        let role = self.workers[worker].role;
        self.tell(worker as u64, |_| format!("{role:?} {how}"));
        if let Some(webhook) = self.workers[worker].webhook.take() {
            self.answered(webhook, false);
        }
        if let Some((talk, command)) = self.workers[worker].command.take() {
            self.at(self.now + 5_000, Event::BotGives(talk, command));
        }
        if let Role::Behind(name) = role {
            self.look_again(name);
        }
    }

    /// Whether the sweep has anything to find.
    #[must_use]
    pub fn is_something_due(&self) -> bool {
        let latest = self.now + self.manner.skew_ms;
        !self.inbox_rows.is_empty() || self.rows.values().any(|row| row.state.due_at().is_some_and(|at| at.0 <= latest))
    }

    /// Whether a search has anything to find.
    #[must_use]
    pub fn is_something_to_find(&self) -> bool {
        let reach = 180_000 + crate::ports::LAG_MS + self.manner.skew_ms;
        self.talks.iter().any(|talk| {
            self.bookmarks
                .get(&talk.key.app_id)
                .is_none_or(|mark| mark.page.is_some() || talk.updated_second() + reach >= mark.since.0)
        })
    }

    /// Whether what webhooks never told of is still to be found.
    fn is_something_unfound(&self) -> bool {
        let late = crate::ports::LAG_MS + self.manner.skew_ms;
        self.talks.iter().any(|talk| {
            talk.missed
                && self.bookmarks.get(&talk.key.app_id).is_none_or(|mark| talk.updated_second() + late >= mark.since.0)
        })
    }

    /// Whether nothing that goes wrong is to come: all is quiet, or nobody acts any more in a run of
    /// a schedule, which ends as soon as it can.
    #[must_use]
    pub fn may_end(&self) -> bool {
        self.peaceful || (self.manner.even && !self.is_something_to_act())
    }

    fn is_something_to_act(&self) -> bool {
        !self.all_to_come(|event| {
            !matches!(
                event,
                Event::Act(..)
                    | Event::Wipe
                    | Event::WorkersDown(_)
                    | Event::RepliersDown(_)
                    | Event::BotDown(_)
                    | Event::Expire(_)
                    | Event::Release
                    | Event::Repeat
            )
        })
    }

    /// Whether nothing is on its way or waits.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        let idle = |event: &Event| {
            matches!(event, Event::Sweep | Event::Redrive | Event::Peace | Event::Deadline(_) | Event::Pump(..))
        };
        !self.is_something_unfound()
            && self.queues.iter().all(|queue| queue.is_empty() && queue.dead.is_empty())
            && self.inbox_rows.is_empty()
            && self.rows.values().all(|row| row.state.due_at().is_none())
            && self.all_to_come(idle)
    }

    /// What happens without a worker of ours.
    pub fn plain(&mut self, event: Event) {
        match event {
            Event::Act(talk, who, deed) => {
                self.happens(talk, who, &deed, None);
            }
            Event::BotReads(talk) => {
                if !self.is_bot_up() {
                    self.at(self.now + 30_000, Event::BotReads(talk));
                } else if let Some(body) = self.bot_queues[talk].pop_front() {
                    self.bot_takes(&body, Style::Queues);
                }
            }
            Event::BotDown(until) => self.bot_goes_down(until),
            Event::WorkersDown(until) => {
                self.tell(until, |_| "all workers are down".to_owned());
                self.workers_down_until = until;
            }
            Event::Poison => self.floods(1, POISON.into()),
            Event::Stuck(count) => {
                self.sick = Some(0);
                let key = &self.talks[0].key;
                let (app_id, conversation_id) = (key.app_id.to_string(), key.conversation_id.to_string());
                let doorbell = InboxMessage { v: VERSION, app_id, conversation_id, news: News::Doorbell };
                self.floods(count, serde_json::to_string(&doorbell).unwrap_or_default().into());
            }
            Event::RepliersDown(until) => {
                self.tell(until, |_| "the workers that carry out commands are down".to_owned());
                self.repliers_down_until = until;
            }
            Event::Wipe => {
                self.tell(8, |_| "every row is lost".to_owned());
                self.rows.clear();
                self.inbox_rows.clear();
                self.life += 1;
                // A search from the beginning rebuilds them.
                self.search_anew();
                self.talks.iter_mut().for_each(|talk| talk.missed = true);
            }
            Event::Expire(talk) => {
                self.tell(9, |_| format!("the row of conversation {talk} goes"));
                let key = self.talks[talk].key.clone();
                self.rows.remove(&key);
                self.life += 1;
            }
            Event::Release => self.release(),
            Event::Repeat => self.repeat(),
            Event::Peace => self.peace(),
            Event::Poll(_)
            | Event::Deadline(_)
            | Event::Pump(..)
            | Event::Deliver(_)
            | Event::Applies(..)
            | Event::BotGives(..)
            | Event::Redrive
            | Event::Sweep => {}
        }
    }

    /// So many messages are on the inbox, in the first conversation's group.
    fn floods(&mut self, count: u32, body: Rc<str>) {
        self.tell(u64::from(count), |_| format!("{count} times on the inbox: {}", cut(&body)));
        for _ in 0..count {
            self.receipts += 1;
            let message = Message {
                number: self.receipts,
                group: Rc::clone(&self.talks[0].group),
                body: Rc::clone(&body),
                sender: Role::Edge.sender(),
                beside: Default::default(),
                received: 0,
                hidden_until: 0,
                receipt: 0,
            };
            self.queue(QueueName::Inbox).push(message);
        }
        self.pump_soon(QueueName::Inbox);
    }

    /// From here on nothing goes wrong; what webhooks never told of is found by the search.
    fn peace(&mut self) {
        self.tell(5, |_| "nothing goes wrong any more".to_owned());
        self.fate_before = std::mem::replace(&mut self.fate, Fate::Fair);
        self.peaceful = true;
        self.sick = None;
        self.storms.clear();
        self.at(self.now + 1_200_000, Event::Redrive);
    }

    /// An action was refused for good.
    pub fn refuse(&mut self, talk: usize, made: &Made) {
        if let Some(command) = &made.command {
            self.memories[talk].refused.insert(Rc::clone(command));
        }
    }
}

fn cut(text: &str) -> &str {
    text.get(..220).unwrap_or(text)
}

/// A row in one line.
fn describe(version: u64, state: &Conversation) -> String {
    let mut text = format!(
        "version {version}, {}, epoch {}, seen {:?}",
        state.control.as_str(),
        state.epoch,
        state.seen.part.as_ref().map(|part| part.as_str())
    );
    // Writing to a text cannot fail.
    for entry in &state.outbox {
        let progress = serde_json::to_value(&entry.progress).unwrap_or_default();
        let _ = write!(
            text,
            ", {} {} {}",
            entry.action.as_str(),
            entry.seq,
            progress.get("state").and_then(|state| state.as_str()).unwrap_or_default()
        );
    }
    for event in &state.events {
        let _ = write!(text, ", tells {} {}", event.kind.as_str(), event.seq);
    }
    text
}
