//! Listeners: who may come in, and where they go.

mod proxy;
mod proxy_header;
#[cfg(test)]
mod proxy_header_invariants;
#[cfg(test)]
mod proxy_header_tests;

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

use crate::admission::NoEntry;
use crate::clock;
use crate::connector::{Comer, LocalSpeech};
use crate::endpoint::Service;
use crate::http::Http;
use crate::link::LinkKind;
use crate::node::{Node, Ticket};
use crate::peer::Peer;
use crate::session;
use crate::stream::Stream;
use crate::worker::Adoption;
use proxy::Introduced;
use tls::Plain;

/// After a failed accept (no file descriptor left, say) the listener rests this long.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// A silent connection is probed after this long,
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);

/// and again after this, until the system's count of probes is used up.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// How many connections the kernel keeps for us until we accept them.
const BACKLOG: u32 = 4096;

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
pub(crate) async fn accept_tcp(listener: TcpListener, speech: Speech, node: Arc<Node>) {
    loop {
        let (stream, peer) = accept(&listener).await;
        // Behind a proxy the client's address is known later.
        match node.admit((!speech.is_proxied).then(|| peer.ip())) {
            Ok(ticket) if speech.is_plain() => {
                begin_tcp(&node, stream, peer, ticket, speech).await;
            }
            Ok(ticket) => {
                let node = Arc::clone(&node);
                tokio::spawn(async move {
                    match introduced(&node, stream, peer, ticket, speech).await {
                        Introduced::Client(stream, peer, ticket) => {
                            begin_tcp(&node, stream, peer, ticket, speech).await;
                        }
                        Introduced::NoEntry(stream, no_entry) => {
                            refuse_tcp(&node, stream, no_entry, speech).await;
                        }
                        Introduced::Nobody => {}
                    }
                });
            }
            Err(no_entry) => refuse_tcp(&node, stream, no_entry, speech).await,
        }
    }
}

/// What is heard on a listener before what it serves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speech {
    /// A handshake of TLS.
    pub(crate) is_tls: bool,
    /// A header of the PROXY protocol, before that.
    pub(crate) is_proxied: bool,
}

impl Speech {
    fn is_plain(self) -> bool {
        !self.is_tls && !self.is_proxied
    }
}

/// Hears from the proxy, where there is one, who comes.
async fn introduced(
    node: &Arc<Node>,
    stream: TcpStream,
    peer: SocketAddr,
    ticket: Ticket,
    speech: Speech,
) -> Introduced {
    match speech.is_proxied {
        true => proxy::introduce(node, stream, peer, ticket).await,
        false => Introduced::Client(stream, peer, ticket),
    }
}

/// Goes through the handshake of TLS, where there is to be one.
async fn greeted(
    node: &Arc<Node>,
    stream: TcpStream,
    peer: SocketAddr,
    speech: Speech,
    plain: Plain,
) -> Option<(Stream, Peer)> {
    match speech.is_tls {
        true => tls::greet(node, stream, peer, plain).await,
        false => Some((Stream::Tcp(stream), peer.into())),
    }
}

async fn begin_tcp(
    node: &Arc<Node>,
    stream: TcpStream,
    peer: SocketAddr,
    ticket: Ticket,
    speech: Speech,
) {
    if let Err(no_entry) = node.admission.begin(Some(peer.ip()), clock::now()) {
        return refuse_tcp(node, stream, no_entry, speech).await;
    }
    if let Some((stream, peer)) = greeted(node, stream, peer, speech, Plain::Stomp).await {
        hand_over(node, stream, peer, ticket);
    }
}

async fn refuse_tcp(node: &Node, mut stream: TcpStream, no_entry: NoEntry, speech: Speech) {
    node.telemetry.disconnected(no_entry.reason);
    // Best effort within one segment: a client that does not read it is cut anyway.
    if !speech.is_tls {
        let _ = stream.try_write(&refusal(no_entry.reason));
    }
    let _ = stream.shutdown().await;
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
pub(crate) async fn accept_http(listener: TcpListener, speech: Speech, http: Arc<Http>) {
    let node = &http.node;
    loop {
        let (stream, peer) = accept(&listener).await;
        match node.admit((!speech.is_proxied).then(|| peer.ip())) {
            Ok(ticket) if speech.is_plain() => {
                http.accept(Stream::Tcp(stream), peer.into(), ticket);
            }
            Ok(ticket) => {
                let http = Arc::clone(&http);
                tokio::spawn(async move {
                    let node = &http.node;
                    match introduced(node, stream, peer, ticket, speech).await {
                        Introduced::Client(stream, peer, ticket) => {
                            let greeted = greeted(node, stream, peer, speech, Plain::Http).await;
                            if let Some((stream, peer)) = greeted {
                                http.accept(stream, peer, ticket);
                            }
                        }
                        Introduced::NoEntry(stream, no_entry) => {
                            refuse_http(node, &stream, no_entry, speech);
                        }
                        Introduced::Nobody => {}
                    }
                });
            }
            Err(no_entry) => refuse_http(node, &stream, no_entry, speech),
        }
    }
}

fn refuse_http(node: &Node, stream: &TcpStream, no_entry: NoEntry, speech: Speech) {
    node.telemetry.disconnected(no_entry.reason);
    if !speech.is_tls {
        let _ = stream.try_write(&crate::http::refusal(no_entry));
    }
}

/// Accepts connections from within this process, until nobody is left who could bring one.
pub(crate) async fn accept_local(mut comers: mpsc::Receiver<Comer>, http: Arc<Http>) {
    let node = &http.node;
    while let Some(comer) = comers.recv().await {
        let ticket = match node.admit(None) {
            Ok(ticket) => ticket,
            Err(no_entry) => {
                turn_away(node, comer, no_entry);
                continue;
            }
        };
        let peer = Peer {
            identity: comer.identity,
            ..Peer::default()
        };
        let stream = Stream::Pipe(comer.pipe);
        match comer.speech {
            LocalSpeech::Stomp => hand_over(node, stream, peer, ticket),
            LocalSpeech::Http => http.accept(stream, peer, ticket),
        }
    }
}

fn turn_away(node: &Node, comer: Comer, no_entry: NoEntry) {
    node.telemetry.disconnected(no_entry.reason);
    // The pipe is new, so it has room; its end follows, since it is dropped here.
    let words = match comer.speech {
        LocalSpeech::Stomp => refusal(no_entry.reason),
        LocalSpeech::Http => crate::http::refusal(no_entry),
    };
    let _ = comer.pipe.try_write(&[IoSlice::new(&words)]);
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
