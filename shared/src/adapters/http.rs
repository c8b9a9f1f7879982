//! HTTP towards Intercom and bots: no redirects, no hidden retries, bounded answers.

use std::time::Duration;

use reqwest::{Client, Response, redirect, retry};

/// Builds a client. `timeout` bounds a request from first byte to last.
///
/// # Errors
/// The words of the TLS library when the system has no usable roots.
pub fn client(timeout: Duration) -> Result<Client, String> {
    // A second installation in one process fails and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(timeout)
        .connect_timeout(Duration::from_millis(3_000))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .user_agent(concat!("Baton/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.to_string())
}

/// Why an answer's body was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// The connection broke, or time was up.
    #[error("the answer broke off")]
    BrokeOff,
    /// It has more bytes than are taken.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
}

/// Reads an answer's body, up to `limit` bytes.
///
/// # Errors
/// [`NotRead`].
pub async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, NotRead> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| NotRead::BrokeOff)? {
        if body.len() + chunk.len() > limit {
            return Err(NotRead::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What kind of failure a request met, without its address, which may carry a secret.
#[must_use]
pub fn kind_of(error: &reqwest::Error) -> &'static str {
    if error.is_connect() {
        "no connection"
    } else if error.is_timeout() {
        "no answer in time"
    } else if error.is_builder() {
        "the request cannot be built"
    } else {
        "the connection broke"
    }
}
