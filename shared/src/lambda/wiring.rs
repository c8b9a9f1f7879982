//! What several `main.rs` build in the same way: the concrete desk of a function.

use crate::adapters::budgets::BudgetRows;
use crate::adapters::clock::{RandomNames, SystemClock};
use crate::adapters::connection::Connection;
use crate::adapters::dynamodb::Table;
use crate::adapters::inbox_rows::InboxTable;
use crate::adapters::intercom::RestApi;
use crate::adapters::kms::KmsKey;
use crate::adapters::sqs::{Keeper, Queue, Queues};
use crate::adapters::token_rows::TokenTable;
use crate::app::Desk;
use crate::app::pace::Paced;
use crate::app::tokens::Vault;
use crate::config::{CannotStart, Environment, Secrets};
use crate::domain::conversation::Lane;
use crate::domain::settings::{Settings, Transport};
use crate::domain::signature::Key;
use crate::lambda::work::Office;
use crate::wire::outgoing::Reach;

/// The desk of a deployed function.
pub type AwsDesk = Desk<Table<RandomNames>, Queues, SystemClock>;
/// Intercom, as a deployed function reaches it.
pub type AwsIntercom = Paced<RestApi<SystemClock, Vault<TokenTable, KmsKey, SystemClock>>, BudgetRows, SystemClock>;
/// The office of a deployed function.
pub type AwsOffice = Office<Table<RandomNames>, Queue, SystemClock, AwsIntercom, RandomNames>;

/// The queue whose address a variable names.
pub fn queue(environment: &mut Environment, connection: &Connection, variable: &str) -> Queue {
    Queue::new(connection.sqs(), environment.needed(variable))
}

/// What holds notifications while the inbox cannot be reached.
pub fn inbox_rows(environment: &mut Environment, connection: &Connection) -> InboxTable {
    InboxTable::new(connection.clone(), environment.needed("TABLE_NAME"))
}

/// The keeper of the messages of the function's own queue.
pub fn keeper(environment: &mut Environment, connection: &Connection, queue: Queue) -> Keeper<SystemClock> {
    let dead_letters = self::queue(environment, connection, "DEAD_LETTER_QUEUE_URL");
    Keeper { queue, dead_letters, clock: SystemClock }
}

/// A desk with the table and the given queues.
pub fn desk(environment: &mut Environment, connection: &Connection, queues: Queues) -> AwsDesk {
    let table = environment.needed("TABLE_NAME");
    Desk {
        settings: environment.settings(),
        store: Table::new(connection.dynamodb(), table, RandomNames),
        wakers: queues,
        clock: SystemClock,
    }
}

/// Intercom, with the tokens that the table holds, opened when they are first used: a workspace
/// without one does not keep the others from theirs; at the pace of the workspaces' budgets.
///
/// # Errors
/// [`CannotStart`] when the system has no usable TLS roots.
pub fn intercom(
    environment: &mut Environment,
    connection: &Connection,
    settings: &Settings,
) -> Result<AwsIntercom, CannotStart> {
    let table = environment.needed("TABLE_NAME");
    let rows = TokenTable::new(connection.dynamodb(), table.clone());
    let key = KmsKey::new(connection.kms(), environment.needed("TOKEN_KEY_ARN"));
    let api = RestApi::new(Vault::new(rows, key, SystemClock), SystemClock).map_err(|why| CannotStart(vec![why]))?;
    let api = api.reaching(Reach::of(settings.local));
    Ok(Paced::new(api, BudgetRows::new(connection, table), SystemClock))
}

/// The office of `bot-reply` or `close-conversation`, and the keeper of its messages.
///
/// # Errors
/// [`CannotStart`] with everything that is missing or wrong.
pub fn office(mut environment: Environment, lane: Lane) -> Result<(AwsOffice, Keeper<SystemClock>), CannotStart> {
    let connection = Connection::from_environment(&mut environment);
    let replies = queue(&mut environment, &connection, "REPLIES_QUEUE_URL");
    let close = queue(&mut environment, &connection, "CLOSE_QUEUE_URL");
    let bot_events = queue(&mut environment, &connection, "BOT_EVENTS_QUEUE_URL");
    let own = if lane == Lane::Close { close.clone() } else { replies.clone() };
    let queues = Queues { inbox: None, bot_events: Some(bot_events), replies: Some(replies), close: Some(close) };
    let desk = desk(&mut environment, &connection, queues);
    let intercom = intercom(&mut environment, &connection, &desk.settings)?;
    let trusted = environment.needed("TRUSTED_SENDERS");
    let trusted_senders =
        trusted.split(',').map(str::trim).filter(|sender| !sender.is_empty()).map(str::to_owned).collect();
    let keeper = keeper(&mut environment, &connection, own);
    environment.finish()?;
    Ok((Office { desk, intercom, names: RandomNames, trusted_senders, lane }, keeper))
}

/// The bots' secrets. Names every bot whose secret is missing or is no Standard Webhooks key.
pub fn bot_secrets(environment: &mut Environment, settings: &Settings) -> Secrets {
    let secrets = environment.secrets("BOT_SECRETS");
    for bot in settings.bots.values() {
        if let Transport::Https { secret, .. } = &bot.transport {
            let value = secrets.needed(secret, &format!("bot {}", bot.id), environment);
            if !value.is_empty() && Key::from_whsec(&value).is_none() {
                environment.mistake(format!(
                    "the secret \"{}\" of bot {} must be \"whsec_\" and base64 of 24 to 64 bytes",
                    secret.0, bot.id
                ));
            }
        }
    }
    secrets
}
