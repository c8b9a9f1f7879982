//! What comes from others, and what must never be committed: licences, origins, checksums, secrets.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{read, root};

/// The licences that oblige to nothing but naming the authors.
const PERMISSIVE: [&str; 9] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "ISC",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "Unicode-3.0",
    "Zlib",
];

/// Whether an SPDX expression lets us choose permissive licences alone. `/` is an old way to write OR.
fn is_permissive(expression: &str) -> bool {
    let mut terms = expression.split(" AND ").map(|term| term.trim().trim_start_matches('(').trim_end_matches(')'));
    let chosen =
        |term: &str| term.split(" OR ").flat_map(|one| one.split('/')).any(|one| PERMISSIVE.contains(&one.trim()));
    terms.all(chosen)
}

/// The packages that a build for this machine takes in.
fn packages() -> Vec<Value> {
    let version = Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(root()).args(["metadata", "--format-version", "1", "--locked", "--offline"]);
    let output = cargo.args(["--filter-platform", host]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn every_dependency_has_a_permissive_licence_and_comes_from_the_registry() {
    let packages = packages();
    assert!(packages.len() > 100, "{} packages", packages.len());
    for package in &packages {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_permissive(licence), "{name} has the licence {licence:?}");
        if let Some(source) = package["source"].as_str() {
            assert_eq!(source, "registry+https://github.com/rust-lang/crates.io-index", "{name}");
        }
    }
    for (expression, good) in [
        ("GPL-3.0 OR MIT", true),
        ("MIT/Apache-2.0", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("MIT AND LGPL-2.1", false),
        ("MPL-2.0", false),
        ("", false),
    ] {
        assert_eq!(is_permissive(expression), good, "{expression}");
    }
}

#[test]
fn every_locked_package_of_others_has_a_checksum() {
    for lock in ["Cargo.lock", "tests/fuzz/Cargo.lock"] {
        let lock: toml::Table = read(lock).parse().unwrap();
        let packages = lock["package"].as_array().unwrap();
        assert!(packages.len() > 50);
        for package in packages {
            let (source, checksum) = (package.get("source"), package.get("checksum"));
            assert_eq!(source.is_some(), checksum.is_some_and(|sum| sum.as_str().unwrap().len() == 64), "{package:?}");
        }
    }
}

/// What stands at the beginning of real secrets, and how much follows it: keys of AWS, tokens of Intercom
/// (Base64 of `tok:`), secrets of Standard Webhooks, private keys, tokens of forges.
const SECRETS: [(&str, usize); 6] =
    [("AKIA", 16), ("ASIA", 16), ("dG9rO", 40), ("whsec_", 32), ("PRIVATE KEY-----\nM", 16), ("ghp_", 36)];

/// The example in the specification of Standard Webhooks, which everybody knows.
const PUBLISHED: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The secrets in a text, by their beginnings. What is made of one letter, or says that it is none, is none.
fn secrets_in(text: &str) -> Vec<&'static str> {
    let is_real = |(start, length): &(&'static str, usize)| {
        text.match_indices(start).any(|(at, _)| {
            let rest = &text[at + start.len()..];
            let body: String = rest.chars().take(*length).collect();
            body.chars().count() == *length
                && body != PUBLISHED
                && body.chars().all(|c| c.is_ascii_alphanumeric() || "+/=_-".contains(c))
                && body.chars().collect::<std::collections::BTreeSet<_>>().len() > 4
        })
    };
    SECRETS.iter().filter(|known| is_real(known)).map(|(start, _)| *start).collect()
}

fn walk(place: &Path, visit: &mut dyn FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let not_of_the_repository = [".git", ".tools", ".local", "target", "build", "baton.toml", "__pycache__"];
        if not_of_the_repository.contains(&name) {
            continue;
        }
        if path.is_dir() {
            walk(&path, visit);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            visit(&path, &text);
        }
    }
}

#[test]
fn no_secret_lies_in_the_repository() {
    let mut files = 0;
    walk(&root(), &mut |path, text| {
        files += 1;
        // Built here from halves, so that this file has none.
        let found = secrets_in(text);
        assert!(found.is_empty(), "{} looks as if it held a secret: {found:?}", path.display());
    });
    assert!(files > 200, "{files} files");
    for (start, rest) in [
        ("AK", "IAIOSFODNN7EXAMPLE"),
        ("wh", "sec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        ("PRIVATE KEY-----\n", "MIIEvQIBADANBgkqhkiG"),
        ("dG9", "rOmFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5"),
    ] {
        assert_eq!(secrets_in(&format!("token = \"{start}{rest}\"")).len(), 1, "{start}{rest}");
    }
    assert!(secrets_in("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").is_empty());
}
