//! What holds until the next reload: rules, and who says who a client is.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tidings_auth::jwt::ConfigError;
use tidings_auth::keys::KeyError;
use tidings_core::destination::Destinations;
use tidings_core::security::{Authenticator, Rule, RuleError, Rules};

use super::api_keys::{ApiKey, ApiKeyError, compile};
use super::chain::Chain;
use crate::config::{self, AuthenticatorKind, Config};
use crate::node::Node;
use crate::outgoing::{TrustError, UrlError};

/// Rules and authenticators.
pub(crate) struct Policy {
    pub(super) rules: Rules,
    /// Whether nobody wrote rules, and nobody need prove anything.
    pub(super) is_open: bool,
    pub(super) authority: Authority,
    pub(super) config: Arc<config::Security>,
    /// Of the HTTP API.
    api_keys: Vec<Arc<ApiKey>>,
}

/// Who says who a client is.
pub(super) enum Authority {
    /// What the program brings.
    Own(Arc<dyn Authenticator>),
    /// What the configuration names.
    Chain(Box<Chain>),
}

/// What is bad about what the configuration names.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A rule can't be read.
    #[error("`security.rules` has a rule that can't be read, number {number}, `{rule}`: {source}")]
    Rule {
        /// Its place, from 1.
        number: usize,
        /// As it was written.
        rule: String,
        /// What is wrong with it.
        source: RuleError,
    },
    /// A file can't be read.
    #[error("cannot read {path}: {source}; make it readable for the server, or name another")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// What stands in a file is not what it should be.
    #[error("{path} can't be used: {cause}")]
    BadFile {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// `jwt.secret` is no good.
    #[error("`jwt.secret` can't be used: {0}")]
    Secret(KeyError),
    /// `jwt.algorithms` names one that is not known.
    #[error("`jwt.algorithms` has `{0}`, which is none; write names such as `ES256`")]
    Algorithm(String),
    /// `[jwt]` contradicts itself.
    #[error("`jwt` can't be used: {0}")]
    Verifier(ConfigError),
    /// A url of keys is no good, or `jwt.ca`.
    #[error("`{key}` {cause}")]
    Source {
        /// The key of the configuration.
        key: &'static str,
        /// What is wrong with it.
        cause: String,
    },
    /// A scope of a key of the HTTP API can't be read.
    #[error(transparent)]
    ApiKey(#[from] ApiKeyError),
    /// `webhook.authenticate_url` can't be asked.
    #[error("{0}")]
    Webhook(String),
}

impl PolicyError {
    pub(super) fn url(error: UrlError) -> Self {
        Self::Source {
            key: "jwt.issuers",
            cause: error.to_string(),
        }
    }

    pub(super) fn ca(error: TrustError) -> Self {
        Self::Source {
            key: "jwt.ca",
            cause: error.to_string(),
        }
    }
}

impl Policy {
    /// What the configuration says, but for what the program brings itself. What was fetched `before` counts until it is
    /// fetched again.
    pub(super) fn load(
        node: &Node,
        config: &Config,
        own_authenticator: Option<&Arc<dyn Authenticator>>,
        own_rules: Option<&Vec<Rule>>,
        before: Option<&Self>,
    ) -> Result<Self, PolicyError> {
        let proves = own_authenticator.is_some() || proves(config);
        let rules = match own_rules {
            Some(rules) => rules.clone(),
            None => parse(&node.destinations, &config.security.rules)?,
        };
        let is_open = rules.is_empty() && !proves;
        let before = before.and_then(|before| match &before.authority {
            Authority::Chain(chain) => Some(&**chain),
            Authority::Own(_) => None,
        });
        let authority = match own_authenticator {
            Some(own) => Authority::Own(Arc::clone(own)),
            None => Authority::Chain(Box::new(Chain::load(node, config, before)?)),
        };
        Ok(Self {
            rules: held_to(rules, is_open, &node.destinations),
            is_open,
            authority,
            config: Arc::new(config.security.clone()),
            api_keys: compile(&config.api.keys, &node.destinations)?,
        })
    }

    /// The key of the HTTP API that is shown, if it is one.
    ///
    /// Every key is compared, so that the time does not tell which one is nearly right.
    pub(crate) fn api_key(&self, shown: &[u8]) -> Option<Arc<ApiKey>> {
        let mut found = None;
        for key in &self.api_keys {
            if key.is(shown) {
                found = Some(Arc::clone(key));
            }
        }
        found
    }
}

/// The rules that a server with this configuration holds clients to, read as it reads them: for who explains what it
/// decides. All is allowed where no rules are written and nobody need prove anything.
///
/// # Errors
/// [`PolicyError::Rule`]: one can't be read.
pub fn access_rules(config: &Config) -> Result<Rules, PolicyError> {
    let destinations = config.destinations();
    let rules = parse(&destinations, &config.security.rules)?;
    let is_open = rules.is_empty() && !proves(config);
    Ok(held_to(rules, is_open, &destinations))
}

/// Whether a client has to prove who it is.
fn proves(config: &Config) -> bool {
    let mut kinds = config.security.authenticator.iter();
    kinds.any(|kind| *kind != AuthenticatorKind::TrustLogin)
}

fn held_to(rules: Vec<Rule>, is_open: bool, destinations: &Destinations) -> Rules {
    match is_open {
        true => Rules::allow_all(),
        false => Rules::new(rules, destinations),
    }
}

/// Reads rules about these destinations.
pub(crate) fn parse(
    destinations: &Destinations,
    lines: &[String],
) -> Result<Vec<Rule>, PolicyError> {
    let rule = |(place, line): (usize, &String)| {
        Rule::parse(line, destinations).map_err(|source| PolicyError::Rule {
            number: place + 1,
            rule: line.clone(),
            source,
        })
    };
    lines.iter().enumerate().map(rule).collect()
}
