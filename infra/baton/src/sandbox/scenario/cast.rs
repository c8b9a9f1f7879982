//! Who is who: the roles that scenarios speak of, and the workspace's people that have them.
//!
//! | role | who |
//! |---|---|
//! | `bot` | the teammate of the workspace's first access token |
//! | `bot team` | the team that has nobody else |
//! | `teammate`, `other teammate` | the first two of the others |
//! | `team`, `other team` | the first two teams with others |
//! | `nobody` | Intercom's Unassigned |
//!
//! Everybody goes by their own name as well.

use super::super::workspace::Workspace;

/// Who a conversation can be given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    Teammate(u64),
    Team(u64),
    Nobody,
}

impl Owner {
    /// The id in text, empty for nobody.
    pub(crate) fn id(self) -> String {
        match self {
            Self::Teammate(id) | Self::Team(id) => id.to_string(),
            Self::Nobody => String::new(),
        }
    }
}

/// The roles of one workspace.
#[derive(Debug)]
pub(crate) struct Cast {
    pub(crate) bot: u64,
    bot_teams: Vec<u64>,
    roles: Vec<(String, Owner)>,
}

impl Cast {
    pub(crate) fn of(workspace: &Workspace, bot: u64) -> Self {
        let teams = workspace.teams.values();
        let (bots, others): (Vec<_>, Vec<_>) = teams.partition(|team| team.admin_ids == [bot]);
        let people: Vec<_> = workspace.admins.values().filter(|admin| admin.id != bot).collect();
        let mut roles = vec![("bot".to_owned(), Owner::Teammate(bot)), ("nobody".to_owned(), Owner::Nobody)];
        let mut name = |role: &str, owner| roles.push((role.to_owned(), owner));
        bots.iter().take(1).for_each(|team| name("bot team", Owner::Team(team.id)));
        for (role, person) in ["teammate", "other teammate"].iter().zip(&people) {
            name(role, Owner::Teammate(person.id));
        }
        for (role, team) in ["team", "other team"].iter().zip(&others) {
            name(role, Owner::Team(team.id));
        }
        workspace.teams.values().for_each(|team| name(&team.name, Owner::Team(team.id)));
        workspace.admins.values().for_each(|admin| name(&admin.name, Owner::Teammate(admin.id)));
        Self { bot, bot_teams: bots.iter().map(|team| team.id).collect(), roles }
    }

    /// A cast without a workspace.
    #[cfg(test)]
    pub(crate) fn for_test(bot: u64, bot_teams: &[(&str, u64)], teams: &[(&str, u64)]) -> Self {
        let roles = bot_teams.iter().chain(teams).map(|(role, id)| ((*role).to_owned(), Owner::Team(*id)));
        let roles = roles.chain([("bot".to_owned(), Owner::Teammate(bot))]).collect();
        Self { bot, bot_teams: bot_teams.iter().map(|(_, id)| *id).collect(), roles }
    }

    /// # Errors
    /// In words, when the workspace has nobody of that role or name.
    pub(crate) fn find(&self, role: &str) -> Result<Owner, String> {
        let found = self.roles.iter().find(|(known, _)| known == role);
        found.map(|(_, owner)| *owner).ok_or_else(|| format!("the workspace has no {role:?}"))
    }

    /// # Errors
    /// In words, when there is no such teammate.
    pub(crate) fn teammate(&self, role: &str) -> Result<u64, String> {
        match self.find(role)? {
            Owner::Teammate(id) => Ok(id),
            Owner::Team(_) | Owner::Nobody => Err(format!("{role:?} is no teammate")),
        }
    }

    /// Whether who has it is the bot.
    pub(crate) fn is_bots(&self, owner: Owner) -> bool {
        match owner {
            Owner::Teammate(id) => id == self.bot,
            Owner::Team(id) => self.bot_teams.contains(&id),
            Owner::Nobody => false,
        }
    }

    /// Puts ids in the place of `{id of ROLE}`, and moments in that of `{now+SECONDS}`.
    ///
    /// # Errors
    /// In words, when there is no such role.
    pub(crate) fn fill_in(&self, text: &str, now: u64) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            out.push_str(before);
            let (blank, later) = after.split_once('}').unwrap_or((after, ""));
            match (blank.strip_prefix("id of "), blank.strip_prefix("now+").map(str::parse::<u64>)) {
                (Some(role), _) => out.push_str(&self.find(role)?.id()),
                (None, Some(Ok(seconds))) => out.push_str(&now.saturating_add(seconds).to_string()),
                (None, _) => {
                    out.push('{');
                    rest = after;
                    continue;
                }
            }
            rest = later;
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::Cast;

    #[test]
    fn blanks_are_filled_in_and_other_braces_stay() {
        let cast = Cast::for_test(1, &[("bot team", 9)], &[("team", 5)]);
        assert_eq!(cast.fill_in("to {id of team} at {now+60}", 100).unwrap(), "to 5 at 160");
        assert_eq!(cast.fill_in("{n} {\"a\": {}} {", 100).unwrap(), "{n} {\"a\": {}} {");
        assert_eq!(cast.fill_in("{id of king}", 100).unwrap_err(), "the workspace has no \"king\"");
    }
}
