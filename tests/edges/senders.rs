//! Whoever passes messages on, and whatever is written beside them, nobody speaks in another's name.

use proptest::prelude::*;
use shared::wire::passed_on::{handed_on, speaker};

fn trusted() -> Vec<String> {
    ["AROAINGRESS", "AROAREPLY", "AROAOPERATOR"].map(str::to_owned).into()
}

/// What somebody may write as the list of senders: such lists, and anything else.
fn lists() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec!["AROAINGRESS", "AROAREPLY", "AROAOPERATOR", "AROABOT", "AROAOTHER", "?", ""]);
    prop_oneof![prop::collection::vec(names, 0..40).prop_map(|names| names.join(",")), ".{0,80}", "[A-Z,]{0,3000}"]
}

proptest! {
    #[test]
    fn nobody_gains_a_name_by_what_they_write_beside_a_message(
        written in lists(),
        hands in prop::collection::vec(prop::sample::select(trusted()), 0..24),
    ) {
        prop_assert_eq!(speaker("AROABOT:session", &written, &trusted()), "AROABOT");
        let (mut attested, mut list) = ("AROABOT".to_owned(), written);
        for hand in hands {
            list = handed_on(&attested, &list);
            attested = hand;
            prop_assert_eq!(speaker(&attested, &list, &trusted()), "AROABOT", "{}", list);
            prop_assert!(list.len() <= 2_200);
        }
    }

    #[test]
    fn what_is_passed_on_by_the_trusted_stays_from_whom_it_came(
        first in prop::sample::select(vec!["AROABOT", "AROAOTHER", "AROAINGRESS", "AIDASTRANGER"]),
        hands in prop::collection::vec(prop::sample::select(trusted()), 1..24),
    ) {
        let (mut attested, mut list) = (first.to_owned(), String::new());
        for hand in hands {
            list = handed_on(&attested, &list);
            attested = hand;
        }
        let speaker = speaker(&attested, &list, &trusted());
        if trusted().iter().any(|one| one == first) {
            prop_assert!(trusted().iter().any(|one| one == speaker), "{} of {}", speaker, list);
        } else {
            prop_assert_eq!(speaker, first);
        }
    }
}
