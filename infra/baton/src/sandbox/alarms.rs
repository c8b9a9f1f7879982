//! What happens by itself at a time: conversations wake, a workflow assigns.
//!
//! Alarms are part of their workspace. One task waits on the sandbox's clock for the next of
//! all workspaces, so that moving the clock on brings them at once.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Shared;
use super::error::Answer;
use super::model::{Message, PartType, State};
use super::topic::Topic;
use super::workspace::Workspace;

/// How long the task sleeps when nothing is due.
const IDLE: Duration = Duration::from_secs(86_400);

/// What is to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Alarm {
    /// A snoozed conversation comes back, if it is still snoozed until then.
    Wake,
    /// The workflow of the automation assigns.
    Assign,
}

/// The alarms of a workspace, the earliest first: when (Unix milliseconds), which conversation,
/// and what.
pub(crate) type Alarms = BTreeSet<(u64, u64, Alarm)>;

impl Workspace {
    pub(crate) fn set_alarm(&mut self, due_ms: u64, conversation_id: u64, alarm: Alarm) {
        self.alarms.insert((due_ms, conversation_id, alarm));
        self.clock.ring();
    }

    /// Does what is due. When the next alarm is, if there is one.
    fn sound(&mut self) -> Option<u64> {
        loop {
            let next = *self.alarms.first()?;
            let (due_ms, id, alarm) = next;
            if due_ms > self.clock.now_ms() {
                return Some(due_ms);
            }
            self.alarms.remove(&next);
            let done = match alarm {
                Alarm::Wake => self.wake(id, due_ms / 1_000),
                Alarm::Assign => self.assign_now(id),
            };
            // A conversation that is gone needs nothing any more.
            drop(done);
        }
    }

    /// Brings a conversation back that was snoozed until that time. In whose name Intercom does
    /// this is not documented; the operator is a guess.
    fn wake(&mut self, id: u64, until: u64) -> Answer<()> {
        let operator = self.operator_author(false);
        let conversation = self.conversation_mut(id)?;
        if conversation.state != State::Snoozed || conversation.snoozed_until != Some(until) {
            return Ok(());
        }
        conversation.state = State::Open;
        conversation.snoozed_until = None;
        let part = self.part(id, PartType::Unsnoozed, operator, Message::default(), None)?;
        let part_id = self.append(id, part)?;
        self.notify(Topic::AdminUnsnoozed, id, &[part_id]);
        Ok(())
    }
}

/// Does what is due, for as long as the sandbox runs.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        let app_ids = shared.workspaces.keys();
        let next = app_ids.filter_map(|app_id| shared.workspace(app_id)?.sound()).min();
        let wait = next.map_or(IDLE, |due_ms| Duration::from_millis(due_ms.saturating_sub(shared.clock.now_ms())));
        tokio::select! {
            () = shared.clock.sleep(wait) => {}
            () = shared.clock.rung() => {}
        }
    }
}
