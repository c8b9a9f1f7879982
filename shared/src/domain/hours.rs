//! Office hours: when the company is there, by the clock on its wall.
//!
//! Between two changes of its clock a zone is a fixed distance from UTC, and there everything is
//! plain arithmetic; so summer time needs no case of its own. "Open" is what the clock shows: in the
//! hour that comes twice in autumn twice, in the hour that spring leaves out never. The zones' data is
//! in the binary, because a Lambda has none; it is as new as the release.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use super::ids::Timestamp;

/// Minutes of a day.
pub const MINUTES_A_DAY: u32 = 1440;
const MS_A_MINUTE: i64 = 60_000;
const MS_A_DAY: i64 = 1440 * MS_A_MINUTE;
/// The furthest that a clock may be from UTC, in minutes.
const MAX_OFFSET_MINUTES: i32 = 14 * 60;
/// How many weeks are looked through for an opening, beside one for each day that is not as usual: in one the office's
/// only hour may be the one that spring leaves out.
const SPARE_WEEKS: usize = 4;

/// Where the clock hangs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// A zone of the IANA database by its name, like `Europe/Berlin`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZoneDatabase::bundled().get(name).ok().map(Self)
    }

    /// A clock that is always so many minutes ahead of UTC, at most 14 hours either way.
    #[must_use]
    pub fn ahead_of_utc(minutes: i32) -> Option<Self> {
        if minutes.abs() > MAX_OFFSET_MINUTES {
            return None;
        }
        Offset::from_seconds(minutes * 60).ok().map(|offset| Self(TimeZone::fixed(offset)))
    }

    /// How far the clock is ahead of UTC at a moment, and the moment at which that may change.
    fn around(&self, now_ms: i64) -> Option<(i64, i64)> {
        let now = jiff::Timestamp::from_millisecond(now_ms).ok()?;
        let ahead_ms = i64::from(self.0.to_offset(now).seconds()) * 1000;
        let until_ms = self.0.following(now).next().map_or(i64::MAX, |change| change.timestamp().as_millisecond());
        Some((ahead_ms, until_ms))
    }
}

/// A day of the calendar, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i64);

impl Day {
    /// A day by its date.
    #[must_use]
    pub fn of(year: i16, month: i8, day: i8) -> Option<Self> {
        let date = Date::new(year, month, day).ok()?;
        let since = date.since(Date::new(1970, 1, 1).ok()?).ok()?;
        Some(Self(i64::from(since.get_days())))
    }

    /// Its place in the week, Monday first.
    fn weekday(self) -> usize {
        // The first of January 1970 was a Thursday.
        usize::try_from((self.0 + 3).rem_euclid(7)).unwrap_or(0)
    }

    fn begins_ms(self) -> i64 {
        self.0 * MS_A_DAY
    }
}

/// When the office is open on one day, in minutes after midnight: apart from each other, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Times(Vec<Range<u32>>);

impl Times {
    /// Takes spans in any order; `None` where one ends before it begins or after midnight, or two
    /// overlap.
    #[must_use]
    pub fn of(mut spans: Vec<Range<u32>>) -> Option<Self> {
        spans.sort_by_key(|span| span.start);
        let each = spans.iter().all(|span| span.start < span.end && span.end <= MINUTES_A_DAY);
        let apart = spans.iter().zip(spans.iter().skip(1)).all(|(earlier, later)| earlier.end <= later.start);
        (each && apart).then_some(Self(spans))
    }

    /// Whether the office stays closed.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }
}

/// The company's office hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfficeHours {
    /// Whose clock they go by.
    pub zone: Zone,
    /// The week, Monday first.
    pub week: [Times; 7],
    /// Days on which the office is closed.
    pub holidays: BTreeSet<Day>,
    /// Days with hours of their own, holidays or not.
    pub special: BTreeMap<Day, Times>,
}

impl OfficeHours {
    /// Whether the office is open day and night.
    #[must_use]
    pub fn never_close(&self) -> bool {
        let is_all_day = |times: &Times| times.0.iter().map(|open| open.end - open.start).sum::<u32>() == MINUTES_A_DAY;
        self.holidays.is_empty() && self.week.iter().chain(self.special.values()).all(is_all_day)
    }

    /// Whether the office is open.
    #[must_use]
    pub fn are_open(&self, now: Timestamp) -> bool {
        let Ok(now_ms) = i64::try_from(now.0) else { return false };
        let Some((ahead_ms, _)) = self.zone.around(now_ms) else { return false };
        let clock_ms = now_ms + ahead_ms;
        let day = Day(clock_ms.div_euclid(MS_A_DAY));
        self.openings(day).any(|open| open.contains(&clock_ms))
    }

    /// From when on the office is open: now, where it is. `None` where it never is again.
    #[must_use]
    pub fn next_opening(&self, now: Timestamp) -> Option<Timestamp> {
        let mut from_ms = i64::try_from(now.0).ok()?;
        let weeks = i64::try_from(self.holidays.len() + self.special.len() + SPARE_WEEKS).ok()?;
        let special_ms = self.special.last_key_value().map_or(i64::MIN, |(day, _)| day.begins_ms() + 2 * MS_A_DAY);
        let last_ms = from_ms.checked_add(weeks * 7 * MS_A_DAY)?.max(special_ms);
        while from_ms <= last_ms {
            let (ahead_ms, until_ms) = self.zone.around(from_ms)?;
            let opening_ms = self.opening_by_clock(from_ms + ahead_ms, until_ms.min(last_ms).saturating_add(ahead_ms));
            if let Some(clock_ms) = opening_ms {
                return u64::try_from(clock_ms - ahead_ms).ok().map(Timestamp);
            }
            from_ms = until_ms;
        }
        None
    }

    /// The first time at which the clock shows an open hour, from one time on and before another.
    fn opening_by_clock(&self, from_ms: i64, until_ms: i64) -> Option<i64> {
        let days = from_ms.div_euclid(MS_A_DAY)..=until_ms.div_euclid(MS_A_DAY);
        let mut openings = days.flat_map(|day| self.openings(Day(day)));
        let opening_ms = openings.find(|open| from_ms < open.end)?.start.max(from_ms);
        (opening_ms < until_ms).then_some(opening_ms)
    }

    /// When the office is open on a day, by its clock.
    fn openings(&self, day: Day) -> impl Iterator<Item = Range<i64>> {
        let usual = || self.week.get(day.weekday()).filter(|_| !self.holidays.contains(&day));
        let times = self.special.get(&day).or_else(usual);
        let at = move |minute: u32| day.begins_ms() + i64::from(minute) * MS_A_MINUTE;
        times.into_iter().flat_map(|times| &times.0).map(move |span| at(span.start)..at(span.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A moment by UTC.
    fn utc(text: &str) -> Timestamp {
        let moment: jiff::Timestamp = text.parse().unwrap();
        Timestamp(u64::try_from(moment.as_millisecond()).unwrap())
    }

    fn minutes(from: u32, to: u32) -> Range<u32> {
        from..to
    }

    fn hours(from: u32, to: u32) -> Range<u32> {
        minutes(from * 60, to * 60)
    }

    /// Monday to Friday, nine to twelve and one to five.
    fn office(zone: &str) -> OfficeHours {
        let day = Times::of(vec![hours(13, 17), hours(9, 12)]).unwrap();
        let mut week = [(); 7].map(|()| day.clone());
        (week[5], week[6]) = (Times::default(), Times::default());
        OfficeHours { zone: Zone::named(zone).unwrap(), week, holidays: BTreeSet::new(), special: BTreeMap::new() }
    }

    #[test]
    fn the_office_is_open_by_the_clock_on_its_wall_in_winter_and_in_summer() {
        let berlin = office("Europe/Berlin");
        for (at, open) in [
            ("2026-01-09T07:59:59Z", false),
            ("2026-01-09T08:00:00Z", true),
            ("2026-01-09T11:00:00Z", false), // lunch
            ("2026-01-09T12:00:00Z", true),
            ("2026-01-09T16:00:00Z", false),
            ("2026-07-10T07:00:00Z", true), // an hour earlier in summer
            ("2026-07-10T06:59:59.999Z", false),
            ("2026-01-10T10:00:00Z", false), // Saturday
        ] {
            assert_eq!(berlin.are_open(utc(at)), open, "{at}");
        }
        let fixed = OfficeHours { zone: Zone::ahead_of_utc(60).unwrap(), ..berlin };
        assert!(!fixed.are_open(utc("2026-07-10T07:00:00Z")), "a fixed clock knows no summer");
        let honolulu = office("Pacific/Honolulu");
        assert!(honolulu.are_open(utc("2026-01-10T00:00:00Z")), "in the west it is still Friday, 14:00");
    }

    #[test]
    fn the_next_opening_is_told_over_lunch_nights_weekends_and_holidays() {
        let mut berlin = office("Europe/Berlin");
        berlin.holidays.insert(Day::of(2026, 4, 3).unwrap()); // Good Friday
        berlin.holidays.insert(Day::of(2026, 4, 6).unwrap()); // Easter Monday
        for (now, opens) in [
            ("2026-01-09T08:00:00.123Z", "2026-01-09T08:00:00.123Z"), // it is open
            ("2026-01-09T11:30:00Z", "2026-01-09T12:00:00Z"),
            ("2026-01-09T16:00:00Z", "2026-01-12T08:00:00Z"),
            ("2026-03-27T16:00:00Z", "2026-03-30T07:00:00Z"), // over the beginning of summer time
            ("2026-10-23T15:00:00Z", "2026-10-26T08:00:00Z"), // and over its end
            ("2026-04-02T20:00:00Z", "2026-04-07T07:00:00Z"), // over Easter
        ] {
            assert_eq!(berlin.next_opening(utc(now)), Some(utc(opens)), "{now}");
        }
    }

    #[test]
    fn an_hour_that_spring_leaves_out_is_not_open_and_one_that_autumn_repeats_is_open_twice() {
        let mut night = office("Europe/Berlin");
        night.week = [(); 7].map(|()| Times::default());
        night.week[6] = Times::of(vec![minutes(120, 150)]).unwrap(); // Sundays, 02:00 to 02:30
        let before = utc("2026-03-28T12:00:00Z");
        assert_eq!(night.next_opening(before), Some(utc("2026-04-05T00:00:00Z")), "29 March has no such hour");
        let twice = [
            ("2026-10-24T12:00:00Z", "2026-10-25T00:00:00Z"),
            ("2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z"),
            ("2026-10-25T01:30:00Z", "2026-11-01T01:00:00Z"),
        ];
        for (now, opens) in twice {
            assert_eq!(night.next_opening(utc(now)), Some(utc(opens)), "{now}");
        }
        night.week[6] = Times::of(vec![minutes(150, 240)]).unwrap(); // 02:30 to 04:00
        assert_eq!(night.next_opening(before), Some(utc("2026-03-29T01:00:00Z")), "the clock jumps into it");
    }

    #[test]
    fn a_day_that_a_country_skipped_is_no_day() {
        // Samoa went from Thursday, 29 December 2011, straight to Saturday.
        let apia = office("Pacific/Apia");
        assert_eq!(apia.next_opening(utc("2011-12-30T09:59:00Z")), Some(utc("2012-01-01T19:00:00Z")));
    }

    #[test]
    fn an_office_that_never_opens_has_no_next_opening() {
        let never = OfficeHours { week: [(); 7].map(|()| Times::default()), ..office("Asia/Tokyo") };
        assert_eq!(never.next_opening(utc("2026-01-09T00:00:00Z")), None);
        assert!(!never.are_open(utc("2026-01-09T03:00:00Z")));
        for now in [Timestamp(u64::MAX), Timestamp(i64::MAX.unsigned_abs())] {
            assert_eq!((never.next_opening(now), office("Asia/Tokyo").are_open(now)), (None, false));
        }
    }

    #[test]
    fn a_year_of_holidays_is_looked_past() {
        let mut office = office("America/New_York");
        let days = Day::of(2026, 1, 1).unwrap().0..Day::of(2027, 1, 1).unwrap().0;
        office.holidays = days.map(Day).collect();
        assert_eq!(office.next_opening(utc("2026-01-01T00:00:00Z")), Some(utc("2027-01-01T14:00:00Z")));
    }

    #[test]
    fn a_day_with_hours_of_its_own_has_those_alone() {
        let mut berlin = office("Europe/Berlin");
        let friday = Day::of(2026, 4, 3).unwrap();
        berlin.holidays.insert(friday);
        berlin.special.insert(friday, Times::of(vec![hours(20, 21)]).unwrap());
        berlin.special.insert(Day::of(2026, 4, 6).unwrap(), Times::default());
        assert_eq!(berlin.next_opening(utc("2026-04-02T20:00:00Z")), Some(utc("2026-04-03T18:00:00Z")));
        assert_eq!(berlin.next_opening(utc("2026-04-03T19:00:00Z")), Some(utc("2026-04-07T07:00:00Z")));
        let mut once = OfficeHours { week: [(); 7].map(|()| Times::default()), ..office("Asia/Tokyo") };
        once.special.insert(Day::of(2028, 1, 1).unwrap(), Times::of(vec![hours(0, 1)]).unwrap());
        assert_eq!(once.next_opening(utc("2026-01-09T00:00:00Z")), Some(utc("2027-12-31T15:00:00Z")));
        assert_eq!(once.next_opening(utc("2028-01-09T00:00:00Z")), None);
    }

    #[test]
    fn times_that_overlap_or_end_before_they_begin_are_refused() {
        assert!(Times::of(vec![hours(9, 12), hours(12, 17)]).is_some());
        assert!(Times::of(vec![hours(0, 24)]).is_some());
        for bad in [vec![hours(9, 13), hours(12, 17)], vec![hours(18, 9)], vec![hours(9, 9)], vec![hours(9, 25)]] {
            assert!(Times::of(bad.clone()).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn zones_go_by_their_names_and_days_by_their_dates() {
        assert!(Zone::named("Europe/Berlin").is_some() && Zone::named("UTC").is_some());
        assert!(Zone::named("Europe/Atlantis").is_none() && Zone::named("").is_none());
        assert!(Zone::ahead_of_utc(840).is_some() && Zone::ahead_of_utc(841).is_none());
        assert_eq!(Day::of(1970, 1, 1), Some(Day(0)));
        assert_eq!(Day::of(2026, 1, 9).map(Day::weekday), Some(4), "a Friday");
        assert_eq!(Day::of(2026, 2, 29), None);
    }
}
