//! The queues: what is put on them, what becomes of a message that cannot be handled now, and the dead letters.

use shared::domain::ids::Timestamp;
use shared::lambda::batch::{Custody, SqsRecord};
use shared::ports::{Clock as _, DeadLetter, DeadLetters, Fifo, Unavailable};
use shared::wire::passed_on;

use super::{Time, begin, end, unavailable};
use crate::faults::{Fault, Point};
use crate::mutants::Mutant;
use crate::queue::Message;
use crate::world::{POISON, QueueName, Role, with};

/// A queue.
#[derive(Debug, Clone, Copy)]
pub struct Sqs(pub QueueName);

impl Fifo for Sqs {
    async fn put(&self, group: &str, deduplication_id: String, body: String) -> Result<(), Unavailable> {
        let fault = begin(Point::Put, 3, 20).await;
        let app_id = group.split('#').next().unwrap_or_default();
        if !body.contains(app_id) || app_id.is_empty() {
            with(|world| world.accuse(format!("a message of another workspace is in group {group}")));
        }
        let swallowed = with(|world| match world.mutant {
            Some(Mutant::PutFailuresSwallowed) => true,
            Some(Mutant::InboxRowsForgotten) => world.workers[world.current].role == Role::Sweeper,
            _ => false,
        });
        if fault == Some(Fault::Fails) {
            return if swallowed { Ok(()) } else { Err(unavailable("SQS")) };
        }
        with(|world| {
            let sender = world.workers[world.current].role.sender();
            world.put(self.0, group, deduplication_id, body, sender);
        });
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("SQS")) } else { Ok(()) }
    }
}

/// The dead letters of a queue.
#[derive(Debug, Clone, Copy)]
pub struct Shelf(pub QueueName);

impl Shelf {
    /// Deletes a letter, or lets it go.
    fn end(self, letter: &DeadLetter, is_deleted: bool) {
        with(|world| world.queue(self.0).end_dead(letter.receipt.parse().unwrap_or(0), is_deleted));
    }
}

impl DeadLetters for Shelf {
    async fn take(&self) -> Result<Vec<DeadLetter>, Unavailable> {
        let fault = begin(Point::Hide, 3, 15).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("SQS"));
        }
        let taken = with(|world| world.take_dead(self.0));
        end(fault).await;
        let letter = |message: &Message| DeadLetter {
            id: message.number.to_string(),
            group: message.group.to_string(),
            since: Timestamp(0),
            reason: None,
            attempts: None,
            replay: Some(message.beside[1].to_string()).filter(|name| !name.is_empty()),
            senders: passed_on::handed_on(message.sender, &message.beside[0]),
            body: message.body.to_string(),
            receipt: message.receipt.to_string(),
        };
        Ok(taken.iter().map(letter).collect())
    }

    async fn put_back(&self, letter: &DeadLetter, replay: &str) -> Result<(), Unavailable> {
        let mutant = with(|world| world.mutant);
        if mutant == Some(Mutant::DeadLettersDeletedFirst) {
            self.end(letter, true);
        }
        let fault = begin(Point::Put, 3, 20).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("SQS"));
        }
        let senders = if mutant == Some(Mutant::DeadLettersOwned) { "" } else { letter.senders.as_str() };
        let beside = [senders.into(), replay.into()];
        let (group, id) = (letter.group.as_str(), format!("replay-{}", letter.id));
        with(|world| world.put_beside(self.0, group, id, letter.body.clone(), Role::Operator.sender(), beside));
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("SQS")) } else { Ok(()) }
    }

    async fn delete(&self, letter: &DeadLetter) -> Result<(), Unavailable> {
        let fault = begin(Point::Hide, 3, 15).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("SQS"));
        }
        self.end(letter, true);
        end(fault).await;
        Ok(())
    }

    async fn let_go(&self, letter: &DeadLetter) {
        if begin(Point::Hide, 3, 15).await != Some(Fault::Fails) {
            self.end(letter, false);
        }
    }
}

/// The messages of a queue.
#[derive(Debug, Clone, Copy)]
pub struct Custodian(pub QueueName);

/// From when on a wait is left to the sweep, as the real custodian has it.
const FAR_MS: u64 = 45_000;

impl Custody for Custodian {
    fn is_far(&self, moment: Timestamp) -> bool {
        moment > Time.now().plus_ms(FAR_MS)
    }

    fn after_ms(&self, ms: u64) -> Timestamp {
        Time.now().plus_ms(ms)
    }

    async fn hide_until(&self, receipt_handle: &str, until: Timestamp) {
        if begin(Point::Hide, 3, 15).await == Some(Fault::Fails) {
            return;
        }
        with(|world| {
            let wait_ms = until.0.saturating_sub(world.shown_time());
            let until = world.tick(world.now + wait_ms.div_ceil(1_000).clamp(1, 43_200) * 1_000);
            world.queue(self.0).hide(receipt_handle.parse().unwrap_or(0), until);
        });
    }

    async fn park(&self, record: &SqsRecord, why: &str) -> Result<(), Unavailable> {
        with(|world| {
            if record.body == POISON {
                world.parked.push(record.attempt());
                return;
            }
            world.accuse(format!("{:?}: a message is parked: {why}: {}", self.0, record.body));
        });
        Ok(())
    }
}
