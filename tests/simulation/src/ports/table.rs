//! The table.

use shared::domain::conversation::{CommandRecord, Conversation};
use shared::domain::health::Health;
use shared::domain::ids::{AppId, BotId, CommandId, ConversationKey, Timestamp};
use shared::ports::{
    Bookmark, Bookmarks, Conversations, InboxRow, InboxRows, NotSaved, Stored, Unavailable, Wellbeing,
};

use super::{begin, end, is_inside, unavailable, wait};
use crate::faults::{Fault, Point};
use crate::world::with;

/// The table.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rows;

impl Conversations for Rows {
    async fn load(&self, key: &ConversationKey) -> Result<Stored, Unavailable> {
        let fault = begin(Point::Load, 2, 12).await;
        is_inside(key);
        if fault.is_some() {
            return Err(unavailable("DynamoDB"));
        }
        Ok(with(|world| {
            let row = world.rows.get(key).cloned().unwrap_or_default();
            Stored { conversation: row.state, version: row.version }
        }))
    }

    async fn save(
        &self,
        key: &ConversationKey,
        conversation: &Conversation,
        version: u64,
        _now: Timestamp,
    ) -> Result<u64, NotSaved> {
        let fault = begin(Point::Save, 2, 15).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB").into());
        }
        if fault == Some(Fault::Conflict) {
            return Err(NotSaved::Conflict);
        }
        let saved = with(|world| world.save(key, conversation, version));
        end(fault).await;
        match (saved, fault) {
            (_, Some(Fault::AnswerLost)) => Err(unavailable("DynamoDB").into()),
            (Some(version), _) => Ok(version),
            (None, _) => Err(NotSaved::Conflict),
        }
    }

    async fn put_aside(&self, key: &ConversationKey, record: &CommandRecord, _: Timestamp) -> Result<(), Unavailable> {
        let fault = begin(Point::Save, 2, 12).await;
        is_inside(key);
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB"));
        }
        with(|world| world.aside.insert((key.clone(), record.id.clone()), record.clone()));
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("DynamoDB")) } else { Ok(()) }
    }

    async fn aside(&self, key: &ConversationKey, id: &CommandId) -> Result<Option<CommandRecord>, Unavailable> {
        match begin(Point::Load, 2, 12).await {
            Some(_) => Err(unavailable("DynamoDB")),
            None => Ok(with(|world| world.aside.get(&(key.clone(), id.clone())).cloned())),
        }
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, Unavailable> {
        wait(5, 20).await;
        Ok(with(|world| {
            let due = |row: &crate::world::Row| row.state.due_at().filter(|at| *at <= now);
            let mut keys: Vec<_> = world.rows.iter().filter_map(|(key, row)| Some((due(row)?, key.clone()))).collect();
            keys.sort();
            keys.into_iter().map(|(_, key)| key).take(limit).collect()
        }))
    }
}

impl Wellbeing for Rows {
    async fn health(&self, bot: &BotId) -> Result<Health, Unavailable> {
        match begin(Point::Load, 2, 12).await {
            Some(_) => Err(unavailable("DynamoDB")),
            None => Ok(with(|world| world.healths.get(bot).cloned().unwrap_or_default())),
        }
    }

    async fn set_health(&self, bot: &BotId, before: &Health, after: &Health) -> Result<bool, Unavailable> {
        let fault = begin(Point::Save, 2, 12).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB"));
        }
        let same = with(|world| {
            let health = world.healths.entry(bot.clone()).or_default();
            let same = health == before;
            if same {
                *health = after.clone();
            }
            same
        });
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("DynamoDB")) } else { Ok(same) }
    }
}

impl Bookmarks for Rows {
    async fn bookmark(&self, app_id: &AppId) -> Result<Option<Bookmark>, Unavailable> {
        match begin(Point::Load, 2, 12).await {
            Some(_) => Err(unavailable("DynamoDB")),
            None => Ok(with(|world| world.bookmarks.get(app_id).cloned())),
        }
    }

    async fn set_bookmark(&self, app_id: &AppId, bookmark: &Bookmark) -> Result<(), Unavailable> {
        let fault = begin(Point::Save, 2, 12).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB"));
        }
        with(|world| {
            world.bookmarks.insert(app_id.clone(), bookmark.clone());
            if let (None, Some((began, done))) = (&bookmark.page, world.searched.get_mut(app_id)) {
                *done = *began;
            }
        });
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("DynamoDB")) } else { Ok(()) }
    }
}

impl InboxRows for Rows {
    async fn keep(&self, row: &InboxRow) -> Result<(), Unavailable> {
        let fault = begin(Point::Save, 2, 15).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB"));
        }
        with(|world| {
            world.tally.kept += 1;
            world.is_kept(&row.deduplication_id);
            world.inbox_rows.push(row.clone());
        });
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("DynamoDB")) } else { Ok(()) }
    }

    async fn kept(&self, limit: usize) -> Result<Vec<InboxRow>, Unavailable> {
        wait(5, 20).await;
        Ok(with(|world| {
            let mut rows = world.inbox_rows.clone();
            rows.sort_by_key(|row| row.kept_at);
            rows.truncate(limit);
            rows
        }))
    }

    async fn forget(&self, row: &InboxRow) -> Result<(), Unavailable> {
        let fault = begin(Point::Save, 2, 12).await;
        if fault == Some(Fault::Fails) {
            return Err(unavailable("DynamoDB"));
        }
        with(|world| world.inbox_rows.retain(|kept| kept != row));
        end(fault).await;
        if fault == Some(Fault::AnswerLost) { Err(unavailable("DynamoDB")) } else { Ok(()) }
    }
}
