//! `[workspace.email]`: conversations by e-mail, where people send two messages in a row within minutes,
//! and where an answer may be for people to give.

use super::{Own, Reader, Section};
use crate::domain::rules::Rule;

/// The longest time, in seconds, that may be waited for another e-mail.
const MAX_BURST_SECONDS: u64 = 3_600;

/// What is set for conversations by e-mail.
#[derive(Default)]
pub(super) struct Email {
    /// What becomes of answers that no rule decides on.
    pub(super) rule: Option<Rule>,
    /// How long more is waited for after each message, in milliseconds.
    pub(super) burst_ms: Option<u64>,
}

impl Reader<'_> {
    pub(super) fn email(&mut self, workspace: &mut Section<'_, '_>, own: &Own) -> Email {
        let Some(mut section) = self.subsection(workspace, "email", "[workspace.email]") else {
            return Email::default();
        };
        let burst_seconds = self.number(&mut section, "burst_seconds", 0..=MAX_BURST_SECONDS);
        let deed = self.deed(&mut section, "action");
        let to = self.whom(&mut section, "team", "teammate", own);
        if to.is_some() && !section.table.contains_key("action") {
            self.mistake(section.line, "a team or teammate in [workspace.email] is without effect: it needs `action`");
        }
        self.close(&section);
        let rule = deed.map(|(deed, line)| Rule { deed, to, line, ..Rule::default() });
        if let Some(rule) = &rule {
            self.check_target(rule);
        }
        Email { rule, burst_ms: burst_seconds.map(|seconds| seconds * 1_000) }
    }
}
