//! Addresses that are not public, in every notation that a URL's reader understands.

use std::net::{IpAddr, Ipv4Addr};

/// Places that are not public, of every kind.
pub(crate) const V4: [[u8; 4]; 17] = [
    [127, 0, 0, 1],
    [127, 255, 255, 254],
    [0, 0, 0, 0],
    [10, 0, 0, 1],
    [100, 64, 0, 1],
    [100, 100, 100, 200],
    [169, 254, 169, 254],
    [169, 254, 170, 2],
    [172, 16, 0, 1],
    [172, 31, 255, 254],
    [192, 0, 0, 192],
    [192, 0, 2, 1],
    [192, 168, 1, 1],
    [198, 18, 0, 1],
    [203, 0, 113, 9],
    [224, 0, 0, 1],
    [255, 255, 255, 255],
];

const V6: [&str; 14] = [
    "::",
    "::1",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "64:ff9b:1::1",
];

/// All of them, as addresses that a name may lead to, also as IPv4 in IPv6.
pub(crate) fn hidden() -> Vec<IpAddr> {
    let four = V4.iter().map(|octets| IpAddr::from(*octets));
    let mapped = V4.iter().map(|octets| IpAddr::V6(Ipv4Addr::from(*octets).to_ipv6_mapped()));
    let six = V6.iter().map(|text| text.parse().unwrap());
    four.chain(mapped).chain(six).collect()
}

/// URLs of all of them, with hosts in numbers.
pub(crate) fn of_hosts_in_numbers(port: u16) -> Vec<String> {
    let four = V4.iter().flat_map(|octets| of(Ipv4Addr::from(*octets), port));
    let six = V6.iter().flat_map(|text| {
        let long = text.parse::<std::net::Ipv6Addr>().unwrap().segments().map(|part| format!("{part:04X}")).join(":");
        [format!("https://[{text}]:{port}/"), format!("https://[{long}]/")]
    });
    four.chain(six).collect()
}

/// One IPv4 address in every notation: the last ones are IPv6 that holds it.
pub(crate) fn of(address: Ipv4Addr, port: u16) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let number = address.to_bits();
    let (low24, low16) = (number & 0x00ff_ffff, number & 0xffff);
    let (high, low) = (number >> 16, number & 0xffff);
    let dotted = address.to_string();
    let in_script = |zero: char, dot: char| -> String {
        let digit = |digit: u32| char::from_u32(u32::from(zero) + digit).unwrap();
        dotted.chars().map(|character| character.to_digit(10).map_or(dot, digit)).collect()
    };
    let percent: String = dotted.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let hosts = [
        dotted.clone(),
        format!("{dotted}."),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.000{b:o}.000{c:o}.000{d:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0X{a:X}.0X{b:X}.0X{c:X}.0X{d:X}"),
        format!("0x{a:x}.0{b:o}.{c}.{d}"),
        format!("{a}.{b}.{low16}"),
        format!("{a}.{low24}"),
        format!("0x{a:x}.0x{low24:x}"),
        format!("{number}"),
        format!("0x{number:08x}"),
        format!("0{number:o}"),
        format!("0x{number:08X}."),
        in_script('\u{ff10}', '\u{ff0e}'),
        in_script('\u{ff10}', '\u{3002}'),
        in_script('\u{1d7ce}', '.'),
        in_script('\u{1d7d8}', '\u{ff61}'),
        percent,
        dotted.replace('.', "\u{ad}."),
        dotted.replace('.', "%2e"),
        dotted.replace('.', "%E3%80%82"),
        dotted.replace('.', "\t."),
        format!("[::ffff:{dotted}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:ffff:{dotted}]"),
        format!("[::{dotted}]"),
        format!("[64:ff9b::{dotted}]"),
        format!("[64:ff9b:1::{dotted}]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("[2001:0:{high:x}:{low:x}::1]"),
        format!("[::ffff:0:{dotted}]"),
    ];
    let mut urls: Vec<String> = hosts.iter().map(|host| format!("https://{host}:{port}/")).collect();
    // As readers of URLs have been led astray before.
    urls.push(format!("https://{dotted}:{port}/@8.8.8.8/"));
    urls.push(format!("https://{dotted}:{port}#@8.8.8.8/"));
    urls.push(format!("https://{dotted}:{port}?@8.8.8.8/"));
    urls.push(format!("https://{dotted}:{port}\\@8.8.8.8/"));
    urls.push(format!("https:\\\\{dotted}:{port}/"));
    urls.push(format!("https:/{dotted}:{port}/"));
    urls.push(format!("  https://{dotted}:{port}/"));
    urls
}
