//! Teammates, teams, tags and contacts over REST: reading them, and making tags.

use serde_json::{Value, json};

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{Contact, ContactBy};
use crate::sandbox::query::{Field, Kind, Paging, Query};
use crate::sandbox::render;
use crate::sandbox::seed::Role;
use crate::sandbox::workspace::Workspace;

/// What contacts can be searched by, besides custom attributes.
const CONTACT_FIELDS: [Field; 9] = [
    ("id", Kind::Text),
    ("external_id", Kind::Text),
    ("email", Kind::Text),
    ("name", Kind::Text),
    ("phone", Kind::Text),
    ("role", Kind::Text),
    ("created_at", Kind::Date),
    ("updated_at", Kind::Date),
    ("last_seen_at", Kind::Date),
];
/// How many contacts a page has when nothing is asked.
const CONTACTS_PER_PAGE: usize = 50;

pub(super) fn me(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let id = call.token.admin_id.parse().unwrap_or_default();
    let admin = workspace.admins.get(&id).ok_or_else(ApiError::no_admin)?;
    Ok(render::me(workspace, admin).into())
}

pub(super) fn admins(_: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let admins: Vec<Value> = workspace.admins.values().map(render::admin).collect();
    Ok(json!({"type": "admin.list", "admins": admins}).into())
}

pub(super) fn admin(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let admin = call.param("id").parse().ok().and_then(|id: u64| workspace.admins.get(&id));
    admin.map(|admin| render::admin(admin).into()).ok_or_else(ApiError::no_admin)
}

pub(super) fn teams(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let teams: Vec<Value> = workspace.teams.values().map(|team| render::team(team, call.version)).collect();
    Ok(json!({"type": "team.list", "teams": teams}).into())
}

pub(super) fn team(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let team = call.param("id").parse().ok().and_then(|id: u64| workspace.teams.get(&id));
    team.map(|team| render::team(team, call.version).into()).ok_or_else(ApiError::no_team)
}

pub(super) fn tags(_: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let tags: Vec<Value> =
        workspace.tags.iter().map(|(id, name)| json!({"type": "tag", "id": id.to_string(), "name": name})).collect();
    Ok(json!({"type": "list", "data": tags}).into())
}

pub(super) fn make_tag(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let name = fields
        .text("name")?
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .ok_or_else(|| ApiError::invalid("invalid tag parameters"))?;
    let id = match fields.id("id")? {
        None => workspace.tag_named(name),
        Some(id) => rename_tag(workspace, &id, name)?,
    };
    let name = workspace.tags.get(&id);
    Ok(json!({"type": "tag", "id": id.to_string(), "name": name}).into())
}

fn rename_tag(workspace: &mut Workspace, id: &str, name: &str) -> Answer<u64> {
    let id = id.parse().map_err(|_| ApiError::no_tag())?;
    let known = workspace.tags.get_mut(&id).ok_or_else(ApiError::no_tag)?;
    name.clone_into(known);
    Ok(id)
}

pub(super) fn contact(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let contact = workspace.contacts.get(call.param("id")).ok_or_else(ApiError::no_contact)?;
    Ok(render::contact(workspace, contact).into())
}

/// Finds users only: what a lead has as `external_id` is not the company's.
pub(super) fn by_external_id(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let external_id = call.param("external_id");
    let contact = workspace
        .contacts
        .all_by(&ContactBy::external_id(external_id))
        .into_iter()
        .find(|one| one.role == Role::User && one.external_id.as_deref() == Some(external_id))
        .ok_or_else(ApiError::no_contact)?;
    Ok(render::contact(workspace, contact).into())
}

pub(super) fn search_contacts(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let query = Query::parse(fields.required("query")?, &CONTACT_FIELDS)?;
    let paging = fields.object("pagination")?;
    let paging = match &paging {
        None => Paging::new(None, None, CONTACTS_PER_PAGE)?,
        Some(asked) => Paging::new(asked.number("per_page")?, asked.text("starting_after")?, CONTACTS_PER_PAGE)?,
    };
    let found: Vec<&Contact> =
        workspace.contacts.values().filter(|contact| query.matches(&|field| contact_field(contact, field))).collect();
    let (page, pages) = paging.cut(&found, |contact| contact.id.clone());
    let data: Vec<Value> = page.iter().map(|contact| render::contact(workspace, contact)).collect();
    Ok(json!({"type": "list", "data": data, "total_count": found.len(), "pages": pages}).into())
}

fn contact_field(contact: &Contact, field: &str) -> Vec<Value> {
    let value = match field {
        "id" => json!(contact.id),
        "external_id" => json!(contact.external_id),
        "email" => json!(contact.email),
        "name" => json!(contact.name),
        "phone" => json!(contact.phone),
        "role" => match contact.role {
            Role::User => json!("user"),
            Role::Lead => json!("lead"),
        },
        "created_at" => json!(contact.created_at),
        "updated_at" => json!(contact.updated_at),
        "last_seen_at" => json!(contact.last_seen_at),
        other => other
            .strip_prefix("custom_attributes.")
            .and_then(|name| contact.custom_attributes.get(name))
            .cloned()
            .unwrap_or_default(),
    };
    vec![value]
}
