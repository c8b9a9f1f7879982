//! What must hold in every scenario, whatever is played. Each finding is a sentence.
//!
//! Judged by what stands in the conversation alone, with a rule of who may speak that is
//! written here anew: the bridge's own is what is tested. Which answer belongs to which message
//! can be told where the customer's words ask for it, as in `[say A]`.

use std::collections::BTreeSet;

use super::cast::Cast;
use super::sight::{Entry, Sight, Voice};

/// How long after a take-over the bot's words may still appear, in seconds: those that were on
/// the wire, or decided before the bridge could have heard of it.
const GRACE_SECONDS: u64 = 6;
/// How a customer asks the demo bot for certain words.
const SAY: &str = "[say ";

/// Who may speak at one point of the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nobody has given it to the bot yet.
    NotMet,
    Bot,
    /// People have it, since that moment.
    People(u64),
}

/// What is wrong for good: more time cannot heal it.
pub(crate) fn broken(sight: &Sight, cast: &Cast, may_repeat: bool) -> Vec<String> {
    let mut findings = spoken_out_of_turn(sight, cast);
    if !may_repeat {
        findings.extend(said_twice(sight));
    }
    findings.extend(out_of_order(sight));
    findings
}

/// What is missing yet.
pub(crate) fn missing(sight: &Sight, cast: &Cast) -> Vec<String> {
    let turns = turns(sight, cast);
    let has_note =
        |from: usize| sight.entries.iter().skip(from).any(|one| one.part_type == "note" && one.voice == Voice::Bot);
    let taken_later = |from: usize| turns.iter().skip(from).any(|turn| matches!(turn, Turn::People(_)));
    let mut findings = Vec::new();
    for (at, entry) in sight.entries.iter().enumerate() {
        if entry.voice != Voice::Customer || !entry.seen_by_customer || entry.text.is_empty() {
            continue;
        }
        let later = || sight.entries.iter().skip(at + 1).filter(|one| one.seen_by_customer);
        let wanted = wanted_words(entry);
        let answered = later().any(|one| match one.voice {
            Voice::Teammate(_) => true,
            Voice::Bot => wanted.is_none_or(|words| one.text == words),
            Voice::Customer | Voice::Workflow | Voice::Fin => false,
        });
        let met = turns.iter().any(|turn| *turn != Turn::NotMet);
        if met && !answered && !taken_later(at) && !has_note(at) {
            findings.push(format!("“{}” was neither answered, nor left to people, nor reported", entry.text));
        }
    }
    findings
}

/// Whose turn it is after each entry.
fn turns(sight: &Sight, cast: &Cast) -> Vec<Turn> {
    let mut turn = Turn::NotMet;
    let mut is_bots = false;
    let mut closed = false;
    let mut after = Vec::with_capacity(sight.entries.len());
    for entry in &sight.entries {
        if entry.part_type == "open" && closed && is_bots {
            turn = Turn::Bot;
        }
        if entry.part_type == "open" || entry.part_type == "assign_and_reopen" {
            closed = false;
        }
        let spoken = entry.seen_by_customer && matches!(entry.voice, Voice::Teammate(_));
        if spoken && turn == Turn::Bot {
            turn = Turn::People(entry.at);
        }
        match entry.assigned_to {
            Some(owner) if cast.is_bots(owner) => {
                is_bots = true;
                turn = if closed { turn } else { Turn::Bot };
            }
            Some(_) => {
                is_bots = false;
                turn = if turn == Turn::Bot { Turn::People(entry.at) } else { turn };
            }
            None => {}
        }
        if entry.part_type == "close" {
            closed = true;
            if turn == Turn::Bot {
                turn = Turn::People(entry.at);
            }
        }
        after.push(turn);
    }
    after
}

fn spoken_out_of_turn(sight: &Sight, cast: &Cast) -> Vec<String> {
    let turns = turns(sight, cast);
    let mut findings = Vec::new();
    for (at, entry) in sight.entries.iter().enumerate().skip(1) {
        // What is said with a hand-over or a close was decided before it.
        let plain = entry.assigned_to.is_none() && entry.part_type != "close";
        if !(entry.is_said_by_bot() && plain) {
            continue;
        }
        if is_asked_for_in_a_note(sight, at) {
            continue;
        }
        match at.checked_sub(1).and_then(|before| turns.get(before)) {
            Some(Turn::NotMet) => {
                findings.push(format!("the bot said “{}” without having the conversation", entry.text))
            }
            Some(Turn::People(since)) if entry.at > since + GRACE_SECONDS => {
                findings.push(format!("the bot said “{}” while people had the conversation", entry.text));
            }
            _ => {}
        }
    }
    findings
}

/// Whether a teammate has the bot say this, by a note, and none has spoken since.
fn is_asked_for_in_a_note(sight: &Sight, at: usize) -> bool {
    let by_teammate = |one: &&Entry| matches!(one.voice, Voice::Teammate(_)) && !one.text.is_empty();
    let last = sight.entries.iter().take(at).rev().find(by_teammate);
    last.is_some_and(|one| one.part_type == "note" && one.text.to_lowercase().starts_with("/bot send"))
}

fn said_twice(sight: &Sight) -> Vec<String> {
    let mut said = BTreeSet::new();
    let mut findings = Vec::new();
    for entry in sight.said_by_bot().filter(|entry| !entry.text.is_empty()) {
        if !said.insert((&entry.text, &entry.files)) {
            findings.push(format!("the bot said “{}” twice", entry.text));
        }
    }
    findings
}

/// The words that were asked for come in the order of the asking.
fn out_of_order(sight: &Sight) -> Vec<String> {
    let wanted = sight.entries.iter().filter(|entry| entry.voice == Voice::Customer).filter_map(wanted_words);
    let places = wanted.filter_map(|words| {
        let place = sight.said_by_bot().position(|entry| entry.text == words)?;
        Some((place, words))
    });
    let places: Vec<(usize, &str)> = places.collect();
    let swapped = places.iter().zip(places.iter().skip(1)).filter(|(before, after)| before.0 > after.0);
    swapped.map(|(before, after)| format!("the bot said “{}” before “{}”", after.1, before.1)).collect()
}

/// The words that a message asks for.
fn wanted_words(entry: &Entry) -> Option<&str> {
    let (_, rest) = entry.text.split_once(SAY)?;
    rest.split_once(']').map(|(words, _)| words)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::cast::Cast;
    use super::super::sight::Sight;
    use super::{broken, missing};

    const BOT: u64 = 1;
    const ALICE: u64 = 2;

    fn cast() -> Cast {
        Cast::for_test(BOT, &[("bot team", 9)], &[("team", 5)])
    }

    /// A conversation of so many (who, what) at the seconds given; the customer begins.
    fn conversation(entries: &[(u64, &str, Value)]) -> Sight {
        let part = |(at, (second, words, more)): (usize, &(u64, &str, Value))| {
            let mut value = json!({"id": at + 100, "body": format!("<p>{words}</p>"), "created_at": second, "part_type": "comment"});
            for (key, one) in more.as_object().unwrap() {
                value[key] = one.clone();
            }
            value
        };
        let parts: Vec<Value> = entries.iter().enumerate().map(part).collect();
        let seen: Vec<Value> =
            parts.iter().filter(|one| one["body"] != "<p></p>" && one["part_type"] != "note").cloned().collect();
        let value = json!({
            "source": {"id": 1, "author": {"type": "lead", "id": "c"}, "body": "<p>Hello [say A]</p>"},
            "conversation_parts": {"conversation_parts": parts},
            "seen_by_customer": ([vec![json!({"id": 1})], seen].concat()),
        });
        Sight::read(&value, &cast())
    }

    fn to_bot() -> Value {
        json!({"part_type": "assignment", "assigned_to": {"type": "team", "id": "9"}, "author": {"type": "admin", "id": ALICE}})
    }

    fn by(id: u64) -> Value {
        json!({"author": {"type": "admin", "id": id}})
    }

    fn customer() -> Value {
        json!({"author": {"type": "lead", "id": "c"}})
    }

    #[test]
    fn a_bot_that_answers_what_it_was_given_is_fine() {
        let sight =
            conversation(&[(1, "", to_bot()), (2, "A", by(BOT)), (3, "And? [say B]", customer()), (4, "B", by(BOT))]);
        assert_eq!(broken(&sight, &cast(), false), [""; 0]);
        assert_eq!(missing(&sight, &cast()), [""; 0]);
    }

    #[test]
    fn words_before_the_conversation_is_the_bots_are_found() {
        let sight = conversation(&[(2, "A", by(BOT))]);
        assert_eq!(broken(&sight, &cast(), false), ["the bot said “A” without having the conversation"]);
    }

    #[test]
    fn words_after_a_persons_are_found_when_they_are_too_late_to_have_crossed() {
        let crossed = conversation(&[(1, "", to_bot()), (2, "I take it", by(ALICE)), (3, "A", by(BOT))]);
        assert_eq!(broken(&crossed, &cast(), false), [""; 0]);
        let late = conversation(&[(1, "", to_bot()), (2, "I take it", by(ALICE)), (12, "A", by(BOT))]);
        assert_eq!(broken(&late, &cast(), false), ["the bot said “A” while people had the conversation"]);
        let back =
            conversation(&[(1, "", to_bot()), (2, "I take it", by(ALICE)), (8, "", to_bot()), (12, "A", by(BOT))]);
        assert_eq!(broken(&back, &cast(), false), [""; 0]);
    }

    #[test]
    fn what_a_teammate_has_the_bot_say_is_no_word_out_of_turn() {
        let note =
            |words: &str| (8, words.to_owned(), json!({"part_type": "note", "author": {"type": "admin", "id": ALICE}}));
        let said = |words: &str, after: &[(u64, &str, Value)]| {
            let (second, words, more) = note(words);
            let people = json!({"part_type": "assignment", "assigned_to": {"type": "team", "id": "5"}, "author": {"type": "admin", "id": BOT}});
            let mut entries = vec![(1, "", to_bot()), (2, "", people), (second, words.as_str(), more)];
            entries.extend(after.iter().cloned());
            entries.push((20, "A", by(BOT)));
            broken(&conversation(&entries), &cast(), false)
        };
        assert_eq!(said("/bot send 1", &[]), [""; 0]);
        let late = ["the bot said “A” while people had the conversation"];
        assert_eq!(said("/bot why", &[]), late);
        assert_eq!(said("/bot send 1", &[(12, "I do it", by(ALICE))]), late, "a teammate has spoken since");
    }

    #[test]
    fn repetitions_and_a_wrong_order_are_found() {
        let sight = conversation(&[
            (1, "", to_bot()),
            (2, "[say B]", customer()),
            (3, "B", by(BOT)),
            (4, "A", by(BOT)),
            (5, "A", by(BOT)),
        ]);
        assert_eq!(broken(&sight, &cast(), false), ["the bot said “A” twice", "the bot said “B” before “A”"]);
    }

    #[test]
    fn a_message_that_nobody_minds_is_found() {
        let sight = conversation(&[(1, "", to_bot()), (2, "Something else", by(BOT))]);
        assert_eq!(
            missing(&sight, &cast()),
            ["“Hello [say A]” was neither answered, nor left to people, nor reported"]
        );
        let note = json!({"part_type": "note", "author": {"type": "admin", "id": BOT}});
        let sight = conversation(&[(1, "", to_bot()), (2, "I could not.", note)]);
        assert_eq!(missing(&sight, &cast()), [""; 0]);
    }
}
