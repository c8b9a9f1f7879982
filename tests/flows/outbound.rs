//! The way to Intercom when something goes wrong on it: never twice, never lost, never over a
//! person.

use baton_tests::{Bridge, at, close, handover, reply};
use shared::app::Unfinished;
use shared::domain::command::{Ask, HandoverTarget};
use shared::domain::conversation::{Action, EventKind, Lane};
use shared::ports::Worker;
use shared::testing::{Scene, StoreFault, Surprise};

fn bridge() -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    (scene, bridge)
}

/// The settle time of the tests' workspace.
const SETTLE_MS: u64 = 30_000;

fn note(text: &str) -> Ask {
    Ask::Note { text: text.to_owned() }
}

#[test]
fn a_reply_whose_answer_was_lost_is_found_and_not_sent_again() {
    let (_, bridge) = bridge();
    bridge.intercom.expect([Surprise::AnswerLost]);
    let error = bridge.asked("c1", reply("Hi")).unwrap_err();
    assert_eq!(error, Unfinished::Later { at: at(&bridge, SETTLE_MS), why: "due" });
    assert!(bridge.carry_out(Lane::Replies, None).is_err(), "not before it has settled");
    bridge.desk.clock.advance_ms(SETTLE_MS);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["Hi"]);
    assert!(matches!(bridge.told()[..], [EventKind::CommandDone { part_id: Some(_), .. }]));
}

#[test]
fn a_reply_that_never_arrived_is_sent_once_it_has_settled() {
    let (_, bridge) = bridge();
    bridge.intercom.expect([Surprise::RequestLost]);
    bridge.asked("c1", reply("Hi")).unwrap_err();
    assert!(bridge.bots_words().is_empty());
    bridge.desk.clock.advance_ms(SETTLE_MS);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["Hi"]);
}

#[test]
fn what_was_given_up_and_arrives_before_it_is_made_again_counts_as_sent() {
    let (mut scene, bridge) = bridge();
    bridge.intercom.expect([Surprise::RequestLost]);
    bridge.asked("c1", reply("Hi")).unwrap_err();
    bridge.desk.clock.advance_ms(SETTLE_MS);
    // Intercom does not show it, and takes nothing for a while.
    bridge.intercom.expect([Surprise::Limited { until: at(&bridge, 60_000) }]);
    bridge.carry_out(Lane::Replies, None).unwrap_err();
    bridge.notified(scene.own_reply("Hi"));
    assert!(bridge.state().outbox.is_empty());
    bridge.desk.clock.advance_ms(60_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["Hi"], "it is not made again");
    assert!(matches!(bridge.told()[..], [EventKind::CommandDone { .. }]));
    assert!(bridge.state().given_up.is_empty(), "nothing more is to come");
}

#[test]
fn a_close_that_arrives_after_it_was_overtaken_is_undone() {
    let (mut scene, bridge) = bridge();
    bridge.intercom.expect([Surprise::RequestLost]);
    bridge.asked_knowing("c1", Some(1), close(None)).unwrap_err();
    bridge.notified(scene.customer("Wait"));
    bridge.desk.clock.advance_ms(SETTLE_MS);
    bridge.carry_out(Lane::Close, None).unwrap();
    let told = bridge.told();
    assert!(matches!(&told[..], [EventKind::Message { .. }, EventKind::CommandSuperseded { .. }]), "{told:?}");
    bridge.notified(scene.own_close(""));
    let to_do: Vec<Action> = bridge.state().outbox.iter().map(|entry| entry.action.clone()).collect();
    assert_eq!(to_do, [Action::Open], "the customer waits for an answer");
}

#[test]
fn two_replies_of_the_same_words_are_both_said_even_when_one_is_in_doubt() {
    let (_, bridge) = bridge();
    bridge.asked("c1", reply("ok")).unwrap();
    bridge.intercom.expect([Surprise::RequestLost]);
    bridge.asked("c2", reply("ok")).unwrap_err();
    bridge.desk.clock.advance_ms(SETTLE_MS);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["ok", "ok"], "the part of the first reply does not prove the second");
}

#[test]
fn our_own_echo_settles_a_doubt_at_once() {
    let (_, bridge) = bridge();
    bridge.intercom.expect([Surprise::AnswerLost]);
    bridge.asked("c1", reply("Hi")).unwrap_err();
    bridge.echoed();
    assert!(bridge.state().outbox.is_empty());
    assert!(matches!(bridge.told()[..], [EventKind::CommandDone { .. }]));
    assert_eq!(bridge.bots_words(), ["Hi"]);
}

#[test]
fn a_rate_limit_waits_until_it_is_over() {
    let (_, bridge) = bridge();
    let until = at(&bridge, 7_000);
    bridge.intercom.expect([Surprise::Limited { until }]);
    assert_eq!(bridge.asked("c1", reply("Hi")).unwrap_err(), Unfinished::Later { at: until, why: "due" });
    bridge.carry_out(Lane::Replies, None).unwrap_err();
    assert_eq!(bridge.intercom.take_performed().len(), 1, "nothing is tried before then");
    bridge.desk.clock.advance_ms(7_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["Hi"]);
}

#[test]
fn what_intercom_refuses_is_reported_once_and_not_tried_again() {
    let (_, bridge) = bridge();
    bridge.intercom.expect([Surprise::Refused { code: "parameter_invalid" }]);
    bridge.asked("c1", reply("Hi")).unwrap();
    bridge.asked("c1", reply("Hi")).unwrap();
    let told = bridge.told();
    assert!(matches!(&told[..], [EventKind::CommandRejected { code, .. }] if code == "parameter_invalid"), "{told:?}");
    assert_eq!(bridge.intercom.take_performed().len(), 1);
}

#[test]
fn a_command_that_comes_twice_is_carried_out_once() {
    let (_, bridge) = bridge();
    for _ in 0..3 {
        bridge.asked("c1", reply("Hi")).unwrap();
    }
    assert_eq!(bridge.bots_words(), ["Hi"]);
    assert_eq!(bridge.told().len(), 1);
    bridge.asked("c1", reply("Something else")).unwrap();
    assert!(matches!(&bridge.told()[..], [EventKind::CommandRejected { code, .. }] if code == "id_reused"));
}

#[test]
fn a_command_that_comes_again_after_many_others_is_carried_out_once() {
    let (_, bridge) = bridge();
    let ask = |number: u32| bridge.asked(&format!("c{number}"), note(&format!("Note {number}"))).unwrap();
    for number in 0..150 {
        ask(number);
        assert_eq!(bridge.told().len(), 1);
    }
    let commands = bridge.state().commands.len();
    assert_eq!(commands, 64, "what is too much for the row is put aside");
    bridge.intercom.take_performed();
    for number in [0, 1, 80, 149] {
        ask(number);
    }
    assert!(bridge.intercom.take_performed().is_empty() && bridge.told().is_empty());
    bridge.asked("c3", note("Something else")).unwrap();
    assert!(matches!(&bridge.told()[..], [EventKind::CommandRejected { code, .. }] if code == "id_reused"));
    for number in 200..300 {
        ask(number);
    }
    assert_eq!(bridge.state().commands.len(), 64, "nor does it grow by what was recalled");
}

#[test]
fn a_command_that_waits_is_not_put_aside_before_its_result_is_told() {
    let (_, bridge) = bridge();
    bridge.intercom.expect([Surprise::Limited { until: at(&bridge, 60_000) }]);
    for number in 0..90 {
        bridge.asked(&format!("c{number}"), note(&format!("Note {number}"))).unwrap_err();
    }
    bridge.desk.clock.advance_ms(60_000);
    while bridge.carry_out(Lane::Replies, None).is_err() {}
    let told = bridge.told();
    let done = told.iter().filter(|event| matches!(event, EventKind::CommandDone { .. })).count();
    assert_eq!(done, 90);
    bridge.asked("c90", note("One more")).unwrap();
    assert_eq!(bridge.state().commands.len(), 64);
}

#[test]
fn a_worker_that_dies_at_any_save_sends_exactly_once() {
    // A reply is two saves. Whichever is lost, in whichever way, and whether or not the answer of
    // Intercom was lost too, the message is given again and in the end is there once.
    let faults = [StoreFault::Fine, StoreFault::Unavailable, StoreFault::SavedButLost];
    let surprises = [Surprise::None, Surprise::AnswerLost, Surprise::RequestLost];
    let mut runs = 0;
    for first in faults {
        for second in faults {
            for third in faults {
                for surprise in &surprises {
                    let (_, bridge) = bridge();
                    bridge.desk.store.expect_faults([first, second, third]);
                    bridge.intercom.expect([surprise.clone()]);
                    let mut tries = 0;
                    while bridge.asked("c1", reply("Hi")).is_err() {
                        bridge.desk.clock.advance_ms(200_000); // the queue gives it again
                        tries += 1;
                        assert!(tries < 10, "it never ends with {first:?} {second:?} {third:?} {surprise:?}");
                    }
                    assert_eq!(bridge.bots_words(), ["Hi"], "with {first:?} {second:?} {third:?} {surprise:?}");
                    assert!(bridge.state().outbox.is_empty());
                    while bridge.try_tell().is_err() {} // what is left of the faults
                    let mut told: Vec<u64> = bridge.bots.take().into_iter().map(|event| event.seq).collect();
                    told.dedup(); // an event may be delivered again, under its own number
                    assert_eq!(told.len(), 1, "one result, with {first:?} {second:?} {third:?} {surprise:?}");
                    runs += 1;
                }
            }
        }
    }
    assert_eq!(runs, 81);
}

#[test]
fn a_worker_that_dies_between_save_and_queue_is_made_good_by_the_repetition() {
    let (mut scene, bridge) = bridge();
    bridge.desk.wakers.set_broken(true);
    assert!(bridge.try_notified(scene.customer("one")).is_err());
    bridge.desk.wakers.set_broken(false);
    assert!(bridge.desk.wakers.take().is_empty());
    bridge.notified(&scene);
    assert_eq!(bridge.desk.wakers.take(), [Worker::Dispatch]);
    assert_eq!(bridge.told().len(), 1, "the message itself is told once");
}

#[test]
fn what_no_queue_knows_of_is_found_by_the_sweep() {
    let (_, bridge) = bridge();
    bridge.intercom.expect([Surprise::AnswerLost]);
    bridge.asked("c1", reply("Hi")).unwrap_err();
    assert!(bridge.swept().is_empty(), "not before it is due");
    bridge.desk.clock.advance_ms(SETTLE_MS);
    assert_eq!(bridge.swept(), [Worker::Reply]);
}

#[test]
fn nothing_is_sent_after_a_person_took_over() {
    let (mut scene, bridge) = bridge();
    let until = at(&bridge, 5_000);
    bridge.intercom.expect([Surprise::Limited { until }]);
    bridge.asked("c1", reply("Hi")).unwrap_err();
    bridge.notified(scene.alice("I am here"));
    bridge.desk.clock.advance_ms(10_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(bridge.bots_words().is_empty());
    let told = bridge.told();
    assert!(matches!(told[..], [EventKind::CommandSuperseded { .. }, EventKind::AgentJoined { .. }]), "{told:?}");
}

#[test]
fn a_doubtful_reply_is_not_sent_again_after_a_person_took_over() {
    let (mut scene, bridge) = bridge();
    bridge.intercom.expect([Surprise::RequestLost]);
    bridge.asked("c1", reply("Hi")).unwrap_err();
    bridge.notified(scene.alice("I am here"));
    bridge.desk.clock.advance_ms(SETTLE_MS);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(bridge.bots_words().is_empty());
    assert!(bridge.told().iter().any(|event| matches!(event, EventKind::CommandSuperseded { .. })));
}

#[test]
fn what_the_bot_said_before_its_hand_over_is_said_before_the_hand_over() {
    let (_, bridge) = bridge();
    let until = at(&bridge, 5_000);
    bridge.intercom.expect([Surprise::Limited { until }]);
    bridge.asked("c1", reply("One moment")).unwrap_err();
    let ask = handover(HandoverTarget::Default);
    bridge.asked("c2", ask).unwrap_err();
    bridge.desk.clock.advance_ms(5_000);
    bridge.intercom.take_performed();
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(matches!(bridge.intercom.take_performed()[..], [Action::Reply { .. }, Action::Assign { .. }]));
}

#[test]
fn a_close_waits_for_what_was_said_before_it() {
    let (_, bridge) = bridge();
    let until = at(&bridge, 5_000);
    bridge.intercom.expect([Surprise::Limited { until }]);
    bridge.asked("c1", reply("Goodbye")).unwrap_err();
    let ask = || close(None);
    bridge.asked("c2", ask()).unwrap();
    assert!(bridge.intercom.shown().open, "it is not its turn");
    bridge.desk.clock.advance_ms(5_000);
    bridge.desk.wakers.take();
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(bridge.desk.wakers.take().contains(&Worker::Close), "its turn is announced");
    bridge.carry_out(Lane::Close, None).unwrap();
    assert!(!bridge.intercom.shown().open);
}

#[test]
fn a_close_whose_answer_was_lost_is_said_once() {
    let (_, bridge) = bridge();
    bridge.intercom.expect([Surprise::AnswerLost]);
    let ask = close(Some("Bye"));
    bridge.asked("c1", ask).unwrap_err();
    bridge.desk.clock.advance_ms(SETTLE_MS);
    bridge.carry_out(Lane::Close, None).unwrap();
    assert_eq!(bridge.bots_words(), ["Bye"]);
    assert!(matches!(bridge.told()[..], [EventKind::CommandDone { .. }, EventKind::Closed { by_bot: true }]));
}
