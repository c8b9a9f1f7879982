//! HTTP towards Intercom and bots: no redirects, no hidden retries, bounded answers. Towards bots,
//! whose addresses others write, only what [`Reach`] admits is connected to.

use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, redirect, retry};

use crate::wire::outgoing::{self, Reach, Refused};

/// The most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// Builds a client. `timeout` bounds a request from first byte to last.
///
/// # Errors
/// The words of the TLS library when the system has no usable roots.
pub fn client(timeout: Duration) -> Result<Client, String> {
    builder(timeout).build().map_err(|error| error.to_string())
}

fn builder(timeout: Duration) -> ClientBuilder {
    // A second installation in one process fails and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(timeout)
        .connect_timeout(Duration::from_millis(3_000))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .user_agent(concat!("Baton/", env!("CARGO_PKG_VERSION")))
}

/// A client for addresses that others write. The IP addresses that it connects to are the very
/// ones that were checked, so a name that leads elsewhere a moment later changes nothing.
#[derive(Debug, Clone)]
pub struct Outside {
    client: Client,
    reach: Reach,
}

impl Outside {
    /// A client that asks the system for names.
    ///
    /// # Errors
    /// As [`client`].
    pub fn new(timeout: Duration, reach: Reach) -> Result<Self, String> {
        Self::with_names(timeout, reach, SystemNames)
    }

    /// A client that asks `names` for names.
    ///
    /// # Errors
    /// As [`client`].
    pub fn with_names(timeout: Duration, reach: Reach, names: impl Resolve + 'static) -> Result<Self, String> {
        let names = Checked { names: Arc::new(names), reach };
        let client = builder(timeout).dns_resolver(names).build().map_err(|error| error.to_string())?;
        Ok(Self { client, reach })
    }

    /// Begins a POST. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Refused`]: nothing may be sent there.
    pub fn post(&self, address: &str) -> Result<RequestBuilder, Refused> {
        Ok(self.client.post(outgoing::address(address, self.reach)?))
    }

    /// Begins a GET. Nothing is sent yet.
    ///
    /// # Errors
    /// [`Refused`]: nothing may be asked there.
    pub fn get(&self, address: &str) -> Result<RequestBuilder, Refused> {
        Ok(self.client.get(outgoing::address(address, self.reach)?))
    }
}

/// Names as the system knows them.
struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is the URL's; the client puts it in.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect::<Vec<_>>();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Names that lead to what is admitted only.
struct Checked {
    names: Arc<dyn Resolve>,
    reach: Reach,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (found, reach) = (self.names.resolve(name), self.reach);
        Box::pin(async move {
            let admitted: Vec<_> =
                found.await?.filter(|address| reach.admits(address.ip())).take(MAX_ADDRESSES).collect();
            if admitted.is_empty() {
                return Err(Refused::NotPublic.into());
            }
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
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
        if is_refused(error) { "the address is not public" } else { "no connection" }
    } else if error.is_timeout() {
        "no answer in time"
    } else if error.is_builder() {
        "the request cannot be built"
    } else {
        "the connection broke"
    }
}

/// Whether the name led nowhere that is admitted.
#[must_use]
pub fn is_refused(error: &reqwest::Error) -> bool {
    let first = std::error::Error::source(error);
    std::iter::successors(first, |error| error.source()).any(|error| error.is::<Refused>())
}
