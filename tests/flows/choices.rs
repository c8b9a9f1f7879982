//! What the bot offers to choose from, and how the customer's answer comes back to it.

use baton_tests::{Bridge, handover, now, reply};
use shared::app::heed::News;
use shared::domain::command::{Ask, HandoverTarget};
use shared::domain::content::{Block, Body, BodyFormat, Choice, Message, TextFormat};
use shared::domain::conversation::{Action, EventKind, Lane, OutboxEntry};
use shared::domain::settings::ApiVersion;
use shared::ports::{Clock as _, Conversations as _};
use shared::testing::{Scene, Surprise, key};
use shared::wire::bot::EventMessage;

fn offer(words: &str, labels: &[&str]) -> Ask {
    let option = |label: &&str| Choice { label: (*label).to_owned(), value: format!("is {label}") };
    let text = Block::Text { text: words.to_owned(), format: TextFormat::Plain };
    Ask::Reply { content: vec![text, Block::Options { text: None, options: labels.iter().map(option).collect() }] }
}

fn bridge(api: &str) -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let mut bridge = Bridge::with_the_bot(&mut scene);
    for workspace in bridge.desk.settings.workspaces.values_mut() {
        workspace.api_version = ApiVersion::parse(api).unwrap();
    }
    (scene, bridge)
}

/// The ids of the buttons that were offered, the last offer's first.
fn buttons(bridge: &Bridge) -> Vec<String> {
    let offered = bridge.state().offers;
    offered.iter().rev().flat_map(|offered| &offered.options).map(|option| option.uuid.clone()).collect()
}

fn messages(told: Vec<EventKind>) -> Vec<Message> {
    let message = |event| match event {
        EventKind::Message { message, .. } => Some(message),
        _ => None,
    };
    told.into_iter().filter_map(message).collect()
}

/// What the bot learns of the customer's last message: its text, and the value that it chooses.
fn heard(bridge: &Bridge, scene: &Scene) -> (String, Option<String>) {
    bridge.notified(scene);
    let message = messages(bridge.told()).pop().unwrap();
    (shared::domain::incoming::text(&message.body.unwrap()), message.choice.map(|choice| choice.value))
}

fn chosen(words: &str, value: &str) -> (String, Option<String>) {
    (words.to_owned(), Some(value.to_owned()))
}

fn said(words: &str) -> (String, Option<String>) {
    (words.to_owned(), None)
}

#[test]
fn a_button_a_number_or_the_label_comes_back_as_the_value_whatever_was_offered() {
    for (api, read) in [("2.10", vec!["Which plan?\n\n1. Basic\n2. Team"]), ("2.15", vec!["Which plan?"])] {
        let (mut scene, bridge) = bridge(api);
        bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap();
        assert_eq!(bridge.bots_words(), read, "{api}");
        let uuids = buttons(&bridge);
        let told = bridge.told();
        assert!(matches!(told[..], [EventKind::CommandDone { part_id: Some(_), .. }]), "{told:?}");
        assert_eq!(heard(&bridge, scene.customer("2.")), chosen("2.", "is Team"));
        assert_eq!(heard(&bridge, scene.customer("BASIC!")), chosen("BASIC!", "is Basic"), "somebody thinks again");
        assert_eq!(heard(&bridge, scene.customer("two")), chosen("two", "is Team"));
        assert_eq!(heard(&bridge, scene.customer("what is in it?")), said("what is in it?"));
        assert_eq!(heard(&bridge, scene.presses(&uuids[1], Some("Team"))), chosen("Team", "is Team"));
        assert_eq!(heard(&bridge, scene.presses(&uuids[0], None)), chosen("Basic", "is Basic"), "without words");
        assert_eq!(heard(&bridge, scene.presses("unknown", Some("Basic"))), said("Basic"));
    }
}

#[test]
fn buttons_are_a_message_after_the_words() {
    let (_, bridge) = bridge("2.15");
    bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap();
    let performed = bridge.intercom.take_performed();
    let [Action::Reply { html, offer: None, .. }, Action::Reply { offer: Some(offer), .. }] = &performed[..] else {
        panic!("{performed:?}")
    };
    assert_eq!(html, "<p>Which plan?</p>");
    assert!(offer.buttons);
    bridge.echoed();
    assert!(bridge.state().outbox.is_empty());
}

#[test]
fn an_offer_stands_until_something_else_is_said() {
    let (mut scene, bridge) = bridge("2.15");
    bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap();
    let first = buttons(&bridge);
    bridge.asked("c2", reply("And how many seats?")).unwrap();
    let _ = bridge.told();
    assert_eq!(heard(&bridge, scene.customer("2")), said("2"));
    assert_eq!(heard(&bridge, scene.presses(&first[1], Some("Team"))), chosen("Team", "is Team"), "a button is itself");
    bridge.asked("c3", offer("When?", &["Now", "Later"])).unwrap();
    let _ = bridge.told();
    assert_eq!(heard(&bridge, scene.customer("2")), chosen("2", "is Later"));
    bridge.notified(scene.alice("Which of these, 1 or 2?"));
    bridge.notified(scene.customer("2"));
    bridge.notified(scene.give_back());
    let told = messages(bridge.told());
    assert_eq!(told.last().unwrap().choice, None, "it was said to a person");
}

#[test]
fn a_typed_answer_is_to_what_was_offered_before_it() {
    let (mut scene, bridge) = bridge("2.15");
    bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap();
    let _ = bridge.told();
    scene.customer("2");
    bridge.asked("c2", offer("Where?", &["Here", "There"])).unwrap();
    let _ = bridge.told();
    assert_eq!(heard(&bridge, &scene), chosen("2", "is Team"), "it is older than the second offer");
    assert_eq!(heard(&bridge, scene.customer("2")), chosen("2", "is There"));
}

#[test]
fn buttons_in_doubt_are_found_by_their_ids() {
    let (mut scene, bridge) = bridge("2.15");
    bridge.intercom.expect([Surprise::None, Surprise::AnswerLost]);
    bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap_err();
    bridge.desk.clock.advance_ms(30_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(bridge.intercom.take_performed().len(), 2, "nothing is offered again");
    let _ = bridge.told();
    assert_eq!(heard(&bridge, scene.customer("1")), chosen("1", "is Basic"));
}

#[test]
fn a_press_that_comes_before_the_confirmation_is_understood() {
    let (mut scene, bridge) = bridge("2.15");
    bridge.intercom.expect([Surprise::None, Surprise::AnswerLost]);
    bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap_err();
    let Some(OutboxEntry { action: Action::Reply { offer: Some(offer), .. }, .. }) = bridge.state().outbox.pop_front()
    else {
        panic!("{:?}", bridge.state().outbox)
    };
    let heard = heard(&bridge, scene.presses(&offer.options[1].uuid, Some("Team")));
    assert_eq!(heard, chosen("Team", "is Team"));
    assert!(bridge.state().outbox.is_empty(), "what shows that they are there settles them");
}

#[test]
fn refused_buttons_become_the_list_that_numbers_them() {
    let (mut scene, bridge) = bridge("2.15");
    bridge.intercom.expect([Surprise::None, Surprise::Refused { code: "api_plan_restricted" }]);
    bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap();
    assert_eq!(bridge.bots_words(), ["Which plan?", "1. Basic\n2. Team"]);
    assert!(matches!(bridge.told()[..], [EventKind::CommandDone { .. }]));
    assert_eq!(heard(&bridge, scene.customer("2")), chosen("2", "is Team"));
}

#[test]
fn nothing_is_offered_in_a_hand_over() {
    let (_, bridge) = bridge("2.15");
    let Ask::Reply { content: offered } = offer("Which?", &["a"]) else { panic!() };
    let Ask::Handover { to, reason, note, tags, attributes, .. } = handover(HandoverTarget::Default) else { panic!() };
    bridge.asked("c1", Ask::Handover { to, reason, note, content: offered, tags, attributes }).unwrap();
    let told = bridge.told();
    assert!(matches!(&told[..], [EventKind::CommandRejected { code, .. }] if code == "bad_options"), "{told:?}");
}

#[test]
fn what_a_refused_message_had_still_to_say_is_not_said() {
    let (_, bridge) = bridge("2.15");
    bridge.intercom.expect([Surprise::Refused { code: "parameter_invalid" }]);
    bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap();
    assert!(bridge.bots_words().is_empty() && bridge.state().outbox.is_empty());
    let told = bridge.told();
    assert!(matches!(&told[..], [EventKind::CommandRejected { code, .. }] if code == "parameter_invalid"), "{told:?}");
}

/// The conversation is by e-mail, as the customer's profile tells.
fn by_email(bridge: &Bridge) {
    let stored = now(bridge.desk.store.load(&key())).unwrap();
    let mut conversation = stored.conversation;
    conversation.profile.channel = Some("email".to_owned());
    now(bridge.desk.store.save(&key(), &conversation, stored.version, bridge.desk.clock.now())).unwrap();
}

#[test]
fn an_answer_by_email_is_read_without_the_message_that_it_answers() {
    let quoting = "2.<br><br>Sent from my iPhone</p><p>On Monday, the shop wrote:</p><blockquote>Which plan? 1. Basic 2. Team</blockquote><p>";
    let (mut scene, bridge) = bridge("2.10");
    bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap();
    let _ = bridge.told();
    bridge.notified(scene.customer(quoting));
    let in_the_messenger = messages(bridge.told()).pop().unwrap();
    assert_eq!(in_the_messenger.choice, None, "in the Messenger nobody's words are left out");
    by_email(&bridge);
    bridge.notified(scene.customer(quoting));
    let pending = bridge.state().events.back().cloned().unwrap();
    let event = serde_json::to_value(EventMessage::new(&key(), &bridge.state(), &pending)).unwrap();
    let message = &event["data"]["message"];
    assert_eq!(message["text"], "2.", "{message}");
    assert_eq!(message["choice"]["value"], "is Team", "{message}");
    assert!(message["full_text"].as_str().unwrap().contains("Which plan? 1. Basic 2. Team"), "{message}");
    assert!(!message["markdown"].as_str().unwrap().contains("Monday"), "{message}");
    bridge.notified(scene.customer("Thanks"));
    let pending = bridge.state().events.back().cloned().unwrap();
    let event = serde_json::to_value(EventMessage::new(&key(), &bridge.state(), &pending)).unwrap();
    assert_eq!(event["data"]["message"]["full_text"], serde_json::Value::Null);
}

#[test]
fn a_signatures_mark_parts_an_email_and_nothing_in_a_chat() {
    for (mark, in_an_email) in [("-- ", "One"), ("--", "One\n--\nTwo"), ("—", "One\n—\nTwo")] {
        let (mut scene, bridge) = bridge("2.10");
        let mut read = || {
            bridge.notified(scene.customer(&format!("One<br>{mark}<br>Two")));
            let pending = bridge.state().events.back().cloned().unwrap();
            let event = serde_json::to_value(EventMessage::new(&key(), &bridge.state(), &pending)).unwrap();
            event["data"]["message"]["text"].as_str().unwrap().to_owned()
        };
        assert_eq!(read(), format!("One\n{}\nTwo", mark.trim()), "{mark:?} in a chat");
        by_email(&bridge);
        assert_eq!(read(), in_an_email, "{mark:?} in an e-mail");
    }
}

#[test]
fn an_email_that_a_notification_shows_as_plain_text_is_fetched() {
    let (mut scene, bridge) = bridge("2.10");
    bridge.asked("c1", offer("Which plan?", &["Basic", "Team"])).unwrap();
    by_email(&bridge);
    let _ = bridge.told();
    let mut seen = scene.customer("2.</p><blockquote>Which plan?</blockquote><p>").notification();
    bridge.intercom.change(|shown| {
        shown.parts.push(scene.whole().parts.pop().unwrap());
        shown.part_count = Some(shown.parts.len() as u64);
    });
    seen.part_count = bridge.intercom.shown().part_count;
    seen.parts[0].body = Some(Body { text: "2.\nWhich plan?".to_owned(), format: BodyFormat::Plain });
    bridge.intercom.take_gets();
    bridge.heard(&News::Shown(Box::new(seen))).unwrap();
    assert_eq!(bridge.intercom.take_gets(), 1);
    let message = messages(bridge.told()).pop().unwrap();
    assert_eq!(message.choice.map(|choice| choice.value).as_deref(), Some("is Team"));
    let mut seen = scene.customer("Thanks").notification();
    bridge.intercom.change(|shown| {
        shown.parts.push(scene.whole().parts.pop().unwrap());
        shown.part_count = Some(shown.parts.len() as u64);
    });
    seen.part_count = bridge.intercom.shown().part_count;
    seen.parts[0].body = Some(Body { text: "Thanks".to_owned(), format: BodyFormat::Plain });
    bridge.heard(&News::Shown(Box::new(seen))).unwrap();
    assert_eq!(bridge.intercom.take_gets(), 0, "one line quotes nothing");
}
