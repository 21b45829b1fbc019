//! Where the server is.

use std::str::FromStr;

use thiserror::Error;

/// A server's url, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) scheme: Scheme,
    /// Whether TLS is beneath.
    pub(crate) tls: bool,
    /// A name or an address; IPv6 without its brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Path and query; `/` over TCP.
    pub(crate) path: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Tcp,
    WebSocket,
}

/// Why a url names no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Neither of the schemes that this client speaks.
    #[error("the scheme is not known; write ws://, wss://, tcp:// or stomp+ssl://")]
    Scheme,
    /// TLS was asked for, and this program was built without it.
    #[error("the client was built without TLS; build it with the feature `tls`")]
    Tls,
    /// A user or a password stands in the url.
    #[error("the url holds a login; give it to the builder instead")]
    Login,
    /// No host, or not a well formed one.
    #[error("the host is missing or malformed; write a name, an IPv4 address, or IPv6 in brackets")]
    Host,
    /// Not a port.
    #[error("the port is malformed; write a number from 1 to 65535")]
    Port,
    /// A path that HTTP can't carry, or one where there is none.
    #[error(
        "the path is malformed; encode spaces and other special characters, and leave it out over TCP"
    )]
    Path,
}

impl Address {
    /// The value of HTTP's `Host`.
    pub(crate) fn http_host(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        match self.port == default_port(self.scheme, self.tls) {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(url: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = url.split_once("://").ok_or(AddressError::Scheme)?;
        let (scheme, tls) = match &*scheme.to_ascii_lowercase() {
            "tcp" | "stomp" => (Scheme::Tcp, false),
            "stomp+ssl" | "stomps" | "ssl" | "tls" | "tcps" => (Scheme::Tcp, true),
            "ws" => (Scheme::WebSocket, false),
            "wss" => (Scheme::WebSocket, true),
            _ => return Err(AddressError::Scheme),
        };
        if tls && cfg!(not(feature = "tls")) {
            return Err(AddressError::Tls);
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (host, port) = split_authority(authority)?;
        Ok(Self {
            scheme,
            tls,
            host,
            port: port.unwrap_or(default_port(scheme, tls)),
            path: checked_path(path, scheme)?,
        })
    }
}

/// The host, IPv6 without its brackets, and the port if there is one.
fn split_authority(authority: &str) -> Result<(String, Option<u16>), AddressError> {
    if authority.contains('@') {
        return Err(AddressError::Login);
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(AddressError::Host)?;
            host.parse::<std::net::Ipv6Addr>()
                .map_err(|_| AddressError::Host)?;
            (host, port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            authority.split_at(end)
        }
    };
    if host.is_empty() || host.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(AddressError::Host);
    }
    let port = match port.strip_prefix(':') {
        Some(digits) => Some(parse_port(digits)?),
        None if port.is_empty() => None,
        None => return Err(AddressError::Port),
    };
    Ok((host.to_owned(), port))
}

fn parse_port(digits: &str) -> Result<u16, AddressError> {
    let port = digits.parse().ok().filter(|&port| port > 0);
    port.filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or(AddressError::Port)
}

fn checked_path(path: &str, scheme: Scheme) -> Result<String, AddressError> {
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'#');
    match (scheme, path) {
        _ if !plain => Err(AddressError::Path),
        (_, "" | "/") => Ok("/".to_owned()),
        (Scheme::Tcp, _) => Err(AddressError::Path),
        (Scheme::WebSocket, query) if query.starts_with('?') => Ok(format!("/{query}")),
        (Scheme::WebSocket, path) => Ok(path.to_owned()),
    }
}

/// Those of HTTP, and those that brokers listen on by custom.
fn default_port(scheme: Scheme, tls: bool) -> u16 {
    match (scheme, tls) {
        (Scheme::WebSocket, false) => 80,
        (Scheme::WebSocket, true) => 443,
        (Scheme::Tcp, false) => 61613,
        (Scheme::Tcp, true) => 61614,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(scheme: Scheme, host: &str, port: u16, path: &str) -> Result<Address, AddressError> {
        Ok(Address {
            scheme,
            tls: false,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        })
    }

    #[test]
    fn urls_are_taken_apart() {
        use Scheme::{Tcp, WebSocket};
        for (url, expected) in [
            ("ws://localhost", address(WebSocket, "localhost", 80, "/")),
            (
                "WS://a.example:8080/ws?x=1&y",
                address(WebSocket, "a.example", 8080, "/ws?x=1&y"),
            ),
            ("ws://a?x=/", address(WebSocket, "a", 80, "/?x=/")),
            ("ws://[::1]:81/ws", address(WebSocket, "::1", 81, "/ws")),
            ("tcp://127.0.0.1", address(Tcp, "127.0.0.1", 61613, "/")),
            ("stomp://broker:1/", address(Tcp, "broker", 1, "/")),
            ("http://a/ws", Err(AddressError::Scheme)),
            ("localhost:61613", Err(AddressError::Scheme)),
            ("ws://ann:secret@a/ws", Err(AddressError::Login)),
            ("ws:///ws", Err(AddressError::Host)),
            ("ws://a b/ws", Err(AddressError::Host)),
            ("ws://[::1/ws", Err(AddressError::Host)),
            ("ws://[a]/ws", Err(AddressError::Host)),
            ("ws://a:/ws", Err(AddressError::Port)),
            ("ws://a:0/ws", Err(AddressError::Port)),
            ("ws://a:+1/ws", Err(AddressError::Port)),
            ("ws://a:65536/ws", Err(AddressError::Port)),
            ("ws://[::1]x/ws", Err(AddressError::Port)),
            ("ws://a/w s", Err(AddressError::Path)),
            ("ws://a/w\r\nX: y", Err(AddressError::Path)),
            ("ws://a/ws#part", Err(AddressError::Path)),
            ("tcp://a/ws", Err(AddressError::Path)),
        ] {
            assert_eq!(url.parse(), expected, "{url:?}");
        }
    }

    #[test]
    fn tls_has_schemes_and_ports_of_its_own() {
        for (url, scheme, port) in [
            ("wss://a.example/ws", Scheme::WebSocket, 443),
            ("wss://a.example:8443/ws", Scheme::WebSocket, 8443),
            ("stomp+ssl://a.example", Scheme::Tcp, 61614),
            ("tls://a.example:1", Scheme::Tcp, 1),
        ] {
            let address = url.parse::<Address>();
            if cfg!(not(feature = "tls")) {
                assert_eq!(address, Err(AddressError::Tls));
                continue;
            }
            let address = address.expect("a good url");
            assert!(address.tls);
            assert_eq!((address.scheme, address.port), (scheme, port), "{url}");
        }
    }

    #[test]
    fn the_host_header_leaves_out_the_port_of_http() {
        for (url, host) in [
            ("ws://a.example/ws", "a.example"),
            ("ws://a.example:8080/ws", "a.example:8080"),
            ("ws://[::1]:81/ws", "[::1]:81"),
        ] {
            let address: Address = url.parse().expect("a good url");
            assert_eq!(address.http_host(), host);
        }
    }
}
