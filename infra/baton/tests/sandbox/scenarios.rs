//! Scenarios over the wire: listed, played, and found wanting. Without a bridge nobody answers,
//! so what is played here is what people do.

use std::time::Duration;

use baton_cli::sandbox::Options;
use baton_cli::scenario::{ScenarioError, Stage};
use serde_json::{Value, json};

use crate::harness::{ALICE, Lab};

const GOOD: &str = r#"
title = "People alone"
accident = "none"
holds = "What people do is seen."
customer = "Eve"
steps = [
  { customer_writes = "Number {n}", times = 2, files = ["https://files.example/a.png"] },
  { assigned_to = "team", by = "other teammate" },
  { owner_is = "Support" },
  { teammate_replies = "Hi." },
  { teammate_notes = "A friend of mine." },
  { note_says = "friend" },
  { customer_sees = ["customer: Number 1", "customer: Number 2", "teammate: Hi."] },
  { tagged = "vip" },
  { tag_is = "vip" },
  { customer_rates = 5 },
  { redacted = "Number 2" },
  { snoozed_by = "teammate", seconds = 60 },
  { state_is = "snoozed" },
  { woken_by = "teammate" },
  { closed_by = "teammate", saying = "Bye." },
  { state_is = "closed" },
  { intercom_answered = "POST /reply", with = [] },
  { customer_writes = "Another matter", in = "second" },
  { deleted_by = "teammate", in = "second" },
  { control = "POST /clock", body = { advance_seconds = 1 } },
]
customer_has_seen = ["customer: Number 1", "customer: deleted", "Alice: Hi.", "teammate: Bye."]
"#;

const BAD: &str = r#"
title = "A bot that is not there"
holds = "It answers."
steps = [
  { customer_writes = "Hello" },
  { assigned_to = "bot team" },
  { intercom_fails = "fail_before", on = "GET", with = { times = "always" } },
  { bot_says = "Hello", within = 1 },
  { bot_says = "never looked at" },
]
"#;

async fn lab(name: &str) -> Lab {
    let directory = std::env::temp_dir().join(format!("baton-scenarios-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("good.toml"), GOOD).unwrap();
    std::fs::write(directory.join("bad.toml"), BAD).unwrap();
    let lab = Lab::start_with(Options { scenarios: Some(directory.clone()), ..Options::default() }).await;
    std::fs::remove_dir_all(directory).unwrap();
    lab
}

async fn played(lab: &Lab, name: &str) -> Value {
    let run = lab.control("POST", &format!("/sandbox1/scenarios/{name}"), Value::Null).await.ok();
    let path = format!("/scenario-runs/{}", run["run"]);
    loop {
        let run = lab.control("GET", &path, Value::Null).await.ok();
        if run["outcome"] != "running" {
            return run;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn the_scenarios_are_listed_with_those_of_the_directory() {
    let lab = lab("list").await;
    let listed = lab.control("GET", "/scenarios", Value::Null).await.ok();
    let listed = listed["scenarios"].as_array().unwrap();
    let good = listed.iter().find(|one| one["name"] == "good").unwrap();
    let expected = json!({
        "name": "good", "title": "People alone", "accident": "none", "holds": "What people do is seen.", "alone": false,
    });
    assert_eq!(*good, expected);
    assert!(listed.iter().any(|one| one["name"] == "reply-applied-but-answered-500"));
    let lines = Stage::at(&lab.sandbox.url()).unwrap().list().await.unwrap();
    assert!(lines.iter().any(|line| line.starts_with("good ") && line.ends_with("  People alone")), "{lines:?}");
}

#[tokio::test]
async fn a_scenario_is_played_in_conversations_of_its_own() {
    let lab = lab("good").await;
    let before = lab.started("Not of the scenario").await;
    let run = played(&lab, "good").await;
    assert_eq!(run["outcome"], "passed", "{run:#}");
    assert_eq!((&run["name"], &run["app_id"]), (&json!("good"), &json!("sandbox1")));
    let id = run["conversation_id"].as_str().unwrap();
    assert_ne!(id, before);
    let shown = lab.control("GET", &format!("/sandbox1/conversations/{id}"), Value::Null).await.ok();
    assert_eq!(shown["source"]["author"]["name"], "Eve");
    let first = &run["steps"][0];
    let words = "the customer writes “Number {n}” with 1 file(s) 2 times";
    assert_eq!((&first["step"], &first["outcome"], &first["detail"]), (&json!(words), &json!("passed"), &Value::Null));
    let by = shown["conversation_parts"]["conversation_parts"][1]["author"]["id"].clone();
    assert_ne!(by, ALICE, "the other teammate assigned it");
}

#[tokio::test]
async fn what_does_not_come_true_ends_the_scenario_and_says_how_things_are() {
    let lab = lab("bad").await;
    let run = played(&lab, "bad").await;
    assert_eq!(run["outcome"], "failed");
    let steps = run["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 4, "{run:#}");
    assert_eq!(steps[3]["detail"], "after 1 s: 0 of these, not 1: none");
    let left = lab.control("GET", "/faults", Value::Null).await.ok();
    let left: Vec<&Value> = left["faults"].as_array().unwrap().iter().filter(|one| one["left"] == "always").collect();
    assert_eq!(left, Vec::<&Value>::new(), "its faults end with it");
}

#[tokio::test]
async fn the_command_line_plays_and_tells() {
    let lab = lab("command").await;
    let stage = Stage::at(&lab.sandbox.url()).unwrap();
    let mut told = Vec::new();
    assert!(!stage.play("sandbox1", "bad", |line| told.push(line.to_owned())).await.unwrap());
    assert_eq!(told.first().map(String::as_str), Some("bad"));
    assert_eq!(told.last().map(String::as_str), Some("failed"));
    assert!(told[1].ends_with(" s ✓ the customer writes “Hello”"), "{told:?}");
    assert!(told[4].contains("✗ the bot says “Hello”\n") && told[4].ends_with("none"), "{told:?}");
    for (app, name) in [("sandbox1", "unheard-of"), ("nowhere", "good")] {
        let error = stage.play(app, name, |_| ()).await.unwrap_err();
        assert!(matches!(&error, ScenarioError::Refused(why) if why.contains("there is no")), "{error}");
    }
    let nowhere = Stage::at("http://127.0.0.1:1").unwrap().list().await.unwrap_err();
    assert!(matches!(nowhere, ScenarioError::NotThere(..)));
}
