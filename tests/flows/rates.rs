//! Intercom's rate limit in the use cases: what waits, where, and what asking costs.

use baton_tests::{Bridge, at, close, now, reply};
use shared::app::Unfinished;
use shared::app::catch_up::catch_up;
use shared::app::heed::News;
use shared::app::pace::{LOOK_MS, Paced};
use shared::domain::budget::{Call, Heard, Reading, Urgency};
use shared::domain::command::Ask;
use shared::domain::conversation::{Control, EventKind, Lane, Progress};
use shared::domain::ids::Timestamp;
use shared::ports::{Bookmark, Bookmarks as _, Clock as _, Intercom as _, NotShown, Pace as _, Worker};
use shared::testing::{FakeBudgets, FakeIntercom, FakeSearch, ManualClock, Scene, key, workspace};

const REPLY: Call = Call { urgency: Urgency::Reply, requests: 1 };

fn bridge() -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.intercom.take_asked_for();
    (scene, bridge)
}

fn tag() -> Ask {
    Ask::Tag { tags: vec!["vip".to_owned()] }
}

#[test]
fn what_is_put_off_is_recorded_not_tried_and_sent_in_order_when_its_time_has_come() {
    let (_, bridge) = bridge();
    let until = at(&bridge, 7_000);
    bridge.intercom.put_off(Some(until));
    for (id, words) in [("c1", "one"), ("c2", "two")] {
        let waits = bridge.asked(id, reply(words)).unwrap_err();
        assert_eq!(waits, Unfinished::Later { at: until, why: "due" });
    }
    assert!(bridge.intercom.take_performed().is_empty());
    let state = bridge.state();
    assert_eq!(state.outbox.len(), 2);
    assert!(matches!(state.outbox[0].progress, Progress::Pending { not_before } if not_before == until));
    assert_eq!(state.due_at(), Some(until), "the sweep knows when");
    assert_eq!(bridge.intercom.take_asked_for().len(), 1, "the second knows from the first");
    assert!(bridge.told().is_empty(), "a wait is nothing to tell a bot of");
    bridge.intercom.put_off(None);
    bridge.desk.clock.advance_ms(7_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words(), ["one", "two"]);
}

#[test]
fn a_put_off_costs_one_save_and_a_known_one_none() {
    let (_, bridge) = bridge();
    bridge.intercom.put_off(Some(at(&bridge, 7_000)));
    bridge.asked("c1", reply("one")).unwrap_err();
    assert_eq!(bridge.desk.store.take_counts(), (1, 1), "accepted and put off at once");
    bridge.carry_out(Lane::Replies, None).unwrap_err();
    assert_eq!(bridge.desk.store.take_counts(), (1, 0));
}

#[test]
fn what_is_overtaken_while_it_is_put_off_is_superseded() {
    let (mut scene, bridge) = bridge();
    bridge.intercom.put_off(Some(at(&bridge, 7_000)));
    bridge.asked("c1", reply("one")).unwrap_err();
    bridge.notified(scene.alice("I take it"));
    assert_eq!(bridge.state().control, Control::Paused);
    bridge.desk.clock.advance_ms(8_000);
    bridge.intercom.put_off(Some(at(&bridge, 7_000)));
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(bridge.intercom.take_performed().is_empty());
    let told = bridge.told();
    assert!(told.iter().any(|event| matches!(event, EventKind::CommandSuperseded { .. })), "{told:?}");
}

#[test]
fn a_tag_that_a_reply_waits_for_is_as_urgent_as_the_reply() {
    let (_, bridge) = bridge();
    bridge.intercom.put_off(Some(at(&bridge, 7_000)));
    bridge.asked("c1", tag()).unwrap_err();
    assert_eq!(bridge.intercom.take_asked_for(), [Call { urgency: Urgency::Tag, requests: 2 }]);
    bridge.desk.clock.advance_ms(7_000);
    bridge.asked("c2", reply("one")).unwrap_err();
    assert_eq!(bridge.intercom.take_asked_for(), [Call { urgency: Urgency::Reply, requests: 2 }]);
    bridge.desk.clock.advance_ms(7_000);
    bridge.asked("c3", close(None)).unwrap();
    assert!(bridge.intercom.take_asked_for().is_empty(), "what is behind in the other lane has its turn later");
}

#[test]
fn a_notification_that_needs_a_look_waits_in_its_queue() {
    let mut scene = Scene::default();
    scene.assign_to_bot();
    let bridge = Bridge::before(&scene);
    let until = at(&bridge, 5_000);
    bridge.intercom.put_off(Some(until));
    let waits = bridge.heard(&News::Doorbell).unwrap_err();
    assert_eq!(waits, Unfinished::from(NotShown::Later(until)));
    assert_eq!(bridge.intercom.take_gets(), 0);
    assert_eq!(bridge.intercom.take_asked_for(), [Call { urgency: Urgency::Read, requests: 2 }]);
    bridge.intercom.put_off(None);
    bridge.heard(&News::Doorbell).unwrap();
    assert_eq!(bridge.state().control, Control::Bot);
}

#[test]
fn a_search_that_may_not_be_made_now_is_made_from_the_same_bookmark_in_a_minute() {
    let bridge = Bridge::before(&Scene::default());
    let mark = Bookmark { since: Timestamp(1), began: Timestamp(1), newest: Timestamp(1), page: Some("p2".to_owned()) };
    now(bridge.desk.store.set_bookmark(&key().app_id, &mark)).unwrap();
    let search = FakeSearch::default();
    search.put_off(Some(at(&bridge, 5_000)));
    now(catch_up(&bridge.desk, &search, at(&bridge, 60_000))).unwrap();
    assert!(search.take_asked().is_empty());
    let kept = now(bridge.desk.store.bookmark(&key().app_id)).unwrap().unwrap();
    assert_eq!((kept.since, kept.page), (mark.since, mark.page));
}

/// Two workers of one workspace, each with what it remembers.
struct Two {
    clock: ManualClock,
    budgets: FakeBudgets,
    intercom: FakeIntercom,
    workers: [Paced<FakeIntercom, FakeBudgets, ManualClock>; 2],
}

impl Two {
    fn new() -> Self {
        let (clock, budgets) = (ManualClock::at(1_768_040_000_000), FakeBudgets::default());
        let intercom = FakeIntercom::showing(Scene::default().whole(), shared::testing::BOT);
        let worker = || Paced::new(intercom.clone(), budgets.clone(), clock.clone());
        let workers = [worker(), worker()];
        Self { clock, budgets, intercom, workers }
    }

    /// A worker asks, and calls if it may; what Intercom tells then.
    fn calls(&self, worker: usize, about: &str, heard: Heard) -> Result<(), Timestamp> {
        let (paced, workspace) = (&self.workers[worker], workspace());
        now(paced.admit(&workspace, about, REPLY))?;
        self.intercom.tells(heard);
        now(paced.observe(&workspace, &key().conversation_id, false)).unwrap();
        Ok(())
    }

    fn reading(&self, remaining: u32) -> Heard {
        let ends_at = Timestamp((self.clock.now().0 / 10_000 + 1) * 10_000);
        Heard { reading: Some(Reading { limit: 160, remaining, ends_at }), denied: Some(false) }
    }
}

#[test]
fn a_calm_workspace_costs_one_read_in_a_while_and_no_write() {
    let two = Two::new();
    for _ in 0..100 {
        two.calls(0, "1", two.reading(100)).unwrap();
        two.clock.advance_ms(LOOK_MS / 50);
    }
    assert_eq!(two.budgets.take_counts(), (2, 0), "a hundred calls in ten seconds");
}

#[test]
fn under_pressure_each_call_is_taken_once_and_all_workers_know() {
    let two = Two::new();
    two.calls(0, "1", two.reading(70)).unwrap();
    assert_eq!(two.budgets.take_counts(), (1, 1), "half is gone, and everybody is to know");
    let mut made = 0;
    while two.calls(made % 2, &made.to_string(), Heard::default()).is_ok() {
        made += 1;
    }
    assert_eq!(made, 144 - 90);
    let counts = two.budgets.take_counts();
    assert_eq!(counts, (1, 55), "the other looks once; one asks in vain what the other has just taken");
    assert!(two.calls(0, "1", Heard::default()).is_err() && two.calls(1, "2", Heard::default()).is_err());
    assert_eq!(two.budgets.take_counts(), (0, 0), "until the window ends nobody asks again");
}

#[test]
fn a_budget_that_cannot_be_reached_stops_nobody() {
    let two = Two::new();
    two.budgets.set_broken(true);
    for _ in 0..3 {
        two.calls(0, "1", two.reading(120)).unwrap();
    }
    assert_eq!(two.budgets.take_counts(), (1, 0), "nor is it asked at every call");
    // What a worker hears itself it heeds even so.
    two.calls(0, "1", two.reading(0)).unwrap();
    assert!(two.calls(0, "2", two.reading(0)).is_err());
    two.calls(1, "2", two.reading(90)).unwrap();
}

#[test]
fn a_refused_token_is_tried_by_one_of_all_workers() {
    let two = Two::new();
    let denied = Heard { reading: None, denied: Some(true) };
    two.calls(0, "1", denied).unwrap();
    assert!(two.calls(1, "2", denied).is_err(), "the other knows without a call of its own");
    let until = two.calls(0, "1", denied).unwrap_err();
    assert!(until >= two.clock.now().plus_ms(60_000));
    two.clock.advance_ms(65_000);
    let tried = [0, 1].map(|worker| two.calls(worker, "1", denied).is_ok());
    assert_eq!(tried, [true, false]);
    two.clock.advance_ms(65_000);
    two.calls(1, "2", Heard { reading: None, denied: Some(false) }).unwrap();
    two.clock.advance_ms(LOOK_MS);
    two.calls(0, "1", Heard::default()).unwrap();
}

#[test]
fn a_worker_is_woken_for_what_was_put_off() {
    let (_, bridge) = bridge();
    bridge.intercom.put_off(Some(at(&bridge, 7_000)));
    bridge.asked("c1", reply("one")).unwrap_err();
    assert!(bridge.swept().is_empty(), "it is not due yet");
    bridge.desk.clock.advance_ms(7_000);
    assert_eq!(bridge.swept(), [Worker::Reply]);
}
