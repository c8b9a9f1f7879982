//! What bots ask for is carried out in Intercom: the use case of `bot-reply` and
//! `close-conversation`, which differ only in their lane.

use super::{Desk, Report, Unfinished, heed, worker_of};
use crate::domain::command::Command;
use crate::domain::conversation::Lane;
use crate::domain::ids::{ContactId, ConversationId, ConversationKey, Timestamp};
use crate::domain::part::Observation;
use crate::domain::step::{self, Answer, Effect, Input};
use crate::ports::{Clock, Conversations, Intercom, Names, NotShown, Pace, Stored, Wakers};

/// How long one attempt at Intercom may take in all, in milliseconds. An attempt is not begun
/// with less time left, so that no request outlives its worker's claim.
pub const ATTEMPT_MS: u64 = 15_000;

/// Accepts a command, if there is one, and carries out what is due in the lane, one action after
/// the other. For a reply: one read, one update that accepts and claims, one request, one update
/// that confirms. Safe to repeat at any point.
///
/// `deadline` is when this worker is stopped, at the latest.
///
/// # Errors
/// [`Unfinished`]: the message is to be given again, and nothing else of this conversation before
/// it. A wait is no error: [`Report::due`] tells it, and by then the command is recorded.
pub async fn carry_out<S, W, C, I, N>(
    desk: &Desk<S, W, C>,
    intercom: &I,
    names: &N,
    lane: Lane,
    key: &ConversationKey,
    command: Option<&Command>,
    deadline: Timestamp,
) -> Result<Report, Unfinished>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom + Pace,
    N: Names,
{
    let mut report = Report::default();
    let workspace = desk.workspace(key)?;
    let mut inputs: Vec<Input> = command.cloned().map(Input::Commanded).into_iter().collect();
    let Some((home, mut stored, true)) = desk.at_home(key).await? else { return Ok(report) };
    let key = &home;
    loop {
        if desk.foresee(key, &stored, &inputs)?.link_due().is_some() {
            (stored, _) = desk.change_from(key, stored, &std::mem::take(&mut inputs)).await?;
            stored = desk.link(key, stored).await?;
        }
        let next = step::next_call(&desk.foresee(key, &stored, &inputs)?, lane, desk.clock.now());
        // Before the claim: whoever takes the conversation over while this waits is seen by the claim.
        let admitted = match next {
            Some(call) => match intercom.ready(workspace).await {
                Ok(()) => intercom.admit(workspace, key.conversation_id.as_str(), call).await,
                not_ready => not_ready,
            },
            None => Ok(()),
        };
        let room = has_room(desk, deadline);
        let claim = names.claim();
        match admitted {
            // Not claimed, so not tried: it waits in its place, and counts as nothing.
            Err(until) => inputs.push(Input::PutOff { lane, until }),
            // One second past the deadline the platform has certainly stopped us.
            Ok(()) if room => inputs.push(Input::Claim { lane, claim: claim.clone(), until: deadline.plus_ms(1_000) }),
            Ok(()) => {}
        }
        let effects;
        (stored, effects) = desk.change_from(key, stored, &inputs).await?;
        inputs.clear();
        report.take(&effects);
        if !room && admitted.is_ok() {
            report.due = Some(desk.clock.now());
            break;
        }
        match effects.last() {
            // Saving may have taken long, or the whole worker have stood still: then nothing is sent.
            Some(Effect::Perform { seq, .. }) if is_too_late(desk, deadline) => {
                let answer = Answer::NotSent { retry_at: desk.clock.now() };
                inputs.push(Input::Answered { seq: *seq, claim, answer });
            }
            Some(Effect::Perform { seq, action }) => {
                // What is done before a conversation is opened is about none.
                let id = stored.conversation.in_intercom(key).unwrap_or(&key.conversation_id);
                let answer = intercom.perform(workspace, id, action).await;
                report.sent += 1;
                inputs.push(Input::Answered { seq: *seq, claim, answer });
            }
            Some(Effect::Search { seq, contact, since }) => {
                let found = desk.opened(intercom, key, contact, *since).await?;
                inputs.push(Input::Searched { seq: *seq, found });
            }
            Some(Effect::ReadBack { seq }) => match desk.show(intercom, key, &stored).await {
                Ok(observation) => inputs.push(Input::ReadBack { seq: *seq, observation }),
                Err(NotShown::Gone) => inputs.push(Input::Deleted),
                Err(reason) => return Err(reason.into()),
            },
            Some(Effect::Wait { until }) => {
                report.due = Some(*until);
                break;
            }
            _ => break,
        }
    }
    // When this lane itself has to wait, its own message is kept or put anew by the caller.
    let except = report.due.map(|_| worker_of(lane));
    desk.wake_the_waiting(key, &stored.conversation, except).await?;
    if step::look_is_due(&stored.conversation, desk.clock.now()) {
        heed::look(desk, intercom, key, deadline).await;
    }
    Ok(report)
}

impl<S: Conversations, W, C> Desk<S, W, C> {
    /// The conversation as Intercom shows it, without its customer.
    async fn show<I: Intercom>(
        &self,
        intercom: &I,
        key: &ConversationKey,
        stored: &Stored,
    ) -> Result<Observation, NotShown> {
        let workspace = self.settings.workspaces.get(&key.app_id).ok_or(NotShown::Gone)?;
        let id = stored.conversation.in_intercom(key).ok_or(NotShown::Gone)?;
        intercom.observe(workspace, id, false).await
    }

    /// What a contact has begun since then, without what is another chat's.
    async fn opened<I: Intercom>(
        &self,
        intercom: &I,
        key: &ConversationKey,
        contact: &ContactId,
        since: Timestamp,
    ) -> Result<Vec<(ConversationId, Observation)>, Unfinished> {
        let workspace = self.settings.workspaces.get(&key.app_id);
        let workspace = workspace.ok_or_else(|| Unfinished::UnknownWorkspace(key.app_id.clone()))?;
        let mut opened = Vec::new();
        for changed in intercom.begun(workspace, contact, since).await? {
            let row = ConversationKey { app_id: key.app_id.clone(), conversation_id: changed.id.clone() };
            let leads_to = self.store.load(&row).await?.conversation.moved_to;
            if leads_to.is_none_or(|home| home == key.conversation_id) {
                opened.push((changed.id, changed.shown));
            }
        }
        Ok(opened)
    }
}

/// Whether there is time for one attempt.
fn has_room<S, W, C: Clock>(desk: &Desk<S, W, C>, deadline: Timestamp) -> bool {
    desk.clock.now().plus_ms(ATTEMPT_MS) <= deadline
}

/// Whether there is none any more, now that the claim is saved.
fn is_too_late<S, W, C: Clock>(desk: &Desk<S, W, C>, deadline: Timestamp) -> bool {
    broken_as!(LateSendGoesOn => return false);
    !has_room(desk, deadline)
}
