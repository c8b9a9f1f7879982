//! An HTTP/1.1 keep-alive server on blocking sockets, one thread a connection.
//!
//! It exists because the server shares the machine with what it measures: no reactor, no task
//! hops, one read and one write a request. It speaks only what Lambda's runtime client and the AWS
//! SDK speak over loop-back: no TLS, no HTTP/2, no `Expect: 100-continue`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Longest request line or header line.
const LINE_BYTES_MAX: u64 = 16 * 1024;
/// Most header lines in a request.
const HEADERS_MAX: usize = 100;
/// Longest request body; Lambda itself takes 6 MB from a function.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A request, read to its end.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The first header of that name, which is compared without regard to case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The bytes of a whole response, built in one buffer so that it leaves in one write.
pub(crate) fn response(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} \r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        // Writing to a String cannot fail.
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    let mut bytes = Vec::with_capacity(head.len() + body.len());
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(body);
    bytes
}

/// A running server; dropping it closes its port and every connection.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    connections: Mutex<HashMap<SocketAddr, TcpStream>>,
}

impl Server {
    /// Listens on a free loop-back port and answers each request with the bytes that `handler`
    /// returns. A handler may block: only its own connection waits for it.
    ///
    /// # Errors
    /// When no port or no thread is to be had.
    pub(crate) fn start<H>(name: &str, handler: H) -> io::Result<Self>
    where
        H: Fn(Request) -> Vec<u8> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let acceptor = thread::Builder::new().name(name.to_owned()).spawn({
            let shared = Arc::clone(&shared);
            let handler = Arc::new(handler);
            move || accept(&listener, &shared, &handler)
        })?;
        Ok(Self { address, shared, acceptor: Some(acceptor) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The acceptor looks at the flag once a connection arrives, so one is made.
        let woken = TcpStream::connect(self.address).is_ok();
        if let Some(acceptor) = self.acceptor.take()
            && woken
        {
            // A panicked acceptor has nothing left to stop.
            let _ = acceptor.join();
        }
        for connection in lock(&self.shared.connections).values() {
            // The peer may have closed it already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

/// Locks, also after another thread panicked: every update here is a single insert or remove.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn accept<H>(listener: &TcpListener, shared: &Arc<Shared>, handler: &Arc<H>)
where
    H: Fn(Request) -> Vec<u8> + Send + Sync + 'static,
{
    while let Ok((stream, peer)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(for_shutdown) = stream.try_clone() else {
            continue;
        };
        lock(&shared.connections).insert(peer, for_shutdown);
        let spawned = thread::Builder::new().spawn({
            let shared = Arc::clone(shared);
            let handler = Arc::clone(handler);
            move || {
                // A connection that breaks or sends nonsense ends; the client sees it closed.
                let _ = converse(&stream, &*handler);
                lock(&shared.connections).remove(&peer);
            }
        });
        if spawned.is_err() {
            lock(&shared.connections).remove(&peer);
        }
    }
}

fn converse(stream: &TcpStream, handler: &impl Fn(Request) -> Vec<u8>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream);
    let mut writer = stream;
    while let Some(request) = read_request(&mut reader)? {
        let close = request.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        writer.write_all(&handler(request))?;
        if close {
            break;
        }
    }
    stream.shutdown(Shutdown::Both)
}

/// The next request; `None` when the peer has closed the connection between two requests.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let Some(start) = read_line(reader)? else {
        return Ok(None);
    };
    let mut words = start.split(' ');
    let (Some(method), Some(path), Some(_version)) = (words.next(), words.next(), words.next()) else {
        return Err(malformed("request line"));
    };
    let mut request =
        Request { method: method.to_owned(), path: path.to_owned(), headers: Vec::new(), body: Vec::new() };
    loop {
        let line = read_line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if line.is_empty() {
            break;
        }
        if request.headers.len() == HEADERS_MAX {
            return Err(malformed("too many headers"));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("header"))?;
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    request.body = if request.header("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        read_chunks(reader)?
    } else {
        let length = request.header("content-length").map_or(Ok(0), str::parse);
        let mut body = Vec::new();
        read_exactly(reader, length.map_err(|_| malformed("content-length"))?, &mut body)?;
        body
    };
    Ok(Some(request))
}

fn read_chunks(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| malformed("chunk size"))?;
        if size == 0 {
            break;
        }
        read_exactly(reader, size, &mut body)?;
        read_line(reader)?;
    }
    // Trailers, up to the empty line.
    while read_line(reader)?.is_some_and(|line| !line.is_empty()) {}
    Ok(body)
}

fn read_exactly(reader: &mut impl BufRead, length: usize, body: &mut Vec<u8>) -> io::Result<()> {
    let start = body.len();
    if length > BODY_BYTES_MAX.saturating_sub(start) {
        return Err(malformed("body too long"));
    }
    body.resize(start + length, 0);
    reader.read_exact(&mut body[start..])
}

/// One line without its end; `None` at the end of the stream.
fn read_line(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut line = Vec::with_capacity(128);
    if reader.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(malformed("line"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    String::from_utf8(line).map(Some).map_err(|_| malformed("line is not UTF-8"))
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Sends the bytes of one request and reads the whole answer: its status and its body.
    pub(crate) fn exchange(stream: &mut TcpStream, request: &str) -> (u16, Vec<(String, String)>, Vec<u8>) {
        stream.write_all(request.as_bytes()).unwrap();
        // A response is framed as a request is, apart from its first line.
        let answer = read_request(&mut BufReader::new(stream)).unwrap().unwrap();
        (answer.path.parse().unwrap(), answer.headers, answer.body)
    }

    fn echo() -> Server {
        Server::start("echo", |request| {
            let length = request.body.len().to_string();
            response(200, &[("x-length", &length)], &request.body)
        })
        .unwrap()
    }

    #[test]
    fn requests_follow_one_another_on_one_connection() {
        let server = echo();
        let mut stream = TcpStream::connect(server.address()).unwrap();
        for body in ["one", "", "three"] {
            let request = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let (status, _, answer) = exchange(&mut stream, &request);
            assert_eq!((status, answer.as_slice()), (200, body.as_bytes()));
        }
    }

    #[test]
    fn a_chunked_body_is_put_together() {
        let server = echo();
        let mut stream = TcpStream::connect(server.address()).unwrap();
        let request =
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n";
        assert_eq!(exchange(&mut stream, request).2, b"abcde");
        assert_eq!(exchange(&mut stream, "GET / HTTP/1.1\r\n\r\n").2, b"");
    }

    #[test]
    fn nonsense_and_oversize_end_the_connection() {
        let server = echo();
        let too_long = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", BODY_BYTES_MAX + 1);
        for request in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n", &too_long] {
            let mut stream = TcpStream::connect(server.address()).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut rest = Vec::new();
            // Closed or reset, and nothing answered: which of the two is the kernel's choice.
            let _ = stream.read_to_end(&mut rest);
            assert!(rest.is_empty(), "{request:?}");
        }
    }

    #[test]
    fn dropping_the_server_closes_open_connections() {
        let server = echo();
        let mut stream = TcpStream::connect(server.address()).unwrap();
        exchange(&mut stream, "GET / HTTP/1.1\r\n\r\n");
        drop(server);
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    }
}
