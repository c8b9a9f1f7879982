//! `make bench` and `make bench-sandbox`: the benchmarks' command line. It builds nothing and measures only what it finds.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use bench::measure::{Events, RoundError, Setup, Subject, Workspace, round};
use bench::options::{Options, USAGE};
use bench::placement::Placement;
use bench::report::{BinarySizes, Pair, report};

/// What ends the program without a table.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Round(#[from] RoundError),
    #[error("{} is missing. Build it with\n\n    {build}\n", .path.display())]
    Missing { path: PathBuf, build: String },
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1).peekable();
    if arguments.next_if_eq("sandbox").is_some() {
        return sandbox(arguments);
    }
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(error) => {
            say(&format!("{error}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    if options.help {
        say(USAGE);
        return ExitCode::SUCCESS;
    }
    run(&options).unwrap_or_else(|error| {
        say(&error.to_string());
        ExitCode::FAILURE
    })
}

/// `bench sandbox`: the other benchmark, of the Intercom sandbox.
fn sandbox(arguments: impl Iterator<Item = String>) -> ExitCode {
    use bench::sandbox::options::USAGE;
    let options = match bench::sandbox::options::Options::parse(arguments) {
        Ok(options) => options,
        Err(error) => {
            say(&format!("{error}\n\n{USAGE}"));
            return ExitCode::from(2);
        }
    };
    if options.help {
        say(USAGE);
        return ExitCode::SUCCESS;
    }
    run_sandbox(&options).unwrap_or_else(|error| {
        say(&error.to_string());
        ExitCode::FAILURE
    })
}

fn run_sandbox(options: &bench::sandbox::options::Options) -> Result<ExitCode, Error> {
    let binary = options.baton.clone().map_or_else(|| beside_this_program("baton"), Ok)?;
    size(&binary, "-p baton-cli")?;
    let report = bench::sandbox::measure(options, &binary, say)?;
    writeln!(
        io::stdout(),
        "Medians of {} rounds of {} requests over {} connections, the server on one core:\n\n{}",
        options.rounds,
        options.requests,
        options.connections,
        report.table
    )?;
    for missed in &report.missed {
        say(&format!("missed: {missed}"));
    }
    Ok(if options.check && !report.missed.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn run(options: &Options) -> Result<ExitCode, Error> {
    let empty = beside_this_program("empty-lambda-http")?;
    let ingress = options.ingress.clone().map_or_else(|| beside_this_program("webhook-ingress"), Ok)?;
    let sizes = BinarySizes {
        empty_bytes: size(&empty, "-p bench --bins")?,
        ingress_bytes: size(&ingress, "-p webhook-ingress")?,
    };
    if cfg!(debug_assertions) {
        say("This is a debug build: the calls are checked, the times mean nothing. Use --release.");
    }
    // Before anything starts a thread.
    let placement = Placement::fix(options.cores)?;
    let setup = Setup { placement, workspace: Workspace::create()?, events: Events::prepare(options.invocations) };
    let mut failures = Vec::new();
    let mut pairs = Vec::with_capacity(options.rounds);
    for number in 1..=options.rounds {
        let pair = Pair {
            empty: round(Subject::Empty, &empty, &setup, &mut failures)?,
            ingress: round(Subject::Ingress, &ingress, &setup, &mut failures)?,
        };
        say(&progress(number, options.rounds, &pair));
        pairs.push(pair);
    }
    let report = report(&pairs, sizes);
    writeln!(
        io::stdout(),
        "Medians of {} rounds of {} invocations, both binaries in turn, cores {}:\n\n{}",
        options.rounds,
        options.invocations,
        options.cores,
        report.table
    )?;
    failures.sort_unstable();
    failures.dedup();
    for failure in &failures {
        say(&format!("wrong: {failure}"));
    }
    if !report.missed.is_empty() {
        say(&format!("missed: {}", report.missed.join(", ")));
    }
    let failed = !failures.is_empty() || (options.check && !report.missed.is_empty());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The binaries of a profile lie side by side.
fn beside_this_program(name: &str) -> io::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(name))
}

fn size(binary: &Path, target: &str) -> Result<u64, Error> {
    match fs::metadata(binary) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::Missing { path: binary.to_owned(), build: build_command(target)? })
        }
        Err(error) => Err(error.into()),
    }
}

/// What builds a binary in the profile of this program. The two are built one by one: together,
/// Cargo would give the empty handler the features that only the other needs, and raise the floor.
fn build_command(target: &str) -> io::Result<String> {
    let program = env::current_exe()?;
    let directory = program.parent().and_then(Path::file_name).unwrap_or_default();
    let profile = match directory.to_string_lossy().as_ref() {
        "debug" => "dev".to_owned(),
        other => other.to_owned(),
    };
    Ok(format!("cargo build --profile {profile} {target}"))
}

fn progress(number: usize, rounds: usize, pair: &Pair) -> String {
    let side = |sample: &bench::measure::Sample| {
        format!(
            "init {:.1} ms, first {:.1} ms, p50 {} µs, CPU {} µs",
            sample.init_cpu.as_secs_f64() * 1e3,
            sample.first.as_secs_f64() * 1e3,
            sample.p50.as_micros(),
            sample.cpu_per_invocation.as_micros(),
        )
    };
    format!("round {number}/{rounds}: empty {}; ingress {}", side(&pair.empty), side(&pair.ingress))
}

/// Tells the person at the terminal; stdout is for the table alone.
fn say(text: &str) {
    // There is nowhere left to report that stderr is closed.
    let _ = writeln!(io::stderr(), "{text}");
}
