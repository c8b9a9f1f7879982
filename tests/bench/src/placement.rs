//! On which cores the measured process and the doubles run.
//!
//! Left to itself the scheduler settles on one arrangement or the other for minutes, and the empty
//! handler costs twice as much when each event wakes another core as when both sides share one. So
//! the arrangement is part of what is measured, and is fixed for a run.

use std::{fmt, io};

/// An arrangement on cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cores {
    /// The process and the doubles share one core, so that a figure is the work alone.
    Together,
    /// The process has a core of its own; each event wakes it from idleness.
    Apart,
    /// As the scheduler likes, for a look at what it does.
    Free,
}

impl fmt::Display for Cores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Together => "together",
            Self::Apart => "apart",
            Self::Free => "free",
        })
    }
}

/// The cores of an arrangement, as far as it fixes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    doubles: Option<usize>,
    process: Option<usize>,
}

impl Placement {
    /// Picks cores among those that this program may use, and moves the calling thread to the core
    /// of the doubles. Threads inherit the core of the thread that starts them, so it is to be
    /// called before any is started.
    ///
    /// # Errors
    /// When the machine has too few cores, or the system (any but Linux) cannot place a thread.
    pub fn fix(cores: Cores) -> io::Result<Self> {
        let placement = match cores {
            Cores::Free => Self { doubles: None, process: None },
            Cores::Together | Cores::Apart => Self::pick(cores, &system::allowed()?)?,
        };
        if let Some(core) = placement.doubles {
            system::move_to(core)?;
        }
        Ok(placement)
    }

    /// The last ones: interrupts tend to go to the first.
    fn pick(cores: Cores, allowed: &[usize]) -> io::Result<Self> {
        let few = || io::Error::new(io::ErrorKind::Unsupported, "too few cores for this arrangement");
        let process = *allowed.last().ok_or_else(few)?;
        let doubles = match (cores, allowed) {
            (Cores::Apart, [.., doubles, _]) => *doubles,
            (Cores::Apart, _) => return Err(few()),
            _ => process,
        };
        Ok(Self { doubles: Some(doubles), process: Some(process) })
    }

    /// Runs `start` where a process that it starts lands on its core: a process inherits the core
    /// of the thread that starts it.
    ///
    /// # Errors
    /// When the system refuses to move the thread there or back.
    pub fn on_process_core<T>(&self, start: impl FnOnce() -> T) -> io::Result<T> {
        if let Some(core) = self.process {
            system::move_to(core)?;
        }
        let started = start();
        if let Some(core) = self.doubles {
            system::move_to(core)?;
        }
        Ok(started)
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::io;

    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub(super) fn allowed() -> io::Result<Vec<usize>> {
        let set = sched_getaffinity(None)?;
        Ok((0..CpuSet::MAX_CPU).filter(|core| set.is_set(*core)).collect())
    }

    pub(super) fn move_to(core: usize) -> io::Result<()> {
        let mut set = CpuSet::new();
        set.set(core);
        Ok(sched_setaffinity(None, &set)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::io;

    pub(super) fn allowed() -> io::Result<Vec<usize>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn move_to(_core: usize) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_picked_from_those_allowed() {
        let pick = |cores, allowed: &[usize]| Placement::pick(cores, allowed).ok().map(|p| (p.doubles, p.process));
        assert_eq!(pick(Cores::Together, &[0, 3]), Some((Some(3), Some(3))));
        assert_eq!(pick(Cores::Apart, &[0, 2, 3]), Some((Some(2), Some(3))));
        assert_eq!(pick(Cores::Apart, &[0]), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_starts_on_its_core_and_the_thread_comes_back() {
        // In a thread of its own, which it leaves pinned.
        let pinned = std::thread::spawn(|| {
            let placement = Placement::fix(Cores::Together).unwrap();
            let there = placement.on_process_core(|| system::allowed().unwrap()).unwrap();
            (placement, there, system::allowed().unwrap())
        });
        let (placement, there, back) = pinned.join().unwrap();
        assert_eq!((Some(there[0]), there.len()), (placement.process, 1));
        assert_eq!((Some(back[0]), back.len()), (placement.doubles, 1));
    }
}
