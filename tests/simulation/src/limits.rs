//! Intercom's rate limits and its tokens, where a run is about them: windows of ten seconds for each
//! workspace, other apps that call it too, tokens that are revoked; and the rows in which the
//! workers share what they know of it.
//!
//! A run without limits answers every look at a budget at once, with nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use shared::app::pace::Paced;
use shared::domain::budget::{Budget, Call, Heard, Reading};
use shared::domain::conversation::Action;
use shared::domain::ids::{AppId, ContactId, ConversationId, Timestamp};
use shared::domain::part::Observation;
use shared::domain::settings::Workspace;
use shared::domain::step::Answer;
use shared::ports::{Budgets, Changed, Changing, Gauge, Intercom, NotShown, Pace, Page, Search, Unavailable};
use shared::testing::{may_replace, take_calls};

use crate::ports::{Api, Time, wait};
use crate::world::{Event, World, with};

const WINDOW_MS: u64 = 10_000;

/// How a run's limits are set.
#[derive(Debug, Clone, Default)]
pub struct Limit {
    /// How many calls a window of a workspace has.
    pub calls: u32,
    /// How many of them another app takes, evenly, in the first workspace.
    pub others: u32,
    /// Since when after the beginning, and until when, the first workspace's token is refused.
    pub revoked: Option<(u64, u64)>,
    /// How often the budgets' rows fail, in ten thousandths.
    pub row_faults: u32,
}

/// How Intercom took a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Served.
    Served,
    /// 429.
    Limited,
    /// 401.
    Denied,
}

/// A request that reached Intercom.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    /// When, after the beginning.
    pub at: u64,
    /// Of which workspace.
    pub workspace: usize,
    /// Of which conversation, by its number in the run.
    pub talk: Option<usize>,
    /// What for.
    pub what: &'static str,
    /// How it was taken.
    pub taken: Taken,
}

/// The limits of a run, and what came up against them.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// How they are set.
    pub limit: Limit,
    windows: BTreeMap<usize, (u64, u32)>,
    heard: BTreeMap<(usize, usize), Heard>,
    rows: BTreeMap<AppId, Budget>,
    /// Every request.
    pub requests: Vec<Request>,
    /// How often a budget's row was read.
    pub reads: u64,
    /// How often one was written, or was to be.
    pub writes: u64,
}

impl Limits {
    /// Limits that are set so.
    #[must_use]
    pub fn of(limit: Limit) -> Self {
        Self { limit, ..Self::default() }
    }

    fn arrives(&mut self, worker: usize, at: u64, workspace: usize, talk: Option<usize>, what: &'static str) -> Taken {
        let now = crate::world::BEGINNING + at;
        let ends_at = (now / WINDOW_MS + 1) * WINDOW_MS;
        let window = self.windows.entry(workspace).or_default();
        if window.0 != ends_at {
            *window = (ends_at, 0);
        }
        let others = if workspace == 0 { self.limit.others } else { 0 };
        let others = u64::from(others) * (WINDOW_MS - (ends_at - now)) / WINDOW_MS;
        let used = window.1 + others as u32;
        let revoked = self.limit.revoked.is_some_and(|(from, until)| workspace == 0 && at >= from && at < until);
        let taken = if revoked {
            Taken::Denied
        } else if used >= self.limit.calls {
            Taken::Limited
        } else {
            window.1 += 1;
            Taken::Served
        };
        let reading = Reading {
            limit: self.limit.calls,
            remaining: self.limit.calls.saturating_sub(window.1 + others as u32),
            ends_at: Timestamp(ends_at),
        };
        let heard = self.heard.entry((worker, workspace)).or_default();
        *heard = heard.then(Heard { reading: (!revoked).then_some(reading), denied: Some(revoked) });
        self.requests.push(Request { at, workspace, talk, what, taken });
        taken
    }
}

impl World {
    /// A request reaches Intercom; how it is taken.
    pub fn arrives(&mut self, app_id: &AppId, talk: Option<usize>, what: &'static str) -> Taken {
        let (worker, at) = (self.current, self.now - crate::world::BEGINNING);
        let workspace = usize::from(app_id.as_str() != crate::product::WORKSPACES[0]);
        let taken = self.limits.as_mut().map(|limits| limits.arrives(worker, at, workspace, talk, what));
        let taken = taken.unwrap_or(Taken::Served);
        if taken != Taken::Served {
            self.tell(11, |_| format!("Intercom takes {what} of {app_id} as {taken:?}"));
        }
        taken
    }
}

impl Gauge for Api {
    fn heard(&self, app_id: &AppId) -> Option<Heard> {
        let workspace = usize::from(app_id.as_str() != crate::product::WORKSPACES[0]);
        with(|world| world.limits.as_mut()?.heard.remove(&(world.current, workspace)))
    }
}

/// The budgets' rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct BudgetRows;

/// One call to the table, where the run has limits.
async fn call<R>(does: impl FnOnce(&mut Limits) -> R) -> Result<Option<R>, Unavailable> {
    if with(|world| world.limits.is_none()) {
        return Ok(None);
    }
    wait(2, 12).await;
    let did = with(|world| {
        let faults = world.limits.as_ref().map_or(0, |limits| limits.limit.row_faults);
        if faults > 0 && world.chance.strikes(faults) {
            return Err(Unavailable { what: "DynamoDB", why: "simulated".to_owned() });
        }
        Ok(world.limits.as_mut().map(does))
    });
    // Whoever waits for the same worker's turn is polled once more.
    with(|world| {
        let (worker, at) = (world.current, world.now + 1);
        world.at(at, Event::Poll(worker));
    });
    did
}

impl Budgets for BudgetRows {
    async fn budget(&self, app_id: &AppId) -> Result<Option<Budget>, Unavailable> {
        let read = call(|limits| {
            limits.reads += 1;
            limits.rows.get(app_id).cloned()
        });
        Ok(read.await?.flatten())
    }

    async fn take(&self, app_id: &AppId, ends_at: Timestamp, most: u32, calls: u32) -> Result<Changing, Unavailable> {
        let taken = call(|limits| {
            limits.writes += 1;
            take_calls(limits.rows.get_mut(app_id), ends_at, most, calls)
        });
        Ok(taken.await?.unwrap_or(Changing::Not(None)))
    }

    async fn replace(&self, app_id: &AppId, next: &Budget) -> Result<Changing, Unavailable> {
        let written = call(|limits| {
            limits.writes += 1;
            let row = limits.rows.get(app_id).cloned();
            if !may_replace(row.as_ref(), next) {
                return Changing::Not(row);
            }
            limits.rows.insert(app_id.clone(), next.clone());
            Changing::Done(next.clone())
        });
        Ok(written.await?.unwrap_or(Changing::Not(None)))
    }
}

type Own = Rc<Paced<Api, BudgetRows, Time>>;

thread_local! {
    static OWN: RefCell<BTreeMap<usize, Own>> = const { RefCell::new(BTreeMap::new()) };
}

/// No worker remembers anything any more.
pub fn forget() {
    OWN.with_borrow_mut(BTreeMap::clear);
}

/// Intercom at the pace that its limit allows. Every invocation is a worker that knows nothing yet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Budgeted;

fn own() -> Own {
    let worker = with(|world| world.current);
    OWN.with_borrow_mut(|own| {
        let new = || Rc::new(Paced::new(Api, BudgetRows, Time));
        Rc::clone(own.entry(worker).or_insert_with(new))
    })
}

impl Pace for Budgeted {
    async fn admit(&self, workspace: &Workspace, about: &str, call: Call) -> Result<(), Timestamp> {
        own().admit(workspace, about, call).await
    }
}

impl Intercom for Budgeted {
    async fn observe(&self, to: &Workspace, id: &ConversationId, with_profile: bool) -> Result<Observation, NotShown> {
        own().observe(to, id, with_profile).await
    }

    async fn begun(
        &self,
        workspace: &Workspace,
        contact: &ContactId,
        since: Timestamp,
    ) -> Result<Vec<Changed>, NotShown> {
        own().begun(workspace, contact, since).await
    }

    async fn ready(&self, workspace: &Workspace) -> Result<(), Timestamp> {
        own().ready(workspace).await
    }

    async fn perform(&self, workspace: &Workspace, id: &ConversationId, action: &Action) -> Answer {
        own().perform(workspace, id, action).await
    }
}

impl Search for Budgeted {
    async fn changed(&self, workspace: &Workspace, since: Timestamp, page: Option<&str>) -> Result<Page, NotShown> {
        own().changed(workspace, since, page).await
    }

    async fn waiting_for_the_bot(&self, workspace: &Workspace, before: Timestamp) -> Result<u64, NotShown> {
        own().waiting_for_the_bot(workspace, before).await
    }
}
