//! What is set instead of said: whose a conversation is, and whether it is open.
//!
//! Each is read first and changed only if it is another, so all of it may be repeated.

use reqwest::Method;
use serde_json::json;

use super::{RestApi, newest_own_part};
use crate::domain::ids::{AdminId, ConversationId};
use crate::domain::part::Assignee;
use crate::domain::settings::Workspace;
use crate::domain::step::Answer;
use crate::ports::{Clock, Tokens};
use crate::wire::intercom::{Id, TargetItem};

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// Sets the assignee, if it is another. A conversation can hold a teammate and a team at once:
    /// "nobody" takes one request for each that it holds, and what goes to a team leaves the bot's
    /// seat, or the bot would be taken for its owner later.
    pub(super) async fn assign(&self, workspace: &Workspace, id: &ConversationId, to: &Assignee) -> Answer {
        let item = match self.show(workspace, id).await {
            Ok((item, _)) => item,
            Err(failure) => return self.before_sending(failure),
        };
        // Assigning opens what is closed, so a closed conversation is assigned once more.
        let seen = item.observation(true);
        if seen.open && seen.assignee == *to {
            return Answer::Done { part_id: None };
        }
        if let Some(vacancy) = self.vacancy(workspace, to).await {
            return vacancy;
        }
        let some = |id: &Option<Id>| id.as_ref().and_then(Id::some).map(str::to_owned);
        let (admin, team) = (some(&item.admin_assignee_id), some(&item.team_assignee_id));
        let me = workspace.bot_teammate.as_str();
        let seat = admin.as_deref() == Some(me);
        // The bot takes no conversation from a teammate.
        if workspace.is_bots(to) && admin.is_some() && !seat {
            return Answer::Rejected { code: "taken".to_owned(), message: "a teammate has it".to_owned() };
        }
        let changes = match to {
            Assignee::Teammate(teammate) => vec![("admin", teammate.as_str())],
            Assignee::Team(to) => {
                let there = team.as_deref() == Some(to.as_str()) && seat && seen.open;
                let team = (!there).then_some(("team", to.as_str()));
                team.into_iter().chain(seat.then_some(("admin", "0"))).collect()
            }
            Assignee::Nobody => {
                let sides = [("admin", admin.is_some() || !seen.open), ("team", team.is_some())];
                sides.into_iter().filter(|(_, held)| *held).map(|(side, _)| (side, "0")).collect()
            }
        };
        let mut answer = Answer::Done { part_id: None };
        for (kind, assignee_id) in changes {
            let body = json!({
                "message_type": "assignment",
                "type": kind,
                "admin_id": me,
                "assignee_id": assignee_id,
            });
            let shown = match self.change(workspace, &format!("/conversations/{id}/parts"), &body).await {
                Ok(shown) => shown,
                Err(answer) => return answer,
            };
            answer = Answer::Done { part_id: newest_own_part(&shown, workspace) };
            // A teammate who has taken the seat meanwhile keeps it.
            if kind == "team" && some(&shown.admin_assignee_id).is_some_and(|holder| holder != me) {
                break;
            }
        }
        answer
    }

    /// Whether certainly nobody would find it there, though Intercom would take it: a teammate without
    /// an inbox seat, a team without members. Who does not exist Intercom refuses itself; where it does
    /// not say, the assignment goes on.
    async fn vacancy(&self, workspace: &Workspace, to: &Assignee) -> Option<Answer> {
        let path = match to {
            Assignee::Teammate(teammate) => format!("/admins/{teammate}"),
            Assignee::Team(team) => format!("/teams/{team}"),
            Assignee::Nobody => return None,
        };
        let bytes = self.request(workspace, Method::GET, &path, None).await.ok()?;
        let (code, message) = serde_json::from_slice::<TargetItem>(&bytes).ok()?.vacancy()?;
        Some(Answer::Rejected { code: code.to_owned(), message: message.to_owned() })
    }

    /// Assigns to the bot what is still where it was, and open.
    pub(super) async fn take(&self, workspace: &Workspace, id: &ConversationId, from: &Assignee) -> Answer {
        let seen = match self.show(workspace, id).await {
            Ok((item, _)) => item.observation(true),
            Err(failure) => return self.before_sending(failure),
        };
        if workspace.is_bots(&seen.assignee) && seen.open {
            return Answer::Done { part_id: None };
        }
        if seen.assignee != *from || !seen.open {
            let message = "somebody else has it, or it is closed".to_owned();
            return Answer::Rejected { code: "taken".to_owned(), message };
        }
        let me = workspace.bot_teammate.as_str();
        let body = json!({ "message_type": "assignment", "type": "admin", "admin_id": me, "assignee_id": me });
        self.post(workspace, &format!("/conversations/{id}/parts"), &body).await
    }

    /// Takes a teammate off it, if they still have it, and it is open.
    pub(super) async fn unseat(&self, workspace: &Workspace, id: &ConversationId, teammate: &AdminId) -> Answer {
        let holder = match self.show(workspace, id).await {
            Ok((item, _)) if !item.observation(true).open => None,
            Ok((item, _)) => item.admin_assignee_id.as_ref().and_then(Id::some).map(str::to_owned),
            Err(failure) => return self.before_sending(failure),
        };
        if holder.as_deref() != Some(teammate.as_str()) {
            return Answer::Done { part_id: None };
        }
        let me = workspace.bot_teammate.as_str();
        let body = json!({ "message_type": "assignment", "type": "admin", "admin_id": me, "assignee_id": "0" });
        self.post(workspace, &format!("/conversations/{id}/parts"), &body).await
    }

    pub(super) async fn close(&self, workspace: &Workspace, id: &ConversationId, html: Option<&str>) -> Answer {
        match self.show(workspace, id).await {
            Ok((item, _)) if !item.observation(true).open => return Answer::Done { part_id: None },
            Ok(_) => {}
            Err(failure) => return self.before_sending(failure),
        }
        let mut body = json!({ "message_type": "close", "type": "admin", "admin_id": workspace.bot_teammate.as_str() });
        if let Some(html) = html {
            body["body"] = json!(html);
        }
        self.post(workspace, &format!("/conversations/{id}/parts"), &body).await
    }

    pub(super) async fn open(&self, workspace: &Workspace, id: &ConversationId) -> Answer {
        match self.show(workspace, id).await {
            Ok((item, _)) if item.observation(true).open => return Answer::Done { part_id: None },
            Ok(_) => {}
            Err(failure) => return self.before_sending(failure),
        }
        let body = json!({ "message_type": "open", "admin_id": workspace.bot_teammate.as_str() });
        self.post(workspace, &format!("/conversations/{id}/parts"), &body).await
    }
}
