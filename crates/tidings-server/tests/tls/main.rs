//! Listeners that speak TLS, and clients of every kind.

mod certificates;
mod client;
mod client_certificates;
mod foreign;
mod http;
mod life;
mod refusals;
mod reload;
mod server;
mod stomp;
