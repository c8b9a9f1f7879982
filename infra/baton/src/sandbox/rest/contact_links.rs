//! What hangs on a contact over REST: tags, notes, and the lists that are always empty here.

use serde_json::{Value, json};

use super::contacts::present;
use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::query::Paging;
use crate::sandbox::render;
use crate::sandbox::text;
use crate::sandbox::workspace::Workspace;

/// How many notes a page has when nothing is asked.
const NOTES_PER_PAGE: usize = 50;

pub(super) fn tags(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let tags: Vec<Value> = present(call, workspace)?.tags.iter().map(render::applied_tag).collect();
    Ok(json!({"type": "list", "data": tags}).into())
}

/// The teammate who tags is the token's.
pub(super) fn tag(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    present(call, workspace)?;
    let tag_id = Fields::parse(call.body)?.required_id("id")?;
    let tag_id = tag_id.parse().map_err(|_| ApiError::no_resource())?;
    let tag = workspace.tag_contact(call.param("id"), tag_id, call.admin_id())?;
    Ok(render::applied_tag(&tag).into())
}

pub(super) fn untag(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    present(call, workspace)?;
    let tag_id = call.param("tag_id").parse().map_err(|_| ApiError::no_resource())?;
    let tag = workspace.untag_contact(call.param("id"), tag_id)?;
    Ok(render::applied_tag(&tag).into())
}

/// Newest first.
pub(super) fn notes(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let id = &present(call, workspace)?.id;
    let notes: Vec<_> = workspace.people.notes.values().rev().filter(|note| note.contact_id == *id).collect();
    let paging = Paging::new(call.query_number("per_page")?, call.query("starting_after"), NOTES_PER_PAGE)?;
    let paging = paging.numbered(call.query_number("page")?);
    let (page, pages) = paging.cut(&notes, |note| note.id.to_string());
    let data: Vec<Value> = page.iter().map(|note| render::note(workspace, note, call.version)).collect();
    Ok(json!({"type": "list", "data": data, "total_count": notes.len(), "pages": pages}).into())
}

/// Without `admin_id` the note is the token's teammate's.
pub(super) fn add_note(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    present(call, workspace)?;
    let body = text::stored_note(fields.required_text("body")?);
    let admin_id = match fields.id("admin_id")? {
        None => call.admin_id(),
        Some(id) => {
            let known = id.parse().ok().filter(|id| workspace.admins.contains_key(id));
            known.ok_or_else(ApiError::no_resource)?
        }
    };
    let note = workspace.note_contact(call.param("id"), Some(admin_id), body)?;
    Ok(render::note(workspace, &note, call.version).into())
}

pub(super) fn note(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let id = call.param("id").parse().map_err(|_| ApiError::no_resource())?;
    let note = workspace.people.notes.get(&id).ok_or_else(ApiError::no_resource)?;
    Ok(render::note(workspace, note, call.version).into())
}

/// Segments and subscriptions of a contact, of which there are none.
pub(super) fn none_of_contact(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    present(call, workspace)?;
    Ok(json!({"type": "list", "data": []}).into())
}

pub(super) fn companies(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    present(call, workspace)?;
    let pages = json!({"type": "pages", "next": null, "page": 1, "per_page": 50, "total_pages": 0});
    Ok(json!({"type": "list", "data": [], "pages": pages, "total_count": 0}).into())
}

/// Attaching to a contact what there is none of: a company, a subscription type.
pub(super) fn attach_unknown(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    present(call, workspace)?;
    Fields::parse(call.body)?.required_id("id")?;
    Err(ApiError::no_resource())
}

pub(super) fn detach_unknown(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    present(call, workspace)?;
    Err(ApiError::no_resource())
}

pub(super) fn segments(_: &Call<'_>, _: &Workspace) -> Answer<Reply> {
    Ok(json!({"type": "segment.list", "segments": []}).into())
}

pub(super) fn no_segment(_: &Call<'_>, _: &Workspace) -> Answer<Reply> {
    Err(ApiError::no_resource())
}

pub(super) fn subscription_types(_: &Call<'_>, _: &Workspace) -> Answer<Reply> {
    Ok(json!({"type": "list", "data": []}).into())
}
