//! Security: who a session is, and what it may do.
//!
//! An [`Authenticator`] turns [`Credentials`] into a [`Principal`]; [`Rules::decide`] says what that one may do, and
//! nothing else does.

mod authenticator;
mod principal;
mod rule;
mod rules;

pub use authenticator::{
    AuthenticateFuture, AuthenticationError, Authenticator, Credential, Credentials, TokenSource,
};
pub use principal::{Claims, Principal};
pub use rule::{Action, Rule, RuleError, UnknownAction};
pub use rules::{Decision, Rules};
