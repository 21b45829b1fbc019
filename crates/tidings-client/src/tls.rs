//! TLS between the socket and what it carries.

use std::io;
use std::sync::Arc;

use thiserror::Error;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Whom to believe about the server.
#[derive(Clone, Default)]
pub(crate) enum Trust {
    /// The certificates that the system trusts.
    #[default]
    System,
    /// These certificates and no others, in PEM.
    Roots(Vec<u8>),
    /// What the program has set up.
    Config(Arc<ClientConfig>),
}

/// Why there is no TLS with the server.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The system trusts nobody.
    #[error(
        "the system has no certificates to trust; install them, or give some to the builder: {0}"
    )]
    NoSystemRoots(String),
    /// What was given to [`Builder::tls_roots`](crate::Builder::tls_roots) holds no certificate.
    #[error("the roots are no certificates; give one or more in PEM: {0}")]
    Roots(String),
    /// No certificate can hold the host of the url.
    #[error("the host is no name that a certificate could hold; connect by another one")]
    Host,
    /// The server's certificate is signed by nobody that is trusted, is for another name, or has expired.
    #[error(
        "the server's certificate is refused: {0}; connect by a name that it holds, or trust who signed it with tls_roots"
    )]
    Certificate(rustls::Error),
    /// The server answered, but not as TLS wants it.
    #[error("the server does not agree on TLS: {0}; check that the port serves TLS")]
    Protocol(rustls::Error),
    /// The connection ended before both had agreed.
    #[error("the connection broke while TLS began: {0}")]
    Broken(Arc<io::Error>),
}

impl TlsError {
    /// A certificate may be mended, but not by coming back; an alert may come from a server that is just starting.
    pub(crate) fn retry(&self) -> bool {
        matches!(
            self,
            Self::Broken(_) | Self::Protocol(rustls::Error::AlertReceived(_))
        )
    }
}

impl From<io::Error> for TlsError {
    fn from(error: io::Error) -> Self {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        match cause {
            Some(cause @ rustls::Error::InvalidCertificate(_)) => Self::Certificate(cause.clone()),
            Some(cause) => Self::Protocol(cause.clone()),
            None => Self::Broken(Arc::new(error)),
        }
    }
}

/// Opens TLS on sockets to one host.
#[derive(Clone)]
pub(crate) struct Secured {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Secured {
    /// Reads the system's certificates if they are wanted, once for the life of a client.
    pub(crate) fn new(trust: &Trust, host: &str) -> Result<Self, TlsError> {
        let config = match trust {
            Trust::System => with_roots(system_roots()?),
            Trust::Roots(pem) => with_roots(given_roots(pem)?),
            Trust::Config(config) => Arc::clone(config),
        };
        Ok(Self {
            connector: config.into(),
            name: ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Host)?,
        })
    }

    pub(crate) async fn open(&self, stream: TcpStream) -> Result<TlsStream<TcpStream>, TlsError> {
        let opened = self.connector.connect(self.name.clone(), stream).await;
        opened.map_err(TlsError::from)
    }
}

fn with_roots(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has the cipher suites of TLS 1.2 and 1.3");
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Stores of systems hold odd certificates too, which are of no use here and harm nobody.
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    match usable {
        0 => {
            let causes: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
            Err(TlsError::NoSystemRoots(causes.join(", ")))
        }
        _ => Ok(roots),
    }
}

fn given_roots(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let wrong = |error: &dyn ToString| TlsError::Roots(error.to_string());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"there is none"));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_that_are_none_are_told() {
        for pem in [
            &b""[..],
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            b"-----BEGIN CERTIFICATE-----\nAAAA",
            b"\xff",
        ] {
            let trust = Trust::Roots(pem.to_vec());
            let refused = Secured::new(&trust, "localhost").err();
            assert!(matches!(refused, Some(TlsError::Roots(_))), "{refused:?}");
        }
    }

    #[test]
    fn only_names_and_addresses_have_certificates() {
        let config = with_roots(RootCertStore::empty());
        let secured = |host| Secured::new(&Trust::Config(Arc::clone(&config)), host);
        for host in ["localhost", "a.example", "127.0.0.1", "::1"] {
            assert!(secured(host).is_ok(), "{host}");
        }
        for host in ["a..b", "-", "bücher.example"] {
            assert!(matches!(secured(host), Err(TlsError::Host)), "{host}");
        }
    }
}
