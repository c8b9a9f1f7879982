//! The customer's details, as they travel with events.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::RestApi;
use crate::domain::part::Profile;
use crate::domain::settings::Workspace;
use crate::ports::{Clock, Tokens};
use crate::wire::intercom::{ContactItem, ConversationContext};
use crate::wire::traits::simple;

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// The details of a conversation's customer, asked for where the conversation has only the id.
    pub(super) async fn profile(&self, workspace: &Workspace, context: ConversationContext) -> Profile {
        let mentioned = context.contacts.and_then(|list| list.contacts.into_iter().next()).unwrap_or_default();
        let contact = match mentioned.id.as_ref().and_then(|id| id.some()) {
            // Without the customer's details the conversation still goes on.
            Some(id) if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                let fetched = self.request(workspace, Method::GET, &format!("/contacts/{id}"), None).await;
                fetched.ok().and_then(|bytes| serde_json::from_slice::<ContactItem>(&bytes).ok()).unwrap_or(mentioned)
            }
            _ => mentioned,
        };
        let source = context.source.unwrap_or_default();
        Profile {
            contact_id: contact.id.map(|id| id.0),
            external_id: contact.external_id.map(|id| id.0),
            role: contact.role,
            name: contact.name,
            email: contact.email.filter(|email| !email.is_empty()),
            phone: contact.phone,
            language: contact.language_override.or(contact.browser_language),
            location: contact.location.map(texts_of).unwrap_or_default(),
            contact_attributes: simple(contact.custom_attributes),
            conversation_attributes: simple(context.custom_attributes),
            url: source.url,
            delivered_as: source.delivered_as,
            channel: source.channel,
            tags: context.tags.unwrap_or_default().names(),
        }
    }
}

fn texts_of(location: serde_json::Map<String, Value>) -> BTreeMap<String, String> {
    let texts = location.into_iter().filter(|(name, _)| name != "type");
    texts.filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
}
