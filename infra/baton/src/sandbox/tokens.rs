//! The access tokens: which workspace each of them opens, for which app, and whether it still does.
//!
//! Those of the seed are there from the start, others come from OAuth (`rest/oauth`). A token
//! lives until it is revoked; Intercom's have no end of their own. One that is revoked is
//! remembered, so that a test can take it back. A call that has been let in keeps what it found.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::{Deserialize, Serialize};

use super::seed::{Seed, TokenSeed};

/// A token and the workspace it opens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Credentials {
    pub(crate) app_id: String,
    /// The app it belongs to; none for the workspace's own.
    pub(crate) client_id: Option<String>,
    pub(crate) token: TokenSeed,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Entry {
    credentials: Credentials,
    revoked: bool,
}

/// A token as the control API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct TokenShown {
    pub(crate) token: String,
    client_id: Option<String>,
    admin_id: String,
    scopes: Option<Vec<String>>,
    revoked: bool,
}

impl TokenShown {
    fn new(text: &str, entry: &Entry) -> Self {
        let Credentials { client_id, token, .. } = &entry.credentials;
        Self {
            token: text.to_owned(),
            client_id: client_id.clone(),
            admin_id: token.admin_id.clone(),
            scopes: token.scopes.clone(),
            revoked: entry.revoked,
        }
    }
}

/// All tokens by their text, as they are kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct TokenBook(BTreeMap<String, Entry>);

impl TokenBook {
    /// The tokens that a seed names.
    pub(crate) fn from_seed(seed: &Seed) -> Self {
        let of_workspaces = seed.workspaces.iter().flat_map(|workspace| {
            workspace.access_tokens.iter().map(|token| Credentials {
                app_id: workspace.app_id.clone(),
                client_id: token.client_id.clone(),
                token: token.clone(),
            })
        });
        let mut book = Self::default();
        of_workspaces.for_each(|credentials| book.add(credentials));
        book
    }

    fn add(&mut self, credentials: Credentials) {
        let text = credentials.token.token.clone();
        self.0.insert(text, Entry { credentials, revoked: false });
    }

    fn set_revoked(&mut self, text: &str, revoked: bool) -> bool {
        let entry = self.0.get_mut(text);
        let changes = entry.filter(|entry| entry.revoked != revoked);
        changes.map(|entry| entry.revoked = revoked).is_some()
    }
}

/// The tokens of a sandbox, which all its requests share.
#[derive(Debug, Default)]
pub(crate) struct Tokens(RwLock<TokenBook>);

impl Tokens {
    pub(crate) fn new(book: TokenBook) -> Self {
        Self(RwLock::new(book))
    }

    /// What a token opens, unless nobody knows it or it has been revoked.
    pub(crate) fn find(&self, text: &str) -> Option<Credentials> {
        let book = self.read();
        book.0.get(text).filter(|entry| !entry.revoked).map(|entry| entry.credentials.clone())
    }

    /// The teammates in whose names a workspace's tokens act.
    pub(crate) fn admin_ids(&self, app_id: &str) -> Vec<u64> {
        let book = self.read();
        let mine = book.0.values().filter(|entry| entry.credentials.app_id == app_id);
        mine.filter_map(|entry| entry.credentials.token.admin_id.parse().ok()).collect()
    }

    /// Whether it has been revoked, in contrast to never having been one.
    pub(crate) fn is_revoked(&self, text: &str) -> bool {
        self.read().0.get(text).is_some_and(|entry| entry.revoked)
    }

    /// The workspace that a token opens, or did before it was revoked.
    pub(crate) fn app_id(&self, text: &str) -> Option<String> {
        self.read().0.get(text).map(|entry| entry.credentials.app_id.clone())
    }

    /// The tokens of a workspace, for the control API.
    pub(crate) fn of(&self, app_id: &str) -> Vec<TokenShown> {
        let book = self.read();
        let mine = book.0.iter().filter(|(_, entry)| entry.credentials.app_id == app_id);
        mine.map(|(text, entry)| TokenShown::new(text, entry)).collect()
    }

    /// Makes a token valid. One of the same text is replaced.
    pub(crate) fn grant(&self, credentials: Credentials) {
        self.write().add(credentials);
    }

    /// Ends a token; false when there is none that is valid.
    pub(crate) fn revoke(&self, text: &str) -> bool {
        self.write().set_revoked(text, true)
    }

    /// Ends all tokens of an app in a workspace; false when there are none that are valid.
    pub(crate) fn revoke_app(&self, app_id: &str, client_id: &str) -> bool {
        let mut book = self.write();
        let theirs = book.0.values_mut().filter(|entry| {
            let Credentials { app_id: opens, client_id: of, .. } = &entry.credentials;
            !entry.revoked && opens == app_id && of.as_deref() == Some(client_id)
        });
        theirs.map(|entry| entry.revoked = true).count() > 0
    }

    /// Makes a revoked token valid again; false when there is none that is revoked.
    pub(crate) fn restore(&self, text: &str) -> bool {
        self.write().set_revoked(text, false)
    }

    /// A copy of everything, to be kept.
    pub(crate) fn book(&self) -> TokenBook {
        self.read().clone()
    }

    /// Puts what was kept, or the seed's, in the place of everything.
    pub(crate) fn replace(&self, book: TokenBook) {
        *self.write() = book;
    }

    fn read(&self) -> RwLockReadGuard<'_, TokenBook> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, TokenBook> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Seed, TokenBook, Tokens};

    #[test]
    fn a_token_opens_its_workspace_until_it_is_revoked_and_again_when_restored() {
        let tokens = Tokens::new(TokenBook::from_seed(&Seed::embedded().unwrap()));
        assert_eq!(tokens.find("sandbox2-token").unwrap().app_id, "sandbox2");
        assert!(tokens.find("nonsense").is_none());
        assert!(tokens.revoke("sandbox2-token"));
        assert!(!tokens.revoke("sandbox2-token"), "it is revoked already");
        assert!(tokens.find("sandbox2-token").is_none());
        assert!(tokens.find("sandbox-token").is_some());
        assert!(tokens.restore("sandbox2-token"));
        assert!(!tokens.restore("nonsense"));
        assert!(tokens.find("sandbox2-token").is_some());
    }

    #[test]
    fn what_is_kept_of_the_tokens_brings_them_back() {
        let tokens = Tokens::new(TokenBook::from_seed(&Seed::embedded().unwrap()));
        tokens.revoke("sandbox-token");
        let kept = serde_json::to_string(&tokens.book()).unwrap();
        let again = Tokens::default();
        again.replace(serde_json::from_str(&kept).unwrap());
        assert!(again.find("sandbox-token").is_none());
        assert_eq!(again.find("sandbox2-token").unwrap().token.admin_id, "900001");
    }
}
