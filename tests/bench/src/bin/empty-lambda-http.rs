//! The floor of the comparison: a `lambda_http` function that answers 200 and does nothing else.
//!
//! It has the runtime flavour and the features of the project's own functions, so that what
//! `webhook-ingress` costs beyond it is the work and not the scaffolding.

use lambda_http::{Body, Error, Request, Response, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_request: Request| async { Ok::<_, Error>(Response::new(Body::Empty)) })).await
}
