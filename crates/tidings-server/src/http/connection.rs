//! One connection of HTTP, until it ends or is taken over.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{io, mem};

use axum::http::{Request, StatusCode};
use bytes::{Buf, Bytes, BytesMut};
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tidings_core::disconnect::Reason;
use tracing::debug;

use super::Http;
use super::answer::sentence;
use super::carrier::{Carrier, Tie, Way};
use super::forwarded::Scheme;
use super::site::Site;
use crate::node::{Node, Ticket};
use crate::peer::Peer;
use crate::stream::Stream;
use crate::worker::Bare;

/// An HTTP connection that has not been taken over ends after this long, with its last answer; clients open another.
const LIFETIME: Duration = Duration::from_secs(60);

/// How long that last answer may take.
const LAST_ANSWER: Duration = Duration::from_secs(10);

/// HTTP on a connection.
type Served<'a> = dyn Future<Output = hyper::Result<()>> + Send + Unpin + 'a;

/// A connection that has come in.
pub(super) struct Arrival {
    pub(super) stream: Stream,
    pub(super) peer: Peer,
    /// Where its client finds the endpoints: see [`Carrier`].
    pub(super) prefix: Arc<str>,
    /// Read before the stream is.
    pub(super) early: Bytes,
    pub(super) ticket: Ticket,
}

/// Serves a connection.
pub(super) async fn serve(http: Arc<Http>, arrival: Arrival) {
    run(http, arrival, Arc::default()).await;
}

/// Serves a connection on which requests have come already.
pub(super) async fn resume(http: Arc<Http>, arrival: Arrival) {
    let tie = Tie::default();
    tie.has_asked.store(true, Ordering::Relaxed);
    run(http, arrival, Arc::new(tie)).await;
}

async fn run(http: Arc<Http>, arrival: Arrival, tie: Arc<Tie>) {
    let node = &http.node;
    let Arrival {
        stream,
        peer,
        prefix,
        early,
        ticket,
    } = arrival;
    // Without TLS of ours a proxy may have ended it.
    let scheme = matches!(stream, Stream::Tls(_)).then_some(Scheme::Https);
    let io = Socket {
        stream: TokioIo::new(stream),
        early,
        tie: Arc::clone(&tie),
    };
    let carrier = Carrier {
        peer: peer.clone(),
        is_told: false,
        site: Site { scheme, host: None },
        prefix,
        way: Way::Own(Arc::clone(&tie)),
    };
    let router = TowerToHyperService::new(http.router.clone());
    let (asked, listening) = (Arc::clone(&tie), Arc::clone(node));
    let service = service_fn(move |mut request: Request<Incoming>| {
        asked.has_asked.store(true, Ordering::Relaxed);
        let trusted = &listening.config.server.trusted_proxies;
        let carrier = carrier.told(trusted, request.headers());
        let answer = carrier.map(|carrier| {
            request.extensions_mut().insert(carrier);
            router.call(request)
        });
        async {
            match answer {
                Ok(answer) => answer.await,
                Err(error) => Ok(sentence(StatusCode::BAD_REQUEST, &error.to_string())),
            }
        }
    });
    let mut served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(node.config.websocket.handshake_timeout)
        .serve_connection(io, service);
    let poll =
        |served: &mut Served<'_>, context: &mut Context<'_>| match Pin::new(served).poll(context) {
            Poll::Ready(end) => Poll::Ready(Some(end)),
            Poll::Pending => tie.poll_takeover(),
        };
    let end = tokio::select! {
        end = poll_fn(|context| poll(&mut served, context)) => end,
        () = ends(node) => {
            // Answers what was asked, and then no more.
            Pin::new(&mut served).graceful_shutdown();
            let last = poll_fn(|context| poll(&mut served, context));
            match tokio::time::timeout(LAST_ANSWER, last).await {
                Ok(end) => end,
                Err(_) => return debug!(%peer, "http connection cut: its last answer was not read"),
            }
        }
    };
    match end {
        Some(Ok(())) => {}
        Some(Err(error)) => {
            if !tie.has_asked.load(Ordering::Relaxed) {
                node.telemetry.disconnected(Reason::HandshakeFailed);
            }
            debug!(%peer, %error, "http connection ended");
        }
        None => {
            let Some(takeover) = tie.takeover() else {
                return;
            };
            let parts = served.into_parts();
            let early = join(&parts.read_buf, &parts.io.early);
            match parts.io.stream.into_inner().detach() {
                Ok(stream) => takeover(Bare {
                    stream,
                    peer,
                    early,
                    ticket,
                    http: Arc::clone(&http),
                }),
                Err(error) => debug!(%peer, %error, "a socket was not taken over"),
            }
        }
    }
}

fn join(first: &Bytes, second: &Bytes) -> Bytes {
    let mut joined = BytesMut::with_capacity(first.len() + second.len());
    joined.extend_from_slice(first);
    joined.extend_from_slice(second);
    joined.freeze()
}

/// Returns when an HTTP connection has to go.
async fn ends(node: &Node) {
    tokio::select! {
        () = tokio::time::sleep(LIFETIME) => {}
        () = node.draining() => {}
    }
}

/// The socket under HTTP, which tells whether answers are stuck in it.
struct Socket {
    stream: TokioIo<Stream>,
    /// Read before the socket is.
    early: Bytes,
    tie: Arc<Tie>,
}

impl Socket {
    fn watched(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.tie
            .is_blocked
            .store(written.is_pending(), Ordering::Relaxed);
        written
    }
}

impl Read for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = self.early.len().min(buffer.remaining());
        buffer.put_slice(&self.early[..count]);
        self.early.advance(count);
        if self.early.is_empty() {
            // Gives its memory back.
            mem::take(&mut self.early);
        }
        Poll::Ready(Ok(()))
    }
}

impl Write for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watched(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watched(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        // Called when all is written: with TLS that may be on its way still.
        self.tie
            .is_blocked
            .store(flushed.is_pending(), Ordering::Relaxed);
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
