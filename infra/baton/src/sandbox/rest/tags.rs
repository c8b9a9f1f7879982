//! Tags over REST: the tags themselves, and putting one on many contacts at once.

use serde_json::{Value, json};

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::seed::Role;
use crate::sandbox::workspace::Workspace;

pub(super) fn list(_: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let tags: Vec<Value> = workspace.tags.iter().map(|(id, name)| basic(*id, name)).collect();
    Ok(json!({"type": "list", "data": tags}).into())
}

pub(super) fn get(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let id = call.param("id").parse().map_err(|_| ApiError::no_resource())?;
    let name = workspace.tags.get(&id).ok_or_else(ApiError::no_resource)?;
    Ok(basic(id, name).into())
}

/// Makes a tag, renames it, or puts it on users. Up to 2.15 a user or a company that nobody
/// knows is an error, though the tag is there afterwards; from 2.16 it is passed over.
pub(super) fn save(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let name = fields
        .text("name")?
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| ApiError::invalid("invalid tag parameters"))?;
    let (users, companies) = (fields.objects("users")?, fields.objects("companies")?);
    let id = match fields.id("id")? {
        None => workspace.tag_named(name),
        Some(id) => rename(workspace, &id, name)?,
    };
    let mut value = basic(id, name);
    let mut tagged = Vec::new();
    for user in &users {
        match tag_user(call, workspace, id, user)? {
            Some(done) => tagged.push(done),
            None if call.version.is_2_16() => {}
            None => return Err(ApiError::no_contact()),
        }
    }
    if call.version.is_2_16() {
        value["users"] = json!(tagged);
        value["companies"] = json!([]);
    } else if !companies.is_empty() {
        let not_found = axum::http::StatusCode::NOT_FOUND;
        return Err(ApiError::new(not_found, "company_not_found", "Company Not Found"));
    }
    Ok(value.into())
}

/// Tags or untags one user, who is named by `id`, `user_id` or `email`.
fn tag_user(call: &Call<'_>, workspace: &mut Workspace, tag_id: u64, user: &Fields) -> Answer<Option<Value>> {
    let (id, user_id, email) = (user.id("id")?, user.id("user_id")?, user.text("email")?);
    let named = workspace.contacts.values().find(|one| {
        let by_identity = one.role == Role::User
            && ((user_id.is_some() && one.external_id == user_id)
                || (email.is_some() && one.email.as_deref() == email));
        id.as_deref() == Some(&one.id) || by_identity
    });
    let Some(contact_id) = named.filter(|one| !one.archived).map(|one| one.id.clone()) else {
        return Ok(None);
    };
    let untag = user.flag("untag")?.unwrap_or_default();
    if !untag {
        workspace.tag_contact(&contact_id, tag_id, call.admin_id())?;
    } else if workspace.contact(&contact_id)?.tags.iter().any(|tag| tag.id == tag_id) {
        workspace.untag_contact(&contact_id, tag_id)?;
    }
    Ok(Some(json!({"id": contact_id, "tagged": !untag})))
}

fn rename(workspace: &mut Workspace, id: &str, name: &str) -> Answer<u64> {
    let id = id.parse().map_err(|_| ApiError::no_resource())?;
    let known = workspace.tags.get_mut(&id).ok_or_else(ApiError::no_resource)?;
    name.clone_into(known);
    Ok(id)
}

/// Deletes a tag, and takes it off everything, unless a segment is defined by it.
pub(super) fn delete(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = call.param("id").parse().map_err(|_| ApiError::no_resource())?;
    if let Some(segments) = workspace.people.tag_segments.get(&id) {
        let message = format!("Unable to delete Tag with dependent objects. Segments: {}.", segments.join(", "));
        return Err(ApiError::new(axum::http::StatusCode::BAD_REQUEST, "tag_has_dependent_objects", message));
    }
    workspace.tags.remove(&id).ok_or_else(ApiError::no_resource)?;
    let tagged = workspace.conversations.values().filter(|one| {
        let of_parts = one.parts.iter().flat_map(|part| &part.tags);
        one.tags.iter().chain(of_parts).any(|tag| tag.id == id)
    });
    let tagged: Vec<u64> = tagged.map(|one| one.id).collect();
    for conversation_id in tagged {
        let conversation = workspace.conversation_mut(conversation_id)?;
        conversation.tags.retain(|tag| tag.id != id);
        conversation.parts.iter_mut().for_each(|part| part.tags.retain(|tag| tag.id != id));
    }
    let tagged = workspace.contacts.values().filter(|contact| contact.tags.iter().any(|tag| tag.id == id));
    let tagged: Vec<String> = tagged.map(|contact| contact.id.clone()).collect();
    for contact_id in tagged {
        if let Some(contact) = workspace.contacts.get_mut(&contact_id) {
            contact.tags.retain(|tag| tag.id != id);
        }
        workspace.contact_changed(&contact_id);
    }
    Ok(Reply::empty(axum::http::StatusCode::OK))
}

fn basic(id: u64, name: &str) -> Value {
    json!({"type": "tag", "id": id.to_string(), "name": name})
}
