//! The `baton` command. Arguments in, exit code out; the work is in the library.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use baton_cli::sandbox::{Options, Sandbox, Seed, StartError};
use clap::{Parser, Subcommand};
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
        /// Append every REST request and its answer to this file, as JSON lines
        #[arg(long)]
        record: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Check { file } => check(&file),
        Command::Schema { directory } => write_schemas(&directory),
        Command::Sandbox { listen, seed, record } => run(listen, seed, record),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Checks a settings file.
fn check(file: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let settings =
        shared::wire::settings::parse(&text).map_err(|mistakes| format!("{}:\n{mistakes}", file.display()))?;
    let (workspaces, bots) = (settings.workspaces.len(), settings.bots.len());
    announce(&format!("{} is good: {workspaces} workspace(s), {bots} bot(s)", file.display()));
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
fn run(listen: SocketAddr, seed: Option<PathBuf>, record: Option<PathBuf>) -> Result<(), Box<dyn std::error::Error>> {
    let seed = seed.as_deref().map(Seed::read).transpose();
    let options = Options { listen, seed: seed.map_err(StartError::from)?, record, retry_after_ms: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let sandbox = Sandbox::start(options).await?;
        announce(&format!("sandbox listening on {}", sandbox.url()));
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        sandbox.stop().await;
        Ok(())
    })
}

#[expect(clippy::print_stdout, reason = "what a command says when all went well; scripts wait for it")]
fn announce(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "a command says why it failed")]
fn complain(problem: &str) {
    eprintln!("baton: {problem}");
}
