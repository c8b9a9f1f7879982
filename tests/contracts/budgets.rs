//! The workspaces' budgets: rows that many workers change at once, and what a second of failing costs.

use std::time::Instant;

use futures_util::future::join_all;
use shared::adapters::budgets::BudgetRows;
use shared::domain::budget::Budget;
use shared::domain::ids::{AppId, Timestamp};
use shared::ports::{Budgets, Changing};
use shared::testing::FakeBudgets;

use super::aws::LocalAws;
use super::run;
use super::store::create_table;

const END: Timestamp = Timestamp(1_768_040_010_000);

fn one() -> AppId {
    AppId::parse("abc123").unwrap()
}

fn budget(version: u64, taken: u32) -> Budget {
    Budget {
        version,
        limit: 166,
        ends_at: END,
        taken,
        after_full: version.is_multiple_of(2),
        pressed_until: END.plus_ms(20_000),
        shut_until: Timestamp(0),
    }
}

/// What all budgets promise.
async fn keep_their_promises(budgets: &impl Budgets) {
    assert_eq!(budgets.budget(&one()).await.unwrap(), None);
    assert_eq!(budgets.take(&one(), END, 9, 1).await.unwrap(), Changing::Not(None), "nothing to take from");
    assert_eq!(budgets.replace(&one(), &budget(2, 0)).await.unwrap(), Changing::Not(None), "there is no version 1");
    assert_eq!(budgets.replace(&one(), &budget(1, 80)).await.unwrap(), Changing::Done(budget(1, 80)));
    assert_eq!(budgets.budget(&one()).await.unwrap(), Some(budget(1, 80)));
    assert_eq!(budgets.budget(&AppId::parse("def456").unwrap()).await.unwrap(), None, "each workspace has its own");

    assert_eq!(budgets.take(&one(), END, 83, 2).await.unwrap(), Changing::Done(budget(1, 82)));
    assert_eq!(budgets.take(&one(), END, 83, 2).await.unwrap(), Changing::Done(budget(1, 84)));
    assert_eq!(budgets.take(&one(), END, 83, 2).await.unwrap(), Changing::Not(Some(budget(1, 84))), "it is used up");
    let other_end = END.plus_ms(10_000);
    assert_eq!(budgets.take(&one(), other_end, 999, 1).await.unwrap(), Changing::Not(Some(budget(1, 84))));

    let forgets = budgets.replace(&one(), &budget(2, 83)).await.unwrap();
    assert_eq!(forgets, Changing::Not(Some(budget(1, 84))), "what was taken meanwhile is not forgotten");
    let next = Budget { ends_at: other_end, ..budget(2, 1) };
    assert_eq!(budgets.replace(&one(), &next).await.unwrap(), Changing::Done(next.clone()));
    assert!(matches!(budgets.replace(&one(), &budget(2, 99)).await.unwrap(), Changing::Not(Some(_))), "an old version");
    let shut = Budget { shut_until: other_end, version: 3, ..next };
    assert_eq!(budgets.replace(&one(), &shut).await.unwrap(), Changing::Done(shut.clone()));
    assert_eq!(budgets.take(&one(), other_end, 999, 1).await.unwrap(), Changing::Not(Some(shut)), "it is shut");
}

/// Of many who take at once as many get something as there is. Nobody waits long for an answer here: on a
/// busy machine some ask a second time what was done the first, and some do not hear what became of it. So
/// fewer may be admitted than there is room for, and never more.
async fn share_exactly(budgets: &impl Budgets) {
    budgets.replace(&one(), &budget(1, 0)).await.unwrap();
    let one = one();
    let takers = (0..40).map(|_| budgets.take(&one, END, 25, 1));
    let (mut done, mut unheard) = (0, 0);
    for taken in join_all(takers).await {
        match taken {
            Ok(Changing::Done(_)) => done += 1,
            Ok(Changing::Not(_)) => {}
            Err(_) => unheard += 1,
        }
    }
    let left = loop {
        match budgets.take(&one, END, 25, 1).await {
            Ok(Changing::Done(_)) => done += 1,
            Ok(Changing::Not(left)) => break left.unwrap().taken,
            Err(_) => unheard += 1,
        }
        assert!(done <= 25, "{done} have taken");
    };
    assert_eq!(left, 25, "no more and no less");
    assert!(2 * (done + unheard) >= 25, "{done} have taken, of {unheard} it is not known");
}

#[test]
fn the_fake_keeps_the_budgets_promises() {
    run(keep_their_promises(&FakeBudgets::default()));
    run(share_exactly(&FakeBudgets::default()));
}

#[test]
fn dynamodb_keeps_the_budgets_promises() {
    for number in 0..2 {
        let aws = LocalAws::start();
        run(async {
            create_table(aws.port).await;
            let rows = BudgetRows::new(&LocalAws::connection(aws.port), "conversations");
            if number == 0 { keep_their_promises(&rows).await } else { share_exactly(&rows).await }
        });
    }
}

#[test]
fn rows_that_cannot_be_reached_cost_a_second_not_six() {
    run(async {
        // Takes calls and says nothing: with the patience of everything else it would be six seconds.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let rows = BudgetRows::new(&LocalAws::connection(port), "conversations");
        let began = Instant::now();
        rows.budget(&one()).await.unwrap_err();
        assert!(began.elapsed().as_millis() < 3_000, "{:?}", began.elapsed());
    });
}
