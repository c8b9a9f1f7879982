//! What somebody wrote in an e-mail, without what their mail program put below or above it: the message
//! that is answered, and the signature.
//!
//! Only what is certainly not theirs goes: quotes at the end or at the beginning, with the line that
//! introduces them, and what follows a signature's mark. A quote between their own lines is what these
//! answer, and stays. When nothing would be left, everything stays.

use super::tree::{self, Node};

/// How a line ends that introduces a quote, in the languages of most mail programs.
const WROTE: [&str; 9] =
    ["wrote:", "schrieb:", "a écrit :", "a écrit:", "escribió:", "ha scritto:", "escreveu:", "schreef:", "skrev:"];
/// How such a line begins.
const ON: [&str; 10] = ["on ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "på ", "van "];
/// A line that parts the message that is answered from the answer.
const ORIGINAL: [&str; 5] =
    ["original message", "ursprüngliche nachricht", "message d'origine", "mensaje original", "forwarded message"];
/// How the lines begin in which Outlook says what is answered.
const FROM: [&str; 5] = ["from:", "von:", "de :", "de:", "da:"];
const SENT: [&str; 7] = ["sent:", "date:", "gesendet:", "envoyé", "enviado", "inviato:", "datum:"];
/// Lines that phones put below.
const SENT_FROM: [&str; 7] = [
    "sent from my ",
    "von meinem ",
    "envoyé de mon ",
    "envoyé depuis ",
    "enviado desde ",
    "inviato da ",
    "get outlook for ",
];

/// One line of a message.
struct Line {
    nodes: Vec<Node>,
    words: String,
    /// Whether it is quoted.
    quoted: bool,
    /// Whether a paragraph begins with it.
    first: bool,
}

/// A message's own words; `plain` says that it was plain text, where `>` begins a quoted line. None where
/// everything is its own.
#[must_use]
pub fn own_words(nodes: &[Node], plain: bool) -> Option<Vec<Node>> {
    let lines = lines(nodes, plain);
    let end = end_of_own(&lines);
    let start = start_of_own(lines.get(..end).unwrap_or_default());
    let own = lines.get(start..end).unwrap_or_default();
    let says_something = own.iter().any(|line| !line.words.trim().is_empty());
    if !says_something || own.len() == lines.len() {
        return None;
    }
    let mut blocks: Vec<Vec<Node>> = Vec::new();
    for line in own {
        match blocks.last_mut() {
            Some(block) if !line.first => {
                block.push(Node::Break);
                block.extend(line.nodes.iter().cloned());
            }
            _ => blocks.push(line.nodes.clone()),
        }
    }
    let whole = blocks.into_iter().map(|mut nodes| match nodes.pop() {
        Some(only) if nodes.is_empty() && only.is_block() => only,
        last => Node::element("p", nodes.into_iter().chain(last).collect()),
    });
    Some(tree::tidy(whole.collect()))
}

/// The lines of a tidy tree. What is no paragraph is one line.
fn lines(nodes: &[Node], plain: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    for node in nodes {
        match node {
            Node::Element { name, children, .. } if name == "p" => {
                for (place, nodes) in children.split(|child| *child == Node::Break).enumerate() {
                    let words = tree::words_of(nodes);
                    let quoted = plain && words.trim_start().starts_with('>');
                    lines.push(Line { nodes: nodes.to_vec(), words, quoted, first: place == 0 });
                }
            }
            other => {
                let nodes = vec![other.clone()];
                lines.push(Line { words: tree::words_of(&nodes), nodes, quoted: other.is("blockquote"), first: true });
            }
        }
    }
    lines
}

/// Where the own words end: before a signature, or the quote that everything after is.
fn end_of_own(lines: &[Line]) -> usize {
    let ends = |(place, line): (usize, &Line)| {
        let rest = lines.get(place + 1..).unwrap_or_default();
        !line.quoted && (is_mark(&line.words) || introduces_the_rest(line, rest))
    };
    let mut end = lines.iter().enumerate().position(ends).unwrap_or(lines.len());
    // Quotes at the end, with what introduces them, and what a phone says there.
    loop {
        let Some(last) = end.checked_sub(1).and_then(|last| Some((last, lines.get(last)?))) else { return end };
        let (place, line) = last;
        let introduces = lines.get(end).is_some_and(|next| next.quoted) && is_introduction(lines, place).is_some();
        if !(line.quoted || line.words.trim().is_empty() || introduces || is_sent_from(&line.words)) {
            return end;
        }
        end = if introduces { is_introduction(lines, place).unwrap_or(place) } else { place };
    }
}

/// Where the own words begin: after a quote at the beginning, with what introduces it.
fn start_of_own(lines: &[Line]) -> usize {
    let quoted_from = lines.iter().position(|line| line.quoted).unwrap_or(lines.len());
    let before = lines.get(..quoted_from).unwrap_or_default();
    let introduced = before.is_empty() || (!before.is_empty() && is_introduction(lines, before.len() - 1) == Some(0));
    if !introduced || quoted_from == lines.len() {
        return 0;
    }
    let quoted = lines.iter().skip(quoted_from).take_while(|line| line.quoted || line.words.trim().is_empty()).count();
    let start = quoted_from + quoted;
    // With a second quote further down, the first one is what the lines between them answer.
    if lines.iter().skip(start).any(|line| line.quoted) { 0 } else { start }
}

/// Where the introduction begins that ends with this line, if it is one: it may be broken in two.
fn is_introduction(lines: &[Line], place: usize) -> Option<usize> {
    let line = lines.get(place).filter(|line| !line.quoted)?;
    let words = line.words.trim().to_lowercase();
    if !ends_like_one(&words) {
        return None;
    }
    let begins = |words: &str| ON.iter().any(|on| words.trim().to_lowercase().starts_with(on));
    let before = place.checked_sub(1).and_then(|before| lines.get(before));
    match before {
        _ if begins(&words) => Some(place),
        Some(before) if !line.first && begins(&before.words) => Some(place - 1),
        _ => Some(place),
    }
}

fn ends_like_one(words: &str) -> bool {
    // "Am 3. Mai 2026 um 10:00 schrieb Anna <anna@a.example>:" has its verb in the middle.
    let verb_first = words.ends_with(':')
        && (words.contains(" schrieb ") || words.contains(" schreef ") || words.contains(" skrev "));
    verb_first || WROTE.iter().any(|wrote| words.ends_with(wrote))
}

/// The mark of a signature, as RFC 3676 has it.
fn is_mark(words: &str) -> bool {
    matches!(words.trim(), "--" | "—")
}

fn is_sent_from(words: &str) -> bool {
    let words = words.trim().to_lowercase();
    words.len() < 100 && SENT_FROM.iter().any(|start| words.starts_with(start))
}

/// Whether all that follows is the message that is answered, though it is not marked as a quote.
fn introduces_the_rest(line: &Line, rest: &[Line]) -> bool {
    let words = line.words.trim().to_lowercase();
    let dashed = words.starts_with("--") && words.ends_with("--");
    if dashed && ORIGINAL.iter().any(|original| words.contains(original)) {
        return true;
    }
    let header = |names: &[&str], words: &str| names.iter().any(|name| words.trim().to_lowercase().starts_with(name));
    header(&FROM, &words) && rest.iter().take(3).any(|next| header(&SENT, &next.words))
}

#[cfg(test)]
mod tests {
    use crate::domain::content::{Body, BodyFormat};
    use crate::domain::incoming;

    fn plain(text: &str) -> String {
        let body = Body { text: text.to_owned(), format: BodyFormat::Plain };
        incoming::own_words(&body).map_or_else(|| format!("all: {text}"), |own| own.0)
    }

    fn html(text: &str) -> String {
        incoming::own_words(&Body::html(text)).map_or_else(|| "all".to_owned(), |own| own.1)
    }

    #[test]
    fn a_quote_below_goes_with_its_introduction() {
        for text in [
            "Yes, please.\n\nOn Mon, 4 May 2026 at 10:00, Shop <shop@a.example> wrote:\n> Shall we?\n> Say so.",
            "Yes, please.\n\nOn Mon, 4 May 2026 at 10:00, Shop\n<shop@a.example> wrote:\n\n> Shall we?\n>\n> Say so.\n",
            "Yes, please.\nAm 04.05.2026 um 10:00 schrieb Shop <shop@a.example>:\n> Sollen wir?",
            "Yes, please.\n\nLe 4 mai 2026, Shop a écrit :\n> On y va ?",
            "Yes, please.\n\n-----Original Message-----\nFrom: Shop\nSent: Monday\nShall we?",
            "Yes, please.\n\nFrom: Shop <shop@a.example>\nSent: Monday, 4 May 2026\nTo: Carla\nSubject: Tents\n\nShall we?",
            "Yes, please.\n\nVon: Shop\nGesendet: Montag\nAn: Carla\n\nSollen wir?",
            "> Shall we?\n> Say so.\n\nYes, please.",
            "On Monday, Shop wrote:\n> Shall we?\n\nYes, please.",
            "Yes, please.\n\n-- \nCarla\n+43 1 234",
            "Yes, please.\n\nSent from my iPhone",
            "Yes, please.\n\nSent from my iPhone\n\nOn Monday, Shop wrote:\n> Shall we?",
        ] {
            assert_eq!(plain(text), "Yes, please.", "{text:?}");
        }
    }

    #[test]
    fn quotes_in_html_are_known_by_their_element() {
        for text in [
            "<p>Yes, <b>please</b>.</p><blockquote><p>Shall we?</p></blockquote>",
            "<div>Yes, <b>please</b>.</div><div>On Monday, Shop wrote:<br></div><blockquote type=\"cite\">Shall we?</blockquote>",
            "<p>Yes, <b>please</b>.<br><br>On Monday, Shop<br>&lt;shop@a.example&gt; wrote:</p><blockquote>Shall we?</blockquote><p> </p>",
            "<blockquote>Shall we?</blockquote><p>Yes, <b>please</b>.</p>",
            "<p>Yes, <b>please</b>.</p><p>-- <br>Carla<br>Director</p>",
        ] {
            assert_eq!(html(text), "Yes, **please**.", "{text}");
        }
    }

    #[test]
    fn what_may_be_the_customers_own_stays() {
        for text in [
            "Just words.",
            "He wrote: it is broken.",
            "I -- and others -- think so.",
            "On Monday I wrote:\nit is broken, do you remember?",
            "> First question\nFirst answer\n> Second question\nSecond answer",
            "On Monday, Shop wrote:\n> all of it",
            "From: Vienna\nTo: Graz\nWhen does it leave?",
        ] {
            assert_eq!(plain(text), format!("all: {text}"));
        }
        for text in ["<p>a</p><blockquote>q</blockquote><p>b</p>", "<blockquote>q</blockquote>", "<ul><li>a</li></ul>"]
        {
            assert_eq!(html(text), "all", "{text}");
        }
        let between = "> First question\nFirst answer\n> Second question\nSecond answer\n\n> the rest\n> of it";
        assert_eq!(plain(between), "> First question\nFirst answer\n> Second question\nSecond answer");
    }

    #[test]
    fn lists_and_paragraphs_of_ones_own_stay_as_they_are() {
        let text = "<p>These:</p><ul><li>a</li><li>b</li></ul><p>Thanks,<br>Carla</p><blockquote>q</blockquote>";
        assert_eq!(html(text), "These:\n\n- a\n- b\n\nThanks,\\\nCarla");
    }
}
