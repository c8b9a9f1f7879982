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
//! side is the control API below `/_sandbox`, JSON in and out, without credentials (a page from
//! another address is kept out), and a page for a browser, which is at `/_sandbox/`. Its endpoints,
//! the faults, the seed and the scenarios are described in `infra/sandbox/README.md`.

mod actions;
mod alarms;
mod assigning;
mod attached;
mod attributes;
mod automation;
mod backlog;
pub(crate) mod clock;
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
mod platform;
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
use self::platform::Platform;
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
    /// The address of a bot platform whose own chats the page shows beside Intercom.
    pub bot: Option<String>,
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
            bot: None,
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
    /// No HTTP client can be made.
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
        shared.platform = options.bot.as_deref().map(Platform::at).transpose()?;
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
    platform: Option<Platform>,
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
            platform: None,
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
