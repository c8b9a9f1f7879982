//! The one function that decides.
//!
//! [`step`] takes a conversation, what happened, what the operator has set and the time, and gives
//! the conversation afterwards and what is to be done about it. It is pure: no I/O, no clock, no
//! randomness, so the same function runs in Lambda, in tests and in a model checker.
//!
//! What it deliberately does not do: it wakes no queue. Whether events or actions are waiting is
//! read off the state itself (see [`waiting`]), so a worker that dies between the save and the
//! queue loses nothing: whoever looks at the state next puts them again.

mod beside;
mod circles;
mod commanded;
mod crossing;
mod gathering;
mod judged;
mod late;
mod noted;
mod observed;
mod offering;
mod relaying;
mod returning;
mod ruled;
mod sending;
mod telling;
mod transferred;
mod waiting;
mod watching;

pub use beside::{is_behind_beside, looks_beside};
pub use telling::Vain;

pub use sending::next_call;

use super::command::Command;
use super::content::Message;
use super::conversation::{
    Action, CommandOutcome, Control, Conversation, EventKind, Lane, OutboxEntry, Overtaker, PendingEvent, Progress,
    Stand, Weight,
};
use super::ids::{BotId, ClaimId, CommandId, ContactId, ConversationId, PartId, Timestamp};
use super::part::Observation;
use super::settings::Workspace;
use super::transfer::{Availability, Contact};

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Intercom showed the conversation, in a notification or in answer to `GET`.
    Observed(Observation),
    /// Intercom said that the conversation was deleted.
    Deleted,
    /// A bot asks for something.
    Commanded(Command),
    /// Time has passed; with the whole conversation where [`Effect::Fetch`] asked for it.
    Tick(Option<Observation>),
    /// A worker is ready to carry out the next action of its lane.
    Claim {
        /// Its lane.
        lane: Lane,
        /// A fresh name for this attempt.
        claim: ClaimId,
        /// When it is certainly dead.
        until: Timestamp,
    },
    /// A worker would be ready, but Intercom is not to be called before then.
    PutOff {
        /// Its lane.
        lane: Lane,
        /// When.
        until: Timestamp,
    },
    /// A worker reports how the attempt went.
    Answered {
        /// The entry.
        seq: u64,
        /// The attempt.
        claim: ClaimId,
        /// How it went.
        answer: Answer,
    },
    /// Intercom was asked whether a doubtful action had arrived.
    ReadBack {
        /// The entry.
        seq: u64,
        /// The whole conversation.
        observation: Observation,
    },
    /// Intercom was asked which conversations the customer had begun since a doubtful opening.
    Searched {
        /// The entry.
        seq: u64,
        /// The conversations, without their parts.
        found: Vec<(ConversationId, Observation)>,
    },
    /// Intercom showed a conversation of this one's contact that is not known.
    Met {
        /// What Intercom calls it.
        conversation: ConversationId,
        /// What it showed.
        observation: Observation,
        /// Whose chat it would be, and its name, where none is known.
        chat: Option<(BotId, String)>,
    },
    /// What people have begun beside this chat while nobody knew whose it was, was looked for and met.
    LookedBeside,
    /// A row leads here now.
    Linked {
        /// Which.
        row: ConversationId,
        /// Whether it led to another chat before.
        led_elsewhere: bool,
    },
    /// The bot took an event.
    Delivered {
        /// Its number.
        seq: u64,
    },
    /// The bot did not take an event.
    NotDelivered(Vain),
    /// The time is over in which the customer might have written more.
    Gathered,
}

impl Input {
    /// Whether it tells what Intercom shows of the conversation.
    #[must_use]
    pub fn tells_of_a_conversation(&self) -> bool {
        matches!(self, Self::Observed(_) | Self::Deleted | Self::Tick(Some(_)) | Self::ReadBack { .. })
    }

    /// The input's name in logs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Observed(_) => "observed",
            Self::Deleted => "deleted",
            Self::Commanded(_) => "commanded",
            Self::Tick(_) => "tick",
            Self::Claim { .. } => "claim",
            Self::PutOff { .. } => "put_off",
            Self::Answered { answer, .. } => match answer {
                Answer::Done { .. } => "answered_done",
                Answer::Shown { .. } => "answered_shown",
                Answer::NotSent { .. } => "answered_not_sent",
                Answer::Rejected { .. } => "answered_rejected",
                Answer::There(_) => "answered_there",
                Answer::Contact(_) => "answered_contact",
                Answer::Begun { .. } => "answered_begun",
                Answer::Unknown => "answered_unknown",
            },
            Self::Searched { .. } => "searched",
            Self::Met { .. } => "met",
            Self::LookedBeside => "looked_beside",
            Self::Linked { .. } => "linked",
            Self::ReadBack { .. } => "read_back",
            Self::Delivered { .. } => "delivered",
            Self::NotDelivered(_) => "not_delivered",
            Self::Gathered => "gathered",
        }
    }
}

/// How an attempt at Intercom went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is there.
    Done {
        /// The part that it made, where it made one.
        part_id: Option<PartId>,
    },
    /// It was looked up: these are the messages, oldest first.
    Shown {
        /// The messages.
        messages: Vec<Message>,
    },
    /// Whether people are there.
    There(Availability),
    /// Whom the customer is.
    Contact(Contact),
    /// The conversation is there.
    Begun {
        /// What Intercom calls it.
        conversation: ConversationId,
    },
    /// It never left, or Intercom refused it without looking (429): try again then.
    NotSent {
        /// When.
        retry_at: Timestamp,
    },
    /// Intercom refused it for good.
    Rejected {
        /// Intercom's error code, or the status.
        code: String,
        /// Intercom's words.
        message: String,
    },
    /// Nobody knows: the connection broke, it took too long, a 5xx came back.
    Unknown,
}

impl Answer {
    /// What was looked up in a conversation.
    #[must_use]
    pub fn shown(observation: &Observation, action: &Action) -> Self {
        let messages = observation.looked_up(action);
        if messages.is_empty() {
            return Self::Rejected {
                code: "unknown_message".to_owned(),
                message: "Intercom does not show this message any more".to_owned(),
            };
        }
        Self::Shown { messages }
    }
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Nothing was changed: the decision needs the whole conversation. `GET` it, and step again.
    Fetch,
    /// Carry this out, once, now. The claim is in the state that came with it.
    Perform {
        /// The entry.
        seq: u64,
        /// What to do.
        action: Action,
    },
    /// Ask Intercom whether this entry arrived.
    ReadBack {
        /// The entry.
        seq: u64,
    },
    /// Ask Intercom which conversations the customer has begun.
    Search {
        /// The entry.
        seq: u64,
        /// The customer.
        contact: ContactId,
        /// Since when.
        since: Timestamp,
    },
    /// Nothing can be sent before then.
    Wait {
        /// When.
        until: Timestamp,
    },
    /// A command cannot even be recorded here; tell its bot.
    Refuse {
        /// Which.
        command_id: CommandId,
        /// Why, for programs.
        code: &'static str,
        /// Why, for people.
        message: String,
    },
    /// Something was decided that an operator may wonder about; for the log.
    Note(Decision),
}

/// Why something was, or was not, done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The bot got the conversation.
    BotTakes,
    /// People got it.
    PeopleTake,
    /// A person spoke; the bot is silent.
    Paused,
    /// It was closed.
    Closed,
    /// A customer's message was left to people.
    LeftToPeople,
    /// A customer's message is for the bot, which is told of it when nothing more has followed for a
    /// while.
    Gathers,
    /// A command was seen before.
    CommandRepeated,
    /// A command came too late.
    CommandSuperseded,
    /// A command was refused.
    CommandRejected,
    /// A doubtful send turned out to have arrived.
    FoundSent,
    /// A doubtful send turned out not to have arrived.
    FoundNotSent,
    /// A request arrived that had been given up, and made again or overtaken.
    ArrivedLate,
    /// Part of a command failed without spoiling it.
    SideActionFailed,
    /// The bot takes no events any more; people get the conversation.
    BotOverrun,
    /// The bot cannot be reached; people get the conversation.
    BotUnreachable,
    /// The bot can be reached again, and nobody has taken the conversation: it is to get it back.
    BotReturns,
    /// Somebody was ahead of the bot's return: it is undone.
    ReturnUndone,
    /// A request of ours emptied a teammate's seat: it gets it back.
    SeatGivenBack,
    /// The bot is not told of an event, which was tried in vain for days.
    EventGivenUp,
    /// By the rules the bot says nothing; people have it.
    RuledNothing,
    /// By the rules it goes to a team or teammate.
    RuledSend,
    /// By the rules the bot's answer is suggested to people.
    RuledSuggest,
    /// A rule is tried out: what it wants is recorded, and nothing is posted.
    RuledShadow,
    /// A teammate wrote a note for the bot.
    NoteHeeded,
    /// The bot said too much without a person's word; people get the conversation.
    LoopBroken,
    /// Another bot answers the same conversation; people get it.
    TwoBots,
    /// A chat is given to people.
    TransferStarts,
    /// A chat that people have is joined by a second start.
    TransferJoined,
    /// A chat is the bot's again.
    TransferEnds,
    /// A chat that was over is relayed again.
    TransferGoesOn,
    /// Somebody was waited for in vain.
    TimedOut,
    /// A message in Intercom was not passed on: the bot has the chat.
    NotPassedOn,
    /// What people said in another conversation with the customer of a chat was passed on.
    PassedOnBeside,
}

impl Decision {
    /// The decision's name in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BotTakes => "bot_takes",
            Self::PeopleTake => "people_take",
            Self::Paused => "paused",
            Self::Closed => "closed",
            Self::LeftToPeople => "left_to_people",
            Self::Gathers => "gathers",
            Self::CommandRepeated => "command_repeated",
            Self::CommandSuperseded => "command_superseded",
            Self::CommandRejected => "command_rejected",
            Self::FoundSent => "found_sent",
            Self::FoundNotSent => "found_not_sent",
            Self::ArrivedLate => "arrived_late",
            Self::SideActionFailed => "side_action_failed",
            Self::BotOverrun => "bot_overrun",
            Self::BotUnreachable => "bot_unreachable",
            Self::BotReturns => "bot_returns",
            Self::ReturnUndone => "return_undone",
            Self::SeatGivenBack => "seat_given_back",
            Self::EventGivenUp => "event_given_up",
            Self::RuledNothing => "ruled_nothing",
            Self::RuledSend => "ruled_send",
            Self::RuledSuggest => "ruled_suggest",
            Self::RuledShadow => "ruled_shadow",
            Self::NoteHeeded => "note_heeded",
            Self::LoopBroken => "loop_broken",
            Self::TwoBots => "two_bots",
            Self::TransferStarts => "transfer_starts",
            Self::TransferJoined => "transfer_joined",
            Self::TransferEnds => "transfer_ends",
            Self::TransferGoesOn => "transfer_goes_on",
            Self::TimedOut => "timed_out",
            Self::NotPassedOn => "not_passed_on",
            Self::PassedOnBeside => "passed_on_beside",
        }
    }
}

/// What a step gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The conversation afterwards.
    pub state: Conversation,
    /// What is to be done.
    pub effects: Vec<Effect>,
}

/// Decides. Repeating an input changes nothing that its first time had not changed.
#[must_use]
pub fn step(state: &Conversation, input: &Input, workspace: &Workspace, now: Timestamp) -> Outcome {
    let made_anew = state.bot.is_none() && state.is_new();
    let mut stepper =
        Stepper { state: state.clone(), workspace, now, effects: Vec::new(), made_anew, wanted: false, by: None };
    let was_handing_over = stepper.is_handing_over();
    match input {
        Input::Observed(observation) => stepper.observed(&workspace.told_apart(observation)),
        Input::Deleted => stepper.deleted(),
        Input::Commanded(command) => stepper.commanded(command),
        Input::Tick(observation) => {
            let observation = observation.as_ref().map(|observation| workspace.told_apart(observation));
            stepper.tick(observation.as_deref());
        }
        Input::Claim { lane, claim, until } => stepper.claim(*lane, claim, *until),
        Input::PutOff { lane, until } => stepper.put_off(*lane, *until),
        Input::Answered { seq, claim, answer } => stepper.answered(*seq, claim, answer),
        Input::ReadBack { seq, observation } => stepper.read_back(*seq, observation),
        Input::Searched { seq, found } => stepper.searched(*seq, found),
        Input::Met { conversation, observation, chat } => {
            stepper.met(conversation, &workspace.told_apart(observation), chat.as_ref());
        }
        Input::LookedBeside => stepper.looked_beside(),
        Input::Linked { row, led_elsewhere } => stepper.linked(row, *led_elsewhere),
        Input::Delivered { seq } => stepper.delivered(*seq),
        Input::NotDelivered(vain) => stepper.not_delivered(*vain),
        Input::Gathered => stepper.gathered(),
    }
    stepper.look_whose_it_is(was_handing_over);
    stepper.remember_where_it_was(state);
    stepper.begin_the_pause();
    stepper.forget_what_was_given_up();
    stepper.set_the_clock();
    if stepper.state.control != state.control {
        let by = stepper.by.take().unwrap_or_else(|| by_whom(input).to_owned());
        stepper.state.stand = Some(Stand { since: now, by });
    }
    if stepper.effects.contains(&Effect::Fetch) {
        return Outcome { state: state.clone(), effects: vec![Effect::Fetch] };
    }
    Outcome { state: stepper.state, effects: stepper.effects }
}

/// Who changes who has the conversation by such an input, where nobody in Intercom does.
fn by_whom(input: &Input) -> &'static str {
    match input {
        Input::Commanded(_) => "the bot",
        Input::Tick(_) => "the timer",
        Input::NotDelivered(_) => "Baton, because the bot cannot be reached",
        Input::Observed(_)
        | Input::Deleted
        | Input::Claim { .. }
        | Input::PutOff { .. }
        | Input::Answered { .. }
        | Input::ReadBack { .. }
        | Input::Searched { .. }
        | Input::Met { .. }
        | Input::LookedBeside
        | Input::Linked { .. }
        | Input::Delivered { .. }
        | Input::Gathered => "",
    }
}

/// Which workers a state is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waiting {
    /// `bot-dispatch`: the number of the first event that the bot has not taken.
    pub event: Option<u64>,
    /// `bot-dispatch` too: since when the customer writes in a row.
    pub burst: Option<Timestamp>,
    /// The lane and number of the first action that is not settled.
    pub action: Option<(Lane, u64)>,
}

/// Reads off the state which workers it is waiting for.
#[must_use]
pub fn waiting(state: &Conversation) -> Waiting {
    Waiting {
        event: state.events.front().map(|event| event.seq),
        burst: state.burst.as_ref().map(|burst| burst.since),
        action: state.outbox.front().map(|entry| (entry.action.lane(), entry.seq)),
    }
}

/// Whether a chat is to be looked at now: something may have been said behind a part that was unclear and is
/// clear now, or before the chat was known to be here, or somebody was waited for long enough.
#[must_use]
pub fn look_is_due(state: &Conversation, now: Timestamp) -> bool {
    state.transfer.is_some() && state.resume_at.is_some_and(|due| due <= now)
}

/// Whether Intercom shows more of a conversation than is known, so that it has to be fetched.
/// `shown` is without parts, as a search gives it.
#[must_use]
pub fn is_behind(state: &Conversation, shown: &Observation, workspace: &Workspace) -> bool {
    if state.bot.is_none() {
        let is_watched = workspace.monitor.as_ref() == Some(&shown.assignee);
        return shown.open && (is_watched || workspace.is_bots(&shown.assignee));
    }
    if shown.rating.is_some() && shown.rating != state.rating {
        return true;
    }
    let own = state.own_unseen(|_| true);
    match (state.seen_count, shown.part_count) {
        (Some(known), Some(shown)) => shown > known.saturating_add(own),
        _ => true,
    }
}

/// Why the bot says nothing in this state; none where it may speak.
#[must_use]
pub fn silent_because(state: &Conversation) -> Option<&'static str> {
    match state.control {
        _ if state.deleted => Some("it was deleted"),
        Control::Bot => None,
        Control::Paused => Some("a teammate has spoken"),
        Control::Closed => Some("it is closed"),
        Control::Human if state.bot.is_none() => Some("it was never given to the bot"),
        Control::Human => Some("people have it"),
    }
}

/// A conversation in the middle of a step.
struct Stepper<'a> {
    state: Conversation,
    workspace: &'a Workspace,
    now: Timestamp,
    effects: Vec<Effect>,
    /// Nothing was kept of the conversation before.
    made_anew: bool,
    /// A teammate gives the conversation to the bot, in so many words.
    wanted: bool,
    /// Who changed who has the conversation, where that is somebody in Intercom.
    by: Option<String>,
}

impl Stepper<'_> {
    fn note(&mut self, decision: Decision) {
        self.effects.push(Effect::Note(decision));
    }

    /// Puts an event on its way to the bot that serves the conversation. Without one there is
    /// nobody to tell.
    fn tell(&mut self, kind: EventKind) {
        self.tell_of(kind, None);
    }

    /// The same, of something that happened in another conversation of Intercom's.
    fn tell_of(&mut self, kind: EventKind, of: Option<ConversationId>) {
        let Some(bot) = self.state.bot.clone() else { return };
        if self.tells_it_in_place(&kind) {
            return;
        }
        self.state.last_event += 1;
        if matches!(kind, EventKind::Message { .. }) {
            self.state.last_message = self.state.last_event;
        }
        self.state.events.push_back(PendingEvent {
            seq: self.state.last_event,
            epoch: self.state.epoch,
            occurred_at: self.now,
            bot,
            kind,
            of,
            attempts: 0,
            due_at: self.now,
        });
    }

    /// Where people pass the conversation on before the bot has heard of it, the last of them is
    /// enough. The first event may be on its way at this moment and is left as it is.
    fn tells_it_in_place(&mut self, kind: &EventKind) -> bool {
        let waits_behind = self.state.events.len() > 1;
        let Some(last) = self.state.events.back_mut().filter(|_| waits_behind) else { return false };
        let is_joining = |kind: &EventKind| matches!(kind, EventKind::AgentJoined { .. });
        if !is_joining(&last.kind) || !is_joining(kind) {
            return false;
        }
        (last.kind, last.epoch, last.occurred_at) = (kind.clone(), self.state.epoch, self.now);
        true
    }

    /// Puts an action on its way to Intercom, in the present epoch.
    fn enqueue(&mut self, command: Option<&CommandId>, weight: Weight, action: Action) {
        self.state.last_out += 1;
        self.state.outbox.push_back(OutboxEntry {
            seq: self.state.last_out,
            epoch: self.state.epoch,
            last_message: Some(self.state.last_message),
            command: command.cloned(),
            weight,
            action,
            progress: Progress::Pending { not_before: self.now },
            pause_ms: 0,
            accepted: None,
        });
    }

    /// Ends what waits in the outbox and belongs to an epoch that is over.
    fn supersede_the_overtaken(&mut self) {
        broken_as!(EpochIgnored => return);
        let epoch = self.state.epoch;
        self.supersede(Overtaker::Turn, |entry| {
            entry.epoch < epoch
                && entry.action.dies_with_its_epoch()
                && matches!(entry.progress, Progress::Pending { .. })
        });
    }

    /// Ends a close that is not on the wire yet: something happened that its bot did not know of.
    /// A chat that its own customer has ended is closed all the same.
    fn drop_a_waiting_close(&mut self, by: Overtaker) {
        if self.state.transfer.is_some() {
            return;
        }
        broken_as!(CloseGoesOn => return);
        self.supersede(by, |entry| {
            matches!((&entry.action, &entry.progress), (Action::Close { .. }, Progress::Pending { .. }))
        });
    }

    /// Ends entries as superseded.
    fn supersede(&mut self, by: Overtaker, mut ends: impl FnMut(&OutboxEntry) -> bool) {
        let (ended, kept) = self.state.outbox.drain(..).partition::<Vec<_>, _>(|entry| ends(entry));
        self.state.outbox = kept.into();
        for entry in ended {
            self.finish(&entry, CommandOutcome::Superseded { by });
        }
    }

    /// Records what became of an entry, and tells the bot what became of its command, or of its suggestion.
    fn finish(&mut self, entry: &OutboxEntry, outcome: CommandOutcome) {
        match outcome {
            CommandOutcome::Done { .. } => self.is_sent(entry),
            CommandOutcome::Rejected { .. } | CommandOutcome::Superseded { .. } => self.is_not_sent(entry),
            CommandOutcome::Accepted => {}
        }
        let Some(command_id) = &entry.command else { return };
        let spoils = !matches!(outcome, CommandOutcome::Done { .. } | CommandOutcome::Accepted);
        let decides = match entry.weight {
            Weight::Completes => true,
            Weight::Required => spoils,
            Weight::Optional => {
                if spoils {
                    self.note(Decision::SideActionFailed);
                }
                false
            }
        };
        if decides {
            self.settle_command(command_id, outcome);
        }
    }

    /// Ends a command, once.
    fn settle_command(&mut self, command_id: &CommandId, outcome: CommandOutcome) {
        let Some(record) = self.state.commands.iter_mut().find(|record| record.id == *command_id) else { return };
        if record.outcome != CommandOutcome::Accepted {
            return;
        }
        record.outcome = outcome.clone();
        let command_id = command_id.clone();
        let event = match outcome {
            CommandOutcome::Accepted => return,
            CommandOutcome::Done { part_id } => EventKind::CommandDone { command_id, part_id },
            CommandOutcome::Rejected { code, message } => {
                self.note(Decision::CommandRejected);
                EventKind::CommandRejected { command_id, code, message }
            }
            CommandOutcome::Superseded { by } => {
                self.note(Decision::CommandSuperseded);
                EventKind::CommandSuperseded { command_id, by }
            }
        };
        self.tell(event);
    }

    fn delivered(&mut self, seq: u64) {
        let is_message = |event: &PendingEvent| matches!(event.kind, EventKind::Message { .. });
        let took_one = self.state.events.iter().any(|event| event.seq <= seq && is_message(event));
        self.state.events.retain(|event| event.seq > seq);
        if took_one && self.state.events.iter().any(is_message) {
            self.state.exchange.bot_goes_on();
        }
        self.look_whether_it_may_come_back();
        self.people_are_through();
    }
}
