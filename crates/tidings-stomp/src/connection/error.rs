//! Why a connection ends, and how that is said.

use thiserror::Error;

use crate::decoder::DecodeError;
use crate::encoder::{write_body, write_command, write_header};
use crate::frame::Command;
use crate::heart_beat::HeartBeatError;
use crate::version::{Version, VersionError};

/// What the peer did that ends the connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// Its bytes are no STOMP, or too much of it.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// The first frame does not open a connection.
    #[error("{command} before CONNECT; connect first")]
    NotConnected {
        /// What came instead.
        command: Command,
        /// The receipt that it asked for.
        receipt: Option<Box<str>>,
    },
    /// A second CONNECT.
    #[error("second {command} on one connection; open another connection")]
    AlreadyConnected {
        /// CONNECT, STOMP or, for a client, CONNECTED.
        command: Command,
    },
    /// A command that is for the other side to send.
    #[error("{command} is not for this side to send")]
    UnexpectedCommand {
        /// The command.
        command: Command,
        /// The receipt that it asked for.
        receipt: Option<Box<str>>,
    },
    /// No common version.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The `heart-beat` header can't be read.
    #[error(transparent)]
    HeartBeat(#[from] HeartBeatError),
    /// CONNECT, or the answer to it, did not come in time.
    #[error("no complete CONNECT in time; send it first after opening the connection")]
    ConnectTimedOut,
    /// Nothing was heard for twice the agreed interval.
    #[error("nothing heard for twice the agreed heart-beat interval; send heart-beats in time")]
    HeartBeatMissed,
}

impl ConnectionError {
    /// A short name that never changes, in kebab-case, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Decode(error) => error.code(),
            Self::NotConnected { .. } => "not-connected",
            Self::AlreadyConnected { .. } => "already-connected",
            Self::UnexpectedCommand { .. } => "unexpected-command",
            Self::Version(_) => "unsupported-version",
            Self::HeartBeat(_) => "invalid-heart-beat",
            Self::ConnectTimedOut => "connect-timeout",
            Self::HeartBeatMissed => "heart-beat-missed",
        }
    }

    /// The `receipt` header of the offending frame, where it was read.
    pub fn receipt(&self) -> Option<&str> {
        match self {
            Self::Decode(error) => error.receipt(),
            Self::NotConnected { receipt, .. } | Self::UnexpectedCommand { receipt, .. } => {
                receipt.as_deref()
            }
            _ => None,
        }
    }
}

/// What an ERROR frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ErrorReply<'a> {
    /// The cause for programs, in kebab-case: header `code`, an extension.
    pub code: &'a str,
    /// The cause in a few words: header `message`.
    pub message: &'a str,
    /// The `receipt` of the frame that failed: header `receipt-id`.
    pub receipt_id: Option<&'a str>,
    /// One helpful sentence: the body, as `text/plain`.
    pub details: &'a str,
    /// More headers, after those.
    pub headers: &'a [(&'a str, &'a str)],
}

/// Appends an ERROR frame for a peer that speaks `version`.
pub fn encode_error(reply: &ErrorReply<'_>, version: Version, out: &mut Vec<u8>) {
    write_command(out, Command::Error);
    write_header(out, "message", reply.message, version);
    write_header(out, "code", reply.code, version);
    if let Some(receipt_id) = reply.receipt_id {
        write_header(out, "receipt-id", receipt_id, version);
    }
    for (name, value) in reply.headers {
        write_header(out, name, value, version);
    }
    write_header(out, "content-type", "text/plain", version);
    write_body(out, reply.details.as_bytes());
}
