//! What bots name with an answer, and what is to become of it by the rules that every ruled workspace has.

/// What is to become of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is said.
    Said,
    /// It is left to people.
    Unsaid,
    /// People are shown it, and may have it sent.
    Offered,
    /// It is left to people, and nobody is shown what would have been done.
    Hidden,
}

/// An answer whose turn the bot named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turned {
    /// The root node.
    pub root: &'static str,
    /// What is to become of it.
    pub fate: Fate,
    /// What is in its words, and in nobody else's.
    pub mark: String,
    /// Among how many a teammate chooses.
    pub choices: usize,
}

/// A turn that bots take.
struct Node {
    wish: &'static str,
    root: &'static str,
    fate: Fate,
    sure: f64,
    has_children: bool,
    candidates: usize,
}

const fn node(wish: &'static str, root: &'static str, fate: Fate) -> Node {
    Node { wish, root, fate, sure: 0.9, has_children: false, candidates: 0 }
}

/// The turns by the customer's word for them.
const NODES: [Node; 11] = [
    node("says", "says", Fate::Said),
    Node { sure: 0.6, ..node("mostly", "says", Fate::Said) },
    Node { sure: 0.4, ..node("guess", "says", Fate::Unsaid) },
    node("quiet", "quiet", Fate::Unsaid),
    node("sends", "sends", Fate::Unsaid),
    node("offers", "offers", Fate::Offered),
    Node { sure: 0.5, ..node("thinks", "offers", Fate::Unsaid) },
    Node { candidates: 3, ..node("list", "offers", Fate::Offered) },
    Node { has_children: true, ..node("lead", "leads", Fate::Offered) },
    node("tries", "tries", Fate::Hidden),
    node("hints", "hints", Fate::Hidden),
];

/// What customers wish for where there are rules.
pub const WISHES: [&str; 18] = [
    "says", "says", "mostly", "guess", "quiet", "sends", "offers", "offers", "offers", "thinks", "list", "list",
    "lead", "lead", "tries", "hints", "free", "silent",
];

/// The rules, as the settings have them. `default` is for what no rule names.
#[must_use]
pub fn settings(default: &str) -> String {
    let mut text = format!("[workspace.rules]\ndefault = \"{default}\"\ndefault_team = \"500001\"\n");
    for (root, rest) in [
        ("says", "action = \"answer\"\nconfidence = 0.5"),
        ("quiet", "action = \"nothing\""),
        ("sends", "action = \"send\"\nteam = \"500002\""),
        ("offers", "action = \"suggest\"\nteam = \"500001\""),
        ("leads", "action = \"suggest\"\nteammate = \"900002\""),
        ("tries", "action = \"answer\"\nshadow = true"),
        ("hints", "action = \"suggest\"\nteam = \"500002\"\nshadow = true"),
    ] {
        text.push_str(&format!("[[workspace.rules.rule]]\nnodes = [\"{root}\"]\n{rest}\n"));
    }
    text
}

/// The reply that a wish brings about, as JSON, and what is to become of it; none where it has no turn.
/// `number` is another one for each event.
#[must_use]
pub fn of(wish: &str, name: &str, variant: &str, number: u64, default: &str) -> Option<(String, Turned)> {
    let fate = match default {
        "answer" => Fate::Said,
        "suggest" => Fate::Offered,
        _ => Fate::Unsaid,
    };
    let free = node("free", "free", fate);
    let node = NODES.iter().chain([&free]).find(|node| node.wish == wish)?;
    let mark = format!("q{number:x}z");
    let candidates: Vec<String> = (1..=node.candidates)
        .map(|place| format!(r#"{{"label":"way {place}","text":"pick {place} of {name} {mark}"}}"#))
        .collect();
    let json = format!(
        r#""type":"reply","data":{{"content":[{{"type":"text","text":"re {name} {mark}{variant}","format":"plain"}}],"turn":{{"nodes":[{{"id":"{}","has_children":{}}}],"intents":[{{"name":"i","confidence":{}}}],"candidates":[{}]}}}}"#,
        node.root,
        node.has_children,
        node.sure,
        candidates.join(",")
    );
    let turned = Turned { root: node.root, fate: node.fate, mark, choices: node.candidates.max(1) };
    Some((json, turned))
}
