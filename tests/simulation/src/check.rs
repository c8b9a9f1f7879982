//! What must hold: at every save, at every request, and when everything has come to rest.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use shared::domain::conversation::{Control, Conversation, Lane, OutboxEntry, Progress};
use shared::domain::part::Assignee;

use crate::bot::Memory;
use crate::intercom::{Talk, Who, is_bots};

/// The largest row that is taken for bounded, in bytes: what DynamoDB takes.
pub const MAX_ROW_BYTES: usize = 400 * 1024;

fn part_number(state: &Conversation) -> u64 {
    state.seen.part.as_ref().and_then(|part| part.as_str().parse().ok()).unwrap_or(0)
}

/// Where an outbox entry began: what of the conversation was known then.
pub type Births = BTreeMap<u64, u64>;

/// Checks a row at its save. A row that was lost begins another life.
pub fn row(
    talk: &Talk,
    memory: &Memory,
    before: &Conversation,
    after: &Conversation,
    (births, life): (&mut Births, u32),
    wrong: &mut Vec<String>,
) {
    if after.epoch < before.epoch || after.last_event < before.last_event || after.last_out < before.last_out {
        wrong.push("a number of the row went back".to_owned());
    }
    if after.seen.part < before.seen.part {
        wrong.push("the watermark went back".to_owned());
    }
    let numbers: Vec<u64> = after.events.iter().map(|event| event.seq).collect();
    if numbers.windows(2).any(|pair| pair[1] != pair[0] + 1) {
        wrong.push(format!("events are not numbered without gaps: {numbers:?}"));
    }
    let seen = part_number(after);
    for entry in &after.outbox {
        if let Entry::Vacant(birth) = births.entry(entry.seq) {
            birth.insert(seen);
            born(memory, before, entry, wrong);
        }
        let was = before.outbox.iter().find(|other| other.seq == entry.seq);
        if claim_of(entry).is_some() && was.and_then(claim_of) != claim_of(entry) {
            let said_for_people = memory.is_offered(entry);
            claimed(talk, after, entry, (births.get(&entry.seq).copied().unwrap_or(seen), said_for_people), wrong);
        }
        let known = |id: u64| after.own_parts.iter().any(|own| own.as_str() == id.to_string());
        let made = |part: &&crate::intercom::Said| {
            part.made.as_ref().is_some_and(|made| (made.life, made.seq) == (life, entry.seq))
        };
        let proves = entry.action.adds_a_message() || entry.action.lane() == Lane::Close;
        if proves && talk.parts.iter().filter(made).any(|part| known(part.id)) {
            wrong.push(format!("entry {} is known to be in Intercom, and still waits", entry.seq));
        }
    }
}

/// What a bot decided in an epoch that is over, or after its own hand-over, is not taken up.
fn born(memory: &Memory, before: &Conversation, entry: &OutboxEntry, wrong: &mut Vec<String>) {
    let Some(command) = &entry.command else { return };
    let issued = memory.issued.get(command.as_str()).filter(|_| {
        // Closing what is closed already is no harm.
        entry.action.dies_with_its_epoch() && entry.action.lane() != Lane::Close
    });
    if let Some(epoch) = issued.map(|issued| issued.epoch).filter(|epoch| *epoch != before.epoch) {
        wrong.push(format!("command {command} of epoch {epoch} is taken up in epoch {}", before.epoch));
    }
    let known = memory.issued.get(command.as_str()).map_or(u64::MAX, |issued| issued.seq);
    if entry.action.lane() == Lane::Close && known < before.last_message {
        wrong.push(format!("close {command} is taken up although the bot was told of a message since: {known}"));
    }
    let is_its_own = |other: &OutboxEntry| other.command.as_ref() == Some(command);
    // One of an epoch before was overtaken: somebody has given the conversation to the bot since.
    let hands_over = |other: &&OutboxEntry| {
        let stands = other.epoch == before.epoch && !is_its_own(other);
        stands && other.command.is_some() && other.action.as_str() == "assign"
    };
    if entry.action.as_str() == "reply" && before.outbox.iter().any(|other| hands_over(&other)) {
        wrong.push(format!("command {command} is taken up after the bot handed over"));
    }
}

fn claim_of(entry: &OutboxEntry) -> Option<&str> {
    match &entry.progress {
        Progress::Claimed { claim, .. } => Some(claim.as_str()),
        _ => None,
    }
}

/// Nothing that the customer notices is begun after a take-over that the row knows of. What a teammate has sent of what
/// the bot offered is people's word already: to whom of them the conversation is assigned takes nothing over.
fn claimed(
    talk: &Talk,
    state: &Conversation,
    entry: &OutboxEntry,
    (born, said_for_people): (u64, bool),
    wrong: &mut Vec<String>,
) {
    if !entry.action.dies_with_its_epoch() {
        return;
    }
    if entry.epoch != state.epoch {
        wrong.push(format!("entry {} of epoch {} is claimed in epoch {}", entry.seq, entry.epoch, state.epoch));
    }
    let seen = part_number(state);
    let overtakes = talk.parts.iter().filter(|part| part.id > born && part.id <= seen).find(|part| {
        let opens = entry.action.as_str() == "open";
        let takes =
            (!opens && !said_for_people && part.to.as_ref().is_some_and(|to| !is_bots(to))) || part.kind == "close";
        let speaks = part.who.is_person() && part.is_seen() && !opens && entry.action.as_str() != "assign";
        part.who != Who::Bot && (takes || speaks)
    });
    let told = state.told.part.as_ref().and_then(|part| part.as_str().parse().ok()).unwrap_or(0);
    let asks = |part: &&crate::intercom::Said| {
        part.who == Who::Customer && part.is_seen() && part.id > born && part.id <= told.min(seen)
    };
    if let (Lane::Close, Some(part)) = (entry.action.lane(), talk.parts.iter().find(asks)) {
        wrong.push(format!("close {} is begun although the bot was told of part {} since", entry.seq, part.id));
    }
    if let Some(part) = overtakes {
        wrong.push(format!(
            "{} {} is begun although part {} took the conversation over before",
            entry.action.as_str(),
            entry.seq,
            part.id
        ));
    }
}

/// Checks a conversation, its row and what the bot knows of it, at rest, after its row was lost so many
/// times.
pub fn at_rest(talk: &Talk, state: &Conversation, memory: &Memory, lives: u32, wrong: &mut Vec<String>) {
    seats(talk, wrong);
    if !state.outbox.is_empty() || state.backlog() > 0 {
        wrong.push(format!("at rest {} actions and {} events still wait", state.outbox.len(), state.backlog()));
    }
    for (id, issued) in &memory.issued {
        // With a row its memory of commands is lost: one that is given again after that is refused, not done.
        let again = lives > 0 && matches!(issued.results[..], [_, "rejected" | "superseded"]);
        if issued.results.len() != 1 && !again {
            wrong.push(format!("command {id} ({}) has these results: {:?}", issued.kind, issued.results));
        }
    }
    for id in &memory.refused {
        let issued = memory.issued.get(id).map(|issued| issued.kind);
        wrong.extend(issued.is_none().then(|| format!("command {id} was refused, and nobody gave it")));
    }
    for (id, issued) in memory.issued.iter().filter(|(_, issued)| matches!(issued.kind, "reply" | "note")) {
        if issued.results.first() == Some(&"rejected") && !issued.odd && !memory.refused.contains(id) && !talk.deleted {
            wrong.push(format!("command {id} was called refused, and Intercom did not refuse it"));
        }
    }
    conservation(talk, state, memory, wrong);
}

/// Checks that all that Baton says is said once, and all that it says it said.
pub fn said_once(talk: &Talk, memory: &Memory, wrong: &mut Vec<String>) {
    sent_once(talk, wrong);
    let words = |id: &str| {
        talk.parts
            .iter()
            .filter(|part| part.made.as_ref().is_some_and(|made| made.command.as_deref() == Some(id)))
            .count()
    };
    for (id, issued) in memory.issued.iter().filter(|(_, issued)| matches!(issued.kind, "reply" | "note")) {
        let expected = usize::from(issued.results.first() == Some(&"done"));
        // What was on the wire when it was deleted counts as overtaken: nobody can look any more.
        if words(id) != expected && !(talk.deleted && words(id) == 1) {
            wrong.push(format!("command {id} ({}) is {:?}, and made {} parts", issued.kind, issued.results, words(id)));
        }
    }
}

/// What a bot answered at once to one event is in Intercom in the order of the answer, unless a
/// part of the answer was given up while the rest was not: that one is put back behind the others.
pub fn answers_in_order(talk: &Talk, overtaken: &[Rc<str>], wrong: &mut Vec<String>) {
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for part in talk.parts.iter().filter(|part| part.to.is_none()) {
        let command = part.made.as_ref().and_then(|made| made.command.as_deref());
        let Some((event, position)) = command.and_then(|id| id.rsplit_once('/')) else { continue };
        let position = position.parse().unwrap_or(0);
        if overtaken.iter().any(|body| body.contains(&format!("\"{event}/"))) {
            continue;
        }
        let before = last.insert(event, position).unwrap_or(0);
        if before > position {
            wrong.push(format!("answer {position} to {event} is in Intercom after answer {before}"));
        }
    }
}

/// Each action made at most one part, and the parts are in the actions' order.
fn sent_once(talk: &Talk, wrong: &mut Vec<String>) {
    let mut made = BTreeSet::new();
    let mut last = (0, 0);
    for part in &talk.parts {
        let Some(by) = &part.made else { continue };
        if part.to.is_none() && !made.insert((by.life, by.seq)) {
            wrong.push(format!("action {} is twice in Intercom: {:?}", by.seq, part.text));
        }
        // The second request of a hand-over, which leaves the seat, may come late; who loses by it gets it back.
        let is_second = part.to == Some(Assignee::Nobody);
        if (by.life, by.seq) < last && !is_second {
            wrong.push(format!("action {} is in Intercom after action {}", by.seq, last.1));
        }
        last = last.max((by.life, by.seq));
    }
}

/// A teammate who has taken the seat keeps it, or gets it back when a request of ours has emptied it;
/// unless somebody has assigned or closed it since.
fn seats(talk: &Talk, wrong: &mut Vec<String>) {
    let mut seat = None;
    let mut emptied = None;
    for part in &talk.parts {
        let ours = part.who == Who::Bot;
        if part.kind == "close" && !ours {
            emptied = None;
        }
        let Some(to) = &part.to else { continue };
        if ours && matches!(to, Assignee::Team(_)) {
            continue; // leaves the seat alone
        }
        let was = seat.replace(to.clone());
        let persons = was.filter(|was| matches!(was, Assignee::Teammate(_)) && !is_bots(was));
        emptied = persons.filter(|_| ours && *to == Assignee::Nobody).map(|person| (part.id, person));
    }
    if let (Some((part, person)), false) = (emptied, talk.deleted) {
        wrong.push(format!("part {part} took the seat from {person:?}, who did not get it back"));
    }
}

/// Every message of the customer is known to the bot, or left to people.
fn conservation(talk: &Talk, state: &Conversation, memory: &Memory, wrong: &mut Vec<String>) {
    if talk.deleted {
        return;
    }
    let closed_by_bot =
        talk.parts.iter().rev().find(|part| part.kind == "close").is_some_and(|part| part.who == Who::Bot);
    let bots = is_bots(&owner(talk));
    let agrees = match state.control {
        _ if state.bot.is_none() => !bots || !talk.face.open,
        // One that is only watched is the bot's to answer before it is given to it.
        Control::Bot => (bots || state.away) && (talk.face.open || closed_by_bot),
        Control::Paused => bots && talk.face.open,
        Control::Human => !bots && talk.face.open,
        Control::Closed => !talk.face.open,
    };
    if !agrees {
        wrong.push(format!(
            "Intercom says {:?} and open={}, the row says {:?}",
            owner(talk),
            talk.face.open,
            state.control
        ));
    }
    let last_person = talk.parts.iter().rev().find(|part| {
        part.who != Who::Bot && (part.who.is_person() && (part.is_seen() || part.kind == "close"))
            || part.to.as_ref().is_some_and(|to| !is_bots(to))
    });
    let answered = last_person.map_or(0, |part| part.id);
    let left_to_people = match state.control {
        Control::Bot => false,
        Control::Closed => !closed_by_bot,
        Control::Paused | Control::Human => true,
    };
    if left_to_people || state.bot.is_none() {
        return;
    }
    let knows = |id: &u64| memory.known.contains(id);
    let parts = talk.parts.iter().filter(|part| part.who == Who::Customer && part.is_seen()).map(|part| part.id);
    let first = (!talk.first_redacted).then_some(0);
    for id in first.into_iter().chain(parts).filter(|id| *id >= answered && !knows(id)) {
        wrong.push(format!("message {id} was neither told to the bot nor left to people"));
    }
}

fn owner(talk: &Talk) -> shared::domain::part::Assignee {
    talk.parts.iter().rev().find_map(|part| part.to.clone()).unwrap_or_else(|| talk.shown(0, 0, 0).assignee)
}
