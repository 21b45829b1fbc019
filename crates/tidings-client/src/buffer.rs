//! What waits for a program to take it: bounded, and never in the way of who puts it there.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What becomes of a message for a subscription whose buffer is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Overflow {
    /// The message that has waited longest goes: the program sees the latest.
    #[default]
    DropOldest,
    /// The new message goes: the program sees the first ones, and then a gap.
    DropNewest,
}

/// When a buffer is full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) items: usize,
    /// One item always has room, whatever its size.
    pub(crate) bytes: usize,
    pub(crate) overflow: Overflow,
}

#[derive(Debug)]
pub(crate) struct Buffer<T> {
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    bounds: Bounds,
    dropped: u64,
    ended: bool,
    waker: Option<Waker>,
}

impl<T> Buffer<T> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            inner: Mutex::new(Inner {
                items: VecDeque::new(),
                bytes: 0,
                bounds,
                dropped: 0,
                ended: false,
                waker: None,
            }),
        }
    }

    pub(crate) fn push(&self, item: T, bytes: usize) {
        let mut inner = self.lock();
        if inner.ended {
            return;
        }
        while inner.is_full(bytes) {
            inner.dropped += 1;
            if inner.bounds.overflow == Overflow::DropNewest {
                return;
            }
            inner.pop();
        }
        inner.items.push_back((item, bytes));
        inner.bytes += bytes;
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// What waits is not wanted any more.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.items = VecDeque::new();
        inner.bytes = 0;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().items.is_empty()
    }

    /// Nothing more comes; what waits can still be taken.
    pub(crate) fn end(&self) {
        let mut inner = self.lock();
        inner.ended = true;
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(crate) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut inner = self.lock();
        match inner.pop() {
            Some(item) => Poll::Ready(Some(item)),
            None if inner.ended => Poll::Ready(None),
            None => {
                inner.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// No code of others runs under this lock, so a panic can't leave it half changed.
    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Inner<T> {
    fn is_full(&self, more: usize) -> bool {
        !self.items.is_empty()
            && (self.items.len() >= self.bounds.items
                || self.bytes.saturating_add(more) > self.bounds.bytes)
    }

    fn pop(&mut self) -> Option<T> {
        let (item, bytes) = self.items.pop_front()?;
        self.bytes -= bytes;
        if self.items.is_empty() {
            // A burst leaves no memory behind.
            self.items = VecDeque::new();
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bounds: Bounds, pushed: &[(u32, usize)]) -> (Vec<u32>, u64) {
        let buffer = Buffer::new(bounds);
        for &(item, bytes) in pushed {
            buffer.push(item, bytes);
        }
        buffer.end();
        buffer.push(99, 0);
        let mut cx = Context::from_waker(Waker::noop());
        let items = std::iter::from_fn(|| match buffer.poll_next(&mut cx) {
            Poll::Ready(item) => item,
            Poll::Pending => panic!("the buffer has ended"),
        });
        (items.collect(), buffer.dropped())
    }

    #[test]
    fn a_full_buffer_drops_by_its_policy_and_counts() {
        let bounds = |overflow| Bounds {
            items: 2,
            bytes: 10,
            overflow,
        };
        let three = [(1, 1), (2, 1), (3, 1)];
        assert_eq!(taken(bounds(Overflow::DropOldest), &three), (vec![2, 3], 1));
        assert_eq!(taken(bounds(Overflow::DropNewest), &three), (vec![1, 2], 1));
        let large = [(1, 5), (2, 5), (3, 11)];
        assert_eq!(taken(bounds(Overflow::DropOldest), &large), (vec![3], 2));
        assert_eq!(taken(bounds(Overflow::DropNewest), &large), (vec![1, 2], 1));
        let alone = [(1, 1000)];
        assert_eq!(taken(bounds(Overflow::DropNewest), &alone), (vec![1], 0));
    }
}
