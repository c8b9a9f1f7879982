//! What the log says of a conversation: enough to answer "why", and no word of it.

use baton_tests::{Bridge, reply};
use serde_json::Value;
use shared::domain::conversation::Lane;
use shared::testing::{KeptLog, Scene, Surprise};

/// The lines that are logged meanwhile, as they are, and those that account for a decision.
fn logged(live: impl FnOnce()) -> (String, Vec<Value>) {
    let kept = KeptLog::default();
    let writer = kept.clone();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone()).finish();
    tracing::subscriber::with_default(subscriber, live);
    let text = kept.text();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let decided = lines.filter(|line| line["outcome"] == "decided").collect();
    (text, decided)
}

fn field<'a>(line: &'a Value, name: &str) -> &'a str {
    line[name].as_str().unwrap_or_default()
}

#[test]
fn every_change_is_accounted_for_and_no_word_is_quoted() {
    let mut scene = Scene::new("zebra one");
    scene.assign_to_bot();
    let bridge = Bridge::before(&scene);
    let (text, lines) = logged(|| {
        bridge.notified(&scene);
        let _ = bridge.told();
        bridge.asked("c1", reply("zebra two")).unwrap();
        bridge.notified(scene.alice("zebra three"));
        bridge.notified(scene.customer("zebra four"));
        bridge.asked("c2", reply("zebra five")).unwrap();
    });
    assert!(!text.contains("zebra"), "{text}");
    let told: Vec<_> = lines.iter().map(|line| (field(line, "cause"), field(line, "told"))).collect();
    assert_eq!(told[0], ("observed", "message 1"));
    let sent = lines.iter().find(|line| field(line, "to_do") == "reply 1").unwrap();
    assert_eq!(field(sent, "cause"), "commanded, claim");
    let done = lines.iter().find(|line| field(line, "settled") == "reply 1").unwrap();
    assert_eq!(field(done, "cause"), "answered_done, claim");
    let taken = lines.iter().find(|line| field(line, "decisions") == "paused").unwrap();
    assert_eq!((field(taken, "owner"), taken["epoch"].as_u64()), ("paused", Some(2)));
    let silent = lines.iter().find(|line| field(line, "decisions") == "left_to_people");
    assert!(silent.is_some(), "{lines:#?}");
    let late = lines.iter().find(|line| field(line, "decisions").contains("command_superseded"));
    assert!(late.is_some(), "{lines:#?}");
    let versions: Vec<_> = lines.iter().map(|line| line["version"].as_u64().unwrap()).collect();
    assert!(versions.windows(2).all(|pair| pair[0] < pair[1]), "{versions:?}");
}

#[test]
fn news_that_leaves_the_bot_silent_says_why() {
    let mut scene = Scene::new("Hello");
    let bridge = Bridge::before(&scene);
    let standing = bridge.notified(&scene).standing.unwrap();
    assert_eq!(standing.silent_because, Some("it was never given to the bot"));
    let standing = bridge.notified(scene.assign_to_bot()).standing.unwrap();
    assert_eq!((standing.owner.as_str(), standing.silent_because), ("bot", None));
    let standing = bridge.notified(scene.alice("Hi")).standing.unwrap();
    assert_eq!((standing.owner.as_str(), standing.silent_because), ("paused", Some("a teammate has spoken")));
}

#[test]
fn what_arrives_after_it_was_made_again_is_accounted_for_once_and_nothing_else_is() {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    bridge.intercom.expect([Surprise::RequestLost]);
    bridge.asked("c1", reply("Hi")).unwrap_err();
    bridge.desk.clock.advance_ms(30_000);
    let late = |lines: Vec<Value>| {
        let decisions = lines.iter().map(|line| field(line, "decisions").to_owned());
        decisions.filter(|decisions| decisions.contains("arrived_late")).count()
    };
    let (_, lines) = logged(|| {
        bridge.carry_out(Lane::Replies, None).unwrap();
        bridge.echoed();
        bridge.notified(scene.own_reply("Something else"));
    });
    assert_eq!(late(lines), 0, "what is made again is no surprise, nor is what has other words");
    let (_, lines) = logged(|| {
        bridge.notified(scene.own_reply("Hi"));
        bridge.notified(&scene);
    });
    assert_eq!(late(lines), 1);
    let (_, lines) = logged(|| {
        bridge.asked("c2", reply("Hi")).unwrap();
        bridge.echoed();
        bridge.notified(scene.own_reply("Hi"));
    });
    assert_eq!(late(lines), 0, "one was given up, and one has come");
}
