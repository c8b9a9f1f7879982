//! The monitored inbox: what the bot reads along, answers, and leaves.

use shared::domain::command::Ask;
use shared::domain::conversation::{Action, Control, EventKind};
use shared::domain::ids::ClaimId;
use shared::domain::part::Assignee;
use shared::domain::step::{Answer, Effect, Input, is_behind};
use shared::testing::Scene;

use super::conversation::{Talk, assigned, notes, replies, sure, team, text};

/// A conversation that the bot comes to watch: how it came in, heard, and nothing waiting.
fn watched() -> Talk {
    let mut talk = Talk::of(Scene::default());
    talk.hear();
    assert!(matches!(talk.told()[..], [EventKind::Message { .. }]));
    talk
}

fn has_taken(actions: &[Action]) -> bool {
    matches!(actions, [Action::Take { from: Assignee::Nobody }, Action::Reply { .. }])
}

#[test]
fn what_comes_in_is_read_and_what_the_bot_answers_it_takes() {
    let mut talk = watched();
    assert!(talk.carry_out().is_empty(), "nothing is done before there is an answer");
    talk.answer("Hours", sure(900));
    let done = talk.carry_out();
    assert!(has_taken(&done), "{done:?}");
    assert_eq!((talk.state.control, talk.state.away), (Control::Bot, false));
    talk.answer("Hours", sure(900));
    assert!(matches!(talk.carry_out()[..], [Action::Reply { .. }]), "it is taken once");
    let mut talk = watched();
    talk.ask(Ask::Reply { content: text("hi") });
    assert!(has_taken(&talk.carry_out()), "a bot that names no turn");
}

#[test]
fn what_the_bot_is_not_sure_of_stays_where_it_is_and_the_next_message_may_be_one_for_it() {
    for (node, sureness) in [("Hours", 740), ("Legal", 990), ("Trial", 990)] {
        let mut talk = watched();
        talk.answer(node, sure(sureness));
        assert!(talk.carry_out().is_empty(), "{node}");
        talk.told();
        talk.scene.customer("and your hours?");
        talk.hear();
        assert!(matches!(talk.told()[..], [EventKind::Message { .. }]), "{node}");
        talk.answer("Hours", sure(900));
        assert!(has_taken(&talk.carry_out()), "{node}");
    }
}

#[test]
fn what_is_sent_or_suggested_leaves_the_inbox() {
    for (node, to) in [("Billing", "500002"), ("Refund", "500003")] {
        let mut talk = watched();
        talk.answer(node, sure(900));
        let done = talk.carry_out();
        assert_eq!(assigned(&done), [team(to)]);
        assert!(replies(&done).is_empty() && !notes(&done).is_empty());
        assert_eq!(talk.state.control, Control::Human);
    }
}

#[test]
fn a_person_ends_the_watching() {
    type Happen = fn(&mut Scene);
    let happenings: [Happen; 3] = [
        |scene| {
            scene.alice("I am on it");
        },
        |scene| {
            scene.alice_takes();
        },
        |scene| {
            scene.close();
        },
    ];
    for happen in happenings {
        let mut talk = watched();
        talk.answer("Hours", sure(900));
        happen(&mut talk.scene);
        talk.hear();
        assert!(talk.carry_out().is_empty(), "what was not on the wire is not sent");
        assert!(matches!(talk.state.control, Control::Human | Control::Closed), "{:?}", talk.state.control);
        talk.scene.customer("hello?");
        talk.hear();
        assert!(matches!(talk.state.control, Control::Human), "{:?}", talk.state.control);
    }
}

#[test]
fn what_somebody_took_first_stays_theirs() {
    let mut talk = watched();
    talk.answer("Hours", sure(900));
    talk.refuse_next(Answer::Rejected { code: "taken".to_owned(), message: String::new() });
    let done = talk.carry_out();
    assert!(replies(&done).is_empty() && notes(&done).contains("could not take"), "{done:?}");
    assert_eq!(talk.state.control, Control::Human);
}

#[test]
fn what_people_or_the_bot_had_before_is_not_watched() {
    type Happen = fn(&mut Scene);
    let happenings: [(&str, Happen); 4] = [
        ("a person has answered", |scene| {
            scene.alice("Hello").customer("Hi");
        }),
        ("the bot had it", |scene| {
            scene.assign_to_bot().own_assign(Assignee::Nobody).customer("Hi");
        }),
        ("somebody has it", |scene| {
            scene.alice_takes().customer("Hi");
        }),
        ("it is closed", |scene| {
            scene.close();
        }),
    ];
    for (name, happen) in happenings {
        let mut scene = Scene::default();
        happen(&mut scene);
        let mut talk = Talk::of(scene);
        talk.look();
        assert!(talk.state.is_new(), "{name}");
    }
}

#[test]
fn without_monitoring_nothing_is_watched() {
    let mut talk = Talk::of(Scene::default());
    talk.workspace.monitor = None;
    assert!(!talk.take(&Input::Observed(talk.scene.notification())).contains(&Effect::Fetch));
    talk.look();
    assert!(talk.state.is_new());
    assert!(!is_behind(&talk.state, &talk.scene.notification(), &talk.workspace));
    talk.workspace.monitor = Some(Assignee::Nobody);
    assert!(is_behind(&talk.state, &talk.scene.notification(), &talk.workspace), "a lost webhook is found");
}

#[test]
fn a_team_may_be_monitored_instead() {
    let mut scene = Scene::default();
    scene.assign(shared::domain::content::AuthorKind::Operator, team("500003"));
    scene.customer("Hi");
    let mut talk = Talk::of(scene);
    talk.workspace.monitor = Some(team("500003"));
    talk.hear();
    assert!(talk.state.away);
    let mut talk = Talk::of(Scene::default());
    talk.workspace.monitor = Some(team("500003"));
    talk.hear();
    assert!(talk.state.is_new(), "the Unassigned inbox is not monitored then");
}

/// A rule for the monitored inbox, and one for the rest.
const INBOXES: &str = r#"
[workspace.rules]
default = "nothing"
[[workspace.rules.rule]]
nodes = "Here"
inboxes = "unassigned"
action = "answer"
"#;

#[test]
fn what_was_written_before_the_bot_took_it_was_written_in_the_inbox_that_it_was_taken_from() {
    for bursts in [false, true] {
        let mut talk = Talk::of(Scene::default());
        let file = super::file(INBOXES).replace("bot = \"demo\"\n", "bot = \"demo\"\nmonitor = \"unassigned\"\n");
        let settings = shared::wire::settings::parse(&file).unwrap();
        talk.workspace = settings.workspaces.into_values().next().unwrap();
        talk.workspace.monitor = Some(Assignee::Nobody);
        talk.workspace.bursts.ms = if bursts { 5_000 } else { 0 };
        talk.hear();
        talk.later(10_000);
        talk.take(&Input::Gathered);
        let first = talk.state.last_message;
        talk.told();
        talk.scene.customer("and another thing");
        talk.hear();
        talk.answer_to(first, "Here", sure(900));
        let done = talk.carry_out();
        assert!(has_taken(&done), "{done:?}");
        assert!(!talk.state.away);
        talk.later(10_000);
        talk.take(&Input::Gathered);
        let second = talk.state.last_message;
        assert!(second > first);
        talk.answer_to(second, "Here", sure(900));
        assert_eq!(replies(&talk.carry_out()), ["<p>the answer</p>"], "bursts: {bursts}");
        // What is written from then on is written in the bot's inbox.
        talk.look();
        talk.scene.customer("and one more");
        talk.hear();
        talk.later(10_000);
        talk.take(&Input::Gathered);
        talk.answer_to(talk.state.last_message, "Here", sure(900));
        assert!(replies(&talk.carry_out()).is_empty(), "bursts: {bursts}");
    }
}

#[test]
fn who_closes_it_while_the_bot_is_taking_it_from_where_it_came_in_finds_it_there_again() {
    for confirmed in [true, false] {
        let mut talk = watched();
        talk.answer("Hours", sure(900));
        let entry = talk.state.outbox.front().unwrap().clone();
        let claim = ClaimId::parse("c").unwrap();
        let until = talk.state.born.plus_ms(60_000);
        talk.take(&Input::Claim { lane: entry.action.lane(), claim: claim.clone(), until });
        let bot = Assignee::Teammate(talk.workspace.bot_teammate.clone());
        talk.scene.close().own_assign(bot);
        if confirmed {
            let part_id = talk.scene.whole().parts.last().map(|part| part.id.clone());
            talk.take(&Input::Answered { seq: entry.seq, claim, answer: Answer::Done { part_id } });
        }
        talk.look();
        assert_eq!(talk.state.control, Control::Human, "confirmed first: {confirmed}");
        let done = talk.carry_out();
        assert_eq!(assigned(&done), [Assignee::Nobody], "confirmed first: {confirmed}");
        assert!(replies(&done).is_empty(), "confirmed first: {confirmed}");
    }
}
