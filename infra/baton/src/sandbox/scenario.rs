//! Scenarios: accidents that can be played again by name, and what must hold in each.
//!
//! A scenario is a TOML file (`script` tells its words) that is played in conversations of its
//! own. It acts only through the control API, as people and tests do, and judges only what
//! Intercom can see: what the customer and the teammates see, and the requests and webhooks.
//! At its end some things are looked at that must hold whatever is played (`invariants`).
//! What the bot does is the bot's own affair; the scenarios that come with the sandbox ask for
//! it in the customer's words, in square brackets, which the demo bot heeds.

mod cast;
mod chat;
mod deeds;
mod expect;
mod hands;
mod invariants;
mod library;
mod player;
mod routes;
mod runs;
mod script;
mod sight;

use std::path::Path;

use self::library::Library;
pub use self::library::LibraryError;
pub(crate) use self::routes::routes;
use self::runs::Runs;

/// The scenarios of a sandbox and what has been played of them.
#[derive(Debug, Default)]
pub(crate) struct Scenarios {
    library: Library,
    runs: Runs,
}

impl Scenarios {
    /// Those that come with the sandbox, and those of a directory.
    ///
    /// # Errors
    /// When the directory cannot be read, or a file in it is no scenario.
    pub(crate) fn open(directory: Option<&Path>) -> Result<Self, LibraryError> {
        Ok(Self { library: Library::open(directory)?, runs: Runs::default() })
    }
}
