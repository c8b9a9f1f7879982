//! Fuzz targets: what must hold whatever comes in. One function a target; it panics where an
//! invariant is broken. Two drivers share them: cargo-fuzz (`make fuzz`), and property tests over
//! the same seeds (`tests/properties`), which `make test` runs.

mod arriving;
mod stored;
mod words;

pub use arriving::{bot_command, conversation, edge_request, intercom_answer, notification, signature_header};
pub use stored::{queue_message, settings_file, url_filter};
pub use words::{assert_tame, html_in, html_out, markdown_out};

/// One target.
pub type Target = fn(&[u8]);

/// All targets, by their names, which are those of the folders of their seeds.
pub const TARGETS: [(&str, Target); 12] = [
    ("edge_request", edge_request),
    ("signature_header", signature_header),
    ("notification", notification),
    ("conversation", conversation),
    ("intercom_answer", intercom_answer),
    ("bot_command", bot_command),
    ("html_in", html_in),
    ("html_out", html_out),
    ("markdown_out", markdown_out),
    ("url_filter", url_filter),
    ("settings_file", settings_file),
    ("queue_message", queue_message),
];
