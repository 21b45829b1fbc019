//! STOMP 1.0, 1.1 and 1.2 without I/O.
//!
//! No socket, no clock, no runtime: bytes and the time go in, events and bytes come out. So the same code serves any
//! transport (TCP, WebSocket, SockJS), either role, and tests without waiting.
//!
//! | layer | what it does |
//! |---|---|
//! | [`connection`] | the state machine of a connection: [`Connection`] for servers, [`ClientConnection`] for clients |
//! | [`request`] | a client frame as a typed [`Request`], checked by the rules of its version |
//! | [`decoder`], [`encoder`] | bytes to frames, in any pieces and within [`Limits`]; frames to bytes |
//! | [`frame`], [`header`], [`version`], [`heart_beat`], [`limits`] | the nouns |
//!
//! Start with [`Connection`] for a server, with [`Decoder`] and [`encode_frame`](encoder::encode_frame) for anything
//! that only reads and writes frames.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Instant;
//! use bytes::Bytes;
//! use tidings_stomp::{Connected, Connection, Event, Request, ServerConfig};
//!
//! let now = Instant::now();
//! let mut connection = Connection::server(&Arc::new(ServerConfig::default()), now);
//! let mut out = Vec::new();
//!
//! connection.handle_input(now, Bytes::from_static(
//!     b"CONNECT\naccept-version:1.2\nhost:/\n\n\0SEND\ndestination:/topic/a\n\nhello\0",
//! ));
//! while let Some(event) = connection.poll_event() {
//!     match event {
//!         Event::Connect(request) => {
//!             assert_eq!(request.host(), Some("/"));
//!             connection.accept(now, &Connected { session: "s-1", ..Connected::default() }, &mut out);
//!         }
//!         Event::Request(frame) => {
//!             let version = connection.version().expect("known after CONNECT");
//!             let request = frame.request(version).expect("a good frame");
//!             assert_eq!(request, Request::Send { destination: "/topic/a", transaction: None });
//!             assert_eq!(&frame.body[..], b"hello");
//!         }
//!         Event::Failed(error) => connection.fail(&error, &mut out),
//!     }
//! }
//! assert_eq!(out, b"CONNECTED\nversion:1.2\nsession:s-1\nheart-beat:10000,10000\n\n\0");
//! ```

pub mod connection;
pub mod decoder;
pub mod encoder;
pub mod frame;
pub mod header;
pub mod heart_beat;
pub mod limits;
pub mod request;
pub mod version;

pub use connection::{
    ClientConfig, ClientConnection, ClientEvent, ConnectRequest, Connected, ConnectedInfo,
    Connection, ConnectionError, ErrorReply, Event, ServerConfig, State, Timeout,
};
pub use decoder::{DecodeError, DecodeErrorKind, Decoder, Item};
pub use frame::{Command, Frame};
pub use header::Headers;
pub use heart_beat::HeartBeat;
pub use limits::Limits;
pub use request::{AckMode, AckTarget, Request, RequestError, SubscriptionRef};
pub use version::Version;
