//! The workspaces' budgets in DynamoDB: one item each, `pk` = `app_id#$budget`, `sk` = `BUDGET`. No
//! conversation's id has a `$`.
//!
//! Calls are taken by one conditional `UpdateItem` that adds to `taken`, so workers that take at once
//! do not get in each other's way; everything else is written in place of the version before it.
//! Whoever waits for an answer here holds up a call to Intercom, so nobody waits for long.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::connection::Connection;
use super::dynamodb::{number, text_value, unavailable};
use crate::domain::budget::Budget;
use crate::domain::ids::{AppId, Timestamp};
use crate::ports::{Budgets, Changing, Unavailable};

/// The rows.
#[derive(Debug, Clone)]
pub struct BudgetRows {
    client: Client,
    name: String,
}

type Item = HashMap<String, AttributeValue>;

impl BudgetRows {
    /// The rows of the table of this name.
    #[must_use]
    pub fn new(connection: &Connection, name: impl Into<String>) -> Self {
        Self { client: connection.dynamodb_for_advice(), name: name.into() }
    }
}

fn key(app_id: &AppId) -> (AttributeValue, AttributeValue) {
    (text_value(&format!("{app_id}#$budget")), text_value("BUDGET"))
}

impl Budgets for BudgetRows {
    async fn budget(&self, app_id: &AppId) -> Result<Option<Budget>, Unavailable> {
        let (pk, sk) = key(app_id);
        // Half the price of a consistent read, and a second's age is nothing here.
        let found = self.client.get_item().table_name(&self.name).key("pk", pk).key("sk", sk).send().await;
        found.map(|found| found.item.as_ref().map(read)).map_err(unavailable)
    }

    async fn take(&self, app_id: &AppId, ends_at: Timestamp, most: u32, calls: u32) -> Result<Changing, Unavailable> {
        let (pk, sk) = key(app_id);
        let taken = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", pk)
            .key("sk", sk)
            .update_expression("ADD taken :calls")
            .condition_expression("ends_at = :ends_at AND taken < :most AND shut_until = :open")
            .expression_attribute_values(":calls", number(calls.into()))
            .expression_attribute_values(":ends_at", number(ends_at.0))
            .expression_attribute_values(":most", number(most.into()))
            .expression_attribute_values(":open", number(0))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        changed(taken.send().await)
    }

    async fn replace(&self, app_id: &AppId, next: &Budget) -> Result<Changing, Unavailable> {
        let (pk, sk) = key(app_id);
        let mut written = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", pk)
            .key("sk", sk)
            .update_expression(
                "SET version = :next, calls_a_window = :limit, ends_at = :ends_at, taken = :taken, \
                 after_full = :after_full, pressed_until = :pressed_until, shut_until = :shut_until",
            )
            .expression_attribute_values(":next", number(next.version))
            .expression_attribute_values(":limit", number(next.limit.into()))
            .expression_attribute_values(":ends_at", number(next.ends_at.0))
            .expression_attribute_values(":taken", number(next.taken.into()))
            .expression_attribute_values(":after_full", AttributeValue::Bool(next.after_full))
            .expression_attribute_values(":pressed_until", number(next.pressed_until.0))
            .expression_attribute_values(":shut_until", number(next.shut_until.0))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let before = next.version.saturating_sub(1);
        written = if before == 0 {
            written.condition_expression("attribute_not_exists(pk)")
        } else {
            written
                .condition_expression("version = :before AND (ends_at <> :ends_at OR taken <= :taken)")
                .expression_attribute_values(":before", number(before))
        };
        match changed(written.send().await) {
            // It was this very write, whose answer was lost and which the SDK repeated.
            Ok(Changing::Not(Some(there))) if there == *next => Ok(Changing::Done(there)),
            other => other,
        }
    }
}

/// How an update ended.
fn changed<R>(answer: Result<UpdateItemOutput, SdkError<UpdateItemError, R>>) -> Result<Changing, Unavailable> {
    match answer {
        Ok(output) => Ok(Changing::Done(output.attributes.as_ref().map(read).unwrap_or_default())),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Changing::Not(failed.item().map(read)))
            }
            _ => Err(unavailable(error)),
        },
    }
}

/// A row; what it does not have is as nobody knows it.
fn read(item: &Item) -> Budget {
    let number =
        |name: &str| item.get(name).and_then(|value| value.as_n().ok()?.parse::<u64>().ok()).unwrap_or_default();
    let count = |name: &str| u32::try_from(number(name)).unwrap_or(u32::MAX);
    Budget {
        version: number("version"),
        limit: count("calls_a_window"),
        ends_at: Timestamp(number("ends_at")),
        taken: count("taken"),
        after_full: item.get("after_full").and_then(|value| value.as_bool().ok().copied()).unwrap_or_default(),
        pressed_until: Timestamp(number("pressed_until")),
        shut_until: Timestamp(number("shut_until")),
    }
}
