//! A connection whose socket is full: what waits is kept within the limit, and written as the socket takes it.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::Poll;

use tidings_core::disconnect::Reason;

use super::Worker;
use super::connection::Connection;
use super::outbox::{Outbox, Overflow};
use super::turn::Frozen;
use crate::clock;

impl Worker {
    /// Keeps what the socket did not take, within the limit, and lets a task write it.
    pub(super) fn fall_behind(self: &Rc<Self>, connection: &Rc<Connection>, left: &Frozen) {
        let limits = &self.node.config.outbox;
        let max_bytes = match &connection.listening {
            Some(_) => self.node.config.sockjs.message_cache_bytes,
            None => limits.max_bytes,
        };
        let mut outbox = connection.outbox.borrow_mut();
        let before = outbox.waiting_bytes();
        outbox.keep(left);
        match outbox.limit(max_bytes, limits.policy) {
            Overflow::Fits { dropped } => self.node.telemetry.dropped("slow-consumer", dropped),
            Overflow::Close => self.doom(connection, Reason::SlowConsumer),
        }
        self.account(before, outbox.waiting_bytes());
        if connection.listening.is_some() {
            drop(outbox);
            self.pump(connection);
            return;
        }
        // Not by what waits, which a goodbye may have emptied under the writer: two writers would take each other's
        // wake-ups.
        if connection.stalled_since.get().is_none() {
            let now = clock::now();
            connection.stalled_since.set(Some(now));
            self.schedule(connection, now + limits.send_timeout);
            tokio::task::spawn_local(Rc::clone(self).write_behind(Rc::clone(connection)));
        }
    }

    /// Writes what waits, whenever the socket has room; ends when nothing waits.
    async fn write_behind(self: Rc<Self>, connection: Rc<Connection>) {
        loop {
            let ready = poll_fn(|context| match &connection.stream {
                Some(stream) => stream.borrow().poll_write_ready(context),
                None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
            })
            .await;
            let mut progress = false;
            let mut outbox = connection.outbox.borrow_mut();
            let before = outbox.waiting_bytes();
            let result = ready.and_then(|()| {
                Ok(connection.flush(&mut progress)?
                    && outbox.write_waiting(
                        |slices| connection.write(slices, &self.tally.written),
                        &mut progress,
                    )?
                    && connection.flush(&mut progress)?)
            });
            self.account(before, outbox.waiting_bytes());
            drop(outbox);
            if progress {
                let now = clock::now();
                connection.written_at.set(now);
                connection.stalled_since.set(Some(now));
            }
            match result {
                Ok(false) => {}
                Ok(true) => {
                    connection.stalled_since.set(None);
                    self.mark_dirty(connection.key.slot);
                    return;
                }
                Err(_) => {
                    connection.stalled_since.set(None);
                    self.failed(&connection);
                    return;
                }
            }
        }
    }

    pub(super) fn drop_waiting(&self, connection: &Connection, drop: impl FnOnce(&mut Outbox)) {
        let mut outbox = connection.outbox.borrow_mut();
        let before = outbox.waiting_bytes();
        drop(&mut outbox);
        self.account(before, outbox.waiting_bytes());
    }

    pub(super) fn account(&self, before: usize, after: usize) {
        self.node
            .telemetry
            .outbox_bytes
            .inc_by(after as i64 - before as i64);
    }
}
