//! A compiled Lambda function as a process of its own, in the environment that Lambda gives it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::runtime_api::{RuntimeApi, RuntimeApiError};

/// How long a function may take to ask for its first event; Lambda's own limit.
pub const INIT_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of a function's log an error quotes.
const LOG_QUOTE_CHARS: usize = 2_000;

/// Why a function does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The binary cannot be executed, or its log cannot be written.
    #[error("cannot start {binary}: {source}")]
    Spawn {
        /// The binary.
        binary: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The process ended before it asked for an event.
    #[error("{binary} ended at its start ({status}); the end of its log:\n{log}")]
    Exited {
        /// The binary.
        binary: PathBuf,
        /// How it ended.
        status: ExitStatus,
        /// The end of what it wrote to stdout and stderr.
        log: String,
    },
    /// The process runs, but it is not ready.
    #[error("{binary}: {source}; the end of its log:\n{log}")]
    NotReady {
        /// The binary.
        binary: PathBuf,
        /// What the Runtime API saw of it.
        source: RuntimeApiError,
        /// The end of what it wrote to stdout and stderr.
        log: String,
    },
}

/// A running function; dropping it kills the process.
#[derive(Debug)]
pub struct LambdaProcess {
    child: Child,
    binary: PathBuf,
    log: PathBuf,
    started: Instant,
}

impl LambdaProcess {
    /// Starts `binary` against `api`. The process sees the variables that Lambda sets (with
    /// stand-ins for credentials) and `env`, which may override them, and nothing of the caller's
    /// own environment. What it writes goes to the file `log`, which is overwritten.
    ///
    /// # Errors
    /// [`StartError::Spawn`].
    pub fn start(binary: &Path, api: &RuntimeApi, env: &[(&str, &str)], log: &Path) -> Result<Self, StartError> {
        let spawn = || {
            let stdout = File::create(log)?;
            let stderr = stdout.try_clone()?;
            let mut command = Command::new(binary);
            command.env_clear().envs(lambda_env()).env("AWS_LAMBDA_RUNTIME_API", api.address().to_string());
            command.envs(env.iter().copied());
            command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
            let started = Instant::now();
            Ok((command.spawn()?, started))
        };
        let (child, started) = spawn().map_err(|source| StartError::Spawn { binary: binary.to_owned(), source })?;
        Ok(Self { child, binary: binary.to_owned(), log: log.to_owned(), started })
    }

    /// Waits until the function has asked for its first event, and returns the time from its start.
    ///
    /// # Errors
    /// [`StartError::Exited`] as soon as the process ends, [`StartError::NotReady`] when it reports
    /// an error or stays silent for [`INIT_TIMEOUT`].
    pub fn wait_ready(&mut self, api: &RuntimeApi) -> Result<Duration, StartError> {
        loop {
            match api.wait_ready(Duration::from_millis(50)) {
                Ok(ready) => return Ok(ready - self.started),
                Err(RuntimeApiError::NotReady(_)) if self.started.elapsed() < INIT_TIMEOUT => {}
                Err(source) => {
                    return Err(StartError::NotReady { binary: self.binary.clone(), source, log: self.log_end() });
                }
            }
            // An error here means that the state is unknown; the next round or the limit decides.
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(StartError::Exited { binary: self.binary.clone(), status, log: self.log_end() });
            }
        }
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The end of what the function has written to stdout and stderr, for a message to a person.
    #[must_use]
    pub fn log_end(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let skip = text.chars().count().saturating_sub(LOG_QUOTE_CHARS);
        text.chars().skip(skip).collect()
    }
}

impl Drop for LambdaProcess {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is reaped.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The variables of <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html> that
/// runtimes and SDKs read.
fn lambda_env() -> [(&'static str, &'static str); 15] {
    [
        ("_HANDLER", "bootstrap"),
        ("AWS_ACCESS_KEY_ID", "AKIDBENCH"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]00000000000000000000000000000000"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_SECRET_ACCESS_KEY", "bench"),
        ("AWS_SESSION_TOKEN", "bench"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
    ]
}
