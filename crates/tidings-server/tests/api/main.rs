//! The HTTP API of a real server, with clients connected over TCP.

mod disconnect;
mod document;
mod local;
mod race;
mod revocations;
mod scopes;
mod server;
mod sessions;
mod subscriptions;
mod unsubscribe;
