//! The state of a client, and the gates before it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{AcquireError, Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout};

use crate::builder::Settings;
use crate::error::{ConnectError, SendError, SubscribeError};
use crate::outgoing::Parcel;
use crate::receipt::{Answer, Receipt};
use crate::state::{Admission, State};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    /// Held for a few moves at a time, never across an await. The locks of buffers are taken within it.
    state: Mutex<State>,
    /// There is something for the connection to do.
    pub(crate) wake: Notify,
    /// Bytes.
    room: Arc<Semaphore>,
    receipts: Arc<Semaphore>,
    subscriptions: Arc<Semaphore>,
    transactions: Arc<Semaphore>,
}

/// What a queued frame holds beside its headers and body.
const FRAME_OVERHEAD: usize = 128;

impl Shared {
    pub(crate) fn new(settings: Settings) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits));
        Self {
            state: Mutex::default(),
            wake: Notify::new(),
            room: semaphore(settings.max_outgoing_bytes),
            receipts: semaphore(settings.max_pending_receipts),
            subscriptions: semaphore(settings.max_subscriptions),
            transactions: semaphore(settings.max_transactions),
            settings,
        }
    }

    /// Nothing beneath panics, so a poisoned lock guards a whole state.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn send(&self, parcel: Parcel) -> Result<(), SendError> {
        let room = self.admit(&parcel, &self.room).await?;
        let admission = Admission {
            room,
            receipt: None,
        };
        self.enqueue(parcel, admission).map(|_| ())
    }

    pub(crate) async fn send_for_receipt(
        self: &Arc<Self>,
        parcel: Parcel,
    ) -> Result<Receipt, SendError> {
        let (answer, answered) = oneshot::channel();
        let place = self.wait_for(&self.receipts, 1).await?;
        let room = self.admit(&parcel, &self.room).await?;
        let admission = Admission {
            room,
            receipt: Some((place, answer)),
        };
        let id = self.enqueue(parcel, admission)?;
        let id = id.expect("a place for a receipt is there, so it has a number");
        Ok(Receipt::new(id, Arc::clone(self), answered))
    }

    /// The number of a new transaction's connection, and its place among those that are open.
    pub(crate) fn open_transaction(&self) -> Result<(u64, OwnedSemaphorePermit), SendError> {
        let epoch = self.state().current_epoch()?;
        let slot = Arc::clone(&self.transactions).try_acquire_owned();
        let limit = SendError::TooManyTransactions(self.settings.max_transactions);
        slot.map(|slot| (epoch, slot)).map_err(|_| limit)
    }

    pub(crate) fn subscription_slot(&self) -> Result<OwnedSemaphorePermit, SubscribeError> {
        let slot = Arc::clone(&self.subscriptions).try_acquire_owned();
        slot.map_err(|_| SubscribeError::TooMany(self.settings.max_subscriptions))
    }

    /// Begins to close, see [`State::close`].
    pub(crate) fn close(&self) -> Option<oneshot::Receiver<Answer>> {
        let (answer, answered) = oneshot::channel();
        let deadline = Instant::now() + self.settings.receipt_timeout;
        let begun = self.state().close(deadline, answer);
        self.wake.notify_one();
        begun.then_some(answered)
    }

    /// The end: who waits for room hears of it too.
    pub(crate) fn end(&self, cause: Option<Arc<ConnectError>>) {
        self.state().end(cause);
        self.room.close();
        self.receipts.close();
    }

    fn enqueue(&self, parcel: Parcel, admission: Admission) -> Result<Option<u64>, SendError> {
        let queued = self.state().enqueue(parcel, admission);
        self.wake.notify_one();
        queued
    }

    async fn admit(
        &self,
        parcel: &Parcel,
        room: &Arc<Semaphore>,
    ) -> Result<OwnedSemaphorePermit, SendError> {
        let bytes = parcel.frame.byte_len() + FRAME_OVERHEAD;
        let limit = self.settings.max_outgoing_bytes;
        let too_large = SendError::TooLarge { bytes, limit };
        match u32::try_from(bytes) {
            Ok(permits) if bytes <= limit => self.wait_for(room, permits).await,
            _ => Err(too_large),
        }
    }

    async fn wait_for(
        &self,
        gate: &Arc<Semaphore>,
        permits: u32,
    ) -> Result<OwnedSemaphorePermit, SendError> {
        let patience = self.settings.send_timeout;
        let acquired = timeout(patience, Arc::clone(gate).acquire_many_owned(permits)).await;
        acquired
            .map_err(|_| SendError::QueueFull(patience))?
            .map_err(|_: AcquireError| self.state().ended_error())
    }
}
