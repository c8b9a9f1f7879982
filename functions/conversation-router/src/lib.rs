//! What happens in Intercom is heeded, conversation by conversation, in order.

use shared::app::heed::{News, heed, look};
use shared::app::{Desk, Unfinished};
use shared::domain::ids::{ConversationKey, Timestamp};
use shared::lambda::batch::{Handled, NotHandled, SqsRecord};
use shared::ports::{Clock, Conversations, Intercom, Pace, Wakers};
use shared::wire::queue::{self, InboxMessage};

/// How long one piece of news may take, in milliseconds: two requests to Intercom and the rest.
/// None is begun with less time left.
const NEWS_MS: u64 = 22_000;

/// Handles one message of the inbox. Safe to repeat.
///
/// # Errors
/// [`NotHandled`].
pub async fn handle<S, W, C, I>(desk: &Desk<S, W, C>, intercom: &I, record: &SqsRecord, deadline: Timestamp) -> Handled
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom + Pace,
{
    let now = desk.clock.now();
    if now.plus_ms(NEWS_MS) > deadline {
        return Err(Unfinished::Later { at: now, why: "this invocation's time is up" }.into());
    }
    let message: InboxMessage = serde_json::from_str(&record.body).map_err(NotHandled::from)?;
    let key = ConversationKey::parse(&message.app_id, &message.conversation_id)?;
    let (topic, news) = match message.news {
        queue::News::Notification { topic, item } => (topic, News::Shown(Box::new(item.observation(false)))),
        queue::News::Doorbell => ("doorbell".to_owned(), News::Doorbell),
        queue::News::Deleted => ("deleted".to_owned(), News::Deleted),
        queue::News::Due => ("due".to_owned(), News::Due),
    };
    let report = heed(desk, intercom, &key, &news).await?;
    if let Some(chat) = &report.look {
        look(desk, intercom, chat, deadline).await;
    }
    tracing::info!(
        outcome = "heeded",
        topic,
        app_id = %key.app_id,
        conversation_id = %key.conversation_id,
        owner = report.standing.map(|standing| standing.owner.as_str()),
        epoch = report.standing.map(|standing| standing.epoch),
        silent_because = report.standing.and_then(|standing| standing.silent_because),
    );
    Ok("heeded")
}
