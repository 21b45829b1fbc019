//! Security: who a session is, and what it may do.
//!
//! An [`Authenticator`] turns [`Credentials`] into a [`Principal`].

mod authenticator;
mod principal;

pub use authenticator::{
    AuthenticateFuture, AuthenticationError, Authenticator, Credential, Credentials, TokenSource,
};
pub use principal::{Claims, Principal};
