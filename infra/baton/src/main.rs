//! The `baton` command. Arguments in, exit code out; the work is in the library.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[cfg(feature = "aws")]
use baton_cli::dlq::{Choice, Stack};
use baton_cli::sandbox::{Options, Origin, Sandbox, Seed, StartError};
use baton_cli::scenario::Stage;
#[cfg(feature = "aws")]
use baton_cli::token::{self, AccessTokens};
use clap::{Parser, Subcommand};
use shared::domain::settings::Settings;
#[cfg(feature = "aws")]
use shared::{adapters::connection::Connection, config::Environment};
use tokio::signal::unix::{SignalKind, signal};

/// Tools for developing with Baton.
#[derive(Debug, Parser)]
#[command(name = "baton", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a settings file: every mistake at once, each with its line
    Check {
        /// The file
        #[arg(default_value = "baton.toml")]
        file: PathBuf,
        /// A file that holds an access token and nothing else: whether its workspace has the teammates, teams
        /// and tags that the settings name is asked of Intercom. May be repeated
        #[cfg(feature = "aws")]
        #[arg(long = "token", value_name = "FILE")]
        tokens: Vec<PathBuf>,
    },
    /// Write the bot protocol's JSON Schemas into a directory
    Schema {
        /// Where to
        directory: PathBuf,
    },
    /// Run a local stand-in for Intercom: REST API, signed webhooks, control API
    Sandbox {
        /// Where to listen; port 0 takes a free one
        #[arg(long, default_value = "127.0.0.1:4020")]
        listen: SocketAddr,
        /// A JSON file with the workspaces to start with, instead of the built-in ones
        #[arg(long)]
        seed: Option<PathBuf>,
        /// Keep everything in this directory over restarts: workspaces, contacts, conversations,
        /// files, tokens, the clock. At most the last 0.2 seconds are lost when the process is
        /// killed. What the directory holds goes before the seed. In memory only when absent
        #[arg(long, value_name = "DIRECTORY")]
        data: Option<PathBuf>,
        /// Append every REST request and its answer to this file, as JSON lines
        #[arg(long)]
        record: Option<PathBuf>,
        /// A directory with scenarios besides the built-in ones
        #[arg(long)]
        scenarios: Option<PathBuf>,
        /// A bot platform on this machine, whose own chats the page shows beside Intercom: the demo bot, or
        /// one that has the same requests
        #[arg(long, value_name = "URL")]
        bot: Option<String>,
    },
    /// Play scenarios in a running sandbox, one after the other, and tell how each goes
    Scenario {
        /// Their names
        #[arg(required_unless_present = "list")]
        names: Vec<String>,
        /// List what there is
        #[arg(long)]
        list: bool,
        /// Where the sandbox is
        #[arg(long, default_value = "http://127.0.0.1:4020")]
        at: String,
        /// The workspace
        #[arg(long, default_value = "sandbox1")]
        app: String,
    },
    /// Look after a deployment's dead-letter queues, with the AWS credentials of the environment
    #[cfg(feature = "aws")]
    Dlq(Dlq),
    /// Ask how a workspace's rules do, with the AWS credentials of the environment
    #[cfg(feature = "aws")]
    Rules(Rules),
    /// Look after the access tokens of a deployment's workspaces, with the AWS credentials of the environment
    #[cfg(feature = "aws")]
    Token(Token),
}

#[cfg(feature = "aws")]
#[derive(Debug, clap::Args)]
struct Dlq {
    #[command(subcommand)]
    deed: Deed,
    /// The deployment's stack
    #[arg(long, default_value = "baton", global = true)]
    stack: String,
    /// Only this queue: inbox, bot-events, replies or close; may be repeated
    #[arg(long = "queue", global = true)]
    queues: Vec<String>,
}

#[cfg(feature = "aws")]
#[derive(Debug, Subcommand)]
enum Deed {
    /// List how many rest in each queue, for how long, and why
    Ls,
    /// Show all, or those with these ids
    Show {
        /// Their ids
        ids: Vec<String>,
        /// Print what they say too; a customer's words may be in it
        #[arg(long)]
        body: bool,
    },
    /// Put back all, or those with these ids, in order. Safe at any time, also twice
    Replay {
        /// Their ids
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        ids: Vec<String>,
        /// All, or all of the queues that are named
        #[arg(long)]
        all: bool,
        /// Only tell which it would be
        #[arg(long)]
        dry_run: bool,
    },
}

#[cfg(feature = "aws")]
#[derive(Debug, clap::Args)]
struct Rules {
    #[command(subcommand)]
    deed: RulesDeed,
    /// The deployment's stack
    #[arg(long, default_value = "baton", global = true)]
    stack: String,
    /// The deployment's table, where the stack's name does not tell it
    #[arg(long, global = true)]
    table: Option<String>,
    /// The deployment's settings
    #[arg(long, default_value = "baton.toml", global = true)]
    settings: PathBuf,
}

#[cfg(feature = "aws")]
#[derive(Debug, Subcommand)]
enum RulesDeed {
    /// How far the bot and the teammates agree, node by node, and which rules may go on or should go back
    Report,
}

#[cfg(feature = "aws")]
#[derive(Debug, clap::Args)]
struct Token {
    #[command(subcommand)]
    deed: TokenDeed,
    /// The deployment's stack
    #[arg(long, default_value = "baton", global = true)]
    stack: String,
    /// The deployment's table, where the stack's name does not tell it
    #[arg(long, global = true)]
    table: Option<String>,
    /// The deployment's settings
    #[arg(long, default_value = "baton.toml", global = true)]
    settings: PathBuf,
}

#[cfg(feature = "aws")]
#[derive(Debug, Subcommand)]
enum TokenDeed {
    /// Put a workspace's token, from standard input or a file
    Put {
        /// The workspace's id
        app_id: String,
        /// The file that holds the token, and nothing else
        #[arg(long)]
        file: Option<PathBuf>,
        /// Do not ask Intercom whose token it is
        #[arg(long)]
        unchecked: bool,
    },
    /// List which workspaces have a token, and since when
    Ls,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        #[cfg(feature = "aws")]
        Command::Check { file, tokens } => check(&file).and_then(|()| look_up(&file, &tokens)),
        #[cfg(not(feature = "aws"))]
        Command::Check { file } => check(&file),
        Command::Schema { directory } => write_schemas(&directory),
        Command::Sandbox { listen, seed, data, record, scenarios, bot } => {
            run(Options { listen, seed: None, data, record, retry_after_ms: None, scenarios, bot }, seed.as_deref())
        }
        Command::Scenario { list: true, at, .. } => list_scenarios(&at),
        Command::Scenario { names, at, app, .. } => play_scenarios(&names, &at, &app),
        #[cfg(feature = "aws")]
        Command::Dlq(dlq) => look_after_dead_letters(dlq),
        #[cfg(feature = "aws")]
        Command::Token(token) => look_after_tokens(token),
        #[cfg(feature = "aws")]
        Command::Rules(rules) => report_on_rules(rules),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Reads a settings file.
fn settings(file: &Path) -> Result<Settings, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    shared::wire::settings::parse(&text).map_err(|mistakes| format!("{}:\n{mistakes}", file.display()))
}

/// Checks a settings file.
fn check(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let settings = settings(file)?;
    let (workspaces, bots) = (settings.workspaces.len(), settings.bots.len());
    announce(&format!("{} is good: {workspaces} workspace(s), {bots} bot(s)", file.display()));
    Ok(())
}

/// Asks Intercom whether there is what a settings file names.
#[cfg(feature = "aws")]
fn look_up(file: &Path, tokens: &[PathBuf]) -> Result<(), Box<dyn std::error::Error>> {
    let settings = settings(file)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for path in tokens {
        let token = token::read(Some(path))?;
        let (app_id, missing) = runtime.block_on(baton_cli::check::look_up(&settings, &token))?;
        if !missing.is_empty() {
            return Err(format!("{}, workspace {app_id}:\n{}", file.display(), missing.join("\n")).into());
        }
        announce(&format!("workspace {app_id} has all teammates, teams, tags and attributes that the settings name"));
    }
    Ok(())
}

/// Writes the schemas.
fn write_schemas(directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(directory)?;
    for (name, schema) in baton_cli::schema::schemas() {
        let file = directory.join(name);
        std::fs::write(&file, schema)?;
        announce(&file.display().to_string());
    }
    Ok(())
}

/// Runs a sandbox until the process is asked to end.
fn run(options: Options, seed_file: Option<&Path>) -> Result<(), Box<dyn std::error::Error>> {
    let seed = seed_file.map(Seed::read).transpose().map_err(StartError::from)?;
    let (options, data) = (Options { seed, ..options.clone() }, options.data);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let sandbox = Sandbox::start(options).await?;
        announce(&format!("sandbox listening on {}", sandbox.url()));
        if let Some(directory) = data {
            announce(&kept(&directory, sandbox.origin(), seed_file));
        }
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        sandbox.stop().await?;
        Ok(())
    })
}

/// Lists the scenarios of a sandbox.
fn list_scenarios(at: &str) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        Stage::at(at)?.list().await?.iter().for_each(|line| announce(line));
        Ok(())
    })
}

/// Plays scenarios in a sandbox; an error when one of them failed.
fn play_scenarios(names: &[String], at: &str, app: &str) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stage = Stage::at(at)?;
        let mut failed = Vec::new();
        for name in names {
            if !stage.play(app, name, announce).await? {
                failed.push(name.as_str());
            }
        }
        if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", ")).into()) }
    })
}

/// Looks after the dead letters of a stack.
#[cfg(feature = "aws")]
fn look_after_dead_letters(Dlq { deed, stack, queues }: Dlq) -> Result<(), Box<dyn std::error::Error>> {
    let stack = Stack::new(connection()?, stack);
    let choice = |ids: Vec<String>| Choice { queues, ids: ids.into_iter().collect() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match deed {
            Deed::Ls => stack.ls(&choice(Vec::new()), &mut announce).await,
            Deed::Show { ids, body } => stack.show(&choice(ids), body, &mut announce).await,
            Deed::Replay { ids, dry_run, .. } => stack.replay(&choice(ids), dry_run, &mut announce).await,
        }
    })?;
    Ok(())
}

/// Looks after the access tokens of a stack.
#[cfg(feature = "aws")]
fn look_after_tokens(Token { deed, stack, table, settings: file }: Token) -> Result<(), Box<dyn std::error::Error>> {
    let settings = settings(&file)?;
    let connection = connection()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match deed {
            TokenDeed::Put { app_id, file, unchecked } => {
                let token = token::read(file.as_deref())?;
                let tokens = AccessTokens::of(connection, &stack, table).await?;
                announce(&tokens.put(&settings, &app_id, &token, !unchecked).await?);
            }
            TokenDeed::Ls => {
                let tokens = AccessTokens::of(connection, &stack, table).await?;
                tokens.list(&settings).await?.iter().for_each(|line| announce(line));
            }
        }
        Ok(())
    })
}

/// Reports how the rules do.
#[cfg(feature = "aws")]
fn report_on_rules(
    Rules { deed: RulesDeed::Report, stack, table, settings: file }: Rules,
) -> Result<(), Box<dyn std::error::Error>> {
    let settings = settings(&file)?;
    let connection = connection()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let lines = runtime.block_on(baton_cli::rules::lines(&connection, &stack, table, &settings))?;
    lines.iter().for_each(|line| announce(line));
    Ok(())
}

/// How AWS is reached, with the credentials of the environment.
#[cfg(feature = "aws")]
fn connection() -> Result<Connection, String> {
    let mut environment = Environment::of_this_process();
    let connection = Connection::from_environment(&mut environment);
    environment.finish().map_err(|missing| {
        let missing = missing.0.join("\n");
        format!("{missing}\n`eval \"$(aws configure export-credentials --format env)\"` sets the credentials")
    })?;
    Ok(connection)
}

/// What is said about the directory of a sandbox.
fn kept(directory: &Path, origin: Origin, seed_file: Option<&Path>) -> String {
    let directory = directory.display();
    match (origin, seed_file) {
        (Origin::Directory, Some(seed)) => format!(
            "sandbox goes on with what {directory} holds, and keeps everything there; {} is not used",
            seed.display()
        ),
        (Origin::Directory, None) => format!("sandbox goes on with what {directory} holds, and keeps everything there"),
        (Origin::NewDirectory | Origin::Memory, _) => format!("sandbox keeps everything in {directory}"),
    }
}

/// What a command says when all went well; scripts wait for it.
fn announce(line: &str) {
    // Who has read enough may have closed the other end, and goes without the rest.
    drop(writeln!(std::io::stdout(), "{line}"));
}

#[expect(clippy::print_stderr, reason = "a command says why it failed")]
fn complain(problem: &str) {
    eprintln!("baton: {problem}");
}
