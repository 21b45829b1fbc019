//! Opens connections to whoever is asked.

use std::error::Error;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;
use tower_service::Service;

use super::stream::Stream;
use super::trust::{Trust, TrustError};
use super::url::{host, is_secure};

/// Opens connections; cloning shares whom it trusts.
#[derive(Clone)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    trust: Arc<Trust>,
    plain: PlainHttp,
    /// How long TCP and TLS may take. A pool goes on connecting for requests that have been given up.
    patience: Duration,
}

/// Where a url may lead that is not protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    Anywhere,
    /// To this machine, whatever name it is called by.
    Loopback,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum ConnectError {
    #[error("cannot be reached: {0}; start it, or correct the url")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    #[error("did not agree on a connection in time; try again later")]
    TimedOut,
    #[error("is not on this machine, and http:// is not protected; use https://")]
    Unprotected,
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("no certificate can hold its host; use another name of it")]
    Host,
    /// It is signed by nobody that is trusted, is for another name, or has expired.
    #[error("its certificate is refused: {0}; mend the certificate, or trust who signed it")]
    Certificate(#[source] rustls::Error),
    #[error("does not agree on TLS: {0}; check that its port serves TLS")]
    NoTls(#[source] rustls::Error),
    #[error("the connection broke while TLS began: {0}; try again later")]
    Broken(#[source] io::Error),
}

impl ConnectError {
    /// Whether another attempt may go better without anybody having mended anything.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Broken(_))
    }
}

impl Connector {
    pub(crate) fn new(trust: Arc<Trust>, plain: PlainHttp, patience: Duration) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        Self {
            tcp,
            trust,
            plain,
            patience,
        }
    }

    /// Looks the host up, once, and connects to it, with TLS where the url is one of HTTPS.
    pub(crate) async fn open(&self, url: &Uri) -> Result<Stream, ConnectError> {
        let opened = timeout(self.patience, self.open_at_leisure(url));
        opened.await.unwrap_or(Err(ConnectError::TimedOut))
    }

    async fn open_at_leisure(&self, url: &Uri) -> Result<Stream, ConnectError> {
        let connected = self.tcp.clone().call(url.clone()).await;
        let stream = connected
            .map_err(|error| ConnectError::Unreachable(error.into()))?
            .into_inner();
        if is_secure(url) {
            return self.secure(stream, url).await;
        }
        // The name was looked up by the connector alone: whom it has found counts.
        match self.plain == PlainHttp::Anywhere || is_loopback(&stream) {
            true => Ok(Stream::Plain(stream)),
            false => Err(ConnectError::Unprotected),
        }
    }

    async fn secure(&self, stream: TcpStream, url: &Uri) -> Result<Stream, ConnectError> {
        let name = ServerName::try_from(host(url).to_owned()).map_err(|_| ConnectError::Host)?;
        let config = self.trust.config().await?;
        let opened = TlsConnector::from(config).connect(name, stream).await;
        match opened {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            Err(error) => Err(cause(error)),
        }
    }
}

fn is_loopback(stream: &TcpStream) -> bool {
    let peer = stream.peer_addr();
    peer.is_ok_and(|peer| peer.ip().to_canonical().is_loopback())
}

fn cause(error: io::Error) -> ConnectError {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
    match cause {
        Some(cause @ rustls::Error::InvalidCertificate(_)) => {
            ConnectError::Certificate(cause.clone())
        }
        Some(cause) => ConnectError::NoTls(cause.clone()),
        None => ConnectError::Broken(error),
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = ConnectError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, ConnectError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), ConnectError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move { connector.open(&url).await.map(TokioIo::new) })
    }
}
