//! A conversation as Baton keeps it: one value, stored as one item, changed only by
//! [`super::step::step`].
//!
//! The stored form is this module's own form, so these types derive serde. Every field that can be
//! missing has a default: rows written by the version before stay readable.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::agreement::{Agreement, Origin};
use super::burst::Burst;
use super::content::{Attachment, Message, Offer, OfferedOption};
use super::exchange::Exchange;
use super::ids::{
    AdminId, BotId, ClaimId, CommandId, ContactId, ConversationId, ConversationKey, PartId, TeamId, Timestamp,
};
use super::part::{Assignee, Profile, Rating};
use super::rules::Root;
use super::suggestion::{Ruled, Suggestion};
use super::transfer::{Agent, Availability, Contact, Customer, File, Outcome, Patience, Transfer};

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

/// What the bot missed while people had the conversation.
pub type Stretch = Vec<Message>;

/// Something that the bot is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum EventKind {
    /// The customer wrote.
    Message {
        /// What.
        message: Message,
        /// What was written right before it and belongs to the same turn, oldest first.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier: Vec<Message>,
    },
    /// A message that the bot was told of has been deleted.
    MessageRedacted {
        /// Which.
        part_id: PartId,
    },
    /// It waits for people: handed over, or taken from the bot, to a team or to nobody.
    HandoverWaiting {
        /// The team, or none for Unassigned.
        #[serde(default)]
        team: Option<TeamId>,
    },
    /// A person has it, or has spoken in it.
    AgentJoined {
        /// Who.
        teammate: AdminId,
        /// By which name.
        #[serde(default)]
        name: Option<String>,
    },
    /// The bot has it again.
    Resumed {
        /// What was said since it last heard, oldest first, without what follows as `message`.
        stretch: Stretch,
    },
    /// It was closed.
    Closed {
        /// Whether the bot's own command closed it.
        by_bot: bool,
    },
    /// The customer rated it.
    Rated {
        /// How.
        rating: Rating,
    },
    /// A command was carried out.
    CommandDone {
        /// Which.
        command_id: CommandId,
        /// The part that it made, where it made one.
        #[serde(default)]
        part_id: Option<PartId>,
    },
    /// Fresh addresses of a message's files, for the command that asked for them.
    Attachments {
        /// Which command; it is done.
        command_id: CommandId,
        /// Of which part, or of the first message.
        #[serde(default)]
        part_id: Option<PartId>,
        /// The files, as Intercom shows them now.
        attachments: Vec<Attachment>,
    },
    /// What was said, told once more, for the command that asked for it.
    Replayed {
        /// Which command; it is done.
        command_id: CommandId,
        /// What was said, oldest first.
        messages: Vec<Message>,
        /// From which part on it goes on, where it was too much.
        #[serde(default)]
        next: Option<PartId>,
    },
    /// A command was refused, by Baton or by Intercom. It will not be tried again.
    CommandRejected {
        /// Which.
        command_id: CommandId,
        /// Why, for programs.
        code: String,
        /// Why, for people.
        message: String,
    },
    /// A command came too late.
    CommandSuperseded {
        /// Which.
        command_id: CommandId,
        /// What came before it.
        #[serde(default)]
        by: Overtaker,
    },
    /// What a rule had left to people is said after all: a teammate wants it so.
    SuggestionSent {
        /// The command that had asked for it.
        command_id: CommandId,
        /// The candidate, from 1; none where it is the answer itself.
        #[serde(default)]
        number: Option<usize>,
    },
    /// A chat of the bot's is given to people although nobody is there now.
    NobodyThere {
        /// Whether nobody could take it at all, or until when, where that is known.
        availability: Availability,
        /// What the customer is promised.
        message: String,
    },
    /// Another teammate has the bot's chat.
    AgentChanged {
        /// Who.
        agent: Agent,
        /// Who had it before.
        former: Agent,
    },
    /// The teammate has the bot's chat no more; nobody has it.
    AgentLeft {
        /// Who had it.
        agent: Agent,
    },
    /// Somebody said something to the customer of the bot's chat.
    AgentMessage {
        /// What.
        message: Message,
    },
    /// Somebody was waited for in vain.
    TimedOut {
        /// Who.
        patience: Patience,
        /// What the customer is told.
        #[serde(default)]
        message: Option<String>,
        /// What becomes of the chat.
        then: Outcome,
    },
    /// The bot's chat is with people again: it was opened in Intercom.
    Reopened,
    /// The bot has its chat again, by itself.
    Returned {
        /// Who ended it.
        by: Ender,
        /// What was said since it was given away, oldest first.
        stretch: Stretch,
    },
}

/// Who ended the relaying of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ender {
    /// People closed it, or gave it to the bot.
    People,
    /// The customer, by the bot's command.
    Customer,
    /// Somebody was waited for in vain.
    TimeOut,
    /// The conversation was deleted.
    Deletion,
}

impl Ender {
    /// Its name in the bot protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Customer => "customer",
            Self::TimeOut => "timeout",
            Self::Deletion => "deletion",
        }
    }
}

impl EventKind {
    /// The event's name in the bot protocol and in logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::MessageRedacted { .. } => "message_redacted",
            Self::HandoverWaiting { .. } => "handover_waiting",
            Self::AgentJoined { .. } => "agent_joined",
            Self::Resumed { .. } => "resumed",
            Self::Closed { .. } => "closed",
            Self::Rated { .. } => "rated",
            Self::CommandDone { .. } => "command_done",
            Self::Attachments { .. } => "attachments",
            Self::Replayed { .. } => "replayed",
            Self::CommandRejected { .. } => "command_rejected",
            Self::CommandSuperseded { .. } => "command_superseded",
            Self::SuggestionSent { .. } => "suggestion_sent",
            Self::NobodyThere { .. } => "nobody_there",
            Self::AgentChanged { .. } => "agent_changed",
            Self::AgentLeft { .. } => "agent_left",
            Self::AgentMessage { .. } => "agent_message",
            Self::TimedOut { .. } => "timed_out",
            Self::Reopened => "reopened",
            Self::Returned { .. } => "closed",
        }
    }
}

/// An event on its way to the bot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEvent {
    /// Its number in this conversation, from 1.
    pub seq: u64,
    /// The epoch in which it happened.
    pub epoch: u64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// For which bot.
    pub bot: BotId,
    /// What happened.
    pub kind: EventKind,
    /// How often it has been tried in vain.
    #[serde(default)]
    pub attempts: u32,
    /// Not before this moment.
    #[serde(default)]
    pub due_at: Timestamp,
}

/// What is to be done in Intercom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Action {
    /// A message that the customer reads.
    Reply {
        /// Intercom HTML.
        html: String,
        /// Addresses of files; at most 10.
        #[serde(default)]
        attachment_urls: Vec<String>,
        /// Answers to choose from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<Offer>,
    },
    /// A note that teammates read.
    Note {
        /// Intercom HTML.
        html: String,
    },
    /// Assign to somebody else.
    Assign {
        /// To whom.
        to: Assignee,
        /// To whom when Intercom refuses that one, best first.
        #[serde(default)]
        fallbacks: Vec<Assignee>,
    },
    /// Assign to the bot, if it is still where it was: whoever took it meanwhile keeps it.
    Take {
        /// Where it was.
        from: Assignee,
    },
    /// Close, with a last message that the customer reads.
    Close {
        /// Intercom HTML, if there is something to say.
        #[serde(default)]
        html: Option<String>,
    },
    /// Open it again.
    Open,
    /// Attach a tag, which is created when missing.
    Tag {
        /// Its name.
        name: String,
    },
    /// Set custom attributes of the conversation.
    SetAttributes {
        /// Name and value of each.
        attributes: serde_json::Map<String, serde_json::Value>,
    },
    /// Look up the files of a message, whose addresses run out.
    Attachments {
        /// Of which part; of the first message where it is none.
        #[serde(default)]
        part_id: Option<PartId>,
    },
    /// Look up what was said.
    Replay {
        /// From which part on; from the first message where it is none.
        #[serde(default)]
        from: Option<PartId>,
        /// Up to which part; the first message alone where it is none.
        #[serde(default)]
        to: Option<PartId>,
    },
    /// Snooze.
    Snooze {
        /// Until when.
        until: Timestamp,
    },
    /// Look whether people are there for a hand-over.
    LookWhoIsThere {
        /// To whom.
        to: Assignee,
    },
    /// Find the customer in Intercom, or make them known there.
    FindContact {
        /// The customer.
        customer: Customer,
        /// The chat, by which somebody who is not known is told from others.
        session: String,
    },
    /// Say something as the customer: where the conversation is not opened yet, that opens it. Which of
    /// the two it is shows when its turn has come.
    Say {
        /// The words, as plain text.
        text: String,
        /// Files.
        #[serde(default)]
        files: Vec<File>,
    },
    /// Open a conversation with the customer's own words.
    Begin {
        /// As whom.
        contact: Contact,
        /// The words, as plain text.
        text: String,
        /// Files.
        #[serde(default)]
        files: Vec<File>,
    },
    /// Say something as the customer in a conversation that is opened.
    Relay {
        /// As whom.
        contact: ContactId,
        /// The words, as plain text.
        text: String,
        /// Files.
        #[serde(default)]
        files: Vec<File>,
    },
    /// Take a teammate off it who does not answer, if they still have it.
    Unseat {
        /// Who.
        teammate: AdminId,
    },
    /// Delete the words of a message.
    Redact {
        /// Which.
        part_id: PartId,
    },
}

/// Which function carries an action out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// `bot-reply`.
    Replies,
    /// `close-conversation`.
    Close,
}

impl Action {
    /// The action's name in logs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Reply { .. } => "reply",
            Self::Note { .. } => "note",
            Self::Assign { .. } => "assign",
            Self::Take { .. } => "take",
            Self::Close { .. } => "close",
            Self::Open => "open",
            Self::Tag { .. } => "tag",
            Self::SetAttributes { .. } => "set_attributes",
            Self::Attachments { .. } => "attachments",
            Self::Replay { .. } => "replay",
            Self::Snooze { .. } => "snooze",
            Self::LookWhoIsThere { .. } => "look_who_is_there",
            Self::FindContact { .. } => "find_contact",
            Self::Say { .. } => "say",
            Self::Begin { .. } => "begin",
            Self::Relay { .. } => "relay",
            Self::Redact { .. } => "redact",
            Self::Unseat { .. } => "unseat",
        }
    }

    /// The function that carries it out.
    #[must_use]
    pub fn lane(&self) -> Lane {
        match self {
            Self::Close { .. } => Lane::Close,
            _ => Lane::Replies,
        }
    }

    /// Whether it dies with its epoch. Notes, tags and attributes are for teammates and stay true
    /// after a take-over; everything else would act over a person.
    #[must_use]
    pub fn dies_with_its_epoch(&self) -> bool {
        !matches!(
            self,
            Self::Note { .. }
                | Self::Tag { .. }
                | Self::SetAttributes { .. }
                | Self::Attachments { .. }
                | Self::Replay { .. }
                | Self::Redact { .. }
        )
    }

    /// Whether carrying it out twice would show twice, because it adds a part instead of setting
    /// a state that can be read first.
    #[must_use]
    pub fn adds_a_message(&self) -> bool {
        matches!(
            self,
            Self::Reply { .. } | Self::Note { .. } | Self::Say { .. } | Self::Begin { .. } | Self::Relay { .. }
        )
    }
}

/// How far an outbox entry has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Progress {
    /// Waits for its turn.
    Pending {
        /// Not before this moment (the reset of a rate limit).
        #[serde(default)]
        not_before: Timestamp,
    },
    /// A worker has it, and may be sending it at this moment.
    Claimed {
        /// The worker's name for this attempt.
        claim: ClaimId,
        /// When the worker is certainly dead; from then on the outcome counts as unknown.
        until: Timestamp,
        /// The last part that was known when it was claimed: what it makes comes after.
        #[serde(default)]
        after: Option<PartId>,
    },
    /// It may or may not have reached Intercom.
    Unknown {
        /// When a late arrival is no longer to be expected, and Intercom may be asked.
        settle_at: Timestamp,
        /// As in [`Progress::Claimed`].
        #[serde(default)]
        after: Option<PartId>,
    },
}

/// What an outbox entry means for the command that asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// The command is done when this entry is, and fails with it.
    Completes,
    /// The command fails with it.
    Required,
    /// The command goes on without it.
    Optional,
}

/// An action on its way to Intercom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Its number in this conversation, from 1.
    pub seq: u64,
    /// The epoch in which it was decided.
    pub epoch: u64,
    /// The number of the last event until then that told of a customer's message.
    #[serde(default)]
    pub last_message: Option<u64>,
    /// The command that asked for it; none where Baton itself decided.
    #[serde(default)]
    pub command: Option<CommandId>,
    /// What the entry means for its command.
    pub weight: Weight,
    /// What to do.
    pub action: Action,
    /// How far it has come.
    pub progress: Progress,
    /// How long after what was before it, in milliseconds; 0 once that time has begun.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pause_ms: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(ms: &u64) -> bool {
    *ms == 0
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

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum CommandOutcome {
    /// On its way.
    Accepted,
    /// Carried out.
    Done {
        /// The part that it made.
        #[serde(default)]
        part_id: Option<PartId>,
    },
    /// Refused.
    Rejected {
        /// Why, for programs.
        code: String,
        /// Why, for people.
        message: String,
    },
    /// Too late.
    Superseded {
        /// What came before it.
        #[serde(default)]
        by: Overtaker,
    },
}

/// What came before a command that is too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overtaker {
    /// Somebody took the conversation over, or gave it back.
    #[default]
    Turn,
    /// The customer's message, which the bot did not know when it decided to close.
    Message,
    /// A rule of the workspace: the answer is left unsaid, or to people.
    Rule,
}

impl Overtaker {
    /// Its name in the bot protocol.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Message => "message",
            Self::Rule => "rule",
        }
    }
}

/// A command that was seen, so that it is not carried out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRecord {
    /// Its id.
    pub id: CommandId,
    /// SHA-256 of its meaning, in hex: the same id with another payload is a mistake.
    pub digest: String,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: CommandOutcome,
}

/// How many commands are remembered, at most.
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
    /// Recent parts that are known to be our own, oldest first.
    pub own_parts: VecDeque<PartId>,
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

    /// The last part that is known, other people's or our own.
    #[must_use]
    pub fn last_known_part(&self) -> Option<PartId> {
        self.own_parts.iter().chain(&self.seen.part).max().cloned()
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
