//! The whole of Baton in a simulated world.
//!
//! The real handlers run over simulated queues, table, Intercom, bots and time, on one thread. One
//! seed is one run, bit for bit. Everything that can go wrong does, at every call; what must hold is
//! looked at at every save, every request, and when all is at rest.
//!
//! What it leaves out: bytes on wires (the contracts and the end-to-end tests have them) and what
//! AWS's guarantees exclude: a worker that goes on after its deadline. Requests that are applied later than
//! doubts are settled are a matter of their own, see [`lateness`].

pub mod bot;
pub mod chance;
pub mod check;
pub mod crowd;
pub mod exhaustive;
pub mod faults;
pub mod intercom;
pub mod lateness;
pub mod life;
pub mod limits;
pub mod machines;
pub mod mutants;
pub mod ports;
pub mod product;
pub mod queue;
pub mod rates;
pub mod recovery;
pub mod relay;
pub mod ruled;
pub mod run;
pub mod scenes;
pub mod world;
