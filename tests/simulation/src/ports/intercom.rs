//! Intercom, as it is asked: what it shows, also late, and what a search finds. What changes something is the
//! matter of [`super::requests`].

use shared::domain::conversation::Action;
use shared::domain::ids::{AppId, ContactId, ConversationId, ConversationKey, Timestamp};
use shared::domain::part::Observation;
use shared::domain::settings::Workspace;
use shared::domain::step::Answer;
use shared::ports::{Changed, Intercom, NotShown, Page, Search};

use super::requests::perform;
use super::{TIME_OUT_MS, begin, is_inside, slow, unavailable, wait};
use crate::faults::{Fault, Point};
use crate::intercom::Talk;
use crate::limits::Taken;
use crate::mutants::Mutant;
use crate::world::{Party, with};

/// Intercom.
#[derive(Debug, Clone, Copy, Default)]
pub struct Api;

/// How far Intercom's index lags behind, at most, in milliseconds.
pub const LAG_MS: u64 = 60_000;

fn talk_of(workspace: &Workspace, id: &ConversationId) -> Option<usize> {
    let key = ConversationKey { app_id: workspace.app_id.clone(), conversation_id: id.clone() };
    is_inside(&key);
    with(|world| world.talk(&key).filter(|talk| !world.talks[*talk].deleted))
}

/// A 429's end: the present window's, plus the second that the client adds.
pub(super) fn window_end() -> Timestamp {
    with(|world| Timestamp(world.now / 10_000 * 10_000 + 11_000))
}

/// The token is refused: a call that is counted.
pub(super) fn denied() -> NotShown {
    with(|world| world.tally.denied += 1);
    NotShown::Denied("token_revoked".to_owned())
}

/// A request that changes nothing reaches Intercom.
fn shown(app_id: &AppId, talk: Option<usize>, what: &'static str) -> Result<(), NotShown> {
    match with(|world| world.arrives(app_id, talk, what)) {
        Taken::Served => Ok(()),
        Taken::Limited => Err(NotShown::Later(window_end())),
        Taken::Denied => Err(NotShown::Denied("token_revoked".to_owned())),
    }
}

impl Search for Api {
    async fn changed(&self, workspace: &Workspace, since: Timestamp, page: Option<&str>) -> Result<Page, NotShown> {
        match begin(Point::Get, 60, 600).await {
            Some(Fault::Fails) => return Err(unavailable("Intercom").into()),
            Some(Fault::Limited) => return Err(NotShown::Later(window_end())),
            Some(Fault::Denied) => return Err(denied()),
            _ => shown(&workspace.app_id, None, "search")?,
        }
        Ok(with(|world| {
            if page.is_none() {
                let now = world.now;
                world.searched.entry(workspace.app_id.clone()).or_default().0 = now;
            }
            let age_ms = world.wait(0, LAG_MS);
            let of_it = |talk: &&Talk| talk.key.app_id == workspace.app_id && !talk.deleted;
            let is_new = |talk: &&Talk| talk.updated_at / 1_000 >= since.0 / 1_000;
            let changed = world.talks.iter().filter(of_it).filter(is_new).map(|talk| Changed {
                id: talk.key.conversation_id.clone(),
                updated_at: Timestamp(talk.updated_at / 1_000 * 1_000),
                shown: talk.found(world.shown_time_of_all(), age_ms),
            });
            let mut changed: Vec<Changed> = changed.collect();
            // Pages of one, so that searches go on in the middle.
            let from = page.and_then(|page| page.parse().ok()).unwrap_or(0_usize);
            let next = (changed.len() > from + 1).then(|| (from + 1).to_string());
            let changed = changed.drain(from.min(changed.len())..).take(1).collect();
            Page { changed, next }
        }))
    }

    async fn waiting_for_the_bot(&self, _: &Workspace, _: Timestamp) -> Result<u64, NotShown> {
        Ok(0)
    }
}

impl Intercom for Api {
    async fn observe(
        &self,
        workspace: &Workspace,
        id: &ConversationId,
        with_profile: bool,
    ) -> Result<Observation, NotShown> {
        let fault = begin(Point::Get, 40, 400).await;
        match fault {
            Some(Fault::Fails) => {
                slow(fault).await;
                return Err(unavailable("Intercom").into());
            }
            Some(Fault::Limited) => return Err(NotShown::Later(window_end())),
            Some(Fault::Denied) => return Err(denied()),
            _ => {}
        }
        with(|world| world.tally.gets += 1);
        let talk = talk_of(workspace, id);
        for _ in 0..=u32::from(with_profile) {
            shown(&workspace.app_id, talk, "get")?;
        }
        let talk = talk.ok_or(NotShown::Gone)?;
        if with(|world| world.sick == Some(talk)) {
            wait(TIME_OUT_MS - 600, TIME_OUT_MS - 500).await;
            return Err(unavailable("Intercom").into());
        }
        let mut seen = with(|world| {
            let stale = world.manner.stale_ms;
            let age_ms = if fault == Some(Fault::Stale) { world.wait(1, stale) } else { 0 };
            let age_ms = world.tick(age_ms);
            let most = world.manner.most_parts;
            world.talks[talk].shown(world.shown_time_of_all(), age_ms, most)
        });
        wait(20, 200).await;
        if let Some(mutant) = with(|world| world.mutant) {
            mutant.spoils_observation(&mut seen, with_profile);
        }
        Ok(seen)
    }

    async fn begun(
        &self,
        workspace: &Workspace,
        contact: &ContactId,
        since: Timestamp,
    ) -> Result<Vec<Changed>, NotShown> {
        match begin(Point::Get, 60, 600).await {
            Some(Fault::Fails) => return Err(unavailable("Intercom").into()),
            Some(Fault::Limited) => return Err(NotShown::Later(window_end())),
            Some(Fault::Denied) => return Err(denied()),
            _ => shown(&workspace.app_id, None, "search")?,
        }
        with(|world| {
            if world.mutant == Some(Mutant::OpeningNotSearched) {
                return Ok(Vec::new());
            }
            let (now, age_ms) = (world.now, world.wait(0, LAG_MS));
            let of_them = |talk: &&Talk| {
                let theirs = talk.contact.as_deref() == Some(contact.as_str());
                theirs && talk.key.app_id == workspace.app_id && !talk.deleted
            };
            let indexed = |talk: &&Talk| talk.begun_at / 1_000 >= since.0 / 1_000 && talk.begun_at + age_ms <= now;
            let begun = world.talks.iter().filter(of_them).filter(indexed).map(|talk| Changed {
                id: talk.key.conversation_id.clone(),
                updated_at: Timestamp(talk.updated_at / 1_000 * 1_000),
                shown: talk.found(world.shown_time_of_all(), age_ms),
            });
            Ok(begun.collect())
        })
    }

    async fn perform(&self, workspace: &Workspace, id: &ConversationId, action: &Action) -> Answer {
        let party = party_of(workspace, id, action);
        let made = party.and_then(|party| with(|world| world.made_by(party, action)));
        let answer = perform(party, made, action).await.unwrap_or_else(|failed| failed);
        with(|world| world.tell(9, |_| format!("Intercom answers {} with {answer:?}", action.as_str())));
        with(|world| world.mutant).map_or_else(|| answer.clone(), |mutant| mutant.spoils_answer(action, answer.clone()))
    }
}

/// Whom a request is about: a conversation, or a chat that has none yet.
fn party_of(workspace: &Workspace, id: &ConversationId, action: &Action) -> Option<Party> {
    if !matches!(action.as_str(), "find_contact" | "begin" | "look_who_is_there") {
        return talk_of(workspace, id).map(Party::Talk);
    }
    let chat = with(|world| world.chat_of(&workspace.app_id, id));
    if chat.is_none() {
        with(|world| world.accuse(format!("{} about {id}, which is no chat", action.as_str())));
    }
    chat.map(Party::Chat)
}
