//! A session: what one client has connected, subscribed to and begun, and the task that reads for it.

mod acknowledge;
mod connect;
mod refusal;
mod request;
mod send;
mod subscribe;
mod temporary_queue;
mod transaction;

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tidings_core::disconnect::Reason;
use tidings_core::transaction::Transactions;
use tidings_stomp::connection::{ErrorReply, Event, Timeout};
use tidings_stomp::{Connection as Stomp, Version};
use tidings_websocket::Opcode;
use tokio::io::AsyncReadExt;

use crate::link::{Link, Received, websocket_reason};
use crate::node::Node;
use crate::worker::{Connection, Phase, READ_BYTES, Reader, Worker};
use temporary_queue::TemporaryQueue;
use transaction::Action;

/// When less of the read buffer is left, the next read begins at its start, or in a new one if the old is in use.
const LEAST_READ_BYTES: usize = 16 * 1024;

/// What one client holds. Small while it does little: see [`Extras`].
pub(crate) struct Session {
    stomp: Stomp,
    /// Keys of its subscriptions on the worker.
    subscriptions: Vec<u32>,
    /// SUBSCRIBEs so far; each numbers its subscription.
    ordinals: u32,
    /// What few sessions need.
    extras: Option<Box<Extras>>,
}

/// The parts of a session that most clients never use.
struct Extras {
    transactions: Transactions<Action>,
    temporary_queues: Vec<TemporaryQueue>,
    /// Ids of ended subscriptions that took acknowledgements, latest last; a late ACK for them is no error.
    ended: Vec<Box<str>>,
}

impl Session {
    pub(crate) fn new(node: &Node, ready_at: Instant) -> Self {
        Self {
            stomp: Stomp::server(&node.stomp, ready_at),
            subscriptions: Vec::new(),
            ordinals: 0,
            extras: None,
        }
    }

    /// The version agreed on; before that the one whose frames any client reads.
    pub(crate) fn version(&self) -> Version {
        self.stomp.version().unwrap_or(Version::V1_0)
    }

    pub(crate) fn next_timeout(&self) -> Option<Instant> {
        self.stomp.poll_timeout()
    }

    /// A sign of life of the client.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.stomp.handle_input(now, Bytes::new());
    }

    pub(crate) fn handle_timeout(&mut self, written_at: Instant, now: Instant) -> Option<Timeout> {
        self.stomp.handle_output(written_at);
        self.stomp.handle_timeout(now)
    }

    pub(crate) fn write_error(&mut self, error: &ErrorReply<'_>, out: &mut Vec<u8>) {
        self.stomp.error(error, out);
    }

    fn extras(&mut self, node: &Node) -> &mut Extras {
        self.extras.get_or_insert_with(|| {
            Box::new(Extras {
                transactions: Transactions::new(transaction::limits(&node.config.session)),
                temporary_queues: Vec::new(),
                ended: Vec::new(),
            })
        })
    }
}

/// Reads for a connection until it ends.
pub(crate) async fn drive(reader: Reader, early: Bytes) {
    let Reader { worker, connection } = &reader;
    receive(worker, connection, BytesMut::from(early));
    while let Ok(Some(input)) = poll_fn(|context| poll_read(worker, connection, context)).await {
        let full = input.len() >= LEAST_READ_BYTES;
        receive(worker, connection, input);
        if !worker.has_space() {
            connection.paused.set(true);
            worker.wait_for_space().await;
            connection.paused.set(false);
        } else if full {
            // More is there at once; others have their turn first.
            tokio::task::yield_now().await;
        }
    }
}

/// Reads into the worker's buffer; `None` = the peer has closed its side.
fn poll_read(
    worker: &Worker,
    connection: &Connection,
    context: &mut Context<'_>,
) -> Poll<io::Result<Option<BytesMut>>> {
    let mut buffer = worker.read_buffer.borrow_mut();
    if buffer.capacity() < LEAST_READ_BYTES {
        buffer.reserve(READ_BYTES);
    }
    let mut stream = connection.stream.borrow_mut();
    let read = pin!(stream.read_buf(&mut *buffer));
    let count = ready!(read.poll(context))?;
    worker.node.telemetry.bytes_read.inc_by(count as u64);
    Poll::Ready(Ok((count > 0).then(|| buffer.split())))
}

/// Takes what was read apart and acts on it.
fn receive(worker: &Rc<Worker>, connection: &Rc<Connection>, mut input: BytesMut) {
    while connection.phase() == Phase::Open {
        let received = match &mut *connection.link.borrow_mut() {
            Link::Tcp if input.is_empty() => return,
            Link::Tcp => Ok(Some(Received::Stomp(input.split().freeze()))),
            Link::WebSocket(link) => link.receive(&mut input),
        };
        match received {
            Ok(None) => return,
            Ok(Some(Received::Stomp(bytes))) => consume(worker, connection, bytes),
            Ok(Some(Received::Ping(payload))) => {
                worker.send_control(connection, Opcode::Pong, &payload)
            }
            Ok(Some(Received::Close)) => worker.close(connection, Reason::Normal, None),
            Err(error) => {
                tracing::debug!(peer = %connection.peer, %error, "websocket error");
                worker.close(connection, websocket_reason(&error), None);
            }
        }
    }
}

/// Acts on bytes of STOMP.
fn consume(worker: &Rc<Worker>, connection: &Rc<Connection>, bytes: Bytes) {
    let now = Instant::now();
    connection
        .session
        .borrow_mut()
        .stomp
        .handle_input(now, bytes);
    while connection.phase() == Phase::Open {
        let mut session = connection.session.borrow_mut();
        let Some(event) = session.stomp.poll_event() else {
            return;
        };
        match event {
            Event::Connect(request) => {
                connect::accept(worker, connection, &mut session, now, &request);
                drop(session);
                worker.schedule_next(connection);
            }
            Event::Request(frame) => {
                let outcome = request::handle(worker, connection, &mut session, &frame);
                drop(session);
                match outcome {
                    Ok(request::Next::Continue) => {}
                    Ok(request::Next::Disconnect) => worker.close(connection, Reason::Normal, None),
                    Err(refusal) => {
                        worker.close(
                            connection,
                            refusal.reason,
                            Some(&refusal.reply(frame.receipt())),
                        );
                    }
                }
            }
            Event::Failed(error) => {
                let reason = Reason::from_name(error.code()).unwrap_or(Reason::InternalError);
                let mut reply = Vec::new();
                session.stomp.fail(&error, &mut reply);
                drop(session);
                worker.send(connection, |out| out.extend_from_slice(&reply));
                worker.close(connection, reason, None);
            }
        }
    }
}

/// The ERROR for a goodbye that no frame of the client caused. Over WebSocket the close code alone tells of a shutdown,
/// so that clients reconnect without alarming anybody, and of what broke the WebSocket beneath STOMP.
pub(crate) fn goodbye(reason: Reason, websocket: bool) -> Option<ErrorReply<'static>> {
    match reason {
        Reason::Normal
        | Reason::ConnectionReset
        | Reason::WebSocketProtocol
        | Reason::WebSocketTooLarge => None,
        Reason::Shutdown | Reason::InvalidUtf8 if websocket => None,
        _ => Some(ErrorReply {
            code: reason.name(),
            message: reason.sentence(),
            details: reason.sentence(),
            ..ErrorReply::default()
        }),
    }
}

impl Worker {
    /// Ends a session: its subscriptions go, its transactions are aborted, its temporary queues end.
    pub(crate) fn end_session(&self, connection: &Connection) {
        let mut session = connection.session.borrow_mut();
        for key in std::mem::take(&mut session.subscriptions) {
            self.unsubscribe(connection, key);
        }
        if let Some(extras) = session.extras.take() {
            for queue in &extras.temporary_queues {
                self.node.queues.remove(&queue.name);
            }
        }
    }
}
