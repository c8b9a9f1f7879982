//! A chat at a bot platform, and the Intercom that it is relayed to: the real use cases over fakes.

use serde_json::Map;
use shared::app::heed::{News, heed};
use shared::app::{Desk, Report, Unfinished, carry_out, deliver, sweep};
use shared::domain::command::{Ask, Command, TransferStart};
use shared::domain::content::{Author, AuthorKind, Body, Message, QuickReplies};
use shared::domain::conversation::{Conversation, EventKind, Lane};
use shared::domain::ids::{AdminId, AppId, BotId, CommandId, ConversationKey, PartId, Timestamp};
use shared::domain::part::{Assignee, Observation, Part, PartKind};
use shared::domain::transfer::session_row;
use shared::ports::{Clock as _, Conversations as _, Worker};
use shared::testing::{
    BOT, CONTACT, FakeBots, FakeIntercom, FakeStore, FakeWakers, ManualClock, Numbered, Scene, settings_with,
};

use crate::now;

/// How long an invocation may take here, in milliseconds.
const INVOCATION_MS: u64 = 30_000;
/// How the settings hand chats over, unless a test says otherwise.
pub const TRANSFER: &str = r#"
[[workspace.transfer]]
bot = "demo"
[workspace.transfer.channels]
web = "team:500001"
"#;

/// The bridge, and one chat of the bot's own.
#[derive(Debug)]
pub struct Chat {
    /// Settings, store, wakers, clock.
    pub desk: Desk<FakeStore, FakeWakers, ManualClock>,
    /// Intercom.
    pub intercom: FakeIntercom,
    /// The bot.
    pub bots: FakeBots,
    names: Numbered,
}

impl Default for Chat {
    fn default() -> Self {
        Self::with(TRANSFER)
    }
}

impl Chat {
    /// A chat under these settings.
    #[must_use]
    pub fn with(transfer: &str) -> Self {
        let empty = Observation { source: None, ..Scene::default().whole() };
        Self {
            desk: Desk {
                settings: settings_with(transfer),
                store: FakeStore::default(),
                wakers: FakeWakers::default(),
                clock: ManualClock::at(1_768_040_000_000),
            },
            intercom: FakeIntercom::showing(empty, BOT),
            bots: FakeBots::default(),
            names: Numbered::default(),
        }
    }

    /// Where the chat is kept.
    ///
    /// # Panics
    /// Never: it has a name.
    #[must_use]
    pub fn home(&self) -> ConversationKey {
        let row = session_row(&bot(), "chat 7").unwrap_or_else(|error| panic!("{error}"));
        ConversationKey { app_id: app(), conversation_id: row }
    }

    /// What Intercom calls it, once it is opened.
    ///
    /// # Panics
    /// When it is not opened.
    #[must_use]
    pub fn in_intercom(&self) -> ConversationKey {
        let conversation_id = self.intercom.conversation().unwrap_or_else(|| panic!("it is not opened"));
        ConversationKey { app_id: app(), conversation_id }
    }

    /// The customer asks for people.
    pub fn started(&self, id: &str, text: &str) -> Report {
        self.asked(id, start(text)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The customer writes at the bot platform.
    pub fn wrote(&self, id: &str, text: &str) -> Report {
        self.asked(id, message(text)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The platform asks for something.
    ///
    /// # Errors
    /// As [`carry_out::carry_out`].
    pub fn asked(&self, id: &str, ask: Ask) -> Result<Report, Unfinished> {
        let command = Command {
            id: CommandId::parse(id).unwrap_or_else(|error| panic!("{error}")),
            bot: bot(),
            digest: format!("{ask:?}"),
            epoch: None,
            seq: None,
            ask,
        };
        self.carry_out(Lane::Replies, Some(&command))
    }

    /// A worker of a lane runs.
    ///
    /// # Errors
    /// As [`carry_out::carry_out`].
    pub fn carry_out(&self, lane: Lane, command: Option<&Command>) -> Result<Report, Unfinished> {
        let deadline = self.desk.clock.now().plus_ms(INVOCATION_MS);
        now(carry_out::carry_out(&self.desk, &self.intercom, &self.names, lane, &self.home(), command, deadline))
    }

    /// Time goes by; whoever the row waits for runs.
    pub fn time_goes_by(&self, ms: u64) {
        self.desk.clock.advance_ms(ms);
        self.desk.wakers.take();
        now(sweep::sweep(&self.desk)).unwrap_or_else(|error| panic!("{error}"));
        for worker in self.desk.wakers.take() {
            match worker {
                Worker::Router => drop(now(heed(&self.desk, &self.intercom, &self.home(), &News::Due))),
                Worker::Reply => drop(self.carry_out(Lane::Replies, None)),
                Worker::Close => drop(self.carry_out(Lane::Close, None)),
                Worker::Dispatch => {}
            }
        }
        let _ = self.carry_out(Lane::Replies, None);
        let _ = self.carry_out(Lane::Close, None);
        let _ = self.carry_out(Lane::Replies, None);
    }

    /// Something happens in Intercom, and Intercom notifies of it.
    pub fn happens(&self, kind: PartKind, author: Author, words: Option<&str>, to: Option<Assignee>) -> PartId {
        let id = self.happens_unseen(kind, author, words, to);
        self.notified();
        id
    }

    /// Something happens in Intercom, and Intercom does not notify of it.
    pub fn happens_unseen(&self, kind: PartKind, author: Author, words: Option<&str>, to: Option<Assignee>) -> PartId {
        let id = shared::testing::next_part();
        self.intercom.change(|shown| {
            match kind {
                PartKind::Close => shown.open = false,
                PartKind::Open => shown.open = true,
                _ => {}
            }
            if let Some(to) = &to {
                shown.assignee = to.clone();
            }
            shown.parts.push(Part {
                id: id.clone(),
                kind,
                author,
                body: words.map(|words| Body::html(format!("<p>{words}</p>"))),
                assigned_to: to,
                attachments: Vec::new(),
                created_at: Timestamp::default(),
                redacted: false,
                quick_replies: QuickReplies::default(),
                by_app: false,
            });
            shown.part_count = Some(shown.parts.len() as u64);
        });
        id
    }

    /// Intercom notifies of the last part; of the first message, where there is none.
    pub fn notified(&self) {
        self.try_notified().unwrap_or_else(|error| panic!("{error}"));
    }

    /// As [`Chat::notified`], for when it may fail.
    ///
    /// # Errors
    /// As [`heed`].
    pub fn try_notified(&self) -> Result<Report, Unfinished> {
        let mut seen = self.intercom.shown();
        seen.complete = false;
        seen.parts = seen.parts.last().cloned().into_iter().collect();
        now(heed(&self.desk, &self.intercom, &self.in_intercom(), &News::Shown(Box::new(seen))))
    }

    /// A teammate writes to the customer.
    pub fn teammate_says(&self, words: &str) -> PartId {
        self.happens(PartKind::Comment, teammate("900002"), Some(words), None)
    }

    /// A teammate writes a note.
    pub fn teammate_notes(&self, words: &str) -> PartId {
        self.happens(PartKind::Note, teammate("900002"), Some(words), None)
    }

    /// A teammate closes it.
    pub fn teammate_closes(&self) -> PartId {
        self.happens(PartKind::Close, teammate("900002"), None, None)
    }

    /// The customer writes in Intercom itself.
    pub fn customer_says(&self, words: &str) -> PartId {
        self.happens(PartKind::Comment, customer(), Some(words), None)
    }

    /// It is assigned.
    pub fn assigned(&self, to: Assignee) -> PartId {
        self.happens(PartKind::Assignment, teammate("900002"), None, Some(to))
    }

    /// What the bot is told now, each event in a word or two.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.events().iter().map(in_words).collect()
    }

    /// What the bot is told now.
    #[must_use]
    pub fn events(&self) -> Vec<EventKind> {
        let deadline = self.desk.clock.now().plus_ms(INVOCATION_MS);
        now(deliver::deliver(&self.desk, &self.bots, &self.home(), deadline)).unwrap_or_else(|error| panic!("{error}"));
        self.bots.take().into_iter().map(|event| event.kind).collect()
    }

    /// The bot is told, or does not take it.
    ///
    /// # Errors
    /// As [`deliver::deliver`].
    pub fn try_tell(&self) -> Result<Report, Unfinished> {
        let deadline = self.desk.clock.now().plus_ms(INVOCATION_MS);
        now(deliver::deliver(&self.desk, &self.bots, &self.home(), deadline))
    }

    /// What is stored.
    #[must_use]
    pub fn state(&self) -> Conversation {
        self.desk.store.conversation(&self.home())
    }

    /// What is stored under a name of Intercom's.
    #[must_use]
    pub fn row(&self, key: &ConversationKey) -> Conversation {
        now(self.desk.store.load(key)).unwrap_or_default().conversation
    }

    /// What people read in Intercom: who, and the words; notes and deeds by their kind.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        let shown = self.intercom.shown();
        let source = shown.source.iter().map(|source| format!("customer: {}", words(source)));
        let parts = shown.parts.iter().map(|part| {
            let who = match part.author.kind {
                AuthorKind::Customer => "customer",
                AuthorKind::Teammate if part.author.id == BOT => "bot",
                _ => "teammate",
            };
            let words = part.body.as_ref().map(shared::domain::incoming::text).unwrap_or_default();
            match part.kind {
                PartKind::Comment | PartKind::Open => format!("{who}: {words}"),
                PartKind::Note => format!("{who} notes: {}", words.lines().next().unwrap_or_default()),
                PartKind::Assignment => format!("{who} assigns"),
                PartKind::Close => format!("{who} closes"),
                _ => format!("{who} {:?}", part.kind),
            }
        });
        source.chain(parts).collect()
    }
}

fn words(message: &Message) -> String {
    message.body.as_ref().map(shared::domain::incoming::text).unwrap_or_default()
}

fn in_words(event: &EventKind) -> String {
    match event {
        EventKind::Message { message, .. } => format!("message {}", words(message)),
        EventKind::AgentMessage { message } => format!("agent_message {}", words(message)),
        EventKind::AgentJoined { teammate, .. } => format!("agent_joined {teammate}"),
        EventKind::AgentChanged { agent, former } => format!("agent_changed {} for {}", agent.id, former.id),
        EventKind::AgentLeft { agent } => format!("agent_left {}", agent.id),
        EventKind::Returned { by, stretch } => {
            format!("closed by {}: {}", by.as_str(), stretch.iter().map(words).collect::<Vec<_>>().join(", "))
        }
        EventKind::CommandDone { command_id, .. } => format!("done {command_id}"),
        EventKind::CommandRejected { command_id, code, .. } => format!("rejected {command_id} {code}"),
        EventKind::CommandSuperseded { command_id, .. } => format!("superseded {command_id}"),
        EventKind::TimedOut { patience, then, .. } => format!("timed_out {} {}", patience.as_str(), then.as_str()),
        other => other.as_str().to_owned(),
    }
}

fn app() -> AppId {
    AppId::parse("abc123").unwrap_or_else(|error| panic!("{error}"))
}

fn bot() -> BotId {
    BotId::parse("demo").unwrap_or_else(|error| panic!("{error}"))
}

/// A teammate, as the author of a part.
#[must_use]
pub fn teammate(id: &str) -> Author {
    Author { kind: AuthorKind::Teammate, id: id.to_owned(), name: Some("Alice".to_owned()) }
}

/// The customer, as the author of a part.
#[must_use]
pub fn customer() -> Author {
    Author { kind: AuthorKind::Customer, id: CONTACT.to_owned(), name: None }
}

/// A teammate, as an assignee.
///
/// # Panics
/// When it is no id.
#[must_use]
pub fn seat(id: &str) -> Assignee {
    Assignee::Teammate(AdminId::parse(id).unwrap_or_else(|error| panic!("{error}")))
}

/// A start with the customer's last words.
#[must_use]
pub fn start(text: &str) -> Ask {
    Ask::TransferStart(Box::new(TransferStart {
        session: "chat 7".to_owned(),
        channel: "web".to_owned(),
        text: text.to_owned(),
        reason: Some("wants a person".to_owned()),
        tags: vec!["from-bot".to_owned()],
        attributes: Map::from_iter([("order".to_owned(), serde_json::json!("12"))]),
        ..TransferStart::default()
    }))
}

/// What the customer writes.
#[must_use]
pub fn message(text: &str) -> Ask {
    Ask::TransferMessage { text: text.to_owned(), files: Vec::new() }
}
