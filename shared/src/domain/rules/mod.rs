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

    /// The rule in parts, one for each node, inbox, channel, tag and value that it names, and for each half of
    /// the day: it holds where one of them does. A rule of very many parts is one part.
    fn parts(&self) -> Vec<Self> {
        let mut parts = vec![self.clone()];
        let mut part_by = |ways: Vec<Way>| {
            if ways.len() > 1 && parts.len() * ways.len() <= MAX_PARTS {
                let of = |part: &Self| {
                    let each = ways.iter().map(|narrow| {
                        let mut one = part.clone();
                        narrow(&mut one);
                        one
                    });
                    each.collect::<Vec<_>>()
                };
                parts = parts.iter().flat_map(of).collect();
            }
        };
        let only = |name: &String| BTreeSet::from([name.clone()]);
        part_by(self.nodes.iter().map(only).map(|set| way(move |part| part.nodes.clone_from(&set))).collect());
        let inboxes = self.when.inboxes.iter().cloned();
        part_by(inboxes.map(|inbox| way(move |part| part.when.inboxes = vec![inbox.clone()])).collect());
        part_by(
            self.when
                .channels
                .iter()
                .map(only)
                .map(|set| way(move |part| part.when.channels.clone_from(&set)))
                .collect(),
        );
        part_by(self.when.tags.iter().map(only).map(|set| way(move |part| part.when.tags.clone_from(&set))).collect());
        for (name, values) in &self.when.attributes {
            let value = |set: BTreeSet<String>| {
                let name = name.clone();
                way(move |part| _ = part.when.attributes.insert(name.clone(), set.clone()))
            };
            part_by(values.iter().map(only).map(value).collect());
        }
        if self.when.hours.is_none() {
            part_by([Hours::Open, Hours::Closed].map(|hours| way(move |part| part.when.hours = Some(hours))).into());
        }
        parts
    }

    /// How sure the bot has to be. To say nothing it need not be sure.
    fn threshold(&self, rules: &Rules) -> Confidence {
        match self.deed {
            Deed::Nothing => Confidence(0),
            _ => self.confidence.unwrap_or(rules.confidence),
        }
    }
}

/// Into how many parts a rule is taken apart, at most.
const MAX_PARTS: usize = 1_000;

/// How a part of a rule is narrower than the rule.
type Way = Box<dyn Fn(&mut Rule)>;

fn way(narrow: impl Fn(&mut Rule) + 'static) -> Way {
    Box::new(narrow)
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

    /// The earlier rules that together leave nothing to this one, if there are such: wherever this one
    /// holds, one of them does. Positions are those in [`Rules::rules`].
    #[must_use]
    pub fn overshadowed_by(&self, position: usize) -> Vec<&Rule> {
        let Some(rule) = self.rules.get(position) else { return Vec::new() };
        let earlier = || self.rules.iter().take(position);
        let holds = |earlier: &&Rule, part: &Rule| {
            let nodes = earlier.nodes.is_empty() || (!part.nodes.is_empty() && part.nodes.is_subset(&earlier.nodes));
            nodes && earlier.when.are_implied_by(&part.when) && earlier.threshold(self) <= rule.threshold(self)
        };
        let mut found: Vec<&Rule> = Vec::new();
        for part in rule.parts() {
            match earlier().find(|earlier| holds(earlier, &part)) {
                Some(one) if found.iter().all(|other| other.line != one.line) => found.push(one),
                Some(_) => {}
                None => return Vec::new(),
            }
        }
        found.sort_by_key(|rule| rule.line);
        found
    }
}
