//! The opening handshake on the server's side (RFC 6455, section 4.2): header values in, header values out.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig},
};
use sha1::{Digest, Sha1};

use crate::extension::DeflateParams;

/// What RFC 6455 appends to the key.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The two spare bits of a 16-byte key in base64 may have any value.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// What the server needs of the request. Join the values of a header that came more than once with `, `.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestHead<'a> {
    /// The method; `GET` is expected.
    pub method: &'a str,
    /// Whether the request is HTTP/1.1 or later.
    pub http_1_1: bool,
    /// `Upgrade`
    pub upgrade: &'a str,
    /// `Connection`
    pub connection: &'a str,
    /// `Sec-WebSocket-Key`
    pub key: &'a str,
    /// `Sec-WebSocket-Version`
    pub version: &'a str,
    /// `Sec-WebSocket-Protocol`
    pub protocols: &'a str,
    /// `Sec-WebSocket-Extensions`
    pub extensions: &'a str,
}

/// What to answer: status 101, `Upgrade: websocket`, `Connection: Upgrade`, and these headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// `Sec-WebSocket-Accept`
    pub accept: String,
    /// `Sec-WebSocket-Protocol`; the header is left out if there is none.
    pub protocol: Option<&'static str>,
    /// Whether and how to compress. Its [`response_header`](DeflateParams::response_header) is the value of
    /// `Sec-WebSocket-Extensions`; the header is left out if there is none.
    pub deflate: Option<DeflateParams>,
}

/// Why a request is no WebSocket handshake. The message is fit to be the response's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Status 405.
    #[error("a WebSocket handshake is a GET request; send it with GET")]
    Method,
    /// Status 400.
    #[error("a WebSocket handshake needs HTTP/1.1 or later; send it with HTTP/1.1")]
    HttpVersion,
    /// Status 400.
    #[error(
        "this is a WebSocket endpoint and the request has no \"Upgrade: websocket\"; connect with a WebSocket client"
    )]
    Upgrade,
    /// Status 400. What a proxy does that does not pass upgrades on.
    #[error(
        "\"Connection\" does not say \"Upgrade\"; if a proxy stands between, let it pass WebSocket upgrades on"
    )]
    Connection,
    /// Status 426.
    #[error("\"Sec-WebSocket-Version\" is not 13; use version 13")]
    Version,
    /// Status 400.
    #[error("\"Sec-WebSocket-Key\" is not 16 bytes in base64; send a fresh random key")]
    Key,
}

impl HandshakeError {
    /// The HTTP status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::Method => 405,
            Self::Version => 426,
            _ => 400,
        }
    }

    /// Headers that the answer must have, in lower case.
    pub fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Method => &[("allow", "GET")],
            Self::Version => &[("sec-websocket-version", "13"), ("upgrade", "websocket")],
            _ => &[],
        }
    }

    /// A stable name, for metrics and logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Method => "handshake-method",
            Self::HttpVersion => "handshake-http-version",
            Self::Upgrade => "handshake-upgrade",
            Self::Connection => "handshake-connection",
            Self::Version => "handshake-version",
            Self::Key => "handshake-key",
        }
    }
}

/// Judges a handshake request.
///
/// Of the sub-protocols the first in the client's list that is in `supported_protocols` is chosen, whatever its case;
/// without one the handshake succeeds without a sub-protocol. With `compression` the first offer of
/// `permessage-deflate` that can be fulfilled is accepted.
///
/// # Errors
/// The first thing that is wrong, with the status to answer.
pub fn negotiate(
    head: &RequestHead<'_>,
    supported_protocols: &[&'static str],
    compression: bool,
) -> Result<Accepted, HandshakeError> {
    if head.method != "GET" {
        return Err(HandshakeError::Method);
    }
    if !head.http_1_1 {
        return Err(HandshakeError::HttpVersion);
    }
    if !has_token(head.upgrade, "websocket") {
        return Err(HandshakeError::Upgrade);
    }
    if !has_token(head.connection, "upgrade") {
        return Err(HandshakeError::Connection);
    }
    if head.version.trim() != "13" {
        return Err(HandshakeError::Version);
    }
    let key = head.key.trim();
    if !matches!(BASE64.decode(key), Ok(bytes) if bytes.len() == 16) {
        return Err(HandshakeError::Key);
    }
    Ok(Accepted {
        accept: accept_key(key),
        protocol: choose_protocol(head.protocols, supported_protocols),
        deflate: if compression {
            DeflateParams::accept(head.extensions)
        } else {
            None
        },
    })
}

/// The value of `Sec-WebSocket-Accept` for a key (RFC 6455, section 4.2.2).
pub fn accept_key(sec_websocket_key: &str) -> String {
    let hash = Sha1::new()
        .chain_update(sec_websocket_key)
        .chain_update(GUID)
        .finalize();
    BASE64.encode(hash)
}

fn choose_protocol(offered: &str, supported: &[&'static str]) -> Option<&'static str> {
    let find = |offer: &str| {
        supported
            .iter()
            .find(|name| name.eq_ignore_ascii_case(offer))
    };
    offered
        .split(',')
        .find_map(|offer| find(offer.trim()))
        .copied()
}

/// Whether a comma-separated list has the token, whatever its case.
pub(crate) fn has_token(list: &str, token: &str) -> bool {
    list.split(',')
        .any(|item| item.trim().eq_ignore_ascii_case(token))
}
