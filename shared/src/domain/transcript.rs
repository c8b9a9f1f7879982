//! What people read when they are given a chat: why, what it is about, what the bot has collected, and what
//! was said before. As notes; long ones in several.

use super::command::{Line, TransferStart};
use super::html::Writer;
use super::render;
use super::split;

/// The longest note, in bytes of HTML.
const MAX_NOTE_BYTES: usize = 8 * 1024;
/// How many lines of what was said before are taken.
const MAX_LINES: usize = 500;
/// How many collected values are taken.
const MAX_DATA: usize = 100;

/// Whether it can be told.
///
/// # Errors
/// A code for programs, and words for people.
pub fn check(start: &TransferStart) -> Result<(), (&'static str, String)> {
    if start.transcript.len() > MAX_LINES {
        return Err(("too_long", format!("a transcript has at most {MAX_LINES} lines")));
    }
    if start.data.len() > MAX_DATA {
        return Err(("too_long", format!("at most {MAX_DATA} collected values")));
    }
    Ok(())
}

/// The notes, in order; none where there is nothing to tell.
#[must_use]
pub fn notes(start: &TransferStart) -> Vec<String> {
    let mut html = String::new();
    html.push_str(&labelled("Handed over by the bot:", start.reason.as_deref()));
    html.push_str(&labelled("Channel:", Some(&start.channel)));
    if let Some(summary) = start.summary.as_deref().filter(|summary| !summary.trim().is_empty()) {
        html.push_str(&heading("Summary"));
        html.push_str(&render::markdown(summary));
    }
    let data: Vec<_> = start.data.iter().filter(|(name, _)| !name.trim().is_empty()).collect();
    if !data.is_empty() {
        html.push_str(&heading("Collected"));
        let mut writer = Writer::default();
        writer.start("ul");
        for (name, value) in data {
            writer.start("li");
            writer.start("b");
            writer.text(&format!("{}:", name.trim()));
            writer.end("b");
            writer.text(&format!(" {}", value.trim()));
            writer.end("li");
        }
        writer.end("ul");
        html.push_str(&writer.finish());
    }
    let said: Vec<&Line> = start.transcript.iter().filter(|line| !line.text.trim().is_empty()).collect();
    if !said.is_empty() {
        html.push_str(&heading("What was said before"));
        said.iter().for_each(|line| html.push_str(&line_of(line)));
    }
    split::split(&html, MAX_NOTE_BYTES)
}

fn heading(text: &str) -> String {
    labelled(text, Some(""))
}

/// A paragraph that begins with a label in bold; nothing where there is nothing behind it.
fn labelled(label: &str, text: Option<&str>) -> String {
    let Some(text) = text.map(str::trim) else { return String::new() };
    let mut writer = Writer::default();
    writer.start("p");
    writer.start("b");
    writer.text(label);
    writer.end("b");
    if !text.is_empty() {
        writer.text(&format!(" {text}"));
    }
    writer.end("p");
    writer.finish()
}

/// One line of what was said: who, and the words.
fn line_of(line: &Line) -> String {
    let who = line.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let who = who.unwrap_or(if line.by_customer { "Customer" } else { "Bot" });
    let when = line.at.map(|at| format!(" ({})", clock_of(at.seconds()))).unwrap_or_default();
    let mut writer = Writer::default();
    writer.start("p");
    writer.start("b");
    writer.text(&format!("{who}{when}:"));
    writer.end("b");
    writer.end("p");
    format!("{}{}", writer.finish(), render::markdown(&line.text))
}

/// Hours and minutes in UTC.
fn clock_of(seconds: u64) -> String {
    format!("{:02}:{:02} UTC", seconds / 3_600 % 24, seconds / 60 % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Timestamp;

    fn line(by_customer: bool, text: &str) -> Line {
        Line { by_customer, name: None, text: text.to_owned(), at: Some(Timestamp::from_seconds(3_725)) }
    }

    #[test]
    fn people_read_why_what_and_what_was_said() {
        let start = TransferStart {
            channel: "web".to_owned(),
            reason: Some("wants <a person>".to_owned()),
            summary: Some("Order *12* is late".to_owned()),
            data: vec![("order".to_owned(), "12".to_owned())],
            transcript: vec![line(true, "where is it?"), line(false, "Let me **look**.")],
            ..TransferStart::default()
        };
        let notes = notes(&start);
        assert_eq!(
            notes,
            ["<p><b>Handed over by the bot:</b> wants &lt;a person&gt;</p><p><b>Channel:</b> web</p>\
              <p><b>Summary</b></p><p>Order <i>12</i> is late</p><p><b>Collected</b></p><ul><li><b>order:</b> 12</li></ul>\
              <p><b>What was said before</b></p><p><b>Customer (01:02 UTC):</b></p><p>where is it?</p>\
              <p><b>Bot (01:02 UTC):</b></p><p>Let me <b>look</b>.</p>"]
        );
    }

    #[test]
    fn a_long_story_is_told_in_several_notes_and_nothing_of_it_is_lost() {
        let transcript =
            (0..400).map(|number| line(number % 2 == 0, &format!("line number {number} of the story"))).collect();
        let start = TransferStart { channel: "web".to_owned(), transcript, ..TransferStart::default() };
        let notes = notes(&start);
        assert!(notes.len() > 3 && notes.iter().all(|note| note.len() <= MAX_NOTE_BYTES));
        let all = notes.concat();
        assert!((0..400).all(|number| all.contains(&format!("line number {number} of"))));
    }
}
