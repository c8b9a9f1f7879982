//! Access tokens without KMS.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::domain::ids::AppId;
use crate::domain::token::{AccessToken, Binding, SealedToken};
use crate::ports::{NoToken, NotKept, Seals, TokenRows, Tokens, Unavailable};

/// Tokens at hand, by workspace.
#[derive(Debug, Clone, Default)]
pub struct HeldTokens(BTreeMap<AppId, AccessToken>);

impl HeldTokens {
    /// These workspaces and tokens.
    ///
    /// # Panics
    /// When one is none.
    #[must_use]
    pub fn of(tokens: &[(&str, &str)]) -> Self {
        let parse = |(app_id, token): &(&str, &str)| {
            let app_id = AppId::parse(*app_id).unwrap_or_else(|error| panic!("{error}"));
            (app_id, AccessToken::parse(*token).unwrap_or_else(|error| panic!("{error}")))
        };
        Self(tokens.iter().map(parse).collect())
    }
}

impl Tokens for HeldTokens {
    async fn token(&self, app_id: &AppId) -> Result<AccessToken, NoToken> {
        self.0.get(app_id).cloned().ok_or(NoToken::Missing)
    }

    async fn instead_of(&self, app_id: &AppId, refused: &AccessToken) -> Result<Option<AccessToken>, NoToken> {
        Ok(Some(self.token(app_id).await?).filter(|token| token != refused))
    }
}

/// The rows of sealed tokens.
#[derive(Debug, Clone, Default)]
pub struct FakeTokenRows {
    rows: Rc<RefCell<BTreeMap<AppId, SealedToken>>>,
    down: Rc<Cell<bool>>,
    reads: Rc<RefCell<Vec<AppId>>>,
}

impl FakeTokenRows {
    /// Whether nothing answers from now on.
    pub fn set_down(&self, down: bool) {
        self.down.set(down);
    }

    /// Whose rows were read since the last call.
    pub fn take_reads(&self) -> Vec<AppId> {
        self.reads.take()
    }

    /// Puts a row where it was not kept: what somebody with access to the table may do.
    pub fn forge(&self, app_id: &AppId, row: Option<SealedToken>) {
        let mut rows = self.rows.borrow_mut();
        match row {
            Some(row) => rows.insert(app_id.clone(), row),
            None => rows.remove(app_id),
        };
    }

    fn up(&self) -> Result<(), Unavailable> {
        let why = || Unavailable { what: "the fake table", why: "scripted".to_owned() };
        if self.down.get() { Err(why()) } else { Ok(()) }
    }
}

impl TokenRows for FakeTokenRows {
    async fn sealed(&self, app_id: &AppId) -> Result<Option<SealedToken>, Unavailable> {
        self.reads.borrow_mut().push(app_id.clone());
        self.up()?;
        Ok(self.rows.borrow().get(app_id).cloned())
    }

    async fn keep(&self, app_id: &AppId, token: &SealedToken) -> Result<(), NotKept> {
        self.up()?;
        let mut rows = self.rows.borrow_mut();
        let there = rows.get(app_id);
        if there == Some(token) {
            return Ok(());
        }
        if there.map_or(0, |row| row.version) + 1 != token.version {
            return Err(NotKept::Conflict);
        }
        rows.insert(app_id.clone(), token.clone());
        Ok(())
    }
}

/// What was sealed, and under which binding.
type Sealed = (Binding, AccessToken);

/// Seals that remember what they sealed: what comes out is a number that says nothing of it.
#[derive(Debug, Clone, Default)]
pub struct FakeSeals {
    sealed: Rc<RefCell<BTreeMap<Vec<u8>, Sealed>>>,
    down: Rc<Cell<bool>>,
    opens: Rc<Cell<u32>>,
}

impl FakeSeals {
    /// Whether nothing answers from now on.
    pub fn set_down(&self, down: bool) {
        self.down.set(down);
    }

    /// How often something was to be opened since the last call.
    pub fn take_opens(&self) -> u32 {
        self.opens.take()
    }

    fn up(&self) -> Result<(), Unavailable> {
        let why = || Unavailable { what: "the fake key", why: "scripted".to_owned() };
        if self.down.get() { Err(why()) } else { Ok(()) }
    }
}

impl Seals for FakeSeals {
    async fn seal(&self, binding: &Binding, token: &AccessToken) -> Result<Vec<u8>, Unavailable> {
        self.up()?;
        let mut sealed = self.sealed.borrow_mut();
        let blob = format!("sealed {}", sealed.len()).into_bytes();
        sealed.insert(blob.clone(), (binding.clone(), token.clone()));
        Ok(blob)
    }

    async fn open(&self, binding: &Binding, sealed: &[u8]) -> Result<AccessToken, NoToken> {
        self.opens.set(self.opens.get() + 1);
        self.up()?;
        match self.sealed.borrow().get(sealed) {
            Some((bound, token)) if bound == binding => Ok(token.clone()),
            _ => Err(NoToken::Spoilt),
        }
    }
}
