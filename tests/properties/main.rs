//! The fuzz targets as property tests: the same invariants on stable, over the same seeds, mutated.
//! What finds more, by following the code, is `make fuzz`.

#[expect(unreachable_pub, reason = "the fuzz crate, which this file is of, shows them to its binaries")]
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use targets::{TARGETS, Target, assert_tame};

/// How often each target runs here.
const CASES: u32 = 1_500;

/// What is put into an input: what means something to one of the readers.
const WORDS: [&str; 36] = [
    "<",
    ">",
    "\"",
    "&",
    "</",
    "<p>",
    "<ul>",
    "<li>",
    "</ul>",
    "<b>",
    "<a href=\"",
    "<img src=",
    "<script>",
    "<svg>",
    "javascript:",
    "https://",
    "&#",
    "&lt;",
    "\n\n",
    "\n- ",
    "> ",
    "```",
    "![",
    "](",
    "{",
    "}",
    "[",
    "]",
    "null",
    ":",
    ",",
    "\"id\":",
    "0",
    "18446744073709551616",
    "1e999",
    "\u{0}",
];

#[derive(Debug, Clone)]
enum Change {
    Flip(usize, u8),
    Cut(usize, usize),
    Insert(usize, Vec<u8>),
    Word(usize, usize),
    Repeat(usize, usize),
    Splice(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<usize>;
    prop_oneof![
        (at(), 1_u8..).prop_map(|(at, mask)| Change::Flip(at, mask)),
        (at(), 1_usize..40).prop_map(|(at, length)| Change::Cut(at, length)),
        (at(), prop::collection::vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), at()).prop_map(|(at, word)| Change::Word(at, word)),
        (at(), 1_usize..60).prop_map(|(at, length)| Change::Repeat(at, length)),
        (at(), at()).prop_map(|(at, from)| Change::Splice(at, from)),
    ]
}

fn apply(data: &mut Vec<u8>, change: &Change, seeds: &[Vec<u8>]) {
    let place = |at: usize| at % (data.len() + 1);
    let (at, inserted): (usize, Vec<u8>) = match change {
        Change::Flip(at, mask) => {
            let at = place(*at);
            if let Some(byte) = data.get_mut(at) {
                *byte ^= mask;
            }
            return;
        }
        Change::Cut(at, length) => {
            let at = place(*at);
            data.drain(at..(at + length).min(data.len()));
            return;
        }
        Change::Insert(at, bytes) => (place(*at), bytes.clone()),
        Change::Word(at, word) => (place(*at), WORDS[word % WORDS.len()].into()),
        Change::Repeat(at, length) => {
            let at = place(*at);
            (at, data[at..(at + length).min(data.len())].to_vec())
        }
        Change::Splice(at, from) => {
            let seed = &seeds[from % seeds.len()];
            (place(*at), seed[from % (seed.len() + 1)..].to_vec())
        }
    };
    data.splice(at..at, inserted);
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut files: Vec<_> = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut seeds: Vec<_> = files.iter().map(|file| std::fs::read(file).unwrap()).collect();
    if target.starts_with("html_") || target.starts_with("markdown_") {
        seeds.extend(attacks().lines().map(|attack| attack.as_bytes().to_vec()));
    }
    seeds
}

/// Known ways to smuggle something in, one a line.
fn attacks() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/attacks.txt")).unwrap()
}

/// Puts a target to the test: with its seeds as they are, with changes of them, with anything.
fn holds(name: &str) {
    let (_, target): &(_, Target) = TARGETS.iter().find(|(known, _)| *known == name).unwrap();
    let seeds = seeds(name);
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|seed| target(seed));
    target(b"");
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let changed = (any::<usize>(), prop::collection::vec(change(), 1..12)).prop_map(move |(seed, changes)| {
        let mut data = seeds[seed % seeds.len()].clone();
        changes.iter().for_each(|change| apply(&mut data, change, &seeds));
        data
    });
    let anything = prop::collection::vec(any::<u8>(), 0..200);
    let input = prop_oneof![9 => changed.boxed(), 1 => anything.boxed()];
    let shown = |data: Vec<u8>| {
        target(&data);
        Ok(())
    };
    TestRunner::new(config).run(&input, shown).unwrap();
}

macro_rules! targets {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            holds(stringify!($name));
        })*

        #[test]
        fn every_target_is_tested_here_and_fuzzed() {
            assert_eq!([$(stringify!($name)),*], TARGETS.map(|(name, _)| name));
            for (name, _) in TARGETS {
                let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz/fuzz_targets/{name}.rs"));
                let text = std::fs::read_to_string(driver).unwrap();
                assert!(text.contains(&format!("baton_fuzz::{name}(data)")), "{text}");
            }
        }
    };
}

targets! {
    edge_request signature_header notification conversation intercom_answer bot_command
    html_in html_out markdown_out url_filter settings_file queue_message
}

#[test]
fn of_known_attacks_none_survives() {
    let attacks = attacks();
    let attacks: Vec<&str> = attacks.lines().collect();
    assert!(attacks.len() >= 130, "{} attacks", attacks.len());
    for attack in attacks {
        for target in [targets::html_in, targets::html_out, targets::markdown_out] {
            target(attack.as_bytes());
        }
        let html = shared::domain::html::sanitize(attack);
        assert!(!html.contains("<script") && !html.contains("<svg") && !html.contains("<iframe"), "{html}");
    }
}

#[test]
fn what_is_asserted_can_fail() {
    for wild in [
        "<script>",
        "<p onclick=x>",
        "<p>",
        "</p>",
        "<p><b></p></b>",
        "text",
        "<p>a & b</p>",
        "<p>\"</p>",
        "<p><a href=\"javascript:x\">x</a></p>",
        "<p><a href=\"https://a\" x=\"\">x</a></p>",
        "<ul><p></p></ul>",
        "<p><img src=\"mailto:x\"></p>",
        "<li></li>",
        "<p><img src=\"https://a\" onerror=\"x\"></p>",
        "<p>\u{1}</p>",
        "<p><a href=\"https://a\"><a href=\"https://a\"></a></a></p>",
        "<P></P>",
        "<p",
    ] {
        assert!(std::panic::catch_unwind(|| assert_tame(wild)).is_err(), "{wild} passed");
    }
    assert_tame("<p>a &amp; <b>b</b><br><img src=\"https://a.example/\" alt=\"x\"></p><ul><li>x</li></ul>");
}
