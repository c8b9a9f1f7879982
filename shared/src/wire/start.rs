//! `transfer_start`: the form in which a bot gives a chat of its own to people.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::bot::{BadCommand, TargetData, named};
use super::tags::TagsData;
use crate::domain::command::{Ask, Line, TransferStart};
use crate::domain::ids::{AdminId, TeamId, Timestamp};
use crate::domain::part::Assignee;
use crate::domain::transfer::{Customer, File};

/// A chat of the bot's own that is to be given to people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StartData {
    /// By which channel the customer writes, as the settings name it.
    pub channel: String,
    /// The customer; nobody knows them where it is left out.
    #[serde(default)]
    pub customer: CustomerData,
    /// The customer's own last words, as plain text: they open the conversation. Where they are left out,
    /// the last of the customer's lines in the transcript.
    #[serde(default)]
    pub text: String,
    /// Files with them, at most 10.
    #[serde(default)]
    pub attachments: Vec<FileData>,
    /// To whom; as the channel is mapped where it is left out.
    #[serde(default)]
    pub to: Option<TargetData>,
    /// Why, for the teammates.
    #[serde(default)]
    pub reason: Option<String>,
    /// What it is about, as Markdown, for the teammates.
    #[serde(default)]
    pub summary: Option<String>,
    /// What the bot has collected, for the teammates.
    #[serde(default)]
    pub data: Map<String, Value>,
    /// What was said before, oldest first, at most 500 lines, for the teammates.
    #[serde(default)]
    pub transcript: Vec<LineData>,
    /// Tags to attach; created when missing. A list, or a text with commas; `intercom_tags` is taken
    /// for it too.
    #[serde(default, alias = "intercom_tags")]
    pub tags: TagsData,
    /// Attributes of the conversation to set. They must exist in the workspace.
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

/// The customer of a chat of the bot's own. All of it may be left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CustomerData {
    /// The company's own id.
    #[serde(default)]
    pub external_id: Option<String>,
    /// E-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Phone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// Name.
    #[serde(default)]
    pub name: Option<String>,
    /// Custom attributes of the contact. They must exist in the workspace.
    #[serde(default)]
    pub attributes: Map<String, Value>,
}

/// A file that a customer sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FileData {
    /// `https` address.
    pub url: String,
    /// What it is called.
    #[serde(default)]
    pub name: Option<String>,
    /// Its media type.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Whether the address runs out: then Baton fetches the file at once and gives it to Intercom.
    /// Otherwise Intercom fetches it.
    #[serde(default)]
    pub fetch: bool,
}

/// One line of what was said before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineData {
    /// `customer` or `bot`.
    pub author: LineAuthor,
    /// By which name.
    #[serde(default)]
    pub name: Option<String>,
    /// The words, as Markdown.
    pub text: String,
    /// When, in Unix milliseconds.
    #[serde(default)]
    pub at: Option<u64>,
}

/// Who said a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LineAuthor {
    /// The customer.
    Customer,
    /// The bot.
    Bot,
}

impl From<FileData> for File {
    fn from(data: FileData) -> Self {
        let FileData { url, name, content_type, fetch } = data;
        Self { url, name, content_type, fetch }
    }
}

impl StartData {
    pub(super) fn into_domain(self, session: String) -> Result<Ask, BadCommand> {
        let to = match self.to {
            None => None,
            Some(TargetData::Team(id)) => Some(Assignee::Team(TeamId::parse(id).map_err(named("to.team"))?)),
            Some(TargetData::Teammate(id)) => {
                Some(Assignee::Teammate(AdminId::parse(id).map_err(named("to.teammate"))?))
            }
        };
        let said = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let CustomerData { external_id, email, phone, name, attributes } = self.customer;
        let customer = Customer {
            external_id: said(external_id),
            email: said(email),
            phone: said(phone),
            name: said(name),
            attributes,
        };
        let own_last = self.transcript.iter().rev().find(|line| line.author == LineAuthor::Customer);
        let text = match own_last {
            Some(line) if self.text.trim().is_empty() && self.attachments.is_empty() => line.text.clone(),
            _ => self.text,
        };
        let line = |line: LineData| Line {
            by_customer: line.author == LineAuthor::Customer,
            name: line.name,
            text: line.text,
            at: line.at.map(Timestamp),
        };
        Ok(Ask::TransferStart(Box::new(TransferStart {
            session,
            channel: self.channel,
            customer,
            text,
            files: self.attachments.into_iter().map(File::from).collect(),
            to,
            reason: self.reason,
            summary: self.summary,
            data: self.data.into_iter().map(|(name, value)| (name, shown(&value))).collect(),
            transcript: self.transcript.into_iter().map(line).collect(),
            tags: self.tags.into_names(),
            attributes: self.attributes,
        })))
    }
}

/// A collected value as people read it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::BotId;
    use crate::wire::bot::CommandMessage;

    fn ask(json: &str) -> Result<Ask, BadCommand> {
        let command = CommandMessage::from_json(json.as_bytes()).unwrap();
        command.into_domain(BotId::parse("demo").unwrap()).map(|command| command.ask)
    }

    #[test]
    fn a_chat_begins_with_the_customers_own_last_words() {
        let transcript = r#"[{"author":"customer","text":"where is it?"},{"author":"bot","text":"I give up"}]"#;
        let start = |text: &str| {
            let json = format!(
                r#"{{"id":"c1","session":{{"app_id":"abc123","id":"chat 7"}},"type":"transfer_start","data":{{"channel":"web","text":"{text}","transcript":{transcript},"data":{{"order":12}},"to":{{"team":"5"}}}}}}"#
            );
            match ask(&json).unwrap() {
                Ask::TransferStart(start) => *start,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(start("").text, "where is it?");
        assert_eq!(start("a person!").text, "a person!");
        assert_eq!(start("").session, "chat 7");
        assert_eq!(start("").data, [("order".to_owned(), "12".to_owned())]);
    }

    #[test]
    fn a_chat_needs_a_name() {
        let json = r#"{"id":"c1","type":"transfer_start","data":{"channel":"web"}}"#;
        assert_eq!(ask(json), Err(BadCommand::NoSession));
        let bot = BotId::parse("demo").unwrap();
        for id in [String::new(), "x".repeat(201)] {
            let json = format!(
                r#"{{"id":"c1","session":{{"app_id":"abc123","id":"{id}"}},"type":"transfer_end","data":{{}}}}"#
            );
            assert_eq!(CommandMessage::from_json(json.as_bytes()).unwrap().key(&bot), Err(BadCommand::Session));
        }
    }
}
