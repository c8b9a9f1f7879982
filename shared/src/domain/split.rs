//! A text that is too long for one message, in several: parted between paragraphs where possible, else
//! between lines, sentences or words. Each is whole in itself: what is bold in the middle of it is bold
//! on both sides, and the numbers of a list go on.

use super::tree::{self, Node};

/// How much may be in the tags of an element that is parted: more is not repeated on both sides.
const MAX_TAG_SHARE: usize = 4;

/// What the tags around code take, in bytes.
const PRE_TAGS_BYTES: usize = 11;

/// Parts HTML into pieces of at most so many bytes, in order. Only what cannot be parted, an address of
/// that length, is longer.
#[must_use]
pub fn split(html: &str, max_bytes: usize) -> Vec<String> {
    if html.len() <= max_bytes {
        return vec![html.to_owned()];
    }
    let groups = group(tree::read(html), max_bytes);
    let pieces = groups.iter().map(|nodes| tree::write(nodes)).filter(|piece| !piece.is_empty());
    pieces.collect()
}

/// Nodes in groups, each as large as may be.
fn group(nodes: Vec<Node>, max: usize) -> Vec<Vec<Node>> {
    let mut groups: Vec<Vec<Node>> = Vec::new();
    let (mut current, mut bytes) = (Vec::new(), 0);
    for node in nodes {
        let size = size(&node);
        if bytes + size > max && !current.is_empty() {
            groups.push(trimmed(std::mem::take(&mut current)));
            bytes = 0;
        }
        if size <= max {
            bytes += size;
            current.push(node);
            continue;
        }
        for part in parts(node, max) {
            let size = self::size(&part);
            if bytes + size > max && !current.is_empty() {
                groups.push(trimmed(std::mem::take(&mut current)));
                bytes = 0;
            }
            bytes += size;
            current.push(part);
        }
    }
    groups.push(trimmed(current));
    groups.retain(|group| !group.is_empty());
    groups
}

/// Without the line ends at the edges: between messages there is more than that.
fn trimmed(mut nodes: Vec<Node>) -> Vec<Node> {
    while nodes.last() == Some(&Node::Break) {
        nodes.pop();
    }
    let first = nodes.iter().position(|node| *node != Node::Break).unwrap_or(nodes.len());
    nodes.split_off(first)
}

/// A node that is too large, in parts.
fn parts(node: Node, max: usize) -> Vec<Node> {
    match node {
        Node::Text(text) => sentences(&text, max).into_iter().map(Node::Text).collect(),
        Node::Break | Node::Image { .. } => vec![node],
        Node::Element { name, children, .. } if name == "ol" => numbered(children),
        Node::Element { name, children, .. } if name == "pre" => {
            let code = lines_of_code(&tree::words_of(&children), max.saturating_sub(PRE_TAGS_BYTES));
            code.into_iter().map(|code| Node::element("pre", vec![Node::Text(code)])).collect()
        }
        Node::Element { name, url, children } => {
            let tags = 5 + 2 * name.len() + url.as_ref().map_or(0, |url| 8 + escaped_len(url));
            if tags.saturating_mul(MAX_TAG_SHARE) > max {
                return vec![Node::Element { name, url, children }];
            }
            let groups = group(children, max - tags);
            groups
                .into_iter()
                .map(|children| Node::Element { name: name.clone(), url: url.clone(), children })
                .collect()
        }
    }
}

/// A list with numbers, as paragraphs with numbers: a list that is parted would count from 1 again.
fn numbered(items: Vec<Node>) -> Vec<Node> {
    let mut paragraphs = Vec::new();
    for (place, item) in items.into_iter().enumerate() {
        let Node::Element { children, .. } = item else { continue };
        let mut line = vec![Node::Text(format!("{}. ", place + 1))];
        for child in children {
            match child {
                Node::Element { name, children, .. } if name == "p" && line.len() <= 1 => line.extend(children),
                child if child.is_block() => {
                    let before = std::mem::take(&mut line);
                    paragraphs.extend((!before.is_empty()).then(|| Node::element("p", before)));
                    paragraphs.push(child);
                }
                child => line.push(child),
            }
        }
        paragraphs.extend((!line.is_empty()).then(|| Node::element("p", line)));
    }
    paragraphs
}

/// How many bytes a node takes as HTML, at most.
fn size(node: &Node) -> usize {
    match node {
        Node::Text(text) => escaped_len(text),
        Node::Break => 4,
        Node::Image { url, alt } => 19 + escaped_len(url) + escaped_len(alt),
        Node::Element { name, url, children } => {
            let tags = 5 + 2 * name.len() + url.as_ref().map_or(0, |url| 8 + escaped_len(url));
            tags + children.iter().map(size).sum::<usize>()
        }
    }
}

fn escaped_len(text: &str) -> usize {
    text.chars().map(escaped_char_len).sum()
}

fn escaped_char_len(character: char) -> usize {
    match character {
        '&' => 5,
        '<' | '>' => 4,
        '"' => 6,
        character => character.len_utf8(),
    }
}

/// Words in parts: after the last end of a sentence that is not too far in front, else after the last
/// space, else anywhere.
fn sentences(text: &str, max: usize) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = end_of_part(rest, max);
        let (part, after) = rest.split_at(end);
        parts.push(part.trim_end().to_owned());
        rest = after.trim_start();
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// Code in parts: whole lines, with the space in front of them. Only a line that is too long itself is parted.
fn lines_of_code(code: &str, max: usize) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let mut current: Option<String> = None;
    for line in code.split('\n') {
        let bytes = current.as_ref().map_or(0, |lines| escaped_len(lines) + 1) + escaped_len(line);
        match &mut current {
            Some(lines) if bytes <= max => {
                lines.push('\n');
                lines.push_str(line);
            }
            _ => {
                parts.extend(current.take());
                let mut pieces = if escaped_len(line) > max { cut(line, max) } else { vec![line.to_owned()] };
                current = pieces.pop();
                parts.extend(pieces);
            }
        }
    }
    parts.extend(current);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// A text in parts of so many bytes, wherever that is.
fn cut(text: &str, max: usize) -> Vec<String> {
    let (mut parts, mut bytes) = (vec![String::new()], 0);
    for character in text.chars() {
        let more = escaped_char_len(character);
        if bytes > 0 && bytes + more > max {
            parts.push(String::new());
            bytes = 0;
        }
        bytes += more;
        if let Some(part) = parts.last_mut() {
            part.push(character);
        }
    }
    parts
}

fn end_of_part(text: &str, max: usize) -> usize {
    let (mut bytes, mut word, mut sentence) = (0, None, None);
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        if bytes + escaped_char_len(character) > max && at > 0 {
            return sentence.filter(|end| *end * 2 > at).or(word).unwrap_or(at);
        }
        bytes += escaped_char_len(character);
        if character.is_whitespace() {
            word = Some(at);
            if matches!(before, '.' | '!' | '?' | '…' | ':' | ';' | '\n') || character == '\n' {
                sentence = Some(at);
            }
        } else if matches!(character, '。' | '！' | '？') {
            sentence = Some(at + character.len_utf8());
        }
        before = character;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::incoming;
    use crate::domain::render;

    #[test]
    fn paragraphs_stay_whole() {
        let paragraph = |letter: char| format!("<p>{}</p>", letter.to_string().repeat(50));
        let html: String = ('a'..='e').map(paragraph).collect();
        let expected = [paragraph('a') + &paragraph('b'), paragraph('c') + &paragraph('d'), paragraph('e')];
        assert_eq!(split(&html, 120), expected);
        assert_eq!(split(&html, html.len()), [html]);
    }

    #[test]
    fn a_long_paragraph_is_parted_between_lines_sentences_words() {
        let html = render::plain("One two three. Four five\nsix seven eight nine ten eleven twelve");
        assert_eq!(
            split(&html, 36),
            ["<p>One two three. Four five</p>", "<p>six seven eight nine ten</p>", "<p>eleven twelve</p>"]
        );
        assert_eq!(split("<p>One two three. Four five six</p>", 31), ["<p>One two three.</p>", "<p>Four five six</p>"]);
        let cut = ["x".repeat(33), "x".repeat(27)].map(|part| format!("<p>{part}</p>"));
        assert_eq!(split(&format!("<p>{}</p>", "x".repeat(60)), 40), cut);
    }

    #[test]
    fn what_is_open_goes_on_on_the_other_side() {
        let html = "<p>a <b>bold words <a href=\"https://a.example\">and a link</a> here</b></p>";
        let parts = split(html, 64);
        assert!(parts.len() > 1 && parts.iter().all(|part| part.len() <= 64), "{parts:?}");
        assert!(parts.iter().all(|part| crate::domain::html::sanitize(part) == *part), "{parts:?}");
        assert!(parts[1].contains("<b>"), "{parts:?}");
    }

    #[test]
    fn code_is_parted_between_lines_and_keeps_its_space() {
        let code: String = (0..40).map(|n| format!("{}line {n} <x>\n", "  ".repeat(n % 5))).collect();
        let parts = split(&render::markdown(&format!("Look:\n\n```\n{code}```\n\nend")), 200);
        assert!(parts.len() > 3 && parts.iter().all(|part| part.len() <= 200), "{parts:?}");
        let lines: Vec<String> = parts
            .iter()
            .flat_map(|part| tree::read(part))
            .filter(|node| node.is("pre"))
            .flat_map(|node| tree::words_of(&[node]).lines().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        assert_eq!(lines, code.lines().collect::<Vec<_>>());
        let long = format!("<pre>{}</pre>", "x".repeat(500));
        let parts = split(&long, 100);
        assert!(parts.iter().all(|part| part.len() <= 100 && part.starts_with("<pre>x")), "{parts:?}");
        assert_eq!(parts.concat().matches('x').count(), 500);
    }

    #[test]
    fn the_numbers_of_a_list_go_on() {
        let items: String = (1..=9).map(|n| format!("<li>item <b>{n}</b></li>")).collect();
        let parts = split(&format!("<p>x</p><ol>{items}</ol>"), 90);
        assert!(parts.len() > 2, "{parts:?}");
        assert!(parts.concat().contains("<p>9. item <b>9</b></p>"), "{parts:?}");
    }

    #[test]
    fn no_word_is_lost_and_none_changes_its_place() {
        let mut text = String::new();
        for n in 0..400 {
            let more = match n % 7 {
                0 => format!("\n\n## Head {n}\n\n"),
                1 => format!("- item {n}\n- *more* \"{n}\" & <so>\n  1. deep {n}\n  2. deeper\n\n"),
                2 => format!("1. first {n}\n2. second\n\n> quoted **{n}** words\n\n"),
                3 => format!("```\ncode {n}\n  more\n```\n\n"),
                4 => format!("See [link {n}](https://a.example/{n}) and ![p{n}](https://a.example/{n}.png). "),
                _ => format!("Word {n}, and some more of them. "),
            };
            text.push_str(&more);
        }
        let html = render::markdown(&text);
        let whole = incoming::comparable_html(&html);
        for max in [200, 500, 2_000, 8_192] {
            let parts = split(&html, max);
            assert!(parts.iter().all(|part| part.len() <= max && !part.is_empty()), "{max}");
            // A list that is parted has its numbers as words.
            let digits = |text: &str| text.chars().filter(|character| !character.is_ascii_digit()).collect::<String>();
            let joined: String = parts.iter().map(|part| incoming::comparable_html(part)).collect();
            assert_eq!(digits(&joined), digits(&whole), "{max}");
            for part in &parts {
                assert_eq!(*part, crate::domain::html::sanitize(part), "{max}");
            }
        }
    }

    #[test]
    fn an_address_is_not_parted_and_not_repeated() {
        let html = format!("<p><a href=\"https://a.example/{}\">{}</a></p>", "x".repeat(900), "word ".repeat(90));
        assert_eq!(split(&html, 500).len(), 1);
    }
}
