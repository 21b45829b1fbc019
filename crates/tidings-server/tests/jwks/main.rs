//! Keys that issuers publish by http, change under load, or fail to publish.

mod client;
mod failures;
mod issuer;
mod reload;
mod rotation;
mod server;
