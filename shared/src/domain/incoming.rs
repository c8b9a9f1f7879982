//! Messages from Intercom as text: what a bot reads.
//!
//! HTML becomes plain text and Markdown without losing links, lists, line breaks, pictures or
//! entities. Whether a body is HTML is known from where it came ([`BodyFormat`]).

use super::content::{Body, BodyFormat};
use super::email;
use super::html::{self, Piece};
use super::markdown::{self, Style};
use super::tree::{self, Node};

/// A body as plain text: links as `label (address)`, list items with a dash or their number.
#[must_use]
pub fn text(body: &Body) -> String {
    match body.format {
        BodyFormat::Plain => body.text.trim().to_owned(),
        BodyFormat::Html => markdown::write(&tree::tidy(tree::read(&body.text)), Style::Plain).trim().to_owned(),
    }
}

/// A body as Markdown.
#[must_use]
pub fn markdown(body: &Body) -> String {
    match body.format {
        BodyFormat::Plain => markdown::write(&lines(body.text.trim()), Style::Markdown),
        BodyFormat::Html => markdown::write(&tree::tidy(tree::read(&body.text)), Style::Markdown),
    }
}

/// What of an e-mail its writer wrote, as plain text and as Markdown, without the quoted message and the
/// signature. None where that is all of it.
#[must_use]
pub fn own_words(body: &Body) -> Option<(String, String)> {
    let (nodes, plain) = match body.format {
        BodyFormat::Plain => (tree::tidy(email::marked(paragraphs(body.text.trim()))), true),
        BodyFormat::Html => (tree::tidy(email::marked(tree::read(&body.text))), false),
    };
    let own = email::own_words(&nodes, plain)?;
    Some((markdown::write(&own, Style::Plain), markdown::write(&own, Style::Markdown)))
}

/// A body's words alone, for comparing what was sent with what came back: Intercom changes
/// markup and spacing, not words.
#[must_use]
pub fn comparable(body: &Body) -> String {
    match body.format {
        BodyFormat::Plain => words(&body.text),
        BodyFormat::Html => comparable_html(&body.text),
    }
}

/// The words of HTML, see [`comparable`].
#[must_use]
pub fn comparable_html(html: &str) -> String {
    let mut joined = String::new();
    for piece in html::pieces(html) {
        match piece {
            Piece::Text(text) => joined.push_str(&text),
            Piece::Start { .. } | Piece::End { .. } => joined.push(' '),
        }
    }
    words(&joined)
}

/// Letters and digits only: the plain text of a webhook has list marks and addresses that the HTML
/// has not, and the spaces differ. A text without any, of emoji say, is compared by all it has.
fn words(text: &str) -> String {
    let spoken = text.split_whitespace().filter(|word| !word.trim_matches(['(', ')']).contains("://"));
    let letters: String = spoken.flat_map(str::chars).filter(|character| character.is_alphanumeric()).collect();
    if letters.is_empty() { text.split_whitespace().collect() } else { letters }
}

fn lines(text: &str) -> Vec<Node> {
    tree::tidy(paragraphs(text))
}

/// A plain text as a tree: lines are lines, and what is parted by empty ones is a paragraph.
fn paragraphs(text: &str) -> Vec<Node> {
    let mut line = Vec::new();
    let mut paragraphs = Vec::new();
    let mut end = |line: &mut Vec<Node>| paragraphs.push(Node::element("p", std::mem::take(line)));
    for words in text.lines() {
        if words.trim().is_empty() {
            end(&mut line);
            continue;
        }
        if !line.is_empty() {
            line.push(Node::Break);
        }
        line.push(Node::Text(words.to_owned()));
    }
    end(&mut line);
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::*;

    #[test]
    fn links_lists_breaks_and_entities_survive() {
        let html = "<p class=\"no-margin\">See <a href=\"https://a.example/x\">the page</a> &amp; more<br>second line</p>\
                    <ul><li>one</li><li><b>two</b></li></ul><ol><li><p>first</p></li></ol><p>end&nbsp;&lt;here&gt;</p>";
        let body = Body::html(html);
        assert_eq!(
            text(&body),
            "See the page (https://a.example/x) & more\nsecond line\n\n- one\n- two\n\n1. first\n\nend <here>"
        );
        assert_eq!(
            markdown(&body),
            "See [the page](https://a.example/x) & more\\\nsecond line\n\n- one\n- **two**\n\n1. first\n\nend \\<here>"
        );
    }

    #[test]
    fn code_in_a_link_is_no_definition_of_a_reference() {
        for (html, markdown) in [
            ("<a href=\"https://a.example\"><code>b]:/</code></a>", "\\\n[`b]:/`](https://a.example)"),
            (
                "<ul><li><a href=\"https://a.example\"><code>b]: c \"</code></a> d\"</li></ul>",
                "- \\\n  [`b]: c \"`](https://a.example) d\"",
            ),
            ("<h2><a href=\"https://a.example\"><code>b]:/</code></a></h2>", "## [`b]:/`](https://a.example)"),
            ("<a href=\"https://a.example\">[b]:/</a>", "[\\[b\\]:/](https://a.example)"),
        ] {
            let read = super::markdown(&Body::html(html));
            assert_eq!(read, markdown);
            assert_eq!(tree::tidy(tree::read(&render::markdown(&read))), tree::tidy(tree::read(html)), "{read}");
        }
    }

    #[test]
    fn code_in_front_does_not_indent_the_text() {
        assert_eq!(text(&Body::html("<pre> a\n b</pre><p>c</p>")), "a\n b\n\nc");
    }

    #[test]
    fn pictures_keep_their_address() {
        let body = Body::html("<p><img src=\"https://a.example/p.png\" alt=\"a map\"></p>");
        assert_eq!(text(&body), "a map (https://a.example/p.png)");
        assert_eq!(markdown(&body), "![a map](https://a.example/p.png)");
    }

    #[test]
    fn what_must_not_be_followed_is_no_address_in_markdown() {
        for (html, expected) in [
            ("<a href=\"javascript:alert(1)\">x</a>", "x"),
            ("<img src=\"x) <script>alert(1)</script>\" alt=\"a\">", "a"),
            ("<a href=\"https://a.example/(x)\ny\">l</a>", "[l](https://a.example/%28x%29y)"),
        ] {
            assert_eq!(markdown(&Body::html(html)), expected, "{html}");
        }
    }

    #[test]
    fn deep_nesting_does_not_explode() {
        let html = format!("{}x", "<ul><li>a".repeat(3_000));
        assert!(markdown(&Body::html(&*html)).len() < 120_000);
    }

    #[test]
    fn emoji_alone_are_compared_as_they_are() {
        assert_ne!(comparable_html("<p>👍</p>"), comparable_html("<p>👋</p>"));
        assert_eq!(comparable_html("<p>👍</p>"), comparable_html("<p class=\"no-margin\">👍 </p>"));
    }

    #[test]
    fn plain_text_is_left_as_it_is() {
        let body = Body { text: " 2 < 3 & <b>not bold</b>\nnext ".to_owned(), format: BodyFormat::Plain };
        assert_eq!(text(&body), "2 < 3 & <b>not bold</b>\nnext");
    }

    #[test]
    fn a_message_equals_its_echo_in_html_and_in_plain_text() {
        let sent = "<p>We open at <b>9:00</b>, see <a href=\"https://a.example\">here</a></p><ul><li>a</li></ul>";
        let html_echo = "<p class=\"no-margin\">We open at <strong>9:00</strong>, see <a href=\"https://a.example\" rel=\"x\">here</a></p>\n<ul>\n<li>a</li></ul>";
        let plain_echo =
            Body { text: "We open at 9:00, see here (https://a.example)\n- a".into(), format: BodyFormat::Plain };
        assert_eq!(comparable_html(sent), comparable_html(html_echo));
        assert_eq!(comparable_html(sent), comparable(&plain_echo));
    }
}
