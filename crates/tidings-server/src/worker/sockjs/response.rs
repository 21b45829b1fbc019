//! One response by which a client of SockJS over HTTP listens: its socket, taken from HTTP, and the way back there.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, SystemTime};

use axum::http::StatusCode;
use bytes::BytesMut;
use tidings_sockjs::{Answer, Receiver};
use tokio::task::AbortHandle;

use super::{Bare, listening};
use crate::http::Http;
use crate::node::Ticket;
use crate::peer::Peer;
use crate::stream::Stream;
use crate::worker::Worker;
use crate::worker::connection::Connection;

/// Requests that come while a response is on its way are kept up to this many bytes; more stay in the kernel.
const MAX_EARLY_BYTES: usize = 16 * 1024;

/// The socket of a response.
pub(super) struct Socket {
    pub(super) stream: Stream,
    pub(super) back: Back,
    pub(super) watcher: Option<AbortHandle>,
    /// Wakes the watcher when there is something to write.
    pub(super) waker: Option<Waker>,
    /// The response has ended, with what is unsent; whether another request may follow it.
    pub(super) ended: Option<bool>,
}

/// What it takes to give a socket back to HTTP.
pub(super) struct Back {
    pub(super) peer: Peer,
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
            match self.stream.read_now(&mut piece) {
                Ok(0) => return true,
                Ok(count) => self.back.early.extend_from_slice(&piece[..count]),
                Err(error) => return error.kind() != io::ErrorKind::WouldBlock,
            }
        }
        false
    }
}

impl Bare {
    /// Its socket on this worker, and what it takes to give that back. Nothing where the system takes it no more.
    pub(super) fn take(self) -> Option<(Stream, Back)> {
        let stream = self.stream.attach().ok()?;
        let back = Back {
            peer: self.peer,
            early: BytesMut::from(self.early),
            ticket: self.ticket,
            http: self.http,
        };
        Some((stream, back))
    }
}

impl Back {
    pub(super) fn give(self, mut stream: Stream, keeps_alive: bool) {
        if !keeps_alive {
            // An error means that the peer cut it first.
            let _ = stream.shut(Shutdown::Write);
            return;
        }
        if let Ok(stream) = stream.detach() {
            self.http
                .resume(stream, self.peer, self.early.freeze(), self.ticket);
        }
    }
}

/// Writes a response that ended as it began, then gives the socket back to HTTP or closes it.
pub(super) fn finish(
    mut stream: Stream,
    back: Back,
    mut rest: Vec<u8>,
    keeps_alive: bool,
    send_timeout: Duration,
) {
    match write_some(&mut stream, &rest) {
        Ok(count) if count == rest.len() && stream.is_flushed() => back.give(stream, keeps_alive),
        Ok(count) => {
            rest.drain(..count);
            tokio::task::spawn_local(async move {
                let written =
                    tokio::time::timeout(send_timeout, write_all(&mut stream, &rest)).await;
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

/// The bytes of a whole answer, after which the connection ends.
pub(super) fn last_answer(answer: &Answer) -> Vec<u8> {
    let reason = StatusCode::from_u16(answer.status)
        .ok()
        .and_then(|status| status.canonical_reason());
    let mut out = format!(
        "HTTP/1.1 {} {}\r\n",
        answer.status,
        reason.unwrap_or_default()
    );
    let date = httpdate::fmt_http_date(SystemTime::now());
    let length = answer.body.len().to_string();
    let headers = answer.headers.iter().map(|(name, value)| (*name, &**value));
    let more = [
        ("date", &*date),
        ("content-length", &*length),
        ("connection", "close"),
    ];
    for (name, value) in headers.chain(more) {
        out.extend([name, ": ", value, "\r\n"]);
    }
    out.push_str("\r\n");
    [out.as_bytes(), &answer.body].concat()
}

/// Dates the head of a response that is not written yet: one that waited is as old as its first frame.
pub(super) fn stamp(receiver: Option<&mut Receiver>) {
    if let Some(receiver) = receiver.filter(|receiver| !receiver.has_begun()) {
        receiver.set_date(httpdate::fmt_http_date(SystemTime::now()));
    }
}

pub(super) fn write_some(stream: &mut Stream, bytes: &[u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < bytes.len() {
        match stream.try_write(&[IoSlice::new(&bytes[count..])]) {
            Ok(written) => count += written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

async fn write_all(stream: &mut Stream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() || !stream.flush(&mut false)? {
        stream.writable().await?;
        bytes = &bytes[write_some(stream, bytes)?..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tidings_sockjs::{Options, RequestHead, Route, route};

    use super::*;
    use crate::admission::NoEntry;
    use crate::sockjs::no_room;

    #[test]
    fn a_client_without_room_reads_a_whole_503() {
        let head = RequestHead {
            method: "POST",
            path: "/000/abc/xhr",
            query: "",
            http_1_1: true,
            keep_alive: true,
            origin: Some("http://a.example"),
            access_control_request_headers: None,
            cookie: None,
            if_none_match: None,
        };
        let options = Options::default();
        let Route::Receive { receiver, .. } = route(&options, &head, || 7) else {
            panic!("it listens");
        };
        let answer = String::from_utf8(last_answer(&no_room(&receiver, NoEntry::full())))
            .expect("it is text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("the head ends");
        let mut lines = head.split("\r\n");
        assert_eq!(lines.next(), Some("HTTP/1.1 503 Service Unavailable"));
        let lines: Vec<_> = lines.collect();
        let length = format!("content-length: {}", body.len());
        for line in [
            "access-control-allow-origin: http://a.example",
            "retry-after: 5",
            "connection: close",
            &length,
        ] {
            assert!(lines.contains(&line), "{line} is not in {lines:?}");
        }
        assert_eq!(body, NoEntry::full().sentence());
    }
}
