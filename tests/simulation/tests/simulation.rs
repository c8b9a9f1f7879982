//! Lives in a simulated world break no rule, and one seed is one run.

use simulation::life;

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
    for seed in 0..200 {
        let ending = life::live(seed, false, None);
        messages += ending.messages;
        assert!(ending.wrong.is_empty(), "make simulate SEED={seed}\n{:#?}", ending.wrong);
    }
    assert!(messages > 2_000, "{messages} messages are few");
}
