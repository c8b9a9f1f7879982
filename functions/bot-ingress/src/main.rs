//! `bot-ingress`: wiring.

use bot_ingress::{Callers, handle};
use lambda_http::{Error, Request, service_fn};
use shared::adapters::clock::SystemClock;
use shared::adapters::connection::Connection;
use shared::adapters::sqs::Queues;
use shared::config::Environment;
use shared::lambda::{telemetry, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::of_this_process();
    telemetry::start(environment.optional("LOG_LEVEL").unwrap_or_default());
    let connection = Connection::from_environment(&mut environment);
    let replies = wiring::queue(&mut environment, &connection, "REPLIES_QUEUE_URL");
    let settings = environment.settings();
    let secrets = wiring::bot_secrets(&mut environment, &settings);
    environment.finish()?;
    let callers = Callers::new(&settings, &secrets);
    let queues = Queues { replies: Some(replies), ..Queues::default() };
    let (callers, queues) = (&callers, &queues);
    lambda_http::run(service_fn(move |request: Request| async move {
        Ok::<_, Error>(handle(callers, queues, &SystemClock, &request).await)
    }))
    .await
}
