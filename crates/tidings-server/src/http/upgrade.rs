//! A handshake within an application that embeds the server: its HTTP library gives the socket away.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Parts, Upgraded};
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade;
use tidings_core::disconnect::Reason;
use tidings_websocket::Accepted;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, split};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::debug;

use super::Http;
use super::handshake::agreed;
use crate::listen::tune;
use crate::node::Ticket;
use crate::peer::Peer;
use crate::stream::{Detached, Pipe, Stream};
use crate::worker::Bare;

/// How long the client may take to read the last bytes of a connection that has ended here.
const LAST_BYTES: Duration = Duration::from_secs(10);

/// A handshake that may become a WebSocket.
pub(super) struct Upgrade {
    pub(super) socket: OnUpgrade,
    /// It came by HTTP/2, where a stream of the connection becomes the WebSocket (RFC 8441).
    pub(super) is_stream: bool,
    pub(super) ticket: Ticket,
    pub(super) http: Arc<Http>,
}

impl Upgrade {
    /// Answers the handshake, and gives what HTTP leaves to `takeover`.
    pub(super) fn answer(
        self,
        accepted: &Accepted,
        peer: Peer,
        takeover: impl FnOnce(Bare) + Send + 'static,
    ) -> Response<Body> {
        let is_stream = self.is_stream;
        self.http.runtime.clone().spawn(self.finish(peer, takeover));
        let mut response = Response::new(Body::empty());
        if !is_stream {
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        }
        for (name, value) in agreed(accepted, is_stream) {
            if let Ok(value) = value.parse() {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    async fn finish(self, peer: Peer, takeover: impl FnOnce(Bare)) {
        let Self {
            socket,
            ticket,
            http,
            ..
        } = self;
        let taken = match socket.await {
            Ok(upgraded) => take(&http, upgraded).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match taken {
            Ok((stream, early)) => takeover(Bare {
                stream,
                peer,
                early,
                ticket,
                http,
            }),
            Err(error) => {
                http.node.telemetry.disconnected(Reason::HandshakeFailed);
                debug!(%peer, error, "a handshake came to nothing");
            }
        }
    }
}

/// The socket itself, where there is one: a worker serves it as fast as its own. What is something else, TLS for one, is
/// bridged.
fn take(http: &Http, upgraded: Upgraded) -> std::io::Result<(Detached, Bytes)> {
    let (io, early) = match upgrade::downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => (parts.io, parts.read_buf),
        Err(upgraded) => match upgraded.downcast::<TokioIo<TcpStream>>() {
            Ok(Parts { io, read_buf, .. }) => (io, read_buf),
            Err(upgraded) => {
                let (near, far) = Pipe::pair();
                http.bridge(bridge(TokioIo::new(upgraded), near));
                return Ok((Detached::Pipe(far), Bytes::new()));
            }
        },
    };
    let stream = io.into_inner();
    if let Err(error) = tune(&stream) {
        debug!(%error, "could not set the options of a socket");
    }
    Ok((Stream::Tcp(stream).detach()?, early))
}

/// Carries bytes between a client and a worker, until both have ended. When one has, what the worker has written to the
/// other has a while to go out.
async fn bridge(client: impl AsyncRead + AsyncWrite, pipe: Pipe) {
    let cut = pipe.refused();
    let (mut from_client, mut to_client) = split(client);
    let (mut from_worker, mut to_worker) = split(pipe);
    let mut inbound = pin!(async {
        // However the client ends, the worker reads the end.
        tokio::select! {
            _ = copy(&mut from_client, &mut to_worker) => drop(to_worker.shutdown().await),
            () = cut => {}
        }
    });
    let mut outbound = pin!(async {
        copy(&mut from_worker, &mut to_client).await?;
        to_client.shutdown().await
    });
    let ended = tokio::select! {
        ended = &mut outbound => {
            if ended.is_ok() {
                inbound.await;
            }
            ended
        }
        () = &mut inbound => timeout(LAST_BYTES, outbound).await.unwrap_or_else(|late| Err(late.into())),
    };
    debug!(?ended, "a bridge to a client has ended");
}
