//! The workspace's rules: the decision table as a reviewed snapshot, what holds for every turn, what
//! the settings' reader refuses, and what becomes of an answer in a conversation.

mod accepted;
mod agreeing;
mod conversation;
mod email;
mod hours;
mod marked;
mod properties;
mod settings;
mod silenced;
mod watching;

use std::fmt::Write as _;

use shared::domain::ids::Timestamp;
use shared::domain::part::{Assignee, Profile};
use shared::domain::rules::{Because, Circumstances, Confidence, Intent, Node, Rules, Turn, decide, escalation};
use shared::domain::settings::Workspace;

/// A workspace with these rules, as the settings file would have them.
fn workspace(rules: &str) -> Workspace {
    let settings = shared::wire::settings::parse(&file(rules)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    settings.workspaces.into_values().next().unwrap()
}

fn file(rules: &str) -> String {
    format!(
        r#"
[[workspace]]
app_id = "abc123"
webhook_path = "acme-7f3k2q"
region = "us"
client_secret = "secret:acme"
bot_teammate = "900001"
bot_teams = ["500009"]
bot = "demo"
[workspace.handover]
default_team = "500001"
{rules}
[[bot]]
id = "demo"
transport = "https"
url = "https://bot.example/events"
secret = "secret:demo"
"#
    )
}

fn node(id: &str, name: &str) -> Node {
    Node {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        external_name: Some(format!("{name} help")),
        ..Node::default()
    }
}

fn turn(nodes: Vec<Node>, confidence: Option<u16>) -> Turn {
    let intent = |confidence| Intent { name: "i".to_owned(), confidence: Confidence(confidence) };
    Turn { nodes, intents: confidence.map(intent).into_iter().collect(), candidates: Vec::new() }
}

const RULES: &str = r#"
[workspace.rules]
default = "suggest"
default_team = "500002"
[workspace.rules.office_hours]
utc_offset = "+01:00"
days = ["mon", "tue", "wed", "thu", "fri"]
from = "09:00"
to = "17:00"
[[workspace.rules.rule]]
nodes = "Refund"
action = "answer"
confidence = 0.9
team = "500003"
[[workspace.rules.rule]]
nodes = "Refund"
action = "suggest"
confidence = 0.5
team = "500003"
[[workspace.rules.rule]]
nodes = "legal"
action = "nothing"
[[workspace.rules.rule]]
nodes = ["Billing", "Plans"]
action = "send"
teammate = "900002"
hours = "open"
[[workspace.rules.rule]]
nodes = "Greeting"
action = "answer"
channels = ["conversation"]
[[workspace.rules.rule]]
nodes = "Vip"
action = "answer"
tags = "vip"
attributes = { plan = ["pro", "team"] }
[[workspace.rules.rule]]
nodes = "Trial"
action = "answer"
shadow = true
"#;

/// 2026-01-09 was a Friday; 10:00 and 20:00 in the office.
const OPEN: Timestamp = Timestamp(1_767_949_200_000);
const CLOSED: Timestamp = Timestamp(1_767_985_200_000);

fn row(rules: &Rules, turn: &Turn, circumstances: &Circumstances<'_>) -> String {
    let ruling = decide(rules, turn, circumstances, None);
    let to = match &ruling.to {
        None => "-".to_owned(),
        Some(Assignee::Team(id)) => format!("team {id}"),
        Some(Assignee::Teammate(id)) => format!("teammate {id}"),
        Some(Assignee::Nobody) => "nobody".to_owned(),
    };
    let because = match ruling.because {
        Because::Rule { line } => format!("rule of line {line}"),
        Because::Default => "default".to_owned(),
        Because::Email => "default for e-mail".to_owned(),
        Because::Unsure { is, needed } => format!("unsure: {is} < {needed}"),
        Because::Granted => "granted".to_owned(),
    };
    let shadow = if ruling.shadow { " (shadow)" } else { "" };
    format!("{}{shadow} → {to}, {because}", ruling.deed.as_str())
}

#[test]
fn the_decision_table() {
    let workspace = workspace(RULES);
    let folder = Node { is_folder: true, ..node("f1", "Plans") };
    let roots = [
        ("Refund", vec![node("n1", "Refund")]),
        ("legal, by id", vec![node("legal", "Law"), node("Refund", "a child")]),
        ("Billing", vec![node("n3", "Billing")]),
        ("in folder Plans", vec![folder, node("n4", "Prices")]),
        ("Greeting", vec![node("n5", "Greeting")]),
        ("Vip", vec![node("n6", "Vip")]),
        ("Trial", vec![node("n7", "Trial")]),
        ("named by no rule", vec![node("n8", "Other")]),
        ("no node", vec![]),
    ];
    let chat = Profile { channel: Some("conversation".into()), ..Profile::default() };
    let mut vip = Profile { channel: Some("email".into()), tags: vec!["vip".into()], ..Profile::default() };
    vip.contact_attributes.insert("plan".into(), "pro".into());
    let nobody = Assignee::Nobody;
    let mut table = String::new();
    for (name, nodes) in roots {
        let _ = writeln!(table, "{name}");
        for confidence in [None, Some(1000), Some(900), Some(750), Some(600), Some(400)] {
            for (when, profile, now) in [("chat, open", &chat, OPEN), ("vip's e-mail, closed", &vip, CLOSED)] {
                let circumstances =
                    Circumstances { inbox: &nobody, profile, now, office: workspace.office_hours.as_ref() };
                let sure = confidence.map_or("-".to_owned(), |confidence| Confidence(confidence).to_string());
                let ruling = row(&workspace.rules, &turn(nodes.clone(), confidence), &circumstances);
                let _ = writeln!(table, "  {sure:<5} {when:<21} {ruling}");
            }
        }
    }
    insta::assert_snapshot!("decision_table", table);
}

#[test]
fn an_escalation_goes_where_the_node_says_under_any_of_its_rules() {
    let workspace = workspace(RULES);
    let (profile, nobody) = (Profile::default(), Assignee::Nobody);
    let circumstances =
        Circumstances { inbox: &nobody, profile: &profile, now: OPEN, office: workspace.office_hours.as_ref() };
    let goal = |name: &str| turn(vec![node("x", name)], None).root();
    let team = |id: &str| Some(Assignee::Team(shared::domain::ids::TeamId::parse(id).unwrap()));
    assert_eq!(escalation(&workspace.rules, goal("Refund").as_ref(), &circumstances), team("500003"));
    assert_eq!(escalation(&workspace.rules, goal("Other").as_ref(), &circumstances), None, "the default has it");
    assert_eq!(escalation(&workspace.rules, None, &circumstances), None);
    let closed = Circumstances { now: CLOSED, ..circumstances };
    assert_eq!(escalation(&workspace.rules, goal("Billing").as_ref(), &closed), None, "its rule does not hold");
}

#[test]
fn what_a_teammate_gave_to_the_bot_is_answered_for_that_node_only() {
    let workspace = workspace(RULES);
    let (profile, nobody) = (Profile::default(), Assignee::Nobody);
    let circumstances =
        Circumstances { inbox: &nobody, profile: &profile, now: OPEN, office: workspace.office_hours.as_ref() };
    let asked =
        |name: &str| decide(&workspace.rules, &turn(vec![node(name, name)], Some(100)), &circumstances, Some("Refund"));
    assert_eq!(asked("Refund").because, Because::Granted);
    assert_ne!(asked("legal").because, Because::Granted);
}
