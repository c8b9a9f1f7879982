//! Who takes part in a conversation: contacts that join it and leave it.

use super::error::{Answer, ApiError};
use super::model::{Author, Contact, Message, PartType};
use super::seed::Role;
use super::topic::Topic;
use super::workspace::Workspace;

impl Workspace {
    /// A contact joins. One who takes part already stays, and nothing is told.
    pub(crate) fn attach_contact(&mut self, id: u64, contact_id: &str, actor: Author, via: Option<&str>) -> Answer<()> {
        self.contact_author(contact_id)?;
        let conversation = self.conversation_mut(id)?;
        if conversation.contact_ids.iter().any(|one| one == contact_id) {
            return Ok(());
        }
        conversation.contact_ids.push(contact_id.to_owned());
        let part = self.part(id, PartType::ParticipantAdded, actor, Message::default(), via)?;
        let part_id = self.append(id, part)?;
        self.notify_attached(id, contact_id, part_id);
        Ok(())
    }

    /// A contact leaves, which the last one cannot.
    pub(crate) fn detach_contact(&mut self, id: u64, contact_id: &str, admin_id: u64, via: Option<&str>) -> Answer<()> {
        let actor = self.admin_author(admin_id)?;
        let conversation = self.conversation_mut(id)?;
        let at = conversation.contact_ids.iter().position(|one| one == contact_id).ok_or_else(ApiError::no_contact)?;
        if conversation.contact_ids.len() == 1 {
            return Err(ApiError::last_customer());
        }
        conversation.contact_ids.remove(at);
        let part = self.part(id, PartType::ParticipantRemoved, actor, Message::default(), via)?;
        let part_id = self.append(id, part)?;
        self.notify(Topic::ContactDetached, id, &[part_id]);
        Ok(())
    }

    /// A lead that nobody knew before.
    pub(crate) fn new_lead(&mut self, name: Option<String>, email: Option<String>) -> String {
        let now = self.clock.now();
        let lead = Contact::new(self.counters.contact(), Role::Lead, now);
        self.add_contact(Contact {
            external_id: Some(super::ids::uuid()),
            email,
            name,
            last_seen_at: Some(now),
            ..lead
        })
    }
}
