//! Contacts over REST: making, reading, changing, putting away, merging.
//!
//! What hangs on a contact (tags, notes, …) is in `contact_links`, the search in
//! `contact_search`. There are no companies, segments and subscription types.

use serde_json::{Value, json};

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::contacts::ContactChange;
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{Contact, ContactBy};
use crate::sandbox::query::Paging;
use crate::sandbox::render;
use crate::sandbox::seed::Role;
use crate::sandbox::workspace::Workspace;

/// How many contacts a page has when nothing is asked.
pub(super) const CONTACTS_PER_PAGE: usize = 50;

pub(super) fn create(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let change = change(call, workspace, &fields)?;
    let identified = [&change.email, &change.external_id].into_iter().any(|text| matches!(text, Some(Some(_))));
    if !identified && change.role.is_none() {
        let message = "One of email, external_id or role is required";
        return Err(ApiError::new(axum::http::StatusCode::BAD_REQUEST, "parameter_not_found", message));
    }
    let id = workspace.create_contact(change.role.unwrap_or(Role::User), change)?;
    shown(call, workspace, &id)
}

pub(super) fn update(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    present(call, workspace)?;
    let change = change(call, workspace, &fields)?;
    workspace.update_contact(call.param("id"), change)?;
    shown(call, workspace, call.param("id"))
}

/// What a body says about a contact.
pub(super) fn change(call: &Call<'_>, workspace: &Workspace, fields: &Fields) -> Answer<ContactChange> {
    let role = match fields.text("role")? {
        None => None,
        Some("user") => Some(Role::User),
        Some("lead") => Some(Role::Lead),
        Some(_) => return Err(ApiError::invalid_field("role", "role must be user or lead")),
    };
    let email = fields.clearable_text("email")?;
    if email.iter().flatten().any(|address| !address.contains('@')) {
        return Err(ApiError::invalid_field("email", "email is not an address"));
    }
    // Setting it is new; older versions ignore it, like every member they do not know.
    let language_override = match call.version.has_language_override() {
        true => fields.clearable_text("language_override")?,
        false => None,
    };
    fields.flag("email_verified")?;
    let custom_attributes = fields.object("custom_attributes")?.map(Fields::into_map).unwrap_or_default();
    Ok(ContactChange {
        role,
        email,
        external_id: fields.clearable_text("external_id")?,
        name: fields.clearable_text("name")?,
        phone: fields.clearable_text("phone")?,
        avatar: fields.clearable_text("avatar")?,
        owner_id: owner(workspace, fields)?,
        language_override,
        signed_up_at: fields.clearable_number("signed_up_at")?,
        last_seen_at: fields.clearable_number("last_seen_at")?,
        unsubscribed_from_emails: fields.flag("unsubscribed_from_emails")?,
        custom_attributes,
    })
}

/// A number up to 2.15 and text from 2.16; both are taken in all versions.
fn owner(workspace: &Workspace, fields: &Fields) -> Answer<Option<Option<u64>>> {
    let Some(id) = fields.id("owner_id")? else {
        return Ok(fields.has("owner_id").then_some(None));
    };
    let known = id.parse().ok().filter(|id| workspace.admins.contains_key(id));
    known.map(|id| Some(Some(id))).ok_or_else(ApiError::no_admin)
}

pub(super) fn get(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let contact = present(call, workspace)?;
    Ok(with_history(call, workspace, contact).into())
}

/// Finds users only: what a lead has as `external_id` is not the company's.
pub(super) fn by_external_id(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let external_id = Some(call.param("external_id"));
    let is = |role: Role, known: &Option<String>| role == Role::User && known.as_deref() == external_id;
    let same = workspace.contacts.all_by(&ContactBy::external_id(call.param("external_id")));
    if let Some(contact) = same.into_iter().find(|one| !one.archived && is(one.role, &one.external_id)) {
        return Ok(with_history(call, workspace, contact).into());
    }
    let merged = workspace.people.merged.iter().find(|(_, merged)| is(merged.role, &merged.external_id));
    Err(merged.map_or_else(ApiError::no_contact, |(id, _)| gone(call, workspace, id)))
}

/// All contacts, newest first.
pub(super) fn list(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let paging = Paging::new(call.query_number("per_page")?, call.query("starting_after"), CONTACTS_PER_PAGE)?;
    let mut all: Vec<&Contact> = workspace.contacts.values().filter(|contact| !contact.archived).collect();
    all.sort_by_key(|one| std::cmp::Reverse((one.created_at, &one.id)));
    Ok(page(call, workspace, &paging, &all).into())
}

/// A page of contacts in the order given.
pub(super) fn page(call: &Call<'_>, workspace: &Workspace, paging: &Paging, all: &[&Contact]) -> Value {
    let (page, pages) = paging.cut(all, |contact| contact.id.clone());
    let data: Vec<Value> = page.iter().map(|contact| with_history(call, workspace, contact)).collect();
    json!({"type": "list", "data": data, "total_count": all.len(), "pages": pages})
}

pub(super) fn delete(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let contact = workspace.delete_contact(call.param("id"))?;
    Ok(with_flag(reference(&contact), "deleted", true).into())
}

pub(super) fn archive(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    workspace.archive_contact(call.param("id"))?;
    flagged(call, workspace, "archived", true)
}

pub(super) fn unarchive(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    workspace.unarchive_contact(call.param("id"))?;
    flagged(call, workspace, "archived", false)
}

pub(super) fn block(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    workspace.block_contact(call.param("id"))?;
    flagged(call, workspace, "blocked", true)
}

/// A lead becomes part of a user. From 2.16 they have to share an address or a number.
pub(super) fn merge(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let (from_id, into_id) = (fields.required_id("from")?, fields.required_id("into")?);
    let (from, into) = (workspace.contact(&from_id)?, workspace.contact(&into_id)?);
    if from.role != Role::Lead {
        return Err(ApiError::invalid_field("from", "from must be a lead"));
    }
    if into.role != Role::User {
        return Err(ApiError::invalid_field("into", "into must be a user"));
    }
    let same = |a: &Option<String>, b: &Option<String>| a.is_some() && a == b;
    let duplicates = same(&from.email, &into.email) || same(&from.phone, &into.phone);
    let skipped = fields.flag("skip_duplicate_validation")?.unwrap_or_default();
    if call.version.is_2_16() && !duplicates && !skipped {
        let message = "Contacts can only be merged when they are duplicates (matching email or phone). Pass \
                       skip_duplicate_validation=true to override this check.";
        return Err(ApiError::new(axum::http::StatusCode::BAD_REQUEST, "invalid_merge", message));
    }
    workspace.merge_contacts(&from_id, &into_id)?;
    shown(call, workspace, &into_id)
}

/// Who was merged into a user; leads have no history.
pub(super) fn merge_history(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let id = call.param("id");
    if !workspace.contact(id).is_ok_and(|contact| contact.role == Role::User) {
        return Err(ApiError::not_found("Contact not found"));
    }
    let mut entries = render::merge_history(workspace, id);
    match call.query("order") {
        None | Some("desc") => {}
        Some("asc") => entries.reverse(),
        Some(_) => return Err(ApiError::invalid_field("order", "order must be asc or desc")),
    }
    let paging = Paging::new(call.query_number("per_page")?, call.query("cursor"), CONTACTS_PER_PAGE)?;
    let source = |entry: &Value| entry["source_contact_id"].as_str().unwrap_or_default().to_owned();
    let (page, pages) = paging.cut(&entries, source);
    let next = &pages["next"]["starting_after"];
    Ok(json!({"type": "list", "data": page, "next_cursor": next, "has_more": !next.is_null()}).into())
}

/// The contact of the path.
///
/// # Errors
/// 404, or 410 with the way to go on for one that was merged, from 2.16.
pub(super) fn present<'a>(call: &Call<'_>, workspace: &'a Workspace) -> Answer<&'a Contact> {
    let id = call.param("id");
    workspace.contact(id).map_err(|_| gone(call, workspace, id))
}

fn gone(call: &Call<'_>, workspace: &Workspace, id: &str) -> ApiError {
    match workspace.survivor_of(id) {
        Some(survivor) if call.version.is_2_16() => ApiError::contact_merged(survivor),
        Some(_) | None => ApiError::no_contact(),
    }
}

/// The contact after a change.
pub(super) fn shown(call: &Call<'_>, workspace: &Workspace, id: &str) -> Answer<Reply> {
    Ok(with_history(call, workspace, workspace.contact(id)?).into())
}

/// With `include_merge_history`, of users, from 2.16.
fn with_history(call: &Call<'_>, workspace: &Workspace, contact: &Contact) -> Value {
    let mut value = render::contact(workspace, contact, call.version);
    value["enabled_push_messaging"] = Value::Null;
    let asked = call.query("include_merge_history") == Some("true");
    if asked && call.version.is_2_16() && contact.role == Role::User {
        value["merge_history"] = json!(render::merge_history(workspace, &contact.id));
    }
    value
}

fn flagged(call: &Call<'_>, workspace: &Workspace, flag: &str, value: bool) -> Answer<Reply> {
    let contact = workspace.contacts.get(call.param("id")).ok_or_else(ApiError::no_contact)?;
    Ok(with_flag(reference(contact), flag, value).into())
}

fn with_flag(mut reference: Value, flag: &str, value: bool) -> Value {
    reference[flag] = json!(value);
    reference
}

fn reference(contact: &Contact) -> Value {
    json!({"type": "contact", "id": contact.id, "external_id": contact.external_id})
}
