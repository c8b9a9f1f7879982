//! `bot-dispatch`: wiring.

use bot_dispatch::handle;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::adapters::bots::Messengers;
use shared::adapters::clock::SystemClock;
use shared::adapters::connection::Connection;
use shared::adapters::sqs::Queues;
use shared::config::Environment;
use shared::domain::ids::Timestamp;
use shared::lambda::batch::{self, SqsBatch};
use shared::lambda::{telemetry, wiring};
use shared::wire::outgoing::Reach;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::of_this_process();
    telemetry::start(environment.optional("LOG_LEVEL").unwrap_or_default());
    let connection = Connection::from_environment(&mut environment);
    let bot_events = wiring::queue(&mut environment, &connection, "BOT_EVENTS_QUEUE_URL");
    let replies = wiring::queue(&mut environment, &connection, "REPLIES_QUEUE_URL");
    let queues = Queues { bot_events: Some(bot_events.clone()), replies: Some(replies), ..Queues::default() };
    let desk = wiring::desk(&mut environment, &connection, queues.clone());
    let secrets = wiring::bot_secrets(&mut environment, &desk.settings);
    let keeper = wiring::keeper(&mut environment, &connection, bot_events);
    environment.finish()?;
    let bots = Messengers::new(secrets, connection.sqs(), queues, SystemClock, Reach::of(desk.settings.local))?;
    let (desk, bots, keeper) = (&desk, &bots, &keeper);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsBatch>| async move {
        let deadline = Timestamp(event.context.deadline);
        let handle = |record| async move { handle(desk, bots, &record, deadline).await };
        Ok::<_, Error>(batch::work(&event.payload, keeper, handle).await)
    }))
    .await
}
