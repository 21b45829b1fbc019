//! Keys of the HTTP API, and the one place that says what may be done with each.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tidings_core::destination::Destinations;
use tidings_core::security::{Action, Principal, Rule, RuleError, Rules};

use crate::config::{self, ApiScope};

/// A key with its scopes.
#[derive(Debug)]
pub(crate) struct ApiKey {
    /// What the audit log calls it.
    name: Box<str>,
    key: config::ApiKey,
    /// Where it may publish: rules of its own, so that patterns mean what they mean in access rules.
    publishes: Rules,
}

/// What an operation of the API needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need<'a> {
    Read,
    Administer,
    /// To publish somewhere: what, is not known yet.
    Publish,
    /// To publish to this destination.
    PublishTo(&'a str),
}

impl Need<'_> {
    /// The scope that fulfils it.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Administer => "administer",
            Self::Publish | Self::PublishTo(_) => "publish",
        }
    }
}

/// The key has no scope for that.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MissingScope {
    key: Box<str>,
    scope: &'static str,
    destination: Option<Box<str>>,
}

impl fmt::Display for MissingScope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, scope, .. } = self;
        write!(formatter, "the key `{key}` has no scope `{scope}`")?;
        if let Some(destination) = &self.destination {
            write!(formatter, " for {destination}")?;
        }
        write!(
            formatter,
            "; show one that has, or add it to the key in api.keys"
        )
    }
}

/// A scope whose pattern can't be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "the key `{key}` has a scope `publish:{pattern}` that can't be read, as the rule `allow send {pattern}`: {source}"
)]
#[non_exhaustive]
pub struct ApiKeyError {
    /// What the key is called.
    key: Box<str>,
    /// The pattern as it was written.
    pattern: Box<str>,
    /// What is wrong with it.
    source: RuleError,
}

/// Reads the scopes of all keys.
///
/// # Errors
/// A pattern can't be read.
pub(crate) fn compile(
    keys: &[config::ApiKey],
    destinations: &Destinations,
) -> Result<Vec<Arc<ApiKey>>, ApiKeyError> {
    let compiled = keys.iter().enumerate().map(|(place, key)| {
        let name = key
            .name()
            .map_or_else(|| format!("key-{}", place + 1), str::to_owned);
        Ok(Arc::new(ApiKey {
            publishes: rules(&name, key.scopes(), destinations)?,
            name: name.into(),
            key: key.clone(),
        }))
    });
    compiled.collect()
}

/// What the scopes to publish say as access rules.
fn rules(
    key: &str,
    scopes: &[ApiScope],
    destinations: &Destinations,
) -> Result<Rules, ApiKeyError> {
    if scopes.contains(&ApiScope::Publish(None)) {
        return Ok(Rules::allow_all());
    }
    let patterns = scopes.iter().filter_map(|scope| match scope {
        ApiScope::Publish(pattern) => pattern.as_deref(),
        _ => None,
    });
    let rule = |pattern: &str| {
        Rule::parse(&format!("allow send {pattern}"), destinations).map_err(|source| ApiKeyError {
            key: key.into(),
            pattern: pattern.into(),
            source,
        })
    };
    let rules: Result<_, _> = patterns.map(rule).collect();
    Ok(Rules::new(rules?, destinations))
}

impl ApiKey {
    /// What the audit log calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is shown.
    pub(super) fn is(&self, shown: &[u8]) -> bool {
        self.key.is(shown)
    }

    /// Tells it from every other, also when keys come and go.
    pub(crate) fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.key.secret()).into()
    }

    /// Whether that may be done with it.
    pub(crate) fn allows(&self, need: Need<'_>) -> Result<(), MissingScope> {
        let has = |wanted: fn(&ApiScope) -> bool| self.key.scopes().iter().any(wanted);
        let may = match need {
            Need::Read => has(|scope| *scope == ApiScope::Read),
            Need::Administer => has(|scope| *scope == ApiScope::Administer),
            Need::Publish => has(|scope| matches!(scope, ApiScope::Publish(_))),
            Need::PublishTo(destination) => {
                let nobody = Principal::anonymous();
                let decision = self.publishes.decide(&nobody, Action::Send, destination);
                decision.is_allowed
            }
        };
        if may {
            return Ok(());
        }
        Err(MissingScope {
            key: self.name.clone(),
            scope: need.scope(),
            destination: match need {
                Need::PublishTo(destination) => Some(destination.into()),
                _ => None,
            },
        })
    }
}
