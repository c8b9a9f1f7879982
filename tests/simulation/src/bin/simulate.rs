//! `make simulate`: many random lives, or one of them in words.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use simulation::exhaustive::{self, Share, Way};
use simulation::mutants::Mutant;
use simulation::run::{Ending, View};
use simulation::{lateness, life, recovery, relay, ruled, scenes};

fn number(text: &str) -> Option<u64> {
    text.replace(['_', ','], "").parse().ok()
}

/// How a kind of life is run: of a seed, in words or not.
type Live = fn(u64, bool, Option<Mutant>) -> Ending;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match (arguments.next().as_deref(), arguments.next().as_deref().and_then(number)) {
        (Some("seed"), Some(seed)) => one(seed),
        (Some("ruled"), Some(seed)) => told(seed, &ruled::life::live(seed, true, None)),
        (Some("chat"), Some(seed)) => told(seed, &relay::life::live(seed, true, None)),
        (Some(what @ ("messages" | "chats" | "conversations" | "rules")), Some(messages)) => {
            many(what, messages, arguments.next().as_deref().and_then(number).unwrap_or(0))
        }
        (Some("exhaustive"), Some(most)) => exhaustive(most, arguments.next().as_deref()),
        (Some("sameness"), Some(most)) => sameness(most, arguments.next().as_deref().and_then(number).unwrap_or(1)),
        (Some("schedule"), _) => schedule(&std::env::args().skip(2).collect::<Vec<_>>()),
        (Some("dead"), Some(seed)) => told(seed, &recovery::consumers_dead(seed, true, None)),
        (Some("dead-chat"), Some(seed)) => told(seed, &relay::recovery::consumers_dead(seed, true, None)),
        (Some("unswept"), Some(seed)) => told(seed, &life::live_unswept(seed, true, None)),
        (Some("mutants"), Some(seeds)) => mutants(seeds),
        (Some("late"), Some(runs)) => late(runs, arguments.next().as_deref().and_then(number)),
        (Some("scenes"), _) => all_scenes(),
        (Some("scene"), Some(number)) => scene(number, arguments.next().as_deref()),
        (Some("wiped"), Some(seed)) => told(seed, &recovery::rows_lost(seed, true)),
        (Some("wiped-ruled"), Some(seed)) => told(seed, &recovery::ruled_rows_lost(seed, true)),
        _ => {
            eprintln!(
                "simulate messages|chats|conversations|rules N [FIRST_SEED], seed SEED, chat SEED, ruled SEED, exhaustive FAULTS [PART/OF], sameness FAULTS [ONE_OF], schedule CALL:KIND …, dead SEED, dead-chat SEED, wiped SEED, wiped-ruled SEED, unswept SEED, mutants SEEDS, late RUNS [SECONDS], scenes, scene NUMBER [MUTANT]"
            );
            ExitCode::from(2)
        }
    }
}

/// One run in words.
fn one(seed: u64) -> ExitCode {
    told(seed, &life::live(seed, true, None))
}

/// A run in words.
fn told(seed: u64, ending: &Ending) -> ExitCode {
    for line in &ending.log {
        println!("{line}");
    }
    println!("seed {seed}: {} messages, {} violations, hash {:016x}", ending.messages, ending.wrong.len(), ending.hash);
    for what in &ending.wrong {
        println!("  {what}");
    }
    if ending.wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs until there were so many messages, or too many violations: of each seed the life of conversations
/// in Intercom, that with rules and notes, that of chats at bot platforms, or all of them.
fn many(what: &str, messages: u64, first_seed: u64) -> ExitCode {
    let begun = Instant::now();
    let (mut done, mut seed, mut bad, mut hash) = (0, first_seed, 0, 0_u64);
    let (mut replies, mut echoes, mut relayed) = (0, 0, 0);
    let (mut ruled, mut offers, mut sent) = (0, 0, 0);
    let mut shown = Duration::ZERO;
    while done < messages && bad < 10 {
        let kinds: [(&str, &str, Live); 3] = [
            ("conversations", "SEED", life::live),
            ("rules", "RULED", ruled::life::live),
            ("chats", "CHAT", relay::life::live),
        ];
        for (kind, name, live) in kinds.into_iter().filter(|(kind, ..)| what == "messages" || what == *kind) {
            let ending = live(seed, false, None);
            done += ending.messages;
            match kind {
                "chats" => relayed += ending.messages,
                "rules" => ruled += ending.messages,
                _ => {}
            }
            offers += ending.tally.offers;
            sent += ending.tally.sent;
            replies += ending.tally.replies;
            echoes += ending.tally.echoes;
            hash = hash.rotate_left(7) ^ ending.hash;
            if let Some(first) = ending.wrong.first() {
                bad += 1;
                println!("seed {seed}: {first}\n    again, in words: make simulate {name}={seed}");
            }
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
        "{done} messages of {} seeds, {bad} with violations, {:.0} messages a second, {seconds:.1} s, hash {hash:016x}",
        seed - first_seed,
        done as f64 / seconds
    );
    println!("{relayed} of them in bot platforms' chats; {ruled} under rules; {replies} replies, {echoes} echoes");
    println!("{offers} answers were kept for teammates, {sent} of them sent");
    if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every directed world.
fn all_scenes() -> ExitCode {
    let mut good = true;
    for (number, scene) in scenes::ALL.iter().enumerate() {
        let begun = Instant::now();
        let ending = (scene.play)(View::default());
        let what = ending.wrong.first().map_or("", String::as_str);
        good &= ending.wrong.is_empty();
        println!(
            "{number:>3}  {:<4} {:<48} {:>5} messages {:>7.2} s  {what}",
            scene.row,
            scene.name,
            ending.messages,
            begun.elapsed().as_secs_f64()
        );
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// So many runs for every lateness of a request, or one of them, by its number, in words.
fn late(runs: u64, one_s: Option<u64>) -> ExitCode {
    if let Some(late_s) = one_s {
        return told(runs, &lateness::live(late_s * 1_000, 0, 0, runs, View { words: true, ..View::default() }).0);
    }
    let mut good = true;
    println!("late s  old s  off s   runs  too many  noticed  slowest s  wrong");
    let each = (0..=150).step_by(2).flat_map(|late_s| [(late_s, 0, 0), (late_s, 8, 0), (late_s, 0, 600)]);
    for (late_s, stale_s, skew_s) in each {
        let figures = lateness::all(late_s * 1_000, stale_s * 1_000, skew_s * 1_000, 0..runs);
        let (surplus, noticed, slowest) = (figures.surplus, figures.noticed, figures.slowest_ms / 1_000);
        let first = figures.wrong.first().map_or(String::new(), |(seed, what)| format!("seed {seed}: {what}"));
        println!(
            "{late_s:>6} {stale_s:>6} {skew_s:>6} {:>6} {surplus:>9} {noticed:>8} {slowest:>10}  {} {first}",
            figures.runs,
            figures.wrong.len()
        );
        good &= figures.wrong.is_empty();
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One of them in words, with a mutant where one is named.
fn scene(number: u64, mutant: Option<&str>) -> ExitCode {
    let Some(scene) = scenes::ALL.get(number as usize) else { return ExitCode::from(2) };
    let mutant = mutant.and_then(|name| Mutant::all().into_iter().find(|mutant| format!("{mutant:?}") == name));
    told(number, &(scene.play)(View { words: true, mutant, ..View::default() }))
}

/// Every schedule of up to so many faults.
fn exhaustive(most: u64, share: Option<&str>) -> ExitCode {
    let share = share.and_then(|text| text.split_once('/')).and_then(|(part, of)| Some((number(part)?, number(of)?)));
    let (part, of) = share.unwrap_or((0, 1));
    let begun = Instant::now();
    let share = Share { part: part as u32, of: of.max(1) as u32 };
    let count = exhaustive::all(Way { share, ..Way::of(most as usize) }, |count| {
        let all: u64 = count.schedules.iter().sum();
        eprint!(
            "\r{:?} schedules, {} bad, {} worlds, {:.0} a second   ",
            count.schedules,
            count.bad.len(),
            count.worlds,
            all as f64 / begun.elapsed().as_secs_f64()
        );
    });
    eprintln!();
    for (schedule, what) in &count.bad {
        let words: Vec<String> = schedule.iter().map(|(call, kind)| format!("{call}:{kind}")).collect();
        println!("{}: {what}", words.join(" "));
    }
    println!(
        "schedules played, by number of faults: {:?}; {} of them led into the world of another; {} worlds, {} bad, {:.1} s",
        count.schedules,
        count.merged,
        count.worlds,
        count.bad.len(),
        begun.elapsed().as_secs_f64()
    );
    if count.bad.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether the same follows from worlds that are the same.
fn sameness(most: u64, one_of: u64) -> ExitCode {
    let compared = exhaustive::compare(most as usize, one_of.max(1) as usize, None);
    compared.different.iter().take(20).for_each(|what| println!("{what}"));
    println!(
        "{} schedules, {} worlds, {} times come to again, {} times something else followed",
        compared.schedules,
        compared.worlds,
        compared.again,
        compared.different.len()
    );
    if compared.different.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What kills each mutant: a directed world, or one of so many lives of each kind.
fn mutants(seeds: u64) -> ExitCode {
    let mut survivors = Vec::new();
    println!("{:<28} {:<52}  killed by", "mutant", "in");
    for mutant in Mutant::all() {
        let name = format!("{mutant:?}");
        match mutant.killer(seeds) {
            Some((world, what)) => println!("{name:<28} {world:<52}  {what}"),
            None => survivors.push(name),
        }
    }
    println!("{} killed; alive: {survivors:?}", Mutant::all().len() - survivors.len());
    if survivors.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One schedule in words.
fn schedule(words: &[String]) -> ExitCode {
    let one =
        |word: &String| word.split_once(':').and_then(|(call, kind)| Some((call.parse().ok()?, kind.parse().ok()?)));
    let schedule = words.iter().filter_map(one).collect();
    told(0, &exhaustive::play_one(&schedule, false, View { words: true, ..View::default() }))
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
