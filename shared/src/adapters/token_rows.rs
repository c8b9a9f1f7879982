//! Sealed access tokens as rows of the table: `pk` = `app_id`, `sk` = `TOKEN`. A row is worth nothing
//! without the key, and nothing in another workspace's place.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::dynamodb::{number, text_value, unavailable};
use crate::domain::ids::{AppId, Timestamp};
use crate::domain::token::SealedToken;
use crate::ports::{NotKept, TokenRows, Unavailable};

/// The rows.
#[derive(Debug, Clone)]
pub struct TokenTable {
    client: Client,
    name: String,
}

impl TokenTable {
    /// The rows in the table of this name.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }
}

impl TokenRows for TokenTable {
    async fn sealed(&self, app_id: &AppId) -> Result<Option<SealedToken>, Unavailable> {
        let found = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text_value(app_id.as_str()))
            .key("sk", text_value("TOKEN"))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        let broken = || Unavailable { what: "DynamoDB", why: "the row of a token cannot be read".to_owned() };
        found.item.as_ref().map(|item| read(item).ok_or_else(broken)).transpose()
    }

    async fn keep(&self, app_id: &AppId, token: &SealedToken) -> Result<(), NotKept> {
        let put = self
            .client
            .put_item()
            .table_name(&self.name)
            .item("pk", text_value(app_id.as_str()))
            .item("sk", text_value("TOKEN"))
            .item("version", number(token.version))
            .item("sealed", AttributeValue::B(Blob::new(token.sealed.clone())))
            .item("since", number(token.since.0))
            .expression_attribute_names("#version", "version")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = if token.version <= 1 {
            put.condition_expression("attribute_not_exists(#version)")
        } else {
            let before = number(token.version - 1);
            put.condition_expression("#version = :before").expression_attribute_values(":before", before)
        };
        put.send().await.map(|_| ()).or_else(|error| refused(error, token))
    }
}

/// What a refused put means: nothing when the row shows that it was this very put.
fn refused<R>(error: SdkError<PutItemError, R>, token: &SealedToken) -> Result<(), NotKept> {
    if let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error() {
        let there = failed.item().and_then(read);
        return if there.as_ref() == Some(token) { Ok(()) } else { Err(NotKept::Conflict) };
    }
    Err(unavailable(error).into())
}

fn read(item: &HashMap<String, AttributeValue>) -> Option<SealedToken> {
    let number = |name: &str| item.get(name)?.as_n().ok()?.parse().ok();
    let sealed = item.get("sealed")?.as_b().ok()?.as_ref().to_vec();
    Some(SealedToken { version: number("version")?, sealed, since: Timestamp(number("since")?) })
}
