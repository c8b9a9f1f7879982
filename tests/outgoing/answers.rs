//! Hostile answers: each ends in time, and costs no more memory than is allowed.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::{Counted, hear, run, why_not};
use shared::adapters::http::{self, NotRead, Outside};
use shared::wire::outgoing::Reach;

/// The most bytes that are read here.
const LIMIT: usize = 64 * 1024;
/// How long an answer may take that never ends.
const TIMEOUT: Duration = Duration::from_millis(500);
/// How long any other may take: it is refused for what it is, however slow the machine.
const LONG: Duration = Duration::from_secs(20);
/// When an answer has taken too long all the same.
const FAR_TOO_LONG: Duration = Duration::from_secs(8);

/// Writes until the other side has had enough.
fn without_end(mut stream: TcpStream, head: &[u8], again: &[u8], pause: Duration) {
    hear(&mut stream);
    let mut written = stream.write_all(head);
    while written.is_ok() {
        std::thread::sleep(pause);
        written = stream.write_all(again);
    }
}

/// What comes of an answer that may take so long, and how long it took.
fn answered(timeout: Duration, serve: fn(TcpStream)) -> (Result<Vec<u8>, String>, Duration) {
    let server = Counted::serving("127.0.0.1:0", serve);
    let begun = Instant::now();
    let result = run(async {
        let outside = Outside::new(timeout, Reach::ThisMachineToo).unwrap();
        let sent = outside.post(&server.url()).unwrap().body("{}").send().await;
        let response = sent.map_err(|error| http::kind_of(&error).to_owned())?;
        http::read(response, LIMIT).await.map_err(|reason| reason.to_string())
    });
    assert_eq!(server.count(), 1, "one request, never repeated");
    (result, begun.elapsed())
}

fn fails(timeout: Duration, serve: fn(TcpStream), why: &str) {
    let (result, took) = answered(timeout, serve);
    assert_eq!(result, Err(why.to_owned()));
    assert!(took < FAR_TOO_LONG, "it took {took:?}");
}

#[test]
fn an_answer_that_drips_ends_in_time() {
    const PAUSE: Duration = Duration::from_millis(50);
    fails(TIMEOUT, |stream| without_end(stream, b"HTTP/1.1 200 OK\r\nx: ", b"y", PAUSE), "no answer in time");
    fails(
        2 * TIMEOUT,
        |stream| without_end(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n", b"y", PAUSE),
        "the answer broke off",
    );
    fails(TIMEOUT, |stream| without_end(stream, b"", b"", PAUSE), "no answer in time");
}

#[test]
fn an_answer_that_is_too_long_is_not_read_whole() {
    let too_long = NotRead::TooLong(LIMIT).to_string();
    fails(
        LONG,
        |stream| {
            without_end(
                stream,
                b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n",
                &[b'y'; 8_192],
                Duration::ZERO,
            )
        },
        &too_long,
    );
    fails(
        LONG,
        |stream| {
            let chunk = [&b"1000\r\n"[..], &[b'y'; 0x1000], b"\r\n"].concat();
            without_end(stream, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", &chunk, Duration::ZERO);
        },
        &too_long,
    );
}

#[test]
fn an_answer_of_headers_only_is_given_up() {
    fails(
        LONG,
        |stream| {
            without_end(
                stream,
                b"HTTP/1.1 200 OK\r\n",
                b"x-flood: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
                Duration::ZERO,
            )
        },
        "the connection broke",
    );
    fails(
        LONG,
        |stream| without_end(stream, b"HTTP/1.1 200 OK\r\nx: ", &[b'y'; 8_192], Duration::ZERO),
        "the connection broke",
    );
}

#[test]
fn nothing_is_unpacked_however_small_it_came() {
    // What says it is gzip is taken as the bytes that it is.
    let (result, _) = answered(LONG, |mut stream| {
        hear(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\x1f\x8b\x08");
    });
    assert_eq!(result, Ok(b"\x1f\x8b\x08".to_vec()));
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Counted::on_this_machine();
    assert_eq!(ELSEWHERE.set(elsewhere.url()), Ok(()));
    let server = Counted::serving("127.0.0.1:0", |mut stream| {
        hear(&mut stream);
        let to = ELSEWHERE.get().unwrap();
        let _ = write!(stream, "HTTP/1.1 307 Temporary Redirect\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    });
    run(async {
        let outside = Outside::new(LONG, Reach::ThisMachineToo).unwrap();
        assert_eq!(why_not(&outside, &server.url()).await, "status 307 Temporary Redirect");
    });
    assert_eq!((server.count(), elsewhere.count()), (1, 0));
}

static ELSEWHERE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
