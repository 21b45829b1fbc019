//! Routers behind a real server, over TCP.

mod events;
mod failures;
mod interceptors;
mod parallel;
mod replies;
mod requests;
mod running;
mod streams;
