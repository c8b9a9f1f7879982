//! The ports, played by hand.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use crate::domain::budget::{Call, Heard};
use crate::domain::content::{Author, AuthorKind, Body, Message, QuickReplies};
use crate::domain::conversation::{Action, CommandRecord, Conversation, PendingEvent};
use crate::domain::health::Health;
use crate::domain::ids::{
    AdminId, AppId, BotId, ClaimId, CommandId, ContactId, ConversationId, ConversationKey, PartId, Timestamp,
};
use crate::domain::part::{Assignee, Observation, Part, PartKind};
use crate::domain::settings::{Bot, Workspace};
use crate::domain::step::Answer;
use crate::domain::transfer::{Agent, Availability, Contact};
use crate::ports::{
    Bookmark, Bookmarks, Bots, Changed, Clock, Conversations, Doorbells, Fifo, Gauge, InboxRow, InboxRows, Intercom,
    Names, NotSaved, NotShown, NotTaken, Pace, Page, Search, Stored, Unavailable, Wakers, Wellbeing, Worker,
};

/// A clock that stands until it is moved. Clones show the same time.
#[derive(Debug, Clone, Default)]
pub struct ManualClock(Rc<Cell<u64>>);

impl ManualClock {
    /// A clock at this moment, in milliseconds.
    #[must_use]
    pub fn at(ms: u64) -> Self {
        Self(Rc::new(Cell::new(ms)))
    }

    /// Moves it on.
    pub fn advance_ms(&self, ms: u64) {
        self.0.set(self.0.get() + ms);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.get())
    }
}

/// Names in order: `claim1`, `claim2`, …
#[derive(Debug, Clone, Default)]
pub struct Numbered(Rc<Cell<u64>>);

impl Names for Numbered {
    fn claim(&self) -> ClaimId {
        self.0.set(self.0.get() + 1);
        ClaimId::parse(format!("claim{}", self.0.get()))
            .unwrap_or_else(|_| unreachable!("letters and digits are an id"))
    }
}

/// What goes wrong with the store's next save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreFault {
    /// Nothing goes wrong.
    Fine,
    /// It is not saved, and nobody knows.
    Unavailable,
    /// It is saved, and nobody knows.
    SavedButLost,
}

/// What somebody else does to a conversation.
type Change = fn(&mut Conversation);

/// The store.
#[derive(Debug, Clone, Default)]
pub struct FakeStore {
    rows: Rc<RefCell<HashMap<ConversationKey, Stored>>>,
    faults: Rc<RefCell<VecDeque<StoreFault>>>,
    overtakers: Rc<RefCell<VecDeque<Change>>>,
    bookmarks: Rc<RefCell<HashMap<AppId, Bookmark>>>,
    healths: Rc<RefCell<HashMap<BotId, Health>>>,
    aside: Rc<RefCell<HashMap<(ConversationKey, CommandId), CommandRecord>>>,
    saves: Rc<Cell<u32>>,
    loads: Rc<Cell<u32>>,
}

impl FakeStore {
    /// What goes wrong next, in order.
    pub fn expect_faults(&self, faults: impl IntoIterator<Item = StoreFault>) {
        self.faults.borrow_mut().extend(faults);
    }

    /// Somebody else changes the conversation right before each of the next saves.
    pub fn expect_overtaking(&self, changes: impl IntoIterator<Item = Change>) {
        self.overtakers.borrow_mut().extend(changes);
    }

    /// The conversation as it is stored.
    #[must_use]
    pub fn conversation(&self, key: &ConversationKey) -> Conversation {
        self.rows.borrow().get(key).cloned().unwrap_or_default().conversation
    }

    /// Whether anything is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.borrow().is_empty()
    }

    /// How many reads and updates there were since the last call.
    pub fn take_counts(&self) -> (u32, u32) {
        (self.loads.take(), self.saves.take())
    }
}

impl Conversations for FakeStore {
    async fn load(&self, key: &ConversationKey) -> Result<Stored, Unavailable> {
        self.loads.set(self.loads.get() + 1);
        Ok(self.rows.borrow().get(key).cloned().unwrap_or_default())
    }

    async fn save(
        &self,
        key: &ConversationKey,
        conversation: &Conversation,
        version: u64,
        _now: Timestamp,
    ) -> Result<u64, NotSaved> {
        self.saves.set(self.saves.get() + 1);
        let lost = || NotSaved::Unavailable(Unavailable { what: "the fake store", why: "scripted".to_owned() });
        let fault = self.faults.borrow_mut().pop_front().unwrap_or(StoreFault::Fine);
        if fault == StoreFault::Unavailable {
            return Err(lost());
        }
        let mut rows = self.rows.borrow_mut();
        if let Some(change) = self.overtakers.borrow_mut().pop_front() {
            let row = rows.entry(key.clone()).or_default();
            change(&mut row.conversation);
            row.version += 1;
        }
        if rows.get(key).map_or(0, |stored| stored.version) != version {
            return Err(NotSaved::Conflict);
        }
        rows.insert(key.clone(), Stored { conversation: conversation.clone(), version: version + 1 });
        if fault == StoreFault::SavedButLost { Err(lost()) } else { Ok(version + 1) }
    }

    async fn put_aside(&self, key: &ConversationKey, record: &CommandRecord, _: Timestamp) -> Result<(), Unavailable> {
        self.aside.borrow_mut().insert((key.clone(), record.id.clone()), record.clone());
        Ok(())
    }

    async fn aside(&self, key: &ConversationKey, id: &CommandId) -> Result<Option<CommandRecord>, Unavailable> {
        Ok(self.aside.borrow().get(&(key.clone(), id.clone())).cloned())
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, Unavailable> {
        let rows = self.rows.borrow();
        let due = rows.iter().filter_map(|(key, stored)| Some((stored.conversation.due_at()?, key.clone())));
        let mut due: Vec<_> = due.filter(|(at, _)| *at <= now).collect();
        due.sort();
        Ok(due.into_iter().map(|(_, key)| key).take(limit).collect())
    }
}

impl Wellbeing for FakeStore {
    async fn health(&self, bot: &BotId) -> Result<Health, Unavailable> {
        Ok(self.healths.borrow().get(bot).cloned().unwrap_or_default())
    }

    async fn set_health(&self, bot: &BotId, before: &Health, after: &Health) -> Result<bool, Unavailable> {
        let mut healths = self.healths.borrow_mut();
        let health = healths.entry(bot.clone()).or_default();
        let same = health == before;
        if same {
            *health = after.clone();
        }
        Ok(same)
    }
}

impl Bookmarks for FakeStore {
    async fn bookmark(&self, app_id: &AppId) -> Result<Option<Bookmark>, Unavailable> {
        Ok(self.bookmarks.borrow().get(app_id).cloned())
    }

    async fn set_bookmark(&self, app_id: &AppId, bookmark: &Bookmark) -> Result<(), Unavailable> {
        self.bookmarks.borrow_mut().insert(app_id.clone(), bookmark.clone());
        Ok(())
    }
}

/// The workers' bells.
#[derive(Debug, Clone, Default)]
pub struct FakeWakers {
    calls: Rc<RefCell<Vec<(Worker, ConversationKey, String)>>>,
    doorbells: Rc<RefCell<Vec<(ConversationKey, String)>>>,
    broken: Rc<Cell<bool>>,
}

impl FakeWakers {
    /// Whom was rung for since the last call.
    pub fn take(&self) -> Vec<Worker> {
        self.calls.take().into_iter().map(|(worker, ..)| worker).collect()
    }

    /// Whose doorbell was rung since the last call.
    pub fn take_doorbells(&self) -> Vec<ConversationKey> {
        self.doorbells.take().into_iter().map(|(key, _)| key).collect()
    }

    /// Whether ringing fails from now on.
    pub fn set_broken(&self, broken: bool) {
        self.broken.set(broken);
    }
}

impl Wakers for FakeWakers {
    async fn wake(&self, worker: Worker, key: &ConversationKey, about: &str) -> Result<(), Unavailable> {
        if self.broken.get() {
            return Err(Unavailable { what: "the fake queue", why: "scripted".to_owned() });
        }
        let call = (worker, key.clone(), about.to_owned());
        let mut calls = self.calls.borrow_mut();
        // As a FIFO queue does: the same id again is the same message.
        if !calls.contains(&call) {
            calls.push(call);
        }
        Ok(())
    }
}

impl Doorbells for FakeWakers {
    async fn ring(&self, key: &ConversationKey, about: &str) -> Result<(), Unavailable> {
        if self.broken.get() {
            return Err(Unavailable { what: "the fake queue", why: "scripted".to_owned() });
        }
        let call = (key.clone(), about.to_owned());
        let mut doorbells = self.doorbells.borrow_mut();
        if !doorbells.contains(&call) {
            doorbells.push(call);
        }
        Ok(())
    }
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing.
    None,
    /// It has no effect, and fails.
    Fails,
    /// It has its effect, and fails; the same as dying right after it.
    AnswerLost,
}

/// What goes wrong with the next calls, in order; then nothing does.
#[derive(Debug, Clone, Default)]
pub struct Mishaps(Rc<RefCell<VecDeque<Mishap>>>);

impl Mishaps {
    /// What goes wrong next.
    pub fn expect(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.0.borrow_mut().extend(mishaps);
    }

    fn around(&self, effect: impl FnOnce()) -> Result<(), Unavailable> {
        let mishap = self.0.borrow_mut().pop_front().unwrap_or(Mishap::None);
        if mishap != Mishap::Fails {
            effect();
        }
        let broken = Unavailable { what: "a fake", why: "scripted".to_owned() };
        if mishap == Mishap::None { Ok(()) } else { Err(broken) }
    }
}

/// A message as it was put: group, deduplication id, body.
pub(super) type Put = (String, String, String);

/// A queue in groups, which drops what it was given under the same id.
#[derive(Debug, Clone, Default)]
pub struct FakeFifo {
    messages: Rc<RefCell<Vec<Put>>>,
    /// What goes wrong with the next puts.
    pub mishaps: Mishaps,
}

impl FakeFifo {
    /// What lies on it.
    #[must_use]
    pub fn messages(&self) -> Vec<Put> {
        self.messages.borrow().clone()
    }

    /// Puts a message, at once.
    ///
    /// # Errors
    /// As was scripted.
    pub fn put_now(&self, group: &str, deduplication_id: &str, body: &str) -> Result<(), Unavailable> {
        self.mishaps.around(|| {
            let mut messages = self.messages.borrow_mut();
            if !messages.iter().any(|(at, id, _)| (at.as_str(), id.as_str()) == (group, deduplication_id)) {
                messages.push((group.to_owned(), deduplication_id.to_owned(), body.to_owned()));
            }
        })
    }
}

impl Fifo for FakeFifo {
    fn put(
        &self,
        group: &str,
        deduplication_id: String,
        body: String,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send {
        std::future::ready(self.put_now(group, &deduplication_id, &body))
    }
}

/// The rows of what could not be put on the inbox.
#[derive(Debug, Clone, Default)]
pub struct FakeInboxRows {
    rows: Rc<RefCell<Vec<InboxRow>>>,
    /// What goes wrong with the next rows that are kept.
    pub keeping: Mishaps,
    /// What goes wrong with the next that are forgotten.
    pub forgetting: Mishaps,
}

impl FakeInboxRows {
    /// What is kept.
    #[must_use]
    pub fn rows(&self) -> Vec<InboxRow> {
        self.rows.borrow().clone()
    }
}

impl InboxRows for FakeInboxRows {
    fn keep(&self, row: &InboxRow) -> impl Future<Output = Result<(), Unavailable>> + Send {
        std::future::ready(self.keeping.around(|| self.rows.borrow_mut().push(row.clone())))
    }

    async fn kept(&self, limit: usize) -> Result<Vec<InboxRow>, Unavailable> {
        let mut rows = self.rows();
        rows.sort_by_key(|row| row.kept_at);
        rows.truncate(limit);
        Ok(rows)
    }

    async fn forget(&self, row: &InboxRow) -> Result<(), Unavailable> {
        self.forgetting.around(|| self.rows.borrow_mut().retain(|kept| kept != row))
    }
}

/// From when on was asked, and for which page.
pub(super) type Asked = (Timestamp, Option<String>);

/// Intercom's search: the pages that a test laid out, in order, then nothing.
#[derive(Debug, Clone, Default)]
pub struct FakeSearch {
    pages: Rc<RefCell<VecDeque<Result<Page, NotShown>>>>,
    asked: Rc<RefCell<Vec<Asked>>>,
    put_off: Rc<Cell<Option<Timestamp>>>,
}

impl Pace for FakeSearch {
    async fn admit(&self, _: &Workspace, _: &str, _: Call) -> Result<(), Timestamp> {
        self.put_off.get().map_or(Ok(()), Err)
    }
}

impl FakeSearch {
    /// Nothing may be asked before then.
    pub fn put_off(&self, until: Option<Timestamp>) {
        self.put_off.set(until);
    }

    /// What the next searches find, in order.
    pub fn expect(&self, pages: impl IntoIterator<Item = Result<Page, NotShown>>) {
        self.pages.borrow_mut().extend(pages);
    }

    /// From when on, and for which page, was asked since the last call.
    pub fn take_asked(&self) -> Vec<Asked> {
        self.asked.take()
    }
}

impl Search for FakeSearch {
    async fn changed(&self, _: &Workspace, since: Timestamp, page: Option<&str>) -> Result<Page, NotShown> {
        self.asked.borrow_mut().push((since, page.map(str::to_owned)));
        self.pages.borrow_mut().pop_front().unwrap_or_else(|| Ok(Page::default()))
    }

    async fn waiting_for_the_bot(&self, _: &Workspace, _: Timestamp) -> Result<u64, NotShown> {
        Ok(2)
    }
}

/// What Intercom does with the next action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Surprise {
    /// Does it, and answers.
    None,
    /// Does it, and the answer is lost.
    AnswerLost,
    /// Does not do it, and nobody knows.
    RequestLost,
    /// Answers 429.
    Limited {
        /// Until when.
        until: Timestamp,
    },
    /// Refuses it.
    Refused {
        /// With this code.
        code: &'static str,
    },
}

/// Intercom, as one conversation sees it.
#[derive(Debug, Clone)]
pub struct FakeIntercom {
    shown: Rc<RefCell<Observation>>,
    bot_teammate: String,
    surprises: Rc<RefCell<VecDeque<Surprise>>>,
    performed: Rc<RefCell<Vec<Action>>>,
    gets: Rc<Cell<u32>>,
    gone: Rc<Cell<bool>>,
    put_off: Rc<Cell<Option<Timestamp>>>,
    admitted: Rc<RefCell<Vec<Call>>>,
    heard: Rc<Cell<Option<Heard>>>,
    there: Rc<Cell<Option<Availability>>>,
    opened: Rc<Cell<u32>>,
    crew: Rc<RefCell<Vec<Agent>>>,
    beside: Rc<RefCell<Option<(ConversationId, Observation)>>>,
}

/// What Intercom calls the customer of a fake conversation that is opened.
pub const CONTACT: &str = "66a0c0ffee0000000000000a";

impl Pace for FakeIntercom {
    async fn admit(&self, _: &Workspace, _: &str, call: Call) -> Result<(), Timestamp> {
        self.admitted.borrow_mut().push(call);
        self.put_off.get().map_or(Ok(()), Err)
    }
}

impl Gauge for FakeIntercom {
    fn heard(&self, _: &AppId) -> Option<Heard> {
        self.heard.take()
    }
}

impl FakeIntercom {
    /// Nothing may be asked before then.
    pub fn put_off(&self, until: Option<Timestamp>) {
        self.put_off.set(until);
    }

    /// The calls that were asked for since the last call.
    pub fn take_asked_for(&self) -> Vec<Call> {
        self.admitted.take()
    }

    /// What the next answer tells beside what was asked for.
    pub fn tells(&self, heard: Heard) {
        self.heard.set(Some(heard));
    }

    /// A conversation that looks like this, in which `bot_teammate` acts.
    #[must_use]
    pub fn showing(observation: Observation, bot_teammate: &str) -> Self {
        Self {
            shown: Rc::new(RefCell::new(observation)),
            bot_teammate: bot_teammate.to_owned(),
            surprises: Rc::default(),
            performed: Rc::default(),
            gets: Rc::default(),
            gone: Rc::default(),
            put_off: Rc::default(),
            admitted: Rc::default(),
            heard: Rc::default(),
            there: Rc::default(),
            opened: Rc::default(),
            crew: Rc::default(),
            beside: Rc::default(),
        }
    }

    /// The contact has this conversation, too.
    pub fn has_beside(&self, id: ConversationId, shown: Observation) {
        *self.beside.borrow_mut() = Some((id, shown));
    }

    /// Whether people are there.
    pub fn are_there(&self, availability: Availability) {
        self.there.set(Some(availability));
    }

    /// How many conversations were opened.
    #[must_use]
    pub fn opened(&self) -> u32 {
        self.opened.get()
    }

    /// What Intercom calls the conversation that was opened last.
    #[must_use]
    pub fn conversation(&self) -> Option<ConversationId> {
        ConversationId::parse((9_000 + self.opened.get()).to_string()).ok()
    }

    fn open_with(&self, text: &str) -> Option<ConversationId> {
        self.opened.set(self.opened.get() + 1);
        let mut shown = self.shown.borrow_mut();
        let author = Author { kind: AuthorKind::Customer, id: CONTACT.to_owned(), name: None };
        shown.source = Some(Message {
            part_id: None,
            author,
            body: Some(Body::html(format!("<p>{text}</p>"))),
            attachments: Vec::new(),
            created_at: Timestamp::default(),
            pressed: None,
            choice: None,
        });
        shown.contact = ContactId::parse(CONTACT).ok();
        (shown.parts, shown.part_count) = (Vec::new(), Some(0));
        (shown.open, shown.assignee) = (true, Assignee::Nobody);
        drop(shown);
        self.conversation()
    }

    /// What Intercom does with the next actions, in order.
    pub fn expect(&self, surprises: impl IntoIterator<Item = Surprise>) {
        self.surprises.borrow_mut().extend(surprises);
    }

    /// The conversation is deleted.
    pub fn delete(&self) {
        self.gone.set(true);
    }

    /// Changes what Intercom shows.
    pub fn change(&self, change: impl FnOnce(&mut Observation)) {
        change(&mut self.shown.borrow_mut());
    }

    /// What Intercom shows.
    #[must_use]
    pub fn shown(&self) -> Observation {
        self.shown.borrow().clone()
    }

    /// The actions that were tried since the last call.
    pub fn take_performed(&self) -> Vec<Action> {
        self.performed.take()
    }

    /// How often the conversation was fetched since the last call.
    pub fn take_gets(&self) -> u32 {
        self.gets.take()
    }

    fn bot(&self) -> Assignee {
        AdminId::parse(&*self.bot_teammate).map_or(Assignee::Nobody, Assignee::Teammate)
    }

    /// Does it, unless the conversation is so already.
    fn apply(&self, action: &Action) -> Option<PartId> {
        let is_so = match action {
            Action::Assign { to, .. } => self.shown.borrow().assignee == *to,
            Action::Close { .. } => !self.shown.borrow().open,
            Action::Open => self.shown.borrow().open,
            Action::Unseat { teammate } => self.shown.borrow().assignee != Assignee::Teammate(teammate.clone()),
            Action::Take { .. } => self.shown.borrow().assignee == self.bot(),
            _ => false,
        };
        if is_so {
            return None;
        }
        let (kind, html) = match action {
            Action::Reply { offer: Some(offer), .. } if offer.buttons => (PartKind::Comment, None),
            Action::Reply { html, .. } => (PartKind::Comment, Some(html.clone())),
            Action::Note { html } => (PartKind::Note, Some(html.clone())),
            Action::Assign { .. } | Action::Take { .. } | Action::Unseat { .. } => (PartKind::Assignment, None),
            Action::Close { html } => (PartKind::Close, html.clone()),
            Action::Open => (PartKind::Open, None),
            Action::Snooze { .. } => (PartKind::Snoozed, None),
            Action::Relay { text, .. } if self.shown.borrow().open => {
                (PartKind::Comment, Some(format!("<p>{text}</p>")))
            }
            Action::Relay { text, .. } => (PartKind::Open, Some(format!("<p>{text}</p>"))),
            Action::Redact { part_id: None } => {
                self.shown.borrow_mut().source = None;
                return None;
            }
            Action::Redact { part_id: Some(part_id) } => {
                let mut shown = self.shown.borrow_mut();
                shown.parts.iter_mut().filter(|part| part.id == *part_id).for_each(|part| part.redacted = true);
                return None;
            }
            Action::Tag { .. }
            | Action::SetAttributes { .. }
            | Action::Attachments { .. }
            | Action::Replay { .. }
            | Action::LookWhoIsThere { .. }
            | Action::FindContact { .. }
            | Action::Say { .. }
            | Action::Begin { .. } => return None,
        };
        let quick_replies = match action {
            Action::Reply { offer: Some(offer), .. } if offer.buttons => QuickReplies {
                offered: offer.options.iter().map(|option| option.uuid.clone()).collect(),
                pressed: None,
            },
            _ => QuickReplies::default(),
        };
        let mut shown = self.shown.borrow_mut();
        let mut assigned_to = None;
        match action {
            Action::Assign { to, .. } => {
                shown.assignee = to.clone();
                assigned_to = Some(to.clone());
            }
            Action::Unseat { .. } => {
                shown.assignee = Assignee::Nobody;
                assigned_to = Some(Assignee::Nobody);
            }
            Action::Take { .. } => {
                shown.assignee = self.bot();
                assigned_to = Some(self.bot());
            }
            Action::Close { .. } => shown.open = false,
            Action::Open | Action::Relay { .. } => shown.open = true,
            _ => {}
        }
        let author = match action {
            Action::Relay { contact, .. } => Author { kind: AuthorKind::Customer, id: contact.to_string(), name: None },
            _ => Author { kind: AuthorKind::Teammate, id: self.bot_teammate.clone(), name: None },
        };
        let id = PartId::parse(super::scene::next_part_number().to_string()).ok()?;
        shown.parts.push(Part {
            id: id.clone(),
            kind,
            author,
            body: html.map(Body::html),
            assigned_to,
            attachments: Vec::new(),
            created_at: Timestamp::default(),
            redacted: false,
            quick_replies,
            by_app: false,
        });
        shown.part_count = shown.part_count.map(|count| count + 1);
        Some(id)
    }
}

impl Intercom for FakeIntercom {
    async fn observe(&self, _: &Workspace, id: &ConversationId, _with_profile: bool) -> Result<Observation, NotShown> {
        self.gets.set(self.gets.get() + 1);
        if self.gone.get() {
            return Err(NotShown::Gone);
        }
        if let Some((_, beside)) = self.beside.borrow().as_ref().filter(|(beside, _)| beside == id) {
            return Ok(beside.clone());
        }
        Ok(self.shown())
    }

    async fn begun(&self, _: &Workspace, _: &ContactId, _: Timestamp) -> Result<Vec<Changed>, NotShown> {
        let id = self.conversation().filter(|_| self.opened.get() > 0);
        let opened = id.map(|id| (id, self.shown()));
        let found = opened.into_iter().chain(self.beside.borrow().clone());
        Ok(found.map(|(id, shown)| Changed { id, updated_at: Timestamp::default(), shown }).collect())
    }

    async fn crew(&self, _: &Workspace, asked: &[AdminId]) -> Vec<Agent> {
        self.crew.borrow().iter().filter(|agent| asked.contains(&agent.id)).cloned().collect()
    }

    async fn perform(&self, _: &Workspace, _: &ConversationId, action: &Action) -> Answer {
        self.performed.borrow_mut().push(action.clone());
        let refused = |code: &str| Answer::Rejected { code: code.to_owned(), message: "scripted".to_owned() };
        match self.surprises.borrow_mut().pop_front().unwrap_or(Surprise::None) {
            Surprise::None if self.is_taken(action) => refused("taken"),
            Surprise::None => match action {
                Action::Attachments { .. } | Action::Replay { .. } => Answer::shown(&self.shown.borrow(), action),
                Action::LookWhoIsThere { .. } => Answer::There(self.there.get().unwrap_or(Availability::Available)),
                Action::FindContact { .. } => ContactId::parse(CONTACT).map_or_else(
                    |_| refused("not_found"),
                    |id| Answer::Contact(Contact { id, role: "lead".to_owned() }),
                ),
                Action::Begin { text, .. } => self
                    .open_with(text)
                    .map_or_else(|| refused("not_found"), |conversation| Answer::Begun { conversation }),
                action => Answer::Done { part_id: self.apply(action) },
            },
            Surprise::AnswerLost => {
                if let Action::Begin { text, .. } = action {
                    self.open_with(text);
                }
                self.apply(action);
                Answer::Unknown
            }
            Surprise::RequestLost => Answer::Unknown,
            Surprise::Limited { until } => Answer::NotSent { retry_at: until },
            Surprise::Refused { code } => refused(code),
        }
    }
}

/// The assignee that a fake conversation has.
impl FakeIntercom {
    /// Whether an action would take the conversation from a teammate and give it to the bot.
    fn is_taken(&self, action: &Action) -> bool {
        let is_bot = |to: &Assignee| matches!(to, Assignee::Teammate(id) if id.as_str() == self.bot_teammate);
        let held = self.assignee();
        matches!(action, Action::Assign { to, .. } if is_bot(to))
            && matches!(held, Assignee::Teammate(_))
            && !is_bot(&held)
    }

    /// Who its teammates are, from now on.
    pub fn knows(&self, crew: Vec<Agent>) {
        *self.crew.borrow_mut() = crew;
    }

    /// Whom the conversation is assigned to.
    #[must_use]
    pub fn assignee(&self) -> Assignee {
        self.shown.borrow().assignee.clone()
    }
}

/// The bots.
#[derive(Debug, Clone, Default)]
pub struct FakeBots {
    taken: Rc<RefCell<Vec<PendingEvent>>>,
    refusals: Rc<Cell<u32>>,
    retry_after_ms: Rc<Cell<Option<u64>>>,
    calls: Rc<Cell<u32>>,
}

impl FakeBots {
    /// The bot takes nothing the next so many times.
    pub fn refuse(&self, times: u32) {
        self.refusals.set(times);
    }

    /// For how long the bot asks to be left alone when it takes nothing.
    pub fn ask_to_be_left_alone(&self, ms: Option<u64>) {
        self.retry_after_ms.set(ms);
    }

    /// How often the bot was called since the last call.
    #[must_use]
    pub fn take_calls(&self) -> u32 {
        self.calls.take()
    }

    /// What the bot took since the last call.
    pub fn take(&self) -> Vec<PendingEvent> {
        self.taken.take()
    }
}

impl Bots for FakeBots {
    async fn deliver(
        &self,
        _: &Bot,
        _: &ConversationKey,
        _: &Conversation,
        event: &PendingEvent,
    ) -> Result<(), NotTaken> {
        self.calls.set(self.calls.get() + 1);
        if self.refusals.get() > 0 {
            self.refusals.set(self.refusals.get() - 1);
            return Err(NotTaken { why: "scripted".to_owned(), retry_after_ms: self.retry_after_ms.get() });
        }
        self.taken.borrow_mut().push(event.clone());
        Ok(())
    }
}
