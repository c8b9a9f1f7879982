//! A conversation as Baton keeps it: one value, stored as one item, changed only by
//! [`super::step::step`].
//!
//! What the bot is told is in `event`, what is to be done in Intercom in `action`, and how far that has
//! come in `outbox`. The stored form is these modules' own form, so their types derive serde. Every field
//! that can be missing has a default: rows written by the version before stay readable.

mod action;
mod event;
mod outbox;

pub use action::{Action, Lane};
pub use event::{Ender, EventKind, PendingEvent, Stretch};
pub use outbox::{Accepted, CommandOutcome, CommandRecord, OutboxEntry, Overtaker, Progress, Weight};

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::agreement::{Agreement, Origin};
use super::burst::Burst;
use super::content::OfferedOption;
use super::exchange::Exchange;
use super::ids::{AdminId, BotId, CommandId, ConversationId, ConversationKey, PartId, Timestamp};
use super::likeness::GivenUp;
use super::part::{Assignee, Profile, Rating, Traits};
use super::rules::Root;
use super::suggestion::{Ruled, Suggestion};
use super::transfer::{Beside, Transfer};

/// Who speaks for the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// The bot: it is assigned to the bot's teammate or to a bot team.
    Bot,
    /// Nobody takes it from the bot's inbox, but a person has spoken: the bot is silent.
    Paused,
    /// People, or nobody yet: it is not the bot's.
    #[default]
    Human,
    /// Closed.
    Closed,
}

impl Control {
    /// The control's name, in the table and wherever people read it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Paused => "paused",
            Self::Human => "human",
            Self::Closed => "closed",
        }
    }
}

/// How far into a conversation something has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Watermark {
    /// Whether the first message (`source`) is included.
    pub source: bool,
    /// The last part that is included.
    pub part: Option<PartId>,
}

impl Watermark {
    /// Whether the part lies at or below the mark.
    #[must_use]
    pub fn covers(&self, part: &PartId) -> bool {
        self.part.as_ref().is_some_and(|mark| part <= mark)
    }

    /// Moves the mark up to the part; never down.
    pub fn raise(&mut self, part: &PartId) {
        if !self.covers(part) {
            self.part = Some(part.clone());
        }
    }
}

/// What the customer was offered to choose from; nothing where something else was said since.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Offered {
    /// The part that offers it, where it is known.
    pub part: Option<PartId>,
    /// The answers.
    pub options: Vec<OfferedOption>,
}

/// How many commands are remembered in the row, at most, with those that are on their way; the others are put aside.
pub const MAX_COMMANDS: usize = 64;
/// How many parts of our own are remembered, at most.
pub const MAX_OWN_PARTS: usize = 64;
/// How many redacted parts are remembered, at most.
pub const MAX_REDACTED: usize = 32;
/// How many offers are remembered, at most.
pub const MAX_OFFERS: usize = 4;
/// How many events may wait for a bot before people get the conversation.
pub const MAX_EVENTS: usize = 200;
/// How many actions may wait for Intercom before further commands are refused.
pub const MAX_OUTBOX: usize = 100;

/// Since when somebody has the conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// Since when.
    pub since: Timestamp,
    /// Who made it so, as teammates are told; empty where nobody in particular did.
    pub by: String,
}

/// The inbox that a conversation was in before it came to the bot's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenFrom {
    /// Which.
    pub inbox: Assignee,
    /// When it left it.
    pub at: Timestamp,
    /// The number of the last event of what happened there.
    pub until: u64,
}

/// What is kept of a conversation that people got because its bot could not be reached, until somebody
/// takes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Relief {
    /// Whether the bot had not taken the first message, nor anything after it.
    pub source: bool,
    /// The first part that it had not taken.
    pub since: Option<PartId>,
}

impl Relief {
    /// Whether the bot had not taken this part, or could not answer it any more.
    #[must_use]
    pub fn covers(&self, part: &PartId) -> bool {
        self.source || self.since.as_ref().is_some_and(|since| part >= since)
    }
}

/// A conversation's whole state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Conversation {
    /// Who speaks for the company.
    pub control: Control,
    /// Counts take-overs and give-backs. What was decided in an older epoch is not sent any more.
    pub epoch: u64,
    /// The bot that serves it, from the first time that it had it.
    pub bot: Option<BotId>,
    /// When the bot first had it. Part of its events' ids, so that a conversation that was
    /// forgotten and comes back does not repeat them.
    pub born: Timestamp,
    /// Whom it is assigned to, as far as seen.
    pub assignee: Option<Assignee>,
    /// Where it was before it came to the bot, and what happened there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_from: Option<TakenFrom>,
    /// What of it Baton has acted on.
    pub seen: Watermark,
    /// How many parts it had when `seen` was set; a jump shows that something was missed.
    pub seen_count: Option<u64>,
    /// What of it the bot knows.
    pub told: Watermark,
    /// The teammate of whom the bot was told in this epoch.
    pub announced: Option<AdminId>,
    /// When the bot resumes by itself.
    pub resume_at: Option<Timestamp>,
    /// People have it because the bot could not be reached, and nobody has taken it since.
    pub relieved: Option<Relief>,
    /// Its assignment back to the bot is on its way, or there and not judged yet.
    pub returning: bool,
    /// The rating of which the bot was told.
    pub rating: Option<Rating>,
    /// Whether it was deleted in Intercom.
    pub deleted: bool,
    /// Customer and conversation, as fetched when the bot last got it.
    pub profile: Profile,
    /// Its tags and attributes, where they were shown or set since. Rules go by them; what bots are told stays what it
    /// was when they got it, so that an event is the same whenever it is delivered.
    #[serde(default, skip_serializing_if = "Traits::is_silent")]
    pub traits: Traits,
    /// The number of the last event.
    pub last_event: u64,
    /// The number of the last event that told of a customer's message.
    pub last_message: u64,
    /// Events that the bot has not taken yet, in order.
    pub events: VecDeque<PendingEvent>,
    /// What the customer writes in a row, of which the bot is told when it is complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst: Option<Box<Burst>>,
    /// The number of the last outbox entry.
    pub last_out: u64,
    /// Actions that are not settled yet, in order.
    pub outbox: VecDeque<OutboxEntry>,
    /// Recent commands, oldest first.
    pub commands: VecDeque<CommandRecord>,
    /// Whether there were more of them: those are put aside.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_more_commands: bool,
    /// Recent parts that are known to be our own, oldest first.
    pub own_parts: VecDeque<PartId>,
    /// A part of our own that says something only where it is shown: it may have emptied a teammate's seat. It is
    /// missed where more is shown without it, although it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unshown: Option<PartId>,
    /// Attempts that were given up and may still arrive, oldest first.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub given_up: VecDeque<GivenUp>,
    /// Recent parts whose deletion the bot was told of.
    pub redacted: VecDeque<PartId>,
    /// What was offered recently, oldest first.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub offers: VecDeque<Offered>,
    /// It is not in the bot's inbox: the bot watches it where it is, or is being assigned to it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub away: bool,
    /// The last root node with an external name that the bot's dialog came by: what the customer
    /// wants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<Root>,
    /// The root node for which a teammate gave the conversation to the bot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted: Option<String>,
    /// What the bot's last answer was ruled to be left to: a teammate's decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<Suggestion>,
    /// Since when whoever has the conversation has it. Only told, never decided by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stand: Option<Stand>,
    /// The node of the bot's last answer, while it shows whether that stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<Origin>,
    /// How the bot's suggestions and answers met with the teammates, oldest first. Only told.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub agreements: VecDeque<Agreement>,
    /// What became of the bot's last answers by the rules, oldest first.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub ruled: VecDeque<Ruled>,
    /// The to and fro, by which machines that answer machines are noticed.
    pub exchange: Exchange,
    /// The chat at the bot platform that this is the relaying of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Box<Transfer>>,
    /// Nothing is kept here: what Intercom calls by this name is kept in that row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<ConversationId>,
}

impl Conversation {
    /// In which inbox it was when that happened which an event tells of; where it is now, where none is named.
    #[must_use]
    pub fn inbox_at(&self, event: Option<u64>) -> &Assignee {
        let before = self.taken_from.as_ref().filter(|from| event.is_some_and(|event| event <= from.until));
        before.map(|from| &from.inbox).or(self.assignee.as_ref()).unwrap_or(&Assignee::Nobody)
    }

    /// Whether anything has ever been seen of it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        !self.seen.source && self.seen.part.is_none() && self.seen_count.is_none()
    }

    /// What Intercom calls it, where it is known there.
    #[must_use]
    pub fn in_intercom<'a>(&'a self, key: &'a ConversationKey) -> Option<&'a ConversationId> {
        match &self.transfer {
            Some(transfer) => transfer.conversation.as_ref(),
            None => Some(&key.conversation_id),
        }
    }

    /// The next row that is to lead here and does not yet.
    #[must_use]
    pub fn link_due(&self) -> Option<ConversationId> {
        self.transfer.as_ref().and_then(|transfer| transfer.link_due())
    }

    /// The record of a command, if it is remembered.
    #[must_use]
    pub fn command(&self, id: &CommandId) -> Option<&CommandRecord> {
        self.commands.iter().find(|record| record.id == *id)
    }

    /// Remembers a command. Where that is too much, what is settled longest goes; a command whose result is still to be
    /// told never does, and no more of those can wait than actions can.
    pub fn remember_command(&mut self, record: CommandRecord) {
        self.commands.push_back(record);
        while self.commands.len() > MAX_COMMANDS {
            let is_settled = |record: &CommandRecord| record.outcome != CommandOutcome::Accepted;
            let Some(position) = self.commands.iter().position(is_settled) else { return };
            self.commands.remove(position);
            self.has_more_commands = true;
        }
    }

    /// The last part that is known, other people's or our own.
    #[must_use]
    pub fn last_known_part(&self) -> Option<PartId> {
        self.own_parts.iter().chain(&self.seen.part).max().cloned()
    }

    /// How many parts of our own are known, from their confirmation on, and not seen yet. Not what is to be looked at when
    /// it is shown, nor what does not count by `counts`.
    #[must_use]
    pub fn own_unseen(&self, counts: impl Fn(&PartId) -> bool) -> u64 {
        let is_known = |own: &&PartId| !self.seen.covers(own) && self.unshown.as_ref() != Some(*own) && counts(own);
        self.own_parts.iter().filter(is_known).count() as u64
    }

    /// Leaves the conversation that a chat has in Intercom. What the bot is still to be told of it stays told of it, and
    /// what is said in it later is passed on from where it was seen.
    pub fn leave(&mut self) {
        let Some(transfer) = &mut self.transfer else { return };
        let Some(left) = transfer.conversation.take() else { return };
        for event in self.events.iter_mut().filter(|event| event.of.is_none()) {
            event.of = Some(left.clone());
        }
        let own = self.own_parts.iter().filter(|part| !self.seen.covers(part)).cloned().collect();
        let (seen, count) = (self.seen.clone(), self.seen_count);
        transfer.know_how_far(Beside { conversation: left, seen, count, own, of_another: false });
    }

    /// How many events wait for the bot; each message of a turn counts as one.
    #[must_use]
    pub fn backlog(&self) -> usize {
        let of_events = self.events.iter().map(|event| match &event.kind {
            EventKind::Message { earlier, .. } => 1 + earlier.len(),
            _ => 1,
        });
        of_events.sum::<usize>() + self.burst.as_ref().map_or(0, |burst| burst.messages.len())
    }

    /// The next moment at which something is due without anybody writing: a timer, a claim that
    /// may be stale, a doubt that may be settled, an event that may be tried again, messages in a row
    /// that are complete.
    #[must_use]
    pub fn due_at(&self) -> Option<Timestamp> {
        let outbox = self.outbox.front().map(|entry| match &entry.progress {
            Progress::Pending { not_before } => *not_before,
            Progress::Claimed { until, .. } => *until,
            Progress::Unknown { settle_at, .. } => *settle_at,
        });
        let event = self.events.front().map(|event| event.due_at);
        let burst = self.burst.as_ref().map(|burst| burst.due_at);
        [outbox, event, burst, self.resume_at].into_iter().flatten().min()
    }
}

/// Pushes onto a bounded memory; the oldest goes.
pub(crate) fn remember<T>(memory: &mut VecDeque<T>, value: T, max: usize) {
    memory.push_back(value);
    while memory.len() > max {
        memory.pop_front();
    }
}
