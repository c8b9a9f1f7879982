//! Bots are told what happened, in order: `bot-dispatch`'s use case.

use super::{Desk, Report, Unfinished};
use crate::domain::ids::{ConversationKey, Timestamp};
use crate::domain::step::Input;
use crate::ports::{Bots, Clock, Conversations, Stored, Wakers};

/// How long one delivery may take in all, in milliseconds.
pub const ATTEMPT_MS: u64 = 12_000;

/// The first wait after a delivery that failed, in milliseconds; it doubles up to an hour.
const FIRST_RETRY_MS: u64 = 5_000;
const LAST_RETRY_MS: u64 = 3_600_000;

/// Gives the bot the events that wait for it, one after the other; the first that it does not
/// take holds up those behind it. An event is delivered again when this worker dies before it is
/// recorded as taken; its id is the same.
///
/// # Errors
/// [`Unfinished`]: the message is to be given again.
pub async fn deliver<S, W, C, B>(
    desk: &Desk<S, W, C>,
    bots: &B,
    key: &ConversationKey,
    deadline: Timestamp,
) -> Result<Report, Unfinished>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    B: Bots,
{
    let mut report = Report::default();
    let mut stored: Stored = desk.store.load(key).await?;
    while let Some(event) = stored.conversation.events.front().cloned() {
        let now = desk.clock.now();
        if event.due_at > now {
            report.due = Some(event.due_at);
            break;
        }
        if now.plus_ms(ATTEMPT_MS) > deadline {
            report.due = Some(now);
            break;
        }
        let bot = desk.settings.bots.get(&event.bot).ok_or_else(|| Unfinished::UnknownBot(event.bot.clone()))?;
        let input = match bots.deliver(bot, key, &stored.conversation, &event).await {
            Ok(()) => {
                report.sent += 1;
                Input::Delivered { seq: event.seq }
            }
            Err(reason) => {
                tracing::warn!(outcome = "not_taken", bot = %event.bot, seq = event.seq, attempt = event.attempts + 1, why = %reason.why);
                let backoff = FIRST_RETRY_MS.saturating_mul(1 << event.attempts.min(16)).min(LAST_RETRY_MS);
                let wait_ms = reason.retry_after_ms.unwrap_or(0).clamp(backoff, LAST_RETRY_MS);
                Input::NotDelivered { seq: event.seq, retry_at: desk.clock.now().plus_ms(wait_ms) }
            }
        };
        let effects;
        (stored, effects) = desk.change_from(key, stored, &[input]).await?;
        report.take(&effects);
    }
    Ok(report)
}
