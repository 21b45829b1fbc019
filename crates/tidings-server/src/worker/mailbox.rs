//! What other threads hand to a worker.

use std::collections::VecDeque;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Bytes of messages that may wait for one worker. Sessions of other workers stop being read while more wait.
pub(crate) const MAILBOX_BYTES: usize = 16 * 1024 * 1024;

/// A queue of letters into one worker. Posting never blocks: who posts asks [`Mailbox::has_space`] before the next round.
pub(crate) struct Mailbox<L> {
    /// What waits, under one short lock; none once nobody takes letters any more.
    letters: Mutex<Option<VecDeque<L>>>,
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
            letters: Mutex::new(Some(VecDeque::new())),
            bytes: AtomicUsize::new(0),
            arrived: Notify::new(),
            space: Notify::new(),
        }
    }

    /// Puts one letter of `bytes` weight in; drops it where the mailbox is closed.
    pub(crate) fn post(&self, letter: L, bytes: usize) {
        match &mut *self.lock() {
            Some(letters) => letters.push_back(letter),
            None => return,
        }
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.arrived.notify_one();
    }

    /// Puts all `letters` in, in order, and leaves the vector empty.
    pub(crate) fn post_all(&self, letters: &mut Vec<L>, bytes: usize) {
        let is_open = match &mut *self.lock() {
            Some(waiting) => {
                waiting.extend(letters.drain(..));
                true
            }
            None => false,
        };
        if !is_open {
            letters.clear();
            return;
        }
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
    pub(crate) fn take(&self, letters: &mut VecDeque<L>) {
        if let Some(waiting) = &mut *self.lock() {
            mem::swap(waiting, letters);
        }
        if self.bytes.swap(0, Ordering::Relaxed) >= MAILBOX_BYTES {
            self.space.notify_waiters();
        }
    }

    /// Drops what waits and what comes: who waits for what becomes of a letter learns that nothing does.
    pub(crate) fn close(&self) {
        // A letter may post as it is dropped.
        let waiting = self.lock().take();
        drop(waiting);
        self.bytes.store(0, Ordering::Relaxed);
        self.space.notify_waiters();
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

    fn lock(&self) -> MutexGuard<'_, Option<VecDeque<L>>> {
        self.letters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Waker};
    use std::thread;

    use super::*;

    fn is_ready(future: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
        future
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    }

    #[test]
    fn letters_come_in_the_order_they_were_posted() {
        let mailbox = Mailbox::new();
        mailbox.post(1, 1);
        let mut more = vec![2, 3];
        mailbox.post_all(&mut more, 2);
        mailbox.post(4, 1);
        assert!(more.is_empty());
        let mut letters = VecDeque::new();
        mailbox.take(&mut letters);
        assert_eq!(letters, [1, 2, 3, 4]);
        letters.clear();
        mailbox.take(&mut letters);
        assert!(letters.is_empty());
    }

    #[test]
    fn space_ends_with_the_limit_and_comes_back_with_the_taking() {
        let mailbox = Mailbox::new();
        mailbox.post('a', MAILBOX_BYTES - 1);
        assert!(mailbox.has_space());
        assert!(is_ready(pin!(mailbox.wait_for_space())));
        mailbox.post_all(&mut vec!['b'], 1);
        assert!(!mailbox.has_space());
        let mut waiting = [
            Box::pin(mailbox.wait_for_space()),
            Box::pin(mailbox.wait_for_space()),
        ];
        for one in &mut waiting {
            assert!(!is_ready(one.as_mut()));
        }
        mailbox.take(&mut VecDeque::new());
        assert!(mailbox.has_space());
        for one in &mut waiting {
            assert!(is_ready(one.as_mut()), "all who wait go on");
        }
    }

    #[test]
    fn who_finds_it_full_again_waits_on() {
        let mailbox = Mailbox::new();
        mailbox.post('a', MAILBOX_BYTES);
        let mut waiting = Box::pin(mailbox.wait_for_space());
        assert!(!is_ready(waiting.as_mut()));
        mailbox.take(&mut VecDeque::new());
        mailbox.post('b', MAILBOX_BYTES);
        assert!(!is_ready(waiting.as_mut()));
        mailbox.take(&mut VecDeque::new());
        assert!(is_ready(waiting.as_mut()));
    }

    #[test]
    fn letters_and_nudges_wake_also_who_comes_to_wait_afterwards() {
        let mailbox = Mailbox::new();
        assert!(!is_ready(pin!(mailbox.arrival())));
        mailbox.post('a', 1);
        assert!(is_ready(pin!(mailbox.arrival())));
        assert!(!is_ready(pin!(mailbox.arrival())));
        mailbox.nudge();
        assert!(is_ready(pin!(mailbox.arrival())));
        mailbox.post_all(&mut vec!['b'], 1);
        assert!(is_ready(pin!(mailbox.arrival())));
    }

    #[test]
    fn a_closed_one_drops_what_waits_and_what_comes_and_holds_nobody_up() {
        let mailbox = Mailbox::new();
        let letter = Arc::new(());
        mailbox.post(Arc::clone(&letter), MAILBOX_BYTES);
        let mut waiting = Box::pin(mailbox.wait_for_space());
        assert!(!is_ready(waiting.as_mut()));
        mailbox.close();
        mailbox.post(Arc::clone(&letter), MAILBOX_BYTES);
        mailbox.post_all(&mut vec![Arc::clone(&letter)], MAILBOX_BYTES);
        assert_eq!(Arc::strong_count(&letter), 1);
        assert!(mailbox.has_space() && is_ready(waiting.as_mut()));
        let mut letters = VecDeque::new();
        mailbox.take(&mut letters);
        assert!(letters.is_empty());
    }

    #[test]
    fn nothing_is_lost_or_swapped_between_threads() {
        const THREADS: usize = 4;
        const COUNT: u32 = 5_000;
        let mailbox = Arc::new(Mailbox::new());
        let posting: Vec<_> = (0..THREADS)
            .map(|thread| {
                let mailbox = Arc::clone(&mailbox);
                thread::spawn(move || {
                    for number in (0..COUNT).step_by(2) {
                        mailbox.post((thread, number), MAILBOX_BYTES / 100);
                        mailbox.post_all(&mut vec![(thread, number + 1)], MAILBOX_BYTES / 100);
                        while !mailbox.has_space() {
                            thread::yield_now();
                        }
                    }
                })
            })
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.expect("a runtime without I/O needs nothing");
        let mut next = [0; THREADS];
        let mut letters = VecDeque::new();
        while next != [COUNT; THREADS] {
            runtime.block_on(mailbox.arrival());
            mailbox.take(&mut letters);
            for (thread, number) in letters.drain(..) {
                assert_eq!(number, next[thread], "of thread {thread}");
                next[thread] += 1;
            }
        }
        for thread in posting {
            thread.join().expect("posting does not fail");
        }
        mailbox.take(&mut letters);
        assert!(letters.is_empty() && mailbox.has_space());
    }
}
