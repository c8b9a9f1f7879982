//! Intercom: the fake, and the REST adapter against the sandbox.

use std::path::PathBuf;

use baton_cli::sandbox::{Options, Running, Sandbox};
use serde_json::{Value, json};
use shared::adapters::clock::SystemClock;
use shared::adapters::intercom::RestApi;
use shared::domain::blocks;
use shared::domain::content::{AuthorKind, Block, Choice, QuickReplies, TextFormat};
use shared::domain::conversation::Action;
use shared::domain::ids::{AdminId, ConversationId, PartId, TeamId, Timestamp};
use shared::domain::incoming;
use shared::domain::part::{Assignee, PartKind};
use shared::domain::settings::{ApiVersion, Workspace};
use shared::domain::step::Answer;
use shared::ports::{Clock as _, Gauge as _, Intercom, NotShown, Search as _};
use shared::testing::{BOT, FakeIntercom, HeldTokens, Scene, workspace};

use super::aws::root;
use baton_cli::check::look_up;
use shared::domain::token::AccessToken;

use super::run;

fn text(html: &str) -> Action {
    Action::Reply { html: html.to_owned(), attachment_urls: Vec::new(), offer: None }
}

fn team(id: &str) -> Assignee {
    Assignee::Team(TeamId::parse(id).unwrap())
}

/// What every Intercom promises, about an open conversation that is assigned to nobody.
async fn keeps_its_promises(intercom: &impl Intercom, workspace: &Workspace, id: &ConversationId) {
    let before = intercom.observe(workspace, id, false).await.unwrap();
    assert!(before.complete && before.open && before.assignee == Assignee::Nobody);
    assert_eq!(before.source.as_ref().unwrap().author.kind, AuthorKind::Customer);

    let answer = intercom.perform(workspace, id, &text("<p>Hello <b>you</b></p>")).await;
    let Answer::Done { part_id: Some(reply) } = answer else { panic!("{answer:?}") };
    let answer = intercom.perform(workspace, id, &Action::Note { html: "<p>psst</p>".to_owned() }).await;
    let Answer::Done { part_id: Some(note) } = answer else { panic!("{answer:?}") };
    assert!(reply < note, "later parts have greater ids");
    let seen = intercom.observe(workspace, id, false).await.unwrap();
    let part = |id| seen.parts.iter().find(|part| part.id == id).unwrap();
    assert_eq!(incoming::comparable(part(reply.clone()).body.as_ref().unwrap()), "Helloyou");
    assert!(part(reply).is_by(&workspace.bot_teammate));
    assert_eq!((part(note.clone()).kind, part(note.clone()).message()), (PartKind::Note, None));
    assert!(seen.part_count >= Some(before.part_count.unwrap_or(0) + 2));

    keeps_its_promises_of_content(intercom, workspace, id, &note).await;

    let teammate = |id: &str| Assignee::Teammate(AdminId::parse(id).unwrap());
    // What goes from the bot's seat to a team is the team's alone.
    let bot = teammate(workspace.bot_teammate.as_str());
    for to in [team("500001"), bot.clone(), team("500001"), teammate("900002"), Assignee::Nobody, bot, team("500001")] {
        let assign = Action::Assign { to: to.clone(), fallbacks: Vec::new() };
        for _ in 0..2 {
            let answer = intercom.perform(workspace, id, &assign).await;
            assert!(matches!(answer, Answer::Done { .. }), "{to:?}: {answer:?}");
        }
        let assignee = intercom.observe(workspace, id, false).await.unwrap().assignee;
        assert_eq!(assignee, to);
    }
    for _ in 0..2 {
        let tag = Action::Tag { name: "vip, gold".to_owned() };
        assert!(matches!(intercom.perform(workspace, id, &tag).await, Answer::Done { .. }));
    }
    let snooze = Action::Snooze { until: SystemClock.now().plus_ms(3_600_000) };
    assert!(matches!(intercom.perform(workspace, id, &snooze).await, Answer::Done { .. }));
    let close = Action::Close { html: Some("<p>Bye</p>".to_owned()) };
    for _ in 0..2 {
        assert!(matches!(intercom.perform(workspace, id, &close).await, Answer::Done { .. }));
    }
    let seen = intercom.observe(workspace, id, false).await.unwrap();
    assert!(!seen.open);
    assert_eq!(seen.parts.iter().filter(|part| part.kind == PartKind::Close).count(), 1, "closed once");
    for _ in 0..2 {
        assert!(matches!(intercom.perform(workspace, id, &Action::Open).await, Answer::Done { .. }));
    }
    let seen = intercom.observe(workspace, id, false).await.unwrap();
    assert!(seen.open);
    assert_eq!(seen.parts.iter().filter(|part| part.kind == PartKind::Open).count(), 1, "opened once");
}

/// Buttons can be told from others, where there are any, and are no message of words; files are looked
/// up where there is a message for the customer, and a note is none.
async fn keeps_its_promises_of_content(
    intercom: &impl Intercom,
    workspace: &Workspace,
    id: &ConversationId,
    note: &PartId,
) {
    let choice = |label: &str| Choice { label: label.to_owned(), value: label.to_lowercase() };
    let content = [
        Block::Text { text: "Which?".to_owned(), format: TextFormat::Plain },
        Block::File { url: "https://files.example/a.pdf".to_owned(), name: None },
        Block::Options { text: None, options: vec![choice("Basic"), choice("Team")] },
    ];
    let mut last = None;
    for said in blocks::messages(&content, workspace.api_version, "c1") {
        let offered: Vec<String> = said
            .offer
            .iter()
            .filter(|offer| offer.buttons)
            .flat_map(|offer| offer.options.iter().map(|option| option.uuid.clone()))
            .collect();
        let reply = Action::Reply { html: said.html, attachment_urls: said.attachment_urls, offer: said.offer };
        let answer = intercom.perform(workspace, id, &reply).await;
        let Answer::Done { part_id: Some(part) } = answer else { panic!("{answer:?}") };
        let seen = intercom.observe(workspace, id, false).await.unwrap();
        let part = seen.parts.into_iter().find(|one| one.id == part).unwrap();
        assert_eq!(part.quick_replies, QuickReplies { offered: offered.clone(), pressed: None });
        assert_eq!(part.message().is_none(), !offered.is_empty(), "buttons alone say nothing");
        last = Some(part.id);
    }
    let shown = |part_id| async move { intercom.perform(workspace, id, &Action::Attachments { part_id }).await };
    assert!(matches!(shown(None).await, Answer::Shown { messages } if messages.len() == 1));
    assert!(matches!(shown(Some(note.clone())).await, Answer::Rejected { code, .. } if code == "unknown_message"));
    assert!(last.is_some());
}

#[test]
fn the_fake_keeps_intercoms_promises() {
    let fake = FakeIntercom::showing(Scene::default().whole(), BOT);
    run(keeps_its_promises(&fake, &workspace(), &ConversationId::parse("1").unwrap()));
}

/// Where the requests of these tests are kept, for the check against Intercom's descriptions.
fn record(test: &str) -> PathBuf {
    let directory = root().join(".local/test/requests");
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join(format!("contract-{test}.jsonl"));
    let _ = std::fs::remove_file(&file);
    file
}

/// The sandbox, a workspace there, and a conversation in it.
struct There {
    sandbox: Running,
    workspace: Workspace,
    id: ConversationId,
    api: RestApi<SystemClock, HeldTokens>,
    http: reqwest::Client,
}

impl There {
    async fn start(test: &str, version: &str) -> Self {
        let sandbox = Sandbox::start(Options { record: Some(record(test)), ..Options::default() }).await.unwrap();
        let mut workspace = workspace();
        workspace.app_id = shared::domain::ids::AppId::parse("sandbox1").unwrap();
        workspace.api_url = sandbox.url();
        workspace.api_version = ApiVersion::parse(version).unwrap();
        let api = RestApi::new(HeldTokens::of(&[("sandbox1", "sandbox-token")]), SystemClock).unwrap();
        let http = shared::adapters::http::client(std::time::Duration::from_secs(5)).unwrap();
        let mut there = Self { sandbox, workspace, id: ConversationId::parse("0").unwrap(), api, http };
        let started =
            there.control("sandbox1/conversations", &json!({ "contact_name": "Carla", "body": "Hello" })).await;
        there.id = ConversationId::parse(started["conversation_id"].as_str().unwrap()).unwrap();
        there
    }

    async fn control(&self, path: &str, body: &Value) -> Value {
        let url = format!("{}/_sandbox/{path}", self.sandbox.url());
        self.http.post(url).json(body).send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    async fn fault(&self, fault: &str, method: &str) {
        let body =
            json!({ "match": { "method": method, "path_contains": "/conversations" }, "fault": fault, "times": 1 });
        self.control("faults", &body).await;
    }

    /// The next such request waits before it is answered.
    async fn delay(&self, method: &str, path: &str, delay_ms: u64) {
        let of = json!({ "method": method, "path_contains": path });
        self.control("faults", &json!({ "match": of, "fault": "delay", "delay_ms": delay_ms, "times": 1 })).await;
    }

    /// Waits until the last fault has struck.
    async fn struck(&self) {
        let url = format!("{}/_sandbox/faults", self.sandbox.url());
        loop {
            let shown: Value = self.http.get(&url).send().await.unwrap().json().await.unwrap();
            let last = shown["faults"].as_array().unwrap().last().unwrap();
            if last["hits"] == 1 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// A teammate takes the conversation, by a request of their own.
    async fn takes(&self, admin_id: &str) {
        let body = json!({
            "message_type": "assignment", "type": "admin", "admin_id": admin_id, "assignee_id": admin_id
        });
        let call = self.http.post(format!("{}/conversations/{}/parts", self.sandbox.url(), self.id));
        let call = call.bearer_auth("sandbox-token").header("Intercom-Version", "2.15");
        call.json(&body).send().await.unwrap().error_for_status().unwrap();
    }

    /// The conversation as Intercom shows it.
    async fn item(&self) -> Value {
        let call = self.http.get(format!("{}/conversations/{}", self.sandbox.url(), self.id));
        let call = call.bearer_auth("sandbox-token").header("Intercom-Version", "2.15");
        call.send().await.unwrap().json().await.unwrap()
    }

    async fn requests(&self, method: &str) -> usize {
        let url = format!("{}/_sandbox/requests?after=0", self.sandbox.url());
        let log: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        log["requests"].as_array().unwrap().iter().filter(|request| request["method"] == method).count()
    }

    async fn words(&self) -> Vec<String> {
        let seen = self.api.observe(&self.workspace, &self.id, false).await.unwrap();
        let own = seen.parts.into_iter().filter(|part| part.is_by(&self.workspace.bot_teammate));
        own.filter_map(|part| part.body).map(|body| incoming::text(&body)).collect()
    }
}

#[test]
fn the_rest_api_keeps_intercoms_promises_in_every_version() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let there = There::start(&format!("promises-{version}"), version).await;
            keeps_its_promises(&there.api, &there.workspace, &there.id).await;
        });
    }
}

#[test]
fn the_customers_profile_comes_with_the_conversation() {
    run(async {
        let there = There::start("profile", "2.15").await;
        let seen = there.api.observe(&there.workspace, &there.id, true).await.unwrap();
        let profile = seen.profile.unwrap();
        assert!(profile.name.unwrap().starts_with("Carla"));
        assert!(profile.email.is_some() && profile.external_id.is_some() && !profile.contact_attributes.is_empty());
        assert_eq!(profile.role.as_deref(), Some("user"));
    });
}

#[test]
fn a_lost_answer_is_unknown_and_nothing_is_sent_twice() {
    run(async {
        let there = There::start("faults", "2.15").await;
        for (fault, arrives) in [("fail_before", false), ("fail_after", true), ("disconnect_after", true)] {
            let (before, posts) = (there.words().await.len(), there.requests("POST").await);
            there.fault(fault, "POST").await;
            let answer = there.api.perform(&there.workspace, &there.id, &text("<p>Hi</p>")).await;
            assert_eq!(answer, Answer::Unknown, "{fault}");
            assert_eq!(there.words().await.len() - before, usize::from(arrives), "{fault}");
            assert_eq!(there.requests("POST").await - posts, 1, "{fault}: no hidden retries");
        }
    });
}

#[test]
fn a_rate_limit_names_its_end_and_a_refusal_its_reason() {
    run(async {
        let there = There::start("limits", "2.15").await;
        there.fault("rate_limit", "POST").await;
        let now = SystemClock.now();
        let answer = there.api.perform(&there.workspace, &there.id, &text("<p>Hi</p>")).await;
        let Answer::NotSent { retry_at } = answer else { panic!("{answer:?}") };
        assert!(retry_at > now && retry_at <= now.plus_ms(61_000), "{retry_at:?}");

        let nobody = Action::Assign { to: team("404404"), fallbacks: Vec::new() };
        let answer = there.api.perform(&there.workspace, &there.id, &nobody).await;
        assert!(matches!(&answer, Answer::Rejected { code, .. } if code == "assignee_not_found"), "{answer:?}");
        let attributes = Action::SetAttributes { attributes: json!({ "no such": 1 }).as_object().unwrap().clone() };
        let answer = there.api.perform(&there.workspace, &there.id, &attributes).await;
        assert!(matches!(&answer, Answer::Rejected { code, .. } if code == "parameter_invalid"), "{answer:?}");
    });
}

#[test]
fn the_end_of_a_window_is_found_whatever_intercoms_clock_shows() {
    run(async {
        let there = There::start("skew", "2.15").await;
        there.control("clock", &json!({ "advance_seconds": 600 })).await;
        there.fault("rate_limit", "POST").await;
        let now = SystemClock.now();
        let answer = there.api.perform(&there.workspace, &there.id, &text("<p>Hi</p>")).await;
        let Answer::NotSent { retry_at } = answer else { panic!("{answer:?}") };
        assert!(retry_at > now && retry_at <= now.plus_ms(13_000), "{} ms", retry_at.0 - now.0);
        let heard = there.api.heard(&there.workspace.app_id).unwrap().reading.unwrap();
        assert!(heard.ends_at <= now.plus_ms(12_000), "{heard:?}");
    });
}

#[test]
fn answers_tell_how_much_of_the_limit_is_left_and_whether_the_token_is_taken() {
    run(async {
        let there = There::start("gauge", "2.15").await;
        let app_id = &there.workspace.app_id;
        assert_eq!(there.api.heard(app_id), None);
        there.api.observe(&there.workspace, &there.id, false).await.unwrap();
        let one = there.api.heard(app_id).unwrap();
        there.api.observe(&there.workspace, &there.id, true).await.unwrap();
        let three = there.api.heard(app_id).unwrap();
        assert_eq!((one.denied, three.denied), (Some(false), Some(false)));
        let (one, three) = (one.reading.unwrap(), three.reading.unwrap());
        assert_eq!((one.limit, one.remaining), (1_666, 1_665));
        assert!(three.ends_at > one.ends_at || three.remaining == 1_663, "{three:?}");
        let now = SystemClock.now();
        assert!(one.ends_at.plus_ms(11_000) > now && one.ends_at <= now.plus_ms(11_000), "{one:?}");
        assert_eq!(there.api.heard(app_id), None, "it is told once");

        there.fault("rate_limit", "POST").await;
        there.api.perform(&there.workspace, &there.id, &text("<p>Hi</p>")).await;
        assert_eq!(there.api.heard(app_id).unwrap().reading.unwrap().remaining, 0);

        let stranger = RestApi::new(HeldTokens::of(&[("sandbox1", "wrong")]), SystemClock).unwrap();
        stranger.observe(&there.workspace, &there.id, false).await.unwrap_err();
        assert_eq!(stranger.heard(app_id).unwrap().denied, Some(true));
    });
}

#[test]
fn nothing_is_handed_over_to_where_nobody_would_find_it() {
    run(async {
        let there = There::start("vacancies", "2.15").await;
        let dana = Assignee::Teammate(AdminId::parse("900004").unwrap());
        for (to, expected) in [(dana, "no_inbox_seat"), (team("500003"), "empty_team")] {
            let assign = Action::Assign { to, fallbacks: Vec::new() };
            let answer = there.api.perform(&there.workspace, &there.id, &assign).await;
            assert!(matches!(&answer, Answer::Rejected { code, .. } if code == expected), "{answer:?}");
        }
        let seen = there.api.observe(&there.workspace, &there.id, false).await.unwrap();
        assert_eq!(seen.assignee, Assignee::Nobody, "nothing was done");
        let assign = Action::Assign { to: team("500001"), fallbacks: Vec::new() };
        assert!(matches!(there.api.perform(&there.workspace, &there.id, &assign).await, Answer::Done { .. }));
    });
}

#[test]
fn what_the_settings_name_is_looked_up_in_the_workspace() {
    run(async {
        let there = There::start("look-up", "2.15").await;
        let check = |more: &str| {
            let text = format!(
                r#"
local = true
[[workspace]]
app_id = "sandbox1"
webhook_path = "acme-7f3k2q"
region = "us"
api_url = "{}"
client_secret = "secret:acme"
bot_teammate = "900001"
bot_teams = ["500009"]
bot = "demo"
{more}
[[bot]]
id = "demo"
transport = "https"
url = "http://127.0.0.1:4030/events"
secret = "secret:demo"
"#,
                there.sandbox.url()
            );
            shared::wire::settings::parse(&text).unwrap_or_else(|mistakes| panic!("{mistakes}"))
        };
        let token = AccessToken::parse("sandbox-token").unwrap();
        let good = check("[workspace.handover]\ndefault_team = \"500001\"");
        assert_eq!(look_up(&good, &token).await.unwrap(), ("sandbox1".to_owned(), Vec::new()));
        let rules = r#"
monitor = "500077"
[workspace.rules]
[[workspace.rules.rule]]
nodes = "a"
action = "send"
teammate = "900099"
[[workspace.rules.rule]]
nodes = "b"
action = "send"
teammate = "900004"
[[workspace.rules.rule]]
nodes = "c"
action = "send"
team = "500003"
[[workspace.rules.rule]]
nodes = "d"
action = "answer"
tags = ["VIP", "no such"]
"#;
        let (_, missing) = look_up(&check(rules), &token).await.unwrap();
        assert_eq!(
            missing,
            [
                "`monitor`: there is no team 500077",
                "line 15: there is no teammate 900099",
                "line 19: teammate 900004 has no inbox seat",
                "line 23: team 500003 has no members",
                "line 27: there is no tag \"no such\", so the rule cannot match by it",
            ]
        );
        let chats = r#"
[[workspace.transfer]]
bot = "demo"
[workspace.transfer.channels]
sms = "teammate:900004"
web = "team:500001"
[workspace.transfer.nobody]
after_minutes = 5
then = "team:500077"
"#;
        let (_, missing) = look_up(&check(chats), &token).await.unwrap();
        assert_eq!(
            missing,
            [
                "the channel `sms` of the bot demo: teammate 900004 has no inbox seat",
                "[workspace.transfer.nobody] of the bot demo: there is no team 500077",
            ]
        );
        let wrong = AccessToken::parse("wrong").unwrap();
        assert!(look_up(&good, &wrong).await.unwrap_err().contains("401"));
    });
}

#[test]
fn what_nobody_else_has_is_taken_and_what_somebody_has_is_left() {
    run(async {
        let there = There::start("taking", "2.15").await;
        let bot = Assignee::Teammate(there.workspace.bot_teammate.clone());
        let take = |from: Assignee| Action::Take { from };
        let answer = there.api.perform(&there.workspace, &there.id, &take(team("500001"))).await;
        assert!(matches!(&answer, Answer::Rejected { code, .. } if code == "taken"), "{answer:?}");
        let answer = there.api.perform(&there.workspace, &there.id, &take(Assignee::Nobody)).await;
        assert!(matches!(answer, Answer::Done { part_id: Some(_) }), "{answer:?}");
        let seen = there.api.observe(&there.workspace, &there.id, false).await.unwrap();
        assert_eq!(seen.assignee, bot);
        let answer = there.api.perform(&there.workspace, &there.id, &take(Assignee::Nobody)).await;
        assert!(matches!(answer, Answer::Done { part_id: None }), "it is the bot's already: {answer:?}");
        let closed = there.api.perform(&there.workspace, &there.id, &Action::Close { html: None }).await;
        assert!(matches!(closed, Answer::Done { .. }));
        let answer = there.api.perform(&there.workspace, &there.id, &take(bot)).await;
        assert!(matches!(&answer, Answer::Rejected { code, .. } if code == "taken"), "what is closed: {answer:?}");
    });
}

/// Who does not answer is taken off a conversation, and nobody else is; its team keeps it.
#[test]
fn only_who_does_not_answer_is_taken_off() {
    run(async {
        let there = There::start("unseat", "2.15").await;
        let assign = |to: Assignee| Action::Assign { to, fallbacks: Vec::new() };
        let alice = AdminId::parse("900002").unwrap();
        for to in [team("500001"), Assignee::Teammate(alice.clone())] {
            let answer = there.api.perform(&there.workspace, &there.id, &assign(to)).await;
            assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
        }
        let bob = Action::Unseat { teammate: AdminId::parse("900003").unwrap() };
        let answer = there.api.perform(&there.workspace, &there.id, &bob).await;
        assert_eq!(answer, Answer::Done { part_id: None }, "it is Alice's");
        assert_eq!(there.item().await["admin_assignee_id"].to_string().trim_matches('"'), "900002");
        let unseat = Action::Unseat { teammate: alice };
        for once in [true, false] {
            let answer = there.api.perform(&there.workspace, &there.id, &unseat).await;
            assert!(matches!(&answer, Answer::Done { part_id } if part_id.is_some() == once), "{answer:?}");
        }
        let seen = there.api.observe(&there.workspace, &there.id, false).await.unwrap();
        assert_eq!(seen.assignee, team("500001"));
    });
}

/// A hand-over to a team is two requests where the bot has the seat: the team gets it, and the bot leaves
/// the seat. Who took the seat meanwhile keeps it: the answer to the first request shows them.
#[test]
fn a_seat_that_a_teammate_takes_while_a_team_gets_the_conversation_is_not_left() {
    for taken in [false, true] {
        run(async {
            let there = There::start(&format!("seat-taken-{taken}"), "2.15").await;
            let bot = Assignee::Teammate(there.workspace.bot_teammate.clone());
            let assign = |to: Assignee| Action::Assign { to, fallbacks: Vec::new() };
            let answer = there.api.perform(&there.workspace, &there.id, &assign(bot)).await;
            assert!(matches!(answer, Answer::Done { .. }), "{answer:?}");
            let before = there.requests("POST").await;
            // The team is looked up after the conversation and before the first request.
            there.delay("GET", "/teams/500001", 3_600_000).await;
            let to_the_team = assign(team("500001"));
            let hands_over = there.api.perform(&there.workspace, &there.id, &to_the_team);
            let takes = async {
                there.struck().await;
                if taken {
                    there.takes("900002").await;
                }
                there.control("clock", &json!({ "advance_seconds": 3_601 })).await;
            };
            let (answer, ()) = futures_util::join!(hands_over, takes);
            assert!(matches!(answer, Answer::Done { part_id: Some(_) }), "{answer:?}");
            let (seen, item) =
                (there.api.observe(&there.workspace, &there.id, false).await.unwrap(), there.item().await);
            assert_eq!(item["team_assignee_id"].to_string().trim_matches('"'), "500001", "the team has it either way");
            let (holder, posts) =
                if taken { (Assignee::Teammate(AdminId::parse("900002").unwrap()), 1) } else { (team("500001"), 2) };
            assert_eq!(seen.assignee, holder);
            let own = there.requests("POST").await - before - usize::from(taken);
            assert_eq!(own, posts, "taken: {taken}");
            there.sandbox.stop().await.unwrap();
        });
    }
}

#[test]
fn what_is_gone_refused_or_not_there_is_told_apart() {
    run(async {
        let mut there = There::start("errors", "2.15").await;
        let nowhere = ConversationId::parse("404").unwrap();
        assert_eq!(there.api.observe(&there.workspace, &nowhere, false).await, Err(NotShown::Gone));
        let stranger = RestApi::new(HeldTokens::of(&[("sandbox1", "wrong")]), SystemClock).unwrap();
        assert!(matches!(stranger.observe(&there.workspace, &there.id, false).await, Err(NotShown::Denied(_))));
        let answer = stranger.perform(&there.workspace, &there.id, &text("<p>Hi</p>")).await;
        assert!(matches!(answer, Answer::NotSent { retry_at: Timestamp(_) }), "a token can be mended: {answer:?}");
        there.workspace.api_url = format!("http://127.0.0.1:{}", super::aws::free_port());
        let answer = there.api.perform(&there.workspace, &there.id, &text("<p>Hi</p>")).await;
        assert!(matches!(answer, Answer::NotSent { .. }), "it certainly was not sent: {answer:?}");
    });
}

#[test]
fn what_changed_is_found_page_by_page_in_every_version() {
    for version in ["2.10", "2.15", "2.16"] {
        run(async {
            let there = There::start(&format!("search-{version}"), version).await;
            let since = Timestamp(SystemClock.now().0 - 60_000);
            let to_bot =
                Action::Assign { to: Assignee::Teammate(there.workspace.bot_teammate.clone()), fallbacks: vec![] };
            there.api.perform(&there.workspace, &there.id, &to_bot).await;
            for n in 0..160 {
                let body = json!({ "contact_name": "Carla", "body": format!("{n}") });
                there.control("sandbox1/conversations", &body).await;
            }
            let first = there.api.changed(&there.workspace, since, None).await.unwrap();
            let next = first.next.as_deref().expect("there are more than a page holds");
            let second = there.api.changed(&there.workspace, since, Some(next)).await.unwrap();
            assert_eq!(second.next, None);
            let mut ids: Vec<_> = first.changed.iter().chain(&second.changed).map(|one| one.id.to_string()).collect();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), 161, "each once");
            let ours = first.changed.iter().chain(&second.changed).find(|one| one.id == there.id).unwrap();
            assert!(ours.shown.open && there.workspace.is_bots(&ours.shown.assignee) && ours.updated_at > since);
            assert!(ours.shown.part_count >= Some(1));
            let later = SystemClock.now().plus_ms(3_600_000);
            assert_eq!(there.api.changed(&there.workspace, later, None).await.unwrap().changed, []);
            assert_eq!(there.api.waiting_for_the_bot(&there.workspace, later).await, Ok(1));
            assert_eq!(there.api.waiting_for_the_bot(&there.workspace, since).await, Ok(0));
            there.sandbox.stop().await.unwrap();
        });
    }
}
