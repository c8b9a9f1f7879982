//! Nothing crosses workspaces: fifty of them, whose conversations have the same id, and every pair of
//! them with everything that one could try on the other, over the real handlers. Whatever is read,
//! written, put on a queue, sent to a bot or asked of Intercom is recorded by its workspace.
//!
//! First each workspace lives its own life, so that what is refused later is refused for whose it
//! is, and not for its form. And what is secret or said by somebody is never logged, on any of these ways.

mod canaries;
mod world;

use serde_json::{Value, json};
use shared::domain::conversation::Lane;
use world::{COUNT, Touch, World, app, bot};

/// Runs a test on one thread, as the functions run.
fn run(future: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, future);
}

/// Every ordered pair of two workspaces.
fn pairs() -> impl Iterator<Item = (usize, usize)> {
    (0..COUNT).flat_map(|a| (0..COUNT).filter(move |b| *b != a).map(move |b| (a, b)))
}

/// Everything that a bot can ask for.
fn asks() -> [(&'static str, Value); 7] {
    [
        ("reply", json!({ "content": [{ "type": "text", "text": "not yours" }] })),
        ("note", json!({ "text": "not yours" })),
        ("tag", json!({ "tags": ["not yours"] })),
        ("set_attributes", json!({ "attributes": { "Bot outcome": "not yours" } })),
        ("snooze", json!({ "until": 1_999_999_999 })),
        ("handover", json!({ "reason": "not yours" })),
        ("close", json!({ "reason": "not yours" })),
    ]
}

/// A command about workspace `b`'s conversation.
fn command(b: usize, kind: &str, data: &Value) -> Value {
    json!({
        "v": 1, "id": "c1", "type": kind, "data": data, "epoch": 1,
        "conversation": { "intercom": { "app_id": app(b), "conversationId": world::CONVERSATION } }
    })
}

/// What a bot's attempt at another's conversation may leave: one look at that conversation, to see
/// whose it is, and the word to that bot that it does not serve it.
async fn only_a_refusal(world: &World, a: usize, b: usize, what: &str) {
    let touches = world.take();
    let read = Touch::Read(app(b));
    let put = Touch::Put("bot-events", app(b));
    assert!(touches.iter().all(|touch| [&read, &put].contains(&touch)), "{what}, {a} on {b}: {touches:?}");
    assert!(touches.iter().filter(|touch| **touch == read).count() <= 1, "{what}, {a} on {b}: {touches:?}");
    let refusals = world.take_messages("bot-events");
    let [(group, body)] = &refusals[..] else { panic!("{what}, {a} on {b}: {refusals:?}") };
    assert_eq!(*group, format!("{}#{}#{}", app(b), world::CONVERSATION, bot(a)), "{what}");
    // It is told to the bot that asked, and says nothing of the conversation.
    world.dispatch(group, body).await.unwrap();
    let told = world.take_told();
    let [(to, event)] = &told[..] else { panic!("{what}, {a} on {b}: {told:?}") };
    assert_eq!((to.as_str(), event["type"].as_str()), (bot(a).as_str(), Some("command_rejected")), "{what}");
    assert_eq!((&event["seq"], &event["epoch"]), (&json!(0), &json!(0)), "{what}: {event}");
    assert!(!event.to_string().contains(&world::words(b)), "{what}: {event}");
    let touches = world.take();
    assert_eq!(touches, [Touch::Told(bot(a))], "{what}, {a} on {b}");
}

#[test]
fn a_webhook_reaches_only_the_workspace_whose_address_and_secret_it_has() {
    run(async {
        let world = World::begin(world::Way::Https).await;
        world.live().await;
        let mut attempts = 0;
        for (a, b) in pairs() {
            let names = [json!(app(b)), json!(format!("{}#{}", app(b), world::CONVERSATION)), json!([app(b)])];
            let theirs = names.map(|app_id| world::notification(&app_id));
            let tries = [
                // B's, at A's address, signed with A's secret, in three spellings.
                (a, a, &theirs[0]),
                (a, a, &theirs[1]),
                (a, a, &theirs[2]),
                // At B's address, signed with A's secret: B's, and A's own.
                (b, a, &theirs[0]),
                (b, a, &world::notification(&json!(app(a)))),
                // At A's address, signed with B's secret.
                (a, b, &theirs[0]),
            ];
            for (n, (at, signed_by, body)) in tries.into_iter().enumerate() {
                // Nor is anything kept in the table while the inbox is down.
                world.set_inbox_down((a + b + n) % 2 == 0);
                let status = world.post_webhook(at, signed_by, body).await;
                // What is signed but of no readable form is acknowledged, and goes nowhere.
                assert!(status == 401 || (status == 200 && body["app_id"].is_array()), "{a} {b}: {status}");
                assert_eq!(world.take(), [], "{a} {b}");
                attempts += 1;
            }
        }
        assert_eq!(attempts, COUNT * (COUNT - 1) * 6);
        world.end().await;
    });
}

#[test]
fn a_bot_over_sqs_commands_only_its_own_conversations() {
    run(async {
        let world = World::begin(world::Way::Sqs).await;
        world.live().await;
        let mut attempts = 0;
        for (a, b) in pairs() {
            for (kind, data) in asks() {
                let lanes = if kind == "close" { &[Lane::Replies, Lane::Close][..] } else { &[Lane::Replies][..] };
                for lane in lanes {
                    // Its own group, and the other's: a group says nothing.
                    for group in [a, b] {
                        let body = command(b, kind, &data);
                        let handled = world.work(*lane, a, group, &body).await;
                        if kind == "close" && *lane == Lane::Replies {
                            assert_eq!(handled.as_deref(), Ok("handed_on"), "{a} {b}");
                            assert_eq!(world.take(), [Touch::Put("close", app(b))]);
                            let handed_on = world.take_messages("close");
                            world.work_ours(Lane::Close, &handed_on[0].1).await.unwrap();
                        } else {
                            assert_eq!(handled.as_deref(), Ok("refused"), "{kind}, {a} on {b}");
                        }
                        only_a_refusal(&world, a, b, kind).await;
                        attempts += 1;
                    }
                }
            }
            // A command that cannot be read is answered too, without a look.
            let mut wrong = command(b, "reply", &json!({ "content": 7 }));
            assert_eq!(world.work(Lane::Replies, a, b, &wrong).await.as_deref(), Ok("refused"));
            only_a_refusal(&world, a, b, "malformed").await;
            // In the other bot's name: as our own functions speak, which a bot is not.
            wrong = json!({ "kind": "command", "v": 1, "bot": bot(b), "command": command(b, "note", &json!({ "text": "x" })) });
            for lane in [Lane::Replies, Lane::Close] {
                let refused = world.work(lane, a, b, &wrong).await.unwrap_err();
                assert!(refused.contains("may not write in a bot's name"), "{refused}");
                assert_eq!(world.take(), [], "{a} {b}");
            }
            // Waking another's worker is no more than what reconcile does: a look, and nothing said of it.
            let wake = json!({ "kind": "wake", "v": 1, "app_id": app(b), "conversation_id": world::CONVERSATION });
            assert_eq!(world.work(Lane::Replies, a, a, &wake).await.as_deref(), Ok("nothing_to_do"));
            assert_eq!(world.take(), [Touch::Read(app(b))]);
            attempts += 4;
        }
        assert_eq!(attempts, COUNT * (COUNT - 1) * (8 * 2 + 4));
        world.end().await;
    });
}

#[test]
fn a_bot_over_https_commands_only_its_own_conversations() {
    run(async {
        let world = World::begin(world::Way::Https).await;
        world.live().await;
        let mut attempts = 0;
        for (a, b) in pairs() {
            for (kind, data) in asks() {
                let body = json!({ "commands": [command(b, kind, &data)] });
                assert_eq!(world.post_commands(a, a, &body).await, 202, "it is known only later whose it is");
                assert_eq!(world.take(), [Touch::Put("replies", app(b))]);
                let (_, message) = world.take_messages("replies").remove(0);
                let mut handled = world.work_ours(Lane::Replies, &message).await;
                if kind == "close" {
                    assert_eq!(handled.as_deref(), Ok("handed_on"));
                    assert_eq!(world.take(), [Touch::Put("close", app(b))]);
                    handled = world.work_ours(Lane::Close, &world.take_messages("close").remove(0).1).await;
                }
                assert_eq!(handled.as_deref(), Ok("refused"), "{kind}, {a} on {b}");
                only_a_refusal(&world, a, b, kind).await;
                attempts += 1;
            }
            // At the other bot's address, and in its name.
            let body = json!({ "commands": [command(b, "note", &json!({ "text": "x" }))] });
            assert_eq!(world.post_commands(b, a, &body).await, 401);
            assert_eq!(world.take(), []);
            let mut named = command(b, "note", &json!({ "text": "x" }));
            named["bot"] = json!(bot(b));
            let status = world.post_commands(a, a, &named).await;
            if status == 202 {
                world.take();
                let (_, message) = world.take_messages("replies").remove(0);
                assert_eq!(world.work_ours(Lane::Replies, &message).await.as_deref(), Ok("refused"));
                only_a_refusal(&world, a, b, "named").await;
            } else {
                assert_eq!((status, world.take()), (400, vec![]));
            }
            // In the answer to an event of its own conversation.
            world.answer_with(a, &json!({ "commands": [command(b, "note", &json!({ "text": "x" }))] }));
            world.happens(a).await;
            world.take();
            world.take_told();
            for (_, message) in world.take_messages("replies") {
                assert_eq!(world.work_ours(Lane::Replies, &message).await.as_deref(), Ok("refused"));
                only_a_refusal(&world, a, b, "answer").await;
            }
            attempts += 3;
        }
        assert_eq!(attempts, COUNT * (COUNT - 1) * (7 + 3));
        world.end().await;
    });
}

/// Whoever may write to the table puts one workspace's sealed token in another's place.
#[test]
fn a_token_in_anothers_place_is_used_for_nobody() {
    run(async {
        let world = World::begin(world::Way::Https).await;
        world.live().await;
        let mut attempts = 0;
        for (a, b) in pairs() {
            world.forget_known_tokens();
            let kept = world.swap_token(a, b);
            let refused = world.look_in_intercom(a).await.unwrap_err();
            assert!(refused.contains("does not open"), "{refused}");
            world.give_token_back(a, kept);
            assert_eq!(world.take(), [Touch::TokenRead(app(a))], "{a} {b}");
            attempts += 1;
        }
        assert_eq!(attempts, COUNT * (COUNT - 1));
        world.end().await;
    });
}

/// Intercom refuses one workspace for its rate limit: that one's calls wait, and no other's; its budget is
/// the only one that says so.
#[test]
fn a_workspace_that_has_used_up_its_limit_holds_back_no_other() {
    run(async {
        let world = World::begin(world::Way::Https).await;
        world.live().await;
        let mut attempts = 0;
        for a in 0..COUNT {
            let before = world.budgets();
            world.limit_in_intercom(a).await;
            world.look_in_intercom(a).await.unwrap_err();
            let touches = world.take();
            let own = [Touch::TokenRead(app(a)), Touch::Budgeted(app(a))];
            assert!(touches.contains(&own[1]) && touches.iter().all(|touch| own.contains(touch)), "{a}: {touches:?}");
            let mut after = before.clone();
            after.push(app(a));
            after.sort();
            after.dedup();
            assert_eq!(world.budgets(), after, "{a}");
            for b in (0..COUNT).filter(|b| *b != a) {
                assert!(world.admits(b).await, "{a} holds {b} back");
                let touches = world.take();
                assert!(touches.iter().all(|touch| *touch == Touch::Budgeted(app(b))), "{a} {b}: {touches:?}");
                assert!(!world.admits(a).await, "{b} lets {a} go on");
                let touches = world.take();
                assert!(touches.iter().all(|touch| *touch == Touch::Budgeted(app(a))), "{a} {b}: {touches:?}");
                attempts += 2;
            }
            world.windows_end();
            assert!(world.admits(a).await, "its window is over");
            world.take();
        }
        assert_eq!(attempts, COUNT * (COUNT - 1) * 2);
        world.end().await;
    });
}

/// What runs for all workspaces at once: each one's rows, timers, notifications and searches stay
/// its own, also when one of them cannot be searched.
#[test]
fn reconcile_keeps_each_workspaces_things_apart() {
    run(async {
        let world = World::begin(world::Way::Https).await;
        world.live().await;
        world.keeps_apart_what_is_put_back().await;
        world.keeps_apart_what_is_due().await;
        world.keeps_apart_what_is_searched().await;
        world.parks_in_the_own_group().await;
        world.end().await;
    });
}
