//! The benchmarks of `webhook-ingress` and of the Intercom sandbox, and the doubles that real
//! Lambda binaries are driven with.
//!
//! Two parts serve other tests as well: [`runtime_api`] is a Lambda Runtime API server that a
//! compiled function talks to as it does in AWS, [`process`] starts such a binary against it, and
//! [`sqs`] is a loop-back SQS that counts calls. The rest is the benchmark itself.
//!
//! What it deliberately does not model: API Gateway's and SQS's latency, TLS, the sandbox's CPU
//! share and its freezing between invocations. Both binaries are measured under the same
//! conditions, so the ratios carry over to other machines; the absolute times do not.

mod http;
pub mod measure;
pub mod options;
pub mod placement;
pub mod process;
pub mod report;
pub mod runtime_api;
pub mod sandbox;
pub mod sqs;
pub mod usage;
pub mod webhook;
