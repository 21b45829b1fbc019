//! Several frames that take effect together, or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tidings_stomp::{Command, Frame};
use tokio::sync::OwnedSemaphorePermit;

use crate::error::{ReceiptError, SendError};
use crate::message::Message;
use crate::outgoing::{Outgoing, Parcel};
use crate::shared::Shared;

/// A transaction: what is sent and acknowledged through it takes effect at [`commit`](Self::commit). Dropping it aborts.
///
/// It belongs to the connection that it began on, and ends without effect when that is lost.
///
/// ```no_run
/// # async fn pass_on(client: tidings_client::Client, order: tidings_client::Message) -> Result<(), Box<dyn std::error::Error>> {
/// let mut transaction = client.begin().await?;
/// transaction.send("/queue/billing", order.body().clone()).await?;
/// transaction.send("/queue/shipping", order.body().clone()).await?;
/// transaction.ack(&order).await?;
/// transaction.commit().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Transaction {
    shared: Arc<Shared>,
    name: String,
    epoch: u64,
    /// Of the messages that it acknowledges: after an abort they may be acknowledged again.
    settled: Vec<Arc<AtomicBool>>,
    /// Its place among the open ones; gone when it is at its end.
    slot: Option<OwnedSemaphorePermit>,
}

impl Transaction {
    pub(crate) async fn begin(shared: Arc<Shared>, name: String) -> Result<Self, SendError> {
        let (epoch, slot) = shared.open_transaction()?;
        let mut parcel = Parcel::new(Frame::new(Command::Begin).with_header("transaction", &name));
        parcel.epoch = Some(epoch);
        shared.send(parcel).await?;
        Ok(Self {
            shared,
            name,
            epoch,
            settled: Vec::new(),
            slot: Some(slot),
        })
    }

    /// A message for a destination, as [`Client::send`](crate::Client::send).
    ///
    /// A receipt for it says that the server holds it, not that it was delivered.
    pub fn send(&mut self, destination: &str, body: impl Into<Bytes>) -> Outgoing {
        let frame = Frame::new(Command::Send)
            .with_header("destination", destination)
            .with_header("transaction", &self.name)
            .with_body(body);
        Outgoing::new(Arc::clone(&self.shared), Ok(frame)).of_connection(self.epoch)
    }

    /// The message is consumed if the transaction is committed, as [`Message::ack`].
    pub fn ack(&mut self, message: &Message) -> Outgoing {
        self.settle(Command::Ack, message)
    }

    /// The message is not consumed if the transaction is committed, as [`Message::nack`].
    pub fn nack(&mut self, message: &Message) -> Outgoing {
        self.settle(Command::Nack, message)
    }

    /// Carries the transaction out, and waits until the server has done so.
    ///
    /// # Errors
    /// The server refused it, and then it had no effect; or no receipt came, and then it may have had.
    pub async fn commit(mut self) -> Result<(), ReceiptError> {
        let parcel = self.end_frame(Command::Commit);
        let receipt = self.shared.send_for_receipt(parcel).await?;
        self.settled.clear();
        // Kept until the server has answered: until then the transaction counts there too.
        let _slot = self.slot.take();
        receipt.await
    }

    /// Drops the transaction, and waits until the server has done so.
    ///
    /// # Errors
    /// No receipt came. The transaction has no effect all the same.
    pub async fn abort(mut self) -> Result<(), ReceiptError> {
        let parcel = self.end_frame(Command::Abort);
        let receipt = self.shared.send_for_receipt(parcel).await?;
        let _slot = self.slot.take();
        self.release();
        receipt.await
    }

    fn settle(&mut self, command: Command, message: &Message) -> Outgoing {
        if !message.settled().load(Ordering::Relaxed) {
            self.settled.push(Arc::clone(message.settled()));
        }
        message
            .settle(command, Some(&self.name))
            .of_connection(self.epoch)
    }

    fn end_frame(&self, command: Command) -> Parcel {
        let mut parcel = Parcel::new(Frame::new(command).with_header("transaction", &self.name));
        parcel.epoch = Some(self.epoch);
        parcel
    }

    fn release(&mut self) {
        for settled in self.settled.drain(..) {
            settled.store(false, Ordering::Relaxed);
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(slot) = self.slot.take() else { return };
        let mut parcel = self.end_frame(Command::Abort);
        parcel.slot = Some(slot);
        self.shared.state().enqueue_end(parcel);
        self.shared.wake.notify_one();
        self.release();
    }
}
