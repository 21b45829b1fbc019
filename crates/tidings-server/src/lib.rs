//! The server of Tidings: everything that touches sockets, threads and the clock.
//!
//! Start reading at [`Server`]. A connection goes through these rooms:
//!
//! | room | what happens there |
//! |---|---|
//! | `listen` | a socket is accepted and counted; HTTP is served |
//! | `http` | the WebSocket handshake; the bare socket is taken over |
//! | `worker` | one thread that owns connections: turns, outboxes, fan-out, timers |
//! | `link` | what carries STOMP: TCP or WebSocket messages |
//! | `session` | what a client asks for is done, and answered |
//! | `queueing` | what queues deliver, and what becomes of dead letters |
//! | `node` | what all workers share |
//!
//! [`config`] is read before, `telemetry` and `admin` tell what goes on.

mod admin;
pub mod config;
mod http;
mod link;
mod listen;
mod node;
mod queueing;
mod server;
mod session;
mod telemetry;
mod worker;

pub use listen::{Listener, ListenerKind};
pub use server::{BindError, RunError, Server};
