//! `[workspace.office_hours]`, which may also stand below `[workspace.rules]`: read, and refused where
//! the office would never open.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::de::DeValue;

use super::{Reader, Section};
use crate::domain::hours::{Day, MINUTES_A_DAY, OfficeHours, Times, Zone};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// What is wrong with `from` and `to`.
const OVER_MIDNIGHT: &str = "the office hours must end after they begin, on the same day; over midnight, set `hours` \
                             for the evening, like \"22:00-24:00\", and, on the next day, for the morning";
/// How many holidays may be listed.
const MAX_HOLIDAYS: usize = 1_000;

/// The office hours that were found so far.
#[derive(Default)]
pub(super) struct Office {
    /// Where they stand, even where they cannot be read.
    pub(super) line: Option<usize>,
    /// What they are.
    pub(super) hours: Option<OfficeHours>,
}

impl Reader<'_> {
    /// Reads the table, in whichever of its two places it is.
    pub(super) fn office(&mut self, place: &mut Section<'_, '_>, name: &str, office: &mut Office) {
        let Some(mut section) = self.subsection(place, "office_hours", name) else { return };
        let hours = self.office_hours(&mut section);
        self.close(&section);
        match office.line.replace(section.line) {
            None => office.hours = hours,
            Some(line) => {
                let message = format!("the office hours are set on line {line} already; set them in one place");
                self.mistake(section.line, message);
            }
        }
    }

    fn office_hours(&mut self, section: &mut Section<'_, '_>) -> Option<OfficeHours> {
        let before = self.mistakes.len();
        let zone = self.zone(section);
        let mut week: [Times; 7] = Default::default();
        let same = self.same_each_day(section);
        for (text, line) in self.list(section, "days") {
            match day_of(&text).and_then(|day| week.get_mut(day)) {
                Some(day) => day.clone_from(&same),
                None => self.mistake(line, format!("`days` are {}", DAYS.join(", "))),
            }
        }
        self.days_of_their_own(section, &mut week);
        let holidays = self.holidays(section);
        if self.mistakes.len() > before {
            return None;
        }
        if week.iter().all(Times::are_none) {
            let message = format!("{} never open: it needs `days` with `hours`, or a `week`", section.name);
            self.mistake(section.line, message);
        }
        Some(OfficeHours { zone: zone?, week, holidays, special: BTreeMap::new() })
    }

    fn zone(&mut self, section: &mut Section<'_, '_>) -> Option<Zone> {
        let name = self.text(section, "time_zone");
        let offset = self.text(section, "utc_offset");
        match (name, offset) {
            (Some((name, line)), None) => {
                let zone = Zone::named(&name);
                if zone.is_none() {
                    self.mistake(line, format!("\"{name}\" is no time zone; they are named like \"Europe/Berlin\""));
                }
                zone
            }
            (None, Some((text, line))) => {
                let zone = offset_of(&text).and_then(Zone::ahead_of_utc);
                if zone.is_none() {
                    self.mistake(line, "`utc_offset` must be like \"+02:00\"");
                }
                zone
            }
            (Some((_, line)), Some(_)) => {
                self.mistake(line, "set `time_zone` or `utc_offset`, not both");
                None
            }
            (None, None) => {
                if !["time_zone", "utc_offset"].iter().any(|key| section.table.contains_key(*key)) {
                    self.mistake(section.line, format!("{} needs `time_zone`, like \"Europe/Berlin\"", section.name));
                }
                None
            }
        }
    }

    /// `hours`, or `from` and `to`: when the office is open on each of `days`.
    fn same_each_day(&mut self, section: &mut Section<'_, '_>) -> Times {
        let spans = self.list(section, "hours");
        let line = spans.first().map_or(section.line, |(_, line)| *line);
        let hours = self.times("hours", spans, line);
        let (from, to) = (self.clock(section, "from"), self.clock(section, "to"));
        let has = |key: &str| section.table.contains_key(key);
        if has("hours") && (has("from") || has("to")) {
            self.mistake(line, "set `hours`, or `from` and `to`, not both");
        } else if has("from") != has("to") {
            self.mistake(section.line, "`from` and `to` belong together; set both, or `hours`");
        } else if has("days") && !has("hours") && !has("from") {
            self.mistake(section.line, "`days` need `hours`, like [\"09:00-12:30\", \"13:30-18:00\"]");
        } else if !has("days") && (has("hours") || has("from")) {
            self.mistake(section.line, format!("{} needs `days`", section.name));
        }
        let (Some(from), Some(to)) = (from, to) else { return hours };
        let times = Times::of(Vec::from_iter(Some(from..to)));
        if times.is_none() {
            self.mistake(section.line, OVER_MIDNIGHT);
        }
        times.unwrap_or_default()
    }

    /// `week`: days that have times of their own.
    fn days_of_their_own(&mut self, section: &mut Section<'_, '_>, week: &mut [Times; 7]) {
        let Some(value) = section.get("week") else { return };
        let DeValue::Table(table) = value.get_ref() else {
            self.mistake(self.line_of(value), "`week` must be a table of days and hours");
            return;
        };
        for (name, value) in table {
            let line = self.lines.line(&name.span());
            let spans = self.texts(name.get_ref(), value);
            let times = self.times(name.get_ref(), spans, line);
            match day_of(name.get_ref()).and_then(|day| week.get_mut(day)) {
                Some(day) => *day = times,
                None => self.mistake(line, format!("the days of a `week` are {}", DAYS.join(", "))),
            }
        }
    }

    fn times(&mut self, key: &str, spans: Vec<(String, usize)>, line: usize) -> Times {
        let mut read = Vec::new();
        for (text, line) in spans {
            match span_of(&text) {
                Some(span) => read.push(span),
                None => self.mistake(
                    line,
                    format!("\"{text}\" is no span of a day; it is like \"09:00-17:30\", and one over midnight is two: \"22:00-24:00\" and, on the next day, \"00:00-06:00\""),
                ),
            }
        }
        let times = Times::of(read);
        if times.is_none() {
            self.mistake(line, format!("spans of `{key}` overlap; make one of those that do"));
        }
        times.unwrap_or_default()
    }

    fn holidays(&mut self, section: &mut Section<'_, '_>) -> BTreeSet<Day> {
        let mut holidays = BTreeSet::new();
        let Some(value) = section.get("holidays") else { return holidays };
        let DeValue::Array(array) = value.get_ref() else {
            self.mistake(self.line_of(value), "`holidays` must be a list of dates, like [2026-12-25]");
            return holidays;
        };
        for element in array {
            let date = match element.get_ref() {
                DeValue::Datetime(date) => Some(date.to_string()),
                DeValue::String(text) => Some(text.to_string()),
                _ => None,
            };
            match date.as_deref().and_then(date_of) {
                Some(day) => _ = holidays.insert(day),
                None => self.mistake(self.line_of(element), "`holidays` must be dates, like 2026-12-25"),
            }
        }
        if holidays.len() > MAX_HOLIDAYS {
            self.mistake(self.line_of(value), format!("there may be at most {MAX_HOLIDAYS} `holidays`"));
        }
        holidays
    }

    fn clock(&mut self, section: &mut Section<'_, '_>, key: &'static str) -> Option<u32> {
        let (text, line) = self.text(section, key)?;
        let minutes = clock_of(&text);
        if minutes.is_none() {
            self.mistake(line, format!("`{key}` must be a time of day, like \"09:00\""));
        }
        minutes
    }
}

fn day_of(name: &str) -> Option<usize> {
    DAYS.iter().position(|day| *day == name)
}

/// A date, like `2026-12-25`.
fn date_of(text: &str) -> Option<Day> {
    let (year, rest) = text.split_once('-').filter(|(year, _)| year.len() == 4)?;
    let (month, day) = rest.split_once('-').filter(|(month, day)| (month.len(), day.len()) == (2, 2))?;
    Day::of(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// Minutes after midnight, like `09:00-17:30`; it ends after it begins.
fn span_of(text: &str) -> Option<Range<u32>> {
    let (from, to) = text.split_once('-')?;
    let (from, to) = (clock_of(from.trim())?, clock_of(to.trim())?);
    (from < to).then_some(from..to)
}

/// Minutes after midnight.
fn clock_of(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let is_number = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = |text: &str| is_number(text).then(|| text.parse::<u32>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let minute = hours * 60 + minutes;
    (minutes < 60 && minute <= MINUTES_A_DAY).then_some(minute)
}

/// How far a clock is ahead of UTC, in minutes.
fn offset_of(text: &str) -> Option<i32> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    Some(sign * i32::try_from(clock_of(rest)?).ok()?)
}
