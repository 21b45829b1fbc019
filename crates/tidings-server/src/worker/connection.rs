//! One connection as its worker sees it: a socket, a link, a session and an outbox.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use tidings_core::disconnect::Reason;
use tidings_core::message::MessageId;
use tidings_core::queue::Delivery;
use tidings_sockjs::frame;
use tidings_stomp::Version;
use tidings_websocket::{Opcode, write_frame};

use super::Worker;
use super::message_encoder::Form;
use super::outbox::Outbox;
use super::requests::Requests;
use super::sockjs::Listening;
use super::subscription::Consumer;
use super::turn::{Span, Turn, Unit};
use crate::application::Application;
use crate::clock;
use crate::endpoint::{Payload, Service};
use crate::inbound;
use crate::link::{Link, LinkKind, Wire};
use crate::node::Ticket;
use crate::pace::Pace;
use crate::peer::Peer;
use crate::stream::{Detached, Stream};
use crate::telemetry::LinkLabel;

/// Messages of queues are encoded up to this much ahead of the socket. Together with the largest message it fits the
/// outbox of default size, so that a consumer that reads is not cut for the size of its backlog.
const QUEUE_AHEAD_BYTES: usize = 256 * 1024;

/// A connection on its way to a worker.
pub(crate) struct Adoption {
    pub(crate) stream: Detached,
    pub(crate) peer: Peer,
    pub(crate) link: LinkKind,
    pub(crate) service: Service,
    /// What HTTP has still to say: the answer to the handshake.
    pub(crate) opening: Vec<u8>,
    /// When the link was ready: the time to CONNECT counts from here.
    pub(crate) ready_at: Instant,
    /// Bytes that arrived behind the HTTP request.
    pub(crate) early: Bytes,
    pub(crate) ticket: Ticket,
}

/// A connection that a worker takes in.
pub(super) struct NewConnection<'a> {
    pub(super) stream: Option<Stream>,
    pub(super) listening: Option<Listening>,
    pub(super) peer: Peer,
    pub(super) link: Link,
    pub(super) service: &'a Service,
    pub(super) ready_at: Instant,
    pub(super) ticket: Ticket,
}

/// Names a connection of a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    pub(super) key: ConnectionKey,
    pub(crate) peer: Peer,
    /// Borrowed for one call at a time, never across an await. None where the client comes by one HTTP request after the
    /// other: then there is `listening`.
    pub(crate) stream: Option<RefCell<Stream>>,
    /// How a client of SockJS over HTTP listens.
    pub(super) listening: Option<Box<RefCell<Listening>>>,
    pub(crate) link: RefCell<Link>,
    pub(crate) application: RefCell<Application>,
    pub(super) outbox: RefCell<Outbox>,
    pub(super) phase: Cell<Phase>,
    /// Tick at which the timer fires; `u64::MAX` = not set.
    pub(super) timer: Cell<u64>,
    /// Since when bytes wait and the socket takes none.
    pub(super) stalled_since: Cell<Option<Instant>>,
    /// When something was written last, for heart-beats.
    pub(super) written_at: Cell<Instant>,
    /// When a closing connection is cut.
    pub(super) cut_at: Cell<Option<Instant>>,
    /// The reader has ended: the peer closed its side, or the socket failed.
    pub(super) peer_ended: Cell<bool>,
    /// Not read for now, since another worker has too much to do.
    pub(crate) paused: Cell<bool>,
    /// How much its client has sent of late.
    pub(crate) pace: Box<Pace>,
    /// What the application does for it, if anything.
    pub(super) requests: RefCell<Option<Rc<Requests>>>,
    /// Deliveries of queues that wait for the outbox to have room.
    pub(super) parked: RefCell<VecDeque<Delivery<Consumer>>>,
    /// Messages for `ack:auto` queue subscriptions that are in the outbox, not yet out.
    pub(super) unwritten: RefCell<Vec<(Consumer, MessageId)>>,
    /// Held for as long as the connection counts.
    pub(super) ticket: Cell<Option<Ticket>>,
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
        self.application.borrow().version()
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

    /// Whether a queue may hand over one more message.
    pub(super) fn has_room(&self) -> bool {
        self.outbox.borrow().pending_bytes() < QUEUE_AHEAD_BYTES
    }

    /// Whether bytes wait for the socket.
    pub(super) fn is_blocked(&self) -> bool {
        let listening = self.listening.as_ref();
        let stream = self.stream.as_ref();
        self.outbox.borrow().is_blocked()
            || stream.is_some_and(|stream| !stream.borrow().is_flushed())
            || listening.is_some_and(|listening| listening.borrow().is_blocked())
    }

    /// A session of SockJS to which nobody listens now; when the server stops, nobody will.
    pub(super) fn is_unheard(&self) -> bool {
        let listening = self.listening.as_ref();
        listening.is_some_and(|listening| !listening.borrow().is_attached())
    }

    /// Remembers that `message` is delivered once the outbox is empty.
    pub(super) fn delivered_auto(&self, consumer: Consumer, message: MessageId) {
        self.unwritten.borrow_mut().push((consumer, message));
    }

    /// What is in the outbox for an `ack:auto` subscription that ends.
    pub(super) fn take_unwritten(&self, consumer: Consumer) -> Vec<(Consumer, MessageId)> {
        self.unwritten
            .borrow_mut()
            .extract_if(.., |(its, _)| *its == consumer)
            .collect()
    }

    /// The subscription ends: its queue has what is parked.
    pub(super) fn forget_parked(&self, consumer: Consumer) {
        let mut parked = self.parked.borrow_mut();
        parked.retain(|delivery| delivery.consumer != consumer);
    }

    /// When SockJS has something to do.
    pub(super) fn next_sockjs_timeout(&self) -> Option<Instant> {
        match &self.listening {
            Some(listening) => {
                let has_beats = self.application.borrow().sends_heart_beats();
                listening.borrow_mut().next_timeout(has_beats)
            }
            None => self.next_beat(),
        }
    }

    /// When a heartbeat of SockJS over WebSocket is due; those of STOMP make it needless.
    pub(super) fn next_beat(&self) -> Option<Instant> {
        let heartbeat_time = match &*self.link.borrow() {
            Link::WebSocket(link) => link.heartbeat_time()?,
            Link::Tcp | Link::SockJs => return None,
        };
        let is_quiet = self.application.borrow().sends_heart_beats();
        (!is_quiet).then(|| self.written_at.get() + heartbeat_time)
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

    pub(super) fn write_turn(&self, turn: &Turn, written: &Cell<u64>) -> io::Result<Progress> {
        let before = written.get();
        let result = match &self.listening {
            Some(listening) => {
                let outbox = &mut self.outbox.borrow_mut();
                listening.borrow_mut().write_turn(outbox, turn, written)
            }
            None => self
                .outbox
                .borrow_mut()
                .write_turn(turn, |slices| self.write(slices, written))
                .and_then(|progress| match progress {
                    Progress::Out if !self.flush_all()? => Ok(Progress::Left),
                    progress => Ok(progress),
                }),
        };
        if written.get() != before {
            self.written_at.set(clock::now());
        }
        result
    }

    pub(super) fn write(&self, slices: &[IoSlice<'_>], written: &Cell<u64>) -> io::Result<usize> {
        let Some(stream) = &self.stream else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let count = stream.borrow_mut().try_write(slices)?;
        written.set(written.get() + count as u64);
        Ok(count)
    }

    /// The outbox is empty: flushes the stream, with its own goodbye where no more will follow.
    fn flush_all(&self) -> io::Result<bool> {
        if let (Phase::Closing, Some(stream)) = (self.phase.get(), &self.stream) {
            stream.borrow_mut().finish();
        }
        self.flush(&mut false)
    }

    /// Writes what the stream has taken and not sent; true when nothing is left. `progress` tells whether a byte went out.
    pub(super) fn flush(&self, progress: &mut bool) -> io::Result<bool> {
        match &self.stream {
            Some(stream) => stream.borrow_mut().flush(progress),
            None => Ok(true),
        }
    }

    /// Ends our side of the connection.
    pub(super) fn shut(&self, sides: Shutdown) {
        if let Some(stream) = &self.stream {
            // An error means that the peer cut it first.
            let _ = stream.borrow_mut().shut(sides);
        }
    }
}

/// What became of what a connection had to send in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// All is out.
    Out,
    /// Some is left in the turn.
    Left,
    /// The link has the rest, and writes it as the socket has room.
    Taken,
}

/// The reader of a connection. However it ends, by a panic even, the connection ends with it.
pub(crate) struct Reader {
    pub(crate) worker: Rc<Worker>,
    pub(crate) connection: Rc<Connection>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.worker.reader_ended(&self.connection);
    }
}

impl Worker {
    pub(super) fn adopt(self: &Rc<Self>, adoption: Adoption) {
        let stream = match adoption.stream.attach() {
            Ok(stream) => stream,
            Err(error) => {
                tracing::warn!(peer = %adoption.peer, %error, "could not register a connection");
                return;
            }
        };
        let connection = self.insert_connection(NewConnection {
            stream: Some(stream),
            listening: None,
            peer: adoption.peer,
            link: Link::new(&adoption.link, &self.node.config),
            service: &adoption.service,
            ready_at: adoption.ready_at,
            ticket: adoption.ticket,
        });
        self.send_raw(&connection, &adoption.opening);
        if connection.wire() == Wire::SockJsWebSocket {
            self.send_control(&connection, Opcode::Text, frame::OPEN);
        }
        inbound::opened(self, &connection);
        self.schedule_next(&connection);
        if self.node.is_draining() {
            self.close(&connection, Reason::Shutdown, None);
        }
        let reader = Reader {
            worker: Rc::clone(self),
            connection,
        };
        tokio::task::spawn_local(inbound::drive(reader, adoption.early));
    }

    pub(super) fn insert_connection(&self, new: NewConnection<'_>) -> Rc<Connection> {
        let telemetry = &self.node.telemetry;
        let label = LinkLabel {
            link: new.link.wire().link(),
        };
        telemetry.connections.get_or_create(&label).inc();
        telemetry.connections_opened.get_or_create(&label).inc();
        let mut connections = self.connections.borrow_mut();
        let entry = connections.vacant_entry();
        let connection = Rc::new(Connection {
            key: ConnectionKey {
                slot: entry.key() as u32,
                serial: self.next_serial(),
            },
            peer: new.peer,
            stream: new.stream.map(RefCell::new),
            listening: new.listening.map(|one| Box::new(RefCell::new(one))),
            link: RefCell::new(new.link),
            application: RefCell::new(Application::new(new.service, &self.node, new.ready_at)),
            outbox: RefCell::default(),
            phase: Cell::new(Phase::Open),
            timer: Cell::new(u64::MAX),
            stalled_since: Cell::new(None),
            written_at: Cell::new(new.ready_at),
            cut_at: Cell::new(None),
            peer_ended: Cell::new(false),
            paused: Cell::new(false),
            pace: Box::default(),
            requests: RefCell::default(),
            parked: RefCell::default(),
            unwritten: RefCell::default(),
            ticket: Cell::new(Some(new.ticket)),
        });
        entry.insert(Rc::clone(&connection));
        connection
    }

    /// Sends bytes of STOMP, as one message where the link has messages.
    pub(crate) fn send(self: &Rc<Self>, connection: &Connection, write: impl FnOnce(&mut Vec<u8>)) {
        let mut scratch = self.scratch.borrow_mut();
        scratch.clear();
        write(&mut scratch);
        if scratch.is_empty() {
            return;
        }
        let span = self.append(connection.wire(), Opcode::Text, &scratch);
        drop(scratch);
        self.push_control(connection, span);
    }

    /// Sends a message of a handler.
    pub(crate) fn send_message(self: &Rc<Self>, connection: &Rc<Connection>, message: &Payload) {
        let wire = connection.wire();
        let span = match message {
            Payload::Text(text) => self.append(wire, Opcode::Text, text.as_bytes()),
            Payload::Binary(_) if wire.is_sockjs() => {
                self.close(connection, Reason::BinaryOverSockJs, None);
                return;
            }
            Payload::Binary(bytes) => self.append(wire, Opcode::Binary, bytes),
        };
        self.push_control(connection, span);
    }

    /// Appends one message to the turn, in the framing of the link.
    fn append(&self, wire: Wire, opcode: Opcode, message: &[u8]) -> Span {
        let escaped = || {
            let mut escaped = Vec::with_capacity(message.len() + 64);
            frame::escape(&String::from_utf8_lossy(message), &mut escaped);
            escaped
        };
        self.turn
            .borrow_mut()
            .append(Unit::Control, |out| match wire {
                Wire::Tcp => out.extend_from_slice(message),
                Wire::WebSocket | Wire::CompressedWebSocket => {
                    write_frame(out, opcode, true, false, message, None);
                }
                Wire::SockJsWebSocket => {
                    let payload = [frame::MESSAGE_START, &escaped(), frame::MESSAGE_END].concat();
                    write_frame(out, Opcode::Text, true, false, &payload, None);
                }
                Wire::SockJs => {
                    let escaped = escaped();
                    frame::write_xhr_chunk_start(escaped.len(), out);
                    out.extend_from_slice(&escaped);
                    out.extend_from_slice(frame::XHR_CHUNK_END);
                }
            })
    }

    /// Sends one frame of WebSocket, with nothing of SockJS in it.
    pub(crate) fn send_control(
        self: &Rc<Self>,
        connection: &Connection,
        opcode: Opcode,
        payload: &[u8],
    ) {
        let span = self.turn.borrow_mut().append(Unit::Control, |out| {
            write_frame(out, opcode, true, false, payload, None);
        });
        self.push_control(connection, span);
    }

    /// Sends bytes as they are.
    fn send_raw(self: &Rc<Self>, connection: &Connection, bytes: &[u8]) {
        let span = self
            .turn
            .borrow_mut()
            .append(Unit::Control, |out| out.extend_from_slice(bytes));
        self.push_control(connection, span);
    }

    fn push_control(self: &Rc<Self>, connection: &Connection, span: Span) {
        if span.len() > 0 && connection.push(span) {
            self.mark_dirty(connection.key.slot);
        }
        if self.turn.borrow().wants_flush() {
            self.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an idle connection costs in memory is mostly these two and what tokio keeps of its socket and its task.
    #[test]
    fn a_connection_and_its_task_are_small() {
        fn size<F: Future>(_: impl Fn(Reader, Bytes) -> F) -> usize {
            size_of::<F>()
        }
        assert!(
            // With its two counters it fits the allocator's size class of 768 bytes.
            size_of::<Connection>() <= 752,
            "{} bytes",
            size_of::<Connection>()
        );
        assert!(
            size(inbound::drive) <= 320,
            "{} bytes",
            size(inbound::drive)
        );
    }
}
