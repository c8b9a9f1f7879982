//! What a bot platform hears of a chat: in order, each once, nothing of notes, nothing of people after the
//! chat's end unless it is told that it goes on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::bot::hash;

/// The words of every note, wherever one is written; nothing of them may reach a bot.
pub const PSST: &str = "psst";

/// What a platform knows of a chat.
#[derive(Debug, Default, Clone)]
pub struct Heard {
    /// Every event by its id, as it was first delivered.
    events: BTreeMap<String, u64>,
    /// The last number.
    last: u64,
    /// What people said: conversation and part, in the order in which it was told; 0 for a first message.
    pub people: Vec<(String, u64)>,
    /// What the customer wrote in Intercom itself, likewise.
    pub other_door: Vec<(String, u64)>,
    /// Whether the chat is with the bot alone, as far as the platform knows.
    pub over: bool,
    /// The epoch in which it last ended.
    ended: u64,
    /// Whether the platform cannot know.
    pub unsure: bool,
    /// Up to which part there was nothing when the chat was last given to people.
    pub since: u64,
    /// Who has it.
    pub agent: Option<String>,
    /// Which time-outs may come.
    armed: BTreeSet<&'static str>,
    /// How many events of each kind there were.
    pub kinds: BTreeMap<String, u64>,
    /// When time-outs were told.
    pub timed_out_at: Vec<u64>,
    /// The names of the files of each message that was told, by conversation and part, as it was told.
    pub files: BTreeMap<(String, u64), Vec<String>>,
    /// Of the last redacted messages.
    pub redacted: Vec<u64>,
}

/// Something that a platform learnt, and that is to be looked at from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Learnt {
    /// People said this, while the chat was over: the conversation, the part, and the event's number.
    PeopleAfterTheEnd(String, u64, u64),
    /// What became of a command, and why.
    Result(String, &'static str, String),
    /// What was passed on can be named: the part of a command.
    Part(String, u64),
    /// The chat goes on.
    GoesOn,
}

fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

const TIME_OUTS: [&str; 3] = ["nobody", "teammate", "customer"];

impl Heard {
    /// A chat that only the bot has.
    #[must_use]
    pub fn nothing() -> Self {
        Self { over: true, ..Self::default() }
    }

    /// The platform gives the chat to people, or passes something on.
    pub fn asks(&mut self, starts: bool, since: u64) {
        self.armed.insert("teammate");
        if starts {
            self.armed.insert("nobody");
            if self.over {
                self.since = since;
            }
            self.over = false;
        }
    }

    /// Takes an event; what is wrong with it, and what there is to look at.
    pub fn take(&mut self, event: &Value, wrong: &mut Vec<String>) -> Option<Vec<Learnt>> {
        let (id, data) = (text(event, "/id").to_owned(), event.get("data").cloned().unwrap_or_default());
        let kind = text(event, "/type");
        let content = hash(&format!("{kind}{data}"));
        if let Some(known) = self.events.get(&id) {
            if *known != content {
                wrong.push(format!("event id {id} was used for two things"));
            }
            return None;
        }
        self.events.insert(id.clone(), content);
        if event.to_string().contains(PSST) {
            wrong.push(format!("event {id} shows a note"));
        }
        let seq = event.get("seq").and_then(Value::as_u64).unwrap_or_default();
        if seq > 0 {
            if seq != self.last + 1 {
                wrong.push(format!("event {id} came after number {}", self.last));
            }
            self.last = seq;
        }
        *self.kinds.entry(kind.to_owned()).or_insert(0) += 1;
        let mut learnt = Vec::new();
        self.heed(kind, event, &data, wrong, &mut learnt);
        Some(learnt)
    }

    fn heed(&mut self, kind: &str, event: &Value, data: &Value, wrong: &mut Vec<String>, learnt: &mut Vec<Learnt>) {
        let conversation = text(event, "/conversation/intercom/conversationId").to_owned();
        let epoch = event.get("epoch").and_then(Value::as_u64).unwrap_or_default();
        let part = text(data, "/message/part_id").parse().unwrap_or(0_u64);
        let agent = || data.pointer("/agent/id").and_then(Value::as_str).map(str::to_owned);
        // Whoever comes in a later epoch than that of the end comes to a chat that is with people again.
        let comes = matches!(kind, "agent_message" | "agent_joined" | "handover_waiting");
        self.over &= !(comes && epoch > self.ended);
        if matches!(kind, "agent_message" | "message") {
            let files = data.pointer("/message/attachments").and_then(Value::as_array);
            let names = files.into_iter().flatten().map(|file| text(file, "/name").to_owned());
            self.files.insert((conversation.clone(), part), names.collect());
        }
        match kind {
            "agent_message" => {
                self.armed.insert("customer");
                // A first message may be that of another conversation: it is known by its words.
                let of = if part == 0 { text(data, "/message/text").to_owned() } else { conversation.clone() };
                in_order(&mut self.people, of, part, "of people's", wrong);
                if self.over {
                    let seq = event.get("seq").and_then(Value::as_u64).unwrap_or_default();
                    learnt.push(Learnt::PeopleAfterTheEnd(conversation, part, seq));
                }
            }
            "message" => {
                self.armed.insert("teammate");
                in_order(&mut self.other_door, conversation, part, "of the other door's", wrong);
            }
            "handover_waiting" => {
                self.armed.insert("nobody");
                self.agent = None;
            }
            "agent_joined" => {
                self.armed.insert("teammate");
                self.agent = agent();
            }
            "agent_changed" => {
                self.armed.insert("teammate");
                let former = data.pointer("/former/id").and_then(Value::as_str).map(str::to_owned);
                if former.is_none() || former != self.agent {
                    wrong.push(format!("{former:?} is said to have left, and it was {:?}", self.agent));
                }
                self.agent = agent();
            }
            "agent_left" => {
                self.armed.insert("nobody");
                self.agent = None;
            }
            "reopened" => {
                self.armed.insert("nobody");
                self.over = false;
                learnt.push(Learnt::GoesOn);
            }
            "closed" => {
                self.over = true;
                self.ended = epoch;
                self.agent = None;
            }
            "timed_out" => {
                let what = TIME_OUTS.into_iter().find(|what| *what == text(data, "/what"));
                match what {
                    None => wrong.push(format!("a time-out that there is not: {data}")),
                    Some(what) if !self.armed.remove(what) => {
                        wrong.push(format!("{what} was waited for in vain twice"))
                    }
                    Some(_) => {}
                }
            }
            "message_redacted" => self.redacted.extend(text(data, "/part_id").parse::<u64>()),
            "command_done" => {
                self.armed.insert("teammate");
                let command = text(data, "/command_id").to_owned();
                if let Ok(part) = text(data, "/part_id").parse() {
                    learnt.push(Learnt::Part(command.clone(), part));
                }
                learnt.push(Learnt::Result(command, "done", if epoch > self.ended { "since" } else { "" }.to_owned()));
            }
            "command_superseded" => {
                learnt.push(Learnt::Result(text(data, "/command_id").to_owned(), "superseded", String::new()));
            }
            "command_rejected" => {
                let code = text(data, "/code").to_owned();
                learnt.push(Learnt::Result(text(data, "/command_id").to_owned(), "rejected", code));
            }
            _ => {}
        }
    }
}

/// Each message once, in the order in which it was said in its conversation.
fn in_order(told: &mut Vec<(String, u64)>, conversation: String, part: u64, whose: &str, wrong: &mut Vec<String>) {
    let last = told.iter().rev().find(|(of, _)| *of == conversation).map(|(_, part)| *part);
    let new = (conversation, part);
    if told.contains(&new) {
        wrong.push(format!("message {part} {whose} was told twice"));
    } else if part > 0 && last.is_some_and(|last| last > part) {
        wrong.push(format!("message {part} {whose} was told after {last:?}"));
    }
    told.push(new);
}
