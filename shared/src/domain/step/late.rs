//! What arrives after all. A doubtful send that Intercom did not show when it was asked counts as not arrived, and is
//! made again, or overtaken. No request is known to be under way for longer than doubts settle in; but should one be,
//! the customer reads something twice, or something that its bot was told is not said. That cannot be undone, so it
//! is noticed and reported. Where it is not too late yet, because it was not made again, it counts as what it is: sent.

use super::{Decision, Stepper};
use crate::domain::conversation::{Control, OutboxEntry, Progress, remember};
use crate::domain::ids::PartId;
use crate::domain::likeness::{GivenUp, Likeness};
use crate::domain::part::{Observation, Part};

/// How many entries are remembered whose attempts were given up, at most.
const MAX_GIVEN_UP: usize = 8;
/// For how long they are, in milliseconds.
const KEPT_MS: u64 = 24 * 3_600_000;

impl Stepper<'_> {
    /// An attempt did not arrive, as far as Intercom shows.
    pub(super) fn has_not_arrived(&mut self, entry: &OutboxEntry) {
        let Some(likeness) = Likeness::of(&entry.action) else { return };
        let (seq, at) = (entry.seq, self.now);
        // The same entry was tried before: whichever of its attempts arrives, they look the same.
        if let Some(known) = self.state.given_up.iter_mut().find(|known| known.seq == seq && known.likeness == likeness)
        {
            (known.times, known.at) = (known.times.saturating_add(1), at);
            return;
        }
        let after = entry.after().cloned();
        remember(&mut self.state.given_up, GivenUp { seq, likeness, after, times: 1, at }, MAX_GIVEN_UP);
    }

    /// A part of ours that is not known, and that nothing on the wire has made. Whether it is an attempt that was
    /// given up; then it is one less to come.
    pub(super) fn arrives_late(&mut self, part: &Part) -> bool {
        broken_as!(LateGoesUnseen => return false);
        // What people have already is not given to them once more.
        let is_with_people = self.state.control == Control::Human;
        let is_it = |given_up: &GivenUp| {
            let assigns = matches!(given_up.likeness, Likeness::Assignment { .. });
            given_up.may_have_made(part) && !(assigns && is_with_people)
        };
        let arrives = self.is_one_less(is_it);
        if arrives {
            self.note(Decision::ArrivedLate);
        }
        arrives
    }

    /// The same, of a conversation that was opened once more.
    pub(super) fn begins_late(&mut self, observation: &Observation) {
        if self.is_one_less(|given_up| given_up.likeness.begins(observation)) {
            self.note(Decision::ArrivedLate);
        }
    }

    /// After which part the attempts came that were given up of an entry that waits to be made again; nothing where
    /// there are none.
    pub(super) fn given_up_after(&self, entry: &OutboxEntry) -> Option<Option<&PartId>> {
        let waits = matches!(entry.progress, Progress::Pending { .. });
        let given_up = self.state.given_up.iter().find(|given_up| waits && given_up.seq == entry.seq)?;
        Some(given_up.after.as_ref())
    }

    /// One of an entry's attempts has arrived before the next one was made.
    pub(super) fn arrives_in_time(&mut self, seq: u64) {
        if self.is_one_less(|given_up| given_up.seq == seq) {
            self.note(Decision::FoundSent);
        }
    }

    /// What was given up long ago is not waited for any more.
    pub(super) fn forget_what_was_given_up(&mut self) {
        let now = self.now;
        self.state.given_up.retain(|given_up| now < given_up.at.plus_ms(KEPT_MS));
    }

    fn is_one_less(&mut self, is_it: impl Fn(&GivenUp) -> bool) -> bool {
        let Some(position) = self.state.given_up.iter().position(is_it) else { return false };
        if let Some(given_up) = self.state.given_up.get_mut(position) {
            given_up.times = given_up.times.saturating_sub(1);
        }
        self.state.given_up.retain(|given_up| given_up.times > 0);
        true
    }
}
