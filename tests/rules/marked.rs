//! Rules that ask for tags and attributes: they go by what the conversation has now, not by what it had
//! when the bot got it.

use serde_json::{Map, Value, json};
use shared::domain::command::Ask;
use shared::domain::conversation::Control;
use shared::domain::part::{Profile, Traits};
use shared::domain::step::{Answer, Input};

use super::conversation::{Talk, replies, sure};
use super::workspace;

const RULES: &str = r#"
[workspace.rules]
default = "nothing"
[[workspace.rules.rule]]
action = "answer"
tags = "VIP"
[[workspace.rules.rule]]
action = "answer"
attributes = { plan = ["pro", "7"], paid = "true" }
"#;

fn talk() -> Talk {
    let mut talk = Talk::new();
    talk.workspace = workspace(RULES);
    talk
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap()
}

/// Whether the bot's next answer is said.
fn answers(talk: &mut Talk) -> bool {
    talk.answer("Hours", sure(900));
    !replies(&talk.carry_out()).is_empty()
}

/// The customer writes, and the notification shows these traits.
fn written(talk: &mut Talk, traits: Traits) {
    talk.scene.customer("and?");
    let mut notification = talk.scene.notification();
    notification.traits = traits;
    talk.take(&Input::Observed(notification));
}

#[test]
fn what_a_workflow_or_a_teammate_marks_meanwhile_counts() {
    let with_tags =
        |tags: &[&str]| Traits { tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()), attributes: None };
    let paid = Traits { tags: None, attributes: Some(map(json!({ "plan": 7.0, "paid": true }))) };
    for (traits, said) in
        [(with_tags(&["other", "vip"]), true), (paid, true), (Traits::default(), false), (with_tags(&[]), false)]
    {
        let mut talk = talk();
        written(&mut talk, traits.clone());
        assert_eq!(answers(&mut talk), said, "{traits:?}");
    }
    // And what is taken off again counts no more.
    let mut talk = talk();
    written(&mut talk, with_tags(&["vip"]));
    written(&mut talk, with_tags(&[]));
    assert!(!answers(&mut talk));
}

#[test]
fn a_notification_that_comes_again_or_does_not_say_brings_nothing_back() {
    let mut talk = talk();
    let vip = Traits { tags: Some(vec!["vip".to_owned()]), attributes: None };
    written(&mut talk, vip.clone());
    let mut late = talk.scene.notification();
    late.traits = vip;
    written(&mut talk, Traits { tags: Some(Vec::new()), attributes: None });
    talk.take(&Input::Observed(late));
    written(&mut talk, Traits::default());
    assert!(!answers(&mut talk), "the tag was taken off");
}

#[test]
fn what_the_bot_itself_asks_for_counts_at_once_and_when_it_is_done() {
    let tag = Ask::Tag { tags: vec!["Vip".to_owned()] };
    let set = Ask::SetAttributes { attributes: map(json!({ "plan": "pro", "paid": true })) };
    for ask in [tag, set] {
        let mut at_once = talk();
        at_once.ask(ask.clone());
        assert!(answers(&mut at_once), "{ask:?}");
        let mut later = talk();
        later.ask(ask);
        later.carry_out();
        assert!(answers(&mut later) && later.state.control == Control::Bot);
    }
    let mut refused = talk();
    refused.ask(Ask::Tag { tags: vec!["vip".to_owned()] });
    refused.refuse_next(Answer::Rejected { code: "no".to_owned(), message: String::new() });
    refused.carry_out();
    assert!(!answers(&mut refused), "Intercom did not take it");
}

#[test]
fn an_attribute_that_is_null_is_the_customers() {
    let profile = Profile {
        conversation_attributes: map(json!({ "plan": null, "seats": 2 })),
        contact_attributes: map(json!({ "plan": "pro", "seats": 9 })),
        ..Profile::default()
    };
    assert_eq!(profile.attribute("plan"), Some(&json!("pro")));
    assert_eq!(profile.attribute("seats"), Some(&json!(2)));
    assert_eq!(profile.attribute("other"), None);
}
