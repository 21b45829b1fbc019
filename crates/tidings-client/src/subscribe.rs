//! A subscription about to be made.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use tidings_stomp::{AckMode, Command, Frame};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::buffer::{Bounds, Buffer, Overflow};
use crate::error::{SendError, SubscribeError};
use crate::outgoing::add_header;
use crate::shared::Shared;
use crate::subscription::{Entry, Subscription};

/// Subscribes when it is awaited; from [`Client::subscribe`](crate::Client::subscribe).
///
/// It is done when the server has confirmed the subscription: what is sent from then on arrives.
///
/// ```no_run
/// # async fn work(client: tidings_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// use tidings_client::AckMode;
///
/// let mut orders = client.subscribe("/queue/orders").ack(AckMode::ClientIndividual).buffer(10).await?;
/// while let Some(order) = orders.next().await {
///     match order.text() {
///         Ok("poison") | Err(_) => order.nack().await?,
///         Ok(_) => order.ack().await?,
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a subscription begins only when it is awaited"]
pub struct Subscribe {
    shared: Arc<Shared>,
    destination: String,
    ack: AckMode,
    buffer: Option<usize>,
    overflow: Overflow,
    /// Those of the program.
    frame: Result<Frame, SendError>,
}

impl Subscribe {
    pub(crate) fn new(shared: Arc<Shared>, destination: &str) -> Self {
        Self {
            shared,
            buffer: None,
            destination: destination.to_owned(),
            ack: AckMode::Auto,
            overflow: Overflow::default(),
            frame: Ok(Frame::new(Command::Subscribe).with_header("destination", destination)),
        }
    }

    /// How messages are acknowledged. Default [`AckMode::Auto`]: they count as consumed once they were sent to us.
    pub fn ack(mut self, mode: AckMode) -> Self {
        self.ack = mode;
        self
    }

    /// How many messages may wait for the program, at least 1.
    ///
    /// With [`AckMode::Auto`] the default is [`Builder::buffer`](crate::Builder::buffer), and
    /// [`Builder::buffer_bytes`](crate::Builder::buffer_bytes) holds too. With an acknowledging mode the default is at most
    /// 100; this, up to 10,000, is the `prefetch-count` too, which says how many unacknowledged messages the server may
    /// send; and bytes are not counted, as a message that is dropped would wait for its acknowledgement until the
    /// connection ends.
    pub fn buffer(mut self, messages: usize) -> Self {
        self.buffer = Some(messages.max(1));
        self
    }

    /// What becomes of messages when the buffer is full. Default [`Overflow::DropOldest`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Adds a header. Those that the client sets itself (`destination`, `id`, `ack`, `prefetch-count`, ...) make
    /// subscribing fail with [`SendError::Header`].
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(frame) = &mut self.frame
            && let Err(error) = add_header(frame, name, value)
        {
            self.frame = Err(error);
        }
        self
    }

    async fn subscribe(self) -> Result<Subscription, SubscribeError> {
        let mut frame = self.frame?;
        let settings = &self.shared.settings;
        let mut bounds = Bounds {
            items: self.buffer.unwrap_or(settings.buffer),
            bytes: settings.buffer_bytes,
            overflow: self.overflow,
        };
        if self.ack != AckMode::Auto {
            bounds.items = self.buffer.unwrap_or(settings.buffer.min(DEFAULT_PREFETCH));
            bounds.bytes = usize::MAX;
            let prefetch = bounds.items.min(MAX_PREFETCH).to_string();
            frame.headers.push("ack", ack_value(self.ack));
            frame.headers.push("prefetch-count", &prefetch);
        }
        let buffer = Arc::new(Buffer::new(bounds));
        let (waiter, confirmed) = oneshot::channel();
        let entry = Entry {
            frame,
            ack: self.ack,
            buffer: Arc::clone(&buffer),
            waiter: Some(waiter),
            asked: false,
            slot: self.shared.subscription_slot()?,
        };
        let id = self.shared.state().subscribe(entry)?;
        self.shared.wake.notify_one();
        let patience = self.shared.settings.receipt_timeout;
        // Dropped with this future, it unsubscribes.
        let subscription = Subscription::new(id, self.destination, buffer, self.shared);
        timeout(patience, confirmed)
            .await
            .map_err(|_| SubscribeError::TimedOut(patience))?
            .unwrap_or(Err(SubscribeError::NotSent(SendError::Closed)))?;
        Ok(subscription)
    }
}

impl IntoFuture for Subscribe {
    type Output = Result<Subscription, SubscribeError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.subscribe())
    }
}

fn ack_value(mode: AckMode) -> &'static str {
    match mode {
        AckMode::Auto => "auto",
        AckMode::Client => "client",
        AckMode::ClientIndividual => "client-individual",
    }
}

/// What a Tidings server gives a consumer that asks for nothing: a few consumers share a queue fairly.
const DEFAULT_PREFETCH: usize = 100;

/// The most that a Tidings server takes.
const MAX_PREFETCH: usize = 10_000;
