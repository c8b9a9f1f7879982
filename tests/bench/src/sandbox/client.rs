//! A keep-alive HTTP client on blocking sockets, which costs as little as one can.
//!
//! It shares the machine with what it measures. It speaks only what the sandbox answers:
//! HTTP/1.1 with `content-length`.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// The bytes of a request, made before anything is timed.
pub(crate) fn request(method: &str, path: &str, token: Option<&str>, body: &str) -> Vec<u8> {
    let token = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{token}content-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// A connection, used by one request at a time.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, received: Vec::with_capacity(1 << 20) })
    }

    /// Sends a request and reads its response to the end.
    pub(crate) fn call(&mut self, request: &[u8]) -> io::Result<Response> {
        self.stream.write_all(request)?;
        self.received.clear();
        let head_end = loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let head = String::from_utf8_lossy(&self.received[..head_end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(malformed)?;
        let length: usize = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|length| length.trim().parse().ok())
            .ok_or_else(malformed)?;
        while self.received.len() < head_end + length {
            self.read_more()?;
        }
        Ok(Response { status, body: self.received[head_end..head_end + length].to_vec() })
    }

    fn read_more(&mut self) -> io::Result<()> {
        let start = self.received.len();
        self.received.resize(start + (1 << 18), 0);
        let count = self.stream.read(&mut self.received[start..])?;
        self.received.truncate(start + count);
        if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "this is not a response of the sandbox")
}

/// How a run of requests went.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) elapsed: Duration,
    /// Of each request, sorted.
    pub(crate) latencies: Vec<Duration>,
}

/// Sends requests over so many connections at once, each taking its share in turn.
///
/// # Errors
/// When a connection breaks, or an answer is not 200.
pub(crate) fn run(address: SocketAddr, requests: &[Vec<u8>], connections: usize) -> io::Result<Run> {
    let mut open: Vec<Connection> = (0..connections).map(|_| Connection::open(address)).collect::<io::Result<_>>()?;
    let started = Instant::now();
    let share = |offset: usize, connection: &mut Connection| -> io::Result<Vec<Duration>> {
        requests
            .iter()
            .skip(offset)
            .step_by(connections)
            .map(|request| {
                let sent = Instant::now();
                let response = connection.call(request)?;
                let latency = sent.elapsed();
                if response.status == 200 { Ok(latency) } else { Err(refused(request, &response)) }
            })
            .collect()
    };
    let shares: Vec<io::Result<Vec<Duration>>> = thread::scope(|scope| {
        let share = &share;
        let threads: Vec<_> = open
            .iter_mut()
            .enumerate()
            .map(|(offset, connection)| scope.spawn(move || share(offset, connection)))
            .collect();
        let panicked = || Err(io::Error::other("a client panicked"));
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
    });
    let elapsed = started.elapsed();
    let mut latencies: Vec<Duration> = shares.into_iter().collect::<io::Result<Vec<_>>>()?.concat();
    latencies.sort_unstable();
    Ok(Run { elapsed, latencies })
}

fn refused(request: &[u8], response: &Response) -> io::Error {
    let line = String::from_utf8_lossy(request).lines().next().unwrap_or_default().to_owned();
    let body: String = String::from_utf8_lossy(&response.body).chars().take(300).collect();
    io::Error::other(format!("{line} was answered {}: {body}", response.status))
}
