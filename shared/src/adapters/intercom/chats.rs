//! What agent transfer needs of Intercom: whom the customer is there, conversations in their name.

use super::RestApi;
use crate::domain::conversation::Action;
use crate::domain::ids::{ContactId, ConversationId, Timestamp};
use crate::domain::settings::Workspace;
use crate::domain::step::Answer;
use crate::ports::{Changed, Clock, NotShown, Tokens};

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// What a contact has begun since then.
    pub(super) async fn begun_by(
        &self,
        _workspace: &Workspace,
        _contact: &ContactId,
        _since: Timestamp,
    ) -> Result<Vec<Changed>, NotShown> {
        Ok(Vec::new())
    }

    /// Carries out what is done in a customer's name.
    pub(super) async fn act_for_a_chat(&self, _: &Workspace, _: &ConversationId, action: &Action) -> Answer {
        Answer::Rejected { code: "unsupported".to_owned(), message: format!("{} is not spoken yet", action.as_str()) }
    }
}
