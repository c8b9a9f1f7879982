//! Shadow mode and agreement: what would have been said, against what people said.

use shared::domain::agreement::Verdict;
use shared::domain::command::{Ask, HandoverTarget};
use shared::domain::part::Assignee;
use shared::domain::rules::{Deed, Node, Turn};

use super::conversation::{Talk, note, notes, replies, several, sure, text};

fn verdicts(talk: &Talk) -> Vec<(String, Deed, bool, Verdict)> {
    let row =
        |one: &shared::domain::agreement::Agreement| (one.origin.label.clone(), one.deed, one.shadow, one.verdict);
    talk.state.agreements.iter().map(row).collect()
}

#[test]
fn what_would_have_been_said_is_compared_with_what_the_teammate_says() {
    for (words, verdict) in [("The answer!", Verdict::Alike), ("We are closed.", Verdict::Different)] {
        let mut talk = Talk::new();
        talk.answer("Trial", sure(900));
        let done = talk.carry_out();
        assert!(replies(&done).is_empty() && notes(&done).is_empty(), "nothing is posted");
        talk.scene.alice(words);
        talk.hear();
        assert_eq!(verdicts(&talk), [("Trial".to_owned(), Deed::Answer, true, verdict)], "{words}");
        talk.scene.alice(words);
        talk.hear();
        assert_eq!(verdicts(&talk).len(), 1, "it is judged once");
    }
}

#[test]
fn what_the_bot_is_not_sure_of_says_nothing_of_its_node() {
    let mut talk = Talk::new();
    talk.answer("Trial", sure(300));
    talk.carry_out();
    talk.scene.alice("the answer");
    talk.hear();
    assert!(verdicts(&talk).is_empty());
}

#[test]
fn what_the_customer_added_before_the_answer_leaves_nothing_to_compare() {
    let mut talk = Talk::new();
    talk.answer("Trial", sure(900));
    talk.carry_out();
    talk.scene.customer("something else").alice("the answer");
    talk.look();
    assert!(verdicts(&talk).is_empty());
}

#[test]
fn a_suggestion_is_judged_by_what_the_teammate_makes_of_it() {
    type Make = fn(&mut Talk);
    let ways: [(Make, Verdict); 5] = [
        (|talk| drop(note(talk, "/bot send 2")), Verdict::Accepted),
        (|talk| drop(note(talk, "/bot take")), Verdict::Accepted),
        (|talk| drop(note(talk, "/bot dismiss")), Verdict::Dismissed),
        (
            |talk| {
                talk.scene.alice("Second");
                talk.hear();
            },
            Verdict::Alike,
        ),
        (
            |talk| {
                talk.scene.alice("No.");
                talk.hear();
            },
            Verdict::Different,
        ),
    ];
    for (make, verdict) in ways {
        let mut talk = Talk::new();
        talk.answer("Refund", several());
        talk.carry_out();
        make(&mut talk);
        assert_eq!(verdicts(&talk), [("Refund".to_owned(), Deed::Suggest, false, verdict)]);
    }
}

#[test]
fn an_answer_stands_until_a_person_steps_in() {
    let mut talk = Talk::new();
    talk.answer("Hours", sure(900));
    talk.carry_out();
    talk.scene.customer("thanks");
    talk.hear();
    talk.answer("Hours", sure(900));
    talk.carry_out();
    talk.scene.alice("That is wrong, sorry.");
    talk.hear();
    let row = |verdict| ("Hours".to_owned(), Deed::Answer, false, verdict);
    assert_eq!(verdicts(&talk), [row(Verdict::Stood), row(Verdict::SteppedIn)]);

    // What the customer writes shows nothing yet: it may be that this is no answer.
    let mut talk = Talk::new();
    talk.answer("Hours", sure(900));
    talk.carry_out();
    talk.scene.customer("that is not what I asked");
    talk.hear();
    assert!(verdicts(&talk).is_empty());
    talk.scene.alice("Sorry, let me see.");
    talk.hear();
    assert_eq!(verdicts(&talk), [row(Verdict::SteppedIn)]);

    let mut talk = Talk::new();
    talk.answer("Hours", sure(900));
    talk.carry_out();
    talk.scene.alice_takes();
    talk.hear();
    assert_eq!(verdicts(&talk), [row(Verdict::SteppedIn)], "also without a word");
    assert!(matches!(talk.state.assignee, Some(Assignee::Teammate(_))));
}

#[test]
fn an_answer_after_which_the_bot_calls_people_was_not_enough() {
    let people = || Ask::Handover {
        to: HandoverTarget::Default,
        reason: None,
        note: None,
        content: Vec::new(),
        tags: Vec::new(),
        attributes: serde_json::Map::new(),
    };
    let at = |node: &str| Node { id: format!("id-{node}"), ..Node::default() };
    let escalation = |node: &str| Ask::Escalate {
        content: Vec::new(),
        note: None,
        turn: Some(Turn { nodes: vec![at(node)], ..Turn::default() }),
    };
    type Next = Box<dyn Fn(&mut Talk)>;
    let asks = |ask: Ask| -> Next { Box::new(move |talk| talk.ask(ask.clone())) };
    let answers = |node: &'static str| -> Next { Box::new(move |talk| talk.answer(node, sure(900))) };
    for (what, next, verdict) in [
        ("a hand-over", asks(people()), Verdict::SteppedIn),
        ("an escalation of this node", asks(escalation("Hours")), Verdict::SteppedIn),
        ("an escalation of another", asks(escalation("Legal")), Verdict::Stood),
        ("another node, which is people's", answers("Billing"), Verdict::Stood),
        ("another node, which is answered", answers("Parcels"), Verdict::Stood),
        ("an answer without a turn", asks(Ask::Reply { content: text("And?") }), Verdict::Stood),
    ] {
        let mut talk = Talk::new();
        talk.answer("Hours", sure(900));
        talk.carry_out();
        talk.scene.customer("hm");
        talk.hear();
        next(&mut talk);
        assert_eq!(verdicts(&talk), [("Hours".to_owned(), Deed::Answer, false, verdict)], "{what}");
    }
}
