//! The pure core: what Baton knows and how it decides. No I/O, no clock, no environment, no logs.
//!
//! Two things here are more than plain Rust: the types that are stored derive serde, because the
//! stored form is this module's own, and HTML and Markdown are read by libraries, because reading
//! them by hand is how others went wrong.

pub mod agreement;
pub mod blocks;
pub mod budget;
pub mod burst;
pub mod choice;
pub mod command;
pub mod contacts;
pub mod content;
pub mod conversation;
pub mod email;
pub mod exchange;
pub mod health;
pub mod hours;
pub mod html;
pub mod ids;
pub mod incoming;
pub mod likeness;
pub mod markdown;
pub mod notes;
pub mod part;
pub mod render;
pub mod rules;
pub mod settings;
pub mod signature;
pub mod split;
pub mod step;
pub mod suggestion;
pub mod token;
pub mod transcript;
pub mod transfer;
pub mod tree;
