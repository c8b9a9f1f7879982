//! The two edges: requests as API Gateway hands them over, really signed. And batches as queues hand them over.

mod batches;
mod bots;
mod webhooks;
