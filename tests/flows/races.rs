//! Things that happen at the same time, and Intercom showing them late or in another order.

use baton_tests::{Bridge, at, handover, now, reply};
use shared::app::Unfinished;
use shared::app::heed::{News, heed};
use shared::domain::command::{Ask, Command, HandoverTarget};
use shared::domain::content::AuthorKind;
use shared::domain::conversation::{Action, Control, Conversation, EventKind, Lane, Overtaker};
use shared::domain::ids::{AdminId, BotId, ClaimId, CommandId};
use shared::domain::part::{Assignee, Observation};
use shared::domain::step::{Answer, Effect, Input, step};
use shared::ports::Clock as _;
use shared::testing::{FakeIntercom, Scene, Surprise, key, workspace};

fn bridge() -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    (scene, bridge)
}

fn close() -> Ask {
    baton_tests::close(Some("Bye"))
}

fn messages(told: &[EventKind]) -> usize {
    told.iter().filter(|event| matches!(event, EventKind::Message { .. })).count()
}

#[test]
fn a_message_that_comes_before_the_close_is_carried_out_is_not_closed_over() {
    let (mut scene, bridge) = bridge();
    let until = at(&bridge, 5_000);
    bridge.intercom.expect([Surprise::Limited { until }]);
    bridge.asked("c1", close()).unwrap_err();
    bridge.notified(scene.customer("Wait!"));
    bridge.desk.clock.advance_ms(5_000);
    bridge.carry_out(Lane::Close, None).unwrap();
    assert!(bridge.intercom.shown().open);
    let told = bridge.told();
    assert!(matches!(told[..], [EventKind::CommandSuperseded { .. }, EventKind::Message { .. }]), "{told:?}");
    assert_eq!(bridge.state().control, Control::Bot);
}

#[test]
fn a_close_that_was_decided_before_the_last_message_was_known_is_decided_anew() {
    let (mut scene, bridge) = bridge();
    bridge.notified(scene.customer("one"));
    let first = bridge.state().last_event;
    bridge.notified(scene.customer("two"));
    assert_eq!(messages(&bridge.told()), 2, "both were told before the answer to the first arrived");
    bridge.asked_knowing("c1", Some(first), close()).unwrap();
    assert!(bridge.intercom.shown().open && bridge.intercom.take_performed().is_empty());
    let told = bridge.told();
    assert!(matches!(told[..], [EventKind::CommandSuperseded { by: Overtaker::Message, .. }]), "{told:?}");
    // Its answer to the second message knows both; what came since is no message.
    bridge.asked_knowing("c2", Some(first + 1), close()).unwrap();
    bridge.carry_out(Lane::Close, None).unwrap();
    assert!(!bridge.intercom.shown().open);
    assert_eq!(bridge.state().control, Control::Closed);
}

/// The pure core with a close on the wire: `(state, seq, claim)`.
fn with_a_close_on_the_wire(bridge: &Bridge) -> (Conversation, u64, ClaimId) {
    let command = Command {
        id: CommandId::parse("c1").unwrap(),
        bot: BotId::parse("demo").unwrap(),
        digest: String::new(),
        epoch: None,
        seq: None,
        ask: close(),
    };
    let (now, claim) = (bridge.desk.clock.now(), ClaimId::parse("claim").unwrap());
    let state = step(&bridge.state(), &Input::Commanded(command), &workspace(), now).state;
    let claimed = step(
        &state,
        &Input::Claim { lane: Lane::Close, claim: claim.clone(), until: now.plus_ms(9) },
        &workspace(),
        now,
    );
    let Some(Effect::Perform { seq, .. }) = claimed.effects.last() else { panic!("{:?}", claimed.effects) };
    (claimed.state, *seq, claim)
}

#[test]
fn a_message_that_crosses_the_close_on_the_wire_is_told_once_in_whatever_order_it_is_heard() {
    for heard_first in ["message", "confirmation", "echo"] {
        let (mut scene, bridge) = bridge();
        let (mut state, seq, claim) = with_a_close_on_the_wire(&bridge);
        let now = bridge.desk.clock.now();
        scene.customer("Wait!");
        let message = scene.notification();
        scene.own_close("Bye");
        let (echo, whole) = (scene.notification(), scene.whole());
        let part_id = whole.parts.last().map(|part| part.id.clone());
        let confirmed = Input::Answered { seq, claim, answer: Answer::Done { part_id } };
        let (message, echo) = (Input::Observed(message), Input::Observed(echo));
        let order = match heard_first {
            "message" => [message, confirmed, echo],
            "confirmation" => [confirmed, message, echo],
            _ => [echo, confirmed, message],
        };
        for input in order {
            let outcome = step(&state, &input, &workspace(), now);
            state = outcome.state;
            if outcome.effects.contains(&Effect::Fetch) {
                state = step(&state, &Input::Observed(whole.clone()), &workspace(), now).state;
            }
        }
        let told: Vec<EventKind> = state.events.iter().map(|event| event.kind.clone()).collect();
        assert_eq!(messages(&told), 1, "{heard_first} first: {told:?}");
        assert_eq!(state.control, Control::Bot, "{heard_first} first: the bot is to answer");
    }
}

#[test]
fn a_message_that_is_older_than_our_last_reply_and_heard_during_the_close_is_not_closed_over() {
    let (mut scene, bridge) = bridge();
    scene.customer("one"); // its notification is late
    let (one, whole_before) = (scene.notification(), scene.whole());
    bridge.intercom.change(|shown| *shown = whole_before);
    bridge.asked("c0", reply("Hi")).unwrap(); // later than it in Intercom
    let (mut state, seq, claim) = with_a_close_on_the_wire(&bridge);
    state = step(&state, &Input::Observed(one), &workspace(), bridge.desk.clock.now()).state;
    let answer = Answer::NotSent { retry_at: bridge.desk.clock.now() };
    state = step(&state, &Input::Answered { seq, claim, answer }, &workspace(), bridge.desk.clock.now()).state;
    assert!(state.outbox.is_empty(), "it never left, and the bot has been asked: {:?}", state.outbox);
    let told: Vec<EventKind> = state.events.iter().map(|event| event.kind.clone()).collect();
    assert_eq!(messages(&told), 1);
}

#[test]
fn our_own_reply_does_not_hide_a_message_that_was_overtaken() {
    let (mut scene, bridge) = bridge();
    scene.customer("one"); // its notification is late
    scene.customer("two");
    let (mut two, whole_before) = (scene.notification(), scene.whole());
    bridge.intercom.change(|shown| *shown = whole_before);
    bridge.asked("c1", reply("Hi")).unwrap(); // later than both in Intercom
    two.part_count = Some(scene.whole().parts.len() as u64);
    bridge.heard(&News::Shown(Box::new(two))).unwrap();
    assert_eq!(messages(&bridge.told()), 2);
}

#[test]
fn a_close_that_is_overtaken_while_people_have_it_is_heard_of() {
    let (mut scene, bridge) = bridge();
    bridge.notified(scene.alice_takes());
    scene.close(); // its notification is late
    let closed = scene.notification();
    bridge.notified(scene.note("For the files"));
    bridge.heard(&News::Shown(Box::new(closed))).unwrap();
    assert_eq!(bridge.state().control, Control::Closed);
    let told = bridge.told();
    assert_eq!(told.iter().filter(|event| matches!(event, EventKind::Closed { .. })).count(), 1, "{told:?}");
}

#[test]
fn a_deletion_does_not_hide_what_was_missed_before_it() {
    let (mut scene, bridge) = bridge();
    bridge.notified(scene.customer("one"));
    scene.customer("two"); // nobody tells of it
    let mut deleted = scene.clone();
    let parts = &mut deleted.redact_first().notification();
    parts.parts = deleted.whole().parts.into_iter().filter(|part| part.redacted).collect();
    bridge.intercom.change(|shown| *shown = deleted.whole());
    bridge.heard(&News::Shown(Box::new(parts.clone()))).unwrap();
    let told = bridge.told();
    assert_eq!(messages(&told), 2, "the count shows that there is more: {told:?}");
}

#[test]
fn an_answer_older_than_its_notification_is_asked_for_again() {
    let (mut scene, bridge) = bridge();
    let stale: Observation = scene.whole();
    scene.customer("one");
    scene.customer("two");
    let notification = News::Shown(Box::new(scene.notification()));
    let intercom = FakeIntercom::showing(stale, shared::testing::BOT);
    let error = now(heed(&bridge.desk, &intercom, &key(), &notification)).unwrap_err();
    assert!(matches!(error, Unfinished::Later { .. }), "{error:?}");
    let intercom = FakeIntercom::showing(scene.whole(), shared::testing::BOT);
    now(heed(&bridge.desk, &intercom, &key(), &notification)).unwrap();
    assert_eq!(messages(&bridge.told()), 2);
}

#[test]
fn an_old_notification_and_a_stale_answer_do_not_undo_a_take_over() {
    let (mut scene, bridge) = bridge();
    scene.customer("one");
    let (old, stale) = (scene.notification(), scene.whole());
    bridge.notified(scene.alice_takes());
    assert_eq!(bridge.state().control, Control::Human);
    let intercom = FakeIntercom::showing(stale, shared::testing::BOT);
    let _ = now(heed(&bridge.desk, &intercom, &key(), &News::Shown(Box::new(old))));
    let _ = now(heed(&bridge.desk, &intercom, &key(), &News::Doorbell));
    assert_eq!(bridge.state().control, Control::Human, "the bot must not speak over Alice");
}

#[test]
fn an_older_part_of_the_same_words_does_not_prove_a_reply() {
    let (mut scene, bridge) = bridge();
    for _ in 0..70 {
        scene.bot("Please rephrase."); // more than are remembered
    }
    bridge.notified(&scene);
    bridge.intercom.expect([Surprise::RequestLost]);
    bridge.asked("c1", reply("Please rephrase.")).unwrap_err();
    bridge.desk.clock.advance_ms(30_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.bots_words().len(), 71, "it was sent");
}

#[test]
fn a_part_without_words_does_not_prove_a_reply_of_emoji() {
    let (_, bridge) = bridge();
    bridge.intercom.expect([Surprise::RequestLost]);
    bridge.asked("c1", reply("👍")).unwrap_err();
    let mut snoozed = Scene::default();
    snoozed.own_close("");
    let own = snoozed.whole().parts;
    bridge.intercom.change(|shown| shown.parts.extend(own));
    bridge.desk.clock.advance_ms(30_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(bridge.bots_words().contains(&"👍".to_owned()));
}

#[test]
fn what_is_said_during_a_hand_over_that_fails_is_told_afterwards() {
    let (mut scene, bridge) = bridge();
    let until = at(&bridge, 5_000);
    let refused = || Surprise::Refused { code: "assignee_not_found" };
    bridge.intercom.expect([Surprise::Limited { until }, refused(), refused(), refused()]);
    let ask = handover(HandoverTarget::Teammate(AdminId::parse("900003").unwrap()));
    bridge.asked("c1", ask).unwrap_err();
    bridge.notified(scene.customer("Hello?"));
    bridge.desk.clock.advance_ms(5_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(bridge.swept().contains(&shared::ports::Worker::Router));
    bridge.heard(&News::Due).unwrap();
    let told = bridge.told();
    assert_eq!((messages(&told), bridge.state().control), (1, Control::Bot), "{told:?}");
}

#[test]
fn a_person_who_speaks_right_after_the_assignment_has_the_conversation() {
    let mut scene = Scene::new("Where is my parcel?");
    scene.customer("It is late.").assign_to_bot().alice("I am looking for it.").customer("Thank you!");
    let bridge = Bridge::before(&scene);
    bridge.notified(&scene);
    assert_eq!(bridge.state().control, Control::Paused);
    let told = bridge.told();
    assert!(
        matches!(&told[..], [EventKind::Message { .. }, EventKind::Message { .. }, EventKind::AgentJoined { .. }]),
        "{told:?}"
    );
    // The customer's last words were for her. Should she give it back, the bot learns them.
    bridge.notified(scene.give_back());
    assert_eq!(bridge.state().control, Control::Bot);
    let told = bridge.told();
    let [EventKind::Resumed { stretch }, EventKind::Message { message, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(stretch.len(), 1);
    assert_eq!(message.body.as_ref().map(|body| body.text.as_str()), Some("<p>Thank you!</p>"));
}

#[test]
fn a_404_that_was_wrong_is_made_good() {
    let (mut scene, bridge) = bridge();
    bridge.heard(&News::Deleted).unwrap();
    assert_eq!(bridge.state().control, Control::Closed);
    let _ = bridge.told();
    bridge.notified(scene.customer("I am still here"));
    assert_eq!(messages(&bridge.told()), 1);
}

#[test]
fn a_decision_that_somebody_overtook_is_made_again_on_what_they_saved() {
    let (_, bridge) = bridge();
    // The acceptance is overtaken twice, the confirmation once, by things that do not matter.
    let elsewhere = |state: &mut Conversation| state.redacted.clear();
    bridge.desk.store.expect_overtaking([elsewhere as fn(&mut Conversation), elsewhere, |_| {}, elsewhere]);
    bridge.asked("c1", reply("Hi")).unwrap();
    assert_eq!(bridge.bots_words(), ["Hi"]);
    assert!(bridge.state().outbox.is_empty(), "the confirmation is saved");
    assert!(matches!(bridge.told()[..], [EventKind::CommandDone { .. }]));
}

#[test]
fn a_take_over_that_is_saved_first_keeps_a_reply_from_being_sent() {
    let (_, bridge) = bridge();
    let takes_over = |state: &mut Conversation| {
        state.control = Control::Human;
        state.epoch += 1;
    };
    bridge.desk.store.expect_overtaking([takes_over as fn(&mut Conversation)]);
    bridge.asked("c1", reply("Hi")).unwrap();
    assert!(bridge.intercom.take_performed().is_empty(), "nothing was sent over a person");
    assert!(matches!(bridge.told()[..], [EventKind::CommandSuperseded { .. }]));
}

#[test]
fn a_conversation_that_never_stops_changing_is_given_back() {
    let (_, bridge) = bridge();
    bridge.desk.store.expect_overtaking([(|_| {}) as fn(&mut Conversation); 50]);
    assert_eq!(bridge.asked("c1", reply("Hi")).unwrap_err(), Unfinished::Contended);
    assert!(bridge.intercom.take_performed().is_empty());
}

#[test]
fn a_message_that_the_bot_closed_over_is_the_bots_even_where_people_have_what_is_reopened() {
    let (mut scene, bridge) = bridge();
    let mut workspace = workspace();
    workspace.reopened = shared::domain::settings::Reopened::Human;
    let (state, seq, claim) = with_a_close_on_the_wire(&bridge);
    let now = bridge.desk.clock.now();
    scene.customer("Wait!");
    let message = scene.notification();
    scene.own_close("Bye");
    let whole = scene.whole();
    let part_id = whole.parts.last().map(|part| part.id.clone());
    let state = step(&state, &Input::Answered { seq, claim, answer: Answer::Done { part_id } }, &workspace, now).state;
    assert_eq!(state.control, Control::Closed);
    let outcome = step(&state, &Input::Observed(message.clone()), &workspace, now);
    assert!(outcome.effects.contains(&Effect::Fetch));
    let state = step(&state, &Input::Observed(whole.with_parts_of(&message)), &workspace, now).state;
    assert_eq!(state.control, Control::Bot, "nobody else reads it in a closed conversation");
    assert_eq!(messages(&state.events.into_iter().map(|event| event.kind).collect::<Vec<_>>()), 1);
}

#[test]
fn what_was_handed_over_to_a_team_stays_theirs_when_it_is_opened_again() {
    let (mut scene, bridge) = bridge();
    scene.give_back(); // the bot's own seat is named
    bridge.notified(&scene);
    bridge.asked("c1", handover(HandoverTarget::Default)).unwrap();
    scene.assign(
        AuthorKind::Teammate,
        Assignee::Team(shared::domain::ids::TeamId::parse(shared::testing::SUPPORT).unwrap()),
    );
    bridge.notified(scene.close());
    scene.customer("Once more");
    let seat = Assignee::Teammate(AdminId::parse(shared::testing::BOT).unwrap());
    let whole = Observation { assignee: seat.clone(), ..scene.whole() };
    let notification = Observation { assignee: seat, ..scene.notification() };
    let intercom = FakeIntercom::showing(whole, shared::testing::BOT);
    now(heed(&bridge.desk, &intercom, &key(), &News::Shown(Box::new(notification)))).unwrap();
    assert_eq!(bridge.state().control, Control::Human);
}

#[test]
fn a_doubtful_close_is_not_made_again_after_a_hand_over_or_a_message() {
    for meanwhile in ["hand-over", "message"] {
        let (mut scene, bridge) = bridge();
        bridge.intercom.expect([Surprise::RequestLost]);
        bridge.asked("c1", close()).unwrap_err();
        if meanwhile == "message" {
            bridge.notified(scene.customer("Wait!"));
        } else {
            let _ = bridge.asked("c2", handover(HandoverTarget::Default));
        }
        bridge.desk.clock.advance_ms(30_000);
        let _ = bridge.carry_out(Lane::Close, None);
        let _ = bridge.carry_out(Lane::Replies, None);
        assert!(bridge.intercom.shown().open, "after a {meanwhile} nothing is closed");
        assert!(bridge.told().iter().any(|event| matches!(event, EventKind::CommandSuperseded { .. })));
        assert!(bridge.state().outbox.is_empty());
    }
}

#[test]
fn a_hand_over_goes_on_when_the_close_before_it_turns_out_to_have_arrived() {
    let (_, bridge) = bridge();
    bridge.intercom.expect([Surprise::AnswerLost]);
    bridge.asked("c1", close()).unwrap_err();
    let _ = bridge.asked("c2", handover(HandoverTarget::Default));
    bridge.desk.clock.advance_ms(30_000);
    let _ = bridge.carry_out(Lane::Close, None);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(matches!(bridge.intercom.assignee(), Assignee::Team(_)), "people have it");
    assert_eq!(bridge.state().control, Control::Human);
}

#[test]
fn a_close_that_crossed_a_take_over_is_undone_in_whatever_order_they_are_heard() {
    for first in ["close", "take-over"] {
        let (mut scene, bridge) = bridge();
        let (state, seq, claim) = with_a_close_on_the_wire(&bridge);
        let now = bridge.desk.clock.now();
        scene.alice_takes();
        let taken = Input::Observed(scene.whole());
        scene.own_close("Bye");
        let part_id = scene.whole().parts.last().map(|part| part.id.clone());
        let confirmed = Input::Answered { seq, claim, answer: Answer::Done { part_id } };
        let order = if first == "close" { [confirmed, taken] } else { [taken, confirmed] };
        let mut state = order.iter().fold(state, |state, input| step(&state, input, &workspace(), now).state);
        state = step(&state, &Input::Observed(scene.whole()), &workspace(), now).state;
        assert_eq!(state.control, Control::Human, "{first} first");
        let to_do: Vec<_> = state.outbox.iter().map(|entry| entry.action.clone()).collect();
        assert_eq!(to_do, [Action::Open], "{first} first");
    }
}

#[test]
fn what_the_bot_had_to_say_before_its_hand_over_is_not_said_over_a_person() {
    let (mut scene, bridge) = bridge();
    bridge.intercom.expect([Surprise::RequestLost]);
    bridge.asked("c1", reply("One moment")).unwrap_err();
    let _ = bridge.asked("c2", handover(HandoverTarget::Default));
    bridge.notified(scene.alice("I am here"));
    bridge.desk.clock.advance_ms(30_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(bridge.bots_words().is_empty(), "nothing is said over Alice");
    assert!(matches!(bridge.intercom.assignee(), Assignee::Team(_)), "the hand-over goes on");
}

#[test]
fn a_take_over_during_a_hand_over_is_not_hidden_by_a_later_message() {
    let (mut scene, bridge) = bridge();
    bridge.intercom.expect([Surprise::RequestLost]);
    let _ = bridge.asked("c1", handover(HandoverTarget::Default));
    scene.alice_takes(); // its notification is late
    scene.customer("Hello?");
    bridge.notified(&scene);
    bridge.desk.clock.advance_ms(30_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    let alice = Assignee::Teammate(AdminId::parse(shared::testing::ALICE).unwrap());
    assert_eq!(bridge.intercom.assignee(), alice, "the hand-over is not carried out over Alice");
}

#[test]
fn a_row_that_is_lost_after_the_bot_answered_and_a_person_spoke_does_not_ask_the_bot_again() {
    let mut scene = Scene::default();
    scene.assign_to_bot();
    scene.bot("Hi");
    scene.alice("I am here");
    let bridge = Bridge::before(&scene);
    bridge.notified(scene.customer("Thanks"));
    assert_eq!(messages(&bridge.told()), 0, "the bot's own words were the answer");
    assert_eq!(bridge.state().control, Control::Paused);
}

#[test]
fn a_reply_that_opened_it_opens_it_also_when_its_text_was_deleted() {
    let (mut scene, bridge) = bridge();
    bridge.notified(scene.close());
    scene.customer("My card number is …").redact_last();
    bridge.notified(&scene);
    assert_eq!(bridge.state().control, Control::Bot);
}
