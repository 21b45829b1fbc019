//! Why a server does not start, or could not go on.

use std::io;
use std::net::SocketAddr;

use crate::security::PolicyError;
use crate::tls::TlsError;

/// Why a server can't have an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error(
    "cannot listen on {address} ({setting}): {source}; choose another address, or port 0 for any free one"
)]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// The setting that names it.
    pub setting: &'static str,
    /// What the system says.
    pub source: io::Error,
}

/// Why a server could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The system gives no thread, or a thread no event queue.
    #[error("cannot start a worker: {0}; look at the limits on threads and open files")]
    Start(#[from] io::Error),
    /// A worker ended by a fault of the server; its connections are lost. Start the process again.
    #[error(
        "a worker has panicked: its connections are lost; start the server again and report what the log says"
    )]
    Worker,
    /// [`Server::application`](crate::Server::application) was given one, and the configuration has webhooks.
    #[error(
        "`webhook` is configured, but this program brings an application of its own; remove the section \
         `webhook`, or the application"
    )]
    TwoApplications,
    /// The application separates the segments of its destinations otherwise than the server: it would know none.
    #[error(
        "the application separates destinations by `{application}`, and `broker.separator` is `{server}`; set both to the \
         same"
    )]
    Separator {
        /// As the application does.
        application: char,
        /// As the server does.
        server: char,
    },
    /// What the configuration says about security can't be used: a file is missing, say.
    #[error(transparent)]
    Security(#[from] PolicyError),
    /// A listener is to speak TLS, and what `[tls]` names cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// `webhook` was not checked by [`Config::load`](crate::config::Config::load), or the file of `webhook.ca` holds no certificates.
    #[error("`webhook` {0}")]
    Webhook(String),
}
