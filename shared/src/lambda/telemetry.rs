//! Logs: one JSON line a handled message, on standard output.
//!
//! Fields are ids, counts, outcomes and times. Never bodies, tokens, e-mail addresses or names:
//! nothing here prints a value that came from a customer, and secrets have no text form.

use tracing::Subscriber;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Starts logging at the level that `LOG_LEVEL` names (`error`, `warn`, `info`, `debug`); `info`
/// where it names none.
pub fn start(level: &str) {
    let level = match level.to_ascii_lowercase().as_str() {
        "error" => LevelFilter::ERROR,
        "warn" => LevelFilter::WARN,
        "debug" => LevelFilter::DEBUG,
        _ => LevelFilter::INFO,
    };
    // A second start in one process keeps the first.
    let _ = tracing::subscriber::set_global_default(lines_to(std::io::stdout, level));
}

/// What makes the lines, and writes them there.
fn lines_to(writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static, level: LevelFilter) -> impl Subscriber {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .without_time() // the platform stamps each line
        .with_max_level(level)
        .with_writer(writer)
        .finish()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whatever_is_logged_is_one_line_and_means_itself() {
        let hostile = [
            "a\n{\"outcome\":\"done\"}",
            "a\r\nEND RequestId: 1",
            "a\",\"outcome\":\"done",
            "\u{1b}[2J\u{7}\u{8}",
            "\u{0}\u{85}\u{2028}\u{202e}",
            "%s${jndi:ldap://x}{{x}}\\",
        ];
        let kept = Kept::default();
        let writer = kept.clone();
        tracing::subscriber::with_default(lines_to(move || writer.clone(), LevelFilter::INFO), || {
            for text in hostile {
                tracing::info!(outcome = "parked", group = text, why = %text, id = ?text);
            }
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), hostile.len(), "{text}");
        for (line, said) in text.lines().zip(hostile) {
            assert!(line.chars().all(|c| !c.is_ascii_control()), "{line:?}");
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!((line["outcome"].as_str(), line["level"].as_str()), (Some("parked"), Some("INFO")));
            assert_eq!((line["group"].as_str(), line["why"].as_str()), (Some(said), Some(said)));
        }
    }
}
