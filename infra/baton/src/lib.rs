//! The tools behind the `baton` command: the settings check, the bot protocol's schemas, the
//! sandbox, and scenarios played in one. The bridge itself is not here: this crate is for people who set it up, develop bots or
//! test with it.

#[cfg(feature = "aws")]
pub mod check;
#[cfg(feature = "aws")]
pub mod dlq;
#[cfg(feature = "aws")]
pub mod rules;
pub mod sandbox;
pub mod scenario;
pub mod schema;
#[cfg(feature = "aws")]
pub mod token;
