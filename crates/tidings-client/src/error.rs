//! What goes wrong, one enum per operation.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tidings_core::disconnect::Reason;
use tidings_stomp::{ConnectionError, Frame};
use tidings_websocket::ResponseError;

use crate::address::AddressError;
use crate::credentials::CredentialsError;
#[cfg(feature = "tls")]
use crate::tls::TlsError;

/// Why an attempt to connect failed, or why the client has given up.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The url names no server that this client can reach.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// There are no credentials, or they can't be sent.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// No connection to the host.
    #[error("cannot connect: {0}; check the address and that the server runs")]
    Unreachable(Arc<io::Error>),
    /// No TLS with the server.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server did not open a WebSocket.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// The connection ended: before the server had accepted, or later for a reason that forbids to come back.
    #[error(transparent)]
    Ended(#[from] Ended),
    /// The deadline for connecting passed.
    #[error("not connected within {0:?}; check that a STOMP server answers there")]
    TimedOut(Duration),
}

impl ConnectError {
    /// Whether another attempt, after a pause, may succeed.
    pub fn retry(&self) -> bool {
        match self {
            Self::Address(_) => false,
            Self::Credentials(error) => matches!(error, CredentialsError::NotGiven(_)),
            Self::Unreachable(_) | Self::TimedOut(_) => true,
            #[cfg(feature = "tls")]
            Self::Tls(error) => error.retry(),
            Self::Handshake(error) => error.retry(),
            Self::Ended(ended) => ended.retry(),
        }
    }

    pub(crate) fn unreachable(error: io::Error) -> Self {
        Self::Unreachable(Arc::new(error))
    }
}

/// Why a server did not open a WebSocket.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// It answered, but not with that.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// What it answered is no HTTP, or too long.
    #[error(
        "the answer is not an HTTP response of at most 16 KiB; check that the port serves HTTP"
    )]
    Malformed,
}

impl HandshakeError {
    /// A server that is full or just starting says so with 5xx, 408, 425 or 429.
    fn retry(&self) -> bool {
        match self {
            Self::Response(ResponseError::Status(status)) => {
                matches!(status, 408 | 425 | 429 | 500..=599)
            }
            _ => false,
        }
    }
}

/// Why a connection ended without being asked to.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum Ended {
    /// The socket failed.
    #[error("the connection broke: {0}")]
    Broken(Arc<io::Error>),
    /// The server closed its side without a word.
    #[error("the server closed the connection without a goodbye")]
    Eof,
    /// The server sent ERROR.
    #[error(transparent)]
    Refused(Arc<ServerError>),
    /// The server closed the WebSocket.
    #[error("the server closed the WebSocket with code {code:?}: {text}")]
    WebSocketClosed {
        /// The close code, if there was one.
        code: Option<u16>,
        /// The reason, in the server's words.
        text: String,
    },
    /// The server broke STOMP or a limit of this client, or was silent for twice the agreed heart-beat.
    #[error(transparent)]
    Stomp(#[from] ConnectionError),
    /// The server broke WebSocket (RFC 6455).
    #[error(transparent)]
    WebSocket(#[from] tidings_websocket::Error),
}

impl Ended {
    /// Whether to connect again: as the table of disconnect codes says where the server gave a code of it; and where it
    /// gave none, yes, but for servers that break the protocol.
    pub fn retry(&self) -> bool {
        match self {
            Self::Broken(_) | Self::Eof => true,
            Self::Refused(error) => error.reason().is_none_or(Reason::retry),
            Self::WebSocketClosed { code, .. } => code.is_none_or(retry_after_close),
            Self::Stomp(error) => matches!(
                error,
                ConnectionError::HeartBeatMissed | ConnectionError::ConnectTimedOut
            ),
            Self::WebSocket(_) => false,
        }
    }
}

/// 1000 is no reason to stay away here: it was not this client that said goodbye. 1003 and 1010 ask for a client that
/// can do other things; the rest is in the table.
fn retry_after_close(code: u16) -> bool {
    match code {
        1003 | 1010 | 4500..=4999 => false,
        1000 | 4000..=4499 => true,
        _ => Reason::all()
            .find(|reason| reason.close_code() == code && code != ABNORMAL)
            .is_none_or(Reason::retry),
    }
}

/// Two reasons share it, and no close frame carries it.
const ABNORMAL: u16 = 1006;

/// An ERROR frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    frame: Frame,
}

impl ServerError {
    pub(crate) fn new(frame: Frame) -> Self {
        Self {
            frame: frame.detached(),
        }
    }

    /// The `code` header as a reason, where the server is a Tidings and the reason is known.
    pub fn reason(&self) -> Option<Reason> {
        self.code().and_then(Reason::from_name)
    }

    /// The `code` header.
    pub fn code(&self) -> Option<&str> {
        self.frame.header("code")
    }

    /// The `message` header; empty if there is none.
    pub fn message(&self) -> &str {
        self.frame.header("message").unwrap_or_default()
    }

    /// The body, where it is text: often a sentence that says what to do.
    pub fn details(&self) -> &str {
        std::str::from_utf8(&self.frame.body).unwrap_or_default()
    }

    /// Whether the session goes on behind it.
    pub(crate) fn goes_on(&self) -> bool {
        self.frame.header("error-mode") == Some("continue")
    }

    /// The `receipt-id` header: the frame at fault.
    pub(crate) fn receipt_id(&self) -> Option<&str> {
        self.frame.header("receipt-id")
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server answered with an error: ")?;
        f.write_str(self.message())?;
        if let Some(code) = self.code() {
            write!(f, " ({code})")?;
        }
        match self.details() {
            "" => Ok(()),
            details => write!(f, "; {details}"),
        }
    }
}

impl std::error::Error for ServerError {}

/// Why a frame was not taken.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum SendError {
    /// The program has closed the client.
    #[error("the client is closed; connect a new one")]
    Closed,
    /// The client has given up, see [`Event::GivenUp`](crate::Event::GivenUp).
    #[error("the client has given up: {0}")]
    GivenUp(Arc<ConnectError>),
    /// The frame belongs to a connection that is lost, or needs one and there is none: an ACK, a NACK, a frame of a
    /// transaction, BEGIN.
    #[error("the connection that this belongs to is lost; begin again once connected")]
    ConnectionLost,
    /// No room for so long: see [`Builder::send_timeout`](crate::Builder::send_timeout).
    #[error(
        "the queue of outgoing frames has been full for {0:?}; send less, or look why the server takes nothing"
    )]
    QueueFull(Duration),
    /// The frame alone is larger than the queue: see [`Builder::max_outgoing_bytes`](crate::Builder::max_outgoing_bytes).
    #[error("the frame of {bytes} bytes is over the limit of {limit}; send less at once")]
    TooLarge {
        /// Of the frame.
        bytes: usize,
        /// Of the queue.
        limit: usize,
    },
    /// A header that the client itself sets, or one without a name.
    #[error("the header {0:?} is not for programs to set; leave it out")]
    Header(String),
    /// ACK or NACK of a message whose subscription is [`AckMode::Auto`](crate::AckMode::Auto), or that the server gave
    /// nothing to acknowledge it by.
    #[error("the message needs no acknowledgement; subscribe with another mode to give one")]
    NothingToAcknowledge,
    /// A second ACK or NACK of a message.
    #[error("the message is acknowledged already")]
    AlreadyAcknowledged,
    /// NACK to a server that speaks STOMP 1.0, which has none.
    #[error("the server speaks STOMP 1.0, which has no NACK; leave the message unacknowledged")]
    NoNack,
    /// As many transactions are open as may be: see [`Builder::max_transactions`](crate::Builder::max_transactions).
    #[error("{0} transactions are open, which is the limit; end one first")]
    TooManyTransactions(usize),
}

/// Why a receipt did not come.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The frame was not even taken.
    #[error(transparent)]
    NotSent(#[from] SendError),
    /// The server refused the frame; it had no effect.
    #[error(transparent)]
    Refused(Arc<ServerError>),
    /// The connection was lost before the receipt came. Whether the frame took effect is not known.
    #[error("the connection was lost before the receipt came; the frame may have arrived or not")]
    ConnectionLost,
    /// No receipt for so long: see [`Builder::receipt_timeout`](crate::Builder::receipt_timeout). The frame may still
    /// take effect.
    #[error("no receipt within {0:?}; the frame may still arrive")]
    TimedOut(Duration),
}

impl ReceiptError {
    /// The code of the server, where it has refused the frame and the code is known.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused(error) => error.reason(),
            _ => None,
        }
    }
}

/// Why a session was not renewed. It goes on until its token expires, unless the server has refused the renewal with an
/// error that ends it: see [`Builder::continue_after_errors`](crate::Builder::continue_after_errors).
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum RenewError {
    /// There is no token, or it can't be sent.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The server did not confirm it: [`reason`](Self::reason) tells whether it has refused the token.
    #[error(transparent)]
    Unconfirmed(#[from] ReceiptError),
}

impl RenewError {
    /// The code of the server, where it has refused the token: [`Reason::TokenExpired`], [`Reason::BadCredentials`],
    /// [`Reason::TokenMismatch`] of another user's token, [`Reason::Forbidden`] where the rules would not let in whom it
    /// proves, and so on.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Unconfirmed(error) => error.reason(),
            Self::Credentials(_) => None,
        }
    }

    /// Whether another token, after a pause, may do: not where there is nothing left to renew.
    pub(crate) fn retry(&self) -> bool {
        match self {
            Self::Credentials(error) => matches!(error, CredentialsError::NotGiven(_)),
            Self::Unconfirmed(ReceiptError::Refused(error)) => {
                error.reason().is_none_or(Reason::retry)
            }
            Self::Unconfirmed(ReceiptError::TimedOut(_)) => true,
            Self::Unconfirmed(ReceiptError::NotSent(error)) => {
                matches!(error, SendError::QueueFull(_))
            }
            Self::Unconfirmed(_) => false,
        }
    }
}

/// Why a subscription did not begin.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum SubscribeError {
    /// The frame was not taken.
    #[error(transparent)]
    NotSent(#[from] SendError),
    /// The server refused it.
    #[error(transparent)]
    Refused(Arc<ServerError>),
    /// The server did not confirm it in time: see [`Builder::receipt_timeout`](crate::Builder::receipt_timeout).
    #[error("the subscription is not confirmed within {0:?}; subscribe again once connected")]
    TimedOut(Duration),
    /// There are as many as may be: see [`Builder::max_subscriptions`](crate::Builder::max_subscriptions).
    #[error("there are {0} subscriptions, which is the limit; end one first")]
    TooMany(usize),
}

impl SubscribeError {
    /// The code of the server, where it has refused the subscription and the code is known.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refused(error) => error.reason(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidings_stomp::Command;

    #[test]
    fn error_codes_say_whether_to_come_back() {
        for reason in Reason::all() {
            let frame = Frame::new(Command::Error).with_header("code", reason.name());
            let ended = Ended::Refused(Arc::new(ServerError::new(frame)));
            assert_eq!(ended.retry(), reason.retry(), "{reason}");
        }
        for frame in [
            Frame::new(Command::Error),
            Frame::new(Command::Error).with_header("code", "from-another-server"),
        ] {
            assert!(Ended::Refused(Arc::new(ServerError::new(frame))).retry());
        }
    }

    #[test]
    fn close_codes_say_whether_to_come_back() {
        let retry = |code| {
            Ended::WebSocketClosed {
                code,
                text: String::new(),
            }
            .retry()
        };
        for code in [1000, 1001, 1011, 1012, 1013, 3000, 4000, 4006, 4499] {
            assert!(retry(Some(code)), "{code}");
        }
        for code in [1002, 1003, 1007, 1008, 1009, 1010, 4500, 4530, 4999] {
            assert!(!retry(Some(code)), "{code}");
        }
        assert!(retry(None));
    }

    #[test]
    fn an_error_reads_as_one_sentence() {
        let error = ServerError::new(
            Frame::new(Command::Error)
                .with_header("message", "unknown destination")
                .with_header("code", "unknown-destination")
                .with_body("use /topic/ or /queue/"),
        );
        assert_eq!(
            error.to_string(),
            "the server answered with an error: unknown destination (unknown-destination); use /topic/ or /queue/"
        );
        assert_eq!(error.reason(), Some(Reason::UnknownDestination));
    }
}
