//! Intercom's office hours (from 2.16): schedules of a week, and the days that are exceptions.
//!
//! Nothing tells for whom a schedule is. One that is called like a team counts for that team; where none
//! is, all of the workspace's count, and the office is open while one of them is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Deserialize;

use super::intercom::{Id, loose, nullable};
use crate::domain::hours::{Day, MINUTES_A_DAY, OfficeHours, Times, Zone};
use crate::domain::ids::Timestamp;

/// The schedules of a workspace's office hours, from 2.16.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ScheduleList {
    /// They.
    #[serde(deserialize_with = "nullable")]
    pub data: Vec<ScheduleItem>,
}

/// A schedule.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ScheduleItem {
    /// Its id.
    pub id: Option<Id>,
    /// What it is called. Nothing else tells whom it is for.
    #[serde(deserialize_with = "loose")]
    pub name: Option<String>,
    /// The zone by whose clock it goes.
    #[serde(deserialize_with = "loose")]
    pub time_zone_name: Option<String>,
    /// When it is open, in minutes from Monday on.
    #[serde(deserialize_with = "nullable")]
    pub time_intervals: Vec<IntervalItem>,
}

/// From one minute to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct IntervalItem {
    /// The first.
    pub start_minute: u32,
    /// The one after the last.
    pub end_minute: u32,
}

/// The days of a schedule that are not as their weekday.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ExceptionList {
    /// They.
    #[serde(deserialize_with = "nullable")]
    pub data: Vec<ExceptionItem>,
}

/// Such a day.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ExceptionItem {
    /// The day, `YYYY-MM-DD`.
    #[serde(deserialize_with = "loose")]
    pub exception_date: Option<String>,
    /// `closed`, or `custom_hours`.
    #[serde(deserialize_with = "loose")]
    pub exception_type: Option<String>,
    /// When it is open, in minutes after midnight.
    #[serde(deserialize_with = "nullable")]
    pub time_intervals: Vec<IntervalItem>,
    /// Whether it is so each year.
    #[serde(deserialize_with = "loose")]
    pub recurring_annually: Option<bool>,
}

impl ScheduleList {
    /// The schedules that count for a team of that name, or for everybody.
    #[must_use]
    pub fn of(&self, team: Option<&str>) -> Vec<&ScheduleItem> {
        let team = words(team.unwrap_or_default());
        let called = |schedule: &&ScheduleItem| {
            let name = words(schedule.name.as_deref().unwrap_or_default());
            // No window is empty.
            !team.is_empty() && name.windows(team.len()).any(|part| part == team)
        };
        let theirs: Vec<&ScheduleItem> = self.data.iter().filter(called).collect();
        if theirs.is_empty() { self.data.iter().collect() } else { theirs }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

impl ScheduleItem {
    /// The office hours, with their exceptions around a moment. None where nobody knows the zone.
    #[must_use]
    pub fn hours(&self, exceptions: &ExceptionList, now: Timestamp) -> Option<OfficeHours> {
        let zone = Zone::named(self.time_zone_name.as_deref()?)?;
        let open = apart(&self.time_intervals);
        let mut day = 0;
        let week = [(); 7].map(|()| {
            let from = day * MINUTES_A_DAY;
            day += 1;
            times(open.iter().filter_map(|span| {
                let (start, end) = (span.start.max(from), span.end.min(from + MINUTES_A_DAY));
                (start < end).then(|| start - from..end - from)
            }))
        });
        Some(OfficeHours { zone, week, holidays: BTreeSet::new(), special: exceptions.days(now) })
    }
}

impl ExceptionList {
    /// The days around a moment that are not as their weekday. A date by itself goes before one of each
    /// year.
    fn days(&self, now: Timestamp) -> BTreeMap<Day, Times> {
        let this_year = i16::try_from(1970 + now.seconds() / SECONDS_A_YEAR).unwrap_or(i16::MAX - 3);
        let mut days = BTreeMap::new();
        for recurs in [true, false] {
            for item in self.data.iter().filter(|item| (item.recurring_annually == Some(true)) == recurs) {
                let Some((date, times)) = item.day() else { continue };
                let years = if recurs { date.0.max(this_year - 1)..=this_year + 2 } else { date.0..=date.0 };
                days.extend(years.filter_map(|year| Some((Day::of(year, date.1, date.2)?, times.clone()))));
            }
        }
        days
    }
}

impl ExceptionItem {
    /// Its date as year, month and day, and its hours. None where it is not read.
    fn day(&self) -> Option<((i16, i8, i8), Times)> {
        let mut date = self.exception_date.as_deref()?.splitn(3, '-');
        let (year, month, day) = (date.next()?, date.next()?, date.next()?);
        let times = match self.exception_type.as_deref()? {
            "closed" => Times::default(),
            "custom_hours" => times(apart(&self.time_intervals).into_iter().filter_map(|span| {
                let end = span.end.min(MINUTES_A_DAY);
                (span.start < end).then_some(span.start..end)
            })),
            _ => return None,
        };
        Some(((year.parse().ok()?, month.parse().ok()?, day.parse().ok()?), times))
    }
}

/// The length of a year, in seconds, on average.
const SECONDS_A_YEAR: u64 = 31_556_952;

fn times(spans: impl Iterator<Item = Range<u32>>) -> Times {
    Times::of(spans.collect()).unwrap_or_default()
}

/// The intervals in order, those that touch or overlap made one.
fn apart(intervals: &[IntervalItem]) -> Vec<Range<u32>> {
    let mut spans: Vec<Range<u32>> = intervals.iter().map(|one| one.start_minute..one.end_minute).collect();
    spans.retain(|span| span.start < span.end);
    spans.sort_by_key(|span| span.start);
    let mut apart: Vec<Range<u32>> = Vec::new();
    for span in spans {
        match apart.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => apart.push(span),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-05, a Monday, 00:00 by UTC.
    const MONDAY: u64 = 1_767_571_200;

    fn at(days: u64, hours: u64) -> Timestamp {
        Timestamp::from_seconds(MONDAY + days * 86_400 + hours * 3_600)
    }

    fn schedule(json: &str) -> ScheduleItem {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_week_is_read_from_monday_on_and_over_midnight() {
        // Monday 9 to 17, in two that overlap; Sunday 22 to the end of the week.
        let schedule = schedule(
            r#"{"time_zone_name":"UTC","time_intervals":[{"start_minute":600,"end_minute":1020},{"start_minute":540,"end_minute":660,"day_of_week":0},
               {"start_minute":9960,"end_minute":10080},{"start_minute":2820,"end_minute":2940},{"start_minute":7,"end_minute":7}]}"#,
        );
        let hours = schedule.hours(&ExceptionList::default(), at(0, 0)).unwrap();
        for (days, hour, open) in [
            (0, 8, false),
            (0, 9, true),
            (0, 16, true),
            (0, 17, false),
            (1, 23, true), // Tuesday 23 to Wednesday 1
            (2, 0, true),
            (2, 1, false),
            (6, 21, false),
            (6, 23, true),
            (7, 0, false),
        ] {
            assert_eq!(hours.are_open(at(days, hour)), open, "{days} {hour}");
        }
        assert_eq!(hours.next_opening(at(2, 1)), Some(at(6, 22)));
        assert!(
            serde_json::from_str::<ScheduleItem>("{}").unwrap().hours(&ExceptionList::default(), at(0, 0)).is_none()
        );
        let nowhere = ScheduleItem { time_zone_name: Some("Europe/Atlantis".to_owned()), ..schedule };
        assert!(nowhere.hours(&ExceptionList::default(), at(0, 0)).is_none());
    }

    #[test]
    fn exceptions_take_the_place_of_their_day_once_or_each_year() {
        let always = schedule(r#"{"time_zone_name":"UTC","time_intervals":[{"start_minute":0,"end_minute":10080}]}"#);
        let exceptions: ExceptionList = serde_json::from_str(
            r#"{"data":[
                {"exception_date":"2020-01-06","exception_type":"closed","recurring_annually":true},
                {"exception_date":"2026-01-07","exception_type":"custom_hours","time_intervals":[{"start_minute":540,"end_minute":600}]},
                {"exception_date":"2025-01-08","exception_type":"closed","recurring_annually":false},
                {"exception_date":"2020-01-09","exception_type":"closed","recurring_annually":true},
                {"exception_date":"2026-01-09","exception_type":"custom_hours","time_intervals":[{"start_minute":0,"end_minute":1440}]},
                {"exception_date":"2026-01-10","exception_type":"half_day"},
                {"exception_date":"2020-02-29","exception_type":"closed","recurring_annually":true},
                {"exception_date":"tomorrow","exception_type":"closed"}, {"exception_type":7}, {}
            ]}"#,
        )
        .unwrap();
        let hours = always.hours(&exceptions, at(0, 0)).unwrap();
        let open = |days, hour| hours.are_open(at(days, hour));
        assert!(open(0, 12) && !open(1, 12), "Epiphany, each year");
        assert!(!open(2, 8) && open(2, 9) && !open(2, 10), "hours of its own");
        assert!(open(3, 12), "another year's");
        assert!(open(4, 12), "a date by itself goes before one of each year");
        assert!(open(5, 12), "what is not known changes nothing");
        assert!(!hours.are_open(at(366, 12)), "2027-01-06");
    }

    #[test]
    fn a_schedule_that_is_called_like_the_team_is_the_teams_and_else_all_count() {
        let list: ScheduleList = serde_json::from_str(
            r#"{"data":[{"name":"Support hours"},{"name":"Billing (EU)"},{"name":"Premium supporters"},{}]}"#,
        )
        .unwrap();
        let named = |team| list.of(team).iter().map(|one| one.name.clone().unwrap_or_default()).collect::<Vec<_>>();
        assert_eq!(named(Some("support")), ["Support hours"]);
        assert_eq!(named(Some("Billing EU")), ["Billing (EU)"]);
        assert_eq!(named(Some("Sales")).len(), 4);
        assert_eq!((named(None).len(), named(Some(" ")).len(), named(Some("!")).len()), (4, 4, 4));
    }
}
