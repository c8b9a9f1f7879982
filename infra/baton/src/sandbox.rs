//! A local stand-in for Intercom: its REST API, its signed webhooks, and hands for its people.
//!
//! For development and tests of a bridge without an Intercom account. Everything comes from a
//! [`Seed`] and is in memory, or also in a directory that keeps it over restarts (`store`);
//! several workspaces live side by side and share nothing. It is deliberately not all of
//! Intercom: no tickets, companies or help center, and of e-mail, workflows and Fin what a bridge
//! meets in conversations. What it does have keeps to Intercom's documented and captured
//! behaviour, in versions 2.10 to 2.16.
//!
//! The REST API is at the root with `Authorization: Bearer <token of the seed>`. The people's
//! side is the control API below, JSON in and out, without credentials (a page from another
//! address is kept out), and a page for a browser, which is at `/_sandbox/`. Ids may be written as
//! numbers or text. Errors are `{"error": "…"}`.
//!
//! | Endpoint below `/_sandbox` | Body → answer |
//! |---|---|
//! | `GET /health` | → `{status: "ok", data: null \| {directory, problem}}`; `problem` is why the last changes are not saved |
//! | `POST /{app_id}/webhook` | `{url, topics?, version?, client_id?, is_public?}` → `{head_status, ping_status}`; 422 when HEAD is not answered 200; `client_id` is one of the seed's `other_apps` |
//! | `GET /{app_id}/webhook` | → `{url, topics, version, client_id, is_public, state: live\|throttled\|paused\|suspended\|ended, since, until, failing_since, errors_in_a_row, counters: {attempts, succeeded, failed, throttled, dropped}, others: […]}`; `?client_id=` for another app's |
//! | `POST /{app_id}/webhook/live` | → the same; ends whatever it was in |
//! | `POST /{app_id}/webhook/ping` | → `{ping_status}` |
//! | `GET /{app_id}/tokens` | → `{tokens: [{token, client_id, admin_id, scopes, revoked}]}` |
//! | `POST /{app_id}/tokens` | `{token?, action: revoke\|restore}` → the same; all of the workspace's without `token` |
//! | `GET /{app_id}/limits` | → `{workspace: {limit, remaining, reset_at}, apps: [{client_id, limit, remaining, reset_at}]}`, each of a window of ten seconds |
//! | `POST /{app_id}/limits` | `{calls_per_minute?, workspace_calls_per_minute?, client_id?}` → the same |
//! | `POST /{app_id}/conversations` | `{contact_id? \| contact_name? \| lead?: {name?, email?}, admin_id?, body, attachments?, email?: {subject?}, url?}` → `{conversation_id, contact_id}`; a new lead when no contact fits; `admin_id` lets a teammate start, `email` makes it a conversation by e-mail |
//! | `GET /{app_id}/conversations/{id}` | → the conversation with all parts, `seen_by_customer`, and `notified`: by part id, whether the customer was told `at_once`, `on_refresh` or `never` |
//! | `DELETE /{app_id}/conversations/{id}` | → `{deleted: true}` |
//! | `POST …/{id}/customer` | `{body, attachments?, quick_reply_uuid?, quoted?, contact_id?}` → `{part_id}`; `quick_reply_uuid` presses a button that was offered, `quoted` is what a mail program adds |
//! | `POST …/{id}/read` | `{}` → `{part_ids}`: the customer has read what was new |
//! | `POST …/{id}/teammate` | `{admin_id, action: reply\|note\|assign\|close\|open\|snooze\|unsnooze\|priority\|no_priority, body?, assignee?: {type: admin\|team\|nobody, id?}, snoozed_until?}` → `{part_id}` |
//! | `POST …/{id}/operator` | `{action?: reply\|assign\|close\|tag\|hand_over, body?, from_ai_agent?, assignee?, tag?}` → `{part_id}` or the tag; a workflow, or Fin, which `hand_over` lets give up |
//! | `POST …/{id}/participants` | `{contact_id \| lead: {name?, email?}, admin_id}` → `{contact_id}` |
//! | `DELETE …/{id}/participants/{contact_id}` | `{admin_id}` → `{status}` |
//! | `POST …/{id}/rating` | `{rating, remark?}` → `{status}` |
//! | `POST …/{id}/redact` | `{part_id}` (or the id of the first message) → `{status}` |
//! | `POST …/{id}/tag` | `{name, admin_id}` → the tag |
//! | `POST …/{id}/untag` | `{name, admin_id}` → the tag |
//! | `GET …/{id}/events?after=N` | → `{events: [{n, at, kind: "source"\|"part"\|"notification", …}]}` |
//! | `GET`, `POST /{app_id}/automation` | `{auto_reply?: {body, admin_id?}, assign_after_ms?: {ms, admin_id? \| team_id?}, default_assignee?: {admin_id? \| team_id?}, mails_bot_replies?}` → the same: what the workspace does by itself |
//! | `GET …/{id}/timeline?after=` | → `{entries: [{kind: event\|webhook\|request\|step, key, at_ms, …}], next}`: what happened, from all sides, in the order of time |
//! | `GET /{app_id}/files/{n}` | → an uploaded file |
//! | `POST /{app_id}/files?name=N` | the file → `{url, name, content_type, filesize}`, which can be an attachment |
//! | `POST /{app_id}/contacts` | `{name?, email?, external_id?, role?: user\|lead}` → `{id, name, email, role, external_id}` |
//! | `POST /{app_id}/admins/{id}/away` | `{away_mode_enabled}` → the same |
//! | `GET /workspaces` | → `{workspaces: [{app_id, name, region}], run}`; `run` is another at each start |
//! | `GET /{app_id}/directory` | → the workspace with `admins`, `teams`, `tags` |
//! | `GET /{app_id}/people?q=&limit=` | → `{people: [contact as above], total}` |
//! | `GET /{app_id}/rows?view=&state=&contact_id=&q=&after=&limit=` | → `{rows, next, total, counts}`: conversations, newest change first; `view` is `all`, `unassigned`, `admin:ID` or `team:ID` |
//! | `GET /{app_id}/live` | → server-sent events: `hello`, `changes`, `resync`, `beat` |
//! | `POST /trace` | `{steps: [{at_ms, app_id, conversation_id, function, outcome, level?: info\|warn\|error, …}]}` → `{status}`: what a bridge says it did; all steps or none |
//! | `GET /operations` | → `{operations: [{method, path, since, until}]}`: what the REST API has, in which versions |
//! | `GET /requests?after=N&limit=N&app_id=…&conversation_id=…` | → `{last: N, requests: [{n, at_ms, duration_ms, app_id, conversation_id, method, path, query, version, body, status, fault}]}`; `fault` is `{id, fault}` or null; `limit` takes the first after `after`, or the last of all without it; `last` is the number of the last entry there is |
//! | `GET /deliveries?…` as above | → `{last: N, deliveries: [{n, at_ms, duration_ms, app_id, conversation_id, topic, notification_id, attempt, status, problem, client_id, fault}]}`; `attempt` is how often it had been sent then |
//! | `GET /faults` | → `{faults: [{id, …as given, left: N\|"always", hits}]}`; the last that are used up are among them |
//! | `POST /faults` | `{match?: {app_id?, method?, path_contains?, conversation_id?}, fault, …}` or `{webhook: {app_id?, topic?, conversation_id?}, fault, …}`, see below → `{id}` |
//! | `DELETE /faults/{id}`, `DELETE /faults` | → `{status}` |
//! | `GET /clock` | → `{now, ahead_seconds}`: Unix seconds, and how far they are ahead of the machine's |
//! | `POST /clock` | `{advance_seconds}` → the same; what waits for that time happens |
//! | `GET /scenarios` | → `{scenarios: [{name, title, accident?, holds, alone}]}` |
//! | `POST /{app_id}/scenarios/{name}` | → `{run}`: it is being played, in conversations of its own |
//! | `GET /scenario-runs/{run}` | → `{name, app_id, conversation_id, outcome: running\|passed\|failed, steps: [{at_ms, step, outcome, detail}]}` |
//! | `POST /{app_id}/contacts/{id}/merge` | `{into}` → `{status}`; contacts of any role, as the inbox merges duplicates |
//! | `POST /{app_id}/messages/{id}/answer` | `{contact_id, body}` → `{conversation_id}`; a contact answers what a teammate sent with `POST /messages`, which makes it a conversation |
//! | `POST /{app_id}/uninstall` | `{client_id}` → `{status}`; the app's tokens and subscription there end, and it is told |
//! | `POST /reset` | → `{status}`; back to the seed, logs and faults forgotten |
//!
//! A fault of requests is one of `fail_before` and `fail_after` (`status?`: 503),
//! `disconnect_before`, `disconnect_after`, `rate_limit`, `delay` and `delay_after` (`delay_ms?`:
//! 1000), `stale_read` (`stale_ms?`), `garbled` (200 with HTML), `truncated` (half of the body).
//! "After" is after the request did what it asks for; the last two are as well. A stale read is a
//! `GET` of conversations or a search that answers what was true `stale_ms` ago, or when the fault
//! was set if that is later or nothing is said. A fault of webhooks is one of `drop`, `repeat`
//! (`delay_ms?`: at once), `delay` (`delay_ms?`: 1000), `reverse` (holds as many as `times?`: 2, for
//! `hold_ms?`: 5000 at most, then sends the last first), `unordered` (each waits for a part of
//! `delay_ms?`, by `seed?`), `unsigned`, `wrong_signature`. Every fault has `times?`: a number, 1
//! when absent, or `"always"`. With `chance?` (0 to 1) and `seed?` it hits a share of what matches,
//! always unless `times` says otherwise, and the same share for the same seed and order of arrival.
//! A `reverse` that is always there holds everything for `hold_ms` and then sends the newest first,
//! as Intercom does after an outage of its own.
//!
//! Attachments are addresses, or `{url, name?, content_type?, filesize?}`.

mod actions;
mod alarms;
mod assigning;
mod attached;
mod attributes;
mod automation;
mod backlog;
mod clock;
mod connection;
mod contact_index;
mod contacts;
mod control;
mod customer;
mod deliver;
mod edits;
mod error;
mod faults;
mod feed;
mod hands;
mod history;
mod ids;
mod journal;
mod kept;
mod limits;
mod lists;
mod live;
mod merging;
mod model;
mod oauth;
mod office_hours;
mod page;
mod participants;
mod parts;
mod query;
mod render;
mod resolve;
mod rest;
mod saving;
mod scenario;
mod seed;
mod sent_messages;
mod store;
mod subscription;
mod text;
mod texts;
mod timeline;
mod tokens;
mod topic;
mod trace;
mod version;
mod workflows;
mod workspace;

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub use self::automation::{AssignLater, AutoReply, Automation, To};
pub use self::office_hours::Interval;
pub use self::scenario::LibraryError;
pub use self::seed::{
    AdminRoleSeed, AdminSeed, AppSeed, AttributeSeed, AwayStatusReasonSeed, ContactSeed, ConversationSeed, DataType,
    MessageSeed, OtherAppSeed, Role, ScheduleSeed, Seed, SeedError, SeedState, TagSeed, TeamSeed, TokenSeed,
    VisitorSeed, WebhookSeed, WorkspaceSeed,
};
pub use self::store::StoreError;
pub use self::version::{ApiVersion, UnknownVersion};

use self::clock::Clock;
use self::connection::{HangUp, Lines};
use self::deliver::{Courier, Outbox};
use self::faults::Faults;
use self::feed::Feed;
use self::journal::Journal;
use self::saving::{Keeper, Saving};
use self::scenario::Scenarios;
use self::store::{Store, Stored};
use self::tokens::{TokenBook, Tokens};
use self::trace::Traces;
use self::workspace::Workspace;

/// How long a stop waits for answers under way.
const STOP_WITHIN: Duration = Duration::from_secs(1);

/// How a sandbox is to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What is there at the start; the embedded seed when absent.
    pub seed: Option<Seed>,
    /// A directory that keeps everything over restarts; nothing is kept when absent.
    pub data: Option<PathBuf>,
    /// A file that every REST request and its answer are appended to, as JSON lines.
    pub record: Option<PathBuf>,
    /// How long after a failed webhook its retry follows; the seed's value when absent.
    pub retry_after_ms: Option<u64>,
    /// A directory with scenarios besides those that come with the sandbox.
    pub scenarios: Option<PathBuf>,
}

impl Default for Options {
    /// The embedded seed on a free port of the loopback.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            seed: None,
            data: None,
            record: None,
            retry_after_ms: None,
            scenarios: None,
        }
    }
}

/// Why a sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or not one of this machine.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The seed cannot be used.
    #[error(transparent)]
    Seed(#[from] SeedError),
    /// The file for requests cannot be written.
    #[error("cannot record to {}: {source}", file.display())]
    Record {
        /// The file asked for.
        file: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The scenarios cannot be used.
    #[error(transparent)]
    Scenarios(#[from] LibraryError),
    /// The directory cannot be used.
    #[error(transparent)]
    Data(#[from] StoreError),
    /// No HTTP client for webhooks can be made.
    #[error("cannot send webhooks: {0}")]
    Client(#[from] reqwest::Error),
}

/// Starts sandboxes.
#[derive(Debug, Clone, Copy)]
pub struct Sandbox;

impl Sandbox {
    /// Starts a sandbox on the present Tokio runtime. It accepts requests when this returns.
    ///
    /// # Errors
    /// When the address, the seed, the directory or the record file cannot be used.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let (store, stored) = match &options.data {
            None => (None, None),
            Some(directory) => Store::open(directory).map(|(store, stored)| (Some(store), stored))?,
        };
        let origin = match (&store, &stored) {
            (None, _) => Origin::Memory,
            (Some(_), None) => Origin::NewDirectory,
            (Some(_), Some(_)) => Origin::Directory,
        };
        let seed = match (&stored, options.seed) {
            (Some(stored), _) => stored.seed.clone(),
            (None, Some(seed)) => seed,
            (None, None) => Seed::embedded()?,
        };
        let scenarios = Scenarios::open(options.scenarios.as_deref())?;
        let journal = match &options.record {
            None => Journal::default(),
            Some(file) => {
                Journal::recording(file).map_err(|source| StartError::Record { file: file.clone(), source })?
            }
        };
        let cannot_listen = |source| StartError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(cannot_listen)?;
        let address = listener.local_addr().map_err(cannot_listen)?;

        let journal = Arc::new(journal);
        let faults = Arc::new(Faults::default());
        let clock = Clock::default();
        let retry_after = Duration::from_millis(options.retry_after_ms.unwrap_or(seed.retry_after_ms));
        let courier = Arc::new(Courier::new(journal.clone(), faults.clone(), clock.clone(), retry_after)?);
        let (outbox, notices) = deliver::outbox(journal.clone());
        let feed = journal.feed.clone();
        let mut shared = Shared::new(seed, format!("http://{address}"), clock, journal, faults, &courier, outbox);
        shared.scenarios = scenarios;
        if let Some(store) = &store {
            shared.keep_in(store, stored);
        }
        let shared = Arc::new(shared);
        let keeper = store.map(|store| Keeper::start(store, shared.clone())).transpose()?;

        let app = Router::new()
            .nest("/_sandbox", control::routes().layer(from_fn_with_state(shared.clone(), page::watch)))
            .merge(oauth::routes())
            .route(page::ADDRESS, get(page::index))
            .route("/", get(page::home).fallback(rest::serve))
            .fallback(rest::serve)
            .with_state(shared.clone())
            .into_make_service_with_connect_info::<HangUp>();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = axum::serve(Lines(listener), app).with_graceful_shutdown(async move {
            // A `Running` that is dropped without a word means the same as one that is stopped.
            drop(stopped.await);
        });
        Ok(Running {
            address,
            stop: Some(stop),
            origin,
            keeper,
            feed,
            server: tokio::spawn(server.into_future()),
            courier: tokio::spawn(courier.run(notices)),
            alarms: tokio::spawn(alarms::run(shared)),
        })
    }
}

/// Where a sandbox's state came from, and whether it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// From the seed, and it ends with the sandbox.
    Memory,
    /// From the seed; it is kept in a directory that had none.
    NewDirectory,
    /// From the directory, whatever the seed is.
    Directory,
}

/// A sandbox that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    origin: Origin,
    keeper: Option<Keeper>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    feed: Feed,
    server: JoinHandle<std::io::Result<()>>,
    courier: JoinHandle<()>,
    alarms: JoinHandle<()>,
}

impl Running {
    /// The base address of the REST API, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its state came from.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Stops accepting, lets answers under way finish for a moment, drops the webhooks that have
    /// not left yet, and saves everything if there is a directory for it.
    ///
    /// # Errors
    /// When that cannot be saved.
    pub async fn stop(mut self) -> Result<(), StoreError> {
        self.courier.abort();
        self.alarms.abort();
        self.feed.close();
        drop(self.stop.take());
        drop(tokio::time::timeout(STOP_WITHIN, &mut self.server).await);
        let Some(keeper) = self.keeper.take() else { return Ok(()) };
        // The task is not aborted, so that it can fail by a panic alone, which has been told.
        tokio::task::spawn_blocking(|| keeper.stop()).await.unwrap_or(Ok(()))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.courier.abort();
        self.alarms.abort();
        self.server.abort();
    }
}

/// A workspace and what it began as.
#[derive(Debug)]
struct Installed {
    seed: WorkspaceSeed,
    /// Whether it may have been changed since it was last saved.
    used: AtomicBool,
    state: Mutex<Workspace>,
}

/// Access to one workspace; never held over an await.
type WorkspaceGuard<'a> = MutexGuard<'a, Workspace>;

/// What all requests share.
#[derive(Debug)]
struct Shared {
    workspaces: BTreeMap<String, Installed>,
    tokens: Tokens,
    /// The seed as a whole, to be kept with the state.
    seed: Seed,
    /// How the saving goes, if there is a directory.
    saving: Option<Saving>,
    /// The tokens at the start.
    seed_tokens: TokenBook,
    base_url: String,
    clock: Clock,
    journal: Arc<Journal>,
    faults: Arc<Faults>,
    courier: Arc<Courier>,
    outbox: Outbox,
    scenarios: Scenarios,
    traces: Traces,
}

impl Shared {
    fn new(
        seed: Seed,
        base_url: String,
        clock: Clock,
        journal: Arc<Journal>,
        faults: Arc<Faults>,
        courier: &Arc<Courier>,
        outbox: Outbox,
    ) -> Self {
        let seed_tokens = TokenBook::from_seed(&seed);
        let tokens = Tokens::new(seed_tokens.clone());
        let mut workspaces = BTreeMap::new();
        for seed in seed.workspaces.clone() {
            let state = Mutex::new(Workspace::from_seed(&seed, clock.clone(), outbox.clone()));
            workspaces.insert(seed.app_id.clone(), Installed { seed, used: AtomicBool::new(true), state });
        }
        Self {
            workspaces,
            tokens,
            seed,
            saving: None,
            seed_tokens,
            base_url,
            clock,
            journal,
            faults,
            courier: courier.clone(),
            outbox,
            scenarios: Scenarios::default(),
            traces: Traces::default(),
        }
    }

    /// Puts what was stored in the place of the seed, and remembers all changes for the store.
    fn keep_in(&mut self, store: &Store, stored: Option<Stored>) {
        self.saving = Some(Saving::new(store.directory()));
        let Some(mut stored) = stored else {
            for installed in self.workspaces.values_mut() {
                installed.state.get_mut().unwrap_or_else(PoisonError::into_inner).save_anew();
            }
            return;
        };
        self.tokens.replace(stored.tokens);
        self.clock.advance(stored.clock_ahead);
        for (app_id, installed) in &mut self.workspaces {
            let state = installed.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            match stored.workspaces.remove(app_id) {
                Some(kept) => *state = kept.connected(self.clock.clone(), self.outbox.clone()),
                // Every workspace of the stored seed is stored with it; were it not, it begins.
                None => state.save_anew(),
            }
        }
    }

    fn workspace(&self, app_id: &str) -> Option<WorkspaceGuard<'_>> {
        let installed = self.workspaces.get(app_id)?;
        installed.used.store(true, Ordering::Relaxed);
        // A request that panicked has been answered for; the others go on.
        let mut workspace = installed.state.lock().unwrap_or_else(PoisonError::into_inner);
        workspace.history.next_turn(self.faults.need_the_past(), self.clock.now_ms());
        Some(workspace)
    }

    /// Where changes are made known.
    fn feed(&self) -> &Feed {
        &self.journal.feed
    }

    /// Puts every workspace and the tokens back to the seed. Subscriptions end, except those of
    /// the seed.
    fn reset(&self) {
        for (app_id, installed) in &self.workspaces {
            if let Some(mut workspace) = self.workspace(app_id) {
                workspace.unsubscribe();
                let fresh = Workspace::from_seed(&installed.seed, self.clock.clone(), self.outbox.clone());
                let old = std::mem::replace(&mut *workspace, fresh);
                workspace.counters.go_on_after(&old.counters);
                if self.saving.is_some() {
                    workspace.save_anew();
                }
            }
        }
        self.tokens.replace(self.seed_tokens.clone());
        self.journal.clear();
        self.faults.clear();
        self.traces.clear();
        self.feed().changed_everywhere();
    }
}
