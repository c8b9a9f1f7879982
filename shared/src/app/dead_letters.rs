//! Dead letters: looking at them, and putting them back on the queue that gave them up. What they
//! say is no matter here.
//!
//! Safe at any time, beside live traffic and beside somebody else who does the same: one is deleted
//! only after its put was confirmed. Whoever dies in between has put it back once and leaves it
//! among the dead letters, so the next replay puts it back a second time, which changes nothing:
//! whatever is taken from a queue may come twice. Within a conversation the oldest goes first, and
//! nothing goes past one that failed.

use crate::domain::ids::Timestamp;
use crate::ports::{Clock, DeadLetter, DeadLetters, Unavailable};

/// How long letters are held, in milliseconds. They are hidden from others for a minute; what is
/// under way is to end before they show themselves.
const HELD_MS: u64 = 40_000;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// The letters, as they were received.
    pub letters: Vec<DeadLetter>,
    /// Whether the time was up before all were seen.
    pub cut_short: bool,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replayed {
    /// The ids of those that are on their queue again.
    pub put: Vec<String>,
    /// The ids of those that this very replay had put back, and that were given up again at once.
    pub returned: Vec<String>,
    /// Whether the time was up before all were seen.
    pub cut_short: bool,
    /// Why it stopped, if it did. What was put back until then stays so.
    pub stopped: Option<Unavailable>,
}

/// Looks at all that can be had: of a conversation that is the oldest ten, for what is behind them
/// shows itself only when they are gone. Leaves everything as it was.
///
/// # Errors
/// [`Unavailable`].
pub async fn look<D: DeadLetters, C: Clock>(queue: &D, clock: &C) -> Result<Seen, Unavailable> {
    let round = go_round(queue, clock, async |_| Ok(Dealt::Kept)).await;
    match round.stopped {
        Some(reason) => Err(reason),
        None => Ok(Seen { letters: round.kept, cut_short: round.cut_short }),
    }
}

/// Puts back those that are wanted, in order. `replay` is a name that no other replay has: by it
/// those are known that come back while it goes on, which would otherwise have no end.
pub async fn replay<D: DeadLetters, C: Clock>(
    queue: &D,
    clock: &C,
    replay: &str,
    is_wanted: impl Fn(&DeadLetter) -> bool,
) -> Replayed {
    let mut put = Vec::new();
    let mut returned = Vec::new();
    let round = go_round(queue, clock, async |letter| {
        if letter.replay.as_deref() == Some(replay) {
            returned.push(letter.id.clone());
            return Ok(Dealt::Kept);
        }
        if !is_wanted(letter) {
            return Ok(Dealt::Kept);
        }
        queue.put_back(letter, replay).await?;
        put.push(letter.id.clone());
        queue.delete(letter).await?;
        Ok(Dealt::Gone)
    })
    .await;
    Replayed { put, returned, cut_short: round.cut_short, stopped: round.stopped }
}

/// What became of a letter.
enum Dealt {
    /// It is among the dead letters no more.
    Gone,
    /// It stays, and is held until the round's end, so that those behind it can be seen.
    Kept,
}

/// How a round ended.
struct Round {
    kept: Vec<DeadLetter>,
    cut_short: bool,
    stopped: Option<Unavailable>,
}

/// Takes one letter after the other, until there is none, one fails, or they have been held for too
/// long. Whoever dies here leaves those in his hand hidden for the rest of their minute.
async fn go_round<D: DeadLetters, C: Clock>(
    queue: &D,
    clock: &C,
    mut deal: impl AsyncFnMut(&DeadLetter) -> Result<Dealt, Unavailable>,
) -> Round {
    let mut round = Round { kept: Vec::new(), cut_short: false, stopped: None };
    let mut held_since: Option<Timestamp> = None;
    while !round.cut_short && round.stopped.is_none() {
        let now = clock.now();
        let letters = match queue.take().await {
            Ok(letters) if letters.is_empty() => break,
            Ok(letters) => letters,
            Err(reason) => {
                round.stopped = Some(reason);
                break;
            }
        };
        let until = held_since.get_or_insert(now).plus_ms(HELD_MS);
        for letter in letters {
            round.cut_short |= clock.now() > until;
            if !round.cut_short && round.stopped.is_none() {
                match deal(&letter).await {
                    Ok(Dealt::Gone) => continue,
                    Ok(Dealt::Kept) => {}
                    Err(reason) => round.stopped = Some(reason),
                }
            }
            round.kept.push(letter);
        }
        if round.kept.is_empty() {
            held_since = None;
        }
    }
    // The last first: no other of a group is to be had while its first is hidden.
    for letter in round.kept.iter().rev() {
        queue.let_go(letter).await;
    }
    round
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    use futures_util::FutureExt as _;

    /// A queue on which everything happens at once, and every call takes a while.
    #[derive(Default)]
    struct Shelf {
        dead: RefCell<Vec<DeadLetter>>,
        hidden: RefCell<Vec<String>>,
        live: RefCell<Vec<String>>,
        now: Cell<u64>,
        call_ms: u64,
        /// How many of a group are given at once.
        of_a_group: usize,
        /// The calls that fail, by number.
        fails_at: Option<u32>,
        calls: Cell<u32>,
        /// What is put back is given up again at once.
        poisonous: bool,
    }

    impl Shelf {
        fn of(ids: &[&str]) -> Self {
            let letter = |id: &&str| DeadLetter {
                id: (*id).to_owned(),
                group: id[..1].to_owned(),
                since: Timestamp(0),
                reason: None,
                attempts: None,
                replay: None,
                senders: "BOT".to_owned(),
                body: (*id).to_owned(),
                receipt: (*id).to_owned(),
            };
            Self { dead: RefCell::new(ids.iter().map(letter).collect()), of_a_group: 10, ..Self::default() }
        }

        fn call(&self) -> Result<(), Unavailable> {
            self.now.set(self.now.get() + self.call_ms);
            self.calls.set(self.calls.get() + 1);
            if Some(self.calls.get()) == self.fails_at {
                return Err(Unavailable { what: "SQS", why: "on purpose".to_owned() });
            }
            Ok(())
        }

        fn left(&self) -> Vec<String> {
            self.dead.borrow().iter().map(|letter| letter.id.clone()).collect()
        }
    }

    impl Clock for Shelf {
        fn now(&self) -> Timestamp {
            Timestamp(self.now.get())
        }
    }

    impl DeadLetters for Shelf {
        async fn take(&self) -> Result<Vec<DeadLetter>, Unavailable> {
            self.call()?;
            let dead = self.dead.borrow();
            let mut hidden = self.hidden.borrow_mut();
            let blocked: Vec<String> =
                dead.iter().filter(|letter| hidden.contains(&letter.id)).map(|letter| letter.group.clone()).collect();
            let mut taken: Vec<DeadLetter> = Vec::new();
            for letter in dead.iter().filter(|letter| !blocked.contains(&letter.group)) {
                let of_its_group = taken.iter().filter(|other| other.group == letter.group).count();
                if taken.len() < 10 && of_its_group < self.of_a_group {
                    taken.push(letter.clone());
                }
            }
            hidden.extend(taken.iter().map(|letter| letter.id.clone()));
            Ok(taken)
        }

        async fn put_back(&self, letter: &DeadLetter, replay: &str) -> Result<(), Unavailable> {
            self.call()?;
            self.live.borrow_mut().push(letter.id.clone());
            if self.poisonous {
                let id = format!("{}'", letter.id);
                self.dead.borrow_mut().push(DeadLetter { id, replay: Some(replay.to_owned()), ..letter.clone() });
            }
            Ok(())
        }

        async fn delete(&self, letter: &DeadLetter) -> Result<(), Unavailable> {
            self.call()?;
            self.dead.borrow_mut().retain(|other| other.id != letter.id);
            self.hidden.borrow_mut().retain(|id| *id != letter.id);
            Ok(())
        }

        async fn let_go(&self, letter: &DeadLetter) {
            self.hidden.borrow_mut().retain(|id| *id != letter.id);
        }
    }

    fn replayed(shelf: &Shelf, is_wanted: impl Fn(&DeadLetter) -> bool) -> Replayed {
        replay(shelf, shelf, "r1", is_wanted).now_or_never().unwrap()
    }

    #[test]
    fn looking_leaves_everything_as_it_was() {
        let shelf = Shelf::of(&["a1", "b1", "a2"]);
        for _ in 0..2 {
            let seen = look(&shelf, &shelf).now_or_never().unwrap().unwrap();
            assert_eq!((seen.letters.len(), seen.cut_short), (3, false));
            assert!(shelf.hidden.borrow().is_empty() && shelf.left().len() == 3);
        }
        assert!(!format!("{:?}", shelf.dead.borrow()).contains("body"));
    }

    #[test]
    fn all_go_back_in_order_also_one_at_a_time() {
        for of_a_group in [10, 1] {
            let shelf = Shelf { of_a_group, ..Shelf::of(&["a1", "b1", "a2", "b2", "a3"]) };
            assert_eq!(replayed(&shelf, |_| true).put.len(), 5);
            assert!(shelf.left().is_empty());
            let live = shelf.live.borrow();
            let of = |group: &str| live.iter().filter(|id| id.starts_with(group)).cloned().collect::<Vec<_>>();
            assert_eq!(
                (of("a"), of("b")),
                (vec!["a1".into(), "a2".into(), "a3".into()], vec!["b1".into(), "b2".into()])
            );
        }
    }

    #[test]
    fn only_what_is_wanted_goes_back_and_the_rest_is_let_go() {
        let shelf = Shelf::of(&["a1", "a2", "b1"]);
        assert_eq!(replayed(&shelf, |letter| letter.id == "a2").put, ["a2"]);
        assert_eq!(shelf.left(), ["a1", "b1"]);
        assert!(shelf.hidden.borrow().is_empty());
    }

    #[test]
    fn whatever_call_fails_nothing_is_lost_or_overtaken_and_the_next_replay_puts_the_rest() {
        for fails_at in 1..10 {
            let mut shelf = Shelf { fails_at: Some(fails_at), ..Shelf::of(&["a1", "a2", "b1", "a3"]) };
            let first = replayed(&shelf, |_| true);
            assert!(first.stopped.is_some(), "{fails_at}");
            assert!(shelf.hidden.borrow().is_empty());
            let known: Vec<String> = [shelf.live.borrow().clone(), shelf.left()].concat();
            assert!(["a1", "a2", "b1", "a3"].iter().all(|id| known.contains(&(*id).to_owned())), "{fails_at}");
            shelf.fails_at = None;
            assert!(replayed(&shelf, |_| true).stopped.is_none());
            let mut live = shelf.live.borrow().clone();
            assert!(shelf.left().is_empty() && live.len() <= 5, "one at most goes twice: {live:?}");
            live.dedup();
            assert_eq!(live, ["a1", "a2", "b1", "a3"], "{fails_at}");
        }
    }

    #[test]
    fn what_comes_back_at_once_is_left_and_told() {
        let shelf = Shelf { poisonous: true, ..Shelf::of(&["a1", "b1"]) };
        let done = replayed(&shelf, |_| true);
        assert_eq!((done.put.len(), done.returned.len()), (2, 2));
        assert_eq!(shelf.left(), ["a1'", "b1'"]);
    }

    #[test]
    fn letters_are_let_go_before_they_show_themselves() {
        let ids: Vec<String> = ('a'..='z').map(|group| format!("{group}1")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let slow = Shelf { call_ms: 30_000, ..Shelf::of(&ids) };
        let seen = look(&slow, &slow).now_or_never().unwrap().unwrap();
        assert!(seen.cut_short && seen.letters.len() < 26);
        let done = replayed(&slow, |_| true);
        assert!(done.cut_short && done.put.len() == 1, "{done:?}");
        assert!(slow.hidden.borrow().is_empty());
    }
}
