//! Visitors over REST: people in the Messenger who have not written yet.

use super::fields::Fields;
use super::{Call, Reply, contacts};
use crate::sandbox::contacts::ContactChange;
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::Visitor;
use crate::sandbox::render;
use crate::sandbox::seed::Role;
use crate::sandbox::workspace::Workspace;

fn no_visitor() -> ApiError {
    ApiError::not_found("Visitor Not Found")
}

pub(super) fn get(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let user_id = call.query("user_id").ok_or_else(|| ApiError::missing("user_id"))?;
    let visitor = workspace.people.visitors.values().find(|one| one.user_id == user_id).ok_or_else(no_visitor)?;
    Ok(render::visitor(workspace, visitor).into())
}

pub(super) fn update(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let mut visitor = named(workspace, &fields)?;
    let attributes = fields.object("custom_attributes")?.map(Fields::into_map).unwrap_or_default();
    workspace.attributes.check(crate::sandbox::attributes::Model::Contact, &attributes)?;
    if let Some(name) = fields.clearable_text("name")? {
        visitor.name = name;
    }
    visitor.custom_attributes.extend(attributes);
    visitor.updated_at = workspace.clock.now();
    let shown = render::visitor(workspace, &visitor);
    workspace.people.visitors.insert(visitor.id.clone(), visitor);
    Ok(shown.into())
}

/// The visitor whom a body names by `id` or `user_id`; visitors have no address.
fn named(workspace: &Workspace, fields: &Fields) -> Answer<Visitor> {
    let (id, user_id) = (fields.id("id")?, fields.id("user_id")?);
    if id.is_none() && user_id.is_none() && fields.text("email")?.is_none() {
        return Err(ApiError::missing("id"));
    }
    let is = |one: &&Visitor| Some(&one.id) == id.as_ref() || Some(&one.user_id) == user_id.as_ref();
    workspace.people.visitors.values().find(is).cloned().ok_or_else(no_visitor)
}

/// Makes a contact of a visitor. As a user the visitor becomes part of the one that `user`
/// names, or a new one with that identity.
pub(super) fn convert(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let kind = fields.required_text("type")?;
    let visitor = fields.object("visitor")?.ok_or_else(|| ApiError::missing("visitor"))?;
    let user = fields.object("user")?;
    let id = match kind {
        "lead" => {
            let visitor = named(workspace, &visitor)?;
            workspace.visitor_to_lead(visitor)
        }
        "user" => {
            let visitor = named(workspace, &visitor)?;
            let user = user.ok_or_else(|| ApiError::missing("user"))?;
            let (id, user_id, email) = (user.id("id")?, user.id("user_id")?, user.text("email")?);
            if id.is_none() && user_id.is_none() && email.is_none() {
                return Err(ApiError::missing("user_id"));
            }
            let known = workspace.contacts.values().filter(|one| one.role == Role::User && !one.archived).find(|one| {
                Some(&one.id) == id.as_ref()
                    || (user_id.is_some() && one.external_id == user_id)
                    || (user_id.is_none() && email.is_some() && one.email.as_deref() == email)
            });
            let known = known.map(|one| one.id.clone());
            if id.is_some() && known.is_none() {
                return Err(ApiError::no_contact());
            }
            let change = ContactChange {
                external_id: user_id.map(Some),
                email: email.map(|email| Some(email.to_owned())),
                ..ContactChange::default()
            };
            workspace.visitor_to_user(visitor, known, change)?
        }
        _ => return Err(ApiError::invalid_field("type", "type must be user or lead")),
    };
    contacts::shown(call, workspace, &id)
}
