//! Intercom's access tokens: as they are used, and as they are kept. A token at rest is sealed under
//! a key that the process never sees, and bound: to its workspace, to being an access token, and to
//! its number among the workspace's tokens. What is bound to one workspace opens for no other.

use std::fmt;

use super::ids::{AppId, Timestamp};

/// The longest token that is taken, in bytes. Intercom's own have 60; what KMS seals may have 4096.
const MAX_TOKEN_BYTES: usize = 2048;
/// What a sealed token is for. The key's policy names it.
pub const PURPOSE: &str = "intercom-access-token";

/// A workspace's access token. It shows itself to nobody who does not ask by name.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// Why a text is no access token. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an access token has 1 to {MAX_TOKEN_BYTES} printable ASCII characters, and no blanks")]
pub struct NoAccessToken;

impl AccessToken {
    /// Takes a text as a token.
    ///
    /// # Errors
    /// [`NoAccessToken`] when it could not stand in a header.
    pub fn parse(text: impl Into<String>) -> Result<Self, NoAccessToken> {
        let text = text.into();
        let fits = (1..=MAX_TOKEN_BYTES).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text)) } else { Err(NoAccessToken) }
    }

    /// The token itself, for the request that carries it and for sealing.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(not shown)")
    }
}

/// What a sealed token is bound to. It is no secret; it must only be the same when it is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The workspace.
    pub app_id: AppId,
    /// Which of its tokens, counted from 1.
    pub version: u64,
}

impl Binding {
    /// The binding as names and values: the encryption context.
    #[must_use]
    pub fn pairs(&self) -> [(&'static str, String); 3] {
        [("app_id", self.app_id.to_string()), ("purpose", PURPOSE.to_owned()), ("version", self.version.to_string())]
    }
}

/// A token as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedToken {
    /// Which of the workspace's tokens, counted from 1.
    pub version: u64,
    /// What only the key opens.
    pub sealed: Vec<u8>,
    /// Since when it is kept.
    pub since: Timestamp,
}

impl fmt::Debug for SealedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedToken(version {}, {} bytes)", self.version, self.sealed.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_can_stand_in_a_header_and_does_not_show_itself() {
        for text in ["", "a b", "a\n", "tökén", &"x".repeat(MAX_TOKEN_BYTES + 1)] {
            assert_eq!(AccessToken::parse(text), Err(NoAccessToken));
        }
        let token = AccessToken::parse("dG9rOmh1bnRlcjI=").unwrap();
        assert_eq!(token.reveal(), "dG9rOmh1bnRlcjI=");
        assert!(!format!("{token:?}").contains("dG9r"));
        assert!(!NoAccessToken.to_string().contains("dG9r"));
    }

    #[test]
    fn bindings_of_two_workspaces_or_two_tokens_differ() {
        let binding = |app_id: &str, version| Binding { app_id: AppId::parse(app_id).unwrap(), version }.pairs();
        assert_eq!(binding("a", 1)[1].1, "intercom-access-token");
        assert_ne!(binding("a", 1), binding("b", 1));
        assert_ne!(binding("a", 1), binding("a", 2));
    }
}
