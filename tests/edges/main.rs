//! The two edges: requests as API Gateway hands them over, really signed. And batches as queues hand them over,
//! with who sent them.

mod batches;
mod bots;
mod senders;
mod webhooks;
