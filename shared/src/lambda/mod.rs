//! The frame that Baton's Lambda binaries share: what they log, how a
//! batch of queue messages is worked through.

pub mod batch;
pub mod telemetry;
#[cfg(feature = "aws")]
pub mod wiring;
#[cfg(feature = "aws")]
pub mod work;
