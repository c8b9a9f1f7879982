//! Who the teammates are: their names and pictures, for the customers of a bot's own chats.
//!
//! Intercom tells them all in one answer, which is kept for some minutes. Without it a teammate is an id:
//! so nobody waits long for it, and a failure is kept for a minute as well.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use super::RestApi;
use crate::domain::ids::{AdminId, AppId, Timestamp};
use crate::domain::settings::Workspace;
use crate::domain::transfer::Agent;
use crate::ports::{Clock, Tokens};
use crate::wire::people::{AdminItem, AdminList};

/// Who the workspaces' teammates are, and since when that is known.
pub(super) type Crews = BTreeMap<AppId, (Timestamp, Vec<Agent>)>;

/// How long an answer is kept, in milliseconds.
const KEPT_MS: u64 = 600_000;
/// How soon it is asked anew about somebody whom it does not name, or after a failure, in milliseconds.
const ANEW_MS: u64 = 60_000;
/// How long it is waited for.
const PATIENCE: Duration = Duration::from_millis(2_000);

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// Who these teammates are, as far as it is known.
    pub(super) async fn crew_of(&self, workspace: &Workspace, asked: &[AdminId]) -> Vec<Agent> {
        let now = self.clock.now();
        let known =
            |all: &[Agent]| -> Vec<Agent> { all.iter().filter(|agent| asked.contains(&agent.id)).cloned().collect() };
        let kept = self.crews.lock().unwrap_or_else(PoisonError::into_inner).get(&workspace.app_id).cloned();
        let (asked_at, before) = kept.unwrap_or_default();
        let found = known(&before);
        let lasts_ms = if found.len() == asked.len() { KEPT_MS } else { ANEW_MS };
        if now < asked_at.plus_ms(lasts_ms) {
            return found;
        }
        let answer = self.listed::<AdminList>(workspace, "/admins?display_avatar=true");
        let all = match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(list)) => list.admins.into_iter().filter_map(AdminItem::agent).collect(),
            // Who they were they will still be.
            _ => before,
        };
        let found = known(&all);
        self.crews.lock().unwrap_or_else(PoisonError::into_inner).insert(workspace.app_id.clone(), (now, all));
        found
    }
}
