//! What reaches the customer, and that the customer has read it.

use super::error::Answer;
use super::model::{Author, AuthorKind, Notified, PartType};
use super::topic::Topic;
use super::workspace::Workspace;

impl Workspace {
    /// The customer opens the conversation: everything written for them since the last time is
    /// read, and told with those parts. With nothing new, nothing is told.
    pub(crate) fn customer_reads(&mut self, id: u64) -> Answer<Vec<u64>> {
        let conversation = self.conversation_mut(id)?;
        let read_before = conversation.read_by_customer;
        let fresh: Vec<u64> = conversation
            .parts
            .iter()
            .filter(|part| part.id > read_before && !part.author.kind.is_contact() && part.is_visible_to_customer())
            .map(|part| part.id)
            .collect();
        if let Some(newest) = fresh.last() {
            conversation.read_by_customer = *newest;
            self.notify(Topic::Read, id, &fresh);
        }
        Ok(fresh)
    }

    /// How a part by that author will reach the customer. In a conversation by e-mail what bots
    /// write is stored and never mailed, unless Intercom has enabled that for the workspace.
    /// That this is so as well for what an app writes in a teammate's name is a guess.
    pub(crate) fn notified(&self, id: u64, author: &Author, is_app: bool, asked: Notified) -> Notified {
        let by_email = self.conversations.get(&id).is_some_and(|one| one.is_by_email());
        let is_bot = author.kind == AuthorKind::Bot || (author.kind == AuthorKind::Admin && is_app);
        if by_email && is_bot && !self.automation.mails_bot_replies { Notified::Never } else { asked }
    }

    /// A teammate marks the conversation as one that cannot wait, or takes the mark away.
    pub(crate) fn set_priority(&mut self, id: u64, admin_id: u64, has_priority: bool) -> Answer<u64> {
        let author = self.admin_author(admin_id)?;
        self.conversation_mut(id)?.has_priority = has_priority;
        let part = self.part(id, PartType::PriorityChanged, author, Default::default(), None)?;
        let part_id = self.append(id, part)?;
        self.notify(Topic::PriorityUpdated, id, &[part_id]);
        Ok(part_id)
    }
}
