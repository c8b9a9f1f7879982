//! Message bodies: what a sender wrote, how it is stored, and how it reads as plain text.
//!
//! Bodies are stored as HTML, as Intercom stores them. The allow-list is a guess at Intercom's
//! unpublished one, made so that a bridge's real output passes and a script never does. This is
//! not a general HTML parser: broken mark-up comes out as text.

/// Elements that stay, and whether each is a block of its own.
const ALLOWED: [(&str, bool); 21] = [
    ("p", true),
    ("br", false),
    ("b", false),
    ("strong", false),
    ("i", false),
    ("em", false),
    ("u", false),
    ("s", false),
    ("a", false),
    ("img", false),
    ("ul", true),
    ("ol", true),
    ("li", true),
    ("h1", true),
    ("h2", true),
    ("h3", true),
    ("pre", true),
    ("code", false),
    ("blockquote", true),
    ("div", true),
    ("hr", true),
];

/// Elements that go together with everything inside them.
const DROPPED_WITH_CONTENT: [&str; 3] = ["script", "style", "head"];

/// What a redacted body reads.
pub(crate) const REDACTED: &str = "<p><i>This message was deleted</i></p>";

/// A body as Intercom stores one that came through its API: HTML stays HTML as far as the
/// allow-list goes, anything else becomes one escaped paragraph.
pub(crate) fn stored_from_api(body: &str) -> String {
    if !looks_like_html(body) {
        return paragraph("<p class=\"no-margin\">", body);
    }
    let clean = sanitised(body);
    let clean = clean.trim();
    match first_element(clean) {
        Some((_, true)) => clean.to_owned(),
        _ => format!("<p class=\"no-margin\">{clean}</p>"),
    }
}

/// A body that a person typed into the Messenger, where mark-up is only text.
pub(crate) fn stored_from_messenger(body: &str) -> String {
    paragraph("<p>", body)
}

/// A note about a contact, whose plain text Intercom puts into a paragraph without a class.
pub(crate) fn stored_note(body: &str) -> String {
    if looks_like_html(body) { stored_from_api(body) } else { stored_from_messenger(body) }
}

/// What a mail program puts below an answer: the message that is answered.
pub(crate) fn quoted(body: &str) -> String {
    format!("<blockquote>{}</blockquote>", paragraph("<p>", body))
}

fn paragraph(opening: &str, body: &str) -> String {
    let text = escaped(body).replace("\r\n", "\n").replace('\n', "<br>");
    format!("{opening}{text}</p>")
}

/// Text made safe to stand inside HTML.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

/// How links survive the way to plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Links {
    /// Webhooks from 2.15: the label stays, the address is lost.
    LabelOnly,
    /// `display_as=plaintext`: `label (address)`.
    WithAddress,
}

/// A stored body as plain text, one line a block.
pub(crate) fn plain(html: &str, links: Links) -> String {
    let mut out = String::with_capacity(html.len());
    let mut address: Option<String> = None;
    for piece in pieces(html) {
        match piece {
            Piece::Text(text) => out.push_str(&unescaped(text)),
            Piece::Tag(tag) => match (tag.name.as_str(), tag.closing) {
                ("br", _) => out.push('\n'),
                ("a", false) => address = attribute(tag.attributes, "href"),
                ("a", true) => {
                    if let (Links::WithAddress, Some(address)) = (links, address.take()) {
                        out.push_str(&format!(" ({address})"));
                    }
                }
                (name, true) if is_block(name) && !out.is_empty() && !out.ends_with('\n') => {
                    out.push('\n');
                }
                _ => {}
            },
        }
    }
    out.trim_end().to_owned()
}

fn looks_like_html(body: &str) -> bool {
    pieces(body).any(|piece| match piece {
        Piece::Tag(tag) => {
            allowed(&tag.name).is_some()
                || DROPPED_WITH_CONTENT.contains(&tag.name.as_str())
                || matches!(tag.name.as_str(), "html" | "body" | "span")
        }
        Piece::Text(_) => false,
    })
}

fn sanitised(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut inside_dropped: Option<String> = None;
    for piece in pieces(body) {
        match (&inside_dropped, piece) {
            (Some(name), Piece::Tag(tag)) if tag.closing && tag.name == *name => {
                inside_dropped = None;
            }
            (Some(_), _) => {}
            (None, Piece::Text(text)) => {
                out.push_str(&text.replace('<', "&lt;").replace('>', "&gt;"));
            }
            (None, Piece::Tag(tag)) => {
                if DROPPED_WITH_CONTENT.contains(&tag.name.as_str()) {
                    inside_dropped = (!tag.closing).then(|| tag.name.clone());
                } else if allowed(&tag.name).is_some() {
                    push_tag(&mut out, &tag);
                }
            }
        }
    }
    out
}

/// Writes a tag again with only the attributes that are harmless.
fn push_tag(out: &mut String, tag: &Tag<'_>) {
    if tag.closing {
        out.push_str(&format!("</{}>", tag.name));
        return;
    }
    out.push('<');
    out.push_str(&tag.name);
    for name in ["href", "src", "alt", "class"] {
        let Some(value) = attribute(tag.attributes, name) else {
            continue;
        };
        let address = matches!(name, "href" | "src");
        if !address || is_harmless_address(&value) {
            out.push_str(&format!(" {name}=\"{}\"", escaped(&value)));
        }
    }
    out.push('>');
}

fn is_harmless_address(value: &str) -> bool {
    let lower = value.trim_start().to_ascii_lowercase();
    ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| lower.starts_with(scheme))
}

fn allowed(name: &str) -> Option<(&'static str, bool)> {
    ALLOWED.into_iter().find(|(known, _)| *known == name)
}

fn is_block(name: &str) -> bool {
    allowed(name).is_some_and(|(_, block)| block)
}

/// The element that a clean body opens with, if it opens with one.
fn first_element(html: &str) -> Option<(&'static str, bool)> {
    match pieces(html).next()? {
        Piece::Tag(tag) => allowed(&tag.name),
        Piece::Text(_) => None,
    }
}

struct Tag<'a> {
    name: String,
    closing: bool,
    attributes: &'a str,
}

enum Piece<'a> {
    Text(&'a str),
    Tag(Tag<'a>),
}

/// Cuts HTML into tags and what stands between them. A `<` that starts no tag is text.
fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((tag, after)) = tag_at(rest) {
            rest = after;
            return Some(Piece::Tag(tag));
        }
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(at, c)| *c == '<' && tag_at(&rest[*at..]).is_some())
            .map_or(rest.len(), |(at, _)| at);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(text))
    })
}

fn tag_at(html: &str) -> Option<(Tag<'_>, &str)> {
    let inner = html.strip_prefix('<')?;
    let (closing, inner) = match inner.strip_prefix('/') {
        Some(after) => (true, after),
        None => (false, inner),
    };
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let end = inner.find('>')?;
    let (content, after) = (&inner[..end], &inner[end + 1..]);
    let name_end = content.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(content.len());
    let tag = Tag { name: content[..name_end].to_ascii_lowercase(), closing, attributes: &content[name_end..] };
    Some((tag, after))
}

fn attribute(attributes: &str, wanted: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some(equals) = rest.find('=') {
        let name = rest[..equals].split_whitespace().next_back()?;
        let value = rest[equals + 1..].trim_start();
        let (value, after) = match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split_once(quote)?,
            _ => value.split_once(char::is_whitespace).unwrap_or((value, "")),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(unescaped(value));
        }
        rest = after;
    }
    None
}

fn unescaped(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // `&amp;` comes last, so that an escaped `&lt;` stays the text it stands for.
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", "\u{a0}")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::{Links, plain, stored_from_api, stored_from_messenger};

    #[test]
    fn plain_text_becomes_one_escaped_paragraph() {
        assert_eq!(stored_from_api("2 < 3 & more\nnext"), "<p class=\"no-margin\">2 &lt; 3 &amp; more<br>next</p>");
    }

    #[test]
    fn html_stays_without_its_scripts_and_handlers() {
        assert_eq!(
            stored_from_api(
                "<p onclick=\"x()\">Hi <b>you</b></p><script>alert('<p>')</script><a href=\"javascript:x\">y</a>"
            ),
            "<p>Hi <b>you</b></p><a>y</a>"
        );
        assert_eq!(stored_from_api("<html><body><h2>List</h2></body></html>"), "<h2>List</h2>");
        assert_eq!(
            stored_from_api("see <a href='https://a.example/?b=1&amp;c'>this</a>"),
            "<p class=\"no-margin\">see <a href=\"https://a.example/?b=1&amp;c\">this</a></p>"
        );
    }

    #[test]
    fn what_a_customer_types_is_only_text() {
        assert_eq!(stored_from_messenger("<b>bold</b>"), "<p>&lt;b&gt;bold&lt;/b&gt;</p>");
    }

    #[test]
    fn plain_text_keeps_the_lines_and_for_rest_the_links() {
        let html = "<p>One &amp; two<br>three</p><ul><li>a</li><li><a href=\"https://x.example\">b</a></li></ul>";
        assert_eq!(plain(html, Links::LabelOnly), "One & two\nthree\na\nb");
        assert!(plain(html, Links::WithAddress).ends_with("b (https://x.example)"));
        let typed = stored_from_messenger("a &lt; b > c");
        assert_eq!(plain(&typed, Links::LabelOnly), "a &lt; b > c");
    }
}
