//! A socket with TLS on it.
//!
//! What a write takes is encrypted at once, and what the socket does not take of that waits in the session: such bytes
//! have been taken, they must reach the peer, and nobody offers them again. So a stream is written only when
//! [`Tls::flush`] says that nothing is left, and takes nothing more until then.

use std::io::{self, BufRead, IoSlice, Read, Write};
use std::net::Shutdown;
use std::task::{Context, Poll, ready};

use rustls::ServerConnection;
use socket2::SockRef;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;
use tracing::debug;

/// A write takes at most about this much, and so much waits encrypted behind a socket that is full: four records.
const UNFLUSHED_BYTES: usize = 64 * 1024;

/// The near end of a connection with TLS, on the runtime of this thread.
#[derive(Debug)]
pub(crate) struct Tls {
    socket: TcpStream,
    session: Box<Session>,
}

/// The same on its way from one runtime to another.
#[derive(Debug)]
pub(crate) struct DetachedTls {
    socket: std::net::TcpStream,
    session: Box<Session>,
}

#[derive(Debug)]
struct Session {
    connection: ServerConnection,
    /// What came was no TLS, or was tampered with: it is read no further.
    has_failed: bool,
}

/// The socket as the runtime knows it: who would block waits to be woken.
struct Awaited<'a>(&'a TcpStream);

impl Read for Awaited<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(bytes)
    }
}

impl Write for Awaited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DetachedTls {
    pub(crate) fn attach(self) -> io::Result<Tls> {
        Ok(Tls {
            socket: TcpStream::from_std(self.socket)?,
            session: self.session,
        })
    }
}

impl Tls {
    /// Of a connection whose handshake is done.
    pub(crate) fn new(socket: TcpStream, mut connection: ServerConnection) -> Self {
        connection.set_buffer_limit(Some(UNFLUSHED_BYTES));
        Self {
            socket,
            session: Box::new(Session {
                connection,
                has_failed: false,
            }),
        }
    }

    pub(crate) fn detach(self) -> io::Result<DetachedTls> {
        Ok(DetachedTls {
            socket: self.socket.into_std()?,
            session: self.session,
        })
    }

    /// Takes what it can once all that was taken before is out.
    pub(crate) fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if !self.flush(&mut false)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut writer = self.session.connection.writer();
        let taken = match slices {
            [one] => writer.write(one),
            many => writer.write_vectored(many),
        }?;
        if taken == 0 && slices.iter().any(|slice| !slice.is_empty()) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.flush(&mut false)?;
        Ok(taken)
    }

    /// Whether nothing waits that was taken.
    pub(crate) fn is_flushed(&self) -> bool {
        !self.session.connection.wants_write()
    }

    /// Writes what was taken, as far as the socket has room; true when nothing is left. `progress` tells whether a byte
    /// went out.
    pub(crate) fn flush(&mut self, progress: &mut bool) -> io::Result<bool> {
        let connection = &mut self.session.connection;
        while connection.wants_write() {
            match connection.write_tls(&mut Awaited(&self.socket)) {
                Ok(count) => *progress |= count > 0,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    pub(crate) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.flush(&mut false)? {
            ready!(self.socket.poll_write_ready(context))?;
        }
        Poll::Ready(Ok(()))
    }

    pub(crate) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_write_ready(context)
    }

    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.socket.poll_write_ready(context))?;
            match self.try_write(slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return Poll::Ready(result),
            }
        }
    }

    /// Nothing more will be written: the peer is told so behind what was taken.
    pub(crate) fn finish(&mut self) {
        self.session.connection.send_close_notify();
    }

    /// Says goodbye as far as the socket has room, and ends the sides.
    pub(crate) fn shut(&mut self, sides: Shutdown) -> io::Result<()> {
        if sides != Shutdown::Read {
            self.finish();
            // The peer may have cut it first.
            let _ = self.flush(&mut false);
        }
        SockRef::from(&self.socket).shutdown(sides)
    }

    /// Reads what is there, though the runtime may not know yet that there is something.
    pub(crate) fn read_now(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(read) = self.session.read(|plain| copy(plain, bytes)) {
                return read;
            }
            let socket = SockRef::from(&self.socket);
            self.session.receive(&mut &*socket)?;
            self.answer();
        }
    }

    /// Ready when a read would bring something, be it the end or an error.
    pub(crate) fn poll_read_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.session.read(|_| 0).is_none() {
            if ready!(self.socket.poll_read_ready(context)).is_err() {
                return Poll::Ready(());
            }
            match self.session.receive(&mut Awaited(&self.socket)) {
                Ok(()) => self.answer(),
                // The runtime knows by now, and the next look at it waits.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => {
                    self.session.has_failed = true;
                    return Poll::Ready(());
                }
            }
        }
        Poll::Ready(())
    }

    pub(crate) fn poll_read(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        while buffer.remaining() > 0 {
            let read = self.session.read(|plain| {
                let count = plain.len().min(buffer.remaining());
                buffer.put_slice(&plain[..count]);
                count
            });
            let is_begun = buffer.filled().len() > before;
            match read {
                Some(Ok(0)) => break,
                Some(Ok(_)) => continue,
                Some(Err(_)) if is_begun => break,
                Some(Err(error)) => return Poll::Ready(Err(error)),
                None if is_begun => {}
                None => ready!(self.socket.poll_read_ready(context))?,
            }
            match self.session.receive(&mut Awaited(&self.socket)) {
                Ok(()) => self.answer(),
                Err(_) if is_begun => break,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// What came may want an answer: an alert, or new keys. What the socket does not take now goes out with the next write.
    fn answer(&mut self) {
        if self.session.connection.wants_write() {
            // A socket that fails is found out by who reads or writes next.
            let _ = self.flush(&mut false);
        }
    }
}

impl Session {
    /// Lets `take` have what is decrypted, of which it says how much it took; none where more has to be received first.
    /// The end is that nothing is there.
    fn read(&mut self, take: impl FnOnce(&[u8]) -> usize) -> Option<io::Result<usize>> {
        let mut reader = self.connection.reader();
        match reader.fill_buf() {
            Ok(plain) => {
                let count = take(plain);
                reader.consume(count);
                Some(Ok(count))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self
                .has_failed
                .then(|| Err(io::ErrorKind::InvalidData.into())),
            // Many clients close without a word of TLS; what they say has ends of its own.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Some(Ok(0)),
            Err(error) => Some(Err(error)),
        }
    }

    /// Takes from the socket once, and decrypts.
    fn receive(&mut self, socket: &mut dyn Read) -> io::Result<()> {
        match self.connection.read_tls(socket) {
            Ok(_) => {
                if let Err(error) = self.connection.process_new_packets() {
                    debug!(%error, "tls broke");
                    self.has_failed = true;
                }
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    to[..count].copy_from_slice(&from[..count]);
    count
}
