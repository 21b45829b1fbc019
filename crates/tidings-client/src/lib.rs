//! A STOMP client for Rust programs: over WebSocket and TCP, with TLS or without; with receipts, transactions,
//! heart-beats, and a connection that comes back by itself.
//!
//! ```no_run
//! # async fn chat() -> Result<(), Box<dyn std::error::Error>> {
//! use tidings_client::Client;
//!
//! let client = Client::connect("ws://127.0.0.1:8080/ws").await?;
//! let mut chat = client.subscribe("/topic/chat").await?;
//! client.send("/topic/chat", "hello").await?;
//! while let Some(message) = chat.next().await {
//!     println!("{}", message.text()?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | to | read |
//! |---|---|
//! | connect, with limits and deadlines of your own | [`Client::builder`], [`Builder`], [`Backoff`] |
//! | say who connects, with a token that expires | [`Builder::login`], [`Builder::credentials`], [`Credentials`] |
//! | stay connected though tokens expire | [`Client::renew`], [`Client::expires_in`], [`Builder::renew_before_expiry`] |
//! | go on after a frame was refused | [`Builder::continue_after_errors`] |
//! | trust a certificate of your own | [`Builder::tls_roots`], [`Builder::tls_config`] |
//! | listen | [`Client::subscribe`], [`Subscription`], [`Message`] |
//! | send, and know that it has arrived | [`Client::send`], [`Outgoing`], [`Receipt`] |
//! | acknowledge | [`Message::ack`], [`Message::nack`] |
//! | do several things or none | [`Client::begin`], [`Transaction`] |
//! | know how the connection fares | [`Client::events`], [`Event`] |
//!
//! # TLS
//!
//! `wss://` and `stomp+ssl://` speak TLS 1.2 and 1.3 by [`rustls`], with the crypto of AWS-LC, and need the feature `tls`,
//! which is on by default. Without more, a server is believed whose certificate is good in the eyes of the system: so that
//! the certificates of a company, which its machines trust, count here too. [`Builder::tls_roots`] trusts others, and
//! [`Builder::tls_config`] takes a whole configuration, with client certificates for instance. The name in the url must be
//! in the certificate; a certificate that is refused ends the client, as it would be the same the next time.
//!
//! # When the connection is lost
//!
//! The client connects again after a pause that [`Backoff`] measures, and subscribes again under the same ids; streams
//! just go on. Messages that a topic had in the meantime are missed.
//!
//! What is sent in the meantime waits: up to [`Builder::max_outgoing_bytes`] in the queue of the client, and what finds
//! no room there waits for up to [`Builder::send_timeout`] and is then refused. Frames that were handed to the socket
//! are not sent again: ask for a receipt to know their fate. What belongs to the lost connection, an ACK or a frame of a
//! transaction, fails with [`SendError::ConnectionLost`]; the server gives unacknowledged messages out again.
//!
//! The client gives up when the server says that coming back would not help
//! ([`Reason::retry`]), or after [`Backoff::max_attempts`]. Then every stream ends and everything fails with
//! [`SendError::GivenUp`]; build a new client once the cause is mended.
//!
//! # Tokens that expire
//!
//! A session of Tidings ends when its token does, with [`Reason::TokenExpired`]; the client then connects again, with
//! [credentials](Builder::credentials) that it asks for anew. To lose nothing in between, a live session takes the next
//! token before: by [`Client::renew`], or by itself with [`Builder::renew_before_expiry`].
//!
//! # Who reads too slowly
//!
//! Nothing that a program does or leaves undone holds up heart-beats, receipts or other subscriptions: each subscription
//! has a buffer with a limit, and beyond it messages are dropped and [counted](Subscription::dropped), see [`Overflow`].
//! With [`AckMode::ClientIndividual`] or [`AckMode::Client`] a server that heeds `prefetch-count` sends no more than the
//! buffer holds, and nothing is dropped.

mod address;
mod backoff;
mod buffer;
mod builder;
mod client;
mod connection;
mod credentials;
mod error;
mod event;
mod handshake;
mod message;
mod outgoing;
mod receipt;
mod renewal;
mod session;
mod shared;
mod state;
mod subscribe;
mod subscription;
#[cfg(feature = "tls")]
mod tls;
mod transaction;
mod transport;

pub use address::AddressError;
pub use backoff::Backoff;
pub use buffer::Overflow;
pub use builder::Builder;
pub use client::Client;
pub use credentials::{Credentials, CredentialsError};
pub use error::{
    ConnectError, Ended, HandshakeError, ReceiptError, RenewError, SendError, ServerError,
    SubscribeError,
};
pub use event::{Event, Events};
pub use message::Message;
pub use outgoing::Outgoing;
pub use receipt::Receipt;
pub use subscribe::Subscribe;
pub use subscription::Subscription;
#[cfg(feature = "tls")]
pub use tls::TlsError;
pub use transaction::Transaction;

#[doc(no_inline)]
pub use tidings_core::disconnect::Reason;
#[doc(no_inline)]
pub use tidings_stomp::{AckMode, ConnectionError, Frame, Headers, HeartBeat, Version};
#[doc(no_inline)]
pub use tidings_websocket::ResponseError;
#[cfg(feature = "tls")]
#[doc(no_inline)]
pub use tokio_rustls::rustls;
