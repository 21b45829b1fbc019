//! Events: what happens to sessions.

use std::sync::Arc;

use super::Session;
use crate::disconnect::Reason;

/// What happened to a session.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// A client asks to be connected; nothing is decided yet.
    Connect {
        /// Which one it will be.
        session: Arc<Session>,
    },
    /// It is connected.
    Connected {
        /// Which one.
        session: Arc<Session>,
    },
    /// A subscription to the broker is live: what is sent from now on reaches it.
    Subscribed {
        /// Whose.
        session: Arc<Session>,
        /// The client's id; absent only with STOMP 1.0.
        subscription: Option<Box<str>>,
        /// As the client wrote it.
        destination: Box<str>,
    },
    /// A subscription has ended, by the client or with its session.
    Unsubscribed {
        /// Whose.
        session: Arc<Session>,
        /// The client's id; absent only with STOMP 1.0.
        subscription: Option<Box<str>>,
    },
    /// It has ended, or was never let in; nothing more happens to it.
    Disconnected {
        /// Which one.
        session: Arc<Session>,
        /// Why.
        reason: Reason,
    },
}
