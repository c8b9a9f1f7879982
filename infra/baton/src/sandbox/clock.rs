//! The one place where the sandbox reads the time.
//!
//! Intercom counts in whole Unix seconds everywhere but in logs. Nothing here can be set or
//! moved yet: a workspace that travels in time would start from this file.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Unix seconds now.
#[expect(clippy::disallowed_methods, reason = "this is the sandbox's clock, everything else asks here")]
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}

/// A moment as Intercom wrote it in webhooks up to API 2.14: `2026-01-10T07:56:29.000Z`.
pub(crate) fn iso_8601(unix_seconds: u64) -> String {
    let (year, month, day) = civil_date(unix_seconds / 86_400);
    let second_of_day = unix_seconds % 86_400;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.000Z",
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    )
}

/// Days since 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted
/// from March in eras of 400 years, so that the leap day is the last day of a year.
fn civil_date(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::iso_8601;

    #[test]
    fn moments_are_written_as_intercom_writes_them() {
        assert_eq!(iso_8601(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso_8601(951_782_400), "2000-02-29T00:00:00.000Z");
        assert_eq!(iso_8601(1_768_031_789), "2026-01-10T07:56:29.000Z");
        assert_eq!(iso_8601(1_798_761_599), "2026-12-31T23:59:59.000Z");
    }
}
