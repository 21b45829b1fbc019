//! What the application does for one session at this moment.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::Connection;

/// Requests of one session that wait for the application, and its streams. Only there while there are any.
#[derive(Default)]
pub(crate) struct Requests {
    /// Those whose end the session waits for before it takes the next frame: an interceptor's, and within it the request
    /// that it let pass.
    in_order: Cell<usize>,
    /// Those that it does not wait for.
    parallel: Cell<usize>,
    /// So many of them that it does wait.
    max_parallel: Cell<usize>,
    streams: RefCell<Vec<Stream>>,
    /// Numbers streams.
    begun: Cell<u64>,
    /// Wakes who waits for a request to end.
    ended: Notify,
    /// Wakes the streams: the outbox is empty.
    relieved: Notify,
}

struct Stream {
    number: u64,
    /// The number of the subscription, among those of its session, that it belongs to.
    subscription: Option<u32>,
    task: AbortHandle,
}

impl Requests {
    fn is_idle(&self) -> bool {
        self.in_order.get() == 0 && self.parallel.get() == 0 && self.streams.borrow().is_empty()
    }
}

impl Connection {
    /// Those of this session, from now on.
    fn requests(&self) -> Rc<Requests> {
        Rc::clone(self.requests.borrow_mut().get_or_insert_default())
    }

    /// Whether nothing is taken from the client for now: a request must be answered first.
    pub(crate) fn is_asking(&self) -> bool {
        self.requests.borrow().as_ref().is_some_and(|requests| {
            let parallel = requests.parallel.get();
            requests.in_order.get() > 0 || parallel > 0 && parallel >= requests.max_parallel.get()
        })
    }

    /// Whether a request that came earlier is still to be answered.
    pub(crate) fn has_parallel(&self) -> bool {
        let requests = self.requests.borrow();
        requests
            .as_ref()
            .is_some_and(|requests| requests.parallel.get() > 0)
    }

    /// Returns once more may be taken from the client.
    pub(crate) async fn answered(&self) {
        while self.is_asking() {
            self.requests().ended.notified().await;
        }
    }

    /// Returns once no earlier request is to be answered.
    pub(crate) async fn parallel_answered(&self) {
        while self.has_parallel() {
            self.requests().ended.notified().await;
        }
    }

    /// Takes nothing from the client until [`release`](Self::release), as often as it is called.
    pub(crate) fn hold(&self) {
        let requests = self.requests();
        requests.in_order.set(requests.in_order.get() + 1);
    }

    pub(crate) fn release(&self) {
        self.end_request(|requests| requests.in_order.set(requests.in_order.get() - 1));
    }

    /// Nothing more is taken from the client while `limit` requests are to be answered.
    pub(crate) fn begin_parallel(&self, limit: usize) {
        let requests = self.requests();
        requests.max_parallel.set(limit);
        requests.parallel.set(requests.parallel.get() + 1);
    }

    pub(crate) fn end_parallel(&self) {
        self.end_request(|requests| requests.parallel.set(requests.parallel.get() - 1));
    }

    fn end_request(&self, end: impl FnOnce(&Requests)) {
        let requests = self.requests();
        end(&requests);
        requests.ended.notify_waiters();
        self.forget_idle(&requests);
    }

    fn forget_idle(&self, requests: &Requests) {
        if requests.is_idle() {
            self.requests.take();
        }
    }

    /// Streams that go on.
    pub(crate) fn streams(&self) -> usize {
        let requests = self.requests.borrow();
        requests
            .as_ref()
            .map_or(0, |requests| requests.streams.borrow().len())
    }

    /// Remembers the stream that `begin` begins; it is told the number to end it by.
    pub(crate) fn begin_stream(
        &self,
        subscription: Option<u32>,
        begin: impl FnOnce(u64) -> AbortHandle,
    ) {
        let requests = self.requests();
        let number = requests.begun.get();
        requests.begun.set(number + 1);
        let task = begin(number);
        requests.streams.borrow_mut().push(Stream {
            number,
            subscription,
            task,
        });
    }

    /// A stream has ended by itself.
    pub(crate) fn end_stream(&self, number: u64) {
        let requests = self.requests();
        requests
            .streams
            .borrow_mut()
            .retain(|stream| stream.number != number);
        self.forget_idle(&requests);
    }

    /// Ends the streams of one subscription, or all.
    pub(crate) fn stop_streams(&self, subscription: Option<u32>) {
        let Some(requests) = self.requests.borrow().clone() else {
            return;
        };
        requests.streams.borrow_mut().retain(|stream| {
            let stays = subscription.is_some() && stream.subscription != subscription;
            if !stays {
                stream.task.abort();
            }
            stays
        });
        self.forget_idle(&requests);
    }

    /// Returns once the client has taken enough of what it was sent.
    pub(crate) async fn has_taken_enough(&self) {
        while !self.has_room() {
            self.requests().relieved.notified().await;
        }
    }

    /// The outbox is empty.
    pub(super) fn wake_streams(&self) {
        if let Some(requests) = &*self.requests.borrow() {
            requests.relieved.notify_waiters();
        }
    }
}
