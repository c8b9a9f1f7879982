//! `webhook-ingress`: wiring.

use lambda_http::{Error, Request, service_fn};
use shared::adapters::clock::SystemClock;
use shared::adapters::connection::Connection;
use shared::config::Environment;
use shared::lambda::queues::Inbox;
use shared::lambda::{telemetry, wiring};
use webhook_ingress::{Doors, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::of_this_process();
    telemetry::start(environment.optional("LOG_LEVEL").unwrap_or_default());
    let connection = Connection::of_the_edge(&mut environment);
    let queue = wiring::queue(&mut environment, &connection, "INBOX_QUEUE_URL");
    let rows = wiring::inbox_rows(&mut environment, &connection);
    let inbox = Inbox { queue, rows, clock: SystemClock };
    let (settings, secrets) = (environment.settings(), environment.secrets("WEBHOOK_SECRETS"));
    let doors = Doors::new(&settings, &secrets, &mut environment);
    environment.finish()?;
    // Opened now, while Lambda gives a whole core; should it fail, the first request opens it.
    if let Err(reason) = inbox.queue.open().await {
        tracing::warn!(outcome = "not_opened", why = %reason);
    }
    let (doors, inbox) = (&doors, &inbox);
    lambda_http::run(service_fn(
        move |request: Request| async move { Ok::<_, Error>(handle(doors, inbox, &request).await) },
    ))
    .await
}
