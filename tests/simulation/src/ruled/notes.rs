//! Teammates' notes for the bot, as whoever looks at Intercom reads them; and who had the conversation then.

use shared::domain::part::Assignee;

use crate::intercom::{Face, Said, Talk, is_bots};

/// What a note is to bring about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The bot is silent, for so many minutes.
    Pause(Option<u64>),
    /// The bot has the conversation.
    Take,
    /// An offer is sent.
    Send(usize),
    /// An offer is forgotten.
    Dismiss,
    /// The bot is asked again.
    Retry,
    /// Nothing but an answer, which repeats this word.
    Answer(String),
}

/// What a person's note for the bot wants.
#[must_use]
pub fn wanted(part: &Said) -> Option<Wanted> {
    if part.kind != "note" || !part.who.is_person() {
        return None;
    }
    let words = part.text.strip_prefix("<p>/bot ")?.strip_suffix("</p>")?;
    let (verb, argument) = words.split_once(' ').unwrap_or((words, ""));
    Some(match verb {
        "pause" => Wanted::Pause(argument.parse().ok()),
        "take" | "resume" => Wanted::Take,
        "send" => Wanted::Send(argument.parse().unwrap_or(1)),
        "dismiss" => Wanted::Dismiss,
        "retry" => Wanted::Retry,
        verb => Wanted::Answer(verb.to_owned()),
    })
}

/// Whether the bot had the conversation, open, before a part, as Intercom had it.
#[must_use]
pub fn was_bots(talk: &Talk, before: u64) -> bool {
    let first: Option<&Face> = talk.past_since(0).next().map(|(_, _, face)| face);
    let first = first.is_some_and(|face| {
        let admin = face.admin.clone().map(Assignee::Teammate);
        admin.or_else(|| face.team.clone().map(Assignee::Team)).as_ref().is_some_and(is_bots)
    });
    let (mut bots, mut open) = (first, true);
    for part in talk.parts.iter().take_while(|part| part.id < before) {
        if let Some(to) = &part.to {
            bots = is_bots(to);
        }
        open = match part.kind {
            "close" => false,
            "open" | "assign_and_reopen" => true,
            _ => open,
        };
    }
    bots && open
}

/// The last pause that a person asked for while the bot had the conversation, if nothing has changed that since: when it
/// was asked for, and for how many minutes.
#[must_use]
pub fn standing_pause(talk: &Talk, seen: u64) -> Option<(u64, Option<u64>)> {
    let ends = |part: &&Said| {
        let gives = matches!(wanted(part), Some(Wanted::Take));
        gives || part.to.is_some() || matches!(part.kind, "close" | "open") || (part.who.is_person() && part.is_seen())
    };
    let last_end = talk.parts.iter().rev().find(ends).map_or(0, |part| part.id);
    let is_pause = |part: &&Said| matches!(wanted(part), Some(Wanted::Pause(_)));
    let pause = talk.parts.iter().rev().filter(|part| part.id <= seen).find(is_pause)?;
    let Some(Wanted::Pause(minutes)) = wanted(pause) else { return None };
    (pause.id > last_end && was_bots(talk, pause.id)).then_some((pause.at, minutes))
}
