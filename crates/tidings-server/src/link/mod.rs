//! Links: what carries the messages of a session between a client and the worker.

mod websocket;

pub(crate) use websocket::{Framing, Received, WebSocketLink, reason as websocket_reason};

use crate::config::Config;

/// The inbound half of a connection's link. Writing needs no state: see [`Wire`].
pub(crate) enum Link {
    /// STOMP as it is.
    Tcp,
    /// In WebSocket messages.
    WebSocket(WebSocketLink),
    /// SockJS over HTTP: requests bring messages, and responses carry them away.
    SockJs,
}

impl Link {
    pub(crate) fn new(kind: &LinkKind, config: &Config) -> Self {
        match kind {
            LinkKind::Tcp => Self::Tcp,
            LinkKind::WebSocket { deflate, framing } => {
                Self::WebSocket(WebSocketLink::new(*deflate, *framing, config))
            }
        }
    }

    pub(crate) fn wire(&self) -> Wire {
        match self {
            Self::Tcp => Wire::Tcp,
            Self::WebSocket(link) => link.wire(),
            Self::SockJs => Wire::SockJs,
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
        framing: Framing,
    },
}

/// What carries messages to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wire {
    Tcp,
    WebSocket,
    /// WebSocket with permessage-deflate agreed.
    CompressedWebSocket,
    /// Frames of SockJS in WebSocket messages.
    SockJsWebSocket,
    /// Frames of SockJS in responses of HTTP. What is encoded for all is a chunk of `xhr_streaming`; other transports
    /// take the message out of it.
    SockJs,
}

impl Wire {
    /// What metrics call it.
    pub(crate) fn link(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::WebSocket | Self::CompressedWebSocket => "websocket",
            Self::SockJsWebSocket => "sockjs-websocket",
            Self::SockJs => "sockjs-http",
        }
    }

    /// Whether it has frames of WebSocket, which end with a close code.
    pub(crate) fn is_websocket(self) -> bool {
        matches!(
            self,
            Self::WebSocket | Self::CompressedWebSocket | Self::SockJsWebSocket
        )
    }

    /// Whether messages travel in frames of SockJS, as text.
    pub(crate) fn is_sockjs(self) -> bool {
        matches!(self, Self::SockJsWebSocket | Self::SockJs)
    }
}

/// The largest window of permessage-deflate. A broadcast is compressed once for all who agreed to it.
pub(crate) const FULL_WINDOW_BITS: u8 = 15;
