//! Listeners: who may come in, and where they go.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

mod tls;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tidings_core::disconnect::Reason;
use tidings_stomp::Version;
use tidings_stomp::connection::encode_error;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::clock;
use crate::connector::Comer;
use crate::endpoint::Service;
use crate::http::Http;
use crate::link::LinkKind;
use crate::node::{Node, Ticket};
use crate::peer::Peer;
use crate::session;
use crate::stream::Stream;
use crate::worker::Adoption;
use tls::Plain;

/// After a failed accept (no file descriptor left, say) the listener rests this long.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// A silent connection is probed after this long,
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);

/// and again after this, until the system's count of probes is used up.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// How many connections the kernel keeps for us until we accept them.
const BACKLOG: u32 = 4096;

/// The answer to who comes by HTTP and can't stay.
const NO_ROOM: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerKind {
    /// HTTP and WebSocket.
    Http,
    /// STOMP over TCP.
    Tcp,
    /// Health, metrics and statistics.
    Admin,
    /// The HTTP API, where it has a listener of its own.
    Api,
}

/// A bound listener and its real address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// What it serves.
    pub kind: ListenerKind,
    /// Where, with the port that the system chose when 0 was asked for.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
}

impl Listener {
    /// The address as a url: `http://127.0.0.1:8080` or `tcp://127.0.0.1:61613`, with TLS `https` or `stomp+ssl`, as
    /// `tidings-client` and other brokers name it.
    pub fn url(&self) -> String {
        let scheme = match (self.kind, self.tls) {
            (ListenerKind::Tcp, false) => "tcp",
            (ListenerKind::Tcp, true) => "stomp+ssl",
            (_, false) => "http",
            (_, true) => "https",
        };
        format!("{scheme}://{}", self.address)
    }
}

pub(crate) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts STOMP over TCP, forever.
pub(crate) async fn accept_tcp(listener: TcpListener, is_tls: bool, node: Arc<Node>) {
    loop {
        let (mut stream, peer) = accept(&listener).await;
        let Some(ticket) = node.admit() else {
            let reason = node.refusal_reason();
            node.telemetry.disconnected(reason);
            let refusal = refusal(reason);
            // Best effort within one segment: a client that does not read it is cut anyway.
            if !is_tls {
                let _ = stream.try_write(&refusal);
            }
            let _ = stream.shutdown().await;
            continue;
        };
        let node = Arc::clone(&node);
        if !is_tls {
            hand_over(&node, Stream::Tcp(stream), peer.into(), ticket);
            continue;
        }
        tokio::spawn(async move {
            if let Some((stream, peer)) = tls::greet(&node, stream, peer, Plain::Stomp).await {
                hand_over(&node, stream, peer, ticket);
            }
        });
    }
}

fn hand_over(node: &Node, stream: Stream, peer: Peer, ticket: Ticket) {
    match stream.detach() {
        Ok(stream) => node.adopt(Adoption {
            stream,
            peer,
            link: LinkKind::Tcp,
            service: Service::Stomp,
            opening: Vec::new(),
            ready_at: clock::now(),
            early: bytes::Bytes::new(),
            ticket,
        }),
        Err(error) => warn!(%peer, %error, "could not take a connection over"),
    }
}

/// The ERROR for a peer that is turned away before it is anybody's connection.
fn refusal(reason: Reason) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some(error) = session::goodbye(reason, false) {
        encode_error(&error, Version::V1_0, &mut out);
    }
    out
}

/// Accepts HTTP, forever.
pub(crate) async fn accept_http(listener: TcpListener, is_tls: bool, http: Arc<Http>) {
    let node = &http.node;
    loop {
        let (stream, peer) = accept(&listener).await;
        let Some(ticket) = node.admit() else {
            node.telemetry.disconnected(node.refusal_reason());
            if !is_tls {
                let _ = stream.try_write(NO_ROOM);
            }
            continue;
        };
        if !is_tls {
            http.accept(Stream::Tcp(stream), peer.into(), ticket);
            continue;
        }
        let http = Arc::clone(&http);
        tokio::spawn(async move {
            if let Some((stream, peer)) = tls::greet(&http.node, stream, peer, Plain::Http).await {
                http.accept(stream, peer, ticket);
            }
        });
    }
}

/// Accepts connections from within this process, until nobody is left who could bring one.
pub(crate) async fn accept_local(mut comers: mpsc::Receiver<Comer>, http: Arc<Http>) {
    let node = &http.node;
    while let Some(comer) = comers.recv().await {
        let Some(ticket) = node.admit() else {
            turn_away(node, comer);
            continue;
        };
        let peer = Peer::default();
        match comer {
            Comer::Stomp(pipe) => hand_over(node, Stream::Pipe(pipe), peer, ticket),
            Comer::Http(pipe) => http.accept(Stream::Pipe(pipe), peer, ticket),
        }
    }
}

fn turn_away(node: &Node, comer: Comer) {
    let reason = node.refusal_reason();
    node.telemetry.disconnected(reason);
    // The pipe is new, so it has room; its end follows, since it is dropped here.
    let _ = match comer {
        Comer::Stomp(pipe) => pipe.try_write(&[IoSlice::new(&refusal(reason))]),
        Comer::Http(pipe) => pipe.try_write(&[IoSlice::new(NO_ROOM)]),
    };
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if let Err(error) = tune(&stream) {
                    debug!(%peer, %error, "could not set the options of a socket");
                }
                return (stream, peer);
            }
            Err(error) => {
                warn!(%error, "accept failed");
                tokio::time::sleep(ACCEPT_REST).await;
            }
        }
    }
}

/// Accepts HTTP on the private listener, forever. Its connections don't count: it must answer when the server is full.
pub(crate) async fn accept_admin(listener: TcpListener, router: axum::Router) {
    loop {
        let (stream, peer) = accept(&listener).await;
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let served = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = served.await {
                debug!(%peer, %error, "admin connection ended");
            }
        });
    }
}

/// Small frames go out at once, and a peer that vanished without a word is noticed even where no heart-beats were agreed.
pub(crate) fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}
