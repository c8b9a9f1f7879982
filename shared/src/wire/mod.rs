//! The forms of what crosses the process: Intercom's JSON, the bot protocol, our own queue
//! messages, the settings file. Nothing decides here; these modules turn bytes into the domain's
//! values and back.

pub mod blocks;
pub mod bot;
pub mod edge;
pub mod intercom;
mod joined;
pub mod outgoing;
pub mod passed_on;
pub mod people;
pub mod queue;
pub mod schedules;
pub mod settings;
pub mod start;
pub mod tags;
pub mod traits;
pub mod turn;

use sha2::{Digest as _, Sha256};

/// SHA-256, in hex: the name of a content.
#[must_use]
pub fn sha256_hex(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with JSON, and where, without a word of it: the parser's own text quotes values.
#[must_use]
pub fn where_in_json(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "cannot be read",
        serde_json::error::Category::Syntax => "is no JSON",
        serde_json::error::Category::Data => "has another form",
        serde_json::error::Category::Eof => "breaks off",
    };
    format!("it {kind} at line {}, column {}", error.line(), error.column())
}
