//! `bot-reply`: wiring.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use shared::config::Environment;
use shared::domain::conversation::Lane;
use shared::domain::ids::Timestamp;
use shared::lambda::batch::{self, SqsBatch};
use shared::lambda::{telemetry, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_this_process();
    telemetry::start(environment.optional("LOG_LEVEL").unwrap_or_default());
    let (office, keeper) = wiring::office(environment, Lane::Replies)?;
    let (office, keeper) = (&office, &keeper);
    lambda_runtime::run(service_fn(move |event: LambdaEvent<SqsBatch>| async move {
        let deadline = Timestamp(event.context.deadline);
        let handle = |record| async move { office.handle(&record, deadline).await };
        Ok::<_, Error>(batch::work(&event.payload, keeper, handle).await)
    }))
    .await
}
