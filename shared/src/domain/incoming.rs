//! Messages from Intercom as text: what a bot reads.
//!
//! HTML becomes plain text and Markdown without losing links, lists, line breaks, pictures or
//! entities. Whether a body is HTML is known from where it came ([`BodyFormat`]).

use super::content::{Body, BodyFormat};
use super::html::{self, Piece};

/// A body as plain text: links as `label (address)`, list items with a dash or their number.
#[must_use]
pub fn text(body: &Body) -> String {
    match body.format {
        BodyFormat::Plain => body.text.trim().to_owned(),
        BodyFormat::Html => write(&body.text, Style::Plain),
    }
}

/// A body as Markdown.
#[must_use]
pub fn markdown(body: &Body) -> String {
    match body.format {
        BodyFormat::Plain => escape(body.text.trim()),
        BodyFormat::Html => write(&body.text, Style::Markdown),
    }
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

/// How deep list items are indented, at most.
const MAX_INDENT: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Markdown,
}

/// What is being written.
struct Text {
    style: Style,
    out: String,
    /// For each open list: its next number, or none for bullets.
    lists: Vec<Option<u64>>,
    /// For each open link: its address and where its label begins.
    links: Vec<(Option<String>, usize)>,
    preformatted: usize,
}

fn write(html: &str, style: Style) -> String {
    let mut text = Text { style, out: String::new(), lists: Vec::new(), links: Vec::new(), preformatted: 0 };
    for piece in html::pieces(html) {
        match piece {
            Piece::Text(words) => text.words(&words),
            Piece::Start { name, url, label } => text.start(&name, url, label),
            Piece::End { name } => text.end(&name),
        }
    }
    text.finish()
}

impl Text {
    fn words(&mut self, words: &str) {
        if self.preformatted > 0 {
            self.out.push_str(words);
            return;
        }
        let fresh_line = self.out.is_empty() || self.out.ends_with(['\n', ' ']);
        let mut collapsed = String::new();
        for character in words.chars() {
            let character = if character == '\u{a0}' { ' ' } else { character };
            if !character.is_ascii_whitespace() {
                collapsed.push(character);
            } else if !collapsed.ends_with(' ') {
                collapsed.push(' ');
            }
        }
        let collapsed = if fresh_line { collapsed.trim_start() } else { &collapsed };
        if self.style == Style::Markdown {
            self.out.push_str(&escape(collapsed));
        } else {
            self.out.push_str(collapsed);
        }
    }

    fn mark(&mut self, mark: &str) {
        if self.style == Style::Markdown {
            self.out.push_str(mark);
        }
    }

    fn start(&mut self, name: &str, url: Option<String>, label: Option<String>) {
        match name {
            "br" => self.line_break(),
            "p" | "div" | "blockquote" | "table" | "section" => self.paragraph(),
            "tr" => self.line(),
            "h1" => self.heading("# "),
            "h2" | "h3" | "h4" | "h5" | "h6" => self.heading("## "),
            "ul" => self.list(None),
            "ol" => self.list(Some(1)),
            "li" => self.item(),
            "pre" => {
                self.paragraph();
                self.mark("```\n");
                self.preformatted += 1;
            }
            "b" | "strong" => self.mark("**"),
            "i" | "em" => self.mark("*"),
            "code" if self.preformatted == 0 => self.mark("`"),
            "a" => {
                self.mark("[");
                self.links.push((url, self.out.len()));
            }
            "img" => self.picture(&url.unwrap_or_default(), &label.unwrap_or_default()),
            _ => {}
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" | "div" | "blockquote" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "section" => {
                self.paragraph();
            }
            "ul" | "ol" => {
                self.lists.pop();
                self.paragraph();
            }
            "li" | "tr" => self.line(),
            "pre" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.line();
                self.mark("```");
                self.paragraph();
            }
            "b" | "strong" => self.mark("**"),
            "i" | "em" => self.mark("*"),
            "code" if self.preformatted == 0 => self.mark("`"),
            "a" => self.end_link(),
            _ => {}
        }
    }

    fn end_link(&mut self) {
        let Some((url, from)) = self.links.pop() else { return };
        let url = url.unwrap_or_default();
        match self.style {
            Style::Markdown => {
                let address = html::harmless_link(&url).map(|url| encoded(&url)).unwrap_or_default();
                self.out.push_str(&format!("]({address})"));
            }
            Style::Plain => {
                let label = self.out.get(from..).unwrap_or_default().trim();
                if !url.is_empty() && label != url && format!("mailto:{label}") != url {
                    self.out.push_str(&format!(" ({url})"));
                }
            }
        }
    }

    fn picture(&mut self, url: &str, label: &str) {
        let Some(url) = html::harmless_link(url) else {
            self.words(label);
            return;
        };
        match self.style {
            Style::Markdown => self.out.push_str(&format!("![{}]({})", escape(label), encoded(&url))),
            Style::Plain if label.is_empty() => self.out.push_str(&url),
            Style::Plain => self.out.push_str(&format!("{label} ({url})")),
        }
    }

    fn heading(&mut self, mark: &str) {
        self.paragraph();
        self.mark(mark);
    }

    fn list(&mut self, first: Option<u64>) {
        if self.lists.is_empty() {
            self.paragraph()
        } else {
            self.line()
        }
        self.lists.push(first);
    }

    fn item(&mut self) {
        self.line();
        // Deeper nesting says no more, and must not cost more.
        let depth = self.lists.len().saturating_sub(1).min(MAX_INDENT);
        self.out.push_str(&"   ".repeat(depth));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}. ");
                *number += 1;
                self.out.push_str(&mark);
            }
            _ => self.out.push_str("- "),
        }
    }

    fn in_item(&self) -> bool {
        let line = self.out.rsplit('\n').next().unwrap_or_default().trim_start();
        !self.lists.is_empty()
            && (line == "- "
                || line.trim_end_matches(". ").bytes().all(|byte| byte.is_ascii_digit()) && !line.is_empty())
    }

    fn line_break(&mut self) {
        self.trim_spaces();
        if self.style == Style::Markdown && !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\\');
        }
        self.out.push('\n');
    }

    fn line(&mut self) {
        self.trim_spaces();
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn paragraph(&mut self) {
        if self.in_item() {
            return;
        }
        self.line();
        if self.lists.is_empty() && !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn trim_spaces(&mut self) {
        if !self.in_item() {
            while self.out.ends_with(' ') {
                self.out.pop();
            }
        }
    }

    fn finish(self) -> String {
        self.out.trim().trim_end_matches('\\').trim_end().to_owned()
    }
}

/// An address that cannot end the link that it stands in.
fn encoded(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for character in url.trim().chars() {
        match character {
            '(' | ')' | '<' | '>' | '\\' => out.push_str(&format!("%{:02X}", u32::from(character))),
            character if character.is_control() || character.is_whitespace() => out.push_str("%20"),
            character => out.push(character),
        }
    }
    out
}

/// Text as Markdown that means the same text.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (position, character) in text.char_indices() {
        let starts_line = text.get(..position).is_none_or(|before| before.is_empty() || before.ends_with('\n'));
        let special = matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<')
            || (starts_line && matches!(character, '#' | '>' | '-' | '+' | '~'));
        if special {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
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
    fn pictures_keep_their_address() {
        let body = Body::html("<p><img src=\"https://a.example/p.png\" alt=\"a map\"></p>");
        assert_eq!(text(&body), "a map (https://a.example/p.png)");
        assert_eq!(markdown(&body), "![a map](https://a.example/p.png)");
    }

    #[test]
    fn what_must_not_be_followed_is_no_address_in_markdown() {
        for (html, expected) in [
            ("<a href=\"javascript:alert(1)\">x</a>", "[x]()"),
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
