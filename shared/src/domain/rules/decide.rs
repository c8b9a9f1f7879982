//! The decision: one turn, one ruling. And whom an escalation goes to.

use serde::{Deserialize, Serialize};

use super::{Circumstances, Confidence, Deed, Root, Rule, Rules, Turn};
use crate::domain::part::Assignee;

/// Why a turn is ruled so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// The rule on this line of the settings.
    Rule {
        /// The line.
        line: usize,
    },
    /// No rule names the node.
    Default,
    /// No rule names the node, and it is a conversation by e-mail, for which something else is set.
    Email,
    /// The bot is not sure enough for the rules that name the node, or for the default.
    Unsure {
        /// How sure it is.
        is: Confidence,
        /// How sure it has to be, for the least of them.
        needed: Confidence,
    },
    /// A teammate gave the conversation to the bot for this node.
    Granted,
}

/// What becomes of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// What is to be done.
    pub deed: Deed,
    /// To whom, where the rule says.
    pub to: Option<Assignee>,
    /// Whether it is only recorded.
    pub shadow: bool,
    /// Why.
    pub because: Because,
}

/// Decides what becomes of a turn. `granted` is the id of the root node for which a teammate gave
/// the conversation to the bot.
///
/// Of the rules that name the node and whose conditions hold, the first decides for which the bot is
/// sure enough. Where there are such rules and it is sure enough for none, people have it; the default
/// is for nodes that no rule names, and that for e-mail stands in its place there.
#[must_use]
pub fn decide(rules: &Rules, turn: &Turn, circumstances: &Circumstances<'_>, granted: Option<&str>) -> Ruling {
    let root = turn.root();
    if let (Some(root), Some(granted)) = (&root, granted)
        && root.id == granted
    {
        return Ruling { deed: Deed::Answer, to: None, shadow: false, because: Because::Granted };
    }
    let holds = |rule: &&Rule| rule.names(root.as_ref()) && rule.when.hold(circumstances);
    let mut holding: Vec<&Rule> = rules.rules.iter().filter(holds).collect();
    let is_named = !holding.is_empty();
    let for_email = by_email(rules, circumstances);
    if !is_named {
        holding.push(for_email.unwrap_or(&rules.default));
    }
    let confidence = turn.confidence();
    let is_sure = |rule: &&&Rule| {
        broken_as!(ConfidenceIgnored => return true);
        confidence.is_none_or(|confidence| confidence >= rule.threshold(rules))
    };
    if let Some(rule) = holding.iter().find(is_sure) {
        let because = match for_email {
            _ if is_named => Because::Rule { line: rule.line },
            Some(_) => Because::Email,
            None => Because::Default,
        };
        return Ruling { deed: rule.deed, to: rule.to.clone(), shadow: rule.shadow, because };
    }
    let needed = holding.iter().map(|rule| rule.threshold(rules)).min().unwrap_or(rules.confidence);
    let first = holding.first();
    Ruling {
        deed: Deed::Nothing,
        to: first.and_then(|rule| rule.to.clone()),
        shadow: first.is_some_and(|rule| rule.shadow),
        because: Because::Unsure { is: confidence.unwrap_or(Confidence(0)), needed },
    }
}

/// Decides what becomes of an answer whose turn the bot does not name. No rule knows anything of it: it is
/// said, unless it is by e-mail and something else is set for that.
#[must_use]
pub fn decide_unnamed(rules: &Rules, circumstances: &Circumstances<'_>) -> Option<Ruling> {
    let rule = by_email(rules, circumstances)?;
    Some(Ruling { deed: rule.deed, to: rule.to.clone(), shadow: rule.shadow, because: Because::Email })
}

/// What stands in the default's place in conversations by e-mail.
fn by_email<'r>(rules: &'r Rules, circumstances: &Circumstances<'_>) -> Option<&'r Rule> {
    rules.email.as_ref().filter(|_| circumstances.profile.is_by_email())
}

/// Whom an escalation goes to, by the last root node with an external name; none where no rule says
/// whom, and the workspace's default has it.
#[must_use]
pub fn escalation(rules: &Rules, goal: Option<&Root>, circumstances: &Circumstances<'_>) -> Option<Assignee> {
    let goal = goal?;
    let holds = |rule: &&Rule| !rule.nodes.is_empty() && rule.names(Some(goal)) && rule.when.hold(circumstances);
    rules.rules.iter().filter(holds).find_map(|rule| rule.to.clone())
}
