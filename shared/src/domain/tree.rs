//! HTML as a tree, for what cannot be done tag by tag: parting it into messages, and writing it as
//! Markdown. Made from cleaned HTML only, so there is nothing in it that [`Writer`] does not write.

use super::html::{self, Piece, Writer};

/// How deep elements are nested, at most; deeper ones are left out, and their content stays.
const MAX_DEPTH: usize = 40;

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
    let mut left_out = 0_usize;
    for piece in html::pieces(&html::sanitize(html)) {
        let node = match piece {
            Piece::Text(text) => Node::Text(text),
            Piece::Start { name, .. } if name == "br" => Node::Break,
            Piece::Start { name, url, label } if name == "img" => {
                Node::Image { url: url.unwrap_or_default(), alt: label.unwrap_or_default() }
            }
            Piece::Start { .. } if open.len() > MAX_DEPTH => {
                left_out += 1;
                continue;
            }
            Piece::Start { name, url, .. } => {
                open.push((name, url, Vec::new()));
                continue;
            }
            Piece::End { .. } if left_out > 0 => {
                left_out -= 1;
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

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn what_is_deep_is_kept_and_not_its_depth() {
        let html = format!("{}x", "<ul><li>a".repeat(3_000));
        let written = write(&read(&html));
        assert_eq!(written.matches('a').count(), 3_000);
        assert!(written.contains('x') && written.matches("<ul>").count() <= MAX_DEPTH);
    }
}
