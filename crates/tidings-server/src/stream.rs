//! What bytes come and go by: a socket, with TLS or without, or a pipe within this process.

use std::future::poll_fn;
use std::io::{self, IoSlice, Read};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

mod pipe;
mod tls;

pub(crate) use pipe::Pipe;
pub(crate) use tls::{DetachedTls, Tls};

/// The near end of a connection, on the runtime of this thread.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Tls(Tls),
    Pipe(Pipe),
}

/// A stream on its way from one runtime to another.
#[derive(Debug)]
pub(crate) enum Detached {
    Tcp(std::net::TcpStream),
    Tls(DetachedTls),
    Pipe(Pipe),
}

impl Detached {
    /// Registers it with the runtime of this thread.
    pub(crate) fn attach(self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(stream) => Stream::Tcp(TcpStream::from_std(stream)?),
            Self::Tls(tls) => Stream::Tls(tls.attach()?),
            Self::Pipe(pipe) => Stream::Pipe(pipe),
        })
    }
}

impl Stream {
    /// Takes it off the runtime.
    pub(crate) fn detach(self) -> io::Result<Detached> {
        Ok(match self {
            Self::Tcp(stream) => Detached::Tcp(stream.into_std()?),
            Self::Tls(tls) => Detached::Tls(tls.detach()?),
            Self::Pipe(pipe) => Detached::Pipe(pipe),
        })
    }

    /// Takes as much as there is room for. With TLS, what was taken may still have to go out: see [`Stream::flush`].
    pub(crate) fn try_write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, slices) {
            (Self::Tcp(stream), [one]) => stream.try_write(one),
            (Self::Tcp(stream), many) => stream.try_write_vectored(many),
            (Self::Tls(tls), slices) => tls.try_write(slices),
            (Self::Pipe(pipe), slices) => pipe.try_write(slices),
        }
    }

    /// Whether all that was taken is out.
    pub(crate) fn is_flushed(&self) -> bool {
        match self {
            Self::Tcp(_) | Self::Pipe(_) => true,
            Self::Tls(tls) => tls.is_flushed(),
        }
    }

    /// Writes what was taken and is not out, as far as there is room; true when nothing is left. `progress` tells whether a
    /// byte went out.
    pub(crate) fn flush(&mut self, progress: &mut bool) -> io::Result<bool> {
        match self {
            Self::Tcp(_) | Self::Pipe(_) => Ok(true),
            Self::Tls(tls) => tls.flush(progress),
        }
    }

    /// Nothing more will be written. What says so to the peer is flushed like all else.
    pub(crate) fn finish(&mut self) {
        match self {
            Self::Tcp(_) | Self::Pipe(_) => {}
            Self::Tls(tls) => tls.finish(),
        }
    }

    /// Reads what is there, though the runtime may not know yet that there is something.
    pub(crate) fn read_now(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&*SockRef::from(&*stream)).read(bytes),
            Self::Tls(tls) => tls.read_now(bytes),
            Self::Pipe(pipe) => pipe.try_read(bytes),
        }
    }

    /// Ready when a read would bring something, be it the end or an error.
    pub(crate) fn poll_read_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            // The runtime's own readiness would stay after [`Stream::read_now`], of which it knows nothing.
            Self::Tcp(stream) => {
                let mut byte = [MaybeUninit::uninit()];
                let mut byte = ReadBuf::uninit(&mut byte);
                stream.poll_peek(context, &mut byte).map(drop)
            }
            Self::Tls(tls) => tls.poll_read_ready(context),
            Self::Pipe(pipe) => pipe.poll_read_ready(context),
        }
    }

    pub(crate) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_write_ready(context),
            Self::Tls(tls) => tls.poll_write_ready(context),
            Self::Pipe(pipe) => pipe.poll_write_ready(context).map(Ok),
        }
    }

    pub(crate) async fn writable(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_write_ready(context)).await
    }

    /// Ends one side, or both. An error means that the peer cut it first.
    pub(crate) fn shut(&mut self, sides: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => SockRef::from(&*stream).shutdown(sides),
            Self::Tls(tls) => tls.shut(sides),
            Self::Pipe(pipe) => {
                pipe.shut(sides);
                Ok(())
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(tls) => tls.poll_read(context, buffer),
            Self::Pipe(pipe) => Pin::new(pipe).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(tls) => tls.poll_write(context, &[IoSlice::new(bytes)]),
            Self::Pipe(pipe) => Pin::new(pipe).poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_write_vectored(context, slices),
            Self::Tls(tls) => tls.poll_write(context, slices),
            Self::Pipe(pipe) => Pin::new(pipe).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(tls) => tls.poll_flush(context),
            Self::Pipe(pipe) => Pin::new(pipe).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(tls) => {
                tls.finish();
                ready!(tls.poll_flush(context))?;
                Poll::Ready(tls.shut(Shutdown::Write))
            }
            Self::Pipe(pipe) => Pin::new(pipe).poll_shutdown(context),
        }
    }
}
