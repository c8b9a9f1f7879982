//! Access tokens over the wire: rows and seals against an AWS on this machine, whose KMS holds every
//! call to its encryption context; and Intercom, which refuses one token and takes the next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use baton_cli::sandbox::{Options, Running, Sandbox};
use serde_json::{Value, json};
use shared::adapters::intercom::RestApi;
use shared::adapters::kms::KmsKey;
use shared::adapters::token_owner::owner_of;
use shared::adapters::token_rows::TokenTable;
use shared::app::pace::Paced;
use shared::app::tokens::{KNOWN_MS, Vault, put};
use shared::app::{Desk, Report, carry_out};
use shared::domain::conversation::{Action, Control, Conversation, Lane, Progress};
use shared::domain::ids::{AppId, BotId, ConversationKey, Timestamp};
use shared::domain::part::Part;
use shared::domain::settings::Workspace;
use shared::domain::step::Answer;
use shared::domain::token::{AccessToken, Binding, SealedToken};
use shared::ports::{Clock as _, Conversations as _, Intercom as _, NoToken, NotKept, NotShown, Seals, TokenRows};
use shared::testing::{
    FakeBudgets, FakeSeals, FakeStore, FakeTokenRows, FakeWakers, HeldTokens, ManualClock, Numbered, settings,
    workspace,
};

use super::aws::LocalAws;
use super::run;
use super::store::{answer_losing_proxy, create_table};

const NOW: Timestamp = Timestamp(1_768_040_000_000);

fn app(name: &str) -> AppId {
    AppId::parse(name).unwrap()
}

fn token(text: &str) -> AccessToken {
    AccessToken::parse(text).unwrap()
}

fn row(version: u64) -> SealedToken {
    SealedToken { version, sealed: vec![0, 255, u8::try_from(version).unwrap()], since: NOW.plus_ms(version) }
}

/// What every keeper of sealed tokens promises.
async fn keeps_its_promises(rows: &impl TokenRows) {
    let (one, other) = (app("abc123"), app("def456"));
    assert_eq!(rows.sealed(&one).await, Ok(None));
    assert_eq!(rows.keep(&one, &row(2)).await, Err(NotKept::Conflict), "there is none before it");
    for _ in 0..2 {
        assert_eq!(rows.keep(&one, &row(1)).await, Ok(()), "and its repetition");
        assert_eq!(rows.sealed(&one).await, Ok(Some(row(1))));
    }
    let late = SealedToken { sealed: vec![7], ..row(1) };
    assert_eq!(rows.keep(&one, &late).await, Err(NotKept::Conflict));
    assert_eq!(rows.keep(&one, &row(2)).await, Ok(()));
    assert_eq!(rows.keep(&one, &row(1)).await, Err(NotKept::Conflict), "an older one");
    assert_eq!(rows.sealed(&one).await, Ok(Some(row(2))));
    assert_eq!(rows.sealed(&other).await, Ok(None), "each workspace has its own");
}

/// What every seal promises.
async fn binds(seals: &impl Seals) {
    let binding = |app_id: &str, version| Binding { app_id: app(app_id), version };
    let secret = token("dG9rOmh1bnRlcjI=");
    let sealed = seals.seal(&binding("abc123", 1), &secret).await.unwrap();
    assert!(!sealed.windows(8).any(|window| secret.reveal().as_bytes().starts_with(window)));
    assert_eq!(seals.open(&binding("abc123", 1), &sealed).await, Ok(secret.clone()));
    for other in [binding("def456", 1), binding("abc123", 2), binding("abc12", 1)] {
        assert_eq!(seals.open(&other, &sealed).await, Err(NoToken::Spoilt), "{other:?}");
    }
    for blob in [&b""[..], b"rubbish", &sealed[..sealed.len() / 2]] {
        assert!(seals.open(&binding("abc123", 1), blob).await.is_err());
    }
    let again = seals.seal(&binding("abc123", 1), &secret).await.unwrap();
    assert_ne!(again, sealed, "the same token twice does not show");
}

async fn key(port: u16) -> KmsKey {
    let client = LocalAws::connection(port).kms();
    let made = client.create_key().send().await.unwrap();
    KmsKey::new(client, made.key_metadata.unwrap().arn.unwrap())
}

#[test]
fn the_fakes_keep_the_promises() {
    run(async {
        keeps_its_promises(&FakeTokenRows::default()).await;
        binds(&FakeSeals::default()).await;
    });
}

#[test]
fn dynamodb_and_kms_keep_the_promises_and_a_row_in_anothers_place_does_not_open() {
    let aws = LocalAws::start();
    run(async {
        create_table(aws.port).await;
        let rows = TokenTable::new(LocalAws::connection(aws.port).dynamodb(), "conversations");
        keeps_its_promises(&rows).await;
        let seals = key(aws.port).await;
        binds(&seals).await;

        // Two tenants; whoever may write to the table swaps their rows.
        let tenants = [app("tenant1"), app("tenant2")];
        let mut kept = Vec::new();
        for tenant in &tenants {
            kept.push(put(&rows, &seals, tenant, &token(&format!("of-{tenant}")), NOW).await.unwrap());
        }
        let vault = || Vault::new(rows.clone(), seals.clone(), ManualClock::at(NOW.0));
        for tenant in &tenants {
            let own = shared::ports::Tokens::token(&vault(), tenant).await;
            assert_eq!(own, Ok(token(&format!("of-{tenant}"))));
        }
        for (tenant, row) in tenants.iter().zip(kept.iter().rev()) {
            assert_eq!(rows.keep(tenant, &SealedToken { version: 2, ..row.clone() }).await, Ok(()));
            assert_eq!(shared::ports::Tokens::token(&vault(), tenant).await, Err(NoToken::Spoilt));
        }
        // Another key of the same account opens nothing of this one's.
        let stranger = key(aws.port).await;
        let binding = Binding { app_id: tenants[0].clone(), version: 1 };
        assert!(stranger.open(&binding, &kept[0].sealed).await.is_err());
    });
}

#[test]
fn a_put_whose_answer_was_lost_is_recognised_when_the_sdk_repeats_it() {
    let aws = LocalAws::start();
    run(async {
        create_table(aws.port).await;
        let lost = Arc::new(AtomicU32::new(0));
        let port = answer_losing_proxy(aws.port, "PutItem", Arc::clone(&lost)).await;
        let rows = TokenTable::new(LocalAws::connection(port).dynamodb(), "conversations");
        assert_eq!(rows.keep(&app("abc123"), &row(1)).await, Ok(()));
        assert_eq!(lost.load(Ordering::SeqCst), 2, "it was sent twice, and applied once");
    });
}

#[test]
fn a_kms_that_does_not_answer_is_an_outage_and_no_spoilt_token() {
    run(async {
        let nobody = KmsKey::new(LocalAws::connection(super::aws::free_port()).kms(), "alias/baton-tokens");
        let binding = Binding { app_id: app("abc123"), version: 1 };
        for outcome in [
            nobody.open(&binding, b"x").await.map(drop),
            nobody.seal(&binding, &token("t")).await.map(drop).map_err(Into::into),
        ] {
            assert!(matches!(&outcome, Err(NoToken::Unavailable(why)) if why.what == "KMS"), "{outcome:?}");
        }
    });
}

/// The sandbox, and a worker of a workspace there whose token is a row.
struct There {
    sandbox: Running,
    http: reqwest::Client,
    workspace: Workspace,
    key: ConversationKey,
    rows: FakeTokenRows,
    seals: FakeSeals,
    clock: ManualClock,
    api: Paced<RestApi<ManualClock, Vault<FakeTokenRows, FakeSeals, ManualClock>>, FakeBudgets, ManualClock>,
    desk: Desk<FakeStore, FakeWakers, ManualClock>,
    names: Numbered,
}

impl There {
    async fn start() -> Self {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let workspace = Workspace { app_id: app("sandbox1"), api_url: sandbox.url(), ..workspace() };
        let (rows, seals, clock) = (FakeTokenRows::default(), FakeSeals::default(), ManualClock::at(NOW.0));
        let api = RestApi::new(Vault::new(rows.clone(), seals.clone(), clock.clone()), clock.clone()).unwrap();
        let api = Paced::new(api, FakeBudgets::default(), clock.clone());
        let http = shared::adapters::http::client(std::time::Duration::from_secs(5)).unwrap();
        let url = format!("{}/_sandbox/sandbox1/conversations", sandbox.url());
        let body = json!({ "contact_name": "Carla", "body": "Hello" });
        let begun: Value = http.post(url).json(&body).send().await.unwrap().json().await.unwrap();
        let key = ConversationKey::parse("sandbox1", begun["conversation_id"].as_str().unwrap()).unwrap();
        let mut settings = settings();
        settings.workspaces = [(workspace.app_id.clone(), workspace.clone())].into();
        let (store, wakers) = (FakeStore::default(), FakeWakers::default());
        let desk = Desk { settings, store, wakers, clock: clock.clone() };
        Self { sandbox, http, workspace, key, rows, seals, clock, api, desk, names: Numbered::default() }
    }

    async fn put(&self, text: &str) {
        put(&self.rows, &self.seals, &self.workspace.app_id, &token(text), self.clock.now()).await.unwrap();
    }

    async fn reply(&self) -> Answer {
        let reply = Action::Reply { html: "<p>Hi</p>".to_owned(), attachment_urls: Vec::new(), offer: None };
        self.api.perform(&self.workspace, &self.key.conversation_id, &reply).await
    }

    /// How many requests Intercom got, and the words that the bot has said.
    async fn seen(&self) -> (usize, usize) {
        let url = format!("{}/_sandbox/requests?after=0", self.sandbox.url());
        let log: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        let count = log["requests"].as_array().unwrap().len();
        let shown = RestApi::new(HeldTokens::of(&[("sandbox1", "sandbox-token")]), self.clock.clone()).unwrap();
        let shown = shown.observe(&self.workspace, &self.key.conversation_id, false).await.unwrap();
        let is_the_bots = |part: &&Part| part.is_by(&self.workspace.bot_teammate) && part.message().is_some();
        (count, shown.parts.iter().filter(is_the_bots).count())
    }

    async fn work(&self, command: Option<&shared::domain::command::Command>) -> Report {
        let deadline = self.clock.now().plus_ms(30_000);
        carry_out::carry_out(&self.desk, &self.api, &self.names, Lane::Replies, &self.key, command, deadline)
            .await
            .unwrap()
    }
}

#[test]
fn a_refused_token_is_read_again_and_the_new_one_used_without_a_hidden_retry() {
    run(async {
        let there = There::start().await;
        there.put("revoked").await;
        let answer = there.reply().await;
        assert_eq!(answer, Answer::NotSent { retry_at: NOW.plus_ms(60_000) }, "there is no other token");
        there.put("sandbox-token").await;
        let (before, _) = there.seen().await;
        let answer = there.reply().await;
        assert_eq!(answer, Answer::NotSent { retry_at: NOW.plus_ms(100) }, "there is: soon");
        let (after, said) = there.seen().await;
        // The look itself is one request, too.
        assert_eq!((after - before - 1, said), (1, 0), "one call is one request");
        assert!(matches!(there.reply().await, Answer::Done { .. }));
        assert_eq!(there.seen().await.1, 1);
    });
}

#[test]
fn without_a_token_nothing_is_sent_and_somebody_must_act() {
    run(async {
        let there = There::start().await;
        let (before, _) = there.seen().await;
        assert_eq!(there.reply().await, Answer::NotSent { retry_at: NOW.plus_ms(60_000) });
        let seen = there.api.observe(&there.workspace, &there.key.conversation_id, false).await;
        assert!(matches!(&seen, Err(NotShown::Denied(why)) if why.contains("no access token")), "{seen:?}");
        let other = Binding { app_id: app("sandbox2"), version: 1 };
        let sealed = there.seals.seal(&other, &token("sandbox2-token")).await.unwrap();
        there.rows.forge(&there.workspace.app_id, Some(SealedToken { version: 1, sealed, since: NOW }));
        assert_eq!(there.reply().await, Answer::NotSent { retry_at: NOW.plus_ms(60_000) });
        assert_eq!(there.seen().await.0 - before - 1, 0, "no request was made");
    });
}

/// KMS is down for half an hour: what is known is used for five minutes, then what bots ask waits,
/// and is carried out once, in order, when KMS is back.
#[test]
fn an_outage_of_kms_loses_nothing_and_repeats_nothing() {
    run(async {
        let there = There::start().await;
        let bot = BotId::parse("demo").unwrap();
        let state = Conversation { control: Control::Bot, epoch: 1, bot: Some(bot.clone()), ..Conversation::default() };
        there.desk.store.save(&there.key, &state, 0, NOW).await.unwrap();
        there.put("sandbox-token").await;
        let command = |n: u64| shared::domain::command::Command {
            id: shared::domain::ids::CommandId::parse(format!("c{n}")).unwrap(),
            bot: bot.clone(),
            digest: format!("{n}"),
            epoch: Some(1),
            seq: None,
            ask: baton_tests::reply(&format!("number {n}")),
        };
        assert_eq!(there.work(Some(&command(0))).await.due, None);
        there.seals.set_down(true);
        assert_eq!(there.work(Some(&command(1))).await.due, None, "with the token that is known");
        there.clock.advance_ms(KNOWN_MS);
        let (before, said) = there.seen().await;
        assert_eq!(said, 2);
        there.desk.store.take_counts();
        for n in 2..32 {
            let report = there.work(Some(&command(n))).await;
            assert_eq!(there.desk.store.take_counts(), (1, 1), "recorded, and nothing claimed that would be released");
            assert!(report.due.is_some_and(|at| at > there.clock.now()), "it waits");
            there.clock.advance_ms(60_000);
        }
        let stored = there.desk.store.conversation(&there.key);
        assert_eq!(stored.outbox.len(), 30, "all of it is recorded");
        assert!(stored.outbox.iter().all(|entry| matches!(entry.progress, Progress::Pending { .. })));
        let (after, said) = there.seen().await;
        assert_eq!((after - before - 1, said), (0, 2), "nothing was sent");
        there.seals.set_down(false);
        while there.work(None).await.due.is_some() {
            there.clock.advance_ms(10_000);
        }
        assert_eq!(there.seen().await.1, 32, "each once");
        let shown = there.api.observe(&there.workspace, &there.key.conversation_id, false).await.unwrap();
        let words: Vec<_> = shown
            .parts_in_order()
            .into_iter()
            .filter(|part| part.is_by(&there.workspace.bot_teammate))
            .filter_map(|part| part.body.as_ref().map(shared::domain::incoming::text))
            .collect();
        assert_eq!(words, (0..32).map(|n| format!("number {n}")).collect::<Vec<_>>(), "in order");
    });
}

#[test]
fn intercom_says_whose_a_token_is() {
    run(async {
        let there = There::start().await;
        assert_eq!(owner_of(&there.workspace, &token("sandbox-token")).await, Ok(app("sandbox1")));
        let other = owner_of(&there.workspace, &token("sandbox2-token")).await;
        assert_eq!(other, Ok(app("sandbox2")), "of another workspace");
        let refused = owner_of(&there.workspace, &token("revoked")).await.unwrap_err();
        assert!(refused.contains("401") && !refused.contains("revoked"), "{refused}");
        let nowhere = Workspace { api_url: format!("http://127.0.0.1:{}", super::aws::free_port()), ..workspace() };
        assert!(owner_of(&nowhere, &token("x")).await.unwrap_err().contains("no connection"));
    });
}
