//! What clients send, from the socket to what they speak to.

use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use tidings_core::disconnect::Reason;
use tidings_websocket::{MessageKind, Opcode};
use tokio::io::AsyncReadExt;

use crate::application::Application;
use crate::endpoint::{MessageHandler, Payload, Replies};
use crate::link::{Link, Received, websocket_reason};
use crate::session;
use crate::worker::{Connection, Phase, READ_BYTES, Reader, Worker};

/// When less of the read buffer is left, the next read begins at its start, or in a new one if the old is in use.
const LEAST_READ_BYTES: usize = 16 * 1024;

/// Reads for a connection until it ends.
pub(crate) async fn drive(reader: Reader, early: Bytes) {
    let Reader { worker, connection } = &reader;
    let mut input = BytesMut::from(early);
    loop {
        let full = input.len() >= LEAST_READ_BYTES;
        let is_rest = !receive(worker, connection, &mut input);
        worker.settle_pace(connection);
        connection.rested().await;
        if connection.is_asking() || !worker.has_space() {
            connection.paused.set(true);
            connection.answered().await;
            worker.wait_for_space().await;
            connection.paused.set(false);
        } else if full {
            // More is there at once; others have their turn first.
            tokio::task::yield_now().await;
        }
        if is_rest {
            continue;
        }
        match poll_fn(|context| poll_read(worker, connection, context)).await {
            Ok(Some(read)) => input = read,
            _ => return,
        }
    }
}

/// Reads into the worker's buffer; `None` = the peer has closed its side.
fn poll_read(
    worker: &Worker,
    connection: &Connection,
    context: &mut Context<'_>,
) -> Poll<io::Result<Option<BytesMut>>> {
    let Some(stream) = &connection.stream else {
        return Poll::Ready(Ok(None));
    };
    let mut buffer = worker.read_buffer.borrow_mut();
    if buffer.capacity() < LEAST_READ_BYTES {
        buffer.reserve(READ_BYTES);
    }
    let mut stream = stream.borrow_mut();
    let read = pin!(stream.read_buf(&mut *buffer));
    let count = ready!(read.poll(context))?;
    worker.node.telemetry.bytes_read.inc_by(count as u64);
    Poll::Ready(Ok((count > 0).then(|| buffer.split())))
}

/// Takes what was read apart and acts on it, until the application has to answer first; whether that was all. What is left
/// stays as small as it came: one read may be a thousand times as much once it is decompressed.
fn receive(worker: &Rc<Worker>, connection: &Rc<Connection>, input: &mut BytesMut) -> bool {
    while connection.phase() == Phase::Open {
        if connection.is_asking() || worker.is_overrun(connection) {
            return false;
        }
        let received = match &mut *connection.link.borrow_mut() {
            Link::Tcp | Link::SockJs if input.is_empty() => return true,
            Link::Tcp | Link::SockJs => Ok(Some(Received::Stream(input.split().freeze()))),
            Link::WebSocket(link) => {
                let received = link.receive(input);
                connection.pace.count_pieces(link.take_pieces());
                received
            }
        };
        match received {
            Ok(None) => return true,
            Ok(Some(received)) => act(worker, connection, received),
            Err(error) => {
                tracing::debug!(peer = %connection.peer, %error, "websocket error");
                worker.close(connection, websocket_reason(&error), None);
            }
        }
    }
    true
}

fn act(worker: &Rc<Worker>, connection: &Rc<Connection>, received: Received) {
    match received {
        Received::Stream(bytes) => {
            connection.pace.count_bytes(bytes.len());
            session::consume(worker, connection, bytes);
        }
        Received::Message(MessageKind::Binary, bytes) => {
            connection.pace.count_bytes(bytes.len());
            handle(worker, connection, Payload::Binary(bytes));
        }
        Received::Message(MessageKind::Text, bytes) => {
            connection.pace.count_bytes(bytes.len());
            // The decoder has checked that it is UTF-8.
            let text = String::from_utf8_lossy(&bytes).into_owned();
            handle(worker, connection, Payload::Text(text));
        }
        Received::Texts(texts) => receive_texts(worker, connection, texts),
        Received::Ping(payload) => worker.send_control(connection, Opcode::Pong, &payload),
        Received::Close => worker.confirm_close(connection),
    }
}

/// Acts on messages of SockJS.
pub(crate) fn receive_texts(worker: &Rc<Worker>, connection: &Rc<Connection>, texts: Vec<String>) {
    for text in texts {
        connection.pace.count_pieces(1);
        connection.pace.count_bytes(text.len());
        worker.is_overrun(connection);
        if connection.phase() != Phase::Open {
            return;
        }
        if connection.application.borrow_mut().stomp().is_some() {
            session::consume(worker, connection, Bytes::from(text));
        } else {
            handle(worker, connection, Payload::Text(text));
        }
    }
}

/// Tells a handler of messages that its connection is there.
pub(crate) fn opened(worker: &Rc<Worker>, connection: &Rc<Connection>) {
    call(worker, connection, |handler, replies| {
        handler.opened(replies);
    });
}

fn handle(worker: &Rc<Worker>, connection: &Rc<Connection>, message: Payload) {
    call(worker, connection, |handler, replies| {
        handler.received(message, replies);
    });
}

/// A handler is not ours: when it panics it loses this connection, no other.
fn call(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    ask: impl FnOnce(&mut dyn MessageHandler, &mut Replies),
) {
    let mut replies = Replies::default();
    let asked = match &mut *connection.application.borrow_mut() {
        Application::Stomp(_) => return,
        Application::Messages(handler) => {
            catch_unwind(AssertUnwindSafe(|| ask(handler.as_mut(), &mut replies)))
        }
    };
    if asked.is_err() {
        worker.close(connection, Reason::InternalError, None);
        return;
    }
    for message in replies.messages {
        worker.send_message(connection, &message);
    }
    if let Some((code, text)) = replies.close {
        worker.close_as(connection, code, &text);
    }
}
