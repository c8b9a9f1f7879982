//! What teammates write to the bot in notes: `/bot why`, `/bot send 2`. Read here, forgiving of case
//! and spacing; what becomes of it is `step`'s matter. Also how moments and times are written there.

use super::ids::Timestamp;

/// What a teammate wants of the bot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteCommand {
    /// Why it speaks, or does not.
    Why,
    /// Be silent, for so many minutes where they are named.
    Pause(Option<u64>),
    /// Have the conversation, and go on.
    Resume,
    /// What it is about, in short.
    Summary,
    /// Send a suggestion, by its number.
    Send(usize),
    /// Forget the suggestion.
    Dismiss,
    /// Try at once what waits.
    Retry,
    /// Which of these there are.
    Help,
    /// None of these.
    Unknown(String),
}

/// The longest pause, in minutes: a month.
const MAX_PAUSE_MINUTES: u64 = 31 * 1_440;
/// How much of an unknown word is repeated, in characters.
const MAX_REPEATED: usize = 40;

/// What there is, as teammates read it; HTML.
pub const HELP: &str = "<p>In a note I understand:</p><ul>\
<li><b>/bot why</b>: who has the conversation, since when, and what I decided last</li>\
<li><b>/bot pause 2h</b>: be silent for so long (without a time: until I am given it back)</li>\
<li><b>/bot resume</b> or <b>/bot take</b>: have the conversation, and send what I offered</li>\
<li><b>/bot summary</b>: what was said, in short</li>\
<li><b>/bot send 2</b>: send the suggestion of this number</li>\
<li><b>/bot dismiss</b>: forget the suggestion</li>\
<li><b>/bot retry</b>: try at once what waits; or ask me again what nobody has answered</li></ul>";

/// Reads a note; none where it is not for the bot.
#[must_use]
pub fn read(text: &str) -> Option<NoteCommand> {
    let text: String = text.chars().map(|character| if character.is_whitespace() { ' ' } else { character }).collect();
    let lower = text.trim().to_lowercase();
    let rest = lower.strip_prefix('/')?.trim_start().strip_prefix("bot")?;
    if rest.starts_with(|character: char| character.is_alphanumeric() || character == '_') {
        return None; // "/bottle"
    }
    let rest = rest.trim_matches([' ', ':', ',', '.', '!', '?']);
    let end = rest.find(|character: char| !character.is_alphabetic()).unwrap_or(rest.len());
    let (verb, argument) = rest.split_at(end);
    let argument = argument.trim_matches([' ', ':', '#', '(', ')']);
    let command = match (verb, argument) {
        ("", "") | ("help", _) => NoteCommand::Help,
        ("why", _) => NoteCommand::Why,
        ("pause", "") => NoteCommand::Pause(None),
        ("pause", time) => match minutes_of(time.strip_prefix("for ").unwrap_or(time)) {
            Some(minutes) => NoteCommand::Pause(Some(minutes)),
            None => unknown(rest),
        },
        ("resume" | "take", "") => NoteCommand::Resume,
        ("summary", "") => NoteCommand::Summary,
        ("send", "") => NoteCommand::Send(1),
        ("send", number) => match number.trim().parse() {
            Ok(number) => NoteCommand::Send(number),
            Err(_) => unknown(rest),
        },
        ("dismiss", "") => NoteCommand::Dismiss,
        ("retry", "") => NoteCommand::Retry,
        _ => unknown(rest),
    };
    Some(command)
}

fn unknown(rest: &str) -> NoteCommand {
    NoteCommand::Unknown(rest.chars().take(MAX_REPEATED).collect())
}

/// A time, in minutes: `2h`, `30 min`, `1 day`, `1h 30m`; a bare number is of minutes. At least one.
fn minutes_of(text: &str) -> Option<u64> {
    let mut minutes: u64 = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let after = after.trim_start();
        let letters = after.find(|character: char| !character.is_alphabetic()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let factor = match unit {
            "" | "m" | "min" | "mins" | "minute" | "minutes" => 1,
            "h" | "hr" | "hrs" | "hour" | "hours" => 60,
            "d" | "day" | "days" => 1_440,
            _ => return None,
        };
        minutes = minutes.checked_add(number.checked_mul(factor)?)?;
        rest = after.trim_start();
    }
    (1..=MAX_PAUSE_MINUTES).contains(&minutes).then_some(minutes)
}

/// A moment, as `2026-01-09 10:31 UTC`.
#[must_use]
pub fn moment(at: Timestamp) -> String {
    let minutes = at.seconds() / 60;
    let (days, minute) = (minutes / 1_440, minutes % 1_440);
    // Days to a date, by eras of 400 years that begin on the first of March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_whatever_their_case_and_spacing() {
        for (text, expected) in [
            ("/bot why", NoteCommand::Why),
            ("  /BOT   Why? ", NoteCommand::Why),
            ("/ bot: why does it not answer", NoteCommand::Why),
            ("/bot\u{a0}send\u{a0}2", NoteCommand::Send(2)),
            ("/bot send2", NoteCommand::Send(2)),
            ("/Bot Send #3.", NoteCommand::Send(3)),
            ("/bot send", NoteCommand::Send(1)),
            ("/bot pause", NoteCommand::Pause(None)),
            ("/bot pause 2h", NoteCommand::Pause(Some(120))),
            ("/bot pause for 1 h 30 min", NoteCommand::Pause(Some(90))),
            ("/bot PAUSE 45", NoteCommand::Pause(Some(45))),
            ("/bot pause 1 day", NoteCommand::Pause(Some(1_440))),
            ("/bot take", NoteCommand::Resume),
            ("/bot resume!", NoteCommand::Resume),
            ("/bot summary", NoteCommand::Summary),
            ("/bot dismiss", NoteCommand::Dismiss),
            ("/bot retry", NoteCommand::Retry),
            ("/bot", NoteCommand::Help),
            ("/bot help", NoteCommand::Help),
        ] {
            assert_eq!(read(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_said_to_be_so_and_what_is_not_for_the_bot_is_left_alone() {
        for text in ["/bot dance", "/bot pause tomorrow", "/bot pause 0", "/bot send two", "/bot pause 99999 days"] {
            assert!(matches!(read(text), Some(NoteCommand::Unknown(_))), "{text}: {:?}", read(text));
        }
        for text in ["", "why", "bot why", "/bottle", "please /bot why", "/bot_why", "/"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_dates() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (951_868_800, "2000-03-01 00:00 UTC"),
            (1_767_954_660, "2026-01-09 10:31 UTC"),
            (1_798_761_599, "2026-12-31 23:59 UTC"),
        ] {
            assert_eq!(moment(Timestamp::from_seconds(seconds)), expected);
        }
    }
}
