//! A loop-back SQS: answers at once, keeps nothing, counts calls by action.
//!
//! It speaks the AWS JSON 1.0 protocol for `SendMessage` and `GetQueueAttributes` and refuses
//! every other action, so that a call nobody planned for is seen. It checks what would hide a
//! mistake if it were let through: the queue's address, and the message group of a FIFO queue. It
//! does not check signatures, deduplicate, delay or deliver: for that there is the real thing.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use md5::{Digest, Md5};
use serde::Deserialize;
use serde_json::json;

use crate::http::{self, Request, Server, lock};

const ACCOUNT: &str = "000000000000";

/// A running double; dropping it closes its port and every connection.
#[derive(Debug)]
pub struct Sqs {
    shared: Arc<Shared>,
    server: Server,
}

#[derive(Debug, Default)]
struct Shared {
    calls: Mutex<BTreeMap<String, u64>>,
    sequence: AtomicU64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    queue_url: String,
    message_body: String,
    message_group_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributes {
    queue_url: String,
}

impl Sqs {
    /// Listens on a free loop-back port.
    ///
    /// # Errors
    /// When no port or no thread is to be had.
    pub fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let server = Server::start("sqs", {
            let shared = Arc::clone(&shared);
            move |request| shared.answer(&request)
        })?;
        Ok(Self { shared, server })
    }

    /// The value of `AWS_ENDPOINT_URL_SQS`.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// The address of a queue; every queue exists.
    #[must_use]
    pub fn queue_url(&self, name: &str) -> String {
        format!("{}/{ACCOUNT}/{name}", self.endpoint_url())
    }

    /// How often each action was called since the start, refused calls included.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        lock(&self.shared.calls).clone()
    }
}

impl Shared {
    fn answer(&self, request: &Request) -> Vec<u8> {
        let action = request.header("x-amz-target").and_then(|target| target.strip_prefix("AmazonSQS."));
        *lock(&self.calls).entry(action.unwrap_or("unknown").to_owned()).or_default() += 1;
        let result = match action {
            Some("SendMessage") => self.send_message(&request.body),
            Some("GetQueueAttributes") => get_queue_attributes(&request.body),
            _ => Err("InvalidAction"),
        };
        match result {
            Ok(answer) => reply(200, &[], &answer),
            Err(code) => reply(
                400,
                &[("x-amzn-query-error", &format!("{code};Sender"))],
                &json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": code }),
            ),
        }
    }

    fn send_message(&self, body: &[u8]) -> Result<serde_json::Value, &'static str> {
        let message: SendMessage = serde_json::from_slice(body).map_err(|_| "MissingParameter")?;
        let is_fifo = queue_name(&message.queue_url)?.ends_with(".fifo");
        if is_fifo && message.message_group_id.is_none() {
            return Err("MissingParameter");
        }
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        let mut answer = json!({
            "MD5OfMessageBody": hex(&Md5::digest(message.message_body.as_bytes())),
            "MessageId": format!("00000000-0000-4000-8000-{number:012x}"),
        });
        if is_fifo {
            answer["SequenceNumber"] = json!(format!("{:020}", 1_885_000_000_000_000_000_u64 + number));
        }
        Ok(answer)
    }
}

fn get_queue_attributes(body: &[u8]) -> Result<serde_json::Value, &'static str> {
    let query: GetQueueAttributes = serde_json::from_slice(body).map_err(|_| "MissingParameter")?;
    let name = queue_name(&query.queue_url)?;
    Ok(json!({ "Attributes": {
        "QueueArn": format!("arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"),
        "ApproximateNumberOfMessages": "0",
        "FifoQueue": if name.ends_with(".fifo") { "true" } else { "false" },
    } }))
}

fn queue_name(url: &str) -> Result<&str, &'static str> {
    let (before, name) = url.rsplit_once('/').ok_or("QueueDoesNotExist")?;
    if before.ends_with(ACCOUNT) && !name.is_empty() { Ok(name) } else { Err("QueueDoesNotExist") }
}

fn reply(status: u16, headers: &[(&str, &str)], body: &serde_json::Value) -> Vec<u8> {
    let mut all = vec![
        ("content-type", "application/x-amz-json-1.0"),
        ("x-amzn-requestid", "00000000-0000-4000-8000-000000000000"),
    ];
    all.extend_from_slice(headers);
    http::response(status, &all, body.to_string().as_bytes())
}

/// Lower-case hexadecimal, as SQS and Intercom write digests.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;
    use crate::http::tests::exchange;

    fn call(sqs: &Sqs, action: &str, body: &serde_json::Value) -> (u16, serde_json::Value) {
        let mut stream = TcpStream::connect(sqs.server.address()).unwrap();
        let body = body.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.{action}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let (status, _, answer) = exchange(&mut stream, &request);
        (status, serde_json::from_slice(&answer).unwrap())
    }

    #[test]
    fn a_sent_message_is_answered_with_its_digest_and_counted() {
        let sqs = Sqs::start().unwrap();
        let queue = sqs.queue_url("inbox.fifo");
        let message = json!({ "QueueUrl": queue, "MessageBody": "This is a test message", "MessageGroupId": "g" });
        let (status, answer) = call(&sqs, "SendMessage", &message);
        assert_eq!(status, 200);
        // The example of the SendMessage page in the SQS API reference.
        assert_eq!(answer["MD5OfMessageBody"], "fafb00f5732ab283681e124bf8747ed1");
        assert_eq!(answer["SequenceNumber"].as_str().unwrap().len(), 20);
        let (_, second) = call(&sqs, "SendMessage", &message);
        assert_ne!(answer["MessageId"], second["MessageId"]);
        let (_, attributes) = call(&sqs, "GetQueueAttributes", &json!({ "QueueUrl": queue }));
        assert_eq!(attributes["Attributes"]["QueueArn"], "arn:aws:sqs:us-east-1:000000000000:inbox.fifo");
        let expected = [("GetQueueAttributes".to_owned(), 1), ("SendMessage".to_owned(), 2)];
        assert_eq!(sqs.calls(), BTreeMap::from(expected));
    }

    #[test]
    fn what_sqs_would_refuse_is_refused_and_counted() {
        let sqs = Sqs::start().unwrap();
        let cases = [
            ("SendMessage", json!({ "QueueUrl": sqs.queue_url("inbox.fifo"), "MessageBody": "x" }), "MissingParameter"),
            ("SendMessage", json!({ "QueueUrl": "http://127.0.0.1/inbox", "MessageBody": "x" }), "QueueDoesNotExist"),
            ("SendMessage", json!({ "QueueUrl": sqs.queue_url("inbox") }), "MissingParameter"),
            ("PurgeQueue", json!({ "QueueUrl": sqs.queue_url("inbox") }), "InvalidAction"),
        ];
        for (action, body, code) in cases {
            let (status, answer) = call(&sqs, action, &body);
            assert_eq!((status, answer["__type"].as_str()), (400, Some(format!("com.amazonaws.sqs#{code}").as_str())));
        }
        assert_eq!(sqs.calls().values().sum::<u64>(), 4);
    }
}
