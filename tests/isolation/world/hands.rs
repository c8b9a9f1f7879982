//! What the tests do with the functions, and what they look at afterwards.

use baton_tests::{gateway_request, sign};
use serde_json::{Value, json};
use shared::app::tokens::KNOWN_MS;
use shared::domain::budget::{Call, Urgency};
use shared::domain::conversation::{Lane, PendingEvent};
use shared::domain::ids::{AppId, BotId, ConversationId, ConversationKey, Timestamp};
use shared::domain::settings::{Bot, Workspace};
use shared::domain::signature::{self, Key};
use shared::domain::token::SealedToken;
use shared::lambda::batch::{self, SqsBatch, SqsRecord};
use shared::ports::{Clock, Intercom as _, Pace as _, Stored};

use super::ports::{Keeper, Message, Time, Touch, with};
use super::{Api, CONVERSATION, OURS, World, app, bot, bot_secret, client_secret, key_of, record, words};

impl World {
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

    pub(super) fn deadline(&self) -> Timestamp {
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
}
