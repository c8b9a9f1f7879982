//! Logs: one JSON line a handled message, on standard output.
//!
//! Fields are ids, counts, outcomes and times. Never bodies, tokens, e-mail addresses or names:
//! nothing here prints a value that came from a customer, and secrets have no text form.

use tracing_subscriber::filter::LevelFilter;

/// Starts logging at the level that `LOG_LEVEL` names (`error`, `warn`, `info`, `debug`); `info`
/// where it names none.
pub fn start(level: &str) {
    let level = match level.to_ascii_lowercase().as_str() {
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "debug" => LevelFilter::DEBUG,
        _ => LevelFilter::INFO,
    };
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .without_time() // the platform stamps each line
        .with_max_level(level)
        .finish();
    // A second start in one process keeps the first.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
