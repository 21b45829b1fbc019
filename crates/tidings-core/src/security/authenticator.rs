//! Who finds out who a client is.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use super::Principal;
use crate::disconnect::Reason;

/// Finds out who a client is. Closures are authenticators: `|credentials: Credentials| async move { ... }`.
pub trait Authenticator: Send + Sync + 'static {
    /// Says whose the credentials are. What takes the processor long must be done elsewhere: other sessions wait for it.
    fn authenticate(&self, credentials: Credentials) -> AuthenticateFuture;
}

/// What [`Authenticator::authenticate`] gives: whom the credentials prove, or why they prove nobody.
pub type AuthenticateFuture =
    Pin<Box<dyn Future<Output = Result<Principal, AuthenticationError>> + Send>>;

impl<F, Fut> Authenticator for F
where
    F: Fn(Credentials) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Principal, AuthenticationError>> + Send + 'static,
{
    fn authenticate(&self, credentials: Credentials) -> AuthenticateFuture {
        Box::pin(self(credentials))
    }
}

/// What a client shows, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// What it shows.
    pub credential: Credential,
    /// Where it comes from, where that is known.
    pub address: Option<IpAddr>,
}

impl Credentials {
    /// What a client at this address shows.
    pub fn new(credential: Credential, address: Option<IpAddr>) -> Self {
        Self {
            credential,
            address,
        }
    }
}

/// What a client shows. `Debug` hides the secret in it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// Nothing.
    None,
    /// `login` and `passcode` of CONNECT (STOMP 1.2, "CONNECT or STOMP Frame").
    Login {
        /// The name that the client claims.
        login: Arc<str>,
        /// What is to prove it; absent where the client sent none.
        passcode: Option<Arc<str>>,
    },
    /// A token that proves its bearer (RFC 6750).
    Token {
        /// The token.
        token: Arc<str>,
        /// Where it stood.
        source: TokenSource,
    },
    /// A certificate of TLS that the server has verified.
    Certificate {
        /// The common name of its subject.
        subject: Arc<str>,
    },
}

/// Where a token stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenSource {
    /// The header `Authorization` of CONNECT.
    Connect,
    /// The header `Authorization` of the HTTP request.
    Authorization,
    /// A cookie of the HTTP request.
    Cookie,
    /// The query of the HTTP request: short-lived, since it stands in logs.
    Ticket,
    /// A renewal of a session that goes on.
    Renewal,
}

impl fmt::Debug for Credential {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => formatter.write_str("None"),
            Self::Login { login, .. } => formatter
                .debug_struct("Login")
                .field("login", login)
                .finish_non_exhaustive(),
            Self::Token { source, .. } => formatter
                .debug_struct("Token")
                .field("source", source)
                .finish_non_exhaustive(),
            Self::Certificate { subject } => formatter
                .debug_struct("Certificate")
                .field("subject", subject)
                .finish(),
        }
    }
}

/// Why credentials prove nobody. What is said here the client may read: no secret, no hint which half was wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthenticationError {
    /// Nothing was shown, and anonymous clients may not come in.
    #[error("no credentials were shown; {0}")]
    Missing(String),
    /// They are wrong.
    #[error("{0}")]
    Rejected(String),
    /// They were right once.
    #[error("the token has expired; get a new one and connect again")]
    Expired,
    /// They were right, and were withdrawn.
    #[error("the token or its user is revoked; nothing but the operator changes that")]
    Revoked,
    /// Whoever has to say so can't be asked at the moment.
    #[error("{0}; connect again later")]
    Unavailable(String),
}

impl AuthenticationError {
    /// The code of this error.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Missing(_) => Reason::Unauthenticated,
            Self::Rejected(_) => Reason::BadCredentials,
            Self::Expired => Reason::TokenExpired,
            Self::Revoked => Reason::Revoked,
            Self::Unavailable(_) => Reason::AuthenticationUnavailable,
        }
    }
}
