//! Whose certificates hold.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Larger than any bundle of certificates that systems bring.
const MAX_FILE: u64 = 4 << 20;

/// The certificates of the system, and further ones. Those of the system are read when they are first needed, and once.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    further: Vec<CertificateDer<'static>>,
    config: OnceCell<Arc<ClientConfig>>,
}

/// Why a file does not say whom to trust, or nobody does.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TrustError {
    #[error("names a file that cannot be read: {0}; make it readable for the server")]
    Unreadable(#[source] io::Error),
    #[error(
        "names a file of more than {} bytes; leave only the certificates of authorities in it",
        MAX_FILE
    )]
    TooLarge,
    #[error("names a file that holds no certificates: {0}; give one or more in PEM")]
    NoCertificates(String),
    #[error("the system has no certificates to trust; install them: {0}")]
    NoSystem(String),
}

impl Trust {
    /// The system's, and those in a PEM file.
    ///
    /// # Errors
    /// There is no certificate in it.
    pub(crate) fn with_file(path: &Path) -> Result<Self, TrustError> {
        let length = std::fs::metadata(path)
            .map_err(TrustError::Unreadable)?
            .len();
        if length > MAX_FILE {
            return Err(TrustError::TooLarge);
        }
        Self::with_pem(&std::fs::read(path).map_err(TrustError::Unreadable)?)
    }

    /// The system's, and these.
    ///
    /// # Errors
    /// There is none among them.
    pub(crate) fn with_pem(pem: &[u8]) -> Result<Self, TrustError> {
        let wrong = |error: &dyn ToString| TrustError::NoCertificates(error.to_string());
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let further = read.map_err(|error| wrong(&error))?;
        let mut roots = RootCertStore::empty();
        for certificate in &further {
            let added = roots.add(certificate.clone());
            added.map_err(|error| wrong(&error))?;
        }
        match further.is_empty() {
            true => Err(wrong(&"there is none")),
            false => Ok(Self {
                further,
                config: OnceCell::new(),
            }),
        }
    }

    /// TLS as a client that has every certificate and name verified.
    pub(super) async fn config(&self) -> Result<Arc<ClientConfig>, TrustError> {
        let further = &self.further;
        let read = self.config.get_or_try_init(|| async {
            // Hundreds of small files on some systems.
            let read = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs);
            let found = read
                .await
                .map_err(|error| TrustError::NoSystem(error.to_string()))?;
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(further.iter().cloned());
            // Stores of systems hold odd certificates too, which are of no use here and harm nobody.
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let causes: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
                return Err(TrustError::NoSystem(causes.join(", ")));
            }
            Ok(with_roots(roots))
        });
        read.await.map(Arc::clone)
    }
}

fn with_roots(roots: RootCertStore) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has the cipher suites of TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}

/// Who does the arithmetic of TLS for the server's own requests: named, since the process around may have two of them.
fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_told() {
        for pem in [
            &b""[..],
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            b"-----BEGIN CERTIFICATE-----\nAAAA",
            b"\xff",
        ] {
            let refused = Trust::with_pem(pem).err();
            assert!(
                matches!(refused, Some(TrustError::NoCertificates(_))),
                "{refused:?}"
            );
        }
        let refused = Trust::with_file(Path::new("/nowhere/at/all")).err();
        assert!(matches!(refused, Some(TrustError::Unreadable(_))));
    }
}
