//! The parts of a conversation: a list that grows, and sometimes changes inside.
//!
//! Read and changed as a slice. To add at the end leaves the others as they are; any other
//! access for writing counts as a change of all of them, which is rare (redaction, tags) and
//! costs those who keep something derived from parts (`texts`, `store`) their work once more.

use std::ops::{Deref, DerefMut};

use super::model::Part;

/// The parts, by rising id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    list: Vec<Part>,
    edits: u64,
    saved: usize,
}

impl Parts {
    /// Parts as they were saved.
    pub(crate) fn saved(list: Vec<Part>) -> Self {
        Self { saved: list.len(), edits: 0, list }
    }

    pub(crate) fn push(&mut self, part: Part) {
        self.list.push(part);
    }

    /// How often parts that were there have been changed.
    pub(crate) fn edits(&self) -> u64 {
        self.edits
    }

    /// The parts that are not saved as they are now. They count as saved from here on.
    pub(crate) fn take_unsaved(&mut self) -> &[Part] {
        let from = std::mem::replace(&mut self.saved, self.list.len());
        self.list.get(from..).unwrap_or_default()
    }

    /// Lets everything count as not saved.
    pub(crate) fn forget_saved(&mut self) {
        self.saved = 0;
    }
}

impl Deref for Parts {
    type Target = [Part];

    fn deref(&self) -> &[Part] {
        &self.list
    }
}

impl DerefMut for Parts {
    fn deref_mut(&mut self) -> &mut [Part] {
        self.edits += 1;
        self.saved = 0;
        &mut self.list
    }
}

impl<'a> IntoIterator for &'a Parts {
    type Item = &'a Part;
    type IntoIter = std::slice::Iter<'a, Part>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl<'a> IntoIterator for &'a mut Parts {
    type Item = &'a mut Part;
    type IntoIter = std::slice::IterMut<'a, Part>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}
