//! The scenarios there are: those that come with the sandbox, and those of a directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::script::Scenario;

/// Names the embedded files, each without its ending.
macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        /// What comes with the sandbox: name and text.
        const EMBEDDED: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../../sandbox/scenarios/", $name, ".toml")))),*
        ];
    };
}

embedded![
    "answer-comes-too-late",
    "assigned-to-and-fro",
    "assigned-while-closed",
    "assignment-is-not-notified",
    "attachments-both-ways",
    "auto-responder",
    "backlog-is-not-answered",
    "bot-answers-nonsense",
    "bot-answers-too-late",
    "bot-closes-with-a-reason",
    "bot-is-down-for-a-while",
    "bot-is-given-what-a-teammate-began",
    "bot-is-overrun",
    "bot-offers-options",
    "bot-shows-cards",
    "bot-snoozes-and-is-woken",
    "bot-tags-the-conversation",
    "bot-takes-its-time",
    "both-answer-at-once",
    "by-email",
    "close-by-a-teammate",
    "close-crosses-a-message",
    "command-comes-twice",
    "connect-to-people",
    "connection-cut-after-applying",
    "connection-cut-before-applying",
    "customer-leaves-no-words",
    "customer-rates-the-bot",
    "customer-without-a-name",
    "deleted-while-the-bot-answers",
    "e-mails-in-a-row",
    "fin-hands-over-to-the-bot",
    "fin-in-the-conversation",
    "first-message-in-source",
    "garbled-answer",
    "garbled-conversation",
    "hand-over-answered-500",
    "hand-over-to-a-team",
    "hand-over-to-a-teammate",
    "hand-over-to-a-teammate-without-a-seat",
    "hand-over-to-an-empty-team",
    "hand-over-to-nobody-there",
    "handed-back-by-assignment",
    "handed-back-by-closing",
    "html-in",
    "html-out",
    "long-message",
    "many-messages-at-once",
    "monitored-and-taken-first",
    "monitored-inbox",
    "more-than-500-parts",
    "note-commands",
    "notes-stay-inside",
    "out-of-office",
    "owned-by-another-team",
    "rate-limit-everywhere",
    "rate-limit-on-a-reply",
    "redacted-while-the-bot-thinks",
    "reply-answered-503-and-not-applied",
    "reply-applied-but-answered-500",
    "reply-is-refused",
    "rule-is-tried-out",
    "rule-leaves-it-to-people",
    "rule-offers-and-is-given",
    "rule-offers-and-is-taken",
    "rule-sends-to-a-team",
    "rule-suggests-a-list",
    "rule-suggests-an-answer",
    "rules-with-conditions",
    "same-id-in-two-workspaces",
    "slow-intercom",
    "snoozed-and-written-to",
    "stale-read-when-the-bot-gets-it",
    "suggestion-goes-stale",
    "take-over-between-claim-and-send",
    "teammate-replies-while-the-bot-thinks",
    "token-is-refused-for-a-while",
    "transfer-begun-by-a-teammate",
    "transfer-bot-is-down",
    "transfer-customer-is-silent",
    "transfer-deleted",
    "transfer-file-too-large",
    "transfer-files",
    "transfer-many-messages",
    "transfer-message-answered-500",
    "transfer-nobody-takes-it",
    "transfer-nobody-there",
    "transfer-of-somebody-unknown",
    "transfer-other-door",
    "transfer-rated",
    "transfer-redacted",
    "transfer-reopened",
    "transfer-start-answered-500",
    "transfer-teammate-is-silent",
    "transfer-teammates-change",
    "transfer-there-and-back",
    "transfer-twice",
    "transfer-unmapped-channel",
    "transfer-webhook-lost",
    "two-answers-to-one-message",
    "two-bots",
    "two-teammates-take-turns",
    "unassigned",
    "unsigned-webhook",
    "webhook-comes-again-after-the-answer",
    "webhook-comes-late",
    "webhook-comes-twice",
    "webhook-never-comes",
    "webhooks-in-reverse",
    "webhooks-without-any-order",
    "workflow-assigns-after-the-message",
    "workflow-message-under-two-topics",
    "workflows-see-the-hand-over",
    "wrongly-signed-webhook",
];

/// Why scenarios cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// The directory or a file in it cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is no scenario.
    #[error("the scenario {name}: {problem}")]
    Form {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Scenarios by their names.
#[derive(Debug, Default)]
pub(crate) struct Library(BTreeMap<String, Arc<Scenario>>);

impl Library {
    /// The embedded scenarios, and those of a directory; the latter replace those of their name.
    ///
    /// # Errors
    /// When the directory cannot be read, or a file in it is no scenario.
    pub(crate) fn open(directory: Option<&Path>) -> Result<Self, LibraryError> {
        let mut library = Self::default();
        for (name, text) in EMBEDDED {
            library.add(name, text)?;
        }
        if let Some(directory) = directory {
            library.add_directory(directory)?;
        }
        Ok(library)
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Scenario>> {
        self.0.get(name).cloned()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Scenario)> {
        self.0.iter().map(|(name, scenario)| (name.as_str(), scenario.as_ref()))
    }

    fn add(&mut self, name: &str, text: &str) -> Result<(), LibraryError> {
        let form = |error: toml::de::Error| LibraryError::Form { name: name.to_owned(), problem: error.to_string() };
        let scenario = toml::from_str(text).map_err(form)?;
        self.0.insert(name.to_owned(), Arc::new(scenario));
        Ok(())
    }

    fn add_directory(&mut self, directory: &Path) -> Result<(), LibraryError> {
        let unreadable = |path: &Path, source| LibraryError::Read { path: path.to_owned(), source };
        let entries = std::fs::read_dir(directory).map_err(|error| unreadable(directory, error))?;
        for entry in entries {
            let path = entry.map_err(|error| unreadable(directory, error))?.path();
            if path.extension().is_none_or(|ending| ending != "toml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
            let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            self.add(&name.unwrap_or_default(), &text)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{EMBEDDED, Library};

    #[test]
    fn every_file_is_embedded_and_is_a_scenario() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sandbox/scenarios");
        let files = std::fs::read_dir(&directory).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let files: BTreeSet<String> = files.collect();
        let embedded: BTreeSet<String> = EMBEDDED.iter().map(|(name, _)| format!("{name}.toml")).collect();
        assert_eq!(embedded, files);
        Library::open(Some(&directory)).unwrap();
    }

    #[test]
    fn a_file_that_is_no_scenario_is_named() {
        let error = Library::default().add("nonsense", "title = 1").unwrap_err();
        assert!(error.to_string().starts_with("the scenario nonsense: "), "{error}");
    }
}
