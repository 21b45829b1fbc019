//! WebSocket (RFC 6455) with per-message compression (RFC 7692), without I/O: bytes in, events out; messages in, frames
//! out. Both ends of a connection, no runtime, no `unsafe`.
//!
//! Two things set it apart: a frame is encoded once and shared by any number of connections, and an idle connection
//! holds no buffer.
//!
//! | to | read |
//! |---|---|
//! | accept a connection | [`negotiate`], [`is_same_origin`] |
//! | open one | [`ClientRequest`] |
//! | read what arrives | [`Decoder`], [`Event`], [`Limits`], [`Error`] |
//! | send | [`message_frame`], [`ping_frame`], [`pong_frame`], [`close_frame`]; [`encode_header`] for a payload that is not copied |
//! | compress | [`Deflater`], [`DeflateParams`] |
//! | end a connection | [`Closing`], [`CloseCode`] |
//!
//! ```
//! use bytes::BytesMut;
//! use tidings_websocket::{Decoder, Event, Limits, MessageKind, RequestHead, Role, message_frame, negotiate};
//!
//! // The handshake: header values in, header values out.
//! let request = RequestHead {
//!     method: "GET",
//!     http_1_1: true,
//!     upgrade: "websocket",
//!     connection: "keep-alive, Upgrade",
//!     key: "dGhlIHNhbXBsZSBub25jZQ==",
//!     version: "13",
//!     protocols: "v12.stomp, v11.stomp",
//!     ..RequestHead::default()
//! };
//! let accepted = negotiate(&request, &["v11.stomp", "v12.stomp"], true)?;
//! assert_eq!(accepted.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
//! assert_eq!(accepted.protocol, Some("v12.stomp"));
//!
//! // A client's frame arrives.
//! let mut input = BytesMut::from(&message_frame(MessageKind::Text, b"hello", Some([1, 2, 3, 4]))[..]);
//! let mut decoder = Decoder::new(Role::Server, Limits::default(), accepted.deflate);
//! let event = decoder.decode(&mut input)?;
//! assert_eq!(event, Some(Event::Data { kind: MessageKind::Text, payload: "hello".into(), end: true }));
//! assert_eq!(decoder.decode(&mut input)?, None);
//! assert!(input.is_empty());
//!
//! // One frame for all who listen.
//! let frame = message_frame(MessageKind::Text, b"hello", None);
//! assert_eq!(&frame[..], b"\x81\x05hello");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod close;
mod decoder;
mod deflate;
mod encoder;
mod error;
mod event;
mod extension;
mod handshake;
mod header;
mod inflate;
mod limits;
pub mod mask;
mod opcode;
mod origin;
mod utf8;

pub use client::{Agreed, ClientRequest, ResponseError, ResponseHead};
pub use close::{CloseCode, Closing};
pub use decoder::Decoder;
pub use deflate::Deflater;
pub use encoder::{close_frame, close_payload, message_frame, ping_frame, pong_frame, write_frame};
pub use error::Error;
pub use event::Event;
pub use extension::DeflateParams;
pub use handshake::{Accepted, HandshakeError, RequestHead, accept_key, negotiate};
pub use header::{EncodedHeader, MAX_CONTROL_LEN, MAX_HEADER_LEN, encode_header, header_len};
pub use limits::Limits;
pub use opcode::{MessageKind, Opcode, Role};
pub use origin::{is_same_origin, normalize_origin};
