//! Giving a conversation to somebody, and closing it, by teammates and by workflows.
//!
//! A body is a message to the customer, so that these fire `replied` too.

use super::actions::{Via, count_admin_reply, reopen};
use super::error::{Answer, ApiError};
use super::model::{Assignee, Author, AuthorKind, Conversation, Message, PartType, State};
use super::topic::Topic;
use super::workspace::Workspace;

impl Workspace {
    /// A teammate closes.
    pub(crate) fn close(&mut self, id: u64, admin_id: u64, body: Option<String>, via: Via<'_>) -> Answer<u64> {
        let author = self.admin_author(admin_id)?;
        let conversation = self.conversation_mut(id)?;
        conversation.teammates.insert(admin_id);
        conversation.statistics.last_closed_by = Some(admin_id);
        self.close_as(id, author, said(body), via)
    }

    /// A workflow closes, with a last word or without.
    pub(crate) fn close_by_operator(&mut self, id: u64, message: Option<Message>) -> Answer<u64> {
        let author = self.operator_author(false);
        self.close_as(id, author, message.unwrap_or_default(), None)
    }

    fn close_as(&mut self, id: u64, author: Author, message: Message, via: Via<'_>) -> Answer<u64> {
        let at = self.clock.now();
        let by = author.kind;
        let replied = message.body.is_some();
        let conversation = self.conversation_mut(id)?;
        if replied && by == AuthorKind::Admin {
            count_admin_reply(conversation, at);
        }
        conversation.state = State::Closed;
        conversation.snoozed_until = None;
        conversation.waiting_since = None;
        conversation.statistics.first_close_at.get_or_insert(at);
        conversation.statistics.last_close_at = Some(at);
        let part = self.part(id, PartType::Close, author, message, via)?;
        let part_id = self.append(id, part)?;
        self.notify(Topic::AdminClosed, id, &[part_id]);
        self.tell_reply(id, part_id, replied, by);
        Ok(part_id)
    }

    /// A teammate gives the conversation to a teammate, a team or nobody.
    pub(crate) fn assign(
        &mut self,
        id: u64,
        admin_id: u64,
        to: Assignee,
        body: Option<String>,
        via: Via<'_>,
    ) -> Answer<u64> {
        let author = self.admin_author(admin_id)?;
        if body.is_some() {
            self.conversation_mut(id)?.teammates.insert(admin_id);
        }
        self.assign_as(id, author, to, said(body), via)
    }

    /// A workflow gives the conversation to somebody, with a word to the customer or without.
    pub(crate) fn assign_by_operator(&mut self, id: u64, to: Assignee, message: Option<Message>) -> Answer<u64> {
        let author = self.operator_author(false);
        self.assign_as(id, author, to, message.unwrap_or_default(), None)
    }

    /// The teammate and the team are kept apart: giving it to one leaves the other, as both can
    /// be set.
    fn assign_as(&mut self, id: u64, author: Author, to: Assignee, message: Message, via: Via<'_>) -> Answer<u64> {
        let known = match to {
            Assignee::Admin(id) => self.admins.contains_key(&id),
            Assignee::Team(id) => self.teams.contains_key(&id),
            Assignee::NoAdmin | Assignee::NoTeam | Assignee::Nobody => true,
        };
        let at = self.clock.now();
        let by = author.kind;
        let replied = message.body.is_some();
        let conversation = self.conversation_mut(id)?;
        if !known {
            return Err(ApiError::no_assignee());
        }
        let was = conversation.state;
        let reopened = was == State::Closed && reopen(conversation);
        let part_type = if reopened { PartType::AssignAndReopen } else { PartType::Assignment };
        set_assignee(conversation, to, at);
        if replied && by == AuthorKind::Admin {
            count_admin_reply(conversation, at);
            conversation.statistics.last_assignment_admin_reply_at = Some(at);
        }
        let mut part = self.part(id, part_type, author, message, via)?;
        part.assigned_to = Some(to);
        let part_id = self.append(id, part)?;
        self.notify(Topic::AdminAssigned, id, &[part_id]);
        match was {
            State::Open => self.notify(Topic::AdminOpenAssigned, id, &[part_id]),
            State::Closed => self.notify(Topic::AdminOpened, id, &[part_id]),
            State::Snoozed => {}
        }
        self.tell_reply(id, part_id, replied, by);
        Ok(part_id)
    }

    /// What a workflow says is told twice, under the teammates' topic and its own.
    fn tell_reply(&mut self, id: u64, part_id: u64, replied: bool, by: AuthorKind) {
        if replied {
            self.notify(Topic::AdminReplied, id, &[part_id]);
        }
        if replied && by == AuthorKind::Bot {
            self.notify(Topic::OperatorReplied, id, &[part_id]);
        }
    }
}

fn said(body: Option<String>) -> Message {
    Message { body, ..Message::default() }
}

fn set_assignee(conversation: &mut Conversation, assignee: Assignee, at: u64) {
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
