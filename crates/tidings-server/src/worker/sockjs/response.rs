//! One response by which a client of SockJS over HTTP listens: its socket, taken from HTTP, and the way back there.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, SystemTime};

use bytes::BytesMut;
use socket2::SockRef;
use tidings_sockjs::Receiver;
use tokio::net::TcpStream;
use tokio::task::AbortHandle;

use super::listening;
use crate::http::Http;
use crate::node::Ticket;
use crate::worker::Worker;
use crate::worker::connection::Connection;

/// Requests that come while a response is on its way are kept up to this many bytes; more stay in the kernel.
const MAX_EARLY_BYTES: usize = 16 * 1024;

/// The socket of a response.
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    pub(super) back: Back,
    pub(super) watcher: Option<AbortHandle>,
    /// Wakes the watcher when there is something to write.
    pub(super) waker: Option<Waker>,
    /// The response has ended, with what is unsent; whether another request may follow it.
    pub(super) ended: Option<bool>,
}

/// What it takes to give a socket back to HTTP.
pub(super) struct Back {
    pub(super) peer: SocketAddr,
    /// Requests that came behind this one.
    pub(super) early: BytesMut,
    pub(super) ticket: Ticket,
    pub(super) http: Arc<Http>,
}

/// What a watched socket wants.
pub(super) enum Wants {
    /// To be written to.
    Bytes,
    /// Nothing any more: the client is gone.
    Burial,
}

impl Socket {
    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    pub(super) fn reads_ahead(&self) -> bool {
        self.back.early.len() < MAX_EARLY_BYTES
    }

    /// Whether the peer has closed. Requests behind this one would hide that, so they are kept here rather than in the
    /// kernel.
    pub(super) fn is_over(&mut self) -> bool {
        let mut piece = [0; 1024];
        while self.reads_ahead() {
            // Not through the runtime, which may not know yet that there is something to read.
            match (&*SockRef::from(&self.stream)).read(&mut piece) {
                Ok(0) => return true,
                Ok(count) => self.back.early.extend_from_slice(&piece[..count]),
                Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            }
        }
        false
    }
}

impl Back {
    pub(super) fn give(self, stream: TcpStream, keeps_alive: bool) {
        if !keeps_alive {
            return;
        }
        if let Ok(stream) = stream.into_std() {
            self.http
                .resume(stream, self.peer, self.early.freeze(), self.ticket);
        }
    }
}

/// Writes a response that ended as it began, then gives the socket back to HTTP or closes it.
pub(super) fn finish(
    stream: TcpStream,
    back: Back,
    mut rest: Vec<u8>,
    keeps_alive: bool,
    send_timeout: Duration,
) {
    match write_some(&stream, &rest) {
        Ok(count) if count == rest.len() => back.give(stream, keeps_alive),
        Ok(count) => {
            rest.drain(..count);
            tokio::task::spawn_local(async move {
                let written = tokio::time::timeout(send_timeout, write_all(&stream, &rest)).await;
                if matches!(written, Ok(Ok(()))) {
                    back.give(stream, keeps_alive);
                }
            });
        }
        Err(error) => tracing::debug!(peer = %back.peer, %error, "a response was not taken"),
    }
}

/// Watches the socket of one response until that ends.
pub(super) async fn watch(worker: Rc<Worker>, connection: Rc<Connection>) {
    loop {
        let wants = std::future::poll_fn(|context| {
            listening(&connection).borrow_mut().poll_socket(context)
        });
        match wants.await {
            Wants::Bytes => worker.pump(&connection),
            Wants::Burial => {
                worker.lose(&connection);
                return;
            }
        }
    }
}

/// Dates the head of a response that is not written yet: one that waited is as old as its first frame.
pub(super) fn stamp(receiver: Option<&mut Receiver>) {
    if let Some(receiver) = receiver.filter(|receiver| !receiver.has_begun()) {
        receiver.set_date(httpdate::fmt_http_date(SystemTime::now()));
    }
}

pub(super) fn write_some(stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < bytes.len() {
        match stream.try_write(&bytes[count..]) {
            Ok(written) => count += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

async fn write_all(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        bytes = &bytes[write_some(stream, bytes)?..];
    }
    Ok(())
}
