//! What a bot names with an answer: how it came to it. Values only; what becomes of the answer is
//! [`super::decide`]'s matter.

use serde::{Deserialize, Serialize};

/// How sure a bot is, in thousandths: 750 is 0.75. A whole number, so that two of them compare as
/// they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Confidence(pub u16);

impl Confidence {
    /// What is asked for where the settings say nothing.
    pub const DEFAULT: Self = Self(750);

    /// A share of one, rounded to thousandths; none outside of 0 to 1.
    #[must_use]
    pub fn of(share: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&share) {
            return None;
        }
        Some(Self((share * 1000.0).round() as u16))
    }
}

impl std::fmt::Display for Confidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2}", f64::from(self.0) / 1000.0)
    }
}

/// A node of the bot's dialog that was visited.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Node {
    /// Its id.
    pub id: String,
    /// What it is called in the bot's own tool.
    pub name: Option<String>,
    /// Its purpose, as people are told of it.
    pub external_name: Option<String>,
    /// Whether it has children.
    pub has_children: bool,
    /// Whether it is only a folder: what lies in it is a root node all the same.
    pub is_folder: bool,
}

/// What the bot took the customer's words for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Its name.
    pub name: String,
    /// How sure the bot is.
    pub confidence: Confidence,
}

/// One of several answers that the bot thinks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What it is called.
    pub label: String,
    /// What the customer would read, as Markdown.
    pub text: String,
    /// How sure the bot is, where it says so.
    pub confidence: Option<Confidence>,
}

/// How a bot came to an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turn {
    /// The nodes visited, the root first, after the folders that it lies in.
    pub nodes: Vec<Node>,
    /// The intents, in any order.
    pub intents: Vec<Intent>,
    /// The answers that it thinks of, best first.
    pub candidates: Vec<Candidate>,
}

/// The root node of a turn.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Root {
    /// Its id.
    pub id: String,
    /// What it is called in the bot's own tool.
    #[serde(default)]
    pub name: Option<String>,
    /// Its purpose, as people are told of it.
    #[serde(default)]
    pub external_name: Option<String>,
    /// Whether it has children.
    #[serde(default)]
    pub has_children: bool,
    /// Ids and names of the folders that it lies in.
    #[serde(default)]
    pub folders: Vec<String>,
}

impl Root {
    /// What teammates call it.
    #[must_use]
    pub fn label(&self) -> &str {
        self.external_name.as_deref().or(self.name.as_deref()).unwrap_or(&self.id)
    }

    /// Whether a rule that names this means the node: by its id, its name, or a folder's.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.name.as_deref() == Some(name) || self.folders.iter().any(|folder| folder == name)
    }
}

impl Turn {
    /// The root node: the first that is no folder. None where the bot names no node.
    #[must_use]
    pub fn root(&self) -> Option<Root> {
        let position = self.nodes.iter().position(|node| !node.is_folder)?;
        let node = self.nodes.get(position)?;
        let folders = self.nodes.iter().take(position);
        Some(Root {
            id: node.id.clone(),
            name: node.name.clone(),
            external_name: node.external_name.clone().filter(|name| !name.trim().is_empty()),
            has_children: node.has_children,
            folders: folders.flat_map(|folder| std::iter::once(folder.id.clone()).chain(folder.name.clone())).collect(),
        })
    }

    /// How sure the bot is of its best intent. None where it names no intent: a bot that measures
    /// nothing is not held back by a threshold.
    #[must_use]
    pub fn confidence(&self) -> Option<Confidence> {
        self.intents.iter().map(|intent| intent.confidence).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_is_a_share_in_thousandths() {
        for (share, thousandths) in [(0.0, 0), (0.75, 750), (0.7499, 750), (0.7494, 749), (1.0, 1000)] {
            assert_eq!(Confidence::of(share), Some(Confidence(thousandths)), "{share}");
        }
        for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Confidence::of(share), None, "{share}");
        }
        assert_eq!(Confidence(750).to_string(), "0.75");
    }

    #[test]
    fn the_root_is_the_first_node_that_is_no_folder() {
        let node = |id: &str, is_folder| Node { id: id.to_owned(), is_folder, ..Node::default() };
        let turn = Turn { nodes: vec![node("f", true), node("r", false), node("child", false)], ..Turn::default() };
        let root = turn.root().unwrap();
        assert_eq!((root.id.as_str(), root.folders.as_slice()), ("r", ["f".to_owned()].as_slice()));
        assert!(root.is_called("f") && root.is_called("r") && !root.is_called("child"));
        assert_eq!(Turn { nodes: vec![node("f", true)], ..Turn::default() }.root(), None);
    }
}
