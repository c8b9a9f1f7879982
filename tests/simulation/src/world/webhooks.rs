//! What happens in Intercom, and the webhooks that tell of it.

use std::rc::Rc;

use shared::domain::conversation::Action;

use super::{Event, Party, World};
use crate::faults::{Fault, Point};
use crate::intercom::{Deed, Made, Webhook, Who};

impl World {
    /// Which entry the present worker carries out, as the table shows it.
    #[must_use]
    pub fn made_by(&self, party: Party, action: &Action) -> Option<Made> {
        let key = match party {
            Party::Talk(talk) => self.talks[talk].chat.map_or(&self.talks[talk].key, |chat| &self.chats[chat].key),
            Party::Chat(chat) => &self.chats[chat].key,
        };
        let claims = self.workers.get(self.current).map_or(&[][..], |worker| &worker.claims);
        let seq = claims.iter().rev().find(|(held, ..)| held == key).map(|(_, seq, _)| *seq);
        let outbox = &self.rows.get(key)?.state.outbox;
        let entry = outbox.iter().find(|entry| Some(entry.seq) == seq);
        let entry = entry.or_else(|| outbox.iter().find(|entry| entry.action == *action));
        let command = entry.and_then(|entry| entry.command.as_ref()).map(|id| Rc::from(id.as_str()));
        Some(Made { life: self.life, seq: seq.or(entry.map(|entry| entry.seq))?, command })
    }

    /// Somebody acts in Intercom; the number of the part that was made.
    pub fn happens(&mut self, talk: usize, who: Who, deed: &Deed, made: Option<Made>) -> Option<u64> {
        let workspace = usize::from(self.talks[talk].key.app_id.as_str() != "abc123");
        let id = self.parts[workspace] + 1;
        let now = self.now;
        self.tally.replies += u64::from(who == Who::Bot && matches!(deed, Deed::Say(_)));
        let topics = self.talks[talk].happens(who, deed, id, now, made)?;
        let changed = matches!(deed, Deed::Redact | Deed::RedactFirst | Deed::RedactPart(_) | Deed::Delete);
        if !changed {
            self.parts[workspace] = id;
        }
        self.tell(id, |world| {
            format!(
                "Intercom {}: {who:?} {deed:?}{}",
                world.talks[talk].key,
                if changed { String::new() } else { format!(", part {id}") }
            )
        });
        for topic in topics {
            self.notify(talk, topic);
        }
        self.machine_hears(talk, who, deed);
        if self.setting.ruled.is_some() && !changed {
            crate::ruled::teammates::hear(self, talk, id);
        }
        (!changed).then_some(id)
    }

    /// A webhook is sent, with whatever goes wrong on its way.
    pub fn notify(&mut self, talk: usize, topic: &'static str) {
        self.receipts += 1;
        let id = self.receipts;
        let body: Rc<str> = self.talks[talk].notification(topic, id).into();
        let webhook = Webhook { talk, body, id, attempts: 0 };
        if self.manner.remembers {
            self.past.push(webhook.clone());
        }
        let wait = self.wait(50, 900);
        let fault = self.strikes(Point::Deliver);
        match fault {
            Some(Fault::Dropped) => self.talks[talk].missed = true,
            Some(Fault::Held) => self.held.push(webhook),
            Some(Fault::Copies) => {
                let delay = self.manner.delay_ms;
                for copy in 0..self.chance.between(1, 4) {
                    let again = self.wait(1_000, delay);
                    let other = webhook.body.replace(&format!("notif_{id}\""), &format!("notif_{id}x{copy}\""));
                    let body = if copy % 2 == 0 { Rc::clone(&webhook.body) } else { other.into() };
                    self.send(again, Webhook { body, ..webhook.clone() });
                }
                self.send(wait, webhook);
            }
            Some(Fault::Delayed) => {
                let delay = self.manner.delay_ms;
                let wait = self.wait(1_000, delay);
                self.send(wait, webhook);
            }
            Some(Fault::Twice) => {
                let delay = self.manner.delay_ms;
                let again = self.wait(1_000, delay);
                self.send(again, webhook.clone());
                self.send(wait, webhook);
            }
            _ => self.send(wait, webhook),
        }
    }

    /// What is held back goes out, newest first.
    pub(super) fn release(&mut self) {
        let held = std::mem::take(&mut self.held);
        for (position, webhook) in held.into_iter().rev().enumerate() {
            self.send(10 * position as u64, webhook);
        }
    }

    /// All that was ever notified is notified again.
    pub(super) fn repeat(&mut self) {
        for (position, webhook) in self.past.clone().into_iter().enumerate() {
            self.send(20 * position as u64, webhook);
        }
    }

    pub(super) fn send(&mut self, wait: u64, webhook: Webhook) {
        self.webhooks += 1;
        let at = self.hop(self.now + wait);
        self.at(at, Event::Deliver(webhook));
    }

    /// A webhook was answered, or was not: Intercom tries once more after a minute.
    pub fn answered(&mut self, mut webhook: Webhook, ok: bool) {
        self.webhooks -= 1;
        webhook.attempts += 1;
        if ok {
            return;
        }
        if webhook.attempts < 2 {
            self.tell(webhook.id, |_| format!("webhook {} failed, and is sent again in a minute", webhook.id));
            self.send(60_000, webhook);
        } else {
            self.talks[webhook.talk].missed = true;
        }
    }
}
