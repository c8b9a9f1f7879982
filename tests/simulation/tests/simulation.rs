//! Lives in a simulated world break no rule, and one seed is one run.

use shared::testing::Mutant as Core;
use simulation::mutants::Mutant;
use simulation::{exhaustive, life, recovery};

/// How many lives each test lives.
const SEEDS: u64 = 200;

#[test]
fn one_seed_is_one_run_bit_for_bit() {
    for seed in 0..12 {
        let (once, again) = (life::live(seed, true, None), life::live(seed, true, None));
        assert_eq!(once.hash, again.hash, "seed {seed}");
        assert_eq!(once.log, again.log, "seed {seed}");
        assert_eq!(once.hash, life::live(seed, false, None).hash, "looking at seed {seed} changes it");
    }
    assert_ne!(life::live(1, false, None).hash, life::live(2, false, None).hash);
}

#[test]
fn random_lives_break_no_rule() {
    let mut messages = 0;
    for seed in 0..SEEDS {
        let ending = life::live(seed, false, None);
        messages += ending.messages;
        assert!(ending.wrong.is_empty(), "make simulate SEED={seed}\n{:#?}", ending.wrong);
    }
    assert!(messages > 2_000, "{messages} messages are few");
}

#[test]
fn lives_without_a_sweep_break_no_rule() {
    for seed in 0..100 {
        let ending = life::live_unswept(seed, false, None);
        assert!(ending.wrong.is_empty(), "seed {seed}: {:#?}", ending.wrong);
    }
}

/// Mutants that need more lives than these: `make simulate-mutants` tells what becomes of them.
const RARE: [Mutant; 7] = [
    Mutant::Core(Core::CloseGoesOn),
    Mutant::Core(Core::HandoverLeavesTheBot),
    Mutant::NoReadBackMarker,
    Mutant::BatchGoesOn,
    Mutant::DeadLettersReversed,
    Mutant::HandoverNotVerified,
    Mutant::Core(Core::StaleAnswerTaken),
];

/// The lives that find a mutant out are lived without it by the tests above, unharmed.
#[test]
fn at_least_twenty_five_mutants_are_killed() {
    let mut killed = 0;
    println!("{:<28} {:<20}  killed by", "mutant", "in");
    for mutant in Mutant::all().into_iter().filter(|mutant| !RARE.contains(mutant)) {
        let found = (0..SEEDS).find_map(|seed| {
            let lived = life::live(seed, false, Some(mutant)).wrong.into_iter().next().map(|what| ("life", what));
            let unswept = || life::live_unswept(seed, false, Some(mutant)).wrong.into_iter().next();
            let (life, what) = lived.or_else(|| (seed < 50).then(unswept)?.map(|what| ("unswept life", what)))?;
            Some((format!("{life} {seed}"), what))
        });
        let Some((life, what)) = found else { panic!("{mutant:?} lives") };
        println!("{:<28} {life:<20}  {what}", format!("{mutant:?}"));
        killed += 1;
    }
    assert!(killed >= 25, "{killed}");
}

#[test]
fn every_schedule_of_one_fault_is_good() {
    let count = exhaustive::all(1, exhaustive::Share { part: 0, of: 1 }, |_| ());
    println!("schedules by number of faults: {:?}", count.schedules);
    assert!(count.bad.is_empty(), "make simulate-exhaustive: {:?}", count.bad);
    assert!(count.schedules[1] > 200);
}

#[test]
fn dead_consumers_and_redriven_dead_letters_lose_repeat_and_reorder_nothing() {
    for seed in 0..30 {
        let ending = recovery::consumers_dead(seed, false, None);
        assert!(ending.wrong.is_empty(), "simulate dead {seed}: {:#?}", ending.wrong);
    }
}

#[test]
fn rows_that_are_lost_are_made_anew_and_nothing_is_sent_again() {
    for seed in 0..30 {
        let ending = recovery::rows_lost(seed, false);
        assert!(ending.wrong.is_empty(), "simulate wiped {seed}: {:#?}", ending.wrong);
    }
}
