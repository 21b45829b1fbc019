//! How an application reaches clients at any time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidings_stomp::Headers;

use crate::destination::DestinationError;
use crate::disconnect::Reason;

/// Sends from outside of any request. The program is trusted: no access rule is asked.
pub trait Broker: Send + Sync + 'static {
    /// Sends to a topic or a queue.
    ///
    /// # Errors
    /// The destination is not well formed or none of the broker's, or its queue is full.
    fn send(&self, destination: &str, message: Outgoing) -> Result<(), SendError>;

    /// As [`send`](Self::send); the future says how many sessions on this node it was brought to, once it was. Of a queue
    /// that is none, since its consumers take a message when they can.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    fn send_counted(
        &self,
        destination: &str,
        message: Outgoing,
    ) -> Result<ReachedFuture, SendError>;

    /// Sends to sessions that have subscribed to `path` behind the user prefix; says how many there are on this node.
    ///
    /// # Errors
    /// The path is not well formed.
    fn send_to(
        &self,
        recipient: &Recipient,
        path: &str,
        message: Outgoing,
    ) -> Result<usize, SendError>;

    /// The sessions of a user on this node, whatever they have subscribed to; none where the user is not connected.
    fn sessions_of(&self, user: &str) -> Vec<Arc<str>>;

    /// At most `limit` users that are connected to this node, those whose names come behind `after`, in the order of the
    /// names.
    fn users(&self, after: &str, limit: usize) -> Vec<Box<str>>;

    /// Ends a session; its client is told `reason`. False where there is none on this node.
    fn disconnect(&self, session: &str, reason: Reason) -> bool;

    /// As [`send_to`](Self::send_to), and waits for the first reply: the message has a header `reply-to`, and who of them
    /// first sends something there has replied.
    fn request(
        &self,
        recipient: &Recipient,
        path: &str,
        message: Outgoing,
        deadline: Duration,
    ) -> ReplyFuture;
}

/// What [`Broker::send_counted`] gives.
pub type ReachedFuture = Pin<Box<dyn Future<Output = usize> + Send>>;

/// What [`Broker::request`] gives. Must be awaited within a tokio runtime with time enabled.
pub type ReplyFuture = Pin<Box<dyn Future<Output = Result<Reply, ReplyError>> + Send>>;

/// What a client replied.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The session that replied.
    pub session: Arc<str>,
    /// All headers of its SEND.
    pub headers: Headers,
    /// The body of its SEND.
    pub body: Bytes,
}

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReplyError {
    /// The message was not sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// It reached no session on this node.
    #[error("no session here listens to this; ask when the client has subscribed")]
    NobodyReached,
    /// No reply came in time.
    #[error("no reply came within {0:?}; the client may reply later, to nobody")]
    TimedOut(Duration),
    /// So many requests wait for replies that no more are begun.
    #[error(
        "{0} requests wait for replies already; raise application.max_pending_replies or ask less"
    )]
    TooMany(usize),
}

/// Why a message was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The destination can't be used.
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// The broker does not take it.
    #[error("{details}")]
    Refused {
        /// The code.
        reason: Reason,
        /// The cause.
        details: String,
    },
}

/// Whom a message to a user destination is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// All sessions of a user.
    User(Box<str>),
    /// One session.
    Session(Arc<str>),
}

/// A message that an application sends.
#[derive(Debug, Clone, Default)]
pub struct Outgoing {
    /// Its headers, `content-type` among them; those that the server writes itself are left out.
    pub headers: Headers,
    /// Its body.
    pub body: Bytes,
}
