//! A text's tree as plain text or as Markdown.
//!
//! The Markdown is CommonMark and means what the HTML meant: rendered again, it says the same. Where the
//! rules of emphasis would take a mark for words, the letter beside it is written as a reference
//! (`&#97;`), which the rules take for punctuation and every reader for the letter.

use super::html;
use super::tree::Node;

/// How a text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Words, and the addresses of links and pictures.
    Plain,
    /// CommonMark, with `~~`.
    Markdown,
}

/// Writes a tidy tree.
#[must_use]
pub fn write(nodes: &[Node], style: Style) -> String {
    Document { style }.blocks(nodes, false).join("\n")
}

struct Document {
    style: Style,
}

impl Document {
    /// The lines of blocks. Between blocks there is an empty line, but not between the words of a list's
    /// item and a list in it, where the list is `tight`.
    fn blocks(&self, nodes: &[Node], tight: bool) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut before: Option<(&str, bool)> = None;
        let mut rest = nodes;
        while let Some(first) = rest.first() {
            let length = rest.iter().position(Node::is_block).unwrap_or(rest.len()).max(1);
            let (these, after) = rest.split_at(length);
            rest = after;
            let name = match first {
                Node::Element { name, .. } if first.is_block() => name.as_str(),
                _ => "p",
            };
            // Lists that follow each other are one, unless their marks differ.
            let other = matches!(before, Some((last, other)) if last == name && !other);
            let block = if first.is_block() { self.block(first, other) } else { self.line(these, false) };
            if block.is_empty() {
                continue;
            }
            if before.is_some() && !tight {
                lines.push(String::new());
            }
            before = Some((name, other));
            lines.extend(block);
        }
        lines
    }

    fn block(&self, node: &Node, other: bool) -> Vec<String> {
        let Node::Element { name, children, .. } = node else { return Vec::new() };
        let markdown = self.style == Style::Markdown;
        match name.as_str() {
            "h1" | "h2" => {
                let line = self.line(children, true).join(" ");
                let mark = if name == "h1" { "# " } else { "## " };
                vec![if markdown { format!("{mark}{line}") } else { line }]
            }
            "pre" => self.code_block(&super::tree::words_of(children)),
            "blockquote" if markdown => prefixed(self.blocks(children, false), "> ", "> "),
            "blockquote" => self.blocks(children, false),
            "ul" | "ol" => self.list(name, children, other),
            _ => self.line(children, false),
        }
    }

    fn code_block(&self, code: &str) -> Vec<String> {
        let lines = code.split('\n').map(str::to_owned);
        if self.style == Style::Plain {
            return lines.collect();
        }
        let fence = "`".repeat(longest_run(code).max(2) + 1);
        [fence.clone()].into_iter().chain(lines).chain([fence]).collect()
    }

    fn list(&self, name: &str, items: &[Node], other: bool) -> Vec<String> {
        let contents: Vec<&Vec<Node>> = items
            .iter()
            .filter_map(|item| match item {
                Node::Element { children, .. } => Some(children),
                _ => None,
            })
            .collect();
        let tight = contents.iter().all(|content| is_tight(content));
        let mut lines: Vec<String> = Vec::new();
        for (place, content) in contents.into_iter().enumerate() {
            let mark = match (name, other) {
                ("ol", false) => format!("{}. ", place + 1),
                ("ol", true) if self.style == Style::Markdown => format!("{}) ", place + 1),
                ("ol", true) => format!("{}. ", place + 1),
                (_, true) if self.style == Style::Markdown => "* ".to_owned(),
                _ => "- ".to_owned(),
            };
            if !tight && place > 0 {
                lines.push(String::new());
            }
            lines.extend(prefixed(self.blocks(content, tight), &mark, &" ".repeat(mark.len())));
        }
        lines
    }

    fn line(&self, nodes: &[Node], heading: bool) -> Vec<String> {
        let mut line = Line { style: self.style, heading, out: String::new(), sensitive: false };
        nodes.iter().for_each(|node| line.node(node));
        if !heading && self.style == Style::Markdown && defines_a_reference(&line.out) {
            line.out.insert_str(0, "\\\n"); // an empty line in it, which says nothing
        }
        line.out.split('\n').map(|line| line.trim_end_matches(' ').to_owned()).collect()
    }
}

/// Whether a list's item has words and lists only, so that nothing in it needs an empty line.
fn is_tight(content: &[Node]) -> bool {
    let begins = content.iter().position(Node::is_block).unwrap_or(content.len());
    content.iter().skip(begins).all(|node| node.is("ul") || node.is("ol"))
        && content
            .iter()
            .skip(begins)
            .zip(content.iter().skip(begins + 1))
            .all(|(one, next)| one.is("ul") != next.is("ul"))
        || content.len() == 1
}

fn prefixed(lines: Vec<String>, first: &str, others: &str) -> Vec<String> {
    let prefix = |(place, line): (usize, String)| {
        let prefix = if place == 0 { first } else { others };
        if line.is_empty() { prefix.trim_end().to_owned() } else { format!("{prefix}{line}") }
    };
    lines.into_iter().enumerate().map(prefix).collect()
}

fn longest_run(code: &str) -> usize {
    code.split(|character| character != '`').map(str::len).max().unwrap_or(0)
}

/// A paragraph as it is written.
struct Line {
    style: Style,
    /// In a heading, where a `#` at the end would be a mark.
    heading: bool,
    out: String,
    /// A mark has just been closed that a letter right after it would undo.
    sensitive: bool,
}

impl Line {
    fn node(&mut self, node: &Node) {
        match node {
            Node::Text(text) => self.text(text),
            Node::Break => {
                let kept = self.out.trim_end_matches(' ').len();
                self.out.truncate(kept);
                self.out.push_str(if self.style == Style::Markdown { "\\\n" } else { "\n" });
                self.sensitive = false;
            }
            Node::Image { url, alt } => self.image(url, alt),
            Node::Element { name, url, children } => match (name.as_str(), self.style) {
                ("a", _) => self.link(url.as_deref().unwrap_or_default(), children),
                ("code", Style::Markdown) => self.code(&super::tree::words_of(children)),
                ("b", Style::Markdown) => self.emphasis("**", children),
                ("i", Style::Markdown) => self.emphasis("_", children),
                ("s", Style::Markdown) => self.emphasis("~~", children),
                _ => children.iter().for_each(|child| self.node(child)),
            },
        }
    }

    /// Writes a mark or anything else that begins and ends with punctuation.
    fn raw(&mut self, text: &str) {
        self.sensitive = false;
        self.out.push_str(text);
    }

    fn text(&mut self, text: &str) {
        if self.style == Style::Plain {
            self.out.push_str(text);
            return;
        }
        let mut rest = text;
        if let Some(first) = text.chars().next().filter(|first| self.sensitive && is_letter(*first)) {
            self.out.push_str(&reference(first));
            rest = text.get(first.len_utf8()..).unwrap_or_default();
        }
        self.sensitive = false;
        let starts_line = self.out.is_empty() || self.out.ends_with('\n');
        escape_into(&mut self.out, rest, starts_line && rest.len() == text.len(), self.heading);
    }

    /// Words between marks. A mark opens when it stands between a space or punctuation and a word, and
    /// closes the other way round; see CommonMark, 6.2.
    fn emphasis(&mut self, mark: &str, children: &[Node]) {
        let mut inner = Line { style: self.style, heading: self.heading, out: String::new(), sensitive: false };
        children.iter().for_each(|child| inner.node(child));
        // What would be a mark at the beginning of a line is escaped there, and does no harm here.
        let (Some(first), Some(last)) = (inner.out.chars().next(), inner.out.chars().next_back()) else { return };
        let within_words = mark != "_";
        if let Some(before) = self.out.chars().next_back().filter(|before| is_letter(*before))
            && !(within_words && is_letter(first) && first.is_alphanumeric())
        {
            self.out.pop();
            self.out.push_str(&reference(before));
        }
        self.raw(mark);
        self.out.push_str(&inner.out);
        self.out.push_str(mark);
        self.sensitive = !(within_words && last.is_alphanumeric());
    }

    fn code(&mut self, code: &str) {
        let fence = "`".repeat(longest_run(code) + 1);
        let padded = code.starts_with('`')
            || code.ends_with('`')
            || (code.starts_with(' ') && code.ends_with(' ') && !code.trim().is_empty());
        let pad = if padded { " " } else { "" };
        self.raw(&format!("{fence}{pad}{code}{pad}{fence}"));
    }

    fn link(&mut self, url: &str, children: &[Node]) {
        match self.style {
            Style::Markdown => {
                if self.out.ends_with('!') {
                    self.out.pop();
                    self.out.push_str("\\!"); // or it were a picture
                }
                self.raw("[");
                children.iter().for_each(|child| self.node(child));
                self.raw(&format!("]({})", encoded(url)));
            }
            Style::Plain => {
                let from = self.out.len();
                children.iter().for_each(|child| self.node(child));
                let label = self.out.get(from..).unwrap_or_default().trim();
                if label != url && format!("mailto:{label}") != url {
                    self.out.push_str(&format!(" ({url})"));
                }
            }
        }
    }

    fn image(&mut self, url: &str, alt: &str) {
        let Some(url) = html::harmless_link(url) else {
            self.text(alt);
            return;
        };
        match self.style {
            Style::Markdown => {
                let mut label = String::new();
                escape_into(&mut label, alt, false, false);
                self.raw(&format!("![{label}]({})", encoded(&url)));
            }
            Style::Plain if alt.is_empty() => self.out.push_str(&url),
            Style::Plain => self.out.push_str(&format!("{alt} ({url})")),
        }
    }
}

/// Whether a character is neither space nor certainly punctuation to a reader of Markdown.
/// Whether a paragraph would be read as the definition of a reference, `[label]: address`, and not be shown:
/// a link whose words are code that has the end of such a label in it. In code nothing can be escaped.
fn defines_a_reference(line: &str) -> bool {
    let Some(label) = line.strip_prefix('[') else { return false };
    let mut rest = label.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => drop(rest.next()),
            '[' => return false,
            ']' => return rest.next() == Some(':'),
            _ => {}
        }
    }
    false
}

fn is_letter(character: char) -> bool {
    !character.is_whitespace() && !character.is_ascii_punctuation()
}

/// A character as a reference, which ends with punctuation.
fn reference(character: char) -> String {
    format!("&#{};", u32::from(character))
}

/// An address that cannot end the link that it stands in.
fn encoded(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    for (at, character) in url.trim().char_indices() {
        match character {
            '(' | ')' | '<' | '>' | '\\' | '`' => out.push_str(&format!("%{:02X}", u32::from(character))),
            '&' if is_reference(url.trim().get(at..).unwrap_or_default()) => out.push_str("&amp;"),
            character if character.is_control() || character.is_whitespace() => out.push_str("%20"),
            character => out.push(character),
        }
    }
    out
}

/// Whether a text that begins with `&` begins with a reference to a character.
fn is_reference(text: &str) -> bool {
    let name = text.strip_prefix('&').and_then(|rest| rest.split_once(';')).map(|(name, _)| name);
    name.is_some_and(|name| {
        let name = name.strip_prefix('#').unwrap_or(name);
        !name.is_empty() && name.len() <= 40 && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Text as Markdown that means the same text.
fn escape_into(out: &mut String, text: &str, starts_line: bool, heading: bool) {
    let number = text.bytes().take_while(u8::is_ascii_digit).count();
    for (at, character) in text.char_indices() {
        let special = match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '~' => true,
            '&' => is_reference(text.get(at..).unwrap_or_default()),
            '#' => heading || (starts_line && at == 0),
            '>' | '-' | '+' | '=' => starts_line && at == 0,
            '.' | ')' => starts_line && at == number && (1..=9).contains(&number),
            _ => false,
        };
        if special {
            out.push('\\');
        }
        out.push(character);
    }
}
