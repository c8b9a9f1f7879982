//! Machines among those who speak: loops, other bots, and what tells them from people.

use baton_tests::{Bridge, conversation_item, handover, reply};
use serde_json::{Value, json};
use shared::app::heed::News;
use shared::domain::command::{Ask, HandoverTarget};
use shared::domain::content::AuthorKind;
use shared::domain::conversation::{Action, Control, EventKind};
use shared::domain::ids::{AdminId, TeamId};
use shared::domain::part::Assignee;
use shared::ports::Clock as _;
use shared::testing::{BOT_TEAM, SUPPORT, Scene};
use shared::wire::intercom::ConversationItem;

/// Another app's bot, with a teammate's seat.
const OTHER_BOT: &str = "900077";

fn bridge() -> (Scene, Bridge) {
    let mut scene = Scene::default();
    let bridge = Bridge::with_the_bot(&mut scene);
    (scene, bridge)
}

fn rejected(told: &[EventKind]) -> Vec<(String, String)> {
    let code = |event: &EventKind| match event {
        EventKind::CommandRejected { command_id, code, .. } => Some((command_id.to_string(), code.clone())),
        _ => None,
    };
    told.iter().filter_map(code).collect()
}

fn notes(bridge: &Bridge) -> Vec<String> {
    let note = |action: Action| match action {
        Action::Note { html } => Some(html),
        _ => None,
    };
    bridge.intercom.take_performed().into_iter().filter_map(note).collect()
}

/// The bot talks on until it may not; how often it spoke.
fn talk_on(bridge: &Bridge, name: &str) -> usize {
    (0..30)
        .filter(|number| {
            bridge.asked(&format!("{name}{number}"), reply("And?")).unwrap();
            rejected(&bridge.told()).is_empty() && bridge.state().control == Control::Bot
        })
        .count()
}

#[test]
fn a_bot_that_talks_on_is_stopped_told_and_relieved_and_may_begin_anew_when_a_person_says_so() {
    let (mut scene, bridge) = bridge();
    for number in 0..10 {
        bridge.asked(&format!("c{number}"), reply("And?")).unwrap();
        assert!(rejected(&bridge.told()).is_empty());
    }
    bridge.asked("c10", reply("And?")).unwrap();
    bridge.asked("c11", reply("And?")).unwrap();
    let told = bridge.told();
    assert_eq!(rejected(&told), [("c10".to_owned(), "loop".to_owned())]);
    assert!(told.iter().any(|event| matches!(event, EventKind::HandoverWaiting { .. })), "{told:?}");
    assert!(matches!(told.last(), Some(EventKind::CommandSuperseded { .. })), "{told:?}");
    assert_eq!(bridge.bots_words().len(), 10);
    let state = bridge.state();
    assert_eq!((state.control, state.outbox.len()), (Control::Human, 0));
    assert_eq!(bridge.intercom.shown().assignee, Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
    let [why] = &notes(&bridge)[..] else { panic!("one note says why") };
    assert!(
        why.contains("10 messages within 10 minutes") && why.contains("Assign the conversation to the bot"),
        "{why}"
    );
    scene.assign(AuthorKind::Operator, Assignee::Team(TeamId::parse(SUPPORT).unwrap()));
    bridge.notified(scene.give_back());
    assert_eq!(bridge.state().control, Control::Bot);
    let _ = bridge.told();
    assert_eq!(talk_on(&bridge, "again"), 10);
}

#[test]
fn a_customer_who_writes_to_a_chatty_bot_is_a_person() {
    let (mut scene, bridge) = bridge();
    for number in 0..20 {
        bridge.desk.clock.advance_ms(4_000);
        scene.customer_now("Go on", bridge.desk.clock.now());
        bridge.notified(&scene);
        let _ = bridge.told();
        for part in 0..4 {
            bridge.asked(&format!("c{number}-{part}"), reply("And so on")).unwrap();
        }
        assert!(rejected(&bridge.told()).is_empty(), "{number}");
    }
    assert_eq!(bridge.bots_words().len(), 80);
}

#[test]
fn what_was_said_before_the_bot_got_it_is_answered_message_by_message() {
    let mut scene = Scene::default();
    for number in 0..30 {
        scene.customer(&format!("Number {number}"));
    }
    // Told all at once, as the bot gets it, and taken before the bot answers the first.
    let bridge = Bridge::with_the_bot(&mut scene);
    let _ = bridge.told();
    for number in 0..31 {
        bridge.asked(&format!("c{number}"), reply(&format!("To number {number}"))).unwrap();
        assert!(rejected(&bridge.told()).is_empty(), "{number}");
    }
    assert_eq!(bridge.bots_words().len(), 31);
    assert!(talk_on(&bridge, "on") <= 10, "and then it is alone");
}

#[test]
fn a_customer_who_answers_at_once_each_time_is_a_machine() {
    let (mut scene, bridge) = bridge();
    let mut spoken = 0;
    for number in 0..30 {
        bridge.asked(&format!("c{number}"), reply(&format!("You said: {number}"))).unwrap();
        let told = bridge.told();
        if !rejected(&told).is_empty() {
            assert_eq!(rejected(&told), [(format!("c{number}"), "loop".to_owned())]);
            break;
        }
        spoken += 1;
        bridge.desk.clock.advance_ms(900);
        scene.customer_now(&format!("You said: You said: {number}"), bridge.desk.clock.now());
        bridge.notified(&scene);
        let _ = bridge.told();
    }
    assert_eq!((spoken, bridge.bots_words().len()), (10, 10));
    assert_eq!(bridge.state().control, Control::Human);
}

#[test]
fn closing_with_words_is_talking_too_and_handing_over_always_works() {
    let (_, bridge) = self::bridge();
    let (_, other) = self::bridge();
    for number in 0..10 {
        bridge.asked(&format!("c{number}"), reply("And?")).unwrap();
        other.asked(&format!("c{number}"), reply("And?")).unwrap();
    }
    let farewell = Ask::Handover {
        to: HandoverTarget::Default,
        reason: Some("I am at my wits' end".to_owned()),
        note: None,
        content: vec![shared::domain::content::Block::Text {
            text: "Bye".to_owned(),
            format: shared::domain::content::TextFormat::Plain,
        }],
        tags: vec![],
        attributes: serde_json::Map::new(),
    };
    other.asked("close", baton_tests::close(Some("Bye"))).unwrap();
    assert_eq!(rejected(&other.told()), [("close".to_owned(), "loop".to_owned())]);
    assert!(other.intercom.shown().open && other.state().control == Control::Human);
    bridge.asked("h", farewell).unwrap();
    let told = bridge.told();
    assert!(rejected(&told).is_empty() && bridge.state().control == Control::Human, "{told:?}");
    assert!(matches!(told.last(), Some(EventKind::CommandDone { .. })), "{told:?}");
    assert_eq!(bridge.bots_words().len(), 10, "it goes without a farewell");
    assert!(notes(&bridge).iter().any(|note| note.contains("wits")));
}

#[test]
fn a_workflow_that_gives_back_whatever_is_handed_over_does_so_ten_times() {
    let (mut scene, bridge) = bridge();
    let mut hand_overs = 0;
    for number in 0..30 {
        bridge.asked(&format!("h{number}"), handover(HandoverTarget::Default)).unwrap();
        let _ = bridge.told();
        hand_overs += 1;
        scene.assign(AuthorKind::Operator, Assignee::Team(TeamId::parse(BOT_TEAM).unwrap()));
        bridge.notified(&scene);
        if bridge.state().control != Control::Bot {
            break;
        }
    }
    assert_eq!((hand_overs, bridge.state().control), (10, Control::Paused));
    bridge.carry_out(shared::domain::conversation::Lane::Replies, None).unwrap();
    assert!(notes(&bridge).last().is_some_and(|note| note.contains("workflow gave this conversation back")));
    bridge.notified(scene.assign(AuthorKind::Operator, Assignee::Team(TeamId::parse(BOT_TEAM).unwrap())));
    assert_eq!(bridge.state().control, Control::Paused, "a workflow does not wake it");
    bridge.notified(scene.give_back());
    assert_eq!(bridge.state().control, Control::Bot);
}

#[test]
fn when_fin_answers_the_same_three_messages_the_bot_is_silent() {
    for fin_first in [false, true] {
        let (mut scene, bridge) = bridge();
        let mut silent_after = None;
        for number in 0..5 {
            bridge.desk.clock.advance_ms(20_000);
            bridge.notified(scene.customer("And then?"));
            let _ = bridge.told();
            if fin_first {
                bridge.notified(scene.operator("I can help"));
            }
            bridge.asked(&format!("c{number}"), reply("So can I")).unwrap();
            if !fin_first {
                bridge.notified(scene.operator("I can help"));
            }
            if bridge.state().control != Control::Bot {
                silent_after = Some(number + 1);
                break;
            }
            assert!(rejected(&bridge.told()).is_empty());
        }
        assert_eq!((silent_after, bridge.state().control), (Some(3), Control::Human), "Fin first: {fin_first}");
        let told = bridge.told();
        assert_eq!(rejected(&told).iter().any(|(_, code)| code == "two_bots"), fin_first, "{told:?}");
        bridge.carry_out(shared::domain::conversation::Lane::Replies, None).unwrap();
        assert_eq!(bridge.bots_words().len(), if fin_first { 2 } else { 3 });
        assert!(notes(&bridge).iter().any(|note| note.contains("Another bot")));
    }
}

#[test]
fn a_word_of_fins_now_and_then_is_no_second_answer() {
    let (mut scene, bridge) = bridge();
    for number in 0..12 {
        bridge.desk.clock.advance_ms(20_000);
        bridge.notified(scene.customer("And then?"));
        let _ = bridge.told();
        bridge.asked(&format!("c{number}"), reply("So")).unwrap();
        if number % 3 != 0 {
            bridge.notified(scene.operator("We usually answer within minutes"));
        }
    }
    assert_eq!((bridge.bots_words().len(), bridge.state().control), (12, Control::Bot));
}

/// What Intercom sends for a part by this author, as captured: a message, and its place.
fn on_the_wire(number: u64, author: &Value, app: &Value) -> Value {
    let mut item = conversation_item("<p class=\"no-margin\">I can help with that</p>");
    item["admin_assignee_id"] = Value::Null;
    item["team_assignee_id"] = json!(BOT_TEAM.parse::<u64>().unwrap());
    item["statistics"]["count_conversation_parts"] = json!(1 + number);
    let part = &mut item["conversation_parts"]["conversation_parts"][0];
    part["id"] = json!((37_358_198_341 + number).to_string());
    part["author"] = author.clone();
    part["app_package_code"] = app.clone();
    item
}

/// As the edge slims it and the router reads it.
fn heard(bridge: &Bridge, item: Value) {
    let item: ConversationItem = serde_json::from_value(item).unwrap();
    let slim: ConversationItem = serde_json::from_str(&serde_json::to_string(&item).unwrap()).unwrap();
    bridge.heard(&News::Shown(Box::new(slim.observation(false)))).unwrap();
}

#[test]
fn on_the_wire_machines_are_told_from_people() {
    let operator = "operator+abc123@intercom.io";
    let fin = json!({ "type": "bot", "id": "5017691", "name": "Fin", "email": operator, "from_ai_agent": true, "is_ai_answer": true });
    let workflow = json!({ "type": "bot", "id": "5017690", "name": "Operator", "email": operator, "from_ai_agent": false, "is_ai_answer": false });
    let other = json!({ "type": "admin", "id": OTHER_BOT, "name": "Other Bot", "email": "bot@example.com", "from_ai_agent": false, "is_ai_answer": false });
    let person = json!({ "type": "admin", "id": "9608799", "name": "John Doe", "email": "admin@example.com", "from_ai_agent": false, "is_ai_answer": false });
    let app = json!("other-app");
    let cases = [
        ("Fin", &fin, Value::Null, true, Control::Bot, 0),
        ("a workflow", &workflow, Value::Null, true, Control::Bot, 0),
        ("another app's bot", &other, app.clone(), true, Control::Bot, 0),
        ("another app's bot that nobody named", &other, app.clone(), false, Control::Paused, 1),
        ("another app's bot in a version without codes", &other, Value::Null, true, Control::Bot, 0),
        ("a person", &person, Value::Null, true, Control::Paused, 0),
        ("a person in another tool", &person, app.clone(), true, Control::Paused, 1),
        ("a person, with a code of an odd kind", &person, json!({ "odd": [1] }), true, Control::Paused, 0),
    ];
    for (who, author, app, is_named, control, note_count) in cases {
        let mut scene = Scene::default();
        let mut bridge = Bridge::with_the_bot(&mut scene);
        if is_named {
            let workspace = bridge.desk.settings.workspaces.values_mut().next().unwrap();
            workspace.other_bots = vec![AdminId::parse(OTHER_BOT).unwrap()];
        }
        heard(&bridge, on_the_wire(1, author, &app));
        assert_eq!(bridge.state().control, control, "{who}");
        let told = bridge.told();
        let joined = told.iter().filter(|event| matches!(event, EventKind::AgentJoined { .. })).count();
        assert_eq!((told.len(), joined), if control == Control::Bot { (0, 0) } else { (1, 1) }, "{who}: {told:?}");
        bridge.carry_out(shared::domain::conversation::Lane::Replies, None).unwrap();
        let notes = notes(&bridge);
        assert_eq!(notes.len(), note_count, "{who}: {notes:?}");
        assert!(notes.iter().all(|note| note.contains("other_bots")), "{notes:?}");
    }
}

#[test]
fn two_people_who_pass_it_to_and_fro_are_one_piece_of_news_for_a_bot_that_was_slow_to_hear_it() {
    let take = |scene: &mut Scene, who: &str| {
        scene.assign(AuthorKind::Teammate, Assignee::Teammate(AdminId::parse(who).unwrap()));
    };
    for is_quick in [false, true] {
        let (mut scene, bridge) = bridge();
        bridge.notified(scene.customer("Hello?"));
        let (mut told, mut epoch) = (Vec::new(), bridge.state().epoch);
        for flip in 0..50 {
            bridge.desk.clock.advance_ms(200);
            take(&mut scene, if flip % 2 == 0 { "900002" } else { "900003" });
            bridge.notified(&scene);
            assert!(bridge.state().epoch >= epoch);
            epoch = bridge.state().epoch;
            if is_quick {
                told.extend(bridge.told());
            }
        }
        assert!(bridge.state().events.len() <= 3, "{:?}", bridge.state().events);
        told.extend(bridge.told());
        let joined = |event: &EventKind| match event {
            EventKind::AgentJoined { teammate, .. } => Some(teammate.to_string()),
            _ => None,
        };
        let joined: Vec<String> = told.iter().filter_map(joined).collect();
        assert_eq!(joined.last().map(String::as_str), Some("900003"), "the last one has it");
        assert!(joined.len() <= if is_quick { 50 } else { 2 }, "{joined:?}");
        let state = bridge.state();
        assert_eq!((state.control, state.outbox.len()), (Control::Human, 0));
    }
}
