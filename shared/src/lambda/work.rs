//! Messages for `bot-reply` and `close-conversation`, which differ only in their lane: who sent
//! them, what they ask for, and which of the two carries it out.

use serde_json::Value;

use super::batch::{Handled, NotHandled, SqsRecord};
use super::queues::Queues;
use crate::app::carry_out::carry_out;
use crate::app::{Desk, Refusal, Unfinished};
use crate::domain::conversation::Lane;
use crate::domain::ids::{BotId, CommandId, ConversationKey, Timestamp};
use crate::domain::settings::{Settings, Transport};
use crate::ports::{Clock, Conversations, Fifo, Intercom, Names, Pace, Wakers as _};
use crate::wire::bot::{CommandMessage, EventMessage, SessionRef};
use crate::wire::queue::WorkMessage;

/// What a message asks for, after its sender was looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// Look at this conversation.
    Look(ConversationKey),
    /// This bot's command.
    Command(BotId, Box<CommandMessage>),
    /// This bot's command about this conversation, of which no more than its id can be read.
    Malformed(BotId, ConversationKey, Option<SessionRef>, Refusal),
}

/// Reads a message. Who a command comes from is what SQS attests, never what the message says:
/// our own functions may name the bot that proved itself to them, a bot is who its sender is. What
/// a trusted sender passed on is from the one it had it from, see [`crate::wire::passed_on`].
///
/// # Errors
/// [`NotHandled::Unreadable`].
pub fn read(record: &SqsRecord, settings: &Settings, trusted_senders: &[String]) -> Result<Asked, NotHandled> {
    let unreadable = |why: String| NotHandled::Unreadable(why);
    let value: Value = serde_json::from_str(&record.body)?;
    let sender = record.speaker(trusted_senders);
    if value.get("kind").is_none() {
        let bot = bot_of(sender, settings)
            .ok_or_else(|| unreadable(format!("no bot of the settings has the sender id {sender}")))?;
        return match serde_json::from_value(value.clone()) {
            Ok(command) => Ok(Asked::Command(bot, Box::new(command))),
            Err(error) => malformed(bot, &value, &error).ok_or_else(|| error.into()),
        };
    }
    match serde_json::from_value(value)? {
        WorkMessage::Wake { app_id, conversation_id, .. } => {
            Ok(Asked::Look(ConversationKey::parse(&app_id, &conversation_id)?))
        }
        WorkMessage::Command { bot, command, .. } => {
            if !trusted_senders.iter().any(|trusted| trusted == sender) {
                return Err(unreadable(format!("the sender {sender} may not write in a bot's name")));
            }
            Ok(Asked::Command(BotId::parse(bot)?, command))
        }
        WorkMessage::Refusal { .. } => Err(unreadable("a refusal is for bots, not for Intercom".to_owned())),
    }
}

/// A command that cannot be read, if it can at least be answered. The words are for the bot; they
/// may quote its message.
fn malformed(bot: BotId, value: &Value, error: &serde_json::Error) -> Option<Asked> {
    let command_id = CommandId::parse(value.get("id")?.as_str()?).ok()?;
    let session: Option<SessionRef> =
        value.get("session").and_then(|session| serde_json::from_value(session.clone()).ok());
    let key = match &session {
        Some(session) => session.key(&bot).ok()?,
        None => {
            let address = value.get("conversation")?.get("intercom")?;
            let part = |name: &str| address.get(name).and_then(Value::as_str);
            ConversationKey::parse(part("app_id")?, part("conversationId")?).ok()?
        }
    };
    Some(Asked::Malformed(bot, key, session, Refusal { command_id, code: MALFORMED, message: error.to_string() }))
}

/// The code of a command whose form is wrong.
const MALFORMED: &str = "malformed";

fn bot_of(sender: &str, settings: &Settings) -> Option<BotId> {
    let is_sender =
        |transport: &Transport| matches!(transport, Transport::Sqs { sender_id, .. } if sender_id == sender);
    settings.bots.values().find(|bot| is_sender(&bot.transport)).map(|bot| bot.id.clone())
}

/// What a function of this kind works with.
#[derive(Debug)]
pub struct Office<S, Q, C, I, N> {
    /// Settings, store, queues, time.
    pub desk: Desk<S, Queues<Q>, C>,
    /// Intercom.
    pub intercom: I,
    /// Fresh names.
    pub names: N,
    /// Senders that may write in a bot's name: our own functions.
    pub trusted_senders: Vec<String>,
    /// Which actions are carried out here.
    pub lane: Lane,
}

impl<S, Q, C, I, N> Office<S, Q, C, I, N>
where
    S: Conversations,
    Q: Fifo,
    C: Clock,
    I: Intercom + Pace,
    N: Names,
{
    /// Handles one message. Safe to repeat.
    ///
    /// # Errors
    /// [`NotHandled`].
    pub async fn handle(&self, record: &SqsRecord, deadline: Timestamp) -> Handled {
        match read(record, &self.desk.settings, &self.trusted_senders)? {
            Asked::Look(key) => {
                let report =
                    carry_out(&self.desk, &self.intercom, &self.names, self.lane, &key, None, deadline).await?;
                if report.sent > 0 {
                    let ConversationKey { app_id, conversation_id } = &key;
                    tracing::info!(outcome = "wake", %app_id, %conversation_id, sent = report.sent);
                }
                match report.due {
                    Some(due) => Err(NotHandled::Waits(due)),
                    None => Ok(if report.sent > 0 { "carried_out" } else { "nothing_to_do" }),
                }
            }
            Asked::Command(bot, message) => self.command(bot, *message, deadline).await,
            Asked::Malformed(bot, key, session, refusal) => self.refuse(&bot, &key, session, refusal).await,
        }
    }

    async fn command(&self, bot: BotId, message: CommandMessage, deadline: Timestamp) -> Handled {
        let key = message.key(&bot).map_err(|error| NotHandled::Unreadable(error.to_string()))?;
        let lane = if message.closes() { Lane::Close } else { Lane::Replies };
        if lane != self.lane {
            // Its turn has come here: what the bot said before it in this queue is on its way.
            self.desk.wakers.put_command(crate::app::worker_of(lane), &key, bot.as_str(), &message).await?;
            return Ok("handed_on");
        }
        let (given_id, session) = (message.id.clone(), message.session.clone());
        let command = match message.into_domain(bot.clone()) {
            Ok(command) => command,
            Err(problem) => {
                let id = given_id.and_then(|id| CommandId::parse(id).ok());
                let command_id = id.ok_or_else(|| NotHandled::Unreadable(format!("{key}: {problem}")))?;
                let refusal = Refusal { command_id, code: MALFORMED, message: problem.to_string() };
                return self.refuse(&bot, &key, session, refusal).await;
            }
        };
        let done = carry_out(&self.desk, &self.intercom, &self.names, self.lane, &key, Some(&command), deadline).await;
        let report = match done {
            Err(Unfinished::UnknownWorkspace(app_id)) => {
                let message = format!("the settings have no workspace {app_id}");
                let refusal = Refusal { command_id: command.id, code: "unknown_workspace", message };
                return self.refuse(&bot, &key, session, refusal).await;
            }
            done => done?,
        };
        if let Some(due) = report.due {
            // The command is recorded, so what waits behind it can be recorded too; a wake waits
            // in its stead.
            self.desk.wakers.wake(crate::app::worker_of(self.lane), &key, &format!("due{}", due.0)).await?;
        }
        tracing::info!(
            outcome = "command",
            app_id = %key.app_id,
            conversation_id = %key.conversation_id,
            bot = %bot,
            sent = report.sent,
        );
        match report.refusal {
            Some(refusal) => self.refuse(&bot, &key, session, refusal).await,
            None => Ok("carried_out"),
        }
    }

    /// Tells a bot that its command could not even be recorded.
    async fn refuse(
        &self,
        bot: &BotId,
        key: &ConversationKey,
        session: Option<SessionRef>,
        refusal: Refusal,
    ) -> Handled {
        let Refusal { command_id, code, message } = refusal;
        let mut event = EventMessage::refusal(key, bot, &command_id, code, message, self.desk.clock.now());
        event.session = session;
        self.desk.wakers.put_refusal(key, &event).await?;
        Ok("refused")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "AROAOURS";
    const OPERATOR: &str = "AROAOPERATOR";

    fn settings() -> Settings {
        let text = r#"
[[workspace]]
app_id = "abc123"
webhook_path = "acme-7f3k2q"
region = "us"
client_secret = "secret:acme"
bot_teammate = "900001"
bot = "one"
[[bot]]
id = "one"
transport = "sqs"
queue_url = "https://sqs.us-east-1.amazonaws.com/1/one.fifo"
sender_id = "AROAONE"
[[bot]]
id = "two"
transport = "sqs"
queue_url = "https://sqs.us-east-1.amazonaws.com/1/two.fifo"
sender_id = "AROATWO"
"#;
        crate::wire::settings::parse(text).unwrap()
    }

    fn asked(sender: &str, body: &Value) -> Result<Asked, NotHandled> {
        asked_beside(sender, &serde_json::json!({}), body)
    }

    /// As Lambda gives it, with message attributes.
    fn asked_beside(sender: &str, beside: &Value, body: &Value) -> Result<Asked, NotHandled> {
        let json = serde_json::json!({
            "messageId": "m", "receiptHandle": "r", "body": body.to_string(), "messageAttributes": beside,
            "attributes": { "SenderId": format!("{sender}:session"), "MessageGroupId": "abc123#1" }
        });
        read(&serde_json::from_value(json).unwrap(), &settings(), &[OURS.to_owned(), OPERATOR.to_owned()])
    }

    fn list(senders: &str) -> Value {
        serde_json::json!({
            "senders": { "stringValue": senders, "stringListValues": [], "binaryListValues": [], "dataType": "String" },
            "picture": { "binaryValue": "AAAA", "stringListValues": [], "binaryListValues": [], "dataType": "Binary" }
        })
    }

    fn command() -> Value {
        serde_json::json!({
            "id": "c1", "bot": "two", "type": "note", "data": { "text": "a" },
            "conversation": { "intercom": { "app_id": "abc123", "conversationId": "1" } }
        })
    }

    fn wrapped(bot: &str) -> Value {
        serde_json::json!({ "kind": "command", "v": 1, "bot": bot, "command": command() })
    }

    fn bot_of_asked(asked: Result<Asked, NotHandled>) -> String {
        match asked {
            Ok(Asked::Command(bot, _)) => bot.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_bot_is_who_its_sender_is_whatever_its_message_says() {
        assert_eq!(bot_of_asked(asked("AROAONE", &command())), "one");
        assert_eq!(bot_of_asked(asked("AROATWO", &command())), "two");
        assert!(matches!(asked("AROASTRANGER", &command()), Err(NotHandled::Unreadable(_))));
    }

    #[test]
    fn only_our_own_functions_may_write_in_a_bots_name() {
        assert_eq!(bot_of_asked(asked(OURS, &wrapped("two"))), "two");
        for sender in ["AROAONE", "AROATWO", "AROASTRANGER"] {
            assert!(matches!(asked(sender, &wrapped("two")), Err(NotHandled::Unreadable(_))), "{sender} was believed");
        }
    }

    #[test]
    fn what_an_operator_puts_back_is_from_whom_it_came() {
        for list in [list("AROAONE"), list("AROAOURS,AROAONE"), list("AROAOPERATOR,AROAOURS,AROAONE")] {
            assert_eq!(bot_of_asked(asked_beside(OPERATOR, &list, &command())), "one");
            let forged = asked_beside(OPERATOR, &list, &wrapped("two"));
            assert!(matches!(forged, Err(NotHandled::Unreadable(_))), "a forged command became true");
        }
        assert_eq!(bot_of_asked(asked_beside(OPERATOR, &list(OURS), &wrapped("two"))), "two");
        assert!(matches!(asked_beside(OPERATOR, &list(OURS), &command()), Err(NotHandled::Unreadable(_))));
        assert!(matches!(asked_beside(OPERATOR, &list("AROASTRANGER"), &command()), Err(NotHandled::Unreadable(_))));
    }

    #[test]
    fn nobody_but_the_trusted_speaks_in_anothers_name() {
        for senders in ["AROATWO", OURS, OPERATOR, "AROAOURS,AROATWO", "AROAOPERATOR,AROATWO", "*", ","] {
            assert_eq!(bot_of_asked(asked_beside("AROAONE", &list(senders), &command())), "one");
            for sender in ["AROAONE", "AROASTRANGER"] {
                let asked = asked_beside(sender, &list(senders), &wrapped("two"));
                assert!(matches!(asked, Err(NotHandled::Unreadable(_))), "{sender} was believed with {senders}");
            }
            let stranger = asked_beside("AROASTRANGER", &list(senders), &command());
            assert!(matches!(stranger, Err(NotHandled::Unreadable(_))), "a stranger was taken for a bot");
        }
    }

    #[test]
    fn a_wake_is_heard_from_anybody_because_it_says_nothing() {
        let wake = serde_json::json!({ "kind": "wake", "v": 1, "app_id": "abc123", "conversation_id": "1" });
        assert_eq!(asked("AROASTRANGER", &wake), Ok(Asked::Look("abc123#1".parse().unwrap())));
        let elsewhere = serde_json::json!({ "kind": "wake", "v": 1, "app_id": "abc123#1", "conversation_id": "2" });
        assert!(matches!(asked(OURS, &elsewhere), Err(NotHandled::Unreadable(_))), "no id has a separator");
    }

    #[test]
    fn what_is_wrong_is_told_without_a_word_of_the_message() {
        let mut wrong = command();
        wrong["data"] = serde_json::json!({ "text": ["my secret words"] });
        assert!(matches!(asked("AROAONE", &wrong), Ok(Asked::Malformed(..))));
        wrong["id"] = Value::Null;
        let Err(NotHandled::Unreadable(why)) = asked("AROAONE", &wrong) else { panic!("it was read") };
        assert!(!why.contains("secret words"), "{why}");
    }
}
