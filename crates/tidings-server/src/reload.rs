//! A configuration that changes while the server runs.

mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use tracing::{info, warn};

use crate::config::{Config, KeySource};
use crate::node::Node;
use crate::security::PolicyError;
use crate::tls::TlsError;
use crate::worker::Letter;
pub use watch::FileWatch;

/// The sections that count at once; the others from the next start on.
const RELOADED: [&str; 4] = ["security", "users", "jwt", "tls"];

/// The same of other sections.
const RELOADED_KEYS: [&str; 1] = ["api.keys"];

/// Takes a changed configuration over into a [`Server`](crate::Server) that runs: rules, authenticators, users, keys,
/// those of the HTTP API too, and certificates.
#[derive(Clone)]
pub struct Reloader {
    node: Arc<Node>,
}

/// What is bad about a changed configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// Rules, authenticators, users or keys.
    #[error(transparent)]
    Security(#[from] PolicyError),
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What became of a changed configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// Keys whose change counts from the next start on.
    pub left: Vec<String>,
}

impl Reloader {
    pub(crate) fn new(node: &Arc<Node>) -> Self {
        let node = Arc::clone(node);
        Self { node }
    }

    /// Takes over what the configuration says and what stands in the files that it names now, also where their names are the
    /// same. What clients have been allowed is decided anew: subscriptions end that are not allowed any more, and sessions
    /// of who may not be connected. Must be called within the runtime that the server runs on, and while it runs.
    ///
    /// # Errors
    /// Something is bad about it: then all stays as it was.
    pub fn reload(&self, config: &Config) -> Result<Reloaded, ReloadError> {
        let node = &self.node;
        if let Err(error) = self.take_over(config) {
            node.telemetry.reloaded("refused");
            warn!(%error, "the changed configuration was not taken over; all stays as it was");
            return Err(error);
        }
        for mailbox in &node.mailboxes {
            mailbox.post(Letter::Recheck { from: 0 }, 0);
        }
        node.telemetry.reloaded("done");
        let mut left = node.config.differences(config);
        left.retain(|key| {
            let section = key.split('.').next().unwrap_or_default();
            !RELOADED.contains(&section) && !RELOADED_KEYS.contains(&key.as_str())
        });
        if left.is_empty() {
            info!("the configuration was taken over");
        } else {
            let left = left.join(", ");
            warn!(
                left,
                "the configuration was taken over, but for keys that count from the next start on"
            );
        }
        Ok(Reloaded { left })
    }

    fn take_over(&self, config: &Config) -> Result<(), ReloadError> {
        let node = &self.node;
        let policy = node.security.read(node, config)?;
        if node.config.uses_tls() {
            node.tls.reload(&config.tls)?;
        }
        node.security.adopt(policy);
        Ok(())
    }
}

impl Config {
    /// The files beside the configuration itself whose content counts: where one changes, [`Reloader::reload`] takes it over.
    pub fn files(&self) -> Vec<PathBuf> {
        let keys = self.jwt.issuers.iter().filter_map(|one| match &one.keys {
            KeySource::File(path) => Some(path),
            KeySource::Url(_) | KeySource::Secret => None,
        });
        let tls = &self.tls;
        let others = [
            &self.users.file,
            &self.jwt.ca,
            &tls.certificate,
            &tls.key,
            &tls.client_ca,
        ];
        keys.chain(others.into_iter().flatten()).cloned().collect()
    }
}
