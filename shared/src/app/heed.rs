//! What happens in Intercom is heeded: `conversation-router`'s use case.

use super::{Desk, Report, Standing, Unfinished};
use crate::domain::budget::{Call, Urgency};
use crate::domain::conversation::Control;
use crate::domain::ids::ConversationKey;
use crate::domain::part::Observation;
use crate::domain::step::{self, Effect, Input};
use crate::ports::{Clock, Conversations, Intercom, NotShown, Pace, Wakers};

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Intercom showed something of the conversation.
    Shown(Box<Observation>),
    /// Something happened; what, is to be fetched.
    Doorbell,
    /// It was deleted.
    Deleted,
    /// A timer may be due.
    Due,
}

/// How long to wait for an answer that is as new as the notification, in milliseconds.
const STALE_MS: u64 = 2_000;

/// Whether `GET` showed fewer parts than the notification had counted.
fn is_stale(seen: &Observation, news: &News) -> bool {
    broken_as!(StaleAnswerTaken => return false);
    let News::Shown(notification) = news else { return false };
    matches!((seen.part_count, notification.part_count), (Some(shown), Some(counted)) if shown < counted)
}

/// Heeds one piece of news: decides, saves, wakes. One read, at most one update, and one call a
/// worker concerned; a `GET` only where something was missed or the bot gets the conversation.
/// Safe to repeat.
///
/// # Errors
/// [`Unfinished`]: the news is to be given again.
pub async fn heed<S, W, C, I>(
    desk: &Desk<S, W, C>,
    intercom: &I,
    key: &ConversationKey,
    news: &News,
) -> Result<Report, Unfinished>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom + Pace,
{
    let mut report = Report::default();
    let first = match news {
        News::Shown(observation) => Some(Input::Observed(observation.as_ref().clone())),
        News::Deleted => Some(Input::Deleted),
        News::Due => Some(Input::Tick(None)),
        News::Doorbell => None,
    };
    let (mut state, mut effects) = desk.change(key, first.as_slice()).await?;
    if first.is_none() || effects.contains(&Effect::Fetch) {
        let workspace = desk.workspace(key)?;
        let with_profile = state.control != Control::Bot;
        let call = Call { urgency: Urgency::Read, requests: 1 + u32::from(with_profile) };
        if let Err(until) = intercom.admit(workspace, key.conversation_id.as_str(), call).await {
            return Err(NotShown::Later(until).into());
        }
        let input = match intercom.observe(workspace, &key.conversation_id, with_profile).await {
            Ok(seen) if is_stale(&seen, news) => {
                let at = desk.clock.now().plus_ms(STALE_MS);
                return Err(Unfinished::Later { at, why: "Intercom's answer is older than its notification" });
            }
            Ok(seen) => match news {
                News::Shown(notification) => Input::Observed(seen.with_parts_of(notification)),
                News::Due => Input::Tick(Some(seen)),
                News::Doorbell | News::Deleted => Input::Observed(seen),
            },
            Err(NotShown::Gone) => Input::Deleted,
            Err(reason) => return Err(reason.into()),
        };
        (state, effects) = desk.change(key, &[input]).await?;
    }
    report.take(&effects);
    report.standing =
        Some(Standing { owner: state.control, epoch: state.epoch, silent_because: step::silent_because(&state) });
    desk.wake_the_waiting(key, &state, None).await?;
    Ok(report)
}
