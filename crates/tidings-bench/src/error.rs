//! Why a measurement could not be made.

use std::io;
use std::time::Duration;

use crate::wire::ScanError;

/// Why [`run`](crate::run) gave no figures. A run that gave figures and failed its check is no error but
/// [`Outcome::Failed`](crate::Outcome::Failed).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The server's process could not be started.
    #[error("cannot start `{command}`: {cause}; give the server with --server-command or --url")]
    Start {
        /// The command line.
        command: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The server's process ended, or said no address in time.
    #[error("`{command}` {what}; its last words: {words}")]
    NoAddress {
        /// The command line.
        command: String,
        /// What it did instead.
        what: &'static str,
        /// The end of what it wrote to its standard error.
        words: String,
    },
    /// Not all connections could be opened and subscribed.
    #[error(
        "connection {number} of {count} failed {at}: {cause}; check the address and the server's limits"
    )]
    Connect {
        /// Which one, from 1.
        number: usize,
        /// How many were wanted.
        count: usize,
        /// Which step.
        at: &'static str,
        /// What happened.
        cause: String,
    },
    /// Opening connections took too long.
    #[error("only {ready} of {count} connections were ready after {limit:?}; raise --timeout")]
    ConnectTimeout {
        /// How many were subscribed.
        ready: usize,
        /// How many were wanted.
        count: usize,
        /// The limit.
        limit: Duration,
    },
    /// The process may not open that many files.
    #[error(
        "{needed} open files are needed and {allowed} allowed; raise the hard limit (ulimit -Hn)"
    )]
    OpenFiles {
        /// How many connections and others.
        needed: u64,
        /// The hard limit.
        allowed: u64,
    },
    /// A figure of a process could not be read.
    #[error("cannot read {path}: {cause}; is --pid right?")]
    Proc {
        /// The file below `/proc`.
        path: String,
        /// What happened.
        cause: String,
    },
    /// A process could not be put on a core.
    #[error("cannot pin a process to a core: {0}; leave out --pin")]
    Pin(String),
    /// Keys or passcodes could not be made.
    #[error("cannot make credentials: {0}")]
    Credentials(String),
    /// Two options contradict each other.
    #[error("{0}")]
    Usage(&'static str),
    /// The report could not be encoded.
    #[error("cannot encode the report: {0}")]
    Encode(#[from] serde_json::Error),
    /// The loop over the sockets or the output failed.
    #[error("input or output failed: {0}")]
    Io(#[from] io::Error),
}

/// How a connection ended that should not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Ending {
    /// The server sent an ERROR frame.
    #[error("ERROR frame: {0}")]
    Error(String),
    /// The server closed the WebSocket or the SockJS session.
    #[error("close with code {}", .0.map_or_else(|| "none".to_owned(), |code| code.to_string()))]
    Close(Option<u16>),
    /// The socket ended without a word.
    #[error("end of stream")]
    EndOfStream,
    /// The socket failed.
    #[error("{0}")]
    Socket(io::ErrorKind),
    /// The server wrote what it may not.
    #[error("protocol error: {0}")]
    Protocol(#[from] ScanError),
}
