//! What people and programs do in a workspace, and which notifications each deed fires.
//!
//! The rules are Intercom's where they are documented or were captured; where neither says,
//! the comment does. Everything runs under the workspace's lock. Bodies arrive as stored HTML.

use serde_json::{Map, Value, json};

use super::alarms::Alarm;
use super::attributes::Model;
use super::error::{Answer, ApiError};
use super::model::{
    AiAgent, AppliedTag, Assignee, Author, Conversation, Deleted, Message, Part, PartType, Rating, Source, State,
    Statistics,
};
use super::parts::Parts;
use super::render::{self, Style};
use super::text;
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

    fn start(&mut self, author: Author, contact_id: &str, message: Message, at: u64) -> u64 {
        let id = self.counters.conversation();
        let source = Source {
            id: self.counters.message(),
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

    /// A teammate closes. A body is a last message to the customer, so it fires `replied` too.
    pub(crate) fn close(&mut self, id: u64, admin_id: u64, body: Option<String>, via: Via<'_>) -> Answer<u64> {
        let author = self.admin_author(admin_id)?;
        let at = self.clock.now();
        let conversation = self.conversation_mut(id)?;
        if body.is_some() {
            count_admin_reply(conversation, at);
        }
        conversation.state = State::Closed;
        conversation.snoozed_until = None;
        conversation.waiting_since = None;
        conversation.teammates.insert(admin_id);
        let statistics = &mut conversation.statistics;
        statistics.first_close_at.get_or_insert(at);
        statistics.last_close_at = Some(at);
        statistics.last_closed_by = Some(admin_id);
        let replied = body.is_some();
        let part = self.part(id, PartType::Close, author, said(body), via)?;
        let part_id = self.append(id, part)?;
        self.notify(Topic::AdminClosed, id, &[part_id]);
        if replied {
            self.notify(Topic::AdminReplied, id, &[part_id]);
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

    /// A teammate gives the conversation to a teammate, a team or nobody. The teammate and the
    /// team are kept apart: giving it to one leaves the other, as both can be set.
    pub(crate) fn assign(
        &mut self,
        id: u64,
        admin_id: u64,
        assignee: Assignee,
        body: Option<String>,
        via: Via<'_>,
    ) -> Answer<u64> {
        let author = self.admin_author(admin_id)?;
        let known = match assignee {
            Assignee::Admin(id) => self.admins.contains_key(&id),
            Assignee::Team(id) => self.teams.contains_key(&id),
            Assignee::NoAdmin | Assignee::NoTeam | Assignee::Nobody => true,
        };
        let at = self.clock.now();
        let conversation = self.conversation_mut(id)?;
        if !known {
            return Err(ApiError::no_assignee());
        }
        let was = conversation.state;
        let part_type =
            if was == State::Closed && reopen(conversation) { PartType::AssignAndReopen } else { PartType::Assignment };
        set_assignee(conversation, assignee, at);
        if body.is_some() {
            conversation.teammates.insert(admin_id);
            count_admin_reply(conversation, at);
            conversation.statistics.last_assignment_admin_reply_at = Some(at);
        }
        let replied = body.is_some();
        let mut part = self.part(id, part_type, author, said(body), via)?;
        part.assigned_to = Some(assignee);
        let part_id = self.append(id, part)?;
        self.notify(Topic::AdminAssigned, id, &[part_id]);
        match was {
            State::Open => self.notify(Topic::AdminOpenAssigned, id, &[part_id]),
            State::Closed => self.notify(Topic::AdminOpened, id, &[part_id]),
            State::Snoozed => {}
        }
        if replied {
            self.notify(Topic::AdminReplied, id, &[part_id]);
        }
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

    /// The customer rates the conversation, from 1 to 5.
    pub(crate) fn rate(&mut self, id: u64, rating: u8, remark: Option<String>) -> Answer<()> {
        if !(1..=5).contains(&rating) {
            return Err(ApiError::invalid_field("rating", "rating must be from 1 to 5"));
        }
        let at = self.clock.now();
        let conversation = self.conversation_mut(id)?;
        conversation.updated_at = at;
        conversation.rating = Some(Rating {
            rating,
            remark,
            created_at: at,
            contact_id: conversation.contact_ids.first().cloned(),
            admin_id: conversation.admin_assignee,
        });
        self.notify(Topic::RatingAdded, id, &[]);
        Ok(())
    }

    /// Takes the words of a part away. Twice is the same as once, but is told twice.
    pub(crate) fn redact_part(&mut self, id: u64, part_id: u64) -> Answer<()> {
        let at = self.clock.now();
        let conversation = self.conversation_mut(id).map_err(|_| ApiError::no_part())?;
        let part = conversation.part_mut(part_id).ok_or_else(ApiError::no_part)?;
        if part.body.is_none() {
            return Err(ApiError::not_redactable());
        }
        part.body = Some(text::REDACTED.to_owned());
        part.attachments.clear();
        part.redacted = true;
        part.updated_at = at;
        conversation.updated_at = at;
        self.notify(Topic::PartRedacted, id, &[part_id]);
        Ok(())
    }

    /// Takes the words of a contact's first message away.
    pub(crate) fn redact_source(&mut self, id: u64, source_id: u64) -> Answer<()> {
        let at = self.clock.now();
        let conversation = self
            .conversations
            .get_mut(&id)
            .filter(|conversation| conversation.source.id == source_id)
            .ok_or_else(ApiError::no_part)?;
        if !conversation.source.author.kind.is_contact() {
            return Err(ApiError::not_redactable());
        }
        conversation.source.body = text::REDACTED.to_owned();
        conversation.source.attachments.clear();
        conversation.source.redacted = true;
        conversation.updated_at = at;
        self.notify(Topic::PartRedacted, id, &[]);
        Ok(())
    }

    /// The tag of that name, made when there is none.
    pub(crate) fn tag_named(&mut self, name: &str) -> u64 {
        let same = |known: &&String| known.eq_ignore_ascii_case(name);
        if let Some((id, _)) = self.tags.iter().find(|(_, known)| same(known)) {
            return *id;
        }
        let id = self.counters.tag();
        self.tags.insert(id, name.to_owned());
        id
    }

    /// A teammate tags the conversation, which marks its newest message as well. Tagging with
    /// a tag that is there already changes nothing and fires nothing.
    pub(crate) fn tag(&mut self, id: u64, tag_id: u64, admin_id: u64) -> Answer<AppliedTag> {
        self.admin_author(admin_id)?;
        self.tag_as(id, tag_id, admin_id)
    }

    /// Tags in the name of a teammate or of the operator.
    pub(crate) fn tag_as(&mut self, id: u64, tag_id: u64, applied_by: u64) -> Answer<AppliedTag> {
        let name = self.tags.get(&tag_id).cloned().ok_or_else(ApiError::no_tag)?;
        let at = self.clock.now();
        let conversation = self.conversation_mut(id)?;
        if let Some(present) = conversation.tags.iter().find(|tag| tag.id == tag_id) {
            return Ok(present.clone());
        }
        let tag = AppliedTag { id: tag_id, name, applied_at: at, applied_by };
        conversation.tags.push(tag.clone());
        conversation.updated_at = at;
        let mut messages = conversation.parts.iter_mut().rev();
        let newest = messages.find(|part| part.is_visible_to_customer());
        let tagged: Vec<u64> = newest
            .map(|part| {
                part.tags.push(tag.clone());
                part.id
            })
            .into_iter()
            .collect();
        self.notify(Topic::PartTagCreated, id, &tagged);
        Ok(tag)
    }

    /// A teammate takes a tag off, which no topic tells.
    pub(crate) fn untag(&mut self, id: u64, tag_id: u64, admin_id: u64) -> Answer<AppliedTag> {
        self.admin_author(admin_id)?;
        let now = self.clock.now();
        let conversation = self.conversation_mut(id)?;
        let at = conversation.tags.iter().position(|tag| tag.id == tag_id).ok_or_else(ApiError::no_tag)?;
        let tag = conversation.tags.remove(at);
        for part in &mut conversation.parts {
            part.tags.retain(|tag| tag.id != tag_id);
        }
        conversation.updated_at = now;
        Ok(tag)
    }

    /// Sets custom attributes, each of which leaves a part by the operator and fires nothing.
    pub(crate) fn set_attributes(&mut self, id: u64, attributes: Map<String, Value>, via: Via<'_>) -> Answer<()> {
        self.conversation(id)?;
        self.attributes.check(Model::Conversation, &attributes)?;
        for (name, value) in attributes {
            let author = self.operator_author(false);
            let message = Message::default();
            let mut part = self.part(id, PartType::AttributeUpdated, author, message, via)?;
            part.changed_attribute = Some((name.clone(), value.clone()));
            self.conversation_mut(id)?.custom_attributes.insert(name, value);
            self.append(id, part)?;
        }
        Ok(())
    }

    /// Deletes a conversation for good, all but its place in the list of the deleted.
    pub(crate) fn delete(&mut self, id: u64, metrics_retained: bool) -> Answer<()> {
        let removed = self.conversations.remove(&id).ok_or_else(ApiError::no_resource)?;
        self.history.keep(id, Some(&removed));
        self.deleted.push(Deleted { id, deleted_at: self.clock.now(), metrics_retained });
        self.notify(Topic::Deleted, id, &[]);
        Ok(())
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

fn said(body: Option<String>) -> Message {
    Message { body, ..Message::default() }
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

fn count_admin_reply(conversation: &mut Conversation, at: u64) {
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

pub(crate) fn set_assignee(conversation: &mut Conversation, assignee: Assignee, at: u64) {
    match assignee {
        Assignee::Admin(id) => conversation.admin_assignee = Some(id),
        Assignee::Team(id) => conversation.team_assignee = Some(id),
        Assignee::NoAdmin => conversation.admin_assignee = None,
        Assignee::NoTeam => conversation.team_assignee = None,
        Assignee::Nobody => {
            conversation.admin_assignee = None;
            conversation.team_assignee = None;
        }
    }
    if matches!(assignee, Assignee::Admin(_) | Assignee::Team(_)) {
        let statistics = &mut conversation.statistics;
        statistics.first_assignment_at.get_or_insert(at);
        statistics.last_assignment_at = Some(at);
        statistics.last_assignment_admin_reply_at = None;
        statistics.count_assignments += 1;
    }
}
