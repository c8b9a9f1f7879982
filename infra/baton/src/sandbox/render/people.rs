//! Teammates, teams, contacts and visitors as Intercom's JSON, in each version's shape.

use serde_json::{Value, json};

use crate::sandbox::model::{Admin, Contact, MergedContact, Note, Team, Visitor};
use crate::sandbox::version::ApiVersion;
use crate::sandbox::workspace::Workspace;

/// How many of its tags, and of its notes, a contact carries with it.
const LISTED_IN_CONTACT: usize = 10;

/// A teammate.
pub(crate) fn admin(admin: &Admin, version: ApiVersion) -> Value {
    let mut value = json!({
        "type": "admin",
        "id": admin.id.to_string(),
        "name": admin.name,
        "email": admin.email,
        "away_mode_enabled": admin.away_mode_enabled,
        "away_mode_reassign": admin.away_mode_reassign,
        "has_inbox_seat": admin.has_inbox_seat,
        "team_ids": admin.team_ids,
    });
    if let Some(job_title) = &admin.job_title {
        value["job_title"] = json!(job_title);
    }
    if version.has_away_status_reasons() {
        value["away_status_reason_id"] = json!(admin.away_status_reason_id);
    }
    if let (Some((id, name)), true) = (&admin.role, version.is_2_16()) {
        value["role"] = json!({"type": "role", "id": id, "name": name});
    }
    value
}

/// The teammate of a token with the workspace, as `GET /me` answers.
pub(crate) fn me(workspace: &Workspace, one: &Admin, version: ApiVersion) -> Value {
    let mut value = admin(one, version);
    value["email_verified"] = json!(true);
    value["avatar"] = json!({"type": "avatar", "image_url": one.avatar});
    value["app"] = json!({
        "type": "app",
        "id_code": workspace.app_id,
        "name": workspace.name,
        "created_at": workspace.created_at,
        "secure": false,
        "identity_verification": false,
        "timezone": "Etc/UTC",
        "region": workspace.region,
    });
    value
}

/// A team.
pub(crate) fn team(team: &Team, version: ApiVersion) -> Value {
    let mut value = json!({
        "type": "team",
        "id": team.id.to_string(),
        "name": team.name,
        "admin_ids": team.admin_ids,
        "admin_priority_level": null,
    });
    if version.has_team_distribution() {
        value["assignment_limit"] = json!(team.assignment_limit);
        value["distribution_method"] = json!(team.distribution_method);
    }
    value
}

/// A customer.
pub(crate) fn contact(workspace: &Workspace, one: &Contact, version: ApiVersion) -> Value {
    let place = |key: &str| one.location.get(key);
    let owner_id = match one.owner_id {
        Some(id) if version.is_2_16() => json!(id.to_string()),
        other => json!(other),
    };
    let tags: Vec<(&str, u64)> = one.tags.iter().map(|tag| ("tag", tag.id)).collect();
    let notes: Vec<(&str, u64)> = workspace
        .people
        .notes
        .values()
        .filter(|note| note.contact_id == one.id)
        .map(|note| ("note", note.id))
        .collect();
    let mut value = json!({
        "type": "contact",
        "id": one.id,
        "workspace_id": workspace.app_id,
        "external_id": one.external_id,
        "role": one.role_name(),
        // Like an author without an address, in captured payloads: empty, and not null.
        "email": one.email.as_deref().unwrap_or_default(),
        "phone": one.phone,
        "name": one.name,
        "avatar": one.avatar.as_ref().map(|url| json!({"type": "avatar", "image_url": url})),
        "owner_id": owner_id,
        "social_profiles": {"type": "list", "data": []},
        "has_hard_bounced": false,
        "marked_email_as_spam": false,
        "unsubscribed_from_emails": one.unsubscribed_from_emails,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "signed_up_at": one.signed_up_at,
        "last_seen_at": one.last_seen_at,
        "last_replied_at": one.last_replied_at,
        "last_contacted_at": one.last_contacted_at,
        "language_override": one.language_override,
        "location": {
            "type": "location",
            "country": place("country"),
            "region": place("region"),
            "city": place("city"),
            "country_code": place("country_code"),
            "continent_code": place("continent_code"),
        },
        "custom_attributes": one.custom_attributes,
        "tags": listed(&one.id, "tags", &tags),
        "notes": listed(&one.id, "notes", &notes),
        "companies": listed(&one.id, "companies", &[]),
        "opted_out_subscription_types": listed(&one.id, "subscriptions", &[]),
        "opted_in_subscription_types": listed(&one.id, "subscriptions", &[]),
    });
    for unknown in UNKNOWN_OF_CONTACTS {
        value[unknown] = Value::Null;
    }
    if let Some((_, domain)) = one.email.as_deref().and_then(|email| email.rsplit_once('@')) {
        value["email_domain"] = json!(domain);
    }
    value
}

/// What Intercom knows of a contact's devices and ways, and the sandbox does not.
const UNKNOWN_OF_CONTACTS: [&str; 24] = [
    "last_email_opened_at",
    "last_email_clicked_at",
    "browser",
    "browser_version",
    "browser_language",
    "os",
    "android_app_name",
    "android_app_version",
    "android_device",
    "android_os_version",
    "android_sdk_version",
    "android_last_seen_at",
    "ios_app_name",
    "ios_app_version",
    "ios_device",
    "ios_os_version",
    "ios_sdk_version",
    "ios_last_seen_at",
    "utm_campaign",
    "utm_content",
    "utm_medium",
    "utm_source",
    "utm_term",
    "referrer",
];

fn listed(contact_id: &str, name: &str, members: &[(&str, u64)]) -> Value {
    let data: Vec<Value> = members
        .iter()
        .take(LISTED_IN_CONTACT)
        .map(|(kind, id)| json!({"type": kind, "id": id.to_string(), "url": format!("/{name}/{id}")}))
        .collect();
    json!({
        "type": "list",
        "data": data,
        "url": format!("/contacts/{contact_id}/{name}"),
        "total_count": members.len(),
        "has_more": members.len() > LISTED_IN_CONTACT,
    })
}

/// The contacts that were merged into one, as entries of its history.
pub(crate) fn merge_history(workspace: &Workspace, contact_id: &str) -> Vec<Value> {
    let entry = |(id, merged): (&String, &MergedContact)| {
        json!({
            "type": "merge_history",
            "source_contact_id": id,
            "source_contact_role": merged.role.name(),
            "merged_at": merged.merged_at,
        })
    };
    workspace.merges_into(contact_id).into_iter().map(entry).collect()
}

/// A note on a contact, with who wrote it.
pub(crate) fn note(workspace: &Workspace, note: &Note, version: ApiVersion) -> Value {
    let author = note.admin_id.and_then(|id| workspace.admins.get(&id)).map(|one| admin(one, version));
    json!({
        "type": "note",
        "id": note.id.to_string(),
        "created_at": note.created_at,
        "contact": {"type": "contact", "id": note.contact_id},
        "author": author,
        "body": note.body,
    })
}

/// Somebody in the Messenger who has not written yet.
pub(crate) fn visitor(workspace: &Workspace, one: &Visitor) -> Value {
    json!({
        "type": "visitor",
        "id": one.id,
        "user_id": one.user_id,
        "anonymous": true,
        "email": "",
        "phone": null,
        "name": one.name,
        "pseudonym": one.pseudonym,
        "avatar": {"type": "avatar", "image_url": null},
        "app_id": workspace.app_id,
        "companies": {"type": "company.list", "companies": []},
        "location_data": {},
        "last_request_at": null,
        "created_at": one.created_at,
        "remote_created_at": one.created_at,
        "signed_up_at": one.created_at,
        "updated_at": one.updated_at,
        "session_count": 0,
        "social_profiles": {"type": "social_profile.list", "social_profiles": []},
        "owner_id": null,
        "unsubscribed_from_emails": false,
        "marked_email_as_spam": false,
        "has_hard_bounced": false,
        "tags": {"type": "tag.list", "tags": []},
        "segments": {"type": "segment.list", "segments": []},
        "custom_attributes": one.custom_attributes,
        "referrer": null,
        "utm_campaign": null,
        "utm_content": null,
        "utm_medium": null,
        "utm_source": null,
        "utm_term": null,
        "do_not_track": null,
    })
}
