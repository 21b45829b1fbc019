//! The opening handshake on the client's side (RFC 6455, section 4.1), without the connection.

use base64::Engine;

use crate::{
    extension::DeflateParams,
    handshake::{BASE64, accept_key, has_token},
};

/// A handshake request.
#[derive(Clone, Copy, Debug)]
pub struct ClientRequest<'a> {
    /// The value of `Host`: a name or an address, and the port unless it is the scheme's own.
    pub host: &'a str,
    /// Path and query, beginning with `/`.
    pub path: &'a str,
    /// 16 random bytes.
    pub nonce: [u8; 16],
    /// Sub-protocols, the preferred one first.
    pub protocols: &'a [&'a str],
    /// Whether to offer compression.
    pub compression: bool,
    /// Further headers, such as `Origin`.
    pub headers: &'a [(&'a str, &'a str)],
}

/// What a client needs of the response. Join the values of a header that came more than once with `, `.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseHead<'a> {
    /// The status; 101 is expected.
    pub status: u16,
    /// `Upgrade`
    pub upgrade: &'a str,
    /// `Connection`
    pub connection: &'a str,
    /// `Sec-WebSocket-Accept`
    pub accept: &'a str,
    /// `Sec-WebSocket-Protocol`; empty if there is none.
    pub protocol: &'a str,
    /// `Sec-WebSocket-Extensions`; empty if there is none.
    pub extensions: &'a str,
}

/// What the server agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed<'a> {
    /// The sub-protocol, one of those that were offered.
    pub protocol: Option<&'a str>,
    /// Whether and how to compress.
    pub deflate: Option<DeflateParams>,
}

/// Why a response does not open a WebSocket connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// The server did not switch protocols.
    #[error(
        "the server answered with status {0} instead of 101; check the address and the credentials"
    )]
    Status(u16),
    /// `Upgrade` or `Connection` is wrong.
    #[error(
        "the response upgrades to something else; check that the address is a WebSocket endpoint"
    )]
    Upgrade,
    /// `Sec-WebSocket-Accept` does not belong to our key.
    #[error("the response belongs to another request; a cache or proxy may stand between")]
    Accept,
    /// A sub-protocol that was not offered.
    #[error("the server chose a sub-protocol that was not offered; offer one that it knows")]
    Protocol,
    /// An extension that was not offered, or with other parameters.
    #[error("the server chose extensions that were not offered; connect without compression")]
    Extensions,
}

impl<'a> ClientRequest<'a> {
    /// The request as sent, with its empty line.
    pub fn encode(&self) -> Vec<u8> {
        let mut request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n",
            self.path,
            self.host,
            self.key(),
        );
        let mut add = |name: &str, value: &str| request.extend([name, ": ", value, "\r\n"]);
        if !self.protocols.is_empty() {
            add("Sec-WebSocket-Protocol", &self.protocols.join(", "));
        }
        if self.compression {
            add("Sec-WebSocket-Extensions", &DeflateParams::offer_header());
        }
        for (name, value) in self.headers {
            add(name, value);
        }
        request += "\r\n";
        request.into_bytes()
    }

    /// Judges the response.
    ///
    /// # Errors
    /// When the response does not open a WebSocket connection with what was offered.
    pub fn verify(&self, response: &ResponseHead<'_>) -> Result<Agreed<'a>, ResponseError> {
        if response.status != 101 {
            return Err(ResponseError::Status(response.status));
        }
        if !has_token(response.upgrade, "websocket") || !has_token(response.connection, "upgrade") {
            return Err(ResponseError::Upgrade);
        }
        if response.accept.trim() != accept_key(&self.key()) {
            return Err(ResponseError::Accept);
        }
        Ok(Agreed {
            protocol: self.protocol(response.protocol)?,
            deflate: self.deflate(response.extensions)?,
        })
    }

    fn key(&self) -> String {
        BASE64.encode(self.nonce)
    }

    fn protocol(&self, chosen: &str) -> Result<Option<&'a str>, ResponseError> {
        let chosen = chosen.trim();
        if chosen.is_empty() {
            return Ok(None);
        }
        let offered = self
            .protocols
            .iter()
            .find(|offered| offered.eq_ignore_ascii_case(chosen));
        offered
            .map(|name| Some(*name))
            .ok_or(ResponseError::Protocol)
    }

    fn deflate(&self, chosen: &str) -> Result<Option<DeflateParams>, ResponseError> {
        if chosen.trim().is_empty() {
            return Ok(None);
        }
        let params = DeflateParams::from_response(chosen).filter(|_| self.compression);
        params.map(Some).ok_or(ResponseError::Extensions)
    }
}
