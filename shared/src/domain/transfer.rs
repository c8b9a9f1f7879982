//! Agent transfer: the customer's chat is at the bot platform, and Intercom's people are in it.
//!
//! A session is the platform's name of one such chat. It is kept as a conversation of its own, under a
//! key made of bot and session; what Intercom calls the conversation, and whom the customer is there, is
//! learnt on the way. Rows under Intercom's names lead to the session's row.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::conversation::{Action, Watermark, remember};
use super::ids::{AdminId, BotId, ContactId, ConversationId, ConversationKey, PartId, Timestamp};
use super::part::Assignee;

/// Whom the bot platform's chat is with. All of it may be missing: then nobody knows the customer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Customer {
    /// The company's own id.
    pub external_id: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone number.
    pub phone: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Custom attributes.
    pub attributes: serde_json::Map<String, serde_json::Value>,
}

impl Eq for Customer {}

/// Whom the customer is in Intercom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Intercom's id.
    pub id: ContactId,
    /// `user` or `lead`.
    pub role: String,
}

/// A file that a customer sends, by its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// `https` address.
    pub url: String,
    /// What it is called.
    #[serde(default)]
    pub name: Option<String>,
    /// Its media type.
    #[serde(default)]
    pub content_type: Option<String>,
    /// The address runs out: the file is fetched at once, and given to Intercom itself.
    #[serde(default)]
    pub fetch: bool,
}

/// Whether people are there for a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Availability {
    /// They are.
    Available,
    /// Not now.
    Away {
        /// When they are again, where that is known.
        #[serde(default)]
        opens_at: Option<Timestamp>,
    },
    /// Nobody could take it at all: no teammate with a seat.
    Nobody,
}

/// A teammate in the chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// Who.
    pub id: AdminId,
    /// By which name.
    #[serde(default)]
    pub name: Option<String>,
    /// The address of their picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

impl Agent {
    /// The same, with what was known of them before.
    #[must_use]
    pub fn as_known(self, before: Option<&Self>) -> Self {
        let before = before.filter(|before| before.id == self.id);
        let known = |of: fn(&Self) -> &Option<String>| before.and_then(|before| of(before).clone());
        Self {
            name: self.name.or_else(|| known(|agent| &agent.name)),
            avatar: self.avatar.or_else(|| known(|agent| &agent.avatar)),
            id: self.id,
        }
    }
}

/// Who is waited for, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Patience {
    /// Nobody has taken the chat.
    Nobody,
    /// The teammate does not answer.
    Teammate,
    /// The customer does not answer.
    Customer,
}

impl Patience {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Nobody, Self::Teammate, Self::Customer];

    /// Its name in the bot protocol and the settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Teammate => "teammate",
            Self::Customer => "customer",
        }
    }
}

/// What becomes of a chat in which somebody was waited for in vain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The bot has it again.
    Bot,
    /// It is over.
    Close,
    /// It stays as it is.
    Keep,
    /// Another team gets it.
    Team(super::ids::TeamId),
}

impl Outcome {
    /// Its name in the bot protocol.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Close => "close",
            Self::Keep => "keep",
            Self::Team(_) => "team",
        }
    }
}

/// How long somebody is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeOut {
    /// How long, in milliseconds.
    pub after_ms: u64,
    /// What the customer is told then.
    pub message: Option<String>,
    /// What becomes of the chat.
    pub then: Outcome,
}

/// What is done when nobody is there at a start.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WhenAway {
    /// Nobody looks; it starts.
    #[default]
    Ignore,
    /// It starts, and the bot is told when people will be there, with these words for the customer.
    Promise(String),
    /// It does not start; the bot is told why, and offers something else.
    Refuse,
}

/// What becomes of a chat that is over and opened again in Intercom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Again {
    /// It is relayed again.
    #[default]
    Relay,
    /// The bot keeps it; who writes in Intercom is told that nobody reads it.
    Stay,
}

/// How a bot's chats are handed over to a workspace's people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferSettings {
    /// The bot.
    pub bot: BotId,
    /// Whether conversations that people begin reach this bot's customers.
    pub default: bool,
    /// To whom each channel's chats go; `*` stands for all that are not named.
    pub channels: std::collections::BTreeMap<String, Assignee>,
    /// What is done when nobody is there.
    pub when_away: WhenAway,
    /// What becomes of a chat that is opened again.
    pub again: Again,
    /// How long who is waited for.
    pub time_outs: std::collections::BTreeMap<&'static str, TimeOut>,
}

impl TransferSettings {
    /// To whom a channel's chats go, if they go to anybody.
    #[must_use]
    pub fn target(&self, channel: &str) -> Option<&Assignee> {
        self.channels.get(channel).or_else(|| self.channels.get("*"))
    }

    /// How long somebody is waited for, where that is set.
    #[must_use]
    pub fn time_out(&self, patience: Patience) -> Option<&TimeOut> {
        self.time_outs.get(patience.as_str())
    }
}

/// How far a conversation beside a chat was passed on: one that people have begun, or that the chat has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Which.
    pub conversation: ConversationId,
    /// Up to where.
    pub seen: Watermark,
    /// How many parts it had then.
    #[serde(default)]
    pub count: Option<u64>,
    /// Parts of our own behind that, where the chat has left it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<PartId>,
    /// The chat was another customer's then: nothing of it is passed on any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub of_another: bool,
}

impl Beside {
    /// One of which nothing was passed on.
    #[must_use]
    pub fn of(conversation: &ConversationId) -> Self {
        let conversation = conversation.clone();
        Self { conversation, seen: Watermark::default(), count: None, own: Vec::new(), of_another: false }
    }
}

/// What is known of a chat at the bot platform.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Transfer {
    /// The platform's name of the chat.
    pub session: String,
    /// By which channel the customer writes.
    pub channel: String,
    /// Whom the customer is in Intercom, once that is known.
    pub contact: Option<Contact>,
    /// What Intercom calls the conversation, once it is opened.
    pub conversation: Option<ConversationId>,
    /// Rows that lead here, oldest first.
    pub linked: VecDeque<ConversationId>,
    /// When its chat was last given to people.
    pub started_at: Timestamp,
    /// How far the conversation had come then.
    pub began_after: Watermark,
    /// The parts with which it was given to people in a conversation that there was already: what the bot knew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub began_with: Vec<PartId>,
    /// The part by which it was closed, while it is.
    pub closed_by: Option<PartId>,
    /// The teammate who has it.
    pub agent: Option<Agent>,
    /// The customer's last words that went to Intercom.
    pub last_words: String,
    /// Who is waited for, and until when.
    pub waits: std::collections::BTreeMap<Patience, Timestamp>,
    /// The conversation is to be looked at once: something may have happened before its row led here.
    pub look: bool,
    /// Other conversations that people have begun with the customer meanwhile, oldest first.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub others: VecDeque<ConversationId>,
    /// How far those were passed on, and those that the chat has left. A row of the release before has none of it.
    #[serde(skip_serializing_if = "VecDeque::is_empty")]
    pub others_seen: VecDeque<Beside>,
    /// The customer has another chat, or had one: an opening of its own may be that one's.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub has_twin: bool,
    /// Nobody knew for a while whose conversations with the customer were: those that people have begun since the chat
    /// was given to them are to be looked for.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub look_beside: bool,
    /// People know that the bot platform cannot be reached.
    pub cut_off: bool,
    /// The last part that was shown when one had to wait until it is known which part our own words are.
    pub held: Option<PartId>,
    /// Another team has got it because nobody came.
    pub sent_on: bool,
}

impl PartialOrd for Patience {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Patience {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

/// The code of a refusal because there is no such conversation any more.
pub const GONE: &str = "conversation_gone";

/// How many rows that lead to a session are remembered, at most.
pub const MAX_LINKED: usize = 16;

impl Transfer {
    /// What the customer says, said where it belongs: in the conversation, or as its beginning.
    #[must_use]
    pub fn addressed(&self, action: Action) -> Action {
        let Some(contact) = self.contact.clone() else { return action };
        match (action, &self.conversation) {
            (Action::Say { text, files } | Action::Begin { text, files, .. }, Some(_)) => {
                Action::Relay { contact: contact.id, text, files }
            }
            (Action::Say { text, files } | Action::Relay { text, files, .. }, None) => {
                Action::Begin { contact, text, files }
            }
            (Action::Relay { text, files, .. }, Some(_)) => Action::Relay { contact: contact.id, text, files },
            (action, _) => action,
        }
    }

    /// The chat is another customer's from now on: what is said to the one before is not for this one.
    pub fn changes_hands(&mut self) {
        self.others_seen.iter_mut().for_each(|beside| beside.of_another = true);
    }

    /// How far a conversation beside the chat was passed on, where it is known. Of one that the release before
    /// has met, it is what it began with.
    #[must_use]
    pub fn beside(&self, conversation: &ConversationId) -> Option<Beside> {
        let seen = self.others_seen.iter().find(|beside| beside.conversation == *conversation).cloned();
        seen.or_else(|| {
            let known = self.others.contains(conversation);
            known.then(|| Beside { seen: Watermark { source: true, part: None }, ..Beside::of(conversation) })
        })
    }

    /// Remembers how far a conversation beside the chat was passed on.
    pub fn know_beside(&mut self, known: Beside) {
        if !self.others.contains(&known.conversation) {
            remember(&mut self.others, known.conversation.clone(), MAX_LINKED);
        }
        self.know_how_far(known);
    }

    /// Remembers how far what is said in another conversation was passed on.
    pub fn know_how_far(&mut self, known: Beside) {
        self.others_seen.retain(|beside| beside.conversation != known.conversation);
        remember(&mut self.others_seen, known, MAX_LINKED);
    }

    /// The next row that is to lead here and does not yet.
    #[must_use]
    pub fn link_due(&self) -> Option<ConversationId> {
        let contact = self.contact.as_ref().and_then(|contact| contact_row(&contact.id));
        let rows = contact.into_iter().chain(self.conversation.clone());
        rows.into_iter().find(|row| !self.linked.contains(row))
    }
}

/// The row that leads from a contact to the session of theirs.
#[must_use]
pub fn contact_row(contact: &ContactId) -> Option<ConversationId> {
    ConversationId::parse(format!("contact:{contact}")).ok()
}

/// The row that leads from a conversation that people have begun to the chat beside which it is passed on: another chat
/// of the same contact's is not told of it, too.
#[must_use]
pub fn beside_row(conversation: &ConversationId) -> Option<ConversationId> {
    ConversationId::parse(format!("beside:{conversation}")).ok()
}

/// The row of a session.
///
/// # Errors
/// [`super::ids::InvalidId`] never, as long as a hash in hex is an id.
pub fn session_row(bot: &BotId, session: &str) -> Result<ConversationId, super::ids::InvalidId> {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    hash.update(bot.as_str());
    hash.update([0]);
    hash.update(session);
    let hex: String = hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    ConversationId::parse(format!("{SESSION_ROW}{hex}"))
}

/// How the rows of sessions begin.
const SESSION_ROW: &str = "session:";

/// Whether a row is a session's, not a conversation's of Intercom's.
#[must_use]
pub fn is_session(key: &ConversationKey) -> bool {
    key.conversation_id.as_str().starts_with(SESSION_ROW)
}

/// The longest name of a session, in bytes.
pub const MAX_SESSION_BYTES: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn bot(id: &str) -> BotId {
        BotId::parse(id).unwrap()
    }

    #[test]
    fn sessions_of_two_bots_never_share_a_row() {
        let row = |of: &str, session: &str| session_row(&bot(of), session).unwrap();
        assert_eq!(row("a", "1"), row("a", "1"));
        assert_ne!(row("a", "1"), row("b", "1"));
        assert_ne!(row("ab", "c"), row("a", "bc"));
    }

    #[test]
    fn what_is_learnt_leads_here_before_anything_else_is_done() {
        let mut transfer = Transfer::default();
        assert_eq!(transfer.link_due(), None);
        let contact = Contact { id: ContactId::parse("66a0").unwrap(), role: "lead".to_owned() };
        transfer.contact = Some(contact);
        assert_eq!(transfer.link_due().unwrap().as_str(), "contact:66a0");
        transfer.linked.push_back(ConversationId::parse("contact:66a0").unwrap());
        transfer.conversation = Some(ConversationId::parse("499").unwrap());
        assert_eq!(transfer.link_due().unwrap().as_str(), "499");
    }
}
