//! Known ways to smuggle script into a page, in either direction: in every text and address of every
//! block that a bot sends, and in what people write, as bots read it. None may survive.

use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::{Value, json};
use shared::domain::blocks;
use shared::domain::content::{Body, BodyFormat};
use shared::domain::settings::ApiVersion;
use shared::domain::{incoming, render};

use super::blocks_of;

#[expect(unreachable_pub, dead_code, reason = "the fuzz crate, which this file is of, shows more than is needed here")]
#[path = "../fuzz/src/words.rs"]
mod words;

fn attacks() -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/attacks.txt")).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Every block, with the attack in every text and address of it.
fn blocks_with(attack: &str) -> Value {
    let card = json!({ "title": attack, "description": attack, "url": attack, "image_url": attack,
        "links": [{ "label": attack, "url": attack }, { "label": "x", "url": format!("https://a.example/{attack}") }] });
    let mut blocks = vec![
        json!({ "type": "image", "url": attack, "title": attack, "description": attack }),
        json!({ "type": "image", "url": format!("https://a.example/{attack}") }),
        json!({ "type": "file", "url": "https://a.example/x", "name": attack }),
        json!({ "type": "list", "title": attack, "items": [card] }),
        json!({ "type": "carousel", "cards": [card] }),
        json!({ "type": "options", "text": attack, "options": [{ "label": attack, "value": attack }] }),
    ];
    for format in ["plain", "markdown", "html"] {
        blocks.push(json!({ "type": "text", "text": attack, "format": format }));
        blocks.push(json!({ "type": "text", "text": format!("[x]({attack})\n\n- {attack}\n\n<a href=\"{attack}\">y</a>"), "format": format }));
    }
    let mut plain = card.clone();
    plain["type"] = json!("card");
    blocks.push(plain);
    Value::Array(blocks)
}

#[test]
fn of_what_bots_send_none_survives() {
    let attacks = attacks();
    assert!(attacks.len() >= 140, "{} attacks", attacks.len());
    for attack in &attacks {
        let content = blocks_of(&blocks_with(attack));
        for api in ["2.10", "2.15"] {
            let api = ApiVersion::parse(api).unwrap();
            // Together, and each alone: what is open in one must not swallow another.
            let alone = content.iter().map(std::slice::from_ref);
            for content in alone.chain([&content[..]]) {
                for said in blocks::messages(content, api, "c1") {
                    words::assert_tame(&said.html);
                }
            }
        }
    }
}

#[test]
fn of_what_people_write_none_survives() {
    for attack in attacks() {
        for html in [
            attack.clone(),
            format!("<p>{attack}</p>"),
            format!("<a href=\"{attack}\">x</a><img src=\"{attack}\" alt=\"{attack}\">"),
        ] {
            for format in [BodyFormat::Html, BodyFormat::Plain] {
                let body = Body { text: html.clone(), format };
                let markdown = incoming::markdown(&body);
                nothing_wild(&markdown);
                words::assert_tame(&render::markdown(&markdown));
            }
        }
    }
}

/// Whoever renders the Markdown, also if they obey HTML in it, finds none, and no address but of the
/// known schemes.
fn nothing_wild(markdown: &str) {
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => panic!("{html:?} in {markdown:?}"),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let known =
                    ["https://", "http://", "mailto:"].iter().any(|scheme| dest_url.to_lowercase().starts_with(scheme));
                assert!(known, "{dest_url:?} in {markdown:?}");
            }
            _ => {}
        }
    }
}

#[test]
fn what_is_asserted_can_fail() {
    for wild in ["<b>x</b>", "a <script>x</script>", "[x](javascript:x)", "![x](data:x)", "<javascript:alert(1)>"] {
        assert!(std::panic::catch_unwind(|| nothing_wild(wild)).is_err(), "{wild} passed");
    }
    nothing_wild("\\<b> [x](https://a.example) ![x](https://a.example/p.png)");
}
