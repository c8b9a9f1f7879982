//! Names of webhook receivers to addresses.
//!
//! A local API gateway is addressed as `<api id>.execute-api.localhost`, and not every system
//! resolves names below `localhost`, although RFC 6761 says they are all the loopback. Every
//! other name is the system's business.

use std::net::{Ipv4Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves `localhost` and everything below it to 127.0.0.1.
#[derive(Debug)]
pub(crate) struct LoopbackNames;

impl Resolve for LoopbackNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // The port is 0 here: the client puts the one of the address in its place.
            if is_loopback(name.as_str()) {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
                return Ok(Box::new(std::iter::once(address)) as Addrs);
            }
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

fn is_loopback(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn names_below_localhost_are_the_loopback_and_others_are_not() {
        assert!(is_loopback("localhost"));
        assert!(is_loopback("abc123.execute-api.LOCALHOST."));
        assert!(!is_loopback("notlocalhost"));
        assert!(!is_loopback("localhost.example"));
    }
}
