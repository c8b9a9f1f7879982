//! A request that is applied late is no second message as long as doubts settle later; and if it is, that is noticed,
//! always. `simulate late RUNS` runs more of them.

use simulation::lateness::{Figures, NOTICED_MS, all, live};
use simulation::mutants::Mutant;
use simulation::run::View;

/// How long doubts settle in the simulated workspaces, in seconds.
const SETTLE_S: u64 = 30;
/// How many runs there are for each lateness.
const RUNS: u64 = 16;

fn lived(late_s: u64, stale_s: u64, skew_s: u64) -> Figures {
    let figures = all(late_s * 1_000, stale_s * 1_000, skew_s * 1_000, 0..RUNS);
    assert!(figures.wrong.is_empty(), "late {late_s} s, {stale_s} s old, clocks {skew_s} s off: {:#?}", figures.wrong);
    assert_eq!(figures.runs, RUNS);
    figures
}

#[test]
fn within_the_settling_time_nothing_is_said_twice_however_late_it_is_applied() {
    for late_s in (0..SETTLE_S).step_by(3) {
        assert_eq!(lived(late_s, 0, 0).surplus, 0, "{late_s} s");
    }
    for (late_s, stale_s) in [(0, 10), (10, 8), (18, 10), (24, 4)] {
        assert_eq!(lived(late_s, stale_s, 0).surplus, 0, "{late_s} s late, {stale_s} s old");
    }
}

#[test]
fn whatever_arrives_later_than_doubts_settle_is_noticed_within_a_sweep_and_nothing_is_lost() {
    let mut surplus = 0;
    for late_s in (SETTLE_S..=150).step_by(6) {
        let figures = lived(late_s, if late_s % 4 == 0 { 0 } else { 8 }, 0);
        assert!(figures.noticed >= figures.surplus, "{late_s} s");
        assert!(figures.slowest_ms <= NOTICED_MS, "{late_s} s: noticed after {} ms", figures.slowest_ms);
        surplus += figures.surplus;
    }
    assert!(surplus > 100, "only {surplus} parts were too many, of all these runs");
}

/// Then a doubt may be looked at before it has settled, by a clock that is ahead.
#[test]
fn when_clocks_are_minutes_off_what_comes_late_is_noticed_all_the_same() {
    for late_s in [10, 20, 45, 90] {
        let figures = lived(late_s, 0, 600);
        assert!(figures.noticed >= figures.surplus, "{late_s} s");
    }
}

#[test]
fn who_does_not_look_is_found_out() {
    let view = View { mutant: Some(Mutant::Core(shared::testing::Mutant::LateGoesUnseen)), ..View::default() };
    let found = (0..RUNS).filter(|seed| !live(60_000, 0, 0, *seed, view).0.wrong.is_empty()).count();
    assert!(found > 4, "{found} of {RUNS}");
}
