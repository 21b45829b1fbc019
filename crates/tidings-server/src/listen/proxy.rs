//! What a proxy says before the client's own bytes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tidings_core::disconnect::Reason;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::debug;

use super::proxy_header::{HeaderError, MAX_HEADER_BYTES, Parsed, parse};
use crate::admission::NoEntry;
use crate::config::{Network, is_trusted};
use crate::node::{Node, Ticket};

/// Why no client is known behind a connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
enum ProxyError {
    #[error("it is no trusted proxy; add it to server.trusted_proxies, or turn proxy_protocol off")]
    Untrusted,
    #[error("the PROXY header took longer than websocket.handshake_timeout")]
    Late,
    #[error(transparent)]
    Header(#[from] HeaderError),
    #[error("the connection ended within the PROXY header: {0}")]
    Ended(#[from] io::Error),
}

/// Who came by a proxy.
pub(super) enum Introduced {
    /// A client, with its address and its place among the connections of that.
    Client(TcpStream, SocketAddr, Ticket),
    /// One whose address has too many connections.
    NoEntry(TcpStream, NoEntry),
    /// Nobody who could be told anything.
    Nobody,
}

/// Hears whom a proxy connects for.
pub(super) async fn introduce(
    node: &Node,
    mut stream: TcpStream,
    proxy: SocketAddr,
    mut ticket: Ticket,
) -> Introduced {
    let trusted = &node.config.server.trusted_proxies;
    let patience = node.config.websocket.handshake_timeout;
    let heard = tokio::select! {
        heard = client(&mut stream, proxy, trusted, patience) => heard,
        () = node.draining() => return Introduced::Nobody,
    };
    let address = match heard {
        Ok(address) => address,
        Err(error) => {
            node.telemetry.disconnected(Reason::HandshakeFailed);
            debug!(%proxy, %error, "a connection was cut");
            return Introduced::Nobody;
        }
    };
    match node.admission.place(Some(address.ip())) {
        Ok(place) => {
            ticket.settle(place);
            Introduced::Client(stream, address, ticket)
        }
        Err(no_entry) => Introduced::NoEntry(stream, no_entry),
    }
}

/// Reads the header that `proxy` sends, and nothing behind it; gives the address of the client, or of the proxy where that
/// speaks for itself.
async fn client(
    stream: &mut TcpStream,
    proxy: SocketAddr,
    trusted: &[Network],
    patience: Duration,
) -> Result<SocketAddr, ProxyError> {
    if !is_trusted(trusted, proxy.ip()) {
        return Err(ProxyError::Untrusted);
    }
    let client = timeout(patience, read(stream)).await;
    let client = client.map_err(|_| ProxyError::Late)??;
    Ok(client.unwrap_or(proxy))
}

async fn read(stream: &mut TcpStream) -> Result<Option<SocketAddr>, ProxyError> {
    let mut header = vec![0; MAX_HEADER_BYTES];
    let mut length = 0;
    loop {
        // Looked at first: what stands behind the header stays in the socket.
        let seen = length + stream.peek(&mut header[length..]).await?;
        if seen == length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let (taken, end) = match parse(&header[..seen])? {
            Parsed::Incomplete => (seen, None),
            Parsed::Complete { length, client } => (length, Some(client)),
        };
        stream.read_exact(&mut header[length..taken]).await?;
        length = taken;
        if let Some(client) = end {
            return Ok(client);
        }
    }
}
