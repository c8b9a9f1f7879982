//! Bots that cannot be reached: tried for three days, relieved by people after minutes, called no
//! more after five days, and back with the first success.

use baton_tests::{Bridge, now};
use shared::domain::conversation::{Control, EventKind, Lane};
use shared::domain::health::{DISABLED_AFTER_MS, PROBE_EVERY_MS};
use shared::domain::ids::{BotId, Timestamp};
use shared::domain::part::Assignee;
use shared::ports::{Clock as _, Wellbeing as _, Worker};
use shared::testing::Scene;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

fn bridge() -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    let _ = bridge.bots.take_calls();
    bridge.bots.refuse(u32::MAX);
    (scene, bridge)
}

fn demo() -> BotId {
    BotId::parse("demo").unwrap()
}

/// When the first event that waits is due.
fn due(bridge: &Bridge) -> Timestamp {
    bridge.state().events.front().unwrap().due_at
}

/// Waits until the first event is due, and tries it; how long that was, in milliseconds.
fn try_when_due(bridge: &Bridge) -> u64 {
    let wait = due(bridge).0.saturating_sub(bridge.desk.clock.now().0);
    bridge.desk.clock.advance_ms(wait);
    let _ = bridge.try_tell();
    wait
}

#[test]
fn people_get_the_conversation_with_a_note_after_ten_minutes() {
    let (mut scene, bridge) = bridge();
    bridge.notified(scene.customer("one"));
    let mut waited = 0;
    while bridge.state().control == Control::Bot {
        waited += try_when_due(&bridge);
    }
    assert_eq!(waited, 10 * MINUTE_MS);
    assert!(bridge.swept().contains(&Worker::Reply));
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(matches!(bridge.intercom.assignee(), Assignee::Team(_)));
    let notes = bridge.intercom.shown().parts;
    assert!(format!("{notes:?}").contains("The bot cannot be reached."));
    // When it is back, it learns that people have the conversation.
    bridge.bots.refuse(0);
    bridge.desk.clock.advance_ms(HOUR_MS);
    let told = bridge.told();
    assert!(matches!(told[..], [EventKind::Message { .. }, EventKind::HandoverWaiting { .. }]), "{told:?}");
}

#[test]
fn another_time_can_be_set_and_is_kept_to_the_minute() {
    for minutes in [1, 7, 45] {
        let mut scene = Scene::default();
        let mut bridge = Bridge::with_the_bot(&mut scene);
        bridge.desk.settings.bots.get_mut(&demo()).unwrap().handover_after_minutes = minutes;
        bridge.bots.refuse(u32::MAX);
        bridge.notified(scene.customer("one"));
        let mut waited = 0;
        while bridge.state().control == Control::Bot {
            waited += try_when_due(&bridge);
        }
        assert_eq!(waited, minutes * MINUTE_MS);
    }
}

#[test]
fn a_bot_that_failed_elsewhere_for_long_does_not_keep_another_customer_waiting() {
    let (mut scene, bridge) = bridge();
    now(async {
        let well = bridge.desk.store.health(&demo()).await.unwrap();
        let failing = well.after_failure(bridge.desk.clock.now());
        assert!(bridge.desk.store.set_health(&demo(), &well, &failing).await.unwrap());
    });
    bridge.desk.clock.advance_ms(HOUR_MS);
    bridge.notified(scene.customer("one"));
    bridge.try_tell().unwrap_err();
    assert_eq!(bridge.state().control, Control::Human, "at the first delivery in vain");
}

#[test]
fn an_event_is_given_up_after_twelve_deliveries_and_three_days_and_the_next_one_shows_it() {
    let (mut scene, bridge) = bridge();
    bridge.notified(scene.customer("one"));
    let (first, mut calls, mut waited) = (bridge.state().last_event, 0, 0);
    while bridge.state().events.front().is_some_and(|event| event.seq == first) {
        waited += try_when_due(&bridge);
        calls += 1;
    }
    assert_eq!((calls, waited), (12, 72 * HOUR_MS));
    bridge.bots.refuse(0);
    bridge.desk.clock.advance_ms(HOUR_MS);
    bridge.notified(scene.give_back());
    let _ = bridge.try_tell();
    let taken = bridge.bots.take();
    assert_eq!(
        taken.first().map(|event| event.seq),
        Some(first + 1),
        "its number shows that the one before is missing"
    );
    assert!(taken.iter().any(|event| matches!(event.kind, EventKind::Resumed { .. })));
    assert!(bridge.state().events.is_empty());
}

#[test]
fn a_bot_that_asks_to_be_left_alone_is_and_one_that_asks_for_too_long_is_relieved() {
    let (mut scene, bridge) = bridge();
    bridge.bots.ask_to_be_left_alone(Some(3 * MINUTE_MS));
    bridge.notified(scene.customer("one"));
    bridge.try_tell().unwrap_err();
    assert_eq!(due(&bridge), bridge.desk.clock.now().plus_ms(3 * MINUTE_MS));
    assert_eq!(bridge.state().control, Control::Bot);
    bridge.bots.ask_to_be_left_alone(Some(HOUR_MS));
    try_when_due(&bridge);
    assert_eq!(due(&bridge), bridge.desk.clock.now().plus_ms(HOUR_MS));
    assert_eq!(bridge.state().control, Control::Human, "nobody would answer for an hour");
    bridge.bots.ask_to_be_left_alone(Some(u64::MAX));
    try_when_due(&bridge);
    assert_eq!(due(&bridge), bridge.desk.clock.now().plus_ms(24 * HOUR_MS), "a day is the longest");
}

#[test]
fn a_bot_that_failed_for_five_days_is_probed_once_an_hour_until_it_is_back() {
    let (mut scene, bridge) = bridge();
    bridge.notified(scene.customer("one"));
    bridge.try_tell().unwrap_err();
    while !bridge.state().events.is_empty() {
        try_when_due(&bridge);
    }
    bridge.desk.clock.advance_ms(DISABLED_AFTER_MS);
    let _ = bridge.bots.take_calls();
    // Somebody gives it back: the bot is probed, and people have it again at once.
    bridge.notified(scene.alice_takes());
    bridge.notified(scene.give_back());
    assert_eq!(bridge.state().control, Control::Bot);
    bridge.try_tell().unwrap_err();
    assert_eq!((bridge.bots.take_calls(), bridge.state().control), (1, Control::Human));
    bridge.notified(scene.alice_takes());
    bridge.notified(scene.give_back());
    bridge.desk.clock.advance_ms(MINUTE_MS);
    bridge.try_tell().unwrap_err();
    assert_eq!((bridge.bots.take_calls(), bridge.state().control), (0, Control::Human), "it was probed a minute ago");
    bridge.bots.refuse(0);
    bridge.desk.clock.advance_ms(PROBE_EVERY_MS);
    assert!(!bridge.told().is_empty());
    now(async { assert_eq!(bridge.desk.store.health(&demo()).await.unwrap(), Default::default()) });
    bridge.notified(scene.give_back());
    let told = bridge.told();
    assert!(matches!(told[..], [EventKind::Resumed { .. }, ..]), "{told:?}");
}
