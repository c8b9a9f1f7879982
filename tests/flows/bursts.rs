//! What a customer writes in a row is one turn: gathered without holding anybody, told once, complete,
//! whatever dies or comes between.

use baton_tests::{Bridge, close, handover, now, reply};
use shared::domain::burst::Windows;
use shared::domain::command::{Command, HandoverTarget};
use shared::domain::content::Message;
use shared::domain::conversation::{Control, Conversation, EventKind, Lane, Overtaker, PendingEvent};
use shared::domain::ids::{BotId, ClaimId, CommandId, Timestamp};
use shared::domain::incoming;
use shared::domain::step::{Answer, Effect, Input, step};
use shared::ports::{Clock as _, Conversations as _, Worker};
use shared::testing::{Scene, StoreFault, key};
use shared::wire::bot::EventMessage;

const WINDOW_MS: u64 = 3_000;

/// The bot has the conversation, and more is waited for after each message.
fn bridge() -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let mut bridge = Bridge::with_the_bot(&mut scene);
    for workspace in bridge.desk.settings.workspaces.values_mut() {
        workspace.bursts = Windows { ms: WINDOW_MS, email_ms: 120_000 };
    }
    (scene, bridge)
}

fn says(scene: &mut Scene, bridge: &Bridge, words: &str) {
    bridge.notified(scene.customer_now(words, bridge.desk.clock.now()));
}

fn words(messages: &[Message]) -> Vec<String> {
    messages.iter().filter_map(|message| message.body.as_ref()).map(incoming::text).collect()
}

/// The words of each turn among these events.
fn turns(told: &[EventKind]) -> Vec<Vec<String>> {
    let turn = |event: &EventKind| match event {
        EventKind::Message { message, earlier } => {
            Some(words(&earlier.iter().chain([message]).cloned().collect::<Vec<_>>()))
        }
        _ => None,
    };
    told.iter().filter_map(turn).collect()
}

fn save(bridge: &Bridge, change: impl FnOnce(&mut Conversation)) {
    let mut stored = now(bridge.desk.store.load(&key())).unwrap();
    change(&mut stored.conversation);
    now(bridge.desk.store.save(&key(), &stored.conversation, stored.version, bridge.desk.clock.now())).unwrap();
}

/// What a bot reads of an event.
fn read(bridge: &Bridge, event: &PendingEvent) -> serde_json::Value {
    serde_json::to_value(EventMessage::new(&key(), &bridge.state(), event)).unwrap()
}

#[test]
fn messages_in_a_row_are_one_turn() {
    let (mut scene, bridge) = bridge();
    let before = bridge.state().last_event;
    for said in ["Hi", "my parcel", "is it on its way?"] {
        says(&mut scene, &bridge, said);
        assert!(bridge.told().is_empty(), "more may follow");
        bridge.desk.clock.advance_ms(WINDOW_MS - 1);
    }
    assert!(bridge.told().is_empty() && bridge.state().last_event == before, "it has no number yet");
    bridge.desk.clock.advance_ms(1);
    assert_eq!(turns(&bridge.told()), [["Hi", "my parcel", "is it on its way?"]]);
    let state = bridge.state();
    assert_eq!((state.last_event, state.last_message, state.due_at()), (before + 1, before + 1, None));
    // What comes later is another turn.
    says(&mut scene, &bridge, "Thanks");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert_eq!(turns(&bridge.told()), [["Thanks"]]);
}

#[test]
fn a_bot_that_knows_nothing_of_bursts_reads_all_of_it() {
    let (mut scene, bridge) = bridge();
    says(&mut scene, &bridge, "Hi");
    says(&mut scene, &bridge, "my parcel");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    now(shared::app::deliver::deliver(&bridge.desk, &bridge.bots, &key(), bridge.desk.clock.now().plus_ms(30_000)))
        .unwrap();
    let [event] = &bridge.bots.take()[..] else { panic!("it is one event") };
    let json = read(&bridge, event);
    assert_eq!(json["data"]["message"]["text"], "Hi\n\nmy parcel");
    let each: Vec<_> = json["data"]["messages"].as_array().unwrap().iter().map(|one| &one["text"]).collect();
    assert_eq!(each, ["Hi", "my parcel"]);
    assert_eq!(json["data"]["message"]["part_id"], json["data"]["messages"][1]["part_id"]);
    assert_eq!(json["seq"].as_u64().unwrap(), json["prev_seq"].as_u64().unwrap() + 1);
    // One message is told as ever.
    says(&mut scene, &bridge, "Thanks");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    let report = bridge.told();
    assert!(matches!(&report[..], [EventKind::Message { earlier, .. }] if earlier.is_empty()));
}

#[test]
fn nobody_is_held_and_whoever_looks_finds_it() {
    let (mut scene, bridge) = bridge();
    says(&mut scene, &bridge, "Hi");
    assert_eq!(bridge.desk.wakers.take(), [Worker::Dispatch], "one call for the whole of it");
    let due = bridge.desk.clock.now().plus_ms(WINDOW_MS);
    assert!(bridge.try_tell().unwrap_err().to_string().contains("due"), "it is hidden until then");
    assert_eq!(bridge.state().due_at(), Some(due));
    assert!(bridge.swept().is_empty(), "it is not due yet");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert_eq!(bridge.swept(), [Worker::Dispatch], "whatever became of that call");
    assert_eq!(turns(&bridge.told()), [["Hi"]]);
    assert!(bridge.swept().is_empty());
}

#[test]
fn somebody_who_never_stops_is_heard() {
    let (mut scene, bridge) = bridge();
    let mut told = Vec::new();
    for number in 0..16 {
        says(&mut scene, &bridge, &format!("{number}"));
        told.extend(turns(&bridge.told()).into_iter().map(|turn| turn.len()));
        bridge.desk.clock.advance_ms(1_000);
    }
    // Five windows are over after 15 seconds, with what was written at that moment.
    assert_eq!(told, [16]);
}

#[test]
fn a_worker_that_dies_tells_the_same_turn_again_and_what_was_written_since_is_the_next() {
    let (mut scene, bridge) = bridge();
    says(&mut scene, &bridge, "one");
    says(&mut scene, &bridge, "two");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    // It is saved as an event, the bot takes it, and the worker dies.
    bridge.desk.store.expect_faults([StoreFault::Fine, StoreFault::Unavailable]);
    bridge.try_tell().unwrap_err();
    let first = bridge.bots.take();
    says(&mut scene, &bridge, "three");
    let deadline = bridge.desk.clock.now().plus_ms(30_000);
    now(shared::app::deliver::deliver(&bridge.desk, &bridge.bots, &key(), deadline)).unwrap();
    let again = bridge.bots.take();
    assert_eq!(read(&bridge, &first[0]), read(&bridge, &again[0]), "the same event under the same id");
    assert_eq!((first.len(), again.len()), (1, 1));
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert_eq!(turns(&bridge.told()), [["three"]]);
}

#[test]
fn a_worker_that_dies_before_or_in_the_middle_of_the_save_loses_and_doubles_nothing() {
    for fault in [StoreFault::Unavailable, StoreFault::SavedButLost] {
        let (mut scene, bridge) = bridge();
        says(&mut scene, &bridge, "one");
        says(&mut scene, &bridge, "two");
        bridge.desk.clock.advance_ms(WINDOW_MS);
        bridge.desk.store.expect_faults([fault]);
        bridge.try_tell().unwrap_err();
        assert!(bridge.bots.take().is_empty(), "nothing is told that is not saved");
        assert_eq!(turns(&bridge.told()), [["one", "two"]], "{fault:?}");
    }
}

#[test]
fn a_message_that_comes_while_the_turn_is_being_told_waits_for_the_next() {
    let (mut scene, bridge) = bridge();
    says(&mut scene, &bridge, "one");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    bridge.bots.refuse(1);
    let _ = bridge.try_tell();
    says(&mut scene, &bridge, "two");
    bridge.desk.clock.advance_ms(5_000);
    assert_eq!(turns(&bridge.told()), [["one"], ["two"]], "a delivery in vain may have been none");
}

#[test]
fn a_message_that_wins_against_the_end_of_the_wait_belongs_to_the_turn() {
    let (mut scene, bridge) = bridge();
    says(&mut scene, &bridge, "one");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    // While the worker ends the wait, the router saves another message.
    let another: fn(&mut Conversation) = |conversation| {
        let burst = conversation.burst.as_mut().unwrap();
        let message = burst.messages[0].clone();
        burst.join(message, WINDOW_MS, 0, burst.due_at);
    };
    bridge.desk.store.expect_overtaking([another]);
    assert!(bridge.told().is_empty(), "more may follow again");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert_eq!(turns(&bridge.told()), [["one", "one"]]);
}

#[test]
fn what_the_bot_is_told_meanwhile_does_not_part_it() {
    let (mut scene, bridge) = bridge();
    bridge.asked("c1", reply("Hello!")).unwrap();
    says(&mut scene, &bridge, "one");
    bridge.asked("c2", reply("How can I help?")).unwrap();
    says(&mut scene, &bridge, "two");
    let told = bridge.told();
    assert!(matches!(told[..], [EventKind::CommandDone { .. }, EventKind::CommandDone { .. }]), "{told:?}");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert_eq!(turns(&bridge.told()), [["one", "two"]]);
}

#[test]
fn a_message_that_is_deleted_before_the_bot_knows_it_never_reaches_it() {
    let (mut scene, bridge) = bridge();
    says(&mut scene, &bridge, "my card is 4111 1111");
    bridge.notified(scene.redact_last());
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert!(bridge.told().is_empty() && bridge.state().burst.is_none());
    says(&mut scene, &bridge, "sorry");
    says(&mut scene, &bridge, "my card is 4111 1111");
    bridge.notified(scene.redact_last());
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert_eq!(turns(&bridge.told()), [["sorry"]]);
    // What it knows already it is to forget.
    says(&mut scene, &bridge, "one");
    says(&mut scene, &bridge, "two");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    let _ = bridge.told();
    bridge.notified(scene.redact_last());
    assert!(matches!(bridge.told()[..], [EventKind::MessageRedacted { .. }]));
}

#[test]
fn a_take_over_ends_the_wait_and_nothing_is_told_after_it() {
    let (mut scene, bridge) = bridge();
    says(&mut scene, &bridge, "one");
    says(&mut scene, &bridge, "two");
    let epoch = bridge.state().epoch;
    bridge.notified(scene.alice("I have it"));
    assert!(bridge.state().burst.is_none());
    assert_eq!(bridge.state().events.front().map(|event| event.epoch), Some(epoch), "it was said before");
    let told = bridge.told();
    assert_eq!(turns(&told), [["one", "two"]]);
    assert!(matches!(told[..], [EventKind::Message { .. }, EventKind::AgentJoined { .. }]), "{told:?}");
    says(&mut scene, &bridge, "three");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert!(bridge.told().is_empty(), "people have it");
    // Given back, the bot is told of the rest: what was said meanwhile, and what waits, as one turn.
    says(&mut scene, &bridge, "four");
    bridge.notified(scene.give_back());
    bridge.desk.clock.advance_ms(WINDOW_MS);
    let told = bridge.told();
    assert!(matches!(told[..], [EventKind::Resumed { .. }, EventKind::Message { .. }]), "{told:?}");
    assert_eq!(turns(&told), [["three", "four"]]);
}

#[test]
fn a_hand_over_of_the_bots_own_ends_the_wait_too() {
    let (mut scene, bridge) = bridge();
    says(&mut scene, &bridge, "one");
    bridge.asked("c1", handover(HandoverTarget::Default)).unwrap();
    let told = bridge.told();
    let kinds: Vec<&str> = told.iter().map(EventKind::as_str).collect();
    assert_eq!(kinds, ["message", "handover_waiting", "command_done"]);
    assert_eq!(bridge.state().control, Control::Human);
}

#[test]
fn a_close_is_not_carried_out_over_messages_that_wait() {
    let (mut scene, bridge) = bridge();
    let knows = bridge.state().last_event;
    says(&mut scene, &bridge, "Wait!");
    bridge.asked_knowing("c1", Some(knows), close(Some("Bye"))).unwrap();
    assert!(bridge.intercom.shown().open && bridge.intercom.take_performed().is_empty());
    let told = bridge.told();
    assert!(matches!(told[..], [EventKind::CommandSuperseded { by: Overtaker::Message, .. }]), "{told:?}");
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert_eq!(turns(&bridge.told()), [["Wait!"]]);
}

#[test]
fn a_close_that_did_not_leave_is_not_tried_again_over_messages_that_wait() {
    let (mut scene, bridge) = bridge();
    let workspace = bridge.desk.settings.workspaces.values().next().unwrap().clone();
    let (at, claim) = (bridge.desk.clock.now(), ClaimId::parse("claim").unwrap());
    let (id, bot) = (CommandId::parse("c1").unwrap(), BotId::parse("demo").unwrap());
    let command = Command { id, bot, digest: String::new(), epoch: None, seq: None, ask: close(Some("Bye")) };
    let mut state = bridge.state();
    for (writes, refused) in [(false, 1), (true, 0)] {
        let mut take = |input: &Input| {
            let outcome = step(&state, input, &workspace, at);
            state = outcome.state;
            outcome.effects
        };
        take(&Input::Commanded(command.clone()));
        let claimed = take(&Input::Claim { lane: Lane::Close, claim: claim.clone(), until: at.plus_ms(9) });
        let Some(Effect::Perform { seq, .. }) = claimed.last() else { panic!("{claimed:?}") };
        if writes {
            take(&Input::Observed(scene.customer_now("Wait!", at).notification()));
        }
        take(&Input::Answered { seq: *seq, claim: claim.clone(), answer: Answer::NotSent { retry_at: at } });
        assert_eq!((state.outbox.len(), state.burst.is_some()), (refused, writes));
    }
    assert!(state.events.iter().any(|event| matches!(event.kind, EventKind::CommandSuperseded { .. })));
}

#[test]
fn one_answer_is_to_all_of_it() {
    let (mut scene, bridge) = bridge();
    bridge.asked("c0", reply("Hello!")).unwrap();
    for said in ["one", "two", "three"] {
        says(&mut scene, &bridge, said);
    }
    bridge.desk.clock.advance_ms(WINDOW_MS);
    let _ = bridge.told();
    assert_eq!(bridge.state().exchange.unanswered, 1, "what the bot says next is counted");
    bridge.asked("c1", reply("All three")).unwrap();
    assert_eq!((bridge.state().exchange.unanswered, bridge.state().exchange.alone), (0, 1));
    bridge.notified(scene.alice_takes());
    bridge.notified(scene.give_back());
    bridge.desk.clock.advance_ms(WINDOW_MS);
    assert!(turns(&bridge.told()).is_empty(), "nothing is asked again");
}

#[test]
fn e_mails_are_waited_after_for_longer() {
    let (mut scene, bridge) = bridge();
    save(&bridge, |conversation| conversation.profile.channel = Some("email".to_owned()));
    says(&mut scene, &bridge, "Dear shop");
    bridge.desk.clock.advance_ms(90_000);
    assert!(bridge.told().is_empty());
    says(&mut scene, &bridge, "I forgot the number: 17");
    let Err(shared::app::Unfinished::Later { at, .. }) = bridge.try_tell() else { panic!("it is waited for") };
    assert_eq!(at, bridge.desk.clock.now().plus_ms(120_000), "the sweep takes over from the queue");
    bridge.desk.clock.advance_ms(120_000);
    assert_eq!(bridge.swept(), [Worker::Dispatch]);
    assert_eq!(turns(&bridge.told()), [["Dear shop", "I forgot the number: 17"]]);
}

#[test]
fn what_was_written_long_ago_is_told_at_once_and_so_is_a_button() {
    let (mut scene, bridge) = bridge();
    bridge.notified(scene.customer("an hour ago"));
    assert_eq!(turns(&bridge.told()), [["an hour ago"]]);
    says(&mut scene, &bridge, "hm");
    bridge.notified(scene.presses("b1", Some("Plan B")));
    assert_eq!(turns(&bridge.told()), [["hm", "Plan B"]]);
}

#[test]
fn a_teammate_can_end_the_wait() {
    let (mut scene, bridge) = bridge();
    save(&bridge, |conversation| conversation.profile.channel = Some("email".to_owned()));
    says(&mut scene, &bridge, "Dear shop");
    bridge.notified(scene.note("/bot retry"));
    assert_eq!(turns(&bridge.told()), [["Dear shop"]]);
}

#[test]
fn a_setting_that_is_changed_loses_nothing() {
    let (mut scene, mut bridge) = bridge();
    says(&mut scene, &bridge, "one");
    for workspace in bridge.desk.settings.workspaces.values_mut() {
        workspace.bursts = Windows::default();
    }
    says(&mut scene, &bridge, "two");
    assert_eq!(turns(&bridge.told()), [["one"], ["two"]]);
}

#[test]
fn a_bot_that_takes_nothing_does_not_make_the_row_grow_for_ever() {
    let (mut scene, bridge) = bridge();
    bridge.bots.refuse(u32::MAX);
    for number in 0..230 {
        says(&mut scene, &bridge, &format!("{number}"));
        bridge.desk.clock.advance_ms(500);
        let _ = bridge.try_tell();
    }
    let state = bridge.state();
    assert_eq!(state.control, Control::Human, "people have it");
    assert!(state.backlog() <= 202 && state.events.len() < 60, "{} {}", state.backlog(), state.events.len());
}

#[test]
fn rows_from_before_bursts_are_read_and_rows_without_one_are_as_they_were() {
    let (mut scene, bridge) = bridge();
    let without = serde_json::to_string(&bridge.state()).unwrap();
    assert!(!without.contains("burst") && !without.contains("earlier"));
    assert_eq!(serde_json::from_str::<Conversation>(&without).unwrap(), bridge.state());
    says(&mut scene, &bridge, "one");
    let state = bridge.state();
    let stored = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<Conversation>(&stored).unwrap(), state);
    assert!(state.burst.is_some_and(|burst| burst.since > Timestamp(0)));
}
