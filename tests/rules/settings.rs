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
    expect(
        rules,
        &[
            (6, "the one on line"),
            (18, "never match"),
            (22, "office_hours"),
            (26, "must be people"),
            (29, "the one on line"),
        ],
    );
}

/// A rule of the settings file.
fn rule(lines: &str) -> String {
    format!("[[workspace.rules.rule]]\n{}\n", lines.replace("; ", "\n"))
}

#[test]
fn rules_that_together_leave_nothing_to_a_later_one_are_named() {
    let office = "[workspace.rules.office_hours]\ntime_zone = \"UTC\"\ndays = \"mon\"\nhours = \"09:00-17:00\"\n";
    let one = |condition: &str| rule(&format!("action = \"answer\"; nodes = \"a\"; {condition}"));
    let two = |condition: &str| rule(&format!("action = \"nothing\"; nodes = \"a\"; {condition}"));
    for (before, last, dead) in [
        (
            [
                rule("action = \"answer\"; nodes = \"a\"; shadow = false"),
                rule("action = \"nothing\"; nodes = \"b\"; shadow = false"),
            ],
            rule("action = \"answer\"; nodes = [\"a\", \"b\"]"),
            true,
        ),
        (
            [
                rule("action = \"answer\"; nodes = \"a\"; shadow = false"),
                rule("action = \"nothing\"; nodes = \"b\"; shadow = false"),
            ],
            rule("action = \"answer\"; nodes = [\"a\", \"c\"]"),
            false,
        ),
        ([one("hours = \"open\""), two("hours = \"closed\"")], one("confidence = 0.9"), true),
        ([one("hours = \"open\""), two("hours = \"closed\"")], one("confidence = 0.5"), false),
        ([one("tags = \"VIP\""), two("tags = \"b\"")], one("tags = [\"vip\", \"B\"]"), true),
        ([one("tags = \"vip\""), two("tags = \"b\"")], one("shadow = true"), false),
        (
            [one("attributes = { plan = \"a\" }"), two("attributes = { plan = [\"b\", \"c\"] }")],
            one("attributes = { plan = [\"a\", \"c\"] }"),
            true,
        ),
        (
            [one("attributes = { plan = \"a\" }"), two("attributes = { plan = \"b\" }")],
            one("attributes = { plan = [\"a\", \"c\"] }"),
            false,
        ),
        (
            [one("channels = \"email\""), two("channels = \"sms\"; tags = \"vip\"")],
            one("channels = [\"email\", \"sms\"]; tags = \"vip\""),
            true,
        ),
        ([one("channels = \"email\""), two("inboxes = \"bot\"")], one("channels = [\"email\", \"sms\"]"), false),
    ] {
        let text = format!("[workspace.rules]\n{office}{}{last}", before.concat());
        let found = shared::wire::settings::parse(&file(&text)).err().map(|mistakes| mistakes.to_string());
        let expected = before.iter().zip([6, 10]).map(|(_, line)| line.to_string()).collect::<Vec<_>>();
        assert_eq!(found.is_some(), dead, "{text}{found:?}");
        if let Some(found) = found {
            assert!(
                found.contains("never match: those on lines") && found.contains("put it before"),
                "{expected:?} {found}"
            );
        }
    }
}

#[test]
fn an_office_that_never_closes_is_never_closed() {
    let office = |more: &str| {
        format!(
            "\n[workspace.rules]\n[workspace.rules.office_hours]\ntime_zone = \"UTC\"\ndays = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]\n\
             hours = [\"00:00-12:00\", \"12:00-24:00\"]\n{more}[[workspace.rules.rule]]\naction = \"nothing\"\nhours = \"closed\"\n"
        )
    };
    expect(&office(""), &[(8, "never end")]);
    assert!(shared::wire::settings::parse(&file(&office("holidays = [2026-12-25]\n"))).is_ok());
}

#[test]
fn attributes_are_texts_numbers_and_yes_or_no() {
    let rules = "[workspace.rules]\n".to_owned()
        + &rule("action = \"answer\"; attributes = { plan = \"pro\", paid = true, seats = [5, 7.5], level = \"3\" }");
    let workspace = workspace(&rules);
    let values: Vec<_> = workspace.rules.rules[0].when.attributes.iter().collect();
    assert_eq!(
        format!("{values:?}"),
        r#"[("level", {"3"}), ("paid", {"true"}), ("plan", {"pro"}), ("seats", {"5", "7.5"})]"#
    );
    let wrong = |value: &str, words: &str| {
        let rules = format!(
            "\n[workspace.rules]\n{}",
            rule(&format!("action = \"answer\"; attributes = {{ plan = {value} }}"))
        );
        expect(&rules, &[(4, words)]);
    };
    wrong("[]", "`plan` is empty");
    wrong("\" \"", "`plan` must be texts");
    wrong("[[1]]", "`plan` must be a value");
    wrong("{ a = 1 }", "`plan` must be texts");
}
