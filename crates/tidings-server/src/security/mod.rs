//! Who clients are and what they may do, as the configuration and the program say now.

mod chain;
mod desk;
mod policy;

use std::future::ready;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use tidings_core::security::{
    Action, AuthenticateFuture, AuthenticationError, Authenticator, Credentials, Principal, Rule,
};

pub use policy::PolicyError;
use policy::Policy;

use crate::config::Config;
use crate::node::Node;

/// Every decision about a client is made here.
pub(crate) struct Security {
    /// Brought by the program: it is asked in place of those that the configuration names.
    authenticator: OnceLock<Arc<dyn Authenticator>>,
    /// Brought by the program: they hold in place of those of the configuration.
    rules: OnceLock<Vec<Rule>>,
    /// Until the server runs, nobody is let in.
    policy: ArcSwap<Policy>,
}

impl Default for Security {
    fn default() -> Self {
        Self {
            authenticator: OnceLock::new(),
            rules: OnceLock::new(),
            policy: ArcSwap::from_pointee(Policy::closed()),
        }
    }
}

impl Security {
    /// The program's own authenticator; the first one stays.
    pub(crate) fn set_authenticator(&self, authenticator: Arc<dyn Authenticator>) {
        // Set already: documented where the program calls.
        let _ = self.authenticator.set(authenticator);
    }

    /// The program's own rules; the first ones stay.
    pub(crate) fn set_rules(&self, rules: Vec<Rule>) {
        // Set already: documented where the program calls.
        let _ = self.rules.set(rules);
    }

    /// Takes over what the configuration says, and what stands in the files that it names. If any of it is bad, all stays as
    /// it was.
    pub(crate) fn load(&self, node: &Node, config: &Config) -> Result<(), PolicyError> {
        let own = self.authenticator.get().cloned();
        let policy = Policy::load(node, config, own, self.rules.get())?;
        self.policy.store(Arc::new(policy));
        Ok(())
    }

    /// Finds out whose the credentials are.
    pub(crate) fn authenticate(&self, credentials: Credentials) -> AuthenticateFuture {
        match &self.policy.load().authenticator {
            Some(authenticator) => authenticator.authenticate(credentials),
            None => {
                let text = "the server does not run yet".to_owned();
                Box::pin(ready(Err(AuthenticationError::Unavailable(text))))
            }
        }
    }

    /// Whether the principal may do that. A pattern is allowed where all is that it matches.
    pub(crate) fn allows(&self, principal: &Principal, action: Action, destination: &str) -> bool {
        let policy = self.policy.load();
        let decision = policy.rules.decide(principal, action, destination);
        decision.is_allowed
    }

    /// Whether no rules were written, so that everything is allowed but to speak to other users.
    pub(crate) fn is_open(&self) -> bool {
        self.policy.load().is_open
    }

    /// The rule that decides, if one does.
    pub(crate) fn deciding_rule(
        &self,
        principal: &Principal,
        action: Action,
        destination: &str,
    ) -> Option<String> {
        let policy = self.policy.load();
        let decision = policy.rules.decide(principal, action, destination);
        decision.rule.map(ToString::to_string)
    }
}
