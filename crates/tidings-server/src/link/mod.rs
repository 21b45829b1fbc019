//! Links: what carries STOMP between a socket and a session.

mod websocket;

pub(crate) use websocket::{Received, WebSocketLink, reason as websocket_reason};

use crate::config;
use crate::worker::{LinkKind, Wire};

/// The inbound half of a connection's link. Writing needs no state: see [`Wire`].
pub(crate) enum Link {
    /// STOMP as it is.
    Tcp,
    /// STOMP in WebSocket messages.
    WebSocket(WebSocketLink),
}

impl Link {
    pub(crate) fn new(kind: &LinkKind, limits: &config::WebSocket) -> Self {
        match kind {
            LinkKind::Tcp => Self::Tcp,
            LinkKind::WebSocket { deflate } => {
                Self::WebSocket(WebSocketLink::new(*deflate, limits))
            }
        }
    }

    pub(crate) fn wire(&self) -> Wire {
        match self {
            Self::Tcp => Wire::Tcp,
            Self::WebSocket(link) => link.wire(),
        }
    }
}
