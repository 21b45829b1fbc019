//! A scripted client: says exactly what a test tells it to, and fails with the whole conversation.
//!
//! Start at [`Server`], which starts the program and opens [`Peer`]s; a peer's links are [`TcpStream`], [`WebSocket`] and [`SockJs`].
//!
//! [`TcpStream`]: std::net::TcpStream

mod client;
mod frame;
mod http;
mod json;
mod link;
mod script;
mod server;
mod sockjs;
mod websocket;

pub(crate) use client::Http;
pub(crate) use frame::{Frame, Version};
pub(crate) use http::Response;
pub(crate) use json::array;
pub(crate) use script::{Headers, Peer};
pub(crate) use server::Server;
pub(crate) use sockjs::{SockFrame, SockJs, Transport, frame_of, fresh_url};
pub(crate) use websocket::{Opcode, WebSocket, WsFrame};

use std::time::Duration;

/// How long a test waits for anything. Long, since it is only ever waited out by a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
