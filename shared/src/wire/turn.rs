//! The `turn` of a reply: how the bot came to it. A part of the bot protocol; see [`super::bot`].

use serde::{Deserialize, Serialize};

use super::bot::BadCommand;
use crate::domain::rules::{Candidate, Confidence, Intent, Node, Turn};

/// How a bot came to an answer. With it, the workspace's rules decide what becomes of the answer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct TurnData {
    /// The nodes of the bot's dialog that were visited, the root first, after the folders that it
    /// lies in.
    pub nodes: Vec<NodeData>,
    /// What the bot took the customer's words for.
    pub intents: Vec<IntentData>,
    /// The answers that it thinks of, best first. Where there are several, a teammate to whom they
    /// are suggested chooses.
    pub candidates: Vec<CandidateData>,
}

/// A node of the bot's dialog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeData {
    /// Its id. Rules name it by this or by its name.
    pub id: String,
    /// What it is called in the bot's own tool.
    #[serde(default)]
    pub name: Option<String>,
    /// Its purpose, as teammates read it. The last root node that has one says what the customer
    /// wants, and so to whom an escalation goes.
    #[serde(default)]
    pub external_name: Option<String>,
    /// Whether it has children: then it is a whole interaction, which the bot offers to have.
    #[serde(default)]
    pub has_children: bool,
    /// Whether it is a folder. What lies in it is a root node all the same.
    #[serde(default)]
    pub is_folder: bool,
}

/// What the bot took the customer's words for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IntentData {
    /// Its name.
    pub name: String,
    /// How sure the bot is, from 0 to 1.
    pub confidence: f64,
}

/// One of several answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CandidateData {
    /// What it is called.
    pub label: String,
    /// What the customer would read, as Markdown.
    pub text: String,
    /// How sure the bot is, from 0 to 1.
    #[serde(default)]
    pub confidence: Option<f64>,
}

impl TurnData {
    /// The turn, if its numbers are shares of one.
    ///
    /// # Errors
    /// [`BadCommand::Confidence`].
    pub fn into_domain(self) -> Result<Turn, BadCommand> {
        let share = |share: f64| Confidence::of(share).ok_or(BadCommand::Confidence);
        let node = |node: NodeData| Node {
            id: node.id,
            name: node.name,
            external_name: node.external_name,
            has_children: node.has_children,
            is_folder: node.is_folder,
        };
        let intent = |intent: IntentData| Ok(Intent { name: intent.name, confidence: share(intent.confidence)? });
        let candidate = |candidate: CandidateData| {
            let confidence = candidate.confidence.map(share).transpose()?;
            Ok(Candidate { label: candidate.label, text: candidate.text, confidence })
        };
        Ok(Turn {
            nodes: self.nodes.into_iter().map(node).collect(),
            intents: self.intents.into_iter().map(intent).collect::<Result<_, BadCommand>>()?,
            candidates: self.candidates.into_iter().map(candidate).collect::<Result<_, BadCommand>>()?,
        })
    }
}
