//! What teammates send to contacts, and how it becomes a conversation.
//!
//! As documented, a message is no conversation until a contact answers, unless the sender asks
//! for one at once. The conversation's source then has the message's id, by which a search for
//! `source.id` finds it.

use super::error::{Answer, ApiError};
use super::model::{Message, SentMessage};
use super::topic::Topic;
use super::workspace::Workspace;

impl Workspace {
    /// Sends a message. With `at_once` the conversation is there when this returns.
    pub(crate) fn send_message(&mut self, message: SentMessage, at_once: bool) -> Answer<Option<u64>> {
        self.admin_author(message.admin_id)?;
        for contact_id in &message.contact_ids {
            self.contact(contact_id)?;
        }
        for contact_id in &message.contact_ids {
            if let Some(contact) = self.contacts.get_mut(contact_id) {
                contact.last_contacted_at = Some(message.created_at);
            }
            self.contact_changed(contact_id);
        }
        if at_once {
            return self.begin_with(message).map(Some);
        }
        self.people.sent_messages.insert(message.id, message);
        Ok(None)
    }

    /// A contact answers a message, which makes a conversation of it. That the conversation is
    /// told as the teammate's before the answer is told as the contact's is a guess.
    pub(crate) fn answer_message(&mut self, id: u64, contact_id: &str, answer: Message) -> Answer<u64> {
        let sent = self.people.sent_messages.get(&id).ok_or_else(ApiError::no_resource)?;
        if !sent.contact_ids.iter().any(|one| one == contact_id) {
            return Err(ApiError::no_contact());
        }
        let sent = self.people.sent_messages.remove(&id).ok_or_else(ApiError::no_resource)?;
        let conversation_id = self.begin_with(sent)?;
        self.contact_reply(conversation_id, contact_id, answer, None)?;
        Ok(conversation_id)
    }

    fn begin_with(&mut self, sent: SentMessage) -> Answer<u64> {
        let author = self.admin_author(sent.admin_id)?;
        let first = sent.contact_ids.first().ok_or_else(ApiError::no_contact)?;
        let email = sent.subject.as_ref().filter(|_| sent.is_email).map(|subject| self.mail(&sent, subject));
        let body = Some(sent.body.clone());
        let message = Message { id: Some(sent.id), body, email, ..Message::default() };
        let id = self.start(author, first, message, self.clock.now());
        let conversation = self.conversation_mut(id)?;
        conversation.teammates.insert(sent.admin_id);
        conversation.contact_ids.clone_from(&sent.contact_ids);
        self.notify(Topic::AdminSingleCreated, id, &[]);
        Ok(id)
    }

    fn mail(&self, sent: &SentMessage, subject: &str) -> super::model::Email {
        let admin = self.admins.get(&sent.admin_id);
        let contact = sent.contact_ids.first().and_then(|id| self.contacts.get(id));
        let to = contact.and_then(|contact| contact.email.clone()).unwrap_or_default();
        super::model::Email {
            subject: subject.to_owned(),
            from: admin.map(|admin| (admin.email.clone(), Some(admin.name.clone()))).unwrap_or_default(),
            to: (to, contact.and_then(|contact| contact.name.clone())),
            message_id: format!("<{}@{}.intercom.io>", super::ids::uuid(), self.app_id),
        }
    }
}
