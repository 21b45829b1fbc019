//! A stand-in for the server with the same entry points: it binds and waits, and serves nothing.

use std::future::Future;
use std::io;
use std::net::SocketAddr;

use tidings_server::config::Config;
use tokio::net::TcpListener;

/// What a listener serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListenerKind {
    /// HTTP and WebSocket.
    Http,
    /// STOMP over TCP.
    Tcp,
    /// Health, metrics and statistics.
    Admin,
}

/// A bound listener and its real address.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Listener {
    /// What it serves.
    pub(crate) kind: ListenerKind,
    /// Where.
    pub(crate) address: SocketAddr,
}

impl Listener {
    /// The address as a url.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.kind == ListenerKind::Tcp {
            "tcp"
        } else {
            "http"
        };
        format!("{scheme}://{}", self.address)
    }
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}; choose another address with {flag}")]
pub(crate) struct BindError {
    address: SocketAddr,
    source: io::Error,
    flag: &'static str,
}

/// The bound listeners.
pub(crate) struct Server {
    listeners: Vec<Listener>,
    sockets: Vec<TcpListener>,
}

impl Server {
    /// Binds every listener that is on.
    pub(crate) async fn bind(config: Config) -> Result<Self, BindError> {
        let mut server = Self {
            listeners: Vec::new(),
            sockets: Vec::new(),
        };
        let wanted = [
            (ListenerKind::Http, Some(config.http.listen), "--listen"),
            (ListenerKind::Tcp, config.tcp.listen, "--tcp"),
            (ListenerKind::Admin, config.admin.listen, "--admin"),
        ];
        for (kind, address, flag) in wanted {
            let Some(address) = address else { continue };
            let refused = |source| BindError {
                address,
                source,
                flag,
            };
            let socket = TcpListener::bind(address).await.map_err(refused)?;
            let address = socket.local_addr().map_err(refused)?;
            server.listeners.push(Listener { kind, address });
            server.sockets.push(socket);
        }
        Ok(server)
    }

    /// What was bound.
    pub(crate) fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Waits for the shutdown.
    pub(crate) async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        shutdown.await;
        drop(self.sockets);
        Ok(())
    }
}
