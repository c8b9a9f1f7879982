//! The edge towards Intercom.
//!
//! In this order: the address, the size, the signature over the raw bytes, and only then the
//! content. What is not signed costs no parsing, no call and no log line. What is signed is on
//! the inbox before it is answered with 200, or in a row of the table when the inbox cannot be
//! reached, or was of no use. Answers are 200, 401, 404, 413 and
//! 500 only: Intercom takes 410 as "unsubscribe" and 429 as "slow down by up to two hours".

use std::collections::BTreeMap;

use lambda_http::http::{HeaderMap, Method, StatusCode};
use lambda_http::{Body, Request, RequestExt as _, Response};
use shared::app::inbox::Taken;
use shared::config::{Environment, Secrets};
use shared::domain::settings::Settings;
use shared::domain::signature::{self, Key};
use shared::lambda::queues::Inbox;
use shared::ports::{Clock, Fifo, InboxRows, Unavailable};
use shared::wire::edge::{self, Received};
use shared::wire::queue::InboxMessage;

/// The largest body that is taken, in bytes. Lambda itself takes 6 MB.
pub const MAX_BODY_BYTES: usize = 5 * 1024 * 1024;

/// Where notifications go.
pub trait Notifications {
    /// Makes a notification durable.
    ///
    /// # Errors
    /// [`Unavailable`]: it is not durable.
    fn put(
        &self,
        message: &InboxMessage,
        notification_id: &str,
    ) -> impl Future<Output = Result<Taken, Unavailable>> + Send;
}

impl<Q: Fifo + Sync, R: InboxRows + Sync, C: Clock + Sync> Notifications for Inbox<Q, R, C> {
    async fn put(&self, message: &InboxMessage, notification_id: &str) -> Result<Taken, Unavailable> {
        self.put(message, notification_id).await
    }
}

/// The addresses that webhooks come in at, by the last segment of their path.
#[derive(Debug, Default)]
pub struct Doors(BTreeMap<String, Door>);

/// One address: one app of Intercom's, and the workspaces in which it is installed.
#[derive(Debug, Default)]
struct Door {
    keys: Vec<Key>,
    app_ids: Vec<String>,
}

impl Doors {
    /// The doors of the settings. Names in the environment every secret that is missing.
    pub fn new(settings: &Settings, secrets: &Secrets, environment: &mut Environment) -> Self {
        let mut doors: BTreeMap<String, Door> = BTreeMap::new();
        for workspace in settings.workspaces.values() {
            let door = doors.entry(workspace.webhook_path.clone()).or_default();
            let whose = format!("workspace {}", workspace.app_id);
            let names = std::iter::once(&workspace.client_secret).chain(&workspace.previous_client_secret);
            for name in names {
                let key = Key::new(secrets.needed(name, &whose, environment));
                if !door.keys.contains(&key) {
                    door.keys.push(key);
                }
            }
            door.app_ids.push(workspace.app_id.to_string());
        }
        Self(doors)
    }
}

/// Answers one request.
pub async fn handle<N: Notifications>(doors: &Doors, inbox: &N, request: &Request) -> Response<Body> {
    let path = request.path_parameters_ref().and_then(|parameters| parameters.first("webhook_path"));
    let Some(door) = path.and_then(|path| doors.0.get(path)) else { return answer(StatusCode::NOT_FOUND) };
    match *request.method() {
        // Intercom checks the address so, unsigned, when it is entered.
        Method::HEAD => return answer(StatusCode::OK),
        Method::POST => {}
        _ => return answer(StatusCode::NOT_FOUND),
    }
    // The very bytes that were signed: lambda_http has undone API Gateway's base64.
    let body: &[u8] = request.body().as_ref();
    if body.len() > MAX_BODY_BYTES {
        return answer(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let genuine =
        signature_of(request.headers()).is_some_and(|header| signature::is_intercoms(header, body, &door.keys));
    if !genuine {
        return answer(StatusCode::UNAUTHORIZED);
    }
    take(door, inbox, body).await
}

/// The one signature; two are none.
fn signature_of(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all("x-hub-signature").iter();
    values.next().filter(|_| values.next().is_none()).map(|value| value.as_bytes())
}

async fn take<N: Notifications>(door: &Door, inbox: &N, body: &[u8]) -> Response<Body> {
    let is_ours = |app_id: &str| door.app_ids.iter().any(|ours| ours == app_id);
    match edge::receive(body, is_ours) {
        Received::Acknowledge(outcome) => {
            tracing::info!(outcome);
            answer(StatusCode::OK)
        }
        Received::OtherWorkspace => {
            tracing::warn!(outcome = "other_workspace");
            answer(StatusCode::UNAUTHORIZED)
        }
        Received::Forward { message, notification_id } => match inbox.put(&message, &notification_id).await {
            Ok(taken) => {
                let (app_id, conversation_id) = (&message.app_id, &message.conversation_id);
                match taken {
                    Taken::Put => tracing::info!(outcome = "enqueued", app_id, conversation_id, notification_id),
                    Taken::Kept(why) => {
                        tracing::warn!(outcome = "kept_in_the_table", app_id, conversation_id, notification_id, %why);
                    }
                }
                answer(StatusCode::OK)
            }
            Err(reason) => {
                // Intercom sends it once more, after a minute.
                tracing::error!(outcome = "not_enqueued", why = %reason);
                answer(StatusCode::INTERNAL_SERVER_ERROR)
            }
        },
    }
}

fn answer(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}
