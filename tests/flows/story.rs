//! What people and bots do with each other.

use baton_tests::{Bridge, at, reply};
use shared::app::heed::News;
use shared::domain::command::{Ask, HandoverTarget};
use shared::domain::content::AuthorKind;
use shared::domain::conversation::{Action, Control, EventKind};
use shared::domain::ids::{AdminId, TeamId};
use shared::domain::part::{Assignee, PartKind};
use shared::domain::settings::Reopened;
use shared::ports::Worker;
use shared::testing::{SUPPORT, Scene, Surprise, key};

fn handover(reason: &str) -> Ask {
    Ask::Handover {
        to: HandoverTarget::Default,
        reason: Some(reason.to_owned()),
        note: None,
        content: Vec::new(),
        tags: vec!["bot".to_owned()],
        attributes: serde_json::Map::new(),
    }
}

fn close(reason: &str) -> Ask {
    baton_tests::close(Some(reason))
}

fn words(events: &[EventKind]) -> Vec<String> {
    let text = |message: &shared::domain::content::Message| {
        message.body.as_ref().map(shared::domain::incoming::text).unwrap_or_default()
    };
    let word = |event: &EventKind| match event {
        EventKind::Message { message, .. } => format!("message: {}", text(message)),
        EventKind::Resumed { stretch } => {
            format!("resumed: {}", stretch.iter().map(text).collect::<Vec<_>>().join(" | "))
        }
        EventKind::AgentJoined { name, .. } => format!("agent_joined: {}", name.clone().unwrap_or_default()),
        EventKind::HandoverWaiting { team } => {
            format!("handover_waiting: {}", team.as_ref().map_or("-", |team| team.as_str()))
        }
        EventKind::CommandDone { command_id, .. } => format!("done: {command_id}"),
        EventKind::CommandRejected { command_id, code, .. } => format!("rejected: {command_id} {code}"),
        EventKind::CommandSuperseded { command_id, .. } => format!("superseded: {command_id}"),
        EventKind::Closed { by_bot } => format!("closed: {by_bot}"),
        other => format!("{other:?}"),
    };
    events.iter().map(word).collect()
}

#[test]
fn a_conversation_goes_its_whole_way() {
    let mut scene = Scene::new("When are you open?");
    scene.assign_to_bot();
    let bridge = Bridge::before(&scene);
    bridge.notified(&scene);
    assert_eq!(words(&bridge.told()), ["message: When are you open?"]);
    bridge.asked("c1", reply("9 to 18")).unwrap();
    assert_eq!(words(&bridge.told()), ["done: c1"]);

    bridge.notified(scene.customer("A human, please"));
    assert_eq!(words(&bridge.told()), ["message: A human, please"]);
    bridge.asked("c2", handover("asked for a human")).unwrap();
    assert_eq!(bridge.intercom.assignee(), Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
    assert_eq!(words(&bridge.told()), ["handover_waiting: 500001", "done: c2"]);

    scene.assign(AuthorKind::Other, Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
    bridge.notified(scene.alice("Friday"));
    bridge.notified(scene.customer("In the morning?"));
    assert_eq!(words(&bridge.told()), ["agent_joined: Alice"], "the bot is not asked while people have it");
    bridge.asked("c3", reply("Me too!")).unwrap();
    assert_eq!(words(&bridge.told()), ["superseded: c3"]);

    bridge.notified(scene.give_back());
    assert_eq!(words(&bridge.told()), ["resumed: Friday", "message: In the morning?"]);
    bridge.asked("c4", reply("Yes")).unwrap();
    bridge.asked("c5", close("Glad to help")).unwrap();
    assert_eq!(words(&bridge.told()), ["done: c4", "done: c5", "closed: true"]);
    assert_eq!(bridge.bots_words(), ["9 to 18", "Yes", "Glad to help"]);
    assert!(!bridge.intercom.shown().open);
    assert_eq!(bridge.state().control, Control::Closed);
}

#[test]
fn messages_from_before_the_assignment_are_answered_at_the_assignment() {
    let mut scene = Scene::new("Hello");
    let bridge = Bridge::before(&scene);
    bridge.notified(&scene);
    bridge.notified(scene.customer("Anybody there?"));
    assert!(bridge.desk.store.is_empty(), "nothing is kept of a conversation that the bot never had");
    bridge.notified(scene.assign_to_bot());
    assert_eq!(words(&bridge.told()), ["message: Hello", "message: Anybody there?"]);
}

#[test]
fn what_people_have_answered_is_not_answered_again() {
    let mut scene = Scene::new("Hello");
    scene.alice("Hi Carla").customer("And shipping?").assign_to_bot();
    let bridge = Bridge::before(&scene);
    bridge.notified(&scene);
    assert_eq!(words(&bridge.told()), ["resumed: Hello | Hi Carla", "message: And shipping?"]);
}

#[test]
fn a_webhook_that_was_missed_is_made_good_by_the_next() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    scene.customer("one"); // never notified
    bridge.notified(scene.customer("two"));
    assert_eq!(words(&bridge.told()), ["message: one", "message: two"]);
    assert_eq!(bridge.intercom.take_gets(), 1);
}

#[test]
fn webhooks_out_of_order_and_twice_are_told_in_order_and_once() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    scene.customer("one");
    let first = scene.notification();
    bridge.notified(scene.customer("two"));
    bridge.heard(&News::Shown(Box::new(first.clone()))).unwrap();
    bridge.heard(&News::Shown(Box::new(first))).unwrap();
    bridge.notified(&scene);
    assert_eq!(words(&bridge.told()), ["message: one", "message: two"]);
}

#[test]
fn a_message_costs_one_read_one_update_and_one_call() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.notified(scene.customer("one"));
    assert_eq!(bridge.desk.store.take_counts(), (1, 1));
    assert_eq!(bridge.desk.wakers.take(), [Worker::Dispatch]);
    assert_eq!(bridge.intercom.take_gets(), 0);
    bridge.asked("c1", reply("yes")).unwrap();
    assert_eq!(
        bridge.desk.store.take_counts(),
        (1, 2),
        "a reply is one read, and one update before and after the request"
    );
}

#[test]
fn our_own_reply_does_not_look_like_something_missed() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.asked("c1", reply("Hi")).unwrap();
    bridge.notified(scene.customer("one"));
    bridge.echoed();
    bridge.notified(scene.customer("two"));
    assert_eq!(bridge.intercom.take_gets(), 0);
    assert_eq!(words(&bridge.told()), ["done: c1", "message: one", "message: two"]);
}

#[test]
fn a_hand_over_brings_note_and_tag_before_it_assigns() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.asked("c1", handover("asked for a human")).unwrap();
    let order: Vec<&str> = bridge
        .intercom
        .take_performed()
        .iter()
        .map(|action| match action {
            Action::Tag { .. } => "tag",
            Action::Note { .. } => "note",
            Action::Assign { .. } => "assign",
            _ => "other",
        })
        .collect();
    assert_eq!(order, ["tag", "note", "assign"]);
    let notes: Vec<_> = bridge.intercom.shown().parts.into_iter().filter(|part| part.kind == PartKind::Note).collect();
    assert_eq!(notes.len(), 1);
}

#[test]
fn a_workflows_late_assignment_does_not_undo_the_hand_over_that_is_under_way() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.intercom.expect([Surprise::Limited { until: at(&bridge, 9_000) }]);
    assert!(bridge.asked("c1", handover("x")).is_err(), "Intercom is busy");
    bridge.notified(scene.assign_to_bot());
    assert_eq!(bridge.state().control, Control::Human);
    bridge.notified(scene.give_back());
    assert_eq!(bridge.state().control, Control::Bot, "a person who gives it back means it");
}

#[test]
fn a_paused_bot_resumes_by_itself_when_it_is_set_so() {
    let mut scene = Scene::default();
    let mut bridge = Bridge::with_the_bot(&mut scene);
    for workspace in bridge.desk.settings.workspaces.values_mut() {
        workspace.resume_after_minutes = Some(30);
    }
    bridge.notified(scene.alice("I am on it"));
    bridge.notified(scene.customer("Thanks"));
    assert_eq!(words(&bridge.told()), ["agent_joined: Alice"]);
    bridge.desk.clock.advance_ms(29 * 60_000);
    assert!(bridge.swept().is_empty());
    bridge.desk.clock.advance_ms(60_000);
    assert_eq!(bridge.swept(), [Worker::Router]);
    bridge.heard(&News::Due).unwrap();
    assert_eq!(words(&bridge.told()), ["resumed: I am on it", "message: Thanks"]);
    bridge.heard(&News::Due).unwrap();
    assert!(bridge.told().is_empty());
}

#[test]
fn a_reopened_conversation_is_whose_it_is_set_to_be() {
    for (reopened, control) in [(Reopened::Bot, Control::Bot), (Reopened::Human, Control::Paused)] {
        let mut scene = Scene::default();
        let mut bridge = Bridge::with_the_bot(&mut scene);
        for workspace in bridge.desk.settings.workspaces.values_mut() {
            workspace.reopened = reopened;
        }
        bridge.notified(scene.close());
        assert_eq!(words(&bridge.told()), ["closed: false"]);
        bridge.notified(scene.customer("One more thing"));
        assert_eq!(bridge.state().control, control);
        let told = words(&bridge.told());
        assert_eq!(told.contains(&"message: One more thing".to_owned()), reopened == Reopened::Bot, "{told:?}");
    }
}

#[test]
fn the_introduction_is_said_once_and_only_when_it_is_set() {
    let mut scene = Scene::default();
    scene.assign_to_bot();
    let mut bridge = Bridge::before(&scene);
    for workspace in bridge.desk.settings.workspaces.values_mut() {
        workspace.introduction = Some("I am a bot.".to_owned());
    }
    bridge.notified(&scene);
    bridge.carry_out(shared::domain::conversation::Lane::Replies, None).unwrap();
    bridge.notified(scene.alice_takes());
    bridge.notified(scene.give_back());
    bridge.carry_out(shared::domain::conversation::Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["I am a bot."]);
}

#[test]
fn fin_neither_silences_the_bot_nor_counts_as_an_answer() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.notified(scene.operator("You will be answered soon"));
    assert_eq!(bridge.state().control, Control::Bot);
    let mut scene = Scene::new("Hello");
    scene.operator("You will be answered soon").assign_to_bot();
    let bridge = Bridge::before(&scene);
    bridge.notified(&scene);
    assert_eq!(words(&bridge.told()), ["resumed: You will be answered soon", "message: Hello"]);
}

#[test]
fn a_deleted_conversation_is_over() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.intercom.delete();
    bridge.heard(&News::Doorbell).unwrap();
    assert_eq!(words(&bridge.told()), ["closed: false"]);
    bridge.asked("c1", reply("Hello?")).unwrap();
    assert_eq!(words(&bridge.told()), ["superseded: c1"]);
}

#[test]
fn a_bot_that_takes_nothing_loses_the_conversation_to_people() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    for number in 0..shared::domain::conversation::MAX_EVENTS {
        bridge.notified(scene.customer(&format!("message {number}")));
    }
    assert_eq!(bridge.state().control, Control::Human);
    bridge.carry_out(shared::domain::conversation::Lane::Replies, None).unwrap();
    assert_eq!(bridge.intercom.assignee(), Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
}

#[test]
fn a_bot_that_is_down_gets_everything_later_in_order() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.notified(scene.customer("one"));
    bridge.bots.refuse(2);
    assert!(bridge.try_tell().is_err());
    bridge.notified(scene.customer("two"));
    assert!(bridge.try_tell().is_err(), "not asked again before its time");
    bridge.desk.clock.advance_ms(5_000);
    assert!(bridge.try_tell().is_err());
    bridge.desk.clock.advance_ms(60_000);
    assert_eq!(bridge.swept(), [Worker::Dispatch], "the sweep finds what is due");
    assert_eq!(words(&bridge.told()), ["message: one", "message: two"]);
}

#[test]
fn a_hand_over_that_is_refused_falls_back_and_at_last_stays_with_the_bot() {
    let refused = || Surprise::Refused { code: "assignee_not_found" };
    let to_bob = || baton_tests::handover(HandoverTarget::Teammate(AdminId::parse("900003").unwrap()));
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.intercom.expect([refused()]);
    bridge.asked("c1", to_bob()).unwrap();
    assert_eq!(bridge.intercom.assignee(), Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
    assert_eq!(words(&bridge.told()), ["done: c1"]);

    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.intercom.expect([refused(), refused(), refused()]);
    bridge.asked("c1", to_bob()).unwrap();
    assert_eq!(words(&bridge.told()), ["rejected: c1 assignee_not_found"]);
    assert_eq!(bridge.swept(), [Worker::Router], "a customer is never left with nobody");
    bridge.heard(&News::Due).unwrap();
    assert_eq!(bridge.state().control, Control::Bot);
}

#[test]
fn another_bots_command_is_refused_and_leaves_no_trace() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    let before = bridge.state();
    let command = shared::domain::command::Command {
        id: shared::domain::ids::CommandId::parse("x").unwrap(),
        bot: shared::domain::ids::BotId::parse("other").unwrap(),
        digest: String::new(),
        epoch: None,
        seq: None,
        ask: reply("mine!"),
    };
    let report = bridge.carry_out(shared::domain::conversation::Lane::Replies, Some(&command)).unwrap();
    assert_eq!(report.refusal.map(|refusal| refusal.code), Some("unknown_conversation"));
    assert_eq!(bridge.state(), before);
    assert_eq!(key().app_id.as_str(), "abc123");
}
