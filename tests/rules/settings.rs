//! Rules that cannot be meant are refused, each with its line.

use super::{RULES, file, workspace};

/// The mistakes, their lines counted from `[workspace.rules]`, which is 1.
pub(super) fn mistakes(rules: &str) -> Vec<(usize, String)> {
    let text = file(rules.trim_start());
    let before = text.lines().take_while(|line| *line != "[workspace.rules]").count();
    let mistakes = shared::wire::settings::parse(&text).unwrap_err();
    mistakes.0.into_iter().map(|mistake| (mistake.line - before, mistake.message)).collect()
}

pub(super) fn expect(rules: &str, expected: &[(usize, &str)]) {
    let found = mistakes(rules);
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((line, message), (expected_line, words)) in found.iter().zip(expected) {
        assert!(
            line == expected_line && message.contains(words),
            "expected {expected_line}: {words}, got {line}: {message}"
        );
    }
}

#[test]
fn good_rules_are_read() {
    let workspace = workspace(RULES);
    assert_eq!(workspace.rules.rules.len(), 7);
    assert!(workspace.rules.rules[6].shadow && workspace.office_hours.is_some());
}

#[test]
fn every_mistake_is_reported_with_its_line() {
    let rules = r#"
[workspace.rules]
default = "send"
confidence = 75
defualt = 1
[[workspace.rules.rule]]
nodes = []
action = "reply"
confidence = "high"
[[workspace.rules.rule]]
nodes = "a"
action = "suggest"
channels = "pigeon"
hours = "noon"
[[workspace.rules.rule]]
nodes = "b"
teammate = "900002"
team = "500001"
[[workspace.rules.rule]]
nodes = "c"
action = "nothing"
confidence = 0.5
"#;
    expect(
        rules,
        &[
            (2, "\"send\" needs a team"),
            (3, "number from 0 to 1"),
            (4, "`defualt` is no setting"),
            (6, "empty"),
            (7, "`action` must be"),
            (8, "number from 0 to 1"),
            (9, "\"suggest\" needs a team"),
            (12, "no channel of Intercom's"),
            (13, "`hours` must be"),
            (14, "needs `action`"),
            (17, "not both"),
            (21, "without effect"),
        ],
    );
}

#[test]
fn a_rule_that_can_never_match_is_a_mistake() {
    let rules = r#"
[workspace.rules]
[[workspace.rules.rule]]
nodes = ["a", "b"]
action = "answer"
confidence = 0.5
[[workspace.rules.rule]]
nodes = "a"
action = "answer"
confidence = 0.6
tags = "vip"
[[workspace.rules.rule]]
nodes = "a"
action = "suggest"
team = "500001"
confidence = 0.4
[[workspace.rules.rule]]
action = "nothing"
inboxes = "500077"
[[workspace.rules.rule]]
nodes = "c"
action = "answer"
hours = "open"
[[workspace.rules.rule]]
nodes = "d"
action = "answer"
team = "500009"
[[workspace.rules.rule]]
action = "nothing"
[[workspace.rules.rule]]
nodes = "e"
action = "answer"
"#;
    // What only the whole workspace tells is said once the workspace itself is good.
    expect(
        &rules.replace("hours = \"open\"\n", "\n"),
        &[(6, "the one on line"), (16, "never match"), (23, "must be people"), (29, "the one on line")],
    );
    assert!(mistakes(rules).iter().any(|(line, message)| *line == 22 && message.contains("office_hours")));
}
