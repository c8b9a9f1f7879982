//! What Baton's functions have in common.
//!
//! Dependencies point inwards: `lambda`, `adapters` and `wire` know `app` and `ports`, these know
//! `domain`, and `domain` knows nobody. Only a function's `main.rs` names a concrete adapter.

/// A place at which a test can break the product, to see that the break is found out. Without the
/// feature `testing` it is not there.
macro_rules! broken_as {
    ($mutant:ident => $instead:expr) => {
        #[cfg(feature = "testing")]
        if $crate::testing::is_broken_as($crate::testing::Mutant::$mutant) {
            $instead
        }
    };
}

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
