//! Conversations from end to end over the real use cases: what is said, what is not, and what
//! happens when something dies in between.

mod account;
mod bursts;
mod catch_up;
mod choices;
mod crossings;
mod files;
mod inbox;
mod machines;
mod outbound;
mod pauses;
mod races;
mod rates;
mod reaching;
mod recalled;
mod refusals;
mod releases;
mod returning;
mod story;
mod tokens;
mod transfer;
