//! Office hours: what the settings' reader takes and refuses, and what holds in every zone at every time.

use proptest::prelude::*;
use shared::domain::hours::{Day, OfficeHours, Times, Zone};
use shared::domain::ids::Timestamp;

use super::settings::{expect, mistakes};
use super::{file, workspace};

/// Zones with summer time in the north, in the south, of half an hour, none, one that skipped a day, and one
/// whose clock changes at midnight.
const ZONES: [&str; 9] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Asia/Kolkata",
    "Pacific/Apia",
    "America/Havana",
    "Africa/Casablanca",
    "UTC",
];

#[test]
fn office_hours_have_a_zone_a_week_and_holidays() {
    let office = workspace(
        r#"
[workspace.office_hours]
time_zone = "Europe/Berlin"
days = ["mon", "tue", "wed", "thu", "fri"]
hours = ["09:00-12:30", "13:30 - 18:00"]
week = { fri = "09:00-15:00", sat = ["10:00-11:00", "23:00-24:00"] }
holidays = [2026-12-25, "2027-01-01"]
"#,
    )
    .office_hours
    .unwrap();
    let times = |spans: &[(u32, u32)]| Times::of(spans.iter().map(|(from, to)| *from..*to).collect()).unwrap();
    let usual = times(&[(540, 750), (810, 1080)]);
    assert_eq!(office.week[..4], [usual.clone(), usual.clone(), usual.clone(), usual]);
    assert_eq!(office.week[4..], [times(&[(540, 900)]), times(&[(600, 660), (1380, 1440)]), Times::default()]);
    assert_eq!(office.holidays.into_iter().collect::<Vec<_>>(), [day(2026, 12, 25), day(2027, 1, 1)]);
    assert_eq!(office.zone, Zone::named("Europe/Berlin").unwrap());
}

#[test]
fn a_clock_without_summer_time_is_still_read() {
    let text = r#"
[workspace.office_hours]
utc_offset = "-03:30"
days = "sat"
from = "18:00"
to = "24:00"
"#;
    let office = workspace(text).office_hours.unwrap();
    assert_eq!(office.zone, Zone::ahead_of_utc(-210).unwrap());
    let below_rules = text.replace("[workspace.office", "[workspace.rules]\n[workspace.rules.office");
    assert_eq!(workspace(&below_rules).office_hours, Some(office));
}

#[test]
fn every_mistake_in_office_hours_is_reported_with_its_line() {
    let office = r#"
[workspace.rules]
[workspace.rules.office_hours]
time_zone = "Europe/Atlantis"
days = ["mon", "monday"]
hours = ["9:00-12:00", "13:00-15:00",
  "14:00-16:00", "22:00-02:00"]
week = { fri = "17:00", holiday = "09:00-10:00" }
holidays = [2026-12-25,
  "2026-02-29", 2026-12-24T10:00:00, "27-01-01"]
hollidays = 1
"#;
    expect(
        office,
        &[
            (3, "no time zone"),
            (4, "`days` are"),
            (5, "\"9:00-12:00\" is no span"),
            (5, "overlap"),
            (6, "\"22:00-02:00\" is no span"),
            (7, "\"17:00\" is no span"),
            (7, "the days of a `week`"),
            (9, "must be dates"),
            (9, "must be dates"),
            (9, "must be dates"),
            (10, "`hollidays` is no setting"),
        ],
    );
    let wrong = |lines: &str, expected: &[(usize, &str)]| {
        expect(&format!("\n[workspace.rules]\n[workspace.rules.office_hours]\n{lines}\n"), expected);
    };
    wrong("", &[(2, "needs `time_zone`")]);
    wrong("time_zone = \"UTC\"", &[(2, "never open")]);
    wrong("time_zone = 1\nweek = 1\nholidays = 1", &[(3, "a text"), (4, "a table"), (5, "a list of dates")]);
    wrong("time_zone = \"UTC\"\nutc_offset = \"+01:00\"\ndays = \"mon\"\nhours = \"09:00-10:00\"", &[(3, "not both")]);
    wrong("utc_offset = \"+14:30\"\ndays = \"mon\"", &[(2, "`days` need `hours`"), (3, "utc_offset")]);
    wrong("time_zone = \"UTC\"\ndays = \"mon\"\nfrom = \"09:00\"", &[(2, "belong together")]);
    wrong("time_zone = \"UTC\"\nhours = \"09:00-10:00\"", &[(2, "needs `days`")]);
    let both = "time_zone = \"UTC\"\ndays = \"mon\"\nhours = \"09:00-10:00\"\nfrom = \"09:00\"\nto = \"10:00\"";
    wrong(both, &[(5, "not both")]);
}

#[test]
fn office_hours_are_set_in_one_place() {
    let hours = "time_zone = \"UTC\"\ndays = \"mon\"\nhours = \"09:00-10:00\"";
    let text = format!("[workspace.rules]\n[workspace.rules.office_hours]\n{hours}\n[workspace.office_hours]\n{hours}");
    let found = mistakes(&text);
    assert!(found.len() == 1 && found[0].0 == 2 && found[0].1.contains("already"), "{found:?}");
    assert!(shared::wire::settings::parse(&file(&format!("[workspace.office_hours]\n{hours}"))).is_ok());
}

fn day(year: i16, month: i8, day: i8) -> Day {
    Day::of(year, month, day).unwrap()
}

/// Times of a day: bounds in order, every two of them a span.
fn times() -> impl Strategy<Value = Times> {
    prop::collection::btree_set(0_u32..=1440, 0..7).prop_map(|bounds| {
        let bounds: Vec<u32> = bounds.into_iter().collect();
        Times::of(bounds.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect()).unwrap()
    })
}

fn office() -> impl Strategy<Value = OfficeHours> {
    let holiday = (2011_i16..2031, 1_i8..=12, 1_i8..=28).prop_map(|(year, month, date)| day(year, month, date));
    let week = prop::array::uniform7(prop_oneof![Just(Times::default()), times()]);
    let zone = prop::sample::select(&ZONES[..]).prop_map(|name| Zone::named(name).unwrap());
    (zone, week, prop::collection::btree_set(holiday, 0..40)).prop_map(|(zone, week, holidays)| OfficeHours {
        zone,
        week,
        holidays,
        special: Default::default(),
    })
}

/// Moments of twenty years, half of them within two days of a change of some zone's clock.
fn moment() -> impl Strategy<Value = Timestamp> {
    let any = 1_293_840_000_000_u64..1_924_992_000_000;
    // 2026-03-29 and 2026-10-25 01:00 UTC in Berlin, 2011-12-30 10:00 UTC in Apia, 2026-03-08 05:00 UTC in Havana.
    const CHANGES: [u64; 4] = [1_774_746_000_000, 1_792_890_000_000, 1_325_239_200_000, 1_772_946_000_000];
    let near = (prop::sample::select(&CHANGES[..]), -172_800_000_i64..172_800_000)
        .prop_map(|(change, by)| change.saturating_add_signed(by));
    prop_oneof![any, near].prop_map(Timestamp)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_next_opening_is_open_and_nothing_open_lies_between(office in office(), now in moment()) {
        let next = office.next_opening(now);
        prop_assert_eq!(office.are_open(now), next == Some(now));
        let is_never_open = office.week.iter().all(Times::are_none);
        let Some(next) = next else {
            prop_assert!(is_never_open, "an office with hours opens again");
            return Ok(());
        };
        prop_assert!(next >= now && office.are_open(next) && !is_never_open);
        // Hours begin and end on whole minutes, and so do changes of clocks.
        let first = now.0.next_multiple_of(60_000);
        for at in (first..next.0).step_by(60_000).take(20_000) {
            prop_assert!(!office.are_open(Timestamp(at)), "open at {at}, before {}", next.0);
        }
        prop_assert!(next == now || !office.are_open(Timestamp(next.0 - 1)), "it opens, and was not open before");
    }

    #[test]
    fn asking_later_brings_the_same_opening_until_it_has_come(office in office(), now in moment(), share in 0_u64..=100) {
        let Some(next) = office.next_opening(now) else { return Ok(()) };
        let later = Timestamp(now.0 + (next.0 - now.0) * share / 100);
        prop_assert_eq!(office.next_opening(later), Some(next));
    }

    #[test]
    fn on_a_holiday_the_office_is_closed_and_other_days_are_as_they_were(office in office(), now in moment()) {
        let without = OfficeHours { holidays: Default::default(), ..office.clone() };
        prop_assert!(!office.are_open(now) || without.are_open(now));
        let all_alike = OfficeHours { week: [(); 7].map(|()| Times::of(Vec::from_iter(Some(0..1440))).unwrap()), ..office.clone() };
        let is_holiday = !all_alike.are_open(now);
        prop_assert_eq!(office.are_open(now), without.are_open(now) && !is_holiday);
    }
}
