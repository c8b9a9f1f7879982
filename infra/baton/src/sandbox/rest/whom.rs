//! The contact that a request speaks of: by Intercom's id, the company's own, or the address.

use super::fields::Fields;
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::Contact;
use crate::sandbox::seed::Role;
use crate::sandbox::workspace::Workspace;

/// # Errors
/// 400 when none of the three is given, 404 when there is no such contact.
pub(super) fn contact<'a>(fields: &Fields, workspace: &'a Workspace) -> Answer<&'a Contact> {
    let mut contacts = workspace.contacts.values();
    let found = if let Some(id) = fields.id("intercom_user_id")? {
        workspace.contacts.get(&id)
    } else if let Some(user_id) = fields.id("user_id")? {
        contacts.find(|one| one.external_id.as_ref() == Some(&user_id))
    } else if let Some(email) = fields.text("email")? {
        let mut same: Vec<&Contact> = contacts.filter(|one| one.email.as_deref() == Some(email)).collect();
        // A user is preferred to the leads with the same address.
        same.sort_by_key(|one| one.role != Role::User);
        same.first().copied()
    } else {
        return Err(ApiError::missing("intercom_user_id"));
    };
    found.ok_or_else(ApiError::no_contact)
}
