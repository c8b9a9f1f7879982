//! When a sandbox with a directory saves: the thread that does it.
//!
//! It looks at every workspace that was used since its last look, under that workspace's lock
//! for as long as it takes to write what changed as JSON, and commits without any lock. What is
//! promised about it stands in `store`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Shared;
use super::store::{self, Changes, SAVED_WITHIN, Store, StoreError, Unwritable, WorkspaceChanges};

/// In which of the looks those workspaces are looked at as well that nobody used: a webhook's
/// answer changes the health of a subscription.
const EVERYTHING_EACH: u32 = 10;

/// How the saving goes, for those who ask.
#[derive(Debug)]
pub(crate) struct Saving {
    directory: PathBuf,
    problem: Mutex<Option<String>>,
}

impl Saving {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), problem: Mutex::default() }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Why the last changes are not saved.
    pub(crate) fn problem(&self) -> Option<String> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn went(&self, outcome: &Result<(), StoreError>) {
        let problem = outcome.as_ref().err().map(ToString::to_string);
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = problem;
    }
}

/// The thread that saves. Dropping it lets it save once more and end by itself.
#[derive(Debug)]
pub(crate) struct Keeper {
    end: mpsc::Sender<()>,
    thread: JoinHandle<Result<(), StoreError>>,
}

impl Keeper {
    /// Saves everything once and then what changes.
    ///
    /// # Errors
    /// When the first time fails.
    pub(crate) fn start(store: Store, shared: Arc<Shared>) -> Result<Self, StoreError> {
        let mut round = Round { store, shared, rests: BTreeMap::new(), tokens: Vec::new(), ahead: None, seeded: false };
        round.save(true)?;
        let (end, ended) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let mut number = 0_u32;
            while ended.recv_timeout(SAVED_WITHIN) == Err(RecvTimeoutError::Timeout) {
                number = number.wrapping_add(1);
                // What went wrong is known to `Saving`, and tried again.
                drop(round.save(number.is_multiple_of(EVERYTHING_EACH)));
            }
            round.save(true)
        });
        Ok(Self { end, thread })
    }

    /// Saves what there is and ends.
    ///
    /// # Errors
    /// When that cannot be saved.
    pub(crate) fn stop(self) -> Result<(), StoreError> {
        drop(self.end);
        // A thread that panicked has said so on standard error.
        self.thread.join().unwrap_or(Ok(()))
    }
}

/// What was saved last, to see what is another now.
struct Round {
    store: Store,
    shared: Arc<Shared>,
    rests: BTreeMap<String, Vec<u8>>,
    tokens: Vec<u8>,
    ahead: Option<Duration>,
    seeded: bool,
}

impl Round {
    fn save(&mut self, look_at_all: bool) -> Result<(), StoreError> {
        let collected = self.collect(look_at_all).map_err(|problem| self.store.unwritable(problem));
        let outcome = collected.and_then(|changes| if changes.is_empty() { Ok(()) } else { self.store.write(changes) });
        if outcome.is_err() {
            self.forget();
        }
        if let Some(saving) = &self.shared.saving {
            saving.went(&outcome);
        }
        outcome
    }

    fn collect(&mut self, look_at_all: bool) -> Result<Changes, Unwritable> {
        let mut changes = Changes::default();
        if !self.seeded {
            changes.add_seed(&self.shared.seed)?;
            self.seeded = true;
        }
        for (app_id, installed) in &self.shared.workspaces {
            let used = installed.used.swap(false, Ordering::Relaxed);
            if !used && !look_at_all {
                continue;
            }
            let mut workspace = installed.state.lock().unwrap_or_else(PoisonError::into_inner);
            let rest = self.rests.entry(app_id.clone()).or_default();
            if let Some(changed) = WorkspaceChanges::take(&mut workspace, rest)? {
                changes.add_workspace(changed);
            }
        }
        let tokens = store::tokens_row(&self.shared.tokens.book())?;
        if tokens != self.tokens {
            self.tokens.clone_from(&tokens);
            changes.add_tokens(tokens);
        }
        let ahead = self.shared.clock.ahead();
        if self.ahead != Some(ahead) {
            self.ahead = Some(ahead);
            changes.add_clock(ahead)?;
        }
        Ok(changes)
    }

    /// Lets everything count as not saved.
    fn forget(&mut self) {
        self.rests.clear();
        self.tokens.clear();
        self.ahead = None;
        self.seeded = false;
        for installed in self.shared.workspaces.values() {
            installed.state.lock().unwrap_or_else(PoisonError::into_inner).save_anew();
            installed.used.store(true, Ordering::Relaxed);
        }
    }
}
