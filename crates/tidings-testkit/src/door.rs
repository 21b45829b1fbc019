//! Where peers come in.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tidings_server::Connector;
use tokio::io::{AsyncRead, AsyncWrite};

/// What carries bytes, in memory or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Opening = Pin<Box<dyn Future<Output = io::Result<Box<dyn Stream>>> + Send>>;

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speech {
    /// STOMP at once.
    Stomp,
    /// HTTP, and so WebSocket and SockJS.
    Http,
}

/// Where peers come in: a [`TestServer`](crate::TestServer), or whatever else a test opens connections to, so that what
/// peers say is tried through sockets, TLS and the application around a server too. Time is then not virtual.
#[derive(Clone)]
pub struct Door(Arc<dyn Fn(Speech) -> Opening + Send + Sync>);

impl Door {
    /// Connections are what `open` opens.
    pub fn new<F, Fut, S>(open: F) -> Self
    where
        F: Fn(Speech) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = io::Result<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        Self(Arc::new(move |speech| {
            let opening = open(speech);
            Box::pin(async move { Ok(Box::new(opening.await?) as Box<dyn Stream>) })
        }))
    }

    pub(crate) async fn open(&self, speech: Speech) -> io::Result<Box<dyn Stream>> {
        (self.0)(speech).await
    }
}

impl From<Connector> for Door {
    fn from(connector: Connector) -> Self {
        Self::new(move |speech| {
            let connector = connector.clone();
            async move {
                let connection = match speech {
                    Speech::Stomp => connector.connect_stomp().await,
                    Speech::Http => connector.connect_http().await,
                };
                connection.map_err(io::Error::other)
            }
        })
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Door")
    }
}
