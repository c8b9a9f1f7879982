//! What can be asked of `bench sandbox` on its command line.

use std::path::PathBuf;

use crate::options::{OptionsError, number};

/// Printed for `bench sandbox --help` and after a mistake.
pub const USAGE: &str = "\
Measures the Intercom sandbox: the server on one core, the clients on another.

usage: bench sandbox [--rounds N] [--requests N] [--connections N] [--large N]
                     [--baton PATH] [--data] [--check]

  --rounds N       every figure is measured so often, in turn (default 3)
  --requests N     requests of a figure in a round (default 1000)
  --connections N  clients that send one request after the other (default 4)
  --large N        conversations in the large workspace (default 20000)
  --baton PATH     the binary to measure (default: baton beside this program)
  --data           let the sandbox keep everything in a directory as well
  --check          exit 1 when a target is missed
";

/// The command line, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How often everything is measured.
    pub rounds: usize,
    /// Requests of one figure in a round.
    pub requests: usize,
    /// Clients at once.
    pub connections: usize,
    /// Conversations in the large workspace.
    pub large: usize,
    /// The binary, when not the one beside this program.
    pub baton: Option<PathBuf>,
    /// Whether the sandbox keeps a directory.
    pub data: bool,
    /// Whether a missed target is a failure.
    pub check: bool,
    /// Whether only the usage is asked for.
    pub help: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rounds: 3,
            requests: 1_000,
            connections: 4,
            large: 20_000,
            baton: None,
            data: false,
            check: false,
            help: false,
        }
    }
}

impl Options {
    /// Reads the arguments after `sandbox`.
    ///
    /// # Errors
    /// On the first argument that cannot be followed.
    pub fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, OptionsError> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(option) = arguments.next() {
            match option.as_str() {
                "--data" => options.data = true,
                "--check" => options.check = true,
                "--help" | "-h" => options.help = true,
                "--rounds" => options.rounds = number(option, arguments.next())?,
                "--requests" => options.requests = number(option, arguments.next())?,
                "--connections" => options.connections = number(option, arguments.next())?,
                "--large" => options.large = number(option, arguments.next())?,
                "--baton" => options.baton = Some(arguments.next().ok_or(OptionsError::NoValue(option))?.into()),
                _ => return Err(OptionsError::Unknown(option)),
            }
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_is_read_and_others_are_refused() {
        let parse = |line: &str| Options::parse(line.split_whitespace().map(str::to_owned));
        let line = "--rounds 2 --requests 30 --connections 5 --large 60 --baton a/b --data --check";
        let expected = Options {
            rounds: 2,
            requests: 30,
            connections: 5,
            large: 60,
            baton: Some("a/b".into()),
            data: true,
            check: true,
            help: false,
        };
        assert_eq!(parse(line), Ok(expected));
        assert!(parse("--help").unwrap().help);
        assert_eq!(parse("--fast"), Err(OptionsError::Unknown("--fast".into())));
        assert!(parse("--requests 0").is_err());
    }
}
