//! Lives in a simulated world break no rule, and one seed is one run.

use shared::testing::Mutant as Core;
use simulation::crowd::{Amiss, crowd};
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
const RARE: [Mutant; 9] = [
    Mutant::Core(Core::CloseGoesOn),
    Mutant::Core(Core::HandoverLeavesTheBot),
    Mutant::NoReadBackMarker,
    Mutant::BatchGoesOn,
    Mutant::DeadLettersReversed,
    Mutant::DeadLettersDeletedFirst,
    Mutant::DeadLettersOwned,
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
fn a_replay_that_loses_reorders_or_speaks_for_itself_is_found_out() {
    for mutant in [Mutant::DeadLettersReversed, Mutant::DeadLettersDeletedFirst, Mutant::DeadLettersOwned] {
        let found = (0..200).find_map(|seed| {
            let what = recovery::consumers_dead(seed, false, Some(mutant)).wrong.into_iter().next()?;
            Some((seed, what))
        });
        let Some((seed, what)) = found else { panic!("{mutant:?} lives") };
        println!("{mutant:?} in dead {seed}: {what}");
    }
}

#[test]
fn nobody_notices_a_poison_message_or_a_conversation_that_is_stuck() {
    const CROWD: usize = 1_000;
    let calm = crowd(CROWD, Amiss::Nothing);
    let poisoned = crowd(CROWD, Amiss::Poison);
    let beside = crowd(CROWD, Amiss::Stuck(10_000));
    for figures in [&calm, &poisoned, &beside] {
        assert!(figures.ending.wrong.is_empty(), "{:?}", figures.ending.wrong);
        assert_eq!(figures.others_ms.len(), CROWD - 1);
    }
    let [calm_ms, poisoned_ms, beside_ms] = [&calm, &poisoned, &beside].map(|figures| figures.within(99));
    println!("99 of 100 are answered within {calm_ms} ms, beside a poison message {poisoned_ms} ms,");
    println!("beside a conversation with 10,000 messages that fail {beside_ms} ms;");
    println!("the customer behind the poison within {:?}, behind the 10,000 {:?} ms", poisoned.own_ms, beside.own_ms);
    assert_eq!(poisoned.ending.parked, [1], "after one try");
    assert!(poisoned_ms * 100 <= calm_ms * 105);
    assert!(poisoned.own_ms[0] <= calm_ms * 105 / 100, "its own conversation goes on");
    assert!(beside_ms < 2 * calm_ms);
    assert!(beside.own_ms[0] < u64::MAX, "it is answered when Intercom shows it again");
}

#[test]
fn rows_that_are_lost_are_made_anew_and_nothing_is_sent_again() {
    for seed in 0..30 {
        let ending = recovery::rows_lost(seed, false);
        assert!(ending.wrong.is_empty(), "simulate wiped {seed}: {:#?}", ending.wrong);
    }
}
