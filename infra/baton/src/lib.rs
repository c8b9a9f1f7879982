//! The tools behind the `baton` command.
//!
//! Only the sandbox so far. The bridge itself is not here: this crate is for people who
//! develop or test with it.

pub mod sandbox;
