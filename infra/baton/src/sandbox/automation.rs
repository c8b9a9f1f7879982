//! What a workspace does by itself: an auto-responder, a workflow that assigns, rules.
//!
//! Set by the seed or the control API. Intercom has all of this as workflows and settings in
//! its own pages; here is what a bridge meets of it.

use serde::{Deserialize, Serialize};

use super::actions::ReplyKind;
use super::alarms::Alarm;
use super::error::{Answer, ApiError};
use super::model::{Assignee, Message};
use super::text;
use super::workspace::Workspace;

/// What happens without anybody doing it. Nothing does, unless it is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Automation {
    /// What is answered at once to each message of a customer.
    pub auto_reply: Option<AutoReply>,
    /// Whom a workflow gives each new conversation to, some time after it began.
    pub assign_after_ms: Option<AssignLater>,
    /// Whom `run_assignment_rules` gives a conversation to.
    pub default_assignee: Option<To>,
    /// Whether Intercom has switched on that replies of bots are mailed.
    pub mails_bot_replies: bool,
}

/// An automatic answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoReply {
    /// What it says.
    pub body: String,
    /// The teammate in whose name it comes; the operator's when absent.
    #[serde(default)]
    pub admin_id: Option<u64>,
}

/// An assignment to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignLater {
    /// How long after the conversation began.
    pub ms: u64,
    /// The teammate.
    #[serde(default)]
    pub admin_id: Option<u64>,
    /// The team, where no teammate is named.
    #[serde(default)]
    pub team_id: Option<u64>,
}

/// A teammate or a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct To {
    /// The teammate.
    #[serde(default)]
    pub admin_id: Option<u64>,
    /// The team, where no teammate is named.
    #[serde(default)]
    pub team_id: Option<u64>,
}

impl Automation {
    /// What is wrong with it in a workspace of these teammates and teams, in words.
    pub(crate) fn problem(&self, is_admin: impl Fn(u64) -> bool, is_team: impl Fn(u64) -> bool) -> Option<String> {
        let responder = self.auto_reply.as_ref().and_then(|reply| reply.admin_id);
        let later = self.assign_after_ms.as_ref().map(|later| (later.admin_id, later.team_id));
        let default = self.default_assignee.as_ref().map(|to| (to.admin_id, to.team_id));
        let targets = [later, default];
        let unknown_admin =
            targets.iter().flatten().map(|to| to.0).chain([responder]).flatten().find(|id| !is_admin(*id));
        if let Some(id) = unknown_admin {
            return Some(format!("there is no admin \"{id}\""));
        }
        if let Some(id) = targets.iter().flatten().filter_map(|to| to.1).find(|id| !is_team(*id)) {
            return Some(format!("there is no team \"{id}\""));
        }
        let nobody = targets.iter().flatten().any(|to| to.0.is_none() && to.1.is_none());
        nobody.then(|| "admin_id or team_id is needed".to_owned())
    }
}

fn assignee(admin_id: Option<u64>, team_id: Option<u64>) -> Assignee {
    match (admin_id, team_id) {
        (Some(id), _) => Assignee::Admin(id),
        (None, Some(id)) => Assignee::Team(id),
        (None, None) => Assignee::Nobody,
    }
}

impl Workspace {
    /// # Errors
    /// 400 in words, when it names people who do not exist.
    pub(crate) fn automate(&mut self, automation: Automation) -> Answer<()> {
        let is_admin = |id: u64| self.admins.contains_key(&id);
        if let Some(problem) = automation.problem(is_admin, |id| self.teams.contains_key(&id)) {
            return Err(ApiError::invalid(problem));
        }
        self.automation = automation;
        Ok(())
    }

    /// What follows a customer's message.
    pub(crate) fn customer_wrote(&mut self, id: u64, is_first: bool) -> Answer<()> {
        if let (Some(later), true) = (&self.automation.assign_after_ms, is_first) {
            let due_ms = self.clock.now_ms().saturating_add(later.ms);
            self.set_alarm(due_ms, id, Alarm::Assign);
        }
        let Some(reply) = self.automation.auto_reply.clone() else {
            return Ok(());
        };
        let message = Message { body: Some(text::stored_from_api(&reply.body)), ..Message::default() };
        match reply.admin_id {
            Some(admin_id) => self.admin_reply(id, admin_id, ReplyKind::Comment, message, None)?,
            None => self.operator_reply(id, message, false)?,
        };
        Ok(())
    }

    /// The workflow's assignment, when its time has come.
    pub(crate) fn assign_now(&mut self, id: u64) -> Answer<()> {
        if let Some(later) = &self.automation.assign_after_ms {
            let to = assignee(later.admin_id, later.team_id);
            self.assign_by_operator(id, to, None)?;
        }
        Ok(())
    }

    /// The rules that 2.10 and 2.11 can run: here, the default assignee. Without one the
    /// conversation stays as it is, as in a workspace without rules.
    pub(crate) fn run_assignment_rules(&mut self, id: u64) -> Answer<()> {
        self.conversation(id)?;
        if let Some(to) = &self.automation.default_assignee {
            let to = assignee(to.admin_id, to.team_id);
            self.assign_by_operator(id, to, None)?;
        }
        Ok(())
    }
}
