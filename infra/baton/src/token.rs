//! The access tokens of a deployment's workspaces: putting one, and who has one. A token comes from
//! a file or standard input, never from an argument, which every process on the machine can read; it
//! leaves sealed, and is shown by nothing here.
//!
//! A put that dies on the way has put nothing, or all; putting again is safe.

use std::io::Read as _;
use std::path::Path;

use shared::adapters::clock::SystemClock;
use shared::adapters::connection::Connection;
use shared::adapters::kms::KmsKey;
use shared::adapters::token_owner::owner_of;
use shared::adapters::token_rows::TokenTable;
use shared::app::tokens;
use shared::domain::ids::AppId;
use shared::domain::settings::{Settings, Workspace};
use shared::domain::token::AccessToken;
use shared::ports::{Clock as _, NotKept, TokenRows as _, Unavailable};

/// The longest file that is read as a token, in bytes.
const MAX_FILE_BYTES: u64 = 8 * 1024;

/// Why it cannot be done. No text of it has a token in it.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The settings have no such workspace.
    #[error("the settings have no workspace {app_id}; they have {}", known.join(", "))]
    NoWorkspace {
        /// Which was named.
        app_id: String,
        /// Which there are.
        known: Vec<String>,
    },
    /// The token cannot be read.
    #[error("the token cannot be read: {0}")]
    Unreadable(String),
    /// Intercom does not say whose the token is.
    #[error("it is not known whose the token is: {0}\nNothing was put. `--unchecked` puts it all the same")]
    Unchecked(String),
    /// It is the token of another workspace.
    #[error("the token is workspace {0}'s, so nothing was put")]
    OfAnother(AppId),
    /// The stack's table is not to be found.
    #[error(
        "{found} tables begin with {stack}-Table- in this region, and one is needed (is the stack's name right?); \
         `--table` names it: the stack's output TableName"
    )]
    NoTable {
        /// The stack.
        stack: String,
        /// How many there are.
        found: usize,
    },
    /// AWS refuses, or does not answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// It was not kept.
    #[error("nothing was put: {0}")]
    NotKept(#[from] NotKept),
}

/// Reads a token from a file, or from standard input.
///
/// # Errors
/// [`TokenError::Unreadable`].
pub fn read(file: Option<&Path>) -> Result<AccessToken, TokenError> {
    let mut text = String::new();
    let read = match file {
        Some(path) => std::fs::File::open(path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_string(&mut text)),
        None => std::io::stdin().lock().take(MAX_FILE_BYTES).read_to_string(&mut text),
    };
    read.map_err(|error| TokenError::Unreadable(error.to_string()))?;
    AccessToken::parse(text.trim()).map_err(|error| TokenError::Unreadable(error.to_string()))
}

/// The tokens of a stack.
#[derive(Debug)]
pub struct AccessTokens {
    connection: Connection,
    stack: String,
    rows: TokenTable,
}

impl AccessTokens {
    /// Those of this stack, in this table, or in the one that is the stack's by its name.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn of(connection: Connection, stack: &str, table: Option<String>) -> Result<Self, TokenError> {
        let client = connection.dynamodb();
        let table = table_of(&connection, stack, table).await?;
        Ok(Self { rows: TokenTable::new(client, table), connection, stack: stack.to_owned() })
    }

    /// Puts a workspace's token, in the place of the one before; says what was done. `checked` asks
    /// Intercom first whose it is.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn put(
        &self,
        settings: &Settings,
        app_id: &str,
        token: &AccessToken,
        checked: bool,
    ) -> Result<String, TokenError> {
        let workspace = find(settings, app_id)?;
        if checked {
            let owner = owner_of(workspace, token).await.map_err(TokenError::Unchecked)?;
            if owner != workspace.app_id {
                return Err(TokenError::OfAnother(owner));
            }
        }
        let key = KmsKey::new(self.connection.kms(), format!("alias/{}-tokens", self.stack));
        let row = tokens::put(&self.rows, &key, &workspace.app_id, token, SystemClock.now()).await?;
        Ok(format!("{app_id}: token {} is put; the functions use it within five minutes", row.version))
    }

    /// Which workspaces of the settings have a token, and since when.
    ///
    /// # Errors
    /// [`TokenError`].
    pub async fn list(&self, settings: &Settings) -> Result<Vec<String>, TokenError> {
        let mut lines = Vec::new();
        for app_id in settings.workspaces.keys() {
            lines.push(match self.rows.sealed(app_id).await? {
                Some(row) => {
                    let since = crate::sandbox::clock::iso_8601(row.since.seconds());
                    format!("{app_id}: token {}, since {since}", row.version)
                }
                None => format!("{app_id}: none, so nothing can be said there"),
            });
        }
        Ok(lines)
    }
}

/// The table that is named, or the one that is the stack's by its name.
///
/// # Errors
/// [`TokenError::NoTable`], [`TokenError::Unavailable`].
pub async fn table_of(connection: &Connection, stack: &str, table: Option<String>) -> Result<String, TokenError> {
    if let Some(table) = table {
        return Ok(table);
    }
    let tables = shared::adapters::dynamodb::tables(&connection.dynamodb(), &format!("{stack}-Table-")).await?;
    let found = tables.len();
    let only = tables.into_iter().next().filter(|_| found == 1);
    only.ok_or_else(|| TokenError::NoTable { stack: stack.to_owned(), found })
}

fn find<'a>(settings: &'a Settings, app_id: &str) -> Result<&'a Workspace, TokenError> {
    let found = settings.workspaces.values().find(|workspace| workspace.app_id.as_str() == app_id);
    found.ok_or_else(|| TokenError::NoWorkspace {
        app_id: app_id.to_owned(),
        known: settings.workspaces.keys().map(ToString::to_string).collect(),
    })
}
