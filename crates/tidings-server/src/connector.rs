//! Connections from within this process.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

use crate::peer::Identity;
use crate::stream::Pipe;

/// How many connections wait until the server accepts them; who comes then waits too.
const BACKLOG: usize = 4096;

/// Connects to a [`Server`](crate::Server) in this process, without a port: to the server such a connection is like one
/// from a socket, but that it knows no address of the client. It may be used from any thread, also before the server
/// runs.
#[derive(Debug, Clone)]
pub struct Connector {
    comers: mpsc::Sender<Comer>,
    identity: Option<Identity>,
}

/// Who wants to come in.
#[derive(Debug)]
pub(crate) struct Comer {
    pub(crate) pipe: Pipe,
    pub(crate) speech: LocalSpeech,
    /// Who it is, where the program has said so.
    pub(crate) identity: Option<Identity>,
}

/// What is spoken from within this process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LocalSpeech {
    /// STOMP at once, as over TCP.
    Stomp,
    /// HTTP, and so WebSocket or SockJS.
    Http,
}

/// The client's end of a connection to a server in this process. 64 KiB fit in each direction; then who writes waits.
/// Dropped, it is closed.
#[derive(Debug)]
pub struct LocalConnection(Pipe);

/// The server has stopped, so nobody can connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server has stopped; connect before it is shut down")]
pub struct ConnectError;

impl Connector {
    /// A connector, and where the server hears of those who come.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Comer>) {
        let (comers, heard) = mpsc::channel(BACKLOG);
        let identity = None;
        (Self { comers, identity }, heard)
    }

    /// Connects as this one: whatever the client says or shows, it is the user of its sessions, for the access rules too.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// A connection that speaks STOMP at once, as one to `tcp.listen` does. It need not be on.
    ///
    /// # Errors
    /// The server has stopped.
    pub async fn connect_stomp(&self) -> Result<LocalConnection, ConnectError> {
        self.connect(LocalSpeech::Stomp).await
    }

    /// A connection that speaks HTTP, as one to `http.listen` does: pages, WebSocket and SockJS.
    ///
    /// # Errors
    /// The server has stopped.
    pub async fn connect_http(&self) -> Result<LocalConnection, ConnectError> {
        self.connect(LocalSpeech::Http).await
    }

    async fn connect(&self, speech: LocalSpeech) -> Result<LocalConnection, ConnectError> {
        let (near, pipe) = Pipe::pair();
        let identity = self.identity.clone();
        let comer = Comer {
            pipe,
            speech,
            identity,
        };
        let sent = self.comers.send(comer).await;
        sent.map_err(|_| ConnectError)?;
        Ok(LocalConnection(near))
    }
}

impl AsyncRead for LocalConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for LocalConnection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
