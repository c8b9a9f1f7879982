//! The workspaces' access tokens: kept sealed, opened at first use, and known for five minutes.
//!
//! So a new token is used without a deployment, a revoked one is forgotten, and when the table or
//! the key cannot be reached, work goes on for as long with what is known; then it waits in its
//! queue. Nothing is used that could not be opened for exactly its workspace.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::domain::ids::{AppId, Timestamp};
use crate::domain::token::{AccessToken, Binding, SealedToken};
use crate::ports::{Clock, NoToken, NotKept, Seals, TokenRows, Tokens};

/// How long a token is used without looking whether there is another, in milliseconds.
pub const KNOWN_MS: u64 = 300_000;

/// The tokens, as a worker uses them.
#[derive(Debug, Clone)]
pub struct Vault<R, S, C> {
    rows: R,
    seals: S,
    clock: C,
    known: RefCell<BTreeMap<AppId, (AccessToken, Timestamp)>>,
}

impl<R: TokenRows, S: Seals, C: Clock> Vault<R, S, C> {
    /// The tokens of these rows, which these seals open.
    #[must_use]
    pub fn new(rows: R, seals: S, clock: C) -> Self {
        Self { rows, seals, clock, known: RefCell::default() }
    }

    /// The token as it is now; from here on known.
    async fn read(&self, app_id: &AppId) -> Result<AccessToken, NoToken> {
        let read_at = self.clock.now();
        let opened = self.open(app_id).await;
        match &opened {
            Ok(token) => {
                self.known.borrow_mut().insert(app_id.clone(), (token.clone(), read_at));
            }
            Err(NoToken::Missing | NoToken::Spoilt) => {
                self.known.borrow_mut().remove(app_id);
            }
            Err(NoToken::Unavailable(_)) => {}
        }
        opened
    }

    async fn open(&self, app_id: &AppId) -> Result<AccessToken, NoToken> {
        let row = self.rows.sealed(app_id).await?.ok_or(NoToken::Missing)?;
        // The workspace is the one that asks, whatever the row says of itself.
        let binding = Binding { app_id: app_id.clone(), version: row.version };
        self.seals.open(&binding, &row.sealed).await
    }
}

impl<R: TokenRows, S: Seals, C: Clock> Tokens for Vault<R, S, C> {
    async fn token(&self, app_id: &AppId) -> Result<AccessToken, NoToken> {
        let now = self.clock.now();
        let known = self.known.borrow().get(app_id).cloned();
        match known {
            // A clock that was set back must not make a token known for longer.
            Some((token, read_at)) if (read_at..read_at.plus_ms(KNOWN_MS)).contains(&now) => Ok(token),
            _ => self.read(app_id).await,
        }
    }

    async fn instead_of(&self, app_id: &AppId, refused: &AccessToken) -> Result<Option<AccessToken>, NoToken> {
        let token = self.read(app_id).await?;
        Ok(Some(token).filter(|token| token != refused))
    }
}

/// Seals a token for a workspace and keeps it, in the place of the one before. Dies between the two:
/// nothing is kept, and the old one stays. Putting it again is safe.
///
/// # Errors
/// [`NotKept`].
pub async fn put<R: TokenRows, S: Seals>(
    rows: &R,
    seals: &S,
    app_id: &AppId,
    token: &AccessToken,
    now: Timestamp,
) -> Result<SealedToken, NotKept> {
    let before = rows.sealed(app_id).await?.map_or(0, |row| row.version);
    let binding = Binding { app_id: app_id.clone(), version: before.saturating_add(1) };
    let sealed = seals.seal(&binding, token).await?;
    let row = SealedToken { version: binding.version, sealed, since: now };
    rows.keep(app_id, &row).await?;
    Ok(row)
}
