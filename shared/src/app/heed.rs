//! What happens in Intercom is heeded: `conversation-router`'s use case.

use super::{Desk, Report, Standing, Unfinished};
use crate::domain::budget::{Call, Urgency};
use crate::domain::conversation::{Control, Conversation};
use crate::domain::ids::{BotId, ConversationId, ConversationKey, Timestamp};
use crate::domain::part::Observation;
use crate::domain::settings::Workspace;
use crate::domain::step::{self, Effect, Input};
use crate::domain::transfer::{MAX_SESSION_BYTES, Transfer, beside_row, contact_row, session_row};
use crate::ports::{Clock, Conversations, Intercom, NotShown, Pace, Stored, Unavailable, Wakers};

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

/// How long a look may take in all, in milliseconds: two requests to Intercom and the rest. None is begun with
/// less time left.
const LOOK_MS: u64 = 22_000;

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
    heed_for(desk, intercom, key, news, None).await
}

/// The same; where nobody knows whose the conversation is, it is met by this chat.
async fn heed_for<S, W, C, I>(
    desk: &Desk<S, W, C>,
    intercom: &I,
    key: &ConversationKey,
    news: &News,
    asks: Option<&ConversationKey>,
) -> Result<Report, Unfinished>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom + Pace,
{
    let mut report = Report::default();
    let workspace = desk.workspace(key)?;
    let Some((mut home, mut stored, here)) = desk.at_home(key).await? else { return Ok(report) };
    let input = match news {
        News::Shown(observation) => Some(Input::Observed(observation.as_ref().clone())),
        News::Deleted => here.then_some(Input::Deleted),
        News::Due => here.then_some(Input::Tick(None)),
        News::Doorbell if here => fetched(desk, intercom, &home, &stored, news).await?,
        // A chat that has another conversation by now has not heard of this one what is rung for.
        News::Doorbell => whole(desk, intercom, key, &key.conversation_id, false, news).await?.map(Input::Observed),
    };
    let Some(input) = input else { return Ok(report) };
    // One in which the bot was only asked something by a note is as little the bot's as one that is not known.
    if let (Input::Observed(observation), true) = (&input, !here || stored.conversation.bot.is_none()) {
        let chat =
            if here { desk.chat_beside(workspace, key, observation, asks).await? } else { Some((home.clone(), None)) };
        match met(desk, intercom, key, chat, observation, news).await? {
            Some((chat, met)) => (home, stored) = (chat, met),
            None if !here => return Ok(report),
            None => {}
        }
    }
    let key = &home;
    let input = introduced(intercom, workspace, &stored, input).await;
    let mut effects;
    (stored, effects) = desk.change_from(key, stored, &[input]).await?;
    if effects.contains(&Effect::Fetch) {
        let Some(input) = fetched(desk, intercom, key, &stored, news).await? else { return Ok(report) };
        let input = introduced(intercom, workspace, &stored, input).await;
        (stored, effects) = desk.change_from(key, stored, &[input]).await?;
    }
    report.take(&effects);
    let mut state = desk.link(key, stored).await?;
    if *news == News::Due {
        state = look_beside(desk, intercom, key, state).await?;
    }
    let state = state.conversation;
    report.standing =
        Some(Standing { owner: state.control, epoch: state.epoch, silent_because: step::silent_because(&state) });
    desk.wake_the_waiting(key, &state, None).await?;
    report.look = step::look_is_due(&state, desk.clock.now()).then_some(home);
    Ok(report)
}

/// The whole conversation, as news of it; none where it is not in Intercom yet.
async fn fetched<S, W, C, I>(
    desk: &Desk<S, W, C>,
    intercom: &I,
    key: &ConversationKey,
    stored: &Stored,
    news: &News,
) -> Result<Option<Input>, Unfinished>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom + Pace,
{
    let state = &stored.conversation;
    let Some(id) = state.in_intercom(key) else { return Ok(None) };
    let with_profile = state.control != Control::Bot;
    Ok(Some(match whole(desk, intercom, key, id, with_profile, news).await? {
        None => Input::Deleted,
        Some(seen) if *news == News::Due => Input::Tick(Some(seen)),
        Some(seen) => Input::Observed(seen),
    }))
}

/// The whole conversation, with what its notification showed of it; none where there is none any more.
async fn whole<S, W, C, I>(
    desk: &Desk<S, W, C>,
    intercom: &I,
    key: &ConversationKey,
    id: &ConversationId,
    with_profile: bool,
    news: &News,
) -> Result<Option<Observation>, Unfinished>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom + Pace,
{
    let workspace = desk.workspace(key)?;
    let call = Call { urgency: Urgency::Read, requests: 1 + u32::from(with_profile) };
    if let Err(until) = intercom.admit(workspace, id.as_str(), call).await {
        return Err(NotShown::Later(until).into());
    }
    match intercom.observe(workspace, id, with_profile).await {
        Ok(seen) if is_stale(&seen, news) => {
            let at = desk.clock.now().plus_ms(STALE_MS);
            Err(Unfinished::Later { at, why: "Intercom's answer is older than its notification" })
        }
        Ok(seen) => Ok(Some(match news {
            News::Shown(notification) => seen.with_parts_of(notification),
            News::Due | News::Doorbell | News::Deleted => seen,
        })),
        Err(NotShown::Gone) => Ok(None),
        Err(reason) => Err(reason.into()),
    }
}

/// Looks at a chat at once, where that is due: what waits for it does not wait for the sweep. What cannot be
/// looked at now is left to the sweep, which finds it due; so does a worker that dies here.
pub async fn look<S, W, C, I>(desk: &Desk<S, W, C>, intercom: &I, chat: &ConversationKey, deadline: Timestamp)
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom + Pace,
{
    if desk.clock.now().plus_ms(LOOK_MS) > deadline {
        return;
    }
    if let Err(why) = heed(desk, intercom, chat, &News::Due).await {
        tracing::info!(outcome = "not_looked", app_id = %chat.app_id, conversation_id = %chat.conversation_id, %why);
    }
}

/// Looks for what people have begun with a chat's customer while nobody knew that it was theirs, where that is to be
/// done, and has the chat meet each. It is due until all were met, so whoever dies here does it again.
async fn look_beside<S, W, C, I>(
    desk: &Desk<S, W, C>,
    intercom: &I,
    key: &ConversationKey,
    stored: Stored,
) -> Result<Stored, Unfinished>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom + Pace,
{
    let Some((contact, since)) = step::looks_beside(&stored.conversation) else { return Ok(stored) };
    let workspace = desk.workspace(key)?;
    let call = Call { urgency: Urgency::Read, requests: 1 };
    if let Err(until) = intercom.admit(workspace, key.conversation_id.as_str(), call).await {
        return Err(NotShown::Later(until).into());
    }
    for one in intercom.begun(workspace, contact, since).await? {
        if step::is_behind_beside(&stored.conversation, &one.id, &one.shown) {
            let beside = ConversationKey { app_id: key.app_id.clone(), conversation_id: one.id };
            Box::pin(heed_for(desk, intercom, &beside, &News::Doorbell, Some(key))).await?;
        }
    }
    let (stored, _) = desk.change_from(key, stored, &[Input::LookedBeside]).await?;
    Ok(stored)
}

/// What was seen of a bot's own chat, with who the teammates in it are. Nobody else's names are told.
async fn introduced<I: Intercom>(intercom: &I, workspace: &Workspace, stored: &Stored, mut input: Input) -> Input {
    if let (Some(_), Input::Observed(observation) | Input::Tick(Some(observation))) =
        (&stored.conversation.transfer, &mut input)
    {
        let mut people = observation.teammates();
        people.retain(|id| workspace.bot_teammate != *id);
        if !people.is_empty() {
            observation.crew = intercom.crew(workspace, &people).await;
        }
    }
    input
}

/// A conversation that is not known, or that its chat has left: the chat of its customer's, where it is that chat's from
/// now on. It may be the one that is being opened, or one in which people write.
async fn met<S, W, C, I>(
    desk: &Desk<S, W, C>,
    intercom: &I,
    key: &ConversationKey,
    chat: Option<(ConversationKey, Option<(BotId, String)>)>,
    observation: &Observation,
    news: &News,
) -> Result<Option<(ConversationKey, Stored)>, Unfinished>
where
    S: Conversations,
    W: Wakers,
    C: Clock,
    I: Intercom + Pace,
{
    let Some((home, chat)) = chat else { return Ok(None) };
    let mut stored = desk.store.load(&home).await?;
    let conversation = key.conversation_id.clone();
    let met = |observation| Input::Met { conversation: conversation.clone(), observation, chat: chat.clone() };
    let mut effects;
    (stored, effects) = desk.meets(key, &home, stored, met(observation.clone())).await?;
    if effects.contains(&Effect::Fetch) {
        let Some(seen) = whole(desk, intercom, key, &conversation, false, news).await? else { return Ok(None) };
        (stored, effects) = desk.meets(key, &home, stored, met(seen)).await?;
    }
    if let Some(Effect::Wait { until }) = effects.last() {
        return Err(Unfinished::Later { at: *until, why: "the chat is busy with another conversation" });
    }
    let belongs = stored.conversation.in_intercom(&home) == Some(&key.conversation_id);
    if !belongs {
        desk.wake_the_waiting(&home, &stored.conversation, None).await?;
    }
    Ok(belongs.then_some((home, stored)))
}

impl<S: Conversations, W: Wakers, C: Clock> Desk<S, W, C> {
    /// A chat meets a conversation. Where people have begun it and it is this chat's from now on, or passed on beside it, its
    /// row leads here first: whoever dies in between, or comes when the customer has another chat, comes here again. Of
    /// two chats that meet it at once the first has it.
    async fn meets(
        &self,
        conversation: &ConversationKey,
        home: &ConversationKey,
        stored: Stored,
        met: Input,
    ) -> Result<(Stored, Vec<Effect>), Unfinished> {
        let id = &conversation.conversation_id;
        let is_known = |chat: &Conversation| {
            let has = |known: &Transfer| known.conversation.as_ref() == Some(id) || known.beside(id).is_some();
            chat.transfer.as_deref().is_some_and(has)
        };
        let by_people = matches!(&met, Input::Met { observation, .. } if observation.is_begun_by_people());
        let begins = by_people && !is_known(&stored.conversation) && {
            let after = self.foresee(home, &stored, std::slice::from_ref(&met))?;
            is_known(&after)
        };
        broken_as!(BesideForgotten => return self.change_from(home, stored, &[met]).await);
        if let Some(sign) = beside_row(id).filter(|_| begins) {
            let sign = ConversationKey { app_id: conversation.app_id.clone(), conversation_id: sign };
            if self.lead(&sign, home, false).await? {
                let at = self.clock.now();
                return Err(Unfinished::Later { at, why: "another chat of the customer's has it" });
            }
        }
        self.change_from(home, stored, &[met]).await
    }
}

impl<S: Conversations, W, C> Desk<S, W, C> {
    /// The row of the chat whose customer a conversation is with, if there is such a chat, and whose it would be
    /// where none is known yet.
    pub(super) async fn chat_beside(
        &self,
        workspace: &Workspace,
        key: &ConversationKey,
        observation: &Observation,
        asks: Option<&ConversationKey>,
    ) -> Result<Option<(ConversationKey, Option<(BotId, String)>)>, Unavailable> {
        if workspace.transfers.is_empty() {
            return Ok(None);
        }
        let row = |conversation_id| ConversationKey { app_id: workspace.app_id.clone(), conversation_id };
        // It is passed on beside the same chat as before, although the customer may have begun another since.
        if let Some(sign) = beside_row(&key.conversation_id).filter(|_| observation.is_begun_by_people())
            && let Some(home) = self.store.load(&row(sign)).await?.conversation.moved_to
        {
            return Ok(Some((row(home), None)));
        }
        if let Some(chat) = asks {
            return Ok(Some((chat.clone(), None)));
        }
        let Some(sign) = observation.contact.as_ref().and_then(contact_row) else { return Ok(None) };
        let sign = self.store.load(&row(sign)).await?;
        // Whom no chat is known of may have one at the bot that the settings name.
        let chat = chat_of(workspace, observation);
        let would_be = || chat.as_ref().and_then(|(bot, name)| session_row(bot, name).ok());
        let home = sign.conversation.moved_to.or_else(would_be).map(row);
        Ok(home.map(|home| (home, chat)))
    }
}

/// Where people begin a conversation with somebody of whom no chat is known: the default bot's, under the
/// customer's external id.
fn chat_of(workspace: &Workspace, observation: &Observation) -> Option<(BotId, String)> {
    let by_people = observation.is_begun_by_people();
    let external_id = observation.external_id.as_ref().filter(|id| by_people && id.len() <= MAX_SESSION_BYTES)?;
    let default = workspace.transfers.iter().find(|transfer| transfer.default)?;
    Some((default.bot.clone(), external_id.clone()))
}
