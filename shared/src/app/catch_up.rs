//! What Intercom never told is found: `reconcile`'s second use case.
//!
//! Intercom delivers a notification twice at most, and drops all of them while a subscription is
//! paused. So each workspace is searched for conversations that changed since the last search, and
//! where one shows more than is known, its doorbell is rung: the router fetches it and goes on as
//! if it had been notified. Nothing is decided here.
//!
//! A search that dies is made again from the same bookmark; a doorbell that rings twice costs one
//! `GET`. A workspace that cannot be searched does not keep the others from it.

use super::{Desk, Unfinished};
use crate::domain::budget::{Call, Urgency};
use crate::domain::ids::{ConversationKey, Timestamp};
use crate::domain::settings::Workspace;
use crate::domain::step;
use crate::ports::{
    Bookmark, Bookmarks, Changed, Clock, Conversations, Doorbells, NotShown, Pace, Search, Unavailable,
};

/// How far each search reaches back behind the one before, in milliseconds: Intercom's index lags
/// behind its conversations.
const OVERLAP_MS: u64 = 180_000;
/// How long a customer waits for the bot until it counts as waiting, in milliseconds.
const PATIENCE_MS: u64 = 300_000;
/// How long the minute's sweep goes on, in milliseconds, by its own clock: less than its function's time-out, whatever the
/// clock shows.
pub const SWEEP_MS: u64 = 50_000;
/// How long one search may take in all, in milliseconds. None is begun with less time left.
const SEARCH_MS: u64 = 11_000;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Conversations that changed.
    pub changed: u32,
    /// Doorbells that were rung.
    pub rung: u32,
}

/// Searches every workspace once, from its bookmark on. A workspace that is new here begins now:
/// what lies in its inbox from before is nobody's to answer.
///
/// # Errors
/// [`Unavailable`]: our own table or queue; it goes on there next time.
pub async fn catch_up<S, W, C, I>(desk: &Desk<S, W, C>, intercom: &I, deadline: Timestamp) -> Result<Found, Unavailable>
where
    S: Conversations + Bookmarks,
    W: Doorbells,
    C: Clock,
    I: Search + Pace,
{
    let mut found = Found::default();
    for workspace in desk.settings.workspaces.values() {
        match search(desk, intercom, workspace, deadline, &mut found).await {
            Ok(()) => {}
            Err(Unfinished::Unavailable(unavailable)) if unavailable.what != "Intercom" => return Err(unavailable),
            Err(reason) => {
                tracing::warn!(outcome = "not_searched", app_id = %workspace.app_id, why = %reason);
            }
        }
    }
    Ok(found)
}

async fn search<S, W, C, I>(
    desk: &Desk<S, W, C>,
    intercom: &I,
    workspace: &Workspace,
    deadline: Timestamp,
    found: &mut Found,
) -> Result<(), Unfinished>
where
    S: Conversations + Bookmarks,
    W: Doorbells,
    C: Clock,
    I: Search + Pace,
{
    let now = desk.clock.now();
    let Some(mut mark) = desk.store.bookmark(&workspace.app_id).await? else {
        let first = Bookmark { since: now, began: now, newest: Timestamp(0), page: None };
        return Ok(desk.store.set_bookmark(&workspace.app_id, &first).await?);
    };
    if mark.page.is_none() {
        (mark.began, mark.newest) = (now, Timestamp(0));
    }
    while desk.clock.now().plus_ms(SEARCH_MS) <= deadline {
        let since = Timestamp(mark.since.0.saturating_sub(OVERLAP_MS));
        let found_now = match may_search(intercom, workspace).await {
            Ok(()) => intercom.changed(workspace, since, mark.page.as_deref()).await,
            Err(reason) => Err(reason),
        };
        let page = match found_now {
            Ok(page) => page,
            Err(reason) => {
                if !matches!(reason, NotShown::Later(_)) {
                    // A page that cannot be had again must not hold the search up for ever.
                    mark.page = None;
                }
                desk.store.set_bookmark(&workspace.app_id, &mark).await?;
                return Err(reason.into());
            }
        };
        for one in &page.changed {
            found.changed += 1;
            mark.newest = mark.newest.max(one.updated_at);
            found.rung += u32::from(ring_if_behind(desk, workspace, one).await?);
        }
        mark.page = page.next;
        if mark.page.is_none() {
            mark.since = mark.since.max(up_to(&mark));
        }
        // Only now: a search that died before is made again.
        desk.store.set_bookmark(&workspace.app_id, &mark).await?;
        if mark.page.is_none() {
            return count_the_waiting(desk, intercom, workspace, deadline).await;
        }
    }
    Ok(())
}

/// Up to where changes are known after a search. Not further than it has shown any: our own clock may be ahead of
/// Intercom's, and what the index did not have yet would lie before the next search.
fn up_to(mark: &Bookmark) -> Timestamp {
    broken_as!(OwnClockTrusted => return mark.began);
    mark.began.min(mark.newest)
}

/// Whether Intercom may be searched now.
async fn may_search<I: Pace>(intercom: &I, workspace: &Workspace) -> Result<(), NotShown> {
    let call = Call { urgency: Urgency::Read, requests: 1 };
    intercom.admit(workspace, workspace.app_id.as_str(), call).await.map_err(NotShown::Later)
}

/// Rings where Intercom shows more than is known.
async fn ring_if_behind<S, W, C>(
    desk: &Desk<S, W, C>,
    workspace: &Workspace,
    one: &Changed,
) -> Result<bool, Unavailable>
where
    S: Conversations,
    W: Doorbells,
{
    let key = ConversationKey { app_id: workspace.app_id.clone(), conversation_id: one.id.clone() };
    let Some((_, known, here)) = desk.at_home(&key).await? else { return Ok(false) };
    let mut behind = if here {
        step::is_behind(&known.conversation, &one.shown, workspace)
    } else {
        step::is_behind_beside(&known.conversation, &one.id, &one.shown) // its chat has another conversation by now
    };
    if !behind && here && known.conversation.bot.is_none() {
        // People may have begun it with the customer of a chat.
        if let Some((chat, _)) = desk.chat_beside(workspace, &key, &one.shown, None).await? {
            let chat = desk.store.load(&chat).await?.conversation;
            behind = step::is_behind_beside(&chat, &one.id, &one.shown);
        }
    }
    if !behind {
        return Ok(false);
    }
    // The same change within five minutes is one bell.
    desk.wakers.ring(&key, &format!("changed{}", one.updated_at.0)).await?;
    Ok(true)
}

/// Logs how many customers wait for the bot, for the metric that is made of it.
async fn count_the_waiting<S, W, C, I>(
    desk: &Desk<S, W, C>,
    intercom: &I,
    workspace: &Workspace,
    deadline: Timestamp,
) -> Result<(), Unfinished>
where
    C: Clock,
    I: Search + Pace,
{
    let now = desk.clock.now();
    if now.plus_ms(SEARCH_MS) > deadline {
        return Ok(());
    }
    may_search(intercom, workspace).await?;
    let customers = intercom.waiting_for_the_bot(workspace, Timestamp(now.0.saturating_sub(PATIENCE_MS))).await?;
    tracing::info!(outcome = "customers_waiting", app_id = %workspace.app_id, customers);
    Ok(())
}
