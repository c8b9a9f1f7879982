//! The queues, their mappings, and what is dead.

use std::rc::Rc;

use shared::domain::conversation::Progress;
use shared::lambda::batch::{BatchAnswer, Beside, SqsBatch, SqsRecord};
use shared::wire::passed_on;

use super::{Event, QueueName, Row, World, cut};
use crate::bot;
use crate::faults::{Fault, Point};
use crate::mutants::Mutant;
use crate::queue::{Message, Queue};

impl World {
    /// A queue.
    pub fn queue(&mut self, name: QueueName) -> &mut Queue {
        &mut self.queues[name as usize]
    }

    /// Puts a message on a queue, unless it is there under the same id.
    pub fn put(&mut self, name: QueueName, group: &str, id: String, body: String, sender: &'static str) {
        self.put_beside(name, group, id, body, sender, Default::default());
    }

    /// Puts a message with what its sender writes beside it.
    pub fn put_beside(
        &mut self,
        name: QueueName,
        group: &str,
        id: String,
        body: String,
        sender: &'static str,
        beside: [Rc<str>; 2],
    ) {
        let group: Rc<str> =
            if self.mutant == Some(Mutant::NoMessageGroups) { id.as_str().into() } else { group.into() };
        let (id, body) = self
            .mutant
            .map_or_else(|| (id.clone(), body.clone()), |mutant| mutant.spoils_message(id.clone(), body.clone()));
        let now = self.now;
        if name == QueueName::Inbox {
            self.is_kept(&id);
        }
        if self.queue(name).is_known(&group, id, &body, now) {
            self.tell(2, |_| format!("{name:?}: {group} has it already"));
            return;
        }
        self.receipts += 1;
        let number = self.receipts;
        self.tell(bot::hash(&body), |_| format!("{name:?} gets for {group}: {}", cut(&body)));
        let body = body.into();
        let message = Message { number, group, body, sender, beside, received: 0, hidden_until: 0, receipt: 0 };
        self.queue(name).push(message);
        self.pump_soon(name);
    }

    pub(super) fn pump_soon(&mut self, name: QueueName) {
        let at = self.now + self.wait(5, 60);
        self.pump_at(name, at);
    }

    /// Lets a queue's mapping look then, if it would not look sooner.
    pub(super) fn pump_at(&mut self, name: QueueName, at: u64) {
        let at = self.hop(at.max(self.now + 1));
        let queue = self.queue(name);
        if queue.pump_at.is_none_or(|(known, _)| known > at) {
            self.receipts += 1;
            let look = self.receipts;
            self.queue(name).pump_at = Some((at, look));
            self.at(at, Event::Pump(name, look));
        }
    }

    /// The mapping looks: a batch, where there is one.
    pub fn receive(&mut self, name: QueueName, look: u64) -> Option<SqsBatch> {
        let now = self.now;
        let queue = &mut self.queues[name as usize];
        if queue.pump_at != Some((now, look)) {
            return None; // it looks sooner, or has looked
        }
        queue.pump_at = None;
        let messages = queue.receive(now, &mut self.receipts);
        self.look_again(name);
        if messages.is_empty() {
            return None;
        }
        let numbers: Vec<u64> = messages.iter().map(|message| message.number).collect();
        self.tell(numbers[0], |_| format!("{name:?} hands over {numbers:?}"));
        let record = |message: &Message| SqsRecord {
            message_id: message.number.to_string(),
            receipt_handle: message.receipt.to_string(),
            body: message.body.to_string(),
            attributes: [
                ("MessageGroupId", message.group.to_string()),
                ("SenderId", message.sender.to_owned()),
                ("ApproximateReceiveCount", message.received.to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
            message_attributes: [passed_on::SENDERS, passed_on::REPLAY]
                .into_iter()
                .zip(&message.beside)
                .map(|(name, text)| (name.to_owned(), Beside { string_value: Some(text.to_string()) }))
                .collect(),
        };
        Some(SqsBatch { records: messages.iter().map(record).collect() })
    }

    pub(super) fn look_again(&mut self, name: QueueName) {
        if let Some(at) = self.queue(name).next_visible() {
            self.pump_at(name, at);
        }
    }

    /// An invocation ended with this answer: what it handled is deleted.
    pub fn finish(&mut self, name: QueueName, batch: &SqsBatch, answer: &BatchAnswer) {
        let fault = self.strikes(Point::Finish);
        if fault == Some(Fault::DiesBefore) {
            return;
        }
        let everything = self.mutant == Some(Mutant::FailuresAcknowledged);
        let mut given_again = fault == Some(Fault::GivenAgain);
        for record in &batch.records {
            let failed = answer.batch_item_failures.iter().any(|failure| failure.item_identifier == record.message_id);
            if (!failed || everything) && !std::mem::take(&mut given_again) {
                let receipt = record.receipt_handle.parse().unwrap_or(0);
                self.queue(name).delete(record.group(), receipt);
            }
        }
        let failed = answer.batch_item_failures.len();
        self.tell(failed as u64, |_| format!("{name:?} is done with {}, {failed} failed", batch.records.len()));
        if fault.is_none() && failed == 0 {
            self.nothing_is_held();
        }
        self.pump_soon(name);
        self.look_again(name);
    }

    /// A worker that came to its end well holds nothing any more.
    pub(super) fn nothing_is_held(&mut self) {
        let claims = std::mem::take(&mut self.workers[self.current].claims);
        for (key, seq, claim) in claims {
            let holds = |row: &Row| {
                row.state.outbox.iter().any(|entry| {
                    matches!(&entry.progress, Progress::Claimed { claim: holder, .. } if holder.as_str() == claim)
                })
            };
            if self.rows.get(&key).is_some_and(holds) {
                self.accuse(format!("a worker is done, and still holds entry {seq} of {key}"));
            }
        }
    }

    /// Whether an operator has anything to put back, who looks again in a while once all is at peace.
    pub fn is_anything_dead(&mut self) -> bool {
        if self.peaceful {
            self.at(self.now + 1_200_000, Event::Redrive);
        }
        let dead: usize = self.queues.iter().map(|queue| queue.dead.len()).sum();
        if dead > 0 {
            self.tell(dead as u64, |_| format!("an operator puts {dead} dead letters back"));
        }
        dead > 0
    }

    /// Whether the worker behind this queue cannot start.
    #[must_use]
    pub fn is_down(&self, name: QueueName) -> bool {
        let carries_out = matches!(name, QueueName::Replies | QueueName::Close);
        self.now < self.workers_down_until || (carries_out && self.now < self.repliers_down_until)
    }

    /// Dead letters that nobody has in the hand.
    pub fn take_dead(&mut self, name: QueueName) -> Vec<Message> {
        let reversed = self.mutant == Some(Mutant::DeadLettersReversed);
        self.queues[name as usize].take_dead(self.now, &mut self.receipts, reversed)
    }
}
