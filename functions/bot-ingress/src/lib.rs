//! The edge towards bots that speak HTTPS: `POST /bots/{bot}/commands`, signed by the rules of
//! Standard Webhooks with the bot's secret.
//!
//! The whole body is checked before anything is enqueued, so a body is taken whole or not at all.
//! Answers: 202 with the number of commands, 400 with what is wrong, 401, 404, 413, 500.

use std::collections::BTreeMap;

use lambda_http::http::{HeaderMap, StatusCode, header};
use lambda_http::{Body, Request, RequestExt as _, Response};
use shared::config::Secrets;
use shared::domain::ids::{BotId, ConversationKey};
use shared::domain::settings::{Settings, Transport};
use shared::domain::signature::{self, Key};
use shared::lambda::queues::Queues;
use shared::ports::{Clock, Fifo, Unavailable, Worker};
use shared::wire::bot::{CommandMessage, Commands, MAX_COMMANDS_AT_ONCE};

/// The largest body that is taken, in bytes.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// Where commands go.
pub trait CommandSink {
    /// Makes a command durable.
    ///
    /// # Errors
    /// [`Unavailable`]: it is not durable.
    fn put(
        &self,
        key: &ConversationKey,
        bot: &str,
        command: &CommandMessage,
    ) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

impl<Q: Fifo + Sync> CommandSink for Queues<Q> {
    async fn put(&self, key: &ConversationKey, bot: &str, command: &CommandMessage) -> Result<(), Unavailable> {
        // A close goes the same way; its turn comes after what was said before it.
        self.put_command(Worker::Reply, key, bot, command).await
    }
}

/// The bots that may post, with their keys.
#[derive(Debug, Default)]
pub struct Callers(BTreeMap<BotId, Key>);

impl Callers {
    /// The callers of the settings: bots with `transport = "https"`.
    #[must_use]
    pub fn new(settings: &Settings, secrets: &Secrets) -> Self {
        let callers = settings.bots.values().filter_map(|bot| match &bot.transport {
            Transport::Https { secret, .. } => Some((bot.id.clone(), Key::from_whsec(secrets.get(secret)?)?)),
            Transport::Sqs { .. } => None,
        });
        Self(callers.collect())
    }
}

/// Answers one request. The same request again enqueues the same commands, which are carried out
/// once.
pub async fn handle<S: CommandSink, C: Clock>(
    callers: &Callers,
    sink: &S,
    clock: &C,
    request: &Request,
) -> Response<Body> {
    let bot = request.path_parameters_ref().and_then(|parameters| parameters.first("bot"));
    let bot = bot.and_then(|bot| BotId::parse(bot).ok());
    let Some((bot, key)) = bot.and_then(|bot| callers.0.get_key_value(&bot)) else {
        return answer(StatusCode::NOT_FOUND, "there is no such bot, or it does not speak https");
    };
    let body: &[u8] = request.body().as_ref();
    if body.len() > MAX_BODY_BYTES {
        return answer(StatusCode::PAYLOAD_TOO_LARGE, &format!("a body has at most {MAX_BODY_BYTES} bytes"));
    }
    if let Err(why) = verify(key, request.headers(), body, clock) {
        return answer(StatusCode::UNAUTHORIZED, &why);
    }
    let commands = match read(bot, body) {
        Ok(commands) => commands,
        Err(why) => return answer(StatusCode::BAD_REQUEST, &why),
    };
    for (about, command) in &commands {
        if let Err(reason) = sink.put(about, bot.as_str(), command).await {
            tracing::error!(outcome = "not_enqueued", bot = %bot, why = %reason);
            return answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                "not all commands could be enqueued; post the same body again",
            );
        }
    }
    tracing::info!(outcome = "enqueued", bot = %bot, commands = commands.len());
    respond(StatusCode::ACCEPTED, &serde_json::json!({ "accepted": commands.len() }))
}

fn verify<C: Clock>(key: &Key, headers: &HeaderMap, body: &[u8], clock: &C) -> Result<(), String> {
    let text = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).ok_or_else(|| format!("the header {name} is missing"))
    };
    let (id, timestamp, signatures) = (text("webhook-id")?, text("webhook-timestamp")?, text("webhook-signature")?);
    signature::verify(key, id, timestamp, signatures, body, clock.now()).map_err(|reason| reason.to_string())
}

/// Reads `{"commands": [...]}` or one command.
fn read(bot: &BotId, body: &[u8]) -> Result<Vec<(ConversationKey, CommandMessage)>, String> {
    let value: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| format!("this is not JSON: {error}"))?;
    let commands = if value.get("commands").is_some() {
        serde_json::from_slice::<Commands>(body).map_err(|error| error.to_string())?.commands
    } else {
        vec![CommandMessage::from_json(body).map_err(|error| error.to_string())?]
    };
    if commands.is_empty() || commands.len() > MAX_COMMANDS_AT_ONCE {
        return Err(format!("a body has 1 to {MAX_COMMANDS_AT_ONCE} commands"));
    }
    let checked = commands.into_iter().enumerate().map(|(position, command)| {
        command.checked(bot).map(|about| (about, command)).map_err(|error| format!("commands[{position}]: {error}"))
    });
    checked.collect()
}

fn answer(status: StatusCode, error: &str) -> Response<Body> {
    respond(status, &serde_json::json!({ "error": error }))
}

fn respond(status: StatusCode, body: &serde_json::Value) -> Response<Body> {
    let mut response = Response::new(Body::Text(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    response
}
