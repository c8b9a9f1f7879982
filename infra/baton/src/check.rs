//! What of the settings only Intercom knows: whether the teammates, teams, tags and attributes that they
//! name are there. Asked with an access token, which is read from a file and shown by nothing here.

use shared::adapters::directory::Directory;
use shared::adapters::token_owner::owner_of;
use shared::domain::part::Assignee;
use shared::domain::settings::{Settings, Workspace};
use shared::domain::token::AccessToken;
use shared::domain::transfer::Outcome;

/// Looks up what the settings of the token's workspace name. Its id, and what is wrong, each with its
/// line where it has one.
///
/// # Errors
/// In words, when the token is of no workspace of the settings, or Intercom does not say.
pub async fn look_up(settings: &Settings, token: &AccessToken) -> Result<(String, Vec<String>), String> {
    let mut reasons = Vec::new();
    for workspace in settings.workspaces.values() {
        match owner_of(workspace, token).await {
            Ok(owner) if owner == workspace.app_id => {
                let directory = Directory::of(workspace, token).await?;
                return Ok((owner.to_string(), missing(workspace, &directory)));
            }
            Ok(owner) => reasons.push(format!("it is workspace {owner}'s")),
            Err(reason) => reasons.push(reason),
        }
    }
    reasons.dedup();
    Err(format!("the token is of no workspace of the settings: {}", reasons.join("; ")))
}

/// What a workspace's settings name and it does not have.
#[must_use]
pub fn missing(workspace: &Workspace, directory: &Directory) -> Vec<String> {
    let mut found = Vec::new();
    let bot = Assignee::Teammate(workspace.bot_teammate.clone());
    found.extend(vacancy(&bot, directory).map(|why| format!("`bot_teammate`: {why}")));
    for team in &workspace.bot_teams {
        if !directory.teams.contains_key(team.as_str()) {
            found.push(format!("`bot_teams`: there is no team {team}"));
        }
    }
    let default = workspace.handover.default.as_ref();
    found.extend(default.and_then(|to| vacancy(to, directory)).map(|why| format!("the hand-over's default: {why}")));
    let monitored = workspace.monitor.as_ref();
    found.extend(monitored.and_then(|inbox| vacancy(inbox, directory)).map(|why| format!("`monitor`: {why}")));
    for transfer in &workspace.transfers {
        let bot = &transfer.bot;
        for (channel, to) in &transfer.channels {
            found.extend(vacancy(to, directory).map(|why| format!("the channel `{channel}` of the bot {bot}: {why}")));
        }
        for (what, out) in &transfer.time_outs {
            if let Outcome::Team(team) = &out.then {
                let why = vacancy(&Assignee::Team(team.clone()), directory);
                found.extend(why.map(|why| format!("[workspace.transfer.{what}] of the bot {bot}: {why}")));
            }
        }
    }
    let rules = &workspace.rules;
    for rule in rules.all() {
        let line = rule.line;
        found.extend(rule.to.as_ref().and_then(|to| vacancy(to, directory)).map(|why| format!("line {line}: {why}")));
        for tag in rule.when.tags.iter().filter(|tag| !directory.tags.contains(&tag.to_lowercase())) {
            found.push(format!("line {line}: there is no tag \"{tag}\", so the rule cannot match by it"));
        }
        for name in rule.when.attributes.keys().filter(|name| !directory.attributes.contains(*name)) {
            let of = "of conversations or of customers";
            found.push(format!("line {line}: there is no attribute \"{name}\" {of}, so the rule can never match"));
        }
    }
    found
}

/// Why nobody would find a conversation there.
fn vacancy(to: &Assignee, directory: &Directory) -> Option<String> {
    match to {
        Assignee::Teammate(id) => match directory.teammates.get(id.as_str()) {
            None => Some(format!("there is no teammate {id}")),
            Some(false) => Some(format!("teammate {id} has no inbox seat")),
            Some(true) => None,
        },
        Assignee::Team(id) => match directory.teams.get(id.as_str()) {
            None => Some(format!("there is no team {id}")),
            Some(0) => Some(format!("team {id} has no members")),
            Some(_) => None,
        },
        Assignee::Nobody => None,
    }
}
