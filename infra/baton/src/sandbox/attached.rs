//! The payload of `conversation.contact.attached`, which is unlike every other.
//!
//! It shows rows of Intercom's own database instead of its API's objects: ids are numbers,
//! moments are text, there is no `type`, and the conversation is found at `conversation.model`.
//! Which columns a row has is known in part only; those here are what was seen in public.

use serde_json::{Value, json};

use super::clock::iso_8601;
use super::model::{Contact, Conversation, Part};
use super::seed::Role;
use super::workspace::Workspace;

/// The `data.item` for a contact that has joined.
pub(crate) fn item(workspace: &Workspace, one: &Conversation, contact: &Contact, part: Option<&Part>) -> Value {
    let parts: Vec<Value> = part.into_iter().map(|part| row(workspace, one.id, part)).collect();
    json!({
        "conversation": {
            "parts": parts,
            "options": {},
            "model": {
                "id": one.id,
                "app_id_code": workspace.app_id,
                "state": one.state.name(),
                "read": one.read,
                "created_at": iso_8601(one.created_at),
                "updated_at": iso_8601(one.updated_at),
                "waiting_since": one.waiting_since.map(iso_8601),
                "snoozed_until": one.snoozed_until.map(iso_8601),
                "admin_assignee_id": one.admin_assignee,
                "team_assignee_id": one.team_assignee,
                "title": one.title,
                "participant_ids": one.contact_ids,
            },
        },
        "contact": {
            "id": contact.id,
            "external_id": contact.external_id,
            "role": match contact.role { Role::User => "user", Role::Lead => "lead" },
            "name": contact.name,
            "email": contact.email,
            "phone": contact.phone,
            "created_at": iso_8601(contact.created_at),
            "updated_at": iso_8601(contact.updated_at),
            "last_seen_at": contact.last_seen_at.map(iso_8601),
            "custom_attributes": contact.custom_attributes,
        },
    })
}

fn row(workspace: &Workspace, conversation_id: u64, part: &Part) -> Value {
    json!({
        "id": part.id,
        "conversation_id": conversation_id,
        "app_id_code": workspace.app_id,
        "part_type": part.part_type.name(),
        "body": part.body,
        "author_id": part.author.id,
        "author_type": part.author.kind.name(),
        "created_at": iso_8601(part.created_at),
        "updated_at": iso_8601(part.updated_at),
    })
}
