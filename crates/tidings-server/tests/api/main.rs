//! The HTTP API of a real server, with clients connected over TCP.

mod document;
mod server;
mod sessions;
