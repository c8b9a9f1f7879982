//! Fifty workspaces around the real handlers. Every port notes what is touched, and whose it is.

use std::cell::RefCell;
use std::collections::BTreeMap;

use base64::Engine as _;
use baton_cli::sandbox::{Options, Running, Sandbox, Seed};
use baton_tests::{conversation_item, gateway_request, sign};
use bot_ingress::Callers;
use serde_json::{Value, json};
use shared::adapters::intercom::RestApi;
use shared::app::Desk;
use shared::app::catch_up::catch_up;
use shared::app::inbox::put_back;
use shared::app::pace::Paced;
use shared::app::sweep::sweep;
use shared::app::tokens::{KNOWN_MS, Vault, put};
use shared::config::{Environment, Secrets};
use shared::domain::budget::{Budget, Call, Urgency};
use shared::domain::conversation::{Control, Conversation, Lane, PendingEvent};
use shared::domain::health::Health;
use shared::domain::ids::{AppId, BotId, ClaimId, ConversationId, ConversationKey, Timestamp};
use shared::domain::settings::{Bot, SecretName, Settings, Workspace};
use shared::domain::signature::{self, Key};
use shared::domain::token::{AccessToken, SealedToken};
use shared::lambda::batch::{self, Custody, SqsBatch, SqsRecord};
use shared::lambda::messengers::{Lines, Messengers};
use shared::lambda::queues::{Inbox, Queues};
use shared::lambda::work::Office;
use shared::ports::{
    Bookmark, Bookmarks, Budgets, Changing, Clock, Conversations, Fifo, InboxRow, InboxRows, Intercom as _, Names,
    NotKept, NotSaved, NotTaken, Pace as _, Stored, TokenRows, Unavailable, Wellbeing,
};
use shared::testing::{FakeSeals, may_replace, take_calls};
use webhook_ingress::Doors;

/// How many workspaces there are.
pub(crate) const COUNT: usize = 50;
/// The one conversation of each workspace. Their ids are the same, as Intercom's may be.
pub(crate) const CONVERSATION: &str = "215470000000001";
const BEGAN: u64 = 1_768_040_000_000;
/// Stands in everything that is secret, and in everything that somebody says.
pub(crate) const MARK: &str = "heliotrope";

/// The workspace of a number.
pub(crate) fn app(n: usize) -> String {
    format!("ws{n:02}")
}

/// Its bot.
pub(crate) fn bot(n: usize) -> String {
    format!("bot{n:02}")
}

/// What its customer says.
pub(crate) fn words(n: usize) -> String {
    format!("{MARK}-of-ws{n:02}")
}

fn client_secret(n: usize) -> String {
    marked(&format!("client-secret-of-ws{n:02}"))
}

fn bot_secret(n: usize) -> String {
    format!("whsec_{}", in_base64(&marked(&format!("bot-secret-{n:04}"))))
}

fn access_token(n: usize) -> String {
    marked(&format!("token-{n:02}"))
}

/// A marked text.
pub(crate) fn marked(text: &str) -> String {
    format!("{MARK}-{text}")
}

pub(crate) fn in_base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

pub(crate) fn in_hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn key_of(n: usize) -> ConversationKey {
    ConversationKey::parse(&app(n), CONVERSATION).unwrap()
}

/// A notification that names a workspace.
pub(crate) fn notification(app_id: &Value) -> Value {
    let mut item = conversation_item("<p>x</p>");
    item["statistics"]["count_conversation_parts"] = json!(0);
    item["conversation_parts"] =
        json!({ "type": "conversation_part.list", "total_count": 0, "conversation_parts": [] });
    let mut notification = baton_tests::notification("conversation.user.created", &item);
    notification["app_id"] = app_id.clone();
    notification
}

/// How the bots are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Signed requests.
    Https,
    /// Queues.
    Sqs,
}

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
type Message = (String, String);

#[derive(Default)]
struct State {
    now: u64,
    touches: Vec<Touch>,
    rows: BTreeMap<String, Stored>,
    marks: BTreeMap<String, Bookmark>,
    tokens: BTreeMap<String, SealedToken>,
    kept: Vec<InboxRow>,
    queues: BTreeMap<&'static str, Vec<Message>>,
    told: Vec<(String, Value)>,
    answers: BTreeMap<String, Value>,
    parked: Vec<(String, String)>,
    inbox_is_down: bool,
    names: u64,
    health: BTreeMap<String, Health>,
    budgets: BTreeMap<String, Budget>,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

fn with<T>(look: impl FnOnce(&mut State) -> T) -> T {
    STATE.with_borrow_mut(look)
}

fn touch(touch: Touch) {
    with(|state| state.touches.push(touch));
}

/// The workspace that a key, a group or a partition begins with.
fn whose(text: &str) -> String {
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
struct Sqs(&'static str);

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
struct Fresh;

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
struct Ways;

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
struct Keeper;

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

pub(crate) type Api = Paced<RestApi<Time, Vault<Rows, FakeSeals, Time>>, Rows, Time>;

/// The functions, and what is around them.
pub(crate) struct World {
    sandbox: Running,
    settings: Settings,
    desk: Desk<Rows, Queues<Sqs>, Time>,
    replier: Office<Rows, Sqs, Time, Api, Fresh>,
    closer: Office<Rows, Sqs, Time, Api, Fresh>,
    bots: Messengers<Ways, Sqs, Time>,
    doors: Doors,
    callers: Callers,
    inbox: Inbox<Sqs, Rows, Time>,
    seals: FakeSeals,
}

const OURS: &str = "AROAOURS";

impl World {
    /// Fifty workspaces in the sandbox, each with a conversation that is the bot's, and the functions
    /// before their first invocation.
    pub(crate) async fn begin(way: Way) -> Self {
        with(|state| *state = State { now: BEGAN, ..State::default() });
        let sandbox = Sandbox::start(Options { seed: Some(seed()), ..Options::default() }).await.unwrap();
        let http = shared::adapters::http::client(std::time::Duration::from_secs(5)).unwrap();
        for n in 0..COUNT {
            let url = format!("{}/_sandbox/{}/conversations", sandbox.url(), app(n));
            let body = json!({ "contact_name": format!("{MARK} Carla"), "body": words(n) });
            let begun: Value = http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
            assert_eq!(begun["conversation_id"], CONVERSATION, "all have the same id");
            let parts = http.post(format!("{}/conversations/{CONVERSATION}/parts", sandbox.url()));
            let to_the_bot =
                json!({ "message_type": "assignment", "type": "admin", "admin_id": "900002", "assignee_id": "900001" });
            let assigned = parts.bearer_auth(access_token(n)).json(&to_the_bot).send().await.unwrap();
            assert_eq!(assigned.status(), 200);
        }
        let settings = settings(way, &sandbox.url());
        let seals = FakeSeals::default();
        for n in 0..COUNT {
            let (app_id, token) = (AppId::parse(app(n)).unwrap(), AccessToken::parse(access_token(n)).unwrap());
            put(&Rows, &seals, &app_id, &token, Timestamp(BEGAN)).await.unwrap();
        }
        let queues = || Queues {
            inbox: Some(Sqs("inbox")),
            bot_events: Some(Sqs("bot-events")),
            replies: Some(Sqs("replies")),
            close: Some(Sqs("close")),
        };
        let desk = || Desk { settings: settings.clone(), store: Rows, wakers: queues(), clock: Time };
        let office = |lane| Office {
            desk: desk(),
            intercom: Paced::new(RestApi::new(Vault::new(Rows, seals.clone(), Time), Time).unwrap(), Rows, Time),
            names: Fresh,
            trusted_senders: vec![OURS.to_owned()],
            lane,
        };
        let names: Vec<_> = (0..COUNT).map(|n| (app(n), client_secret(n), bot(n), bot_secret(n))).collect();
        let webhook_secrets: Vec<_> = names.iter().map(|(app, secret, ..)| (app.as_str(), secret.as_str())).collect();
        let bot_secrets: Vec<_> = names.iter().map(|(.., bot, secret)| (bot.as_str(), secret.as_str())).collect();
        let mut environment = Environment::of([]);
        let doors = Doors::new(&settings, &Secrets::of(&webhook_secrets), &mut environment);
        environment.finish().unwrap();
        let world = Self {
            sandbox,
            desk: desk(),
            replier: office(Lane::Replies),
            closer: office(Lane::Close),
            bots: Messengers { lines: Ways, queues: queues(), clock: Time },
            doors,
            callers: Callers::new(&settings, &Secrets::of(&bot_secrets)),
            inbox: Inbox { queue: Sqs("inbox"), rows: Rows, clock: Time },
            settings,
            seals,
        };
        world.take();
        world
    }

    /// Every workspace lives: a webhook, the conversation fetched and given to the bot, a reply of the
    /// bot's, carried out in Intercom. All of it is its own.
    pub(crate) async fn live(&self) {
        for n in 0..COUNT {
            assert_eq!(self.post_webhook(n, n, &notification(&json!(app(n)))).await, 200);
            let only = |touches: Vec<Touch>, expected: &[Touch]| {
                assert!(!touches.is_empty());
                assert!(touches.iter().all(|touch| expected.contains(touch)), "{n}: {touches:?}");
            };
            only(self.take(), &[Touch::Put("inbox", app(n))]);
            for (group, body) in self.take_messages("inbox") {
                self.heed(&group, &body).await.unwrap();
            }
            let own = [
                Touch::Read(app(n)),
                Touch::Written(app(n)),
                Touch::TokenRead(app(n)),
                Touch::Budgeted(app(n)),
                Touch::Put("bot-events", app(n)),
            ];
            only(self.take(), &own);
            for (group, body) in self.take_messages("bot-events") {
                self.dispatch(&group, &body).await.unwrap();
            }
            only(
                self.take(),
                &[Touch::Read(app(n)), Touch::Written(app(n)), Touch::Told(bot(n)), Touch::Fares(bot(n))],
            );
            let told = self.take_told();
            assert!(told.iter().any(|(_, event)| event.to_string().contains(&words(n))), "{n}: {told:?}");
            let reply = json!({
                "v": 1, "id": "own", "type": "reply", "data": { "content": [{ "type": "text", "text": format!("answer to {}", words(n)) }] },
                "conversation": { "intercom": { "app_id": app(n), "conversationId": CONVERSATION } }
            });
            let wrapped = json!({ "kind": "command", "v": 1, "bot": bot(n), "command": reply });
            assert_eq!(self.work_ours(Lane::Replies, &wrapped.to_string()).await.as_deref(), Ok("carried_out"));
            only(self.take(), &own);
            for (group, body) in self.take_messages("bot-events") {
                self.dispatch(&group, &body).await.unwrap();
            }
            self.take();
            assert!(self.take_told().iter().any(|(to, event)| *to == bot(n) && event["type"] == "command_done"));
        }
    }

    /// In every workspace of Intercom there is what its own bot said, once, and nothing else of a bot's.
    pub(crate) async fn end(self) {
        let http = shared::adapters::http::client(std::time::Duration::from_secs(5)).unwrap();
        for n in 0..COUNT {
            let call = http.get(format!("{}/conversations/{CONVERSATION}", self.sandbox.url()));
            let call = call.bearer_auth(access_token(n)).header("Intercom-Version", "2.15");
            let shown = call.send().await.unwrap().text().await.unwrap();
            assert!(!shown.contains("not yours"), "{shown}");
            assert_eq!(
                shown.matches(&format!("answer to {MARK}-of-")).count(),
                shown.matches(&format!("answer to {}", words(n))).count()
            );
            assert!(shown.contains(&format!("answer to {}", words(n))), "{shown}");
        }
        self.sandbox.stop().await.unwrap();
    }

    /// What was touched since the last call.
    pub(crate) fn take(&self) -> Vec<Touch> {
        with(|state| std::mem::take(&mut state.touches))
    }

    /// What lies on a queue; it is there no more.
    pub(crate) fn take_messages(&self, queue: &'static str) -> Vec<Message> {
        with(|state| state.queues.remove(queue).unwrap_or_default())
    }

    /// What was said to bots since the last call.
    pub(crate) fn take_told(&self) -> Vec<(String, Value)> {
        with(|state| std::mem::take(&mut state.told))
    }

    pub(crate) fn set_inbox_down(&self, down: bool) {
        with(|state| state.inbox_is_down = down);
    }

    /// A bot answers its next event so.
    pub(crate) fn answer_with(&self, n: usize, answer: &Value) {
        with(|state| state.answers.insert(bot(n), answer.clone()));
    }

    /// Somebody else's sealed token is put in a workspace's place; its own.
    pub(crate) fn swap_token(&self, mine: usize, theirs: usize) -> SealedToken {
        with(|state| {
            let row = state.tokens[&app(theirs)].clone();
            state.tokens.insert(app(mine), row).unwrap()
        })
    }

    pub(crate) fn give_token_back(&self, n: usize, row: SealedToken) {
        with(|state| state.tokens.insert(app(n), row));
    }

    /// So much time goes by that every token is read again.
    pub(crate) fn forget_known_tokens(&self) {
        with(|state| state.now += KNOWN_MS);
    }

    /// Posts a webhook at one's address, signed with another's secret; the status.
    pub(crate) async fn post_webhook(&self, at: usize, signed_by: usize, body: &Value) -> u16 {
        let body = body.to_string();
        let headers = json!({ "x-hub-signature": sign(body.as_bytes(), &client_secret(signed_by)) });
        let path = format!("path-of-{}", app(at));
        let address = format!("/intercom/{path}");
        let request = gateway_request("POST", &address, ("webhook_path", &path), &headers, body.as_bytes(), false);
        webhook_ingress::handle(&self.doors, &self.inbox, &request).await.status().as_u16()
    }

    /// Posts commands at one bot's address, signed with another's secret; the status.
    pub(crate) async fn post_commands(&self, at: usize, signed_by: usize, body: &Value) -> u16 {
        let (body, now) = (body.to_string(), Time.now());
        let key = Key::from_whsec(&bot_secret(signed_by)).unwrap();
        let headers = json!({
            "webhook-id": "msg_1",
            "webhook-timestamp": now.seconds().to_string(),
            "webhook-signature": signature::sign(&key, "msg_1", now, body.as_bytes()),
        });
        let address = format!("/bots/{}/commands", bot(at));
        let request = gateway_request("POST", &address, ("bot", &bot(at)), &headers, body.as_bytes(), false);
        bot_ingress::handle(&self.callers, &self.bots.queues, &Time, &request).await.status().as_u16()
    }

    /// A message that a bot has put on a queue itself, in somebody's group.
    pub(crate) async fn work(&self, lane: Lane, sender: usize, group: usize, body: &Value) -> Result<String, String> {
        let sender = format!("AROA{}:session", bot(sender).to_uppercase());
        self.handle(lane, &record(&sender, &key_of(group).to_string(), &body.to_string())).await
    }

    /// A message that one of our functions has put there.
    pub(crate) async fn work_ours(&self, lane: Lane, body: &str) -> Result<String, String> {
        self.handle(lane, &record(OURS, "group", body)).await
    }

    async fn handle(&self, lane: Lane, record: &SqsRecord) -> Result<String, String> {
        let office = if lane == Lane::Close { &self.closer } else { &self.replier };
        office.handle(record, self.deadline()).await.map(str::to_owned).map_err(|error| error.to_string())
    }

    pub(crate) async fn heed(&self, group: &str, body: &str) -> Result<&'static str, batch::NotHandled> {
        let record = record(OURS, group, body);
        conversation_router::handle(&self.desk, &self.replier.intercom, &record, self.deadline()).await
    }

    pub(crate) async fn dispatch(&self, group: &str, body: &str) -> Result<&'static str, batch::NotHandled> {
        bot_dispatch::handle(&self.desk, &self.bots, &record(OURS, group, body), self.deadline()).await
    }

    fn deadline(&self) -> Timestamp {
        Time.now().plus_ms(30_000)
    }

    pub(crate) fn key(&self, n: usize) -> ConversationKey {
        key_of(n)
    }

    pub(crate) fn workspace(&self, n: usize) -> Workspace {
        self.settings.workspaces[&AppId::parse(app(n)).unwrap()].clone()
    }

    pub(crate) fn bot(&self, n: usize) -> Bot {
        self.settings.bots[&BotId::parse(bot(n)).unwrap()].clone()
    }

    pub(crate) fn intercom(&self) -> &Api {
        &self.replier.intercom
    }

    pub(crate) fn set_key_down(&self, down: bool) {
        self.seals.set_down(down);
    }

    pub(crate) fn take_token_away(&self, n: usize) {
        with(|state| state.tokens.remove(&app(n)));
    }

    /// The reasons of what was parked since the last call, with their groups.
    pub(crate) fn take_parked(&self) -> Vec<(String, String)> {
        with(|state| std::mem::take(&mut state.parked))
    }

    /// What the parts that hold secrets show of themselves.
    pub(crate) fn shown(&self) -> String {
        format!("{:?} {:?} {:?} {:?}", self.doors, self.callers, self.replier.intercom, self.settings.local)
    }

    /// Messages of our own functions, worked through as a batch; some of the workers panic.
    pub(crate) async fn batch(&self, bodies: &[String]) {
        let records = bodies.iter().enumerate().map(|(n, body)| record(OURS, &key_of(n).to_string(), body));
        let batch = SqsBatch { records: records.collect() };
        for lane in [Lane::Replies, Lane::Close] {
            let office = if lane == Lane::Close { &self.closer } else { &self.replier };
            batch::work(&batch, &Keeper, |record| async move { office.handle(&record, self.deadline()).await }).await;
        }
        let late = Time.now();
        batch::work(&batch, &Keeper, |record| async move {
            conversation_router::handle(&self.desk, &self.replier.intercom, &record, late).await
        })
        .await;
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        batch::work(&batch, &Keeper, |record| async move { panic!("{}", record.body) }).await;
        std::panic::set_hook(hook);
    }

    /// A message of the inbox, worked through as a batch.
    pub(crate) async fn batch_of_the_inbox(&self, body: &str) {
        let batch = SqsBatch { records: vec![record(OURS, &key_of(0).to_string(), body)] };
        batch::work(&batch, &Keeper, |record| async move {
            conversation_router::handle(&self.desk, &self.replier.intercom, &record, self.deadline()).await
        })
        .await;
    }

    /// A customer's words, on their way to the bot.
    pub(crate) fn event(&self, n: usize) -> PendingEvent {
        let message = shared::domain::content::Message {
            part_id: None,
            author: shared::domain::content::Author {
                kind: shared::domain::content::AuthorKind::Customer,
                id: "c".to_owned(),
                name: None,
            },
            body: Some(shared::domain::content::Body::html(words(n))),
            attachments: Vec::new(),
            created_at: Time.now(),
            pressed: None,
            choice: None,
        };
        PendingEvent {
            seq: 1_000,
            epoch: 1,
            occurred_at: Time.now(),
            bot: BotId::parse(bot(n)).unwrap(),
            kind: shared::domain::conversation::EventKind::Message { message, earlier: Vec::new() },
            of: None,
            attempts: 0,
            due_at: Time.now(),
        }
    }

    /// A customer of one workspace writes, and its bot is told.
    pub(crate) async fn happens(&self, n: usize) {
        let key = key_of(n);
        let stored = with(|state| state.rows[&key.to_string()].clone());
        let mut state = stored.conversation;
        state.events.push_back(self.event(n));
        with(|world| world.rows.insert(key.to_string(), Stored { conversation: state, version: stored.version }));
        let wake = json!({ "kind": "wake", "v": 1, "app_id": app(n), "conversation_id": CONVERSATION });
        self.dispatch(&key.to_string(), &wake.to_string()).await.unwrap();
    }

    /// Looks at a workspace's conversation in Intercom.
    pub(crate) async fn look_in_intercom(&self, n: usize) -> Result<(), String> {
        let workspace = &self.settings.workspaces[&AppId::parse(app(n)).unwrap()];
        let id = ConversationId::parse(CONVERSATION).unwrap();
        let seen = self.replier.intercom.observe(workspace, &id, false).await;
        seen.map(drop).map_err(|error| error.to_string())
    }

    /// Whether a workspace's budget admits a reply now.
    pub(crate) async fn admits(&self, n: usize) -> bool {
        let call = Call { urgency: Urgency::Reply, requests: 1 };
        self.replier.intercom.admit(&self.workspace(n), CONVERSATION, call).await.is_ok()
    }

    /// Intercom answers a workspace's next request with a 429.
    pub(crate) async fn limit_in_intercom(&self, n: usize) {
        let http = shared::adapters::http::client(std::time::Duration::from_secs(5)).unwrap();
        let fault = json!({ "match": { "app_id": app(n) }, "fault": "rate_limit", "times": 1 });
        let url = format!("{}/_sandbox/faults", self.sandbox.url());
        http.post(url).json(&fault).send().await.unwrap().error_for_status().unwrap();
    }

    /// Whose budgets there are.
    pub(crate) fn budgets(&self) -> Vec<String> {
        with(|state| state.budgets.keys().cloned().collect())
    }

    /// So much time goes by that every window is over.
    pub(crate) fn windows_end(&self) {
        with(|state| state.now += 120_000);
    }

    /// What the inbox did not take goes back, each into its own group.
    pub(crate) async fn keeps_apart_what_is_put_back(&self) {
        self.set_inbox_down(true);
        for n in 0..COUNT {
            assert_eq!(self.post_webhook(n, n, &notification(&json!(app(n)))).await, 200);
            assert_eq!(self.take(), [Touch::Kept(app(n))]);
        }
        self.set_inbox_down(false);
        let back = put_back(&self.inbox.queue, &self.inbox.rows, &Time, self.deadline()).await.unwrap();
        assert_eq!(back.put as usize, COUNT);
        self.take();
        let messages = self.take_messages("inbox");
        assert_eq!(messages.len(), COUNT);
        for (group, body) in messages {
            let message: Value = serde_json::from_str(&body).unwrap();
            assert_eq!(message["app_id"], whose(&group));
        }
    }

    /// One workspace's timer wakes that workspace's conversation.
    pub(crate) async fn keeps_apart_what_is_due(&self) {
        for n in 0..COUNT {
            let name = key_of(n).to_string();
            let before = with(|state| state.rows[&name].clone());
            let paused =
                Conversation { control: Control::Paused, resume_at: Some(Time.now()), ..before.conversation.clone() };
            with(|state| state.rows.insert(name.clone(), Stored { conversation: paused, ..before.clone() }));
            let swept = sweep(&self.desk).await.unwrap();
            assert_eq!((swept.due, swept.woken), (1, 1), "{n}");
            assert_eq!(self.take(), [Touch::Read(app(n)), Touch::Put("inbox", app(n))]);
            with(|state| state.rows.insert(name, before));
        }
        self.take_messages("inbox");
    }

    /// Each workspace is searched with its own token, from its own bookmark, and rings its own bell;
    /// one whose token is another's is not searched, and keeps nobody from it.
    pub(crate) async fn keeps_apart_what_is_searched(&self) {
        let deadline = || Time.now().plus_ms(600_000);
        catch_up(&self.desk, &self.replier.intercom, deadline()).await.unwrap();
        with(|state| {
            state.now = Self::real_now();
            for mark in state.marks.values_mut() {
                mark.since = Timestamp(state.now - 3_600_000);
            }
            for n in 0..COUNT {
                state.rows.remove(&key_of(n).to_string());
            }
        });
        let kept = self.swap_token(7, 8);
        self.take();
        let found = catch_up(&self.desk, &self.replier.intercom, deadline()).await.unwrap();
        assert_eq!((found.changed as usize, found.rung as usize), (COUNT - 1, COUNT - 1), "all but one");
        let mut turn = String::new();
        for touch in self.take() {
            match touch {
                Touch::Marked(app_id) => turn = app_id,
                Touch::Read(app_id)
                | Touch::TokenRead(app_id)
                | Touch::Budgeted(app_id)
                | Touch::Put("inbox", app_id) => assert_eq!(app_id, turn),
                other => panic!("{other:?}"),
            }
        }
        let rung: Vec<_> = self.take_messages("inbox").into_iter().map(|(group, _)| whose(&group)).collect();
        assert_eq!(rung, (0..COUNT).filter(|n| *n != 7).map(app).collect::<Vec<_>>());
        self.give_token_back(7, kept);
    }

    #[expect(clippy::disallowed_methods, reason = "the sandbox's conversations are as old as the test")]
    fn real_now() -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis()).unwrap()
    }

    /// What cannot be read is parked in the group that it came in, and its reason says nothing of it.
    pub(crate) async fn parks_in_the_own_group(&self) {
        let records =
            (0..COUNT).map(|n| record("AROASTRANGER", &key_of(n).to_string(), &format!("{{\"{}\"", words(n))));
        let batch = SqsBatch { records: records.collect() };
        let answer =
            batch::work(&batch, &Keeper, |record| async move { self.replier.handle(&record, self.deadline()).await });
        assert!(answer.await.batch_item_failures.is_empty());
        let parked = with(|state| std::mem::take(&mut state.parked));
        assert_eq!(
            parked.iter().map(|(group, _)| group.clone()).collect::<Vec<_>>(),
            (0..COUNT).map(|n| key_of(n).to_string()).collect::<Vec<_>>()
        );
        assert!(parked.iter().all(|(_, why)| !why.contains(MARK)), "{parked:?}");
        assert_eq!(self.take(), []);
    }
}

fn record(sender: &str, group: &str, body: &str) -> SqsRecord {
    let json = json!({
        "messageId": format!("m-{group}"), "receiptHandle": "r", "body": body,
        "attributes": { "SenderId": sender, "MessageGroupId": group, "ApproximateReceiveCount": "1" }
    });
    serde_json::from_value(json).unwrap()
}

fn settings(way: Way, api_url: &str) -> Settings {
    let mut text = "local = true\n".to_owned();
    for n in 0..COUNT {
        let (app, bot) = (app(n), bot(n));
        text.push_str(&format!(
            "[[workspace]]\napp_id = \"{app}\"\nwebhook_path = \"path-of-{app}\"\nregion = \"us\"\napi_url = \"{api_url}\"\n\
             client_secret = \"secret:{app}\"\nbot_teammate = \"900001\"\nbot_teams = [\"500009\"]\nbot = \"{bot}\"\n"
        ));
        let transport = match way {
            Way::Https => {
                format!("transport = \"https\"\nurl = \"http://127.0.0.1:9/{bot}\"\nsecret = \"secret:{bot}\"\n")
            }
            Way::Sqs => format!(
                "transport = \"sqs\"\nqueue_url = \"http://127.0.0.1:9/1/{bot}.fifo\"\nsender_id = \"AROA{}\"\n",
                bot.to_uppercase()
            ),
        };
        text.push_str(&format!("[[bot]]\nid = \"{bot}\"\n{transport}"));
    }
    shared::wire::settings::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn seed() -> Seed {
    let workspace = |n: usize| {
        json!({
            "app_id": app(n), "name": app(n), "client_secret": client_secret(n),
            "access_tokens": [{ "token": access_token(n), "admin_id": "900001", "app_package_code": "baton" }],
            "admins": [
                { "id": "900001", "name": "Bot", "email": "bot@sandbox.example", "has_inbox_seat": true },
                { "id": "900002", "name": "Alice", "email": "alice@sandbox.example", "has_inbox_seat": true }
            ],
            "teams": [{ "id": "500009", "name": "Bot", "admin_ids": ["900001"] }],
            "contacts": [{ "id": "65a0c0ffee0000000000c001", "role": "user", "name": format!("{MARK} Carla"), "email": format!("{MARK}@customer.example") }]
        })
    };
    let seed = json!({ "workspaces": (0..COUNT).map(workspace).collect::<Vec<_>>() });
    serde_json::from_value(seed).unwrap()
}
