//! What a search of contacts sees: each contact as it was some time ago.
//!
//! Intercom finds a new contact only after a delay that "can take a few minutes", and so a
//! changed one. Here every change is noted with the moment from which searches see it; the
//! delay is the seed's `search_lag_ms`, on the sandbox's clock.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::model::Contact;

/// All contacts as searches see them. Of what is stored only the delay is kept: a sandbox that
/// starts again sees all that there is.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ContactIndex {
    lag_ms: u64,
    /// By contact: what it is from which moment (milliseconds) on, oldest first.
    #[serde(skip)]
    entries: BTreeMap<String, VecDeque<(u64, Contact)>>,
}

impl ContactIndex {
    pub(crate) fn new(lag_ms: u64) -> Self {
        Self { lag_ms, entries: BTreeMap::new() }
    }

    /// Notes what a contact is now.
    pub(crate) fn note(&mut self, contact: &Contact, now_ms: u64) {
        let states = self.entries.entry(contact.id.clone()).or_default();
        states.push_back((now_ms.saturating_add(self.lag_ms), contact.clone()));
        // What a later state has taken the place of is never seen again.
        let seen = states.iter().rposition(|(from, _)| *from <= now_ms).unwrap_or(0);
        states.drain(..seen);
    }

    /// Notes a contact that was there before anybody could search.
    pub(crate) fn note_at_start(&mut self, contact: &Contact) {
        self.entries.insert(contact.id.clone(), VecDeque::from([(0, contact.clone())]));
    }

    pub(crate) fn forget(&mut self, id: &str) {
        self.entries.remove(id);
    }

    /// The contacts that a search sees.
    pub(crate) fn seen(&self, now_ms: u64) -> impl Iterator<Item = &Contact> {
        self.entries.values().filter_map(move |states| {
            let seen = states.iter().rev().find(|(from, _)| *from <= now_ms);
            seen.map(|(_, contact)| contact)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::ContactIndex;
    use crate::sandbox::model::Contact;
    use crate::sandbox::seed::Role;

    fn names(index: &ContactIndex, now_ms: u64) -> Vec<&str> {
        index.seen(now_ms).filter_map(|contact| contact.name.as_deref()).collect()
    }

    #[test]
    fn a_change_is_seen_after_the_lag_and_what_was_before_until_then() {
        let mut index = ContactIndex::new(2_000);
        let mut contact = Contact::new("a".to_owned(), Role::User, 0);
        contact.name = Some("Ann".to_owned());
        index.note(&contact, 10_000);
        assert!(names(&index, 11_999).is_empty());
        contact.name = Some("Anna".to_owned());
        index.note(&contact, 11_000);
        assert_eq!(names(&index, 12_000), ["Ann"]);
        assert_eq!(names(&index, 13_000), ["Anna"]);
        contact.name = Some("Hanna".to_owned());
        index.note(&contact, 20_000);
        assert_eq!(names(&index, 21_999), ["Anna"]);
        assert_eq!(names(&index, 22_000), ["Hanna"]);
        index.forget("a");
        assert!(names(&index, 99_000).is_empty());
    }
}
