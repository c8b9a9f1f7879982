//! What an operator sets, validated. How a TOML file becomes these values, and how its mistakes
//! are reported, is [`crate::wire::settings`]'s matter. Secrets are named here, never held.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::burst::Windows;
use super::content::{Author, AuthorKind};
use super::hours::OfficeHours;
use super::ids::{AdminId, AppId, BotId, TeamId};
use super::part::{Assignee, Observation};
use super::rules::Rules;
use super::transfer::TransferSettings;

/// Where a workspace's data lives, and so which host answers for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Region {
    /// United States.
    Us,
    /// European Union.
    Eu,
    /// Australia.
    Au,
}

impl Region {
    /// The REST API's address.
    #[must_use]
    pub fn api_url(self) -> &'static str {
        match self {
            Self::Us => "https://api.intercom.io",
            Self::Eu => "https://api.eu.intercom.io",
            Self::Au => "https://api.au.intercom.io",
        }
    }
}

/// The version of Intercom's REST API that is asked for, by its minor number: 2.10 to 2.16.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion(u8);

impl ApiVersion {
    /// The versions that are known to work, as minor numbers of 2.
    pub const SUPPORTED: std::ops::RangeInclusive<u8> = 10..=16;

    /// The version that tells into whom a contact was merged; for the ones before, there is no such contact.
    pub const TELLS_OF_MERGES: Self = Self(16);

    /// Takes `2.10` … `2.16`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let minor: u8 = text.strip_prefix("2.")?.parse().ok()?;
        (Self::SUPPORTED.contains(&minor) && text == format!("2.{minor}")).then_some(Self(minor))
    }

    /// The minor number.
    #[must_use]
    pub fn minor(self) -> u8 {
        self.0
    }

    /// Whether a teammate's message can offer quick replies (from 2.14).
    #[must_use]
    pub fn has_quick_replies(self) -> bool {
        self.0 >= 14
    }

    /// Whether a user can be asked for by the company's id (from 2.13).
    #[must_use]
    pub fn finds_by_external_id(self) -> bool {
        self.0 >= 13
    }

    /// Whether it tells the workspace's office hours (from 2.16).
    #[must_use]
    pub fn has_schedules(self) -> bool {
        self.0 >= 16
    }

    /// Whether the attributes of conversations are listed in a place of their own (from 2.16).
    #[must_use]
    pub fn lists_attributes_of_conversations(self) -> bool {
        self.0 >= 16
    }

    /// Whether a conversation's custom attributes can be set (documented from 2.11).
    #[must_use]
    pub fn sets_attributes(self) -> bool {
        self.0 >= 11
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "2.{}", self.0)
    }
}

/// The name of a secret, in one of the two secret stores of the deployment.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretName(pub String);

/// Who has a closed conversation that is opened again while it is still assigned to the bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reopened {
    /// The bot resumes.
    #[default]
    Bot,
    /// People; the bot waits until it is assigned again.
    Human,
}

/// What happens at a hand-over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandoverSettings {
    /// Whom to hand over to when the bot names nobody, or when Intercom refuses the one it named.
    pub default: Option<Assignee>,
    /// What Baton tells the customer at each hand-over, as Markdown. Nothing unless set.
    pub message: Option<String>,
}

/// How much a bot may say without a word of a person: more of it goes round in circles, and people
/// get the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopLimits {
    /// How many messages.
    pub messages: u32,
    /// In how many minutes.
    pub minutes: u64,
}

impl LoopLimits {
    /// The time in milliseconds.
    #[must_use]
    pub fn ms(self) -> u64 {
        self.minutes.saturating_mul(60_000)
    }
}

impl Default for LoopLimits {
    fn default() -> Self {
        Self { messages: 10, minutes: 10 }
    }
}

/// One workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub app_id: AppId,
    /// The last segment of the URL that its app's webhooks are sent to.
    pub webhook_path: String,
    /// The REST API's address, without a slash at the end.
    pub api_url: String,
    /// The REST API's version.
    pub api_version: ApiVersion,
    /// The app's client secret, which signs webhooks.
    pub client_secret: SecretName,
    /// The one before, while Intercom may still sign with it.
    pub previous_client_secret: Option<SecretName>,
    /// The teammate as whom the bot speaks.
    pub bot_teammate: AdminId,
    /// Teams whose conversations are the bot's.
    pub bot_teams: Vec<TeamId>,
    /// Teammates who are other apps' bots: what they do is no person's doing.
    pub other_bots: Vec<AdminId>,
    /// The inbox in which the bot also answers what nobody has yet.
    pub monitor: Option<Assignee>,
    /// The bot that serves it.
    pub bot: BotId,
    /// What Baton says when the bot first gets a conversation, as Markdown. Nothing unless set.
    pub introduction: Option<String>,
    /// Hand-overs.
    pub handover: HandoverSettings,
    /// When the company is there.
    pub office_hours: Option<OfficeHours>,
    /// What becomes of an answer whose turn the bot names.
    pub rules: Rules,
    /// Whether a bot that could not be reached gets back what nobody has taken since.
    pub take_back: bool,
    /// Who has a reopened conversation.
    pub reopened: Reopened,
    /// After how long without a person's word a paused bot resumes by itself, in minutes.
    pub resume_after_minutes: Option<u64>,
    /// How long to wait before Intercom is asked whether a doubtful send arrived, in milliseconds.
    pub settle_ms: u64,
    /// How much the bot may say without a person.
    pub loops: LoopLimits,
    /// Bots whose own chats are handed over to this workspace's people.
    pub transfers: Vec<TransferSettings>,
    /// How long more is waited for after each message of the customer's.
    pub bursts: Windows,
}

impl Workspace {
    /// How a bot's own chats are handed over here, if they are.
    #[must_use]
    pub fn transfer(&self, bot: &BotId) -> Option<&TransferSettings> {
        self.transfers.iter().find(|transfer| transfer.bot == *bot)
    }

    /// Whether its Intercom is a stand-in on this machine, where addresses without TLS are as good.
    #[must_use]
    pub fn is_on_this_machine(&self) -> bool {
        self.api_url.starts_with("http://")
    }

    /// Whether a conversation with this assignee is the bot's.
    #[must_use]
    pub fn is_bots(&self, assignee: &Assignee) -> bool {
        match assignee {
            Assignee::Teammate(teammate) => *teammate == self.bot_teammate,
            Assignee::Team(team) => self.bot_teams.contains(team),
            Assignee::Nobody => false,
        }
    }

    /// What Intercom shows, with the machines among the teammates told apart from people.
    #[must_use]
    pub fn told_apart<'o>(&self, seen: &'o Observation) -> Cow<'o, Observation> {
        let is_machine = |author: &Author| {
            author.kind == AuthorKind::Teammate && self.other_bots.iter().any(|bot| bot.as_str() == author.id)
        };
        let in_parts = seen.parts.iter().any(|part| is_machine(&part.author));
        if !in_parts && !seen.source.as_ref().is_some_and(|source| is_machine(&source.author)) {
            return Cow::Borrowed(seen);
        }
        let mut seen = seen.clone();
        let parts = seen.parts.iter_mut().map(|part| &mut part.author);
        for author in parts.chain(seen.source.iter_mut().map(|source| &mut source.author)) {
            if is_machine(author) {
                author.kind = AuthorKind::Operator;
            }
        }
        Cow::Owned(seen)
    }
}

/// How a bot is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// Signed requests in both directions.
    Https {
        /// Where its events are posted.
        url: String,
        /// The key of the signatures, in both directions.
        secret: SecretName,
    },
    /// Queues in both directions.
    Sqs {
        /// Where its events are put: a FIFO queue of the bot's own.
        queue_url: String,
        /// The sender that SQS attests for its commands: the unique id of its IAM role or user,
        /// or the account.
        sender_id: String,
    },
}

/// One bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bot {
    /// Its id.
    pub id: BotId,
    /// How it is reached.
    pub transport: Transport,
    /// After how long without reaching it people get its conversations, in minutes.
    pub handover_after_minutes: u64,
    /// How long more is waited for after each message of the customer's, in milliseconds.
    pub burst_ms: u64,
}

/// Everything that an operator sets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Whether this is a stack on one machine, where plain http to loop-back addresses is allowed.
    pub local: bool,
    /// The workspaces.
    pub workspaces: BTreeMap<AppId, Workspace>,
    /// The bots.
    pub bots: BTreeMap<BotId, Bot>,
}
