//! HTML as a tree, for what cannot be done tag by tag: parting it into messages, and writing it as text
//! or Markdown. Made from cleaned HTML only, so there is nothing in it that [`Writer`] does not write.

use super::html::{self, Piece, Writer};

/// One thing of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// Words.
    Text(String),
    /// The end of a line.
    Break,
    /// A picture.
    Image {
        /// Where it is.
        url: String,
        /// What it shows.
        alt: String,
    },
    /// An element, with what is in it.
    Element {
        /// Its name.
        name: String,
        /// Where it leads, for links.
        url: Option<String>,
        /// What is in it.
        children: Vec<Node>,
    },
}

impl Node {
    /// An element that leads nowhere.
    #[must_use]
    pub fn element(name: &str, children: Vec<Node>) -> Self {
        Self::Element { name: name.to_owned(), url: None, children }
    }

    /// Whether it is an element of this name.
    #[must_use]
    pub fn is(&self, wanted: &str) -> bool {
        matches!(self, Self::Element { name, .. } if name == wanted)
    }

    /// Whether it begins a line of its own.
    #[must_use]
    pub fn is_block(&self) -> bool {
        let blocks = ["p", "h1", "h2", "ul", "ol", "li", "pre", "blockquote"];
        matches!(self, Self::Element { name, .. } if blocks.contains(&name.as_str()))
    }
}

/// Reads HTML, cleaned first, as a tree.
#[must_use]
pub fn read(html: &str) -> Vec<Node> {
    let mut open: Vec<(String, Option<String>, Vec<Node>)> = vec![(String::new(), None, Vec::new())];
    for piece in html::pieces(&html::sanitize(html)) {
        let node = match piece {
            Piece::Text(text) => Node::Text(text),
            Piece::Start { name, .. } if name == "br" => Node::Break,
            Piece::Start { name, url, label } if name == "img" => {
                Node::Image { url: url.unwrap_or_default(), alt: label.unwrap_or_default() }
            }
            Piece::Start { name, url, .. } => {
                open.push((name, url, Vec::new()));
                continue;
            }
            Piece::End { .. } => match open.pop() {
                Some((name, url, children)) => Node::Element { name, url, children },
                None => continue,
            },
        };
        if let Some((_, _, children)) = open.last_mut() {
            children.push(node);
        }
    }
    open.into_iter().next().map(|(_, _, children)| children).unwrap_or_default()
}

/// Writes a tree as HTML.
#[must_use]
pub fn write(nodes: &[Node]) -> String {
    let mut writer = Writer::default();
    nodes.iter().for_each(|node| write_into(&mut writer, node));
    writer.finish()
}

fn write_into(writer: &mut Writer, node: &Node) {
    match node {
        Node::Text(text) => writer.text(text),
        Node::Break => writer.line_break(),
        Node::Image { url, alt } => writer.image(url, alt),
        Node::Element { name, url, children } => {
            match url {
                Some(url) if name == "a" => writer.link(url),
                _ => writer.start(name),
            }
            children.iter().for_each(|child| write_into(writer, child));
            writer.end(name);
        }
    }
}

/// The same without what means nothing: space between blocks and at the edges of lines, elements with
/// nothing in them, bold within bold, the paragraph around the only words of a list's item. Two texts that
/// are the same after this say the same.
#[must_use]
pub fn tidy(nodes: Vec<Node>) -> Vec<Node> {
    blocks(nodes)
}

/// Blocks in order; lines between them become paragraphs.
fn blocks(nodes: Vec<Node>) -> Vec<Node> {
    let (mut out, mut line) = (Vec::new(), Vec::new());
    for node in nodes {
        if node.is_block() {
            end_line(&mut out, &mut line);
            out.extend(block(node));
        } else {
            line.push(node);
        }
    }
    end_line(&mut out, &mut line);
    out
}

fn end_line(out: &mut Vec<Node>, line: &mut Vec<Node>) {
    let line = inline(std::mem::take(line));
    out.extend((!line.is_empty()).then(|| Node::element("p", line)));
}

fn block(node: Node) -> Option<Node> {
    let Node::Element { name, children, .. } = node else { return Some(node) };
    let children = match name.as_str() {
        "pre" => {
            let code = words_of(&children);
            let code = code.trim_end_matches('\n');
            if code.trim().is_empty() { Vec::new() } else { vec![Node::Text(code.to_owned())] }
        }
        "h1" | "h2" => inline(without_breaks(children)),
        "li" => {
            let mut children = blocks(children);
            if children.iter().filter(|child| child.is("p")).count() == 1 {
                let unwrapped = children.into_iter().flat_map(|child| match child {
                    Node::Element { name, children, .. } if name == "p" => children,
                    other => vec![other],
                });
                children = unwrapped.collect();
            }
            children
        }
        "p" => inline(children),
        _ => blocks(children),
    };
    (!children.is_empty()).then(|| Node::element(&name, children))
}

fn without_breaks(nodes: Vec<Node>) -> Vec<Node> {
    let flat = |node| match node {
        Node::Break => Node::Text(" ".to_owned()),
        Node::Element { name, url, children } => Node::Element { name, url, children: without_breaks(children) },
        other => other,
    };
    nodes.into_iter().map(flat).collect()
}

/// The words of nodes as they stand, line ends too.
#[must_use]
pub fn words_of(nodes: &[Node]) -> String {
    let words = |node: &Node| match node {
        Node::Text(text) => text.clone(),
        Node::Break => "\n".to_owned(),
        Node::Image { alt, .. } => alt.clone(),
        Node::Element { children, .. } => words_of(children),
    };
    nodes.iter().map(words).collect()
}

/// A line, or several with breaks between them.
fn inline(nodes: Vec<Node>) -> Vec<Node> {
    let mut out = Vec::new();
    for node in nodes {
        append(&mut out, node, &[]);
    }
    trim(&mut out);
    out
}

/// Appends a node to a line. What is already said around it is not said again: `around` are the elements
/// that it stands in.
fn append(out: &mut Vec<Node>, node: Node, around: &[&str]) {
    match node {
        Node::Text(text) => append_text(out, &text),
        Node::Break => {
            trim_end(out);
            out.push(Node::Break);
        }
        Node::Image { url, alt } => {
            let alt = alt.split_whitespace().collect::<Vec<_>>().join(" ");
            out.push(Node::Image { url: url.trim().to_owned(), alt });
        }
        Node::Element { name, children, .. } if name == "code" => {
            let code = words_of(&children).replace(['\n', '\t', '\u{a0}'], " ");
            match out.last_mut() {
                _ if code.trim().is_empty() => append_text(out, &code),
                Some(Node::Element { name, children, .. }) if name == "code" => append_raw(children, &code),
                _ => out.push(Node::element("code", vec![Node::Text(code)])),
            }
        }
        Node::Element { name, children, .. }
            if around.contains(&name.as_str()) || children.iter().any(Node::is_block) =>
        {
            children.into_iter().for_each(|child| append(out, child, around));
        }
        Node::Element { name, url, children } => {
            let around: Vec<&str> = around.iter().copied().chain([name.as_str()]).collect();
            let mut inner = Vec::new();
            children.into_iter().for_each(|child| append(&mut inner, child, &around));
            append_element(out, &name, url, inner);
        }
    }
}

fn append_raw(children: &mut [Node], more: &str) {
    if let Some(Node::Text(text)) = children.last_mut() {
        text.push_str(more);
    }
}

/// Appends an element: space and line ends at its edges belong outside, and what continues the one before
/// it is part of that.
fn append_element(out: &mut Vec<Node>, name: &str, url: Option<String>, mut inner: Vec<Node>) {
    let (before, after) = edges(&mut inner);
    before.into_iter().for_each(|node| append(out, node, &[]));
    if !inner.is_empty() {
        match out.last_mut() {
            Some(Node::Element { name: last, url: to, children }) if *last == name && *to == url && name != "a" => {
                inner.into_iter().for_each(|node| append(children, node, &[]));
            }
            _ => out.push(Node::Element { name: name.to_owned(), url, children: inner }),
        }
    }
    after.into_iter().for_each(|node| append(out, node, &[]));
}

/// Takes space and line ends off both ends.
fn edges(inner: &mut Vec<Node>) -> (Vec<Node>, Vec<Node>) {
    let is_space = |node: &Node| match node {
        Node::Break => true,
        Node::Text(text) => text.trim().is_empty(),
        Node::Image { .. } | Node::Element { .. } => false,
    };
    let space = || Node::Text(" ".to_owned());
    let from = inner.iter().position(|node| !is_space(node)).unwrap_or(inner.len());
    let mut rest = inner.split_off(from);
    let mut before = std::mem::take(inner);
    let to = rest.iter().rposition(|node| !is_space(node)).map_or(0, |last| last + 1);
    let mut after = rest.split_off(to);
    if let Some(Node::Text(text)) = rest.first_mut()
        && text.starts_with(' ')
    {
        *text = text.trim_start().to_owned();
        before.push(space());
    }
    if let Some(Node::Text(text)) = rest.last_mut()
        && text.ends_with(' ')
    {
        *text = text.trim_end().to_owned();
        after.insert(0, space());
    }
    *inner = rest;
    (before, after)
}

/// Appends words; any space is one space, and none at the beginning of a line.
fn append_text(out: &mut Vec<Node>, text: &str) {
    for character in text.chars() {
        let space = character.is_whitespace() || character.is_control();
        let ends_with_space = || matches!(out.last(), Some(Node::Text(text)) if text.ends_with(' '));
        if space && (matches!(out.last(), Some(Node::Break)) || ends_with_space()) {
            continue;
        }
        let character = if space { ' ' } else { character };
        match out.last_mut() {
            Some(Node::Text(text)) => text.push(character),
            _ => out.push(Node::Text(character.to_string())),
        }
    }
}

fn trim_end(out: &mut Vec<Node>) {
    if let Some(Node::Text(text)) = out.last_mut() {
        text.truncate(text.trim_end().len());
        if text.is_empty() {
            out.pop();
        }
    }
}

/// Without space and line ends around the whole.
fn trim(out: &mut Vec<Node>) {
    drop(edges(out));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_nothing_is_left_out() {
        for (html, tidied) in [
            ("<p> a  b\n c </p>\n<p> </p>", "<p>a b c</p>"),
            ("<p>a<b> b </b>c</p>", "<p>a <b>b</b> c</p>"),
            ("<p><b>a</b><b>b <b>c</b></b></p>", "<p><b>ab c</b></p>"),
            ("<p><b> </b><i></i>x<br></p>", "<p>x</p>"),
            ("<p>a&nbsp;b<br> c <br></p>", "<p>a b<br>c</p>"),
            ("<ul><li><p>a</p><ul><li>b</li></ul></li><li></li></ul>", "<ul><li>a<ul><li>b</li></ul></li></ul>"),
            ("<ul><li><p>a</p><p>b</p></li></ul>", "<ul><li><p>a</p><p>b</p></li></ul>"),
            ("<p><b>a<br></b>c</p>", "<p><b>a</b><br>c</p>"),
            ("<h1>a<br>b</h1><pre>x\n  y\n</pre>", "<h1>a b</h1><pre>x\n  y</pre>"),
        ] {
            assert_eq!(write(&tidy(read(html))), tidied, "{html}");
            assert_eq!(tidy(read(tidied)), tidy(read(html)), "{html}");
        }
    }

    #[test]
    fn what_is_read_is_written_again() {
        for html in [
            "<p>a<br>b <b>c</b></p><ul><li>x<ol><li>y</li></ol></li></ul>",
            "<p><a href=\"https://a.example\"><b>x</b></a><img src=\"https://a.example/p.png\" alt=\"&quot;\"></p><pre><code>1\n 2</code></pre>",
            "",
        ] {
            assert_eq!(write(&read(html)), html);
        }
    }
}
