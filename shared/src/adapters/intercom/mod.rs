//! Intercom's REST API.
//!
//! One method call makes at most one request that changes what the customer sees, and never
//! repeats it: Intercom has no idempotency key. What its outcome means is classified here:
//! certainly not sent, certainly refused, or unknown; unknown is never "failed".
//!
//! Here are requests, what their outcome means, and what each action comes to; what takes more
//! than a request has a file of its own.

mod availability;
mod chats;
mod contacts;
mod crew;
mod files;
mod opening;
mod profile;
mod searching;
mod states;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use reqwest::{Client, Method, Response, StatusCode, header};
use serde_json::{Value, json};

use super::http::{self, NotRead, Outside};
use crate::domain::budget::{Heard, Reading, WINDOW_MS};
use crate::domain::content::OfferedOption;
use crate::domain::conversation::Action;
use crate::domain::ids::{AdminId, AppId, ContactId, ConversationId, PartId, Timestamp};
use crate::domain::part::Observation;
use crate::domain::settings::{ApiVersion, Workspace};
use crate::domain::step::Answer;
use crate::domain::token::AccessToken;
use crate::domain::transfer::Agent;
use crate::ports::{Changed, Clock, Gauge, Intercom, NoToken, NotShown, Tokens, Unavailable};
use crate::wire::intercom::{ConversationItem, ErrorList, TagItem};
use crate::wire::outgoing::Reach;

/// How long one request may take in all.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(10_000);
/// The longest answer that is read, in bytes: 500 parts of some size.
const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;
/// How long to wait while the token is refused, in milliseconds.
const DENIED_MS: u64 = 60_000;
/// How long to wait after a request that certainly was not sent, in milliseconds.
const NOT_SENT_MS: u64 = 2_000;
/// How long to wait while the token cannot be read or opened, in milliseconds.
const NO_TOKEN_MS: u64 = 10_000;
/// How soon to try again when there is another token, in milliseconds.
const RENEWED_MS: u64 = 100;

/// Intercom's REST API, for all workspaces of the settings.
#[derive(Debug, Clone)]
pub struct RestApi<C, T> {
    client: Client,
    tokens: T,
    clock: C,
    heard: Arc<Mutex<BTreeMap<AppId, Heard>>>,
    /// How far files may be fetched from, and by what; made when the first one is.
    reach: Reach,
    outside: Arc<OnceLock<Result<Outside, String>>>,
    crews: Arc<Mutex<crew::Crews>>,
    /// Held while files are fetched and sent on.
    files: Arc<futures_util::lock::Mutex<()>>,
}

/// How a request failed.
enum Failure {
    NotSent(&'static str),
    /// The token could not be had; what keeps it does not answer.
    NoToken(String),
    /// The token was refused, and there is another by now.
    Renewed,
    Limited {
        retry_at: Timestamp,
    },
    Denied(String),
    Refused {
        status: StatusCode,
        code: String,
        message: String,
        /// The header `Link`: where a merged contact has gone.
        link: Option<String>,
    },
    Unknown(&'static str),
}

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// The API, with the workspaces' access tokens.
    ///
    /// # Errors
    /// The words of the TLS library when the system has no usable roots.
    pub fn new(tokens: T, clock: C) -> Result<Self, String> {
        Ok(Self {
            client: http::client(REQUEST_TIMEOUT)?,
            tokens,
            clock,
            heard: Arc::default(),
            reach: Reach::Public,
            outside: Arc::default(),
            crews: Arc::default(),
            files: Arc::default(),
        })
    }

    /// The same, with customers' files fetched from as far as that.
    #[must_use]
    pub fn reaching(self, reach: Reach) -> Self {
        Self { reach, outside: Arc::default(), ..self }
    }

    /// By what customers' files are fetched.
    fn outside(&self) -> Result<Outside, String> {
        self.outside.get_or_init(|| Outside::new(REQUEST_TIMEOUT, self.reach)).clone()
    }

    async fn request(
        &self,
        workspace: &Workspace,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Vec<u8>, Failure> {
        self.send(workspace, method, path, body.map(|body| body.to_string().into_bytes())).await
    }

    /// Makes a request with a text of JSON.
    async fn send(
        &self,
        workspace: &Workspace,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, Failure> {
        self.send_as(workspace.api_version, workspace, method, path, body).await
    }

    /// The same, in this version of the API.
    async fn send_as(
        &self,
        version: ApiVersion,
        workspace: &Workspace,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Vec<u8>, Failure> {
        let token = self.tokens.token(&workspace.app_id).await.map_err(no_token)?;
        let mut request = self
            .client
            .request(method, format!("{}{path}", workspace.api_url))
            .bearer_auth(token.reveal())
            .header("Accept", "application/json")
            .header("Intercom-Version", version.to_string());
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        let response = request.send().await.map_err(|error| {
            let kind = http::kind_of(&error);
            if error.is_connect() || error.is_builder() { Failure::NotSent(kind) } else { Failure::Unknown(kind) }
        })?;
        let reading = self.reading_of(&response);
        let outcome = match self.classify(response).await {
            Err(Failure::Denied(code)) => Err(self.after_refusal(workspace, &token, code).await),
            outcome => outcome,
        };
        let denied = match &outcome {
            Err(Failure::Denied(_)) => Some(true),
            Err(Failure::NoToken(_)) => None,
            _ => Some(false),
        };
        self.hear(workspace, Heard { reading, denied });
        outcome
    }

    /// Intercom refused the token, and so did nothing. Where there is another by now, this is no
    /// denial; the request is not repeated here, but by whoever repeats all others.
    async fn after_refusal(&self, workspace: &Workspace, refused: &AccessToken, code: String) -> Failure {
        match self.tokens.instead_of(&workspace.app_id, refused).await {
            Ok(Some(_)) => Failure::Renewed,
            Ok(None) => Failure::Denied(code),
            Err(reason) => no_token(reason),
        }
    }

    /// Keeps what an answer tells of the limit and the token, until somebody asks for it.
    fn hear(&self, workspace: &Workspace, later: Heard) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let before = heard.entry(workspace.app_id.clone()).or_default();
        *before = before.then(later);
    }

    /// What an answer tells of the limit. A 429 without the headers tells that a window is used up,
    /// of a size that the next answer will tell.
    fn reading_of(&self, response: &Response) -> Option<Reading> {
        let number = |name: &str| number_in(response, name);
        let count = |name: &str| number(name).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        let ends_at = self.window_ends_at(response);
        match (count("x-ratelimit-limit"), count("x-ratelimit-remaining"), ends_at) {
            (Some(limit), Some(remaining), Some(ends_at)) => Some(Reading { limit, remaining, ends_at }),
            _ if response.status() == StatusCode::TOO_MANY_REQUESTS => {
                Some(Reading { limit: 1, remaining: 0, ends_at: self.reset_of(response) })
            }
            _ => None,
        }
    }

    async fn classify(&self, response: Response) -> Result<Vec<u8>, Failure> {
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(Failure::Limited { retry_at: self.reset_of(&response) });
        }
        let link = response.headers().get(header::LINK).and_then(|link| link.to_str().ok()).map(str::to_owned);
        let body = http::read(response, MAX_ANSWER_BYTES).await;
        if status.is_success() {
            return body.map_err(|reason| match reason {
                NotRead::BrokeOff => Failure::Unknown("the answer broke off"),
                NotRead::TooLong(_) => Failure::Unknown("the answer is too long"),
            });
        }
        if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
            return Err(Failure::Unknown("a server error"));
        }
        let errors: ErrorList = body.ok().and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        let error = errors.errors.into_iter().next().unwrap_or_default();
        let code = error.code.unwrap_or_else(|| format!("http_{}", status.as_u16()));
        if status == StatusCode::UNAUTHORIZED {
            return Err(Failure::Denied(code));
        }
        Err(Failure::Refused { status, code, message: error.message.unwrap_or_default(), link })
    }

    /// When the present window ends: Unix seconds in `X-RateLimit-Reset`, or seconds from now in
    /// `Retry-After`, which Intercom does not document.
    fn reset_of(&self, response: &Response) -> Timestamp {
        let now = self.clock.now();
        let reset = self.window_ends_at(response).map(|at| at.plus_ms(1_000));
        let after = number_in(response, "retry-after").map(|seconds| now.plus_ms(seconds.saturating_mul(1000)));
        let at = reset.or(after).unwrap_or_else(|| now.plus_ms(WINDOW_MS));
        // A clock that is off must not make us hammer, or wait for ever.
        at.clamp(now.plus_ms(500), now.plus_ms(6 * WINDOW_MS))
    }

    /// The end of the present window by our clock. Intercom names it by its own, which its answer's date
    /// tells; a second between the two is the length of the way.
    fn window_ends_at(&self, response: &Response) -> Option<Timestamp> {
        let ends = number_in(response, "x-ratelimit-reset")?;
        let (ours, theirs) = (self.clock.now().seconds(), date_of(response));
        let ahead = theirs.and_then(|theirs| ours.checked_signed_diff(theirs)).filter(|ahead| ahead.abs() > 1);
        Some(Timestamp::from_seconds(ends.saturating_add_signed(ahead.unwrap_or(0))))
    }

    fn answer_of(&self, failure: Failure) -> Answer {
        let now = self.clock.now();
        match failure {
            Failure::NotSent(why) => {
                tracing::warn!(outcome = "not_sent", why);
                Answer::NotSent { retry_at: now.plus_ms(NOT_SENT_MS) }
            }
            Failure::NoToken(why) => {
                tracing::warn!(outcome = "no_token", why);
                Answer::NotSent { retry_at: now.plus_ms(NO_TOKEN_MS) }
            }
            Failure::Renewed => Answer::NotSent { retry_at: now.plus_ms(RENEWED_MS) },
            Failure::Limited { retry_at } => {
                tracing::warn!(outcome = "rate_limited");
                Answer::NotSent { retry_at }
            }
            Failure::Denied(code) => {
                tracing::error!(outcome = "denied", code, "Intercom refuses the access token; set a valid one");
                Answer::NotSent { retry_at: now.plus_ms(DENIED_MS) }
            }
            Failure::Refused { code, message, .. } => Answer::Rejected { code, message },
            Failure::Unknown(why) => {
                tracing::warn!(outcome = "unknown", why);
                Answer::Unknown
            }
        }
    }

    /// A failure before the one request that counts: nothing has been sent, whatever it was.
    fn before_sending(&self, failure: Failure) -> Answer {
        match self.answer_of(failure) {
            Answer::Unknown => Answer::NotSent { retry_at: self.clock.now().plus_ms(NOT_SENT_MS) },
            answer => answer,
        }
    }

    /// Makes the request that counts; its answer is the conversation, which names the new part.
    async fn post(&self, workspace: &Workspace, path: &str, body: &Value) -> Answer {
        match self.change(workspace, path, body).await {
            Ok(shown) => Answer::Done { part_id: newest_own_part(&shown, workspace) },
            Err(answer) => answer,
        }
    }

    /// The same; shows the conversation as it is then.
    async fn change(&self, workspace: &Workspace, path: &str, body: &Value) -> Result<ConversationItem, Answer> {
        match self.request(workspace, Method::POST, path, Some(body)).await {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|_| Answer::Unknown),
            Err(failure) => Err(self.answer_of(failure)),
        }
    }

    /// The conversation, and the answer that it was read from.
    async fn show(&self, workspace: &Workspace, id: &ConversationId) -> Result<(ConversationItem, Vec<u8>), Failure> {
        let bytes = self.request(workspace, Method::GET, &format!("/conversations/{id}"), None).await?;
        let item = serde_json::from_slice(&bytes).map_err(|_| Failure::Unknown("the answer cannot be read"))?;
        Ok((item, bytes))
    }

    /// Creates the tag, or finds it, and attaches it. Both may be repeated.
    async fn tag(&self, workspace: &Workspace, id: &ConversationId, name: &str) -> Answer {
        let tag = match self.request(workspace, Method::POST, "/tags", Some(&json!({ "name": name }))).await {
            Ok(bytes) => serde_json::from_slice::<TagItem>(&bytes).ok().and_then(|tag| tag.id),
            Err(failure) => return self.before_sending(failure),
        };
        let Some(tag) = tag else {
            return Answer::NotSent { retry_at: self.clock.now().plus_ms(NOT_SENT_MS) };
        };
        let body = json!({ "id": tag.0, "admin_id": workspace.bot_teammate.as_str() });
        self.request(workspace, Method::POST, &format!("/conversations/{id}/tags"), Some(&body))
            .await
            .map_or_else(|failure| self.answer_of(failure), |_| Answer::Done { part_id: None })
    }

    /// What was said, as Intercom shows it now. What is no message that the customer sees, a note, is not
    /// shown.
    async fn look_up(&self, workspace: &Workspace, id: &ConversationId, action: &Action) -> Answer {
        let item = match self.show(workspace, id).await {
            Ok((item, _)) => item,
            Err(failure) => return self.before_sending(failure),
        };
        Answer::shown(&item.observation(true), action)
    }
}

/// When an answer was given, in Unix seconds by the clock of who gave it.
fn date_of(response: &Response) -> Option<u64> {
    let date = httpdate::parse_http_date(response.headers().get(header::DATE)?.to_str().ok()?).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// The number in a header of an answer.
fn number_in(response: &Response, header: &str) -> Option<u64> {
    response.headers().get(header)?.to_str().ok()?.trim().parse().ok()
}

fn newest_own_part(item: &ConversationItem, workspace: &Workspace) -> Option<PartId> {
    let observation = item.observation(true);
    let own = observation.parts.into_iter().filter(|part| part.is_by(&workspace.bot_teammate));
    own.map(|part| part.id).max()
}

/// What it means for a request that its token cannot be had.
fn no_token(reason: NoToken) -> Failure {
    match reason {
        NoToken::Missing | NoToken::Spoilt => Failure::Denied(reason.to_string()),
        NoToken::Unavailable(unavailable) => Failure::NoToken(unavailable.to_string()),
    }
}

/// Why a request that changes nothing got no answer.
fn not_shown(failure: Failure) -> NotShown {
    let unavailable = |why: &str| NotShown::Unavailable(Unavailable { what: "Intercom", why: why.to_owned() });
    match failure {
        Failure::NoToken(why) => unavailable(&format!("there is no token for it: {why}")),
        Failure::Renewed => unavailable("the access token has just changed"),
        Failure::NotSent(why) | Failure::Unknown(why) => unavailable(why),
        Failure::Limited { retry_at } => NotShown::Later(retry_at),
        Failure::Denied(code) => NotShown::Denied(code),
        Failure::Refused { status: StatusCode::NOT_FOUND, .. } => NotShown::Gone,
        Failure::Refused { code, .. } => unavailable(&code),
    }
}

impl<C, T> Gauge for RestApi<C, T> {
    fn heard(&self, app_id: &AppId) -> Option<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).remove(app_id)
    }
}

impl<C: Clock, T: Tokens> Intercom for RestApi<C, T> {
    async fn observe(
        &self,
        workspace: &Workspace,
        id: &ConversationId,
        with_profile: bool,
    ) -> Result<Observation, NotShown> {
        let (item, bytes) = self.show(workspace, id).await.map_err(not_shown)?;
        let mut observation = item.observation(true);
        if with_profile {
            let context = serde_json::from_slice(&bytes).unwrap_or_default();
            observation.profile = Some(self.profile(workspace, context).await);
        }
        Ok(observation)
    }

    async fn begun(
        &self,
        workspace: &Workspace,
        contact: &ContactId,
        since: Timestamp,
    ) -> Result<Vec<Changed>, NotShown> {
        self.begun_by(workspace, contact, since).await
    }

    async fn crew(&self, workspace: &Workspace, asked: &[AdminId]) -> Vec<Agent> {
        self.crew_of(workspace, asked).await
    }

    /// Reads and opens the token, where it is not known; that takes a while, and can fail.
    async fn ready(&self, workspace: &Workspace) -> Result<(), Timestamp> {
        let Err(reason) = self.tokens.token(&workspace.app_id).await else { return Ok(()) };
        match self.answer_of(no_token(reason)) {
            Answer::NotSent { retry_at } => Err(retry_at),
            _ => Err(self.clock.now().plus_ms(NO_TOKEN_MS)),
        }
    }

    async fn perform(&self, workspace: &Workspace, id: &ConversationId, action: &Action) -> Answer {
        let me = workspace.bot_teammate.as_str();
        match action {
            Action::Reply { offer: Some(offer), .. } if offer.buttons => {
                // Without words: whether Intercom shows those of a quick reply is not documented, so they
                // are a message of their own, before it.
                let option = |option: &OfferedOption| json!({ "text": option.choice.label, "uuid": option.uuid });
                let options: Vec<Value> = offer.options.iter().map(option).collect();
                let body = json!({
                    "message_type": "quick_reply", "type": "admin", "admin_id": me, "reply_options": options,
                });
                self.post(workspace, &format!("/conversations/{id}/reply"), &body).await
            }
            Action::Reply { html, attachment_urls, .. } => {
                let mut body = json!({ "message_type": "comment", "type": "admin", "admin_id": me, "body": html });
                if !attachment_urls.is_empty() {
                    body["attachment_urls"] = json!(attachment_urls);
                }
                self.post(workspace, &format!("/conversations/{id}/reply"), &body).await
            }
            Action::Note { html } => {
                let body = json!({ "message_type": "note", "type": "admin", "admin_id": me, "body": html });
                self.post(workspace, &format!("/conversations/{id}/reply"), &body).await
            }
            Action::Assign { to, .. } => self.assign(workspace, id, to).await,
            Action::Take { from } => self.take(workspace, id, from).await,
            Action::Unseat { teammate } => self.unseat(workspace, id, teammate).await,
            Action::Close { html } => self.close(workspace, id, html.as_deref()).await,
            Action::Open => self.open(workspace, id).await,
            Action::Tag { name } => self.tag(workspace, id, name).await,
            Action::Attachments { .. } | Action::Replay { .. } => self.look_up(workspace, id, action).await,
            Action::SetAttributes { attributes } => {
                let body = json!({ "custom_attributes": attributes });
                self.request(workspace, Method::PUT, &format!("/conversations/{id}"), Some(&body))
                    .await
                    .map_or_else(|failure| self.answer_of(failure), |_| Answer::Done { part_id: None })
            }
            Action::LookWhoIsThere { .. }
            | Action::FindContact { .. }
            | Action::Say { .. }
            | Action::Begin { .. }
            | Action::Relay { .. }
            | Action::Redact { .. } => self.act_for_a_chat(workspace, id, action).await,
            Action::Snooze { until } => {
                let body = json!({ "message_type": "snoozed", "admin_id": me, "snoozed_until": until.seconds() });
                self.post(workspace, &format!("/conversations/{id}/parts"), &body).await
            }
        }
    }
}
