//! What the handles of a client and its connection know in common.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};

use tidings_stomp::{AckMode, Command, ConnectedInfo, Frame, Version};
use tokio::sync::{OwnedSemaphorePermit, oneshot, watch};
use tokio::time::Instant;

use crate::buffer::Buffer;
use crate::error::{ConnectError, Ended, ReceiptError, SendError, ServerError, SubscribeError};
use crate::event::{Event, Events};
use crate::message::Delivery;
use crate::outgoing::Parcel;
use crate::receipt::Answer;
use crate::renewal::Expiry;
use crate::subscription::Entry;

/// Bounded by what must be had to add to it: room in the queue, a place for a receipt, for a subscription, for a
/// transaction (see [`Shared`](crate::shared::Shared)).
#[derive(Debug, Default)]
pub(crate) struct State {
    phase: Phase,
    /// Counts connections, so that nothing of one is taken for another's.
    epoch: u64,
    last_id: u64,
    queue: VecDeque<Queued>,
    receipts: HashMap<u64, Pending>,
    /// In the order of their ids, so that they are renewed in the order that they were made in.
    subscriptions: BTreeMap<u64, Entry>,
    /// Of this connection.
    expiry: watch::Sender<Option<Expiry>>,
    closing: Option<Closing>,
    listeners: Vec<Weak<Buffer<Event>>>,
}

#[derive(Debug, Default)]
enum Phase {
    #[default]
    Offline,
    Online(Version),
    /// Without a cause: the program wanted it.
    Ended(Option<Arc<ConnectError>>),
}

/// The program has said goodbye.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closing {
    pub(crate) deadline: Instant,
    /// The server has confirmed that it has processed everything.
    pub(crate) confirmed: bool,
}

/// A frame that waits to be written.
#[derive(Debug)]
struct Queued {
    parcel: Parcel,
    receipt: Option<u64>,
    subscribes: Option<u64>,
    /// Of the queue, in bytes; given back when the frame is taken.
    _room: Option<OwnedSemaphorePermit>,
}

/// Who waits for a receipt.
#[derive(Debug)]
enum Pending {
    Frame {
        /// Handed to the socket: it is not sent again.
        written: bool,
        /// Its receipt says when the session expires.
        renews: bool,
        answer: oneshot::Sender<Answer>,
        _place: OwnedSemaphorePermit,
    },
    Subscribe(u64),
    Disconnect(oneshot::Sender<Answer>),
}

/// What a frame needs beside itself to be queued.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) room: OwnedSemaphorePermit,
    /// A place for its receipt, and where that goes.
    pub(crate) receipt: Option<(OwnedSemaphorePermit, oneshot::Sender<Answer>)>,
}

impl State {
    // --- For the program -----------------------------------------------------------------------------------------------

    /// Queues a frame; tells the number of its receipt, if it asked for one.
    pub(crate) fn enqueue(
        &mut self,
        mut parcel: Parcel,
        admission: Admission,
    ) -> Result<Option<u64>, SendError> {
        self.check_open()?;
        self.check_epoch(&parcel)?;
        if let Some(settles) = &parcel.settles
            && settles.swap(true, Ordering::Relaxed)
        {
            return Err(SendError::AlreadyAcknowledged);
        }
        let receipt = admission.receipt.map(|(place, answer)| {
            let id = self.next_id();
            let pending = Pending::Frame {
                written: false,
                renews: parcel.renews,
                answer,
                _place: place,
            };
            self.receipts.insert(id, pending);
            parcel.frame.headers.push("receipt", &id.to_string());
            id
        });
        self.queue.push_back(Queued {
            parcel,
            receipt,
            subscribes: None,
            _room: Some(admission.room),
        });
        Ok(receipt)
    }

    /// Queues a frame that ends something, so there is always room for it: what it ends was counted.
    pub(crate) fn enqueue_end(&mut self, parcel: Parcel) {
        if self.check_open().is_ok() && self.check_epoch(&parcel).is_ok() {
            self.push_control(parcel, None, None);
        }
    }

    /// The connection that there is now.
    pub(crate) fn current_epoch(&self) -> Result<u64, SendError> {
        self.check_open()?;
        match self.phase {
            Phase::Online(_) => Ok(self.epoch),
            _ => Err(SendError::ConnectionLost),
        }
    }

    /// Adds a subscription, and asks the server for it once connected.
    pub(crate) fn subscribe(&mut self, entry: Entry) -> Result<u64, SendError> {
        self.check_open()?;
        let id = self.next_id();
        self.subscriptions.insert(id, entry);
        if matches!(self.phase, Phase::Online(_)) {
            self.push_subscribe(id);
        }
        Ok(id)
    }

    /// Ends a subscription. What the server has not heard of yet it never hears of.
    pub(crate) fn unsubscribe(&mut self, id: u64) {
        let Some(entry) = self.subscriptions.remove(&id) else {
            return;
        };
        entry.buffer.end();
        let Phase::Online(_) = self.phase else { return };
        if entry.asked {
            let frame = Frame::new(Command::Unsubscribe).with_header("id", &id.to_string());
            let mut parcel = Parcel::new(frame);
            parcel.epoch = Some(self.epoch);
            parcel.slot = Some(entry.slot);
            self.push_control(parcel, None, None);
        } else {
            self.queue.retain(|queued| queued.subscribes != Some(id));
            self.receipts
                .retain(|_, pending| !matches!(pending, Pending::Subscribe(of) if *of == id));
        }
    }

    /// Nobody waits for it any more.
    pub(crate) fn forget_receipt(&mut self, id: u64) {
        self.receipts.remove(&id);
    }

    /// Begins to close: what waits goes out first, then DISCONNECT, and nothing is taken any more. Offline there is
    /// nobody to tell. `false` if that had begun before.
    pub(crate) fn close(&mut self, deadline: Instant, answer: oneshot::Sender<Answer>) -> bool {
        if self.check_open().is_err() {
            return false;
        }
        self.closing = Some(Closing {
            deadline,
            confirmed: false,
        });
        if let Phase::Online(_) = self.phase {
            let id = self.next_id();
            let frame = Frame::new(Command::Disconnect).with_header("receipt", &id.to_string());
            self.receipts.insert(id, Pending::Disconnect(answer));
            self.push_control(Parcel::new(frame), Some(id), None);
        }
        true
    }

    pub(crate) fn listen(&mut self, events: &Events) {
        self.listeners
            .retain(|listener| listener.strong_count() > 0);
        match self.phase {
            Phase::Ended(_) => events.buffer().end(),
            _ => self.listeners.push(Arc::downgrade(events.buffer())),
        }
    }

    // --- For the connection --------------------------------------------------------------------------------------------

    /// A connection is open. `false` if the program has said goodbye meanwhile: then it is of no use.
    pub(crate) fn online(&mut self, info: &ConnectedInfo) -> bool {
        if self.closing.is_some() {
            return false;
        }
        self.epoch += 1;
        self.phase = Phase::Online(info.version);
        self.expiry.send_replace(Expiry::of(&info.frame));
        let waiting = std::mem::take(&mut self.queue);
        let ids: Vec<u64> = self.subscriptions.keys().copied().collect();
        ids.into_iter().for_each(|id| self.push_subscribe(id));
        self.queue.extend(waiting);
        self.tell(&Event::Connected {
            version: info.version,
            heart_beat: info.heart_beat,
            session: info.frame.header("session").map(str::to_owned),
        });
        true
    }

    pub(crate) fn offline(&mut self, why: &Ended) {
        self.phase = Phase::Offline;
        self.expiry.send_replace(None);
        self.queue.retain(|queued| queued.parcel.epoch.is_none());
        let waiting: HashSet<u64> = self
            .queue
            .iter()
            .filter_map(|queued| queued.receipt)
            .collect();
        for (_, pending) in self.receipts.extract_if(|id, _| !waiting.contains(id)) {
            if let Pending::Frame { answer, .. } | Pending::Disconnect(answer) = pending {
                let _ = answer.send(Err(ReceiptError::ConnectionLost));
            }
        }
        for entry in self.subscriptions.values() {
            if entry.ack != AckMode::Auto {
                // Nobody can acknowledge these any more, and the server gives them out again: they would be in the way.
                entry.buffer.clear();
            }
        }
        self.tell(&Event::Lost(why.clone()));
    }

    /// The end of the client. Without a cause: the program wanted it.
    pub(crate) fn end(&mut self, cause: Option<Arc<ConnectError>>) {
        if let Phase::Ended(_) = self.phase {
            return;
        }
        self.phase = Phase::Ended(cause.clone());
        self.expiry.send_replace(None);
        let error = self.ended_error();
        self.queue.clear();
        for (_, pending) in self.receipts.drain() {
            let (answer, error) = match pending {
                Pending::Frame {
                    written: false,
                    answer,
                    ..
                } => (answer, ReceiptError::NotSent(error.clone())),
                Pending::Frame { answer, .. } | Pending::Disconnect(answer) => {
                    (answer, ReceiptError::ConnectionLost)
                }
                Pending::Subscribe(_) => continue,
            };
            let _ = answer.send(Err(error));
        }
        for (_, entry) in std::mem::take(&mut self.subscriptions) {
            entry.fail(SubscribeError::NotSent(error.clone()));
        }
        self.tell(&cause.map_or(Event::Closed, Event::GivenUp));
        let listeners = std::mem::take(&mut self.listeners);
        listeners
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|listener| listener.end());
    }

    /// The next frame to write, and the version to write it in.
    pub(crate) fn next_frame(&mut self) -> Option<(Frame, Version)> {
        let Phase::Online(spoken) = self.phase else {
            return None;
        };
        let queued = self.queue.pop_front()?;
        if let Some(id) = queued.receipt
            && let Some(Pending::Frame { written, .. }) = self.receipts.get_mut(&id)
        {
            *written = true;
        }
        if let Some(id) = queued.subscribes
            && let Some(entry) = self.subscriptions.get_mut(&id)
        {
            entry.asked = true;
        }
        if self.queue.is_empty() {
            self.queue = VecDeque::new();
        }
        Some((queued.parcel.frame, spoken))
    }

    /// When the session expires, for who waits for that.
    pub(crate) fn expiry(&self) -> watch::Receiver<Option<Expiry>> {
        self.expiry.subscribe()
    }

    /// A MESSAGE or RECEIPT came, or an ERROR: then, by custom, the connection is at its end, and that is returned.
    pub(crate) fn receive(&mut self, frame: Frame) -> Option<Ended> {
        match frame.command {
            Command::Message => self.message(frame),
            Command::Receipt => self.receipt(&frame),
            _ => {
                let error = Arc::new(ServerError::new(frame));
                let is_known = self.refused(&error);
                if !error.goes_on() {
                    return Some(Ended::Refused(error));
                }
                if !is_known {
                    self.tell(&Event::Refused(error));
                }
            }
        }
        None
    }

    pub(crate) fn closing(&self) -> Option<Closing> {
        self.closing
    }

    /// The goodbye was not confirmed in time.
    pub(crate) fn goodbye_timed_out(&mut self, error: &ReceiptError) {
        let is_goodbye = |_: &u64, pending: &mut Pending| matches!(pending, Pending::Disconnect(_));
        for (_, pending) in self.receipts.extract_if(is_goodbye) {
            if let Pending::Disconnect(answer) = pending {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }

    pub(crate) fn tell(&self, event: &Event) {
        self.listeners
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|listener| listener.push(event.clone(), 0));
    }

    // --- Within --------------------------------------------------------------------------------------------------------

    fn check_open(&self) -> Result<(), SendError> {
        match &self.phase {
            Phase::Ended(_) => Err(self.ended_error()),
            _ if self.closing.is_some() => Err(SendError::Closed),
            _ => Ok(()),
        }
    }

    fn check_epoch(&self, parcel: &Parcel) -> Result<(), SendError> {
        match parcel.epoch {
            Some(epoch) if self.current_epoch()? != epoch => Err(SendError::ConnectionLost),
            _ => Ok(()),
        }
    }

    /// What everything fails with after the end.
    pub(crate) fn ended_error(&self) -> SendError {
        match &self.phase {
            Phase::Ended(Some(cause)) => SendError::GivenUp(Arc::clone(cause)),
            _ => SendError::Closed,
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn push_subscribe(&mut self, id: u64) {
        let receipt = self.next_id();
        let epoch = self.epoch;
        let Some(entry) = self.subscriptions.get_mut(&id) else {
            return;
        };
        entry.asked = false;
        let mut parcel = Parcel::new(entry.request(id, receipt));
        parcel.epoch = Some(epoch);
        self.receipts.insert(receipt, Pending::Subscribe(id));
        self.push_control(parcel, Some(receipt), Some(id));
    }

    fn push_control(&mut self, parcel: Parcel, receipt: Option<u64>, subscribes: Option<u64>) {
        self.queue.push_back(Queued {
            parcel,
            receipt,
            subscribes,
            _room: None,
        });
    }

    /// Messages of a subscription that has just ended are nobody's.
    fn message(&mut self, frame: Frame) {
        let Phase::Online(version) = self.phase else {
            return;
        };
        let id = frame.header("subscription").and_then(|id| id.parse().ok());
        let Some(entry) = id.and_then(|id: u64| self.subscriptions.get(&id)) else {
            return;
        };
        let bytes = frame.byte_len();
        // Else each that waits could hold a whole chunk, and the limit of the buffer in bytes would mean nothing.
        let is_kept = bytes < LARGE_BYTES && !entry.buffer.is_empty();
        let delivery = Delivery {
            frame: if is_kept { frame.detached() } else { frame },
            ack: entry.ack,
            version,
            epoch: self.epoch,
            settled: Arc::default(),
        };
        entry.buffer.push(delivery, bytes);
    }

    fn receipt(&mut self, frame: &Frame) {
        match self.take_pending(frame.header("receipt-id")) {
            Some(Pending::Frame { renews, answer, .. }) => {
                if renews {
                    self.expiry.send_replace(Expiry::of(frame));
                }
                let _ = answer.send(Ok(()));
            }
            Some(Pending::Subscribe(id)) => {
                if let Some(entry) = self.subscriptions.get_mut(&id) {
                    entry.confirm();
                }
            }
            Some(Pending::Disconnect(answer)) => {
                let _ = answer.send(Ok(()));
                if let Some(closing) = &mut self.closing {
                    closing.confirmed = true;
                }
            }
            None => {}
        }
    }

    /// Tells who waits for it; says whether somebody did. A subscription that was refused is not asked for again, unless it
    /// had begun before and comes back with the next connection.
    fn refused(&mut self, error: &Arc<ServerError>) -> bool {
        match self.take_pending(error.receipt_id()) {
            Some(Pending::Frame { answer, .. } | Pending::Disconnect(answer)) => {
                let _ = answer.send(Err(ReceiptError::Refused(Arc::clone(error))));
            }
            Some(Pending::Subscribe(id)) => {
                let retry = !error.goes_on() && Ended::Refused(Arc::clone(error)).retry();
                let keep = |entry: &Entry| entry.is_confirmed() && retry;
                if !self.subscriptions.get(&id).is_some_and(keep)
                    && let Some(entry) = self.subscriptions.remove(&id)
                {
                    entry.fail(SubscribeError::Refused(Arc::clone(error)));
                }
            }
            None => return false,
        }
        true
    }

    fn take_pending(&mut self, receipt_id: Option<&str>) -> Option<Pending> {
        let id = receipt_id?.parse().ok()?;
        self.receipts.remove(&id)
    }
}

/// A message that is this large is not much smaller than the chunk that it came in.
const LARGE_BYTES: usize = 16 * 1024;

#[cfg(test)]
mod tests;
