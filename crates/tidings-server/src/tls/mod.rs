//! The certificate that listeners show and whom they let in, read from files, and exchanged while the server runs.

mod certificate;
mod error;
mod files;

use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;

pub(crate) use certificate::name_of;
pub use error::TlsError;
pub(crate) use files::{load, time_left};

use crate::config;

/// The certificate that listeners show, and which clients they let in. [`Server::tls`](crate::Server::tls) gives it to who
/// renews certificates.
#[derive(Debug, Default)]
pub struct Tls {
    current: RwLock<Option<Arc<ServerConfig>>>,
}

impl Tls {
    /// Reads the files that `config` names and goes by them from the next handshake on; connections that stand stay as
    /// they are. A client that resumes a session of before has a whole handshake.
    ///
    /// Reads files, and so may block for as long as they take.
    ///
    /// # Errors
    /// A file cannot be read or used, or the key is of another certificate, as where only one of the two is renewed yet.
    /// Then all stays as it was.
    pub fn reload(&self, config: &config::Tls) -> Result<(), TlsError> {
        let loaded = Arc::new(load(config)?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Some(loaded);
        Ok(())
    }

    /// What the next handshake goes by; none before the first [`Tls::reload`].
    pub(crate) fn current(&self) -> Option<Arc<ServerConfig>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.clone()
    }
}
