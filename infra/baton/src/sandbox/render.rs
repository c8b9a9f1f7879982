//! Workspace nouns as Intercom's JSON, in each version's shape.
//!
//! The same functions serve REST answers and webhooks; a [`Style`] says where they differ.
//! Nothing here decides what is sent or changed.

mod people;

use serde_json::{Value, json};

pub(crate) use self::people::{admin, contact, me, merge_history, note, team, visitor};

use super::clock;
use super::model::{
    AiAgent, AppliedTag, Assignee, Attachment, Author, Conversation, Email, Part, QuickReplyOption, Source, State,
    Statistics,
};
use super::text::{self, Links};
use super::version::ApiVersion;
use super::workspace::Workspace;

/// How many parts a conversation is answered with, the newest.
pub(crate) const PARTS_SHOWN: usize = 500;

/// For whom something is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Style {
    version: ApiVersion,
    bodies: Bodies,
    iso_statistics: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bodies {
    Html,
    Plain(Links),
}

impl Style {
    /// A REST answer; `plaintext` is `display_as=plaintext`.
    pub(crate) fn rest(version: ApiVersion, plaintext: bool) -> Self {
        let links = if version.is_2_16() { Links::WithAddress } else { Links::LabelOnly };
        Self { version, bodies: if plaintext { Bodies::Plain(links) } else { Bodies::Html }, iso_statistics: false }
    }

    /// A webhook payload of the subscription's version.
    pub(crate) fn webhook(version: ApiVersion) -> Self {
        let plain = version.has_plain_webhooks();
        Self {
            version,
            bodies: if plain { Bodies::Plain(Links::LabelOnly) } else { Bodies::Html },
            iso_statistics: !plain,
        }
    }

    /// The control API: everything there is, as HTML.
    pub(crate) fn control() -> Self {
        Self::rest(ApiVersion::DEFAULT, false)
    }

    fn body(self, html: &str) -> String {
        match self.bodies {
            Bodies::Html => html.to_owned(),
            Bodies::Plain(links) => text::plain(html, links),
        }
    }

    fn priority(self, has_priority: bool) -> &'static str {
        match (has_priority, self.version.is_2_16()) {
            (true, true) => "high",
            (false, true) => "none",
            (true, false) => "priority",
            (false, false) => "not_priority",
        }
    }

    fn assignee_id(self, id: Option<u64>) -> Value {
        match id {
            Some(id) => json!(id),
            None if self.version.is_2_16() => json!(0),
            None => Value::Null,
        }
    }
}

/// A conversation with the given parts. With all its newest it is `texts::whole_conversation`.
pub(crate) fn conversation(workspace: &Workspace, conversation: &Conversation, parts: &[&Part], style: Style) -> Value {
    let mut value = list_item(workspace, conversation, style);
    let rendered: Vec<Value> = parts.iter().map(|one| part(one, style)).collect();
    value["conversation_parts"] = json!({
        "type": "conversation_part.list",
        "total_count": rendered.len(),
        "conversation_parts": rendered,
    });
    value
}

/// A conversation without its parts, as lists and searches have it.
pub(crate) fn list_item(workspace: &Workspace, one: &Conversation, style: Style) -> Value {
    let contacts: Vec<Value> = one.contact_ids.iter().map(|id| contact_reference(workspace, id)).collect();
    let teammates: Vec<Value> = one.teammates.iter().map(|id| reference("admin", id)).collect();
    let first_contact_reply = one
        .statistics
        .first_contact_reply_at
        .map(|at| json!({"created_at": at, "type": "conversation", "url": one.source.url}));
    let mut value = json!({
        "type": "conversation",
        "id": one.id.to_string(),
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "waiting_since": one.waiting_since,
        "snoozed_until": one.snoozed_until,
        "source": source(&one.source, style),
        "contacts": {"type": "contact.list", "contacts": contacts},
        "first_contact_reply": first_contact_reply,
        "admin_assignee_id": style.assignee_id(one.admin_assignee),
        "team_assignee_id": style.assignee_id(one.team_assignee),
        "open": one.state != State::Closed,
        "state": one.state.name(),
        "read": one.read,
        "tags": {"type": "tag.list", "tags": one.tags.iter().map(applied_tag).collect::<Vec<_>>()},
        "priority": style.priority(one.has_priority),
        "sla_applied": null,
        "statistics": statistics(&one.statistics, one, style),
        "conversation_rating": rating(workspace, one, style),
        "teammates": {"type": "admin.list", "admins": teammates},
        "title": one.title,
        "custom_attributes": one.custom_attributes,
        "topics": {"type": "topic.list", "topics": [], "total_count": 0},
        "ticket": null,
        "linked_objects": linked_objects(&one.linked),
    });
    if style.version.has_ai_agent() {
        value["ai_agent"] = one.ai_agent.as_ref().map_or(Value::Null, |agent| ai_agent(agent, style));
        value["ai_agent_participated"] = json!(one.ai_agent.is_some());
    }
    if style.version.has_company() {
        // The sandbox has no companies.
        value["company"] = Value::Null;
    }
    if style.version.is_2_16() {
        let channel = if one.is_by_email() { "email" } else { "messenger" };
        value["channel"] = json!({"initial": channel, "current": channel});
        value["external_references"] = json!([]);
        value["sales_agent_participated"] = json!(false);
        value["sales_agent"] = Value::Null;
    }
    value
}

fn linked_objects(ids: &[u64]) -> Value {
    let entry = |id: &u64| json!({"type": "conversation", "id": id.to_string(), "category": null});
    let data: Vec<Value> = ids.iter().map(entry).collect();
    json!({"type": "list", "total_count": data.len(), "has_more": false, "data": data})
}

fn ai_agent(agent: &AiAgent, style: Style) -> Value {
    json!({
        "source_type": "workflow",
        "source_title": agent.source_title,
        "last_answer_type": agent.answered.then_some("ai_answer"),
        "resolution_state": agent.resolution.map(|resolution| style.version.resolution_state(resolution)),
        "rating": null,
        "rating_remark": null,
        "created_at": agent.created_at,
        "updated_at": agent.updated_at,
        "content_sources": {"type": "content_source.list", "total_count": 0, "content_sources": []},
    })
}

fn source(source: &Source, style: Style) -> Value {
    let delivered_as = if source.author.kind.is_contact() { "customer_initiated" } else { "admin_initiated" };
    let subject = source.email.as_ref().map_or("", |email| email.subject.as_str());
    let mut value = json!({
        "type": if source.email.is_some() { "email" } else { "conversation" },
        "id": source.id.to_string(),
        "delivered_as": delivered_as,
        "subject": subject,
        "body": style.body(&source.body),
        "author": {
            "type": source.author.kind.name(),
            "id": source.author.id,
            "name": source.author.name,
            "email": source.author.email,
        },
        "attachments": attachments(&source.attachments),
        "url": source.url,
        "redacted": source.redacted,
    });
    if let (Some(email), true) = (&source.email, style.version.is_2_16()) {
        value["email_message_metadata"] = email_metadata(email);
        value["email_message_metadata"]["history"] = json!("");
    }
    value
}

fn email_metadata(email: &Email) -> Value {
    let header = |kind: &str, (address, name): &(String, Option<String>)| json!({"type": kind, "email_address": address, "name": name});
    json!({
        "subject": email.subject,
        "email_address_headers": [header("from", &email.from), header("to", &email.to)],
        "message_id": email.message_id,
    })
}

/// One part of a conversation. Its text is kept (`texts`), so nothing but the part and the style
/// may have a say in it.
pub(crate) fn part(part: &Part, style: Style) -> Value {
    let mut value = json!({
        "type": "conversation_part",
        "id": part.id.to_string(),
        "part_type": part.part_type.name(),
        "body": part.body.as_deref().map(|html| style.body(html)),
        "created_at": part.created_at,
        "updated_at": part.updated_at,
        "notified_at": part.created_at,
        "assigned_to": part.assigned_to.map(assigned_to),
        "author": author(&part.author, style),
        "attachments": attachments(&part.attachments),
        "external_id": null,
        "redacted": part.redacted,
    });
    if style.version.has_part_details() {
        value["email_message_metadata"] = part.email.as_ref().map_or(Value::Null, email_metadata);
        value["state"] = json!(part.state.name());
        value["tags"] = part.tags.iter().map(applied_tag).collect();
        value["event_details"] = match &part.changed_attribute {
            Some((name, to)) => json!({"attribute": {"name": name}, "value": {"name": to}}),
            None => json!({}),
        };
        value["app_package_code"] = json!(part.app_package_code);
    }
    if style.version.has_quick_replies() {
        value["metadata"] = metadata(part);
    }
    value
}

fn metadata(part: &Part) -> Value {
    let mut value = json!({});
    if !part.quick_reply_options.is_empty() {
        value["quick_reply_options"] = quick_reply_options(&part.quick_reply_options);
    }
    if let Some(uuid) = &part.quick_reply_uuid {
        value["quick_reply_uuid"] = json!(uuid);
    }
    value
}

fn quick_reply_options(options: &[QuickReplyOption]) -> Value {
    options.iter().map(|option| json!({"text": option.text, "uuid": option.uuid})).collect()
}

fn assigned_to(assignee: Assignee) -> Value {
    match assignee {
        Assignee::Admin(id) => reference("admin", &id),
        Assignee::Team(id) => reference("team", &id),
        Assignee::NoAdmin | Assignee::NoTeam | Assignee::Nobody => Value::Null,
    }
}

fn author(author: &Author, style: Style) -> Value {
    let mut value = json!({
        "type": author.kind.name(),
        "id": author.id,
        "name": author.name,
        "email": author.email,
    });
    if style.version.has_quick_replies() {
        value["from_ai_agent"] = json!(author.from_ai_agent);
        value["is_ai_answer"] = json!(author.from_ai_agent);
    }
    value
}

fn attachments(list: &[Attachment]) -> Value {
    list.iter()
        .map(|file| {
            json!({
                "type": "upload",
                "name": file.name,
                "url": file.url,
                "content_type": file.content_type,
                "filesize": file.filesize,
                "width": null,
                "height": null,
            })
        })
        .collect()
}

/// A tag on a conversation or a part.
pub(crate) fn applied_tag(tag: &AppliedTag) -> Value {
    json!({
        "type": "tag",
        "id": tag.id.to_string(),
        "name": tag.name,
        "applied_at": tag.applied_at,
        "applied_by": reference("admin", &tag.applied_by),
    })
}

fn reference(kind: &str, id: &impl ToString) -> Value {
    json!({"type": kind, "id": id.to_string()})
}

fn contact_reference(workspace: &Workspace, id: &str) -> Value {
    let external_id = workspace.contacts.get(id).and_then(|contact| contact.external_id.as_deref());
    json!({"type": "contact", "id": id, "external_id": external_id})
}

fn rating(workspace: &Workspace, one: &Conversation, style: Style) -> Value {
    let Some(rating) = &one.rating else {
        return Value::Null;
    };
    let mut value = json!({
        "rating": rating.rating,
        "remark": rating.remark.as_deref().unwrap_or_default(),
        "created_at": rating.created_at,
        "contact": rating.contact_id.as_deref().map(|id| contact_reference(workspace, id)),
    });
    if style.version.has_part_details() {
        value["updated_at"] = json!(rating.created_at);
    }
    // The description has no null for a rating of nobody in particular.
    if let Some(id) = rating.admin_id {
        value["teammate"] = reference("admin", &id);
    }
    value
}

fn statistics(s: &Statistics, one: &Conversation, style: Style) -> Value {
    let at = |moment: Option<u64>| match moment {
        Some(seconds) if style.iso_statistics => json!(clock::iso_8601(seconds)),
        other => json!(other),
    };
    // A number in a captured notification, a text in every description. A guess: the newer
    // notifications follow the descriptions, as they do with the times.
    let last_closed_by = match s.last_closed_by {
        Some(id) if !style.iso_statistics => json!(id.to_string()),
        other => json!(other),
    };
    let since_start = |moment: Option<u64>| moment.map(|seconds| seconds.saturating_sub(one.created_at));
    let mut waits = s.waits_seconds.clone();
    waits.sort_unstable();
    json!({
        "type": "conversation_statistics",
        "time_to_assignment": since_start(s.first_assignment_at),
        "time_to_admin_reply": since_start(s.first_admin_reply_at),
        "time_to_first_close": since_start(s.first_close_at),
        "time_to_last_close": since_start(s.last_close_at),
        "median_time_to_reply": waits.get(waits.len() / 2),
        "first_contact_reply_at": at(s.first_contact_reply_at),
        "first_assignment_at": at(s.first_assignment_at),
        "first_admin_reply_at": at(s.first_admin_reply_at),
        "first_close_at": at(s.first_close_at),
        "last_assignment_at": at(s.last_assignment_at),
        "last_assignment_admin_reply_at": at(s.last_assignment_admin_reply_at),
        "last_contact_reply_at": at(s.last_contact_reply_at),
        "last_admin_reply_at": at(s.last_admin_reply_at),
        "last_close_at": at(s.last_close_at),
        "last_closed_by_id": last_closed_by,
        "count_reopens": s.count_reopens,
        "count_assignments": s.count_assignments,
        "count_conversation_parts": one.parts.len(),
        "assigned_team_first_response_time": [],
        "assigned_team_first_response_time_in_office_hours": [],
        "handling_time": null,
    })
}

/// What the customer of a conversation reads in the Messenger, oldest first.
pub(crate) fn seen_by_customer(one: &Conversation) -> Value {
    let entry = |id: u64, author: &Author, html: Option<&str>, at: u64, files: &[Attachment]| {
        json!({
            "id": id.to_string(),
            "author": {"type": author.kind.name(), "name": author.name},
            "body": html.map(|html| text::plain(html, Links::WithAddress)).unwrap_or_default(),
            "html": html,
            "created_at": at,
            "attachments": attachments(files),
        })
    };
    let first =
        entry(one.source.id, &one.source.author, Some(&one.source.body), one.created_at, &one.source.attachments);
    let later = one.parts.iter().filter(|part| part.is_visible_to_customer()).map(|part| {
        let html = part.body.as_deref();
        let mut seen = entry(part.id, &part.author, html, part.created_at, &part.attachments);
        seen["quick_reply_options"] = quick_reply_options(&part.quick_reply_options);
        seen
    });
    std::iter::once(first).chain(later).collect()
}
