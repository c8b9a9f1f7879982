//! The forms of what crosses the process: Intercom's JSON, the bot protocol, our own queue
//! messages, the settings file. Nothing decides here; these modules turn bytes into the domain's
//! values and back.

pub mod bot;
pub mod edge;
pub mod intercom;
pub mod queue;
pub mod settings;
