//! Notifications that could not be put on the inbox, as rows of the table: `pk` = `#inbox<0…3>`,
//! which no conversation can have, and `sk` = the moment and Intercom's id of the delivery, so that
//! reading a partition gives each conversation's in order. Rows that nobody put back within a week
//! go by themselves.
//!
//! The client of DynamoDB is built at the first call: the edge needs it on a bad day only.

use std::collections::HashMap;
use std::sync::OnceLock;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use sha2::{Digest as _, Sha256};

use super::connection::Connection;
use super::dynamodb::{number, text_value, unavailable};
use crate::domain::ids::Timestamp;
use crate::ports::{InboxRow, InboxRows, Unavailable};

/// Over how many partitions rows are spread. The template names each of them.
const SHARDS: u8 = 4;
/// How long a row is kept, in days.
const KEEP_DAYS: u64 = 7;

/// The rows.
#[derive(Debug)]
pub struct InboxTable {
    connection: Connection,
    name: String,
    client: OnceLock<Client>,
}

impl InboxTable {
    /// The rows in the table of this name.
    #[must_use]
    pub fn new(connection: Connection, name: impl Into<String>) -> Self {
        Self { connection, name: name.into(), client: OnceLock::new() }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| self.connection.dynamodb())
    }
}

impl InboxRows for InboxTable {
    async fn keep(&self, row: &InboxRow) -> Result<(), Unavailable> {
        let put = self
            .client()
            .put_item()
            .table_name(&self.name)
            .item("pk", text_value(&partition_of(&row.group)))
            .item("sk", text_value(&place_of(row)))
            .item("group", text_value(&row.group))
            .item("deduplication_id", text_value(&row.deduplication_id))
            .item("body", text_value(&row.body))
            .item("kept_at", number(row.kept_at.0))
            .item("expires_at", number(row.kept_at.seconds() + KEEP_DAYS * 86_400));
        put.send().await.map(|_| ()).map_err(unavailable)
    }

    async fn kept(&self, limit: usize) -> Result<Vec<InboxRow>, Unavailable> {
        let mut rows = Vec::new();
        for shard in 0..SHARDS {
            let found = self
                .client()
                .query()
                .table_name(&self.name)
                .key_condition_expression("pk = :partition")
                .expression_attribute_values(":partition", text_value(&partition(shard)))
                .consistent_read(true)
                .limit(i32::try_from(limit / usize::from(SHARDS)).unwrap_or(i32::MAX).max(1))
                .send()
                .await
                .map_err(unavailable)?;
            rows.extend(found.items.unwrap_or_default().iter().filter_map(read));
        }
        Ok(rows)
    }

    async fn forget(&self, row: &InboxRow) -> Result<(), Unavailable> {
        let delete = self
            .client()
            .delete_item()
            .table_name(&self.name)
            .key("pk", text_value(&partition_of(&row.group)))
            .key("sk", text_value(&place_of(row)));
        delete.send().await.map(|_| ()).map_err(unavailable)
    }
}

/// A row as it is stored. What cannot be read is not ours.
fn read(item: &HashMap<String, AttributeValue>) -> Option<InboxRow> {
    let text = |name: &str| item.get(name)?.as_s().ok().cloned();
    let kept_at = Timestamp(item.get("kept_at")?.as_n().ok()?.parse().ok()?);
    Some(InboxRow { group: text("group")?, deduplication_id: text("deduplication_id")?, body: text("body")?, kept_at })
}

fn partition(shard: u8) -> String {
    format!("#inbox{shard}")
}

fn partition_of(group: &str) -> String {
    let hash = Sha256::digest(group.as_bytes());
    partition(hash.first().copied().unwrap_or_default() % SHARDS)
}

/// Where a row lies in its partition: by time, then by conversation, so that two of one delivery id
/// in one millisecond are two rows.
fn place_of(row: &InboxRow) -> String {
    format!("{:015}#{}#{}", row.kept_at.0, row.group, row.deduplication_id)
}
