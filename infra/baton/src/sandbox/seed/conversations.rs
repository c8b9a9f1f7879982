//! Conversations in a seed: a backlog that is there from the start.

use serde::{Deserialize, Serialize};

/// A conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConversationSeed {
    /// Whose it is.
    pub contact_id: String,
    /// What was said, the oldest first.
    pub messages: Vec<MessageSeed>,
    /// Makes it a conversation by e-mail.
    #[serde(default)]
    pub subject: Option<String>,
    /// The title that teammates see.
    #[serde(default)]
    pub title: Option<String>,
    /// The teammate that it is given to.
    #[serde(default)]
    pub admin_assignee_id: Option<String>,
    /// The team that it is given to.
    #[serde(default)]
    pub team_assignee_id: Option<String>,
    /// Names of tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Open or closed.
    #[serde(default)]
    pub state: SeedState,
}

/// A message of a conversation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageSeed {
    /// `contact`, `operator`, `fin`, or the id of a teammate; the first is by the contact or a
    /// teammate.
    pub from: String,
    /// What was said.
    pub body: String,
    /// For teammates' eyes only.
    #[serde(default)]
    pub note: bool,
    /// How long before the start it was said.
    #[serde(default)]
    pub minutes_ago: u64,
}

/// What a conversation of the seed is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeedState {
    /// Somebody may answer.
    #[default]
    Open,
    /// Done with.
    Closed,
}

impl ConversationSeed {
    /// What is wrong, and where in it.
    pub(super) fn check(
        &self,
        is_admin: &dyn Fn(&str) -> bool,
        is_team: &dyn Fn(&str) -> bool,
    ) -> Option<(String, String)> {
        if self.messages.is_empty() {
            return Some(("messages".to_owned(), "at least one is needed".to_owned()));
        }
        for (n, message) in self.messages.iter().enumerate() {
            let place = || format!("messages[{n}].from");
            match message.from.as_str() {
                "contact" => {}
                "operator" | "fin" if n > 0 => {}
                "operator" | "fin" => {
                    return Some((place(), "the first message is by the contact or a teammate".to_owned()));
                }
                id if is_admin(id) => {}
                id => return Some((place(), format!("there is no admin {id:?}"))),
            }
        }
        let admin = self.admin_assignee_id.as_deref().filter(|id| !is_admin(id));
        let team = self.team_assignee_id.as_deref().filter(|id| !is_team(id));
        match (admin, team) {
            (Some(id), _) => Some(("admin_assignee_id".to_owned(), format!("there is no admin {id:?}"))),
            (None, Some(id)) => Some(("team_assignee_id".to_owned(), format!("there is no team {id:?}"))),
            (None, None) => None,
        }
    }
}
