//! A bot that has lost what it knew asks for it: what was said, once more, by part or from part to part.

use baton_tests::{Bridge, reply};
use shared::domain::command::Ask;
use shared::domain::content::{AuthorKind, Message};
use shared::domain::conversation::EventKind;
use shared::domain::ids::PartId;
use shared::domain::incoming;
use shared::testing::Scene;

fn replayed(bridge: &Bridge, id: &str, from: Option<&PartId>, to: Option<&PartId>) -> (Vec<Message>, Option<PartId>) {
    bridge.asked(id, Ask::Replay { from: from.cloned(), to: to.cloned() }).unwrap();
    let mut told = bridge.told();
    match told.pop() {
        Some(EventKind::Replayed { command_id, messages, next }) if told.is_empty() => {
            assert_eq!(command_id.as_str(), id);
            (messages, next)
        }
        other => panic!("{told:?} {other:?}"),
    }
}

fn refused(bridge: &Bridge, id: &str, from: Option<&PartId>, to: Option<&PartId>) -> String {
    bridge.asked(id, Ask::Replay { from: from.cloned(), to: to.cloned() }).unwrap();
    match &bridge.told()[..] {
        [EventKind::CommandRejected { code, .. }] => code.clone(),
        other => panic!("{other:?}"),
    }
}

fn words(messages: &[Message]) -> Vec<String> {
    messages.iter().filter_map(|message| message.body.as_ref()).map(incoming::text).collect()
}

/// Three messages of the customer's after the first, of which the second is answered. Their parts.
fn conversation() -> (Scene, Bridge, Vec<PartId>) {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    let mut parts = Vec::new();
    for said in ["one", "two", "three"] {
        bridge.notified(scene.customer(said));
        let told = bridge.told();
        let [EventKind::Message { message, .. }] = &told[..] else { panic!("{told:?}") };
        parts.push(message.part_id.clone().unwrap());
    }
    (scene, bridge, parts)
}

#[test]
fn a_bot_that_lost_everything_is_told_it_again_from_any_part_to_any_other() {
    let (_, bridge, parts) = conversation();
    let (all, next) = replayed(&bridge, "c1", None, None);
    assert_eq!((words(&all).split_off(1), next), (vec!["one".to_owned(), "two".to_owned(), "three".to_owned()], None));
    assert_eq!(all[0].part_id, None, "the first message has no part");
    assert_eq!(words(&replayed(&bridge, "c2", Some(&parts[1]), None).0), ["two", "three"]);
    assert_eq!(words(&replayed(&bridge, "c3", Some(&parts[1]), Some(&parts[1])).0), ["two"]);
    assert_eq!(words(&replayed(&bridge, "c4", None, Some(&parts[0])).0).split_off(1), ["one"]);
    // Nothing of it is news: neither is the watermark moved, nor does anybody speak.
    let before = bridge.state();
    let _ = replayed(&bridge, "c5", None, None);
    let after = bridge.state();
    assert_eq!((before.told, before.seen, before.epoch), (after.told, after.seen, after.epoch));
    assert!(bridge.bots_words().is_empty());
}

#[test]
fn what_the_bot_was_not_told_is_not_replayed_and_notes_never_are() {
    let (mut scene, bridge, parts) = conversation();
    bridge.notified(scene.note("for us"));
    let note = bridge.intercom.shown().parts.last().unwrap().id.clone();
    bridge.notified(scene.alice("Mine"));
    let hers = bridge.intercom.shown().parts.last().unwrap().id.clone();
    bridge.notified(scene.customer("To you, Alice"));
    let _ = bridge.told();
    assert_eq!(refused(&bridge, "c1", Some(&note), None), "unknown_message");
    assert_eq!(refused(&bridge, "c2", None, Some(&hers)), "unknown_message");
    assert_eq!(refused(&bridge, "c3", Some(&parts[2]), Some(&parts[0])), "empty");
    assert_eq!(words(&replayed(&bridge, "c4", Some(&parts[2]), None).0), ["three"], "people have it meanwhile");
    bridge.notified(scene.give_back());
    let _ = bridge.told();
    let (since, _) = replayed(&bridge, "c5", Some(&parts[2]), None);
    assert_eq!(words(&since), ["three", "Mine", "To you, Alice"], "told by now, and no note");
}

#[test]
fn what_was_deleted_is_missing() {
    let (_, bridge, parts) = conversation();
    bridge
        .intercom
        .change(|shown| shown.parts.iter_mut().filter(|one| one.id == parts[1]).for_each(|one| one.redacted = true));
    assert_eq!(words(&replayed(&bridge, "c1", Some(&parts[0]), None).0), ["one", "three"]);
    assert_eq!(refused(&bridge, "c2", Some(&parts[1]), Some(&parts[1])), "unknown_message");
}

#[test]
fn much_is_told_in_pieces() {
    let (mut scene, bridge, _) = conversation();
    for number in 0..230 {
        bridge.notified(scene.customer(&format!("n{number}")));
        let _ = bridge.told();
    }
    let (mut said, mut from, mut asked) = (Vec::new(), None, 0);
    loop {
        let (messages, next) = replayed(&bridge, &format!("c{asked}"), from.as_ref(), None);
        assert!(messages.len() <= 100 && messages.iter().all(|message| message.author.kind == AuthorKind::Customer));
        said.extend(words(&messages));
        (from, asked) = (next, asked + 1);
        if from.is_none() {
            break;
        }
    }
    assert_eq!((asked, said.len()), (3, 234));
    assert_eq!(said[4..], (0..230).map(|number| format!("n{number}")).collect::<Vec<_>>()[..]);
}

#[test]
fn asked_again_under_the_same_id_it_is_answered_once_and_in_order() {
    let (_, bridge, parts) = conversation();
    bridge.asked("c1", Ask::Replay { from: Some(parts[0].clone()), to: None }).unwrap();
    bridge.asked("c2", reply("Now I know")).unwrap();
    bridge.asked("c1", Ask::Replay { from: Some(parts[0].clone()), to: None }).unwrap();
    assert!(matches!(bridge.told()[..], [EventKind::Replayed { .. }, EventKind::CommandDone { .. }]));
}
