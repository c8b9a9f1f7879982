//! The ports of the fifty workspaces: rows, queues, bots, time. Each notes what is touched, and whose it is.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::Value;
use shared::domain::budget::Budget;
use shared::domain::conversation::{CommandRecord, Conversation};
use shared::domain::health::Health;
use shared::domain::ids::{AppId, BotId, ClaimId, CommandId, ConversationKey, Timestamp};
use shared::domain::settings::SecretName;
use shared::domain::token::SealedToken;
use shared::lambda::batch::{Custody, SqsRecord};
use shared::lambda::messengers::Lines;
use shared::ports::{
    Bookmark, Bookmarks, Budgets, Changing, Clock, Conversations, Fifo, InboxRow, InboxRows, Names, NotKept, NotSaved,
    NotTaken, Stored, TokenRows, Unavailable, Wellbeing,
};
use shared::testing::{may_replace, take_calls};

/// Something that was touched, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Touch {
    /// A conversation's row was read.
    Read(String),
    /// And written.
    Written(String),
    /// A workspace's bookmark, read or written.
    Marked(String),
    /// A message was put on a queue, in a group of this workspace.
    Put(&'static str, String),
    /// A row of what the inbox did not take.
    Kept(String),
    /// A sealed token was read.
    TokenRead(String),
    /// Something was said to a bot.
    Told(String),
    /// How a bot fares, read or written.
    Fares(String),
    /// A workspace's budget, read or written.
    Budgeted(String),
}

/// A message as it was put: its group, and what it says.
pub(crate) type Message = (String, String);

#[derive(Default)]
pub(super) struct State {
    pub(super) now: u64,
    pub(super) touches: Vec<Touch>,
    pub(super) rows: BTreeMap<String, Stored>,
    pub(super) aside: BTreeMap<(String, String), CommandRecord>,
    pub(super) marks: BTreeMap<String, Bookmark>,
    pub(super) tokens: BTreeMap<String, SealedToken>,
    pub(super) kept: Vec<InboxRow>,
    pub(super) queues: BTreeMap<&'static str, Vec<Message>>,
    pub(super) told: Vec<(String, Value)>,
    pub(super) answers: BTreeMap<String, Value>,
    pub(super) parked: Vec<(String, String)>,
    pub(super) inbox_is_down: bool,
    pub(super) names: u64,
    pub(super) health: BTreeMap<String, Health>,
    pub(super) budgets: BTreeMap<String, Budget>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

pub(super) fn with<T>(look: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(look)
}

pub(super) fn touch(touch: Touch) {
    with(|state| state.touches.push(touch));
}

/// The workspace that a key, a group or a partition begins with.
pub(super) fn whose(text: &str) -> String {
    text.split('#').next().unwrap_or_default().to_owned()
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows;

impl Conversations for Rows {
    async fn load(&self, key: &ConversationKey) -> Result<Stored, Unavailable> {
        touch(Touch::Read(whose(&key.to_string())));
        Ok(with(|state| state.rows.get(&key.to_string()).cloned().unwrap_or_default()))
    }

    async fn save(
        &self,
        key: &ConversationKey,
        conversation: &Conversation,
        version: u64,
        _: Timestamp,
    ) -> Result<u64, NotSaved> {
        touch(Touch::Written(whose(&key.to_string())));
        let stored = Stored { conversation: conversation.clone(), version: version + 1 };
        with(|state| state.rows.insert(key.to_string(), stored));
        Ok(version + 1)
    }

    async fn put_aside(&self, key: &ConversationKey, record: &CommandRecord, _: Timestamp) -> Result<(), Unavailable> {
        touch(Touch::Written(whose(&key.to_string())));
        with(|state| state.aside.insert((key.to_string(), record.id.to_string()), record.clone()));
        Ok(())
    }

    async fn aside(&self, key: &ConversationKey, id: &CommandId) -> Result<Option<CommandRecord>, Unavailable> {
        touch(Touch::Read(whose(&key.to_string())));
        Ok(with(|state| state.aside.get(&(key.to_string(), id.to_string())).cloned()))
    }

    async fn due(&self, now: Timestamp, _: usize) -> Result<Vec<ConversationKey>, Unavailable> {
        let is_due = |stored: &Stored| stored.conversation.due_at().is_some_and(|at| at <= now);
        Ok(with(|state| {
            let due = state.rows.iter().filter(|(_, stored)| is_due(stored));
            due.map(|(key, _)| key.parse().unwrap()).collect()
        }))
    }
}

impl Bookmarks for Rows {
    async fn bookmark(&self, app_id: &AppId) -> Result<Option<Bookmark>, Unavailable> {
        touch(Touch::Marked(app_id.to_string()));
        Ok(with(|state| state.marks.get(app_id.as_str()).cloned()))
    }

    async fn set_bookmark(&self, app_id: &AppId, mark: &Bookmark) -> Result<(), Unavailable> {
        touch(Touch::Marked(app_id.to_string()));
        with(|state| state.marks.insert(app_id.to_string(), mark.clone()));
        Ok(())
    }
}

impl Wellbeing for Rows {
    async fn health(&self, bot: &BotId) -> Result<Health, Unavailable> {
        touch(Touch::Fares(bot.to_string()));
        Ok(with(|state| state.health.get(bot.as_str()).cloned().unwrap_or_default()))
    }

    async fn set_health(&self, bot: &BotId, before: &Health, after: &Health) -> Result<bool, Unavailable> {
        let unchanged = self.health(bot).await? == *before;
        if unchanged {
            with(|state| state.health.insert(bot.to_string(), after.clone()));
        }
        Ok(unchanged)
    }
}

impl Budgets for Rows {
    async fn budget(&self, app_id: &AppId) -> Result<Option<Budget>, Unavailable> {
        touch(Touch::Budgeted(app_id.to_string()));
        Ok(with(|state| state.budgets.get(app_id.as_str()).cloned()))
    }

    async fn take(&self, app_id: &AppId, ends_at: Timestamp, most: u32, calls: u32) -> Result<Changing, Unavailable> {
        touch(Touch::Budgeted(app_id.to_string()));
        Ok(with(|state| take_calls(state.budgets.get_mut(app_id.as_str()), ends_at, most, calls)))
    }

    async fn replace(&self, app_id: &AppId, next: &Budget) -> Result<Changing, Unavailable> {
        touch(Touch::Budgeted(app_id.to_string()));
        Ok(with(|state| {
            if !may_replace(state.budgets.get(app_id.as_str()), next) {
                return Changing::Not(state.budgets.get(app_id.as_str()).cloned());
            }
            state.budgets.insert(app_id.to_string(), next.clone());
            Changing::Done(next.clone())
        }))
    }
}

impl InboxRows for Rows {
    async fn keep(&self, row: &InboxRow) -> Result<(), Unavailable> {
        touch(Touch::Kept(whose(&row.group)));
        with(|state| state.kept.push(row.clone()));
        Ok(())
    }

    async fn kept(&self, _: usize) -> Result<Vec<InboxRow>, Unavailable> {
        Ok(with(|state| state.kept.clone()))
    }

    async fn forget(&self, row: &InboxRow) -> Result<(), Unavailable> {
        touch(Touch::Kept(whose(&row.group)));
        with(|state| state.kept.retain(|kept| kept != row));
        Ok(())
    }
}

impl TokenRows for Rows {
    async fn sealed(&self, app_id: &AppId) -> Result<Option<SealedToken>, Unavailable> {
        touch(Touch::TokenRead(app_id.to_string()));
        Ok(with(|state| state.tokens.get(app_id.as_str()).cloned()))
    }

    async fn keep(&self, app_id: &AppId, token: &SealedToken) -> Result<(), NotKept> {
        with(|state| state.tokens.insert(app_id.to_string(), token.clone()));
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sqs(pub(super) &'static str);

impl Fifo for Sqs {
    async fn put(&self, group: &str, _: String, body: String) -> Result<(), Unavailable> {
        if self.0 == "inbox" && with(|state| state.inbox_is_down) {
            return Err(Unavailable { what: "SQS", why: "scripted".to_owned() });
        }
        touch(Touch::Put(self.0, whose(group)));
        with(|state| state.queues.entry(self.0).or_default().push((group.to_owned(), body)));
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Time;

impl Clock for Time {
    fn now(&self) -> Timestamp {
        Timestamp(with(|state| state.now))
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh;

impl Names for Fresh {
    fn claim(&self) -> ClaimId {
        let number = with(|state| {
            state.names += 1;
            state.names
        });
        ClaimId::parse(format!("claim{number}")).unwrap()
    }
}

/// The ways to bots: each has an address, or a queue, of its own name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways;

impl Ways {
    fn tell(address: &str, body: &str) -> Vec<u8> {
        let bot = address.split('/').next_back().unwrap().replace(".fifo", "");
        touch(Touch::Told(bot.clone()));
        with(|state| {
            state.told.push((bot.clone(), serde_json::from_str(body).unwrap()));
            state.answers.remove(&bot).map_or_else(Vec::new, |answer| answer.to_string().into_bytes())
        })
    }
}

impl Lines for Ways {
    async fn post(&self, url: &str, secret: &SecretName, _: &str, body: String) -> Result<Vec<u8>, NotTaken> {
        let answer = Self::tell(url, &body);
        assert!(url.ends_with(&format!("/{}", secret.0)), "{url} is signed as {}", secret.0);
        Ok(answer)
    }

    async fn put(&self, queue_url: &str, group: &str, _: &str, body: String) -> Result<(), NotTaken> {
        let event: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(whose(group), event["conversation"]["intercom"]["app_id"], "its group is its workspace's");
        Self::tell(queue_url, &body);
        Ok(())
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Keeper;

impl Custody for Keeper {
    fn is_far(&self, moment: Timestamp) -> bool {
        moment > Time.now().plus_ms(45_000)
    }

    fn after_ms(&self, ms: u64) -> Timestamp {
        Time.now().plus_ms(ms)
    }

    async fn hide_until(&self, _: &str, _: Timestamp) {}

    async fn park(&self, record: &SqsRecord, why: &str) -> Result<(), Unavailable> {
        with(|state| state.parked.push((record.group().to_owned(), why.to_owned())));
        Ok(())
    }
}
