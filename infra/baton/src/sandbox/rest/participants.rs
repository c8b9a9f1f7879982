//! Contacts that join and leave a conversation over REST.

use super::conversations::{conversation_id, whole};
use super::fields::Fields;
use super::{Call, Reply, whom};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::workspace::Workspace;

/// `POST /conversations/{id}/customers`: on behalf of a teammate, of another contact, or, where
/// neither is named, which the description allows, of nobody in particular.
pub(super) fn attach(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = conversation_id(call.param("id"))?;
    workspace.conversation(id)?;
    let fields = Fields::parse(call.body)?;
    let customer = fields.object("customer")?.ok_or_else(|| ApiError::missing("customer"))?;
    let inviter = customer.object("customer")?;
    let actor = match (fields.id("admin_id")?, &inviter) {
        (Some(_), _) => workspace.admin_author(fields.admin(workspace)?)?,
        (None, Some(inviter)) => workspace.contact_author(&whom::contact(inviter, workspace)?.id)?,
        (None, None) => workspace.operator_author(false),
    };
    let by_email = customer.id("intercom_user_id")?.is_none() && customer.id("user_id")?.is_none();
    let contact_id = match (whom::contact(&customer, workspace), customer.text("email")?) {
        (Ok(contact), _) => contact.id.clone(),
        // An address that nobody has makes a lead.
        (Err(_), Some(email)) if by_email && email.contains('@') => workspace.new_lead(None, Some(email.to_owned())),
        (Err(error), _) => return Err(error),
    };
    workspace.attach_contact(id, &contact_id, actor, call.via())?;
    whole(call, workspace, id)
}

/// `DELETE /conversations/{id}/customers/{contact_id}`.
pub(super) fn detach(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let id = conversation_id(call.param("id"))?;
    workspace.conversation(id)?;
    let admin_id = Fields::parse(call.body)?.admin(workspace)?;
    workspace.detach_contact(id, call.param("contact_id"), admin_id, call.via())?;
    whole(call, workspace, id)
}
