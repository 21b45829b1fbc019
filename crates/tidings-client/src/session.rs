//! One connection: bytes between a socket and STOMP.

use std::future::{Future, pending};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tidings_stomp::encoder::{HEART_BEAT, encode_frame};
use tidings_stomp::{ClientConnection, ClientEvent, ConnectedInfo, Frame, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use crate::address::Scheme;
use crate::builder::Settings;
use crate::error::{ConnectError, Ended, ServerError};
use crate::handshake;
use crate::transport::{Dialer, Socket, Wire, Writer};

#[derive(Debug)]
pub(crate) struct Session {
    socket: Socket,
    wire: Wire,
    stomp: ClientConnection,
    input: BytesMut,
    out: BytesMut,
    /// Bytes were written that TLS may still hold.
    unflushed: bool,
    /// One frame, before the wire takes it. Kept for its memory.
    encoded: Vec<u8>,
}

/// Reads go into chunks of this size; many small frames share one.
const READ_BYTES: usize = 64 * 1024;

/// A chunk with less room than this is not read into any more.
const LEAST_READ_BYTES: usize = 4 * 1024;

/// Frames leave the queue while less than this waits for the socket.
const HIGH_WATER: usize = 64 * 1024;

/// How long a goodbye may take to go out and to be heard.
const LINGER: Duration = Duration::from_secs(1);

impl Session {
    /// Connects: socket, WebSocket, STOMP.
    pub(crate) async fn open(
        dialer: &Dialer,
        settings: &Settings,
    ) -> Result<(Self, ConnectedInfo), ConnectError> {
        timeout(settings.connect_timeout, Self::connect(dialer, settings))
            .await
            .unwrap_or(Err(ConnectError::TimedOut(settings.connect_timeout)))
    }

    async fn connect(
        dialer: &Dialer,
        settings: &Settings,
    ) -> Result<(Self, ConnectedInfo), ConnectError> {
        let scheme = settings.address.scheme;
        let credentials = settings.presented.now(scheme).await?;
        let mut socket = dialer.dial().await?;
        let (wire, input) = match scheme {
            Scheme::Tcp => (Wire::Tcp, BytesMut::new()),
            Scheme::WebSocket => {
                let early = handshake::open(&mut socket, &settings.address, &credentials).await?;
                (Wire::websocket(), early)
            }
        };
        let mut connect = Vec::new();
        let stomp = ClientConnection::open(&settings.stomp(credentials), now(), &mut connect);
        let mut session = Self {
            socket,
            wire,
            stomp,
            input,
            out: BytesMut::new(),
            unflushed: false,
            encoded: Vec::new(),
        };
        session.wire.write(&connect, &mut session.out);
        let info = session.connected().await?;
        Ok((session, info))
    }

    async fn connected(&mut self) -> Result<ConnectedInfo, Ended> {
        loop {
            match self.receive()? {
                Some(ClientEvent::Connected(info)) => return Ok(info),
                Some(ClientEvent::Frame(frame)) => {
                    // Before CONNECTED nothing but ERROR gets through.
                    let error = ServerError::new(frame);
                    return Err(Ended::Refused(Arc::new(error)));
                }
                Some(ClientEvent::Failed(error)) => return Err(error.into()),
                None => self.step(pending(), None).await?,
            }
        }
    }

    /// The next event in what was read; `None` when more must be read.
    pub(crate) fn receive(&mut self) -> Result<Option<ClientEvent>, Ended> {
        loop {
            match self.stomp.poll_event(now()) {
                Some(ClientEvent::Failed(error)) => return Err(error.into()),
                Some(event) => return Ok(Some(event)),
                None => {}
            }
            let Some(bytes) = self.wire.decode(&mut self.input, &mut self.out)? else {
                return Ok(None);
            };
            self.stomp.handle_input(now(), bytes);
        }
    }

    /// Whether the socket keeps up, so that another frame may be written.
    pub(crate) fn has_room(&self) -> bool {
        self.out.len() < HIGH_WATER
    }

    pub(crate) fn write(&mut self, frame: &Frame, version: Version) {
        self.encoded.clear();
        encode_frame(frame, version, &mut self.encoded);
        self.wire.write(&self.encoded, &mut self.out);
        if self.encoded.capacity() > HIGH_WATER {
            // A large frame leaves no memory behind.
            self.encoded = Vec::new();
        }
    }

    /// Sends the heart-beat that is due, and finds that the server is silent.
    pub(crate) fn check_time(&mut self) -> Result<(), Ended> {
        while let Some(due) = self.stomp.handle_timeout(now()) {
            match due.error() {
                Some(error) => return Err(error.into()),
                // What waits for the socket will do as a sign of life.
                None if !self.out.is_empty() => {}
                None => self.wire.write(HEART_BEAT, &mut self.out),
            }
        }
        Ok(())
    }

    /// Waits until the socket could be read or written, time is up, or `wake` is ready.
    pub(crate) async fn step(
        &mut self,
        wake: impl Future<Output = ()>,
        deadline: Option<Instant>,
    ) -> Result<(), Ended> {
        if self.input.capacity() - self.input.len() < LEAST_READ_BYTES {
            self.input.reserve(READ_BYTES);
        }
        let alarm = self.stomp.poll_timeout().map(Instant::from_std);
        let alarm = [alarm, deadline].into_iter().flatten().min();
        let broken = |error: io::Error| Ended::Broken(Arc::new(error));
        let written = tokio::select! {
            read = self.socket.reader.read_buf(&mut self.input) => {
                return match read.map_err(broken)? {
                    0 => Err(Ended::Eof),
                    _ => Ok(()),
                };
            }
            written = write(&mut self.socket.writer, &mut self.out), if !self.out.is_empty() || self.unflushed => written,
            () = until(alarm) => return Ok(()),
            () = wake => return Ok(()),
        };
        match written {
            Ok(unflushed) => self.written(unflushed),
            Err(error) => {
                self.read_rest().await;
                return Err(broken(error));
            }
        }
        Ok(())
    }

    fn written(&mut self, unflushed: bool) {
        self.unflushed = unflushed;
        if unflushed {
            self.stomp.handle_output(now());
        }
        if self.out.is_empty() {
            self.out = BytesMut::new();
        }
    }

    /// A server that hangs up may have said why: reads that, within limits of time and size.
    async fn read_rest(&mut self) {
        let rest = async {
            while self.input.len() < READ_BYTES
                && matches!(self.socket.reader.read_buf(&mut self.input).await, Ok(1..))
            {
            }
        };
        let _ = timeout(LINGER, rest).await;
    }

    /// Closes: says so where there are words for it, then waits a little for the server to close too, since closing
    /// with input unread would cut off what is still on its way to the server.
    pub(crate) async fn finish(mut self) {
        self.wire.write_close(&mut self.out);
        let goodbye = async {
            self.socket.writer.write_all_buf(&mut self.out).await?;
            self.socket.writer.shutdown().await?;
            let mut rest = [0; 4096];
            while self.socket.reader.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        };
        // Nobody is left to be told that it failed.
        let _ = timeout(LINGER, goodbye).await;
    }
}

/// Writes some of what waits, or sees that TLS keeps nothing of it back; tells whether that is still to be seen.
async fn write(writer: &mut Writer, out: &mut BytesMut) -> io::Result<bool> {
    if out.is_empty() {
        return writer.flush().await.map(|()| false);
    }
    writer.write_buf(out).await.map(|_| true)
}

async fn until(alarm: Option<Instant>) {
    match alarm {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}

/// The clock of the runtime, which tests can hold.
fn now() -> std::time::Instant {
    Instant::now().into_std()
}
