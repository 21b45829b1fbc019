//! Tests of message handlers: a router alone, or a whole server in one process. No ports, no waiting: time is virtual, so
//! a client that is silent for an hour costs a test no second.
//!
//! ```
//! use tidings::prelude::*;
//! use tidings_testkit::TestServer;
//!
//! # use std::time::Duration;
//! async fn trade(Path(symbol): Path<String>, shares: String) -> SendTo<String> {
//!     SendTo("/topic/trades", format!("{shares} of {symbol}"))
//! }
//!
//! tidings_testkit::run(async {
//!     let router: Router = Router::new().message("trade/{symbol}", trade);
//!     let server = TestServer::start(router).await;
//!     let mut ann = server.connect("ann").await;
//!     let mut bob = server.connect("bob").await;
//!     bob.subscribe("/topic/trades").await;
//!
//!     ann.send("/app/trade/acme", "3").await;
//!
//!     assert_eq!(bob.message().await.text(), "3 of acme");
//!     bob.silence(Duration::from_secs(3600)).await;
//!     server.shutdown().await;
//! });
//! ```
//!
//! | what | what it is |
//! |---|---|
//! | [`run`], [`pass`], [`now`] | virtual time |
//! | [`TestServer`] | a server, and how clients come to it |
//! | [`Peer`], [`Dial`] | a client that does and hears what the test says, well-behaved or not |
//! | [`TestRouter`] | handlers without a server: a request goes in, an [`Outcome`] comes out |
//! | [`Message`], [`Goodbye`] | what was heard |
//!
//! What a test awaits and does not get is a panic that says what came instead, and where in the test it was awaited.

mod dial;
mod door;
mod http;
mod link;
mod message;
mod outcome;
mod peer;
mod router;
mod server;
mod sockjs;
mod time;

pub use dial::Dial;
pub use door::{Door, Speech};
pub use link::Link;
pub use message::{Goodbye, Message};
pub use outcome::Outcome;
pub use peer::Peer;
pub use router::{Ask, TestRouter};
pub use server::{TestServer, TestServerBuilder};
/// Frames, for what [`Peer::send_frame`] is to say.
pub use tidings_stomp::{Command, Frame, Version};
pub use time::{PATIENCE, now, pass, run};
