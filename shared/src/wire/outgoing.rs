//! Addresses that Baton connects to on others' behalf: which of them it takes.
//!
//! A bot's address is written by whoever runs the bot, and Baton's functions stand where more can
//! be reached than from outside: the runtime's own interface, credentials, a private network. So
//! only `https` to public addresses is taken. Here is the pure half: the URL, and the test of an IP
//! address. That a *name* leads to such an address is checked where the connection is made
//! (`adapters::http`), on the very addresses that are connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// How far a connection may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// To public addresses.
    Public,
    /// To this machine as well, there without TLS too: what `local` in the settings means.
    ThisMachineToo,
}

impl Reach {
    /// The reach that the settings' `local` gives.
    #[must_use]
    pub fn of(local: bool) -> Self {
        if local { Self::ThisMachineToo } else { Self::Public }
    }

    /// Whether a connection may go to this IP address.
    #[must_use]
    pub fn admits(self, address: IpAddr) -> bool {
        is_public(address) || (self == Self::ThisMachineToo && address.is_loopback())
    }
}

/// Why an address is not connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no URL with a host.
    #[error("this is no address")]
    NoAddress,
    /// It is not `https`.
    #[error("the address must be https")]
    NotHttps,
    /// It has a user name or a password in it.
    #[error("the address must have no user name or password in it")]
    UserInfo,
    /// It is, or its name leads to, nothing public.
    #[error("the address is not public")]
    NotPublic,
}

/// Reads an address, as a browser would, and refuses what must not be connected to as far as the
/// URL tells. A host in numbers is judged here, in whatever notation it is written.
///
/// # Errors
/// [`Refused`].
pub fn address(text: &str, reach: Reach) -> Result<Url, Refused> {
    let url = Url::parse(text).map_err(|_| Refused::NoAddress)?;
    let host = url.host().ok_or(Refused::NoAddress)?;
    let (number, here) = match host {
        Host::Ipv4(address) => (Some(IpAddr::V4(address)), address.is_loopback()),
        Host::Ipv6(address) => (Some(IpAddr::V6(address)), address.is_loopback()),
        Host::Domain(name) => (None, name == "localhost"),
    };
    match url.scheme() {
        "https" => {}
        "http" if here && reach == Reach::ThisMachineToo => {}
        _ => return Err(Refused::NotHttps),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refused::UserInfo);
    }
    if number.is_some_and(|address| !reach.admits(address)) {
        return Err(Refused::NotPublic);
    }
    Ok(url)
}

/// Networks of IPv4 that are not public, with the length of their prefix: IANA's registry of
/// special purposes, multicast, what is reserved, and the one address of a cloud's metadata that
/// lies in none of these.
const NOT_PUBLIC_V4: [(Ipv4Addr, u32); 17] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(168, 63, 129, 16), 32),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 31, 196, 0), 24),
    (Ipv4Addr::new(192, 52, 193, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 3),
];

/// The only network of IPv6 that has public addresses: what else there is (loop-back, link-local,
/// unique local, multicast, IPv4 in IPv6, NAT64) lies outside it.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Networks within it that are not: protocols' own (Teredo and benchmarking among them),
/// documentation, and 6to4, which would carry any IPv4 address.
const NOT_PUBLIC_V6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3ffe, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an IP address is one that anybody on the Internet can reach.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let within = |network: Ipv4Addr, bits: u32| (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits;
            !NOT_PUBLIC_V4.iter().any(|(network, bits)| within(*network, *bits))
        }
        IpAddr::V6(address) => {
            let within =
                |(network, bits): &(Ipv6Addr, u32)| (address.to_bits() ^ network.to_bits()).leading_zeros() >= *bits;
            within(&GLOBAL_V6) && !NOT_PUBLIC_V6.iter().any(within)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_network_that_is_not_public_is_refused_from_its_first_address_to_its_last() {
        for (first, last, before, after) in [
            ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
            ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
            ("100.64.0.0", "100.127.255.255", Some("100.63.255.255"), Some("100.128.0.0")),
            ("127.0.0.0", "127.255.255.255", Some("126.255.255.255"), Some("128.0.0.0")),
            ("168.63.129.16", "168.63.129.16", Some("168.63.129.15"), Some("168.63.129.17")),
            ("169.254.0.0", "169.254.255.255", Some("169.253.255.255"), Some("169.255.0.0")),
            ("172.16.0.0", "172.31.255.255", Some("172.15.255.255"), Some("172.32.0.0")),
            ("192.0.0.0", "192.0.0.255", Some("191.255.255.255"), Some("192.0.1.0")),
            ("192.0.2.0", "192.0.2.255", Some("192.0.1.255"), Some("192.0.3.0")),
            ("192.88.99.0", "192.88.99.255", Some("192.88.98.255"), Some("192.88.100.0")),
            ("192.168.0.0", "192.168.255.255", Some("192.167.255.255"), Some("192.169.0.0")),
            ("198.18.0.0", "198.19.255.255", Some("198.17.255.255"), Some("198.20.0.0")),
            ("198.51.100.0", "198.51.100.255", Some("198.51.99.255"), Some("198.51.101.0")),
            ("203.0.113.0", "203.0.113.255", Some("203.0.112.255"), Some("203.0.114.0")),
            ("224.0.0.0", "255.255.255.255", Some("223.255.255.255"), None),
            ("::", "1fff:ffff::", None, Some("2000::")),
            ("2001::", "2001:1ff:ffff::", Some("2000:ffff::"), Some("2001:200::")),
            ("2001:db8::", "2001:db8:ffff::", Some("2001:db7:ffff::"), Some("2001:db9::")),
            ("2002::", "2002:ffff::", Some("2001:ffff::"), Some("2003::")),
            ("3ffe::", "3fff:fff:ffff::", Some("3ffd:ffff::"), Some("3fff:1000::")),
            ("4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("3fff:ffff::"), None),
        ] {
            let public = |text: &str| is_public(text.parse().unwrap());
            assert!(!public(first) && !public(last), "{first} to {last}");
            assert!(before.is_none_or(public) && after.is_none_or(public), "beside {first} to {last}");
        }
    }

    #[test]
    fn only_https_without_a_user_to_what_may_be_public_is_an_address() {
        let read = |text| address(text, Reach::Public).map(|url| url.to_string());
        assert_eq!(read("https://bot.example:8443/events?a=1"), Ok("https://bot.example:8443/events?a=1".to_owned()));
        assert!(read("https://8.8.8.8/").is_ok());
        for (text, why) in [
            ("", Refused::NoAddress),
            ("https://", Refused::NoAddress),
            ("data:text/plain,x", Refused::NoAddress),
            ("http://bot.example/", Refused::NotHttps),
            ("ftp://bot.example/", Refused::NotHttps),
            ("http://127.0.0.1/", Refused::NotHttps),
            ("https://me@bot.example/", Refused::UserInfo),
            ("https://:secret@bot.example/", Refused::UserInfo),
            ("https://8.8.8.8@127.0.0.1/", Refused::UserInfo),
            ("https://0x7f.1/", Refused::NotPublic),
            ("https://[::ffff:8.8.8.8]/", Refused::NotPublic),
        ] {
            assert_eq!(read(text), Err(why), "{text}");
        }
    }

    #[test]
    fn this_machine_is_reached_where_the_settings_say_local_and_nothing_else_private_is() {
        let read = |text| address(text, Reach::ThisMachineToo);
        for text in ["http://127.0.0.1:4030/events", "http://localhost:1/", "https://127.0.0.2/", "http://[::1]/"] {
            assert!(read(text).is_ok(), "{text}");
        }
        for text in ["http://bot.example/", "https://10.0.0.1/", "https://169.254.169.254/", "http://8.8.8.8/"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
