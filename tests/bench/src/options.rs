//! What can be asked of the benchmark on its command line.

use std::path::PathBuf;

use crate::placement::Cores;

/// Printed for `--help` and after a mistake.
pub const USAGE: &str = "\
Measures webhook-ingress and an empty lambda_http handler side by side.

usage: bench [--rounds N] [--invocations N] [--ingress PATH] [--cores WHICH]
             [--check]

  --rounds N       fresh processes of each binary, in turn (default 10)
  --invocations N  signed webhooks per process (default 2000)
  --ingress PATH   the binary to measure (default: webhook-ingress beside this program)
  --cores WHICH    together: functions and doubles share one core (default);
                   apart: one core for each side; free: as the scheduler likes
  --check          exit 1 when a target is missed
";

/// The command line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Rounds; each starts one process of each binary.
    pub rounds: usize,
    /// Timed invocations per process.
    pub invocations: usize,
    /// The binary to measure, when not the one beside this program.
    pub ingress: Option<PathBuf>,
    /// Where the processes run.
    pub cores: Cores,
    /// Whether a missed target is a failure.
    pub check: bool,
    /// Whether only the usage is asked for.
    pub help: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: 10, invocations: 2_000, ingress: None, cores: Cores::Together, check: false, help: false }
    }
}

/// A command line that cannot be followed.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OptionsError {
    /// No such option.
    #[error("unknown option {0}")]
    Unknown(String),
    /// The option stands alone.
    #[error("{0} needs a value")]
    NoValue(String),
    /// No such arrangement.
    #[error("--cores needs together, apart or free, not {0}")]
    NoSuchCores(String),
    /// The value is not a whole number from 1 up.
    #[error("{option} needs a whole number from 1 up, not {value}")]
    NotANumber {
        /// The option.
        option: String,
        /// What was given.
        value: String,
    },
}

impl Options {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    /// On the first argument that cannot be followed.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, OptionsError> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(option) = arguments.next() {
            match option.as_str() {
                "--check" => options.check = true,
                "--help" | "-h" => options.help = true,
                "--rounds" => options.rounds = number(option, arguments.next())?,
                "--invocations" => options.invocations = number(option, arguments.next())?,
                "--cores" => options.cores = cores(option, arguments.next())?,
                "--ingress" => {
                    options.ingress = Some(arguments.next().ok_or(OptionsError::NoValue(option))?.into());
                }
                _ => return Err(OptionsError::Unknown(option)),
            }
        }
        Ok(options)
    }
}

pub(crate) fn number(option: String, value: Option<String>) -> Result<usize, OptionsError> {
    let Some(value) = value else {
        return Err(OptionsError::NoValue(option));
    };
    match value.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(OptionsError::NotANumber { option, value }),
    }
}

fn cores(option: String, value: Option<String>) -> Result<Cores, OptionsError> {
    match value.as_deref() {
        None => Err(OptionsError::NoValue(option)),
        Some("together") => Ok(Cores::Together),
        Some("apart") => Ok(Cores::Apart),
        Some("free") => Ok(Cores::Free),
        Some(other) => Err(OptionsError::NoSuchCores(other.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, OptionsError> {
        Options::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn every_option_is_read() {
        let options = parse("--rounds 2 --invocations 30 --ingress a/b --cores apart --check").unwrap();
        let expected = Options {
            rounds: 2,
            invocations: 30,
            ingress: Some("a/b".into()),
            cores: Cores::Apart,
            check: true,
            help: false,
        };
        assert_eq!(options, expected);
        assert!(parse("--help").unwrap().help);
    }

    #[test]
    fn what_cannot_be_followed_is_refused() {
        assert_eq!(parse("--fast"), Err(OptionsError::Unknown("--fast".into())));
        assert_eq!(parse("--ingress"), Err(OptionsError::NoValue("--ingress".into())));
        assert_eq!(parse("--cores 3"), Err(OptionsError::NoSuchCores("3".into())));
        for line in ["--rounds 0", "--rounds x", "--invocations -1"] {
            assert!(matches!(parse(line), Err(OptionsError::NotANumber { .. })), "{line}");
        }
    }
}
