//! The table of a run: medians over the rounds, ratios, and the targets beside them.

use std::fmt::Write as _;
use std::time::Duration;

use crate::measure::Sample;

/// One round: both binaries, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The empty handler's figures.
    pub empty: Sample,
    /// `webhook-ingress`'s figures.
    pub ingress: Sample,
}

/// Sizes of the two binaries.
#[derive(Clone, Copy, Debug)]
pub struct BinarySizes {
    /// The empty handler.
    pub empty_bytes: u64,
    /// `webhook-ingress`.
    pub ingress_bytes: u64,
}

/// What a figure is held against.
#[derive(Clone, Copy, Debug)]
enum Target {
    None,
    /// Most for the median of the rounds' ratios.
    Ratio(f64),
    /// Most for the median of `webhook-ingress`, in the figure's unit.
    AtMost(f64),
    /// Exactly this in every round.
    Exactly(u64),
}

struct Figure {
    name: &'static str,
    decimals: usize,
    value: fn(&Sample) -> f64,
    target: Target,
}

const FIGURES: [Figure; 11] = [
    Figure { name: "init, CPU ms", decimals: 2, value: |s| ms(s.init_cpu), target: Target::Ratio(2.2) },
    Figure { name: "init, wall ms", decimals: 2, value: |s| ms(s.init_wall), target: Target::None },
    Figure { name: "first invocation, ms", decimals: 2, value: |s| ms(s.first), target: Target::AtMost(2.0) },
    Figure { name: "p50, µs", decimals: 0, value: |s| us(s.p50), target: Target::None },
    Figure { name: "p99, µs", decimals: 0, value: |s| us(s.p99), target: Target::None },
    Figure {
        name: "CPU µs / invocation",
        decimals: 1,
        value: |s| us(s.cpu_per_invocation),
        target: Target::Ratio(4.5),
    },
    Figure { name: "memory, peak MB", decimals: 2, value: |s| mb(s.peak_bytes), target: Target::Ratio(2.5) },
    Figure { name: "memory, resident MB", decimals: 2, value: |s| mb(s.resident_bytes), target: Target::None },
    Figure { name: "SQS calls in init", decimals: 0, value: |s| s.init_calls as f64, target: Target::None },
    Figure {
        name: "SQS calls, unsigned request",
        decimals: 0,
        value: |s| s.calls_unsigned as f64,
        target: Target::Exactly(0),
    },
    Figure {
        name: "SQS calls, signed webhook",
        decimals: 0,
        value: |s| s.calls_signed as f64,
        target: Target::Exactly(1),
    },
];

/// The table, and what it shows to be missed.
#[derive(Debug)]
pub struct Report {
    /// Markdown.
    pub table: String,
    /// The names of the figures that miss their targets.
    pub missed: Vec<&'static str>,
}

/// Puts the rounds together. Each ratio is taken within its round, so that what disturbs the
/// machine for a while disturbs both sides; then the median is taken.
#[must_use]
pub fn report(pairs: &[Pair], sizes: BinarySizes) -> Report {
    let mut table = String::from(
        "| | empty `lambda_http` | `webhook-ingress` | ratio (least to most) | target | |\n|---|---:|---:|---:|---:|---|\n",
    );
    let mut missed = Vec::new();
    for figure in &FIGURES {
        let empty = median(pairs.iter().map(|pair| (figure.value)(&pair.empty)));
        let ingress = median(pairs.iter().map(|pair| (figure.value)(&pair.ingress)));
        let ratios = pairs.iter().map(|pair| (figure.value)(&pair.ingress) / (figure.value)(&pair.empty));
        let ratios: Vec<f64> = ratios.filter(|ratio| ratio.is_finite()).collect();
        let ratio = median(ratios.iter().copied());
        let (target, met) = match figure.target {
            Target::None => (String::new(), None),
            Target::Ratio(most) => (format!("≤ {most}×"), Some(ratio <= most)),
            Target::AtMost(most) => (format!("≤ {most}"), Some(ingress <= most)),
            Target::Exactly(count) => {
                let in_all = pairs.iter().all(|pair| (figure.value)(&pair.ingress) == count as f64);
                (count.to_string(), Some(in_all))
            }
        };
        if met == Some(false) {
            missed.push(figure.name);
        }
        let verdict = met.map_or("", |met| if met { "met" } else { "**missed**" });
        let decimals = figure.decimals;
        // Writing to a String cannot fail.
        let _ = writeln!(
            table,
            "| {} | {empty:.decimals$} | {ingress:.decimals$} | {} | {target} | {verdict} |",
            figure.name,
            ratio_cell(ratio, &ratios),
        );
    }
    let (empty, ingress) = (mb(sizes.empty_bytes), mb(sizes.ingress_bytes));
    let _ = writeln!(table, "| binary, MB | {empty:.2} | {ingress:.2} | {:.2} | | |", ingress / empty);
    Report { table, missed }
}

fn ratio_cell(ratio: f64, ratios: &[f64]) -> String {
    if ratios.is_empty() {
        return String::new();
    }
    let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let most = ratios.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{ratio:.2} ({least:.2} to {most:.2})")
}

/// The middle value, or the mean of the two middle ones; not a number when there is none, which
/// meets no target.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => f64::midpoint(values[length / 2 - 1], values[length / 2]),
    }
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn us(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(factor: u32, calls_signed: u64) -> Sample {
        Sample {
            init_cpu: Duration::from_millis(1) * factor,
            init_wall: Duration::from_millis(2) * factor,
            first: Duration::from_micros(500) * factor,
            p50: Duration::from_micros(50) * factor,
            p99: Duration::from_micros(90) * factor,
            cpu_per_invocation: Duration::from_micros(60) * factor,
            peak_bytes: 3_000_000 * u64::from(factor),
            resident_bytes: 3_000_000 * u64::from(factor),
            init_calls: 0,
            calls_signed,
            calls_unsigned: 0,
        }
    }

    const SIZES: BinarySizes = BinarySizes { empty_bytes: 1_600_000, ingress_bytes: 5_000_000 };

    #[test]
    fn a_ratio_is_taken_within_its_round_before_the_median() {
        // The machine is slow in one round of three: the ratio of the medians would be 4.
        let pairs = [(1, 2), (2, 4), (8, 16)].map(|(e, i)| Pair { empty: sample(e, 0), ingress: sample(i, 1) });
        let report = report(&pairs, SIZES);
        assert!(report.table.contains("| init, CPU ms | 2.00 | 4.00 | 2.00 (2.00 to 2.00) | ≤ 2.2× | met |"));
        assert!(report.table.contains("| binary, MB | 1.60 | 5.00 | 3.12 |"), "{}", report.table);
        assert_eq!(report.missed, Vec::<&str>::new());
    }

    #[test]
    fn each_missed_target_is_named() {
        let pair = Pair { empty: sample(1, 0), ingress: sample(5, 2) };
        let expected = [
            "init, CPU ms",
            "first invocation, ms",
            "CPU µs / invocation",
            "memory, peak MB",
            "SQS calls, signed webhook",
        ];
        assert_eq!(report(&[pair], SIZES).missed, expected);
    }

    #[test]
    fn a_ratio_to_nothing_meets_no_target() {
        let pair = Pair { empty: sample(0, 0), ingress: sample(1, 1) };
        assert!(report(&[pair], SIZES).missed.contains(&"init, CPU ms"));
    }

    #[test]
    fn the_median_of_an_even_count_is_between_the_middle_two() {
        assert!((median([4.0, 1.0, 3.0, 2.0].into_iter()) - 2.5).abs() < f64::EPSILON);
        assert!(median(std::iter::empty()).is_nan());
    }
}
