//! What the use cases need from outside, one trait a capability, in the domain's words.
//!
//! Implementations classify their own errors: a caller never sees a status code.
#![expect(async_fn_in_trait, reason = "the functions run on one thread, so futures need no Send bound")]

use serde::{Deserialize, Serialize};

use crate::domain::budget::{Budget, Call, Heard};
use crate::domain::conversation::{Action, CommandRecord, Conversation, PendingEvent};
use crate::domain::health::Health;
use crate::domain::ids::{
    AdminId, AppId, BotId, ClaimId, CommandId, ContactId, ConversationId, ConversationKey, Timestamp,
};
use crate::domain::part::Observation;
use crate::domain::settings::{Bot, Workspace};
use crate::domain::step::Answer;
use crate::domain::token::{AccessToken, Binding, SealedToken};
use crate::domain::transfer::Agent;

/// Something outside does not answer, or refuses for now. Trying again later is right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is unavailable: {why}")]
pub struct Unavailable {
    /// Which capability.
    pub what: &'static str,
    /// What was seen, without bodies or secrets.
    pub why: String,
}

/// A conversation as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// The conversation; a new one where the store has none.
    pub conversation: Conversation,
    /// The version of the stored item; 0 where there is none.
    pub version: u64,
}

/// Why a conversation was not saved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSaved {
    /// Somebody else saved meanwhile. Load, decide and save again.
    #[error("the conversation was changed meanwhile")]
    Conflict,
    /// The store does not answer. Whether it saved is not known; the version tells next time.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The conversations: one item each, which is also the lock.
pub trait Conversations {
    /// Loads a conversation, always as of the last save.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn load(&self, key: &ConversationKey) -> Result<Stored, Unavailable>;

    /// Saves a conversation if it still has the version that was loaded, and gives the new
    /// version. A save that was applied although its answer was lost counts as saved.
    ///
    /// # Errors
    /// [`NotSaved`].
    async fn save(
        &self,
        key: &ConversationKey,
        conversation: &Conversation,
        version: u64,
        now: Timestamp,
    ) -> Result<u64, NotSaved>;

    /// Keeps a command beside the row, which remembers the latest only; longer than anything is repeated. Twice is
    /// as good as once.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn put_aside(&self, key: &ConversationKey, record: &CommandRecord, now: Timestamp)
    -> Result<(), Unavailable>;

    /// A command of this conversation that was put aside.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn aside(&self, key: &ConversationKey, id: &CommandId) -> Result<Option<CommandRecord>, Unavailable>;

    /// Conversations in which something is due, earliest first, `limit` at most.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, Unavailable>;
}

/// How the bots do, one row for each.
pub trait Wellbeing {
    /// How a bot does, always as of the last change; well where nothing is known.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn health(&self, bot: &BotId) -> Result<Health, Unavailable>;

    /// Changes how a bot does, if it is as it was before. Whether it was.
    ///
    /// # Errors
    /// [`Unavailable`]: whether it was changed is not known.
    async fn set_health(&self, bot: &BotId, before: &Health, after: &Health) -> Result<bool, Unavailable>;
}

/// Who is to look at a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worker {
    /// `conversation-router`: a timer.
    Router,
    /// `bot-dispatch`: events.
    Dispatch,
    /// `bot-reply`: actions.
    Reply,
    /// `close-conversation`: closing.
    Close,
}

/// Wakes workers.
pub trait Wakers {
    /// Puts a conversation before a worker. The same `about` within five minutes is one call, so
    /// repeating it is safe and cheap.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn wake(&self, worker: Worker, key: &ConversationKey, about: &str) -> Result<(), Unavailable>;
}

/// Makes the router look at conversations in Intercom.
pub trait Doorbells {
    /// Has a conversation fetched. The same `about` within five minutes is one call.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn ring(&self, key: &ConversationKey, about: &str) -> Result<(), Unavailable>;
}

/// A queue in groups: the messages of a group are received in the order in which they were put.
pub trait Fifo {
    /// Puts a message. Under the same id within five minutes it is put once.
    ///
    /// # Errors
    /// [`Unavailable`]: whether it was put is not known; put it again.
    fn put(
        &self,
        group: &str,
        deduplication_id: String,
        body: String,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// A message that could not be put on the inbox, kept until it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxRow {
    /// Its group on the queue.
    pub group: String,
    /// Its deduplication id there.
    pub deduplication_id: String,
    /// The message.
    pub body: String,
    /// When it was kept.
    pub kept_at: Timestamp,
}

/// Where what could not be put on the inbox is kept: a place that does not fail with the queue.
pub trait InboxRows {
    /// Keeps a message.
    ///
    /// # Errors
    /// [`Unavailable`]: whether it was kept is not known; kept twice is put twice, under one id.
    fn keep(&self, row: &InboxRow) -> impl Future<Output = Result<(), Unavailable>> + Send;

    /// What is kept, of each group the oldest first, `limit` at most.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn kept(&self, limit: usize) -> Result<Vec<InboxRow>, Unavailable>;

    /// Forgets a message that was put. Forgetting it again is nothing.
    ///
    /// # Errors
    /// [`Unavailable`]: whether it was forgotten is not known.
    async fn forget(&self, row: &InboxRow) -> Result<(), Unavailable>;
}

/// A message that was given up, in the hand of somebody who looks at it.
#[derive(Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Its id.
    pub id: String,
    /// Its group on the queue: the conversation.
    pub group: String,
    /// Since when it rests.
    pub since: Timestamp,
    /// Why, where it was parked; else it was tried too often.
    pub reason: Option<String>,
    /// How often it had been tried, where that is known.
    pub attempts: Option<u32>,
    /// The replay that had put it back when it was given up again.
    pub replay: Option<String>,
    /// Who sent it and who passed it on, the last first.
    pub senders: String,
    /// What it says: a customer's words may be in it.
    pub body: String,
    /// By which it is let go or deleted.
    pub receipt: String,
}

impl std::fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeadLetter({} of {})", self.id, self.group)
    }
}

/// The dead letters of one queue.
pub trait DeadLetters {
    /// Takes up to ten that nobody has in the hand, of each group the oldest, in order. For a minute
    /// nobody else is given them, nor any other of their groups. None: there is none to be had.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn take(&self) -> Result<Vec<DeadLetter>, Unavailable>;

    /// Puts one on the queue that it is from, at its group's end, in the name of who sent it.
    ///
    /// # Errors
    /// [`Unavailable`]: whether it was put is not known. Put again within five minutes it is put
    /// once.
    async fn put_back(&self, letter: &DeadLetter, replay: &str) -> Result<(), Unavailable>;

    /// Deletes one that was put back.
    ///
    /// # Errors
    /// [`Unavailable`]: it may still be there.
    async fn delete(&self, letter: &DeadLetter) -> Result<(), Unavailable>;

    /// Lets others see it again. A failure only means that the minute holds.
    async fn let_go(&self, letter: &DeadLetter);
}

/// Why a workspace's access token cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// Nobody has put one. Somebody must act.
    #[error("the workspace has no access token")]
    Missing,
    /// What is kept for the workspace was sealed for something else, or is damaged. Somebody must
    /// act.
    #[error("what is kept as the workspace's access token does not open")]
    Spoilt,
    /// What keeps or opens it does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The workspaces' access tokens, ready for use.
pub trait Tokens {
    /// A workspace's token, as it was some minutes ago at most.
    ///
    /// # Errors
    /// [`NoToken`].
    async fn token(&self, app_id: &AppId) -> Result<AccessToken, NoToken>;

    /// Intercom has refused a token: the one that there is now, if it is another.
    ///
    /// # Errors
    /// [`NoToken`].
    async fn instead_of(&self, app_id: &AppId, refused: &AccessToken) -> Result<Option<AccessToken>, NoToken>;
}

/// Why a token was not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotKept {
    /// Somebody else has put one meanwhile.
    #[error("somebody else has put a token meanwhile")]
    Conflict,
    /// It cannot be sealed or kept; whether it was kept is not known. Putting it again is safe.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Where sealed tokens are kept: one a workspace.
pub trait TokenRows {
    /// What is kept for a workspace.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn sealed(&self, app_id: &AppId) -> Result<Option<SealedToken>, Unavailable>;

    /// Keeps a token in the place of the one before it, which must be the one there. A keeping that
    /// was applied although its answer was lost counts as kept.
    ///
    /// # Errors
    /// [`NotKept`].
    async fn keep(&self, app_id: &AppId, token: &SealedToken) -> Result<(), NotKept>;
}

/// Seals and opens. The key stays outside.
pub trait Seals {
    /// Seals a token, bound.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn seal(&self, binding: &Binding, token: &AccessToken) -> Result<Vec<u8>, Unavailable>;

    /// Opens what was sealed under the same binding.
    ///
    /// # Errors
    /// [`NoToken::Spoilt`] when it was sealed under another, or by another key, or is damaged;
    /// [`NoToken::Unavailable`].
    async fn open(&self, binding: &Binding, sealed: &[u8]) -> Result<AccessToken, NoToken>;
}

/// Why Intercom shows nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotShown {
    /// There is no such conversation any more.
    #[error("the conversation does not exist")]
    Gone,
    /// Not before then: the rate limit is used up.
    #[error("the rate limit is used up until {0:?}")]
    Later(Timestamp),
    /// The token is refused. Somebody must act.
    #[error("Intercom refuses the access token: {0}")]
    Denied(String),
    /// Anything else.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Intercom's REST API.
pub trait Intercom {
    /// Shows a conversation whole, up to Intercom's 500 parts; with its customer where asked.
    ///
    /// # Errors
    /// [`NotShown`].
    async fn observe(
        &self,
        workspace: &Workspace,
        id: &ConversationId,
        with_profile: bool,
    ) -> Result<Observation, NotShown>;

    /// The conversations that a contact has begun since a moment, as a search shows them: without
    /// their parts, and as of some time ago.
    ///
    /// # Errors
    /// [`NotShown`].
    async fn begun(
        &self,
        workspace: &Workspace,
        contact: &ContactId,
        since: Timestamp,
    ) -> Result<Vec<Changed>, NotShown>;

    /// Who these teammates are, as of some minutes ago; who is not known is left out. Nobody waits long
    /// for it, and nothing depends on it.
    async fn crew(&self, _workspace: &Workspace, _asked: &[AdminId]) -> Vec<Agent> {
        Vec::new()
    }

    /// Makes sure that nothing is missing for a request to the workspace, so that between a claim and
    /// its request there is no waiting. A worker that is not ready claims nothing.
    ///
    /// # Errors
    /// When to ask again.
    async fn ready(&self, _workspace: &Workspace) -> Result<(), Timestamp> {
        Ok(())
    }

    /// Carries an action out: at most one request that changes anything in the customer's eyes,
    /// without hidden retries.
    async fn perform(&self, workspace: &Workspace, id: &ConversationId, action: &Action) -> Answer;
}

/// A conversation that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its id.
    pub id: ConversationId,
    /// When it changed.
    pub updated_at: Timestamp,
    /// What the search shows of it: everything but its parts.
    pub shown: Observation,
}

/// One page of what a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The conversations, in any order.
    pub changed: Vec<Changed>,
    /// The next page, as Intercom names it.
    pub next: Option<String>,
}

/// Searching Intercom. What is found may be older than the conversations by the time that
/// Intercom's index lags.
pub trait Search {
    /// Conversations that changed at or after a moment.
    ///
    /// # Errors
    /// [`NotShown`].
    async fn changed(&self, workspace: &Workspace, since: Timestamp, page: Option<&str>) -> Result<Page, NotShown>;

    /// How many open conversations of the bot's have a customer who waits since before then.
    ///
    /// # Errors
    /// [`NotShown`].
    async fn waiting_for_the_bot(&self, workspace: &Workspace, before: Timestamp) -> Result<u64, NotShown>;
}

/// How far a workspace has been searched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// Changes up to here are known.
    pub since: Timestamp,
    /// When the present search began, by the clock of who began it.
    pub began: Timestamp,
    /// The latest change that the present search has shown, by Intercom's clock.
    #[serde(default)]
    pub newest: Timestamp,
    /// The page on which it goes on, in the middle of a search.
    #[serde(default)]
    pub page: Option<String>,
}

/// Where the searches keep how far they have come.
pub trait Bookmarks {
    /// A workspace's bookmark; none before its first search.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn bookmark(&self, app_id: &AppId) -> Result<Option<Bookmark>, Unavailable>;

    /// Sets a workspace's bookmark.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn set_bookmark(&self, app_id: &AppId, bookmark: &Bookmark) -> Result<(), Unavailable>;
}

/// Asks before Intercom is called.
pub trait Pace {
    /// Whether a call may be made now. `about` names what it is about: the same is put off to the
    /// same moment.
    ///
    /// # Errors
    /// Until when it is to wait, in its queue.
    async fn admit(&self, workspace: &Workspace, about: &str, call: Call) -> Result<(), Timestamp>;
}

/// What Intercom's answers tell beside what was asked for.
pub trait Gauge {
    /// What was heard of a workspace since this was last asked.
    fn heard(&self, app_id: &AppId) -> Option<Heard>;
}

/// How an attempt to change a budget ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changing {
    /// Done; the budget as it is now.
    Done(Budget),
    /// Not done, because the budget is another; what it is, if there is one.
    Not(Option<Budget>),
}

/// The workspaces' budgets, a row for each. They are advice: who cannot reach them goes on.
pub trait Budgets {
    /// A workspace's budget, if there is one; perhaps not the newest.
    ///
    /// # Errors
    /// [`Unavailable`].
    async fn budget(&self, app_id: &AppId) -> Result<Option<Budget>, Unavailable>;

    /// Takes calls out of the window that ends then, if fewer than `most` are taken.
    ///
    /// # Errors
    /// [`Unavailable`]: whether they were taken is not known.
    async fn take(&self, app_id: &AppId, ends_at: Timestamp, most: u32, calls: u32) -> Result<Changing, Unavailable>;

    /// Writes a budget in place of the version before it. Calls that were taken meanwhile out of the
    /// same window are not forgotten: then it is not written.
    ///
    /// # Errors
    /// [`Unavailable`]: whether it was written is not known.
    async fn replace(&self, app_id: &AppId, next: &Budget) -> Result<Changing, Unavailable>;
}

/// Why a bot did not take an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the bot did not take it: {why}")]
pub struct NotTaken {
    /// What was seen, without bodies or secrets.
    pub why: String,
    /// How long the bot asks to be left alone, in milliseconds.
    pub retry_after_ms: Option<u64>,
}

/// The bots.
pub trait Bots {
    /// Gives a bot an event. When this returns, the bot has it and what it answered at once is
    /// durable. Calling it again delivers the same event id again.
    ///
    /// # Errors
    /// [`NotTaken`].
    async fn deliver(
        &self,
        bot: &Bot,
        key: &ConversationKey,
        state: &Conversation,
        event: &PendingEvent,
    ) -> Result<(), NotTaken>;
}

/// The time.
pub trait Clock {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Fresh names.
pub trait Names {
    /// A name that nobody has.
    fn claim(&self) -> ClaimId;
}
