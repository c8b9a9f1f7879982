//! Bots are told what happened, conversation by conversation, in order.

use shared::app::Desk;
use shared::app::deliver::deliver;
use shared::domain::ids::{BotId, ConversationKey, Timestamp};
use shared::lambda::batch::{Handled, NotHandled, SqsRecord};
use shared::lambda::messengers::{Lines, Messengers};
use shared::ports::{Clock, Conversations, Fifo, Unavailable, Wakers, Wellbeing};
use shared::wire::queue::WorkMessage;

/// Handles one message. An event may be delivered again, under the same id.
///
/// # Errors
/// [`NotHandled`].
pub async fn handle<S, W, L, Q, C>(
    desk: &Desk<S, W, C>,
    bots: &Messengers<L, Q, C>,
    record: &SqsRecord,
    deadline: Timestamp,
) -> Handled
where
    S: Conversations + Wellbeing,
    W: Wakers,
    L: Lines,
    Q: Fifo,
    C: Clock,
{
    let unreadable = |why: String| NotHandled::Unreadable(why);
    let message: WorkMessage = serde_json::from_str(&record.body).map_err(NotHandled::from)?;
    match message {
        WorkMessage::Wake { app_id, conversation_id, .. } => {
            let key = ConversationKey::parse(&app_id, &conversation_id)?;
            let report = deliver(desk, bots, &key, deadline).await?;
            tracing::info!(outcome = "delivered", app_id, conversation_id, sent = report.sent);
            match report.due {
                Some(due) => Err(NotHandled::Waits(due)),
                None => Ok(if report.sent > 0 { "delivered" } else { "nothing_to_do" }),
            }
        }
        WorkMessage::Refusal { bot, event, .. } => {
            let bot = BotId::parse(bot).ok().and_then(|id| desk.settings.bots.get(&id));
            let bot = bot.ok_or_else(|| unreadable("the settings have no such bot".to_owned()))?;
            let key = event.key(&bot.id).map_err(|error| unreadable(error.to_string()))?;
            bots.send(bot, &key, &event).await.map_err(|reason| Unavailable { what: "the bot", why: reason.why })?;
            Ok("refusal_delivered")
        }
        WorkMessage::Command { .. } => Err(unreadable("a command is for Intercom, not for bots".to_owned())),
    }
}
