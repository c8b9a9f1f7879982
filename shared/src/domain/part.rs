//! What Intercom shows of a conversation: its parts and its present state, from a webhook or from
//! `GET /conversations/{id}`, which differ only in how much of it they carry.

use super::content::{Attachment, Author, AuthorKind, Body, Message, QuickReplies};
use super::conversation::Action;
use super::ids::{AdminId, ContactId, PartId, TeamId, Timestamp};
use super::transfer::Agent;
use serde::{Deserialize, Serialize};

/// Who a conversation is assigned to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    /// A teammate.
    Teammate(AdminId),
    /// A team.
    Team(TeamId),
    /// Nobody: the Unassigned inbox (`null` up to API 2.15, `0` from 2.16).
    Nobody,
}

/// What a part is. Intercom's `part_type` is an open set; what has no meaning here is `Other`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// A message (`comment`, `quick_reply`).
    Comment,
    /// A note: for teammates only.
    Note,
    /// An assignment (`assignment`, `assign_and_reopen` and their kin).
    Assignment,
    /// Opened again; with a body where a reply did it.
    Open,
    /// Closed; with a body where the closing teammate left one.
    Close,
    /// Snoozed.
    Snoozed,
    /// Woken from a snooze.
    Unsnoozed,
    /// Anything else.
    Other,
}

/// One part of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its id, which also orders it.
    pub id: PartId,
    /// What it is.
    pub kind: PartKind,
    /// Who made it.
    pub author: Author,
    /// Its text, if any.
    pub body: Option<Body>,
    /// Whom it assigns to; given for assignments.
    pub assigned_to: Option<Assignee>,
    /// Files with it.
    pub attachments: Vec<Attachment>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether its text has been deleted since.
    pub redacted: bool,
    /// Quick replies in it.
    pub quick_replies: QuickReplies,
    /// Whether an app made it, over the API. It may have been a bot, or a person who works in another
    /// tool.
    pub by_app: bool,
}

impl Part {
    /// The message that this part carries for the customer's eyes, if it carries one. Notes never
    /// do; an assignment, a close or an opening does when it has a body.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        let says_something = self.body.as_ref().is_some_and(|body| !body.text.trim().is_empty());
        let hidden = self.redacted || matches!(self.kind, PartKind::Note | PartKind::Other);
        let pressed = self.quick_replies.pressed.clone();
        if hidden || (!says_something && self.attachments.is_empty() && pressed.is_none()) {
            return None;
        }
        Some(Message {
            part_id: Some(self.id.clone()),
            author: self.author.clone(),
            body: self.body.clone().filter(|_| says_something),
            attachments: self.attachments.clone(),
            created_at: self.created_at,
            pressed,
            choice: None,
        })
    }

    /// Whether the bot's own teammate made it.
    #[must_use]
    pub fn is_by(&self, teammate: &AdminId) -> bool {
        self.author.kind == AuthorKind::Teammate && self.author.id == teammate.as_str()
    }
}

/// A customer's rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rating {
    /// 1 (worst) to 5.
    pub rating: u64,
    /// What the customer added.
    #[serde(default)]
    pub remark: Option<String>,
}

/// What is seen of a conversation at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Whether `parts` are all parts (up to Intercom's 500), as `GET` gives them, or only those
    /// that caused a notification.
    pub complete: bool,
    /// Whom it is assigned to: the teammate where there is one, else the team.
    pub assignee: Assignee,
    /// Whether it is open (snoozed counts as open).
    pub open: bool,
    /// The customer's first message. Its id is a message id, of another space than parts' ids.
    pub source: Option<Message>,
    /// The parts, in any order.
    pub parts: Vec<Part>,
    /// How many parts the conversation has in all (`statistics.count_conversation_parts`).
    pub part_count: Option<u64>,
    /// The customer's rating, if there is one.
    pub rating: Option<Rating>,
    /// Whom the conversation is with, and the conversation's own attributes. Known from `GET`.
    pub profile: Option<Profile>,
    /// The conversation's tags and attributes, where it is said which it has.
    pub traits: Traits,
    /// The customer, as Intercom knows them.
    pub contact: Option<ContactId>,
    /// The customer, by the company's own id.
    pub external_id: Option<String>,
    /// Who the teammates are that it names, as far as somebody has asked.
    pub crew: Vec<Agent>,
}

impl Observation {
    /// The teammates whom it names: who has it, to whom a part assigns it, who said something.
    #[must_use]
    pub fn teammates(&self) -> Vec<AdminId> {
        let assigned = self.parts.iter().filter_map(|part| part.assigned_to.as_ref()).chain([&self.assignee]);
        let assigned = assigned.filter_map(|to| match to {
            Assignee::Teammate(id) => Some(id.clone()),
            Assignee::Team(_) | Assignee::Nobody => None,
        });
        let authors = self.parts.iter().map(|part| &part.author).chain(self.source.iter().map(|source| &source.author));
        let authors = authors.filter(|author| author.kind == AuthorKind::Teammate);
        let authors = authors.filter_map(|author| AdminId::parse(author.id.clone()).ok());
        let mut all: Vec<AdminId> = Vec::new();
        for id in assigned.chain(authors) {
            if !all.contains(&id) {
                all.push(id);
            }
        }
        all
    }

    /// A teammate, with all that is known of them.
    #[must_use]
    pub fn agent(&self, id: &AdminId, name: Option<&String>) -> Agent {
        let named = Agent { id: id.clone(), name: name.cloned(), avatar: None };
        named.as_known(self.crew.iter().find(|agent| agent.id == *id))
    }

    /// The parts in order.
    #[must_use]
    pub fn parts_in_order(&self) -> Vec<&Part> {
        let mut parts: Vec<&Part> = self.parts.iter().collect();
        parts.sort_by(|one, other| one.id.cmp(&other.id));
        parts.dedup_by(|one, other| one.id == other.id);
        parts
    }

    /// The conversation as it was when it had so many parts.
    #[must_use]
    pub fn begin(&self, parts: usize) -> Self {
        let begin: Vec<Part> = self.parts_in_order().into_iter().take(parts).cloned().collect();
        Self { part_count: Some(begin.len() as u64), parts: begin, ..self.clone() }
    }

    /// A message of it, the first one where no part is named, if it is shown and for the customer's eyes.
    #[must_use]
    pub fn message(&self, part: Option<&PartId>) -> Option<Message> {
        match part {
            None => self.source.clone(),
            Some(id) => self.parts.iter().find(|part| part.id == *id)?.message(),
        }
    }

    /// What an action that looks something up shows, if Intercom shows it: messages for the customer's
    /// eyes, oldest first.
    #[must_use]
    pub fn looked_up(&self, action: &Action) -> Vec<Message> {
        match action {
            Action::Attachments { part_id } => self.message(part_id.as_ref()).into_iter().collect(),
            Action::Replay { from, to } => {
                let is_in = |id: &PartId| from.as_ref().is_none_or(|from| id >= from) && Some(id) <= to.as_ref();
                let source = self.source.iter().filter(|_| from.is_none()).cloned();
                let parts = self.parts_in_order().into_iter().filter(|part| is_in(&part.id));
                source.chain(parts.filter_map(Part::message)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether a teammate began it.
    #[must_use]
    pub fn is_begun_by_people(&self) -> bool {
        self.source.as_ref().is_some_and(|source| source.author.kind == AuthorKind::Teammate)
    }

    /// Whom it was last assigned to: what the last assignment says, else what the present state
    /// says. The former is preferred because a conversation can hold a teammate and a team at once.
    #[must_use]
    pub fn owner(&self) -> Assignee {
        let assignments = self.parts.iter().filter_map(|part| Some((&part.id, part.assigned_to.as_ref()?)));
        assignments.max_by(|one, other| one.0.cmp(other.0)).map_or_else(|| self.assignee.clone(), |last| last.1.clone())
    }

    /// This observation with the parts of a notification added, in case the answer to `GET` was
    /// older than the notification.
    #[must_use]
    pub fn with_parts_of(mut self, notification: &Observation) -> Self {
        for part in &notification.parts {
            if self.parts.iter().any(|known| known.id == part.id) {
                continue;
            }
            let newest = self.parts.iter().all(|known| known.id < part.id);
            if let (true, Some(to)) = (newest, &part.assigned_to) {
                self.assignee = to.clone();
            }
            self.parts.push(part.clone());
        }
        if self.source.is_none() {
            self.source.clone_from(&notification.source);
        }
        self
    }
}

/// What a conversation is marked with; none of what is not said.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Traits {
    /// Its tags.
    pub tags: Option<Vec<String>>,
    /// Its own attributes.
    pub attributes: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Eq for Traits {}

impl Traits {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.tags.is_none() && self.attributes.is_none()
    }

    /// What is shown of them now is what they are.
    pub fn learn(&mut self, shown: &Self) {
        if shown.tags.is_some() {
            self.tags.clone_from(&shown.tags);
        }
        if shown.attributes.is_some() {
            self.attributes.clone_from(&shown.attributes);
        }
    }
}

/// What is known of the customer and of the conversation itself; travels with each event to the
/// bot, for conditional routing and interpolation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Intercom's contact id.
    pub contact_id: Option<String>,
    /// The company's own id of the customer.
    pub external_id: Option<String>,
    /// `user` or `lead`.
    pub role: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Language of the customer's browser, or the one set for the customer.
    pub language: Option<String>,
    /// Country, region, city, as far as known.
    pub location: std::collections::BTreeMap<String, String>,
    /// The contact's custom attributes.
    pub contact_attributes: serde_json::Map<String, serde_json::Value>,
    /// The conversation's custom attributes.
    pub conversation_attributes: serde_json::Map<String, serde_json::Value>,
    /// The page on which the conversation began.
    pub url: Option<String>,
    /// How the conversation came in (`customer_initiated`, `operator_initiated`, …).
    pub delivered_as: Option<String>,
    /// The channel by which it came in (`conversation`, `email`, `whatsapp`, …).
    pub channel: Option<String>,
    /// The conversation's tags.
    pub tags: Vec<String>,
}

impl Eq for Profile {}

/// How many tags are known of a conversation.
const MAX_TAGS: usize = 100;

impl Profile {
    /// What is shown of the conversation's tags and attributes now is what it has.
    pub fn learn(&mut self, traits: &Traits) {
        if let Some(tags) = &traits.tags {
            self.tags.clone_from(tags);
        }
        if let Some(attributes) = &traits.attributes {
            self.conversation_attributes.clone_from(attributes);
        }
    }

    /// The conversation has one more tag. Intercom tells no case apart in them.
    pub fn tag(&mut self, name: &str) {
        if !self.is_tagged(name) && self.tags.len() < MAX_TAGS {
            self.tags.push(name.to_owned());
        }
    }

    /// Whether the conversation has this tag, however it is written.
    #[must_use]
    pub fn is_tagged(&self, name: &str) -> bool {
        self.tags.iter().any(|tag| tag.trim().to_lowercase() == name.trim().to_lowercase())
    }

    /// The value of an attribute: the conversation's, else the customer's. One that is null is not set.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&serde_json::Value> {
        let of = [&self.conversation_attributes, &self.contact_attributes];
        of.into_iter().filter_map(|attributes| attributes.get(name)).find(|value| !value.is_null())
    }

    /// Whether the customer writes by e-mail.
    #[must_use]
    pub fn is_by_email(&self) -> bool {
        self.channel.as_deref() == Some("email")
    }
}
