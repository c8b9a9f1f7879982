//! Steps with one guard taken out, to show that the model would notice. Each wraps the real step.

use shared::domain::content::AuthorKind;
use shared::domain::conversation::{Conversation, Progress};
use shared::domain::settings::Workspace;
use shared::domain::step::{self, Answer, Input, Outcome};
use shared::testing::BOT;

use crate::time::NOW;

/// A mutant; or the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// The product.
    None,
    /// Entries and commands never grow old.
    IgnoresTheEpoch,
    /// A gap between notifications is not noticed.
    IgnoresTheGap,
    /// A doubtful send is read back at once.
    SettlesAtOnce,
    /// A doubtful send counts as not sent.
    DoubtIsFailure,
    /// A doubtful send counts as sent.
    DoubtIsSuccess,
    /// A claim that ran out is simply taken again.
    TakesClaimsAgain,
    /// What has been seen is not remembered.
    ForgetsWhatItSaw,
    /// People's words count for nothing.
    IgnoresPeople,
    /// Commands are not remembered.
    ForgetsCommands,
    /// A hand may claim what another holds.
    ClaimsTwice,
    /// Our own parts are not remembered.
    ForgetsItsOwn,
    /// What comes late is believed: an assignee from an old notification counts without asking.
    ReadsBackAnything,
    /// What was said without a person is forgotten.
    NeverTiresOfMachines,
}

impl Mutant {
    /// All but the product.
    pub const ALL: [Self; 13] = [
        Self::IgnoresTheEpoch,
        Self::IgnoresTheGap,
        Self::SettlesAtOnce,
        Self::DoubtIsFailure,
        Self::DoubtIsSuccess,
        Self::TakesClaimsAgain,
        Self::ForgetsWhatItSaw,
        Self::IgnoresPeople,
        Self::ForgetsCommands,
        Self::ClaimsTwice,
        Self::ForgetsItsOwn,
        Self::ReadsBackAnything,
        Self::NeverTiresOfMachines,
    ];

    /// Decides as the product, but for one thing.
    #[must_use]
    pub fn step(self, state: &Conversation, input: &Input, workspace: &Workspace) -> Outcome {
        if matches!(self, Self::None | Self::SettlesAtOnce) {
            return step::step(state, input, workspace, NOW);
        }
        let (mut state, mut input) = (state.clone(), input.clone());
        match (self, &mut input) {
            (Self::IgnoresTheEpoch, input) => {
                let youngest = state.epoch + 100;
                state.outbox.iter_mut().for_each(|entry| entry.epoch = youngest);
                if let Input::Commanded(command) = input {
                    command.epoch = None;
                }
            }
            (Self::IgnoresTheGap, Input::Observed(seen)) if !seen.complete => {
                seen.part_count = state.seen_count.map(|count| count + 1);
            }
            (Self::DoubtIsFailure, Input::Answered { answer, .. }) if *answer == Answer::Unknown => {
                *answer = Answer::NotSent { retry_at: NOW };
            }
            (Self::DoubtIsSuccess, Input::Answered { answer, .. }) if *answer == Answer::Unknown => {
                *answer = Answer::Done { part_id: None };
            }
            (Self::TakesClaimsAgain | Self::ClaimsTwice, Input::Claim { .. }) => {
                if let Some(head) = state.outbox.front_mut()
                    && let Progress::Claimed { until, .. } = &head.progress
                    && (self == Self::ClaimsTwice || *until <= NOW)
                {
                    head.progress = Progress::Pending { not_before: NOW };
                }
            }
            (Self::ForgetsWhatItSaw, Input::Observed(_)) => state.seen.part = None,
            (Self::IgnoresPeople, Input::Observed(seen) | Input::Tick(Some(seen))) => {
                seen.parts
                    .iter_mut()
                    .filter(|part| part.author.id != BOT && part.author.kind == AuthorKind::Teammate)
                    .for_each(|part| part.author.kind = AuthorKind::Operator);
            }
            (Self::ForgetsCommands, Input::Commanded(_)) => state.commands.clear(),
            (Self::NeverTiresOfMachines, _) => state.exchange.person_acted(),
            (Self::ForgetsItsOwn, _) => state.own_parts.clear(),
            (Self::ReadsBackAnything, Input::ReadBack { .. }) => {
                if let Some(head) = state.outbox.front_mut()
                    && let Progress::Unknown { after, .. } = &mut head.progress
                {
                    *after = None;
                }
            }
            _ => {}
        }
        step::step(&state, &input, workspace, NOW)
    }
}
