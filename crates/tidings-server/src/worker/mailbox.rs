//! What other threads hand to a worker.

use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Bytes of messages that may wait for one worker. Sessions of other workers stop being read while more wait.
pub(crate) const MAILBOX_BYTES: usize = 16 * 1024 * 1024;

/// A queue of letters into one worker. Posting never blocks: who posts asks [`Mailbox::has_space`] before the next round.
pub(crate) struct Mailbox<L> {
    /// What waits, under one short lock.
    letters: Mutex<Vec<L>>,
    /// What the letters weigh.
    bytes: AtomicUsize,
    /// Wakes the worker's turn.
    arrived: Notify,
    /// Wakes the sessions that wait for space.
    space: Notify,
}

impl<L> Mailbox<L> {
    pub(crate) fn new() -> Self {
        Self {
            letters: Mutex::default(),
            bytes: AtomicUsize::new(0),
            arrived: Notify::new(),
            space: Notify::new(),
        }
    }

    /// Puts one letter of `bytes` weight in.
    pub(crate) fn post(&self, letter: L, bytes: usize) {
        self.lock().push(letter);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// Puts all `letters` in, in order, and leaves the vector empty.
    pub(crate) fn post_all(&self, letters: &mut Vec<L>, bytes: usize) {
        self.lock().append(letters);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// Wakes the worker though there is no letter: its own turn has something to do.
    pub(crate) fn nudge(&self) {
        self.arrived.notify_one();
    }

    /// Waits for a letter or a nudge.
    pub(crate) async fn arrival(&self) {
        self.arrived.notified().await;
    }

    /// Takes all letters. `letters` must be empty; its memory goes to the mailbox.
    pub(crate) fn take(&self, letters: &mut Vec<L>) {
        mem::swap(&mut *self.lock(), letters);
        if self.bytes.swap(0, Ordering::Relaxed) >= MAILBOX_BYTES {
            self.space.notify_waiters();
        }
    }

    /// Whether another round of letters may be posted.
    pub(crate) fn has_space(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) < MAILBOX_BYTES
    }

    /// Waits until the worker has taken what waits. The worker never waits for a session, so this ends.
    pub(crate) async fn wait_for_space(&self) {
        loop {
            let freed = self.space.notified();
            if self.has_space() {
                return;
            }
            freed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<L>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
