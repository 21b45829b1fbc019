//! A frame about to be sent.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tidings_stomp::Frame;
use tokio::sync::OwnedSemaphorePermit;

use crate::error::{ReceiptError, SendError};
use crate::receipt::Receipt;
use crate::shared::Shared;

/// A frame that goes out when it is awaited, in one of three ways:
///
/// - `outgoing.await`: fire and forget. It is done when the frame has room in the queue of the client, and says nothing
///   of the server.
/// - `outgoing.receipt().await`: the same, and gives a [`Receipt`] to await later. For many frames under way at a time.
/// - `outgoing.confirmed().await`: done when the server has processed the frame.
///
/// ```no_run
/// # async fn order(client: tidings_client::Client) -> Result<(), Box<dyn std::error::Error>> {
/// let order = client.send("/queue/orders", r#"{"item":7}"#).content_type("application/json");
/// order.header("priority", "high").confirmed().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a frame goes out only when it is awaited"]
pub struct Outgoing {
    shared: Arc<Shared>,
    parcel: Result<Parcel, SendError>,
}

/// A frame and what it is tied to.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) frame: Frame,
    /// The only connection that may carry it.
    pub(crate) epoch: Option<u64>,
    /// Of the message that it acknowledges.
    pub(crate) settles: Option<Arc<AtomicBool>>,
    /// What its being written gives free.
    pub(crate) slot: Option<OwnedSemaphorePermit>,
    /// It brings a new token: its receipt says until when.
    pub(crate) renews: bool,
}

impl Parcel {
    pub(crate) fn new(frame: Frame) -> Self {
        Self {
            frame,
            epoch: None,
            settles: None,
            slot: None,
            renews: false,
        }
    }
}

impl Outgoing {
    pub(crate) fn new(shared: Arc<Shared>, frame: Result<Frame, SendError>) -> Self {
        Self {
            shared,
            parcel: frame.map(Parcel::new),
        }
    }

    /// Only this connection may carry it. Nothing can belong to two.
    pub(crate) fn of_connection(mut self, epoch: u64) -> Self {
        if let Ok(parcel) = &mut self.parcel
            && parcel
                .epoch
                .replace(epoch)
                .is_some_and(|other| other != epoch)
        {
            self.parcel = Err(SendError::ConnectionLost);
        }
        self
    }

    pub(crate) fn settling(mut self, settled: Arc<AtomicBool>) -> Self {
        if let Ok(parcel) = &mut self.parcel {
            parcel.settles = Some(settled);
        }
        self
    }

    /// Adds a header. Those that the client sets itself (`destination`, `receipt`, `transaction`, `content-length`, ...)
    /// make sending fail with [`SendError::Header`].
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Ok(parcel) = &mut self.parcel
            && let Err(error) = add_header(&mut parcel.frame, name, value)
        {
            self.parcel = Err(error);
        }
        self
    }

    /// Adds the header `content-type`.
    pub fn content_type(self, value: &str) -> Self {
        self.header("content-type", value)
    }

    /// Sends the frame and asks for a receipt, which is to be awaited on its own.
    ///
    /// # Errors
    /// The frame was not taken.
    pub async fn receipt(self) -> Result<Receipt, SendError> {
        self.shared.send_for_receipt(self.parcel?).await
    }

    /// Sends the frame and waits until the server has processed it.
    ///
    /// # Errors
    /// The frame was not taken, was refused, or no receipt came.
    pub async fn confirmed(self) -> Result<(), ReceiptError> {
        self.receipt().await?.await
    }
}

impl IntoFuture for Outgoing {
    type Output = Result<(), SendError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.shared.send(self.parcel?).await })
    }
}

/// Adds a header of the program's.
pub(crate) fn add_header(frame: &mut Frame, name: &str, value: &str) -> Result<(), SendError> {
    if name.is_empty() || RESERVED.contains(&name) {
        return Err(SendError::Header(name.to_owned()));
    }
    frame.headers.push(name, value);
    Ok(())
}

const RESERVED: [&str; 7] = [
    "ack",
    "content-length",
    "destination",
    "id",
    "prefetch-count",
    "receipt",
    "transaction",
];
