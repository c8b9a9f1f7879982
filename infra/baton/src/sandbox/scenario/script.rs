//! The words of a scenario: what its file may say.
//!
//! A step is a table with one verb and its details, such as `{ teammate_replies = "Hi." }` or
//! `{ owner_is = "team", within = 30 }`. `in` names the conversation when there are several.
//! People and teams go by their role in the workspace (`cast`) or by their name. What a step
//! does is in `player`, what it looks at in `expect`.

use std::fmt;

use serde::Deserialize;
use toml::{Table, Value};

/// How long something that must come true is waited for, in seconds, unless the step says it.
const PATIENCE_SECONDS: u64 = 60;

/// A scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) title: String,
    /// The accident that it brings about.
    #[serde(default)]
    pub(crate) accident: Option<String>,
    /// What must hold, in words.
    pub(crate) holds: String,
    /// It touches more than its own conversations, so nothing else may be played beside it.
    #[serde(default)]
    pub(crate) alone: bool,
    /// The customer's name; without a name when empty.
    #[serde(default = "guest")]
    pub(crate) customer: String,
    /// It is a conversation by e-mail.
    #[serde(default)]
    pub(crate) by_email: bool,
    /// The bot is made to say the same words twice, which is a mistake otherwise.
    #[serde(default)]
    pub(crate) bot_repeats_itself: bool,
    pub(crate) steps: Vec<Step>,
    /// All that the customer has read when it is over: `bot: words in it`, oldest first.
    #[serde(default)]
    pub(crate) customer_has_seen: Vec<String>,
}

/// One step.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Table")]
pub(crate) struct Step {
    /// The conversation, by a name that only the scenario knows.
    pub(crate) conversation: String,
    pub(crate) deed: Deed,
}

/// Declares the verbs: each is a variant and the key that its step is known by.
macro_rules! deeds {
    ($($(#[doc = $doc:literal])* $variant:ident { $verb:ident: $kind:ty $(, $(#[$meta:meta])* $field:ident: $field_kind:ty)* })*) => {
        /// What a step does or looks at.
        #[derive(Debug, Clone, Deserialize)]
        #[serde(rename_all = "snake_case", deny_unknown_fields)]
        pub(crate) enum Deed {
            $($(#[doc = $doc])* $variant { $verb: $kind $(, $(#[$meta])* $field: $field_kind)* },)*
        }

        const VERBS: &[&str] = &[$(stringify!($verb)),*];
    };
}

deeds! {
    /// The customer writes; the first time, this begins the conversation. `{n}` counts, `{id of
    /// team}` is an id, `{now+60}` a moment. `quoted` is what a mail program puts below.
    CustomerWrites { customer_writes: String, #[serde(default)] files: Vec<String>, #[serde(default)] quoted: Option<String>, #[serde(default = "one")] times: u32 }
    /// The customer presses the last button of this label.
    CustomerPresses { customer_presses: String }
    /// A teammate begins the conversation.
    TeammateStarts { teammate_starts: String, #[serde(default = "teammate")] by: String, #[serde(default)] to: Option<String> }
    TeammateReplies { teammate_replies: String, #[serde(default)] files: Vec<String>, #[serde(default = "teammate")] by: String }
    TeammateNotes { teammate_notes: String, #[serde(default = "teammate")] by: String, #[serde(default = "one")] times: u32 }
    /// `by` may be `workflow` as well.
    AssignedTo { assigned_to: String, #[serde(default = "teammate")] by: String, #[serde(default)] saying: Option<String> }
    ClosedBy { closed_by: String, #[serde(default)] saying: Option<String> }
    OpenedBy { opened_by: String }
    SnoozedBy { snoozed_by: String, seconds: u64 }
    WokenBy { woken_by: String }
    DeletedBy { deleted_by: String }
    WorkflowSays { workflow_says: String }
    FinSays { fin_says: String }
    CustomerRates { customer_rates: u8, #[serde(default)] remark: Option<String> }
    /// Somebody redacts the newest message that has these words.
    Redacted { redacted: String }
    Tagged { tagged: String, #[serde(default = "teammate")] by: String }
    /// A request of the control API; `{id}` is the conversation's, `{app_id}` the workspace's.
    Control { control: String, #[serde(default)] body: Table }

    /// A chat begins on a channel of the bot platform; `who` is what the bot knows of the customer.
    ChatBegins { chat_begins: String, #[serde(default)] who: Table }
    /// The customer writes in a chat. Files are samples of the bot platform, or addresses.
    ChatWrites { chat_writes: String, #[serde(default)] files: Vec<String>, #[serde(default = "one")] times: u32 }
    /// The customer presses a button in a chat.
    ChatPresses { chat_presses: String }
    /// The customer takes a message back.
    ChatRemoves { chat_removes: String }
    /// The customer ends the talk with people, or else the chat.
    ChatEndedBy { chat_ended_by: String }

    /// A conversation of the same id in another workspace, begun with these words.
    SameIdElsewhere { same_id_elsewhere: String }

    /// A fault of REST requests, `with` its details. `on` is such as `POST /reply`, below the
    /// conversation; all that is asked of the conversation when empty, and `everything`.
    IntercomFails { intercom_fails: String, #[serde(default)] on: String, #[serde(default)] with: Table }
    /// A fault of the conversation's webhooks, of one topic or of all, `with` its details.
    WebhooksFail { webhooks_fail: String, #[serde(default)] topic: Option<String>, #[serde(default)] with: Table }
    /// The sandbox's clock is moved on by so many seconds.
    ClockMoves { clock_moves: u64 }
    PauseSeconds { pause_seconds: f64 }
    /// All webhooks so far have been delivered, and nothing more is asked of Intercom.
    QuietWithin { quiet_within: u64 }

    /// The bot says something with these words, so many times in all.
    BotSays { bot_says: String, #[serde(default = "once")] times: usize, #[serde(default = "patience")] within: u64 }
    /// The same, in the HTML that Intercom keeps.
    BotSaysHtml { bot_says_html: String, #[serde(default = "patience")] within: u64 }
    BotSendsFile { bot_sends_file: String, #[serde(default = "patience")] within: u64 }
    /// All that the customer sees at some time.
    CustomerSees { customer_sees: Vec<String>, #[serde(default = "patience")] within: u64 }
    /// The bot says nothing more for so many seconds.
    BotIsSilentFor { bot_is_silent_for: f64 }
    NoteSays { note_says: String, #[serde(default = "once")] times: usize, #[serde(default = "patience")] within: u64 }
    /// A message has a file of this name, or at an address with this in it.
    FileIs { file_is: String, #[serde(default = "patience")] within: u64 }
    /// Of the chat: something `role: with these words`, so many times in all.
    ChatShows { chat_shows: String, #[serde(default = "once")] times: usize, #[serde(default = "patience")] within: u64 }
    /// All that was said in the chat, as `role: words in it`, without the lines that tell what happened.
    ChatSees { chat_sees: Vec<String>, #[serde(default = "patience")] within: u64 }
    /// Whose turn it is in the chat: `bot`, `asked`, `waiting`, `human` or `ended`.
    ChatIs { chat_is: String, #[serde(default = "patience")] within: u64 }
    OwnerIs { owner_is: String, #[serde(default = "patience")] within: u64 }
    StateIs { state_is: String, #[serde(default = "patience")] within: u64 }
    TagIs { tag_is: String, #[serde(default = "patience")] within: u64 }
    AttributeIs { attribute_is: String, value: Value, #[serde(default = "patience")] within: u64 }
    /// The requests of one kind about the conversation and their answers, 0 for none.
    IntercomAnswered { intercom_answered: String, with: Vec<u16>, #[serde(default = "patience")] within: u64 }
    /// The webhooks of a topic about the conversation and their answers, 0 for none.
    WebhooksAnswered { webhooks_answered: String, with: Vec<u16>, #[serde(default = "patience")] within: u64 }
}

impl TryFrom<Table> for Step {
    type Error = String;

    fn try_from(mut table: Table) -> Result<Self, String> {
        let conversation = match table.remove("in") {
            None => "main".to_owned(),
            Some(Value::String(name)) => name,
            Some(other) => return Err(format!("`in` must be a name, not {}", other.type_str())),
        };
        let shown = serde_json::json!(table).to_string();
        let verb = VERBS.iter().find(|verb| table.contains_key(**verb));
        let verb = verb.ok_or_else(|| format!("{shown} has no verb; there are {}", VERBS.join(", ")))?;
        let tagged = Table::from_iter([((*verb).to_owned(), Value::Table(table))]);
        let deed = tagged.try_into().map_err(|error| format!("{shown}: {error}"))?;
        Ok(Self { conversation, deed })
    }
}

/// The step in a line, for those who watch.
impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let saying =
            |said: &Option<String>| said.as_ref().map(|words| format!(", saying “{words}”")).unwrap_or_default();
        match self {
            Self::CustomerWrites { customer_writes: words, files, times, .. } => {
                write!(f, "the customer writes {}", shortened(words))?;
                (!files.is_empty()).then(|| write!(f, " with {} file(s)", files.len())).transpose()?;
                (*times > 1).then(|| write!(f, " {times} times")).transpose().map(|_| ())
            }
            Self::CustomerPresses { customer_presses } => write!(f, "the customer presses {customer_presses}"),
            Self::TeammateStarts { teammate_starts, by, .. } => {
                write!(f, "{by} begins: {}", shortened(teammate_starts))
            }
            Self::TeammateReplies { teammate_replies, by, files } => {
                write!(f, "{by} replies {}", shortened(teammate_replies))?;
                (!files.is_empty()).then(|| write!(f, " with {} file(s)", files.len())).transpose().map(|_| ())
            }
            Self::ChatBegins { chat_begins, who } => write!(f, "a chat begins on {chat_begins}{}", details(who)),
            Self::ChatWrites { chat_writes, files, times } => {
                write!(f, "in the chat, the customer writes {}", shortened(chat_writes))?;
                (!files.is_empty()).then(|| write!(f, " with {} file(s)", files.len())).transpose()?;
                (*times > 1).then(|| write!(f, " {times} times")).transpose().map(|_| ())
            }
            Self::ChatPresses { chat_presses } => write!(f, "in the chat, the customer presses {chat_presses}"),
            Self::ChatRemoves { chat_removes } => {
                write!(f, "in the chat, the customer takes back {}", shortened(chat_removes))
            }
            Self::ChatEndedBy { chat_ended_by } => write!(f, "{chat_ended_by} ends it in the chat"),
            Self::TeammateNotes { teammate_notes, by, times } => {
                write!(f, "{by} notes {}{}", shortened(teammate_notes), so_often(*times as usize))
            }
            Self::SameIdElsewhere { same_id_elsewhere } => {
                write!(f, "in another workspace, under the same id, a customer writes {}", shortened(same_id_elsewhere))
            }
            Self::AssignedTo { assigned_to, by, saying: said } => {
                write!(f, "{by} assigns to {assigned_to}{}", saying(said))
            }
            Self::ClosedBy { closed_by, saying: said } => write!(f, "{closed_by} closes{}", saying(said)),
            Self::OpenedBy { opened_by } => write!(f, "{opened_by} opens"),
            Self::SnoozedBy { snoozed_by, seconds } => write!(f, "{snoozed_by} snoozes for {seconds} s"),
            Self::WokenBy { woken_by } => write!(f, "{woken_by} ends the snooze"),
            Self::DeletedBy { deleted_by } => write!(f, "{deleted_by} deletes the conversation"),
            Self::WorkflowSays { workflow_says } => write!(f, "a workflow says {}", shortened(workflow_says)),
            Self::FinSays { fin_says } => write!(f, "Fin says {}", shortened(fin_says)),
            Self::CustomerRates { customer_rates, .. } => write!(f, "the customer rates it {customer_rates}"),
            Self::Redacted { redacted } => write!(f, "{} is redacted", shortened(redacted)),
            Self::Tagged { tagged, by } => write!(f, "{by} tags it {tagged}"),
            Self::Control { control, .. } => write!(f, "{control}"),
            Self::IntercomFails { intercom_fails, on, with } => {
                write!(f, "{intercom_fails} befalls requests: {on}{}", details(with))
            }
            Self::WebhooksFail { webhooks_fail, topic, with } => {
                let topic = topic.as_deref().unwrap_or("all");
                write!(f, "{webhooks_fail} befalls webhooks: {topic}{}", details(with))
            }
            Self::ClockMoves { clock_moves } => write!(f, "the clock moves on by {clock_moves} s"),
            Self::PauseSeconds { pause_seconds } => write!(f, "{pause_seconds} s pass"),
            Self::QuietWithin { .. } => write!(f, "everything under way arrives"),
            Self::BotSays { bot_says, times, .. } => {
                write!(f, "the bot says {}{}", shortened(bot_says), so_often(*times))
            }
            Self::BotSaysHtml { bot_says_html, .. } => write!(f, "the bot says, in HTML, {}", shortened(bot_says_html)),
            Self::BotSendsFile { bot_sends_file, .. } => write!(f, "the bot sends {bot_sends_file}"),
            Self::CustomerSees { customer_sees, .. } => write!(f, "the customer sees {}", customer_sees.join(" | ")),
            Self::BotIsSilentFor { bot_is_silent_for } => write!(f, "the bot is silent for {bot_is_silent_for} s"),
            Self::NoteSays { note_says, times, .. } => {
                write!(f, "a note says {}{}", shortened(note_says), so_often(*times))
            }
            Self::FileIs { file_is, .. } => write!(f, "there is the file {file_is}"),
            Self::ChatShows { chat_shows, times, .. } => {
                write!(f, "the chat shows {}{}", shortened(chat_shows), so_often(*times))
            }
            Self::ChatSees { chat_sees, .. } => write!(f, "in the chat was said {}", chat_sees.join(" | ")),
            Self::ChatIs { chat_is, .. } => write!(f, "the chat is {chat_is}"),
            Self::OwnerIs { owner_is, .. } => write!(f, "it is {owner_is}'s"),
            Self::StateIs { state_is, .. } => write!(f, "it is {state_is}"),
            Self::TagIs { tag_is, .. } => write!(f, "it is tagged {tag_is}"),
            Self::AttributeIs { attribute_is, value, .. } => write!(f, "its {attribute_is} is {}", plain(value)),
            Self::IntercomAnswered { intercom_answered, with, .. } => {
                write!(f, "{intercom_answered} was answered with {with:?}")
            }
            Self::WebhooksAnswered { webhooks_answered, with, .. } => {
                write!(f, "the webhooks {webhooks_answered} were answered with {with:?}")
            }
        }
    }
}

fn so_often(times: usize) -> String {
    if times == 1 { String::new() } else { format!(", {times} times in all") }
}

/// A text in quotation marks; the rest of a long one is left out.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 90;
    if text.chars().count() <= SHOWN {
        return format!("“{text}”");
    }
    format!("“{}…”", text.chars().take(SHOWN).collect::<String>())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| serde_json::json!(value).to_string(), str::to_owned)
}

fn guest() -> String {
    "Guest".to_owned()
}

fn teammate() -> String {
    "teammate".to_owned()
}

fn one() -> u32 {
    1
}

fn once() -> usize {
    1
}

fn details(with: &Table) -> String {
    with.iter().map(|(name, value)| format!(", {name} {}", plain(value))).collect()
}

fn patience() -> u64 {
    PATIENCE_SECONDS
}

#[cfg(test)]
mod tests {
    use super::{Deed, Scenario, Step};

    fn step(text: &str) -> Result<Step, String> {
        let text = format!("title = 't'\nholds = 'h'\nsteps = [{text}]");
        let scenario: Result<Scenario, _> = toml::from_str(&text);
        scenario.map_err(|error| error.to_string()).map(|scenario| scenario.steps[0].clone())
    }

    #[test]
    fn a_step_is_known_by_its_verb() {
        let step = step("{ bot_says = 'Hi', times = 2, in = 'second' }").unwrap();
        assert_eq!(step.conversation, "second");
        assert!(matches!(step.deed, Deed::BotSays { times: 2, within: 60, .. }));
        assert_eq!(step.deed.to_string(), "the bot says “Hi”, 2 times in all");
    }

    #[test]
    fn a_step_without_a_verb_or_with_a_stranger_is_refused_in_words() {
        assert!(step("{ bot_sings = 'Hi' }").unwrap_err().contains("bot_sings"));
        let error = step("{ bot_says = 'Hi', loudly = true }").unwrap_err();
        assert!(error.contains("loudly"), "{error}");
    }
}
