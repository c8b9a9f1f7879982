//! A conversation as it looks at one moment, read off the control API.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::text::{self, Links};
use super::cast::{Cast, Owner};

/// Who wrote something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    Customer,
    Bot,
    Teammate(u64),
    Workflow,
    Fin,
}

/// The first message, or a part.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: u64,
    pub(crate) part_type: String,
    pub(crate) voice: Voice,
    pub(crate) html: String,
    /// Its words in one line, and its buttons in square brackets.
    pub(crate) text: String,
    pub(crate) files: Vec<String>,
    /// The buttons that it offers: label and id.
    pub(crate) buttons: Vec<(String, String)>,
    pub(crate) at: u64,
    /// Whom it gave the conversation to.
    pub(crate) assigned_to: Option<Owner>,
    pub(crate) seen_by_customer: bool,
}

impl Entry {
    pub(crate) fn has_content(&self) -> bool {
        !self.text.is_empty() || !self.files.is_empty()
    }

    pub(crate) fn is_said_by_bot(&self) -> bool {
        self.voice == Voice::Bot && self.seen_by_customer
    }
}

/// The conversation.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    pub(crate) entries: Vec<Entry>,
    pub(crate) state: String,
    pub(crate) admin_assignee: Option<u64>,
    pub(crate) team_assignee: Option<u64>,
    pub(crate) tags: Vec<String>,
    pub(crate) attributes: Map<String, Value>,
}

impl Sight {
    pub(crate) fn read(value: &Value, cast: &Cast) -> Self {
        let seen: BTreeSet<u64> =
            list(&value["seen_by_customer"]).iter().filter_map(|one| number(&one["id"])).collect();
        let source = &value["source"];
        let parts = list(&value["conversation_parts"]["conversation_parts"]);
        let entry = |value: &Value, part_type: &str| {
            let id = number(&value["id"]).unwrap_or_default();
            let option = |option: &Value| (words(&option["text"]), words(&option["uuid"]));
            let buttons: Vec<_> = list(&value["metadata"]["quick_reply_options"]).iter().map(option).collect();
            let labels = buttons.iter().map(|(label, _)| format!(" [{label}]"));
            let text = text::plain(&words(&value["body"]), Links::WithAddress) + &labels.collect::<String>();
            Entry {
                id,
                part_type: part_type.to_owned(),
                voice: voice(&value["author"], cast),
                html: words(&value["body"]),
                text: one_line(&text),
                buttons,
                files: list(&value["attachments"])
                    .iter()
                    .map(|file| format!("{} {}", words(&file["url"]), words(&file["name"])))
                    .collect(),
                at: value["created_at"].as_u64().unwrap_or_default(),
                assigned_to: assigned_to(value),
                seen_by_customer: seen.contains(&id),
            }
        };
        let later = parts.iter().map(|part| entry(part, &words(&part["part_type"])));
        Self {
            entries: std::iter::once(entry(source, "source")).chain(later).collect(),
            state: words(&value["state"]),
            admin_assignee: number(&value["admin_assignee_id"]),
            team_assignee: number(&value["team_assignee_id"]),
            tags: list(&value["tags"]["tags"]).iter().map(|tag| words(&tag["name"])).collect(),
            attributes: value["custom_attributes"].as_object().cloned().unwrap_or_default(),
        }
    }

    /// Whether it has this owner; a team has it also while the bot's teammate is still set.
    pub(crate) fn is_owned_by(&self, owner: Owner) -> bool {
        match owner {
            Owner::Teammate(id) => self.admin_assignee == Some(id),
            Owner::Team(id) => self.team_assignee == Some(id),
            Owner::Nobody => self.admin_assignee.is_none() && self.team_assignee.is_none(),
        }
    }

    /// The id of the last button of this label.
    pub(crate) fn offered(&self, label: &str) -> Option<&str> {
        let mut buttons = self.entries.iter().rev().flat_map(|entry| entry.buttons.iter().rev());
        buttons.find(|(text, _)| text == label).map(|(_, uuid)| uuid.as_str())
    }

    pub(crate) fn said_by_bot(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_said_by_bot())
    }

    pub(crate) fn notes(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.part_type == "note")
    }
}

fn voice(author: &Value, cast: &Cast) -> Voice {
    let id = number(&author["id"]).unwrap_or_default();
    let by_ai = author["from_ai_agent"].as_bool().unwrap_or_default();
    match author["type"].as_str() {
        Some("admin") if id == cast.bot => Voice::Bot,
        Some("admin") => Voice::Teammate(id),
        Some("bot") if by_ai => Voice::Fin,
        Some("bot") => Voice::Workflow,
        _ => Voice::Customer,
    }
}

fn assigned_to(part: &Value) -> Option<Owner> {
    let given = part["part_type"].as_str().is_some_and(|name| name.starts_with("assign"));
    let id = number(&part["assigned_to"]["id"]);
    match (part["assigned_to"]["type"].as_str(), id) {
        (Some("admin"), Some(id)) => Some(Owner::Teammate(id)),
        (Some("team"), Some(id)) => Some(Owner::Team(id)),
        _ => given.then_some(Owner::Nobody),
    }
}

/// An id as text or number; 0 is none.
fn number(value: &Value) -> Option<u64> {
    let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    number.filter(|number| *number != 0)
}

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
