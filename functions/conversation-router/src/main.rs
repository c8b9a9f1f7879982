//! `conversation-router`: wiring.

use conversation_router::handle;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::adapters::connection::Connection;
use shared::adapters::sqs::Queues;
use shared::config::Environment;
use shared::domain::ids::Timestamp;
use shared::lambda::batch::{self, SqsBatch};
use shared::lambda::{telemetry, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut environment = Environment::of_this_process();
    telemetry::start(environment.optional("LOG_LEVEL").unwrap_or_default());
    let connection = Connection::from_environment(&mut environment);
    let mut queue = |variable| wiring::queue(&mut environment, &connection, variable);
    let inbox = queue("INBOX_QUEUE_URL");
    let (bot_events, replies, close) =
        (queue("BOT_EVENTS_QUEUE_URL"), queue("REPLIES_QUEUE_URL"), queue("CLOSE_QUEUE_URL"));
    let queues = Queues { inbox: None, bot_events: Some(bot_events), replies: Some(replies), close: Some(close) };
    let desk = wiring::desk(&mut environment, &connection, queues);
    let intercom = wiring::intercom(&mut environment, &connection, &desk.settings)?;
    let keeper = wiring::keeper(&mut environment, &connection, inbox);
    environment.finish()?;
    let (desk, intercom, keeper) = (&desk, &intercom, &keeper);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsBatch>| async move {
        let deadline = Timestamp(event.context.deadline);
        let handle = |record| async move { handle(desk, intercom, &record, deadline).await };
        Ok::<_, Error>(batch::work(&event.payload, keeper, handle).await)
    }))
    .await
}
