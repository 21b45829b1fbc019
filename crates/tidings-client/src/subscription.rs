//! A stream of messages.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;
use tidings_stomp::{AckMode, Frame};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::buffer::Buffer;
use crate::error::SubscribeError;
use crate::message::{Delivery, Message};
use crate::shared::Shared;

/// The messages of a destination, as a stream; from [`Client::subscribe`](crate::Client::subscribe).
///
/// It outlives lost connections: messages that came before still wait for the program, except those that an acknowledging
/// mode asks to acknowledge, which the server gives out again. It ends when the client does. Dropping it unsubscribes.
#[derive(Debug)]
pub struct Subscription {
    id: u64,
    destination: String,
    buffer: Arc<Buffer<Delivery>>,
    shared: Arc<Shared>,
}

impl Subscription {
    pub(crate) fn new(
        id: u64,
        destination: String,
        buffer: Arc<Buffer<Delivery>>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            id,
            destination,
            buffer,
            shared,
        }
    }

    /// The next message; `None` when the client has ended. Cancel safe: no message is lost.
    pub async fn next(&mut self) -> Option<Message> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// What was subscribed to.
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// How many messages were dropped because the program took them too slowly, see [`Overflow`](crate::Overflow).
    pub fn dropped(&self) -> u64 {
        self.buffer.dropped()
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let next = self.buffer.poll_next(cx);
        next.map(|delivery| Some(Message::new(delivery?, Arc::clone(&self.shared))))
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.state().unsubscribe(self.id);
        self.shared.wake.notify_one();
    }
}

/// A subscription as the connection sees it.
#[derive(Debug)]
pub(crate) struct Entry {
    /// SUBSCRIBE, but for `id` and `receipt`.
    pub(crate) frame: Frame,
    pub(crate) ack: AckMode,
    pub(crate) buffer: Arc<Buffer<Delivery>>,
    /// Who waits for the server's first confirmation.
    pub(crate) waiter: Option<oneshot::Sender<Result<(), SubscribeError>>>,
    /// Whether SUBSCRIBE was handed to the socket of this connection.
    pub(crate) asked: bool,
    pub(crate) slot: OwnedSemaphorePermit,
}

impl Entry {
    pub(crate) fn request(&self, id: u64, receipt: u64) -> Frame {
        self.frame
            .clone()
            .with_header("id", &id.to_string())
            .with_header("receipt", &receipt.to_string())
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.waiter.is_none()
    }

    pub(crate) fn confirm(&mut self) {
        if let Some(waiter) = self.waiter.take() {
            let _ = waiter.send(Ok(()));
        }
    }

    pub(crate) fn fail(self, error: SubscribeError) {
        if let Some(waiter) = self.waiter {
            let _ = waiter.send(Err(error));
        }
        self.buffer.end();
    }
}
