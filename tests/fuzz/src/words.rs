//! Words: HTML from Intercom to bots, HTML and Markdown from bots to Intercom.

use shared::domain::content::{Body, BodyFormat};
use shared::domain::tree::{self, Node};
use shared::domain::{html, incoming, render};

/// The elements that are written with an end tag.
const ELEMENTS: [&str; 13] = ["p", "h1", "h2", "ul", "ol", "li", "pre", "blockquote", "b", "i", "s", "code", "a"];
/// Those that stand within a line.
const INLINE: [&str; 5] = ["b", "i", "s", "code", "a"];
/// Those that text stands in.
const BLOCKS: [&str; 5] = ["p", "h1", "h2", "li", "pre"];

/// What HTML of no more than `given` bytes of input may grow to.
fn bound(given: usize) -> usize {
    16 * given + 64
}

/// Asserts that HTML is of the written form and of nothing else: a grammar so narrow that no
/// reader of HTML can find anything in it but these elements, with these attributes, closed in
/// order; links and pictures of these schemes only; all text in blocks, escaped.
pub fn assert_tame(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = html;
    while let Some(first) = rest.chars().next() {
        if first != '<' {
            let end = rest.find('<').unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            assert_escaped(text);
            let block = open.iter().rev().find(|element| !INLINE.contains(element));
            assert!(block.is_some_and(|element| BLOCKS.contains(element)), "text in no block: {html:?}");
            rest = after;
            continue;
        }
        let end = rest.find('>').unwrap_or_else(|| panic!("a tag without an end: {html:?}"));
        let (tag, after) = (&rest[1..end], &rest[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "ends out of order: {html:?}");
        } else if let Some(attribute) = tag.strip_prefix("a href=\"") {
            let url = attribute.strip_suffix('"').unwrap_or_else(|| panic!("an odd link: {html:?}"));
            assert_address(url, &["https://", "http://", "mailto:"]);
            assert!(!open.contains(&"a"), "a link in a link: {html:?}");
            open.push("a");
        } else if let Some(attributes) = tag.strip_prefix("img src=\"") {
            let attributes = attributes.strip_suffix('"').unwrap_or_else(|| panic!("an odd picture: {html:?}"));
            let (url, alt) = attributes.split_once("\" alt=\"").unwrap_or((attributes, ""));
            assert_address(url, &["https://", "http://"]);
            assert_escaped(alt);
        } else if tag != "br" {
            assert!(ELEMENTS.contains(&tag) && tag != "a", "<{tag}> in {html:?}");
            let in_list = matches!(open.last(), Some(&("ul" | "ol")));
            assert_eq!(tag == "li", in_list, "items stand in lists, and nothing else does: {html:?}");
            open.push(tag);
        }
    }
    assert!(open.is_empty(), "{open:?} are open at the end of {html:?}");
}

fn assert_escaped(text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"']) {
        rest = &rest[at..];
        let reference = ["&amp;", "&lt;", "&gt;", "&quot;"].into_iter().find(|known| rest.starts_with(known));
        rest = &rest[reference.unwrap_or_else(|| panic!("not escaped: {text:?}")).len()..];
    }
    let odd = |character: char| character.is_control() && !matches!(character, '\n' | '\t');
    assert!(!text.contains(odd), "a control character in {text:?}");
}

fn assert_address(url: &str, schemes: &[&str]) {
    assert_escaped(url);
    let lower = url.to_ascii_lowercase();
    assert!(schemes.iter().any(|scheme| lower.starts_with(scheme)), "an address of another kind: {url:?}");
}

/// Asserts that HTML says the same after it was read as Markdown and that was rendered.
pub fn assert_same_in_markdown(html: &str) {
    let markdown = incoming::markdown(&Body::html(html));
    let (before, after) = (meaning(html), meaning(&render::markdown(&markdown)));
    assert_eq!(tree::write(&after), tree::write(&before), "by way of {markdown:?}");
    assert_eq!(after, before, "by way of {markdown:?}");
}

/// What HTML says: its tree without what means nothing, addresses as Markdown can have them.
fn meaning(html: &str) -> Vec<Node> {
    fn spelt(node: Node) -> Node {
        let plain = |url: String| {
            let mut out = String::new();
            for character in url.chars() {
                match character {
                    '(' | ')' | '<' | '>' | '\\' | '`' => out.push_str(&format!("%{:02X}", u32::from(character))),
                    character if character.is_whitespace() => out.push_str("%20"),
                    character => out.push(character),
                }
            }
            out
        };
        match node {
            Node::Image { url, alt } => Node::Image { url: plain(url), alt },
            Node::Element { name, url, children } => {
                Node::Element { name, url: url.map(plain), children: children.into_iter().map(spelt).collect() }
            }
            other => other,
        }
    }
    tree::tidy(tree::read(html)).into_iter().map(spelt).collect()
}

/// HTML from Intercom, as bots read it.
pub fn html_in(data: &[u8]) {
    let given = String::from_utf8_lossy(data);
    let body = Body::html(&*given);
    let (text, markdown) = (incoming::text(&body), incoming::markdown(&body));
    assert!(text.len() <= bound(given.len()), "{} bytes of text from {}", text.len(), given.len());
    assert!(markdown.len() <= bound(given.len()), "{} bytes of Markdown from {}", markdown.len(), given.len());
    assert_eq!(text.trim(), text);
    assert_same_in_markdown(&given);
    // Who renders the Markdown finds no link but of the known schemes.
    assert_tame(&render::markdown(&markdown));
    let compared = incoming::comparable(&body);
    assert_eq!(compared, incoming::comparable_html(&given));
    assert!(!compared.contains(char::is_whitespace));
    let plain = Body { text: given.into_owned(), format: BodyFormat::Plain };
    assert_eq!(incoming::text(&plain), plain.text.trim());
    assert!(incoming::markdown(&plain).len() <= 2 * plain.text.len());
}

/// HTML from a bot.
pub fn html_out(data: &[u8]) {
    let given = String::from_utf8_lossy(data);
    let clean = html::sanitize(&given);
    assert_tame(&clean);
    assert_eq!(html::sanitize(&clean), clean, "not the same again, from {given:?}");
    assert!(clean.len() <= bound(given.len()), "{} bytes from {}", clean.len(), given.len());
}

/// Markdown and plain text from a bot.
pub fn markdown_out(data: &[u8]) {
    let given = String::from_utf8_lossy(data);
    let rendered = render::markdown(&given);
    assert_tame(&rendered);
    assert_same_in_markdown(&rendered);
    // References to links may be used often; the parser's own limit on what they add is 100,000 bytes.
    assert!(rendered.len() <= bound(given.len()) + 600_000, "{} bytes from {}", rendered.len(), given.len());
    let visible: String =
        given.chars().filter(|character| !character.is_control() || matches!(character, '\n' | '\t')).collect();
    let plain = render::plain(&visible);
    assert_tame(&plain);
    assert!(plain.len() <= bound(visible.len()));
    // What was sent is known again when it comes back as plain text.
    let echo = Body { text: visible, format: BodyFormat::Plain };
    assert_eq!(incoming::comparable_html(&plain), incoming::comparable(&echo));
    if let Some(note) = render::handover_note(Some(&given), Some(&given)) {
        assert_tame(&note);
    }
}
