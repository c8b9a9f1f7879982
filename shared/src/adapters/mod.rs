//! The outside: AWS, Intercom, bots, the clock. The only place that names the AWS SDK or an HTTP
//! client; each adapter classifies its own errors.

pub mod agreement_rows;
pub mod bots;
pub mod budgets;
pub mod clock;
pub mod connection;
pub mod dead_letters;
pub mod directory;
pub mod dynamodb;
pub mod http;
pub mod inbox_rows;
pub mod intercom;
pub mod kms;
pub mod sqs;
pub mod token_owner;
pub mod token_rows;
