//! What the operator does besides writing: workflows that assign, close and tag, and Fin, which
//! hands over to people.

use super::actions::{reopen, set_assignee};
use super::error::{Answer, ApiError};
use super::model::{AppliedTag, Assignee, Message, PartType, Resolution, State};
use super::topic::Topic;
use super::workspace::Workspace;

impl Workspace {
    /// A workflow gives the conversation to somebody, with a word to the customer or without.
    pub(crate) fn assign_by_operator(&mut self, id: u64, to: Assignee, message: Option<Message>) -> Answer<u64> {
        let known = match to {
            Assignee::Admin(id) => self.admins.contains_key(&id),
            Assignee::Team(id) => self.teams.contains_key(&id),
            Assignee::NoAdmin | Assignee::NoTeam | Assignee::Nobody => true,
        };
        if !known {
            return Err(ApiError::no_assignee());
        }
        let author = self.operator_author(false);
        let at = self.clock.now();
        let conversation = self.conversation_mut(id)?;
        let was = conversation.state;
        let reopened = was == State::Closed && reopen(conversation);
        let part_type = if reopened { PartType::AssignAndReopen } else { PartType::Assignment };
        set_assignee(conversation, to, at);
        let mut part = self.part(id, part_type, author, message.unwrap_or_default(), None)?;
        part.assigned_to = Some(to);
        let said = part.body.is_some();
        let part_id = self.append(id, part)?;
        self.notify(Topic::AdminAssigned, id, &[part_id]);
        match was {
            State::Open => self.notify(Topic::AdminOpenAssigned, id, &[part_id]),
            State::Closed => self.notify(Topic::AdminOpened, id, &[part_id]),
            State::Snoozed => {}
        }
        if said {
            self.notify(Topic::AdminReplied, id, &[part_id]);
            self.notify(Topic::OperatorReplied, id, &[part_id]);
        }
        Ok(part_id)
    }

    /// A workflow closes, with a last word or without.
    pub(crate) fn close_by_operator(&mut self, id: u64, message: Option<Message>) -> Answer<u64> {
        let author = self.operator_author(false);
        let at = self.clock.now();
        let conversation = self.conversation_mut(id)?;
        conversation.state = State::Closed;
        conversation.snoozed_until = None;
        conversation.waiting_since = None;
        conversation.statistics.first_close_at.get_or_insert(at);
        conversation.statistics.last_close_at = Some(at);
        let part = self.part(id, PartType::Close, author, message.unwrap_or_default(), None)?;
        let said = part.body.is_some();
        let part_id = self.append(id, part)?;
        self.notify(Topic::AdminClosed, id, &[part_id]);
        if said {
            self.notify(Topic::AdminReplied, id, &[part_id]);
            self.notify(Topic::OperatorReplied, id, &[part_id]);
        }
        Ok(part_id)
    }

    /// A workflow tags. What was tagged already stays, and nothing is told.
    pub(crate) fn tag_by_operator(&mut self, id: u64, name: &str) -> Answer<AppliedTag> {
        let tag_id = self.tag_named(name);
        self.tag_as(id, tag_id, self.operator_id)
    }

    /// Fin gives up: its part ends as escalated, and the conversation goes to somebody, or to
    /// nobody in particular.
    pub(crate) fn hand_over(&mut self, id: u64, to: Assignee, message: Option<Message>) -> Answer<u64> {
        if let Some(message) = message {
            self.operator_reply(id, message, true)?;
        }
        let at = self.clock.now();
        let conversation = self.conversation_mut(id)?;
        let agent = conversation.ai_agent.as_mut().ok_or_else(|| ApiError::invalid("Fin does not take part"))?;
        agent.resolution = Some(Resolution::Escalated);
        agent.updated_at = at;
        self.assign_by_operator(id, to, None)
    }
}
