//! The workspace's rules: what becomes of an answer whose turn the bot names.
//!
//! Pure values and one total function, [`decide`]: every turn has exactly one ruling. What follows
//! from a ruling (notes, hand-overs, silence) is `step`'s matter, how rules are written in the
//! settings file that of `wire::rules`.

mod conditions;
mod decide;
mod turn;

pub use conditions::{Circumstances, Conditions, Hours};
pub use decide::{Because, Ruling, decide, decide_unnamed, escalation};
pub use turn::{Candidate, Confidence, Intent, Node, Root, Turn};

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::part::Assignee;

/// What a rule wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// The bot says nothing; people have it.
    Nothing,
    /// The conversation goes to a team or teammate.
    Send,
    /// It goes to a team or teammate, with what the bot would say in a note.
    Suggest,
    /// The bot answers.
    #[default]
    Answer,
}

impl Deed {
    /// Its name in settings, logs and reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Send => "send",
            Self::Suggest => "suggest",
            Self::Answer => "answer",
        }
    }
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// For these root nodes, by id or name, and for those in these folders; for all where there is
    /// none.
    pub nodes: BTreeSet<String>,
    /// What it wants.
    pub deed: Deed,
    /// Whom it sends or suggests to, and to whom the node is escalated.
    pub to: Option<Assignee>,
    /// How sure the bot has to be; as the rules say where it is not set.
    pub confidence: Option<Confidence>,
    /// When.
    pub when: Conditions,
    /// Nothing is posted; what would have been done is recorded.
    pub shadow: bool,
    /// Its line in the settings file; people are told of it.
    pub line: usize,
}

impl Rule {
    fn names(&self, root: Option<&Root>) -> bool {
        self.nodes.is_empty() || root.is_some_and(|root| self.nodes.iter().any(|name| root.is_called(name)))
    }

    /// How sure the bot has to be. To say nothing it need not be sure.
    fn threshold(&self, rules: &Rules) -> Confidence {
        match self.deed {
            Deed::Nothing => Confidence(0),
            _ => self.confidence.unwrap_or(rules.confidence),
        }
    }
}

/// A workspace's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// In the order of the file: the first that holds decides.
    pub rules: Vec<Rule>,
    /// For nodes that no rule names.
    pub default: Rule,
    /// In its place in conversations by e-mail, where it is set; there it is also for answers whose turn
    /// the bot does not name.
    pub email: Option<Rule>,
    /// How sure the bot has to be where a rule does not say.
    pub confidence: Confidence,
}

impl Default for Rules {
    fn default() -> Self {
        Self { rules: Vec::new(), default: Rule::default(), email: None, confidence: Confidence::DEFAULT }
    }
}

impl Rules {
    /// All of them, with the defaults.
    pub fn all(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().chain([&self.default]).chain(&self.email)
    }

    /// The earlier rule that leaves nothing to this one, if there is one: it holds wherever this one
    /// does. Positions are those in [`Rules::rules`].
    #[must_use]
    pub fn overshadowed_by(&self, position: usize) -> Option<&Rule> {
        let rule = self.rules.get(position)?;
        self.rules.iter().take(position).find(|earlier| {
            let nodes = earlier.nodes.is_empty() || (!rule.nodes.is_empty() && rule.nodes.is_subset(&earlier.nodes));
            nodes && earlier.when.are_implied_by(&rule.when) && earlier.threshold(self) <= rule.threshold(self)
        })
    }
}
