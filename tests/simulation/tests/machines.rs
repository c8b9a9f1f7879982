//! A bot that talks with a machine stops, and people get the conversation.

use shared::testing::Mutant as Core;
use simulation::machines::{Machine, talk};
use simulation::mutants::Mutant;

const MACHINES: [Machine; 8] = [
    Machine::Echo(0),
    Machine::Echo(300),
    Machine::Echo(700),
    Machine::Echo(1_100),
    Machine::Echo(1_900),
    Machine::Absent(60_000),
    Machine::Absent(900_000),
    Machine::Mute,
];

#[test]
fn two_bots_that_answer_each_other_say_ten_messages_and_then_none() {
    for machine in MACHINES {
        for given_back in [false, true] {
            let ending = talk(machine, given_back, false, None);
            assert!(ending.wrong.is_empty(), "{machine:?}, given back: {given_back}: {:#?}", ending.wrong);
        }
    }
}

#[test]
fn a_bot_without_the_loop_breaker_is_found_out() {
    for machine in MACHINES {
        let ending = talk(machine, false, false, Some(Mutant::Core(Core::LoopGoesOn)));
        assert!(!ending.wrong.is_empty(), "{machine:?} goes unnoticed");
    }
}
