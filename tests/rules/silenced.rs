//! Pauses and takings that are heard of late, or together with what crosses them.

use shared::domain::content::AuthorKind;
use shared::domain::conversation::{Action, Control, EventKind};
use shared::domain::ids::{AdminId, ClaimId, Timestamp};
use shared::domain::part::Assignee;
use shared::domain::step::{Answer, Input};
use shared::testing::Scene;

use super::conversation::{Talk, assigned, note, notes, replies, sure, team};

/// When the tests' conversations are first looked at, so many minutes ago.
fn ago(minutes: u64) -> Timestamp {
    Timestamp(1_768_040_000_000).minus_ms(minutes * 60_000)
}

/// A conversation in the bot's inbox with this, of which nothing is known until now: nobody told of it, or its row
/// was lost.
fn met(more: impl FnOnce(&mut Scene)) -> Talk {
    let mut scene = Scene::default();
    scene.assign_to_bot();
    more(&mut scene);
    let mut talk = Talk::of(scene);
    talk.look();
    talk
}

#[test]
fn a_pause_stands_however_late_it_is_seen_and_is_not_answered_again() {
    for pause in ["/bot pause", "/bot pause 3h"] {
        let mut talk = met(|scene| {
            scene.customer("one").note_now(pause, ago(120)).customer("two").note_now("/bot why", ago(119));
        });
        assert_eq!(talk.state.control, Control::Paused, "{pause}");
        assert_eq!(talk.state.resume_at, (pause != "/bot pause").then(|| ago(0).plus_ms(3_600_000)), "{pause}");
        assert!(talk.carry_out().is_empty(), "{pause}: neither note is answered after so long");
        assert!(matches!(talk.told().last(), Some(EventKind::AgentJoined { .. })), "{pause}");
        note(&mut talk, "/bot resume");
        assert_eq!(talk.state.control, Control::Bot, "{pause}");
    }
}

#[test]
fn what_something_of_our_own_follows_was_answered_however_fresh_it_is() {
    for (notes_before, control) in [("/bot why", Control::Bot), ("/bot pause", Control::Paused)] {
        let mut talk = met(|scene| {
            scene.note_now(notes_before, ago(2)).own_reply("as it crossed the note");
        });
        assert_eq!(talk.state.control, control, "{notes_before}");
        assert!(talk.carry_out().is_empty(), "{notes_before}");
    }
}

#[test]
fn a_pause_that_was_ended_does_not_come_back() {
    type Happen = fn(&mut Scene);
    let ends: [(&str, Happen); 6] = [
        ("given to the bot since", |scene| _ = scene.note_now("/bot pause", ago(120)).give_back()),
        ("resumed", |scene| _ = scene.note_now("/bot pause", ago(120)).note_now("/bot resume", ago(110))),
        ("closed and opened", |scene| _ = scene.note_now("/bot pause", ago(120)).close().customer("again")),
        ("over", |scene| _ = scene.note_now("/bot pause 1h", ago(120))),
        ("followed by one that is over", |scene| {
            scene.note_now("/bot pause", ago(120)).note_now("/bot pause 1h", ago(110));
        }),
        ("deleted", |scene| _ = scene.note_now("/bot pause", ago(120)).redact_last()),
    ];
    for (why, happen) in ends {
        let mut talk = met(|scene| {
            happen(scene);
            scene.customer("and now?");
        });
        assert_eq!((talk.state.control, talk.state.resume_at), (Control::Bot, None), "{why}");
        assert!(talk.carry_out().is_empty(), "{why}: nothing is said of it");
        assert!(matches!(talk.told().last(), Some(EventKind::Message { .. })), "{why}");
    }
}

#[test]
fn what_a_person_said_before_old_notes_does_not_have_them_answered_again() {
    let mut talk = met(|scene| {
        scene.alice("I look into it").note_now("/bot why", ago(120)).note_now("/bot send 1", ago(119));
    });
    assert_eq!(talk.state.control, Control::Paused);
    assert!(talk.carry_out().is_empty());
}

#[test]
fn a_hand_over_goes_on_although_a_workflow_gives_the_bot_what_it_leaves() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    assert_eq!(talk.state.control, Control::Human, "its hand-over waits for Intercom");
    talk.scene.assign(AuthorKind::Operator, Assignee::Teammate(AdminId::parse("900001").unwrap()));
    talk.scene.note_now("/bot pause 5", ago(0));
    talk.look();
    assert_eq!(talk.state.control, Control::Human);
    let done = talk.carry_out();
    assert!(notes(&done).contains("I am silent already") && replies(&done).is_empty(), "{done:?}");
    assert_eq!(assigned(&done), [team("500003")]);
}

/// The bot hands over, and its worker is on the way to Intercom.
fn leaving() -> (Talk, u64, ClaimId) {
    let mut talk = Talk::new();
    talk.answer("Legal", sure(900));
    let claim = ClaimId::parse("c").unwrap();
    let entry = talk.state.outbox.front().unwrap().clone();
    assert!(matches!(entry.action, Action::Assign { .. }) && talk.state.outbox.len() == 1);
    let until = ago(0).plus_ms(60_000);
    talk.take(&Input::Claim { lane: entry.action.lane(), claim: claim.clone(), until });
    (talk, entry.seq, claim)
}

#[test]
fn of_a_hand_over_and_a_workflow_that_gives_the_conversation_back_the_later_holds() {
    for (arrives_first, control) in [(true, Control::Bot), (false, Control::Human)] {
        // Both are seen while nobody knows yet whether the hand-over has arrived.
        let (mut talk, seq, claim) = leaving();
        if arrives_first {
            talk.scene.own_assign(team("500001")).assign_to_bot();
        } else {
            talk.scene.assign_to_bot().own_assign(team("500001"));
        }
        talk.look();
        talk.take(&Input::Answered { seq, claim, answer: Answer::Unknown });
        assert_eq!(talk.state.control, control, "first: {arrives_first}");
    }
}

#[test]
fn a_hand_over_that_is_not_made_leaves_the_conversation_to_who_was_given_it_meanwhile() {
    let (mut talk, seq, claim) = leaving();
    talk.scene.alice_takes().assign_to_bot();
    talk.look();
    assert_eq!(talk.state.control, Control::Bot, "Alice was ahead of the hand-over, and then came the workflow");
    let retry_at = ago(0);
    talk.take(&Input::Answered { seq, claim, answer: Answer::NotSent { retry_at } });
    assert!(talk.state.outbox.is_empty(), "it is not made again");
    assert_eq!(talk.state.control, Control::Bot);
    // Where it was on the wire, it counts as it does in Intercom.
    let (mut talk, seq, claim) = leaving();
    talk.scene.alice_takes().assign_to_bot();
    talk.look();
    talk.scene.own_assign(team("500001"));
    let part_id = talk.scene.whole().parts.last().map(|part| part.id.clone());
    talk.take(&Input::Answered { seq, claim, answer: Answer::Done { part_id } });
    assert_eq!(talk.state.control, Control::Human);
}

#[test]
fn a_pause_counts_after_an_assignment_that_no_part_shows() {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.look();
    assert_eq!(talk.state.control, Control::Human);
    talk.scene.note_now("/bot pause 5", ago(0));
    // A workflow has left the team and named the bot's teammate, which Intercom shows no part of.
    let mut whole = talk.scene.whole();
    whole.parts.retain(|part| part.assigned_to.is_none());
    whole.part_count = Some(whole.parts.len() as u64);
    whole.assignee = Assignee::Teammate(AdminId::parse("900001").unwrap());
    talk.take(&Input::Observed(whole));
    assert_eq!(talk.state.control, Control::Paused, "silent, and not: silent already");
    assert!(notes(&talk.carry_out()).contains("I am silent until"));
}

/// Somebody takes the conversation while the bot is taking it, which is heard of only afterwards.
fn crossed(come: impl FnOnce(&mut Scene), confirmed: bool) -> Talk {
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    talk.scene.note_now("/bot take", ago(0));
    talk.hear();
    let claim = ClaimId::parse("c").unwrap();
    let entry = talk.state.outbox.front().unwrap().clone();
    assert!(matches!(entry.action, Action::Take { .. }));
    let until = Timestamp(1_768_040_060_000);
    talk.take(&Input::Claim { lane: entry.action.lane(), claim: claim.clone(), until });
    come(&mut talk.scene);
    talk.scene.own_assign(Assignee::Teammate(AdminId::parse("900001").unwrap()));
    if confirmed {
        let part_id = talk.scene.whole().parts.last().map(|part| part.id.clone());
        talk.take(&Input::Answered { seq: entry.seq, claim, answer: Answer::Done { part_id } });
    }
    talk.look();
    talk
}

#[test]
fn who_takes_it_while_the_bot_is_taking_it_gets_it_back_whatever_is_heard_of_first() {
    let alice = Assignee::Teammate(AdminId::parse("900002").unwrap());
    for confirmed in [true, false] {
        for (to, what) in [(alice.clone(), "Alice"), (Assignee::Nobody, "nobody")] {
            let mut talk = crossed(|scene| _ = scene.assign(AuthorKind::Teammate, to.clone()), confirmed);
            assert_eq!(talk.state.control, Control::Human, "{what}, confirmed first: {confirmed}");
            let done = talk.carry_out();
            assert_eq!(assigned(&done), [to], "confirmed first: {confirmed}");
            assert!(replies(&done).is_empty(), "{done:?}");
            talk.look();
            assert!(talk.carry_out().is_empty(), "{what}: once is enough");
            assert_eq!(talk.state.control, Control::Human);
        }
        // Taking opens what somebody has closed.
        let mut talk = crossed(|scene| _ = scene.close(), confirmed);
        assert_eq!(talk.state.control, Control::Human, "confirmed first: {confirmed}");
        assert_eq!(assigned(&talk.carry_out()), [team("500003")], "confirmed first: {confirmed}");
    }
}

#[test]
fn a_note_waits_for_its_answer_where_an_earlier_one_was_answered_and_then_the_bot_gets_the_conversation() {
    let mut scene = Scene::default();
    scene.assign(AuthorKind::Operator, team("500001")).note_now("/bot why", ago(0));
    let mut talk = Talk::of(scene);
    talk.hear();
    assert_eq!(talk.carry_out().len(), 1);
    talk.scene.note_now("/bot one", ago(0)).assign_to_bot().note_now("/bot two", ago(0));
    talk.later(3 * 3_600_000); // nothing of Baton ran
    talk.look();
    let said = notes(&talk.carry_out());
    assert!(said.contains("“one”") && said.contains("“two”"), "{said}");
}
