//! What contacts did, as the company reports it over REST.

use serde_json::{Map, Value, json};

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::clock;
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{Contact, DataEvent};
use crate::sandbox::seed::Role;
use crate::sandbox::topic::Topic;
use crate::sandbox::workspace::Workspace;

/// Takes an event in; the answer is empty. What the item of the webhook looks like is a guess.
pub(super) fn create(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let event_name = fields.required_text("event_name")?.to_owned();
    let created_at = fields.number("created_at")?.ok_or_else(|| ApiError::missing("created_at"))?;
    let metadata = fields.object("metadata")?.map(Fields::into_map).unwrap_or_default();
    if !metadata.values().all(can_be_metadata) {
        let message = "metadata must have texts, numbers, links and amounts";
        return Err(ApiError::invalid_field("metadata", message));
    }
    let contact = whose(workspace, fields.id("id")?, fields.id("user_id")?, fields.text("email")?)?;
    let event = DataEvent { contact_id: contact.id.clone(), event_name, created_at, metadata };
    let item = json!({
        "type": "event",
        "id": crate::sandbox::ids::uuid(),
        "event_name": event.event_name,
        "created_at": event.created_at,
        "intercom_user_id": contact.id,
        "user_id": contact.external_id,
        "email": contact.email,
        "metadata": event.metadata,
    });
    workspace.people.data_events.push(event);
    workspace.fire(Topic::EventCreated, None, |_, _| item.clone());
    Ok(Reply::empty(axum::http::StatusCode::ACCEPTED))
}

/// Nothing nested but a link with its text, and an amount with its currency.
fn can_be_metadata(value: &Value) -> bool {
    let has = |name: &str| value.get(name).is_some_and(|inner| inner.is_string() || inner.is_number());
    match value {
        Value::Null | Value::String(_) | Value::Number(_) => true,
        Value::Object(_) => (has("url") && has("value")) || (has("amount") && has("currency")),
        Value::Bool(_) | Value::Array(_) => false,
    }
}

/// Takes counts of events that happened before; each counts as that many events.
pub(super) fn create_summaries(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let contact_id = whose(workspace, None, fields.id("user_id")?, None)?.id.clone();
    let summary = fields.object("event_summaries")?.ok_or_else(|| ApiError::missing("event_summaries"))?;
    let event_name = summary.required_text("event_name")?;
    let (first, last) = (summary.number("first")?, summary.number("last")?);
    let now = workspace.clock.now();
    for n in 0..summary.number("count")?.unwrap_or(1).min(COUNTED_AT_ONCE) {
        let created_at = if n == 0 { first } else { last };
        workspace.people.data_events.push(DataEvent {
            contact_id: contact_id.clone(),
            event_name: event_name.to_owned(),
            created_at: created_at.unwrap_or(now),
            metadata: Map::new(),
        });
    }
    Ok(Reply::empty(axum::http::StatusCode::OK))
}

/// How many events one summary can stand for here.
const COUNTED_AT_ONCE: u64 = 1_000;

/// A contact's events, counted by name.
pub(super) fn list(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    // The official clients send `filter` as an object of the query; people name its members.
    let asked = |name: &str| {
        let nested = format!("filter[{name}]");
        call.query(name).or_else(|| call.query(&nested)).map(str::to_owned)
    };
    if call.query("type") != Some("user") {
        return Err(ApiError::invalid_field("type", "type must be user"));
    }
    let contact = whose(workspace, asked("intercom_user_id"), asked("user_id"), asked("email").as_deref())?;
    let theirs = || workspace.people.data_events.iter().filter(|event| event.contact_id == contact.id);
    let mut names: Vec<&str> = theirs().map(|event| event.event_name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let summary = |name: &&str| {
        let times: Vec<u64> =
            theirs().filter(|event| event.event_name == *name).map(|event| event.created_at).collect();
        json!({
            "name": name,
            "first": times.iter().min().copied().map(clock::iso_8601),
            "last": times.iter().max().copied().map(clock::iso_8601),
            "count": times.len(),
        })
    };
    Ok(json!({
        "type": "event.summary",
        "email": contact.email.as_deref().unwrap_or_default(),
        "intercom_user_id": contact.id,
        "user_id": contact.external_id.as_deref().unwrap_or_default(),
        "events": names.iter().map(summary).collect::<Vec<Value>>(),
        "pages": {"next": null},
    })
    .into())
}

/// The contact who did it; an address is a user's before it is a lead's.
fn whose<'a>(
    workspace: &'a Workspace,
    id: Option<String>,
    user_id: Option<String>,
    email: Option<&str>,
) -> Answer<&'a Contact> {
    let mut present = workspace.contacts.values().filter(|contact| !contact.archived);
    let found = match (&id, &user_id, email) {
        (Some(id), _, _) => present.find(|one| one.id == *id),
        (None, Some(user_id), _) => present.find(|one| one.external_id.as_ref() == Some(user_id)),
        (None, None, Some(email)) => {
            let same = present.filter(|one| one.email.as_deref() == Some(email));
            same.min_by_key(|one| one.role != Role::User)
        }
        (None, None, None) => return Err(ApiError::missing("user_id")),
    };
    found.ok_or_else(ApiError::no_contact)
}
