//! Why a token proves nobody.

use std::borrow::Cow;
use std::sync::Arc;

use tidings_core::security::AuthenticationError;

/// Why a token proves nobody, said to the operator: nothing of the token but its key id, and no secret. What the client
/// may read is [`AuthenticationError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// No key of the issuer has this id; a newer key set may.
    #[error(
        "the token is by {}, of which no such key is known: {}",
        Who(issuer),
        Which(kid)
    )]
    UnknownKey {
        /// One of the configured issuers; none where issuers are not asked for.
        issuer: Option<Arc<str>>,
        /// The key id that the token names.
        kid: Option<Arc<str>>,
    },
    /// It was right once.
    #[error("the token has expired")]
    Expired,
    /// It is wrong.
    #[error("the token is refused: {0}")]
    Rejected(Cow<'static, str>),
}

struct Who<'a>(&'a Option<Arc<str>>);

struct Which<'a>(&'a Option<Arc<str>>);

impl std::fmt::Display for Who<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => formatter.write_str("any issuer"),
            Some(issuer) => write!(formatter, "issuer {issuer:?}"),
        }
    }
}

impl std::fmt::Display for Which<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            None => formatter.write_str("one for its algorithm"),
            Some(kid) => write!(formatter, "kid {kid:?}"),
        }
    }
}

impl VerifyError {
    pub(super) fn rejected(cause: &'static str) -> Self {
        Self::Rejected(Cow::Borrowed(cause))
    }
}

impl From<VerifyError> for AuthenticationError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Expired => Self::Expired,
            VerifyError::UnknownKey { .. } | VerifyError::Rejected(_) => Self::Rejected(
                "the token is not accepted; the log of the server says why, at the level debug"
                    .to_owned(),
            ),
        }
    }
}
