//! `reconcile`: wiring.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use shared::adapters::connection::Connection;
use shared::adapters::sqs::Queues;
use shared::app::catch_up::catch_up;
use shared::app::sweep::sweep;
use shared::config::Environment;
use shared::domain::ids::Timestamp;
use shared::lambda::{telemetry, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::of_this_process();
    telemetry::start(environment.optional("LOG_LEVEL").unwrap_or_default());
    let connection = Connection::from_environment(&mut environment);
    let mut queue = |variable| Some(wiring::queue(&mut environment, &connection, variable));
    let queues = Queues {
        inbox: queue("INBOX_QUEUE_URL"),
        bot_events: queue("BOT_EVENTS_QUEUE_URL"),
        replies: queue("REPLIES_QUEUE_URL"),
        close: queue("CLOSE_QUEUE_URL"),
    };
    let desk = wiring::desk(&mut environment, &connection, queues);
    let intercom = wiring::intercom(&mut environment, &desk)?;
    environment.finish()?;
    let (desk, intercom) = (&desk, &intercom);
    lambda_runtime::run(service_fn(move |tick: LambdaEvent<Value>| async move {
        let swept = sweep(desk).await?;
        tracing::info!(outcome = "swept", due = swept.due, woken = swept.woken);
        let found = catch_up(desk, intercom, Timestamp(tick.context.deadline)).await?;
        tracing::info!(outcome = "caught_up", changed = found.changed, rung = found.rung);
        Ok::<_, Error>(())
    }))
    .await
}
