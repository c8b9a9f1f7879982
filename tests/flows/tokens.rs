//! Access tokens: how long one is known, what a refusal does, what an outage does, and that what is
//! kept for one workspace is of no use to another.

use baton_tests::now;
use shared::app::tokens::{KNOWN_MS, Vault, put};
use shared::domain::ids::{AppId, Timestamp};
use shared::domain::token::{AccessToken, SealedToken};
use shared::ports::{Clock as _, NoToken, NotKept, TokenRows as _, Tokens as _};
use shared::testing::{FakeSeals, FakeTokenRows, ManualClock};

fn app(name: &str) -> AppId {
    AppId::parse(name).unwrap()
}

fn token(text: &str) -> AccessToken {
    AccessToken::parse(text).unwrap()
}

/// A worker, and what is outside of it.
struct Worker {
    rows: FakeTokenRows,
    seals: FakeSeals,
    clock: ManualClock,
    vault: Vault<FakeTokenRows, FakeSeals, ManualClock>,
}

impl Worker {
    fn new() -> Self {
        let (rows, seals) = (FakeTokenRows::default(), FakeSeals::default());
        let clock = ManualClock::at(1_768_040_000_000);
        let vault = Vault::new(rows.clone(), seals.clone(), clock.clone());
        Self { rows, seals, clock, vault }
    }

    fn put(&self, app_id: &str, text: &str) -> SealedToken {
        now(put(&self.rows, &self.seals, &app(app_id), &token(text), self.clock.now())).unwrap()
    }

    fn token(&self, app_id: &str) -> Result<AccessToken, NoToken> {
        now(self.vault.token(&app(app_id)))
    }
}

#[test]
fn a_token_is_opened_at_first_use_and_known_for_five_minutes() {
    let worker = Worker::new();
    assert_eq!(worker.token("a"), Err(NoToken::Missing));
    worker.put("a", "one");
    assert_eq!(worker.seals.take_opens(), 0);
    for _ in 0..3 {
        assert_eq!(worker.token("a"), Ok(token("one")), "what was missing is looked for again");
    }
    assert_eq!(worker.seals.take_opens(), 1);
    worker.put("a", "two");
    worker.clock.advance_ms(KNOWN_MS - 1);
    assert_eq!(worker.token("a"), Ok(token("one")));
    worker.clock.advance_ms(1);
    assert_eq!(worker.token("a"), Ok(token("two")), "a new token needs no deployment");
    assert_eq!(worker.seals.take_opens(), 1);
}

#[test]
fn a_clock_that_is_set_back_does_not_keep_a_token_known() {
    let worker = Worker::new();
    worker.put("a", "one");
    worker.token("a").unwrap();
    let earlier = ManualClock::at(worker.clock.now().0 - 3_600_000);
    let vault = Vault::new(worker.rows.clone(), worker.seals.clone(), earlier.clone());
    now(vault.token(&app("a"))).unwrap();
    earlier.advance_ms(3_600_000);
    now(vault.token(&app("a"))).unwrap();
    assert_eq!(worker.seals.take_opens(), 3);
}

#[test]
fn a_refused_token_is_looked_at_again_at_once() {
    let worker = Worker::new();
    worker.put("a", "one");
    worker.token("a").unwrap();
    assert_eq!(now(worker.vault.instead_of(&app("a"), &token("one"))), Ok(None), "there is no other");
    worker.put("a", "two");
    assert_eq!(now(worker.vault.instead_of(&app("a"), &token("one"))), Ok(Some(token("two"))));
    assert_eq!(worker.token("a"), Ok(token("two")));
    worker.rows.forge(&app("a"), None);
    assert_eq!(now(worker.vault.instead_of(&app("a"), &token("two"))), Err(NoToken::Missing));
    assert_eq!(worker.token("a"), Err(NoToken::Missing), "what was taken away is not used any longer");
}

#[test]
fn in_an_outage_what_is_known_is_used_for_five_minutes_and_then_nothing() {
    for (table, key) in [(true, false), (false, true), (true, true)] {
        let worker = Worker::new();
        worker.put("a", "one");
        worker.put("b", "other");
        worker.token("a").unwrap();
        worker.rows.set_down(table);
        worker.seals.set_down(key);
        assert!(matches!(worker.token("b"), Err(NoToken::Unavailable(_))), "never opened before");
        worker.clock.advance_ms(KNOWN_MS - 1);
        assert_eq!(worker.token("a"), Ok(token("one")));
        // A refusal in between cannot be cleared up, and does not make the token unknown.
        assert!(matches!(now(worker.vault.instead_of(&app("a"), &token("one"))), Err(NoToken::Unavailable(_))));
        assert_eq!(worker.token("a"), Ok(token("one")));
        for _ in 0..30 {
            worker.clock.advance_ms(60_000);
            assert!(matches!(worker.token("a"), Err(NoToken::Unavailable(_))));
        }
        worker.rows.set_down(false);
        worker.seals.set_down(false);
        assert_eq!((worker.token("a"), worker.token("b")), (Ok(token("one")), Ok(token("other"))));
    }
}

#[test]
fn of_two_who_put_a_token_at_once_one_wins_and_putting_again_is_safe() {
    let worker = Worker::new();
    let first = worker.put("a", "one");
    assert_eq!(first.version, 1);
    let meanwhile = worker.put("a", "two");
    assert_eq!(meanwhile.version, 2);
    let late = SealedToken { since: Timestamp(0), ..meanwhile.clone() };
    assert_eq!(now(worker.rows.keep(&app("a"), &late)), Err(NotKept::Conflict));
    assert_eq!(now(worker.rows.keep(&app("a"), &meanwhile)), Ok(()), "its own repetition");
    worker.seals.set_down(true);
    let refused = now(put(&worker.rows, &worker.seals, &app("a"), &token("three"), Timestamp(0)));
    assert!(matches!(refused, Err(NotKept::Unavailable(_))));
    worker.seals.set_down(false);
    assert_eq!(worker.token("a"), Ok(token("two")), "the one before stays");
}

/// Whoever can write to the table moves every workspace's row into every other's place.
#[test]
fn a_row_in_another_workspaces_place_does_not_open() {
    let worker = Worker::new();
    let names: Vec<String> = (0..50).map(|n| format!("workspace{n}")).collect();
    let rows: Vec<_> = names.iter().map(|name| worker.put(name, &format!("token-of-{name}"))).collect();
    let mut attempts = 0;
    for (mine, own) in names.iter().zip(&rows) {
        for (theirs, row) in names.iter().zip(&rows) {
            let fresh = Vault::new(worker.rows.clone(), worker.seals.clone(), worker.clock.clone());
            worker.rows.forge(&app(mine), Some(row.clone()));
            let opened = now(fresh.token(&app(mine)));
            if mine == theirs {
                assert_eq!(opened, Ok(token(&format!("token-of-{mine}"))));
            } else {
                attempts += 1;
                assert_eq!(opened, Err(NoToken::Spoilt), "{theirs}'s token was opened for {mine}");
            }
        }
        // Nor does an older one pass for a newer.
        worker.rows.forge(&app(mine), Some(SealedToken { version: own.version + 1, ..own.clone() }));
        let fresh = Vault::new(worker.rows.clone(), worker.seals.clone(), worker.clock.clone());
        assert_eq!(now(fresh.token(&app(mine))), Err(NoToken::Spoilt));
        worker.rows.forge(&app(mine), Some(own.clone()));
    }
    assert_eq!(attempts, 50 * 49);
}
