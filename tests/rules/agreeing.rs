//! Shadow mode and agreement: what would have been said, against what people said.

use shared::domain::agreement::Verdict;
use shared::domain::part::Assignee;
use shared::domain::rules::Deed;

use super::conversation::{Talk, note, notes, replies, several, sure};

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

    let mut talk = Talk::new();
    talk.answer("Hours", sure(900));
    talk.carry_out();
    talk.scene.alice_takes();
    talk.hear();
    assert_eq!(verdicts(&talk), [row(Verdict::SteppedIn)], "also without a word");
    assert!(matches!(talk.state.assignee, Some(Assignee::Teammate(_))));
}
