//! Endpoints: where clients come in, how, and who answers them.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use tidings_sockjs::Options;

use crate::config::{AllowedOrigins, Config};

/// A path of the HTTP listener where WebSocket clients connect, and beneath it those of SockJS.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The path, without `/` at its end: `/ws`. A WebSocket handshake there speaks without SockJS.
    pub path: String,
    /// Which pages may connect.
    pub allowed_origins: AllowedOrigins,
    /// SockJS beneath the path; absent: only WebSocket at the path itself.
    pub sockjs: Option<Options>,
    /// Bind each SockJS session over HTTP to a cookie of its own, so that who guesses its url gets nothing.
    pub bind_sessions: bool,
    /// Who answers.
    pub service: Service,
}

/// Who answers the clients of an endpoint.
#[derive(Clone)]
pub enum Service {
    /// STOMP.
    Stomp,
    /// Makes the handler of one connection.
    Messages(Arc<dyn Fn() -> Box<dyn MessageHandler> + Send + Sync>),
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Stomp => "Stomp",
            Self::Messages(_) => "Messages",
        })
    }
}

/// Answers the messages of one connection, whether they come by WebSocket or by any transport of SockJS. It belongs to
/// one thread; what takes long must be done elsewhere, or every connection of that thread waits.
pub trait MessageHandler {
    /// The connection is there.
    fn opened(&mut self, replies: &mut Replies) {
        let _ = replies;
    }

    /// A whole message has come.
    fn received(&mut self, message: Payload, replies: &mut Replies);

    /// The connection is gone.
    fn closed(&mut self) {}
}

/// A message of a [`MessageHandler`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// Text.
    Text(String),
    /// Bytes, which only WebSocket without SockJS framing carries.
    Binary(Bytes),
}

/// What a [`MessageHandler`] has to say.
#[derive(Debug, Default)]
pub struct Replies {
    pub(crate) messages: Vec<Payload>,
    pub(crate) close: Option<(u16, String)>,
}

impl Replies {
    /// Sends a message to the client. Bytes over SockJS close the connection with the reason `binary-over-sockjs`.
    pub fn send(&mut self, message: Payload) {
        self.messages.push(message);
    }

    /// Closes the connection once what was sent is out, with a code from 3000 to 4999 and a reason of at most 123 bytes
    /// (RFC 6455, sections 5.5 and 7.4.2); a longer reason is cut over WebSocket.
    pub fn close(&mut self, code: u16, reason: &str) {
        self.close = Some((code, reason.to_owned()));
    }
}

impl Endpoint {
    /// The endpoint for STOMP that the configuration describes.
    pub(crate) fn stomp(config: &Config) -> Self {
        let (path, sockjs) = (&config.websocket.path, &config.sockjs);
        let options = || Options {
            heartbeat_time: sockjs.heartbeat_time,
            disconnect_delay: sockjs.disconnect_delay,
            stream_bytes_limit: sockjs.stream_bytes_limit,
            session_cookie_needed: sockjs.session_cookie_needed,
            websocket_enabled: sockjs.websocket_enabled,
            legacy_transports: sockjs.legacy_transports,
            client_library_url: sockjs
                .client_library_url
                .clone()
                .unwrap_or_else(|| own_client_library(path)),
        };
        Self {
            path: path.clone(),
            allowed_origins: config.websocket.allowed_origins.clone(),
            sockjs: sockjs.enabled.then(options),
            bind_sessions: true,
            service: Service::Stomp,
        }
    }
}

/// The name beneath an endpoint of the server's own copy of sockjs-client.
pub(crate) const CLIENT_LIBRARY: &str = "sockjs.min.js";

/// Where an endpoint has that copy.
pub(crate) fn own_client_library(path: &str) -> String {
    format!("{path}/{CLIENT_LIBRARY}")
}
