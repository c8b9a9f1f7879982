//! Office hours: when a workspace says that somebody is there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::seed::ScheduleSeed;

pub(crate) const MINUTES_OF_DAY: u64 = 1_440;
pub(crate) const MINUTES_OF_WEEK: u64 = 7 * MINUTES_OF_DAY;

/// Open from one minute to another: of the week, from Monday on, or of a day.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The first minute.
    pub start_minute: u64,
    /// The minute after the last.
    pub end_minute: u64,
}

/// The hours of a week.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Schedule {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) time_zone_name: String,
    pub(crate) time_intervals: Vec<Interval>,
    pub(crate) exceptions: BTreeMap<u64, HoursException>,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
}

/// A day that is not as its weekday.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct HoursException {
    pub(crate) id: u64,
    pub(crate) exception_date: String,
    /// Closed all day; else it has hours of its own.
    pub(crate) is_closed: bool,
    pub(crate) name: Option<String>,
    pub(crate) time_intervals: Option<Vec<Interval>>,
    pub(crate) recurring_annually: bool,
    pub(crate) created_at: u64,
    pub(crate) updated_at: u64,
}

impl Schedule {
    pub(crate) fn from_seed(seed: &ScheduleSeed, id: u64, now: u64) -> Self {
        Self {
            id,
            name: seed.name.clone(),
            time_zone_name: seed.time_zone_name.clone(),
            time_intervals: seed.time_intervals.clone(),
            exceptions: BTreeMap::new(),
            created_at: now,
            updated_at: now,
        }
    }

    pub(crate) fn is_always_open(&self) -> bool {
        let mut intervals: Vec<&Interval> = self.time_intervals.iter().collect();
        intervals.sort();
        let mut until = 0;
        for interval in intervals {
            if interval.start_minute > until {
                return false;
            }
            until = until.max(interval.end_minute);
        }
        until == MINUTES_OF_WEEK
    }
}

#[cfg(test)]
mod tests {
    use super::{Interval, Schedule};

    #[test]
    fn a_week_without_a_gap_is_always_open() {
        let open = |intervals: &[(u64, u64)]| {
            let interval = |(start_minute, end_minute): &(u64, u64)| Interval {
                start_minute: *start_minute,
                end_minute: *end_minute,
            };
            let schedule = Schedule {
                id: 1,
                name: String::new(),
                time_zone_name: "UTC".to_owned(),
                time_intervals: intervals.iter().map(interval).collect(),
                exceptions: Default::default(),
                created_at: 0,
                updated_at: 0,
            };
            schedule.is_always_open()
        };
        assert!(open(&[(5_000, 10_080), (0, 5_000)]));
        assert!(!open(&[(0, 5_000), (5_015, 10_080)]));
        assert!(!open(&[(540, 1_020)]));
        assert!(!open(&[]));
    }
}
