//! What somebody wrote in an e-mail, without what their mail program put below or above it: the message
//! that is answered, and the signature.
//!
//! Only what is certainly not theirs goes: quotes at the end or at the beginning, with the line that
//! introduces them, and what follows a signature's mark. A quote between their own lines is what these
//! answer, and stays. When nothing would be left, everything stays.

use super::tree::{self, Node};

/// How a line ends that introduces a quote, in the languages of most mail programs.
const WROTE: [&str; 23] = [
    "wrote:",
    "schrieb:",
    "a écrit :",
    "a écrit:",
    "escribió:",
    "ha scritto:",
    "escreveu:",
    "schreef:",
    "skrev:",
    "napisał(a):",
    "napisał:",
    "napisała:",
    "написал:",
    "написал(а):",
    "пишет:",
    "napsal:",
    "napsal(a):",
    "kirjoitti:",
    "yazdı:",
    "írta:",
    "a scris:",
    "έγραψε:",
    "写道:",
];
/// How such a line begins.
const ON: [&str; 10] = ["on ", "am ", "le ", "el ", "il ", "em ", "op ", "den ", "på ", "van "];
/// A line that parts the message that is answered from the answer.
const ORIGINAL: [&str; 10] = [
    "original message",
    "ursprüngliche nachricht",
    "message d'origine",
    "mensaje original",
    "messaggio originale",
    "mensagem original",
    "oorspronkelijk bericht",
    "ursprungligt meddelande",
    "wiadomość oryginalna",
    "forwarded message",
];
/// What Outlook and others call the lines in which they say what is answered: whose it is, …
const FROM: [&str; 16] = [
    "from",
    "von",
    "de",
    "da",
    "van",
    "från",
    "fra",
    "od",
    "от",
    "lähettäjä",
    "kimden",
    "feladó",
    "发件人",
    "寄件者",
    "差出人",
    "보낸 사람",
];
/// … when it was sent, …
const SENT: [&str; 19] = [
    "sent",
    "gesendet",
    "envoyé",
    "envoyé le",
    "enviado",
    "enviado el",
    "enviado em",
    "enviada em",
    "inviato",
    "verzonden",
    "skickat",
    "sendt",
    "wysłano",
    "отправлено",
    "lähetetty",
    "gönderildi",
    "发送时间",
    "送信日時",
    "보낸 날짜",
];
/// … or of what date it is, which lines of a customer's own may be called as well, …
const DATE: [&str; 8] = ["date", "datum", "data", "fecha", "dato", "дата", "日期", "tarih"];
/// … and what it is about.
const SUBJECT: [&str; 15] = [
    "subject",
    "betreff",
    "objet",
    "asunto",
    "assunto",
    "oggetto",
    "onderwerp",
    "ämne",
    "emne",
    "temat",
    "тема",
    "aihe",
    "konu",
    "主题",
    "件名",
];
/// How many lines such a head has, at most.
const HEAD_LINES: usize = 5;
/// How lines begin that phones and mail programs put below, …
const SENT_BY: [&str; 22] = [
    "sent from",
    "sent with",
    "sent via",
    "gesendet von",
    "gesendet mit",
    "von meinem",
    "envoyé de",
    "envoyé à partir de",
    "enviado desde",
    "enviado de",
    "enviado do",
    "inviato da",
    "verzonden vanaf",
    "verstuurd vanaf",
    "skickat från",
    "sendt fra",
    "wysłano z",
    "отправлено с",
    "发自我的",
    "get outlook",
    "obtenir outlook",
    "laden sie outlook",
];
/// … and what they name: without one of these they may be somebody's own words.
const DEVICES: [&str; 28] = [
    "iphone",
    "ipad",
    "android",
    "galaxy",
    "samsung",
    "huawei",
    "xiaomi",
    "pixel",
    "blackberry",
    "phone",
    "handy",
    "mobil",
    "móvil",
    "telefon",
    "téléphone",
    "teléfono",
    "telefono",
    "tablet",
    "device",
    "gerät",
    "appareil",
    "mail",
    "outlook",
    "windows",
    "yahoo",
    "proton",
    "gmx",
    "web.de",
];
/// The longest such line, in bytes.
const MAX_SENT_BY_BYTES: usize = 120;

/// One line of a message.
struct Line {
    nodes: Vec<Node>,
    /// Its words, ready to compare.
    words: String,
    /// Whether it is quoted.
    quoted: bool,
    /// Whether a paragraph begins with it.
    first: bool,
}

/// A message's own words, of a tidy tree that was [`marked`] before; `plain` says that it was plain text, where `>`
/// begins a quoted line. None where everything is its own.
#[must_use]
pub fn own_words(nodes: &[Node], plain: bool) -> Option<Vec<Node>> {
    let lines = lines(nodes, plain);
    let end = end_of_own(&lines);
    let start = start_of_own(lines.get(..end).unwrap_or_default());
    let own = lines.get(start..end).unwrap_or_default();
    let says_something = own.iter().any(|line| !line.words.is_empty());
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
    Some(tree::tidy(unmarked(whole.collect())))
}

/// The lines of a tidy tree. What is no paragraph is one line.
fn lines(nodes: &[Node], plain: bool) -> Vec<Line> {
    let mut lines = Vec::new();
    for node in nodes {
        match node {
            Node::Element { name, children, .. } if name == "p" => {
                for (place, nodes) in children.split(|child| *child == Node::Break).enumerate() {
                    let words = comparable(nodes);
                    let quoted = plain && words.starts_with('>');
                    lines.push(Line { nodes: nodes.to_vec(), words, quoted, first: place == 0 });
                }
            }
            other => {
                let nodes = vec![other.clone()];
                lines.push(Line { words: comparable(&nodes), nodes, quoted: other.is("blockquote"), first: true });
            }
        }
    }
    lines
}

/// Words as they are compared: in lower case, with one form of space, colon and apostrophe each, and without
/// the stars by which plain text shows what was bold.
fn comparable(nodes: &[Node]) -> String {
    let words = tree::words_of(nodes).to_lowercase().replace('：', ":").replace('’', "'").replace('*', "");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Where the own words end: before a signature, or the quote that everything after is.
fn end_of_own(lines: &[Line]) -> usize {
    let ends = |place: usize| {
        let (line, rest) = (lines.get(place), lines.get(place + 1..).unwrap_or_default());
        line.is_some_and(|line| !line.quoted && (line.words == MARK || introduces_the_rest(line, rest)))
    };
    let mut end = (0..lines.len()).find(|place| ends(*place)).unwrap_or(lines.len());
    // Quotes at the end, with what introduces them, what a phone says there, and what parts them from the rest.
    while let Some((place, line)) = end.checked_sub(1).and_then(|last| Some((last, lines.get(last)?))) {
        let begins = if lines.get(end).is_some_and(|next| next.quoted) { is_introduction(lines, place) } else { None };
        let parts = end < lines.len() && is_rule(&line.words);
        if let Some(begins) = begins {
            end = begins;
        } else if line.quoted || line.words.is_empty() || parts || is_sent_by(&line.words) {
            end = place;
        } else {
            break;
        }
    }
    end
}

/// Where the own words begin: after a quote at the beginning, with what introduces it.
fn start_of_own(lines: &[Line]) -> usize {
    let quoted_from = lines.iter().position(|line| line.quoted).unwrap_or(lines.len());
    let before = lines.get(..quoted_from).unwrap_or_default();
    let introduced = before.is_empty() || (!before.is_empty() && is_introduction(lines, before.len() - 1) == Some(0));
    if !introduced || quoted_from == lines.len() {
        return 0;
    }
    let quoted = lines.iter().skip(quoted_from).take_while(|line| line.quoted || line.words.is_empty()).count();
    let start = quoted_from + quoted;
    // With a second quote further down, the first one is what the lines between them answer.
    if lines.iter().skip(start).any(|line| line.quoted) { 0 } else { start }
}

/// Where the introduction begins that ends with this line, if it is one: it may be broken in several.
fn is_introduction(lines: &[Line], place: usize) -> Option<usize> {
    let mut words = String::new();
    let mut begins = None;
    for place in (0..=place).rev().take(3) {
        let line = lines.get(place).filter(|line| !line.quoted)?;
        words = if words.is_empty() { line.words.clone() } else { format!("{} {words}", line.words) };
        let opens = ON.iter().any(|on| line.words.starts_with(on));
        if ends_like_one(&words) && (begins.is_none() || opens) {
            begins = Some(place);
        }
        if opens || line.first {
            break;
        }
    }
    begins
}

fn ends_like_one(words: &str) -> bool {
    // "Am 3. Mai 2026 um 10:00 schrieb Anna <anna@a.example>:" has its verb in the middle.
    let verb_first = words.ends_with(':')
        && (words.contains(" schrieb ") || words.contains(" schreef ") || words.contains(" skrev "));
    verb_first || WROTE.iter().any(|wrote| words.ends_with(wrote)) || is_dated_address(words)
}

/// "пн, 4 мая 2026 г. в 10:00, Shop <shop@a.example>:", in whatever language.
fn is_dated_address(words: &str) -> bool {
    let has_address = words.contains('@') && words.contains(['<', '(']);
    words.ends_with(':') && has_address && words.contains(|character: char| character.is_ascii_digit())
}

/// Stands for the mark of a signature while a message is taken apart: no text has this character.
const MARK: &str = "\u{fdd0}";

/// A message as it was read, before the space at the ends of its lines goes: with the marks of signatures made out. By RFC
/// 3676 that is "-- ", a space behind; "--" alone is the writer's own.
#[must_use]
pub fn marked(nodes: Vec<Node>) -> Vec<Node> {
    let is_mark = |line: &str| {
        let space = line.trim_start().strip_prefix("--").filter(|space| space.trim().is_empty());
        space.is_some_and(|space| space.contains([' ', '\u{a0}']))
    };
    changed(nodes, &|text| match text {
        text if is_mark(&text) => MARK.to_owned(),
        text => text,
    })
}

/// As they were before.
fn unmarked(nodes: Vec<Node>) -> Vec<Node> {
    changed(nodes, &|text| text.replace(MARK, "--"))
}

fn changed(nodes: Vec<Node>, change: &impl Fn(String) -> String) -> Vec<Node> {
    let one = |node| match node {
        Node::Text(text) => Node::Text(change(text)),
        Node::Element { name, url, children } => Node::Element { name, url, children: changed(children, change) },
        other => other,
    };
    nodes.into_iter().map(one).collect()
}

/// A line that only parts what is above it from what is below.
fn is_rule(words: &str) -> bool {
    words.chars().count() > 2 && words.chars().all(|character| matches!(character, '_' | '-' | '—' | '–' | '='))
}

fn is_sent_by(words: &str) -> bool {
    let says = |list: &[&str], does: fn(&str, &str) -> bool| list.iter().any(|what| does(words, what));
    let is_short = words.len() <= MAX_SENT_BY_BYTES;
    let begins = says(&SENT_BY, |words, start| words.starts_with(start)) || words.ends_with("から送信");
    is_short && begins && says(&DEVICES, |words, device| words.contains(device))
}

/// Whether all that follows is the message that is answered, though it is not marked as a quote.
fn introduces_the_rest(line: &Line, rest: &[Line]) -> bool {
    let following = || rest.iter().filter(|next| !next.words.is_empty());
    let dashed = line.words.starts_with("--") && line.words.ends_with("--");
    let names_it = ORIGINAL.iter().any(|original| line.words.contains(original));
    if dashed && (names_it || (!is_rule(&line.words) && following().next().is_some_and(|next| of_head(next).is_some())))
    {
        return true;
    }
    if line.first && is_dated_introduction(&line.words) && following().next().is_some_and(|next| !next.quoted) {
        return true;
    }
    if !matches!(of_head(line), Some(Head::From | Head::Sent | Head::Date)) {
        return false;
    }
    let head: Vec<&Line> = std::iter::once(line).chain(rest).take(HEAD_LINES).collect();
    let has = |wanted: Head| head.iter().any(|line| of_head(line) == Some(wanted));
    let is_mail = || has(Head::Subject) || head.iter().any(|line| line.words.contains('@'));
    has(Head::From) && (has(Head::Sent) || (has(Head::Date) && is_mail()))
}

/// "On Monday, May 4, 2026, Shop <shop@a.example> wrote:" is nobody's own sentence.
fn is_dated_introduction(words: &str) -> bool {
    let dated = words.contains('@') && words.contains(|character: char| character.is_ascii_digit());
    dated && ON.iter().any(|on| words.starts_with(on)) && ends_like_one(words)
}

/// A line of a message's head, as mail programs write it above what is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    From,
    Sent,
    Date,
    Subject,
}

fn of_head(line: &Line) -> Option<Head> {
    let (name, _) = line.words.split_once(':')?;
    let name = name.trim();
    let kinds =
        [(Head::From, &FROM[..]), (Head::Sent, &SENT[..]), (Head::Date, &DATE[..]), (Head::Subject, &SUBJECT[..])];
    kinds.into_iter().find(|(_, names)| names.contains(&name)).map(|(kind, _)| kind)
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
    fn mail_programs_of_many_languages_are_known() {
        for below in [
            // What introduces a quote.
            "Le lun. 4 mai 2026 à 10:00, Shop <shop@a.example> a écrit\u{a0}:\n> Shall we?",
            "Le lun. 4 mai 2026 à 10:00, Shop <shop@a.example> a\nécrit\u{202f}:\n> Shall we?",
            "pon., 4 maj 2026 o 10:00 Shop <shop@a.example> napisał(a):\n\n> Shall we?",
            "пн, 4 мая 2026 г. в 10:00, Shop <shop@a.example>:\n\n> Shall we?",
            "2026年5月4日(月) 10:00 Shop <shop@a.example>:\n\n> Shall we?",
            "Shop <shop@a.example> 于2026年5月4日周一 10:00写道：\n\n> Shall we?",
            "4 Mayıs 2026 Pzt 10:00 tarihinde Shop <shop@a.example> şunu yazdı:\n\n> Shall we?",
            "ma 4. toukok. 2026 klo 10.00 Shop (shop@a.example) kirjoitti:\n\n> Shall we?",
            "Den man. 4. maj 2026 kl. 10.00 skrev Shop <shop@a.example>:\n\n> Shall we?",
            "Op ma 4 mei 2026 om 10:00 schreef Shop <shop@a.example>:\n\n> Shall we?",
            "Em seg., 4 de mai. de 2026 às 10:00, Shop <shop@a.example>\nescreveu:\n\n> Shall we?",
            "El lun, 4 may 2026 a las 10:00, Shop (<shop@a.example>) escribió:\n\n> Shall we?",
            "Il giorno lun 4 mag 2026 alle ore 10:00 Shop <shop@a.example> ha scritto:\n\n> Shall we?",
            "On Mon, May 4, 2026 at 10:00 AM Shop <\nshop@a.example> wrote:\n\n> Shall we?",
            "On Monday, May 4, 2026 at 10:00:00 AM GMT+2, Shop <shop@a.example> wrote:\n\nShall we?",
            // What says that all the rest is the message that is answered.
            "________________________________\nFrom: Shop <shop@a.example>\nSent: Monday\nTo: Carla\n\nShall we?",
            "*From:* Shop <shop@a.example>\n*Sent:* Monday, 4 May 2026\n*To:* Carla\n\nShall we?",
            "Van: Shop\nVerzonden: maandag\nAan: Carla\n\nShall we?",
            "Från: Shop\nSkickat: den 4 maj\nTill: Carla\n\nShall we?",
            "Od: Shop\nWysłano: 4 maja\nDo: Carla\n\nShall we?",
            "De\u{a0}: Shop\nEnvoyé\u{a0}: lundi 4 mai\nÀ\u{a0}: Carla\n\nShall we?",
            "Gesendet: Montag, 04. Mai 2026 um 10:00 Uhr\nVon: \"Shop\" <shop@a.example>\nAn: Carla\n\nShall we?",
            "Date: Monday\nFrom: Shop\nSubject: Tents\n\nShall we?",
            "-----Message d’origine-----\nDe : Shop\nShall we?",
            "-----Eredeti üzenet-----\nFeladó: Shop\nShall we?",
            "---------- Forwarded message ---------\nFrom: Shop\nShall we?",
            // What phones and programs put below.
            "Sent from Outlook for iOS\n\nOn Monday, Shop wrote:\n> Shall we?",
            "Get Outlook for iOS<https://aka.ms/o0ukef>\n____________\nFrom: Shop <shop@a.example>\nSent: Monday\n\nShall we?",
            "Sent from Mail for Windows\n\nFrom: Shop\nSent: Monday\nTo: Carla\n\nShall we?",
            "Sent with Proton Mail secure email.\n\nOn Monday, Shop wrote:\n> Shall we?",
            "Sent from Yahoo Mail on Android",
            "Gesendet von Mail für Windows",
            "Von meinem iPhone gesendet",
            "Envoyé à partir de mon Galaxy",
            "Enviado desde mi teléfono móvil",
            "iPhoneから送信",
        ] {
            assert_eq!(plain(&format!("Yes, please.\n\n{below}")), "Yes, please.", "{below:?}");
        }
    }

    #[test]
    fn mail_programs_are_known_by_what_is_left_of_their_html() {
        let gmail = |introduction: &str| {
            format!(
                "<div dir=\"ltr\">Yes, <b>please</b>.</div><br><div class=\"gmail_quote\"><div class=\"gmail_attr\">{introduction}<br></div>\
                 <blockquote class=\"gmail_quote\"><div>Shall we?</div></blockquote></div>"
            )
        };
        let address = "Shop &lt;<a href=\"mailto:shop@a.example\">shop@a.example</a>&gt;";
        let head = "<b>From:</b> Shop &lt;shop@a.example&gt;<br><b>Sent:</b> Monday<br><b>To:</b> Carla<br><b>Subject:</b> Tents";
        for text in [
            gmail(&format!("On Mon, May 4, 2026 at 10:00 AM {address} wrote:")),
            gmail(&format!("Am Mo., 4. Mai 2026 um 10:00 Uhr schrieb {address}:")),
            gmail(&format!("Le lun. 4 mai 2026 à 10:00, {address} a écrit&nbsp;:")),
            gmail(&format!("пн, 4 мая 2026 г. в 10:00, {address}:")),
            format!("<div>Yes, <b>please</b>.</div><hr><div id=\"divRplyFwdMsg\"><font>{head}</font></div><div>Shall we?</div>"),
            format!("<p>Yes, <b>please</b>.</p><p>&nbsp;</p><div style=\"border:none\"><p>{head}</p></div><p>Shall we?</p>"),
            "<div>Yes, <b>please</b>.</div><br><div>   On Monday, May 4, 2026 at 10:00:00 AM GMT+2, Shop &lt;shop@a.example&gt; wrote: </div>\
             <div><br></div><div>Shall we?</div>".to_owned(),
            "<div>Yes, <b>please</b>.</div><div name=\"quote\"><div><b>Gesendet:</b>&nbsp;Montag, 04. Mai 2026 um 10:00 Uhr<br/>\
             <b>Von:</b>&nbsp;\"Shop\" &lt;shop@a.example&gt;<br/><b>An:</b>&nbsp;Carla</div><div>Shall we?</div></div>".to_owned(),
            "<body>Yes, <b>please</b>.<br><br><div>Sent from my iPhone</div><div><br><blockquote type=\"cite\">On 4 May 2026, at 10:00, Shop wrote:\
             <br><br></blockquote></div><blockquote type=\"cite\"><div>Shall we?</div></blockquote></body>".to_owned(),
            "<div>Yes, <b>please</b>.<br clear=\"all\"><span>-- </span><br><div>Carla<br>Director</div></div>".to_owned(),
        ] {
            assert_eq!(html(&text), "Yes, **please**.", "{text}");
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
            "I want to go\nFrom: Vienna\nTo: Graz\nDate: 5 May",
            "Hello\nSent from my shop were 3 tents, but I ordered 4",
            "I got this\n-----\nDate: it says nothing",
            "On Monday, 4 May, I wrote to shop@a.example and to 3 others.\nNobody answers.",
            "My numbers are\n___\n1, 2 and 3",
            "My numbers are\n--\n1, 2 and 3",
            "My numbers are\n—\n1, 2 and 3",
        ] {
            assert_eq!(plain(text), format!("all: {text}"));
        }
        for text in ["<p>One<br>--<br>two</p>", "<div>One</div><div>--\n</div><div>two</div>"] {
            assert_eq!(html(text), "all", "{text}");
        }
        let inside = "<blockquote><p>Shall we?</p><p>-- <br>Shop</p></blockquote><p>Yes.</p><blockquote><p>When?</p></blockquote>";
        assert_eq!(
            html(&format!("{inside}<p>Now.</p><blockquote>q</blockquote>")),
            "> Shall we?\n>\n> \\--\\\n> Shop\n\nYes.\n\n> When?\n\nNow."
        );
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
