//! What bytes come and go by: a socket, or a pipe within this process.

use std::future::poll_fn;
use std::io::{self, IoSlice, Read};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

mod pipe;

pub(crate) use pipe::Pipe;

/// The near end of a connection, on the runtime of this thread.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Pipe(Pipe),
}

/// A stream on its way from one runtime to another.
#[derive(Debug)]
pub(crate) enum Detached {
    Tcp(std::net::TcpStream),
    Pipe(Pipe),
}

impl Detached {
    /// Registers it with the runtime of this thread.
    pub(crate) fn attach(self) -> io::Result<Stream> {
        Ok(match self {
            Self::Tcp(stream) => Stream::Tcp(TcpStream::from_std(stream)?),
            Self::Pipe(pipe) => Stream::Pipe(pipe),
        })
    }
}

impl Stream {
    /// Takes it off the runtime.
    pub(crate) fn detach(self) -> io::Result<Detached> {
        Ok(match self {
            Self::Tcp(stream) => Detached::Tcp(stream.into_std()?),
            Self::Pipe(pipe) => Detached::Pipe(pipe),
        })
    }

    pub(crate) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, slices) {
            (Self::Tcp(stream), [one]) => stream.try_write(one),
            (Self::Tcp(stream), many) => stream.try_write_vectored(many),
            (Self::Pipe(pipe), slices) => pipe.try_write(slices),
        }
    }

    /// Reads what is there, though the runtime may not know yet that there is something.
    pub(crate) fn read_now(&self, bytes: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => (&*SockRef::from(stream)).read(bytes),
            Self::Pipe(pipe) => pipe.try_read(bytes),
        }
    }

    /// Ready when a read would bring something, be it the end or an error.
    pub(crate) fn poll_read_ready(&self, context: &mut Context<'_>) -> Poll<()> {
        match self {
            // The runtime's own readiness would stay after [`Stream::read_now`], of which it knows nothing.
            Self::Tcp(stream) => {
                let mut byte = [MaybeUninit::uninit()];
                let mut byte = ReadBuf::uninit(&mut byte);
                stream.poll_peek(context, &mut byte).map(drop)
            }
            Self::Pipe(pipe) => pipe.poll_read_ready(context),
        }
    }

    pub(crate) fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_write_ready(context),
            Self::Pipe(pipe) => pipe.poll_write_ready(context).map(Ok),
        }
    }

    pub(crate) async fn writable(&self) -> io::Result<()> {
        poll_fn(|context| self.poll_write_ready(context)).await
    }

    /// Ends one side, or both. An error means that the peer cut it first.
    pub(crate) fn shut(&self, sides: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => SockRef::from(stream).shutdown(sides),
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
            Self::Pipe(pipe) => Pin::new(pipe).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_flush(context),
            Self::Pipe(pipe) => Pin::new(pipe).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Pipe(pipe) => Pin::new(pipe).poll_shutdown(context),
        }
    }
}
