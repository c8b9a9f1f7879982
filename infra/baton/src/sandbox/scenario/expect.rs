//! What a step looks at: whether it has come true, and if not, how things are instead.

use serde_json::{Value, json};

use super::cast::Cast;
use super::script::Deed;
use super::sight::{Entry, Sight, Voice};

/// Nothing when it is true, otherwise what is the case.
pub(crate) type Finding = Result<(), String>;

/// How long a step waits for something that is seen in the conversation, in seconds; none for
/// a step that looks at nothing there.
pub(crate) fn patience(deed: &Deed) -> Option<u64> {
    match deed {
        Deed::BotSays { within, .. }
        | Deed::BotSaysHtml { within, .. }
        | Deed::BotSendsFile { within, .. }
        | Deed::CustomerSees { within, .. }
        | Deed::NoteSays { within, .. }
        | Deed::FileIs { within, .. }
        | Deed::ChatShows { within, .. }
        | Deed::ChatSees { within, .. }
        | Deed::ChatIs { within, .. }
        | Deed::OwnerIs { within, .. }
        | Deed::StateIs { within, .. }
        | Deed::TagIs { within, .. }
        | Deed::AttributeIs { within, .. } => Some(*within),
        _ => None,
    }
}

/// Whether what a step looks for in the conversation is there.
///
/// # Errors
/// What is the case instead.
pub(crate) fn look(deed: &Deed, sight: &Sight, cast: &Cast) -> Finding {
    match deed {
        Deed::BotSays { bot_says, times, .. } => {
            counted(sight.said_by_bot().map(|entry| entry.text.as_str()), bot_says, *times)
        }
        Deed::BotSaysHtml { bot_says_html, .. } => {
            counted(sight.said_by_bot().map(|entry| entry.html.as_str()), bot_says_html, 1)
        }
        Deed::BotSendsFile { bot_sends_file, .. } => {
            counted(sight.said_by_bot().flat_map(|entry| &entry.files).map(String::as_str), bot_sends_file, 1)
        }
        Deed::NoteSays { note_says, times, .. } => {
            counted(sight.notes().map(|entry| entry.text.as_str()), note_says, *times)
        }
        Deed::CustomerSees { customer_sees: lines, .. } => customer_sees(sight, cast, lines),
        Deed::FileIs { file_is, .. } => {
            counted(sight.entries.iter().flat_map(|entry| &entry.files).map(String::as_str), file_is, 1)
        }
        Deed::OwnerIs { owner_is, .. } => {
            let is = format!("its teammate is {:?} and its team {:?}", sight.admin_assignee, sight.team_assignee);
            holds(sight.is_owned_by(cast.find(owner_is)?), is)
        }
        Deed::StateIs { state_is, .. } => holds(sight.state == *state_is, format!("it is {}", sight.state)),
        Deed::TagIs { tag_is, .. } => holds(sight.tags.contains(tag_is), format!("its tags are {:?}", sight.tags)),
        Deed::AttributeIs { attribute_is, value, .. } => {
            let is = sight.attributes.get(attribute_is).unwrap_or(&Value::Null);
            holds(*is == json!(value), format!("it is {is}"))
        }
        _ => Ok(()),
    }
}

/// The statuses of some requests or webhooks in order, 0 for none.
pub(crate) fn answered(statuses: &[u16], wanted: &[u16]) -> Finding {
    holds(statuses == wanted, format!("the answers were {statuses:?}"))
}

fn holds(is_so: bool, is: String) -> Finding {
    if is_so { Ok(()) } else { Err(is) }
}

fn counted<'a>(all: impl Iterator<Item = &'a str>, words: &str, times: usize) -> Finding {
    let all: Vec<&str> = all.collect();
    let found = all.iter().filter(|text| text.contains(words)).count();
    let shown: Vec<String> = all.iter().map(|text| format!("“{text}”")).collect();
    let shown = if shown.is_empty() { "none".to_owned() } else { shown.join(", ") };
    holds(found == times, format!("{found} of these, not {times}: {shown}"))
}

/// All that the customer sees, as `role: words in it`.
///
/// # Errors
/// The difference, in words.
pub(crate) fn customer_sees(sight: &Sight, cast: &Cast, lines: &[String]) -> Finding {
    let seen: Vec<&Entry> = sight.entries.iter().filter(|entry| entry.seen_by_customer).collect();
    let mut fits = seen.len() == lines.len();
    for (line, entry) in lines.iter().zip(&seen) {
        let (role, words) = line.split_once(": ").unwrap_or(("", line));
        fits &= is_by(entry.voice, role, cast)? && entry.text.contains(words);
    }
    let shown: Vec<String> = seen.iter().map(|entry| format!("{:?}: “{}”", entry.voice, entry.text)).collect();
    let shown = shown.join(" | ");
    holds(fits, format!("the customer sees {} message(s), {} were to be: {shown}", seen.len(), lines.len()))
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
