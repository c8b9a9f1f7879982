//! Pauses: what follows is said later, nobody waits for it, and everything stays in order.

use baton_tests::{Bridge, at, close, handover, reply};
use shared::app::Unfinished;
use shared::domain::command::{Ask, HandoverTarget};
use shared::domain::content::{Block, TextFormat};
use shared::domain::conversation::{EventKind, Lane, Overtaker};
use shared::ports::Worker;
use shared::testing::{Scene, Surprise};

fn bridge() -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    (scene, bridge)
}

/// Words, with pauses of so many milliseconds between them.
fn said(words: &[&str], pause_ms: u64) -> Ask {
    let text = |words: &&str| Block::Text { text: (*words).to_owned(), format: TextFormat::Plain };
    let pause = Block::Pause { ms: pause_ms };
    Ask::Reply { content: words.iter().flat_map(|words| [pause.clone(), text(words)]).skip(1).collect() }
}

#[test]
fn what_follows_a_pause_is_due_when_it_is_over() {
    let (_, bridge) = bridge();
    let error = bridge.asked("c1", said(&["a", "b", "c"], 3_000)).unwrap_err();
    assert_eq!(error, Unfinished::Later { at: at(&bridge, 3_000), why: "due" });
    assert_eq!(bridge.bots_words(), ["a"]);
    assert!(bridge.told().is_empty(), "it is not done yet");
    bridge.desk.clock.advance_ms(2_999);
    assert!(bridge.carry_out(Lane::Replies, None).is_err(), "not before");
    assert!(bridge.swept().is_empty(), "and nobody is woken before");
    bridge.desk.clock.advance_ms(1);
    assert_eq!(bridge.swept(), [Worker::Reply], "the sweep finds what is due");
    assert!(bridge.carry_out(Lane::Replies, None).is_err());
    assert_eq!(bridge.bots_words(), ["a", "b"]);
    bridge.desk.clock.advance_ms(5_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["a", "b", "c"]);
    assert!(matches!(bridge.told()[..], [EventKind::CommandDone { .. }]), "once, with the last of it");
}

#[test]
fn a_pause_begins_when_what_is_before_it_has_arrived() {
    let (_, bridge) = bridge();
    let until = at(&bridge, 20_000);
    bridge.intercom.expect([Surprise::Limited { until }]);
    bridge.asked("c1", said(&["a", "b"], 3_000)).unwrap_err();
    bridge.desk.clock.advance_ms(20_000);
    let error = bridge.carry_out(Lane::Replies, None).unwrap_err();
    assert_eq!(error, Unfinished::Later { at: at(&bridge, 3_000), why: "due" });
    assert_eq!(bridge.bots_words(), ["a"]);
}

#[test]
fn what_the_bot_says_later_stays_behind_a_pause() {
    let (mut scene, bridge) = bridge();
    bridge.asked("c1", said(&["a", "b"], 3_000)).unwrap_err();
    bridge.notified(scene.customer("hm?"));
    bridge.asked("c2", reply("c")).unwrap_err();
    bridge.asked("c3", close(Some("bye"))).unwrap();
    assert_eq!(bridge.bots_words(), ["a"]);
    assert!(bridge.intercom.shown().open);
    bridge.desk.clock.advance_ms(3_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    bridge.carry_out(Lane::Close, None).unwrap();
    assert_eq!(bridge.bots_words(), ["a", "b", "c", "bye"]);
}

#[test]
fn who_takes_over_in_a_pause_is_not_spoken_over() {
    let (mut scene, bridge) = bridge();
    bridge.asked("c1", said(&["a", "b", "c"], 3_000)).unwrap_err();
    bridge.notified(scene.alice("I am here"));
    assert!(bridge.state().outbox.is_empty(), "nothing waits any more");
    bridge.desk.clock.advance_ms(60_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["a"]);
    let superseded = |event: &EventKind| matches!(event, EventKind::CommandSuperseded { by: Overtaker::Turn, .. });
    assert_eq!(bridge.told().iter().filter(|event| superseded(event)).count(), 1, "told once");
}

#[test]
fn a_hand_over_waits_for_what_was_said_before_it_pauses_and_all() {
    let (_, bridge) = bridge();
    bridge.asked("c1", said(&["a", "b"], 3_000)).unwrap_err();
    bridge.asked("c2", handover(HandoverTarget::Default)).unwrap_err();
    bridge.desk.clock.advance_ms(3_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["a", "b"]);
    assert!(bridge.state().outbox.is_empty());
}

#[test]
fn a_pause_in_front_counts_from_what_was_said_before() {
    let (_, bridge) = bridge();
    let Ask::Reply { mut content } = said(&["a"], 1) else { panic!() };
    content.insert(0, Block::Pause { ms: 2_000 });
    bridge.asked("c1", Ask::Reply { content }).unwrap_err();
    assert!(bridge.bots_words().is_empty());
    bridge.desk.clock.advance_ms(2_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["a"]);
}
