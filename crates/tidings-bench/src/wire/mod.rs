//! The generator's own reading and writing of WebSocket, SockJS over HTTP, and STOMP.
//!
//! Separate from the product's codec on purpose: a fault that the two shared would check itself. It reads
//! strictly what a measurement counts and nothing else: no permessage-deflate, no UTF-8 check (bodies are
//! compared byte by byte), no header escapes (the generator's own names need none).

mod exchange;
mod frame;
mod http;
mod scanner;
mod sockjs;
mod stream;
mod websocket;
mod writer;

pub(crate) use frame::Frame;
pub(crate) use http::{BodyLength, cookies, parse_response};
pub(crate) use scanner::{Event, Role, Scanner};
pub(crate) use websocket::{Opcode, write_header};
pub(crate) use writer::{Mask, Writer, post_request, upgrade_request};

/// Longest WebSocket frame or STOMP frame read, in bytes.
const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;

/// Longest HTTP head or STOMP head read, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// `Sec-WebSocket-Key` of every connection: the example of RFC 6455, section 1.3. A key guards against caches, of
/// which a load generator has none; one key makes the answer a constant.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

/// `Sec-WebSocket-Accept` that belongs to [`KEY`].
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// What a peer wrote that is no valid HTTP answer, WebSocket frame or STOMP frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The answer to the handshake is not 101, or a SockJS request is not answered with 200 or 204.
    #[error("the server refused the request: {0}")]
    Refused(String),
    /// `Sec-WebSocket-Accept` does not belong to the key (RFC 6455, section 4.1).
    #[error("the handshake's answer has no or a wrong sec-websocket-accept")]
    WrongAccept,
    /// A head is longer than 64 KiB.
    #[error("a head exceeds {MAX_HEAD_BYTES} bytes")]
    HeadTooLong,
    /// A frame is longer than 16 MiB.
    #[error("a frame of {0} bytes exceeds {MAX_FRAME_BYTES} bytes")]
    FrameTooLong(u64),
    /// Reserved bits, unknown opcode, length not minimal (RFC 6455, section 5.2).
    #[error("invalid WebSocket frame header: {0}")]
    WebSocketHeader(&'static str),
    /// A continuation without a beginning, or a beginning inside a message (RFC 6455, section 5.4).
    #[error("invalid WebSocket fragmentation")]
    Fragmentation,
    /// An HTTP response of which the end cannot be told.
    #[error("invalid HTTP response: {0}")]
    Response(&'static str),
    /// No SockJS frame, or one that is split between chunks.
    #[error("invalid SockJS frame: {0}")]
    SockJs(&'static str),
    /// The command line is not upper-case letters.
    #[error("invalid STOMP command")]
    Command,
    /// A header line without a colon.
    #[error("invalid STOMP header line")]
    Header,
    /// `content-length` is no number, or no NUL follows the body it announces.
    #[error("invalid STOMP body: {0}")]
    Body(&'static str),
}
