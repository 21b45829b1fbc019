//! Links: what carries STOMP between a socket and a session.

mod websocket;

pub(crate) use websocket::{Received, WebSocketLink, reason as websocket_reason};

use crate::config;

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

/// What kind of link a connection speaks.
#[derive(Debug, Clone)]
pub(crate) enum LinkKind {
    Tcp,
    WebSocket {
        /// permessage-deflate as agreed in the handshake.
        deflate: Option<tidings_websocket::DeflateParams>,
    },
}

/// What carries STOMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wire {
    Tcp,
    WebSocket,
    /// WebSocket with permessage-deflate agreed.
    CompressedWebSocket,
}

impl Wire {
    /// What metrics call it.
    pub(crate) fn link(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::WebSocket | Self::CompressedWebSocket => "websocket",
        }
    }
}

/// The largest window of permessage-deflate. A broadcast is compressed once for all who agreed to it.
pub(crate) const FULL_WINDOW_BITS: u8 = 15;
