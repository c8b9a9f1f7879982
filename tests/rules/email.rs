//! Conversations by e-mail: what is set for them stands in the default's place, and is for answers
//! without a turn too; a rule that names the node comes first.

use shared::domain::command::Ask;
use shared::domain::conversation::{Control, EventKind, Overtaker};
use shared::domain::part::{Assignee, Profile};
use shared::domain::rules::{Because, Circumstances, Deed, Turn, decide, decide_unnamed};

use super::conversation::{Talk, assigned, notes, replies, sure, team, text};
use super::settings::expect;
use super::{OPEN, node, turn, workspace};

const SETTINGS: &str = r#"
[workspace.email]
action = "suggest"
team = "500002"
burst_seconds = 90
[workspace.rules]
[[workspace.rules.rule]]
nodes = "Hours"
action = "answer"
[[workspace.rules.rule]]
nodes = "Legal"
action = "nothing"
"#;

fn by_email() -> Profile {
    Profile { channel: Some("email".to_owned()), ..Profile::default() }
}

/// A conversation by e-mail in a workspace with such settings.
fn talk(settings: &str) -> Talk {
    let mut talk = Talk::new();
    talk.workspace = workspace(settings);
    talk.state.profile = by_email();
    talk
}

#[test]
fn a_rule_that_names_the_node_comes_before_what_is_set_for_e_mails() {
    let workspace = workspace(SETTINGS);
    let (nobody, email, chat) = (Assignee::Nobody, by_email(), Profile::default());
    let by_email = Circumstances { inbox: &nobody, profile: &email, now: OPEN, office: None };
    let by_chat = Circumstances { profile: &chat, ..by_email };
    let decided = |name: &str, sure: Option<u16>, circumstances| {
        let ruling = decide(&workspace.rules, &turn(vec![node("n", name)], sure), circumstances, None);
        (ruling.deed, ruling.because)
    };
    assert_eq!(decided("Other", Some(900), &by_email), (Deed::Suggest, Because::Email));
    assert_eq!(decided("Other", Some(900), &by_chat), (Deed::Answer, Because::Default));
    for circumstances in [&by_email, &by_chat] {
        assert!(matches!(decided("Hours", Some(900), circumstances), (Deed::Answer, Because::Rule { .. })));
        assert!(matches!(decided("Legal", Some(900), circumstances), (Deed::Nothing, Because::Rule { .. })));
        let unsure = decided("Other", Some(100), circumstances);
        assert!(
            matches!(unsure, (Deed::Nothing, Because::Unsure { .. })),
            "what the bot is not sure of is no suggestion"
        );
    }
    assert_eq!(decide_unnamed(&workspace.rules, &by_email).map(|ruling| ruling.deed), Some(Deed::Suggest));
    assert_eq!(decide_unnamed(&workspace.rules, &by_chat), None);
}

#[test]
fn an_answer_without_a_turn_is_suggested_by_e_mail_and_sent_by_a_teammate() {
    let mut talk = talk(SETTINGS);
    talk.ask(Ask::Reply { content: text("the answer") });
    let told = talk.told();
    assert!(
        matches!(
            told[..],
            [EventKind::CommandSuperseded { by: Overtaker::Rule, .. }, EventKind::HandoverWaiting { .. }]
        ),
        "{told:?}"
    );
    let done = talk.carry_out();
    assert!(replies(&done).is_empty() && talk.state.control == Control::Human);
    assert!(notes(&done).contains("suggests this answer") && notes(&done).contains("the answer"), "{}", notes(&done));
    assert_eq!(assigned(&done), [team("500002")]);
    talk.scene.note("/bot send 1");
    talk.hear();
    assert_eq!(replies(&talk.carry_out()), ["<p>the answer</p>"]);
    talk.scene.note("/bot why");
    talk.hear();
    assert!(notes(&talk.carry_out()).contains("[workspace.email]"));
}

#[test]
fn e_mails_are_answered_left_or_sent_as_is_set() {
    let action = |action: &str| talk(&format!("[workspace.email]\n{action}\n"));
    for (settings, said, control) in [
        ("action = \"answer\"", 1, Control::Bot),
        ("burst_seconds = 60", 1, Control::Bot),
        ("action = \"nothing\"", 0, Control::Human),
        ("action = \"send\"\nteammate = \"900002\"", 0, Control::Human),
    ] {
        let mut talk = action(settings);
        talk.ask(Ask::Reply { content: text("the answer") });
        let done = talk.carry_out();
        assert_eq!((replies(&done).len(), talk.state.control), (said, control), "{settings}");
        let mut named = action(settings);
        named.answer("Other", sure(900));
        assert_eq!(replies(&named.carry_out()).len(), said, "{settings}");
    }
    // In the Messenger nothing of it holds.
    let mut talk = action("action = \"nothing\"");
    talk.state.profile = Profile::default();
    talk.ask(Ask::Answer { content: text("the answer"), turn: Turn::default() });
    assert_eq!(replies(&talk.carry_out()).len(), 1);
}

#[test]
fn the_windows_are_the_bots_and_of_their_own_for_e_mails() {
    let bursts = |settings: &str| workspace(settings).bursts;
    assert_eq!((bursts("").ms, bursts("").email_ms), (0, 0));
    assert_eq!((bursts(SETTINGS).ms, bursts(SETTINGS).email_ms), (0, 90_000));
    let with_bot = |settings: &str| {
        let text = super::file(settings).replace("id = \"demo\"", "id = \"demo\"\nburst_seconds = 3");
        shared::wire::settings::parse(&text).unwrap().workspaces.into_values().next().unwrap().bursts
    };
    assert_eq!((with_bot("").ms, with_bot("").email_ms), (3_000, 3_000));
    assert_eq!((with_bot(SETTINGS).ms, with_bot(SETTINGS).email_ms), (3_000, 90_000));
    assert_eq!(with_bot("[workspace.email]\nburst_seconds = 0").email_ms, 0, "each e-mail by itself");
}

#[test]
fn every_mistake_in_what_is_set_for_e_mails_is_reported_with_its_line() {
    let wrong = |lines: &str, expected: &[(usize, &str)]| {
        expect(&format!("\n[workspace.rules]\n[workspace.email]\n{lines}\n"), expected);
    };
    wrong("action = \"reply\"", &[(3, "`action` must be")]);
    wrong("action = \"suggest\"", &[(3, "\"suggest\" needs a team")]);
    wrong("action = \"send\"\nteam = \"1\"\nteammate = \"2\"", &[(4, "not both")]);
    wrong("burst_seconds = 3601\nacton = \"answer\"", &[(3, "from 0 to 3600"), (4, "`acton` is no setting")]);
    wrong("team = \"500002\"", &[(2, "needs `action`")]);
    wrong("action = \"send\"\nteam = \"500009\"", &[(4, "must be people")]);
}
