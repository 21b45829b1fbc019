//! How STOMP travels between a client and the server.

use clap::ValueEnum;
use serde::Serialize;

/// What carries STOMP to a WebSocket endpoint; the names are those of `sockjs-client`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Transport {
    /// WebSocket without SockJS; with `--tcp`, plain TCP.
    #[default]
    Websocket,
    /// SockJS frames in a WebSocket.
    SockjsWebsocket,
    /// SockJS: frames in one long HTTP response after the other.
    XhrStreaming,
    /// SockJS long polling: a frame for each HTTP response.
    #[value(alias = "xhr")]
    XhrPolling,
}

impl Transport {
    /// The last part of the url by which a SockJS client receives.
    pub(crate) fn path(self) -> Option<&'static str> {
        match self {
            Self::Websocket => None,
            Self::SockjsWebsocket => Some("websocket"),
            Self::XhrStreaming => Some("xhr_streaming"),
            Self::XhrPolling => Some("xhr"),
        }
    }

    /// Receives in HTTP responses and sends in requests of their own.
    pub(crate) fn is_http(self) -> bool {
        matches!(self, Self::XhrStreaming | Self::XhrPolling)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Websocket => "websocket",
            Self::SockjsWebsocket => "sockjs-websocket",
            Self::XhrStreaming => "xhr-streaming",
            Self::XhrPolling => "xhr-polling",
        }
    }
}
