//! What each port promises, held against its fake and against the real thing over the wire: the
//! store and the queues against an AWS on this machine, Intercom against the sandbox, bots against
//! the demo bot.

mod agreements;
mod aws;
mod bots;
mod budgets;
mod dead_letters;
mod inbox;
mod intercom;
mod queues;
mod reaching;
mod store;
mod tokens;

/// Runs a test on one thread, as the functions run.
fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, future)
}
