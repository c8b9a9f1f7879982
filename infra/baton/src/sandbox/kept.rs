//! Maps that know what changed in them and keep their indexes: contacts, conversations, files.
//!
//! They are read as the `BTreeMap` they hold. Whoever changes an entry has to go through the
//! methods here, so that no change can be forgotten: an entry lent out for writing counts as
//! changed. Indexes are brought up to date when one is next asked, which costs as much as was
//! changed since. What is done about the changes is not decided here (`store`).

use std::borrow::Borrow;
use std::cell::{Ref, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

/// Something that can be found by more than its id.
pub(crate) trait Indexed {
    /// What it is found by; one type for all the ways.
    type By: Ord + Clone + std::fmt::Debug;

    /// Everything that it is to be found by now.
    fn found_by(&self) -> Vec<Self::By>;
}

/// A map by id.
#[derive(Debug)]
pub(crate) struct Kept<K, V: Indexed> {
    map: BTreeMap<K, V>,
    /// What was changed, added or removed since it was last saved; none when nobody saves.
    unsaved: Option<BTreeSet<K>>,
    index: RefCell<Index<K, V::By>>,
}

#[derive(Debug)]
struct Index<K, By> {
    entries: BTreeSet<(By, K)>,
    /// What each thing is entered under.
    entered: BTreeMap<K, Vec<By>>,
    /// Things whose entries may be wrong.
    stale: BTreeSet<K>,
}

impl<K: Ord + Clone, V: Indexed> Kept<K, V> {
    /// Remembers from now on what is changed; what there is counts as saved.
    pub(crate) fn remember_changes(&mut self) {
        self.unsaved = Some(BTreeSet::new());
    }

    /// The same, but nothing counts as saved.
    pub(crate) fn remember_all(&mut self) {
        self.unsaved = Some(self.map.keys().cloned().collect());
    }

    /// An entry for those who save it, who may note on it that they did and change nothing else.
    pub(crate) fn get_to_save(&mut self, key: &K) -> Option<&mut V> {
        self.map.get_mut(key)
    }

    /// The ids of what was changed, added or removed since the last call.
    pub(crate) fn take_unsaved(&mut self) -> BTreeSet<K> {
        self.unsaved.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// An entry to be changed.
    pub(crate) fn get_mut<Q>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
        Q: Ord + ToOwned<Owned = K> + ?Sized,
    {
        let entry = self.map.get_mut(key)?;
        touch(&mut self.unsaved, &mut self.index, key.to_owned());
        Some(entry)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        touch(&mut self.unsaved, &mut self.index, key.clone());
        self.map.insert(key, value)
    }

    pub(crate) fn remove<Q>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Ord + ?Sized,
    {
        let (key, value) = self.map.remove_entry(key)?;
        touch(&mut self.unsaved, &mut self.index, key);
        Some(value)
    }

    /// Takes the entry of the lowest id away.
    pub(crate) fn pop_first(&mut self) -> Option<(K, V)> {
        let (key, value) = self.map.pop_first()?;
        touch(&mut self.unsaved, &mut self.index, key.clone());
        Some((key, value))
    }

    /// Every way to find something, with its id, in order. To be let go of before a change.
    pub(crate) fn index(&self) -> Ref<'_, BTreeSet<(V::By, K)>> {
        if !self.index.borrow().stale.is_empty() {
            self.index.borrow_mut().refresh(&self.map);
        }
        Ref::map(self.index.borrow(), |index| &index.entries)
    }

    /// What can be found by exactly this, in the order of the ids.
    pub(crate) fn all_by<'a>(&'a self, by: &V::By) -> Vec<&'a V> {
        let index = self.index();
        let first = self.map.first_key_value().map(|(id, _)| (by.clone(), id.clone()));
        let Some(first) = first else { return Vec::new() };
        let ids = index.range(first..).take_while(|(found, _)| found == by);
        ids.filter_map(|(_, id)| self.map.get(id)).collect()
    }
}

fn touch<K: Ord + Clone, By>(unsaved: &mut Option<BTreeSet<K>>, index: &mut RefCell<Index<K, By>>, key: K) {
    if let Some(unsaved) = unsaved {
        unsaved.insert(key.clone());
    }
    index.get_mut().stale.insert(key);
}

impl<K: Ord + Clone, By: Ord + Clone> Index<K, By> {
    fn refresh<V: Indexed<By = By>>(&mut self, map: &BTreeMap<K, V>) {
        for id in std::mem::take(&mut self.stale) {
            let now = map.get(&id).map(V::found_by).unwrap_or_default();
            for by in self.entered.remove(&id).unwrap_or_default() {
                self.entries.remove(&(by, id.clone()));
            }
            self.entries.extend(now.iter().map(|by| (by.clone(), id.clone())));
            if !now.is_empty() {
                self.entered.insert(id, now);
            }
        }
    }
}

impl<K, V: Indexed> Deref for Kept<K, V> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &BTreeMap<K, V> {
        &self.map
    }
}

impl<K, V: Indexed> Default for Kept<K, V> {
    fn default() -> Self {
        let index = Index { entries: BTreeSet::new(), entered: BTreeMap::new(), stale: BTreeSet::new() };
        Self { map: BTreeMap::new(), unsaved: None, index: RefCell::new(index) }
    }
}

impl<K: Ord + Clone, V: Indexed> FromIterator<(K, V)> for Kept<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut kept = Self::default();
        for (key, value) in entries {
            kept.insert(key, value);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::{Indexed, Kept};

    impl Indexed for &'static str {
        type By = usize;

        fn found_by(&self) -> Vec<usize> {
            vec![self.len()]
        }
    }

    #[test]
    fn what_is_changed_added_or_removed_is_found_where_it_is_now() {
        let mut kept: Kept<u64, &'static str> = [(1, "a"), (2, "b"), (3, "ccc")].into_iter().collect();
        assert_eq!(kept.all_by(&1), [&"a", &"b"]);
        *kept.get_mut(&1).unwrap() = "aaa";
        assert_eq!(kept.all_by(&1), [&"b"]);
        assert_eq!(kept.all_by(&3), [&"aaa", &"ccc"]);
        kept.remove(&3);
        assert_eq!(kept.all_by(&3), [&"aaa"]);
        assert_eq!(kept.pop_first(), Some((1, "aaa")));
        assert!(kept.all_by(&3).is_empty());
        assert_eq!(kept.index().len(), 1);
    }

    #[test]
    fn every_change_is_unsaved_once_and_only_when_somebody_saves() {
        let mut kept: Kept<u64, &'static str> = [(1, "a"), (2, "b"), (3, "c")].into_iter().collect();
        kept.get_mut(&1);
        assert!(kept.take_unsaved().is_empty(), "nobody saves");
        kept.remember_changes();
        assert!(kept.take_unsaved().is_empty(), "nothing is changed yet");
        kept.remember_all();
        assert_eq!(kept.take_unsaved().len(), 3, "nothing is saved yet");
        kept.get_mut(&1);
        kept.get_mut(&9);
        kept.insert(4, "d");
        kept.remove(&2);
        assert_eq!(kept.take_unsaved().into_iter().collect::<Vec<_>>(), [1, 2, 4]);
        assert!(kept.take_unsaved().is_empty());
    }
}
