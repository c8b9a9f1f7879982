//! The frame that Baton's Lambda binaries share: what they log, how a
//! batch of queue messages is worked through, what they put on queues, how bots are told.

pub mod batch;
pub mod messengers;
pub mod queues;
pub mod telemetry;
#[cfg(feature = "aws")]
pub mod wiring;
pub mod work;
