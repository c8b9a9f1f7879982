//! What changed in the workspaces, for those who watch: numbered, bounded, never in the way.
//!
//! A change is only named here (which conversation, in which workspace); what it looks like now
//! is asked for by the reader (`live`), in its own time. Nobody who changes something waits for
//! a reader: one that falls too far behind is told that it has missed something.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::ids;

/// How many changes are remembered for readers that are behind or come back.
const CHANGES_KEPT: usize = 20_000;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A conversation itself, or that it is gone.
    Conversation(u64),
    /// What was sent, received or decided about a conversation.
    Steps(u64),
    /// Anything else: people, tags, settings.
    Surroundings,
}

#[derive(Debug)]
struct Change {
    /// None is every workspace.
    app_id: Option<String>,
    subject: Subject,
}

#[derive(Debug, Default)]
struct Ring {
    changes: VecDeque<Change>,
    /// The number of the newest change; the first one is number 1.
    last: u64,
}

#[derive(Debug)]
struct Inner {
    /// Names this run of the process, so that a number of an earlier run is not taken for one of this.
    run: String,
    ring: Mutex<Ring>,
    news: watch::Sender<Progress>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    last: u64,
    closed: bool,
}

/// The changes of all workspaces. Clones are the same feed.
#[derive(Debug, Clone)]
pub(crate) struct Feed(Arc<Inner>);

impl Default for Feed {
    fn default() -> Self {
        let inner = Inner { run: ids::uuid(), ring: Mutex::default(), news: watch::Sender::new(Progress::default()) };
        Self(Arc::new(inner))
    }
}

/// What a reader finds after a number.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The subjects of one workspace in the order of their first change, each once, and the
    /// number up to which this goes.
    Changes(Vec<Subject>, u64),
    /// Some changes are forgotten; the number is that of the newest.
    Missed(u64),
}

impl Feed {
    /// The name of this run of the process.
    pub(crate) fn run(&self) -> &str {
        &self.0.run
    }

    /// The number of the newest change.
    pub(crate) fn last(&self) -> u64 {
        self.ring().last
    }

    /// Says that something in a workspace changed.
    pub(crate) fn changed(&self, app_id: &str, subject: Subject) {
        self.add(Change { app_id: Some(app_id.to_owned()), subject });
    }

    /// Says that something changed that all workspaces share.
    pub(crate) fn changed_everywhere(&self) {
        self.add(Change { app_id: None, subject: Subject::Surroundings });
    }

    fn add(&self, change: Change) {
        let last = {
            let mut ring = self.ring();
            if ring.changes.len() == CHANGES_KEPT {
                ring.changes.pop_front();
            }
            ring.changes.push_back(change);
            ring.last += 1;
            ring.last
        };
        self.0.news.send_modify(|progress| progress.last = progress.last.max(last));
    }

    /// Up to so many different subjects that changed in a workspace after a number.
    pub(crate) fn after(&self, n: u64, app_id: &str, at_most: usize) -> Found {
        let ring = self.ring();
        let forgotten = ring.last - ring.changes.len() as u64;
        if n < forgotten || n > ring.last {
            return Found::Missed(ring.last);
        }
        let mut subjects = Vec::new();
        let mut upto = n;
        for change in ring.changes.range(usize::try_from(n - forgotten).unwrap_or(usize::MAX)..) {
            let mine = change.app_id.as_deref().is_none_or(|of| of == app_id);
            if mine && !subjects.contains(&change.subject) {
                if subjects.len() == at_most {
                    break;
                }
                subjects.push(change.subject);
            }
            upto += 1;
        }
        Found::Changes(subjects, upto)
    }

    /// Waits until there is a change after a number; false when none comes any more.
    pub(crate) async fn beyond(&self, n: u64) -> bool {
        let mut news = self.0.news.subscribe();
        // The sender is in `self`, so that the channel cannot be closed.
        let progress = news.wait_for(|progress| progress.closed || progress.last > n).await;
        progress.is_ok_and(|progress| !progress.closed)
    }

    /// Ends all reading, as the process stops.
    pub(crate) fn close(&self) {
        self.0.news.send_modify(|progress| progress.closed = true);
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.0.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{CHANGES_KEPT, Feed, Found, Subject};

    #[test]
    fn a_reader_gets_the_subjects_of_its_workspace_once_each() {
        let feed = Feed::default();
        for id in [1, 2, 1] {
            feed.changed("a", Subject::Conversation(id));
        }
        feed.changed("b", Subject::Conversation(9));
        feed.changed_everywhere();
        let all = vec![Subject::Conversation(1), Subject::Conversation(2), Subject::Surroundings];
        assert_eq!(feed.after(0, "a", 10), Found::Changes(all, 5));
        assert_eq!(feed.after(5, "a", 10), Found::Changes(Vec::new(), 5));
    }

    #[test]
    fn a_full_answer_goes_on_where_it_ended() {
        let feed = Feed::default();
        for id in [1, 1, 2, 3] {
            feed.changed("a", Subject::Steps(id));
        }
        assert_eq!(feed.after(0, "a", 1), Found::Changes(vec![Subject::Steps(1)], 2));
        assert_eq!(feed.after(2, "a", 5), Found::Changes(vec![Subject::Steps(2), Subject::Steps(3)], 4));
    }

    #[test]
    fn who_is_too_far_behind_or_ahead_has_missed_something() {
        let feed = Feed::default();
        for _ in 0..=CHANGES_KEPT {
            feed.changed("a", Subject::Surroundings);
        }
        let last = CHANGES_KEPT as u64 + 1;
        assert_eq!(feed.after(0, "a", 5), Found::Missed(last));
        assert_eq!(feed.after(last + 1, "a", 5), Found::Missed(last));
        assert!(matches!(feed.after(1, "a", 5), Found::Changes(_, n) if n == last));
    }

    #[tokio::test]
    async fn waiting_ends_with_a_change_or_with_the_feed() {
        let feed = Feed::default();
        feed.changed("a", Subject::Surroundings);
        assert!(feed.beyond(0).await);
        let waiting = tokio::spawn({
            let feed = feed.clone();
            async move { feed.beyond(1).await }
        });
        tokio::task::yield_now().await;
        feed.close();
        assert!(!waiting.await.unwrap());
    }
}
