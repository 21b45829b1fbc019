//! A scripted client: says exactly what a test tells it to, and fails with the whole conversation.
//!
//! Start at [`Server`], which starts the program and opens [`Peer`]s; a peer's links are [`TcpStream`] and [`WebSocket`].
//!
//! [`TcpStream`]: std::net::TcpStream

mod frame;
mod http;
mod link;
mod script;
mod server;
mod sockjs;
mod websocket;

pub(crate) use frame::{Frame, Version};
pub(crate) use http::Response;
pub(crate) use script::{Headers, Peer};
pub(crate) use server::Server;
pub(crate) use websocket::{Opcode, WebSocket, WsFrame};

use std::time::Duration;

/// How long a test waits for anything. Long, since it is only ever waited out by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
