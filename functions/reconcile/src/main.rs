//! `reconcile`: wiring.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;
use shared::adapters::connection::Connection;
use shared::adapters::sqs::Queues;
use shared::app::catch_up::{SWEEP_MS, catch_up};
use shared::app::inbox::put_back;
use shared::app::sweep::sweep;
use shared::config::Environment;
use shared::lambda::{telemetry, wiring};
use shared::ports::Clock as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::of_this_process();
    telemetry::start(environment.optional("LOG_LEVEL").unwrap_or_default());
    let connection = Connection::from_environment(&mut environment);
    let mut queue = |variable| wiring::queue(&mut environment, &connection, variable);
    let inbox = queue("INBOX_QUEUE_URL");
    let mut queue = |variable| Some(queue(variable));
    let queues = Queues {
        inbox: Some(inbox.clone()),
        bot_events: queue("BOT_EVENTS_QUEUE_URL"),
        replies: queue("REPLIES_QUEUE_URL"),
        close: queue("CLOSE_QUEUE_URL"),
    };
    let desk = wiring::desk(&mut environment, &connection, queues);
    let rows = wiring::inbox_rows(&mut environment, &connection);
    let intercom = wiring::intercom(&mut environment, &connection, &desk.settings)?;
    environment.finish()?;
    let (desk, intercom, inbox, rows) = (&desk, &intercom, &inbox, &rows);
    lambda_runtime::run(service_fn(move |_: LambdaEvent<Value>| async move {
        let deadline = desk.clock.now().plus_ms(SWEEP_MS);
        let back = put_back(inbox, rows, &desk.clock, deadline).await?;
        tracing::info!(outcome = "put_back", put = back.put, failed = back.failed);
        let swept = sweep(desk).await?;
        tracing::info!(outcome = "swept", due = swept.due, woken = swept.woken);
        let found = catch_up(desk, intercom, deadline).await?;
        tracing::info!(outcome = "caught_up", changed = found.changed, rung = found.rung);
        Ok::<_, Error>(())
    }))
    .await
}
