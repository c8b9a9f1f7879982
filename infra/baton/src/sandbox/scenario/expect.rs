//! What a step looks at: whether it has come true, and if not, how things are instead.

use serde_json::{Value, json};

use super::cast::Cast;
use super::sight::{Entry, Sight, Voice};

/// Nothing when it is true, otherwise what is the case.
pub(crate) type Finding = Result<(), String>;

/// The bot's words as the customer reads them.
pub(crate) fn bot_says(sight: &Sight, words: &str, times: usize) -> Finding {
    let said: Vec<&str> = sight.said_by_bot().map(|entry| entry.text.as_str()).collect();
    counted(said.iter().filter(|text| text.contains(words)).count(), times, &said)
}

pub(crate) fn bot_says_html(sight: &Sight, html: &str) -> Finding {
    let said: Vec<&str> = sight.said_by_bot().map(|entry| entry.html.as_str()).collect();
    counted(said.iter().filter(|text| text.contains(html)).count(), 1, &said)
}

pub(crate) fn bot_sends_file(sight: &Sight, name: &str) -> Finding {
    let files: Vec<&str> = sight.said_by_bot().flat_map(|entry| &entry.files).map(String::as_str).collect();
    counted(files.iter().filter(|file| file.contains(name)).count(), 1, &files)
}

pub(crate) fn note_says(sight: &Sight, words: &str, times: usize) -> Finding {
    let notes: Vec<&str> = sight.notes().map(|entry| entry.text.as_str()).collect();
    counted(notes.iter().filter(|text| text.contains(words)).count(), times, &notes)
}

fn counted(found: usize, wanted: usize, all: &[&str]) -> Finding {
    if found == wanted {
        return Ok(());
    }
    let all: Vec<String> = all.iter().map(|text| format!("“{text}”")).collect();
    Err(format!("{found} of these, not {wanted}: {}", if all.is_empty() { "none".to_owned() } else { all.join(", ") }))
}

/// All that the customer sees, as `role: words in it`.
///
/// # Errors
/// The difference, in words.
pub(crate) fn customer_sees(sight: &Sight, cast: &Cast, lines: &[String]) -> Finding {
    let seen: Vec<&Entry> = sight.entries.iter().filter(|entry| entry.seen_by_customer).collect();
    let fits = |line: &String, entry: &&Entry| {
        let (role, words) = line.split_once(": ").unwrap_or(("", line));
        Ok::<bool, String>(is_by(entry.voice, role, cast)? && entry.text.contains(words))
    };
    let mut all_fit = seen.len() == lines.len();
    for (line, entry) in lines.iter().zip(&seen) {
        all_fit &= fits(line, entry)?;
    }
    if all_fit {
        return Ok(());
    }
    let shown: Vec<String> = seen.iter().map(|entry| format!("{:?}: “{}”", entry.voice, entry.text)).collect();
    Err(format!("the customer sees {} message(s), not {}: {}", seen.len(), lines.len(), shown.join(" | ")))
}

fn is_by(voice: Voice, role: &str, cast: &Cast) -> Result<bool, String> {
    Ok(match role {
        "customer" => voice == Voice::Customer,
        "bot" => voice == Voice::Bot,
        "workflow" => voice == Voice::Workflow,
        "fin" => voice == Voice::Fin,
        other => voice == Voice::Teammate(cast.teammate(other)?),
    })
}

pub(crate) fn owner_is(sight: &Sight, cast: &Cast, role: &str) -> Finding {
    if sight.is_owned_by(cast.find(role)?) {
        return Ok(());
    }
    Err(format!("its teammate is {:?} and its team {:?}", sight.admin_assignee, sight.team_assignee))
}

pub(crate) fn state_is(sight: &Sight, state: &str) -> Finding {
    if sight.state == state { Ok(()) } else { Err(format!("it is {}", sight.state)) }
}

pub(crate) fn tag_is(sight: &Sight, tag: &str) -> Finding {
    if sight.tags.iter().any(|one| one == tag) { Ok(()) } else { Err(format!("its tags are {:?}", sight.tags)) }
}

pub(crate) fn attribute_is(sight: &Sight, name: &str, value: &toml::Value) -> Finding {
    let wanted = json!(value);
    let is = sight.attributes.get(name).unwrap_or(&Value::Null);
    if *is == wanted { Ok(()) } else { Err(format!("it is {is}")) }
}

/// The statuses of some requests or webhooks in order, 0 for none.
pub(crate) fn answered(statuses: &[u16], wanted: &[u16]) -> Finding {
    if statuses == wanted { Ok(()) } else { Err(format!("the answers were {statuses:?}")) }
}
