//! What people and programs say in a workspace, and which notifications each deed fires.
//!
//! What they do besides talking is in `assigning`, `edits`, `participants` and `merging`.
//!
//! The rules are Intercom's where they are documented or were captured; where neither says,
//! the comment does. Everything runs under the workspace's lock. Bodies arrive as stored HTML.

use serde_json::{Map, json};

use super::alarms::Alarm;
use super::error::{Answer, ApiError};
use super::model::{AiAgent, Author, Conversation, Message, Part, PartType, Source, State, Statistics};
use super::parts::Parts;
use super::render::{self, Style};
use super::topic::Topic;
use super::workspace::Workspace;

/// Who acts through what: a person in the inbox or Messenger, or an app through REST, whose
/// package code its parts carry.
pub(crate) type Via<'a> = Option<&'a str>;

/// What a teammate's reply is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyKind {
    Comment,
    Note,
    QuickReply,
}

impl Workspace {
    /// A contact writes first.
    pub(crate) fn start_by_contact(&mut self, contact_id: &str, message: Message) -> Answer<u64> {
        let author = self.contact_author(contact_id)?;
        let at = message.created_at.unwrap_or_else(|| self.clock.now());
        let id = self.start(author, contact_id, message, at);
        let conversation = self.conversation_mut(id)?;
        conversation.waiting_since = Some(at);
        conversation.statistics.first_contact_reply_at = Some(at);
        conversation.statistics.last_contact_reply_at = Some(at);
        self.contact_wrote(contact_id, at);
        self.notify(Topic::UserCreated, id, &[]);
        self.customer_wrote(id, true)?;
        Ok(id)
    }

    /// A teammate writes first, to one contact.
    pub(crate) fn start_by_admin(&mut self, admin_id: u64, contact_id: &str, message: Message) -> Answer<u64> {
        let author = self.admin_author(admin_id)?;
        self.contact_author(contact_id)?;
        let at = self.clock.now();
        let id = self.start(author, contact_id, message, at);
        self.conversation_mut(id)?.teammates.insert(admin_id);
        self.notify(Topic::AdminSingleCreated, id, &[]);
        Ok(id)
    }

    pub(crate) fn start(&mut self, author: Author, contact_id: &str, message: Message, at: u64) -> u64 {
        let id = self.counters.conversation();
        let source = Source {
            id: message.id.unwrap_or_else(|| self.counters.message()),
            body: message.body.unwrap_or_default(),
            author,
            attachments: message.attachments,
            redacted: false,
            email: message.email,
            url: message.url,
        };
        let conversation = Conversation {
            id,
            created_at: at,
            updated_at: at,
            waiting_since: None,
            snoozed_until: None,
            source,
            contact_ids: vec![contact_id.to_owned()],
            admin_assignee: None,
            team_assignee: None,
            state: State::Open,
            read: false,
            tags: Vec::new(),
            title: None,
            custom_attributes: Map::new(),
            rating: None,
            teammates: Default::default(),
            parts: Parts::default(),
            statistics: Statistics::default(),
            ai_agent: None,
            has_priority: false,
            linked: Vec::new(),
            merged_into: None,
            read_by_customer: 0,
        };
        let entry = json!({
            "kind": "source",
            "source": render::list_item(self, &conversation, Style::control())["source"],
        });
        self.history.keep(id, None);
        self.conversations.insert(id, conversation);
        self.record(id, entry);
        id
    }

    /// A contact of the conversation writes again. A conversation that is closed or snoozed
    /// opens, and the part is then of type `open`.
    pub(crate) fn contact_reply(&mut self, id: u64, contact_id: &str, message: Message, via: Via<'_>) -> Answer<u64> {
        let author = self.contact_author(contact_id)?;
        let at = message.created_at.unwrap_or_else(|| self.clock.now());
        let conversation = self.conversation_mut(id)?;
        if !conversation.contact_ids.iter().any(|one| one == contact_id) {
            return Err(ApiError::no_contact());
        }
        let part_type = if reopen(conversation) { PartType::Open } else { PartType::Comment };
        conversation.read = false;
        conversation.waiting_since.get_or_insert(at);
        let statistics = &mut conversation.statistics;
        statistics.first_contact_reply_at.get_or_insert(at);
        statistics.last_contact_reply_at = Some(at);
        self.contact_wrote(contact_id, at);
        let part = self.part(id, part_type, author, message, via)?;
        let part_id = self.append(id, part)?;
        self.notify(Topic::UserReplied, id, &[part_id]);
        self.customer_wrote(id, false)?;
        Ok(part_id)
    }

    /// A teammate comments, notes, or offers choices. A comment opens a closed conversation
    /// (then the part is of type `open` and `opened` fires too); notes and choices leave it as
    /// it is, as in Intercom's own examples. That choices fire `replied` is a guess.
    pub(crate) fn admin_reply(
        &mut self,
        id: u64,
        admin_id: u64,
        kind: ReplyKind,
        message: Message,
        via: Via<'_>,
    ) -> Answer<u64> {
        let author = self.admin_author(admin_id)?;
        let at = message.created_at.unwrap_or_else(|| self.clock.now());
        let conversation = self.conversation_mut(id)?;
        conversation.teammates.insert(admin_id);
        let reopened = kind == ReplyKind::Comment && conversation.state == State::Closed && reopen(conversation);
        let part_type = match kind {
            ReplyKind::Comment if reopened => PartType::Open,
            ReplyKind::Comment => PartType::Comment,
            ReplyKind::Note => PartType::Note,
            ReplyKind::QuickReply => PartType::QuickReply,
        };
        if kind != ReplyKind::Note {
            count_admin_reply(conversation, at);
        }
        let part = self.part(id, part_type, author, message, via)?;
        let part_id = self.append(id, part)?;
        let topic = match kind {
            ReplyKind::Note => Topic::AdminNoted,
            ReplyKind::Comment | ReplyKind::QuickReply => Topic::AdminReplied,
        };
        self.notify(topic, id, &[part_id]);
        if reopened {
            self.notify(Topic::AdminOpened, id, &[part_id]);
        }
        Ok(part_id)
    }

    /// A teammate puts the conversation off, until that time, or until somebody opens it or the
    /// customer writes.
    pub(crate) fn snooze(&mut self, id: u64, admin_id: u64, until: u64, via: Via<'_>) -> Answer<u64> {
        let author = self.admin_author(admin_id)?;
        let conversation = self.conversation_mut(id)?;
        conversation.state = State::Snoozed;
        conversation.snoozed_until = Some(until);
        let part = self.part(id, PartType::Snoozed, author, Message::default(), via)?;
        let part_id = self.append(id, part)?;
        self.notify(Topic::AdminSnoozed, id, &[part_id]);
        self.set_alarm(until.saturating_mul(1_000), id, Alarm::Wake);
        Ok(part_id)
    }

    /// A teammate opens a conversation again, which for a snoozed one is to unsnooze it.
    pub(crate) fn open(&mut self, id: u64, admin_id: u64, via: Via<'_>) -> Answer<u64> {
        let author = self.admin_author(admin_id)?;
        let conversation = self.conversation_mut(id)?;
        let (part_type, topic) = match conversation.state {
            State::Snoozed => (PartType::Unsnoozed, Topic::AdminUnsnoozed),
            State::Open | State::Closed => (PartType::Open, Topic::AdminOpened),
        };
        reopen(conversation);
        let part = self.part(id, part_type, author, Message::default(), via)?;
        let part_id = self.append(id, part)?;
        self.notify(topic, id, &[part_id]);
        Ok(part_id)
    }

    /// A workflow or the AI agent writes. Workflows fire both topics with one part.
    pub(crate) fn operator_reply(&mut self, id: u64, message: Message, from_ai_agent: bool) -> Answer<u64> {
        let author = self.operator_author(from_ai_agent);
        let at = self.clock.now();
        let conversation = self.conversation_mut(id)?;
        if from_ai_agent {
            let agent = conversation.ai_agent.get_or_insert(AiAgent {
                source_title: Some("Fin".to_owned()),
                answered: true,
                resolution: None,
                created_at: at,
                updated_at: at,
            });
            agent.answered = true;
            agent.updated_at = at;
        }
        let part = self.part(id, PartType::Comment, author, message, None)?;
        let part_id = self.append(id, part)?;
        self.notify(Topic::OperatorReplied, id, &[part_id]);
        if !from_ai_agent {
            self.notify(Topic::AdminReplied, id, &[part_id]);
        }
        Ok(part_id)
    }

    /// A part in the conversation's present state; `append` makes it one of the conversation.
    pub(crate) fn part(
        &mut self,
        conversation_id: u64,
        part_type: PartType,
        author: Author,
        message: Message,
        via: Via<'_>,
    ) -> Answer<Part> {
        let state = self.conversation(conversation_id)?.state;
        let at = message.created_at.unwrap_or_else(|| self.clock.now());
        let notified = self.notified(conversation_id, &author, via.is_some(), message.notified);
        Ok(Part {
            id: self.counters.part(),
            part_type,
            body: message.body,
            created_at: at,
            updated_at: at,
            assigned_to: None,
            author,
            attachments: message.attachments,
            redacted: false,
            state,
            tags: Vec::new(),
            app_package_code: via.map(str::to_owned),
            quick_reply_options: message.quick_reply_options,
            quick_reply_uuid: message.quick_reply_uuid,
            changed_attribute: None,
            email: message.email,
            notified,
        })
    }

    fn contact_wrote(&mut self, contact_id: &str, at: u64) {
        if let Some(contact) = self.contacts.get_mut(contact_id) {
            contact.last_seen_at = Some(at);
            contact.last_replied_at = Some(at);
        }
        self.contact_changed(contact_id);
    }
}

/// Opens a conversation; false when it was open.
pub(crate) fn reopen(conversation: &mut Conversation) -> bool {
    if conversation.state == State::Closed {
        conversation.statistics.count_reopens += 1;
    }
    let was = std::mem::replace(&mut conversation.state, State::Open);
    conversation.snoozed_until = None;
    was != State::Open
}

pub(crate) fn count_admin_reply(conversation: &mut Conversation, at: u64) {
    conversation.read = true;
    let statistics = &mut conversation.statistics;
    statistics.first_admin_reply_at.get_or_insert(at);
    statistics.last_admin_reply_at = Some(at);
    if let Some(since) = conversation.waiting_since.take() {
        statistics.waits_seconds.push(at.saturating_sub(since));
    }
    if statistics.last_assignment_at.is_some() {
        statistics.last_assignment_admin_reply_at.get_or_insert(at);
    }
}
