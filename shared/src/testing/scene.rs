//! A workspace and its people, and a conversation that is told part by part.

use std::cell::Cell;

use crate::domain::content::{Attachment, Author, AuthorKind, Body, Message, QuickReplies};
use crate::domain::ids::{AdminId, ConversationKey, PartId, TeamId, Timestamp};
use crate::domain::part::{Assignee, Observation, Part, PartKind, Traits};
use crate::domain::settings::{Settings, Workspace};

/// The bot's teammate.
pub const BOT: &str = "900001";
/// A teammate.
pub const ALICE: &str = "900002";
/// The bot's team.
pub const BOT_TEAM: &str = "500009";
/// A team of people.
pub const SUPPORT: &str = "500001";
/// A customer.
pub const CUSTOMER: &str = "6762f0dd1bb69f9f2193bb83";

/// The workspace of the tests: one bot, `demo`, hand-overs to Support.
///
/// # Panics
/// Never: the text is a good settings file, which its own test shows.
#[must_use]
pub fn settings() -> Settings {
    settings_with("")
}

/// The same, with more of the workspace.
///
/// # Panics
/// When that is no part of a good settings file.
#[must_use]
pub fn settings_with(more: &str) -> Settings {
    let text = format!(
        r#"
local = true
[[workspace]]
app_id = "abc123"
webhook_path = "acme-7f3k2q"
region = "us"
api_url = "http://127.0.0.1:4020"
client_secret = "secret:acme"
bot_teammate = "900001"
bot_teams = ["500009"]
bot = "demo"
[workspace.handover]
default_team = "500001"
{more}
[[bot]]
id = "demo"
transport = "https"
url = "http://127.0.0.1:4030/events"
secret = "secret:demo"
"#
    );
    crate::wire::settings::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// The one workspace of [`settings`].
///
/// # Panics
/// Never: there is one.
#[must_use]
pub fn workspace() -> Workspace {
    settings().workspaces.into_values().next().unwrap_or_else(|| panic!("there is a workspace"))
}

/// A conversation of the workspace.
///
/// # Panics
/// Never: it is a key.
#[must_use]
pub fn key() -> ConversationKey {
    "abc123#215470000000001".parse().unwrap_or_else(|_| panic!("it is a key"))
}

/// A conversation in Intercom, told part by part. What it shows can be looked at whole, or as the
/// notification of its last part.
#[derive(Debug, Clone)]
pub struct Scene {
    source: Message,
    parts: Vec<Part>,
    assignee: Assignee,
    open: bool,
}

impl Default for Scene {
    fn default() -> Self {
        Self::new("Hello")
    }
}

thread_local! {
    /// A test is a thread, so that its parts have the same numbers whatever runs beside it.
    static LAST: Cell<u64> = const { Cell::new(1_000) };
}

/// The next part's number. People's parts and our own share one sequence, as in Intercom.
pub(super) fn next_part_number() -> u64 {
    LAST.set(LAST.get() + 1);
    LAST.get()
}

/// The next part's id.
///
/// # Panics
/// Never: a number is an id.
#[must_use]
pub fn next_part() -> PartId {
    PartId::parse(next_part_number().to_string()).unwrap_or_else(|_| panic!("a number is an id"))
}

fn author(kind: AuthorKind, id: &str, name: &str) -> Author {
    Author { kind, id: id.to_owned(), name: Some(name.to_owned()) }
}

impl Scene {
    /// The customer begins.
    #[must_use]
    pub fn new(words: &str) -> Self {
        let source = Message {
            part_id: None,
            author: author(AuthorKind::Customer, CUSTOMER, "Carla"),
            body: Some(Body::html(format!("<p>{words}</p>"))),
            attachments: Vec::new(),
            created_at: Timestamp::from_seconds(1_768_031_789),
            pressed: None,
            choice: None,
        };
        Self { source, parts: Vec::new(), assignee: Assignee::Nobody, open: true }
    }

    fn part(&mut self, kind: PartKind, author: Author, words: Option<&str>, to: Option<Assignee>) -> &mut Self {
        let number = next_part_number();
        self.parts.push(Part {
            id: PartId::parse(number.to_string()).unwrap_or_else(|_| panic!("a number is an id")),
            kind,
            author,
            body: words.map(|words| Body::html(format!("<p>{words}</p>"))),
            assigned_to: to,
            attachments: Vec::new(),
            created_at: Timestamp::from_seconds(1_768_031_789 + number),
            redacted: false,
            quick_replies: QuickReplies::default(),
            by_app: false,
        });
        self
    }

    /// The customer writes; a closed conversation opens again.
    pub fn customer(&mut self, words: &str) -> &mut Self {
        let kind = if self.open { PartKind::Comment } else { PartKind::Open };
        self.open = true;
        self.part(kind, author(AuthorKind::Customer, CUSTOMER, "Carla"), Some(words), None)
    }

    /// The customer presses a button; its label is the text where Intercom gives one.
    pub fn presses(&mut self, uuid: &str, words: Option<&str>) -> &mut Self {
        self.part(PartKind::Comment, author(AuthorKind::Customer, CUSTOMER, "Carla"), words, None);
        if let Some(part) = self.parts.last_mut() {
            part.quick_replies.pressed = Some(uuid.to_owned());
        }
        self
    }

    /// The customer writes at this moment, in Intercom's whole seconds.
    pub fn customer_now(&mut self, words: &str, now: Timestamp) -> &mut Self {
        self.customer(words);
        if let Some(part) = self.parts.last_mut() {
            part.created_at = Timestamp::from_seconds(now.seconds());
        }
        self
    }

    /// Files with the last part.
    pub fn files(&mut self, files: impl IntoIterator<Item = Attachment>) -> &mut Self {
        if let Some(part) = self.parts.last_mut() {
            part.attachments.extend(files);
        }
        self
    }

    /// Files with the first message.
    pub fn first_files(&mut self, files: impl IntoIterator<Item = Attachment>) -> &mut Self {
        self.source.attachments.extend(files);
        self
    }

    /// Alice writes.
    pub fn alice(&mut self, words: &str) -> &mut Self {
        self.part(PartKind::Comment, author(AuthorKind::Teammate, ALICE, "Alice"), Some(words), None)
    }

    /// Alice writes a note, about when the tests' clocks begin.
    pub fn note(&mut self, words: &str) -> &mut Self {
        self.note_now(words, Timestamp::from_seconds(1_768_040_000))
    }

    /// Alice writes a note at this moment.
    pub fn note_now(&mut self, words: &str, now: Timestamp) -> &mut Self {
        self.part(PartKind::Note, author(AuthorKind::Teammate, ALICE, "Alice"), Some(words), None);
        if let Some(part) = self.parts.last_mut() {
            part.created_at = Timestamp::from_seconds(now.seconds());
        }
        self
    }

    /// Fin writes.
    pub fn operator(&mut self, words: &str) -> &mut Self {
        self.part(PartKind::Comment, author(AuthorKind::Operator, "1", "Fin"), Some(words), None)
    }

    /// The bot's teammate wrote.
    pub fn bot(&mut self, words: &str) -> &mut Self {
        self.part(PartKind::Comment, author(AuthorKind::Teammate, BOT, "Baton Bot"), Some(words), None)
    }

    /// Somebody assigns: Alice, or a workflow.
    pub fn assign(&mut self, by: AuthorKind, to: Assignee) -> &mut Self {
        self.assignee = to.clone();
        self.part(PartKind::Assignment, author(by, ALICE, "Alice"), None, Some(to))
    }

    /// A workflow assigns to the bot's team.
    pub fn assign_to_bot(&mut self) -> &mut Self {
        self.assign(AuthorKind::Operator, Assignee::Team(TeamId::parse(BOT_TEAM).unwrap_or_else(|_| panic!("an id"))))
    }

    /// Alice gives it back to the bot's teammate.
    pub fn give_back(&mut self) -> &mut Self {
        self.assign(AuthorKind::Teammate, Assignee::Teammate(AdminId::parse(BOT).unwrap_or_else(|_| panic!("an id"))))
    }

    /// Alice takes it.
    pub fn alice_takes(&mut self) -> &mut Self {
        self.assign(AuthorKind::Teammate, Assignee::Teammate(AdminId::parse(ALICE).unwrap_or_else(|_| panic!("an id"))))
    }

    /// Alice closes.
    pub fn close(&mut self) -> &mut Self {
        self.open = false;
        self.part(PartKind::Close, author(AuthorKind::Teammate, ALICE, "Alice"), None, None)
    }

    /// The bot's teammate closed, with these words.
    pub fn own_close(&mut self, words: &str) -> &mut Self {
        self.open = false;
        let words = Some(words).filter(|words| !words.is_empty());
        self.part(PartKind::Close, author(AuthorKind::Teammate, BOT, "Baton Bot"), words, None)
    }

    /// The bot's teammate wrote; a closed conversation opens again.
    pub fn own_reply(&mut self, words: &str) -> &mut Self {
        let kind = if self.open { PartKind::Comment } else { PartKind::Open };
        self.open = true;
        self.part(kind, author(AuthorKind::Teammate, BOT, "Baton Bot"), Some(words), None)
    }

    /// The bot's teammate assigned.
    pub fn own_assign(&mut self, to: Assignee) -> &mut Self {
        (self.assignee, self.open) = (to.clone(), true);
        self.part(PartKind::Assignment, author(AuthorKind::Teammate, BOT, "Baton Bot"), None, Some(to))
    }

    /// Alice opens it again.
    pub fn reopen(&mut self) -> &mut Self {
        self.open = true;
        self.part(PartKind::Open, author(AuthorKind::Teammate, ALICE, "Alice"), None, None)
    }

    /// Alice snoozes.
    pub fn snooze(&mut self) -> &mut Self {
        self.part(PartKind::Snoozed, author(AuthorKind::Teammate, ALICE, "Alice"), None, None)
    }

    /// The last part came over the API.
    pub fn over_the_api(&mut self) -> &mut Self {
        if let Some(part) = self.parts.last_mut() {
            part.by_app = true;
        }
        self
    }

    /// The last part's text is deleted.
    pub fn redact_last(&mut self) -> &mut Self {
        if let Some(part) = self.parts.last_mut() {
            part.redacted = true;
        }
        self
    }

    /// The first part's text is deleted that the customer wrote.
    pub fn redact_first(&mut self) -> &mut Self {
        let written = self.parts.iter_mut().find(|part| part.author.kind == AuthorKind::Customer);
        if let Some(part) = written {
            part.redacted = true;
        }
        self
    }

    /// What `GET` shows.
    #[must_use]
    pub fn whole(&self) -> Observation {
        Observation {
            complete: true,
            assignee: self.assignee.clone(),
            open: self.open,
            source: Some(self.source.clone()),
            parts: self.parts.clone(),
            part_count: Some(self.parts.len() as u64),
            rating: None,
            profile: None,
            traits: Traits::default(),
            contact: None,
            external_id: None,
            crew: Vec::new(),
        }
    }

    /// What the notification of the last part shows; of the first message, where there is none.
    #[must_use]
    pub fn notification(&self) -> Observation {
        Observation { complete: false, parts: self.parts.last().cloned().into_iter().collect(), ..self.whole() }
    }
}
