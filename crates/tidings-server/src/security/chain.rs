//! Those that the configuration names: each kind of credential goes to the first that takes it.

use std::future::ready;
use std::sync::Arc;

use tidings_auth::Algorithm;
use tidings_auth::jwt::{Verifier, VerifierConfig};
use tidings_auth::keys::Keys;
use tidings_core::security::{
    AuthenticateFuture, AuthenticationError, Authenticator, Credential, Credentials, Principal,
    TokenSource,
};
use tokio::runtime::Handle;

use super::desk::Desk;
use super::jwt::{Jwt, told};
use super::policy::PolicyError;
use super::users::Passcodes;
use crate::clock::{self, RuntimeDay};
use crate::config::{AuthenticatorKind, Config};
use crate::node::Node;
use crate::webhook;

/// The authenticators of the configuration.
pub(super) struct Chain {
    jwt: Option<Jwt>,
    users: Option<Passcodes>,
    webhook: Option<Arc<dyn Authenticator>>,
    /// A login needs no proof.
    trusts_login: bool,
    /// Tokens that anybody can sign count too: this is development.
    development: Option<Development>,
    /// Nothing needs to be shown.
    anonymous: bool,
    /// Where the time of day is not the system's.
    day: Option<RuntimeDay>,
}

/// What tokens of development are checked with.
struct Development {
    verifier: Verifier,
    keys: Keys,
}

impl Chain {
    /// Must be called within the runtime that is to fetch keys and ask back ends.
    pub(super) fn load(
        node: &Node,
        config: &Config,
        before: Option<&Self>,
    ) -> Result<Self, PolicyError> {
        let security = &config.security;
        let has = |kind| security.authenticator.contains(&kind);
        let desk = Desk::new(security);
        let jwt = match has(AuthenticatorKind::Jwt) {
            true => {
                let before = before.and_then(|before| before.jwt.as_ref());
                Some(Jwt::load(&config.jwt, &desk, before)?)
            }
            false => None,
        };
        let users = match config.users.file.as_ref() {
            Some(file) if has(AuthenticatorKind::Users) => Some(Passcodes::load(file, &desk)?),
            _ => None,
        };
        let webhook = match has(AuthenticatorKind::Webhook) {
            true => webhook::authenticator(node, &Handle::current())
                .map_err(|error| PolicyError::Webhook(error.to_string()))?,
            false => None,
        };
        let development = match security.authenticator.is_empty() {
            true => Some(Development::new()?),
            false => None,
        };
        let trusts_login = development.is_some() || has(AuthenticatorKind::TrustLogin);
        Ok(Self {
            jwt,
            users,
            webhook,
            trusts_login,
            development,
            anonymous: security.anonymous || trusts_login,
            day: node.day(),
        })
    }

    /// Whether nobody has to prove anything.
    pub(super) fn trusts_login(&self) -> bool {
        self.trusts_login
    }

    fn of_token(
        &self,
        token: Arc<str>,
        source: TokenSource,
        credentials: Credentials,
    ) -> AuthenticateFuture {
        let is_ticket = source == TokenSource::Ticket;
        if let Some(jwt) = &self.jwt {
            Box::pin(jwt.check(token, is_ticket, self.now_ms()))
        } else if let Some(webhook) = &self.webhook {
            webhook.authenticate(credentials)
        } else if let Some(development) = &self.development {
            let now_ms = self.now_ms();
            let Development { verifier, keys } = development;
            let verified = verifier.verify(&token, keys, now_ms, is_ticket);
            answer(verified.map_err(told))
        } else {
            rejected("this server takes no tokens; connect with login and passcode")
        }
    }

    fn of_login(
        &self,
        login: Arc<str>,
        passcode: Arc<str>,
        credentials: Credentials,
    ) -> AuthenticateFuture {
        if let Some(users) = &self.users {
            Box::pin(users.check(login, passcode))
        } else if let Some(webhook) = &self.webhook {
            webhook.authenticate(credentials)
        } else if let Some(jwt) = &self.jwt {
            // For clients that can set no header but these.
            Box::pin(jwt.check(passcode, false, self.now_ms()))
        } else {
            rejected("this server takes no passcodes; connect with a token")
        }
    }

    fn now_ms(&self) -> u64 {
        self.day.map_or_else(clock::system_ms, RuntimeDay::now_ms)
    }

    fn of_nobody(&self) -> AuthenticateFuture {
        match self.anonymous {
            true => answer(Ok(Principal::anonymous())),
            false => answer(Err(AuthenticationError::Missing(
                "connect with login and passcode, or with the header Authorization: Bearer TOKEN"
                    .to_owned(),
            ))),
        }
    }
}

impl Authenticator for Chain {
    fn authenticate(&self, credentials: Credentials) -> AuthenticateFuture {
        match credentials.credential.clone() {
            Credential::Login { login, .. } if self.trusts_login && !login.is_empty() => {
                answer(Ok(Principal::user(login)))
            }
            Credential::Login {
                login,
                passcode: Some(passcode),
            } if !self.trusts_login => self.of_login(login, passcode, credentials),
            Credential::None | Credential::Login { .. } => self.of_nobody(),
            Credential::Token { token, source } => self.of_token(token, source, credentials),
            // The server has checked it.
            Credential::Certificate { subject } => answer(Ok(Principal::user(subject))),
            _ => rejected("the server does not know credentials of this kind"),
        }
    }
}

impl Development {
    fn new() -> Result<Self, PolicyError> {
        let verifier = Verifier::new(VerifierConfig {
            algorithms: vec![Algorithm::HS256],
            ..VerifierConfig::default()
        });
        let mut keys = Keys::new();
        keys.add_development_secret(None)
            .map_err(PolicyError::Secret)?;
        Ok(Self {
            verifier: verifier.map_err(PolicyError::Verifier)?,
            keys,
        })
    }
}

fn answer(answer: Result<Principal, AuthenticationError>) -> AuthenticateFuture {
    Box::pin(ready(answer))
}

fn rejected(text: &str) -> AuthenticateFuture {
    answer(Err(AuthenticationError::Rejected(text.to_owned())))
}
