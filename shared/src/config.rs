//! What a program reads at start: environment variables, the settings file, secrets. Everything
//! that is missing or wrong is named at once; nothing has an unauthenticated default.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use crate::domain::settings::{SecretName, Settings};
use crate::wire::settings;

/// Why a function cannot start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this function cannot start:\n{}", .0.join("\n"))]
pub struct CannotStart(pub Vec<String>);

/// The environment of this process, and what was found to be wrong with it.
#[derive(Debug)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    mistakes: Vec<String>,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_this_process() -> Self {
        Self::of(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// An environment of given variables.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), mistakes: Vec::new() }
    }

    /// A variable that may be missing.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A variable that must be there. When it is not, this is noted and [`Environment::finish`]
    /// reports it.
    pub fn needed(&mut self, name: &str) -> String {
        let value = self.optional(name).map(str::to_owned);
        value.unwrap_or_else(|| {
            self.mistakes.push(format!("the environment variable {name} is missing"));
            String::new()
        })
    }

    /// The settings, from the file that `SETTINGS_FILE` names: a path, relative to the function's
    /// own directory (`LAMBDA_TASK_ROOT`).
    pub fn settings(&mut self) -> Settings {
        let name = self.needed("SETTINGS_FILE");
        let root = self.optional("LAMBDA_TASK_ROOT").unwrap_or(".").to_owned();
        if name.is_empty() {
            return Settings::default();
        }
        let path = Path::new(&root).join(&name);
        match std::fs::read_to_string(&path) {
            Ok(text) => settings::parse(&text).unwrap_or_else(|mistakes| {
                self.mistakes.extend(
                    mistakes.0.iter().map(|mistake| format!("{name}, line {}: {}", mistake.line, mistake.message)),
                );
                Settings::default()
            }),
            Err(error) => {
                self.mistakes.push(format!("{name} cannot be read: {error}"));
                Settings::default()
            }
        }
    }

    /// The secrets in a variable: a JSON object of names and values, as the deployment puts it
    /// there.
    pub fn secrets(&mut self, name: &str) -> Secrets {
        let text = self.needed(name);
        if text.is_empty() {
            return Secrets::default();
        }
        serde_json::from_str(&text).map(Secrets).unwrap_or_else(|_| {
            // The text is not repeated, nor is the parser's error, which could quote it.
            self.mistakes.push(format!("{name} must be a JSON object of texts"));
            Secrets::default()
        })
    }

    /// Notes a mistake that the caller found.
    pub fn mistake(&mut self, message: String) {
        self.mistakes.push(message);
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`CannotStart`] with everything that is missing or wrong.
    pub fn finish(self) -> Result<(), CannotStart> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(CannotStart(self.mistakes)) }
    }
}

/// Secrets by name. They show themselves to nobody.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Secrets of given names and values.
    #[must_use]
    pub fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    /// A secret.
    #[must_use]
    pub fn get(&self, name: &SecretName) -> Option<&str> {
        self.0.get(&name.0).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A secret that must be there; noted in the environment when it is not.
    pub fn needed(&self, name: &SecretName, whose: &str, environment: &mut Environment) -> String {
        let value = self.get(name).map(str::to_owned);
        value.unwrap_or_else(|| {
            environment.mistake(format!("the secret \"{}\" of {whose} is missing", name.0));
            String::new()
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} of them)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let mut environment = Environment::of([("EMPTY".to_owned(), String::new())]);
        environment.needed("TABLE_NAME");
        environment.needed("EMPTY");
        environment.secrets("BOT_SECRETS");
        environment.settings();
        let report = environment.finish().unwrap_err().to_string();
        for name in ["TABLE_NAME", "EMPTY", "BOT_SECRETS", "SETTINGS_FILE"] {
            assert!(report.contains(name), "{name} is not in {report}");
        }
    }

    #[test]
    fn secrets_do_not_show_themselves() {
        let mut environment = Environment::of([
            ("S".to_owned(), r#"{"a":"hunter2"}"#.to_owned()),
            ("T".to_owned(), "hunter2".to_owned()),
        ]);
        let secrets = environment.secrets("S");
        environment.secrets("T");
        assert_eq!(secrets.get(&SecretName("a".into())), Some("hunter2"));
        assert!(!format!("{secrets:?}").contains("hunter2"));
        assert!(!environment.finish().unwrap_err().to_string().contains("hunter2"));
    }
}
