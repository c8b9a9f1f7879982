//! What must hold of answers, offers and notes when everything has come to rest.

use shared::domain::conversation::{Control, Conversation};

use super::notes::{Wanted, standing_pause, wanted};
use super::offers::{Offer, Offers};
use super::turns::{Fate, Turned};
use crate::bot::Memory;
use crate::intercom::{Said, Talk, Who, is_bots};

/// Checks a conversation at rest.
pub fn at_rest(talk: &Talk, state: &Conversation, memory: &Memory, offers: &Offers, wrong: &mut Vec<String>) {
    for (command, issued) in &memory.issued {
        let Some(turned) = &issued.turned else { continue };
        let result = issued.results.first().copied().unwrap_or_default();
        if turned.fate == Fate::Said && result == "ruled" {
            wrong.push(format!("command {command} was left to people, and the rules let it through"));
        }
        shown(talk, command, turned, wrong);
        let sent = talk.parts.iter().filter(|part| is_sent(part, turned)).count();
        let offer = offers.get(&**command).filter(|offer| offer.accepted);
        let least = usize::from(offer.is_some_and(|offer| !is_overtaken(talk, memory, offer)));
        if sent > usize::from(offer.is_some()) || sent < least {
            wrong.push(format!("offer {command} was accepted: {}, and is {sent} times in Intercom", offer.is_some()));
        }
        let told = memory.sent.get(&**command).copied().unwrap_or(0);
        if told > sent || (told < sent && !talk.deleted) {
            wrong.push(format!("offer {command} is {sent} times in Intercom, and the bot heard so {told} times"));
        }
    }
    notes(talk, state, memory, wrong);
    // What is over is over by itself.
    if let Some((_, Some(minutes))) = standing_pause(talk, u64::MAX)
        && state.control != Control::Bot
        && state.bot.is_some()
        && !talk.deleted
    {
        wrong.push(format!("a pause of {minutes} minutes is over, and the row says {:?}", state.control));
    }
}

/// Whether a part says an offer to the customer.
fn is_sent(part: &Said, turned: &Turned) -> bool {
    let unasked = part.made.as_ref().is_some_and(|made| made.command.is_none());
    part.who == Who::Bot && part.is_seen() && unasked && part.text.contains(&turned.mark)
}

/// What is only tried out, or left to people without a word, shows nowhere; an offer in one note.
fn shown(talk: &Talk, command: &str, turned: &Turned, wrong: &mut Vec<String>) {
    // A summary repeats what was said.
    let is_of_it = |part: &&Said| {
        let sums_up = part.text.starts_with("<p>The customer wrote ");
        part.kind == "note" && part.text.contains(&turned.mark) && !sums_up
    };
    let notes = talk.parts.iter().filter(is_of_it).count();
    if notes > usize::from(turned.fate == Fate::Offered) {
        wrong.push(format!("command {command} ({:?}) is in {notes} notes", turned.fate));
    }
}

/// Whether somebody came before an offer that a teammate wanted to be sent, or Intercom refused it. It dies with its
/// epoch, like any reply; but it goes on where the bot gets the conversation while it is on its way.
fn is_overtaken(talk: &Talk, memory: &Memory, offer: &Offer) -> bool {
    let overtakes = |part: &Said| {
        let speaks = part.who.is_person() && part.is_seen();
        let takes_over = part.to.as_ref().is_some_and(|to| !is_bots(to));
        let silences = matches!(wanted(part), Some(Wanted::Pause(_)));
        part.id > offer.decided && (speaks || takes_over || silences || part.kind == "close")
    };
    talk.deleted || memory.unasked_refused || talk.parts.iter().any(overtakes)
}

/// A note is answered once, where the bot has ever had the conversation before.
fn notes(talk: &Talk, state: &Conversation, memory: &Memory, wrong: &mut Vec<String>) {
    for part in &talk.parts {
        let Some(Wanted::Answer(word)) =
            wanted(part).filter(|wanted| matches!(wanted, Wanted::Answer(word) if word.starts_with('x')))
        else {
            continue;
        };
        let quoted = format!("“{word}”");
        let answers = talk.parts.iter().filter(|part| part.who == Who::Bot && part.text.contains(&quoted)).count();
        let had = talk.parts.iter().any(|own| own.who == Who::Bot && own.id < part.id);
        let is_due = had && state.bot.is_some() && !talk.deleted && !memory.unasked_refused;
        if answers > 1 || (is_due && answers == 0) {
            wrong.push(format!("note {} ({word}) has {answers} answers", part.id));
        }
    }
}
