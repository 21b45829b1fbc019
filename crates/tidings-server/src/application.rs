//! What a connection speaks to: STOMP, or a handler of messages.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tidings_core::disconnect::Reason;
use tidings_stomp::Version;
use tidings_stomp::connection::{ErrorReply, Timeout};

use crate::endpoint::{MessageHandler, Payload, Replies, Service};
use crate::node::Node;
use crate::session::Session;

/// What a connection speaks to.
pub(crate) enum Application {
    Stomp(Session),
    Messages(Box<dyn MessageHandler>),
}

impl Application {
    pub(crate) fn new(service: &Service, node: &Node, ready_at: Instant) -> Self {
        match service {
            Service::Stomp => Self::Stomp(Session::new(node, ready_at)),
            Service::Messages(make) => Self::Messages(
                catch_unwind(AssertUnwindSafe(|| make())).unwrap_or_else(|_| Box::new(NoHandler)),
            ),
        }
    }

    pub(crate) fn stomp(&mut self) -> Option<&mut Session> {
        match self {
            Self::Stomp(session) => Some(session),
            Self::Messages(_) => None,
        }
    }

    pub(crate) fn session(&self) -> Option<&Session> {
        match self {
            Self::Stomp(session) => Some(session),
            Self::Messages(_) => None,
        }
    }

    /// The version of STOMP agreed on; the oldest where none is.
    pub(crate) fn version(&self) -> Version {
        match self {
            Self::Stomp(session) => session.version(),
            Self::Messages(_) => Version::V1_0,
        }
    }

    /// Whether what proves its client has expired.
    pub(crate) fn has_expired(&self, now: Instant) -> bool {
        self.session()
            .is_some_and(|session| session.has_expired(now))
    }

    /// A sign of life of the client.
    pub(crate) fn heard(&mut self, now: Instant) {
        if let Self::Stomp(session) = self {
            session.heard(now);
        }
    }

    /// Whether heart-beats of its own keep the link alive.
    pub(crate) fn sends_heart_beats(&self) -> bool {
        match self {
            Self::Stomp(session) => session.sends_heart_beats(),
            Self::Messages(_) => false,
        }
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        match self {
            Self::Stomp(session) => session.next_timeout(),
            Self::Messages(_) => None,
        }
    }

    pub(crate) fn handle_timeout(&mut self, written_at: Instant, now: Instant) -> Option<Timeout> {
        self.stomp()?.handle_timeout(written_at, now)
    }

    pub(crate) fn write_error(&mut self, error: &ErrorReply<'_>, out: &mut Vec<u8>) {
        if let Self::Stomp(session) = self {
            session.write_error(error, out);
        }
    }
}

/// Stands in for a handler whose maker has panicked.
struct NoHandler;

impl MessageHandler for NoHandler {
    fn opened(&mut self, replies: &mut Replies) {
        replies.close(
            Reason::InternalError.close_code(),
            Reason::InternalError.name(),
        );
    }

    fn received(&mut self, _: Payload, _: &mut Replies) {}
}
