//! Intercom, called no more often than its limit allows: asks the workspace's budget before a call,
//! and notes in it what the answers tell.
//!
//! Each worker remembers what it last knew of a budget. While a workspace is calm that costs one
//! read now and then and no write; under pressure each call is taken out of the shared row first.
//! What is remembered is advice: a worker that has forgotten it, or cannot reach the row, goes on.
//!
//! It never sleeps and repeats nothing: whoever is not admitted goes back to its queue.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::budget::{self, Budget, Call, Caller, TURN_MS, Verdict};
use crate::domain::conversation::Action;
use crate::domain::ids::{AdminId, AppId, ContactId, ConversationId, Timestamp};
use crate::domain::part::Observation;
use crate::domain::settings::Workspace;
use crate::domain::step::Answer;
use crate::domain::transfer::Agent;
use crate::ports::{Budgets, Changed, Changing, Clock, Gauge, Intercom, NotShown, Pace, Page, Search, Unavailable};

/// How long a worker goes by what it knows of a calm or a shut budget, in milliseconds.
pub const LOOK_MS: u64 = 5_000;
/// How often a budget is asked for one call, because others changed it meanwhile.
const MAX_TRIES: u32 = 6;

/// What a worker knows of a budget.
#[derive(Debug, Clone, Default)]
struct Known {
    budget: Option<Budget>,
    looked_at: Timestamp,
}

/// Intercom at the pace that its limit allows.
#[derive(Debug)]
pub struct Paced<I, B, C> {
    intercom: I,
    budgets: B,
    clock: C,
    known: Mutex<BTreeMap<AppId, Known>>,
    /// Who was admitted under pressure, and when, in the last seconds.
    served: Mutex<BTreeMap<(AppId, String), Timestamp>>,
    /// One asks at a time: what it learns the others of a batch need not ask for.
    turn: futures_util::lock::Mutex<()>,
}

impl<I, B: Budgets, C: Clock> Paced<I, B, C> {
    /// Intercom, with the budgets that its callers share.
    pub fn new(intercom: I, budgets: B, clock: C) -> Self {
        Self {
            intercom,
            budgets,
            clock,
            known: Mutex::default(),
            served: Mutex::default(),
            turn: futures_util::lock::Mutex::new(()),
        }
    }

    fn known(&self, app_id: &AppId) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(app_id).cloned()
    }

    fn remember(&self, app_id: &AppId, budget: Option<Budget>) {
        let known = Known { budget, looked_at: self.clock.now() };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(app_id.clone(), known);
    }

    fn served_at(&self, app_id: &AppId, about: &str) -> Timestamp {
        let served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.get(&(app_id.clone(), about.to_owned())).copied().unwrap_or_default()
    }

    fn serve(&self, app_id: &AppId, about: &str) {
        let now = self.clock.now();
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        served.retain(|_, at| now < at.plus_ms(TURN_MS));
        served.insert((app_id.clone(), about.to_owned()), now);
    }

    /// What is known of the budget, looked up where that is too old.
    async fn look(&self, app_id: &AppId) -> Option<Budget> {
        let now = self.clock.now();
        if let Some(known) = self.known(app_id)
            && (now < known.looked_at.plus_ms(LOOK_MS) || known.budget.as_ref().is_some_and(|it| it.is_pressed(now)))
        {
            return known.budget;
        }
        broken_as!(BudgetNotShared => return self.known(app_id).and_then(|known| known.budget));
        match self.budgets.budget(app_id).await {
            Ok(budget) => self.remember(app_id, budget),
            Err(reason) => {
                unreachable_budget(app_id, &reason);
                // Not asked again at once: each try costs time that a customer waits.
                self.remember(app_id, self.known(app_id).and_then(|known| known.budget));
            }
        }
        self.known(app_id).and_then(|known| known.budget)
    }

    /// Writes a budget; whether it is in force now. Where the row cannot be reached it is, here.
    async fn write(&self, app_id: &AppId, next: Budget) -> bool {
        broken_as!(BudgetNotShared => {
            self.remember(app_id, Some(next));
            return true;
        });
        match self.budgets.replace(app_id, &next).await {
            Ok(Changing::Done(budget)) => self.remember(app_id, Some(budget)),
            Ok(Changing::Not(budget)) => {
                self.remember(app_id, budget);
                return false;
            }
            Err(reason) => {
                unreachable_budget(app_id, &reason);
                self.remember(app_id, Some(next));
            }
        }
        true
    }

    /// Takes calls out of the window; whether they were taken. Where the row cannot be reached they
    /// are, here.
    async fn take(&self, app_id: &AppId, known: Option<Budget>, most: u32, call: Call) -> bool {
        let Some(known) = known else { return true };
        let here = Budget { taken: known.taken.saturating_add(call.requests), ..known };
        broken_as!(BudgetNotShared => {
            self.remember(app_id, Some(here));
            return true;
        });
        match self.budgets.take(app_id, here.ends_at, most, call.requests).await {
            Ok(Changing::Done(budget)) => self.remember(app_id, Some(budget)),
            Ok(Changing::Not(budget)) => {
                self.remember(app_id, budget);
                return false;
            }
            Err(reason) => {
                unreachable_budget(app_id, &reason);
                self.remember(app_id, Some(here));
            }
        }
        true
    }
}

impl<I, B: Budgets, C: Clock> Pace for Paced<I, B, C> {
    /// A worker that dies here has made no call; what it took out of the window is left unused.
    async fn admit(&self, workspace: &Workspace, about: &str, call: Call) -> Result<(), Timestamp> {
        let app_id = &workspace.app_id;
        let _turn = self.turn.lock().await;
        for _ in 0..MAX_TRIES {
            let known = self.look(app_id).await;
            let caller = Caller { about, served_at: self.served_at(app_id, about) };
            let admitted = match budget::decide(known.as_ref(), call, caller, self.clock.now()) {
                Verdict::Go => return Ok(()),
                Verdict::Wait(until) => {
                    tracing::info!(outcome = "put_off", app_id = %app_id, urgency = ?call.urgency, until_ms = until.0);
                    return Err(until);
                }
                Verdict::Take { most } => self.take(app_id, known, most, call).await,
                Verdict::Write(next) => self.write(app_id, next).await,
            };
            if admitted {
                self.serve(app_id, about);
                return Ok(());
            }
        }
        // Everybody changes it. Intercom itself will say when it is too much.
        Ok(())
    }
}

impl<I: Gauge, B: Budgets, C: Clock> Paced<I, B, C> {
    /// Notes what answers told, where others have to know it. A worker that dies here, after a send,
    /// leaves it in doubt, as if it had died a moment before.
    async fn note(&self, app_id: &AppId) {
        let Some(heard) = self.intercom.heard(app_id) else { return };
        for _ in 0..MAX_TRIES {
            let known = self.known(app_id).and_then(|known| known.budget);
            let Some(next) = budget::heed(known.as_ref(), &heard, self.clock.now()) else { return };
            if self.write(app_id, next).await {
                return;
            }
        }
    }
}

impl<I: Intercom + Gauge, B: Budgets, C: Clock> Intercom for Paced<I, B, C> {
    async fn observe(
        &self,
        workspace: &Workspace,
        id: &ConversationId,
        with_profile: bool,
    ) -> Result<Observation, NotShown> {
        let seen = self.intercom.observe(workspace, id, with_profile).await;
        self.note(&workspace.app_id).await;
        seen
    }

    async fn begun(
        &self,
        workspace: &Workspace,
        contact: &ContactId,
        since: Timestamp,
    ) -> Result<Vec<Changed>, NotShown> {
        let found = self.intercom.begun(workspace, contact, since).await;
        self.note(&workspace.app_id).await;
        found
    }

    async fn crew(&self, workspace: &Workspace, asked: &[AdminId]) -> Vec<Agent> {
        let crew = self.intercom.crew(workspace, asked).await;
        self.note(&workspace.app_id).await;
        crew
    }

    async fn ready(&self, workspace: &Workspace) -> Result<(), Timestamp> {
        self.intercom.ready(workspace).await
    }

    async fn perform(&self, workspace: &Workspace, id: &ConversationId, action: &Action) -> Answer {
        let answer = self.intercom.perform(workspace, id, action).await;
        self.note(&workspace.app_id).await;
        answer
    }
}

impl<I: Search + Gauge, B: Budgets, C: Clock> Search for Paced<I, B, C> {
    async fn changed(&self, workspace: &Workspace, since: Timestamp, page: Option<&str>) -> Result<Page, NotShown> {
        let found = self.intercom.changed(workspace, since, page).await;
        self.note(&workspace.app_id).await;
        found
    }

    async fn waiting_for_the_bot(&self, workspace: &Workspace, before: Timestamp) -> Result<u64, NotShown> {
        let found = self.intercom.waiting_for_the_bot(workspace, before).await;
        self.note(&workspace.app_id).await;
        found
    }
}

fn unreachable_budget(app_id: &AppId, reason: &Unavailable) {
    tracing::warn!(outcome = "no_budget", app_id = %app_id, why = %reason);
}
