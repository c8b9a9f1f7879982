//! Bots are told what happened, in order: `bot-dispatch`'s use case.

use super::{Desk, Report, Unfinished};
use crate::domain::health::Health;
use crate::domain::ids::{BotId, ConversationKey, Timestamp};
use crate::domain::step::{Input, Vain};
use crate::ports::{Bots, Clock, Conversations, Stored, Unavailable, Wakers, Wellbeing};

/// How long one delivery may take in all, in milliseconds.
pub const ATTEMPT_MS: u64 = 12_000;

/// How often a change of a bot's health is tried when somebody else changed it meanwhile.
const MAX_CONFLICTS: u32 = 3;

/// Gives the bot the events that wait for it, one after the other; the first that it does not
/// take holds up those behind it. An event is delivered again when this worker dies before it is
/// recorded as taken; its id is the same. A bot that has taken nothing for days is not called, but
/// for a probe; its events count as tried in vain.
///
/// What the customer writes in a row becomes an event here when it is complete, and that is saved before
/// it is delivered: should this worker die, the same is delivered again, whatever was written since.
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
    S: Conversations + Wellbeing,
    W: Wakers,
    C: Clock,
    B: Bots,
{
    let mut report = Report::default();
    let mut stored: Stored = desk.store.load(key).await?;
    // A bot that has just taken an event is well.
    let mut is_well = false;
    loop {
        stored = tell_what_is_gathered(desk, key, stored).await?;
        let Some(event) = stored.conversation.events.front().cloned() else { break };
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
        let health = if is_well { Health::default() } else { desk.store.health(&bot.id).await? };
        let answer = if may_call(desk, &bot.id, &health).await? {
            bots.deliver(bot, key, &stored.conversation, &event)
                .await
                .map_err(|reason| (reason.why, reason.retry_after_ms))
        } else {
            Err(("it is disabled until a probe succeeds".to_owned(), None))
        };
        let input = match answer {
            Ok(()) => {
                report.sent += 1;
                Input::Delivered { seq: event.seq }
            }
            Err((why, retry_after_ms)) => {
                tracing::warn!(outcome = "not_taken", bot = %event.bot, seq = event.seq, attempt = event.attempts + 1, %why);
                let failed_at = desk.clock.now();
                let health = change_health(desk, &bot.id, |health| health.after_failure(failed_at)).await?;
                Input::NotDelivered(Vain {
                    seq: event.seq,
                    retry_after_ms: retry_after_ms.unwrap_or(0),
                    failing_since: health.failing_since.unwrap_or(failed_at),
                    handover_after_ms: bot.handover_after_minutes.saturating_mul(60_000),
                })
            }
        };
        let taken = matches!(input, Input::Delivered { .. });
        is_well = taken;
        let effects;
        (stored, effects) = desk.change_from(key, stored, &[input]).await?;
        report.take(&effects);
        // Should this worker die here, the next success tells.
        if taken && health != Health::default() {
            change_health(desk, &bot.id, |_| Health::default()).await?;
            tracing::info!(outcome = "bot_is_back", bot = %bot.id);
        }
    }
    let gathers_until = stored.conversation.burst.as_ref().map(|burst| burst.due_at);
    report.due = report.due.into_iter().chain(gathers_until).min();
    Ok(report)
}

/// What the customer wrote in a row becomes an event, when it is complete.
async fn tell_what_is_gathered<S, W, C>(
    desk: &Desk<S, W, C>,
    key: &ConversationKey,
    stored: Stored,
) -> Result<Stored, Unfinished>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
{
    let now = desk.clock.now();
    if !stored.conversation.burst.as_ref().is_some_and(|burst| burst.is_due(now)) {
        return Ok(stored);
    }
    desk.change_from(key, stored, &[Input::Gathered]).await.map(|(stored, _)| stored)
}

/// Whether a bot may be called: one that is disabled only for a probe, by one worker an hour.
async fn may_call<S, W, C>(desk: &Desk<S, W, C>, bot: &BotId, health: &Health) -> Result<bool, Unavailable>
where
    S: Wellbeing,
    C: Clock,
{
    let now = desk.clock.now();
    if !health.is_disabled(now) {
        return Ok(true);
    }
    tracing::error!(outcome = "bot_disabled", %bot);
    match health.probed(now) {
        Some(probed) => desk.store.set_health(bot, health, &probed).await,
        None => Ok(false),
    }
}

/// Changes how a bot does, on what others made of it meanwhile. A change that loses every time is
/// left to the next delivery.
async fn change_health<S, W, C>(
    desk: &Desk<S, W, C>,
    bot: &BotId,
    change: impl Fn(&Health) -> Health,
) -> Result<Health, Unavailable>
where
    S: Wellbeing,
{
    let mut health = desk.store.health(bot).await?;
    for _ in 0..MAX_CONFLICTS {
        let after = change(&health);
        if after == health || desk.store.set_health(bot, &health, &after).await? {
            return Ok(after);
        }
        health = desk.store.health(bot).await?;
    }
    Ok(health)
}
