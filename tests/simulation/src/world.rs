//! The world: its time, what is about to happen, and everything in it. One thread, no real time;
//! whatever happens follows from the seed.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet, VecDeque};
use std::rc::Rc;

use shared::domain::conversation::{Action, CommandRecord, Conversation};
use shared::domain::ids::{AppId, CommandId, ConversationKey};
use shared::ports::{Bookmark, InboxRow};
use shared::wire::bot::CommandMessage;

use crate::bot::{Memory, Style};
use crate::chance::Chance;
use crate::check::Births;
use crate::faults::{Fate, Storm};
use crate::intercom::{Deed, Made, Talk, Webhook, Who};
use crate::limits::Limits;
use crate::mutants::Mutant;
use crate::queue::Queue;

mod bots;
mod chats;
mod course;
mod moments;
mod queues;
mod sameness;
mod table;
mod webhooks;

pub use chats::kept;
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
    Applies(Party, Action, Option<Made>),
    /// A bot reads its own queue.
    BotReads(Party),
    /// A bot posts a command, or puts it on a queue.
    BotGives(Party, Box<CommandMessage>),
    /// Something happens in a chat of a bot platform's.
    Step(usize, crate::relay::chat::Step),
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
    /// Every command so far is given once more, by a request.
    GiveAgain,
}

/// Whom a bot has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// A conversation of Intercom's.
    Talk(usize),
    /// A chat of its own.
    Chat(usize),
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
    pub command: Option<(Party, Box<CommandMessage>)>,
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
    /// Whether they jump while they are looked at.
    pub jumps: bool,
    /// How far the sweep's clock is ahead of all others, in milliseconds.
    pub sweeper_ahead_ms: u64,
    /// Whether the sweep runs.
    pub sweeps: bool,
    /// How old an answer of Intercom's may be, in milliseconds.
    pub stale_ms: u64,
    /// How late a request may be applied, in milliseconds.
    pub late_ms: u64,
    /// How late it is at least.
    pub least_late_ms: u64,
    /// Whether it may be later than doubts settle, so that something can be in Intercom twice.
    pub outlasts: bool,
    /// How late a webhook may come, in milliseconds.
    pub delay_ms: u64,
    /// How the first workspace's bot answers; the second's uses queues.
    pub style: Style,
    /// How late after its deadline a worker is stopped, in milliseconds.
    pub stopped_late_ms: u64,
    /// How many parts of a conversation Intercom shows, at most: the newest.
    pub most_parts: usize,
    /// Whether webhooks and commands are remembered, to be repeated.
    pub remembers: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            even: true,
            coarse: false,
            skew_ms: 0,
            jumps: false,
            sweeper_ahead_ms: 0,
            sweeps: true,
            stale_ms: 5_000,
            late_ms: 15_000,
            least_late_ms: 0,
            outlasts: false,
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
    /// Commands that rows did not remember any more.
    pub aside: BTreeMap<(ConversationKey, CommandId), CommandRecord>,
    /// How far each workspace was searched.
    pub bookmarks: BTreeMap<AppId, Bookmark>,
    /// When each was searched: when the present search began, and when the last one that came to its end did.
    pub searched: BTreeMap<AppId, (u64, u64)>,
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
    /// What teammates were offered, by conversation.
    pub offers: BTreeMap<usize, crate::ruled::offers::Offers>,
    /// The chats of bot platforms.
    pub chats: Vec<crate::relay::chat::Chat>,
    /// Whom Intercom knows of them, by workspace and identity.
    contacts: BTreeMap<(usize, String), shared::domain::ids::ContactId>,
    seats: BTreeMap<ConversationKey, usize>,
    /// What the operator has set.
    pub setting: crate::product::Setting,
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
    /// Commands so far, where they are.
    given: Vec<(usize, CommandMessage)>,
    /// When it was noticed that something came late.
    pub noticed: Vec<u64>,
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
    /// Answers that were kept for teammates to decide on, or only tried out.
    pub offers: u64,
    /// Those of them that were said to be sent.
    pub sent: u64,
    /// Events that told a bot of several messages.
    pub turns: u64,
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
            aside: BTreeMap::new(),
            bookmarks: BTreeMap::new(),
            searched: BTreeMap::new(),
            inbox_rows: Vec::new(),
            healths: BTreeMap::new(),
            returns: 0,
            life: 0,
            talks: Vec::new(),
            births: BTreeMap::new(),
            offers: BTreeMap::new(),
            chats: Vec::new(),
            contacts: BTreeMap::new(),
            seats: BTreeMap::new(),
            setting: crate::product::Setting::default(),
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
            given: Vec::new(),
            noticed: Vec::new(),
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
}

fn cut(text: &str) -> &str {
    text.get(..220).unwrap_or(text)
}
