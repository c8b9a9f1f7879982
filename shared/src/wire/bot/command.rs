//! What bots may ask: a command's envelope, each command's data, and how it is read. The content of what
//! is said, a chat's beginning, tags and turns have modules of their own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{BadCommand, BlockData, ConversationRef, EventMessage, FileData, SessionRef, StartData, VERSION, named};
use crate::domain::command::{Ask, Command, HandoverTarget};
use crate::domain::content::Block;
use crate::domain::ids::{AdminId, BotId, CommandId, ConversationKey, PartId, TeamId, Timestamp};
use crate::domain::rules::Turn;
use crate::domain::transfer::File;
use crate::wire::sha256_hex;
use crate::wire::tags::TagsData;
use crate::wire::turn::TurnData;

/// What a bot asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommandMessage {
    /// The protocol's version: 1.
    #[serde(default = "version")]
    pub v: u8,
    /// The command's id, chosen by the bot, 1 to 200 printable ASCII characters. The same id with
    /// the same payload is carried out once. May be left out in an HTTP response, where Baton
    /// numbers the commands by the event that they answer.
    #[serde(default)]
    pub id: Option<String>,
    /// The conversation. May be left out in an HTTP response.
    #[serde(default)]
    pub conversation: Option<ConversationRef>,
    /// A chat of the bot's own, in the place of a conversation. May be left out in an HTTP response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionRef>,
    /// The epoch of the event that this answers. May be left out in an HTTP response. Without it
    /// a reply that comes after a hand-over and back cannot be told from a fresh one.
    #[serde(default)]
    pub epoch: Option<u64>,
    /// The `seq` of the last event of the conversation that the bot had seen when it decided. May
    /// be left out in an HTTP response, where it is that of the event. With it a `close` that
    /// crosses a message of the customer's is superseded, and the message is not closed over.
    #[serde(default)]
    pub seq: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub command: CommandData,
}

fn version() -> u8 {
    VERSION
}

/// The body of an HTTP response to an event, and of a POST to Baton's address for commands.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Commands {
    /// What the bot asks for, in order. At most 20.
    #[serde(default)]
    pub commands: Vec<CommandMessage>,
}

/// The most commands that are taken at once.
pub const MAX_COMMANDS_AT_ONCE: usize = 20;

/// What a bot can ask for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum CommandData {
    /// Say something to the customer.
    Reply {
        /// What, as one message.
        content: Vec<BlockData>,
        /// How the bot came to it. Where it is named, the workspace's rules decide what becomes of
        /// the answer; without it the answer is said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<TurnData>,
    },
    /// Tell the teammates something.
    Note {
        /// What, as Markdown.
        text: String,
    },
    /// Give the conversation to people.
    Handover {
        /// To whom; as the workspace's settings say where it is left out.
        #[serde(default)]
        to: Option<TargetData>,
        /// Why, for the teammates.
        #[serde(default)]
        reason: Option<String>,
        /// More for the teammates, as Markdown: a summary, collected data.
        #[serde(default)]
        note: Option<String>,
        /// A last message to the customer.
        #[serde(default)]
        content: Vec<BlockData>,
        /// Tags to attach; created when missing. A list, or a text with commas;
        /// `intercom_tags` is taken for it too.
        #[serde(default, alias = "intercom_tags")]
        tags: TagsData,
        /// Attributes to set.
        #[serde(default)]
        attributes: Map<String, Value>,
    },
    /// Close the conversation.
    Close {
        /// What the customer reads, as Markdown.
        #[serde(default)]
        reason: Option<String>,
        /// Tags to attach; created when missing. A list, or a text with commas;
        /// `intercom_tags` is taken for it too.
        #[serde(default, alias = "intercom_tags")]
        tags: TagsData,
        /// Attributes to set.
        #[serde(default)]
        attributes: Map<String, Value>,
    },
    /// Attach tags; created when missing.
    Tag {
        /// Their names: a list, or a text with commas; `intercom_tags` is taken for it too.
        #[serde(alias = "intercom_tags")]
        tags: TagsData,
    },
    /// Set custom attributes of the conversation. They must exist in the workspace.
    SetAttributes {
        /// Name and value of each.
        attributes: Map<String, Value>,
    },
    /// Look up the files of a message that the bot was told of, whose addresses run out after a while. The
    /// event `attachments` brings fresh ones.
    Attachments {
        /// Which part; null or left out for the conversation's first message.
        #[serde(default)]
        part_id: Option<String>,
    },
    /// Tell what was said once more, for a bot that has lost it: messages of the customer, of people and
    /// of the bot, no further than the bot was told of them. The event `replayed` brings them.
    Replay {
        /// From which part on; null or left out: from the conversation's first message.
        #[serde(default)]
        from: Option<String>,
        /// Up to which part; null or left out: up to the last that the bot was told of.
        #[serde(default)]
        to: Option<String>,
    },
    /// Snooze the conversation.
    Snooze {
        /// Until when, in Unix seconds.
        until: u64,
    },
    /// Give a chat of the bot's own to people: it is opened in Intercom, and what is said goes to and fro
    /// until it is closed. A second start while people have it joins it.
    TransferStart(Box<StartData>),
    /// The customer of a chat of the bot's own wrote.
    TransferMessage {
        /// What, as plain text.
        #[serde(default)]
        text: String,
        /// Files, at most 10.
        #[serde(default)]
        attachments: Vec<FileData>,
    },
    /// The customer ended a chat of the bot's own, or the bot takes it back.
    TransferEnd {
        /// Why, for the teammates.
        #[serde(default)]
        reason: Option<String>,
    },
    /// Delete what the customer of a chat of the bot's own wrote, in Intercom.
    Redact {
        /// Which part: `command_done` has told it. The words with which the conversation was opened where it is
        /// none.
        #[serde(default)]
        part_id: Option<String>,
    },
}

/// Whom to hand over to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TargetData {
    /// A team, by its id.
    Team(String),
    /// A teammate, by their id.
    Teammate(String),
}

impl CommandMessage {
    /// Reads a command.
    ///
    /// # Errors
    /// [`BadCommand::Form`] with the JSON error's words, which name the field.
    pub fn from_json(json: &[u8]) -> Result<Self, BadCommand> {
        serde_json::from_slice(json).map_err(|error| BadCommand::Form(error.to_string()))
    }

    /// This command with what an HTTP response may leave out: taken from the event that it
    /// answers, so the same response twice is the same command.
    #[must_use]
    pub fn answering(mut self, event: &EventMessage, position: usize) -> Self {
        self.id.get_or_insert_with(|| format!("{}/{position}", event.id));
        if self.conversation.is_none() && self.session.is_none() {
            self.session.clone_from(&event.session);
            self.conversation = event.conversation.clone().filter(|_| event.session.is_none());
        }
        // Epochs and numbers are a conversation's own: they say nothing of another one.
        let same_chat = match (&self.session, &event.session) {
            (Some(mine), Some(its)) => mine.id == its.id && mine.app_id == its.app_id,
            (None, _) => self.conversation.is_some() && self.conversation == event.conversation,
            (Some(_), None) => false,
        };
        if same_chat {
            self.epoch.get_or_insert(event.epoch);
            self.seq.get_or_insert(event.seq);
        }
        self
    }

    /// Which conversation it is about.
    ///
    /// # Errors
    /// [`BadCommand`] where it names none, or none that can be.
    pub fn key(&self, bot: &BotId) -> Result<ConversationKey, BadCommand> {
        match &self.session {
            Some(session) => session.key(bot),
            None => self.conversation.as_ref().ok_or(BadCommand::NoConversation)?.key(),
        }
    }

    /// Whether it can be carried out, as far as its form tells; about which conversation it is.
    ///
    /// # Errors
    /// [`BadCommand`] says what is missing or malformed.
    pub fn checked(&self, bot: &BotId) -> Result<ConversationKey, BadCommand> {
        let key = self.key(bot)?;
        self.clone().into_domain(bot.clone())?;
        Ok(key)
    }

    /// The command of a bot that has proved who it is.
    ///
    /// # Errors
    /// [`BadCommand`] says what is missing or malformed.
    pub fn into_domain(self, bot: BotId) -> Result<Command, BadCommand> {
        if self.v != VERSION {
            return Err(BadCommand::Version(self.v));
        }
        let digest = self.digest();
        let session = self.session.map(|session| session.id);
        let id = CommandId::parse(self.id.ok_or(BadCommand::NoId)?).map_err(named("id"))?;
        let ask = match self.command {
            CommandData::Reply { content, turn } => {
                let turn = turn.map(TurnData::into_domain).transpose()?;
                reply(content, turn)
            }
            CommandData::Note { text } => Ask::Note { text },
            CommandData::Handover { to, reason, note, content, tags, attributes } => {
                let to = match to {
                    None => HandoverTarget::Default,
                    Some(TargetData::Team(id)) => HandoverTarget::Team(TeamId::parse(id).map_err(named("to.team"))?),
                    Some(TargetData::Teammate(id)) => {
                        HandoverTarget::Teammate(AdminId::parse(id).map_err(named("to.teammate"))?)
                    }
                };
                Ask::Handover { to, reason, note, content: blocks(content), tags: tags.into_names(), attributes }
            }
            CommandData::Close { reason, tags, attributes } => {
                Ask::Close { reason, tags: tags.into_names(), attributes }
            }
            CommandData::Tag { tags } => Ask::Tag { tags: tags.into_names() },
            CommandData::SetAttributes { attributes } => Ask::SetAttributes { attributes },
            CommandData::Attachments { part_id } => {
                let part_id = part_id.map(PartId::parse).transpose().map_err(named("part_id"))?;
                Ask::Attachments { part_id }
            }
            CommandData::Replay { from, to } => Ask::Replay {
                from: from.map(PartId::parse).transpose().map_err(named("from"))?,
                to: to.map(PartId::parse).transpose().map_err(named("to"))?,
            },
            CommandData::TransferStart(start) => start.into_domain(session.ok_or(BadCommand::NoSession)?)?,
            CommandData::TransferMessage { text, attachments } => {
                Ask::TransferMessage { text, files: attachments.into_iter().map(File::from).collect() }
            }
            CommandData::TransferEnd { reason } => Ask::TransferEnd { reason },
            CommandData::Redact { part_id } => {
                Ask::Redact { part_id: part_id.map(PartId::parse).transpose().map_err(named("part_id"))? }
            }
            CommandData::Snooze { until } => Ask::Snooze { until: Timestamp::from_seconds(until) },
        };
        Ok(Command { id, bot, digest, epoch: self.epoch, seq: self.seq, ask })
    }

    /// SHA-256 of what it means, in hex. Object keys are sorted, so spelling does not matter.
    fn digest(&self) -> String {
        let value = serde_json::to_value(&self.command).unwrap_or_default();
        sha256_hex(value.to_string().as_bytes())
    }

    /// Whether it closes the conversation, which `close-conversation` does.
    #[must_use]
    pub fn closes(&self) -> bool {
        matches!(self.command, CommandData::Close { .. })
    }
}

/// A reply, or an escalation, where one of its blocks asks for people.
fn reply(mut content: Vec<BlockData>, turn: Option<Turn>) -> Ask {
    let connects = content.iter().find_map(|block| match block {
        BlockData::ConnectToAgent { note } => Some(note.clone()),
        _ => None,
    });
    content.retain(|block| !matches!(block, BlockData::ConnectToAgent { .. }));
    let content = blocks(content);
    match (connects, turn) {
        (Some(note), turn) => Ask::Escalate { content, note, turn },
        (None, Some(turn)) => Ask::Answer { content, turn },
        (None, None) => Ask::Reply { content },
    }
}

fn blocks(content: Vec<BlockData>) -> Vec<Block> {
    content.into_iter().filter_map(BlockData::into_domain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_meaning_has_the_same_digest_however_it_is_spelt() {
        let one = CommandMessage::from_json(br#"{"v":1,"id":"c1","type":"note","data":{"text":"a"}}"#).unwrap();
        let two = CommandMessage::from_json(br#"{"data":{"text":"a","new_field":1},"id":"c2","type":"note"}"#).unwrap();
        let three = CommandMessage::from_json(br#"{"v":1,"id":"c1","type":"note","data":{"text":"b"}}"#).unwrap();
        assert_eq!(one.digest(), two.digest());
        assert_ne!(one.digest(), three.digest());
    }

    #[test]
    fn tags_are_named_by_a_list_or_a_text_under_either_name() {
        for tags in [r#""tags":["a","b, c"]"#, r#""intercom_tags":["a","b, c"]"#] {
            let json = format!(r#"{{"id":"c1","type":"handover","data":{{{tags}}}}}"#);
            let command = CommandMessage::from_json(json.as_bytes()).unwrap();
            let Ask::Handover { tags, .. } = command.into_domain(BotId::parse("demo").unwrap()).unwrap().ask else {
                panic!("it is a hand-over")
            };
            assert_eq!(tags, ["a", "b, c"]);
        }
        let command =
            CommandMessage::from_json(br#"{"id":"c1","type":"tag","data":{"intercom_tags":"a, b"}}"#).unwrap();
        let ask = command.into_domain(BotId::parse("demo").unwrap()).unwrap().ask;
        assert_eq!(ask, Ask::Tag { tags: vec!["a".to_owned(), "b".to_owned()] });
    }

    #[test]
    fn an_answer_knows_what_its_event_told_of_its_own_conversation_only() {
        let key: ConversationKey = "abc123#1".parse().unwrap();
        let mut event = EventMessage::refusal(
            &key,
            &BotId::parse("demo").unwrap(),
            &CommandId::parse("c").unwrap(),
            "",
            String::new(),
            Timestamp(0),
        );
        (event.seq, event.epoch) = (7, 3);
        let close = |more: &str| {
            let json = format!(r#"{{"type":"close","data":{{}}{more}}}"#);
            let command = CommandMessage::from_json(json.as_bytes()).unwrap().answering(&event, 0);
            (command.epoch, command.seq)
        };
        assert_eq!(close(""), (Some(3), Some(7)));
        assert_eq!(close(r#","seq":5,"epoch":2"#), (Some(2), Some(5)), "what the bot says stands");
        let elsewhere = r#","conversation":{"intercom":{"app_id":"abc123","conversationId":"2"}}"#;
        assert_eq!(close(elsewhere), (None, None));
    }

    #[test]
    fn a_command_that_cannot_be_read_says_where() {
        let error = CommandMessage::from_json(br#"{"v":1,"id":"c1","type":"reply","data":{}}"#).unwrap_err();
        assert!(error.to_string().contains("content"), "{error}");
        let error = CommandMessage::from_json(br#"{"v":1,"id":"c1","type":"dance","data":{}}"#).unwrap_err();
        assert!(error.to_string().contains("dance"), "{error}");
        let bot = || BotId::parse("demo").unwrap();
        let command = CommandMessage::from_json(br#"{"v":2,"id":"c1","type":"note","data":{"text":"a"}}"#).unwrap();
        assert_eq!(command.into_domain(bot()), Err(BadCommand::Version(2)));
        let command = CommandMessage::from_json(br#"{"type":"note","data":{"text":"a"}}"#).unwrap();
        assert_eq!(command.key(&bot()), Err(BadCommand::NoConversation));
        assert_eq!(command.into_domain(bot()), Err(BadCommand::NoId));
    }
}
