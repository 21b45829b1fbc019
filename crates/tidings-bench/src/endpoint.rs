//! Where a server is.

use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use crate::transport::Transport;

/// The address of a server and how it is spoken to: `ws://host:port/path` or `tcp://host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub(crate) address: SocketAddr,
    /// Path of the WebSocket endpoint; absent: STOMP over TCP.
    pub(crate) path: Option<String>,
}

impl Endpoint {
    pub(crate) fn is_websocket(&self) -> bool {
        self.path.is_some()
    }

    /// What carries STOMP when clients use `transport`.
    pub(crate) fn transport_name(&self, transport: Transport) -> &'static str {
        if self.is_websocket() {
            transport.name()
        } else {
            "tcp"
        }
    }

    /// The endpoint in a line that a server prints when it is ready, such as
    /// `listening http://127.0.0.1:41234 (HTTP and WebSocket at /ws)`; the path is always `/ws`.
    pub(crate) fn announced(line: &str, websocket: bool) -> Option<Self> {
        let scheme = if websocket { "http://" } else { "tcp://" };
        let after = &line[line.find(scheme)? + scheme.len()..];
        let end = after
            .find(|letter: char| letter.is_whitespace() || "/,;)\"'".contains(letter))
            .unwrap_or(after.len());
        Some(Self {
            address: after[..end].parse().ok()?,
            path: websocket.then(|| "/ws".to_owned()),
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "ws://{}{path}", self.address),
            None => write!(f, "tcp://{}", self.address),
        }
    }
}

/// Why a text is no [`Endpoint`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Another scheme.
    #[error("the address begins with neither ws:// nor tcp://")]
    Scheme,
    /// The host or port.
    #[error("no address for `{0}`: {1}; write host:port")]
    Address(String, String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, path) = if let Some(rest) = text.strip_prefix("ws://") {
            let at = rest.find('/').unwrap_or(rest.len());
            let path = if at == rest.len() { "/" } else { &rest[at..] };
            (&rest[..at], Some(path.to_owned()))
        } else if let Some(rest) = text.strip_prefix("tcp://") {
            (rest.trim_end_matches('/'), None)
        } else {
            return Err(EndpointError::Scheme);
        };
        let refuse = |cause: String| EndpointError::Address(host.to_owned(), cause);
        let mut addresses = host
            .to_socket_addrs()
            .map_err(|error| refuse(error.to_string()))?;
        let address = addresses
            .next()
            .ok_or_else(|| refuse("none found".to_owned()))?;
        Ok(Self { address, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses() {
        for (text, shown) in [
            ("ws://127.0.0.1:8080/ws", "ws://127.0.0.1:8080/ws"),
            ("ws://127.0.0.1:8080", "ws://127.0.0.1:8080/"),
            ("tcp://[::1]:61613", "tcp://[::1]:61613"),
        ] {
            assert_eq!(
                text.parse::<Endpoint>()
                    .map(|endpoint| endpoint.to_string()),
                Ok(shown.to_owned())
            );
        }
        assert_eq!(
            "http://127.0.0.1:1".parse::<Endpoint>(),
            Err(EndpointError::Scheme)
        );
        assert!(matches!(
            "ws://127.0.0.1".parse::<Endpoint>(),
            Err(EndpointError::Address(..))
        ));
    }

    #[test]
    fn finds_the_address_in_what_a_server_prints() {
        let line = "listening http://127.0.0.1:41234 (HTTP and WebSocket at /ws)";
        let shown = |websocket| Endpoint::announced(line, websocket).map(|found| found.to_string());
        assert_eq!(shown(true).as_deref(), Some("ws://127.0.0.1:41234/ws"));
        assert_eq!(shown(false), None);
        let both = "http://127.0.0.1:1/ and tcp://127.0.0.1:2, ready";
        assert_eq!(
            Endpoint::announced(both, false)
                .map(|found| found.to_string())
                .as_deref(),
            Some("tcp://127.0.0.1:2")
        );
    }
}
