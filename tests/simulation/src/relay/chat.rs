//! A chat at the bot platform: what the customer does there, what the platform asks of Baton, in order and
//! one after the other, and who the customer is in Intercom.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use shared::domain::ids::ConversationKey;
use shared::domain::transfer::File;
use shared::wire::bot::CommandMessage;

use super::heard::Heard;
use crate::check::Births;
use crate::intercom::{Deed, Who};

/// Something that happens in a chat, or because of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The customer writes this, and is given to people.
    Start(String),
    /// The platform begins once more, with the words that were said last: it has lost the answer.
    StartAgain,
    /// The same with files, by their names.
    StartWith(String, Vec<String>),
    /// The customer sends files, with words or without. Passed on as words are.
    Send(String, Vec<String>),
    /// The customer writes. Passed on where the platform knows the chat to be with people.
    Say(String),
    /// The customer writes, and it is passed on whatever the platform knows.
    SayAnyway(String),
    /// The customer ends it.
    End,
    /// The customer deletes what was passed on last.
    Redact,
    /// Somebody acts in the conversation that the chat has in Intercom by then, if it has one.
    InIntercom(Who, Deed),
    /// Somebody acts in the first conversation that the chat had there, which it may have left.
    InTheFirst(Who, Deed),
    /// A teammate deletes what a teammate said last.
    RedactPersons,
    /// A teammate begins a conversation with the chat's customer.
    PeopleBegin(String),
}

/// A chat, as a play has it.
#[derive(Debug, Clone, Default)]
pub struct Cast {
    /// The workspace.
    pub workspace: usize,
    /// The platform's name of it.
    pub session: String,
    /// The company's own id of the customer; nobody knows them where it is none.
    pub customer: Option<String>,
    /// By which channel the customer writes.
    pub channel: &'static str,
    /// What happens, when after the beginning.
    pub steps: Vec<(u64, Step)>,
}

/// What a platform asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// That people get the chat.
    Start,
    /// That the customer's words are passed on.
    Say,
    /// That it ends.
    End,
    /// That a message is deleted.
    Redact,
}

impl Asked {
    /// Whether it carries words of the customer's.
    #[must_use]
    pub fn speaks(self) -> bool {
        matches!(self, Self::Start | Self::Say)
    }
}

/// A command that a platform gave.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Its id.
    pub id: Rc<str>,
    /// What it asks for.
    pub asked: Asked,
    /// The customer's words.
    pub words: Rc<str>,
    /// The names of the customer's files.
    pub files: Vec<String>,
    /// Whether these words were said before: a start that joins passes them on once.
    pub repeats: bool,
    /// What became of it, by the events that told of it; and why.
    pub results: Vec<(&'static str, String)>,
}

/// The names of files that an action names by their addresses.
#[must_use]
pub fn names_of(files: &[File]) -> Vec<String> {
    files.iter().filter_map(|file| file.url.rsplit('/').next().map(str::to_owned)).collect()
}

/// Files as a command names them. What is called so runs out, and is to be fetched.
#[must_use]
pub fn files_json(files: &[String]) -> String {
    let file = |name: &String| {
        let fetch = name.starts_with("fetched");
        format!(r#"{{"url":"https://files.example/{name}","name":"{name}","fetch":{fetch}}}"#)
    };
    format!("[{}]", files.iter().map(file).collect::<Vec<_>>().join(","))
}

/// A chat.
#[derive(Debug)]
pub struct Chat {
    /// The row that it is kept in.
    pub key: ConversationKey,
    /// Its message group.
    pub group: Rc<str>,
    /// The workspace.
    pub workspace: usize,
    /// The platform's name of it.
    pub session: String,
    /// The company's own id of the customer.
    pub customer: Option<String>,
    /// By which channel the customer writes.
    pub channel: &'static str,
    /// What the platform has yet to give, in order; the first is on its way.
    pub outgoing: VecDeque<Box<CommandMessage>>,
    /// What lies on the platform's own queue.
    pub incoming: VecDeque<Rc<str>>,
    /// What was asked, in order.
    pub issued: Vec<Issue>,
    /// What the platform heard.
    pub heard: Heard,
    /// Where entries of its outbox began.
    pub births: Births,
    /// Commands of which Intercom refused something for good.
    pub refused: BTreeSet<Rc<str>>,
    /// Commands of which something was in doubt once.
    pub doubted: BTreeSet<Rc<str>>,
    /// The numbers of events of what people said after the end, ahead of a close of ours that was still to come.
    pub before_our_close: BTreeSet<u64>,
    /// The parts by which its messages were passed on, as far as the platform was told.
    pub passed_on: Vec<u64>,
    /// Its conversations in Intercom, in the order in which they were opened.
    pub talks: Vec<usize>,
}

impl Chat {
    /// A chat of a play, before anything was said.
    #[must_use]
    pub fn of(cast: &Cast, key: ConversationKey) -> Self {
        Self {
            group: key.to_string().into(),
            key,
            workspace: cast.workspace,
            session: cast.session.clone(),
            customer: cast.customer.clone(),
            channel: cast.channel,
            outgoing: VecDeque::new(),
            incoming: VecDeque::new(),
            issued: Vec::new(),
            heard: Heard::default(),
            births: Births::default(),
            refused: BTreeSet::new(),
            doubted: BTreeSet::new(),
            before_our_close: BTreeSet::new(),
            passed_on: Vec::new(),
            talks: Vec::new(),
        }
    }

    /// The command of this JSON, which the platform is to give after those before it.
    ///
    /// # Panics
    /// When it is none, which is a mistake of the simulation.
    #[must_use]
    pub fn command(&self, id: &str, json: &str) -> CommandMessage {
        let text =
            format!(r#"{{"id":"{id}","session":{{"app_id":"{}","id":"{}"}},{json}}}"#, self.key.app_id, self.session);
        CommandMessage::from_json(text.as_bytes()).unwrap_or_else(|why| panic!("{why}: {text}"))
    }

    /// What a start says of the customer.
    #[must_use]
    pub fn customer_json(&self) -> String {
        self.customer
            .as_ref()
            .map_or_else(|| "{}".to_owned(), |id| format!(r#"{{"external_id":"{id}","name":"Carla"}}"#))
    }

    /// The words that were said last.
    #[must_use]
    pub fn last_words(&self) -> Option<Rc<str>> {
        self.issued
            .iter()
            .rev()
            .find(|issue| issue.asked.speaks() && !issue.words.is_empty())
            .map(|issue| Rc::clone(&issue.words))
    }
}
