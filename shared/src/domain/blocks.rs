//! A bot's content blocks: what is wrong with them, and which messages they become in Intercom.
//!
//! One reply of a bot's is one message, unless it pauses, is too long for one, or offers options where
//! Intercom has quick replies: those are a message of their own, which has no words. What Intercom has
//! no form for, cards, lists and carousels, becomes text that reads well, with its pictures and links.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::choice;
use super::content::{Block, Card, Choice, Offer, OfferedOption, TextFormat};
use super::html::{self, Writer};
use super::render;
use super::settings::ApiVersion;
use super::split;

/// One message as Intercom gets it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// How long after what was said before, in milliseconds.
    pub pause_ms: u64,
    /// Intercom HTML.
    pub html: String,
    /// Files to attach.
    pub attachment_urls: Vec<String>,
    /// Answers to choose from.
    pub offer: Option<Offer>,
}

/// Intercom takes 10 attachments a message.
const MAX_ATTACHMENTS: usize = 10;
/// The longest text of one reply, in bytes. Intercom documents no limit; this is ours.
const MAX_TEXT_BYTES: usize = 32 * 1024;
/// The longest message, in bytes of HTML; what is longer is said in several. Intercom documents no limit:
/// this is what is read well in the Messenger.
const MAX_MESSAGE_BYTES: usize = 8 * 1024;
/// How many options may be offered, and how many cards or things of a list shown.
const MAX_OPTIONS: usize = 20;
const MAX_CARDS: usize = 30;
/// The longest label of an option or link, and the longest value, in bytes.
const MAX_LABEL_BYTES: usize = 200;
const MAX_VALUE_BYTES: usize = 1_000;
/// The longest pause, in milliseconds, and how many a reply may have.
const MAX_PAUSE_MS: u64 = 30_000;
const MAX_PAUSES: usize = 10;

/// What is wrong with blocks: a code for programs, words for people.
type Mistake = (&'static str, String);

/// Says what is wrong with a reply's blocks.
///
/// # Errors
/// A code for programs, and words for people.
pub fn check(content: &[Block]) -> Result<(), Mistake> {
    let count = |is: fn(&Block) -> bool| content.iter().filter(|block| is(block)).count();
    if count(|block| matches!(block, Block::File { .. })) > MAX_ATTACHMENTS {
        return Err(("too_many_attachments", format!("Intercom takes {MAX_ATTACHMENTS} files a message")));
    }
    if count(|block| matches!(block, Block::Options { .. })) > 1 {
        return Err(("bad_options", "a message offers one set of options".to_owned()));
    }
    if count(|block| matches!(block, Block::Pause { .. })) > MAX_PAUSES {
        return Err(("bad_pause", format!("a message has at most {MAX_PAUSES} pauses")));
    }
    let mut bytes = 0;
    for block in content {
        bytes += check_block(block)?;
    }
    if bytes > MAX_TEXT_BYTES {
        return Err(("too_long", format!("a message has at most {MAX_TEXT_BYTES} bytes of text")));
    }
    if !content.is_empty() && content.iter().all(|block| matches!(block, Block::Pause { .. })) {
        return Err(("empty", "there is nothing to say, only to wait for".to_owned()));
    }
    Ok(())
}

/// Whether something is offered to choose from.
#[must_use]
pub fn offers(content: &[Block]) -> bool {
    content.iter().any(|block| matches!(block, Block::Options { .. }))
}

/// Checks one block, and tells how many bytes of text it has.
fn check_block(block: &Block) -> Result<usize, Mistake> {
    match block {
        Block::Text { text, .. } if text.trim().is_empty() => Err(("empty", "a text block is empty".to_owned())),
        Block::Text { text, .. } => Ok(text.len()),
        Block::Image { url, title, description } => {
            check_file(url)?;
            Ok(length(title.as_ref()) + length(description.as_ref()))
        }
        Block::File { url, name } => {
            check_file(url)?;
            Ok(length(name.as_ref()))
        }
        Block::Options { text, options } => {
            check_options(options)?;
            Ok(length(text.as_ref()) + options.iter().map(|option| option.label.len()).sum::<usize>())
        }
        Block::Card(card) => check_cards(std::slice::from_ref(card)),
        Block::List { title, items } => Ok(length(title.as_ref()) + check_cards(items)?),
        Block::Carousel { cards } => check_cards(cards),
        Block::Pause { ms } if (1..=MAX_PAUSE_MS).contains(ms) => Ok(0),
        Block::Pause { .. } => Err(("bad_pause", format!("a pause is of 1 to {MAX_PAUSE_MS} milliseconds"))),
    }
}

fn length(text: Option<&String>) -> usize {
    text.map_or(0, String::len)
}

pub(super) fn check_file(url: &str) -> Result<(), Mistake> {
    if url.starts_with("https://") {
        return Ok(());
    }
    Err(("bad_url", "images and files are named by https addresses".to_owned()))
}

fn check_link(url: &str) -> Result<(), Mistake> {
    html::harmless_link(url)
        .map(|_| ())
        .ok_or_else(|| ("bad_url", "links lead to https, http or mailto addresses".to_owned()))
}

fn check_options(options: &[Choice]) -> Result<(), Mistake> {
    let bad = |message: String| Err(("bad_options", message));
    if options.is_empty() || options.len() > MAX_OPTIONS {
        return bad(format!("there are 1 to {MAX_OPTIONS} options to choose from"));
    }
    for (place, Choice { label, value }) in options.iter().enumerate() {
        if label.trim().is_empty() || label.len() > MAX_LABEL_BYTES || value.len() > MAX_VALUE_BYTES {
            return bad(format!(
                "an option has a label of at most {MAX_LABEL_BYTES} bytes, and a value of at most {MAX_VALUE_BYTES}"
            ));
        }
        if options.iter().take(place).any(|other| choice::same_label(&other.label, label)) {
            return bad(format!("two options read “{}”", label.trim()));
        }
    }
    Ok(())
}

fn check_cards(cards: &[Card]) -> Result<usize, Mistake> {
    if cards.is_empty() || cards.len() > MAX_CARDS {
        return Err(("bad_cards", format!("a list or carousel has 1 to {MAX_CARDS} cards")));
    }
    let mut bytes = 0;
    for card in cards {
        if card.title.trim().is_empty() {
            return Err(("bad_cards", "a card has a title".to_owned()));
        }
        card.image_url.as_deref().map_or(Ok(()), check_file)?;
        card.url.as_deref().map_or(Ok(()), check_link)?;
        if card.links.len() > MAX_OPTIONS {
            return Err(("bad_cards", format!("a card has at most {MAX_OPTIONS} links")));
        }
        for link in &card.links {
            if link.label.trim().is_empty() || link.label.len() > MAX_LABEL_BYTES {
                return Err(("bad_cards", format!("a link has a label of at most {MAX_LABEL_BYTES} bytes")));
            }
            check_link(&link.url)?;
            bytes += link.label.len();
        }
        bytes += card.title.len() + length(card.description.as_ref());
    }
    Ok(bytes)
}

/// The messages that a reply becomes, in order. `name` makes the ids of the options: the same command
/// offers the same ones, and no other command does.
#[must_use]
pub fn messages(content: &[Block], version: ApiVersion, name: &str) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    let mut draft = Said::default();
    let mut choices: Option<&[Choice]> = None;
    for block in content {
        match block {
            Block::Pause { ms } => {
                let pause_ms = if is_empty(&draft) { draft.pause_ms + ms } else { *ms };
                let before = std::mem::replace(&mut draft, Said { pause_ms, ..Said::default() });
                said.extend((!is_empty(&before)).then_some(before));
            }
            Block::File { url, name } => {
                draft.attachment_urls.push(url.clone());
                draft.html.push_str(&name.as_deref().map(render::plain).unwrap_or_default());
            }
            Block::Options { text, options } => {
                draft.html.push_str(&text.as_deref().map(render::markdown).unwrap_or_default());
                choices = Some(options);
            }
            block => draft.html.push_str(&html_of(block)),
        }
    }
    let Some(choices) = choices else {
        said.extend((!is_empty(&draft)).then_some(draft));
        return said.into_iter().flat_map(in_pieces).collect();
    };
    let list = numbered(choices);
    let buttons = version.has_quick_replies();
    let offer = Some(Offer { options: offered(choices, name), buttons });
    if buttons || draft.html.len() + list.len() > MAX_MESSAGE_BYTES {
        let pause_ms = if is_empty(&draft) { draft.pause_ms } else { 0 };
        said.extend((!is_empty(&draft)).then_some(draft));
        said.push(Said { pause_ms, html: list, attachment_urls: Vec::new(), offer });
    } else {
        draft.html.push_str(&list);
        said.push(Said { offer, ..draft });
    }
    said.into_iter().flat_map(in_pieces).collect()
}

/// A message in as many as its length takes. Its files come with the last of them.
fn in_pieces(mut said: Said) -> Vec<Said> {
    let mut pieces = split::split(&said.html, MAX_MESSAGE_BYTES);
    said.html = pieces.pop().unwrap_or_default();
    let before = pieces.into_iter().map(|html| Said { html, ..Said::default() });
    let mut all: Vec<Said> = before.chain([said]).collect();
    let pause_ms = all.last_mut().map(|last| std::mem::take(&mut last.pause_ms)).unwrap_or_default();
    if let Some(first) = all.first_mut() {
        first.pause_ms = pause_ms;
    }
    all
}

fn is_empty(said: &Said) -> bool {
    said.html.is_empty() && said.attachment_urls.is_empty()
}

/// What a block looks like, where it is more than itself nothing.
fn html_of(block: &Block) -> String {
    match block {
        Block::Text { text, format: TextFormat::Plain } => render::plain(text),
        Block::Text { text, format: TextFormat::Markdown } => render::markdown(text),
        Block::Text { text, format: TextFormat::Html } => html::sanitize(text),
        Block::Image { url, title, description } => image(url, title.as_deref(), description.as_deref()),
        Block::Card(shown) => card(shown),
        Block::Carousel { cards } => cards.iter().map(card).collect(),
        Block::List { title, items } => list(title.as_deref(), items),
        // These are more than words; `messages` sees to them.
        Block::File { .. } | Block::Options { .. } | Block::Pause { .. } => String::new(),
    }
}

fn image(url: &str, title: Option<&str>, description: Option<&str>) -> String {
    let mut writer = Writer::default();
    if let Some(title) = title {
        writer.start("p");
        writer.start("b");
        writer.text(title);
        writer.end("p");
    }
    if let Some(description) = description {
        writer.start("p");
        writer.text(description);
        writer.end("p");
    }
    writer.image(url, title.unwrap_or_default());
    writer.finish()
}

/// A card: its title in bold, what it says, its picture, its links one below the other.
fn card(card: &Card) -> String {
    let mut writer = Writer::default();
    writer.start("p");
    title(&mut writer, card);
    writer.end("p");
    if let Some(description) = card.description.as_deref().filter(|text| !text.trim().is_empty()) {
        writer.start("p");
        lines(&mut writer, description);
        writer.end("p");
    }
    if let Some(url) = &card.image_url {
        writer.start("p");
        writer.image(url, card.title.trim());
        writer.end("p");
    }
    if !card.links.is_empty() {
        writer.start("p");
        links(&mut writer, card);
        writer.end("p");
    }
    writer.finish()
}

/// A list: each thing an item, with all that it has on lines of its own.
fn list(above: Option<&str>, items: &[Card]) -> String {
    let mut writer = Writer::default();
    if let Some(above) = above.filter(|text| !text.trim().is_empty()) {
        writer.start("p");
        writer.start("b");
        writer.text(above.trim());
        writer.end("p");
    }
    writer.start("ul");
    for item in items {
        writer.start("li");
        title(&mut writer, item);
        if let Some(description) = item.description.as_deref().filter(|text| !text.trim().is_empty()) {
            writer.line_break();
            lines(&mut writer, description);
        }
        if !item.links.is_empty() {
            writer.line_break();
            links(&mut writer, item);
        }
        // Last, as it ends its line itself.
        if let Some(url) = &item.image_url {
            writer.line_break();
            writer.image(url, item.title.trim());
        }
        writer.end("li");
    }
    writer.finish()
}

fn title(writer: &mut Writer, card: &Card) {
    writer.start("b");
    if let Some(url) = &card.url {
        writer.link(url);
    }
    writer.text(card.title.trim());
    writer.end("b");
}

fn lines(writer: &mut Writer, text: &str) {
    for (position, line) in text.trim().lines().enumerate() {
        if position > 0 {
            writer.line_break();
        }
        writer.text(line.trim_end());
    }
}

fn links(writer: &mut Writer, card: &Card) {
    for (position, link) in card.links.iter().enumerate() {
        if position > 0 {
            writer.line_break();
        }
        writer.link(&link.url);
        writer.text(link.label.trim());
        writer.end("a");
    }
}

/// The options as a list with numbers, by which they can be chosen.
fn numbered(choices: &[Choice]) -> String {
    let mut writer = Writer::default();
    writer.start("ol");
    for Choice { label, .. } in choices {
        writer.start("li");
        writer.text(label.trim());
        writer.end("li");
    }
    writer.finish()
}

fn offered(choices: &[Choice], name: &str) -> Vec<OfferedOption> {
    let option = |(place, choice): (usize, &Choice)| {
        let digest = Sha256::digest(format!("{name}\n{place}\n{}\n{}", choice.label, choice.value));
        let bytes: [u8; 16] = std::array::from_fn(|place| digest.get(place).copied().unwrap_or_default());
        OfferedOption { uuid: uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string(), choice: choice.clone() }
    };
    choices.iter().enumerate().map(option).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::content::Link;

    fn version(text: &str) -> ApiVersion {
        ApiVersion::parse(text).unwrap()
    }

    fn text(words: &str) -> Block {
        Block::Text { text: words.to_owned(), format: TextFormat::Markdown }
    }

    fn choices(labels: &[&str]) -> Vec<Choice> {
        let choice = |label: &&str| Choice { label: (*label).to_owned(), value: label.to_lowercase() };
        labels.iter().map(choice).collect()
    }

    fn options(labels: &[&str]) -> Block {
        Block::Options { text: Some("Which *plan*?".to_owned()), options: choices(labels) }
    }

    fn htmls(content: &[Block], api: &str) -> Vec<String> {
        messages(content, version(api), "c1").into_iter().map(|said| said.html).collect()
    }

    #[test]
    fn pictures_and_files_keep_what_belongs_to_them() {
        let content = [
            Block::Image {
                url: "https://a.example/m.png".into(),
                title: Some("Map".into()),
                description: Some("How to find us".into()),
            },
            Block::File { url: "https://a.example/p.pdf".into(), name: Some("Prices".into()) },
        ];
        let said = messages(&content, version("2.15"), "c1");
        assert_eq!(said.len(), 1);
        assert_eq!(
            said[0].html,
            "<p><b>Map</b></p><p>How to find us</p><p><img src=\"https://a.example/m.png\" alt=\"Map\"></p><p>Prices</p>"
        );
        assert_eq!(said[0].attachment_urls, ["https://a.example/p.pdf"]);
    }

    #[test]
    fn options_are_buttons_of_their_own_or_a_list_with_numbers() {
        let content = [options(&["Basic", "Team"]), text("Take your time.")];
        let list = "<ol><li>Basic</li><li>Team</li></ol>";
        let said = "<p>Which <i>plan</i>?</p><p>Take your time.</p>";
        assert_eq!(htmls(&content, "2.10"), [format!("{said}{list}")]);
        assert_eq!(htmls(&content, "2.13"), [format!("{said}{list}")]);
        assert_eq!(htmls(&content, "2.14"), [said, list], "the list is what is sent where buttons are refused");
        let offers = |api| messages(&content, version(api), "c1").pop().unwrap().offer.unwrap();
        assert!(offers("2.14").buttons && !offers("2.13").buttons);
        assert_eq!(offers("2.14").options, offers("2.13").options, "one mapping for both");
    }

    #[test]
    fn an_options_id_is_its_own_and_stays() {
        let ids = |name: &str| -> Vec<String> {
            offered(&choices(&["Basic", "Team"]), name).into_iter().map(|option| option.uuid).collect()
        };
        assert_eq!(ids("c1"), ids("c1"));
        let all: std::collections::BTreeSet<_> = ids("c1").into_iter().chain(ids("c2")).collect();
        assert_eq!(all.len(), 4);
        for id in all {
            assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 8, "{id}");
        }
    }

    #[test]
    fn a_pause_parts_messages_and_belongs_to_the_later_one() {
        let pause = |ms| Block::Pause { ms };
        let pauses = |content: &[Block], api: &str| -> Vec<(u64, String)> {
            messages(content, version(api), "c1").into_iter().map(|said| (said.pause_ms, said.html)).collect()
        };
        let p = |ms, words: &str| (ms, format!("<p>{words}</p>"));
        let content = [pause(500), text("a"), text("b"), pause(1_000), pause(2_000), text("c"), pause(9)];
        let expected = [(500, "<p>a</p><p>b</p>".to_owned()), p(3_000, "c")];
        assert_eq!(pauses(&content, "2.10"), expected);
        let question = [text("a"), pause(5), Block::Options { text: None, options: choices(&["X"]) }];
        let list = (5, "<ol><li>X</li></ol>".to_owned());
        for api in ["2.10", "2.15"] {
            assert_eq!(pauses(&question, api), [p(0, "a"), list.clone()]);
        }
        let question = [text("a"), pause(5), Block::Options { text: Some("b".to_owned()), options: choices(&["X"]) }];
        assert_eq!(pauses(&question, "2.15"), [p(0, "a"), p(5, "b"), (0, list.1)]);
    }

    #[test]
    fn what_is_long_is_said_in_several_messages_its_files_and_options_with_the_last() {
        let long = text(&"Some words of a paragraph.\n\n".repeat(700));
        let file = Block::File { url: "https://a.example/p.pdf".to_owned(), name: None };
        let content = [text("a"), Block::Pause { ms: 5 }, long, file, options(&["Basic", "Team"])];
        for api in ["2.10", "2.15"] {
            let said = messages(&content, version(api), "c1");
            assert!(said.len() >= 4 && said.iter().all(|one| one.html.len() <= MAX_MESSAGE_BYTES), "{api}");
            let pauses: Vec<usize> = (0..said.len()).filter(|place| said[*place].pause_ms > 0).collect();
            assert_eq!(pauses, [1], "{api}: in front of it, and not within");
            let place = said.iter().position(|one| !one.attachment_urls.is_empty()).unwrap();
            assert_eq!(place, said.len() - 2, "{api}: with the last of its own words");
            assert_eq!(said.iter().position(|one| one.offer.is_some()), Some(said.len() - 1), "{api}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let card = |title: &str| Card { title: title.to_owned(), ..Card::default() };
        let link = |url: &str| Link { label: "x".to_owned(), url: url.to_owned() };
        for (content, code) in [
            (vec![text(" ")], "empty"),
            (vec![Block::Pause { ms: 5 }], "empty"),
            (vec![text("a"), Block::Pause { ms: 0 }], "bad_pause"),
            (vec![text("a"), Block::Pause { ms: 30_001 }], "bad_pause"),
            ([vec![text("a")], vec![Block::Pause { ms: 1 }; 11]].concat(), "bad_pause"),
            (vec![options(&[])], "bad_options"),
            (vec![options(&["a", " "])], "bad_options"),
            (vec![options(&["Café", "CAFÉ "])], "bad_options"),
            (vec![options(&[&"x".repeat(201)])], "bad_options"),
            (vec![options(&["a"]), options(&["b"])], "bad_options"),
            (vec![Block::Options { text: None, options: choices(&["a"; 21]) }], "bad_options"),
            (vec![Block::Card(card(""))], "bad_cards"),
            (vec![Block::Carousel { cards: vec![] }], "bad_cards"),
            (vec![Block::List { title: None, items: vec![card("a"); 31] }], "bad_cards"),
            (vec![Block::Card(Card { image_url: Some("http://a.example".into()), ..card("a") })], "bad_url"),
            (vec![Block::Card(Card { url: Some("javascript:x".into()), ..card("a") })], "bad_url"),
            (vec![Block::Card(Card { links: vec![link("data:x")], ..card("a") })], "bad_url"),
            (vec![Block::File { url: "ftp://a.example".into(), name: None }], "bad_url"),
            (vec![Block::File { url: "https://a.example".into(), name: None }; 11], "too_many_attachments"),
            (vec![text(&"x".repeat(20_000)), Block::Card(card(&"x".repeat(20_000)))], "too_long"),
        ] {
            assert_eq!(check(&content).unwrap_err().0, code, "{content:?}");
        }
        let most = [text("a"), Block::Pause { ms: 30_000 }, options(&["1", "2"]), Block::Card(card("a"))];
        assert_eq!(check(&most), Ok(()));
    }
}
