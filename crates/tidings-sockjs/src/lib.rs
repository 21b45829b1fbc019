//! SockJS without I/O: requests in, answers and frames out, and `now` as an argument. Knows nothing of what the messages
//! say, of sockets, or of a runtime.
//!
//! | to | read |
//! |---|---|
//! | say how an endpoint behaves | [`Options`] |
//! | tell what a request wants | [`route`], [`Route`], [`Answer`] |
//! | read what a client sends | [`Sender`], [`payload`] |
//! | answer a client that listens | [`Receiver`], [`Transport`], [`Progress`] |
//! | keep a session across many of these | [`Session`] |
//! | write frames, also for many at once | [`frame`] |

mod answer;
mod form;
pub mod frame;
mod headers;
mod options;
mod pages;
pub mod payload;
mod receiver;
mod request;
mod sender;
mod session;
mod transport;

pub use answer::Answer;
pub use options::Options;
pub use payload::PayloadError;
pub use receiver::{Progress, Receiver};
pub use request::{RequestHead, Route, route};
pub use sender::Sender;
pub use session::{Attached, Session, Timeout};
pub use transport::Transport;
