//! `make simulate`: many random lives, or one of them in words.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use simulation::life;

fn number(text: &str) -> Option<u64> {
    text.replace(['_', ','], "").parse().ok()
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next().as_deref().and_then(number)) {
        (Some("seed"), Some(seed)) => one(seed),
        (Some("messages"), Some(messages)) => many(messages, arguments.next().as_deref().and_then(number).unwrap_or(0)),
        _ => {
            eprintln!("simulate messages N [FIRST_SEED], or simulate seed SEED");
            ExitCode::from(2)
        }
    }
}

/// One run in words.
fn one(seed: u64) -> ExitCode {
    let ending = life::live(seed, true, None);
    for line in &ending.log {
        println!("{line}");
    }
    println!("seed {seed}: {} messages, {} violations, hash {:016x}", ending.messages, ending.wrong.len(), ending.hash);
    for what in &ending.wrong {
        println!("  {what}");
    }
    if ending.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs until there were so many messages, or too many violations.
fn many(messages: u64, first_seed: u64) -> ExitCode {
    let begun = Instant::now();
    let (mut done, mut seed, mut bad, mut hash) = (0, first_seed, 0, 0_u64);
    let mut shown = Duration::ZERO;
    while done < messages && bad < 10 {
        let ending = life::live(seed, false, None);
        done += ending.messages;
        hash = hash.rotate_left(7) ^ ending.hash;
        if let Some(first) = ending.wrong.first() {
            bad += 1;
            println!("seed {seed}: {first}\n    again, in words: make simulate SEED={seed}");
        }
        seed += 1;
        if begun.elapsed() - shown > Duration::from_secs(2) {
            shown = begun.elapsed();
            progress(done, messages, bad, shown);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!();
    println!(
        "{done} messages in {} runs, {bad} with violations, {:.0} messages a second, {seconds:.1} s, hash {hash:016x}",
        seed - first_seed,
        done as f64 / seconds
    );
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn progress(done: u64, of: u64, bad: u64, elapsed: Duration) {
    let rate = done as f64 / elapsed.as_secs_f64();
    let left = of.saturating_sub(done) as f64 / rate.max(1.0);
    let width = (30 * done / of.max(1)).min(30) as usize;
    eprint!(
        "\r[{}{}] {done} of {of} messages, {bad} bad, {rate:.0} a second, {left:.0} s left   ",
        "#".repeat(width),
        "-".repeat(30 - width)
    );
}
