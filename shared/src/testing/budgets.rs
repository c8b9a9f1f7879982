//! The budgets' rows, played by hand.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::domain::budget::Budget;
use crate::domain::ids::{AppId, Timestamp};
use crate::ports::{Budgets, Changing, Unavailable};

/// The rows, which clones share. Counts what is asked of them.
#[derive(Debug, Clone, Default)]
pub struct FakeBudgets {
    rows: Rc<RefCell<HashMap<AppId, Budget>>>,
    reads: Rc<Cell<u32>>,
    writes: Rc<Cell<u32>>,
    broken: Rc<Cell<bool>>,
}

impl FakeBudgets {
    /// A workspace's row.
    #[must_use]
    pub fn row(&self, app_id: &AppId) -> Option<Budget> {
        self.rows.borrow().get(app_id).cloned()
    }

    /// Puts a row there.
    pub fn put(&self, app_id: &AppId, budget: Budget) {
        self.rows.borrow_mut().insert(app_id.clone(), budget);
    }

    /// Whether the rows cannot be reached from now on.
    pub fn set_broken(&self, broken: bool) {
        self.broken.set(broken);
    }

    /// How many reads and writes there were since the last call.
    pub fn take_counts(&self) -> (u32, u32) {
        (self.reads.take(), self.writes.take())
    }

    fn count(&self, counter: &Cell<u32>) -> Result<(), Unavailable> {
        counter.set(counter.get() + 1);
        let broken = Unavailable { what: "the fake budgets", why: "scripted".to_owned() };
        if self.broken.get() { Err(broken) } else { Ok(()) }
    }
}

/// Takes calls out of a row, as the port promises it.
#[must_use]
pub fn take(row: Option<&mut Budget>, ends_at: Timestamp, most: u32, calls: u32) -> Changing {
    match row {
        Some(row) if row.ends_at == ends_at && row.taken < most && row.shut_until == Timestamp(0) => {
            row.taken += calls;
            Changing::Done(row.clone())
        }
        other => Changing::Not(other.cloned()),
    }
}

/// Whether a row may be written in place of another, as the port promises it.
#[must_use]
pub fn may_replace(row: Option<&Budget>, next: &Budget) -> bool {
    let forgets = row.is_some_and(|row| row.ends_at == next.ends_at && row.taken > next.taken);
    row.map_or(0, |row| row.version) + 1 == next.version && !forgets
}

impl Budgets for FakeBudgets {
    async fn budget(&self, app_id: &AppId) -> Result<Option<Budget>, Unavailable> {
        self.count(&self.reads)?;
        Ok(self.row(app_id))
    }

    async fn take(&self, app_id: &AppId, ends_at: Timestamp, most: u32, calls: u32) -> Result<Changing, Unavailable> {
        self.count(&self.writes)?;
        Ok(take(self.rows.borrow_mut().get_mut(app_id), ends_at, most, calls))
    }

    async fn replace(&self, app_id: &AppId, next: &Budget) -> Result<Changing, Unavailable> {
        self.count(&self.writes)?;
        if !may_replace(self.row(app_id).as_ref(), next) {
            return Ok(Changing::Not(self.row(app_id)));
        }
        self.put(app_id, next.clone());
        Ok(Changing::Done(next.clone()))
    }
}
