//! Teammates and teams over REST.

use serde_json::{Value, json};

use super::fields::Fields;
use super::{Call, Reply};
use crate::sandbox::error::{Answer, ApiError};
use crate::sandbox::model::{Admin, Conversation, State};
use crate::sandbox::render;
use crate::sandbox::topic::Topic;
use crate::sandbox::workspace::Workspace;

/// How long an open conversation may be quiet before it is idle.
const IDLE_SECONDS: u64 = 1_800;
/// The longest time that can be asked for that.
const IDLE_SECONDS_MOST: u64 = 86_400;

pub(super) fn me(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let admin = workspace.admins.get(&call.admin_id()).ok_or_else(ApiError::no_admin)?;
    Ok(render::me(workspace, admin, call.version).into())
}

pub(super) fn admins(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let with_avatar = call.query("display_avatar") == Some("true");
    let shown = |one: &Admin| {
        let mut value = render::admin(one, call.version);
        if with_avatar {
            // An address, as the description's schema has it; its text speaks of an object.
            value["avatar"] = json!(one.avatar.as_deref().unwrap_or_default());
        }
        value
    };
    let admins: Vec<Value> = workspace.admins.values().map(shown).collect();
    Ok(json!({"type": "admin.list", "admins": admins}).into())
}

pub(super) fn admin(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let admin = call.param("id").parse().ok().and_then(|id: u64| workspace.admins.get(&id));
    admin.map(|admin| render::admin(admin, call.version).into()).ok_or_else(ApiError::no_admin)
}

/// Sets a teammate away or back. The reason is only known from 2.14 on.
pub(super) fn set_away(call: &Call<'_>, workspace: &mut Workspace) -> Answer<Reply> {
    let fields = Fields::parse(call.body)?;
    let id = call.param("id").parse().ok().filter(|id: &u64| workspace.admins.contains_key(id));
    let id = id.ok_or_else(|| {
        let not_found = axum::http::StatusCode::NOT_FOUND;
        ApiError::new(not_found, "admin_not_found", "Admin for admin_id not found")
    })?;
    let away = fields.flag("away_mode_enabled")?.ok_or_else(|| ApiError::missing("away_mode_enabled"))?;
    let reassign = fields.flag("away_mode_reassign")?.ok_or_else(|| ApiError::missing("away_mode_reassign"))?;
    let reason = match call.version.has_away_status_reasons() {
        true => away_status_reason(workspace, &fields, away)?,
        false => None,
    };
    if let Some(admin) = workspace.admins.get_mut(&id) {
        admin.away_mode_enabled = away;
        admin.away_mode_reassign = reassign;
        admin.away_status_reason_id = reason;
    }
    let shown = |workspace: &Workspace, version| {
        workspace.admins.get(&id).map(|admin| render::admin(admin, version)).unwrap_or_default()
    };
    workspace.fire(Topic::AwayModeUpdated, None, shown);
    Ok(shown(workspace, call.version).into())
}

/// The reason that a body gives. That one nobody knows is refused as a deleted one is, is a guess.
fn away_status_reason(workspace: &Workspace, fields: &Fields, away: bool) -> Answer<Option<u64>> {
    let bad = |code, message: &str| ApiError::new(axum::http::StatusCode::BAD_REQUEST, code, message);
    let Some(id) = fields.id("away_status_reason_id")? else {
        return match away && workspace.people.away_status_reason_mandatory {
            true => Err(bad("away_status_reason_mandatory", "Away status reason is mandatory")),
            false => Ok(None),
        };
    };
    let known = workspace.people.away_status_reasons.iter().find(|reason| reason.id.to_string() == id);
    match known {
        Some(reason) if !reason.deleted => Ok(away.then_some(reason.id)),
        Some(_) => Err(bad("parameter_invalid", "Away status reason is deleted")),
        None => Err(bad("parameter_invalid", "Away status reason not found")),
    }
}

pub(super) fn away_status_reasons(_: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let reasons = workspace.people.away_status_reasons.iter().enumerate().map(|(order, reason)| {
        json!({
            "type": "away_status_reason",
            "id": reason.id.to_string(),
            "label": reason.label,
            "emoji": reason.emoji,
            "order": order,
            "deleted": reason.deleted,
            "created_at": workspace.created_at,
            "updated_at": workspace.created_at,
        })
    });
    Ok(json!({"type": "list", "data": reasons.collect::<Vec<_>>()}).into())
}

pub(super) fn teams(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let teams: Vec<Value> = workspace.teams.values().map(|team| render::team(team, call.version)).collect();
    Ok(json!({"type": "team.list", "teams": teams}).into())
}

pub(super) fn team(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let team = call.param("id").parse().ok().and_then(|id: u64| workspace.teams.get(&id));
    team.map(|team| render::team(team, call.version).into()).ok_or_else(ApiError::no_team)
}

/// How much each member of a team has at hand.
pub(super) fn team_metrics(call: &Call<'_>, workspace: &Workspace) -> Answer<Reply> {
    let team = call.param("id").parse().ok().and_then(|id: u64| workspace.teams.get(&id));
    let team = team.ok_or_else(ApiError::no_team)?;
    let idle_after = call.query_number("idle_threshold")?.unwrap_or(IDLE_SECONDS).clamp(1, IDLE_SECONDS_MOST);
    let quiet_since = workspace.clock.now().saturating_sub(idle_after);
    let metric = |admin_id: &u64| {
        let count = |wanted: &dyn Fn(&Conversation) -> bool| {
            let theirs = workspace.conversations.values().filter(|one| one.admin_assignee == Some(*admin_id));
            theirs.filter(|one| wanted(one)).count()
        };
        json!({
            "type": "team_metric",
            "admin_id": admin_id.to_string(),
            "open": count(&|one| one.state == State::Open),
            "idle": count(&|one| one.state == State::Open && one.updated_at <= quiet_since),
            "snoozed": count(&|one| one.state == State::Snoozed),
        })
    };
    let data: Vec<Value> = team.admin_ids.iter().map(metric).collect();
    Ok(json!({"type": "team_metric.list", "data": data}).into())
}
