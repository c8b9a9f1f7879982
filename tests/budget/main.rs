//! The budget's arithmetic: whatever is known, whatever the clocks show, nobody waits for ever, the
//! urgent are never behind the others, and no window is overdrawn.

use proptest::prelude::*;
use shared::domain::budget::{
    Budget, Call, Caller, Heard, PRESSED_MS, Reading, SHUT_MS, TRIAL_MS, Urgency, Verdict, WINDOW_MS, decide, heed,
};
use shared::domain::ids::Timestamp;
use shared::ports::Changing;
use shared::testing::{may_replace, take_calls};

const NOW: Timestamp = Timestamp(1_768_040_003_210);
/// The longest that anybody is told to wait, in milliseconds: a window of a minute, should Intercom
/// name one, and the rest of the next.
const LONGEST_WAIT_MS: u64 = 61_000 + 2 * WINDOW_MS;

fn nobody(about: &str) -> Caller<'_> {
    Caller { about, served_at: Timestamp(0) }
}

/// A moment that has to do with now, or with nothing.
fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => (-120_000_i64..120_000).prop_map(|ms| Timestamp(NOW.0.saturating_add_signed(ms))),
        1 => Just(Timestamp(0)),
        1 => any::<u64>().prop_map(Timestamp),
    ]
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0_u32..200, 1 => any::<u32>()]
}

prop_compose! {
    fn budget()(
        version in 0_u64..9, limit in number(), ends_at in moment(), taken in number(), after_full in any::<bool>(),
        pressed_until in moment(), shut_until in prop_oneof![3 => Just(Timestamp(0)), 1 => moment()],
    ) -> Budget {
        Budget { version, limit, ends_at, taken, after_full, pressed_until, shut_until }
    }
}

fn urgency() -> impl Strategy<Value = Urgency> {
    prop::sample::select(Urgency::ALL.to_vec())
}

prop_compose! {
    fn heard()(
        reading in prop::option::of((number(), number(), moment())), denied in prop::option::of(any::<bool>()),
    ) -> Heard {
        let reading = reading.map(|(limit, remaining, ends_at)| Reading { limit, remaining, ends_at });
        Heard { reading, denied }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nobody_waits_for_ever_nor_until_now(
        budget in budget(), urgency in urgency(), about in "[0-9]{1,15}", served_at in moment(),
    ) {
        let caller = Caller { about: &about, served_at };
        match decide(Some(&budget), Call { urgency, requests: 2 }, caller, NOW) {
            Verdict::Wait(until) => {
                prop_assert!(until > NOW && until <= NOW.plus_ms(LONGEST_WAIT_MS), "{until:?}");
            }
            Verdict::Write(next) => {
                prop_assert_eq!(next.version, budget.version + 1);
                // What was written lets the next one know where it is.
                let then = decide(Some(&next), Call { urgency, requests: 2 }, nobody("9"), NOW);
                prop_assert!(!matches!(then, Verdict::Write(_)), "{then:?}");
            }
            Verdict::Take { most } => prop_assert!(budget.taken < most && most >= 1),
            Verdict::Go => {}
        }
    }

    #[test]
    fn the_more_urgent_never_waits_where_the_less_urgent_goes(budget in budget(), about in "[0-9]{1,15}") {
        let mut goes = false;
        for urgency in Urgency::ALL {
            let verdict = decide(Some(&budget), Call { urgency, requests: 1 }, nobody(&about), NOW);
            let waits = matches!(verdict, Verdict::Wait(_));
            prop_assert!(!(goes && waits), "{urgency:?} waits");
            goes |= !waits;
        }
    }

    #[test]
    fn what_is_heard_twice_is_written_once_and_taken_calls_are_not_forgotten(budget in budget(), heard in heard()) {
        let Some(next) = heed(Some(&budget), &heard, NOW) else { return Ok(()) };
        prop_assert_eq!(next.version, budget.version + 1);
        prop_assert_eq!(heed(Some(&next), &heard, NOW), None);
        if next.ends_at == budget.ends_at && budget.is_pressed(NOW) {
            prop_assert!(next.taken >= budget.taken);
        }
        prop_assert!(next.shut_until <= NOW.plus_ms(SHUT_MS).max(budget.shut_until));
        prop_assert!(next.pressed_until <= NOW.plus_ms(PRESSED_MS).max(budget.pressed_until));
    }

    /// Many who come at any time, as urgent as they please: of each window no more than nine tenths
    /// are taken, and of those that each urgency leaves to others it takes none.
    #[test]
    fn no_window_is_overdrawn(
        limit in 2_u32..200,
        mut comers in prop::collection::vec((0_u64..35_000, urgency()), 0..600),
    ) {
        comers.sort_by_key(|(at, _)| *at);
        let begin = 1_768_040_000_000;
        let (ends_at, pressed_until) = (Timestamp(begin + WINDOW_MS), Timestamp(begin + 60_000));
        let mut row = Budget { version: 1, limit, ends_at, pressed_until, ..Budget::default() };
        let mut admitted = [0_u32; 4];
        for (number, (at, urgency)) in comers.into_iter().enumerate() {
            let now = Timestamp(begin + at);
            let call = Call { urgency, requests: 1 };
            let about = number.to_string();
            let goes = match decide(Some(&row), call, nobody(&about), now) {
                Verdict::Take { most } => {
                    let (before, ends_at) = (row.taken, row.ends_at);
                    let done = matches!(take_calls(Some(&mut row), ends_at, most, 1), Changing::Done(_));
                    prop_assert!(before * 100 <= limit * (100 - urgency.leaves()) || before == 0);
                    done
                }
                Verdict::Write(next) => {
                    prop_assert!(may_replace(Some(&row), &next));
                    row = next;
                    true
                }
                Verdict::Wait(_) => false,
                Verdict::Go => return Err(TestCaseError::fail("it is under pressure all the time")),
            };
            admitted[(at / WINDOW_MS) as usize] += u32::from(goes);
        }
        for count in admitted {
            prop_assert!(count <= (limit * 9 / 10).max(1), "{count} of {limit}");
        }
    }
}

#[test]
fn each_lane_leaves_more_to_those_above_it() {
    assert!(Urgency::ALL.windows(2).all(|pair| pair[0].leaves() > pair[1].leaves() && pair[0] < pair[1]));
    let budget = Budget { limit: 160, ..Budget::default() };
    let most: Vec<u32> = Urgency::ALL.iter().rev().map(|urgency| budget.most(*urgency)).collect();
    assert_eq!(most, [144, 136, 128, 120, 112]);
    assert_eq!(Budget { limit: 1, ..budget }.most(Urgency::Tag), 1, "a small limit is for everybody");
}

#[test]
fn a_calm_workspace_is_not_counted_and_one_under_pressure_is() {
    let reading = |remaining| Heard {
        reading: Some(Reading { limit: 160, remaining, ends_at: NOW.plus_ms(4_000) }),
        denied: Some(false),
    };
    assert_eq!(heed(None, &reading(81), NOW), None, "much is left");
    let pressed = heed(None, &reading(80), NOW).unwrap();
    assert_eq!((pressed.taken, pressed.limit, pressed.ends_at), (80, 160, NOW.plus_ms(4_000)));
    let reply = Call { urgency: Urgency::Reply, requests: 1 };
    assert_eq!(decide(Some(&pressed), reply, nobody("1"), NOW), Verdict::Take { most: 144 });
    let later = NOW.plus_ms(PRESSED_MS);
    assert_eq!(decide(Some(&pressed), reply, nobody("1"), later), Verdict::Go, "pressure passes");
    // Others take: more than is ours. A 429 says that nothing is left.
    assert_eq!(heed(Some(&pressed), &reading(70), NOW), None, "a few that are under way");
    assert_eq!(heed(Some(&pressed), &reading(40), NOW).unwrap().taken, 120);
    assert_eq!(heed(Some(&pressed), &reading(0), NOW).unwrap().taken, 160);
}

#[test]
fn a_limit_that_shrinks_is_written_once() {
    let ends_at = NOW.plus_ms(8_000);
    let known =
        Budget { version: 1, limit: 230, taken: 94, ends_at, pressed_until: NOW.plus_ms(5_000), ..Budget::default() };
    let heard =
        Heard { reading: Some(Reading { limit: 141, remaining: 24, ends_at: NOW.plus_ms(4_000) }), denied: None };
    let next = heed(Some(&known), &heard, NOW).unwrap();
    assert_eq!((next.limit, next.taken), (141, 117));
    assert_eq!(heed(Some(&next), &heard, NOW), None);
}

#[test]
fn notes_and_tags_come_late_in_a_window_after_one_that_was_used_up() {
    let full = Budget {
        version: 1,
        limit: 100,
        ends_at: NOW,
        taken: 90,
        pressed_until: NOW.plus_ms(20_000),
        ..Budget::default()
    };
    let verdict =
        |urgency, after_ms| decide(Some(&full), Call { urgency, requests: 1 }, nobody("1"), NOW.plus_ms(after_ms));
    for urgency in [Urgency::Reply, Urgency::Assignment, Urgency::Read] {
        assert!(matches!(verdict(urgency, 1), Verdict::Write(next) if next.after_full && next.taken == 1));
    }
    assert!(matches!(verdict(Urgency::Note, 3_999), Verdict::Wait(until) if until >= NOW.plus_ms(4_000)));
    assert!(matches!(verdict(Urgency::Tag, 5_999), Verdict::Wait(until) if until >= NOW.plus_ms(6_000)));
    assert!(matches!(verdict(Urgency::Tag, 6_001), Verdict::Write(_)));
    let calm = Budget { taken: 89, ..full.clone() };
    let tag = Call { urgency: Urgency::Tag, requests: 1 };
    assert!(matches!(decide(Some(&calm), tag, nobody("1"), NOW.plus_ms(1)), Verdict::Write(_)));
}

#[test]
fn a_refused_token_is_tried_by_one_a_minute_and_taken_again_at_once() {
    let denied = Heard { reading: None, denied: Some(true) };
    let shut = heed(None, &denied, NOW).unwrap();
    assert_eq!(heed(Some(&shut), &denied, NOW), None, "the second refusal is no news");
    let call = Call { urgency: Urgency::Reply, requests: 1 };
    assert!(matches!(decide(Some(&shut), call, nobody("1"), NOW.plus_ms(59_999)), Verdict::Wait(_)));
    let Verdict::Write(tried) = decide(Some(&shut), call, nobody("1"), NOW.plus_ms(60_000)) else {
        panic!("nobody tries")
    };
    let other = decide(Some(&tried), call, nobody("2"), NOW.plus_ms(60_000));
    let soon = NOW.plus_ms(60_000 + TRIAL_MS);
    assert!(matches!(other, Verdict::Wait(until) if until >= soon && until < soon.plus_ms(10_000)), "{other:?}");
    let again = heed(Some(&tried), &denied, NOW.plus_ms(60_200)).unwrap();
    let later = decide(Some(&again), call, nobody("2"), soon.plus_ms(1_000));
    assert!(matches!(later, Verdict::Wait(until) if until >= NOW.plus_ms(120_200)), "{later:?}");
    let open = heed(Some(&tried), &Heard { reading: None, denied: Some(false) }, NOW.plus_ms(60_200)).unwrap();
    assert_eq!(decide(Some(&open), call, nobody("2"), NOW.plus_ms(60_200)), Verdict::Go);
}

#[test]
fn who_came_too_late_in_one_window_is_early_in_another() {
    let early = |about: &str, window: u64| {
        let ends_at = Timestamp(NOW.0 / WINDOW_MS * WINDOW_MS + window * WINDOW_MS);
        let (now, pressed_until) = (Timestamp(ends_at.0 - 1), ends_at.plus_ms(1_000));
        let full = Budget { limit: 100, ends_at, taken: 100, pressed_until, ..Budget::default() };
        match decide(Some(&full), Call { urgency: Urgency::Reply, requests: 1 }, nobody(about), now) {
            Verdict::Wait(until) => until.0 - ends_at.0 < 1_000 + 4_000 / 3,
            other => panic!("{other:?}"),
        }
    };
    for number in 0..500 {
        let about = format!("21547{number:010}");
        let count = (0..30).filter(|window| early(&about, *window)).count();
        assert!((8..=12).contains(&count), "{about} is in the first third in {count} of 30 windows");
    }
}

#[test]
fn a_budget_of_an_older_form_is_readable() {
    let old: Budget = serde_json::from_str(r#"{"version":3,"limit":166,"unknown":1}"#).unwrap();
    assert_eq!(old, Budget { version: 3, limit: 166, ..Budget::default() });
}
