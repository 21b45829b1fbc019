//! The life of the connection, told.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tidings_stomp::{HeartBeat, Version};

use crate::buffer::{Bounds, Buffer, Overflow};
use crate::error::{ConnectError, Ended, RenewError, ServerError};

/// Something happened to the connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event {
    /// Connected again; subscriptions are on their way to the server.
    Connected {
        /// The version of STOMP that both speak.
        version: Version,
        /// What was agreed, seen from the client.
        heart_beat: HeartBeat,
        /// The `session` header of CONNECTED.
        session: Option<String>,
    },
    /// The server has refused a frame that asked for no receipt, and the session goes on: see
    /// [`Builder::continue_after_errors`](crate::Builder::continue_after_errors).
    Refused(Arc<ServerError>),
    /// The client has renewed the session by itself: see
    /// [`Builder::renew_before_expiry`](crate::Builder::renew_before_expiry).
    Renewed {
        /// From now; `None` where the new token does not expire.
        expires_in: Option<Duration>,
    },
    /// It could not, this time.
    NotRenewed(RenewError),
    /// The connection is lost.
    Lost(Ended),
    /// The client waits, and connects again after that.
    Reconnecting {
        /// How often it has tried since the connection was lost, this time included: 1, 2, ...
        attempt: u32,
        /// From now.
        after: Duration,
    },
    /// An attempt failed.
    Failed(ConnectError),
    /// The client does not try again: because of this, or because it has tried often enough. The last event.
    GivenUp(Arc<ConnectError>),
    /// The program has closed the client. The last event.
    Closed,
}

/// A stream of [`Event`]s, from [`Client::events`](crate::Client::events).
///
/// It keeps the latest [`Events::CAPACITY`] events for a program that does not read it.
#[derive(Debug)]
pub struct Events {
    buffer: Arc<Buffer<Event>>,
}

impl Events {
    /// How many events wait for the program; of more, the oldest are dropped.
    pub const CAPACITY: usize = 64;

    pub(crate) fn new() -> Self {
        let bounds = Bounds {
            items: Self::CAPACITY,
            bytes: usize::MAX,
            overflow: Overflow::DropOldest,
        };
        Self {
            buffer: Arc::new(Buffer::new(bounds)),
        }
    }

    pub(crate) fn buffer(&self) -> &Arc<Buffer<Event>> {
        &self.buffer
    }

    /// The next event; `None` after [`Event::GivenUp`] or [`Event::Closed`]. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|cx| self.buffer.poll_next(cx)).await
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.buffer.poll_next(cx)
    }
}
