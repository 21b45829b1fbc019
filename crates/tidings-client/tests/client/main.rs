//! The client against the real server, and against peers that do what no good server does.

mod acknowledgement;
mod chat;
mod credentials;
mod example;
mod faults;
mod limits;
mod peer;
mod receipts;
mod reconnect;
mod server;
#[cfg(feature = "tls")]
mod tls;
mod transactions;
mod websocket;
