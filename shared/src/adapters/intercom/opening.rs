//! What is said as the customer: the opening of a conversation, what follows it, and what is taken back.
//!
//! All of it is plain text to Intercom: the documentation says that HTML is not supported in an opening,
//! and calls what a contact says afterwards the text of the comment. So it goes as it was written, line
//! breaks and all; nothing is escaped, or the customer's own `<` would be read as `&lt;`.
//!
//! A conversation that was begun and whose answer was lost is found again by `begun` (`searching`).

use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::files::NotFetched;
use super::{Failure, NOT_SENT_MS, RestApi};
use crate::domain::content::{AuthorKind, Body, BodyFormat};
use crate::domain::ids::{ContactId, ConversationId, PartId};
use crate::domain::incoming;
use crate::domain::part::{Observation, Part};
use crate::domain::settings::Workspace;
use crate::domain::step::Answer;
use crate::domain::transfer::{Contact, File};
use crate::ports::{Clock, Tokens};
use crate::wire::intercom::{ContactItem, ConversationItem};
use crate::wire::people::OpeningItem;

/// For how long Intercom may not know a contact that it has just made: then it is asked again.
const NEW_CONTACT_MS: u64 = 120_000;

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// Opens a conversation. Files go by their addresses, all of them: Intercom fetches them itself, and
    /// takes no uploads here.
    pub(super) async fn begin(&self, workspace: &Workspace, contact: &Contact, text: &str, files: &[File]) -> Answer {
        let body = |id: &str| {
            let mut body = json!({ "from": { "type": contact.role, "id": id }, "body": text });
            if !files.is_empty() {
                body["attachment_urls"] = json!(files.iter().map(|file| &file.url).collect::<Vec<_>>());
            }
            body
        };
        let mut opened =
            self.request(workspace, Method::POST, "/conversations", Some(&body(contact.id.as_str()))).await;
        if is_not_found(&opened) {
            // Nothing has been opened: Intercom does not know the contact, or not yet.
            match self.whereabouts(workspace, &contact.id).await {
                Whereabouts::MergedInto(id) => {
                    opened = self.request(workspace, Method::POST, "/conversations", Some(&body(&id))).await;
                }
                Whereabouts::Here { is_new: true } => {
                    return Answer::NotSent { retry_at: self.clock.now().plus_ms(NOT_SENT_MS) };
                }
                Whereabouts::Here { is_new: false } | Whereabouts::Gone => return contact_gone(),
                Whereabouts::Unknown(failure) => return self.before_sending(failure),
            }
        }
        match opened {
            Ok(bytes) => {
                let opening: OpeningItem = serde_json::from_slice(&bytes).unwrap_or_default();
                let id = opening.conversation_id.and_then(|id| ConversationId::parse(id.some()?).ok());
                id.map_or(Answer::Unknown, |conversation| Answer::Begun { conversation })
            }
            Err(failure) => self.answer_of(failure),
        }
    }

    async fn whereabouts(&self, workspace: &Workspace, id: &ContactId) -> Whereabouts {
        let path = format!("/contacts/{id}");
        match self.ask_for_contact(workspace, &path).await {
            Ok(bytes) => {
                let made = serde_json::from_slice::<ContactItem>(&bytes).ok().and_then(|item| item.created_at);
                let now = self.clock.now();
                let is_new = made.is_some_and(|made| made.saturating_mul(1_000).saturating_add(NEW_CONTACT_MS) > now.0);
                Whereabouts::Here { is_new }
            }
            Err(Failure::Refused { status: StatusCode::GONE, .. }) => match self.contact_at(workspace, path).await {
                Ok(Some(known)) => Whereabouts::MergedInto(known.id),
                Ok(None) => Whereabouts::Gone,
                Err(failure) => Whereabouts::Unknown(failure),
            },
            Err(Failure::Refused { status: StatusCode::NOT_FOUND, .. }) => Whereabouts::Gone,
            Err(failure) => Whereabouts::Unknown(failure),
        }
    }

    /// Says something in a conversation as its customer. Files whose addresses run out are fetched
    /// before, and go with it.
    pub(super) async fn relay(
        &self,
        workspace: &Workspace,
        id: &ConversationId,
        contact: &ContactId,
        text: &str,
        files: &[File],
    ) -> Answer {
        let said = self.say(workspace, id, contact.as_str(), text, files).await;
        let Err(Failure::Refused { status: StatusCode::NOT_FOUND, .. }) = said else { return self.said(said, text) };
        // Nothing has been said. The conversation knows who its customer is, also after a merge; where it has
        // several, nobody's name is taken for theirs.
        match self.show(workspace, id).await {
            Ok((item, _)) => match item.observation(true).contact {
                Some(present) if present != *contact && is_with_one(&item) => {
                    let said = self.say(workspace, id, present.as_str(), text, files).await;
                    self.said(said, text)
                }
                _ => contact_gone(),
            },
            Err(Failure::Refused { status: StatusCode::NOT_FOUND, .. }) => Answer::Rejected {
                code: "conversation_gone".to_owned(),
                message: "the conversation does not exist in Intercom any more".to_owned(),
            },
            Err(failure) => self.before_sending(failure),
        }
    }

    async fn say(
        &self,
        workspace: &Workspace,
        id: &ConversationId,
        contact: &str,
        text: &str,
        files: &[File],
    ) -> Result<Vec<u8>, Failure> {
        let mut body = Map::new();
        body.insert("message_type".to_owned(), json!("comment"));
        body.insert("type".to_owned(), json!("user"));
        body.insert("intercom_user_id".to_owned(), json!(contact));
        body.insert("body".to_owned(), json!(text));
        let (fetched, linked): (Vec<&File>, Vec<&File>) = files.iter().partition(|file| file.fetch);
        if !linked.is_empty() {
            let urls: Vec<&str> = linked.iter().map(|file| file.url.as_str()).collect();
            body.insert("attachment_urls".to_owned(), json!(urls));
        }
        let path = format!("/conversations/{id}/reply");
        if fetched.is_empty() {
            return self.request(workspace, Method::POST, &path, Some(&Value::Object(body))).await;
        }
        // Files are large, and workers small: one message with files at a time.
        let Some(_turn) = self.files.try_lock() else { return Err(Failure::NotSent("another file is under way")) };
        let body = self.with_files(&body, &fetched).await.map_err(Failure::from)?;
        self.send(workspace, Method::POST, &path, Some(body)).await
    }

    fn said(&self, said: Result<Vec<u8>, Failure>, text: &str) -> Answer {
        match said {
            Ok(bytes) => match serde_json::from_slice::<ConversationItem>(&bytes) {
                Ok(item) => Answer::Done { part_id: newest_of_the_customer(&item.observation(true), text) },
                Err(_) => Answer::Unknown,
            },
            Err(failure) => self.answer_of(failure),
        }
    }

    /// Takes the words of a message away, of the first one where no part is named. Where they are gone already
    /// it is done.
    pub(super) async fn redact(&self, workspace: &Workspace, id: &ConversationId, part: Option<&PartId>) -> Answer {
        let (kind, named, of) = match part {
            Some(part) => ("conversation_part", "conversation_part_id", part.to_string()),
            // What making a conversation answers is not said to be this id.
            None => match self.show(workspace, id).await {
                Ok((item, _)) if is_redacted(&item, None) => return Answer::Done { part_id: None },
                Ok((item, _)) => match item.source.and_then(|source| source.id?.some().map(str::to_owned)) {
                    Some(source) => ("source", "source_id", source),
                    None => return unknown_message(),
                },
                Err(failure) => return self.before_sending(failure),
            },
        };
        let body = json!({ "type": kind, "conversation_id": id.as_str(), named: of });
        match self.request(workspace, Method::POST, "/conversations/redact", Some(&body)).await {
            Ok(_) => Answer::Done { part_id: None },
            Err(Failure::Refused { code, .. }) if code == "conversation_part_or_message_not_found" => unknown_message(),
            Err(failure @ Failure::Refused { .. }) => match self.show(workspace, id).await {
                Ok((item, _)) if is_redacted(&item, part) => Answer::Done { part_id: None },
                _ => self.answer_of(failure),
            },
            // Taking away what is gone changes nothing, so it may be repeated.
            Err(failure) => self.before_sending(failure),
        }
    }
}

/// Whether a message's words are gone; the first message's where no part is named.
fn is_redacted(item: &ConversationItem, part: Option<&PartId>) -> bool {
    match part {
        Some(part) => item.observation(true).parts.iter().any(|one| one.id == *part && one.redacted),
        None => item.source.as_ref().is_some_and(|source| source.redacted == Some(true)),
    }
}

fn unknown_message() -> Answer {
    Answer::Rejected { code: "unknown_message".to_owned(), message: "Intercom has no such message".to_owned() }
}

fn is_with_one(item: &ConversationItem) -> bool {
    item.contacts.as_ref().is_some_and(|list| list.contacts.len() == 1)
}

/// Where a contact is that Intercom does not take.
enum Whereabouts {
    Here {
        /// Whether it was made just now.
        is_new: bool,
    },
    MergedInto(String),
    Gone,
    Unknown(Failure),
}

fn is_not_found(outcome: &Result<Vec<u8>, Failure>) -> bool {
    matches!(outcome, Err(Failure::Refused { status: StatusCode::NOT_FOUND | StatusCode::GONE, .. }))
}

fn contact_gone() -> Answer {
    Answer::Rejected {
        code: "contact_gone".to_owned(),
        message: "Intercom does not know the customer any more".to_owned(),
    }
}

impl From<NotFetched> for Failure {
    fn from(reason: NotFetched) -> Self {
        Self::Refused {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: reason.code().to_owned(),
            message: reason.to_string(),
            link: None,
        }
    }
}

/// The part that a relay made, in what Intercom shows after it: the customer's newest that has these
/// words. The customer may have written in Intercom's own Messenger at the same moment.
fn newest_of_the_customer(shown: &Observation, text: &str) -> Option<PartId> {
    let words = incoming::comparable(&Body { text: text.to_owned(), format: BodyFormat::Plain });
    let theirs = |part: &&Part| part.author.kind == AuthorKind::Customer;
    let same = |part: &Part| part.body.as_ref().map(incoming::comparable).unwrap_or_default() == words;
    let newest = |fits: &dyn Fn(&Part) -> bool| {
        shown.parts.iter().filter(theirs).filter(|part| fits(part)).map(|part| part.id.clone()).max()
    };
    newest(&|part| part.by_app && same(part)).or_else(|| newest(&same)).or_else(|| newest(&|part| part.by_app))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newest(parts: &serde_json::Value, text: &str) -> Option<String> {
        let shown = json!({ "id": "1", "conversation_parts": { "conversation_parts": parts } });
        let item: ConversationItem = serde_json::from_value(shown).unwrap();
        newest_of_the_customer(&item.observation(true), text).map(|part| part.to_string())
    }

    fn part(id: &str, kind: &str, body: &str, by_app: bool) -> serde_json::Value {
        let code = by_app.then_some("baton");
        json!({ "id": id, "part_type": "comment", "body": body, "author": { "type": kind, "id": "c" }, "app_package_code": code })
    }

    #[test]
    fn the_part_of_a_relay_is_the_customers_newest_with_its_words_whoever_wrote_meanwhile() {
        let said = part("11", "user", "<p>1 &lt; 2<br>Yes</p>", true);
        let before = part("10", "user", "<p>1 &lt; 2<br>Yes</p>", true);
        let other_door = part("12", "lead", "<p>Hello?</p>", false);
        let answer = part("13", "admin", "<p>1 &lt; 2<br>Yes</p>", true);
        let all = json!([before, said, other_door, answer]);
        assert_eq!(newest(&all, "1 < 2\nYes").as_deref(), Some("11"));
        // Up to 2.12 nothing tells that an app made it.
        let same_words = json!([part("10", "user", "<p>Hi</p>", false), part("12", "user", "<p>Ho</p>", false)]);
        assert_eq!(newest(&same_words, "Hi").as_deref(), Some("10"));
        // What Intercom has made other words of is known by who made it.
        assert_eq!(
            newest(&json!([part("11", "user", "<p>x</p>", true), other_door_json()]), "y").as_deref(),
            Some("11")
        );
        assert_eq!(newest(&json!([other_door_json()]), "y"), None, "what came through the other door is not ours");
        assert_eq!(newest(&json!([]), "y"), None);
    }

    fn other_door_json() -> serde_json::Value {
        part("12", "lead", "<p>Hello?</p>", false)
    }
}
