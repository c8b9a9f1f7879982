//! Files that customers send: their addresses run out, and the bot asks for fresh ones.

use baton_tests::{Bridge, at, reply};
use shared::domain::command::Ask;
use shared::domain::content::Attachment;
use shared::domain::conversation::{EventKind, Lane};
use shared::domain::ids::PartId;
use shared::testing::{Scene, Surprise};

fn file(url: &str) -> Attachment {
    Attachment { name: Some("photo.png".to_owned()), url: url.to_owned(), content_type: None, size_bytes: Some(7) }
}

/// A conversation in which the customer's last message has a file; its part.
fn with_a_file() -> (Scene, Bridge, PartId) {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.notified(scene.customer("See this").files([file("https://files.example/1?expires=1")]));
    let told = bridge.told();
    let [EventKind::Message { message, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(message.attachments, [file("https://files.example/1?expires=1")]);
    let part = message.part_id.clone().unwrap();
    (scene, bridge, part)
}

fn ask(part: &PartId) -> Ask {
    Ask::Attachments { part_id: Some(part.clone()) }
}

/// Intercom signs the address anew.
fn renew(bridge: &Bridge, part: &PartId, url: &str) {
    bridge.intercom.change(|shown| {
        let of_it = shown.parts.iter_mut().find(|one| one.id == *part).unwrap();
        of_it.attachments = vec![file(url)];
    });
}

#[test]
fn fresh_addresses_are_what_intercom_shows_when_they_are_asked_for() {
    let (_, bridge, part) = with_a_file();
    for (id, url) in [("c1", "https://files.example/1?expires=2"), ("c2", "https://files.example/1?expires=3")] {
        renew(&bridge, &part, url);
        bridge.asked(id, ask(&part)).unwrap();
        let told = bridge.told();
        let [EventKind::Attachments { command_id, part_id, attachments }] = &told[..] else { panic!("{told:?}") };
        assert_eq!((command_id.as_str(), part_id.as_ref()), (id, Some(&part)));
        assert_eq!(attachments[..], [file(url)]);
        bridge.asked(id, ask(&part)).unwrap();
        assert!(bridge.told().is_empty(), "asked again under the same id, it is answered already");
    }
}

#[test]
fn the_first_message_has_files_as_well() {
    let mut scene = Scene::default();
    scene.first_files([file("https://files.example/0?expires=1")]);
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.asked("c1", Ask::Attachments { part_id: None }).unwrap();
    let told = bridge.told();
    let [EventKind::Attachments { part_id: None, attachments, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!(attachments[..], [file("https://files.example/0?expires=1")]);
}

#[test]
fn what_the_bot_was_not_told_of_is_not_shown_to_it() {
    let (mut scene, bridge, part) = with_a_file();
    bridge.notified(scene.note("for us").files([file("https://files.example/secret")]));
    let note = bridge.intercom.shown().parts.last().unwrap().id.clone();
    let rejected = |id: &str, part: &PartId| {
        bridge.asked(id, ask(part)).unwrap();
        let told = bridge.told();
        let code = told.iter().find_map(|event| match event {
            EventKind::CommandRejected { code, .. } => Some(code.clone()),
            EventKind::Attachments { attachments, .. } => panic!("{attachments:?}"),
            _ => None,
        });
        code.unwrap()
    };
    assert_eq!(rejected("c1", &note), "unknown_message", "a note");
    assert_eq!(rejected("c2", &PartId::parse("99999999999").unwrap()), "unknown_message", "nothing at all");
    bridge.notified(scene.customer("And this"));
    let _ = bridge.told();
    assert_eq!(rejected("c3", &note), "unknown_message", "a note between what it was told");
    bridge
        .intercom
        .change(|shown| shown.parts.iter_mut().filter(|one| one.id == part).for_each(|one| one.redacted = true));
    assert_eq!(rejected("c4", &part), "unknown_message", "a deleted message");
}

#[test]
fn people_have_it_and_the_bot_may_still_look_at_what_it_was_told() {
    let (mut scene, bridge, part) = with_a_file();
    bridge.notified(scene.alice("Mine"));
    let _ = bridge.told();
    bridge.asked("c1", ask(&part)).unwrap();
    assert!(matches!(&bridge.told()[..], [EventKind::Attachments { attachments, .. }] if attachments.len() == 1));
}

#[test]
fn what_cannot_be_looked_up_now_is_later_and_in_order() {
    let (_, bridge, part) = with_a_file();
    let until = at(&bridge, 5_000);
    bridge.intercom.expect([Surprise::Limited { until }]);
    bridge.asked("c1", ask(&part)).unwrap_err();
    bridge.asked("c2", reply("One moment")).unwrap_err();
    assert!(bridge.told().is_empty());
    bridge.desk.clock.advance_ms(5_000);
    bridge.carry_out(Lane::Replies, None).unwrap();
    assert!(matches!(bridge.told()[..], [EventKind::Attachments { .. }, EventKind::CommandDone { .. }]));
}
