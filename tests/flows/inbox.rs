//! What comes in while the inbox cannot be reached is kept, and put back: nothing is lost, whatever
//! dies in between, and what is put twice is put once.

use baton_tests::now;
use shared::app::inbox::{PutBack, Taken, put_back, take_in};
use shared::domain::ids::Timestamp;
use shared::ports::{Clock as _, InboxRows as _, Unavailable};
use shared::testing::{FakeFifo, FakeInboxRows, ManualClock, Mishap};

const GROUP: &str = "abc123#1";

#[derive(Default)]
struct Edge {
    queue: FakeFifo,
    rows: FakeInboxRows,
    clock: ManualClock,
}

impl Edge {
    fn take_in(&self, group: &str, id: &str) -> Result<Taken, Unavailable> {
        self.clock.advance_ms(1);
        let (group, id, body) = (group.to_owned(), id.to_owned(), format!("the body of {id}"));
        now(take_in(&self.queue, &self.rows, &self.clock, group, id, body))
    }

    /// Comes in while the queue is down.
    fn keep(&self, group: &str, id: &str) {
        self.queue.mishaps.expect([Mishap::Fails]);
        assert!(matches!(self.take_in(group, id), Ok(Taken::Kept(_))));
    }

    fn put_back_within(&self, ms: u64) -> Result<PutBack, Unavailable> {
        now(put_back(&self.queue, &self.rows, &self.clock, self.clock.now().plus_ms(ms)))
    }

    fn put_back(&self) -> Result<PutBack, Unavailable> {
        self.put_back_within(60_000)
    }

    /// The ids on the queue, in order.
    fn queued(&self) -> Vec<String> {
        self.queue.messages().into_iter().map(|(_, id, _)| id).collect()
    }

    fn kept(&self) -> Vec<String> {
        self.rows.rows().into_iter().map(|row| row.deduplication_id).collect()
    }
}

#[test]
fn on_a_good_day_there_is_one_call_and_no_row() {
    let edge = Edge::default();
    edge.rows.keeping.expect([Mishap::Fails]);
    assert_eq!(edge.take_in(GROUP, "n1"), Ok(Taken::Put), "the table is not asked");
    assert_eq!((edge.queued(), edge.kept().len()), (vec!["n1".to_owned()], 0));
    assert_eq!(edge.put_back(), Ok(PutBack::default()));
}

#[test]
fn what_the_queue_did_not_take_is_put_back_as_it_came_and_in_order() {
    let edge = Edge::default();
    for id in ["n1", "n2", "n3"] {
        edge.keep(GROUP, id);
    }
    assert!(edge.queued().is_empty());
    assert_eq!(edge.put_back(), Ok(PutBack { put: 3, failed: 0 }));
    let one = |id: &str| (GROUP.to_owned(), id.to_owned(), format!("the body of {id}"));
    assert_eq!(edge.queue.messages(), ["n1", "n2", "n3"].map(one));
    assert!(edge.kept().is_empty(), "what was put is forgotten");
}

#[test]
fn what_is_kept_nowhere_is_refused() {
    let edge = Edge::default();
    edge.queue.mishaps.expect([Mishap::Fails]);
    edge.rows.keeping.expect([Mishap::Fails]);
    assert!(edge.take_in(GROUP, "n1").is_err(), "Intercom is to send it again");
}

/// Everything that one call can meet, at each of the four calls that a message may take: put, keep,
/// put back, forget. A worker that dies after a call is one whose answer was lost.
#[test]
fn wherever_it_dies_nothing_is_lost_and_nothing_is_there_twice() {
    let mishaps = [Mishap::None, Mishap::Fails, Mishap::AnswerLost];
    let mut runs = 0;
    for put in mishaps {
        for keep in mishaps {
            for back in mishaps {
                for forget in mishaps {
                    runs += 1;
                    let edge = Edge::default();
                    edge.queue.mishaps.expect([put]);
                    edge.rows.keeping.expect([keep]);
                    if edge.take_in(GROUP, "n1").is_err() {
                        edge.take_in(GROUP, "n1").unwrap(); // Intercom's second delivery
                    }
                    edge.queue.mishaps.expect([back]);
                    edge.rows.forgetting.expect([forget]);
                    for _ in 0..3 {
                        let _ = edge.put_back();
                    }
                    let case = (put, keep, back, forget);
                    assert_eq!(edge.queued(), ["n1"], "{case:?}");
                    assert!(edge.kept().is_empty(), "{case:?}");
                }
            }
        }
    }
    assert_eq!(runs, 81);
}

#[test]
fn a_row_that_cannot_be_put_holds_up_its_own_conversation_only() {
    let edge = Edge::default();
    for (group, id) in [(GROUP, "n1"), ("abc123#2", "m1"), (GROUP, "n2"), ("abc123#2", "m2")] {
        edge.keep(group, id);
    }
    edge.queue.mishaps.expect([Mishap::Fails]);
    assert_eq!(edge.put_back(), Ok(PutBack { put: 2, failed: 1 }));
    assert_eq!(edge.queued(), ["m1", "m2"], "n2 does not go before n1");
    assert_eq!(edge.put_back(), Ok(PutBack { put: 2, failed: 0 }));
    assert_eq!(edge.queued(), ["m1", "m2", "n1", "n2"]);
}

#[test]
fn a_queue_that_is_still_down_is_not_asked_for_every_row() {
    let edge = Edge::default();
    for number in 0..50 {
        edge.keep(&format!("abc123#{number}"), "n1");
    }
    edge.queue.mishaps.expect([Mishap::Fails; 3]);
    assert_eq!(edge.put_back(), Ok(PutBack { put: 0, failed: 3 }));
    assert_eq!(edge.kept().len(), 50);
    assert_eq!(edge.put_back(), Ok(PutBack { put: 50, failed: 0 }));
}

#[test]
fn more_than_a_page_is_put_back_and_time_is_left_for_the_sweep() {
    let edge = Edge::default();
    for number in 0..900 {
        edge.keep(&format!("abc123#{}", number % 7), &format!("n{number}"));
    }
    assert_eq!(edge.put_back_within(19_000), Ok(PutBack::default()), "the others' time");
    assert_eq!(edge.put_back(), Ok(PutBack { put: 900, failed: 0 }));
    assert!(edge.kept().is_empty());
}

#[test]
fn a_row_keeps_the_moment_at_which_it_was_kept() {
    let edge = Edge { clock: ManualClock::at(1_768_040_000_000), ..Edge::default() };
    edge.keep(GROUP, "n1");
    assert_eq!(now(edge.rows.kept(10)).unwrap()[0].kept_at, Timestamp(1_768_040_000_001));
}
