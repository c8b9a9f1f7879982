//! What Baton does and what people do at the same moment: requests on the wire when somebody else
//! acts, and notifications that come in another order. Each was found by the model checker.

use baton_tests::{Bridge, close, handover, reply};
use shared::domain::command::{Ask, Command, HandoverTarget};
use shared::domain::content::AuthorKind;
use shared::domain::conversation::{Action, Control, Conversation, EventKind, Lane};
use shared::domain::ids::{AdminId, BotId, ClaimId, CommandId, PartId, TeamId};
use shared::domain::part::{Assignee, Observation};
use shared::domain::step::{Answer, Effect, Input, is_behind, step};
use shared::ports::Clock as _;
use shared::testing::{ALICE, BOT, BOT_TEAM, SUPPORT, Scene, workspace};

fn bridge() -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    (scene, bridge)
}

fn support() -> Assignee {
    Assignee::Team(TeamId::parse(SUPPORT).unwrap())
}

fn claim() -> ClaimId {
    ClaimId::parse("claim").unwrap()
}

/// The pure core, a step at a time.
struct Core {
    state: Conversation,
    now: shared::domain::ids::Timestamp,
}

impl Core {
    /// The bot has the conversation and asks for something, which is on the wire.
    fn with_on_the_wire(bridge: &Bridge, asks: &[Ask]) -> Self {
        let mut core = Self { state: bridge.state(), now: bridge.desk.clock.now() };
        for (number, ask) in asks.iter().enumerate() {
            let id = CommandId::parse(format!("c{number}")).unwrap();
            let bot = BotId::parse("demo").unwrap();
            core.after(&Input::Commanded(Command {
                id,
                bot,
                digest: String::new(),
                epoch: None,
                seq: None,
                ask: ask.clone(),
            }));
        }
        core.claims();
        core
    }

    fn after(&mut self, input: &Input) -> Vec<Effect> {
        let outcome = step(&self.state, input, &workspace(), self.now);
        self.state = outcome.state;
        outcome.effects
    }

    fn claims(&mut self) -> Option<Action> {
        let until = self.now.plus_ms(9_000);
        let effects = self.after(&Input::Claim { lane: Lane::Replies, claim: claim(), until });
        effects.into_iter().find_map(|effect| match effect {
            Effect::Perform { action, .. } => Some(action),
            _ => None,
        })
    }

    fn answered(&mut self, answer: Answer) {
        let seq = self.state.outbox.front().unwrap().seq;
        self.after(&Input::Answered { seq, claim: claim(), answer });
    }

    /// A notification; where it leaves a question, with what `GET` shows.
    fn heard(&mut self, notification: Observation, whole: Observation) {
        if self.after(&Input::Observed(notification)).contains(&Effect::Fetch) {
            let effects = self.after(&Input::Observed(whole));
            assert!(!effects.contains(&Effect::Fetch), "the whole conversation is enough");
        }
    }

    fn told(&self) -> Vec<&EventKind> {
        self.state.events.iter().map(|event| &event.kind).collect()
    }
}

fn last_part(scene: &Scene) -> Option<PartId> {
    scene.whole().parts.last().map(|part| part.id.clone())
}

/// The bot's own hand-over arrives.
fn hands_over(scene: &mut Scene) -> (Observation, Option<PartId>) {
    scene.own_assign(support());
    (scene.notification(), last_part(scene))
}

#[test]
fn a_workflow_that_gives_it_back_right_after_the_hand_over_is_heeded_in_whatever_order_it_is_heard() {
    for heard_first in ["workflow", "echo", "confirmation"] {
        let (mut scene, bridge) = bridge();
        let mut core = Core::with_on_the_wire(&bridge, &[handover(HandoverTarget::Default)]);
        let (echo, part_id) = hands_over(&mut scene);
        scene.assign_to_bot();
        let (workflow, whole) = (scene.notification(), scene.whole());
        match heard_first {
            "workflow" => {
                core.heard(workflow, whole.clone());
                core.after(&Input::Answered { seq: 1, claim: claim(), answer: Answer::Done { part_id } });
                core.heard(echo, whole);
            }
            "echo" => {
                core.heard(echo, whole.clone());
                core.heard(workflow, whole);
                core.after(&Input::Answered { seq: 1, claim: claim(), answer: Answer::Done { part_id } });
            }
            _ => {
                core.answered(Answer::Done { part_id });
                core.heard(workflow, whole.clone());
                core.heard(echo, whole);
            }
        }
        assert_eq!(core.state.control, Control::Bot, "{heard_first} first: {BOT_TEAM} has it");
        assert!(core.state.outbox.is_empty(), "{heard_first} first");
        assert!(core.told().iter().any(|event| matches!(event, EventKind::Resumed { .. })), "{heard_first} first");
    }
}

#[test]
fn a_workflow_that_assigned_before_the_hand_over_arrived_does_not_take_it_back() {
    let (mut scene, bridge) = bridge();
    let mut core = Core::with_on_the_wire(&bridge, &[handover(HandoverTarget::Default)]);
    scene.assign_to_bot();
    core.heard(scene.notification(), scene.whole());
    let (echo, part_id) = hands_over(&mut scene);
    core.answered(Answer::Done { part_id });
    core.heard(echo, scene.whole());
    assert_eq!(core.state.control, Control::Human);
}

#[test]
fn a_doubtful_hand_over_that_arrived_is_not_made_again_over_somebody_elses() {
    let (mut scene, bridge) = bridge();
    let mut core = Core::with_on_the_wire(&bridge, &[handover(HandoverTarget::Default)]);
    core.answered(Answer::Unknown);
    hands_over(&mut scene);
    scene.alice_takes();
    core.after(&Input::ReadBack { seq: 1, observation: scene.whole() });
    assert!(core.state.outbox.is_empty(), "it has arrived, and Alice has it now");
}

/// The bot holds a seat: what goes to a team takes a second request, which leaves it.
#[test]
fn a_hand_over_of_two_requests_has_not_arrived_before_the_second_has() {
    for heard_by in ["echo", "read-back"] {
        let (mut scene, bridge) = bridge();
        let mut core = Core::with_on_the_wire(&bridge, &[handover(HandoverTarget::Default)]);
        let (echo, _) = hands_over(&mut scene);
        let seat = Assignee::Teammate(AdminId::parse(BOT).unwrap());
        let half = |shown: Observation| Observation { assignee: seat.clone(), ..shown };
        if heard_by == "echo" {
            core.heard(half(echo), half(scene.whole()));
            core.answered(Answer::Unknown);
        } else {
            core.answered(Answer::Unknown);
            core.after(&Input::ReadBack { seq: 1, observation: half(scene.whole()) });
        }
        assert_eq!(core.state.outbox.len(), 1, "{heard_by}: the bot still holds its seat");
        core.now = core.now.plus_ms(60_000);
        if heard_by == "echo" {
            core.after(&Input::ReadBack { seq: 1, observation: half(scene.whole()) });
        }
        assert!(matches!(core.claims(), Some(Action::Assign { .. })), "{heard_by}: it is made again");
        core.answered(Answer::Done { part_id: None });
        assert!(core.state.outbox.is_empty(), "{heard_by}: nobody has the seat any more");
    }
}

/// The second request of a hand-over, which leaves the seat, comes when somebody has taken the seat.
#[test]
fn whoever_has_taken_the_seat_that_a_late_request_empties_gets_it_back() {
    for heard in ["each by itself", "the late request first", "all at once"] {
        let (mut scene, bridge) = bridge();
        let mut core = Core::with_on_the_wire(&bridge, &[handover(HandoverTarget::Default)]);
        let (echo, _) = hands_over(&mut scene);
        core.heard(echo, scene.whole());
        assert!(core.state.outbox.is_empty(), "{heard}: the hand-over is there");
        scene.alice_takes();
        let alice = scene.notification();
        if heard == "each by itself" {
            core.heard(alice.clone(), scene.whole());
        }
        scene.own_assign(Assignee::Nobody);
        if heard == "all at once" {
            core.after(&Input::Observed(scene.whole()));
        } else {
            core.heard(scene.notification(), scene.whole());
        }
        core.heard(alice, scene.whole());
        core.heard(scene.notification(), scene.whole());
        assert_eq!(core.state.control, Control::Human, "{heard}");
        let gives: Vec<&Action> = core.state.outbox.iter().map(|entry| &entry.action).collect();
        let [Action::Assign { to: Assignee::Teammate(teammate), .. }] = gives[..] else { panic!("{heard}: {gives:?}") };
        assert_eq!(teammate.as_str(), ALICE, "{heard}: once");
    }
}

/// The request that leaves the seat is confirmed before it is heard of, and what the customer writes next is heard of
/// first: it is looked at all the same, by the next notification or, where its own is lost, by the sweep.
#[test]
fn a_seat_that_was_emptied_is_looked_at_though_the_request_is_known_to_be_ours() {
    for settled in ["by its answer", "by its echo"] {
        let (mut scene, bridge) = bridge();
        let mut core = Core::with_on_the_wire(&bridge, &[handover(HandoverTarget::Default)]);
        scene.own_assign(support());
        let echo = scene.notification();
        scene.alice_takes();
        let alice = scene.notification();
        if settled == "by its echo" {
            core.heard(echo, scene.whole());
        } else {
            core.heard(alice.clone(), scene.whole());
        }
        core.heard(alice, scene.whole());
        scene.own_assign(Assignee::Nobody);
        let answer = Answer::Done { part_id: last_part(&scene) };
        core.after(&Input::Answered { seq: 1, claim: claim(), answer });
        let shown = Observation { complete: false, parts: Vec::new(), ..scene.whole() };
        assert!(is_behind(&core.state, &shown, &workspace()), "{settled}: the sweep finds it");
        scene.customer("Hello?");
        core.heard(scene.notification(), scene.whole());
        let gives: Vec<&Action> = core.state.outbox.iter().map(|entry| &entry.action).collect();
        assert!(matches!(gives[..], [Action::Assign { to: Assignee::Teammate(_), .. }]), "{settled}: {gives:?}");
        assert!(!is_behind(&core.state, &shown, &workspace()), "{settled}");
    }
}

#[test]
fn a_seat_that_nobody_has_taken_or_that_somebody_has_given_on_is_left_as_it_is() {
    for given_on in [false, true] {
        let (mut scene, bridge) = bridge();
        let mut core = Core::with_on_the_wire(&bridge, &[handover(HandoverTarget::Default)]);
        if given_on {
            scene.alice_takes();
        }
        hands_over(&mut scene);
        scene.own_assign(Assignee::Nobody);
        if given_on {
            scene.assign(AuthorKind::Teammate, support());
        }
        core.heard(scene.notification(), scene.whole());
        assert_eq!(core.state.control, Control::Human);
        assert!(core.state.outbox.is_empty(), "given on: {given_on}: {:?}", core.state.outbox);
    }
}

#[test]
fn a_reply_that_opens_what_a_teammate_has_closed_brings_it_back_to_the_bot() {
    for heard_first in ["close", "confirmation"] {
        let (mut scene, bridge) = bridge();
        let mut core = Core::with_on_the_wire(&bridge, &[reply("Hi")]);
        scene.close();
        let closed = scene.notification();
        scene.own_reply("Hi");
        let (whole, part_id) = (scene.whole(), last_part(&scene));
        if heard_first == "close" {
            core.heard(closed, whole.clone());
            core.answered(Answer::Done { part_id });
        } else {
            core.answered(Answer::Done { part_id });
            core.heard(closed, whole.clone());
        }
        core.after(&Input::Tick(Some(whole)));
        assert_eq!(core.state.control, Control::Bot, "{heard_first} first: it is open, and the bot's");
    }
}

#[test]
fn a_reply_that_opens_what_people_had_leaves_it_to_them() {
    let (mut scene, bridge) = bridge();
    let mut core = Core::with_on_the_wire(&bridge, &[reply("Hi")]);
    scene.assign(AuthorKind::Teammate, support());
    core.heard(scene.notification(), scene.whole());
    scene.close();
    core.heard(scene.notification(), scene.whole());
    scene.own_reply("Hi");
    let (echo, part_id) = (scene.notification(), last_part(&scene));
    core.answered(Answer::Done { part_id });
    core.after(&Input::Tick(Some(scene.whole())));
    core.heard(echo, scene.whole());
    assert_eq!(core.state.control, Control::Human, "it is open, and the team's");
    assert_eq!(core.state.resume_at, None);
}

#[test]
fn an_assignment_that_a_close_of_ours_has_overtaken_has_it_opened_again() {
    let (mut scene, bridge) = bridge();
    let mut core = Core::with_on_the_wire(&bridge, &[]);
    let id = CommandId::parse("c").unwrap();
    let bot = BotId::parse("demo").unwrap();
    core.after(&Input::Commanded(Command {
        id,
        bot,
        digest: String::new(),
        epoch: None,
        seq: None,
        ask: close(Some("Bye")),
    }));
    core.after(&Input::Claim { lane: Lane::Close, claim: claim(), until: core.now.plus_ms(9_000) });
    scene.assign(AuthorKind::Teammate, Assignee::Nobody);
    let assigned = scene.notification();
    scene.own_close("Bye");
    core.answered(Answer::Done { part_id: last_part(&scene) });
    core.heard(assigned, scene.whole());
    core.heard(scene.notification(), scene.whole());
    assert_eq!(core.state.control, Control::Human, "whoever took it did not want it closed");
    assert!(core.state.outbox.iter().any(|entry| entry.action == Action::Open));
}

#[test]
fn a_hand_over_that_arrives_after_it_was_given_back_counts() {
    let (mut scene, bridge) = bridge();
    let mut core = Core::with_on_the_wire(&bridge, &[handover(HandoverTarget::Default)]);
    scene.give_back();
    core.heard(scene.notification(), scene.whole());
    assert_eq!(core.state.control, Control::Bot, "a person means it");
    let (_, part_id) = hands_over(&mut scene);
    core.answered(Answer::Done { part_id });
    assert_eq!(core.state.control, Control::Human, "Support has it");
}

#[test]
fn what_a_leaving_bot_wanted_to_say_is_not_said_after_a_person_has_spoken() {
    for doubtful in [false, true] {
        let (mut scene, bridge) = bridge();
        let mut core = Core::with_on_the_wire(&bridge, &[reply("One moment"), handover(HandoverTarget::Default)]);
        if !doubtful {
            core.answered(Answer::NotSent { retry_at: core.now });
        }
        scene.alice("I am on it");
        core.heard(scene.notification(), scene.whole());
        if doubtful {
            core.answered(Answer::NotSent { retry_at: core.now });
        }
        let next = core.claims();
        assert!(matches!(next, Some(Action::Assign { .. })), "the hand-over goes on, without words: {next:?}");
        assert!(core.told().iter().any(|event| matches!(event, EventKind::CommandSuperseded { .. })));
    }
}

#[test]
fn what_is_missing_while_the_bot_leaves_is_fetched() {
    let (mut scene, bridge) = bridge();
    let mut core = Core::with_on_the_wire(&bridge, &[reply("One moment"), handover(HandoverTarget::Default)]);
    core.answered(Answer::NotSent { retry_at: core.now });
    scene.alice("I am on it"); // its notification is late
    scene.customer("Thanks");
    core.heard(scene.notification(), scene.whole());
    assert!(matches!(core.claims(), Some(Action::Assign { .. })), "Alice has spoken");
}

#[test]
fn a_closed_conversation_is_not_closed_again() {
    let (mut scene, bridge) = bridge();
    bridge.notified(scene.close());
    let _ = bridge.told();
    bridge.asked("c1", close(Some("Bye"))).unwrap();
    assert_eq!(bridge.intercom.take_performed(), vec![], "should Alice open it now, that is not to be undone");
    let told = bridge.told();
    assert!(matches!(told[..], [EventKind::CommandDone { part_id: None, .. }]), "{told:?}");
}
