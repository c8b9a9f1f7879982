//! What teammates write to the bot in notes: `/bot why`, `/bot send 2`. Read here, line by line, forgiving
//! of case, spacing and courtesy; what becomes of it is `step`'s matter. Also how moments and times are written there.

use super::choice;
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
/// How many commands of a note are heeded.
const MAX_COMMANDS: usize = 5;
/// What is said to a bot for courtesy, or because a sentence wants it.
const COURTESY: [&str; 9] = ["please", "now", "thanks", "for", "and", "the", "it", "this", "conversation"];
/// What may stand in front of a number.
const NUMBER: &str = "number";
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

/// Reads a note: what its lines ask of the bot, in order; nothing where it is not for the bot.
#[must_use]
pub fn read(text: &str) -> Vec<NoteCommand> {
    text.lines().filter_map(in_line).take(MAX_COMMANDS).collect()
}

fn in_line(line: &str) -> Option<NoteCommand> {
    let is_unseen =
        |character: &char| matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
    let seen = line.chars().filter(|character| !is_unseen(character)).collect::<String>().replace('／', "/");
    let lower = seen.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let lower =
        after_a_mention(&lower).trim_start_matches(|character: char| is_decoration(character) && character != '/');
    let rest = lower.strip_prefix('/')?.trim_start().strip_prefix("bot")?;
    if rest.starts_with(|character: char| character.is_alphanumeric() || character == '_') {
        return None; // "/bottle"
    }
    let asked = rest.trim_matches([' ', ':', ',', '.', '!', '?']);
    let rest = rest.trim_matches(is_decoration);
    let end = rest.find(|character: char| !character.is_alphabetic()).unwrap_or(rest.len());
    let (verb, more) = rest.split_at(end);
    let words = more.split([' ', ',']).map(|word| word.trim_matches(is_decoration));
    let words: Vec<&str> = words.filter(|word| !word.is_empty() && !COURTESY.contains(word)).collect();
    let command = match (verb, words.as_slice()) {
        ("", []) | ("help", _) => NoteCommand::Help,
        ("why", _) => NoteCommand::Why,
        ("pause", []) => NoteCommand::Pause(None),
        ("pause", time) => {
            minutes_of(&time.join(" ")).map_or_else(|| unknown(asked), |time| NoteCommand::Pause(Some(time)))
        }
        ("resume" | "take", []) => NoteCommand::Resume,
        ("summary", []) => NoteCommand::Summary,
        ("send", []) => NoteCommand::Send(1),
        ("send", [number] | [NUMBER, number]) => {
            choice::number(number).map_or_else(|| unknown(asked), NoteCommand::Send)
        }
        ("dismiss", []) => NoteCommand::Dismiss,
        ("retry", []) => NoteCommand::Retry,
        _ => unknown(asked),
    };
    Some(command)
}

/// What follows where the bot's teammate is mentioned first, as "@Acme Bot /bot why"; all of it elsewhere.
fn after_a_mention(line: &str) -> &str {
    let mentioned = line.trim_start_matches(|character: char| is_decoration(character) && character != '/');
    let command = mentioned.find("/bot").filter(|_| mentioned.starts_with('@'));
    command.and_then(|at| mentioned.get(at..)).unwrap_or(line)
}

/// What may stand around words without meaning anything: quotes, brackets, the marks of a list.
fn is_decoration(character: char) -> bool {
    !character.is_alphanumeric() && !matches!(character, '@' | '_')
}

fn unknown(rest: &str) -> NoteCommand {
    NoteCommand::Unknown(rest.chars().take(MAX_REPEATED).collect())
}

/// A time, in minutes: `2h`, `30 min`, `1 day`, `1h 30m`, `an hour`; a bare number is of minutes. At least one.
fn minutes_of(text: &str) -> Option<u64> {
    let mut minutes: u64 = 0;
    let text = text.trim();
    let one = ["an ", "a ", "one "].iter().find_map(|one| text.strip_prefix(one)).map(|unit| format!("1 {unit}"));
    let mut rest = one.as_deref().unwrap_or(text);
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
            "w" | "week" | "weeks" => 10_080,
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
            ("/bot send two", NoteCommand::Send(2)),
            ("/bot send number 2, please", NoteCommand::Send(2)),
            ("/bot pause an hour", NoteCommand::Pause(Some(60))),
            ("/bot pause for 2h, 30m", NoteCommand::Pause(Some(150))),
            ("/bot pause 2 hours and 5 min please", NoteCommand::Pause(Some(125))),
            ("/bot pause a week", NoteCommand::Pause(Some(10_080))),
            ("/bot take it, please", NoteCommand::Resume),
            ("/bot-why", NoteCommand::Why),
            ("“/bot why”", NoteCommand::Why),
            ("- /bot why", NoteCommand::Why),
            ("\u{feff}/BOT\u{200b} why", NoteCommand::Why),
            ("／bot why", NoteCommand::Why),
            ("@Acme Bot /bot why", NoteCommand::Why),
            ("@Acme Bot (https://app.intercom.com/a/900001) /bot why", NoteCommand::Why),
        ] {
            assert_eq!(read(text), [expected], "{text}");
        }
    }

    #[test]
    fn each_line_of_a_note_is_read_by_itself() {
        assert_eq!(read("Looks right to me.\n\n/bot send 2\nthanks!"), [NoteCommand::Send(2)]);
        assert_eq!(read("/bot dismiss\n/bot pause 2h"), [NoteCommand::Dismiss, NoteCommand::Pause(Some(120))]);
        assert_eq!(read(&"/bot why\n".repeat(9)).len(), MAX_COMMANDS);
    }

    #[test]
    fn what_is_not_understood_is_said_to_be_so_and_what_is_not_for_the_bot_is_left_alone() {
        for text in [
            "/bot dance",
            "/bot pause tomorrow",
            "/bot pause 0",
            "/bot pause 99999 days",
            "/bot send 1 and 2",
            "/bot send it tomorrow",
            "/bot send 99999999999999999999999",
            "/bot take 2",
            "/bot resume at 5",
            "/bot sned 2",
        ] {
            assert!(matches!(read(text)[..], [NoteCommand::Unknown(_)]), "{text}: {:?}", read(text));
        }
        for text in ["", "why", "bot why", "/bottle", "please /bot why", "/bot_why", "/", "@Acme Bot look", "see /bot"]
        {
            assert_eq!(read(text), [], "{text}");
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
