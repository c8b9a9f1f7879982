//! The product's ports, opened to the world. Each call is a place where the worker may die, before
//! its effect or after it, and where it waits, so that others come in between.

use std::pin::Pin;
use std::task::{Context, Poll};

use shared::domain::conversation::{Action, Conversation};
use shared::domain::health::Health;
use shared::domain::ids::{AdminId, AppId, BotId, ClaimId, ContactId, ConversationId, ConversationKey, Timestamp};
use shared::domain::part::{Assignee, Observation};
use shared::domain::settings::{SecretName, Workspace};
use shared::domain::step::Answer;
use shared::domain::transfer::{Availability, Contact, GONE};
use shared::lambda::batch::{Custody, SqsRecord};
use shared::lambda::messengers::Lines;
use shared::ports::{
    Bookmark, Bookmarks, Changed, Clock, Conversations, DeadLetter, DeadLetters, Fifo, InboxRow, InboxRows, Intercom,
    Names, NotSaved, NotShown, NotTaken, Page, Search, Stored, Unavailable, Wellbeing,
};
use shared::testing::BOT;
use shared::wire::passed_on;

use crate::faults::{Fault, Point};
use crate::intercom::{Deed, Made, Who};
use crate::limits::Taken;
use crate::mutants::Mutant;
use crate::queue::Message;
use crate::world::{Event, POISON, Party, QueueName, Role, with};

/// A wait in the world's time.
#[derive(Debug)]
struct Wait {
    until: u64,
    asked: bool,
}

impl Future for Wait {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        with(|world| {
            if world.now >= self.until {
                return Poll::Ready(());
            }
            if !self.asked {
                self.asked = true;
                let worker = world.current;
                world.at(self.until, Event::Poll(worker));
            }
            Poll::Pending
        })
    }
}

/// Waits between these bounds, in milliseconds.
pub(crate) async fn wait(low: u64, high: u64) {
    let until = with(|world| world.now + world.wait(low, high));
    Wait { until, asked: false }.await;
}

/// The worker dies here.
async fn die<T>() -> T {
    with(|world| {
        let worker = world.current;
        world.workers[worker].dead = true;
    });
    std::future::pending().await
}

/// Begins a call: waits, and tells what goes wrong.
async fn begin(point: Point, low: u64, high: u64) -> Option<Fault> {
    let mut fault = with(|world| world.strikes(point));
    if fault == Some(Fault::Pause) {
        wait(1_000, 60_000).await;
        fault = None;
    }
    wait(low, high).await;
    if fault == Some(Fault::DiesBefore) { die().await } else { fault }
}

/// Ends a call that had its effect.
async fn end(fault: Option<Fault>) {
    if fault == Some(Fault::DiesAfter) {
        die::<()>().await;
    }
    wait(1, 9).await;
}

/// The world's clock, as the present worker's shows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Time;

impl Clock for Time {
    fn now(&self) -> Timestamp {
        with(|world| Timestamp(world.shown_time()))
    }
}

/// Fresh names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fresh;

impl Names for Fresh {
    fn claim(&self) -> ClaimId {
        with(|world| {
            world.claims += 1;
            ClaimId::parse(format!("c{}", world.claims)).unwrap()
        })
    }
}

fn unavailable(what: &'static str) -> Unavailable {
    Unavailable { what, why: "simulated".to_owned() }
}

/// A key or request that lies outside every workspace is a leak.
fn is_inside(key: &ConversationKey) {
    with(|world| {
        if !world.is_somewhere(key) {
            world.accuse(format!("{key} was touched, which does not exist"));
        }
    });
}

/// The table.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rows;

impl Conversations for Rows {
    async fn load(&self, key: &ConversationKey) -> Result<Stored, Unavailable> {
        let fault = begin(Point::Load, 2, 12).await;
        is_inside(key);
        if fault.is_some() {
            return Err(unavailable("DynamoDB"));
        }
        Ok(with(|world| {
            let row = world.rows.get(key).cloned().unwrap_or_default();
            Stored { conversation: row.state, version: row.version }
        }))
    }

    async fn save(
        &self,
        key: &ConversationKey,
        conversation: &Conversation,
        version: u64,
        _now: Timestamp,
    ) -> Result<u64, NotSaved> {
        let fault = begin(Point::Save, 2, 15).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB").into());
        }
        if fault == Some(Fault::Conflict) {
            return Err(NotSaved::Conflict);
        }
        let saved = with(|world| world.save(key, conversation, version));
        end(fault).await;
        match (saved, fault) {
            (_, Some(Fault::AnswerLost)) => Err(unavailable("DynamoDB").into()),
            (Some(version), _) => Ok(version),
            (None, _) => Err(NotSaved::Conflict),
        }
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, Unavailable> {
        wait(5, 20).await;
        Ok(with(|world| {
            let due = |row: &crate::world::Row| row.state.due_at().filter(|at| *at <= now);
            let mut keys: Vec<_> = world.rows.iter().filter_map(|(key, row)| Some((due(row)?, key.clone()))).collect();
            keys.sort();
            keys.into_iter().map(|(_, key)| key).take(limit).collect()
        }))
    }
}

impl Wellbeing for Rows {
    async fn health(&self, bot: &BotId) -> Result<Health, Unavailable> {
        match begin(Point::Load, 2, 12).await {
            Some(_) => Err(unavailable("DynamoDB")),
            None => Ok(with(|world| world.healths.get(bot).cloned().unwrap_or_default())),
        }
    }

    async fn set_health(&self, bot: &BotId, before: &Health, after: &Health) -> Result<bool, Unavailable> {
        let fault = begin(Point::Save, 2, 12).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB"));
        }
        let same = with(|world| {
            let health = world.healths.entry(bot.clone()).or_default();
            let same = health == before;
            if same {
                *health = after.clone();
            }
            same
        });
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("DynamoDB")) } else { Ok(same) }
    }
}

impl Bookmarks for Rows {
    async fn bookmark(&self, app_id: &AppId) -> Result<Option<Bookmark>, Unavailable> {
        match begin(Point::Load, 2, 12).await {
            Some(_) => Err(unavailable("DynamoDB")),
            None => Ok(with(|world| world.bookmarks.get(app_id).cloned())),
        }
    }

    async fn set_bookmark(&self, app_id: &AppId, bookmark: &Bookmark) -> Result<(), Unavailable> {
        let fault = begin(Point::Save, 2, 12).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB"));
        }
        with(|world| world.bookmarks.insert(app_id.clone(), bookmark.clone()));
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("DynamoDB")) } else { Ok(()) }
    }
}

impl InboxRows for Rows {
    async fn keep(&self, row: &InboxRow) -> Result<(), Unavailable> {
        let fault = begin(Point::Save, 2, 15).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB"));
        }
        with(|world| {
            world.tally.kept += 1;
            world.is_kept(&row.deduplication_id);
            world.inbox_rows.push(row.clone());
        });
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("DynamoDB")) } else { Ok(()) }
    }

    async fn kept(&self, limit: usize) -> Result<Vec<InboxRow>, Unavailable> {
        wait(5, 20).await;
        Ok(with(|world| {
            let mut rows = world.inbox_rows.clone();
            rows.sort_by_key(|row| row.kept_at);
            rows.truncate(limit);
            rows
        }))
    }

    async fn forget(&self, row: &InboxRow) -> Result<(), Unavailable> {
        let fault = begin(Point::Save, 2, 12).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB"));
        }
        with(|world| world.inbox_rows.retain(|kept| kept != row));
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("DynamoDB")) } else { Ok(()) }
    }
}

/// How far Intercom's index lags behind, at most, in milliseconds.
pub const LAG_MS: u64 = 60_000;

impl Search for Api {
    async fn changed(&self, workspace: &Workspace, since: Timestamp, page: Option<&str>) -> Result<Page, NotShown> {
        match begin(Point::Get, 60, 600).await {
            Some(Fault::Fails) => return Err(unavailable("Intercom").into()),
            Some(Fault::Limited) => return Err(NotShown::Later(window_end())),
            Some(Fault::Denied) => return Err(denied()),
            _ => shown(&workspace.app_id, None, "search")?,
        }
        Ok(with(|world| {
            let age_ms = world.wait(0, LAG_MS);
            let of_it = |talk: &&crate::intercom::Talk| talk.key.app_id == workspace.app_id && !talk.deleted;
            let is_new = |talk: &&crate::intercom::Talk| talk.updated_at / 1_000 >= since.0 / 1_000;
            let changed = world.talks.iter().filter(of_it).filter(is_new).map(|talk| Changed {
                id: talk.key.conversation_id.clone(),
                updated_at: Timestamp(talk.updated_at / 1_000 * 1_000),
                shown: talk.found(world.shown_time_of_all(), age_ms),
            });
            let mut changed: Vec<Changed> = changed.collect();
            // Pages of one, so that searches go on in the middle.
            let from = page.and_then(|page| page.parse().ok()).unwrap_or(0_usize);
            let next = (changed.len() > from + 1).then(|| (from + 1).to_string());
            let changed = changed.drain(from.min(changed.len())..).take(1).collect();
            Page { changed, next }
        }))
    }

    async fn waiting_for_the_bot(&self, _: &Workspace, _: Timestamp) -> Result<u64, NotShown> {
        Ok(0)
    }
}

/// A queue.
#[derive(Debug, Clone, Copy)]
pub struct Sqs(pub QueueName);

impl Fifo for Sqs {
    async fn put(&self, group: &str, deduplication_id: String, body: String) -> Result<(), Unavailable> {
        let fault = begin(Point::Put, 3, 20).await;
        let app_id = group.split('#').next().unwrap_or_default();
        if !body.contains(app_id) || app_id.is_empty() {
            with(|world| world.accuse(format!("a message of another workspace is in group {group}")));
        }
        let swallowed = with(|world| match world.mutant {
            Some(Mutant::PutFailuresSwallowed) => true,
            Some(Mutant::InboxRowsForgotten) => world.workers[world.current].role == Role::Sweeper,
            _ => false,
        });
        if fault == Some(Fault::Fails) {
            return if swallowed { Ok(()) } else { Err(unavailable("SQS")) };
        }
        with(|world| {
            let sender = world.workers[world.current].role.sender();
            world.put(self.0, group, deduplication_id, body, sender);
        });
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("SQS")) } else { Ok(()) }
    }
}

/// The dead letters of a queue.
#[derive(Debug, Clone, Copy)]
pub struct Shelf(pub QueueName);

impl Shelf {
    /// Deletes a letter, or lets it go.
    fn end(self, letter: &DeadLetter, is_deleted: bool) {
        with(|world| world.queue(self.0).end_dead(letter.receipt.parse().unwrap_or(0), is_deleted));
    }
}

impl DeadLetters for Shelf {
    async fn take(&self) -> Result<Vec<DeadLetter>, Unavailable> {
        let fault = begin(Point::Hide, 3, 15).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("SQS"));
        }
        let taken = with(|world| world.take_dead(self.0));
        end(fault).await;
        let letter = |message: &Message| DeadLetter {
            id: message.number.to_string(),
            group: message.group.to_string(),
            since: Timestamp(0),
            reason: None,
            attempts: None,
            replay: Some(message.beside[1].to_string()).filter(|name| !name.is_empty()),
            senders: passed_on::handed_on(message.sender, &message.beside[0]),
            body: message.body.to_string(),
            receipt: message.receipt.to_string(),
        };
        Ok(taken.iter().map(letter).collect())
    }

    async fn put_back(&self, letter: &DeadLetter, replay: &str) -> Result<(), Unavailable> {
        let mutant = with(|world| world.mutant);
        if mutant == Some(Mutant::DeadLettersDeletedFirst) {
            self.end(letter, true);
        }
        let fault = begin(Point::Put, 3, 20).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("SQS"));
        }
        let senders = if mutant == Some(Mutant::DeadLettersOwned) { "" } else { letter.senders.as_str() };
        let beside = [senders.into(), replay.into()];
        let (group, id) = (letter.group.as_str(), format!("replay-{}", letter.id));
        with(|world| world.put_beside(self.0, group, id, letter.body.clone(), Role::Operator.sender(), beside));
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("SQS")) } else { Ok(()) }
    }

    async fn delete(&self, letter: &DeadLetter) -> Result<(), Unavailable> {
        let fault = begin(Point::Hide, 3, 15).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("SQS"));
        }
        self.end(letter, true);
        end(fault).await;
        Ok(())
    }

    async fn let_go(&self, letter: &DeadLetter) {
        if begin(Point::Hide, 3, 15).await != Some(Fault::Fails) {
            self.end(letter, false);
        }
    }
}

/// The messages of a queue.
#[derive(Debug, Clone, Copy)]
pub struct Custodian(pub QueueName);

/// From when on a wait is left to the sweep, as the real custodian has it.
const FAR_MS: u64 = 45_000;

impl Custody for Custodian {
    fn is_far(&self, moment: Timestamp) -> bool {
        moment > Time.now().plus_ms(FAR_MS)
    }

    fn after_ms(&self, ms: u64) -> Timestamp {
        Time.now().plus_ms(ms)
    }

    async fn hide_until(&self, receipt_handle: &str, until: Timestamp) {
        if begin(Point::Hide, 3, 15).await == Some(Fault::Fails) {
            return;
        }
        with(|world| {
            let wait_ms = until.0.saturating_sub(world.shown_time());
            let until = world.tick(world.now + wait_ms.div_ceil(1_000).clamp(1, 43_200) * 1_000);
            world.queue(self.0).hide(receipt_handle.parse().unwrap_or(0), until);
        });
    }

    async fn park(&self, record: &SqsRecord, why: &str) -> Result<(), Unavailable> {
        with(|world| {
            if record.body == POISON {
                world.parked.push(record.attempt());
                return;
            }
            world.accuse(format!("{:?}: a message is parked: {why}: {}", self.0, record.body));
        });
        Ok(())
    }
}

/// Intercom.
#[derive(Debug, Clone, Copy, Default)]
pub struct Api;

/// How long the client waits for an answer, in milliseconds.
const TIME_OUT_MS: u64 = 10_000;

fn talk_of(workspace: &Workspace, id: &ConversationId) -> Option<usize> {
    let key = ConversationKey { app_id: workspace.app_id.clone(), conversation_id: id.clone() };
    is_inside(&key);
    with(|world| world.talk(&key).filter(|talk| !world.talks[*talk].deleted))
}

/// A 429's end: the present window's, plus the second that the client adds.
fn window_end() -> Timestamp {
    with(|world| Timestamp(world.now / 10_000 * 10_000 + 11_000))
}

/// The token is refused: a call that is counted.
fn denied() -> NotShown {
    with(|world| world.tally.denied += 1);
    NotShown::Denied("token_revoked".to_owned())
}

/// The same, of a call that changes something: it waits a minute, as the real client has it.
fn not_allowed() -> Answer {
    let _ = denied();
    with(|world| Answer::NotSent { retry_at: Timestamp(world.shown_time() + 60_000) })
}

/// It takes until the client gives up, or fails at once.
async fn slow(fault: Option<Fault>) {
    let quick = with(|world| {
        let coarse = world.manner.coarse;
        if coarse { fault != Some(Fault::AnswerLost) } else { world.chance.strikes(5_000) }
    });
    if !quick {
        wait(TIME_OUT_MS - 600, TIME_OUT_MS - 500).await;
    }
}

/// A request that changes nothing reaches Intercom.
fn shown(app_id: &AppId, talk: Option<usize>, what: &'static str) -> Result<(), NotShown> {
    match with(|world| world.arrives(app_id, talk, what)) {
        Taken::Served => Ok(()),
        Taken::Limited => Err(NotShown::Later(window_end())),
        Taken::Denied => Err(NotShown::Denied("token_revoked".to_owned())),
    }
}

/// A request about a conversation reaches Intercom; how it failed, as an answer.
fn arrive(talk: Option<usize>, what: &'static str) -> Result<(), Answer> {
    let Some(app_id) = talk.map(|talk| with(|world| world.talks[talk].key.app_id.clone())) else { return Ok(()) };
    match with(|world| world.arrives(&app_id, talk, what)) {
        Taken::Served => Ok(()),
        Taken::Limited => Err(Answer::NotSent { retry_at: window_end() }),
        Taken::Denied => Err(Answer::NotSent { retry_at: Time.now().plus_ms(60_000) }),
    }
}

/// One `GET`, before something is changed: how it failed, as an answer.
async fn look_first(talk: Option<usize>) -> Result<usize, Answer> {
    let fault = begin(Point::Get, 40, 400).await;
    let later = |ms| with(|world| Answer::NotSent { retry_at: Timestamp(world.shown_time() + ms) });
    match fault {
        Some(Fault::Fails) => {
            slow(fault).await;
            Err(later(2_000))
        }
        Some(Fault::Limited) => Err(Answer::NotSent { retry_at: window_end() }),
        Some(Fault::Denied) => Err(not_allowed()),
        _ => arrive(talk, "get").and_then(|()| talk.ok_or(gone())),
    }
}

fn gone() -> Answer {
    Answer::Rejected { code: "not_found".to_owned(), message: "Resource Not Found".to_owned() }
}

/// One request that changes something.
async fn post(talk: Option<usize>, made: Option<Made>, action: &Action) -> Answer {
    with(|world| {
        let worker = &world.workers[world.current];
        let (deadline, role) = (worker.deadline, worker.role);
        if world.now > deadline {
            world.accuse(format!("{role:?} begins a request {} ms after its deadline", world.now - deadline));
        }
    });
    let fault = begin(Point::Post, 40, 500).await;
    let refused = |code: &str| Answer::Rejected { code: code.to_owned(), message: "simulated".to_owned() };
    // A tag is created or found, and then attached.
    for _ in 0..=u32::from(matches!(action, Action::Tag { .. })) {
        if let Err(answer) = arrive(talk, action.as_str()) {
            return answer;
        }
    }
    let Some(talk) = talk.filter(|talk| with(|world| !world.talks[*talk].deleted)) else {
        return match action {
            Action::Relay { .. } => refused(GONE),
            _ => gone(),
        };
    };
    with(|world| world.posts += 1);
    match fault {
        Some(Fault::Fails) => {
            slow(fault).await;
            Answer::Unknown
        }
        Some(Fault::Late) => {
            let action = action.clone();
            with(|world| {
                let late = world.manner.late_ms;
                let at = world.now + TIME_OUT_MS + world.wait(0, late);
                world.at(at, Event::Applies(talk, action, made));
            });
            wait(TIME_OUT_MS - 600, TIME_OUT_MS - 500).await;
            Answer::Unknown
        }
        Some(Fault::Limited) => Answer::NotSent { retry_at: window_end() },
        Some(Fault::Denied) => not_allowed(),
        Some(Fault::NotSent) => with(|world| Answer::NotSent { retry_at: Timestamp(world.shown_time() + 2_000) }),
        Some(Fault::Refused) => {
            if let Some(made) = made {
                with(|world| world.refuse(talk, &made));
            }
            refused("parameter_invalid")
        }
        _ => {
            let part = apply(talk, action, made.clone());
            let Ok(part) = part else {
                if let Some(made) = made {
                    with(|world| world.refuse(talk, &made));
                }
                return refused("assignee_not_found");
            };
            if fault == Some(Fault::AnswerLost) {
                slow(fault).await;
                return Answer::Unknown;
            }
            if fault == Some(Fault::DiesAfter) {
                die::<()>().await;
            }
            wait(30, 300).await;
            let part_id = part.and_then(|id| shared::domain::ids::PartId::parse(id.to_string()).ok());
            Answer::Done { part_id }
        }
    }
}

/// There is nobody of this id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoAssignee;

/// Does in Intercom what an action says.
///
/// # Errors
/// [`NoAssignee`].
pub fn apply(talk: usize, action: &Action, made: Option<Made>) -> Result<Option<u64>, NoAssignee> {
    let deed = match action {
        Action::Reply { html, .. } => Deed::Say(html.clone()),
        Action::Note { html } => Deed::Note(html.clone()),
        Action::Assign { to: Assignee::Teammate(id), .. } if id.as_str() == "909090" => return Err(NoAssignee),
        Action::Assign { to: Assignee::Nobody, .. } if with(|world| world.talks[talk].face.team.is_some()) => {
            Deed::LeaveSeat
        }
        Action::Assign { to, .. } => Deed::Assign(to.clone()),
        Action::Take { .. } => Deed::Assign(crate::intercom::bot_teammate()),
        Action::Close { html } => Deed::Close(html.clone()),
        Action::Unseat { .. } => Deed::LeaveSeat,
        Action::Open => Deed::Open,
        Action::Snooze { .. } => Deed::Snooze,
        Action::Relay { text, .. } => {
            let deed = Deed::Say(crate::world::kept(text).to_string());
            return Ok(with(|world| world.happens(talk, Who::Customer, &deed, made)));
        }
        Action::Redact { part_id } => Deed::RedactPart(part_id.as_str().parse().unwrap_or(0)),
        _ => return Ok(None),
    };
    Ok(with(|world| world.happens(talk, Who::Bot, &deed, made)))
}

impl Intercom for Api {
    async fn observe(
        &self,
        workspace: &Workspace,
        id: &ConversationId,
        with_profile: bool,
    ) -> Result<Observation, NotShown> {
        let fault = begin(Point::Get, 40, 400).await;
        match fault {
            Some(Fault::Fails) => {
                slow(fault).await;
                return Err(unavailable("Intercom").into());
            }
            Some(Fault::Limited) => return Err(NotShown::Later(window_end())),
            Some(Fault::Denied) => return Err(denied()),
            _ => {}
        }
        with(|world| world.tally.gets += 1);
        let talk = talk_of(workspace, id);
        for _ in 0..=u32::from(with_profile) {
            shown(&workspace.app_id, talk, "get")?;
        }
        let talk = talk.ok_or(NotShown::Gone)?;
        if with(|world| world.sick == Some(talk)) {
            wait(TIME_OUT_MS - 600, TIME_OUT_MS - 500).await;
            return Err(unavailable("Intercom").into());
        }
        let mut seen = with(|world| {
            let stale = world.manner.stale_ms;
            let age_ms = if fault == Some(Fault::Stale) { world.wait(1, stale) } else { 0 };
            let age_ms = world.tick(age_ms);
            let most = world.manner.most_parts;
            world.talks[talk].shown(world.shown_time_of_all(), age_ms, most)
        });
        wait(20, 200).await;
        if let Some(mutant) = with(|world| world.mutant) {
            mutant.spoils_observation(&mut seen, with_profile);
        }
        Ok(seen)
    }

    async fn begun(
        &self,
        workspace: &Workspace,
        contact: &ContactId,
        since: Timestamp,
    ) -> Result<Vec<Changed>, NotShown> {
        match begin(Point::Get, 60, 600).await {
            Some(Fault::Fails) => return Err(unavailable("Intercom").into()),
            Some(Fault::Limited) => return Err(NotShown::Later(window_end())),
            Some(Fault::Denied) => return Err(denied()),
            _ => shown(&workspace.app_id, None, "search")?,
        }
        with(|world| {
            if world.mutant == Some(Mutant::OpeningNotSearched) {
                return Ok(Vec::new());
            }
            let (now, age_ms) = (world.now, world.wait(0, LAG_MS));
            let of_them = |talk: &&crate::intercom::Talk| {
                let theirs = talk.contact.as_deref() == Some(contact.as_str());
                theirs && talk.key.app_id == workspace.app_id && !talk.deleted
            };
            let indexed = |talk: &&crate::intercom::Talk| {
                talk.begun_at / 1_000 >= since.0 / 1_000 && talk.begun_at + age_ms <= now
            };
            let begun = world.talks.iter().filter(of_them).filter(indexed).map(|talk| Changed {
                id: talk.key.conversation_id.clone(),
                updated_at: Timestamp(talk.updated_at / 1_000 * 1_000),
                shown: talk.found(world.shown_time_of_all(), age_ms),
            });
            Ok(begun.collect())
        })
    }

    async fn perform(&self, workspace: &Workspace, id: &ConversationId, action: &Action) -> Answer {
        if matches!(action.as_str(), "find_contact" | "begin" | "look_who_is_there") {
            let answer = open(workspace, id, action).await;
            with(|world| world.tell(9, |_| format!("Intercom answers {} with {answer:?}", action.as_str())));
            let mutant = with(|world| world.mutant);
            return mutant.map_or_else(|| answer.clone(), |mutant| mutant.spoils_answer(action, answer.clone()));
        }
        let talk = talk_of(workspace, id);
        let made = talk.and_then(|talk| with(|world| world.made_by(talk, action)));
        let answer = perform(talk, made, action).await;
        with(|world| world.tell(9, |_| format!("Intercom answers {} with {answer:?}", action.as_str())));
        with(|world| world.mutant).map_or_else(|| answer.clone(), |mutant| mutant.spoils_answer(action, answer.clone()))
    }
}

/// What is asked for a chat before it has a conversation.
async fn open(workspace: &Workspace, id: &ConversationId, action: &Action) -> Answer {
    let chat = with(|world| world.chat_of(&workspace.app_id, id));
    let Some(chat) = chat else {
        with(|world| world.accuse(format!("{} about {id}, which is no chat", action.as_str())));
        return gone();
    };
    let key = with(|world| world.chats[chat].key.clone());
    let made = with(|world| world.made_in(&key, action));
    let fault = begin(Point::Post, 40, 500).await;
    match with(|world| world.arrives(&workspace.app_id, None, action.as_str())) {
        Taken::Served => {}
        Taken::Limited => return Answer::NotSent { retry_at: window_end() },
        Taken::Denied => return not_allowed(),
    }
    with(|world| world.posts += 1);
    match fault {
        Some(Fault::Fails) => {
            slow(fault).await;
            return Answer::Unknown;
        }
        Some(Fault::Late) => {
            let action = action.clone();
            with(|world| {
                let late = world.manner.late_ms;
                let at = world.now + TIME_OUT_MS + world.wait(0, late);
                world.at(at, Event::Opens(chat, action, made));
            });
            wait(TIME_OUT_MS - 600, TIME_OUT_MS - 500).await;
            return Answer::Unknown;
        }
        Some(Fault::Limited) => return Answer::NotSent { retry_at: window_end() },
        Some(Fault::Denied) => return not_allowed(),
        Some(Fault::NotSent) => {
            return with(|world| Answer::NotSent { retry_at: Timestamp(world.shown_time() + 2_000) });
        }
        Some(Fault::Refused) => {
            let command = made.and_then(|made| made.command);
            with(|world| world.chats[chat].refused.extend(command));
            return Answer::Rejected { code: "parameter_invalid".to_owned(), message: "simulated".to_owned() };
        }
        _ => {}
    }
    let answer = with(|world| match action {
        Action::FindContact { customer, session } => {
            let workspace = world.chats[chat].workspace;
            let id = world.find_contact(workspace, customer.external_id.as_deref(), session);
            Answer::Contact(Contact { id, role: "user".to_owned() })
        }
        Action::LookWhoIsThere { .. } => {
            let half_hours = world.now / 1_800_000;
            let opens_at = Some(Timestamp((half_hours + 1) * 1_800_000));
            Answer::There(if half_hours % 2 == 0 { Availability::Available } else { Availability::Away { opens_at } })
        }
        action => match world.begin(chat, action, made) {
            Some(conversation) => Answer::Begun { conversation },
            None => gone(),
        },
    });
    if fault == Some(Fault::AnswerLost) {
        slow(fault).await;
        return Answer::Unknown;
    }
    if fault == Some(Fault::DiesAfter) {
        die::<()>().await;
    }
    wait(30, 300).await;
    answer
}

/// Whether the answer to a request shows that a teammate took the bot's seat since so many parts.
fn was_taken(talk: usize, known: usize, own: &shared::domain::ids::PartId) -> bool {
    with(|world| {
        let since = world.talks[talk].parts[known..].iter().take_while(|part| part.id.to_string() != own.as_str());
        let last = since.filter_map(|part| part.to.as_ref()).last();
        last.is_some_and(|to| matches!(to, Assignee::Teammate(id) if Some(id) != bot_seat().as_ref()))
    })
}

fn bot_seat() -> Option<AdminId> {
    AdminId::parse(BOT).ok()
}

async fn perform(talk: Option<usize>, made: Option<Made>, action: &Action) -> Answer {
    match action {
        Action::Assign { to, fallbacks } => match look_first(talk).await {
            Ok(talk) if with(|world| world.talks[talk].face.open && world.talks[talk].is_assigned_to(to)) => {
                Answer::Done { part_id: None }
            }
            Ok(talk) => {
                let seat = with(|world| world.talks[talk].face.admin == bot_seat());
                let held = with(|world| world.talks[talk].face.admin.is_some());
                if matches!(to, Assignee::Teammate(id) if Some(id) == bot_seat().as_ref()) && held && !seat {
                    return Answer::Rejected { code: "taken".to_owned(), message: "a teammate has it".to_owned() };
                }
                let there = with(
                    |world| matches!(to, Assignee::Team(team) if world.talks[talk].face.team.as_ref() == Some(team)),
                );
                let known = with(|world| world.talks[talk].parts.len());
                let mut answer = Answer::Done { part_id: None };
                if !(seat && there) {
                    answer = post(Some(talk), made.clone(), action).await;
                }
                let taken = matches!(&answer, Answer::Done { part_id: Some(own) } if was_taken(talk, known, own));
                if matches!((to, &answer), (Assignee::Team(_), Answer::Done { .. })) && seat && !taken {
                    let leaves = Action::Assign { to: Assignee::Nobody, fallbacks: fallbacks.clone() };
                    answer = post(Some(talk), made, &leaves).await;
                }
                answer
            }
            Err(answer) => answer,
        },
        Action::Take { from } => match look_first(talk).await {
            Ok(talk) if with(|world| world.talks[talk].face.open && world.talks[talk].is_bots()) => {
                Answer::Done { part_id: None }
            }
            Ok(talk) if with(|world| world.talks[talk].face.open && world.talks[talk].is_assigned_to(from)) => {
                post(Some(talk), made, action).await
            }
            Ok(_) => Answer::Rejected { code: "taken".to_owned(), message: String::new() },
            Err(answer) => answer,
        },
        Action::Unseat { .. } if with(|world| world.mutant) == Some(Mutant::SeatNotLeft) => {
            Answer::Done { part_id: None }
        }
        Action::Unseat { teammate } => match look_first(talk).await {
            Ok(talk)
                if with(|world| {
                    world.talks[talk].face.open && world.talks[talk].face.admin.as_ref() == Some(teammate)
                }) =>
            {
                post(Some(talk), made, action).await
            }
            Ok(_) => Answer::Done { part_id: None },
            Err(answer) => answer,
        },
        Action::Open => match look_first(talk).await {
            Ok(talk) if with(|world| world.talks[talk].face.open) => Answer::Done { part_id: None },
            Ok(talk) => post(Some(talk), made, action).await,
            Err(answer) => answer,
        },
        Action::Close { .. } => match look_first(talk).await {
            Ok(talk) if with(|world| !world.talks[talk].face.open) => Answer::Done { part_id: None },
            Ok(talk) => post(Some(talk), made, action).await,
            Err(answer) => answer,
        },
        _ => post(talk, made, action).await,
    }
}

/// The ways to bots.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ways;

fn not_taken(retry_after_ms: Option<u64>) -> NotTaken {
    NotTaken { why: "simulated".to_owned(), retry_after_ms }
}

impl Lines for Ways {
    async fn post(&self, _url: &str, _secret: &SecretName, id: &str, body: String) -> Result<Vec<u8>, NotTaken> {
        let fault = begin(Point::Bot, 30, 900).await;
        if fault == Some(Fault::Fails) || with(|world| !world.is_bot_up()) {
            slow(fault).await;
            let retry_after_ms = with(|world| {
                (!world.manner.coarse && world.chance.strikes(2_000)).then(|| world.chance.between(1, 20) * 1_000)
            });
            return Err(not_taken(retry_after_ms));
        }
        let body = with(|world| match world.mutant {
            Some(mutant) => mutant.spoils_event(id, body, world.now),
            None => body,
        });
        let commands = with(|world| {
            let style = world.manner.style;
            world.bot_takes(&body, style)
        });
        match fault {
            Some(Fault::AnswerLost) => {
                slow(fault).await;
                return if with(|world| world.mutant == Some(Mutant::LostEventsTaken)) {
                    Ok(Vec::new())
                } else {
                    Err(not_taken(None))
                };
            }
            Some(Fault::DiesAfter) => die::<()>().await,
            _ => wait(30, 900).await,
        }
        let answer = shared::wire::bot::Commands { commands };
        Ok(serde_json::to_vec(&answer).unwrap())
    }

    async fn put(&self, _queue_url: &str, group: &str, _id: &str, body: String) -> Result<(), NotTaken> {
        let fault = begin(Point::Put, 5, 20).await;
        if fault == Some(Fault::Fails) {
            return Err(not_taken(None));
        }
        with(|world| {
            let key: Option<ConversationKey> = group.parse().ok();
            let chat = key.as_ref().and_then(|key| world.chat(key)).map(Party::Chat);
            let Some(party) = chat.or_else(|| key.and_then(|key| world.talk(&key)).map(Party::Talk)) else {
                world.accuse(format!("a bot's queue got an event of {group}"));
                return;
            };
            world.for_the_bot(party, body.into());
        });
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(not_taken(None)) } else { Ok(()) }
    }
}
