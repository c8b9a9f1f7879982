//! HTML, taken apart and put together.
//!
//! Reading uses a real tokenizer (`html5ever`), never patterns. Writing goes through [`Writer`],
//! which knows only a short list of elements, escapes everything, wraps loose text in paragraphs
//! and closes what is open. So whatever comes in, what goes out is well formed and harmless, and
//! never nested deep: reading it again takes no longer than its length.

use std::cell::RefCell;
use std::collections::BTreeMap;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

/// A piece of HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// A start tag, with the attributes that matter here.
    Start {
        /// The element, in lower case.
        name: String,
        /// `href` or `src`.
        url: Option<String>,
        /// `alt` or `title`.
        label: Option<String>,
    },
    /// An end tag.
    End {
        /// The element, in lower case.
        name: String,
    },
    /// Text, with character references resolved.
    Text(String),
}

/// Elements whose content is not text for a reader.
const UNREADABLE: [&str; 10] =
    ["script", "style", "template", "iframe", "noembed", "noframes", "object", "svg", "math", "head"];

#[derive(Default)]
struct Sink {
    pieces: RefCell<Vec<Piece>>,
    /// The unreadable element that we are in, and how deep in elements of its name.
    hidden: RefCell<Option<(String, usize)>>,
    /// Whether the content of unreadable elements is shown after all, but for raw ones.
    shown: bool,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        match token {
            Token::TagToken(tag) => {
                let name = tag.name.to_string();
                let starts = tag.kind == TagKind::StartTag;
                if self.is_hidden(&name, starts, tag.self_closing) {
                    return raw_kind(&name, starts);
                }
                if starts {
                    let attribute = |wanted: [&str; 2]| {
                        let found = tag.attrs.iter().find(|attr| wanted.contains(&&*attr.name.local));
                        found.map(|attr| attr.value.to_string())
                    };
                    let (url, label) = (attribute(["href", "src"]), attribute(["alt", "title"]));
                    self.pieces.borrow_mut().push(Piece::Start { name, url, label });
                } else {
                    self.pieces.borrow_mut().push(Piece::End { name });
                }
            }
            Token::CharacterTokens(text) => {
                if self.hidden.borrow().is_none() {
                    self.push_text(&text);
                }
            }
            Token::CommentToken(_)
            | Token::DoctypeToken(_)
            | Token::NullCharacterToken
            | Token::ParseError(_)
            | Token::EOFToken => {}
        }
        TokenSinkResult::Continue
    }
}

impl Sink {
    fn push_text(&self, text: &StrTendril) {
        let mut pieces = self.pieces.borrow_mut();
        if let Some(Piece::Text(before)) = pieces.last_mut() {
            before.push_str(text);
        } else {
            pieces.push(Piece::Text(text.to_string()));
        }
    }

    fn is_hidden(&self, name: &str, starts: bool, self_closing: bool) -> bool {
        let mut hidden = self.hidden.borrow_mut();
        match hidden.as_mut() {
            Some((element, depth)) => {
                if element == name {
                    if starts && !self_closing {
                        *depth += 1;
                    } else if !starts {
                        *depth -= 1;
                    }
                    if *depth == 0 {
                        *hidden = None;
                    }
                }
                true
            }
            None if starts && UNREADABLE.contains(&name) && !(self.shown && raw(name).is_none()) => {
                if !self_closing || raw(name).is_some() {
                    *hidden = Some((name.to_owned(), 1));
                }
                true
            }
            None => false,
        }
    }
}

/// How the tokenizer must read the content of an element that holds no markup.
fn raw(name: &str) -> Option<RawKind> {
    match name {
        "script" => Some(RawKind::ScriptData),
        "style" | "iframe" | "noembed" | "noframes" => Some(RawKind::Rawtext),
        _ => None,
    }
}

fn raw_kind(name: &str, starts: bool) -> TokenSinkResult<()> {
    match raw(name) {
        Some(kind) if starts => TokenSinkResult::RawData(kind),
        _ => TokenSinkResult::Continue,
    }
}

/// Takes HTML apart. Never fails: as in a browser, everything means something.
#[must_use]
pub fn pieces(html: &str) -> Vec<Piece> {
    let whole = tokenize(html, Sink::default());
    match whole.hidden.take() {
        // An element that is never closed would hide the rest of the message. Its tags are of no
        // use to anybody, so only they are left out then.
        Some((element, _)) if raw(&element).is_none() => {
            tokenize(html, Sink { shown: true, ..Sink::default() }).pieces.take()
        }
        _ => whole.pieces.take(),
    }
}

fn tokenize(html: &str, sink: Sink) -> Sink {
    let tokenizer = Tokenizer::new(sink, TokenizerOpts::default());
    let input = BufferQueue::default();
    input.push_back(StrTendril::from_slice(html));
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink
}

/// A link that may be followed, as it is to be written: `https`, `http` and `mailto` only. Control
/// characters are left out, as browsers do; the scheme must stand there literally after that.
#[must_use]
pub fn harmless_link(url: &str) -> Option<String> {
    let cleaned: String = url.chars().filter(|character| !character.is_control()).collect();
    let cleaned = cleaned.trim();
    has_scheme(cleaned, &["https://", "http://", "mailto:"]).then(|| cleaned.to_owned())
}

fn has_scheme(url: &str, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| url.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Elements that the writer writes, besides `br` and `img`, and whether each is a block.
const WRITABLE: [(&str, bool); 13] = [
    ("p", true),
    ("h1", true),
    ("h2", true),
    ("ul", true),
    ("ol", true),
    ("li", true),
    ("pre", true),
    ("blockquote", true),
    ("b", false),
    ("i", false),
    ("s", false),
    ("code", false),
    ("a", false),
];

/// How deep lists and quotes lie in each other, at most. Only these can be nested without end, and as many
/// as they are they go through Markdown.
const MAX_DEPTH: usize = 12;

/// What parts sections.
const RULE: &str = "———";

fn writable(name: &str) -> Option<(&'static str, bool)> {
    WRITABLE.iter().find(|(known, _)| *known == name).copied()
}

/// Whether an element holds blocks, any number of times within each other.
fn nests(name: &str) -> bool {
    matches!(name, "ul" | "ol" | "blockquote")
}

/// Writes HTML of a short list of elements, well formed whatever it is told.
#[derive(Debug, Default)]
pub struct Writer {
    out: String,
    open: Vec<&'static str>,
    /// How often what is not written has begun in what is open: its ends are not written either.
    left_out: BTreeMap<&'static str, usize>,
}

impl Writer {
    /// Opens an element. Unknown ones are left out; their content stays.
    pub fn start(&mut self, name: &str) {
        let Some((name, is_block)) = writable(name) else { return };
        if self.is_left_out(name) {
            *self.left_out.entry(name).or_default() += 1;
            if name == "li" {
                self.line_break(); // items that lie too deep are lines
            }
            return;
        }
        if is_block {
            self.close_paragraph();
            if name == "li" {
                self.find_list();
            } else {
                self.close_inline();
                self.ensure_item();
            }
        } else {
            self.ensure_paragraph();
        }
        self.push(name);
    }

    /// A list or quote that lies too deep, with its items; bold within bold, which says nothing.
    fn is_left_out(&self, name: &str) -> bool {
        match name {
            "ul" | "ol" | "blockquote" => self.open.iter().filter(|open| nests(open)).count() >= MAX_DEPTH,
            "li" => ["ul", "ol"].iter().any(|list| self.left_out.contains_key(list)),
            "p" | "h1" | "h2" | "pre" => false,
            inline => self.open.contains(&inline),
        }
    }

    fn push(&mut self, name: &'static str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        self.open.push(name);
    }

    /// Opens a link; one that may not be followed leaves its text.
    pub fn link(&mut self, url: &str) {
        let Some(url) = harmless_link(url) else { return };
        self.end("a"); // a link has no links in it
        self.ensure_paragraph();
        self.out.push_str("<a href=\"");
        escape_into(&mut self.out, &url);
        self.out.push_str("\">");
        self.open.push("a");
    }

    /// Closes an element and what is open inside it. One that is not open is left alone.
    pub fn end(&mut self, name: &str) {
        let Some((name, _)) = writable(name) else { return };
        if let Some(often) = self.left_out.get_mut(name) {
            *often -= 1;
            if *often == 0 {
                self.left_out.remove(name);
            }
            return;
        }
        if !self.open.contains(&name) {
            return;
        }
        while let Some(open) = self.open.pop() {
            self.write_end(open);
            if open == name {
                break;
            }
        }
    }

    fn write_end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        // With it ends what it made superfluous.
        self.left_out
            .retain(|left_out, _| *left_out != name && !(nests(name) && (nests(left_out) || *left_out == "li")));
    }

    /// Writes text.
    pub fn text(&mut self, text: &str) {
        if text.trim().is_empty() && self.needs_paragraph() {
            return; // blank space between blocks
        }
        self.ensure_paragraph();
        escape_into(&mut self.out, text);
    }

    /// Breaks the line.
    pub fn line_break(&mut self) {
        self.ensure_paragraph();
        self.out.push_str("<br>");
    }

    /// Parts what comes from what was: a line of its own, as there is no element for it.
    pub fn rule(&mut self) {
        self.start("p");
        self.text(RULE);
        self.end("p");
    }

    /// Shows a picture, if its address may be followed.
    pub fn image(&mut self, url: &str, alt: &str) {
        let Some(url) = harmless_link(url).filter(|url| !has_scheme(url, &["mailto:"])) else {
            self.text(alt);
            return;
        };
        self.ensure_paragraph();
        self.out.push_str("<img src=\"");
        escape_into(&mut self.out, &url);
        self.out.push('"');
        if alt.chars().any(|character| !is_unseen(character)) {
            self.out.push_str(" alt=\"");
            escape_into(&mut self.out, alt);
            self.out.push('"');
        }
        self.out.push('>');
    }

    /// The HTML, with everything closed.
    #[must_use]
    pub fn finish(mut self) -> String {
        while let Some(open) = self.open.pop() {
            self.write_end(open);
        }
        self.out
    }

    fn needs_paragraph(&self) -> bool {
        let block = self.open.iter().rev().find(|open| writable(open).is_some_and(|(_, is_block)| is_block));
        block.is_none_or(|block| matches!(*block, "ul" | "ol" | "blockquote"))
    }

    /// An item stands in a list directly; it ends what is open there, the item before it too.
    fn find_list(&mut self) {
        match self.open.iter().rposition(|open| matches!(*open, "ul" | "ol")) {
            Some(list) => {
                for open in self.open.split_off(list + 1).into_iter().rev() {
                    self.write_end(open);
                }
            }
            None => {
                self.close_inline();
                self.push("ul");
            }
        }
    }

    /// In a list directly there are items only.
    fn ensure_item(&mut self) {
        if matches!(self.open.last(), Some(&("ul" | "ol"))) {
            self.push("li");
        }
    }

    /// Intercom translates, and shows reliably, only text in block elements.
    fn ensure_paragraph(&mut self) {
        if self.needs_paragraph() {
            self.ensure_item();
            if self.needs_paragraph() {
                self.push("p");
            }
        }
    }

    fn close_paragraph(&mut self) {
        for block in ["p", "h1", "h2", "pre"] {
            self.end(block);
        }
    }

    fn close_inline(&mut self) {
        while let Some(open) = self.open.last().copied() {
            if writable(open).is_some_and(|(_, is_block)| is_block) {
                break;
            }
            self.end(open);
        }
    }
}

/// Control characters, which are not written.
fn is_unseen(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\t')
}

fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            character if is_unseen(character) => {}
            character => out.push(character),
        }
    }
}

/// HTML of unknown making, cut down to what [`Writer`] writes.
#[must_use]
pub fn sanitize(html: &str) -> String {
    let mut writer = Writer::default();
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => writer.text(&text),
            Piece::Start { name, url, label } => match name.as_str() {
                "br" => writer.line_break(),
                "img" => writer.image(&url.unwrap_or_default(), &label.unwrap_or_default()),
                "a" => writer.link(&url.unwrap_or_default()),
                "td" | "th" => writer.text(" "), // cells stand apart
                "hr" => writer.rule(),
                other => writer.start(alias(other)),
            },
            Piece::End { name } => writer.end(alias(&name)),
        }
    }
    writer.finish()
}

/// Elements that mean the same as one that is written.
fn alias(name: &str) -> &str {
    match name {
        "strong" => "b",
        "em" => "i",
        "del" | "strike" => "s",
        "div" | "section" | "article" | "tr" | "table" => "p",
        "h3" | "h4" | "h5" | "h6" => "h2",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_styles_and_handlers_do_not_survive() {
        for (dirty, clean) in [
            ("<p onclick=x()>hi<script>alert(1)</script></p>", "<p>hi</p>"),
            ("<style>p{}</style>text", "<p>text</p>"),
            ("<a href=\"java\nscript:alert(1)\">x</a>", "<p>x</p>"),
            ("<img src=x onerror=alert(1)>", ""),
            ("<svg><script>1</script></svg>ok", "<p>ok</p>"),
            ("<scr<script>ipt>alert(1)</script>", "<p>ipt&gt;alert(1)</p>"),
            ("<b>bold <i>both</b> after", "<p><b>bold <i>both</i></b> after</p>"),
            ("<img src=\"https://a.example/p.png\" alt=\"\u{1}\">", "<p><img src=\"https://a.example/p.png\"></p>"),
        ] {
            assert_eq!(sanitize(dirty), clean, "from {dirty}");
        }
    }

    #[test]
    fn an_element_that_is_never_closed_does_not_hide_the_rest() {
        assert_eq!(sanitize("<svg><p>hello</p>"), "<p>hello</p>");
        assert_eq!(sanitize("<object>one<p>two<script>x</script>"), "<p>one</p><p>two</p>");
        assert_eq!(sanitize("before<script>alert(1)"), "<p>before</p>");
    }

    #[test]
    fn items_stand_in_lists_directly_and_links_in_no_link() {
        for (wild, tame) in [
            ("<ul><li>a<li><b>b<li>c", "<ul><li>a</li><li><b>b</b></li><li>c</li></ul>"),
            ("<b>x<li>y", "<p><b>x</b></p><ul><li>y</li></ul>"),
            ("<ul><ul><li>x", "<ul><li><ul><li>x</li></ul></li></ul>"),
            ("<ol><p>x", "<ol><li><p>x</p></li></ol>"),
            ("<ul><li>a<ul> b<li>c", "<ul><li>a<ul><li> b</li><li>c</li></ul></li></ul>"),
            ("<ul><li><blockquote>a", "<ul><li><blockquote><p>a</p></blockquote></li></ul>"),
            (
                "<a href=\"https://a.example\">x<a href=\"https://b.example\">y</a></a>",
                "<p><a href=\"https://a.example\">x</a><a href=\"https://b.example\">y</a></p>",
            ),
        ] {
            assert_eq!(sanitize(wild), tame, "from {wild}");
            assert_eq!(sanitize(tame), tame);
        }
    }

    #[test]
    fn a_scheme_must_stand_there_literally() {
        for (url, harmless) in [
            (" HTTPS://a.example/x y", Some("HTTPS://a.example/x y")),
            ("ht\ntps://a.example", Some("https://a.example")),
            ("h ttps://a.example", None),
            ("h\u{a0}ttps://a.example", None),
            ("java\u{1}script:alert(1)", None),
            ("//a.example", None),
        ] {
            assert_eq!(harmless_link(url).as_deref(), harmless, "{url:?}");
        }
        assert_eq!(sanitize("<img src=\" MAILTO:x@a.example\" alt=\"a\">"), "<p>a</p>");
    }

    /// How deep the elements of clean HTML lie in each other.
    fn depth_of(clean: &str) -> usize {
        let (mut depth, mut most) = (0_usize, 0);
        for piece in pieces(clean) {
            match piece {
                Piece::Start { name, .. } if !matches!(name.as_str(), "br" | "img") => depth += 1,
                Piece::End { .. } => depth -= 1,
                _ => {}
            }
            most = most.max(depth);
        }
        assert_eq!(depth, 0, "{clean:.200}");
        most
    }

    #[test]
    fn what_is_deep_is_kept_and_not_its_depth() {
        for deep in [
            "<b><i>",
            "<ul><li>",
            "<blockquote>",
            "<ol><li>a<blockquote><p><a href=\"https://a.example\">",
            "<li>",
            "<ul>",
            "<a href=\"https://a.example\"><b>",
        ] {
            let clean = sanitize(&format!(
                "{}x{}",
                format!("{deep}w ").repeat(20_000),
                "</p></i></b></a></li></ul></ol></blockquote>".repeat(20_000)
            ));
            assert!(depth_of(&clean) <= 2 * MAX_DEPTH + 2, "{} deep of {deep}", depth_of(&clean));
            assert_eq!(clean.matches("w ").count(), 20_000, "{deep}");
            assert_eq!(sanitize(&clean), clean, "{deep}");
        }
        let items =
            |depth: usize| format!("<p>a</p>{}b{}<p>c</p>", "<ul><li>".repeat(depth), "</li></ul>".repeat(depth));
        assert_eq!(sanitize(&items(MAX_DEPTH)), items(MAX_DEPTH));
        assert_eq!(sanitize(&items(MAX_DEPTH + 7)), items(MAX_DEPTH).replace('b', &format!("{}b", "<br>".repeat(7))));
    }

    #[test]
    fn bold_within_bold_says_nothing_and_ends_where_the_outer_one_does() {
        assert_eq!(sanitize("<p><b>a<b>b</b>c</b>d</p>"), "<p><b>abc</b>d</p>");
        assert_eq!(sanitize("<p><b>a<b>b</p><p>c</b>d</p>"), "<p><b>ab</b></p><p>cd</p>");
        assert_eq!(sanitize("<i>a<b>b<i>c</i>d</b>e</i>f"), "<p><i>a<b>bcd</b>e</i>f</p>");
    }

    #[test]
    fn what_is_clean_stays_as_it_is() {
        let clean = "<p>Hello <b>you</b>, see <a href=\"https://example.com/?a=1&amp;b=2\">this</a></p><ul><li>one</li><li>two</li></ul>";
        assert_eq!(sanitize(clean), clean);
        assert_eq!(sanitize(&sanitize(clean)), clean);
    }
}
