//! What becomes of offers in a row: looked at whenever it is written.

use std::collections::BTreeMap;

use shared::domain::conversation::{Action, Control, Conversation, OutboxEntry, Progress};
use shared::domain::suggestion::Spent;

use super::notes::{Wanted, standing_pause, wanted};
use super::turns::{Fate, Turned};
use crate::bot::Memory;
use crate::intercom::{Talk, Who, is_bots};

/// An answer that is kept for a teammate to decide on.
#[derive(Debug, Clone, Default)]
pub struct Offer {
    /// The last part that was known when it was made.
    pub born: u64,
    /// Whether it was said to be sent.
    pub accepted: bool,
    /// In which epoch, where the bot got the conversation with it.
    granted: Option<u64>,
    /// The part by which a teammate decided so.
    pub decided: u64,
}

/// The offers of a conversation, by their commands.
pub type Offers = BTreeMap<String, Offer>;

/// By how much clocks may be off, in milliseconds.
const SKEW_MS: u64 = 2_000;

fn seen(state: &Conversation) -> u64 {
    state.seen.part.as_ref().and_then(|part| part.as_str().parse().ok()).unwrap_or(0)
}

/// Checks a row at its save.
pub fn row(
    talk: &Talk,
    memory: &Memory,
    (before, after): (&Conversation, &Conversation),
    now: u64,
    offers: &mut Offers,
    wrong: &mut Vec<String>,
) {
    suggestion(talk, memory, before, after, offers, wrong);
    let fresh = |entry: &&OutboxEntry| entry.seq > before.last_out;
    for entry in after.outbox.iter().filter(fresh) {
        born(memory, before, entry, offers, wrong);
    }
    for entry in &after.outbox {
        let was = before.outbox.iter().find(|other| other.seq == entry.seq);
        let is_claimed = |entry: &OutboxEntry| matches!(entry.progress, Progress::Claimed { .. });
        if is_claimed(entry) && !was.is_some_and(is_claimed) {
            claimed(talk, after, entry, now, wrong);
        }
    }
}

fn suggestion(
    talk: &Talk,
    memory: &Memory,
    before: &Conversation,
    after: &Conversation,
    offers: &mut Offers,
    wrong: &mut Vec<String>,
) {
    let Some(kept) = &after.suggestion else { return };
    let command = kept.command.as_str();
    let was = before.suggestion.as_ref().filter(|was| was.command == kept.command);
    let turned = memory.issued.get(command).and_then(|issued| issued.turned.as_ref());
    if was.is_none() {
        let fits = matches!(
            (turned.map(|turned| turned.fate), kept.shadow),
            (Some(Fate::Offered), false) | (Some(Fate::Hidden), true)
        );
        if !fits {
            wrong.push(format!("{command} is kept for teammates (tried out: {}), and is {turned:?}", kept.shadow));
        }
        offers.insert(command.to_owned(), Offer { born: seen(after), ..Offer::default() });
    }
    let was_spent = was.and_then(|was| was.spent);
    if (was_spent, kept.spent) == (Some(Spent::Sent), Some(Spent::Dismissed)) {
        taken_back(talk, before, after, command, offers, wrong);
        return;
    }
    if was_spent.is_some() && was_spent != kept.spent {
        wrong.push(format!("offer {command} was {was_spent:?}, and is {:?}", kept.spent));
    }
    if kept.spent != Some(Spent::Sent) || was_spent == kept.spent {
        return;
    }
    let Some(offer) = offers.get_mut(command) else { return };
    offer.accepted = true;
    offer.granted = (after.control == Control::Bot && before.control != Control::Bot).then_some(after.epoch);
    let choices = turned.map_or(1, |turned| turned.choices);
    let wanted = wanted_by(talk, offer.born, seen(after), choices);
    offer.decided = wanted.unwrap_or(0);
    if kept.shadow || wanted.is_none() {
        wrong.push(format!(
            "offer {command}, made at part {}, is sent at {}, and nobody decided so",
            offer.born,
            seen(after)
        ));
    }
}

/// What was to be sent is dismissed: a teammate wants it so, and it was not begun.
fn taken_back(
    talk: &Talk,
    before: &Conversation,
    after: &Conversation,
    command: &str,
    offers: &mut Offers,
    wrong: &mut Vec<String>,
) {
    let is_of_it = |entry: &&OutboxEntry| entry.accepted.as_ref().is_some_and(|of| of.command.as_str() == command);
    let begun = |entry: &OutboxEntry| !matches!(entry.progress, Progress::Pending { .. });
    let decided = offers.get(command).map_or(0, |offer| offer.decided);
    let asked = talk
        .parts
        .iter()
        .any(|part| part.id >= decided && part.id <= seen(after) && wanted(part) == Some(Wanted::Dismiss));
    if !asked || before.outbox.iter().filter(is_of_it).any(begun) || after.outbox.iter().any(|entry| is_of_it(&entry)) {
        wrong.push(format!("offer {command} was to be sent, and is dismissed at {}: asked for: {asked}", seen(after)));
    }
    if let Some(offer) = offers.get_mut(command) {
        (offer.accepted, offer.granted) = (false, None);
    }
}

/// The part by which a teammate wants an offer sent, before anybody else writes, closes or dismisses it. What was on the
/// wire of the bot's own when it was made spoils nothing.
fn wanted_by(talk: &Talk, born: u64, until: u64, choices: usize) -> Option<u64> {
    for part in talk.parts.iter().filter(|part| part.id > born && part.id <= until) {
        let gives = part.who.is_person() && part.to.as_ref().is_some_and(is_bots);
        match wanted(part) {
            Some(Wanted::Take) => return Some(part.id),
            Some(Wanted::Send(number)) if (1..=choices).contains(&number) => return Some(part.id),
            Some(Wanted::Dismiss) => return None,
            _ if gives => return Some(part.id),
            _ if part.kind == "close" && part.who != Who::Bot => return None,
            _ if part.is_seen() && (part.who.is_person() || part.who == Who::Customer) => {
                return None;
            }
            _ => {}
        }
    }
    None
}

/// What is put on its way to the customer may be said.
fn born(memory: &Memory, before: &Conversation, entry: &OutboxEntry, offers: &Offers, wrong: &mut Vec<String>) {
    let Action::Reply { html, .. } = &entry.action else { return };
    for (command, issued) in &memory.issued {
        let Some(turned) = issued.turned.as_ref().filter(|turned| html.contains(&turned.mark)) else { continue };
        let is_its_own = entry.command.as_ref().is_some_and(|own| own.as_str() == &**command);
        let may = match turned.fate {
            _ if is_its_own => turned.fate == Fate::Said || is_granted(memory, turned, before.epoch, offers),
            Fate::Offered => offers.get(&**command).is_some_and(|offer| offer.accepted),
            _ => false,
        };
        if !may {
            wrong.push(format!("{command} ({turned:?}) is on its way to the customer as entry {}", entry.seq));
        }
    }
}

/// Whether a teammate has given the conversation to the bot for this node.
fn is_granted(memory: &Memory, turned: &Turned, epoch: u64, offers: &Offers) -> bool {
    offers.iter().any(|(command, offer)| {
        let of = memory.issued.get(command.as_str()).and_then(|issued| issued.turned.as_ref());
        offer.granted == Some(epoch) && of.is_some_and(|of| of.root == turned.root)
    })
}

/// Nothing that the customer notices is begun while the bot is to be silent.
fn claimed(talk: &Talk, state: &Conversation, entry: &OutboxEntry, now: u64, wrong: &mut Vec<String>) {
    let leaves = state.outbox.iter().any(|other| matches!(&other.action, Action::Assign { to, .. } if !is_bots(to)));
    if !matches!(entry.action, Action::Reply { .. } | Action::Close { .. } | Action::Snooze { .. }) || leaves {
        return;
    }
    let Some((at, minutes)) = standing_pause(talk, seen(state)) else { return };
    if minutes.is_none_or(|minutes| now + SKEW_MS < at + minutes * 60_000) {
        wrong.push(format!("{} {} is begun although the bot is to be silent", entry.action.as_str(), entry.seq));
    }
}
