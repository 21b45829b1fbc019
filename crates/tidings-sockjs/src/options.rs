//! How one endpoint behaves.

use std::time::Duration;

/// Options of an endpoint, named as Spring names them where it has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// A receiver that got nothing for this long gets a heartbeat frame.
    pub heartbeat_time: Duration,
    /// A session ends when it had no receiver for this long.
    pub disconnect_delay: Duration,
    /// A streaming response ends once its frames, with their framing but without the prelude, are this many bytes.
    pub stream_bytes_limit: usize,
    /// Set the `JSESSIONID` cookie, by which load balancers keep a client on one server.
    pub session_cookie_needed: bool,
    /// Offer the WebSocket transports.
    pub websocket_enabled: bool,
    /// Offer `jsonp`, `htmlfile` and the iframe page, which run in the name of whoever embeds them.
    pub legacy_transports: bool,
    /// Where the iframe page loads sockjs-client from: a path that begins with `/`, or an `http` url.
    pub client_library_url: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heartbeat_time: Duration::from_secs(25),
            disconnect_delay: Duration::from_secs(5),
            stream_bytes_limit: 128 * 1024,
            session_cookie_needed: false,
            websocket_enabled: true,
            legacy_transports: false,
            client_library_url: "/sockjs.min.js".to_owned(),
        }
    }
}
