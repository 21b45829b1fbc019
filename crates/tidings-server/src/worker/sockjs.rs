//! SockJS over HTTP: a connection without a socket of its own, whose client listens by one response after the other.
//!
//! What is encoded for all is a chunk of `xhr_streaming`, so such a response takes the bytes of the turn as they are. For
//! every other transport, and for what had to wait, the messages are taken out of their chunks again and put into one
//! frame.

use std::cell::Cell;
use std::io;
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidings_core::disconnect::Reason;
use tidings_sockjs::{Attached, Options, Receiver, Session, Timeout, frame};

mod response;

use self::response::{Socket, Wants, finish, last_answer, stamp, watch, write_some};
use super::connection::{Connection, NewConnection, Phase, Progress};
use super::outbox::Outbox;
use super::subscription::Consumer;
use super::turn::Turn;
use super::{Letter, Worker};
use crate::admission::NoEntry;
use crate::clock;
use crate::endpoint::Endpoint;
use crate::http::Http;
use crate::inbound;
use crate::link::Link;
use crate::node::Ticket;
use crate::peer::Peer;
use crate::sockjs::{Owner, SessionName, no_room};
use crate::stream::Detached;

/// The bare socket of an HTTP request, taken over to be answered by a worker, and all that it takes to give it back.
pub(crate) struct Bare {
    pub(crate) stream: Detached,
    pub(crate) peer: Peer,
    /// What came behind the request.
    pub(crate) early: Bytes,
    pub(crate) ticket: Ticket,
    pub(crate) http: Arc<Http>,
}

/// A client that wants to listen to a session.
pub(crate) struct Listen {
    pub(crate) name: Arc<SessionName>,
    pub(crate) endpoint: Arc<Endpoint>,
    /// Whose the session is, if it has to be created.
    pub(crate) owner: Owner,
    /// Who asks, which a proxy may have told of this request alone.
    pub(crate) peer: Peer,
    /// The right to create it.
    pub(crate) ticket: Option<Ticket>,
    pub(crate) receiver: Receiver,
    pub(crate) bare: Bare,
}

/// Messages for a session.
pub(crate) struct Say {
    pub(crate) name: Arc<SessionName>,
    pub(crate) messages: Vec<String>,
    /// Told whether there is such a session, once it has them.
    pub(crate) heard: tokio::sync::oneshot::Sender<bool>,
}

/// How a client of SockJS over HTTP listens.
pub(super) struct Listening {
    name: Arc<SessionName>,
    session: Session,
    disconnect_delay: Duration,
    /// Of the response that takes frames now.
    socket: Option<Socket>,
    /// Bytes of that response which the socket has not taken yet.
    unsent: Vec<u8>,
    /// Whose deliveries of queues wait for the client to listen: one entry each.
    unheard: Vec<Consumer>,
    /// What the session closes with, once all that waits is out.
    goodbye: Option<(u16, String)>,
}

impl Listening {
    fn new(name: Arc<SessionName>, options: &Options, now: Instant) -> Self {
        Self {
            name,
            session: Session::new(options, now),
            disconnect_delay: options.disconnect_delay,
            socket: None,
            unsent: Vec::new(),
            unheard: Vec::new(),
            goodbye: None,
        }
    }

    pub(super) fn is_attached(&self) -> bool {
        self.socket.is_some()
    }

    /// Bytes wait for the socket, or in it.
    pub(super) fn is_blocked(&self) -> bool {
        let socket = self.socket.as_ref();
        !self.unsent.is_empty() || socket.is_some_and(|socket| !socket.stream.is_flushed())
    }

    /// A delivery of a queue is in the outbox.
    pub(super) fn delivered(&mut self, consumer: Consumer) {
        self.unheard.push(consumer);
    }

    /// The deliveries of which no byte is out.
    pub(super) fn take_unheard(&mut self) -> Vec<Consumer> {
        mem::take(&mut self.unheard)
    }

    pub(super) fn disconnect_delay(&self) -> Duration {
        self.disconnect_delay
    }

    pub(super) fn next_timeout(&mut self, has_beats: bool) -> Option<Instant> {
        if has_beats {
            self.session.hush();
        }
        self.session.poll_timeout()
    }

    pub(super) fn set_goodbye(&mut self, code: u16, reason: &str) {
        self.goodbye = Some((code, reason.to_owned()));
    }

    /// Writes what the turn has, where the response takes it as it is. What the socket does not take at once belongs to
    /// the response: it is counted, and goes out before anything else.
    pub(super) fn write_turn(
        &mut self,
        outbox: &mut Outbox,
        turn: &Turn,
        written: &Cell<u64>,
    ) -> io::Result<Progress> {
        let data = outbox.chunk_data(turn);
        let fits =
            |receiver: &mut Receiver| receiver.takes_xhr_chunks() && data < receiver.bytes_left();
        let is_free = !outbox.is_blocked() && !self.is_blocked();
        let fits = is_free && data > 0 && self.session.receiver().is_some_and(fits);
        let (true, Some(socket)) = (fits, &mut self.socket) else {
            let is_idle = is_free && data == 0;
            outbox.unlist();
            return Ok(if is_idle {
                Progress::Out
            } else {
                Progress::Left
            });
        };
        self.unheard = Vec::new();
        let progress = outbox.write_turn(turn, |slices| {
            let count = socket.stream.try_write(slices)?;
            written.set(written.get() + count as u64);
            Ok(count)
        })?;
        if let Some(receiver) = self.session.receiver() {
            receiver.wrote(data);
        }
        self.session.wrote(clock::now());
        if progress == Progress::Left || !socket.stream.flush(&mut false)? {
            outbox.take_turn(turn, &mut self.unsent);
            socket.wake();
            return Ok(Progress::Taken);
        }
        Ok(progress)
    }

    /// Writes as much of what waits as the response and its socket take.
    /// `progress` tells whether a byte went out.
    fn write_waiting(
        &mut self,
        outbox: &mut Outbox,
        worker: &Worker,
        progress: &mut bool,
    ) -> io::Result<()> {
        let mut frame = Vec::new();
        loop {
            self.write_unsent(worker, progress)?;
            if self.is_blocked() || !outbox.is_blocked() {
                return Ok(());
            }
            if self.session.receiver().is_none() {
                return Ok(());
            }
            let messages = outbox.take_messages();
            self.unheard = Vec::new();
            frame.clear();
            frame::write_messages(
                messages
                    .iter()
                    .map(|[bytes, tail]| frame::message_of_xhr_chunk(bytes, tail)),
                &mut frame,
            );
            stamp(self.session.receiver());
            let ended = self.session.write(clock::now(), &frame, &mut self.unsent);
            if let Some(receiver) = ended {
                self.end_response(&receiver);
            }
        }
    }

    fn write_unsent(&mut self, worker: &Worker, progress: &mut bool) -> io::Result<()> {
        let Some(socket) = &mut self.socket else {
            return Ok(());
        };
        socket.stream.flush(progress)?;
        let count = write_some(&mut socket.stream, &self.unsent)?;
        *progress |= count > 0;
        worker
            .tally
            .written
            .set(worker.tally.written.get() + count as u64);
        if count < self.unsent.len() {
            self.unsent.drain(..count);
            socket.wake();
            return Ok(());
        }
        self.unsent = Vec::new();
        if !socket.stream.flush(progress)? {
            socket.wake();
            return Ok(());
        }
        if let Some(keeps_alive) = socket.ended {
            self.release(keeps_alive);
        }
        Ok(())
    }

    /// The response has ended with what is unsent. Its client still listens, until it has that.
    fn end_response(&mut self, receiver: &Receiver) {
        self.session.ends();
        if let Some(socket) = &mut self.socket {
            socket.ended = Some(receiver.keeps_alive());
        }
    }

    /// The response is out: the session goes on without its socket.
    fn release(&mut self, keeps_alive: bool) {
        self.session.ended(clock::now());
        if let Some(socket) = self.socket.take() {
            if let Some(watcher) = socket.watcher {
                watcher.abort();
            }
            socket.back.give(socket.stream, keeps_alive);
        }
    }

    /// Whether the client of the response is gone, though the watcher has not been told yet.
    fn has_lost_client(&mut self) -> bool {
        self.socket.as_mut().is_some_and(Socket::is_over)
    }

    fn poll_socket(&mut self, context: &mut Context<'_>) -> Poll<Wants> {
        let is_blocked = self.is_blocked();
        let Some(socket) = &mut self.socket else {
            return Poll::Pending;
        };
        socket.waker = Some(context.waker().clone());
        if is_blocked && socket.stream.poll_write_ready(context).is_ready() {
            return Poll::Ready(Wants::Bytes);
        }
        while socket.reads_ahead() {
            if socket.stream.poll_read_ready(context).is_pending() {
                break;
            }
            if socket.is_over() {
                return Poll::Ready(Wants::Burial);
            }
        }
        Poll::Pending
    }
}

impl Worker {
    /// A client wants to listen.
    pub(super) fn listen(self: &Rc<Self>, mut listen: Listen) {
        let current = self.session(&listen.name).filter(|connection| {
            let lost = listening(connection).borrow_mut().has_lost_client();
            if lost {
                self.lose(connection);
            }
            !lost
        });
        let peer = &listen.peer;
        if let Some(connection) = current {
            // Who brings the right to create a session found none.
            let was_compared = listen.ticket.is_none();
            if !connection.peer.is_same_client(peer, was_compared) {
                // It began while this request was on its way, and is somebody else's.
                return;
            }
            self.attach(&connection, listen.receiver, listen.bare);
            return;
        }
        let claimed = self
            .node
            .sockjs
            .claim(&listen.name, self.id, &listen.owner, peer);
        if let Err(other) = claimed {
            self.node.mailboxes[usize::from(other)].post(Letter::Listen(Box::new(listen)), 0);
            return;
        }
        let ticket = listen.ticket.take();
        match ticket.map_or_else(|| self.node.admit(listen.peer.ip()), Ok) {
            Ok(ticket) => self.open_session(listen, ticket),
            Err(no_entry) => {
                self.node.sockjs.release(&listen.name, self.id);
                self.refuse(listen, no_entry);
            }
        }
    }

    /// The session that the client asked for has ended on the way here, and there is no room for another.
    fn refuse(&self, listen: Listen, no_entry: NoEntry) {
        let telemetry = &self.node.telemetry;
        telemetry.disconnected(no_entry.reason);
        let Some((stream, back)) = listen.bare.take() else {
            return;
        };
        let answer = last_answer(&no_room(&listen.receiver, no_entry));
        let send_timeout = self.node.config.outbox.send_timeout;
        finish(stream, back, answer, false, send_timeout);
    }

    fn session(&self, name: &SessionName) -> Option<Rc<Connection>> {
        let key = *self.sessions.borrow().get(name)?;
        self.connection(key)
    }

    fn open_session(self: &Rc<Self>, listen: Listen, ticket: Ticket) {
        let Some(options) = &listen.endpoint.sockjs else {
            return;
        };
        let now = clock::now();
        let connection = self.insert_connection(NewConnection {
            stream: None,
            listening: Some(Listening::new(Arc::clone(&listen.name), options, now)),
            peer: listen.peer,
            link: Link::SockJs,
            service: &listen.endpoint.service,
            ready_at: now,
            ticket,
        });
        self.sessions
            .borrow_mut()
            .insert(Arc::clone(&listen.name), connection.key());
        self.attach(&connection, listen.receiver, listen.bare);
        inbound::opened(self, &connection);
        if self.node.is_draining() {
            self.close(&connection, Reason::Shutdown, None);
        }
    }

    fn attach(self: &Rc<Self>, connection: &Rc<Connection>, mut receiver: Receiver, bare: Bare) {
        stamp(Some(&mut receiver));
        let Some((stream, back)) = bare.take() else {
            return;
        };
        let mut out = Vec::new();
        let mut listening = listening(connection).borrow_mut();
        match listening.session.attach(clock::now(), receiver, &mut out) {
            Attached::Waits => {
                listening.unsent = out;
                let watcher =
                    tokio::task::spawn_local(watch(Rc::clone(self), Rc::clone(connection)));
                listening.socket = Some(Socket {
                    stream,
                    back,
                    watcher: Some(watcher.abort_handle()),
                    waker: None,
                    ended: None,
                });
            }
            Attached::Ended(receiver) | Attached::Refused(receiver) => {
                let send_timeout = self.node.config.outbox.send_timeout;
                finish(stream, back, out, receiver.keeps_alive(), send_timeout);
            }
        }
        drop(listening);
        self.pump(connection);
    }

    /// Messages have come for a session.
    pub(super) fn hear(self: &Rc<Self>, say: Say) {
        let connection = self.session(&say.name);
        let connection = connection.filter(|connection| connection.phase() == Phase::Open);
        if let Some(connection) = connection
            .clone()
            .filter(|one| one.pace.is_resting(clock::now()))
        {
            if !connection.hold_request() {
                self.expel(&connection, "session.max_frames_per_second");
                let _ = say.heard.send(true);
                return;
            }
            let worker = Rc::clone(self);
            tokio::task::spawn_local(async move {
                connection.rested().await;
                connection.release_request();
                worker.hear(say);
            });
            return;
        }
        if let Some(connection) = connection.clone().filter(|one| one.is_asking()) {
            // Held back, the client's next request waits too.
            let worker = Rc::clone(self);
            tokio::task::spawn_local(async move {
                connection.answered().await;
                worker.hear(say);
            });
            return;
        }
        if let Some(connection) = &connection {
            // One that brings nothing costs something, too.
            connection
                .pace
                .count_pieces(u32::from(say.messages.is_empty()));
            inbound::receive_texts(self, connection, say.messages);
            self.settle_pace(connection);
            if connection.pace.is_resting(clock::now()) {
                let connection = Rc::clone(connection);
                tokio::task::spawn_local(async move {
                    connection.rested().await;
                    // Nobody waits for it where the client went away.
                    let _ = say.heard.send(true);
                });
                return;
            }
        }
        // Nobody waits for it where the client went away.
        let _ = say.heard.send(connection.is_some());
    }

    /// Writes what waits for a session, as far as its client listens. A flush may do this in the middle of anything, so
    /// nothing of the application is touched here, and a session whose client is gone ends with the turn.
    pub(super) fn pump(self: &Rc<Self>, connection: &Rc<Connection>) {
        let mut outbox = connection.outbox.borrow_mut();
        let mut listening = listening(connection).borrow_mut();
        let before = outbox.waiting_bytes();
        let mut progress = false;
        let result = listening.write_waiting(&mut outbox, self, &mut progress);
        self.account(before, outbox.waiting_bytes());
        let is_out = outbox.pending_bytes() == 0 && !listening.is_blocked();
        let is_stalled = listening.is_blocked();
        let timeout = listening.session.poll_timeout();
        if result.is_err() {
            listening.unsent = Vec::new();
        }
        drop((outbox, listening));
        if result.is_err() {
            self.failed(connection);
            return;
        }
        let now = clock::now();
        if progress {
            connection.written_at.set(now);
        }
        if !is_stalled {
            connection.stalled_since.set(None);
        } else if progress || connection.stalled_since.get().is_none() {
            self.stall(connection, now);
        }
        if is_out {
            self.written_all(connection);
        }
        if let Some(timeout) = timeout.filter(|_| connection.phase() == Phase::Open) {
            self.schedule(connection, timeout);
        }
    }

    /// The socket takes no more for now.
    pub(super) fn stall(&self, connection: &Connection, now: Instant) {
        connection.stalled_since.set(Some(now));
        self.schedule(connection, now + self.node.config.outbox.send_timeout);
    }

    /// All that waited is out: the last frame follows where the session is over.
    pub(super) fn finish_session(self: &Rc<Self>, connection: &Rc<Connection>) {
        let mut listening = listening(connection).borrow_mut();
        if let Some((code, reason)) = listening.goodbye.take() {
            listening.session.close(code, &reason);
        }
        let mut out = mem::take(&mut listening.unsent);
        stamp(listening.session.receiver());
        let ended = listening.session.finish(clock::now(), &mut out);
        listening.unsent = out;
        if let Some(receiver) = ended {
            listening.end_response(&receiver);
            drop(listening);
            // Comes here again once that is out.
            self.pump(connection);
            return;
        }
        let is_attached = listening.is_attached();
        drop(listening);
        if self.node.is_draining() && !is_attached {
            self.remove(connection);
        }
    }

    /// The client is gone in the middle of a response, or did not come back.
    pub(super) fn lose(self: &Rc<Self>, connection: &Rc<Connection>) {
        self.close(connection, Reason::ConnectionReset, None);
        self.remove(connection);
    }

    /// The connection is forgotten, and its socket closed.
    pub(super) fn forget_session(&self, listening: &mut Listening) {
        if let Some(watcher) = listening.socket.take().and_then(|socket| socket.watcher) {
            watcher.abort();
        }
        listening.unsent = Vec::new();
        self.sessions.borrow_mut().remove(&listening.name);
        self.node.sockjs.release(&listening.name, self.id);
    }

    /// What is due for a client that listens by responses.
    pub(super) fn check_session(self: &Rc<Self>, connection: &Rc<Connection>, now: Instant) {
        let mut listening = listening(connection).borrow_mut();
        match listening.session.handle_timeout(now) {
            Some(Timeout::Heartbeat) if listening.is_blocked() => listening.session.wrote(now),
            Some(Timeout::Heartbeat) => {
                let mut out = Vec::new();
                stamp(listening.session.receiver());
                let ended = listening.session.heartbeat(now, &mut out);
                listening.unsent = out;
                if let Some(receiver) = ended {
                    listening.end_response(&receiver);
                }
                drop(listening);
                self.pump(connection);
            }
            Some(Timeout::Disconnect) => {
                drop(listening);
                self.lose(connection);
            }
            None => {}
        }
    }
}

fn listening(connection: &Connection) -> &std::cell::RefCell<Listening> {
    connection
        .listening
        .as_deref()
        .expect("only connections of SockJS over HTTP are among the sessions")
}
