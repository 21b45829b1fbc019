//! Message handlers for Tidings, written the way axum lets HTTP handlers be written: plain async functions, whose
//! arguments take from a message what they need, and whose replies say where they go.
//!
//! ```
//! use std::sync::Arc;
//! use tidings::prelude::*;
//!
//! #[derive(serde::Deserialize)]
//! struct Order {
//!     shares: u32,
//! }
//!
//! async fn trade(
//!     User(user): User,
//!     Path(symbol): Path<String>,
//!     Json(order): Json<Order>,
//! ) -> SendTo<String> {
//!     SendTo("/topic/trades/{symbol}", format!("{user} buys {} of {symbol}", order.shares))
//! }
//!
//! let router = Router::new().message("trade/{symbol}", trade);
//!
//! // A router needs no server to be tested.
//! let response = router.call(Request {
//!     kind: RequestKind::Message,
//!     destination: "/app/trade/acme".into(),
//!     path_at: "/app/".len(),
//!     headers: Headers::new(),
//!     body: Bytes::from(r#"{"shares": 3}"#),
//!     session: Arc::new(Session::new("1".into(), Some("ann".into()))),
//! });
//! # let response = pollster::block_on(response);
//! # assert!(response.failure.is_none() && response.effects.len() == 1);
//! ```
//!
//! | module | what it answers |
//! |---|---|
//! | [`Router`] | Which handler answers what? What stands around them? |
//! | [`extract`] | What may a handler take? |
//! | [`reply`] | What may it give, and where does that go? |
//! | [`template`] | How does one send from outside of handlers? |
//! | [`application`] | What passes between a router and the server? |
//! | [`security`] | Who is a client, and what may it do? |
//! | [`handler`] | What is a handler? Why is mine none? |
//! | [`prelude`] | What do I import? |
//!
//! A router is an [`Application`](application::Application), which is all that the server knows of it. This
//! crate knows neither the server nor a runtime.
//!
//! Handlers of one session run one after the other, so what a client sends is answered in its order, unless they are
//! [`parallel`](handler::parallel); those of different sessions run side by side. A handler that panics fails its message and nothing else.
//!
//! Start reading at [`Router`], then `router/table.rs` for how routes are found, and `handler.rs` for how a function becomes
//! a handler.

mod endpoint;
mod events;
pub mod extract;
pub mod handler;
mod json;
mod layer;
mod message;
pub mod prelude;
mod rejection;
pub mod reply;
mod router;
pub mod template;

pub use self::events::EventStream;
pub use self::json::Json;
pub use self::layer::Next;
pub use self::message::{Message, Parts};
pub use self::router::Router;
pub use self::template::MessagingTemplate;
pub use tidings_core::application;
pub use tidings_core::security;
#[cfg(feature = "macros")]
pub use tidings_macros::debug_handler;
