//! What events tell of: messages and who wrote them, teammates, files, the customer.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ChoiceData;
use crate::domain::content::{Attachment, AuthorKind, Message};
use crate::domain::conversation::Conversation;
use crate::domain::incoming;
use crate::domain::transfer::Agent;

/// A message in Intercom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageData {
    /// The part, or null for the conversation's first message.
    pub part_id: Option<String>,
    /// Who wrote it.
    pub author: AuthorData,
    /// The words as plain text, links as `label (address)`. Of an e-mail, without the message that it
    /// answers and the signature.
    pub text: String,
    /// The words as Markdown.
    pub markdown: String,
    /// Of an e-mail of which something is left out, all of it as plain text; else null.
    #[serde(default)]
    pub full_text: Option<String>,
    /// Which of the options that the bot offered it chooses: by its button, its number, or its label
    /// however it is typed. Null where it is anything else, or could mean two of them.
    #[serde(default)]
    pub choice: Option<ChoiceData>,
    /// Files with it.
    pub attachments: Vec<AttachmentData>,
    /// When, in Unix milliseconds; 0 where Intercom does not say.
    pub created_at: u64,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AuthorData {
    /// `customer`, `teammate`, `operator` (Fin, workflows) or `other`.
    pub kind: String,
    /// The id within its kind.
    pub id: String,
    /// The name.
    pub name: Option<String>,
    /// The address of a picture: of the teammate who has a bot's own chat, where it is known.
    #[serde(default)]
    pub avatar: Option<String>,
}

/// A teammate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AgentData {
    /// The teammate's id.
    pub id: String,
    /// The name, where it is known.
    pub name: Option<String>,
    /// The address of a picture, where it is known.
    #[serde(default)]
    pub avatar: Option<String>,
}

/// A file in a message. Its address is temporary: 30 minutes for customers' uploads. The command
/// `attachments` asks for fresh ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AttachmentData {
    /// What it is called.
    pub name: Option<String>,
    /// Where it is, for now.
    pub url: String,
    /// Its media type.
    pub content_type: Option<String>,
    /// Its size in bytes.
    pub size_bytes: Option<u64>,
}

/// With whom the bot speaks, and where.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContextData {
    /// The customer.
    pub contact: ContactData,
    /// The conversation's custom attributes.
    pub attributes: Map<String, Value>,
    /// The conversation's tags.
    pub tags: Vec<String>,
    /// The page on which it began.
    pub url: Option<String>,
    /// How it came in (`customer_initiated`, `operator_initiated`, …).
    pub delivered_as: Option<String>,
}

/// The customer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContactData {
    /// Intercom's id.
    pub id: Option<String>,
    /// The company's own id.
    pub external_id: Option<String>,
    /// `user` or `lead`.
    pub role: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Language.
    pub language: Option<String>,
    /// Country, region, city, as far as known.
    pub location: std::collections::BTreeMap<String, String>,
    /// Custom attributes.
    pub attributes: Map<String, Value>,
}

impl AgentData {
    pub(super) fn new(agent: &Agent) -> Self {
        Self { id: agent.id.to_string(), name: agent.name.clone(), avatar: agent.avatar.clone() }
    }
}

impl AttachmentData {
    pub(super) fn new(attachment: &Attachment) -> Self {
        Self {
            name: attachment.name.clone(),
            url: attachment.url.clone(),
            content_type: attachment.content_type.clone(),
            size_bytes: attachment.size_bytes,
        }
    }
}

impl MessageData {
    pub(super) fn new(message: &Message, by_email: bool) -> Self {
        let body = message.body.as_ref();
        let all = body.map(incoming::text).unwrap_or_default();
        let own =
            body.filter(|_| by_email && message.author.kind == AuthorKind::Customer).and_then(incoming::own_words);
        let full_text = own.is_some().then(|| all.clone());
        let (text, markdown) = own.unwrap_or_else(|| (all, body.map(incoming::markdown).unwrap_or_default()));
        let kind = match message.author.kind {
            AuthorKind::Customer => "customer",
            AuthorKind::Teammate => "teammate",
            AuthorKind::Operator => "operator",
            AuthorKind::Other => "other",
        };
        let attachments = message.attachments.iter().map(AttachmentData::new);
        Self {
            part_id: message.part_id.as_ref().map(|part_id| part_id.to_string()),
            author: AuthorData {
                kind: kind.to_owned(),
                id: message.author.id.clone(),
                name: message.author.name.clone(),
                avatar: None,
            },
            text,
            markdown,
            full_text,
            choice: message.choice.as_ref().map(ChoiceData::from),
            attachments: attachments.collect(),
            created_at: message.created_at.0,
        }
    }
}

impl ContextData {
    pub(super) fn new(state: &Conversation) -> Self {
        let profile = state.profile.clone();
        Self {
            contact: ContactData {
                id: profile.contact_id,
                external_id: profile.external_id,
                role: profile.role,
                name: profile.name,
                email: profile.email,
                phone: profile.phone,
                language: profile.language,
                location: profile.location,
                attributes: profile.contact_attributes,
            },
            attributes: profile.conversation_attributes,
            tags: profile.tags,
            url: profile.url,
            delivered_as: profile.delivered_as,
        }
    }
}
