//! What Baton's functions have in common.
//!
//! Dependencies point inwards: `lambda`, `adapters` and `wire` know `app` and `ports`, these know
//! `domain`, and `domain` knows nobody. Only a function's `main.rs` names a concrete adapter.

#[cfg(feature = "aws")]
pub mod adapters;
pub mod app;
pub mod config;
pub mod domain;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod ports;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wire;
