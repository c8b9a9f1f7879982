//! A writer that keeps what is logged, for tests that look at it.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

/// Keeps all that is written to it or to a copy of it.
#[derive(Debug, Clone, Default)]
pub struct KeptLog(Arc<Mutex<Vec<u8>>>);

impl Write for KeptLog {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl KeptLog {
    /// Adds a line.
    pub fn note(&self, text: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(format!("{text}\n").bytes());
    }

    /// All of it.
    ///
    /// # Panics
    /// When it is no text.
    #[must_use]
    pub fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).unwrap_or_else(|error| panic!("the log is no text: {error}"))
    }
}
