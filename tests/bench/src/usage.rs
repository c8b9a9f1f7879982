//! What a process has cost so far, read from `/proc` (Linux only).

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

/// The kernel counts in `/proc/<pid>/stat` in hundredths of a second on every architecture.
const TICK: Duration = Duration::from_millis(10);
/// How long a process must stand still before its counters are taken as final.
const STILL: Duration = Duration::from_millis(2);
/// How long to wait for that.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(2);

/// Memory of a process.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Most resident so far (`VmHWM`), which is what Lambda reports as "Max Memory Used".
    pub peak_bytes: u64,
    /// Resident now (`VmRSS`).
    pub resident_bytes: u64,
}

/// CPU time (user and system, all threads) of a process once it has come to rest: every thread
/// asleep and no time spent for 2 ms. So work that a function leaves behind after its answer, or
/// after it asked for an event, is counted.
///
/// The scheduler's counters are in nanoseconds and exact for a thread that sleeps. They leave out
/// threads that have ended, which `/proc/<pid>/stat` includes, but in steps of 10 ms and rounded
/// down; so the greater of the two is the better.
///
/// # Errors
/// When the process is gone, does not come to rest within 2 s, or `/proc` is not what it is on Linux.
pub fn settled_cpu(pid: u32) -> io::Result<Duration> {
    let start = Instant::now();
    let mut before = threads_cpu(pid)?;
    loop {
        thread::sleep(STILL);
        let after = threads_cpu(pid)?;
        if after.asleep && before.asleep && after.cpu == before.cpu {
            return Ok(after.cpu.max(process_cpu(pid)?));
        }
        if start.elapsed() > SETTLE_TIMEOUT {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("process {pid} does not come to rest")));
        }
        before = after;
    }
}

/// Memory of a process.
///
/// # Errors
/// When the process is gone, or `/proc` is not what it is on Linux.
pub fn memory(pid: u32) -> io::Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| unreadable("status"))
    };
    Ok(Memory { peak_bytes: bytes("VmHWM")?, resident_bytes: bytes("VmRSS")? })
}

struct Threads {
    cpu: Duration,
    asleep: bool,
}

fn threads_cpu(pid: u32) -> io::Result<Threads> {
    let mut threads = Threads { cpu: Duration::ZERO, asleep: true };
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let thread = thread?.path();
        // Before the counter: a thread found asleep has its time accounted for.
        let stat = fs::read_to_string(thread.join("stat"));
        let schedstat = fs::read_to_string(thread.join("schedstat"));
        let (Ok(stat), Ok(schedstat)) = (stat, schedstat) else {
            // The thread ended in between, so the process is not at rest.
            threads.asleep = false;
            continue;
        };
        threads.asleep &= stat_field(&stat, 0).is_some_and(|state| state == "S");
        let nanos = schedstat.split(' ').next().and_then(|nanos| nanos.parse().ok());
        threads.cpu += Duration::from_nanos(nanos.ok_or_else(|| unreadable("schedstat"))?);
    }
    Ok(threads)
}

fn process_cpu(pid: u32) -> io::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // utime and stime are the 14th and 15th fields; the state is the third.
    let ticks = |index| stat_field(&stat, index).and_then(|ticks| ticks.parse::<u32>().ok());
    let total = ticks(11).zip(ticks(12)).map(|(user, system)| TICK * (user + system));
    total.ok_or_else(|| unreadable("stat"))
}

/// A field after the command's name, which is in parentheses and may hold anything.
fn stat_field(stat: &str, index: usize) -> Option<&str> {
    stat.rsplit_once(") ")?.1.split_ascii_whitespace().nth(index)
}

fn unreadable(file: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("cannot read /proc/<pid>/{file}"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_at_rest_has_spent_little_and_holds_memory() {
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let cpu = settled_cpu(child.id());
        let memory = memory(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        let cpu = cpu.unwrap();
        assert!(cpu > Duration::ZERO && cpu < Duration::from_secs(1), "{cpu:?}");
        let memory = memory.unwrap();
        assert!(memory.peak_bytes >= memory.resident_bytes && memory.resident_bytes > 0);
    }

    #[test]
    fn a_busy_process_is_not_read_before_it_rests() {
        // Spins for a known amount of CPU time, then waits for its end.
        let spin = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; read -r line";
        let mut child = Command::new("sh").args(["-c", spin]).stdin(Stdio::piped()).spawn().unwrap();
        let first = settled_cpu(child.id());
        let second = settled_cpu(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(first.unwrap(), second.unwrap());
    }

    #[test]
    fn a_command_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "1 (a) b) S 2 3 4 5 6 7 8 9 10 11 70 30 14";
        assert_eq!(
            (stat_field(stat, 0), stat_field(stat, 11), stat_field(stat, 12)),
            (Some("S"), Some("70"), Some("30"))
        );
    }
}
