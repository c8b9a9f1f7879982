//! One state of the world: the row, Intercom, what is under way between them, the workers, the bot.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use shared::domain::conversation::Conversation;

use crate::intercom::{Happening, Request, To, What, Who};
use crate::time;

/// The conversation's row. Its hash is taken over its stored form, so no field can be forgotten; but
/// since when somebody has it is only told, and would only part what is the same.
#[derive(Debug, Clone)]
pub struct Row {
    conversation: Arc<Conversation>,
    digest: u64,
}

impl Row {
    /// Stores a conversation.
    #[must_use]
    pub fn new(mut conversation: Conversation) -> Self {
        conversation.stand = None;
        let mut hasher = DefaultHasher::new();
        serde_json::to_vec(&conversation).unwrap().hash(&mut hasher);
        Self { conversation: Arc::new(conversation), digest: hasher.finish() }
    }
}

impl std::ops::Deref for Row {
    type Target = Conversation;
    fn deref(&self) -> &Conversation {
        &self.conversation
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.conversation, &other.conversation)
            || (self.digest == other.digest && self.conversation == other.conversation)
    }
}

impl Eq for Row {}

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

/// What the bot asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ask {
    /// To say something.
    Reply,
    /// To hand over to the default.
    HandOver,
    /// To close with a last word.
    Close,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// Carried out.
    Done,
    /// Refused.
    Rejected,
    /// Too late.
    Superseded,
}

/// A command of the bot's, with what the model knows of it whatever the product thinks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Asked {
    /// What for.
    pub ask: Ask,
    /// The epoch of the event that it answers; 0 once it is recorded in the row.
    pub epoch: u64,
    /// Whether it is recorded in the row.
    pub recorded: bool,
    /// Whether a person's taking over was saved in the row after the bot had decided it.
    pub overtaken: bool,
    /// How many parts came of it; 2 stands for more.
    pub parts: u8,
    /// How the bot was told it ended.
    pub end: Option<End>,
}

/// What the router is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Router {
    /// Nothing.
    Idle,
    /// It has fetched the conversation, with so many parts.
    Fetched {
        /// Why.
        why: Why,
        /// How many.
        count: u8,
    },
}

/// Why the router fetched the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// A notification left a question.
    Notified(u8),
    /// The search had found more than is known.
    Found,
    /// A paused bot's time has come.
    Due,
}

/// What a sending worker is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hand {
    /// Nothing.
    Idle,
    /// It has claimed an entry; its request may be on the way.
    Claimed {
        /// The entry.
        seq: u64,
        /// The request.
        request: Request,
        /// Whether it has read that the conversation is not so already.
        looked: bool,
    },
    /// It has an answer and has not recorded it.
    Answered {
        /// The entry.
        seq: u64,
        /// The answer.
        answer: Said,
    },
    /// It has read the conversation back.
    ReadBack {
        /// The entry.
        seq: u64,
        /// How many parts it saw.
        count: u8,
    },
}

/// What Intercom answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Said {
    /// Done, and what our newest part is; none where nothing had to be done.
    Done(Option<u8>),
    /// 429.
    Limited,
    /// A 4xx.
    Refused,
    /// Nothing that tells.
    Nothing,
}

/// A request whose worker has given it up, and which may still arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limbo {
    /// The request.
    pub request: Request,
    /// How many ticks may begin before it has arrived or is lost.
    pub ticks: u8,
}

/// What may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Left {
    /// Messages of the customer's.
    pub customer: u8,
    /// Deeds of people and workflows.
    pub people: u8,
    /// Times that a person gives the conversation to the bot.
    pub give_back: u8,
    /// Hand-overs by the bot.
    pub hand_overs: u8,
    /// Closes by the bot.
    pub closes: u8,
    /// Faults: of the network, of Intercom, of workers.
    pub faults: u8,
    /// Events that the bot does not take.
    pub refusals: u8,
}

/// A rule that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A send was begun after a person's taking over had been saved.
    SpokeOverAPerson,
    /// One command made two parts.
    SaidTwice,
    /// A later command's part came before an earlier one's.
    SaidOutOfOrder,
    /// The bot was told an end that is not true.
    FalseReport,
    /// A command had two ends.
    EndedTwice,
    /// The bot was told one message twice.
    ToldTwice,
    /// The bot was told a later message first.
    ToldOutOfOrder,
    /// The epoch went back, or the bot's turn changed without a new one.
    Epoch,
    /// A decision on the whole conversation asked for the whole conversation.
    FetchedForNothing,
}

/// One state of the world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// What Baton knows.
    pub row: Row,
    /// What happened in Intercom.
    pub parts: Vec<Happening>,
    /// Notifications on their way: a bit for each part.
    pub notifications: u32,
    /// `conversation-router`.
    pub router: Router,
    /// Whether `bot-dispatch` has given the first event and not recorded it.
    pub given: bool,
    /// What the bot answered to the first event, if it had it already: commands from, to.
    pub heard: Option<(u8, u8)>,
    /// Commands in `replies.fifo`.
    pub replies: Vec<u8>,
    /// Commands in `close.fifo`.
    pub closes: Vec<u8>,
    /// `bot-reply` and `close-conversation`.
    pub hands: [Hand; 2],
    /// Whether the hand's queue has the command at its head in work.
    pub in_work: [bool; 2],
    /// Requests that nobody waits for any more.
    pub limbo: Vec<Limbo>,
    /// What the bot asked for.
    pub commands: Vec<Asked>,
    /// Which of the customer's messages the bot was told: bit 0 is the first, then a bit a part.
    pub told: u32,
    /// What may still happen.
    pub left: Left,
    /// The rule that was broken on the way here.
    pub broken: Option<Broken>,
}

impl World {
    /// The customer has written, and a workflow assigns the conversation to the bot's team.
    #[must_use]
    pub fn begin(left: Left) -> Self {
        let assigned = Happening { who: Who::Workflow, what: What::Assigned(To::BotTeam), command: None };
        Self {
            row: Row::new(Conversation::default()),
            parts: vec![assigned],
            notifications: 1,
            router: Router::Idle,
            given: false,
            heard: None,
            replies: Vec::new(),
            closes: Vec::new(),
            hands: [Hand::Idle; 2],
            in_work: [false; 2],
            limbo: Vec::new(),
            commands: Vec::new(),
            told: 0,
            left,
            broken: None,
        }
    }

    /// Something happens in Intercom, and a notification of it sets out.
    pub fn happen(&mut self, happening: Happening) {
        self.notifications |= 1 << self.parts.len();
        self.parts.push(happening);
        let Some(command) = happening.command.filter(|_| matches!(happening.what, What::Said | What::Closed)) else {
            return;
        };
        let place = usize::from(command);
        let is_reply = self.commands[place].ask == Ask::Reply;
        if is_reply && self.commands[place + 1..].iter().any(|later| later.ask == Ask::Reply && later.parts > 0) {
            self.breaks(Broken::SaidOutOfOrder);
        }
        let asked = &mut self.commands[place];
        asked.parts = (asked.parts + 1).min(2);
        let (twice, denied) = (asked.parts == 2, matches!(asked.end, Some(End::Superseded | End::Rejected)));
        if twice {
            self.breaks(Broken::SaidTwice);
        }
        if denied {
            self.breaks(Broken::FalseReport);
        }
    }

    /// A rule is broken; the first counts.
    pub fn breaks(&mut self, rule: Broken) {
        self.broken.get_or_insert(rule);
    }

    /// The queue of a hand: 0 for replies, 1 for closes.
    pub fn queue(&mut self, hand: usize) -> &mut Vec<u8> {
        if hand == 0 { &mut self.replies } else { &mut self.closes }
    }

    /// A tick passes.
    pub fn pass(&mut self) {
        let mut row = (*self.row).clone();
        time::pass(&mut row);
        self.row = Row::new(row);
        for limbo in &mut self.limbo {
            limbo.ticks -= 1;
        }
    }

    /// Numbers that are only compared are counted anew from what is still there: events, entries
    /// and epochs. So states differ by what can happen in them, not by how long ago they began.
    pub fn renumber(&mut self) {
        if self.is_numbered() {
            return;
        }
        let mut row = (*self.row).clone();
        for (number, event) in (1..).zip(&mut row.events) {
            event.seq = number;
        }
        row.last_event = row.events.len() as u64;
        let seqs: Vec<u64> = row.outbox.iter().map(|entry| entry.seq).collect();
        for (number, entry) in (1..).zip(&mut row.outbox) {
            entry.seq = number;
        }
        row.last_out = row.outbox.len() as u64;
        for hand in &mut self.hands {
            let (Hand::Claimed { seq, .. } | Hand::Answered { seq, .. } | Hand::ReadBack { seq, .. }) = hand else {
                continue;
            };
            *seq = seqs.iter().position(|known| known == seq).map_or(0, |place| place as u64 + 1);
        }
        let epochs = self.epochs();
        let rank = |epoch: &mut u64| *epoch = epochs.iter().position(|known| known == epoch).unwrap_or_default() as u64;
        rank(&mut row.epoch);
        row.events.iter_mut().for_each(|event| rank(&mut event.epoch));
        row.outbox.iter_mut().for_each(|entry| rank(&mut entry.epoch));
        self.commands.iter_mut().filter(|asked| !asked.recorded).for_each(|asked| rank(&mut asked.epoch));
        self.row = Row::new(row);
    }

    fn is_numbered(&self) -> bool {
        let row = &self.row;
        let in_order = |seqs: &mut dyn Iterator<Item = u64>| (1..).zip(seqs).all(|(number, seq)| number == seq);
        let mut epochs = self.epochs();
        row.last_event == row.events.len() as u64
            && row.last_out == row.outbox.len() as u64
            && in_order(&mut row.events.iter().map(|event| event.seq))
            && in_order(&mut row.outbox.iter().map(|entry| entry.seq))
            && self.hands.iter().all(|hand| match hand {
                Hand::Idle => true,
                Hand::Claimed { seq, .. } | Hand::Answered { seq, .. } | Hand::ReadBack { seq, .. } => {
                    *seq <= row.last_out
                }
            })
            && epochs.drain(..).enumerate().all(|(number, epoch)| number as u64 == epoch)
    }

    /// The epochs that are still spoken of, in order.
    fn epochs(&self) -> Vec<u64> {
        let mut epochs: Vec<u64> = vec![self.row.epoch];
        epochs.extend(self.row.events.iter().map(|event| event.epoch));
        epochs.extend(self.row.outbox.iter().map(|entry| entry.epoch));
        epochs.extend(self.commands.iter().filter(|asked| !asked.recorded).map(|asked| asked.epoch));
        epochs.sort_unstable();
        epochs.dedup();
        epochs
    }
}
