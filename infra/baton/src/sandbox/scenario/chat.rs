//! A chat on the bot platform as it looks at one moment, and what a step looks for in it.
//!
//! A scenario names its chats as it names its conversations; once people are in a chat, the
//! conversation of that name is the one that was opened for it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::expect::Finding;
use super::script::Deed;
use super::sight::{Sight, Voice};

/// One message, or a line that tells what happened.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) number: u64,
    /// `customer`, `bot`, `teammate`, `workflow` or `event`.
    from: String,
    name: String,
    /// Its words in one line, and its files in square brackets.
    text: String,
    part_id: Option<u64>,
    delivery: String,
    removed: bool,
    /// It had people fetched: its part is not always told.
    starts: bool,
}

/// The chat.
#[derive(Debug, Clone)]
pub(crate) struct ChatSight {
    state: String,
    pub(crate) conversation_id: Option<u64>,
    lines: Vec<Line>,
    /// The values behind the buttons that are offered, by label.
    options: Vec<(String, String)>,
    /// Another one after each change.
    pub(crate) version: u64,
}

impl ChatSight {
    pub(crate) fn read(value: &Value) -> Self {
        let lines: Vec<&Value> = value["messages"].as_array().into_iter().flatten().collect();
        let option = |one: &Value| (words(&one["label"]), words(&one["value"]));
        let options = lines.last().and_then(|line| line["options"].as_array()).into_iter().flatten();
        Self {
            state: words(&value["state"]),
            conversation_id: number(&value["conversation_id"]),
            options: options.map(option).collect(),
            lines: lines.into_iter().map(line).collect(),
            version: value["version"].as_u64().unwrap_or_default(),
        }
    }

    /// The newest message of the customer's with these words.
    pub(crate) fn written(&self, text: &str) -> Option<&Line> {
        self.lines.iter().rev().find(|line| line.from == "customer" && line.text.contains(text))
    }

    /// The value behind a button.
    pub(crate) fn offered(&self, label: &str) -> Option<&str> {
        self.options.iter().find(|(text, _)| text == label).map(|(_, value)| value.as_str())
    }

    /// Whether what a step looks for is there.
    ///
    /// # Errors
    /// What is the case instead.
    pub(crate) fn look(&self, deed: &Deed) -> Finding {
        match deed {
            Deed::ChatShows { chat_shows, times, .. } => {
                let found = self.lines.iter().filter(|line| line.is(chat_shows)).count();
                let is = || format!("{found} of these, not {times}: {}", self.shown());
                if found == *times { Ok(()) } else { Err(is()) }
            }
            Deed::ChatSees { chat_sees, .. } => {
                let seen: Vec<&Line> = self.lines.iter().filter(|line| line.from != "event").collect();
                let fits =
                    seen.len() == chat_sees.len() && seen.iter().zip(chat_sees).all(|(line, wanted)| line.is(wanted));
                let is = || format!("{} message(s), {} were to be: {}", seen.len(), chat_sees.len(), self.shown());
                if fits { Ok(()) } else { Err(is()) }
            }
            Deed::ChatIs { chat_is, .. } if self.state == *chat_is => Ok(()),
            Deed::ChatIs { .. } => Err(format!("it is {}: {}", self.state, self.shown())),
            _ => Ok(()),
        }
    }

    fn shown(&self) -> String {
        let line = |line: &Line| format!("{}{}: “{}”", line.from, line.delivery, line.text);
        self.lines.iter().map(line).collect::<Vec<_>>().join(" | ")
    }

    /// What has not come to its end yet.
    pub(crate) fn missing(&self) -> Vec<String> {
        let waits = self.lines.iter().filter(|line| line.delivery == "sending");
        waits.map(|line| format!("“{}” was neither passed on nor refused", line.text)).collect()
    }

    /// What is wrong for good between this chat and its conversation: what people said is here, each
    /// once and in order, and no note; what was passed on is there, in the same way.
    pub(crate) fn broken(&self, sight: &Sight) -> Vec<String> {
        let mut findings = Vec::new();
        let said = sight
            .entries
            .iter()
            .filter(|entry| entry.seen_by_customer && matches!(entry.voice, Voice::Teammate(_)) && entry.has_content());
        let said: Vec<u64> = said.map(|entry| entry.id).collect();
        let heard: Vec<u64> =
            self.lines.iter().filter(|line| line.from == "teammate").filter_map(|line| line.part_id).collect();
        let heard_here: Vec<u64> = heard.iter().copied().filter(|id| said.contains(id)).collect();
        if heard_here != said {
            findings.push(format!("people said {said:?}, the chat shows {heard_here:?}"));
        }
        let once: BTreeSet<&u64> = heard.iter().collect();
        if once.len() != heard.len() {
            findings.push(format!("the chat shows something twice: {heard:?}"));
        }
        let notes: Vec<&str> = sight.notes().map(|note| note.text.as_str()).filter(|text| text.len() > 12).collect();
        for line in self.lines.iter().filter(|line| line.from != "customer" && !line.text.is_empty()) {
            if sight.notes().any(|note| line.part_id == Some(note.id)) || notes.contains(&line.text.as_str()) {
                findings.push(format!("the chat shows the note “{}”", line.text));
            }
        }
        findings.extend(self.passed_on_wrongly(sight));
        findings
    }

    fn passed_on_wrongly(&self, sight: &Sight) -> Vec<String> {
        let mut findings = Vec::new();
        let by_customer: Vec<_> = sight.entries.iter().filter(|entry| entry.voice == Voice::Customer).collect();
        // The first message is the conversation's own: what opened it tells no part of it.
        let there: Vec<u64> = by_customer.iter().map(|entry| entry.id).skip(1).collect();
        let by_words = |line: &Line| {
            let is_twin = |text: &str| line.starts && !text.is_empty() && same_words(text, &line.text);
            let mut twins = by_customer.iter().filter(|entry| is_twin(&entry.text));
            twins.next_back().map(|entry| entry.id)
        };
        let mine = self.lines.iter().filter(|line| line.from == "customer" && line.delivery != "refused");
        let mine = mine.filter_map(|line| Some((line.part_id.or_else(|| by_words(line))?, line)));
        let mine: Vec<(u64, &Line)> = mine.collect();
        let here: Vec<u64> = mine.iter().map(|(id, _)| *id).filter(|id| there.contains(id)).collect();
        if here != there {
            findings.push(format!("the customer's words in Intercom are {there:?}, those of the chat {here:?}"));
        }
        for (id, line) in mine.iter().filter(|(_, line)| !line.removed) {
            let twin = by_customer.iter().find(|entry| entry.id == *id);
            if twin.is_some_and(|entry| !same_words(&entry.text, &line.text)) {
                findings.push(format!("“{}” came to Intercom as something else", line.text));
            }
        }
        findings
    }
}

impl Line {
    /// Whether it is `role: words in it`. A role is who it is from, or a teammate's name.
    fn is(&self, wanted: &str) -> bool {
        let (role, words) = wanted.split_once(": ").unwrap_or(("", wanted));
        (role.is_empty() || role == self.from || (self.from == "teammate" && role == self.name))
            && self.text.contains(words)
    }
}

/// Files are named differently on either side, and spaces are not words.
fn same_words(there: &str, here: &str) -> bool {
    one_line(here).starts_with(&one_line(there))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn line(value: &Value) -> Line {
    let files = value["files"].as_array().into_iter().flatten().map(|file| format!(" [{}]", words(&file["name"])));
    Line {
        number: value["n"].as_u64().unwrap_or_default(),
        from: words(&value["from"]),
        name: words(&value["name"]),
        text: one_line(&(words(&value["text"]) + &files.collect::<String>())),
        part_id: number(&value["part_id"]),
        delivery: words(&value["delivery"]),
        removed: value["removed"] == Value::Bool(true),
        starts: value["starts"] == Value::Bool(true),
    }
}

fn words(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> Option<u64> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::cast::Cast;
    use super::super::script::Deed;
    use super::super::sight::Sight;
    use super::ChatSight;

    /// A conversation of so many (author, id, words, part type).
    fn conversation(parts: &[(&str, u64, &str, &str)]) -> Sight {
        let part = |(author, id, words, part_type): &(&str, u64, &str, &str)| json!({"id": id, "body": words, "part_type": part_type, "author": {"type": author, "id": 2}});
        let parts: Vec<Value> = parts.iter().map(part).collect();
        let seen: Vec<Value> = parts.iter().filter(|part| part["part_type"] != "note").cloned().collect();
        let value = json!({
            "source": {"id": 1, "author": {"type": "lead", "id": "c"}, "body": "Help"},
            "conversation_parts": {"conversation_parts": parts},
            "seen_by_customer": seen,
        });
        Sight::read(&value, &Cast::for_test(1, &[], &[]))
    }

    fn chat(messages: Value) -> ChatSight {
        ChatSight::read(&json!({"state": "human", "conversation_id": "7", "messages": messages}))
    }

    fn theirs(id: &str, text: &str) -> Value {
        json!({"from": "teammate", "name": "Alice", "text": text, "part_id": id, "files": []})
    }

    fn mine(id: &str, text: &str) -> Value {
        json!({"from": "customer", "text": text, "part_id": id, "files": [], "delivery": "sent"})
    }

    #[test]
    fn what_is_the_same_on_both_sides_is_fine() {
        let sight = conversation(&[
            ("lead", 10, "Hello?", "comment"),
            ("admin", 11, "Hi", "comment"),
            ("admin", 12, "A long note to us all", "note"),
        ]);
        let chat = chat(json!([mine("10", "Hello?"), theirs("11", "Hi")]));
        assert_eq!(chat.broken(&sight), [""; 0]);
        assert_eq!(chat.missing(), [""; 0]);
    }

    #[test]
    fn what_is_lost_doubled_swapped_or_leaked_is_found() {
        let sight = conversation(&[
            ("admin", 11, "One", "comment"),
            ("admin", 12, "Two", "comment"),
            ("admin", 13, "A long note to us all", "note"),
            ("lead", 14, "Yes", "comment"),
        ]);
        let one = |messages| chat(messages).broken(&sight);
        let good = || vec![theirs("11", "One"), theirs("12", "Two"), mine("14", "Yes")];
        assert_eq!(one(json!(good())), [""; 0]);
        assert_eq!(one(json!(&good()[1..])).len(), 1, "lost");
        assert_eq!(one(json!([theirs("12", "Two"), theirs("11", "One"), mine("14", "Yes")])).len(), 1, "swapped");
        assert!(!one(json!([good(), vec![theirs("12", "Two")]].concat())).is_empty(), "doubled");
        assert!(!one(json!([good(), vec![theirs("13", "A long note to us all")]].concat())).is_empty(), "leaked");
        assert_eq!(one(json!(&good()[..2])).len(), 1, "not ours");
        assert_eq!(one(json!([theirs("11", "One"), theirs("12", "Two"), mine("14", "No")])).len(), 1, "garbled");
    }

    #[test]
    fn a_line_is_known_by_whom_it_is_from_and_its_words() {
        let chat = chat(json!([theirs("11", "Hi there"), mine("12", "Thanks")]));
        let shows = |words: &str, times| chat.look(&Deed::ChatShows { chat_shows: words.to_owned(), times, within: 1 });
        assert_eq!(shows("Alice: Hi", 1), Ok(()));
        assert_eq!(shows("teammate: Hi", 1), Ok(()));
        assert_eq!(shows("Bob: Hi", 0), Ok(()));
        assert!(shows("Thanks", 2).unwrap_err().starts_with("1 of these, not 2: teammate: “Hi there”"));
        let is = |state: &str| chat.look(&Deed::ChatIs { chat_is: state.to_owned(), within: 1 });
        assert!(is("human").is_ok() && is("bot").is_err());
    }
}
