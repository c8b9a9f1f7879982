//! What the operator does besides writing, assigning and closing: workflows that tag, and Fin,
//! which hands over to people.

use super::error::{Answer, ApiError};
use super::model::{AppliedTag, Assignee, Message, Resolution};
use super::workspace::Workspace;

impl Workspace {
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
