//! The two edges: requests as API Gateway hands them over, really signed.

mod bots;
mod webhooks;
