//! What agent transfer asks of Intercom: each action's own file carries it out.

use super::{NOT_SENT_MS, RestApi};
use crate::domain::conversation::Action;
use crate::domain::ids::ConversationId;
use crate::domain::settings::Workspace;
use crate::domain::step::Answer;
use crate::ports::{Clock, Tokens};

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// Carries out what is done in a customer's name, or for them.
    pub(super) async fn act_for_a_chat(&self, workspace: &Workspace, id: &ConversationId, action: &Action) -> Answer {
        match action {
            Action::LookWhoIsThere { to } => self.who_is_there(workspace, to).await,
            Action::FindContact { customer, .. } => self.find_contact(workspace, customer).await,
            Action::Begin { contact, text, files } => self.begin(workspace, contact, text, files).await,
            Action::Relay { contact, text, files } => self.relay(workspace, id, contact, text, files).await,
            Action::Redact { part_id } => self.redact(workspace, id, part_id.as_ref()).await,
            // Whether it opens a conversation shows before it is claimed; as it is nothing can be sent.
            _ => Answer::NotSent { retry_at: self.clock.now().plus_ms(NOT_SENT_MS) },
        }
    }
}
