//! Texts as Intercom shows them: HTML of a short list of elements, all text in blocks. What else a bot's
//! message can have is [`super::blocks`]' matter.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::html::Writer;

/// Plain text: every character is shown, blank lines part paragraphs.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut writer = Writer::default();
    for paragraph in text.replace("\r\n", "\n").split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
        writer.start("p");
        for (position, line) in paragraph.trim_matches('\n').lines().enumerate() {
            if position > 0 {
                writer.line_break();
            }
            writer.text(line);
        }
        writer.end("p");
    }
    writer.finish()
}

/// Markdown (CommonMark with strike-through). HTML in it is shown as text, not obeyed.
#[must_use]
pub fn markdown(text: &str) -> String {
    let mut writer = Writer::default();
    // While a picture is read, its alternative text is collected instead of written.
    let mut picture: Option<(String, String)> = None;
    let mut lists = Lists::default();
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH) {
        match (event, &mut picture) {
            (Event::Start(Tag::Image { dest_url, .. }), _) => picture = Some((dest_url.to_string(), String::new())),
            (Event::End(TagEnd::Image), _) => {
                if let Some((url, alt)) = picture.take() {
                    writer.image(&url, &alt);
                }
            }
            (Event::Text(text) | Event::Code(text), Some((_, alt))) => alt.push_str(&text),
            (_, Some(_)) => {}
            (Event::Start(tag), None) if lists.starts(&tag, &mut writer) => {}
            (Event::End(tag), None) if lists.ends(tag, &mut writer) => {}
            (Event::Start(tag), None) => start(&mut writer, &tag),
            (Event::End(tag), None) => end(&mut writer, tag),
            (Event::Rule, None) => writer.rule(),
            (Event::Text(text) | Event::Html(text) | Event::InlineHtml(text), None) => writer.text(&text),
            (Event::Code(code), None) => {
                writer.start("code");
                writer.text(&code);
                writer.end("code");
            }
            // Chat is not typesetting: a line that ends is a line that ends.
            (Event::SoftBreak | Event::HardBreak, None) => writer.line_break(),
            (_, None) => {}
        }
    }
    writer.finish()
}

/// Lists that are open: for one that does not begin with 1, the number of its next item. Intercom's HTML
/// has no such list, and bots that write "2." after a picture mean it: its items are paragraphs.
#[derive(Default)]
struct Lists {
    open: Vec<Option<u64>>,
    /// An item of such a list has just begun, and its paragraph with it.
    begun: bool,
}

impl Lists {
    /// Whether a tag belongs to such a list, and is dealt with.
    fn starts(&mut self, tag: &Tag<'_>, writer: &mut Writer) -> bool {
        let begun = std::mem::take(&mut self.begun);
        match tag {
            Tag::List(first) => {
                let first = first.filter(|first| *first != 1);
                self.open.push(first);
                first.is_some()
            }
            Tag::Item => {
                let Some(Some(next)) = self.open.last_mut() else { return false };
                writer.start("p");
                writer.text(&format!("{next}. "));
                *next += 1;
                self.begun = true;
                true
            }
            Tag::Paragraph => begun,
            _ => false,
        }
    }

    fn ends(&mut self, tag: TagEnd, writer: &mut Writer) -> bool {
        match tag {
            TagEnd::List(_) => self.open.pop().is_some_and(|list| list.is_some()),
            TagEnd::Item if matches!(self.open.last(), Some(Some(_))) => {
                self.begun = false;
                writer.end("p");
                true
            }
            _ => false,
        }
    }
}

fn start(writer: &mut Writer, tag: &Tag<'_>) {
    match tag {
        Tag::Link { dest_url, .. } => writer.link(dest_url),
        Tag::Paragraph => writer.start("p"),
        Tag::Heading { level, .. } => writer.start(if *level as u8 == 1 { "h1" } else { "h2" }),
        Tag::BlockQuote(_) => writer.start("blockquote"),
        Tag::CodeBlock(_) => writer.start("pre"),
        Tag::List(Some(_)) => writer.start("ol"),
        Tag::List(None) => writer.start("ul"),
        Tag::Item => writer.start("li"),
        Tag::Emphasis => writer.start("i"),
        Tag::Strong => writer.start("b"),
        Tag::Strikethrough => writer.start("s"),
        _ => {}
    }
}

fn end(writer: &mut Writer, tag: TagEnd) {
    match tag {
        TagEnd::Link => writer.end("a"),
        TagEnd::Paragraph => writer.end("p"),
        TagEnd::Heading(level) => writer.end(if level as u8 == 1 { "h1" } else { "h2" }),
        TagEnd::BlockQuote(_) => writer.end("blockquote"),
        TagEnd::CodeBlock => writer.end("pre"),
        TagEnd::List(true) => writer.end("ol"),
        TagEnd::List(false) => writer.end("ul"),
        TagEnd::Item => writer.end("li"),
        TagEnd::Emphasis => writer.end("i"),
        TagEnd::Strong => writer.end("b"),
        TagEnd::Strikethrough => writer.end("s"),
        _ => {}
    }
}

/// The note that comes with a hand-over; none where there is nothing to note.
#[must_use]
pub fn handover_note(reason: Option<&str>, note: Option<&str>) -> Option<String> {
    let mut html = String::new();
    if let Some(reason) = reason.filter(|reason| !reason.trim().is_empty()) {
        let mut writer = Writer::default();
        writer.start("p");
        writer.start("b");
        writer.text("Handed over by the bot:");
        writer.end("b");
        writer.text(" ");
        writer.text(reason.trim());
        html.push_str(&writer.finish());
    }
    if let Some(note) = note.filter(|note| !note.trim().is_empty()) {
        html.push_str(&markdown(note));
    }
    (!html.is_empty()).then_some(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_blocks_of_html() {
        assert_eq!(
            markdown("Hello **you**\nnext line\n\n1. one\n2. [two](https://a.example/?a=1&b=2)\n\n`x<y`"),
            "<p>Hello <b>you</b><br>next line</p><ol><li>one</li><li><a href=\"https://a.example/?a=1&amp;b=2\">two</a></li></ol><p><code>x&lt;y</code></p>"
        );
    }

    #[test]
    fn a_list_that_goes_on_keeps_its_numbers() {
        assert_eq!(
            markdown("1. one\n\n![p](https://a.example/p.png)\n\n2. two *x*\n3. three\n   - deep\n\n---\n\nend"),
            "<ol><li>one</li></ol><p><img src=\"https://a.example/p.png\" alt=\"p\"></p><p>2. two <i>x</i></p><p>3. three</p><ul><li>deep</li></ul><p>———</p><p>end</p>"
        );
        assert_eq!(markdown("5. a\n\n6. b\n\n   c"), "<p>5. a</p><p>6. b</p><p>c</p>");
    }

    #[test]
    fn html_in_markdown_is_shown_not_obeyed() {
        assert_eq!(markdown("a <script>alert(1)</script> b"), "<p>a &lt;script&gt;alert(1)&lt;/script&gt; b</p>");
        assert_eq!(markdown("[x](javascript:alert(1))"), "<p>x</p>");
    }

    #[test]
    fn plain_text_shows_every_character() {
        assert_eq!(plain("1 < 2 & *so*\nit is\n\nnew"), "<p>1 &lt; 2 &amp; *so*<br>it is</p><p>new</p>");
    }

    #[test]
    fn a_hand_over_without_words_has_no_note() {
        assert_eq!(handover_note(Some(" "), None), None);
        assert_eq!(
            handover_note(Some("wants <a person>"), Some("*order* 12")).unwrap(),
            "<p><b>Handed over by the bot:</b> wants &lt;a person&gt;</p><p><i>order</i> 12</p>"
        );
    }
}
