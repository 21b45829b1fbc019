//! A message that came.

use std::str::Utf8Error;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use tidings_stomp::{AckMode, Command, Frame, Headers, Version};

use crate::error::SendError;
use crate::outgoing::Outgoing;
use crate::shared::Shared;

/// A message of a [`Subscription`](crate::Subscription).
///
/// Its headers and body are slices of what was read from the socket, and keep that (up to 64 KiB, or the whole of a larger
/// message) in memory: copy what is to be kept for long.
#[derive(Debug)]
pub struct Message {
    delivery: Delivery,
    shared: Arc<Shared>,
}

/// A MESSAGE frame and what is needed to acknowledge it.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) frame: Frame,
    pub(crate) ack: AckMode,
    /// Of the connection that it came by.
    pub(crate) version: Version,
    /// The connection that it came by: none other can acknowledge it.
    pub(crate) epoch: u64,
    /// Whether an ACK or NACK was sent.
    pub(crate) settled: Arc<AtomicBool>,
}

impl Message {
    pub(crate) fn new(delivery: Delivery, shared: Arc<Shared>) -> Self {
        Self { delivery, shared }
    }

    /// The `destination` header; empty if the server left it out.
    pub fn destination(&self) -> &str {
        self.header("destination").unwrap_or_default()
    }

    /// The `message-id` header: stays the same when the server gives a message out again.
    pub fn id(&self) -> Option<&str> {
        self.header("message-id")
    }

    /// The `content-type` header.
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.delivery.frame.header(name)
    }

    /// All headers, in the order of the wire.
    pub fn headers(&self) -> &Headers {
        &self.delivery.frame.headers
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        &self.delivery.frame.body
    }

    /// The body as text.
    ///
    /// # Errors
    /// It is not UTF-8.
    pub fn text(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(self.body())
    }

    /// The message is consumed. With [`AckMode::Client`] all that came before it on the same subscription are too, and
    /// must not be acknowledged any more.
    ///
    /// Await the result, or ask it for a receipt first. It fails with [`SendError::ConnectionLost`] once the connection
    /// that the message came by is lost: the server then gives the message out again.
    pub fn ack(&self) -> Outgoing {
        self.settle(Command::Ack, None)
    }

    /// The message is not consumed: the server may give it out again, or bury it.
    pub fn nack(&self) -> Outgoing {
        self.settle(Command::Nack, None)
    }

    pub(crate) fn settle(&self, command: Command, transaction: Option<&str>) -> Outgoing {
        let mut frame = self.acknowledgement(command);
        if let (Ok(frame), Some(transaction)) = (&mut frame, transaction) {
            frame.headers.push("transaction", transaction);
        }
        let outgoing = Outgoing::new(Arc::clone(&self.shared), frame);
        outgoing
            .of_connection(self.delivery.epoch)
            .settling(Arc::clone(&self.delivery.settled))
    }

    pub(crate) fn settled(&self) -> &Arc<AtomicBool> {
        &self.delivery.settled
    }

    /// Names the message as its version of STOMP has it: by `id` in 1.2, by `message-id` before.
    fn acknowledgement(&self, command: Command) -> Result<Frame, SendError> {
        let Delivery {
            frame,
            ack,
            version,
            ..
        } = &self.delivery;
        if *ack == AckMode::Auto {
            return Err(SendError::NothingToAcknowledge);
        }
        let header = |name| frame.header(name).ok_or(SendError::NothingToAcknowledge);
        let answer = Frame::new(command);
        match version {
            Version::V1_0 if command == Command::Nack => Err(SendError::NoNack),
            Version::V1_0 => Ok(answer.with_header("message-id", header("message-id")?)),
            Version::V1_1 => Ok(answer
                .with_header("message-id", header("message-id")?)
                .with_header("subscription", header("subscription")?)),
            Version::V1_2 => Ok(answer.with_header("id", header("ack")?)),
        }
    }
}
