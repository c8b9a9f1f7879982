//! What is written by others and read at a start or from a queue; addresses to connect to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use shared::domain::settings::Transport;
use shared::wire::outgoing::{self, Reach};
use shared::wire::queue::{InboxMessage, WorkMessage};
use shared::wire::settings;

/// The filter of outgoing addresses: a URL of any text, and hosts in numbers.
pub fn url_filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let here = outgoing::address(&text, Reach::ThisMachineToo);
    if let Ok(url) = outgoing::address(&text, Reach::Public) {
        assert_eq!(url.scheme(), "https");
        assert!(url.username().is_empty() && url.password().is_none());
        let host = url.host_str().unwrap_or_default();
        let number = host.trim_start_matches('[').trim_end_matches([']', '.']);
        assert!(number.parse().is_ok_and(outgoing::is_public) || number.parse::<IpAddr>().is_err(), "{host}");
        assert_eq!(here.as_ref(), Ok(&url), "what is public is reached from anywhere");
        assert_eq!(outgoing::address(url.as_str(), Reach::Public), Ok(url));
    }
    let Some((&[how, a, b, c, d], _)) = data.split_first_chunk() else { return };
    let address = Ipv4Addr::new(a, b, c, d);
    let number = address.to_bits();
    let host = match how % 8 {
        0 => address.to_string(),
        1 => format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        2 => format!("0x{number:x}"),
        3 => format!("{number}"),
        4 => format!("{a}.{}.", number & 0x00ff_ffff),
        5 => format!("0x{a:x}.{b}.0{:o}", number & 0xffff),
        6 => address.to_string().replace('.', "\u{3002}"),
        _ => address.to_string().bytes().map(|byte| format!("%{byte:02x}")).collect(),
    };
    let taken = outgoing::address(&format!("https://{host}/"), Reach::Public).is_ok();
    assert_eq!(taken, outgoing::is_public(IpAddr::V4(address)), "{host}");
    for hiding in [
        address.to_ipv6_mapped(),
        address.to_ipv6_compatible(),
        Ipv6Addr::from_bits(0x0064_ff9b << 96 | u128::from(number)),
        Ipv6Addr::from_bits(0x2002 << 112 | u128::from(number) << 80),
        Ipv6Addr::from_bits(0x2001 << 112 | u128::from(number)),
    ] {
        assert!(!outgoing::is_public(IpAddr::V6(hiding)), "{hiding}");
        assert!(outgoing::address(&format!("https://[{hiding}]/"), Reach::Public).is_err(), "{hiding}");
    }
}

/// The settings file.
pub fn settings_file(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match settings::parse(&text) {
        Ok(settings) => {
            assert!(!settings.bots.is_empty() && !settings.workspaces.is_empty());
            for (app_id, workspace) in &settings.workspaces {
                assert_eq!(*app_id, workspace.app_id);
                assert!(settings.bots.contains_key(&workspace.bot));
                assert!(!workspace.handover.default.as_ref().is_some_and(|target| workspace.is_bots(target)));
                assert!(settings.local || workspace.api_url.starts_with("https://api."));
                assert!((1_000..=600_000).contains(&workspace.settle_ms));
            }
            for bot in settings.bots.values() {
                let (Transport::Https { url, .. } | Transport::Sqs { queue_url: url, .. }) = &bot.transport;
                assert!(settings.local || url.starts_with("https://"), "{url}");
            }
        }
        Err(mistakes) => {
            let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
            assert!(!mistakes.0.is_empty());
            assert!(mistakes.0.is_sorted());
            assert!(mistakes.0.iter().all(|mistake| (1..=lines).contains(&mistake.line)), "{mistakes}");
            assert!(mistakes.0.iter().all(|mistake| !mistake.message.is_empty()));
        }
    }
}

/// A message on one of the queues: the same when it is written and read again.
pub fn queue_message(data: &[u8]) {
    if let Ok(message) = serde_json::from_slice::<InboxMessage>(data) {
        let written = serde_json::to_vec(&message).unwrap();
        let mut read: InboxMessage = serde_json::from_slice(&written).unwrap();
        let mut first = message;
        // Whether an item is of the oldest shape is decided before it is put on the queue.
        for message in [&mut read, &mut first] {
            if let shared::wire::queue::News::Notification { item, .. } = &mut message.news {
                item.legacy = false;
            }
        }
        assert_eq!(read, first);
    }
    if let Ok(message) = serde_json::from_slice::<WorkMessage>(data) {
        let written = serde_json::to_vec(&message).unwrap();
        assert_eq!(serde_json::from_slice::<WorkMessage>(&written).unwrap(), message);
    }
}
