//! The figures of the sandbox as a table, and which of them miss their target.

use std::fmt::Write;
use std::time::Duration;

use super::client::Run;

/// Requests a second of one core, at 20 parts, that load tests of a bridge need.
pub(crate) const TARGET_PER_SECOND: f64 = 2_000.0;

/// One figure in one round.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// CPU time of the server for a request, with the webhooks that it caused.
    pub(crate) cpu: Duration,
}

impl Sample {
    /// `cpu` is what the server spent on all of them.
    pub(crate) fn of(run: &Run, cpu: Duration) -> Self {
        let count = run.latencies.len().max(1);
        let percentile = |percent: usize| {
            let rank = (run.latencies.len() * percent).div_ceil(100).saturating_sub(1);
            run.latencies.get(rank).copied().unwrap_or_default()
        };
        Self {
            per_second: count as f64 / run.elapsed.as_secs_f64(),
            p50: percentile(50),
            p99: percentile(99),
            cpu: cpu.div_f64(count as f64),
        }
    }
}

/// One row of the table: a figure in all rounds.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Whether the target is one for it.
    pub(crate) has_target: bool,
    pub(crate) samples: Vec<Sample>,
}

impl Row {
    fn median<T: PartialOrd + Copy>(&self, of: impl Fn(&Sample) -> T) -> Option<T> {
        let mut values: Vec<T> = self.samples.iter().map(of).collect();
        values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
        values.get(values.len() / 2).copied()
    }

    /// How many requests a second of the server's CPU time is enough for: what one core bears.
    fn borne(&self) -> f64 {
        let cpu = self.median(|sample| sample.cpu).unwrap_or_default();
        if cpu.is_zero() { 0.0 } else { 1.0 / cpu.as_secs_f64() }
    }

    /// Why it misses its target, if it does. What else the machine does has no say in it.
    pub(crate) fn missed(&self) -> Option<String> {
        let (name, per_second) = (&self.name, self.borne());
        if !self.has_target {
            return None;
        }
        (per_second < TARGET_PER_SECOND).then(|| format!("{name}: {per_second:.0}/s, less than {TARGET_PER_SECOND}/s"))
    }
}

/// The table of medians.
pub(crate) fn table(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    let mut text =
        format!("{:width$}  {:>10}  {:>8}  {:>8}  {:>12}\n", "", "requests/s", "p50 ms", "p99 ms", "CPU µs each");
    for row in rows {
        let ms = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64() * 1e3;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{:width$}  {:>10.0}  {:>10.0}  {:>8.2}  {:>8.2}  {:>12}{}",
            row.name,
            row.borne(),
            row.median(|sample| sample.per_second).unwrap_or_default(),
            ms(row.median(|sample| sample.p50)),
            ms(row.median(|sample| sample.p99)),
            row.median(|sample| sample.cpu).unwrap_or_default().as_micros(),
            if row.has_target { "  *" } else { "" },
        );
    }
    let _ = writeln!(
        text,
        "\nA core bears so many requests a second: one second by the CPU time of each. So many passed on this\nmachine, with all else it did. * has a target: a core bears {TARGET_PER_SECOND}."
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cpu_micros: [u64; 3], has_target: bool) -> Row {
        let sample = |cpu| Sample {
            per_second: 321.0,
            p50: Duration::from_micros(1_500),
            p99: Duration::from_millis(3),
            cpu: Duration::from_micros(cpu),
        };
        Row { name: "reply".to_owned(), has_target, samples: cpu_micros.map(sample).into() }
    }

    #[test]
    fn the_median_of_the_rounds_has_to_meet_the_target() {
        assert!(row([900, 400, 300], true).missed().is_none());
        assert!(row([900, 625, 300], true).missed().unwrap().contains("1600/s"));
        assert!(row([9_000; 3], false).missed().is_none());
        let table = table(&[row([900, 400, 300], true)]);
        assert!(table.contains("2500") && table.contains("321") && table.contains("1.50"), "{table}");
    }

    #[test]
    fn a_sample_counts_requests_and_shares_the_cpu_among_them() {
        let latencies = (1..=200).map(Duration::from_micros).collect();
        let run = Run { elapsed: Duration::from_millis(100), latencies };
        let sample = Sample::of(&run, Duration::from_millis(20));
        assert_eq!(sample.per_second, 2_000.0);
        assert_eq!((sample.p50, sample.p99), (Duration::from_micros(100), Duration::from_micros(198)));
        assert_eq!(sample.cpu, Duration::from_micros(100));
    }
}
