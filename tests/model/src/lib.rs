//! Model checking of the one function that decides, `shared::domain::step::step`, with `stateright`.
//!
//! A [`world::World`] is one conversation: the row as the product stores it, Intercom as a list of
//! parts ([`intercom`]), the customer, people and workflows, a bot that answers every message, the
//! network and the workers between them. All that Baton decides is decided by the real `step`,
//! `waiting`, `due_at` and `is_behind`; the order of effects around them is stated again in
//! [`moves`], a move being what lies between two awaits. Notifications come in any order, twice or
//! never; `GET` may be a part behind; a request may be lost, refused, limited, carried out without
//! an answer, or arrive after its worker has given it up; a worker may die at any point. Bounds on
//! all that are in [`scenarios`]. [`properties`] says what must hold, [`graph`] that from every
//! world one can get to a quiet one, and to one in which the bot has the conversation. [`mutants`]
//! are steps with one guard taken out: each is found.
//!
//! Time is reduced to what matters ([`time`]), numbers that are only compared are counted anew, and
//! two teammates are alike: so states differ by what can happen in them.
//!
//! Left out, and who has it: the texts of messages and their rendering (unit tests), several
//! conversations and workspaces, batches, queues' own behaviour and rate limits over time (the
//! simulator), deletion, notes, tags, attributes, snoozes and ratings (the step table). Intercom is
//! taken to carry out what it ever will within the time to settle; what comes after that is the
//! simulator's to measure.

pub mod graph;
pub mod intercom;
pub mod model;
pub mod moves;
pub mod mutants;
pub mod properties;
pub mod run;
pub mod scenarios;
pub mod time;
pub mod world;
