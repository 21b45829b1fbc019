//! What holds until the next reload: rules, and who says who a client is.

use std::sync::Arc;

use tidings_core::security::{Authenticator, Rule, RuleError, Rules};

use super::chain::Chain;
use crate::config::{AuthenticatorKind, Config};
use crate::node::Node;

/// Rules and authenticators.
pub(super) struct Policy {
    pub(super) rules: Rules,
    /// Whether nobody wrote rules, and nobody need prove anything.
    pub(super) is_open: bool,
    /// Absent until the server runs.
    pub(super) authenticator: Option<Arc<dyn Authenticator>>,
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
}

impl Policy {
    /// Nobody comes in.
    pub(super) fn closed() -> Self {
        Self {
            rules: Rules::default(),
            is_open: false,
            authenticator: None,
        }
    }

    /// What the configuration says, but for what the program brings itself.
    pub(super) fn load(
        node: &Node,
        config: &Config,
        own_authenticator: Option<Arc<dyn Authenticator>>,
        own_rules: Option<&Vec<Rule>>,
    ) -> Result<Self, PolicyError> {
        let kinds = &config.security.authenticator;
        let proves = own_authenticator.is_some()
            || kinds.iter().any(|kind| *kind != AuthenticatorKind::TrustLogin);
        let rules = match own_rules {
            Some(rules) => rules.clone(),
            None => parse(node, &config.security.rules)?,
        };
        let is_open = rules.is_empty() && !proves;
        let authenticator = match own_authenticator {
            Some(own) => own,
            None => Arc::new(Chain::load(node, config)?),
        };
        Ok(Self {
            rules: match is_open {
                true => Rules::allow_all(),
                false => Rules::new(rules, &node.destinations),
            },
            is_open,
            authenticator: Some(authenticator),
        })
    }
}

fn parse(node: &Node, lines: &[String]) -> Result<Vec<Rule>, PolicyError> {
    let rule = |(place, line): (usize, &String)| {
        Rule::parse(line, node.destinations.separator).map_err(|source| PolicyError::Rule {
            number: place + 1,
            rule: line.clone(),
            source,
        })
    };
    lines.iter().enumerate().map(rule).collect()
}
