//! Intercom: conversations, what people and Baton do in them, what is shown of them, and the
//! webhooks that tell of it.

use std::fmt::Write as _;
use std::rc::Rc;

use shared::domain::ids::{AdminId, ConversationKey, TeamId};
use shared::domain::part::{Assignee, Observation};
use shared::testing::{ALICE, BOT, BOT_TEAM, CUSTOMER, SUPPORT};
use shared::wire::intercom::{
    AttachmentItem, AuthorItem, ContactRef, ContactRefs, ConversationItem, DateStyle, Id, PartItem, PartList,
    RatingItem, SourceItem, Statistics,
};

/// A second teammate.
pub const BOB: &str = "900003";

/// Who acts in Intercom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The customer.
    Customer,
    /// A teammate.
    Alice,
    /// Another.
    Bob,
    /// The bot's own teammate, through the API.
    Bot,
    /// A workflow, or Fin.
    Workflow,
}

impl Who {
    fn author(self) -> (&'static str, &'static str) {
        match self {
            Self::Customer => ("user", CUSTOMER),
            Self::Alice => ("admin", ALICE),
            Self::Bob => ("admin", BOB),
            Self::Bot => ("admin", BOT),
            Self::Workflow => ("bot", "1"),
        }
    }

    /// Whether it is a person of the team.
    #[must_use]
    pub fn is_person(self) -> bool {
        matches!(self, Self::Alice | Self::Bob)
    }
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Something that the customer sees is said.
    Say(String),
    /// The same with files, by their names; without words where they are empty.
    Send(String, Vec<String>),
    /// A note.
    Note(String),
    /// An assignment.
    Assign(Assignee),
    /// The teammate who has it is taken off it; a team keeps it.
    LeaveSeat,
    /// Closing, with words or without.
    Close(Option<String>),
    /// Opening again.
    Open,
    /// Snoozing.
    Snooze,
    /// The customer's rating.
    Rate(u64),
    /// The text of the customer's last message is deleted.
    Redact,
    /// The text of the customer's first message after the beginning is deleted.
    RedactFirst,
    /// The text of this part is deleted.
    RedactPart(u64),
    /// The conversation is deleted.
    Delete,
}

/// Which of Baton's actions made a part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Made {
    /// In which life of the row.
    pub life: u32,
    /// The outbox entry.
    pub seq: u64,
    /// The command.
    pub command: Option<Rc<str>>,
}

/// A part.
#[derive(Debug, Clone)]
pub struct Said {
    /// Its number.
    pub id: u64,
    /// Intercom's type of it.
    pub kind: &'static str,
    /// Who made it.
    pub who: Who,
    /// Its text; empty for none.
    pub text: Rc<str>,
    /// The names of its files.
    pub files: Vec<String>,
    /// Whom it assigns to.
    pub to: Option<Assignee>,
    /// Whether its text was deleted.
    pub redacted: bool,
    /// When it was made.
    pub at: u64,
    /// Which action made it.
    pub made: Option<Made>,
}

impl Said {
    /// Whether the customer sees words in it, or files.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.says_something() && !self.redacted && self.kind != "note"
    }

    /// Whether there are words in it, or files.
    #[must_use]
    pub fn says_something(&self) -> bool {
        !(self.text.is_empty() && self.files.is_empty())
    }
}

/// What can be read of a conversation beside its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Face {
    /// The teammate who has it.
    pub admin: Option<AdminId>,
    /// The team that has it.
    pub team: Option<TeamId>,
    /// Whether it is open.
    pub open: bool,
    /// The rating.
    pub rating: Option<u64>,
}

/// A conversation.
#[derive(Debug)]
pub struct Talk {
    /// Its address.
    pub key: ConversationKey,
    /// Its message group.
    pub group: Rc<str>,
    /// The first message.
    pub first: Rc<str>,
    /// The names of its files.
    pub first_files: Vec<String>,
    /// Whether that was deleted.
    pub first_redacted: bool,
    /// Who began it.
    pub starter: Who,
    /// Its customer, where it is not everybody's.
    pub contact: Option<Rc<str>>,
    /// The bot platform's chat that it is the relaying of.
    pub chat: Option<usize>,
    /// Which action opened it.
    pub begun_by: Option<Made>,
    /// The last part of the workspace when it was opened.
    pub begun_after: u64,
    /// When it was opened.
    pub begun_at: u64,
    /// Its parts.
    pub parts: Vec<Said>,
    /// How it stands.
    pub face: Face,
    /// Whether it was deleted.
    pub deleted: bool,
    /// How it stood before: when that ended, and how many parts there were.
    past: Vec<(u64, usize, Face)>,
    /// Whether a webhook was lost for good, so that only a search can tell.
    pub missed: bool,
    /// When it last changed.
    pub updated_at: u64,
}

/// A webhook on its way.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Of which conversation.
    pub talk: usize,
    /// What is posted.
    pub body: Rc<str>,
    /// The delivery's id.
    pub id: u64,
    /// How often it was tried.
    pub attempts: u32,
}

fn is_so(present: &Face, to: &Assignee) -> bool {
    shown_assignee(present) == *to
}

fn shown_assignee(face: &Face) -> Assignee {
    match (&face.admin, &face.team) {
        (Some(admin), _) => Assignee::Teammate(admin.clone()),
        (None, Some(team)) => Assignee::Team(team.clone()),
        (None, None) => Assignee::Nobody,
    }
}

/// The bot's teammate.
///
/// # Panics
/// Never: it is an id.
#[must_use]
pub fn bot_teammate() -> Assignee {
    Assignee::Teammate(AdminId::parse(BOT).unwrap())
}

/// The bot's team.
///
/// # Panics
/// Never: it is an id.
#[must_use]
pub fn bot_team() -> Assignee {
    Assignee::Team(TeamId::parse(BOT_TEAM).unwrap())
}

/// The people's team.
///
/// # Panics
/// Never: it is an id.
#[must_use]
pub fn support() -> Assignee {
    Assignee::Team(TeamId::parse(SUPPORT).unwrap())
}

/// A teammate.
///
/// # Panics
/// Never: these are ids.
#[must_use]
pub fn teammate(who: Who) -> Assignee {
    Assignee::Teammate(AdminId::parse(if who == Who::Bob { BOB } else { ALICE }).unwrap())
}

/// Whether the bot has what is assigned so.
#[must_use]
pub fn is_bots(to: &Assignee) -> bool {
    *to == bot_teammate() || *to == bot_team()
}

/// Files, as Intercom shows them.
fn shown_files(files: &[String], redacted: bool) -> Vec<AttachmentItem> {
    let shown = |name: &String| AttachmentItem {
        name: Some(name.clone()),
        url: Some(format!("https://intercom.example/{name}")),
        content_type: Some("image/png".to_owned()),
        filesize: Some(7),
    };
    files.iter().filter(|_| !redacted).map(shown).collect()
}

impl Talk {
    /// A new conversation, with the customer's first message.
    #[must_use]
    pub fn new(key: ConversationKey, first: &str) -> Self {
        Self {
            group: key.to_string().into(),
            key,
            first: first.into(),
            first_files: Vec::new(),
            first_redacted: false,
            starter: Who::Customer,
            contact: None,
            chat: None,
            begun_by: None,
            begun_after: 0,
            begun_at: 0,
            parts: Vec::new(),
            face: Face { admin: None, team: None, open: true, rating: None },
            deleted: false,
            past: Vec::new(),
            missed: false,
            updated_at: 0,
        }
    }

    /// Whether it already is as an action of Baton's wants it.
    #[must_use]
    pub fn is_assigned_to(&self, to: &Assignee) -> bool {
        is_so(&self.face, to)
    }

    /// Whether the bot has it.
    #[must_use]
    pub fn is_bots(&self) -> bool {
        is_bots(&shown_assignee(&self.face))
    }

    /// Does something. Gives the number of the part that it makes and the topics that tell of it;
    /// nothing where it cannot be done.
    pub fn happens(
        &mut self,
        who: Who,
        deed: &Deed,
        id: u64,
        at: u64,
        made: Option<Made>,
    ) -> Option<Vec<&'static str>> {
        if self.deleted {
            return None;
        }
        self.past.push((at, self.parts.len(), self.face.clone()));
        self.updated_at = at;
        let (mut kind, mut text, mut to) = ("comment", Rc::from(""), None);
        let files = if let Deed::Send(_, files) = deed { files.clone() } else { Vec::new() };
        let topics: Vec<&'static str> = match deed {
            Deed::Say(words) | Deed::Send(words, _) => {
                if !self.face.open {
                    kind = "open";
                    self.face.open = true;
                }
                text = Rc::from(words.as_str());
                match who {
                    Who::Customer => vec!["conversation.user.replied"],
                    Who::Workflow => vec!["conversation.operator.replied", "conversation.admin.replied"],
                    _ => vec!["conversation.admin.replied"],
                }
            }
            Deed::Note(words) => {
                (kind, text) = ("note", Rc::from(words.as_str()));
                vec!["conversation.admin.noted"]
            }
            Deed::Assign(assignee) => {
                match assignee {
                    Assignee::Teammate(admin) => self.face.admin = Some(admin.clone()),
                    Assignee::Team(team) => {
                        self.face.team = Some(team.clone());
                        // People and workflows move it whole; Baton's own request leaves the teammate.
                        if who != Who::Bot {
                            self.face.admin = None;
                        }
                    }
                    Assignee::Nobody => (self.face.admin, self.face.team) = (None, None),
                }
                to = Some(assignee.clone());
                kind = if self.face.open { "assignment" } else { "assign_and_reopen" };
                let also =
                    if self.face.open { "conversation.admin.open.assigned" } else { "conversation.admin.opened" };
                self.face.open = true;
                vec!["conversation.admin.assigned", also]
            }
            Deed::LeaveSeat => {
                self.face.admin = None;
                to = Some(Assignee::Nobody);
                kind = if self.face.open { "assignment" } else { "assign_and_reopen" };
                self.face.open = true;
                vec!["conversation.admin.assigned"]
            }
            Deed::Close(words) => {
                if !self.face.open {
                    return None;
                }
                self.face.open = false;
                kind = "close";
                text = words.as_deref().map_or(text, Rc::from);
                vec!["conversation.admin.closed"]
            }
            Deed::Open => {
                if self.face.open {
                    return None;
                }
                self.face.open = true;
                kind = "open";
                vec!["conversation.admin.opened"]
            }
            Deed::Snooze => {
                kind = "snoozed";
                vec!["conversation.admin.snoozed"]
            }
            Deed::Rate(rating) => {
                self.face.rating = Some(*rating);
                kind = "conversation_rating_changed";
                vec!["conversation.rating.added"]
            }
            Deed::Redact => {
                let last = self.parts.iter_mut().rev().find(|part| part.is_seen() && part.who == Who::Customer)?;
                last.redacted = true;
                return Some(vec!["conversation_part.redacted"]);
            }
            Deed::RedactFirst => {
                let first = self.parts.iter_mut().find(|part| part.is_seen() && part.who == Who::Customer)?;
                first.redacted = true;
                return Some(vec!["conversation_part.redacted"]);
            }
            Deed::RedactPart(id) => {
                let part = self.parts.iter_mut().find(|part| part.id == *id && !part.redacted)?;
                part.redacted = true;
                return Some(vec!["conversation_part.redacted"]);
            }
            Deed::Delete => {
                self.deleted = true;
                return Some(vec!["conversation.deleted"]);
            }
        };
        self.parts.push(Said { id, kind, who, text, files, to, redacted: false, at, made });
        Some(topics)
    }

    /// What `GET` shows, as it was so many milliseconds ago: the newest parts, so many at most.
    #[must_use]
    pub fn shown(&self, now: u64, age_ms: u64, most: usize) -> Observation {
        let as_of = now.saturating_sub(age_ms);
        let past = self.past.iter().find(|(ended, ..)| age_ms > 0 && *ended > as_of);
        let (count, face) = past.map_or((self.parts.len(), &self.face), |(_, count, face)| (*count, face));
        self.item(&self.parts[count.saturating_sub(most)..count], face, count).observation(true)
    }

    /// When it last changed, as Intercom tells it: in seconds; at their end, in milliseconds.
    #[must_use]
    pub fn updated_second(&self) -> u64 {
        self.updated_at / 1_000 * 1_000 + 999
    }

    /// How it stood before whatever ended after that moment, with how many parts.
    pub fn past_since(&self, moment: u64) -> impl Iterator<Item = &(u64, usize, Face)> {
        self.past.iter().filter(move |(ended, ..)| *ended > moment)
    }

    /// What a search shows of it, as its index had it so many milliseconds ago.
    #[must_use]
    pub fn found(&self, now: u64, age_ms: u64) -> Observation {
        let as_of = now.saturating_sub(age_ms);
        let past = self.past.iter().find(|(ended, ..)| age_ms > 0 && *ended > as_of);
        let (count, face) = past.map_or((self.parts.len(), &self.face), |(_, count, face)| (*count, face));
        self.item(&[], face, count).observation(false)
    }

    fn author(&self, who: Who) -> (&'static str, &str) {
        match (who, &self.contact) {
            (Who::Customer, Some(contact)) => ("user", contact),
            _ => who.author(),
        }
    }

    fn item(&self, parts: &[Said], face: &Face, count: usize) -> ConversationItem {
        let author = |who: Who| {
            let (kind, id) = self.author(who);
            AuthorItem { kind: Some(kind.to_owned()), id: Some(Id(id.to_owned())), name: None }
        };
        let assigned = |to: &Assignee| {
            let item = |kind: &str, id: &str| AuthorItem {
                kind: Some(kind.to_owned()),
                id: Some(Id(id.to_owned())),
                name: None,
            };
            match to {
                Assignee::Teammate(admin) => item("admin", admin.as_str()),
                Assignee::Team(team) => item("team", team.as_str()),
                Assignee::Nobody => item("nobody_admin", "0"),
            }
        };
        let part = |said: &Said| PartItem {
            id: Some(Id(said.id.to_string())),
            part_type: Some(said.kind.to_owned()),
            body: (!said.text.is_empty() && !said.redacted).then(|| said.text.to_string()),
            created_at: Some(said.at / 1_000),
            assigned_to: said.to.as_ref().map(assigned),
            author: Some(author(said.who)),
            attachments: shown_files(&said.files, said.redacted),
            redacted: Some(said.redacted),
            metadata: None,
            app_package_code: None,
        };
        ConversationItem {
            id: Some(Id(self.key.conversation_id.to_string())),
            open: Some(face.open),
            state: None,
            admin_assignee_id: face.admin.as_ref().map(|id| Id(id.to_string())),
            team_assignee_id: face.team.as_ref().map(|id| Id(id.to_string())),
            contacts: self.contact.as_ref().map(|contact| ContactRefs {
                contacts: vec![ContactRef { id: Some(Id(contact.to_string())), external_id: None }],
            }),
            created_at: (self.begun_at > 0).then_some(self.begun_at / 1_000),
            source: Some(SourceItem {
                id: None,
                author: Some(author(self.starter)),
                body: (!self.first_redacted).then(|| self.first.to_string()),
                attachments: shown_files(&self.first_files, self.first_redacted),
                redacted: Some(self.first_redacted),
            }),
            conversation_parts: Some(PartList { conversation_parts: parts.iter().map(part).collect() }),
            statistics: Some(Statistics { count_conversation_parts: Some(count as u64), dates: Some(DateStyle::Iso) }),
            conversation_rating: face.rating.map(|rating| RatingItem { rating: Some(rating), remark: None }),
            tags: None,
            custom_attributes: None,
            legacy: false,
        }
    }

    /// A notification of this topic, with the last part where there is one to show.
    #[must_use]
    pub fn notification(&self, topic: &str, id: u64) -> String {
        let mut text = format!(
            r#"{{"type":"notification_event","app_id":"{}","id":"notif_{id}","topic":"{topic}","delivery_attempts":1,"data":{{"type":"notification_event_data","item":{{"type":"conversation","#,
            self.key.app_id
        );
        // Writing to a text cannot fail.
        if topic == "conversation.deleted" {
            let _ = write!(text, r#""conversation_id":"{}"}}}}}}"#, self.key.conversation_id);
            return text;
        }
        let number = |id: Option<&str>| id.map_or_else(|| "null".to_owned(), str::to_owned);
        let first = if self.first_redacted { "" } else { &*self.first };
        let (kind, author) = self.author(self.starter);
        let _ = write!(
            text,
            r#""id":"{}","open":{},"admin_assignee_id":{},"team_assignee_id":{},"source":{{"type":"conversation","body":"{first}","author":{{"type":"{kind}","id":"{author}"}},"attachments":{},"redacted":{}}},"statistics":{{"first_contact_reply_at":"2026-01-10T07:56:29.000Z","count_conversation_parts":{}}},"#,
            self.key.conversation_id,
            self.face.open,
            number(self.face.admin.as_ref().map(AdminId::as_str)),
            number(self.face.team.as_ref().map(TeamId::as_str)),
            serde_json::to_string(&shown_files(&self.first_files, self.first_redacted)).unwrap_or_default(),
            self.first_redacted,
            self.parts.len(),
        );
        if let Some(contact) = &self.contact {
            let _ = write!(
                text,
                r#""contacts":{{"type":"contact.list","contacts":[{{"type":"contact","id":"{contact}"}}]}},"#
            );
        }
        if let Some(rating) = self.face.rating {
            let _ = write!(text, r#""conversation_rating":{{"rating":{rating}}},"#);
        }
        let last = if topic == "conversation_part.redacted" {
            self.parts.iter().rev().find(|part| part.redacted)
        } else {
            self.parts.last()
        };
        text.push_str(r#""conversation_parts":{"type":"conversation_part.list","conversation_parts":["#);
        let begins = matches!(topic, "conversation.user.created" | "conversation.admin.single.created");
        if let Some(said) = last.filter(|_| !begins) {
            let (kind, author) = self.author(said.who);
            let _ = write!(
                text,
                r#"{{"type":"conversation_part","id":"{}","part_type":"{}","created_at":{},"author":{{"type":"{kind}","id":"{author}"}},"redacted":{},"attachments":{},"#,
                said.id,
                said.kind,
                said.at / 1_000,
                said.redacted,
                serde_json::to_string(&shown_files(&said.files, said.redacted)).unwrap_or_default()
            );
            match &said.to {
                Some(Assignee::Teammate(id)) => {
                    let _ = write!(text, r#""assigned_to":{{"type":"admin","id":"{id}"}},"#);
                }
                Some(Assignee::Team(id)) => {
                    let _ = write!(text, r#""assigned_to":{{"type":"team","id":"{id}"}},"#);
                }
                _ => text.push_str(r#""assigned_to":null,"#),
            }
            if said.text.is_empty() || said.redacted {
                text.push_str(r#""body":null}"#);
            } else {
                let _ = write!(text, r#""body":{}}}"#, serde_json::Value::from(&*said.text));
            }
        }
        text.push_str("]}}}}");
        text
    }
}
