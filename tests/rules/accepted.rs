//! What a teammate has accepted, on its way to the customer: sent, taken back, or named as not sent.

use shared::domain::agreement::Verdict;
use shared::domain::conversation::{Action, Control, Conversation, EventKind};
use shared::domain::ids::ClaimId;
use shared::domain::step::{Effect, Input};

use super::conversation::{Talk, note, notes, replies, several, sure};

/// Alice writes a note, which is heard; nothing is carried out yet.
fn asked(talk: &mut Talk, words: &str) {
    talk.scene.note(words);
    talk.hear();
}

/// A conversation with a suggestion that a teammate has accepted, and that waits for its turn.
fn accepted(how: &str) -> Talk {
    let mut talk = Talk::new();
    talk.answer("Refund", several());
    talk.carry_out();
    talk.told();
    asked(&mut talk, how);
    assert!(talk.state.outbox.iter().any(|entry| entry.accepted.is_some()), "{how}");
    talk
}

/// The first action that waits is on the wire.
fn begin(talk: &mut Talk) {
    let entry = talk.state.outbox.front().unwrap();
    let (lane, claim) = (entry.action.lane(), ClaimId::parse("c").unwrap());
    let until = talk.state.born.plus_ms(60_000);
    let effects = talk.take(&Input::Claim { lane, claim, until });
    assert!(matches!(effects.last(), Some(Effect::Perform { .. })));
}

#[test]
fn a_suggestion_that_waits_to_be_sent_is_taken_back() {
    for how in ["/bot send 2", "/bot take"] {
        let mut talk = accepted(how);
        let done = note(&mut talk, "/bot dismiss");
        assert!(replies(&done).is_empty(), "{how}: {done:?}");
        assert!(notes(&done).contains("is dismissed; it had not been sent yet"), "{how}: {done:?}");
        let told = talk.told();
        assert!(!told.iter().any(|event| matches!(event, EventKind::SuggestionSent { .. })), "{how}: {told:?}");
        let verdicts: Vec<Verdict> = talk.state.agreements.iter().map(|one| one.verdict).collect();
        assert_eq!(verdicts, [Verdict::Dismissed], "{how}");
        assert_eq!(talk.state.granted, None, "{how}");
        assert!(notes(&note(&mut talk, "/bot send 1")).contains("it was dismissed"), "{how}");
    }
}

#[test]
fn a_suggestion_that_is_being_sent_is_not_said_to_be_dismissed() {
    let mut talk = accepted("/bot send 2");
    begin(&mut talk);
    asked(&mut talk, "/bot dismiss");
    let last = talk.state.outbox.back().unwrap();
    assert!(matches!(&last.action, Action::Note { html } if html.contains("it is being sent at this moment")));
    assert_eq!(talk.state.agreements.back().unwrap().verdict, Verdict::Accepted);
    let mut talk = accepted("/bot send 2");
    assert_eq!(replies(&talk.carry_out()).len(), 1);
    assert!(notes(&note(&mut talk, "/bot dismiss")).contains("nothing to dismiss: it has been sent already"));
    let mut talk = Talk::new();
    assert!(notes(&note(&mut talk, "/bot dismiss")).contains("There is nothing to dismiss."));
}

#[test]
fn the_bot_hears_that_a_suggestion_is_sent_when_it_is() {
    let mut talk = accepted("/bot send 2");
    assert!(talk.told().is_empty(), "it is only decided");
    talk.carry_out();
    assert!(matches!(talk.told()[..], [EventKind::SuggestionSent { number: Some(2), .. }]));
    let mut talk = accepted("/bot send 2");
    talk.scene.alice("I answer myself");
    talk.hear();
    assert!(replies(&talk.carry_out()).is_empty());
    assert!(matches!(talk.told()[..], [EventKind::AgentJoined { .. }]), "it is never sent");
}

#[test]
fn what_is_accepted_is_sent_also_where_the_bot_gets_the_conversation_before() {
    type Give = fn(&mut Talk);
    let gives: [(&str, Give); 3] = [
        ("by a note", |talk| asked(talk, "/bot take")),
        ("by a teammate", |talk| {
            talk.scene.give_back();
            talk.hear();
        }),
        ("by a workflow", |talk| {
            talk.scene.assign_to_bot();
            talk.hear();
        }),
    ];
    for (how, give) in gives {
        let mut talk = accepted("/bot send 2");
        give(&mut talk);
        assert_eq!(talk.state.control, Control::Bot, "{how}");
        let done = talk.carry_out();
        assert_eq!(replies(&done), ["<p><i>second</i></p>"], "{how}: {done:?}");
        let sent = |event: &EventKind| matches!(event, EventKind::SuggestionSent { number: Some(2), .. });
        assert_eq!(talk.told().iter().filter(|event| sent(event)).count(), 1, "{how}");
    }
}

#[test]
fn what_was_accepted_and_overtaken_is_named_where_the_bot_gets_the_conversation() {
    let mut talk = accepted("/bot take");
    asked(&mut talk, "/bot pause");
    let done = note(&mut talk, "/bot resume");
    assert!(replies(&done).is_empty() && notes(&done).contains("What I was to send is not sent"), "{done:?}");
    let done = note(&mut talk, "/bot send 1");
    assert!(notes(&done).contains("it was to be sent, and is not: something came before it"), "{done:?}");
    let mut talk = Talk::new();
    talk.answer("Refund", sure(900));
    talk.carry_out();
    let done = note(&mut talk, "/bot take");
    assert!(notes(&done).is_empty(), "all is well: {done:?}");
}

#[test]
fn a_row_from_before_suggestions_were_followed_to_the_customer_is_read() {
    let talk = accepted("/bot send 2");
    let mut row = serde_json::to_value(&talk.state).unwrap();
    for entry in row["outbox"].as_array_mut().unwrap() {
        assert!(entry.as_object_mut().unwrap().remove("accepted").is_some());
    }
    assert!(
        row["suggestion"].get("unsent").is_none() && row.get("taken_from").is_none(),
        "not stored where it says nothing"
    );
    let mut before: Conversation = serde_json::from_value(row).unwrap();
    assert!(before.outbox.iter().all(|entry| entry.accepted.is_none()));
    for (old, new) in before.outbox.iter_mut().zip(&talk.state.outbox) {
        old.accepted.clone_from(&new.accepted);
    }
    assert_eq!(before, talk.state);
}
