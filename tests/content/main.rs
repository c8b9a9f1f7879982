//! What a bot says and how it looks: every block, for an API without quick replies and for one with
//! them, as a table that is reviewed; the ways of words into Intercom and back.

mod attacks;
mod round_trip;

use std::fmt::Write as _;

use serde_json::{Value, json};
use shared::domain::blocks;
use shared::domain::content::{Block, Body};
use shared::domain::incoming;
use shared::domain::settings::ApiVersion;
use shared::wire::bot::BlockData;

/// Every kind of block, alone and together, by name.
fn contents() -> Vec<(&'static str, Value)> {
    let text = json!({ "type": "text", "text": "Hello **you**,\nsee [our list](https://shop.example/?a=1&b=2):\n\n1. one\n2. two & <three>" });
    let options = json!({ "type": "options", "text": "Which *plan*?", "options": [
        { "label": "Basic", "value": "plan_basic" }, { "label": "Team <5", "value": "plan_team" },
    ] });
    let card = json!({
        "type": "card", "title": "Tent <3 persons>", "description": "Light,\nand quick to pitch.", "url": "https://shop.example/tent?a=1&b=2",
        "image_url": "https://shop.example/tent.png",
        "links": [{ "label": "Buy", "url": "https://shop.example/buy" }, { "label": "Ask", "url": "mailto:shop@shop.example" }],
    });
    let thin = json!({ "title": "Pegs" });
    let mut item = card.clone();
    item.as_object_mut().unwrap().remove("type");
    vec![
        ("text: markdown", json!([text])),
        ("text: plain", json!([{ "type": "text", "format": "plain", "text": "1 < 2 *so*\nit is\n\nnew" }])),
        (
            "text: html",
            json!([{ "type": "text", "format": "html", "text": "<h3>Hi</h3><script>x</script><b>Fish &amp; chips</b><a href=\"javascript:x\">y</a>" }]),
        ),
        (
            "image",
            json!([{ "type": "image", "url": "https://shop.example/m.png", "title": "Map", "description": "How to find us" }]),
        ),
        ("image: bare", json!([{ "type": "image", "url": "https://shop.example/m.png" }])),
        ("file", json!([{ "type": "file", "url": "https://shop.example/p.pdf", "name": "Prices" }])),
        ("options", json!([options])),
        (
            "options: alone",
            json!([{ "type": "options", "options": [{ "label": "Yes", "value": "y" }, { "label": "No", "value": "n" }] }]),
        ),
        ("options: before other words", json!([options, { "type": "text", "text": "Take your time." }])),
        ("card", json!([card])),
        ("card: a title alone", json!([{ "type": "card", "title": "Pegs" }])),
        ("list", json!([{ "type": "list", "title": "For your tour", "items": [item, thin] }])),
        ("carousel", json!([{ "type": "carousel", "cards": [item, thin] }])),
        (
            "pause",
            json!([{ "type": "text", "text": "One moment …" }, { "type": "pause", "ms": 2_000 }, { "type": "text", "text": "Here you are." }]),
        ),
        (
            "all together",
            json!([text, card, { "type": "pause", "ms": 500 }, { "type": "file", "url": "https://shop.example/p.pdf" }, options]),
        ),
    ]
}

fn blocks_of(content: &Value) -> Vec<Block> {
    let data: Vec<BlockData> = serde_json::from_value(content.clone()).unwrap();
    data.into_iter().filter_map(BlockData::into_domain).collect()
}

#[test]
fn every_block_for_every_family_of_the_api() {
    let mut table = String::new();
    for (name, content) in contents() {
        let content = blocks_of(&content);
        assert_eq!(blocks::check(&content), Ok(()), "{name}");
        for api in ["2.10", "2.15"] {
            writeln!(table, "{name} × {api}").unwrap();
            for said in blocks::messages(&content, ApiVersion::parse(api).unwrap(), "c1") {
                let buttons = said.offer.as_ref().filter(|offer| offer.buttons);
                let labels = |offer: &shared::domain::content::Offer| {
                    let values = offer
                        .options
                        .iter()
                        .map(|option| format!("[{} → {}]", option.choice.label, option.choice.value));
                    values.collect::<Vec<_>>().join(" ")
                };
                if said.pause_ms > 0 {
                    writeln!(table, "  after {} ms", said.pause_ms).unwrap();
                }
                match (buttons, &said.offer) {
                    (Some(offer), _) => {
                        writeln!(table, "  quick replies {}, or else {}", labels(offer), said.html).unwrap()
                    }
                    (None, offer) => {
                        writeln!(table, "  {}", said.html).unwrap();
                        if let Some(offer) = offer {
                            writeln!(table, "    understood: {}", labels(offer)).unwrap();
                        }
                        let read = incoming::text(&Body::html(said.html.clone()));
                        for line in read.lines() {
                            writeln!(table, "    | {line}").unwrap();
                        }
                    }
                }
                for url in &said.attachment_urls {
                    writeln!(table, "    file {url}").unwrap();
                }
            }
        }
        writeln!(table).unwrap();
    }
    insta::assert_snapshot!("blocks", table);
}
