//! A connection within this process: bytes go both ways, and each end may be on a thread of its own.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop;

use crate::node::lock;

/// Each direction holds this much; who writes more waits for the reader.
pub(crate) const PIPE_BYTES: usize = 64 * 1024;

/// An empty direction keeps its memory up to this much.
const KEEP_BYTES: usize = 1024;

/// One end of a connection within this process. Dropped, it is closed both ways: the other end reads what is there and
/// then the end, and can write no more.
#[derive(Debug)]
pub(crate) struct Pipe {
    directions: Arc<[Mutex<Direction>; 2]>,
    /// The direction that this end writes to; it reads from the other.
    outgoing: usize,
}

/// What one end writes and the other reads.
#[derive(Debug, Default)]
struct Direction {
    bytes: VecDeque<u8>,
    /// Nothing more will be written.
    is_ended: bool,
    /// Nothing more will be read.
    is_refused: bool,
    /// Waits for bytes.
    reader: Option<Waker>,
    /// Waits for room.
    writer: Option<Waker>,
    /// Waits for the reader to be gone.
    mourner: Option<Waker>,
}

impl Direction {
    fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.is_ended || self.is_refused {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut room = PIPE_BYTES - self.bytes.len();
        if room == 0 && slices.iter().any(|slice| !slice.is_empty()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut written = 0;
        for slice in slices {
            let count = slice.len().min(room);
            self.bytes.write_all(&slice[..count])?;
            room -= count;
            written += count;
        }
        Ok(written)
    }

    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && !self.is_ended && !self.is_refused && !bytes.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let mut count = 0;
        // The bytes lie in two pieces.
        while count < bytes.len() && !self.bytes.is_empty() {
            count += self.bytes.read(&mut bytes[count..])?;
        }
        if self.bytes.is_empty() && self.bytes.capacity() > KEEP_BYTES {
            self.bytes = VecDeque::new();
        }
        Ok(count)
    }

    fn end(&mut self) -> [Option<Waker>; 2] {
        self.is_ended = true;
        [self.reader.take(), self.writer.take()]
    }

    fn refuse(&mut self) -> [Option<Waker>; 3] {
        self.is_refused = true;
        self.bytes = VecDeque::new();
        [self.reader.take(), self.writer.take(), self.mourner.take()]
    }

    fn is_readable(&self) -> bool {
        !self.bytes.is_empty() || self.is_ended || self.is_refused
    }

    fn is_writable(&self) -> bool {
        self.bytes.len() < PIPE_BYTES || self.is_ended || self.is_refused
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Ready, or the waker is kept.
fn wait(is_ready: bool, place: &mut Option<Waker>, context: &Context<'_>) -> Poll<()> {
    if is_ready {
        return Poll::Ready(());
    }
    match place {
        Some(waker) => waker.clone_from(context.waker()),
        None => *place = Some(context.waker().clone()),
    }
    Poll::Pending
}

impl Pipe {
    /// The two ends of a new connection.
    pub(crate) fn pair() -> (Self, Self) {
        let directions: Arc<[Mutex<Direction>; 2]> = Arc::default();
        let end = |outgoing| Self {
            directions: Arc::clone(&directions),
            outgoing,
        };
        (end(0), end(1))
    }

    fn outgoing(&self) -> &Mutex<Direction> {
        &self.directions[self.outgoing]
    }

    fn incoming(&self) -> &Mutex<Direction> {
        &self.directions[1 - self.outgoing]
    }

    /// Writes as much as there is room for; without any it would block.
    pub(crate) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut outgoing = lock(self.outgoing());
        let written = outgoing.write(slices)?;
        let reader = if written > 0 {
            outgoing.reader.take()
        } else {
            None
        };
        drop(outgoing);
        wake(reader);
        Ok(written)
    }

    /// Reads what is there; where nothing is, it would block, or has ended.
    pub(crate) fn try_read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut incoming = lock(self.incoming());
        let count = incoming.read(bytes)?;
        let writer = if count > 0 {
            incoming.writer.take()
        } else {
            None
        };
        drop(incoming);
        wake(writer);
        Ok(count)
    }

    /// Ready when a read would not block. One task at a time may wait.
    pub(crate) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut incoming = lock(self.incoming());
        let is_readable = incoming.is_readable();
        wait(is_readable, &mut incoming.reader, context)
    }

    /// Ready when a write would not block. One task at a time may wait.
    pub(crate) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut outgoing = lock(self.outgoing());
        let is_writable = outgoing.is_writable();
        wait(is_writable, &mut outgoing.writer, context)
    }

    /// Returns once the other end reads no more. One task at a time may wait.
    pub(crate) fn refused(&self) -> impl Future<Output = ()> + Send + 'static {
        let (directions, outgoing) = (Arc::clone(&self.directions), self.outgoing);
        poll_fn(move |context| {
            let mut outgoing = lock(&directions[outgoing]);
            let is_refused = outgoing.is_refused;
            wait(is_refused, &mut outgoing.mourner, context)
        })
    }

    /// Ends the sides as a socket does: what was written before is still read, what was not read is lost.
    pub(crate) fn shut(&self, sides: Shutdown) {
        if sides != Shutdown::Read {
            let wakers = lock(self.outgoing()).end();
            wakers.into_iter().for_each(wake);
        }
        if sides != Shutdown::Write {
            let wakers = lock(self.incoming()).refuse();
            wakers.into_iter().for_each(wake);
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.shut(Shutdown::Both);
    }
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let turn = ready!(coop::poll_proceed(context));
        ready!(self.poll_read_ready(context));
        turn.made_progress();
        let count = self.try_read(buffer.initialize_unfilled())?;
        buffer.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let turn = ready!(coop::poll_proceed(context));
        ready!(self.poll_write_ready(context));
        turn.made_progress();
        Poll::Ready(self.try_write(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shut(Shutdown::Write);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
