//! What happens in Intercom is heeded, conversation by conversation, in order.

use shared::app::Desk;
use shared::app::heed::{News, heed};
use shared::domain::ids::{ConversationKey, InvalidId};
use shared::lambda::batch::{Handled, NotHandled, SqsRecord};
use shared::ports::{Clock, Conversations, Intercom, Wakers};
use shared::wire::queue::{self, InboxMessage};

/// Handles one message of the inbox. Safe to repeat.
///
/// # Errors
/// [`NotHandled`].
pub async fn handle<S, W, C, I>(desk: &Desk<S, W, C>, intercom: &I, record: &SqsRecord) -> Handled
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom,
{
    let message: InboxMessage =
        serde_json::from_str(&record.body).map_err(|error| NotHandled::Unreadable(error.to_string()))?;
    let key: ConversationKey = format!("{}#{}", message.app_id, message.conversation_id)
        .parse()
        .map_err(|error: InvalidId| NotHandled::Unreadable(error.to_string()))?;
    let (topic, news) = match message.news {
        queue::News::Notification { topic, item } => (topic, News::Shown(Box::new(item.observation(false)))),
        queue::News::Doorbell => ("doorbell".to_owned(), News::Doorbell),
        queue::News::Deleted => ("deleted".to_owned(), News::Deleted),
        queue::News::Due => ("due".to_owned(), News::Due),
    };
    let report = heed(desk, intercom, &key, &news).await?;
    tracing::info!(
        outcome = "heeded",
        topic,
        app_id = %key.app_id,
        conversation_id = %key.conversation_id,
        decisions = ?report.decisions,
    );
    Ok("heeded")
}
