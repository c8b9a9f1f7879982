//! Files whose addresses run out: they are fetched at once, and go to Intercom in the message itself.
//!
//! Others write these addresses, so only public ones are connected to, after each redirect anew. What is
//! fetched is turned into the message's text piece by piece, so that a file is in memory once.

use std::io::Write as _;
use std::time::Duration;

use base64::engine::general_purpose::STANDARD;
use base64::write::EncoderWriter;
use reqwest::{Response, header};
use serde_json::{Map, Value, json};
use tokio::time::{Instant, timeout_at};

use super::RestApi;
use crate::adapters::http::{self, Outside};
use crate::domain::transfer::File;
use crate::ports::{Clock, Tokens};

/// The largest file, in bytes.
const MAX_FILE_BYTES: usize = 20 * 1024 * 1024;
/// The most of all files of a message, in bytes. In a message they are a third larger, and a worker has
/// 256 MB.
const MAX_TOGETHER_BYTES: usize = 40 * 1024 * 1024;
/// How long all files of a message may take: with the request after it it stays within one attempt.
const PATIENCE: Duration = Duration::from_millis(5_000);
/// How often a redirect is followed.
const REDIRECTS: usize = 3;
/// The longest name and media type of a file, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// Why a file was not fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotFetched {
    /// It may not be connected to.
    #[error("file {number} is not fetched: {why}")]
    Forbidden {
        /// Which of the message's, from 1.
        number: usize,
        why: String,
    },
    /// Nothing came.
    #[error("file {number} cannot be fetched: {why}")]
    Unreachable {
        /// Which of the message's, from 1.
        number: usize,
        why: String,
    },
    /// It is larger than is taken.
    #[error("file {number} is too large: a file may have {most_mb} MB, all of a message {together_mb} MB", most_mb = MAX_FILE_BYTES >> 20, together_mb = MAX_TOGETHER_BYTES >> 20)]
    TooLarge {
        /// Which of the message's, from 1.
        number: usize,
    },
}

impl NotFetched {
    /// Why, for programs.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => "attachment_forbidden",
            Self::Unreachable { .. } => "attachment_unreachable",
            Self::TooLarge { .. } => "attachment_too_large",
        }
    }
}

impl<C: Clock, T: Tokens> RestApi<C, T> {
    /// A message with the files in it.
    pub(super) async fn with_files(
        &self,
        message: &Map<String, Value>,
        files: &[&File],
    ) -> Result<Vec<u8>, NotFetched> {
        let outside = self.outside().map_err(|why| NotFetched::Unreachable { number: 1, why })?;
        let deadline = Instant::now() + PATIENCE;
        let mut text = json!(message).to_string().into_bytes();
        // The message has members, so that another may follow.
        text.pop();
        text.extend_from_slice(b",\"attachment_files\":[");
        let mut left = MAX_TOGETHER_BYTES;
        for (number, file) in (1..).zip(files) {
            if number > 1 {
                text.push(b',');
            }
            let late = |_| NotFetched::Unreachable { number, why: "it takes too long".to_owned() };
            let fetched = timeout_at(deadline, fetch(&outside, number, file, left, &mut text)).await;
            left -= fetched.map_err(late)??;
        }
        text.extend_from_slice(b"]}");
        Ok(text)
    }
}

/// Writes a file, and tells how large it is.
async fn fetch(
    outside: &Outside,
    number: usize,
    file: &File,
    left: usize,
    text: &mut Vec<u8>,
) -> Result<usize, NotFetched> {
    let most = left.min(MAX_FILE_BYTES);
    let mut response = opened(outside, number, &file.url).await?;
    let told = response.content_length().and_then(|length| usize::try_from(length).ok());
    if told.is_some_and(|length| length > most) {
        return Err(NotFetched::TooLarge { number });
    }
    text.reserve(told.unwrap_or_default() / 3 * 4 + 1024);
    let head = json!({ "name": name_of(file), "content_type": type_of(file, &response) }).to_string();
    text.extend_from_slice(head.strip_suffix('}').unwrap_or_default().as_bytes());
    text.extend_from_slice(b",\"data\":\"");
    let broke = |why: &str| NotFetched::Unreachable { number, why: why.to_owned() };
    let mut length = 0;
    {
        let mut encoder = EncoderWriter::new(&mut *text, &STANDARD);
        while let Some(chunk) = response.chunk().await.map_err(|error| broke(http::kind_of(&error)))? {
            length += chunk.len();
            if length > most {
                return Err(NotFetched::TooLarge { number });
            }
            encoder.write_all(&chunk).map_err(|_| broke("it cannot be kept"))?;
        }
        encoder.finish().map_err(|_| broke("it cannot be kept"))?;
    }
    text.extend_from_slice(b"\"}");
    Ok(length)
}

/// Asks for a file, where it has moved to if need be.
async fn opened(outside: &Outside, number: usize, address: &str) -> Result<Response, NotFetched> {
    let forbidden = |why: String| NotFetched::Forbidden { number, why };
    let unreachable = |why: String| NotFetched::Unreachable { number, why };
    let mut address = address.to_owned();
    for _ in 0..=REDIRECTS {
        let ask = || outside.get(&address).map_err(|refused| forbidden(refused.to_string()));
        let response = match ask()?.send().await {
            // Servers close connections that were kept for another request; asking twice changes nothing.
            Err(error) if !error.is_timeout() && !error.is_connect() => ask()?.send().await,
            response => response,
        };
        let response = response.map_err(|error| {
            let why = http::kind_of(&error).to_owned();
            if http::is_refused(&error) { forbidden(why) } else { unreachable(why) }
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if !status.is_redirection() {
            return Err(unreachable(format!("its server answers {}", status.as_u16())));
        }
        let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
        let to =
            to.and_then(|to| response.url().join(to).ok()).ok_or_else(|| unreachable("it has moved".to_owned()))?;
        address = to.to_string();
    }
    Err(unreachable("it has moved too often".to_owned()))
}

/// What a file is called: as the bot says, else as its address ends.
fn name_of(file: &File) -> String {
    let path = file.url.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().filter(|last| !last.is_empty() && path.contains("://"));
    let name = file.name.as_deref().filter(|name| !name.trim().is_empty()).or(last).unwrap_or("file");
    let name: String = name.chars().filter(|c| !c.is_control() && !matches!(c, '/' | '\\')).collect();
    cut(&name).to_owned()
}

/// What kind of file it is: as the bot says, else as its server does.
fn type_of(file: &File, response: &Response) -> String {
    let told = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = file.content_type.as_deref().or(told).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.contains('/') && kind.len() <= MAX_NAME_BYTES {
        kind.to_owned()
    } else {
        "application/octet-stream".to_owned()
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_NAME_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_as_the_bot_says_or_as_its_address_ends() {
        let named = |url: &str, name: Option<&str>| {
            name_of(&File { url: url.to_owned(), name: name.map(str::to_owned), content_type: None, fetch: true })
        };
        assert_eq!(named("https://a.example/x/photo.png?sig=1/2#y", None), "photo.png");
        assert_eq!(named("https://a.example/x", Some("../me\n.pdf")), "..me.pdf");
        assert_eq!(named("https://a.example/", None), "file");
        assert_eq!(named("https://a.example/", Some(&"ü".repeat(200))).len(), 200);
    }
}
