//! What happens to contacts and visitors, and which notifications each deed fires.
//!
//! As `actions` is for conversations. Where neither the documentation nor a capture says what
//! Intercom does, the comment says that it is a guess.

use serde_json::{Map, Value, json};

use super::attributes::Model;
use super::error::{Answer, ApiError};
use super::model::{AppliedTag, Contact, ContactBy, ConversationBy, MergedContact, Note, Visitor};
use super::render;
use super::seed::Role;
use super::topic::Topic;
use super::workspace::Workspace;

/// How many merges a merged contact is followed through.
const HOPS: usize = 3;

/// What is to become of a contact. What is absent stays as it is.
#[derive(Debug, Default)]
pub(crate) struct ContactChange {
    pub(crate) role: Option<Role>,
    pub(crate) external_id: Option<Option<String>>,
    pub(crate) email: Option<Option<String>>,
    pub(crate) name: Option<Option<String>>,
    pub(crate) phone: Option<Option<String>>,
    pub(crate) avatar: Option<Option<String>>,
    pub(crate) owner_id: Option<Option<u64>>,
    pub(crate) language_override: Option<Option<String>>,
    pub(crate) signed_up_at: Option<Option<u64>>,
    pub(crate) last_seen_at: Option<Option<u64>>,
    pub(crate) unsubscribed_from_emails: Option<bool>,
    pub(crate) custom_attributes: Map<String, Value>,
}

impl ContactChange {
    fn apply(self, contact: &mut Contact) {
        fn set<T>(place: &mut T, wanted: Option<T>) {
            if let Some(value) = wanted {
                *place = value;
            }
        }
        set(&mut contact.role, self.role);
        set(&mut contact.external_id, self.external_id);
        set(&mut contact.email, self.email);
        set(&mut contact.name, self.name);
        set(&mut contact.phone, self.phone);
        set(&mut contact.avatar, self.avatar);
        set(&mut contact.owner_id, self.owner_id);
        set(&mut contact.language_override, self.language_override);
        set(&mut contact.signed_up_at, self.signed_up_at);
        set(&mut contact.last_seen_at, self.last_seen_at);
        set(&mut contact.unsubscribed_from_emails, self.unsubscribed_from_emails);
        contact.custom_attributes.extend(self.custom_attributes);
    }
}

impl Workspace {
    /// A contact that everybody can see: not merged, archived or deleted.
    ///
    /// # Errors
    /// 404. That an archived contact is not found is a guess.
    pub(crate) fn contact(&self, id: &str) -> Answer<&Contact> {
        self.contacts.get(id).filter(|contact| !contact.archived).ok_or_else(ApiError::no_contact)
    }

    /// Where a merged contact went, up to three merges on.
    pub(crate) fn survivor_of(&self, id: &str) -> Option<&str> {
        let mut merged = self.people.merged.get(id)?;
        for _ in 1..HOPS {
            match self.people.merged.get(&merged.into) {
                Some(next) => merged = next,
                None => break,
            }
        }
        Some(&merged.into)
    }

    pub(crate) fn create_contact(&mut self, role: Role, change: ContactChange) -> Answer<String> {
        self.attributes.check(Model::Contact, &change.custom_attributes)?;
        let mut contact = Contact::new(self.counters.contact(), role, self.clock.now());
        change.apply(&mut contact);
        if contact.role == Role::Lead && contact.external_id.is_none() {
            contact.external_id = Some(super::ids::uuid());
        }
        self.check_unique(&contact)?;
        Ok(self.add_contact(contact))
    }

    /// Puts a contact that is new into the workspace and tells of it.
    pub(crate) fn add_contact(&mut self, contact: Contact) -> String {
        let id = contact.id.clone();
        let topic = match contact.role {
            Role::User => Topic::ContactUserCreated,
            Role::Lead => Topic::ContactLeadCreated,
        };
        self.contacts.insert(id.clone(), contact);
        self.contact_changed(&id);
        self.notify_contact(topic, &id);
        id
    }

    /// Changes a contact. A lead that becomes a user signs up; a lead's first address and a
    /// user's new one have topics of their own besides `updated`.
    pub(crate) fn update_contact(&mut self, id: &str, change: ContactChange) -> Answer<()> {
        self.attributes.check(Model::Contact, &change.custom_attributes)?;
        let before = self.contact(id)?.clone();
        let mut after = before.clone();
        change.apply(&mut after);
        if before.role == Role::User && after.role == Role::Lead {
            return Err(ApiError::invalid_field("role", "A user cannot become a lead"));
        }
        self.check_unique(&after)?;
        after.updated_at = self.clock.now();
        let (became_user, email_changed) = (before.role != after.role, before.email != after.email);
        let (was_out, is_out) = (before.unsubscribed_from_emails, after.unsubscribed_from_emails);
        let role = after.role;
        self.contacts.insert(id.to_owned(), after);
        self.contact_changed(id);
        if became_user {
            self.notify_contact(Topic::ContactLeadSignedUp, id);
        }
        match role {
            Role::User if email_changed && !became_user => self.notify_contact(Topic::ContactEmailUpdated, id),
            Role::Lead if email_changed && before.email.is_none() => {
                self.notify_contact(Topic::ContactLeadAddedEmail, id);
            }
            Role::User | Role::Lead => {}
        }
        match (was_out, is_out) {
            (false, true) => self.notify_contact(Topic::ContactUnsubscribed, id),
            (true, false) => self.notify_contact(Topic::ContactSubscribed, id),
            _ => {}
        }
        self.notify_updated(id);
        Ok(())
    }

    fn notify_updated(&mut self, id: &str) {
        let topic = match self.contacts.get(id).map(|contact| contact.role) {
            Some(Role::Lead) => Topic::ContactLeadUpdated,
            Some(Role::User) | None => Topic::ContactUserUpdated,
        };
        self.notify_contact(topic, id);
    }

    /// Two users may share an address only when both have external ids; leads may always.
    ///
    /// # Errors
    /// 409 `conflict` with the id of the contact that is there. The rule about addresses is a guess.
    fn check_unique(&self, one: &Contact) -> Answer<()> {
        if one.role != Role::User {
            return Ok(());
        }
        let same_email = |other: &Contact| {
            let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
            one.email.as_deref().zip(other.email.as_deref()).is_some_and(|(a, b)| same(a, b))
        };
        let conflicting = |other: &&Contact| {
            let same_external_id = one.external_id.is_some() && one.external_id == other.external_id;
            let apart = one.external_id.is_some() && other.external_id.is_some();
            other.id != one.id && other.role == Role::User && (same_external_id || (same_email(other) && !apart))
        };
        let by_email = one.email.as_deref().map(ContactBy::email);
        let by_external_id = one.external_id.as_deref().map(ContactBy::external_id);
        let similar = [by_external_id, by_email].into_iter().flatten().flat_map(|by| self.contacts.all_by(&by));
        match similar.into_iter().find(conflicting) {
            Some(other) => Err(ApiError::contact_exists(&other.id, other.archived)),
            None => Ok(()),
        }
    }

    pub(crate) fn archive_contact(&mut self, id: &str) -> Answer<()> {
        self.contact(id)?;
        self.set_contact(id, |contact| contact.archived = true);
        self.notify_contact(Topic::ContactArchived, id);
        Ok(())
    }

    /// Unarchiving a contact that is not archived changes nothing, and fires nothing.
    pub(crate) fn unarchive_contact(&mut self, id: &str) -> Answer<()> {
        let contact = self.contacts.get(id).ok_or_else(ApiError::no_contact)?;
        if contact.blocked {
            return Err(ApiError::not_restorable());
        }
        if contact.archived {
            self.set_contact(id, |contact| contact.archived = false);
            self.notify_contact(Topic::ContactUnarchived, id);
        }
        Ok(())
    }

    /// Archives a contact for good. Intercom archives its conversations as well, which has no
    /// meaning in the API, so that here they stay. That `archived` fires is a guess.
    pub(crate) fn block_contact(&mut self, id: &str) -> Answer<()> {
        self.contact(id)?;
        self.set_contact(id, |contact| {
            contact.archived = true;
            contact.blocked = true;
        });
        self.notify_contact(Topic::ContactArchived, id);
        Ok(())
    }

    /// Deletes a contact for good; its conversations stay, without it.
    pub(crate) fn delete_contact(&mut self, id: &str) -> Answer<Contact> {
        let contact = self.contacts.remove(id).ok_or_else(ApiError::no_contact)?;
        self.contact_index.forget(id);
        self.people.notes.retain(|_, note| note.contact_id != id);
        // As captured for conversations, a deletion names what is gone and no more.
        let item = json!({"type": "contact", "id": contact.id, "external_id": contact.external_id});
        self.fire(Topic::ContactDeleted, None, |_, _| item.clone());
        Ok(contact)
    }

    /// Makes one contact of two. What the survivor lacks it takes from the other, and the
    /// other's conversations, tags and notes become its own.
    pub(crate) fn merge_contacts(&mut self, from: &str, into: &str) -> Answer<()> {
        self.contact(into)?;
        let gone = self.contacts.remove(from).ok_or_else(ApiError::no_contact)?;
        self.contact_index.forget(from);
        let merged_at = self.clock.now();
        let merged =
            MergedContact { into: into.to_owned(), role: gone.role, external_id: gone.external_id.clone(), merged_at };
        self.people.merged.insert(from.to_owned(), merged);
        let theirs = self.conversations.all_by(&ConversationBy::contact(from));
        let theirs: Vec<u64> = theirs.into_iter().map(|conversation| conversation.id).collect();
        for id in theirs {
            let contact_ids = &mut self.conversation_mut(id)?.contact_ids;
            let both = contact_ids.iter().any(|id| id == into);
            contact_ids.retain(|id| !both || id != from);
            contact_ids.iter_mut().filter(|id| *id == from).for_each(|id| into.clone_into(id));
        }
        for message in self.people.sent_messages.values_mut() {
            message.contact_ids.iter_mut().filter(|id| *id == from).for_each(|id| into.clone_into(id));
        }
        for note in self.people.notes.values_mut().filter(|note| note.contact_id == from) {
            into.clone_into(&mut note.contact_id);
        }
        let taken = gone.clone();
        self.set_contact(into, |contact| {
            contact.email = contact.email.take().or(taken.email);
            contact.name = contact.name.take().or(taken.name);
            contact.phone = contact.phone.take().or(taken.phone);
            contact.last_seen_at = contact.last_seen_at.max(taken.last_seen_at);
            contact.last_replied_at = contact.last_replied_at.max(taken.last_replied_at);
            for (name, value) in taken.custom_attributes {
                contact.custom_attributes.entry(name).or_insert(value);
            }
            for tag in taken.tags {
                if contact.tags.iter().all(|one| one.id != tag.id) {
                    contact.tags.push(tag);
                }
            }
        });
        self.announce_merge(&gone, into);
        Ok(())
    }

    /// The survivor with the other in it; the shape of `merged_from` is a guess.
    fn announce_merge(&mut self, gone: &Contact, into: &str) {
        let into = into.to_owned();
        self.fire(Topic::ContactMerged, None, |workspace, version| {
            let Some(contact) = workspace.contacts.get(&into) else { return Value::Null };
            let mut item = render::contact(workspace, contact, version);
            item["merged_from"] = render::contact(workspace, gone, version);
            item
        });
    }

    /// The contacts that were merged into this one, newest first.
    pub(crate) fn merges_into(&self, id: &str) -> Vec<(&String, &MergedContact)> {
        let mut merges: Vec<_> = self.people.merged.iter().filter(|(_, merged)| merged.into == id).collect();
        merges.sort_by_key(|(_, merged)| std::cmp::Reverse(merged.merged_at));
        merges
    }

    /// Tags a contact. A tag that it has already stays as it was put, and fires nothing.
    pub(crate) fn tag_contact(&mut self, id: &str, tag_id: u64, admin_id: u64) -> Answer<AppliedTag> {
        let present = self.contact(id)?.tags.iter().find(|tag| tag.id == tag_id).cloned();
        let name = self.tags.get(&tag_id).cloned().ok_or_else(ApiError::no_resource)?;
        if let Some(tag) = present {
            return Ok(tag);
        }
        let tag = AppliedTag { id: tag_id, name, applied_at: self.clock.now(), applied_by: admin_id };
        let applied = tag.clone();
        self.set_contact(id, |contact| contact.tags.push(applied));
        self.notify_contact_tag(id, &tag, Topic::ContactUserTagCreated, Topic::ContactLeadTagCreated);
        Ok(tag)
    }

    pub(crate) fn untag_contact(&mut self, id: &str, tag_id: u64) -> Answer<AppliedTag> {
        let tag = self.contact(id)?.tags.iter().find(|tag| tag.id == tag_id).cloned();
        let tag = tag.ok_or_else(ApiError::no_resource)?;
        self.set_contact(id, |contact| contact.tags.retain(|tag| tag.id != tag_id));
        self.notify_contact_tag(id, &tag, Topic::ContactUserTagDeleted, Topic::ContactLeadTagDeleted);
        Ok(tag)
    }

    /// The item of the tag topics is a guess, after the shape of the older API's.
    fn notify_contact_tag(&mut self, id: &str, tag: &AppliedTag, of_user: Topic, of_lead: Topic) {
        let Some(contact) = self.contacts.get(id).cloned() else { return };
        let topic = match contact.role {
            Role::User => of_user,
            Role::Lead => of_lead,
        };
        self.fire(topic, None, |workspace, version| {
            json!({
                "type": "contact_tag",
                "created_at": workspace.clock.now(),
                "tag": {"type": "tag", "id": tag.id.to_string(), "name": tag.name},
                "contact": render::contact(workspace, &contact, version),
            })
        });
    }

    pub(crate) fn note_contact(&mut self, contact_id: &str, admin_id: Option<u64>, body: String) -> Answer<Note> {
        self.contact(contact_id)?;
        let note = Note {
            id: self.counters.thing(),
            contact_id: contact_id.to_owned(),
            admin_id,
            body,
            created_at: self.clock.now(),
        };
        self.people.notes.insert(note.id, note.clone());
        Ok(note)
    }

    /// A visitor who writes becomes a lead, with the same id.
    pub(crate) fn visitor_to_lead(&mut self, visitor: Visitor) -> String {
        self.people.visitors.remove(&visitor.id);
        let now = self.clock.now();
        let mut contact = Contact::new(visitor.id, Role::Lead, now);
        contact.external_id = Some(visitor.user_id);
        contact.name = visitor.name;
        contact.custom_attributes = visitor.custom_attributes;
        contact.created_at = visitor.created_at;
        contact.last_seen_at = Some(now);
        self.add_contact(contact)
    }

    /// A visitor who signs up becomes the user of that identity, or part of one who is there.
    pub(crate) fn visitor_to_user(
        &mut self,
        visitor: Visitor,
        known: Option<String>,
        change: ContactChange,
    ) -> Answer<String> {
        let id = match known {
            Some(id) => {
                self.people.visitors.remove(&visitor.id);
                self.update_contact(&id, change)?;
                id
            }
            None => {
                let now = self.clock.now();
                let mut contact = Contact::new(visitor.id.clone(), Role::User, now);
                contact.name = visitor.name;
                contact.custom_attributes = visitor.custom_attributes;
                contact.created_at = visitor.created_at;
                contact.signed_up_at = Some(now);
                change.apply(&mut contact);
                self.check_unique(&contact)?;
                self.people.visitors.remove(&visitor.id);
                self.add_contact(contact)
            }
        };
        self.notify_contact(Topic::VisitorSignedUp, &id);
        Ok(id)
    }

    /// The visitor with that id or `user_id`.
    pub(crate) fn visitor(&self, id: &str) -> Option<&Visitor> {
        self.people.visitors.values().find(|visitor| visitor.id == id || visitor.user_id == id)
    }

    fn set_contact(&mut self, id: &str, change: impl FnOnce(&mut Contact)) {
        let now = self.clock.now();
        if let Some(contact) = self.contacts.get_mut(id) {
            change(contact);
            contact.updated_at = now;
        }
        self.contact_changed(id);
    }

    /// Lets searches see a contact as it is now, in time.
    pub(crate) fn contact_changed(&mut self, id: &str) {
        if let Some(contact) = self.contacts.get(id) {
            self.contact_index.note(contact, self.clock.now_ms());
        }
    }

    /// Fires a topic whose item is the contact.
    pub(crate) fn notify_contact(&mut self, topic: Topic, id: &str) {
        let id = id.to_owned();
        self.fire(topic, None, |workspace, version| match workspace.contacts.get(&id) {
            Some(contact) => render::contact(workspace, contact, version),
            None => Value::Null,
        });
    }
}
