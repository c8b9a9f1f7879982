//! A chat of the bot platform's is given to people and comes back: nothing is lost, nothing said twice,
//! no note leaves Intercom, and whoever dies in between changes nothing but the time.

use serde_json::{Value, json};

use baton_tests::chat::{Chat, TRANSFER, customer, message, seat, start, teammate};
use shared::app::catch_up::catch_up;
use shared::app::heed::{News, heed, look};
use shared::domain::command::Ask;
use shared::domain::conversation::{Action, Control, EventKind, Lane};
use shared::domain::ids::{AdminId, ContactId, ConversationId, ConversationKey, TeamId};
use shared::domain::part::{Assignee, Observation, PartKind};
use shared::domain::transfer::{Agent, Availability, File};
use shared::ports::{Changed, Clock as _, Page};
use shared::testing::{CONTACT, FakeSearch, Surprise};
use shared::wire::bot::EventMessage;

fn support() -> Assignee {
    Assignee::Team(TeamId::parse("500001").unwrap())
}

/// A chat that people have, of which the bot has heard everything.
fn relayed() -> Chat {
    relayed_with(TRANSFER)
}

fn relayed_with(settings: &str) -> Chat {
    let chat = Chat::with(settings);
    chat.started("s1", "I want a person");
    let _ = chat.events();
    chat
}

#[test]
fn a_chat_is_opened_in_the_customers_words_and_goes_to_the_team_of_its_channel() {
    let chat = Chat::default();
    chat.started("s1", "I want a person");
    assert_eq!(
        chat.shown(),
        ["customer: I want a person", "bot notes: Handed over by the bot: wants a person", "bot assigns"]
    );
    assert_eq!(chat.intercom.assignee(), support());
    let done: Vec<&str> = chat.intercom.take_performed().iter().map(Action::as_str).collect();
    assert_eq!(done, ["find_contact", "begin", "set_attributes", "tag", "note", "assign"], "before the assignment");
    assert_eq!(chat.told(), ["done s1", "handover_waiting"]);
    let row = |name: &str| chat.row(&format!("abc123#{name}").parse().unwrap()).moved_to;
    let home = Some(chat.home().conversation_id);
    assert_eq!(row(&format!("contact:{CONTACT}")), home);
    assert_eq!(row(chat.in_intercom().conversation_id.as_str()), home);
}

#[test]
fn what_both_sides_say_arrives_once_in_order_and_no_note_does() {
    let chat = relayed();
    chat.assigned(seat("900002"));
    chat.teammate_notes("do not tell");
    chat.teammate_says("Hello, I am Alice");
    chat.notified();
    chat.wrote("m1", "my order is late");
    chat.notified();
    chat.notified();
    chat.teammate_says("I look");
    assert_eq!(
        chat.told(),
        ["agent_joined 900002", "agent_message Hello, I am Alice", "done m1", "agent_message I look"]
    );
    chat.wrote("m1", "my order is late");
    let said = chat.shown().into_iter().filter(|line| line.contains("late")).count();
    assert_eq!(said, 1, "the same command twice is one message");
}

#[test]
fn a_teammate_is_told_by_name_and_picture_even_before_they_say_a_word() {
    let chat = relayed();
    let known = |id: &str, name: &str| Agent {
        id: AdminId::parse(id).unwrap(),
        name: Some(name.to_owned()),
        avatar: Some(format!("https://static.example/{id}.png")),
    };
    chat.intercom.knows(vec![known("900002", "Alice"), known("900003", "Bob")]);
    chat.assigned(seat("900002"));
    chat.notified();
    chat.teammate_says("Hello");
    let told = || -> Vec<Value> {
        let state = chat.state();
        let told = state.events.iter().map(|event| EventMessage::new(&chat.home(), &state, event));
        let told = told.map(|event| serde_json::to_value(event).unwrap()).collect();
        let _ = chat.events();
        told
    };
    let alice = json!({ "id": "900002", "name": "Alice", "avatar": "https://static.example/900002.png" });
    let events = told();
    assert_eq!((&events[0]["type"], &events[0]["data"]["agent"]), (&json!("agent_joined"), &alice));
    let author = &events[1]["data"]["message"]["author"];
    assert_eq!((&author["name"], &author["avatar"]), (&alice["name"], &alice["avatar"]), "{events:?}");
    // Whom nobody can tell anything of has an id, and the chat goes on.
    chat.intercom.knows(Vec::new());
    chat.assigned(seat("900004"));
    let changed = &told()[0];
    assert_eq!(changed["data"]["agent"], json!({ "id": "900004", "name": null, "avatar": null }));
    assert_eq!(changed["data"]["former"], alice);
}

#[test]
fn one_conversation_goes_from_bot_to_people_to_bot_to_people_with_all_that_was_said() {
    let chat = relayed();
    chat.assigned(seat("900002"));
    chat.teammate_says("Hello");
    chat.wrote("m1", "my order is late");
    let _ = chat.events();
    chat.teammate_closes();
    assert_eq!(chat.told(), ["closed by people: Hello, my order is late"]);
    assert_eq!(chat.state().control, Control::Closed);
    chat.started("s2", "I have one more question");
    assert_eq!(chat.intercom.opened(), 1, "it is the same conversation");
    assert_eq!(chat.state().control, Control::Human);
    assert!(chat.shown().contains(&"customer: I have one more question".to_owned()));
    chat.notified();
    chat.teammate_says("Which?");
    assert_eq!(chat.told(), ["done s2", "handover_waiting", "agent_joined 900002", "agent_message Which?"]);
    chat.teammate_closes();
    assert_eq!(chat.told(), ["closed by people: Which?"], "what it was given away with was said before");
}

#[test]
fn what_is_said_while_a_chat_is_given_away_again_belongs_to_what_was_said_since() {
    let chat = relayed();
    chat.teammate_closes();
    let _ = chat.events();
    chat.intercom.expect([Surprise::None, Surprise::AnswerLost]);
    let Ask::TransferStart(mut again) = start("one more question") else { unreachable!() };
    let url = "https://files.example/a".to_owned();
    again.files = vec![File { url, name: None, content_type: None, fetch: true }];
    chat.asked("s2", Ask::TransferStart(again)).unwrap();
    chat.teammate_says("Hello again");
    chat.time_goes_by(31_000);
    chat.wrote("m1", "hello");
    chat.teammate_closes();
    assert_eq!(chat.told().pop().unwrap(), "closed by people: Hello again, hello");
}

#[test]
fn a_second_start_joins_the_chat_that_people_have() {
    let chat = relayed();
    chat.started("s2", "I want a person");
    assert_eq!((chat.told(), chat.intercom.opened()), (vec!["done s2".to_owned()], 1));
    chat.started("s3", "are you there?");
    assert_eq!(chat.told(), ["done s3"]);
    assert_eq!(chat.shown().iter().filter(|line| line.starts_with("customer")).count(), 2);
}

#[test]
fn an_opening_whose_answer_is_lost_is_found_and_not_made_again() {
    for lost in [Surprise::AnswerLost, Surprise::RequestLost] {
        let chat = Chat::default();
        chat.intercom.expect([Surprise::None, lost]);
        chat.started("s1", "I want a person");
        assert_eq!(chat.told(), Vec::<String>::new());
        chat.time_goes_by(30_000);
        assert_eq!(chat.told(), Vec::<String>::new(), "it may still arrive, and Intercom's index lags a minute");
        chat.time_goes_by(61_000);
        assert_eq!(
            (chat.told(), chat.intercom.opened()),
            (vec!["done s1".to_owned(), "handover_waiting".to_owned()], 1)
        );
    }
}

#[test]
fn the_notification_of_the_new_conversation_settles_a_doubtful_opening_at_once() {
    let chat = Chat::default();
    chat.intercom.expect([Surprise::None, Surprise::AnswerLost]);
    chat.started("s1", "I want a person");
    chat.notified();
    chat.time_goes_by(1);
    assert_eq!((chat.told(), chat.intercom.opened()), (vec!["done s1".to_owned(), "handover_waiting".to_owned()], 1));
}

#[test]
fn a_message_whose_answer_is_lost_is_known_by_its_echo_or_by_looking() {
    for (surprise, echoed) in
        [(Surprise::AnswerLost, true), (Surprise::AnswerLost, false), (Surprise::RequestLost, false)]
    {
        let chat = relayed();
        chat.intercom.expect([surprise]);
        chat.wrote("m1", "my order is late");
        if echoed {
            chat.notified();
        }
        chat.time_goes_by(31_000);
        assert_eq!(chat.told(), ["done m1"]);
        assert_eq!(chat.shown().iter().filter(|line| line.contains("late")).count(), 1);
    }
}

#[test]
fn what_the_customer_writes_in_intercom_itself_is_told_and_never_taken_for_ours() {
    let chat = relayed();
    chat.customer_says("by the way");
    assert_eq!(chat.told(), ["message by the way"]);
    chat.wrote("m1", "yes");
    chat.notified();
    chat.customer_says("yes");
    assert_eq!(chat.told(), ["done m1", "message yes"], "the same words once more");
}

#[test]
fn the_same_words_by_the_other_door_while_ours_are_on_the_wire_are_told_once() {
    let chat = relayed();
    chat.intercom.expect([Surprise::RequestLost]);
    chat.wrote("m1", "yes");
    // Ours never arrived, and the customer says the same: one of the two is there, and one was said.
    chat.customer_says("yes");
    chat.time_goes_by(31_000);
    assert_eq!(chat.told(), ["done m1"]);
    assert_eq!(chat.shown().iter().filter(|line| *line == "customer: yes").count(), 1);
}

#[test]
fn what_is_said_behind_a_doubt_is_told_as_soon_as_it_is_settled_and_waits_for_no_sweep() {
    let chat = relayed();
    chat.intercom.expect([Surprise::AnswerLost]);
    chat.wrote("m1", "yes");
    chat.notified();
    chat.teammate_says("Hello?");
    assert_eq!(chat.told(), Vec::<String>::new(), "nobody knows yet whose words came before it");
    chat.desk.clock.advance_ms(30_000);
    chat.carry_out(Lane::Replies, None).unwrap();
    assert_eq!(chat.told(), ["done m1", "agent_joined 900002", "agent_message Hello?"]);
    assert_eq!(chat.state().resume_at, None, "nothing is left to the sweep");
}

#[test]
fn who_has_a_chat_that_goes_on_is_looked_up_at_once() {
    let chat = relayed();
    chat.teammate_closes();
    chat.happens_unseen(PartKind::Open, teammate("900002"), None, None);
    chat.intercom.change(|shown| shown.assignee = seat("900003"));
    let report = chat.try_notified().unwrap();
    assert_eq!(report.look, Some(chat.home()));
    let late = chat.desk.clock.now().plus_ms(1_000);
    baton_tests::now(look(&chat.desk, &chat.intercom, &chat.home(), late));
    assert_eq!(chat.told(), ["closed by people: ", "reopened"], "with so little time it is left to the sweep");
    let deadline = chat.desk.clock.now().plus_ms(30_000);
    baton_tests::now(look(&chat.desk, &chat.intercom, &chat.home(), deadline));
    assert_eq!((chat.told(), chat.state().resume_at), (vec!["agent_joined 900003".to_owned()], None));
}

#[test]
fn agents_come_change_and_leave() {
    let chat = relayed();
    chat.assigned(seat("900002"));
    chat.assigned(seat("900003"));
    chat.assigned(support());
    chat.assigned(seat("900002"));
    assert_eq!(
        chat.told(),
        [
            "agent_joined 900002",
            "agent_changed 900003 for 900002",
            "agent_left 900003",
            "handover_waiting",
            "agent_joined 900002"
        ]
    );
}

#[test]
fn the_customer_ends_it_and_what_they_said_before_still_arrives() {
    let chat = relayed();
    chat.intercom.expect([Surprise::Limited { until: chat.desk.clock.now().plus_ms(5_000) }]);
    chat.wrote("m1", "last words");
    chat.asked("e1", Ask::TransferEnd { reason: Some("solved".to_owned()) }).unwrap();
    assert_eq!(chat.told(), ["closed by customer: "]);
    chat.time_goes_by(6_000);
    assert_eq!(chat.told(), ["done m1", "done e1"]);
    let shown = chat.shown();
    assert_eq!(
        shown[shown.len() - 3..],
        ["customer: last words", "bot notes: The customer ended the chat: solved", "bot closes"]
    );
    chat.asked("e2", Ask::TransferEnd { reason: None }).unwrap();
    assert_eq!(chat.told(), ["done e2"], "it was over already");
}

#[test]
fn what_is_not_on_the_wire_when_people_close_is_the_bots_to_answer() {
    let chat = relayed();
    chat.intercom.expect([Surprise::Limited { until: chat.desk.clock.now().plus_ms(5_000) }]);
    chat.wrote("m1", "wait!");
    chat.teammate_closes();
    chat.wrote("m2", "hello?");
    assert_eq!(chat.told(), ["superseded m1", "closed by people: ", "superseded m2"]);
    chat.time_goes_by(10_000);
    assert!(!chat.shown().iter().any(|line| line.contains("wait")));
}

#[test]
fn a_message_that_was_on_the_wire_opens_what_people_closed() {
    let chat = relayed();
    chat.intercom.expect([Surprise::AnswerLost]);
    chat.happens_unseen(PartKind::Close, teammate("900002"), None, None);
    chat.wrote("m1", "wait!");
    chat.notified();
    chat.time_goes_by(31_000);
    let told = chat.told();
    assert!(told.contains(&"done m1".to_owned()), "{told:?}");
    assert_eq!(chat.state().control, Control::Human, "{told:?}");
}

#[test]
fn a_chat_that_is_opened_again_goes_on_or_stays_with_the_bot_as_set() {
    for (setting, goes_on) in [("", true), ("reopened = \"stay\"\n", false)] {
        let chat = relayed_with(&TRANSFER.replace("bot = \"demo\"\n", &format!("bot = \"demo\"\n{setting}")));
        chat.teammate_closes();
        let _ = chat.events();
        chat.happens(PartKind::Open, teammate("900002"), Some("one more thing"), None);
        chat.time_goes_by(1);
        let (told, last) = (chat.told(), chat.shown().pop().unwrap());
        if goes_on {
            assert_eq!(told, ["reopened", "agent_joined 900002", "agent_message one more thing"]);
        } else {
            assert_eq!(told, Vec::<String>::new());
            assert!(last.starts_with("bot notes: This is not passed on"), "{last}");
        }
    }
}

#[test]
fn a_channel_that_is_not_mapped_is_refused_and_nothing_is_done() {
    let chat = Chat::default();
    let Ask::TransferStart(mut begins) = start("hello") else { unreachable!() };
    begins.channel = "sms".to_owned();
    chat.asked("s1", Ask::TransferStart(begins)).unwrap();
    assert_eq!(chat.told(), ["rejected s1 unmapped_channel"]);
    chat.asked("n1", Ask::Note { text: "hm".to_owned() }).unwrap();
    assert_eq!(chat.told(), ["rejected n1 not_opened"]);
    chat.asked("r1", Ask::Redact { part_id: None }).unwrap();
    assert_eq!(chat.told(), ["rejected r1 unknown_message"]);
    assert_eq!(chat.intercom.take_performed(), []);
    chat.wrote("m1", "hello?");
    assert_eq!(chat.told(), ["superseded m1"]);
}

#[test]
fn when_nobody_is_there_it_starts_with_a_promise_or_is_refused_as_set() {
    let with = |setting: &str| TRANSFER.replace("bot = \"demo\"\n", &format!("bot = \"demo\"\n{setting}"));
    let away = Availability::Away { opens_at: Some(shared::domain::ids::Timestamp::from_seconds(1_768_100_000)) };
    let promised = Chat::with(&with("availability = \"promise\"\npromise = \"Tomorrow.\"\n"));
    promised.intercom.are_there(away);
    promised.started("s1", "hello");
    assert_eq!(promised.told(), ["nobody_there", "done s1", "handover_waiting"]);
    let refused = Chat::with(&with("availability = \"refuse\"\n"));
    refused.intercom.are_there(away);
    refused.started("s1", "hello");
    refused.wrote("m1", "hello?");
    assert_eq!(refused.told(), ["nobody_there", "rejected s1 unavailable", "superseded m1"]);
    assert_eq!((refused.intercom.opened(), refused.state().control), (0, Control::Closed));
    refused.intercom.are_there(Availability::Available);
    refused.started("s2", "now?");
    assert_eq!(refused.told(), ["done s2", "handover_waiting"]);
}

const WAITS: &str = r#"
[[workspace.transfer]]
bot = "demo"
[workspace.transfer.channels]
web = "team:500001"
[workspace.transfer.nobody]
after_minutes = 5
message = "Everybody is busy."
then = "team:500002"
[workspace.transfer.teammate]
after_minutes = 3
then = "bot"
[workspace.transfer.customer]
after_minutes = 10
then = "close"
"#;

#[test]
fn nobody_takes_it_in_time_and_another_team_gets_it_once() {
    let chat = relayed_with(WAITS);
    chat.time_goes_by(299_000);
    assert_eq!(chat.told(), Vec::<String>::new());
    chat.time_goes_by(2_000);
    assert_eq!(chat.told(), ["timed_out nobody team", "handover_waiting"]);
    assert_eq!(chat.intercom.assignee(), Assignee::Team(TeamId::parse("500002").unwrap()));
}

#[test]
fn the_teammate_is_silent_and_the_bot_has_it_again() {
    let chat = relayed_with(WAITS);
    chat.assigned(seat("900002"));
    chat.teammate_says("One moment");
    chat.wrote("m1", "I wait");
    let _ = chat.events();
    chat.time_goes_by(181_000);
    assert_eq!(chat.told(), ["timed_out teammate bot", "closed by timeout: One moment, I wait"]);
    assert!(!chat.intercom.shown().open);
    chat.time_goes_by(3_600_000);
    assert_eq!(chat.told(), Vec::<String>::new(), "it is over");
}

#[test]
fn the_customer_is_silent_and_the_chat_is_closed_unless_an_answer_was_only_not_told() {
    let chat = relayed_with(WAITS);
    chat.teammate_says("Which order?");
    let _ = chat.events();
    chat.happens_unseen(PartKind::Comment, customer(), Some("the last one"), None);
    chat.time_goes_by(601_000);
    assert_eq!(chat.told(), ["message the last one"], "the whole conversation is looked at first");
    chat.teammate_says("Thank you");
    let _ = chat.events();
    chat.time_goes_by(601_000);
    assert_eq!(chat.told()[0], "timed_out customer close");
}

#[test]
fn a_conversation_that_was_deleted_gives_the_chat_back_and_the_next_start_opens_another() {
    let chat = relayed();
    chat.intercom.expect([Surprise::Refused { code: "conversation_gone" }]);
    chat.wrote("m1", "still there?");
    assert_eq!(chat.told(), ["closed by deletion: ", "superseded m1"]);
    chat.intercom.expect([Surprise::None, Surprise::Refused { code: "conversation_gone" }]);
    chat.started("s2", "a person, please");
    assert_eq!((chat.told(), chat.intercom.opened()), (vec!["done s2".to_owned(), "handover_waiting".to_owned()], 2));
    let second = chat.in_intercom();
    assert_eq!(chat.row(&second).moved_to, Some(chat.home().conversation_id));
    let first = second.conversation_id.as_str().parse::<u64>().unwrap() - 1;
    let first = format!("abc123#{first}").parse().unwrap();
    baton_tests::now(heed(&chat.desk, &chat.intercom, &first, &News::Deleted)).unwrap();
    assert_eq!(chat.state().control, Control::Human, "the one before is nobody's");
}

#[test]
fn a_deletion_ends_the_chat() {
    let chat = relayed();
    baton_tests::now(heed(&chat.desk, &chat.intercom, &chat.in_intercom(), &News::Deleted)).unwrap();
    chat.wrote("m1", "still there?");
    assert_eq!(chat.told(), ["closed by deletion: ", "superseded m1"]);
}

#[test]
fn a_deletion_that_is_not_true_is_made_good() {
    let chat = relayed();
    baton_tests::now(heed(&chat.desk, &chat.intercom, &chat.in_intercom(), &News::Deleted)).unwrap();
    chat.started("s2", "are you there?");
    chat.notified();
    chat.teammate_says("Yes");
    assert_eq!(
        chat.told(),
        ["closed by deletion: ", "done s2", "handover_waiting", "agent_joined 900002", "agent_message Yes"]
    );
    assert_eq!(chat.intercom.opened(), 1);
}

#[test]
fn a_redaction_follows_to_both_sides() {
    let chat = relayed();
    chat.wrote("m1", "my card is 4111");
    let Some(EventKind::CommandDone { part_id: Some(part), .. }) = chat.events().pop() else { panic!("no part") };
    chat.asked("r1", Ask::Redact { part_id: Some(part) }).unwrap();
    assert_eq!(chat.told(), ["done r1"]);
    assert!(chat.intercom.shown().parts.iter().any(|part| part.redacted));
    chat.asked("r2", Ask::Redact { part_id: None }).unwrap();
    assert_eq!((chat.told(), chat.intercom.shown().source), (vec!["done r2".to_owned()], None));
    let said = chat.teammate_says("the code is 12");
    let _ = chat.events();
    chat.intercom
        .change(|shown| shown.parts.iter_mut().filter(|part| part.id == said).for_each(|part| part.redacted = true));
    chat.notified();
    assert_eq!(chat.told(), ["message_redacted"]);
}

#[test]
fn commands_of_one_mode_are_refused_in_the_other() {
    let chat = relayed();
    chat.asked("x1", baton_tests::reply("hello")).unwrap();
    assert_eq!(chat.told(), ["rejected x1 not_in_a_session"]);
    let mut scene = shared::testing::Scene::default();
    let bridge = baton_tests::Bridge::with_the_bot(&mut scene);
    bridge.asked("x2", message("hello")).unwrap();
    assert!(matches!(&bridge.told()[..], [EventKind::CommandRejected { code, .. }] if code == "not_a_session"));
}

/// Alice begins another conversation with the chat's customer.
fn begun_by_people(chat: &Chat) -> (ConversationKey, News) {
    let another = ConversationId::parse("777").unwrap();
    chat.intercom.change(|shown| {
        shown.parts.clear();
        (shown.open, shown.part_count) = (true, Some(0));
        if let Some(source) = &mut shown.source {
            source.author = teammate("900002");
            source.body = Some(shared::domain::content::Body::html("<p>We found it</p>".to_owned()));
        }
    });
    let mut seen = chat.intercom.shown();
    seen.complete = false;
    let key = ConversationKey { app_id: chat.home().app_id, conversation_id: another };
    let news = News::Shown(Box::new(seen));
    (key, news)
}

#[test]
fn people_begin_a_conversation_and_the_customer_reads_it_in_the_bots_chat() {
    let chat = relayed();
    chat.teammate_closes();
    let _ = chat.events();
    let (key, news) = begun_by_people(&chat);
    baton_tests::now(heed(&chat.desk, &chat.intercom, &key, &news)).unwrap();
    assert_eq!(chat.told(), ["agent_joined 900002", "agent_message We found it"]);
    assert_eq!(chat.row(&key).moved_to, Some(chat.home().conversation_id));
    chat.wrote("m1", "thank you");
    assert_eq!(chat.told(), ["done m1"]);
}

/// Intercom notifies of the last part of the other conversation.
fn notified_beside(chat: &Chat, key: &ConversationKey) {
    let mut seen = chat.intercom.shown();
    seen.complete = false;
    seen.parts = seen.parts.last().cloned().into_iter().collect();
    baton_tests::now(heed(&chat.desk, &chat.intercom, key, &News::Shown(Box::new(seen)))).unwrap();
}

#[test]
fn people_begin_another_conversation_while_others_have_the_chat_and_all_that_is_said_there_is_read() {
    let chat = relayed();
    let (key, news) = begun_by_people(&chat);
    baton_tests::now(heed(&chat.desk, &chat.intercom, &key, &news)).unwrap();
    baton_tests::now(heed(&chat.desk, &chat.intercom, &key, &news)).unwrap();
    let state = chat.state();
    let event = EventMessage::new(&chat.home(), &state, &state.events[0]);
    let event = serde_json::to_value(event).unwrap();
    assert_eq!(event["conversation"]["intercom"]["conversationId"], json!("777"), "the bot can tell them apart");
    assert_eq!(chat.told(), ["agent_message We found it"], "once");
    assert_eq!(chat.row(&key).moved_to, None, "the chat stays where it is");
    let notes: Vec<_> = chat.state().outbox.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(notes, ["note"], "those who have the chat are told, once");
    // Of three that follow only the last is notified of, twice.
    chat.happens_unseen(PartKind::Comment, teammate("900002"), Some("It was in the cellar"), None);
    chat.happens_unseen(PartKind::Note, teammate("900002"), Some("psst"), None);
    let last = chat.happens_unseen(PartKind::Comment, customer(), Some("Great"), None);
    notified_beside(&chat, &key);
    notified_beside(&chat, &key);
    assert_eq!(chat.told(), ["agent_message It was in the cellar", "message Great"]);
    chat.intercom.change(|shown| {
        shown.parts.iter_mut().filter(|part| part.id == last).for_each(|part| part.redacted = true);
    });
    notified_beside(&chat, &key);
    notified_beside(&chat, &key);
    assert_eq!(chat.told(), ["message_redacted"]);
    // The chat ends, and what people say there then has it go on there.
    chat.asked("e1", Ask::TransferEnd { reason: None }).unwrap();
    chat.time_goes_by(1);
    assert_eq!(chat.told(), ["closed by customer: ", "done e1"]);
    chat.intercom.change(|shown| shown.open = true);
    chat.happens_unseen(PartKind::Comment, teammate("900002"), Some("Anything else?"), None);
    notified_beside(&chat, &key);
    assert_eq!(chat.told(), ["reopened", "agent_joined 900002", "agent_message Anything else?"]);
    assert_eq!(chat.row(&key).moved_to, Some(chat.home().conversation_id));
}

/// A note for the bot is answered there, which makes a row of what is the bot's there: nothing but that.
#[test]
fn what_people_say_beside_a_chat_is_passed_on_also_after_they_have_asked_the_bot_something_there() {
    let chat = relayed();
    let (key, news) = begun_by_people(&chat);
    baton_tests::now(heed(&chat.desk, &chat.intercom, &key, &news)).unwrap();
    let _ = chat.told();
    chat.happens_unseen(PartKind::Note, teammate("900002"), Some("/bot why"), None);
    chat.intercom.change(|shown| shown.parts[0].created_at = chat.desk.clock.now());
    notified_beside(&chat, &key);
    let answers: Vec<_> = chat.row(&key).outbox.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(answers, ["note"]);
    chat.happens_unseen(PartKind::Comment, teammate("900002"), Some("It was in the cellar"), None);
    notified_beside(&chat, &key);
    notified_beside(&chat, &key);
    assert_eq!(chat.told(), ["agent_message It was in the cellar"]);
}

#[test]
fn what_was_said_before_there_was_a_chat_is_history_where_people_go_on_in_an_old_conversation() {
    let chat = relayed();
    let (key, _) = begun_by_people(&chat);
    let long_ago = shared::domain::ids::Timestamp::from_seconds(1_700_000_000);
    chat.intercom.change(|shown| {
        shown.source.iter_mut().for_each(|source| source.created_at = long_ago);
    });
    chat.happens_unseen(PartKind::Comment, teammate("900002"), Some("Happy new year"), None);
    chat.intercom.change(|shown| shown.parts[0].created_at = long_ago);
    chat.happens_unseen(PartKind::Comment, teammate("900002"), Some("We found it"), None);
    chat.intercom.change(|shown| shown.parts[1].created_at = chat.desk.clock.now());
    notified_beside(&chat, &key);
    assert_eq!(chat.told(), ["agent_message We found it"]);
}

/// What Intercom notified of when the chat's row did not know its customer yet, whose start was carried out late, is
/// looked for; where it was not late, the sweep's search finds it, and nothing is asked for.
/// Files without words, of which only the number tells whose they are: other ones from the other door are not taken for
/// those that are in doubt. And they leave the last words what they were.
#[test]
fn other_files_by_the_other_door_while_ours_are_in_doubt_are_told_and_ours_are_sent() {
    let chat = relayed();
    chat.wrote("m1", "look");
    let file = |name: &str| File {
        url: format!("https://files.example/{name}"),
        name: None,
        content_type: None,
        fetch: false,
    };
    chat.intercom.expect([Surprise::RequestLost]);
    let files = vec![file("a"), file("b")];
    chat.asked("m2", Ask::TransferMessage { text: String::new(), files }).unwrap();
    let theirs = chat.happens_unseen(PartKind::Comment, customer(), None, None);
    let attachment = shared::domain::content::Attachment {
        name: None,
        url: "https://intercom.example/c".to_owned(),
        content_type: None,
        size_bytes: None,
    };
    chat.intercom.change(|shown| {
        shown.parts.iter_mut().filter(|part| part.id == theirs).for_each(|part| {
            part.attachments = vec![attachment.clone()];
        });
    });
    chat.notified();
    assert_eq!(chat.told(), ["done m1", "message "]);
    let _ = chat.intercom.take_performed();
    chat.time_goes_by(120_000);
    let sent: Vec<&str> = chat.intercom.take_performed().iter().map(Action::as_str).collect();
    assert_eq!((sent, chat.told()), (vec!["relay"], vec!["done m2".to_owned()]));
    chat.started("s2", "look");
    assert_eq!(chat.told(), ["done s2"]);
    assert!(chat.intercom.take_performed().is_empty(), "it was said already");
}

#[test]
fn what_people_begin_before_the_start_is_carried_out_reaches_the_chat() {
    for (late_ms, expected) in [(1_000, vec![]), (300_000, vec!["agent_message We found it", "agent_message Hello?"])] {
        let chat = Chat::default();
        let until = chat.desk.clock.now().plus_ms(late_ms);
        chat.intercom.expect([Surprise::Limited { until }]);
        chat.started("s1", "I want a person");
        let another = relayed();
        let (key, news) = begun_by_people(&another);
        another.intercom.change(|shown| shown.contact = ContactId::parse(CONTACT).ok());
        another.happens_unseen(PartKind::Comment, teammate("900002"), Some("Hello?"), None);
        chat.intercom.has_beside(key.conversation_id.clone(), another.intercom.shown());
        baton_tests::now(heed(&chat.desk, &chat.intercom, &key, &news)).unwrap();
        assert_eq!(chat.told(), [""; 0], "nobody knows whose it is");
        chat.time_goes_by(late_ms);
        let told = chat.told();
        assert_eq!(told[..2], ["done s1", "handover_waiting"]);
        assert_eq!(told[2..], expected);
        chat.time_goes_by(late_ms);
        assert_eq!(chat.told(), [""; 0], "once");
    }
}

/// The chat has left its conversation for one that people began; a teammate goes on in the old one all the same.
#[test]
fn what_people_say_in_a_conversation_that_the_chat_has_left_is_passed_on() {
    let chat = relayed();
    let conversation = || chat.state().transfer.and_then(|transfer| transfer.conversation).unwrap();
    let left = conversation();
    chat.teammate_closes();
    let _ = chat.events();
    let mut seen = Observation { complete: true, ..chat.intercom.shown() };
    let (key, news) = begun_by_people(&chat);
    baton_tests::now(heed(&chat.desk, &chat.intercom, &key, &news)).unwrap();
    let _ = chat.told();
    let old = ConversationKey { app_id: key.app_id.clone(), conversation_id: left };
    assert!(!seen.parts.is_empty(), "what was before is shown too");
    let part = chat.happens_unseen(PartKind::Comment, teammate("900002"), Some("The invoice is on its way"), None);
    seen.parts.extend(chat.intercom.shown().parts.into_iter().filter(|one| one.id == part));
    seen.part_count = Some(seen.parts.len() as u64);
    for _ in 0..2 {
        baton_tests::now(heed(&chat.desk, &chat.intercom, &old, &News::Shown(Box::new(seen.clone())))).unwrap();
    }
    assert_eq!(chat.told(), ["agent_message The invoice is on its way"], "once, and nothing from before");
    assert_eq!(conversation(), key.conversation_id, "the chat stays where it is");
}

#[test]
fn what_people_say_beside_a_chat_and_nobody_told_of_is_found_by_searching() {
    let chat = relayed();
    let (key, _) = begun_by_people(&chat);
    let look = |fake: &FakeSearch| {
        let deadline = chat.desk.clock.now().plus_ms(60_000);
        baton_tests::now(catch_up(&chat.desk, fake, deadline)).unwrap().rung
    };
    look(&FakeSearch::default());
    let search = || {
        let shown = Observation { complete: false, parts: Vec::new(), ..chat.intercom.shown() };
        let updated_at = shared::domain::ids::Timestamp::from_seconds(1_768_040_100);
        let fake = FakeSearch::default();
        let changed = vec![Changed { id: key.conversation_id.clone(), updated_at, shown }];
        fake.expect([Ok(Page { changed, next: None })]);
        look(&fake)
    };
    let ring = || drop(baton_tests::now(heed(&chat.desk, &chat.intercom, &key, &News::Doorbell)).unwrap());
    assert_eq!(search(), 1);
    ring();
    assert_eq!((chat.told(), search()), (vec!["agent_message We found it".to_owned()], 0));
    chat.happens_unseen(PartKind::Comment, teammate("900002"), Some("Really"), None);
    assert_eq!(search(), 1);
    ring();
    assert_eq!((chat.told(), search()), (vec!["agent_message Really".to_owned()], 0));
}

#[test]
fn people_begin_a_conversation_with_somebody_of_whom_no_chat_is_known() {
    let chat = Chat::with(&TRANSFER.replace("bot = \"demo\"\n", "bot = \"demo\"\ndefault = true\n"));
    chat.intercom.change(|shown| {
        shown.source = Some(shared::domain::content::Message {
            part_id: None,
            author: teammate("900002"),
            body: Some(shared::domain::content::Body::html("<p>We found it</p>".to_owned())),
            attachments: Vec::new(),
            created_at: shared::domain::ids::Timestamp(0),
            pressed: None,
            choice: None,
        });
        shown.contact = shared::domain::ids::ContactId::parse(CONTACT).ok();
        shown.external_id = Some("chat 7".to_owned());
        (shown.parts, shown.part_count) = (Vec::new(), Some(0));
    });
    let mut seen = chat.intercom.shown();
    seen.complete = false;
    let another = ConversationId::parse("777").unwrap();
    let key = shared::domain::ids::ConversationKey { app_id: chat.home().app_id, conversation_id: another };
    let news = News::Shown(Box::new(seen));
    baton_tests::now(heed(&chat.desk, &chat.intercom, &key, &news)).unwrap();
    assert_eq!(chat.told(), ["agent_joined 900002", "agent_message We found it"]);
    assert_eq!(chat.state().transfer.unwrap().channel, "intercom");
    chat.wrote("m1", "thank you");
    assert_eq!(chat.told(), ["done m1"]);
}

#[test]
fn people_are_told_when_the_chat_cannot_be_reached_and_when_it_can_again() {
    let chat = relayed();
    chat.bots.refuse(u32::MAX);
    chat.teammate_says("Hello?");
    for _ in 0..8 {
        let _ = chat.try_tell();
        chat.time_goes_by(600_000);
    }
    let notes = |chat: &Chat| chat.shown().iter().filter(|line| line.contains("chat can")).count();
    assert_eq!(notes(&chat), 1, "{:?}", chat.shown());
    chat.bots.refuse(0);
    chat.time_goes_by(24 * 3_600_000);
    assert_eq!(chat.told(), ["agent_joined 900002", "agent_message Hello?"]);
    chat.time_goes_by(1);
    assert_eq!(notes(&chat), 2, "{:?}", chat.shown());
}

#[test]
fn a_file_without_tls_goes_to_a_stand_in_on_this_machine_alone() {
    let send = |api_url: &str| {
        let mut chat = Chat::default();
        chat.desk.settings.workspaces.values_mut().for_each(|workspace| workspace.api_url = api_url.to_owned());
        chat.started("s1", "I want a person");
        let file = File { url: "http://127.0.0.1:4030/photo.png".into(), name: None, content_type: None, fetch: false };
        chat.asked("m1", Ask::TransferMessage { text: "See".into(), files: vec![file] }).unwrap();
        chat.told().pop().unwrap()
    };
    assert_eq!(send("http://127.0.0.1:4020"), "done m1");
    assert_eq!(send("https://api.intercom.io"), "rejected m1 bad_url");
}

#[test]
fn files_that_run_out_come_behind_the_opening_and_open_it_where_there_is_nothing_else() {
    let opened_with = |text: &str, files: &[(&str, bool)]| {
        let chat = Chat::default();
        let Ask::TransferStart(mut asked) = start(text) else { panic!("a start") };
        let file = |(name, fetch): &(&str, bool)| File {
            url: format!("https://files.example/{name}"),
            name: None,
            content_type: None,
            fetch: *fetch,
        };
        asked.files = files.iter().map(file).collect();
        chat.asked("s1", Ask::TransferStart(asked)).unwrap();
        let names = |files: &[File]| files.iter().map(|file| file.url[22..].to_owned()).collect::<Vec<_>>().join(" ");
        let said = chat.intercom.take_performed().into_iter().filter_map(|action| match action {
            Action::Begin { text, files, .. } => Some(format!("begins {text:?} {}", names(&files))),
            Action::Relay { text, files, .. } => Some(format!("says {text:?} {}", names(&files))),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    assert_eq!(opened_with("Look", &[("a", true), ("b", false)]), [r#"begins "Look" b"#, r#"says "" a"#]);
    assert_eq!(opened_with("", &[("a", true), ("b", false)]), [r#"begins "" b"#, r#"says "" a"#]);
    assert_eq!(opened_with("", &[("a", true), ("b", true)]), [r#"begins "" a b"#]);
}

#[test]
fn what_is_in_doubt_when_the_conversation_is_said_to_be_gone_is_asked_about_once_more() {
    for gone in [false, true] {
        let chat = relayed();
        chat.intercom.expect([Surprise::AnswerLost]);
        chat.wrote("m1", "still there?");
        baton_tests::now(heed(&chat.desk, &chat.intercom, &chat.in_intercom(), &News::Deleted)).unwrap();
        assert_eq!(chat.told(), ["closed by deletion: "]);
        if gone {
            chat.intercom.delete();
        }
        chat.time_goes_by(31_000);
        let expected: &[&str] = if gone { &["superseded m1"] } else { &["done m1", "reopened"] };
        assert_eq!(chat.told(), expected);
    }
}

#[test]
fn people_close_what_the_customer_has_ended_and_last_words_that_wait_are_not_said_into_it() {
    let chat = relayed();
    chat.intercom.expect([Surprise::Limited { until: chat.desk.clock.now().plus_ms(5_000) }]);
    chat.wrote("m1", "last words");
    chat.asked("e1", Ask::TransferEnd { reason: None }).unwrap();
    chat.teammate_closes();
    chat.time_goes_by(6_000);
    assert_eq!(chat.told(), ["closed by customer: ", "superseded m1", "done e1"]);
    assert!(!chat.shown().iter().any(|line| line.contains("last words")));
}
