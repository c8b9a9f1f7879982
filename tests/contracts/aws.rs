//! An AWS on this machine for one test: the stand-in that `make run` uses too, on a port of its
//! own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use shared::adapters::connection::Connection;
use shared::config::Environment;

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A port that nobody has, for a process that binds it a good while later. It is below those that the
/// system gives to whoever asks for any, or to connections on their way out: one of these could be taken
/// in between. Tests are processes that run beside each other, each with numbers of its own.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 10_000;
    const OF_A_TEST: u32 = 8;
    loop {
        let turn =
            u32::from(NEXT.fetch_add(1, Ordering::Relaxed)).wrapping_add(std::process::id().wrapping_mul(OF_A_TEST));
        let port = u16::try_from(FIRST + turn % COUNT).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Waits until something listens on a port.
pub(crate) fn wait_for(port: u16, child: &mut Child, what: &str) {
    let began = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(child.try_wait().unwrap().is_none(), "{what} ended at once");
        assert!(began.elapsed() < Duration::from_secs(30), "{what} does not listen after 30 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The running stand-in.
pub(crate) struct LocalAws {
    process: Child,
    /// What it writes; gone with it.
    directory: PathBuf,
    /// Where it listens.
    pub(crate) port: u16,
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl LocalAws {
    /// Starts it, with the tools that the Makefile installs.
    pub(crate) fn start() -> Self {
        let python = root().join(".tools/venv/bin/python");
        assert!(python.exists(), "{} is missing: run `make test`, or `make tools` once", python.display());
        let port = free_port();
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("aws-{port}"));
        std::fs::create_dir_all(&directory).unwrap();
        let mut process = Command::new(python)
            .arg(root().join("infra/local/aws_server.py"))
            .env_remove("AWS_ENDPOINT_URL")
            .envs([
                ("BIND_HOST", "127.0.0.1"),
                ("GATEWAY_PORT", &port.to_string()),
                ("PERSIST_STATE", "0"),
                ("LOG_LEVEL", "ERROR"),
            ])
            .env("TMPDIR", &directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        wait_for(port, &mut process, "the local AWS");
        Self { process, directory, port }
    }

    /// How our functions would reach it, through `port`.
    pub(crate) fn connection(port: u16) -> Connection {
        reached_by(port, Connection::from_environment)
    }

    /// How the edge would.
    pub(crate) fn connection_of_the_edge(port: u16) -> Connection {
        reached_by(port, Connection::of_the_edge)
    }
}

fn reached_by(port: u16, open: impl FnOnce(&mut Environment) -> Connection) -> Connection {
    let variables = [
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}")),
    ];
    let mut environment = Environment::of(variables.map(|(name, value)| (name.to_owned(), value)));
    let connection = open(&mut environment);
    environment.finish().unwrap();
    connection
}
