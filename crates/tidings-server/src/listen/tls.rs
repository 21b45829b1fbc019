//! The handshake of TLS, each in a task of its own, so that nobody waits for a slow one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::{AlertDescription, Error, ServerConnection};
use tidings_core::disconnect::Reason;
use tidings_stomp::Version;
use tidings_stomp::connection::{ErrorReply, encode_error};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tracing::debug;

use crate::node::Node;
use crate::peer::Peer;
use crate::stream::{Stream, Tls};
use crate::tls::name_of;

/// With this every handshake begins (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 0x16;

/// Who is turned away is read for so long after the answer: closing at once could take that with it.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// The answer to who speaks plain HTTP.
const NO_HTTP: &[u8] =
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\n\
    content-length: 40\r\n\r\nthis port speaks TLS: use https or wss.\n";

/// What a listener would speak without TLS.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plain {
    Http,
    Stomp,
}

/// Why a handshake came to nothing.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the handshake took too long")]
    TimedOut,
    #[error("the server stops")]
    Shutdown,
    #[error("it began without TLS")]
    Plain,
    #[error("the peer ended it")]
    Ended,
    #[error(transparent)]
    Broken(#[from] io::Error),
    #[error(transparent)]
    Tls(#[from] Error),
}

impl Failure {
    /// For people who look at the metrics.
    fn name(&self) -> &'static str {
        match self {
            Self::TimedOut => "timeout",
            Self::Shutdown => "shutdown",
            Self::Plain => "plain",
            Self::Ended | Self::Broken(_) => "closed",
            Self::Tls(Error::NoCertificatesPresented) => "no-client-certificate",
            Self::Tls(Error::InvalidCertificate(_)) => "bad-client-certificate",
            // Mostly a client that does not trust the server's certificate.
            Self::Tls(Error::AlertReceived(alert)) if is_about_certificates(*alert) => {
                "certificate-refused"
            }
            Self::Tls(Error::AlertReceived(_)) => "refused",
            Self::Tls(Error::PeerIncompatible(_)) => "incompatible",
            Self::Tls(_) => "protocol",
        }
    }
}

fn is_about_certificates(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
    )
}

/// Puts TLS on a socket that has just been accepted. One whose handshake fails is counted, and closed.
pub(super) async fn greet(
    node: &Node,
    mut socket: TcpStream,
    address: SocketAddr,
    plain: Plain,
) -> Option<(Stream, Peer)> {
    let within = node.config.tls.handshake_timeout;
    let result = tokio::select! {
        result = timeout(within, handshake(node, &mut socket)) => {
            result.unwrap_or(Err(Failure::TimedOut))
        }
        () = node.draining() => Err(Failure::Shutdown),
    };
    match result {
        Ok(connection) => {
            let shown = connection.peer_certificates().and_then(<[_]>::first);
            let peer = Peer {
                certificate: shown.and_then(name_of).map(Arc::from),
                ..address.into()
            };
            Some((Stream::Tls(Tls::new(socket, connection)), peer))
        }
        Err(failure) => {
            debug!(peer = %address, error = %failure, "no tls");
            node.telemetry.tls_failed(failure.name());
            node.telemetry.disconnected(match failure {
                Failure::Shutdown => Reason::Shutdown,
                _ => Reason::HandshakeFailed,
            });
            // The peer may be gone.
            let _ = match failure {
                Failure::Plain => timeout(LAST_BYTES, turn_away(socket, plain)).await,
                // It is to read the alert.
                Failure::Tls(_) => timeout(LAST_BYTES, linger(socket)).await,
                _ => return None,
            };
            None
        }
    }
}

async fn handshake(node: &Node, socket: &mut TcpStream) -> Result<ServerConnection, Failure> {
    let mut first = [0];
    match socket.peek(&mut first).await? {
        0 => return Err(Failure::Ended),
        _ if first[0] != HANDSHAKE_RECORD => return Err(Failure::Plain),
        _ => {}
    }
    let config = node.tls.current().ok_or(Failure::Shutdown)?;
    let mut connection = ServerConnection::new(config)?;
    loop {
        write(&mut connection, socket).await?;
        if !connection.is_handshaking() {
            return Ok(connection);
        }
        read(&mut connection, socket).await?;
    }
}

/// Writes what the handshake has to say.
async fn write(connection: &mut ServerConnection, socket: &mut TcpStream) -> io::Result<()> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut bytes)?;
    }
    socket.write_all(&bytes).await
}

async fn read(connection: &mut ServerConnection, socket: &mut TcpStream) -> Result<(), Failure> {
    socket.readable().await?;
    match connection.read_tls(&mut Socket(socket)) {
        Ok(0) => return Err(Failure::Ended),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    if let Err(error) = connection.process_new_packets() {
        // The alert that says why.
        let _ = write(connection, socket).await;
        return Err(error.into());
    }
    Ok(())
}

struct Socket<'a>(&'a TcpStream);

impl io::Read for Socket<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(bytes)
    }
}

/// Tells who began without TLS.
async fn turn_away(mut socket: TcpStream, plain: Plain) -> io::Result<()> {
    let answer = match plain {
        Plain::Http => NO_HTTP.to_vec(),
        Plain::Stomp => no_stomp(),
    };
    socket.write_all(&answer).await?;
    linger(socket).await
}

/// Ends our side, and throws away what comes until the peer ends its own.
async fn linger(mut socket: TcpStream) -> io::Result<()> {
    socket.shutdown().await?;
    let mut thrown_away = [0; 1024];
    loop {
        socket.readable().await?;
        match socket.try_read(&mut thrown_away) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

/// The ERROR for who speaks plain STOMP.
fn no_stomp() -> Vec<u8> {
    let mut out = Vec::new();
    let error = ErrorReply {
        code: Reason::HandshakeFailed.name(),
        message: "this port speaks TLS",
        details: "this port speaks TLS: connect by stomp+ssl, or with ssl switched on",
        ..ErrorReply::default()
    };
    encode_error(&error, Version::V1_0, &mut out);
    out
}
