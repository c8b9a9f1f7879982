//! Whether people are there for a hand-over: teammates with a seat who are not away, and from version
//! 2.16 the workspace's own office hours.
//!
//! A look that Intercom refuses keeps nobody from a person: then they count as there.

use reqwest::{Method, StatusCode};

use super::{Failure, RestApi};
use crate::domain::ids::{AdminId, Timestamp};
use crate::domain::part::Assignee;
use crate::domain::settings::Workspace;
use crate::domain::step::Answer;
use crate::domain::transfer::Availability;
use crate::ports::{Clock, Tokens};
use crate::wire::intercom::Id;
use crate::wire::people::{AdminItem, AdminList, TeamItem, is_plain_id};
use crate::wire::schedules::{ExceptionList, ScheduleList};

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// Looks who is there. It may be repeated.
    pub(super) async fn who_is_there(&self, workspace: &Workspace, to: &Assignee) -> Answer {
        match self.presence(workspace, to).await {
            Ok(availability) => Answer::There(availability),
            Err(Failure::Refused { code, .. }) => {
                tracing::warn!(outcome = "nobody_looked", code, "Intercom does not say who is there");
                Answer::There(Availability::Available)
            }
            Err(failure) => self.before_sending(failure),
        }
    }

    async fn presence(&self, workspace: &Workspace, to: &Assignee) -> Result<Availability, Failure> {
        let team: Option<TeamItem> = match to {
            Assignee::Team(team) => match self.listed(workspace, &format!("/teams/{team}")).await {
                Ok(team) => Some(team),
                // To a team that is not there nobody would come.
                Err(Failure::Refused { status: StatusCode::NOT_FOUND, .. }) => return Ok(Availability::Nobody),
                Err(failure) => return Err(failure),
            },
            Assignee::Teammate(_) | Assignee::Nobody => None,
        };
        let list: AdminList = self.listed(workspace, "/admins").await?;
        let asked = |admin: &&AdminItem| match (to, &team) {
            (Assignee::Teammate(teammate), _) => admin.is(teammate),
            (_, Some(team)) => admin.id.as_ref().is_some_and(|id| team.admin_ids.contains(id)),
            _ => true,
        };
        let machine = |id: &AdminId| list.admins.iter().find(|admin| admin.is(id)).and_then(|admin| admin.id.clone());
        let machines: Vec<_> =
            workspace.other_bots.iter().chain([&workspace.bot_teammate]).filter_map(machine).collect();
        let people = list.admins.iter().filter(asked);
        let people = people.filter(|admin| admin.id.as_ref().is_some_and(|id| !machines.contains(id)));
        let seated: Vec<&AdminItem> = people.filter(|admin| admin.has_a_seat()).collect();
        if seated.is_empty() {
            return Ok(Availability::Nobody);
        }
        let opens_at = match self.opening(workspace, team.as_ref()).await? {
            Hours::Open if seated.iter().any(|admin| !admin.is_away()) => return Ok(Availability::Available),
            Hours::Open => None,
            Hours::Closed { opens_at } => opens_at,
        };
        Ok(Availability::Away { opens_at })
    }

    /// Whether the workspace's office hours keep it closed. Where it has none, or does not tell, it is open.
    async fn opening(&self, workspace: &Workspace, team: Option<&TeamItem>) -> Result<Hours, Failure> {
        if !workspace.api_version.has_schedules() {
            return Ok(Hours::Open);
        }
        let list: ScheduleList = match self.listed(workspace, "/office_hours_schedules").await {
            Ok(list) => list,
            Err(Failure::Refused { .. }) => return Ok(Hours::Open),
            Err(failure) => return Err(failure),
        };
        let now = self.clock.now();
        let mut opens_at = Vec::new();
        for schedule in list.of(team.and_then(|team| team.name.as_deref())).into_iter().take(MAX_SCHEDULES) {
            let Some(id) = schedule.id.as_ref().and_then(Id::some).filter(|id| is_plain_id(id)) else { continue };
            let path = format!("/office_hours_schedules/{id}/office_hours_exceptions");
            let exceptions: ExceptionList = match self.listed(workspace, &path).await {
                Err(Failure::Refused { .. }) => ExceptionList::default(),
                exceptions => exceptions?,
            };
            match schedule.hours(&exceptions, now) {
                Some(hours) if hours.are_open(now) => return Ok(Hours::Open),
                Some(hours) => opens_at.push(hours.next_opening(now)),
                None => tracing::warn!(outcome = "no_such_zone", "a schedule goes by a clock that is not known"),
            }
        }
        if opens_at.is_empty() {
            return Ok(Hours::Open);
        }
        Ok(Hours::Closed { opens_at: opens_at.into_iter().flatten().min() })
    }

    /// What Intercom tells when it is asked for something.
    pub(super) async fn listed<L: serde::de::DeserializeOwned>(
        &self,
        workspace: &Workspace,
        path: &str,
    ) -> Result<L, Failure> {
        let bytes = self.request(workspace, Method::GET, path, None).await?;
        serde_json::from_slice(&bytes).map_err(|_| Failure::Unknown("the answer cannot be read"))
    }
}

/// How many schedules are looked at.
const MAX_SCHEDULES: usize = 5;

/// Whether the office is open.
enum Hours {
    Open,
    Closed { opens_at: Option<Timestamp> },
}
