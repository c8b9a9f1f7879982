//! Two conversations that become one, from 2.16.
//!
//! The first is closed and linked to the second, which goes on. That the first one's contacts
//! join the second, what the part in the first is called, and that its closing is told like any
//! other are guesses: the description says no more than "closed and linked".

use super::error::{Answer, ApiError};
use super::model::{Message, PartType, State};
use super::topic::Topic;
use super::workspace::Workspace;

impl Workspace {
    /// Merges `secondary` into `primary`.
    ///
    /// # Errors
    /// 404 when there is no secondary; 422 `merge_failed` when there is no primary, it is the
    /// same one, or the secondary was merged before.
    pub(crate) fn merge(&mut self, secondary: u64, primary: u64, via: Option<&str>) -> Answer<()> {
        let at = self.clock.now();
        if self.conversation(secondary)?.merged_into.is_some() {
            return Err(ApiError::merge_failed("Secondary conversation has already been merged"));
        }
        if secondary == primary {
            return Err(ApiError::merge_failed("Cannot merge a conversation into itself"));
        }
        if !self.conversations.contains_key(&primary) {
            return Err(ApiError::merge_failed("Primary conversation not found"));
        }
        let one = self.conversation_mut(secondary)?;
        one.merged_into = Some(primary);
        one.linked.push(primary);
        one.state = State::Closed;
        one.snoozed_until = None;
        one.waiting_since = None;
        one.statistics.first_close_at.get_or_insert(at);
        one.statistics.last_close_at = Some(at);
        let contacts = one.contact_ids.clone();
        let other = self.conversation_mut(primary)?;
        other.linked.push(secondary);
        for contact in contacts {
            if !other.contact_ids.contains(&contact) {
                other.contact_ids.push(contact);
            }
        }
        for (id, part_type) in [(secondary, PartType::MergedSecondary), (primary, PartType::MergedPrimary)] {
            let operator = self.operator_author(false);
            let part = self.part(id, part_type, operator, Message::default(), via)?;
            let part_id = self.append(id, part)?;
            if id == secondary {
                self.notify(Topic::AdminClosed, id, &[part_id]);
            }
        }
        Ok(())
    }
}
