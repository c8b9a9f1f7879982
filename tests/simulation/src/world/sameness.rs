//! When two worlds are the same: nobody works in either, and from here on the same happens in both,
//! whatever is to go wrong.
//!
//! A world is written down with all that what follows may depend on: the moment, everything that is
//! about to happen, queues, rows, Intercom, and what the checker remembers. Left out is what nothing
//! asks for any more: names of claims, receipts and notifications beyond their being the same, what is
//! counted, when the bot said something, and how a conversation stood before anybody can still be shown.
//! It holds for coarse worlds without trouble, storms and limits, in which nothing is left to chance and
//! the bot answers at once. A test plays on where two worlds are the same, and compares.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use sha1::{Digest as _, Sha1};
use shared::domain::conversation::{Conversation, Progress};
use shared::domain::exchange::AT_ONCE_MS;
use shared::domain::ids::{ClaimId, ConversationKey, Timestamp};

use super::{Event, QueueName, World};
use crate::bot::Memory;
use crate::intercom::{Talk, Webhook, Who};

/// A world as a number.
pub type Digest = u128;

impl World {
    /// Whether something happens by this event, when nobody works.
    #[must_use]
    pub fn is_to_matter(&self, event: &Event) -> bool {
        self.does_matter(self.now, event)
    }

    fn does_matter(&self, at: u64, event: &Event) -> bool {
        match event {
            Event::Poll(_) | Event::Deadline(_) => false,
            Event::Pump(name, look) => self.queues[*name as usize].pump_at == Some((at, *look)),
            _ => true,
        }
    }

    /// This world, in which nobody works and this is about to happen, as a number.
    #[must_use]
    pub fn digest(&self, next: &Event) -> Digest {
        let bytes = Sha1::digest(self.in_words(next));
        bytes.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
    }

    /// The same in words.
    #[must_use]
    pub fn in_words(&self, next: &Event) -> String {
        let mut words = String::with_capacity(8 * 1024);
        // Writing to a text cannot fail.
        let _ = self.write(&mut words, next);
        words
    }

    fn write(&self, words: &mut String, next: &Event) -> std::fmt::Result {
        let mut names = Names::default();
        writeln!(words, "now {} {} parts {:?} life {}", self.now, self.peaceful, self.parts, self.life)?;
        self.write_event(words, self.now, next, &mut names)?;
        let mut to_come: Vec<_> = self.events.iter().map(|entry| entry.0).collect();
        to_come.sort_unstable();
        let mut sweep = matches!(next, Event::Sweep).then_some(self.now);
        for (at, _, slot) in to_come {
            let Some(event) = &self.slots[slot] else { continue };
            if matches!(event, Event::Sweep) {
                sweep = sweep.or(Some(at));
            }
            if self.does_matter(at, event) {
                self.write_event(words, at, event, &mut names)?;
            }
        }
        for name in super::QUEUES {
            self.write_queue(words, name)?;
        }
        for (key, row) in &self.rows {
            let mut state = nameless(&row.state);
            self.forget_moments(key, next, &mut state);
            writeln!(words, "row {key} {state:?}")?;
        }
        for ((talk, life), births) in &self.births {
            let outbox = self.rows.get(&self.talks[*talk].key).map(|row| &row.state.outbox);
            let waits =
                |seq: &u64| *life == self.life && outbox.is_some_and(|all| all.iter().any(|one| one.seq == *seq));
            let births: Vec<_> = births.iter().filter(|(seq, _)| waits(seq)).collect();
            writeln!(words, "births {talk} {births:?}")?;
        }
        for row in &self.inbox_rows {
            write!(words, "kept {} {} {:?} ", row.group, row.body, row.kept_at)?;
            self.write_notification(words, &row.deduplication_id, &mut names)?;
        }
        writeln!(words, "{:?} {:?} {:?} {:?}", self.bookmarks, self.searched, self.healths, self.aside)?;
        // What GET may still show, and a search, which is made by a sweep.
        let now = self.shown_time_of_all();
        let shown_since = now.saturating_sub(self.tick(self.manner.stale_ms.div_ceil(2)));
        let found_since = (sweep.unwrap_or(now) / 1_000 * 1_000).saturating_sub(crate::ports::LAG_MS / 2);
        for (talk, memory) in self.talks.iter().zip(&self.memories) {
            write_talk(words, talk, shown_since.min(found_since))?;
            write_memory(words, memory)?;
        }
        writeln!(words, "{:?} {:?} {}", self.bot_queues, self.held, self.wrong.len())
    }

    /// When the bot's words were there decides only whether a message of the customer's that is still to be heard
    /// of came at once after them; and nothing once the customer has answered them.
    fn forget_moments(&self, key: &ConversationKey, next: &Event, state: &mut Conversation) {
        let Some(talk) = self.talk(key) else { return };
        let seen = state.seen.part.as_ref().and_then(|part| part.as_str().parse().ok()).unwrap_or(0);
        let said = self.talks[talk].parts.iter().filter(|part| part.who == Who::Customer && part.id > seen);
        let to_come = self.events.iter().filter_map(|entry| Some((entry.0.0, self.slots[entry.0.2].as_ref()?)));
        let acts = to_come.chain([(self.now, next)]).filter_map(|(at, event)| match event {
            Event::Act(of, Who::Customer, _) if *of == talk => Some(at),
            _ => None,
        });
        let mut seconds: Vec<u64> = said.map(|part| part.at).chain(acts).map(|at| at / 1_000).collect();
        seconds.sort_unstable();
        let exchange = &mut state.exchange;
        let (first, last) = (exchange.first_there.0 / 1_000, exchange.last_there.0 + AT_ONCE_MS);
        let (mut after, mut soon) = (0, 0);
        for second in seconds.into_iter().filter(|_| exchange.first.is_some()) {
            after = after << 1 | u64::from(first <= second + 1);
            soon = soon << 1 | u64::from(second * 1_000 <= last);
        }
        (exchange.first_there, exchange.last_there) = (Timestamp(after), Timestamp(soon));
    }

    fn write_event(&self, words: &mut String, at: u64, event: &Event, names: &mut Names) -> std::fmt::Result {
        let Event::Deliver(Webhook { talk, body, id, attempts }) = event else {
            return match event {
                Event::Pump(name, _) => writeln!(words, "{at} {name:?}"),
                event => writeln!(words, "{at} {event:?}"),
            };
        };
        let name = format!("notif_{id}");
        let body = body.replace(&name, "notif");
        write!(words, "{at} webhook {talk} {attempts} {body} ")?;
        self.write_notification(words, &name, names)
    }

    /// The same notification twice is one, and one that the inbox has is dropped.
    fn write_notification(&self, words: &mut String, name: &str, names: &mut Names) -> std::fmt::Result {
        let known = self.queues[QueueName::Inbox as usize].ids(self.now).find(|(_, id, ..)| *id == name);
        let known = known.map(|(_, _, put_at, _)| put_at);
        writeln!(words, "{} {known:?} {}", names.of(name), self.is_durable(name))
    }

    fn write_queue(&self, words: &mut String, name: QueueName) -> std::fmt::Result {
        let queue = &self.queues[name as usize];
        writeln!(words, "{name:?} {:?}", queue.overtaken)?;
        for (place, message) in
            queue.messages().map(|message| ("", message)).chain(queue.dead.iter().map(|dead| ("dead", dead)))
        {
            let hidden = message.hidden_until.max(self.now);
            let (sender, beside, received) = (message.sender, &message.beside, message.received);
            writeln!(words, "{place} {} {sender} {beside:?} {received} {hidden} {}", message.group, message.body)?;
        }
        let may_come = |(group, id, _, answers): &(&Rc<str>, &str, u64, Option<&str>)| {
            !id.starts_with("notif_") && self.may_come_again(group, id, *answers)
        };
        let mut known: Vec<_> = queue.ids(self.now).filter(may_come).collect();
        known.sort_unstable();
        writeln!(words, "{known:?}")
    }

    /// Whether anything may be put under this id once more: a wake for an event or action that waits, or for
    /// what is due; a command that answers an event which waits.
    fn may_come_again(&self, group: &str, id: &str, answers: Option<&str>) -> bool {
        let Some(row) = group.parse().ok().and_then(|key| self.rows.get(&key)) else { return true };
        let number = |text: &str| text.parse::<u64>().ok();
        let waits = |seq| row.state.events.iter().any(|event| event.seq == seq) || seq > row.state.last_event;
        if let Some(seq) = answers.and_then(|event| number(event.rsplit('_').next()?)) {
            return waits(seq);
        }
        let about = id.rsplit('#').next().unwrap_or_default();
        if let Some(seq) = about.strip_prefix("event").and_then(number) {
            return waits(seq);
        }
        if let Some(seq) = about.strip_prefix("action").and_then(number) {
            return row.state.outbox.iter().any(|entry| entry.seq == seq) || seq > row.state.last_out;
        }
        if let Some(minute) = about.strip_prefix("sweep").and_then(number) {
            return minute >= self.now / 60_000;
        }
        true
    }
}

/// Notifications in the order in which they come.
#[derive(Debug, Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    fn of(&mut self, name: &str) -> usize {
        let next = self.0.len();
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

/// So many words of the bot's, and rounds with it, are too few to go in circles, with those that the play has
/// yet to come.
const FEW: usize = 5;

/// A row without the names of claims, and without what is only told to teammates who ask.
fn nameless(state: &Conversation) -> Conversation {
    let mut state = state.clone();
    state.stand = None;
    let exchange = &mut state.exchange;
    if exchange.said.len() < FEW && exchange.rounds < FEW as u32 {
        // They are counted, and nobody asks for the moments before there are many.
        exchange.said.iter_mut().for_each(|said| *said = Timestamp(0));
        exchange.rounds_since = Timestamp(0);
    }
    for entry in &mut state.outbox {
        if let Progress::Claimed { claim, .. } = &mut entry.progress
            && let Ok(name) = ClaimId::parse("c")
        {
            *claim = name;
        }
    }
    state
}

fn write_talk(words: &mut String, talk: &Talk, since: u64) -> std::fmt::Result {
    let second = talk.updated_second();
    writeln!(words, "{} {} {} {second} {:?}", talk.first_redacted, talk.deleted, talk.missed, talk.face)?;
    for part in &talk.parts {
        let at = (part.who != Who::Bot).then_some(part.at);
        writeln!(
            words,
            "{} {} {:?} {:?} {:?} {} {at:?} {:?}",
            part.id, part.kind, part.who, part.text, part.to, part.redacted, part.made
        )?;
    }
    for (ended, count, face) in talk.past_since(since) {
        writeln!(words, "{} {count} {face:?}", ended.div_ceil(1_000))?;
    }
    Ok(())
}

fn write_memory(words: &mut String, memory: &Memory) -> std::fmt::Result {
    // Notes and offers there are only under rules, and schedules have none.
    let Memory { events, last, life, known, messages, last_message, stretch, issued, refused, .. } = memory;
    writeln!(
        words,
        "{events:?} {last:?} {life} {known:?} {messages:?} {last_message:?} {stretch:?} {issued:?} {refused:?}"
    )
}
