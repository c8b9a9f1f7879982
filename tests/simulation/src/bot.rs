//! Bots: what they are told, in which order, what they ask for, and what they hear of it.
//!
//! A bot does what the customer's last word says (`reply`, `ok`, `two`, `handover`, `close`, …), so a
//! run's trace can be read. It ignores an event whose id it has seen, as the protocol asks it to.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use shared::domain::conversation::{Action, OutboxEntry};
use shared::wire::bot::{CommandMessage, Event, EventMessage, MessageData};

use crate::ruled::turns::{self, Turned};

/// How a bot answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// In the HTTP response; the same words for the same event.
    Same,
    /// In the HTTP response; other words each time that it is asked.
    Other,
    /// Later, by a request of its own, with its own ids, sometimes twice.
    Posts,
    /// Over queues both ways.
    Queues,
}

/// A command that a bot gave.
#[derive(Debug, Clone)]
pub struct Issued {
    /// The epoch of the event that it answers.
    pub epoch: u64,
    /// That event's number.
    pub seq: u64,
    /// What it asks for.
    pub kind: &'static str,
    /// What became of it, by the events that told of it.
    pub results: Vec<&'static str>,
    /// Whether it was sent a second time with another payload.
    pub altered: bool,
    /// Whether it cannot be carried out.
    pub odd: bool,
    /// How the bot came to it, where it said so.
    pub turned: Option<Turned>,
}

/// The messages that an event tells of, one by one.
#[must_use]
pub fn each<'e>(message: &'e MessageData, messages: &'e [MessageData]) -> &'e [MessageData] {
    if messages.is_empty() { std::slice::from_ref(message) } else { messages }
}

/// What a bot knows of a conversation.
#[derive(Debug, Default)]
pub struct Memory {
    /// Every event by its id, as it was first delivered.
    pub events: BTreeMap<String, u64>,
    /// The last number in each life of the conversation.
    pub last: BTreeMap<String, u64>,
    /// The present life of the conversation: rows that are lost begin another.
    pub life: String,
    /// Everything of the customer's that it was ever told of.
    pub known: BTreeSet<u64>,
    /// The messages that it was told of in this life, by part; 0 is the first message.
    pub messages: BTreeSet<u64>,
    /// The last of them.
    pub last_message: Option<u64>,
    /// Messages that it was told of as said meanwhile.
    pub stretch: BTreeSet<u64>,
    /// Its commands.
    pub issued: BTreeMap<Rc<str>, Issued>,
    /// Those that Intercom refused for good.
    pub refused: BTreeSet<Rc<str>>,
    /// When it was first told of each message, by part; 0 is the first message.
    pub told_at: BTreeMap<u64, u64>,
    /// The notes by which teammates had it asked again, and what it was told again because of each.
    pub retries: BTreeMap<u64, BTreeSet<u64>>,
    /// Which of its answers were said after all, and how often it was told so.
    pub sent: BTreeMap<Rc<str>, usize>,
    /// Whether Intercom refused something that no command had asked for.
    pub unasked_refused: bool,
    /// How many events of each kind it took.
    pub kinds: BTreeMap<&'static str, u64>,
}

/// A fixed-form number of a text.
#[must_use]
pub fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn number(part_id: Option<&String>) -> u64 {
    part_id.and_then(|id| id.parse().ok()).unwrap_or(0)
}

impl Memory {
    /// Takes an event; what is wrong with it, and whether it is new.
    pub fn take(&mut self, event: &EventMessage, wrong: &mut Vec<String>) -> bool {
        let content = hash(&serde_json::to_string(&event.event).unwrap_or_default());
        if let Some(known) = self.events.get(&event.id) {
            if *known != content {
                wrong.push(format!("event id {} was used for two things", event.id));
            }
            return false;
        }
        self.events.insert(event.id.clone(), content);
        if event.seq > 0 {
            let life = event.id.rsplit_once('_').map_or("", |(life, _)| life).to_owned();
            if self.life != life {
                self.life.clone_from(&life);
                self.messages.clear();
                self.stretch.clear();
                self.last_message = None;
            }
            let last = self.last.entry(life).or_insert(0);
            if event.seq != *last + 1 {
                wrong.push(format!("event {} came after number {last}", event.id));
            }
            *last = event.seq.max(*last);
        }
        match &event.event {
            Event::Message { message, messages, .. } => {
                for one in each(message, messages) {
                    let part = number(one.part_id.as_ref());
                    self.known.insert(part);
                    let again = !self.messages.insert(part) || self.stretch.contains(&part);
                    if again && !self.is_asked_again(part) {
                        wrong.push(format!("message {part} was told twice"));
                    }
                    if self.last_message.is_some_and(|last| last > part) {
                        wrong.push(format!("message {part} was told after {:?}", self.last_message));
                    }
                    self.last_message = self.last_message.max(Some(part));
                }
                if messages.len() == 1 || messages.last().is_some_and(|last| last.part_id != message.part_id) {
                    wrong.push(format!("message {:?} is not the last of its turn", message.part_id));
                }
            }
            Event::Resumed { stretch, .. } => {
                for message in stretch.iter().filter(|message| message.author.kind == "customer") {
                    let part = number(message.part_id.as_ref());
                    self.known.insert(part);
                    if self.messages.contains(&part) || !self.stretch.insert(part) {
                        wrong.push(format!("message {part} was told twice, the second time as said meanwhile"));
                    }
                }
            }
            Event::CommandDone { command_id, .. } => self.result(command_id, "done", wrong),
            Event::CommandSuperseded { command_id, by } if by == "rule" => self.result(command_id, "ruled", wrong),
            Event::CommandSuperseded { command_id, .. } => self.result(command_id, "superseded", wrong),
            Event::SuggestionSent { command_id, .. } => {
                *self.sent.entry(command_id.as_str().into()).or_insert(0) += 1;
            }
            Event::CommandRejected { command_id, code, .. } if code == "id_reused" => {
                let altered = self.issued.get(command_id.as_str()).is_some_and(|issued| issued.altered);
                wrong.extend((!altered).then(|| format!("command {command_id} was called another one")));
            }
            Event::CommandRejected { command_id, code, .. } if code == "loop" => {
                self.result(command_id, "broken off", wrong);
            }
            Event::CommandRejected { command_id, .. } => self.result(command_id, "rejected", wrong),
            _ => {}
        }
        true
    }

    /// Remembers when a message was first told, and how many events of each kind there were.
    pub fn note_time(&mut self, event: &EventMessage, now: u64) {
        let kind = match &event.event {
            Event::Message { message, messages, .. } => {
                for one in each(message, messages) {
                    self.told_at.entry(number(one.part_id.as_ref())).or_insert(now);
                }
                "message"
            }
            Event::Resumed { stretch, .. } => {
                for message in stretch.iter().filter(|message| message.author.kind == "customer") {
                    self.told_at.entry(number(message.part_id.as_ref())).or_insert(now);
                }
                "resumed"
            }
            Event::AgentJoined { .. } => "agent_joined",
            Event::HandoverWaiting { .. } => "handover_waiting",
            _ => "other",
        };
        *self.kinds.entry(kind).or_insert(0) += 1;
    }

    /// Whether an entry says what was only offered.
    #[must_use]
    pub fn is_offered(&self, entry: &OutboxEntry) -> bool {
        let Action::Reply { html, .. } = &entry.action else { return false };
        let mut turned = self.issued.values().filter_map(|issued| issued.turned.as_ref());
        entry.command.is_none() && turned.any(|turned| html.contains(&turned.mark))
    }

    /// Whether a teammate had it asked again what it is told again: once for each note, and then in order.
    fn is_asked_again(&mut self, part: u64) -> bool {
        let is_due = |(note, told): (&u64, &mut BTreeSet<u64>)| *note > part && told.insert(part);
        let asked = self.retries.iter_mut().any(is_due);
        if asked {
            self.last_message = None;
        }
        asked
    }

    /// It may be told of these messages again.
    pub fn forget(&mut self, again: impl Fn(u64) -> bool) {
        self.messages.retain(|part| !again(*part));
        self.stretch.retain(|part| !again(*part));
        self.last_message = self.messages.last().copied();
    }

    fn result(&mut self, command_id: &str, result: &'static str, wrong: &mut Vec<String>) {
        match self.issued.get_mut(command_id) {
            Some(issued) => issued.results.push(result),
            None if command_id.ends_with("/answer") => {}
            None => wrong.push(format!("a result for command {command_id}, which nobody gave")),
        }
    }
}

/// A command that a bot wants to give.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What it asks for.
    pub kind: &'static str,
    /// Its JSON, without an id.
    pub json: String,
    /// How the bot came to it, where it says so.
    pub turned: Option<Turned>,
}

/// What a bot wants to do about an event. `ruled` is what becomes of answers that no rule names, where there are rules.
#[must_use]
pub fn wishes(event: &EventMessage, delivery: usize, alters: bool, ruled: Option<&str>) -> Vec<Wish> {
    let Event::Message { message, messages, .. } = &event.event else { return Vec::new() };
    // It is the last word that says what a bot is to do.
    let Some(message) = each(message, messages).last() else { return Vec::new() };
    let (name, wish) = message.text.split_once(' ').unwrap_or((&message.text, "reply"));
    let variant = if alters && delivery > 0 { format!(" v{delivery}") } else { String::new() };
    let turn = ruled.and_then(|default| turns::of(wish, name, &variant, hash(&event.id) >> 24, default));
    if let Some((json, turned)) = turn {
        return vec![Wish { kind: "reply", json, turned: Some(turned) }];
    }
    let other = |kind: &'static str, data: &str| {
        let json = format!(r#""type":"{kind}","data":{data}"#);
        Wish { kind, json, turned: None }
    };
    let reply = |words: &str| {
        other("reply", &format!(r#"{{"content":[{{"type":"text","text":"{words}","format":"plain"}}]}}"#))
    };
    match wish {
        "ok" => vec![reply("ok")],
        "two" => vec![reply(&format!("re {name} one{variant}")), reply(&format!("re {name} two"))],
        "ten" => (0..10).map(|position| reply(&format!("re {name} {position}"))).collect(),
        "silent" => Vec::new(),
        "dozen" => (1..=12).map(|number| reply(&format!("re {name} {number}"))).collect(),
        "handover" => vec![other("handover", "{}")],
        "farewell" => vec![
            reply(&format!("re {name}{variant}")),
            other(
                "handover",
                &format!(
                    r#"{{"content":[{{"type":"text","text":"bye {name}","format":"plain"}}],"note":"sum {name}","tags":["vip"]}}"#
                ),
            ),
        ],
        "nobody" => vec![other("handover", r#"{"to":{"teammate":"909090"}}"#)],
        "close" => vec![other("close", &format!(r#"{{"reason":"closing {name}"}}"#))],
        "shut" => vec![reply(&format!("re {name}{variant}")), other("close", "{}")],
        "note" => vec![other("note", &format!(r#"{{"text":"aside {name}"}}"#)), reply(&format!("re {name}{variant}"))],
        "tag" => vec![other("tag", r#"{"tags":["a","b"]}"#), other("set_attributes", r#"{"attributes":{"x":1}}"#)],
        "odd" => vec![other("reply", r#"{"content":[]}"#)],
        _ => vec![reply(&format!("re {name}{variant}"))],
    }
}

/// The command of this JSON.
///
/// # Panics
/// When it is none, which is a mistake of the simulation.
#[must_use]
pub fn command(event: &EventMessage, position: usize, own_id: bool, json: &str) -> CommandMessage {
    let command = CommandMessage::from_json(format!("{{{json}}}").as_bytes()).unwrap();
    if own_id {
        CommandMessage { id: Some(format!("own/{}/{position}", event.id)), ..command }.answering(event, position)
    } else {
        command.answering(event, position)
    }
}
