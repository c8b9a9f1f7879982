//! Demand of three times Intercom's limit: nothing is lost, hardly a 429, everybody gets their share,
//! and customers are answered before anything is tagged. And a token that is refused for a while.

use shared::testing::Mutant as Core;
use simulation::limits::{Limit, Limits, Taken};
use simulation::mutants::Mutant;
use simulation::rates::{Demand, fairness, meet};
use simulation::run::View;

fn broken_as(mutant: Core) -> View {
    View { mutant: Some(Mutant::Core(mutant)), ..View::default() }
}

/// At most one answer in a hundred is a 429.
fn is_hardly_limited(limits: &Limits, from: u64) -> Result<(), String> {
    let limited = limits.requests.iter().filter(|it| it.taken == Taken::Limited && it.at >= from).count();
    let all = limits.requests.len();
    if limited * 100 <= all { Ok(()) } else { Err(format!("{limited} of {all} answers are 429")) }
}

/// While somebody waits, no window is left unused: nine tenths of it are taken, but for a tenth of
/// these.
fn windows_are_used(limits: &Limits, from: u64, until: u64) -> Result<(), String> {
    let calls = limits.limit.calls as usize;
    for workspace in 0..2 {
        for begin in (from..until).step_by(10_000) {
            let is_of_it = |request: &&simulation::limits::Request| {
                request.workspace == workspace && (begin..begin + 10_000).contains(&request.at)
            };
            let served = limits.requests.iter().filter(is_of_it).count();
            if served * 100 < calls * 81 {
                return Err(format!("of the {calls} calls from {begin} ms on only {served} are used"));
            }
        }
    }
    Ok(())
}

/// How much of what was served between these moments was what customers read.
fn answers_come_first(limits: &Limits, from: u64, until: u64) -> Result<(), String> {
    let count = |what| limits.served(what, from, until).count();
    let (replies, rest) = (count("reply"), count("tag") + count("set_attributes"));
    let words = format!("{replies} replies and {rest} tags");
    if replies >= 9 * rest { Ok(()) } else { Err(words) }
}

#[test]
fn three_times_the_limit_is_met_without_loss_in_fair_shares_and_with_hardly_a_429() {
    let (ending, limits) = meet(&Demand::of_three_times(160, 20_000), 1, View::default());
    assert!(ending.wrong.is_empty(), "{:#?}", ending.wrong);
    let served = limits.count(Taken::Served);
    let per_request = |count: u64| count as f64 / served as f64;
    println!(
        "{served} requests, {} x 429; {:.2} reads and {:.2} writes of budgets a request",
        limits.count(Taken::Limited),
        per_request(limits.reads),
        per_request(limits.writes)
    );
    is_hardly_limited(&limits, 0).unwrap();
    windows_are_used(&limits, 10_000, 60_000).unwrap();
    let mut tenants = Vec::new();
    for workspace in 0..2 {
        let shares = limits.by_talk(workspace, "reply", 0, 50_000);
        let index = fairness(&shares);
        println!("workspace {workspace}: fairness between {} conversations {index:.3}", shares.len());
        assert!(index >= 0.95, "{shares:?}");
        tenants.push(shares.iter().sum());
    }
    assert!(fairness(&tenants) >= 0.99, "{tenants:?}");
    assert!(per_request(limits.writes) <= 1.3);
}

/// Two conversations of three are answered, the third is tagged: five requests a message.
fn mixed() -> Demand {
    Demand { wishes: &["reply", "reply", "tag"], ..Demand::of_three_times(40, 30_000) }
}

#[test]
fn customers_are_answered_before_anything_is_tagged() {
    let (ending, limits) = meet(&mixed(), 2, View::default());
    assert!(ending.wrong.is_empty(), "{:#?}", ending.wrong);
    answers_come_first(&limits, 20_000, 40_000).unwrap();
    is_hardly_limited(&limits, 0).unwrap();
    let (_, broken) = meet(&mixed(), 2, broken_as(Core::LanesIgnored));
    let why = answers_come_first(&broken, 20_000, 40_000).expect_err("the mutant LanesIgnored lives");
    println!("LanesIgnored is killed: {why}");
}

#[test]
fn a_wait_for_the_limit_is_no_failure() {
    let demand = Demand::of_three_times(40, 30_000);
    let (ending, limits) = meet(&demand, 3, View::default());
    assert!(ending.wrong.is_empty(), "{:#?}", ending.wrong);
    windows_are_used(&limits, 20_000, 80_000).unwrap();
    let (_, broken) = meet(&demand, 3, broken_as(Core::LimitIsFailure));
    let why = windows_are_used(&broken, 20_000, 80_000).expect_err("the mutant LimitIsFailure lives");
    println!("LimitIsFailure is killed: {why}");
}

#[test]
fn workers_that_share_nothing_run_into_the_limit() {
    let demand = Demand::of_three_times(40, 20_000);
    let (ending, limits) = meet(&demand, 4, View::default());
    assert!(ending.wrong.is_empty(), "{:#?}", ending.wrong);
    is_hardly_limited(&limits, 0).unwrap();
    let (ending, broken) = meet(&demand, 4, broken_as(Core::BudgetNotShared));
    assert!(ending.wrong.is_empty(), "even so nothing is lost: {:#?}", ending.wrong);
    let why = is_hardly_limited(&broken, 0).expect_err("the mutant BudgetNotShared lives");
    println!("BudgetNotShared is killed: {why}");
}

#[test]
fn what_other_apps_take_is_left_to_them() {
    let mut demand = Demand::of_three_times(80, 20_000);
    demand.limit.others = 40;
    let (ending, limits) = meet(&demand, 5, View::default());
    assert!(ending.wrong.is_empty(), "{:#?}", ending.wrong);
    // In the first window nobody can know of them yet.
    is_hardly_limited(&limits, 10_000).unwrap();
    let limited = limits.count(Taken::Limited);
    assert!(limited * 50 <= limits.requests.len(), "{limited} of {} are 429", limits.requests.len());
}

#[test]
fn without_its_rows_everything_goes_on_by_429s_alone() {
    for row_faults in [3_000, 10_000] {
        let mut demand = Demand::of_three_times(40, 15_000);
        demand.limit.row_faults = row_faults;
        let (ending, limits) = meet(&demand, 6, View::default());
        assert!(ending.wrong.is_empty(), "{:#?}", ending.wrong);
        println!(
            "{row_faults} of 10000 calls fail: {} of {} are 429",
            limits.count(Taken::Limited),
            limits.requests.len()
        );
        assert!(limits.count(Taken::Limited) * 3 <= limits.requests.len(), "each waits for its window");
    }
}

#[test]
fn a_refused_token_is_tried_once_a_minute_and_what_waited_is_sent_in_order() {
    let (from, until) = (30_000, 330_000);
    let limit = Limit { calls: 160, revoked: Some((from, until)), ..Limit::default() };
    let demand = Demand { talks: 10, span_ms: 360_000, each_ms: 20_000, wishes: &["reply", "two"], limit };
    let (ending, limits) = meet(&demand, 7, View::default());
    assert!(ending.wrong.is_empty(), "{:#?}", ending.wrong);
    let denied: Vec<u64> = limits.requests.iter().filter(|it| it.taken == Taken::Denied).map(|it| it.at).collect();
    println!("refused at {denied:?}");
    // What was on its way when the first refusal came; then one call a minute, as long as it is on its way.
    let first = *denied.first().unwrap();
    let on_their_way = denied.iter().filter(|at| **at < first + 1_500).count();
    assert!(on_their_way <= 8, "{denied:?}");
    let tries = &denied[on_their_way..];
    assert!(tries.windows(2).all(|pair| pair[1] - pair[0] >= 59_000), "{denied:?}");
    assert!(tries.first().is_none_or(|try_at| try_at - first >= 59_000) && tries.len() >= 3, "{denied:?}");
    let waited = |workspace| {
        let mut served: Vec<u64> = limits
            .requests
            .iter()
            .filter(|it| it.workspace == workspace && it.taken == Taken::Served && it.at < 480_000)
            .map(|it| it.at)
            .collect();
        served.sort_unstable();
        served.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
    };
    assert!(waited(0) >= until - from - 2_000 && waited(0) <= until - from + 125_000, "{}", waited(0));
    let quiet = limits.requests.iter().filter(|it| it.workspace == 1 && (from..until).contains(&it.at)).count();
    assert!(quiet > 150, "the other workspace notices nothing: {quiet}");
}
