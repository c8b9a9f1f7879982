//! The search of contacts: the grammar of `query`, over what the index has seen so far.

use serde_json::{Value, json};

use super::contacts::{CONTACTS_PER_PAGE, page};
use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::Contact;
use crate::sandbox::query::{Field, Kind, Paging, Query};
use crate::sandbox::workspace::Workspace;

/// What contacts can be searched by, besides custom attributes.
const FIELDS: [Field; 44] = [
    ("id", Kind::Text),
    ("role", Kind::Text),
    ("name", Kind::Text),
    ("avatar", Kind::Text),
    ("owner_id", Kind::Text),
    ("email", Kind::Text),
    ("email_domain", Kind::Text),
    ("phone", Kind::Text),
    ("formatted_phone", Kind::Text),
    ("external_id", Kind::Text),
    ("created_at", Kind::Day),
    ("signed_up_at", Kind::Day),
    ("updated_at", Kind::Day),
    ("last_seen_at", Kind::Day),
    ("last_contacted_at", Kind::Day),
    ("last_replied_at", Kind::Day),
    ("last_email_opened_at", Kind::Day),
    ("last_email_clicked_at", Kind::Day),
    ("language_override", Kind::Text),
    ("browser", Kind::Text),
    ("browser_language", Kind::Text),
    ("os", Kind::Text),
    ("location.country", Kind::Text),
    ("location.region", Kind::Text),
    ("location.city", Kind::Text),
    ("unsubscribed_from_emails", Kind::Flag),
    ("marked_email_as_spam", Kind::Flag),
    ("has_hard_bounced", Kind::Flag),
    ("ios_last_seen_at", Kind::Day),
    ("ios_app_version", Kind::Text),
    ("ios_device", Kind::Text),
    ("ios_app_device", Kind::Text),
    ("ios_os_version", Kind::Text),
    ("ios_app_name", Kind::Text),
    ("ios_sdk_version", Kind::Text),
    ("android_last_seen_at", Kind::Day),
    ("android_app_version", Kind::Text),
    ("android_device", Kind::Text),
    ("android_app_name", Kind::Text),
    ("android_sdk_version", Kind::Text),
    // As the description spells it.
    ("andoid_sdk_version", Kind::Text),
    ("android_os_version", Kind::Text),
    ("segment_id", Kind::Text),
    ("tag_id", Kind::Same),
];

pub(super) fn search(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let query = Query::parse(fields.required("query")?, &FIELDS)?;
    let paging = match &fields.object("pagination")? {
        None => Paging::new(None, None, CONTACTS_PER_PAGE)?,
        Some(asked) => Paging::new(asked.number("per_page")?, asked.text("starting_after")?, CONTACTS_PER_PAGE)?,
    };
    let seen = workspace.contact_index.seen(workspace.clock.now_ms());
    let found = seen.filter(|contact| query.matches(&|name| values(contact, name)));
    // Found by what it was, answered as it is: one that is gone by now is not found.
    let mut found: Vec<&Contact> = found.filter_map(|contact| workspace.contact(&contact.id).ok()).collect();
    sort(call, &mut found, &fields)?;
    Ok(page(call, workspace, &paging, &found).into())
}

/// From 2.16 only `ascending` and `descending` are orders; before, anything else is the latter.
fn sort(call: &Call<'_>, found: &mut [&Contact], fields: &Fields) -> Answer<()> {
    let asked = fields.object("sort")?;
    let field = asked.as_ref().map_or(Ok(None), |sort| sort.text("field"))?.unwrap_or("created_at");
    let order = asked.as_ref().map_or(Ok(None), |sort| sort.text("order"))?.unwrap_or("descending");
    if call.version.is_2_16() && !matches!(order, "ascending" | "descending") {
        let message = format!("Invalid sort order '{order}'. Must be one of: ascending, descending");
        return Err(ApiError::new(axum::http::StatusCode::BAD_REQUEST, "invalid_sort_order", message));
    }
    let key = |one: &Contact| (moment(one, field), raw(one, field).to_string(), one.id.clone());
    found.sort_by_cached_key(|one| key(one));
    if order != "ascending" {
        found.reverse();
    }
    Ok(())
}

/// What the filters compare with.
fn values(one: &Contact, field: &str) -> Vec<Value> {
    match field {
        "tag_id" => one.tags.iter().map(|tag| json!(tag.id)).collect(),
        "segment_id" => Vec::new(),
        other => vec![moment(one, other).map_or_else(|| raw(one, other), |at| json!(at))],
    }
}

fn moment(one: &Contact, field: &str) -> Option<u64> {
    match field {
        "created_at" => Some(one.created_at),
        "updated_at" => Some(one.updated_at),
        "signed_up_at" => one.signed_up_at,
        "last_seen_at" => one.last_seen_at,
        "last_contacted_at" => one.last_contacted_at,
        "last_replied_at" => one.last_replied_at,
        _ => None,
    }
}

fn raw(one: &Contact, field: &str) -> Value {
    let domain = || one.email.as_deref().and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
    match field {
        "id" => json!(one.id),
        "role" => json!(one.role.name()),
        "name" => json!(one.name),
        "avatar" => json!(one.avatar),
        "owner_id" => json!(one.owner_id),
        "email" => json!(one.email),
        "email_domain" => json!(domain()),
        "phone" | "formatted_phone" => json!(one.phone),
        "external_id" => json!(one.external_id),
        "language_override" => json!(one.language_override),
        "unsubscribed_from_emails" => json!(one.unsubscribed_from_emails),
        "marked_email_as_spam" | "has_hard_bounced" => json!(false),
        other => {
            let place = other.strip_prefix("location.").and_then(|name| one.location.get(name));
            let custom = other.strip_prefix("custom_attributes.").and_then(|name| one.custom_attributes.get(name));
            place.map(|text| json!(text)).or_else(|| custom.cloned()).unwrap_or_default()
        }
    }
}
