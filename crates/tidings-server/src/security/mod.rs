//! Who clients are and what they may do, as the configuration and the program say now.

mod api_keys;
mod chain;
mod desk;
mod jwt;
mod key_source;
mod policy;
mod revocations;
mod users;

use std::future::{poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::task::Poll;

use arc_swap::ArcSwapOption;
use tidings_core::security::{
    Action, AuthenticateFuture, AuthenticationError, Authenticator, Credentials, Principal, Rule,
};

pub use api_keys::ApiKeyError;
pub(crate) use api_keys::{ApiKey, Need, compile};
use policy::Authority;
pub(crate) use policy::{Policy, parse};
pub use policy::{PolicyError, access_rules};
pub(crate) use revocations::{Full, Revocation, Revocations, Subject};

use crate::config::{self, Config};
use crate::node::{Node, lock};

/// Every decision about a client is made here.
#[derive(Default)]
pub(crate) struct Security {
    /// Brought by the program: it is asked in place of those that the configuration names.
    authenticator: OnceLock<Arc<dyn Authenticator>>,
    /// Brought by the program: they hold in place of those of the configuration.
    rules: OnceLock<Vec<Rule>>,
    /// Until the server runs, nobody is let in.
    policy: ArcSwapOption<Policy>,
    /// Who is not let in any more, whatever proves it.
    revocations: Mutex<Revocations>,
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

    /// Reads what the configuration says, and what stands in the files that it names.
    pub(crate) fn read(&self, node: &Node, config: &Config) -> Result<Policy, PolicyError> {
        let (authenticator, rules) = (self.authenticator.get(), self.rules.get());
        let before = self.policy.load();
        Policy::load(node, config, authenticator, rules, before.as_deref())
    }

    /// From now on this holds.
    pub(crate) fn adopt(&self, policy: Policy) {
        self.policy.store(Some(Arc::new(policy)));
    }

    /// Finds out whose the credentials are.
    pub(crate) fn authenticate(&self, credentials: Credentials) -> AuthenticateFuture {
        match self
            .policy
            .load()
            .as_deref()
            .map(|policy| &policy.authority)
        {
            Some(Authority::Own(own)) => guarded(own, credentials),
            Some(Authority::Chain(chain)) => chain.authenticate(credentials),
            None => {
                let text = "the server does not run yet".to_owned();
                Box::pin(ready(Err(AuthenticationError::Unavailable(text))))
            }
        }
    }

    /// Whether the principal may do that. A pattern is allowed where all is that it matches.
    pub(crate) fn allows(&self, principal: &Principal, action: Action, destination: &str) -> bool {
        let policy = self.policy.load();
        policy.as_deref().is_some_and(|policy| {
            let decision = policy.rules.decide(principal, action, destination);
            decision.is_allowed
        })
    }

    /// The key of the HTTP API that is shown, if it is one.
    pub(crate) fn api_key(&self, shown: &[u8]) -> Option<Arc<ApiKey>> {
        self.policy.load().as_deref()?.api_key(shown)
    }

    /// Whether the principal, or the token that proves it, is revoked. Where the session is known to the whereabouts
    /// before this is asked, no revocation misses it: either this sees that, or that sees the session.
    pub(crate) fn refuses(&self, principal: &Principal, now_ms: u64) -> bool {
        lock(&self.revocations).refuses(principal, now_ms)
    }

    /// The revocations, for who changes or lists them.
    pub(crate) fn revocations(&self) -> MutexGuard<'_, Revocations> {
        lock(&self.revocations)
    }

    /// `[security]` as it is now; its defaults until the server runs.
    pub(crate) fn config(&self) -> Arc<config::Security> {
        let policy = self.policy.load();
        let config = policy.as_deref().map(|policy| Arc::clone(&policy.config));
        config.unwrap_or_default()
    }

    /// Whether what an HTTP request shows is looked at. Where nobody has to prove anything it is for others, such as a proxy.
    pub(crate) fn asks_for_proof(&self) -> bool {
        let policy = self.policy.load();
        let authority = policy.as_deref().map(|policy| &policy.authority);
        match authority {
            Some(Authority::Own(_)) => true,
            Some(Authority::Chain(chain)) => !chain.trusts_login(),
            None => false,
        }
    }

    /// Whether no rules were written, so that everything is allowed but to speak to other users.
    pub(crate) fn is_open(&self) -> bool {
        let policy = self.policy.load();
        policy.as_deref().is_some_and(|policy| policy.is_open)
    }

    /// The rule that decides, if one does.
    pub(crate) fn deciding_rule(
        &self,
        principal: &Principal,
        action: Action,
        destination: &str,
    ) -> Option<String> {
        let policy = self.policy.load();
        let rules = &policy.as_deref()?.rules;
        let decision = rules.decide(principal, action, destination);
        decision.rule.map(ToString::to_string)
    }
}

/// Asks an authenticator that is not ours: one that panics is out of order, and nothing else is.
fn guarded(own: &Arc<dyn Authenticator>, credentials: Credentials) -> AuthenticateFuture {
    let asked = catch_unwind(AssertUnwindSafe(|| own.authenticate(credentials)));
    let Ok(mut answer) = asked else {
        return Box::pin(ready(Err(out_of_order())));
    };
    Box::pin(poll_fn(move |context| {
        catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(out_of_order())))
    }))
}

fn out_of_order() -> AuthenticationError {
    AuthenticationError::Unavailable("who the client is could not be found out".to_owned())
}
