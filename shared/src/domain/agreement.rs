//! How far the bot and the teammates agree: what was suggested, or would have been, against what the
//! teammate really sent; what the bot answered, against whether a person had to step in. Kept with the
//! conversation, counted per node by [`report`], which also says where a rule may go on or go back.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::ids::Timestamp;
use super::rules::Deed;

/// How a suggestion, or an answer, met with the teammates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A teammate had it sent, or let the bot go on.
    Accepted,
    /// The teammate wrote the same, or nearly.
    Alike,
    /// The teammate wrote something else.
    Different,
    /// A teammate dismissed it.
    Dismissed,
    /// The bot answered, and nobody had to step in.
    Stood,
    /// The bot answered, and people had to go on.
    SteppedIn,
}

impl Verdict {
    /// Whether it speaks for the bot.
    #[must_use]
    pub fn agrees(self) -> bool {
        matches!(self, Self::Accepted | Self::Alike | Self::Stood)
    }
}

/// The node that the bot's last answer came from, while it shows whether it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Its id.
    pub node: String,
    /// What teammates call it.
    pub label: String,
}

/// One judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreement {
    /// When.
    pub at: Timestamp,
    /// The node.
    pub origin: Origin,
    /// What the rules had wanted.
    pub deed: Deed,
    /// Whether nobody was shown it.
    #[serde(default)]
    pub shadow: bool,
    /// How it met.
    pub verdict: Verdict,
}

/// How many judgements a conversation keeps, at most.
pub const MAX_AGREEMENTS: usize = 16;

/// From what share of common words on two messages are alike, in percent.
const ALIKE_PERCENT: usize = 60;

/// Words that turn a sentence round.
const NEGATIONS: [&str; 22] = [
    "not", "no", "never", "cannot", "nicht", "kein", "keine", "keinen", "nie", "pas", "jamais", "aucun", "aucune",
    "non", "niet", "geen", "nunca", "não", "ikke", "inte", "не", "нет",
];

/// Whether a teammate wrote what was suggested, or nearly: most of the words are common to both. Case,
/// punctuation and order count for nothing. Another number in the place of one, or a "not" that only one
/// of them has, is a correction, however much is common.
#[must_use]
pub fn are_alike(suggested: &str, written: &str) -> bool {
    let (one, other) = (words(suggested), words(written));
    let all = one.len() + other.len();
    if all == 0 {
        let signs = |text: &str| text.split_whitespace().collect::<String>();
        return !signs(suggested).is_empty() && signs(suggested) == signs(written);
    }
    let common = one.intersection(&other).count();
    200 * common >= ALIKE_PERCENT * all && !is_corrected(&one, &other)
}

fn is_corrected(one: &BTreeSet<String>, other: &BTreeSet<String>) -> bool {
    let has_number = |word: &&String| word.contains(|character: char| character.is_numeric());
    let other_numbers =
        one.difference(other).any(|word| has_number(&word)) && other.difference(one).any(|word| has_number(&word));
    let negates = |words: &BTreeSet<String>| words.iter().any(|word| is_negation(word));
    other_numbers || negates(one) != negates(other)
}

fn is_negation(word: &str) -> bool {
    NEGATIONS.contains(&word) || (word.len() > 2 && word.ends_with("n't"))
}

/// The words of a text. Where none are parted by spaces, as in Chinese or Thai, each two characters that
/// follow each other are one.
fn words(text: &str) -> BTreeSet<String> {
    let text = text.to_lowercase().replace('’', "'");
    let parted = text.split(|character: char| !character.is_alphanumeric() && character != '\'');
    let parted = parted.map(|word| word.trim_matches('\'')).filter(|word| !word.is_empty());
    parted.flat_map(|word| if word.contains(is_unparted) { pairs(word) } else { vec![word.to_owned()] }).collect()
}

/// Whether a character is of a script that writes no spaces between words.
fn is_unparted(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// Each two characters that follow each other; numbers stay whole.
fn pairs(word: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    for character in word.chars() {
        match before {
            Some(last) if last.is_numeric() && character.is_numeric() => {
                if let Some(number) = found.last_mut() {
                    number.push(character);
                }
            }
            _ if character.is_numeric() => found.push(character.to_string()),
            Some(last) if !last.is_numeric() => found.push([last, character].iter().collect()),
            _ => {}
        }
        before = Some(character);
    }
    if found.is_empty() { vec![word.to_owned()] } else { found }
}

/// What may become of a node's rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// From suggesting, or trying out, to answering.
    Answer,
    /// From answering back to suggesting.
    Suggest,
    /// Nothing: as it is.
    Stay,
    /// There is too little to go by.
    Wait,
}

impl Advice {
    /// As the report says it.
    #[must_use]
    pub fn as_words(self) -> &'static str {
        match self {
            Self::Answer => "may go from suggest to answer",
            Self::Suggest => "should go back from answer to suggest",
            Self::Stay => "stays as it is",
            Self::Wait => "too little to go by",
        }
    }
}

/// How a node does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeReport {
    /// The node.
    pub origin: Origin,
    /// What its rule wanted last.
    pub deed: Deed,
    /// Whether its rule was only tried out last.
    pub shadow: bool,
    /// How many judgements speak for the bot.
    pub agreed: usize,
    /// How many there are.
    pub judged: usize,
    /// What may become of its rule.
    pub advice: Advice,
}

/// How many judgements an advice takes.
pub const ENOUGH: usize = 20;
/// From what share on a node may answer, and below what share it should not, in percent.
const MAY_ANSWER_PERCENT: usize = 90;
const GOES_BACK_PERCENT: usize = 75;

/// Counts the judgements of each node, of what its rule wants now: what a rule wanted before says
/// nothing of what it wants since. In the order of the nodes' labels.
#[must_use]
pub fn report(agreements: &[Agreement]) -> Vec<NodeReport> {
    let mut nodes: BTreeMap<(&str, &str), Vec<&Agreement>> = BTreeMap::new();
    for agreement in agreements {
        let origin = &agreement.origin;
        nodes.entry((origin.label.as_str(), origin.node.as_str())).or_default().push(agreement);
    }
    nodes.into_values().filter_map(|of_node| node_report(&of_node)).collect()
}

fn node_report(of_node: &[&Agreement]) -> Option<NodeReport> {
    let last = of_node.iter().max_by_key(|agreement| agreement.at)?;
    let answers = |agreement: &Agreement| agreement.deed == Deed::Answer && !agreement.shadow;
    let present: Vec<_> = of_node.iter().filter(|one| answers(one) == answers(last)).collect();
    let agreed = present.iter().filter(|one| one.verdict.agrees()).count();
    let judged = present.len();
    let at_least = |percent: usize| 100 * agreed >= percent * judged;
    let advice = match answers(last) {
        _ if judged < ENOUGH => Advice::Wait,
        false if at_least(MAY_ANSWER_PERCENT) => Advice::Answer,
        true if !at_least(GOES_BACK_PERCENT) => Advice::Suggest,
        _ => Advice::Stay,
    };
    let origin = last.origin.clone();
    Some(NodeReport { origin, deed: last.deed, shadow: last.shadow, agreed, judged, advice })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_words_in_common_are_alike() {
        for (one, other, alike) in [
            ("You get it back.", "you get it BACK", true),
            ("You get it back within 14 days.", "Hi Carla, you get it back within 14 days!", true),
            ("You get it back.", "We are closed on Sundays.", false),
            ("You get it back within 14 days.", "You get it back within 30 days.", false),
            ("You get it back within 14 days.", "You get it back within 14 days; call 0800 123.", true),
            ("You can return it at any shop of ours.", "You can not return it at any shop of ours.", false),
            ("You can return it at any shop of ours.", "You can’t return it at any shop of ours.", false),
            ("We don't do that here.", "We don’t do that, here.", true),
            ("返金は14日以内に行われます。", "返金は14日以内に行われますよ。", true),
            ("返金は14日以内に行われます。", "返金は30日以内に行われます。", false),
            ("返金は14日以内に行われます。", "店は日曜日に閉まっています。", false),
            ("👍", " 👍", true),
            ("👍", "👎", false),
            ("", "", false),
            ("…", "!", false),
        ] {
            assert_eq!(are_alike(one, other), alike, "{one} / {other}");
            assert_eq!(are_alike(other, one), alike, "{other} / {one}");
        }
    }

    fn judged(node: &str, deed: Deed, shadow: bool, verdicts: &[(Verdict, usize)]) -> Vec<Agreement> {
        let origin = Origin { node: node.to_owned(), label: node.to_owned() };
        let mut at = 0;
        let mut of = |verdict| {
            at += 1;
            Agreement { at: Timestamp(at), origin: origin.clone(), deed, shadow, verdict }
        };
        verdicts.iter().flat_map(|(verdict, times)| std::iter::repeat_n(*verdict, *times)).map(&mut of).collect()
    }

    #[test]
    fn an_advice_takes_enough_and_goes_by_the_share() {
        use Verdict::{Accepted, Alike, Different, Dismissed, SteppedIn, Stood};
        for (deed, shadow, verdicts, advice) in [
            (Deed::Suggest, false, &[(Accepted, 19)][..], Advice::Wait),
            (Deed::Suggest, false, &[(Accepted, 10), (Alike, 8), (Dismissed, 2)], Advice::Answer),
            (Deed::Suggest, false, &[(Accepted, 17), (Different, 3)], Advice::Stay),
            (Deed::Answer, true, &[(Alike, 20)], Advice::Answer),
            (Deed::Answer, false, &[(Stood, 15), (SteppedIn, 5)], Advice::Stay),
            (Deed::Answer, false, &[(Stood, 14), (SteppedIn, 6)], Advice::Suggest),
        ] {
            let found = report(&judged("n", deed, shadow, verdicts));
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].advice, advice, "{deed:?} {shadow} {verdicts:?}");
        }
    }

    #[test]
    fn what_a_rule_wanted_before_does_not_count() {
        let mut all = judged("n", Deed::Suggest, false, &[(Verdict::Accepted, 30)]);
        let mut later = judged("n", Deed::Answer, false, &[(Verdict::Stood, 1), (Verdict::SteppedIn, 19)]);
        later.iter_mut().for_each(|one| one.at = Timestamp(one.at.0 + 1_000));
        all.extend(later);
        all.extend(judged("another", Deed::Suggest, false, &[(Verdict::Alike, 1)]));
        let found = report(&all);
        let rows: Vec<_> = found.iter().map(|one| (one.origin.label.as_str(), one.agreed, one.judged)).collect();
        assert_eq!(rows, [("another", 1, 1), ("n", 1, 20)]);
        assert_eq!(found[1].advice, Advice::Suggest);
    }
}
