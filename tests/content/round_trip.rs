//! Markdown, as bots write it, becomes Intercom's HTML and Markdown again, and means the same: a corpus of
//! cases, and whatever is built of their kinds. Judged by the words, the elements and the addresses, which
//! are counted here without the code that is judged, and by the whole as the code itself sees it.

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shared::domain::content::Body;
use shared::domain::{incoming, render, tree};

/// How many texts are built.
const CASES: u32 = 4_000;

fn corpus() -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("content/corpus.md")).unwrap();
    text.trim_end_matches('\n').split("\n%%\n").map(str::to_owned).collect()
}

/// What is in HTML, counted by its tags alone: elements by name, addresses in order.
fn counted(html: &str) -> (Vec<usize>, Vec<String>) {
    let count = |name: &str| html.matches(&format!("<{name}>")).count();
    let counts = ["h1", "h2", "ul", "ol", "li", "pre", "blockquote", "b", "i", "s", "br"].map(count).to_vec();
    let address = |rest: &str| {
        rest.split('"').next().unwrap_or_default().replace('(', "%28").replace(')', "%29").replace(' ', "%20")
    };
    let addresses = ["href=\"", "src=\""].iter().flat_map(|start| html.split(start).skip(1).map(address));
    (counts, addresses.collect())
}

fn keeps_its_meaning(markdown: &str) {
    let sent = render::markdown(markdown);
    let read = incoming::markdown(&Body::html(&*sent));
    let again = render::markdown(&read);
    let by_way = format!("\n  {markdown:?}\n  {sent}\n  {read:?}\n  {again}");
    assert_eq!(incoming::comparable_html(&again), incoming::comparable_html(&sent), "other words:{by_way}");
    assert_eq!(tree::tidy(tree::read(&again)).len(), tree::tidy(tree::read(&sent)).len(), "other blocks:{by_way}");
    let (sent, again) = (tree::write(&tree::tidy(tree::read(&sent))), tree::write(&tree::tidy(tree::read(&again))));
    assert_eq!(counted(&again), counted(&sent), "other elements:{by_way}");
    assert_eq!(
        again.replace("%28", "(").replace("%29", ")").replace("%20", " "),
        sent.replace("%28", "(").replace("%29", ")").replace("%20", " "),
        "{by_way}"
    );
    assert_eq!(incoming::markdown(&Body::html(&*again)), read, "not the same again:{by_way}");
}

#[test]
fn every_case_of_the_corpus_keeps_its_meaning() {
    let corpus = corpus();
    assert!(corpus.len() >= 200, "{} cases", corpus.len());
    let mut lost = Vec::new();
    for case in &corpus {
        if let Err(why) = std::panic::catch_unwind(|| keeps_its_meaning(case)) {
            lost.push(why.downcast_ref::<String>().cloned().unwrap_or_else(|| case.clone()));
        }
    }
    assert!(lost.is_empty(), "{} of {}:\n{}", lost.len(), corpus.len(), lost.join("\n\n"));
}

#[test]
fn what_the_corpus_says_is_said() {
    for case in corpus() {
        let html = render::markdown(&case);
        let letters = |text: &str| text.chars().filter(|character| character.is_alphanumeric()).count();
        // Addresses that may not be followed, and references, are all that a customer does not get to read.
        let hidden = ["](", "]:", "&", "```python"].iter().any(|mark| case.contains(mark)) || case.contains("0340434");
        let list = case
            .lines()
            .any(|line| line.trim_start_matches(['>', ' ']).starts_with(|first: char| first.is_ascii_digit()));
        if !hidden && !list {
            assert_eq!(letters(&incoming::text(&Body::html(&*html))), letters(&case), "{case:?} as {html}");
        }
    }
}

/// Words with what is hard about them.
fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        6 => "[a-zäß0-9]{1,5}",
        2 => prop::sample::select(vec![".", ",", ":", "!", "?", "(", ")", "\"", "“", "€", "—", "👍", "&", "#", "+", "=", "-", "1.", "2)", "|", ";", "'", "/"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["\\*", "\\_", "\\`", "\\[", "\\]", "\\<", "\\~", "\\\\", "&lt;", "&amp;lt;", "&#42;", "\\!", "\\#", "\\>"]).prop_map(str::to_owned),
        1 => Just(" ".to_owned()),
    ];
    prop::collection::vec(word, 1..5).prop_map(|words| words.concat())
}

/// A line of words and what can be in one.
fn inline() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        5 => words(),
        1 => "[a-z`* ]{1,6}".prop_map(|code| format!("`` {code} ``")),
        1 => (words(), "[a-z0-9/?=&()_*-]{0,8}").prop_map(|(label, path)| format!("[{}](<https://a.example/{path}>)", label.replace('\n', " "))),
        1 => words().prop_map(|alt| format!("![{alt}](https://a.example/p.png)")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let several = prop::collection::vec(inner, 1..4);
        (several, prop::sample::select(vec!["", "", " ", "**", "*", "_", "~~", "\\\n", "\n"])).prop_map(
            |(parts, mark)| match mark {
                "" | " " | "\\\n" | "\n" => parts.join(mark),
                mark => format!("{mark}{}{mark}", parts.join(" ")),
            },
        )
    })
}

fn indented(text: &str, first: &str, others: &str) -> String {
    let lines = text.lines().enumerate();
    lines
        .map(|(place, line)| format!("{}{line}", if place == 0 { first } else { others }))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Paragraphs, headings, lists, quotes and code, in each other.
fn text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        5 => inline(),
        1 => inline().prop_map(|line| format!("# {}", line.replace('\n', " "))),
        1 => inline().prop_map(|line| format!("### {}", line.replace('\n', " "))),
        1 => "[a-z `~<&\n*]{0,20}".prop_map(|code| format!("`````\n{code}\n`````")),
        1 => Just("---".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let several = prop::collection::vec(inner, 1..4);
        let how = prop::sample::select(vec!["blocks", "- ", "* ", "1. ", "7. ", "loose", "> "]);
        (several, how).prop_map(|(parts, how)| match how {
            "blocks" => parts.join("\n\n"),
            "> " => indented(&parts.join("\n\n"), "> ", "> "),
            "loose" => parts.iter().map(|part| indented(part, "- ", "  ")).collect::<Vec<_>>().join("\n\n"),
            mark => {
                let space = " ".repeat(mark.len());
                parts.iter().map(|part| indented(part, mark, &space)).collect::<Vec<_>>().join("\n")
            }
        })
    })
}

#[test]
fn whatever_is_built_keeps_its_meaning() {
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let shown = |text: String| {
        keeps_its_meaning(&text);
        Ok(())
    };
    TestRunner::new(config).run(&text(), shown).unwrap();
}
