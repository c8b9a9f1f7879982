//! The product's ports, opened to the world. Each call is a place where the worker may die, before
//! its effect or after it, and where it waits, so that others come in between. Here is what all of them
//! have in common, and the ports of the clock, of names and of bots.

mod intercom;
mod queues;
mod requests;
mod table;

pub use intercom::{Api, LAG_MS};
pub use queues::{Custodian, Shelf, Sqs};
pub use requests::{NoAssignee, apply};
pub use table::Rows;

use std::pin::Pin;
use std::task::{Context, Poll};

use shared::domain::ids::{ClaimId, ConversationKey, Timestamp};
use shared::domain::settings::SecretName;
use shared::lambda::messengers::Lines;
use shared::ports::{Clock, Names, NotTaken, Unavailable};

use crate::faults::{Fault, Point};
use crate::mutants::Mutant;
use crate::world::{Event, Party, with};

/// A wait in the world's time.
#[derive(Debug)]
struct Wait {
    until: u64,
    asked: bool,
}

impl Future for Wait {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        with(|world| {
            if world.now >= self.until {
                return Poll::Ready(());
            }
            if !self.asked {
                self.asked = true;
                let worker = world.current;
                world.at(self.until, Event::Poll(worker));
            }
            Poll::Pending
        })
    }
}

/// Waits between these bounds, in milliseconds.
pub(crate) async fn wait(low: u64, high: u64) {
    let until = with(|world| world.now + world.wait(low, high));
    Wait { until, asked: false }.await;
}

/// The worker dies here.
async fn die<T>() -> T {
    with(|world| {
        let worker = world.current;
        world.workers[worker].dead = true;
    });
    std::future::pending().await
}

/// Begins a call: waits, and tells what goes wrong.
async fn begin(point: Point, low: u64, high: u64) -> Option<Fault> {
    let mut fault = with(|world| world.strikes(point));
    if fault == Some(Fault::Pause) {
        wait(1_000, 60_000).await;
        fault = None;
    }
    wait(low, high).await;
    if fault == Some(Fault::DiesBefore) { die().await } else { fault }
}

/// Ends a call that had its effect.
async fn end(fault: Option<Fault>) {
    if fault == Some(Fault::DiesAfter) {
        die::<()>().await;
    }
    wait(1, 9).await;
}

/// The world's clock, as the present worker's shows it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Time;

impl Clock for Time {
    fn now(&self) -> Timestamp {
        with(|world| Timestamp(world.shown_time()))
    }
}

/// Fresh names.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fresh;

impl Names for Fresh {
    fn claim(&self) -> ClaimId {
        with(|world| {
            world.claims += 1;
            ClaimId::parse(format!("c{}", world.claims)).unwrap()
        })
    }
}

fn unavailable(what: &'static str) -> Unavailable {
    Unavailable { what, why: "simulated".to_owned() }
}

/// A key or request that lies outside every workspace is a leak.
fn is_inside(key: &ConversationKey) {
    with(|world| {
        if !world.is_somewhere(key) {
            world.accuse(format!("{key} was touched, which does not exist"));
        }
    });
}
/// How long the client waits for an answer, in milliseconds.
const TIME_OUT_MS: u64 = 10_000;

/// It takes until the client gives up, or fails at once.
async fn slow(fault: Option<Fault>) {
    let quick = with(|world| {
        let coarse = world.manner.coarse;
        if coarse { fault != Some(Fault::AnswerLost) } else { world.chance.strikes(5_000) }
    });
    if !quick {
        wait(TIME_OUT_MS - 600, TIME_OUT_MS - 500).await;
    }
}

/// The ways to bots.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ways;

fn not_taken(retry_after_ms: Option<u64>) -> NotTaken {
    NotTaken { why: "simulated".to_owned(), retry_after_ms }
}

impl Lines for Ways {
    async fn post(&self, _url: &str, _secret: &SecretName, id: &str, body: String) -> Result<Vec<u8>, NotTaken> {
        let fault = begin(Point::Bot, 30, 900).await;
        if fault == Some(Fault::Fails) || with(|world| !world.is_bot_up()) {
            slow(fault).await;
            let retry_after_ms = with(|world| {
                (!world.manner.coarse && world.chance.strikes(2_000)).then(|| world.chance.between(1, 20) * 1_000)
            });
            return Err(not_taken(retry_after_ms));
        }
        let body = with(|world| match world.mutant {
            Some(mutant) => mutant.spoils_event(id, body, world.now),
            None => body,
        });
        let commands = with(|world| {
            let style = world.manner.style;
            world.bot_takes(&body, style)
        });
        match fault {
            Some(Fault::AnswerLost) => {
                slow(fault).await;
                return if with(|world| world.mutant == Some(Mutant::LostEventsTaken)) {
                    Ok(Vec::new())
                } else {
                    Err(not_taken(None))
                };
            }
            Some(Fault::DiesAfter) => die::<()>().await,
            _ => wait(30, 900).await,
        }
        let answer = shared::wire::bot::Commands { commands };
        Ok(serde_json::to_vec(&answer).unwrap())
    }

    async fn put(&self, _queue_url: &str, group: &str, _id: &str, body: String) -> Result<(), NotTaken> {
        let fault = begin(Point::Put, 5, 20).await;
        if fault == Some(Fault::Fails) {
            return Err(not_taken(None));
        }
        with(|world| {
            let key: Option<ConversationKey> = group.parse().ok();
            let chat = key.as_ref().and_then(|key| world.chat(key)).map(Party::Chat);
            let Some(party) = chat.or_else(|| key.and_then(|key| world.talk(&key)).map(Party::Talk)) else {
                world.accuse(format!("a bot's queue got an event of {group}"));
                return;
            };
            world.for_the_bot(party, body.into());
        });
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(not_taken(None)) } else { Ok(()) }
    }
}
