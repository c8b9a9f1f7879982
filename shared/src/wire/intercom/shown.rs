//! What a conversation of Intercom's shows, in the domain's words.

use super::{AttachmentItem, AuthorItem, ConversationItem, DateStyle, Id, PartItem, PartMetadata, SourceItem};
use crate::domain::content::{Attachment, Author, AuthorKind, Body, BodyFormat, Message, QuickReplies};
use crate::domain::ids::{AdminId, ContactId, PartId, TeamId, Timestamp};
use crate::domain::part::{Assignee, Observation, Part, PartKind, Rating, Traits};
use crate::wire::traits::TagNames;

impl PartMetadata {
    fn quick_replies(&self) -> QuickReplies {
        let known = |id: &Id| id.some().filter(|id| id.len() <= MAX_OPTION_ID_BYTES).map(str::to_owned);
        let offered = self.quick_reply_options.iter().take(MAX_OPTIONS);
        QuickReplies {
            offered: offered.filter_map(|option| option.uuid.as_ref().and_then(known)).collect(),
            pressed: self.quick_reply_uuid.as_ref().and_then(known),
        }
    }
}

impl ConversationItem {
    /// How this item's bodies are written. The REST API's are HTML; a notification's follow the
    /// app's version, which shows in its dates and, where it has none, in the text itself.
    fn body_format(&self, complete: bool, text: &str) -> BodyFormat {
        if complete {
            return BodyFormat::Html;
        }
        match self.statistics.as_ref().and_then(|statistics| statistics.dates) {
            Some(DateStyle::Iso) => BodyFormat::Html,
            Some(DateStyle::Unix) => BodyFormat::Plain,
            None if looks_like_intercoms_html(text) => BodyFormat::Html,
            None => BodyFormat::Plain,
        }
    }

    fn body(&self, complete: bool, text: Option<&String>) -> Option<Body> {
        text.map(|text| Body { text: cut(text).to_owned(), format: self.body_format(complete, text) })
    }

    /// What this item shows. `complete` says that it is the REST API's answer.
    #[must_use]
    pub fn observation(&self, complete: bool) -> Observation {
        let parts = self.conversation_parts.iter().flat_map(|list| &list.conversation_parts);
        Observation {
            complete,
            assignee: self.assignee(),
            open: self.open.unwrap_or(self.state.as_deref() != Some("closed")),
            source: self.source.as_ref().and_then(|source| self.source_message(complete, source)),
            parts: parts.filter_map(|part| self.part(complete, part)).collect(),
            part_count: self.statistics.as_ref().and_then(|statistics| statistics.count_conversation_parts),
            rating: self
                .conversation_rating
                .as_ref()
                .and_then(|item| item.rating.map(|rating| Rating { rating, remark: item.remark.clone() })),
            profile: None,
            traits: Traits {
                tags: self.tags.as_ref().map(TagNames::names),
                attributes: self.custom_attributes.clone(),
            },
            contact: self.contact(),
            external_id: self
                .contacts
                .as_ref()
                .and_then(|list| list.contacts.first()?.external_id.as_ref()?.some())
                .map(str::to_owned),
            crew: Vec::new(),
        }
    }

    /// The customer: who is listed first, else who wrote first.
    fn contact(&self) -> Option<ContactId> {
        let listed =
            self.contacts.as_ref().and_then(|list| list.contacts.first()).and_then(|contact| contact.id.as_ref());
        let source = self.source.as_ref().and_then(|source| source.author.as_ref());
        let wrote =
            source.filter(|item| author(Some(*item)).kind == AuthorKind::Customer).and_then(|item| item.id.as_ref());
        ContactId::parse(listed.or(wrote)?.some()?).ok()
    }

    fn assignee(&self) -> Assignee {
        let id = |id: &Option<Id>| id.as_ref().and_then(Id::some).map(str::to_owned);
        let teammate = id(&self.admin_assignee_id).and_then(|id| AdminId::parse(id).ok());
        let team = id(&self.team_assignee_id).and_then(|id| TeamId::parse(id).ok());
        match (teammate, team) {
            (Some(teammate), _) => Assignee::Teammate(teammate),
            (None, Some(team)) => Assignee::Team(team),
            (None, None) => Assignee::Nobody,
        }
    }

    fn source_message(&self, complete: bool, source: &SourceItem) -> Option<Message> {
        let body = self.body(complete, source.body.as_ref()).filter(|body| !body.text.trim().is_empty());
        let attachments = attachments(&source.attachments);
        if source.redacted == Some(true) || (body.is_none() && attachments.is_empty()) {
            return None;
        }
        let author = author(source.author.as_ref());
        Some(Message {
            part_id: None,
            author,
            body,
            attachments,
            created_at: Timestamp::from_seconds(self.created_at.unwrap_or_default()),
            pressed: None,
            choice: None,
        })
    }

    fn part(&self, complete: bool, part: &PartItem) -> Option<Part> {
        let kind = part_kind(part.part_type.as_deref().unwrap_or_default());
        let assigned_to = match (&part.assigned_to, kind) {
            (Some(assignee), _) => Some(assignee_of(assignee)),
            (None, PartKind::Assignment) => Some(Assignee::Nobody),
            (None, _) => None,
        };
        Some(Part {
            id: PartId::parse(part.id.as_ref()?.some()?).ok()?,
            kind,
            author: author(part.author.as_ref()),
            body: self.body(complete, part.body.as_ref()),
            assigned_to,
            attachments: attachments(&part.attachments),
            created_at: Timestamp::from_seconds(part.created_at.unwrap_or_default()),
            redacted: part.redacted.unwrap_or(false),
            quick_replies: part.metadata.as_ref().map(PartMetadata::quick_replies).unwrap_or_default(),
            by_app: part.app_package_code.as_ref().and_then(Id::some).is_some(),
        })
    }
}

/// The longest text of a message that is read, in bytes. Longer ones, of e-mails, are cut.
const MAX_BODY_BYTES: usize = 64 * 1024;
/// How many files of a message are read.
const MAX_ATTACHMENTS: usize = 20;
/// How many quick replies of a message are read, and the longest id of one, in bytes.
const MAX_OPTIONS: usize = 100;
const MAX_OPTION_ID_BYTES: usize = 100;

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_BODY_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn part_kind(part_type: &str) -> PartKind {
    match part_type {
        "comment" | "quick_reply" => PartKind::Comment,
        "note" => PartKind::Note,
        "assignment" | "assign_and_reopen" | "assign_and_unsnooze" | "default_assignment" | "away_mode_assignment" => {
            PartKind::Assignment
        }
        "open" => PartKind::Open,
        "close" => PartKind::Close,
        "snoozed" => PartKind::Snoozed,
        "unsnoozed" | "timer_unsnooze" => PartKind::Unsnoozed,
        _ => PartKind::Other,
    }
}

fn author(item: Option<&AuthorItem>) -> Author {
    let kind = match item.and_then(|item| item.kind.as_deref()) {
        Some("user" | "lead" | "contact" | "visitor") => AuthorKind::Customer,
        Some("admin") => AuthorKind::Teammate,
        Some("bot") => AuthorKind::Operator,
        _ => AuthorKind::Other,
    };
    let id = item.and_then(|item| item.id.as_ref()).map(|id| id.0.clone()).unwrap_or_default();
    Author { kind, id, name: item.and_then(|item| item.name.clone()) }
}

fn assignee_of(item: &AuthorItem) -> Assignee {
    let id = item.id.as_ref().and_then(Id::some).unwrap_or_default();
    let teammate = || AdminId::parse(id).map(Assignee::Teammate);
    let team = || TeamId::parse(id).map(Assignee::Team);
    match item.kind.as_deref() {
        Some("admin") => teammate().unwrap_or(Assignee::Nobody),
        Some("team") => team().unwrap_or(Assignee::Nobody),
        _ => Assignee::Nobody,
    }
}

fn attachments(items: &[AttachmentItem]) -> Vec<Attachment> {
    let known = items.iter().take(MAX_ATTACHMENTS).filter_map(|item| {
        Some(Attachment {
            name: item.name.clone(),
            url: item.url.clone()?,
            content_type: item.content_type.clone(),
            size_bytes: item.filesize,
        })
    });
    known.collect()
}

/// Whether a text of unknown format is HTML as Intercom writes it: in block elements throughout.
fn looks_like_intercoms_html(text: &str) -> bool {
    const BLOCKS: [&str; 10] = ["<p", "<div", "<ul", "<ol", "<h1", "<h2", "<pre", "<img", "<table", "<br"];
    let text = text.trim();
    text.ends_with('>')
        && BLOCKS.iter().any(|block| text.get(..block.len()).is_some_and(|start| start.eq_ignore_ascii_case(block)))
}
