//! The server of Tidings: everything that touches sockets, threads and the clock.
//!
//! Start reading at [`Server`]. A connection goes through these rooms:
//!
//! | room | what happens there |
//! |---|---|
//! | `listen` | a socket is accepted and counted, and a proxy heard; HTTP is served |
//! | `admission` | who may come in: limits of connections and of handshakes |
//! | `stream` | what a connection is made of: a socket, with TLS or without, or a pipe within the process |
//! | `tls` | certificates and keys, and what a client's certificate says |
//! | `http` | pages, the WebSocket handshake, SockJS; the bare socket is taken over |
//! | `worker` | one thread that owns connections: turns, outboxes, fan-out, timers |
//! | `link` | what carries messages: TCP, WebSocket, SockJS |
//! | `inbound` | what was read finds what it is meant for |
//! | `application` | STOMP, or a handler of messages ([`MessageHandler`]) |
//! | `security` | who a client is, and what it may do |
//! | `session` | what a client asks for is done, and answered |
//! | `webhook` | back ends answer over HTTP what is sent to the application |
//! | `outgoing` | requests that the server itself makes: TLS, and documents that it gets |
//! | `outbound` | what the application sends |
//! | `queueing` | what queues deliver, and what becomes of dead letters |
//! | `node` | what all workers share |
//! | `clock` | what time it is |
//! | `bucket` | token buckets: how much may happen in a time |
//! | `limits` | which limit a goodbye is about |
//! | `pace` | how fast a client may send |
//! | `audit` | who was refused what, and what operators did |
//! | `api` | the HTTP API for applications in other languages |
//!
//! [`config`] is read before, `telemetry` and `admin` tell what goes on.

mod admin;
mod admission;
mod api;
mod application;
mod audit;
mod bucket;
mod clock;
pub mod config;
mod connector;
mod endpoint;
mod http;
mod inbound;
mod limits;
mod link;
mod listen;
mod node;
mod outbound;
mod outgoing;
mod pace;
mod peer;
mod queueing;
mod refusal;
mod reload;
mod replies;
mod security;
mod server;
mod session;
mod sockjs;
mod stream;
mod telemetry;
mod tls;
mod webhook;
mod whereabouts;
mod worker;

pub use connector::{ConnectError, Connector, LocalConnection};
pub use endpoint::{Endpoint, MessageHandler, Payload, Replies, Service};
pub use listen::{Listener, ListenerKind};
pub use peer::Identity;
pub use reload::{FileWatch, ReloadError, Reloaded, Reloader};
pub use security::{ApiKeyError, PolicyError, access_rules};
pub use server::{BindError, RunError, Server};
/// Options of SockJS on an [`Endpoint`].
pub use tidings_sockjs::Options as SockJsOptions;
pub use tls::{Tls, TlsError};
