//! A server within an axum application that has its port and its middleware.

mod app;
mod client;
mod http2;
mod life;
mod sockjs;
mod websocket;
