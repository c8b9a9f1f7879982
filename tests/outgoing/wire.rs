//! One call is one request: what Intercom's adapter sends over connections that are kept, closed,
//! reset and cut. The other side counts what reached it, and no message reaches it twice. And every
//! status has one meaning.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use shared::adapters::clock::SystemClock;
use shared::adapters::intercom::RestApi;
use shared::domain::conversation::Action;
use shared::domain::ids::ConversationId;
use shared::domain::step::Answer;
use shared::ports::Intercom as _;
use shared::testing::{BOT, HeldTokens, workspace};

use super::{Counted, run};

/// How many messages are sent.
const MESSAGES: usize = 3_000;

/// What becomes of a request that was read to its end, and of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Answered,
    AnsweredAndClosed,
    /// Answered; the next request on this connection meets a reset as soon as its first bytes came.
    AnsweredThenReset,
    Closed,
    Reset,
    CutInTheHead,
    CutInTheBody,
    ServerError,
    NoJson,
}

const FATES: [Fate; 9] = [
    Fate::Answered,
    Fate::AnsweredAndClosed,
    Fate::AnsweredThenReset,
    Fate::Closed,
    Fate::Reset,
    Fate::CutInTheHead,
    Fate::CutInTheBody,
    Fate::ServerError,
    Fate::NoJson,
];

/// The fate of a message: mostly well, so that connections are used again.
fn fate_of(message: usize) -> Fate {
    // The multiplier of a well-known generator: a fixed order without a pattern.
    let draw = message.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) >> 33;
    if draw.is_multiple_of(2) { Fate::Answered } else { FATES[draw / 2 % FATES.len()] }
}

/// What reached the other side.
#[derive(Debug, Default)]
struct Reached {
    /// How often each message was read to its end.
    whole: BTreeMap<usize, usize>,
    /// Requests of which only the first bytes were read.
    begun: usize,
    /// Requests that were not the first of their connection.
    on_a_kept_connection: usize,
}

fn reset(stream: &TcpStream) {
    // What is closed with unread bytes, or without lingering, is reset.
    socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO)).unwrap();
}

/// Reads one request: its body, none when the connection ended.
fn request(stream: &mut TcpStream) -> Option<String> {
    let (mut head, mut byte) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).unwrap_or(0) == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1)?.split("\r\n").next()?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

fn number_in(body: &str) -> usize {
    body.split("number ").nth(1).unwrap().split('<').next().unwrap().parse().unwrap()
}

fn serve(mut stream: TcpStream, reached: &Mutex<Reached>) {
    let note =
        |change: &mut dyn FnMut(&mut Reached)| change(&mut reached.lock().unwrap_or_else(PoisonError::into_inner));
    let mut first = true;
    while let Some(body) = request(&mut stream) {
        let message = number_in(&body);
        note(&mut |reached| {
            *reached.whole.entry(message).or_default() += 1;
            reached.on_a_kept_connection += usize::from(!first);
        });
        first = false;
        let answer = format!(
            r#"{{"type":"conversation","id":"1","conversation_parts":{{"conversation_parts":[{{"id":"{message}","part_type":"comment","created_at":1,"author":{{"type":"admin","id":"{BOT}"}}}}]}}}}"#
        );
        let whole = |status: &str, body: &str| {
            format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
        };
        let good = whole("200 OK", &answer);
        let (said, goes_on) = match fate_of(message) {
            Fate::Answered | Fate::AnsweredThenReset => (good, true),
            Fate::AnsweredAndClosed => (good, false),
            Fate::Closed | Fate::Reset => (String::new(), false),
            Fate::CutInTheHead => ("HTTP/1.1 200 O".to_owned(), false),
            Fate::CutInTheBody => (good[..good.len() - 20].to_owned(), false),
            Fate::ServerError => (whole("503 Service Unavailable", "{}"), true),
            Fate::NoJson => (whole("200 OK", "<html>a page</html>"), true),
        };
        if stream.write_all(said.as_bytes()).is_err() {
            return;
        }
        match fate_of(message) {
            Fate::Reset => reset(&stream),
            Fate::AnsweredThenReset => {
                if stream.read(&mut [0; 16]).unwrap_or(0) > 0 {
                    note(&mut |reached| reached.begun += 1);
                    reset(&stream);
                }
                return;
            }
            _ => {}
        }
        if !goes_on {
            return;
        }
    }
}

#[test]
fn every_call_is_at_most_one_request_whatever_happens_to_its_connection() {
    let reached = Arc::new(Mutex::new(Reached::default()));
    let heard = Arc::clone(&reached);
    let server = Counted::serving("127.0.0.1:0", move |stream| serve(stream, &heard));
    let mut workspace = workspace();
    workspace.api_url = format!("http://{}", server.address);
    let id = ConversationId::parse("1").unwrap();
    let mut answers = Vec::new();
    run(async {
        let api = RestApi::new(HeldTokens::of(&[("abc123", "token")]), SystemClock).unwrap();
        for message in 0..MESSAGES {
            let reply =
                Action::Reply { html: format!("<p>number {message}</p>"), attachment_urls: Vec::new(), offer: None };
            answers.push(api.perform(&workspace, &id, &reply).await);
        }
    });
    let reached = reached.lock().unwrap();
    let mut met = BTreeMap::<Fate, usize>::new();
    let mut lost_on_the_way = 0;
    for (message, answer) in answers.iter().enumerate() {
        let times = reached.whole.get(&message).copied().unwrap_or(0);
        assert!(times <= 1, "message {message} reached the other side {times} times");
        if times == 1 {
            *met.entry(fate_of(message)).or_default() += 1;
        }
        // What is called done was answered, what is called not sent is nowhere, the rest is unknown.
        match (answer, times) {
            (Answer::Done { part_id }, 1) => {
                let fate = fate_of(message);
                assert!(
                    matches!(fate, Fate::Answered | Fate::AnsweredAndClosed | Fate::AnsweredThenReset),
                    "message {message} is called done, and was {fate:?}"
                );
                assert_eq!(part_id.as_ref().unwrap().to_string(), message.to_string());
            }
            (Answer::Unknown, 1) => {
                let fate = fate_of(message);
                assert!(
                    !matches!(fate, Fate::Answered | Fate::AnsweredAndClosed | Fate::AnsweredThenReset),
                    "message {message} is called unknown, and was {fate:?}"
                );
            }
            (Answer::Unknown | Answer::NotSent { .. }, 0) => lost_on_the_way += 1,
            _ => panic!("message {message} is called {answer:?}, and reached the other side {times} times"),
        }
    }
    assert_eq!(reached.whole.values().sum::<usize>() + lost_on_the_way, MESSAGES, "every attempt is accounted for");
    // That the test was one: every fate was met, connections were used again, and some broke under a request.
    assert_eq!(met.len(), FATES.len(), "{met:?}");
    assert!(reached.on_a_kept_connection > MESSAGES / 3, "{}", reached.on_a_kept_connection);
    assert!(reached.begun > 50 && lost_on_the_way >= reached.begun, "{} begun, {lost_on_the_way} lost", reached.begun);
}

/// Answers the message of a number with the status of that number.
fn answer_with_its_status(mut stream: TcpStream, asked: &Mutex<Vec<usize>>) {
    while let Some(body) = request(&mut stream) {
        let status = number_in(&body);
        asked.lock().unwrap_or_else(PoisonError::into_inner).push(status);
        // These two never have a body.
        let body = if matches!(status, 204 | 304) { "" } else { r#"{"type":"conversation","id":"1"}"# };
        let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let answer = format!("HTTP/1.1 {status} Said\r\n{length}\r\n{body}");
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

#[test]
fn every_status_has_one_meaning_and_is_asked_for_once() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let server = Counted::serving("127.0.0.1:0", move |stream| answer_with_its_status(stream, &heard));
    let mut workspace = workspace();
    workspace.api_url = format!("http://{}", server.address);
    let id = ConversationId::parse("1").unwrap();
    run(async {
        let api = RestApi::new(HeldTokens::of(&[("abc123", "token")]), SystemClock).unwrap();
        for status in 200..600 {
            let reply =
                Action::Reply { html: format!("<p>number {status}</p>"), attachment_urls: Vec::new(), offer: None };
            let answer = api.perform(&workspace, &id, &reply).await;
            let as_meant = match status {
                // Nothing was in it to be read.
                204 => answer == Answer::Unknown,
                200..300 => matches!(answer, Answer::Done { .. }),
                401 | 429 => matches!(answer, Answer::NotSent { .. }),
                408 | 500.. => answer == Answer::Unknown,
                _ => matches!(&answer, Answer::Rejected { code, .. } if *code == format!("http_{status}")),
            };
            assert!(as_meant, "{status} is taken for {answer:?}");
        }
    });
    assert_eq!(*asked.lock().unwrap(), (200..600).collect::<Vec<_>>());
}
