//! The customer is found in Intercom, or made known there.
//!
//! The company's id is asked for directly where the version can (from 2.13, users only): that is
//! true at once. All else is searched for, and a search knows a new contact only after minutes; so who
//! is not found is made, and Intercom's own conflict names who was there already. All of it may be
//! repeated: a user is never made twice. A lead has nothing by which Intercom would know it again, so
//! when the answer to its making is lost, it stays behind without a conversation, and another is made.
//!
//! What Intercom refuses about a customer, an attribute that does not exist or a number that is none,
//! is left out: nobody is kept from a person by it.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{Failure, NOT_SENT_MS, RestApi};
use crate::domain::contacts::{self, Known};
use crate::domain::settings::{ApiVersion, Workspace};
use crate::domain::step::Answer;
use crate::domain::transfer::{Contact, Customer};
use crate::ports::{Clock, Tokens};
use crate::wire::intercom::ContactItem;
use crate::wire::people::{
    AttributeList, ContactPage, Telling, changed_contact, contact_query, named_in_conflict, named_in_link, new_contact,
};

/// How long it may take in all; it is begun anew then.
const PATIENCE: Duration = Duration::from_secs(12);
/// How many merges a contact is followed through.
const HOPS: usize = 3;
/// How many contacts are compared: more do not share an address.
const PAGE: u32 = 50;

/// Why somebody was not made.
enum NotMade {
    /// Somebody with these details is there; who, if Intercom says so.
    Conflict(Option<String>),
    Failure(Failure),
}

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// Finds the customer, or makes them known.
    pub(super) async fn find_contact(&self, workspace: &Workspace, customer: &Customer) -> Answer {
        let later = || Answer::NotSent { retry_at: self.clock.now().plus_ms(NOT_SENT_MS) };
        let Ok(found) = tokio::time::timeout(PATIENCE, self.found_or_made(workspace, customer)).await else {
            return later();
        };
        match found {
            Ok(known) => Option::<Contact>::from(&known).map_or_else(later, Answer::Contact),
            Err(Failure::Refused { code, .. }) if code == "not_restorable" => Answer::Rejected {
                code: "contact_blocked".to_owned(),
                message: "the customer is blocked in Intercom".to_owned(),
            },
            Err(Failure::Refused { code, message, .. }) => Answer::Rejected {
                code: "contact_refused".to_owned(),
                message: format!("Intercom refuses the customer: {code}: {message}"),
            },
            Err(failure) => self.before_sending(failure),
        }
    }

    async fn found_or_made(&self, workspace: &Workspace, customer: &Customer) -> Result<Known, Failure> {
        if let Some(known) = self.found(workspace, customer).await? {
            return self.acquainted(workspace, customer, known).await;
        }
        let named = match self.made(workspace, customer).await {
            Ok(known) => return Ok(known),
            Err(NotMade::Conflict(named)) => named,
            Err(NotMade::Failure(failure)) => return Err(failure),
        };
        // The search had not seen them yet, or they are archived, or were merged.
        let there = match named {
            Some(id) => self.brought_back(workspace, &id).await?,
            None => self.searched(workspace, customer).await?,
        };
        match there {
            Some(known) => self.acquainted(workspace, customer, known).await,
            None => self.make(workspace, &new_contact(customer, Telling::AsLead)).await.map_err(NotMade::into_failure),
        }
    }

    async fn found(&self, workspace: &Workspace, customer: &Customer) -> Result<Option<Known>, Failure> {
        let by_id = workspace.api_version.finds_by_external_id();
        let external_id = customer.external_id.as_deref().filter(|id| by_id && is_segment(id));
        if let Some(external_id) = external_id {
            let path = format!("/contacts/find_by_external_id/{}", segment(external_id));
            if let Some(known) = self.contact_at(workspace, path).await? {
                return Ok(Some(known));
            }
        }
        self.searched(workspace, customer).await
    }

    /// Asks for a contact, in the version that tells of merges, whatever the workspace's is.
    pub(super) async fn ask_for_contact(&self, workspace: &Workspace, path: &str) -> Result<Vec<u8>, Failure> {
        self.send_as(ApiVersion::TELLS_OF_MERGES, workspace, Method::GET, path, None).await
    }

    /// The contact at a path, followed to where it was merged into.
    pub(super) async fn contact_at(&self, workspace: &Workspace, path: String) -> Result<Option<Known>, Failure> {
        let mut path = path;
        for _ in 0..=HOPS {
            match self.ask_for_contact(workspace, &path).await {
                Ok(bytes) => return read(&bytes).map(Some),
                Err(Failure::Refused { status: StatusCode::GONE, link: Some(link), .. }) => {
                    let Some(id) = named_in_link(&link) else { return Ok(None) };
                    path = format!("/contacts/{id}");
                }
                Err(Failure::Refused { status: StatusCode::NOT_FOUND | StatusCode::GONE, .. }) => return Ok(None),
                Err(failure) => return Err(failure),
            }
        }
        Ok(None)
    }

    async fn searched(&self, workspace: &Workspace, customer: &Customer) -> Result<Option<Known>, Failure> {
        let Some(query) = contact_query(customer) else { return Ok(None) };
        let body = json!({ "query": query, "pagination": { "per_page": PAGE } });
        let bytes = self.request(workspace, Method::POST, "/contacts/search", Some(&body)).await?;
        let page: ContactPage<'_> = serde_json::from_slice(&bytes).map_err(|_| UNREADABLE)?;
        Ok(contacts::choose(customer, &page.known()).cloned())
    }

    /// Makes somebody, with as much of what is known as Intercom takes.
    async fn made(&self, workspace: &Workspace, customer: &Customer) -> Result<Known, NotMade> {
        let mut refused = match self.make(workspace, &new_contact(customer, Telling::Everything)).await {
            Err(NotMade::Failure(failure)) if failure.is_about_what_was_said() => failure,
            outcome => return outcome,
        };
        let mut thinner = Vec::new();
        if !customer.attributes.is_empty() {
            let customer = self.with_settable(workspace, customer).await;
            let telling = if customer.attributes.is_empty() { Telling::WithoutAttributes } else { Telling::Everything };
            thinner.push(new_contact(&customer, telling));
        }
        thinner.push(new_contact(customer, Telling::Identity));
        for body in thinner {
            refused = match self.make(workspace, &body).await {
                Err(NotMade::Failure(failure)) if failure.is_about_what_was_said() => failure,
                outcome => {
                    tracing::warn!(outcome = "contact_reduced", "Intercom does not take all that the bot tells");
                    return outcome;
                }
            };
        }
        Err(NotMade::Failure(refused))
    }

    async fn make(&self, workspace: &Workspace, body: &Value) -> Result<Known, NotMade> {
        match self.request(workspace, Method::POST, "/contacts", Some(body)).await {
            Ok(bytes) => read(&bytes).map_err(NotMade::Failure),
            Err(Failure::Refused { status: StatusCode::CONFLICT, message, .. }) => {
                Err(NotMade::Conflict(named_in_conflict(&message).map(str::to_owned)))
            }
            Err(failure) => Err(NotMade::Failure(failure)),
        }
    }

    /// The contact of a conflict, taken out of the archive where it is there. None where it cannot be
    /// had by this id.
    ///
    /// # Errors
    /// [`Failure`]; that one who is blocked stays archived, among them.
    async fn brought_back(&self, workspace: &Workspace, id: &str) -> Result<Option<Known>, Failure> {
        let path = format!("/contacts/{id}");
        if let Some(known) = self.contact_at(workspace, path.clone()).await? {
            return Ok(Some(known));
        }
        match self.request(workspace, Method::POST, &format!("{path}/unarchive"), None).await {
            Ok(_) => self.contact_at(workspace, path).await,
            Err(Failure::Refused { status: StatusCode::NOT_FOUND | StatusCode::GONE, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Tells Intercom what is new about somebody it knows: all at once, and where it refuses that, each
    /// by itself. Should it refuse that too, the conversation goes on.
    async fn acquainted(&self, workspace: &Workspace, customer: &Customer, known: Known) -> Result<Known, Failure> {
        let news = changed_contact(&contacts::news(customer, &known));
        if news.is_empty() || self.told(workspace, &known, news).await? {
            return Ok(known);
        }
        tracing::warn!(outcome = "contact_reduced", "Intercom does not take all that the bot tells");
        let mut news = contacts::news(customer, &known);
        news.attributes = self.with_settable(workspace, &news).await.attributes;
        for (field, value) in changed_contact(&news) {
            self.told(workspace, &known, Map::from_iter([(field, value)])).await?;
        }
        Ok(known)
    }

    /// Whether Intercom took what it was told of a contact.
    ///
    /// # Errors
    /// Where it takes nothing of anybody for now.
    async fn told(&self, workspace: &Workspace, known: &Known, news: Map<String, Value>) -> Result<bool, Failure> {
        let path = format!("/contacts/{}", known.id);
        match self.request(workspace, Method::PUT, &path, Some(&Value::Object(news))).await {
            Ok(_) => Ok(true),
            Err(Failure::Refused { .. }) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// The customer with those attributes alone that the workspace has.
    async fn with_settable(&self, workspace: &Workspace, customer: &Customer) -> Customer {
        let mut known = AttributeList::default();
        if !customer.attributes.is_empty()
            && let Ok(bytes) = self.request(workspace, Method::GET, "/data_attributes?model=contact", None).await
        {
            known = serde_json::from_slice(&bytes).unwrap_or_default();
        }
        Customer { attributes: known.settable(&customer.attributes), ..customer.clone() }
    }
}

const UNREADABLE: Failure = Failure::Unknown("the answer cannot be read");

fn read(bytes: &[u8]) -> Result<Known, Failure> {
    let item: ContactItem = serde_json::from_slice(bytes).map_err(|_| UNREADABLE)?;
    item.known().ok_or(UNREADABLE)
}

impl NotMade {
    fn into_failure(self) -> Failure {
        match self {
            Self::Failure(failure) => failure,
            Self::Conflict(_) => Failure::Refused {
                status: StatusCode::CONFLICT,
                code: "conflict".to_owned(),
                message: "somebody with these details is there and cannot be found".to_owned(),
                link: None,
            },
        }
    }
}

impl Failure {
    /// Whether Intercom refused because of what it was told, and may take less.
    fn is_about_what_was_said(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT,
                ..
            }
        )
    }
}

/// Whether a text can stand for itself in a path: a client takes dots alone for a step upwards.
fn is_segment(text: &str) -> bool {
    !text.is_empty() && text.bytes().any(|byte| byte != b'.')
}

/// A text as a part of a path.
fn segment(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_the_companys_is_one_segment_whatever_is_in_it() {
        assert_eq!(segment("a/b?c#d e%ü"), "a%2Fb%3Fc%23d%20e%25%C3%BC");
        assert_eq!(segment("Cust-1_0.9~"), "Cust-1_0.9~");
        assert!(is_segment("a..") && !is_segment("..") && !is_segment(""));
    }
}
