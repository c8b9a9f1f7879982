//! What is done to a conversation besides talking: it is rated, redacted, tagged, given
//! attributes, deleted.
//!
//! As in `actions`, each deed says which notifications it fires.

use serde_json::{Map, Value};

use super::actions::Via;
use super::attributes::Model;
use super::error::{Answer, ApiError};
use super::model::{AppliedTag, Deleted, Message, PartType, Rating};
use super::text;
use super::topic::Topic;
use super::workspace::Workspace;

impl Workspace {
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
}
