//! One connection as its worker sees it: a socket, an outbox, and how it ends.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use socket2::SockRef;
use tidings_core::disconnect::Reason;
use tidings_core::message::MessageId;
use tidings_core::queue::Settlement;
use tidings_stomp::Version;
use tidings_stomp::connection::{ErrorReply, Timeout};
use tidings_websocket::{CloseCode, Opcode, close_payload, write_frame};
use tokio::net::TcpStream;

use super::Worker;
use super::fan_out::{Form, Wire};
use super::outbox::{Outbox, Overflow};
use super::subscription::Consumer;
use super::turn::{Frozen, Span, Turn, Unit};
use crate::link::Link;
use crate::node::Ticket;
use crate::session::{self, Session};
use crate::telemetry::LinkLabel;

/// After its goodbye a connection is read, and what comes is thrown away, until the peer closes too or this is over:
/// closing at once would reset the connection and could take the goodbye with it.
const LINGER: Duration = Duration::from_secs(5);

/// A connection on its way to a worker.
pub(crate) struct Adoption {
    pub(crate) stream: std::net::TcpStream,
    pub(crate) peer: SocketAddr,
    pub(crate) link: LinkKind,
    /// When the socket was accepted; the time to CONNECT counts from here.
    pub(crate) accepted_at: Instant,
    /// Bytes that arrived behind the HTTP request.
    pub(crate) early: Bytes,
    pub(crate) ticket: Ticket,
}

/// What kind of link a connection speaks.
#[derive(Debug, Clone)]
pub(crate) enum LinkKind {
    Tcp,
    WebSocket {
        /// permessage-deflate as agreed in the handshake.
        deflate: Option<tidings_websocket::DeflateParams>,
    },
}

/// Names a connection of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConnectionKey {
    pub(crate) slot: u32,
    /// Tells it from an earlier one in the same slot.
    serial: u32,
}

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// The goodbye is in the outbox; input is thrown away.
    Closing,
    /// The goodbye is out and our side is shut.
    Shut,
}

/// A connection of this worker.
pub(crate) struct Connection {
    key: ConnectionKey,
    pub(crate) peer: SocketAddr,
    /// Borrowed for one call at a time, never across an await.
    pub(crate) stream: RefCell<TcpStream>,
    pub(crate) link: RefCell<Link>,
    pub(crate) session: RefCell<Session>,
    outbox: RefCell<Outbox>,
    phase: Cell<Phase>,
    /// Tick at which the timer fires; `u64::MAX` = not set.
    timer: Cell<u64>,
    /// Since when bytes wait and the socket takes none.
    stalled_since: Cell<Option<Instant>>,
    /// When something was written last, for heart-beats.
    written_at: Cell<Instant>,
    /// When a closing connection is cut.
    cut_at: Cell<Option<Instant>>,
    /// The reader has ended: the peer closed its side, or the socket failed.
    peer_ended: Cell<bool>,
    /// Messages for `ack:auto` queue subscriptions that are in the outbox, not yet out.
    unwritten: RefCell<Vec<(Consumer, MessageId)>>,
    /// Held for as long as the connection counts.
    _ticket: Ticket,
}

impl Connection {
    pub(crate) fn key(&self) -> ConnectionKey {
        self.key
    }

    pub(crate) fn form(&self) -> Form {
        Form {
            version: self.version(),
            wire: self.wire(),
        }
    }

    pub(crate) fn version(&self) -> Version {
        self.session.borrow().version()
    }

    pub(crate) fn wire(&self) -> Wire {
        self.link.borrow().wire()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase.get()
    }

    /// True when the connection was not on the flush list yet.
    pub(super) fn push(&self, span: Span) -> bool {
        self.outbox.borrow_mut().push(span)
    }

    /// Remembers that `message` is delivered once the outbox is empty.
    pub(super) fn delivered_auto(&self, consumer: Consumer, message: MessageId) {
        self.unwritten.borrow_mut().push((consumer, message));
    }

    /// Sets the timer to `tick` unless it fires earlier already.
    pub(super) fn set_timer(&self, tick: u64) -> bool {
        let earlier = tick < self.timer.get();
        if earlier {
            self.timer.set(tick);
        }
        earlier
    }

    /// Whether the entry that fires is the one set last; if so, none is set any more.
    pub(super) fn is_timed_at(&self, tick: u64) -> bool {
        let ours = self.timer.get() == tick;
        if ours {
            self.timer.set(u64::MAX);
        }
        ours
    }

    pub(super) fn write_turn(&self, turn: &Turn, written: &Cell<u64>) -> io::Result<bool> {
        let before = written.get();
        let result = self
            .outbox
            .borrow_mut()
            .write_turn(turn, |slices| self.write(slices, written));
        if written.get() != before {
            self.written_at.set(Instant::now());
        }
        result
    }

    fn write(&self, slices: &[IoSlice<'_>], written: &Cell<u64>) -> io::Result<usize> {
        let stream = self.stream.borrow();
        let count = match slices {
            [one] => stream.try_write(one)?,
            many => stream.try_write_vectored(many)?,
        };
        written.set(written.get() + count as u64);
        Ok(count)
    }

    /// Ends both directions; the reader sees the end of the stream.
    fn cut(&self) {
        // An error means that the peer cut it first.
        let _ = SockRef::from(&*self.stream.borrow()).shutdown(Shutdown::Both);
    }
}

impl Worker {
    pub(super) fn adopt(self: &Rc<Self>, adoption: Adoption) {
        let stream = match TcpStream::from_std(adoption.stream) {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(peer = %adoption.peer, %error, "could not register a connection");
                return;
            }
        };
        let telemetry = &self.node.telemetry;
        let link = Link::new(&adoption.link, &self.node.config.websocket);
        telemetry
            .connections
            .get_or_create(&LinkLabel::of(link.wire()))
            .inc();
        telemetry
            .connections_opened
            .get_or_create(&LinkLabel::of(link.wire()))
            .inc();
        let mut connections = self.connections.borrow_mut();
        let entry = connections.vacant_entry();
        let connection = Rc::new(Connection {
            key: ConnectionKey {
                slot: entry.key() as u32,
                serial: self.next_serial(),
            },
            peer: adoption.peer,
            stream: RefCell::new(stream),
            link: RefCell::new(link),
            session: RefCell::new(Session::new(&self.node, adoption.accepted_at)),
            outbox: RefCell::default(),
            phase: Cell::new(Phase::Open),
            timer: Cell::new(u64::MAX),
            stalled_since: Cell::new(None),
            written_at: Cell::new(adoption.accepted_at),
            cut_at: Cell::new(None),
            peer_ended: Cell::new(false),
            unwritten: RefCell::default(),
            _ticket: adoption.ticket,
        });
        entry.insert(Rc::clone(&connection));
        drop(connections);
        self.schedule_next(&connection);
        if self.node.is_draining() {
            self.close(&connection, Reason::Shutdown, None);
        }
        tokio::task::spawn_local(session::drive(Rc::clone(self), connection, adoption.early));
    }

    /// Sends bytes of STOMP, as one message where the link has messages.
    pub(crate) fn send(&self, connection: &Connection, write: impl FnOnce(&mut Vec<u8>)) {
        let mut scratch = self.scratch.borrow_mut();
        scratch.clear();
        write(&mut scratch);
        if scratch.is_empty() {
            return;
        }
        let wire = connection.wire();
        let span = self
            .turn
            .borrow_mut()
            .append(Unit::Control, |out| match wire {
                Wire::Tcp => out.extend_from_slice(&scratch),
                Wire::WebSocket | Wire::CompressedWebSocket => {
                    write_frame(out, Opcode::Text, true, false, &scratch, None);
                }
            });
        self.push_control(connection, span);
    }

    /// Sends a WebSocket control frame.
    pub(crate) fn send_control(&self, connection: &Connection, opcode: Opcode, payload: &[u8]) {
        let span = self.turn.borrow_mut().append(Unit::Control, |out| {
            write_frame(out, opcode, true, false, payload, None);
        });
        self.push_control(connection, span);
    }

    fn push_control(&self, connection: &Connection, span: Span) {
        if span.len() > 0 && connection.push(span) {
            self.mark_dirty(connection.key.slot);
        }
    }

    /// Says goodbye: ends the session, sends the ERROR (where there is something to say) and the close frame, and
    /// shuts our side once they are out. The connection goes when the peer closes its side, or is cut after a while.
    pub(crate) fn close(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        reason: Reason,
        error: Option<&ErrorReply<'_>>,
    ) {
        if connection.phase() != Phase::Open {
            return;
        }
        self.end(connection, reason);
        if reason != Reason::Shutdown {
            self.drop_waiting(connection, Outbox::drop_messages);
        }
        let websocket = connection.wire() != Wire::Tcp;
        let own = session::goodbye(reason, websocket);
        if let Some(error) = error.or(own.as_ref()) {
            self.send(connection, |out| {
                connection.session.borrow_mut().write_error(error, out)
            });
        }
        if websocket && reason != Reason::ConnectionReset {
            let payload = close_payload(Some(CloseCode(reason.close_code())), reason.name());
            self.send_control(connection, Opcode::Close, &payload);
        }
        let cut_at = Instant::now() + LINGER;
        connection.cut_at.set(Some(cut_at));
        self.schedule(connection, cut_at);
        // Even with nothing to send the flush has to come by, to shut our side.
        self.mark_dirty(connection.key.slot);
    }

    /// The connection counts as ended, whatever is still to be written.
    fn end(self: &Rc<Self>, connection: &Rc<Connection>, reason: Reason) {
        connection.phase.set(Phase::Closing);
        self.node.telemetry.disconnected(reason);
        tracing::debug!(peer = %connection.peer, reason = reason.name(), "disconnected");
        for (consumer, message) in connection.unwritten.take() {
            self.settle_auto(consumer, message, Settlement::Unsent);
        }
        self.end_session(connection);
    }

    /// The peer's side ended, or the socket failed. What is still to be written has until the linger is over.
    pub(crate) fn peer_ended(self: &Rc<Self>, connection: &Rc<Connection>) {
        connection.peer_ended.set(true);
        match connection.phase() {
            Phase::Open => self.close(connection, Reason::ConnectionReset, None),
            Phase::Closing => {}
            Phase::Shut => self.remove(connection),
        }
    }

    /// Both sides have ended: forgets the connection. Reader, writer and timer may each find that out.
    fn remove(&self, connection: &Rc<Connection>) {
        if self.connection(connection.key).is_none() {
            return;
        }
        connection.cut();
        let wire = connection.wire();
        self.node
            .telemetry
            .connections
            .get_or_create(&LinkLabel::of(wire))
            .dec();
        self.connections
            .borrow_mut()
            .remove(connection.key.slot as usize);
    }

    /// All that was in the outbox is out.
    pub(super) fn written_all(self: &Rc<Self>, connection: &Rc<Connection>) {
        if connection.phase() == Phase::Closing {
            connection.phase.set(Phase::Shut);
            // An error means that the peer cut it first.
            let _ = SockRef::from(&*connection.stream.borrow()).shutdown(Shutdown::Write);
            if connection.peer_ended.get() {
                self.remove(connection);
            }
            return;
        }
        if connection.unwritten.borrow().is_empty() {
            return;
        }
        for (consumer, message) in connection.unwritten.take() {
            self.settle_auto(consumer, message, Settlement::Ack);
        }
    }

    /// Keeps what the socket did not take, within the limit, and lets a task write it.
    pub(super) fn fall_behind(self: &Rc<Self>, connection: &Rc<Connection>, left: &Frozen) {
        let limits = &self.node.config.outbox;
        let mut outbox = connection.outbox.borrow_mut();
        let before = outbox.waiting_bytes();
        let was_blocked = outbox.is_blocked();
        outbox.keep(left);
        match outbox.limit(limits.max_bytes, limits.policy) {
            Overflow::Fits { dropped } => self.node.telemetry.dropped("slow-consumer", dropped),
            Overflow::Close => self.doom(connection, Reason::SlowConsumer),
        }
        self.account(before, outbox.waiting_bytes());
        if !was_blocked {
            let now = Instant::now();
            connection.stalled_since.set(Some(now));
            self.schedule(connection, now + limits.send_timeout);
            tokio::task::spawn_local(Rc::clone(self).write_behind(Rc::clone(connection)));
        }
    }

    /// Writes what waits, whenever the socket has room; ends when nothing waits.
    async fn write_behind(self: Rc<Self>, connection: Rc<Connection>) {
        loop {
            let ready =
                poll_fn(|context| connection.stream.borrow().poll_write_ready(context)).await;
            let mut progress = false;
            let mut outbox = connection.outbox.borrow_mut();
            let before = outbox.waiting_bytes();
            let result = ready.and_then(|()| {
                outbox.write_waiting(
                    |slices| connection.write(slices, &self.tally.written),
                    &mut progress,
                )
            });
            self.account(before, outbox.waiting_bytes());
            drop(outbox);
            if progress {
                let now = Instant::now();
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
                    self.failed(&connection);
                    return;
                }
            }
        }
    }

    /// The socket takes no more. The reader sees its end too, and ends the session.
    pub(super) fn failed(self: &Rc<Self>, connection: &Rc<Connection>) {
        connection.cut();
        self.drop_waiting(connection, Outbox::drop_waiting);
        if connection.phase() == Phase::Closing {
            connection.phase.set(Phase::Shut);
        }
        if connection.peer_ended.get() {
            self.remove(connection);
        }
    }

    fn drop_waiting(&self, connection: &Connection, drop: impl FnOnce(&mut Outbox)) {
        let mut outbox = connection.outbox.borrow_mut();
        let before = outbox.waiting_bytes();
        drop(&mut outbox);
        self.account(before, outbox.waiting_bytes());
    }

    fn account(&self, before: usize, after: usize) {
        self.node
            .telemetry
            .outbox_bytes
            .inc_by(after as i64 - before as i64);
    }

    /// Looks at every deadline of a connection and sets the timer to the next.
    pub(super) fn check_deadlines(self: &Rc<Self>, connection: &Rc<Connection>, now: Instant) {
        if let Some(cut_at) = connection.cut_at.get() {
            if cut_at > now {
                self.schedule(connection, cut_at);
            } else if connection.peer_ended.get() {
                self.remove(connection);
            } else {
                connection.cut();
            }
            return;
        }
        let send_timeout = self.node.config.outbox.send_timeout;
        if connection
            .stalled_since
            .get()
            .is_some_and(|since| since + send_timeout <= now)
        {
            self.close(connection, Reason::SendTimeout, None);
            return;
        }
        let due = connection
            .session
            .borrow_mut()
            .handle_timeout(connection.written_at.get(), now);
        match due {
            Some(Timeout::SendHeartBeat) => self.send(connection, |out| out.push(b'\n')),
            Some(Timeout::HeartBeatMissed) => self.close(connection, Reason::HeartBeatMissed, None),
            Some(Timeout::ConnectTimedOut) => self.close(connection, Reason::ConnectTimeout, None),
            None => {}
        }
        if connection.phase() == Phase::Open {
            self.schedule_next(connection);
        }
    }

    /// Sets the timer to the session's next deadline.
    pub(crate) fn schedule_next(&self, connection: &Connection) {
        let session = connection.session.borrow().next_timeout();
        let stalled = connection.stalled_since.get();
        let send = stalled.map(|since| since + self.node.config.outbox.send_timeout);
        if let Some(deadline) = session.into_iter().chain(send).min() {
            self.schedule(connection, deadline);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an idle connection costs in memory is mostly these two and what tokio keeps of its socket and its task.
    #[test]
    fn a_connection_and_its_task_are_small() {
        fn size<F: Future>(_: impl Fn(Rc<Worker>, Rc<Connection>, Bytes) -> F) -> usize {
            size_of::<F>()
        }
        assert!(
            size_of::<Connection>() <= 640,
            "{} bytes",
            size_of::<Connection>()
        );
        assert!(
            size(session::drive) <= 320,
            "{} bytes",
            size(session::drive)
        );
    }
}
