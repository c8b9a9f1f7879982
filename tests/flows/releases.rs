//! Two releases side by side: a row that another release has written is read, and the conversation
//! goes on from it. The rows in `rows/` were written by the release in their name; they stay as they
//! are, whatever is added to a row later.

use baton_tests::{Bridge, now, reply};
use serde_json::json;
use shared::domain::command::{Ask, HandoverTarget};
use shared::domain::content::AuthorKind;
use shared::domain::conversation::{Action, Control, Conversation, EventKind, Lane};
use shared::domain::ids::TeamId;
use shared::domain::part::Assignee;
use shared::ports::{Clock as _, Conversations as _};
use shared::testing::{SUPPORT, Scene, Surprise, key};

/// A reply in doubt, and behind it a hand-over with all that can be in one; the bot has events to take.
fn busy() -> (Scene, Bridge) {
    let mut scene = Scene::new("When are you open?");
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.asked("c1", reply("9 to 18")).unwrap();
    let _ = bridge.told();
    bridge.notified(scene.customer("A human, please"));
    bridge.intercom.expect([Surprise::AnswerLost]);
    bridge.asked("c2", reply("Of course")).unwrap_err();
    let words = |value: serde_json::Value| value.as_object().cloned().unwrap();
    let handover = Ask::Handover {
        to: HandoverTarget::Team(TeamId::parse(SUPPORT).unwrap()),
        reason: Some("asked for a human".to_owned()),
        note: Some("Wants **Alice**".to_owned()),
        content: Vec::new(),
        tags: vec!["vip".to_owned()],
        attributes: words(json!({ "plan": "team", "seats": 3 })),
    };
    bridge.asked("c3", handover).unwrap_err();
    (scene, bridge)
}

/// People have it, and have spoken.
fn with_people() -> (Scene, Bridge) {
    let mut scene = Scene::new("When are you open?");
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.asked("c1", reply("9 to 18")).unwrap();
    scene.assign(AuthorKind::Other, Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
    bridge.notified(&scene);
    bridge.notified(scene.alice("Friday"));
    bridge.notified(scene.customer("In the morning?"));
    let _ = bridge.told();
    (scene, bridge)
}

/// Puts the row of another release in the place of the present one.
fn rewritten(bridge: &Bridge, row: &str) {
    let theirs: Conversation = serde_json::from_str(row).unwrap();
    let ours = now(bridge.desk.store.load(&key())).unwrap();
    assert_eq!(theirs.control, ours.conversation.control);
    let at = bridge.desk.clock.now();
    now(bridge.desk.store.save(&key(), &theirs, ours.version, at)).unwrap();
}

/// The kinds of events: their parts' ids count on from story to story.
fn kinds(told: &[EventKind]) -> Vec<&'static str> {
    told.iter().map(EventKind::as_str).collect()
}

fn busy_to_its_end(row: Option<&str>) -> (Vec<String>, Vec<Action>, Vec<&'static str>) {
    let (_, bridge) = busy();
    bridge.intercom.take_performed();
    row.into_iter().for_each(|row| rewritten(&bridge, row));
    bridge.desk.clock.advance_ms(600_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    (bridge.bots_words(), bridge.intercom.take_performed(), kinds(&bridge.told()))
}

#[test]
fn what_the_first_release_left_half_done_is_done() {
    let theirs = busy_to_its_end(Some(include_str!("rows/0.1.0-busy.json")));
    assert_eq!(theirs, busy_to_its_end(None));
    let (said, done, told) = theirs;
    assert_eq!(said, ["9 to 18", "Of course"], "the doubtful reply is not said again");
    assert_eq!(done.len(), 4, "tag, attributes, note, assignment: {done:?}");
    assert_eq!(told, ["message", "handover_waiting", "command_done", "command_done"]);
}

#[test]
fn a_conversation_that_people_had_under_the_first_release_comes_back_to_the_bot() {
    let story = |row: Option<&str>| {
        let (mut scene, bridge) = with_people();
        row.into_iter().for_each(|row| rewritten(&bridge, row));
        bridge.asked("c2", reply("Me too!")).unwrap();
        let mut told = bridge.told();
        bridge.notified(scene.give_back());
        told.extend(bridge.told());
        assert_eq!(bridge.state().control, Control::Bot);
        kinds(&told)
    };
    let told = story(Some(include_str!("rows/0.1.0-with-people.json")));
    assert_eq!(told, story(None));
    assert_eq!(told, ["command_superseded", "resumed", "message"]);
}

#[test]
fn a_row_with_what_a_later_release_added_is_read() {
    let mut row: serde_json::Value = serde_json::from_str(include_str!("rows/0.1.0-busy.json")).unwrap();
    row["of_a_later_release"] = json!({ "anything": [1, 2, 3] });
    row["outbox"][0]["of_a_later_release"] = json!("anything");
    row["events"][0]["of_a_later_release"] = json!(null);
    assert_eq!(busy_to_its_end(Some(&row.to_string())), busy_to_its_end(None));
}
