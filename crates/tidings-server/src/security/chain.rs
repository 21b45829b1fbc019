//! Those that the configuration names: each kind of credential goes to the first that takes it.

use std::future::ready;
use std::sync::Arc;

use tidings_core::security::{
    AuthenticateFuture, AuthenticationError, Authenticator, Credential, Credentials, Principal,
};

use super::desk::Desk;
use super::policy::PolicyError;
use crate::config::{AuthenticatorKind, Config};
use crate::node::Node;

/// The authenticators of the configuration.
pub(super) struct Chain {
    /// A login needs no proof.
    trusts_login: bool,
    /// Nothing needs to be shown.
    anonymous: bool,
}

impl Chain {
    pub(super) fn load(node: &Node, config: &Config) -> Result<Self, PolicyError> {
        let security = &config.security;
        let has = |kind| security.authenticator.contains(&kind);
        let trusts_login =
            security.authenticator.is_empty() || has(AuthenticatorKind::TrustLogin);
        Ok(Self {
            trusts_login,
            anonymous: security.anonymous || trusts_login,
        })
    }
}

impl Authenticator for Chain {
    fn authenticate(&self, credentials: Credentials) -> AuthenticateFuture {
        let answer = match credentials.credential {
            Credential::Login { login, .. } if self.trusts_login && !login.is_empty() => {
                Ok(Principal::user(login))
            }
            Credential::None | Credential::Login { passcode: None, .. } if self.anonymous => {
                Ok(Principal::anonymous())
            }
            Credential::Login { .. } if self.trusts_login => Ok(Principal::anonymous()),
            Credential::Certificate { subject } => Ok(Principal::user(subject)),
            _ => Err(AuthenticationError::Missing("x".to_owned())),
        };
        Box::pin(ready(answer))
    }
}
