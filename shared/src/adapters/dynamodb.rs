//! The conversations in DynamoDB: one item each, `pk` = `app_id#conversation_id`, `sk` = `STATE`.
//!
//! Every save is one conditional `UpdateItem` on the item's version. A save whose answer was lost
//! and that the SDK repeats finds the version raised; the item's `writer` then shows that it was
//! this very save. Large states have their long texts in rows of their own (`sk` =
//! `CONTENT#<sha256>`), written before the item that names them. How far a workspace was searched is
//! a row of its own (`pk` = `app_id`, `sk` = `BOOKMARK`), and so is how a bot does (`pk` = `BOT#<id>`, `sk` =
//! `HEALTH`), and each command that its conversation's item is too small to remember (`sk` = `COMMAND#<sha256>`).

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::domain::conversation::{CommandRecord, Control, Conversation};
use crate::domain::health::Health;
use crate::domain::ids::{AppId, BotId, CommandId, ConversationKey, Timestamp};
use crate::ports::{Bookmark, Bookmarks, Conversations, Names, NotSaved, Stored, Unavailable, Wellbeing};
use crate::wire::{sha256_hex, where_in_json};

/// States above this size, in bytes, have their long texts in rows of their own. An item holds
/// 400 KB at most, and each kilobyte is a write unit.
const LARGE_STATE_BYTES: usize = 48 * 1024;
/// What counts as a long text, in bytes.
const LONG_TEXT_BYTES: usize = 512;
/// How long a conversation that the bot does not have is kept after its last change, in days.
/// Longer than anything may be repeated (Intercom's retries, 14 days in a queue).
const KEEP_DAYS: u64 = 30;
/// How long a row is kept that only leads to another, in days: longer than a chat may go on, because it is
/// written once.
const KEEP_SIGNS_DAYS: u64 = 400;
/// How long a text of its own row is kept after it was last written, in days: longer than any
/// conversation waits.
const KEEP_CONTENT_DAYS: u64 = 400;
/// How long a command is kept beside its conversation, in days: longer than it may be repeated, which is as long as it may
/// lie in a queue and then among the dead letters, 14 days each.
const KEEP_COMMANDS_DAYS: u64 = 30;
/// Over how many partitions of the index `due` conversations are spread.
const DUE_SHARDS: u8 = 4;
const CONTENT_MARK: &str = "$content";

/// The table.
#[derive(Debug, Clone)]
pub struct Table<N> {
    client: Client,
    name: String,
    names: N,
}

impl<N: Names> Table<N> {
    /// The table of this name.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>, names: N) -> Self {
        Self { client, name: name.into(), names }
    }

    async fn put_content(
        &self,
        key: &ConversationKey,
        texts: Vec<(String, String)>,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        for (hash, text) in texts {
            let put = self
                .client
                .put_item()
                .table_name(&self.name)
                .item("pk", text_value(&key.to_string()))
                .item("sk", text_value(&format!("CONTENT#{hash}")))
                .item("text", text_value(&text))
                .item("expires_at", number(now.seconds() + KEEP_CONTENT_DAYS * 86_400));
            put.send().await.map_err(unavailable)?;
        }
        Ok(())
    }

    async fn content(&self, key: &ConversationKey, hash: &str) -> Result<String, Unavailable> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text_value(&key.to_string()))
            .key("sk", text_value(&format!("CONTENT#{hash}")))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        let text = found.item.as_ref().and_then(|item| item.get("text")).and_then(|value| value.as_s().ok());
        text.cloned().ok_or_else(|| broken("a content row is missing"))
    }

    async fn read(&self, key: &ConversationKey, item: &HashMap<String, AttributeValue>) -> Result<Stored, Unavailable> {
        let version = item.get("version").and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
        let version = version.ok_or_else(|| broken("an item has no version"))?;
        let text =
            item.get("state").and_then(|value| value.as_s().ok()).ok_or_else(|| broken("an item has no state"))?;
        let mut state: Value = serde_json::from_str(text).map_err(|error| broken(&where_in_json(&error)))?;
        // Only what the item itself names is put back: whatever else looks like a reference came
        // from outside and means itself.
        if let Some(hashes) = item.get("contents").and_then(|value| value.as_ss().ok()) {
            let mut texts = HashMap::new();
            for hash in hashes {
                texts.insert(hash.clone(), self.content(key, hash).await?);
            }
            put_back(&mut state, &texts);
        }
        let conversation = serde_json::from_value(state).map_err(|error| broken(&where_in_json(&error)))?;
        Ok(Stored { conversation, version })
    }
}

impl<N: Names> Conversations for Table<N> {
    async fn load(&self, key: &ConversationKey) -> Result<Stored, Unavailable> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text_value(&key.to_string()))
            .key("sk", text_value("STATE"))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        match &found.item {
            Some(item) => self.read(key, item).await,
            None => Ok(Stored::default()),
        }
    }

    async fn save(
        &self,
        key: &ConversationKey,
        conversation: &Conversation,
        version: u64,
        now: Timestamp,
    ) -> Result<u64, NotSaved> {
        let (state, texts) = written(conversation).map_err(|error| broken(&where_in_json(&error)))?;
        let hashes: BTreeSet<String> = texts.iter().map(|(hash, _)| hash.clone()).collect();
        self.put_content(key, texts, now).await?;
        let writer = self.names.claim();
        let mut sets =
            "SET #version = :next, #writer = :writer, #state = :state, #control = :control, #epoch = :epoch".to_owned();
        let mut removes = Vec::new();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", text_value(&key.to_string()))
            .key("sk", text_value("STATE"))
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#writer", "writer")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#control", "control")
            .expression_attribute_names("#epoch", "epoch")
            .expression_attribute_values(":next", number(version + 1))
            .expression_attribute_values(":writer", text_value(writer.as_str()))
            .expression_attribute_values(":state", text_value(&state))
            .expression_attribute_values(":control", text_value(conversation.control.as_str()))
            .expression_attribute_values(":epoch", number(conversation.epoch))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(due_at) = conversation.due_at() {
            sets.push_str(", due_shard = :shard, due_at = :due");
            update = update
                .expression_attribute_values(":shard", text_value(&shard_of(key)))
                .expression_attribute_values(":due", number(due_at.0));
        } else {
            removes.push("due_shard, due_at");
        }
        if may_expire(conversation) {
            sets.push_str(", expires_at = :expires");
            let days = if conversation.moved_to.is_some() { KEEP_SIGNS_DAYS } else { KEEP_DAYS };
            update = update.expression_attribute_values(":expires", number(now.seconds() + days * 86_400));
        } else {
            removes.push("expires_at");
        }
        if hashes.is_empty() {
            removes.push("contents");
        } else {
            sets.push_str(", contents = :contents");
            let hashes = hashes.into_iter().collect();
            update = update.expression_attribute_values(":contents", AttributeValue::Ss(hashes));
        }
        if !removes.is_empty() {
            sets.push_str(" REMOVE ");
            sets.push_str(&removes.join(", "));
        }
        update = if version == 0 {
            update.condition_expression("attribute_not_exists(pk)")
        } else {
            update.condition_expression("#version = :version").expression_attribute_values(":version", number(version))
        };
        match update.update_expression(sets).send().await {
            Ok(_) => Ok(version + 1),
            Err(error) => refused(error, writer.as_str()).map(|()| version + 1),
        }
    }

    async fn put_aside(
        &self,
        key: &ConversationKey,
        record: &CommandRecord,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        let text = serde_json::to_string(record).map_err(|error| broken(&where_in_json(&error)))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("pk", text_value(&key.to_string()))
            .item("sk", text_value(&command_row(&record.id)))
            .item("record", text_value(&text))
            .item("expires_at", number(now.seconds() + KEEP_COMMANDS_DAYS * 86_400));
        put.send().await.map(|_| ()).map_err(unavailable)
    }

    async fn aside(&self, key: &ConversationKey, id: &CommandId) -> Result<Option<CommandRecord>, Unavailable> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text_value(&key.to_string()))
            .key("sk", text_value(&command_row(id)))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        let text = found.item.as_ref().and_then(|item| item.get("record")).and_then(|value| value.as_s().ok());
        let read = |text: &String| serde_json::from_str(text).map_err(|error| broken(&where_in_json(&error)));
        text.map(read).transpose()
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<ConversationKey>, Unavailable> {
        let mut keys = Vec::new();
        for shard in 0..DUE_SHARDS {
            let found = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("due")
                .key_condition_expression("due_shard = :shard AND due_at <= :now")
                .expression_attribute_values(":shard", text_value(&format!("due{shard}")))
                .expression_attribute_values(":now", number(now.0))
                .limit(i32::try_from(limit / usize::from(DUE_SHARDS)).unwrap_or(i32::MAX).max(1))
                .send()
                .await
                .map_err(unavailable)?;
            let pks =
                found.items.unwrap_or_default().into_iter().filter_map(|item| item.get("pk")?.as_s().ok().cloned());
            keys.extend(pks.filter_map(|pk| pk.parse::<ConversationKey>().ok()));
        }
        Ok(keys)
    }
}

impl<N: Names> Bookmarks for Table<N> {
    async fn bookmark(&self, app_id: &AppId) -> Result<Option<Bookmark>, Unavailable> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text_value(app_id.as_str()))
            .key("sk", text_value("BOOKMARK"))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        let text = found.item.as_ref().and_then(|item| item.get("bookmark")).and_then(|value| value.as_s().ok());
        let read = |text: &String| serde_json::from_str(text).map_err(|error| broken(&where_in_json(&error)));
        text.map(read).transpose()
    }

    async fn set_bookmark(&self, app_id: &AppId, bookmark: &Bookmark) -> Result<(), Unavailable> {
        let text = serde_json::to_string(bookmark).map_err(|error| broken(&where_in_json(&error)))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("pk", text_value(app_id.as_str()))
            .item("sk", text_value("BOOKMARK"))
            .item("bookmark", text_value(&text));
        put.send().await.map(|_| ()).map_err(unavailable)
    }
}

impl<N: Names> Wellbeing for Table<N> {
    async fn health(&self, bot: &BotId) -> Result<Health, Unavailable> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text_value(&format!("BOT#{bot}")))
            .key("sk", text_value("HEALTH"))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        let text = found.item.as_ref().and_then(|item| item.get("health")).and_then(|value| value.as_s().ok());
        let read = |text: &String| serde_json::from_str(text).map_err(|error| broken(&where_in_json(&error)));
        text.map(read).transpose().map(Option::unwrap_or_default)
    }

    async fn set_health(&self, bot: &BotId, before: &Health, after: &Health) -> Result<bool, Unavailable> {
        let text = |health| serde_json::to_string(health).map_err(|error| broken(&where_in_json(&error)));
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("pk", text_value(&format!("BOT#{bot}")))
            .item("sk", text_value("HEALTH"))
            .item("health", text_value(&text(after)?))
            .expression_attribute_values(":before", text_value(&text(before)?));
        let condition = if *before == Health::default() {
            "attribute_not_exists(pk) OR health = :before"
        } else {
            "health = :before"
        };
        match put.condition_expression(condition).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}

/// The tables of the account whose names begin so, in this region.
///
/// # Errors
/// [`Unavailable`].
pub async fn tables(client: &Client, prefix: &str) -> Result<Vec<String>, Unavailable> {
    let mut found = Vec::new();
    // Names are listed in order, so the first page after the prefix has the first of them.
    let mut after = Some(prefix.to_owned());
    while let Some(name) = after {
        let page = client.list_tables().exclusive_start_table_name(name).send().await.map_err(unavailable)?;
        let names = page.table_names.unwrap_or_default();
        found.extend(names.into_iter().filter(|name| name.starts_with(prefix)));
        after = page.last_evaluated_table_name;
    }
    Ok(found)
}

/// What a refused save means: nothing when the item shows that it was this very save.
fn refused<R>(error: SdkError<UpdateItemError, R>, writer: &str) -> Result<(), NotSaved> {
    if let Some(UpdateItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() {
        let holder = failed.item().and_then(|item| item.get("writer")).and_then(|value| value.as_s().ok());
        return if holder.is_some_and(|holder| holder == writer) { Ok(()) } else { Err(NotSaved::Conflict) };
    }
    Err(unavailable(error).into())
}

/// Whether the item may go some day: nothing waits, and the bot does not have it.
fn may_expire(conversation: &Conversation) -> bool {
    matches!(conversation.control, Control::Human | Control::Closed) && conversation.due_at().is_none()
}

/// Where a command is kept: an id may hold whatever a bot likes.
fn command_row(id: &CommandId) -> String {
    format!("COMMAND#{}", sha256_hex(id.as_str().as_bytes()))
}

fn shard_of(key: &ConversationKey) -> String {
    let hash = Sha256::digest(key.to_string().as_bytes());
    format!("due{}", hash.first().copied().unwrap_or_default() % DUE_SHARDS)
}

pub(super) fn text_value(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn broken(why: &str) -> Unavailable {
    Unavailable { what: "DynamoDB", why: format!("a row cannot be read or written: {why}") }
}

pub(super) fn unavailable<E: ProvideErrorMetadata, R>(error: SdkError<E, R>) -> Unavailable {
    Unavailable { what: "DynamoDB", why: super::connection::why(&error) }
}

/// A state as it is stored, and the texts that go into rows of their own.
fn written(conversation: &Conversation) -> Result<(String, Vec<(String, String)>), serde_json::Error> {
    let state = serde_json::to_string(conversation)?;
    if state.len() <= LARGE_STATE_BYTES {
        return Ok((state, Vec::new()));
    }
    let mut value = serde_json::to_value(conversation)?;
    let mut texts = Vec::new();
    take_out(&mut value, &mut texts);
    Ok((value.to_string(), texts))
}

fn take_out(value: &mut Value, texts: &mut Vec<(String, String)>) {
    match value {
        Value::String(text) if text.len() > LONG_TEXT_BYTES => {
            let hash = sha256_hex(text.as_bytes());
            let reference = serde_json::json!({ CONTENT_MARK: hash });
            texts.push((hash, std::mem::take(text)));
            *value = reference;
        }
        Value::Array(values) => values.iter_mut().for_each(|value| take_out(value, texts)),
        Value::Object(fields) => fields.values_mut().for_each(|value| take_out(value, texts)),
        _ => {}
    }
}

fn reference(value: &Value) -> Option<&str> {
    let fields = value.as_object().filter(|fields| fields.len() == 1)?;
    fields.get(CONTENT_MARK)?.as_str()
}

fn put_back(value: &mut Value, texts: &HashMap<String, String>) {
    if let Some(text) = reference(value).and_then(|hash| texts.get(hash)) {
        *value = Value::String(text.clone());
        return;
    }
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| put_back(value, texts)),
        Value::Object(fields) => fields.values_mut().for_each(|value| put_back(value, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::conversation::{Action, OutboxEntry, Progress, Weight};

    #[test]
    fn long_texts_of_a_large_state_are_stored_apart_and_come_back() {
        let mut conversation = Conversation::default();
        for seq in 1..=20 {
            let html = format!("<p>{}</p>", format!("{seq} ").repeat(3_000));
            conversation.outbox.push_back(OutboxEntry {
                seq,
                epoch: 1,
                last_message: None,
                command: None,
                weight: Weight::Optional,
                action: Action::Note { html },
                progress: Progress::Pending { not_before: Timestamp(0) },
                pause_ms: 0,
                accepted: None,
            });
        }
        let (state, texts) = written(&conversation).unwrap();
        assert!(state.len() < LARGE_STATE_BYTES && texts.len() == 20);
        let mut value: Value = serde_json::from_str(&state).unwrap();
        put_back(&mut value, &texts.into_iter().collect());
        assert_eq!(serde_json::from_value::<Conversation>(value).unwrap(), conversation);
    }

    #[test]
    fn a_small_state_is_one_item() {
        assert!(written(&Conversation::default()).unwrap().1.is_empty());
    }
}
