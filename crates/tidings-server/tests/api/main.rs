//! The HTTP API of a real server, with clients connected over TCP.

mod disconnect;
mod document;
mod server;
mod sessions;
mod subscriptions;
mod unsubscribe;
