//! The contact that a request speaks of: by Intercom's id, the company's own, or the address.

use super::fields::Fields;
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{Contact, ContactBy};
use crate::sandbox::seed::Role;
use crate::sandbox::workspace::Workspace;

/// # Errors
/// 400 when none of the three is given, 404 when there is no such contact.
pub(super) fn contact<'a>(fields: &Fields, workspace: &'a Workspace) -> Answer<&'a Contact> {
    let contacts = &workspace.contacts;
    let found = if let Some(id) = fields.id("intercom_user_id")? {
        contacts.get(&id)
    } else if let Some(user_id) = fields.id("user_id")? {
        let mut same = contacts.all_by(&ContactBy::external_id(&user_id)).into_iter();
        same.find(|one| one.external_id.as_ref() == Some(&user_id))
    } else if let Some(email) = fields.text("email")? {
        let mut same = contacts.all_by(&ContactBy::email(email));
        same.retain(|one| one.email.as_deref() == Some(email));
        // A user is preferred to the leads with the same address.
        same.sort_by_key(|one| one.role != Role::User);
        same.first().copied()
    } else {
        return Err(ApiError::missing("intercom_user_id"));
    };
    found.ok_or_else(ApiError::no_contact)
}
