//! The JSON text of parts, made once and used again.
//!
//! A conversation is answered with up to 500 parts after every change, and all but one of them
//! read as they did before. Their text is kept here for each conversation and style, and only
//! what was added is rendered. It is derived from the model alone: `render` says how a part
//! reads, the parts say when they have changed (`Parts::edits`), and everything may be thrown
//! away at any time, which is what happens when it grows too large.

use std::collections::HashMap;
use std::fmt::Write;

use super::model::Conversation;
use super::render::{self, PARTS_SHOWN, Style};
use super::workspace::Workspace;

/// How much text a workspace keeps.
const BYTES_KEPT: usize = 64 * 1024 * 1024;

/// The texts of a workspace.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    of: HashMap<(u64, Style), Text>,
    bytes: usize,
}

/// The parts of one conversation in one style, with commas between them.
#[derive(Debug, Default)]
struct Text {
    json: String,
    /// Where the text of each part begins and ends.
    spans: Vec<(usize, usize)>,
    /// The edits that it knows of.
    edits: u64,
}

/// The text of `GET /conversations/{id}`: a conversation with its newest parts.
pub(crate) fn whole_conversation(workspace: &Workspace, one: &Conversation, style: Style) -> String {
    let mut json = render::list_item(workspace, one, style).to_string();
    // The members of an object that is open again.
    json.pop();
    // The count is of all parts, so that a reader sees that some are missing.
    let count = one.parts.len();
    // Writing to a String cannot fail.
    let _ = write!(
        json,
        r#","conversation_parts":{{"type":"conversation_part.list","total_count":{count},"conversation_parts":["#
    );
    workspace.texts.borrow_mut().push_newest(one, style, &mut json);
    json.push_str("]}}");
    json
}

impl Texts {
    /// Adds the newest parts to `json`, oldest first.
    fn push_newest(&mut self, one: &Conversation, style: Style, json: &mut String) {
        if self.bytes > BYTES_KEPT {
            *self = Self::default();
        }
        let text = self.of.entry((one.id, style)).or_default();
        let before = text.json.len();
        text.catch_up(one, style);
        self.bytes = (self.bytes + text.json.len()).saturating_sub(before);
        let skipped = one.parts.len().saturating_sub(PARTS_SHOWN);
        // More parts may be known than it has: a stale read sees it as it was before them.
        let spans = text.spans.get(skipped..one.parts.len()).unwrap_or_default();
        let newest = spans.first().zip(spans.last()).and_then(|(first, last)| text.json.get(first.0..last.1));
        json.push_str(newest.unwrap_or_default());
    }
}

impl Text {
    fn catch_up(&mut self, one: &Conversation, style: Style) {
        if self.edits != one.parts.edits() {
            *self = Self { edits: one.parts.edits(), ..Self::default() };
        }
        for part in one.parts.iter().skip(self.spans.len()) {
            if !self.json.is_empty() {
                self.json.push(',');
            }
            let start = self.json.len();
            // Writing to a String cannot fail.
            let _ = write!(self.json, "{}", render::part(part, style));
            self.spans.push((start, self.json.len()));
        }
    }
}
