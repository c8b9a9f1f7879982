//! A bot that could not be reached is there again: it gets back what nobody has taken, and is told what
//! it missed; whoever was ahead of it keeps the conversation.

use baton_tests::{Bridge, reply};
use shared::app::heed::News;
use shared::domain::content::AuthorKind;
use shared::domain::conversation::{Control, EventKind, Lane};
use shared::domain::ids::{AdminId, TeamId};
use shared::domain::part::Assignee;
use shared::ports::{Clock as _, Worker};
use shared::testing::{BOT, Scene};

const HOUR_MS: u64 = 3_600_000;

fn the_bot() -> Assignee {
    Assignee::Teammate(AdminId::parse(BOT).unwrap())
}

fn returns() -> News {
    News::Due
}

/// The customer wrote while the bot was down, and people have the conversation.
fn relieved(take_back: bool) -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let mut bridge = Bridge::with_the_bot(&mut scene);
    bridge.desk.settings.workspaces.values_mut().for_each(|workspace| workspace.take_back = take_back);
    bridge.bots.refuse(u32::MAX);
    bridge.notified(scene.customer("one"));
    while bridge.state().control == Control::Bot {
        try_when_due(&bridge);
    }
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(matches!(bridge.intercom.assignee(), Assignee::Team(_)));
    (scene, bridge)
}

/// Waits until the first event is due, and tries it.
fn try_when_due(bridge: &Bridge) {
    let due = bridge.state().events.front().unwrap().due_at;
    bridge.desk.clock.advance_ms(due.0.saturating_sub(bridge.desk.clock.now().0));
    let _ = bridge.try_tell();
}

/// The bot is there again, and takes what waited for it.
fn is_back(bridge: &Bridge) -> Vec<EventKind> {
    bridge.bots.refuse(0);
    bridge.desk.clock.advance_ms(24 * HOUR_MS);
    bridge.told()
}

fn words(told: &[EventKind]) -> Vec<String> {
    let said = |message: &shared::domain::content::Message| {
        message.body.as_ref().map(shared::domain::incoming::text).unwrap_or_default()
    };
    told.iter()
        .map(|event| match event {
            EventKind::Message { message, .. } => said(message),
            EventKind::Resumed { stretch } => format!("resumed: {:?}", stretch.iter().map(said).collect::<Vec<_>>()),
            other => other.as_str().to_owned(),
        })
        .collect()
}

#[test]
fn down_for_six_hours_and_nobody_came_so_the_bot_has_it_again_and_the_customer_an_answer() {
    let (_, bridge) = relieved(true);
    // What the bot wants to say meanwhile comes too late.
    for _ in 0..6 {
        bridge.desk.clock.advance_ms(HOUR_MS);
        let _ = bridge.try_tell();
    }
    assert_eq!(words(&is_back(&bridge)), ["one", "handover_waiting"]);
    bridge.asked("early", reply("too early")).unwrap();
    assert!(bridge.swept().contains(&Worker::Router), "the look for others is due");
    bridge.heard(&returns()).unwrap();
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.intercom.assignee(), the_bot());
    assert_eq!(bridge.state().control, Control::Human, "until it is seen to have been first");
    bridge.heard(&returns()).unwrap();
    assert_eq!(bridge.state().control, Control::Bot);
    let told = words(&bridge.told());
    assert_eq!(told, ["command_superseded", "resumed: []", "one"], "what nobody has answered is told again");
    bridge.asked("late", reply("Sorry for the delay")).unwrap();
    assert_eq!(bridge.bots_words(), ["Sorry for the delay"]);
    assert_eq!(bridge.state().resume_at, None);
    assert!(!bridge.state().returning && bridge.state().relieved.is_none());
}

#[test]
fn the_echo_of_the_return_is_enough_where_its_worker_died() {
    let (_, bridge) = relieved(true);
    let _ = is_back(&bridge);
    bridge.heard(&returns()).unwrap();
    bridge.intercom.expect([shared::testing::Surprise::AnswerLost]);
    bridge.carry_out(Lane::Replies, None).unwrap_err();
    bridge.echoed();
    assert_eq!(bridge.state().control, Control::Bot);
    assert!(bridge.state().outbox.is_empty());
    assert_eq!(words(&bridge.told()), ["resumed: []", "one"]);
}

#[test]
fn whoever_acted_meanwhile_keeps_it() {
    type Deed = fn(&mut Scene) -> &mut Scene;
    let support = || Assignee::Team(TeamId::parse("500002").unwrap());
    let deeds: [(&str, Deed); 4] = [
        ("a word", |scene| scene.alice("I am here")),
        ("a note", |scene| scene.note("I look at it")),
        ("taking it", Scene::alice_takes),
        ("closing it", Scene::close),
    ];
    for (what, deed) in deeds {
        let (mut scene, bridge) = relieved(true);
        bridge.notified(deed(&mut scene));
        let _ = is_back(&bridge);
        let _ = bridge.heard(&returns());
        let _ = bridge.carry_out(Lane::Replies, None);
        assert_ne!(bridge.state().control, Control::Bot, "{what}");
        assert!(bridge.state().relieved.is_none() && bridge.intercom.assignee() != the_bot(), "{what}");
        assert_eq!(bridge.state().resume_at, None, "{what}");
    }
    let (mut scene, bridge) = relieved(true);
    bridge.notified(scene.assign(AuthorKind::Operator, support()));
    let _ = is_back(&bridge);
    assert!(bridge.state().relieved.is_none(), "a workflow that passes it on has taken it");
}

#[test]
fn a_teammate_who_takes_it_before_the_return_is_sent_keeps_it() {
    let (mut scene, bridge) = relieved(true);
    let _ = is_back(&bridge);
    bridge.heard(&returns()).unwrap();
    assert_eq!(bridge.state().outbox.len(), 1);
    bridge.notified(scene.alice_takes());
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!((bridge.state().control, bridge.state().outbox.len()), (Control::Human, 0));
    assert_ne!(bridge.intercom.assignee(), the_bot());
}

#[test]
fn a_teammate_who_took_it_unheard_is_seen_when_the_return_is_carried_out() {
    let (mut scene, bridge) = relieved(true);
    let _ = is_back(&bridge);
    bridge.heard(&returns()).unwrap();
    let taken = scene.alice_takes().whole().assignee;
    bridge.intercom.change(|shown| shown.assignee = taken.clone());
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.intercom.assignee(), taken);
    assert_eq!((bridge.state().control, bridge.state().returning), (Control::Human, false));
    assert!(bridge.state().relieved.is_none());
}

#[test]
fn a_return_that_crossed_a_person_is_undone() {
    let (mut scene, bridge) = relieved(true);
    let _ = is_back(&bridge);
    bridge.heard(&returns()).unwrap();
    let other = Assignee::Team(TeamId::parse("500002").unwrap());
    let passed_on = scene.assign(AuthorKind::Teammate, other.clone()).whole().parts.last().cloned().unwrap();
    bridge.intercom.change(|shown| {
        shown.assignee = other.clone();
        shown.parts.push(passed_on.clone());
        shown.part_count = Some(shown.parts.len() as u64);
    });
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.intercom.assignee(), the_bot(), "it was on the wire");
    bridge.heard(&returns()).unwrap();
    assert_eq!(bridge.state().control, Control::Human);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.intercom.assignee(), other);
    bridge.echoed();
    assert_eq!((bridge.state().control, bridge.state().returning), (Control::Human, false));
    assert_eq!(bridge.state().resume_at, None);
}

#[test]
fn people_keep_it_where_it_is_set_so() {
    let (_, bridge) = relieved(false);
    let _ = is_back(&bridge);
    assert_eq!((bridge.state().control, bridge.state().resume_at), (Control::Human, None));
}

#[test]
fn a_row_from_before_there_were_returns_is_read() {
    let (_, bridge) = relieved(true);
    let mut row = serde_json::to_value(bridge.state()).unwrap();
    let fields = row.as_object_mut().unwrap();
    assert!(fields.remove("relieved").is_some() && fields.remove("returning").is_some());
    let read: shared::domain::conversation::Conversation = serde_json::from_value(row).unwrap();
    assert_eq!((read.relieved, read.returning), (None, false));
}
