//! From files to what a handshake goes by.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustls::crypto::aws_lc_rs::{Ticketer, default_provider};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{Error, InconsistentKeys, RootCertStore, ServerConfig, SupportedProtocolVersion};

use super::TlsError;
use super::certificate::expiry_of;
use crate::config::{self, ClientCertificates, TlsVersion};

const CERTIFICATE: &str = "tls.certificate";
const KEY: &str = "tls.key";
const CLIENT_CA: &str = "tls.client_ca";

/// The one protocol on top of TLS that clients may ask for (RFC 7301); WebSocket begins as it, and who speaks STOMP over
/// TCP asks for none.
const HTTP_1_1: &[u8] = b"http/1.1";

/// Tickets by which a client may resume its session: one is enough for who comes back once.
const TICKETS: usize = 1;

/// A file that a key names.
struct File {
    key: &'static str,
    path: PathBuf,
    bytes: Vec<u8>,
}

impl File {
    fn read(key: &'static str, path: Option<&PathBuf>) -> Result<Self, TlsError> {
        let path = path.ok_or(TlsError::Missing { key })?.clone();
        match fs::read(&path) {
            Ok(bytes) => Ok(Self { key, path, bytes }),
            Err(source) => Err(TlsError::Unreadable { key, path, source }),
        }
    }

    fn unusable(&self, cause: String) -> TlsError {
        TlsError::Unusable {
            key: self.key,
            path: self.path.clone(),
            cause,
        }
    }

    fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.bytes).collect();
        match found {
            Ok(found) if found.is_empty() => {
                Err(self.unusable("which holds no certificate; name one or more in PEM".to_owned()))
            }
            Ok(found) => Ok(found),
            Err(error) => Err(self.unusable(format!(
                "which is no PEM: {error}; it may be written just now, or be damaged"
            ))),
        }
    }

    fn private_key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        PrivateKeyDer::from_pem_slice(&self.bytes).map_err(|error| {
            self.unusable(match error {
                pem::Error::NoItemsFound => {
                    "which holds no private key; name one in PEM, without a passphrase".to_owned()
                }
                error => {
                    format!("which is no PEM: {error}; it may be written just now, or be damaged")
                }
            })
        })
    }
}

/// What handshakes go by, as `config` says. Tickets of earlier ones are worth nothing with it, so that nobody comes in by
/// a certificate that is trusted no more.
pub(crate) fn load(config: &config::Tls) -> Result<ServerConfig, TlsError> {
    let certificate = File::read(CERTIFICATE, config.certificate.as_ref())?;
    let key = File::read(KEY, config.key.as_ref())?;
    let chain = certificate.certificates()?;
    let private_key = key.private_key()?;
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&versions(config.min_version))
        .expect("the provider has the cipher suites of TLS 1.2 and 1.3");
    let builder = match client_verifier(config)? {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut loaded = builder
        .with_single_cert(chain, private_key)
        .map_err(|error| refused(&certificate, &key, &error))?;
    loaded.alpn_protocols = vec![HTTP_1_1.to_vec()];
    loaded.send_tls13_tickets = TICKETS;
    // Tickets hold the session, so the server keeps nothing for who may come back.
    loaded.session_storage = Arc::new(NoServerSessionStorage {});
    loaded.ticketer =
        Ticketer::new().map_err(|error| certificate.unusable(format!("and {error}")))?;
    Ok(loaded)
}

fn refused(certificate: &File, key: &File, error: &Error) -> TlsError {
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::Mismatch {
            path: key.path.clone(),
            certificate: certificate.path.clone(),
        },
        Error::InvalidCertificate(error) => certificate.unusable(format!(
            "which holds a certificate that cannot be used: {error:?}; get another one"
        )),
        error => key.unusable(format!(
            "which holds a key that cannot be used: {error}; use ECDSA P-256 or P-384, Ed25519, or RSA of 2048 bits or more"
        )),
    }
}

fn versions(min: TlsVersion) -> Vec<&'static SupportedProtocolVersion> {
    match min {
        TlsVersion::Tls12 => vec![&TLS13, &TLS12],
        TlsVersion::Tls13 => vec![&TLS13],
    }
}

fn client_verifier(config: &config::Tls) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    if config.client_certificates == ClientCertificates::Off {
        return Ok(None);
    }
    let file = File::read(CLIENT_CA, config.client_ca.as_ref())?;
    let wrong = |error: &dyn std::fmt::Display| {
        file.unusable(format!(
            "which holds a certificate that cannot be trusted: {error}; name those of who signs the certificates of clients"
        ))
    };
    let mut roots = RootCertStore::empty();
    for certificate in file.certificates()? {
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    let builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()));
    let builder = match config.client_certificates {
        ClientCertificates::Required => builder,
        ClientCertificates::Optional | ClientCertificates::Off => builder.allow_unauthenticated(),
    };
    builder.build().map(Some).map_err(|error| wrong(&error))
}

/// How long the certificate is good from `now`: nothing if it has expired. None where that cannot be told.
pub(crate) fn time_left(config: &config::Tls, now: SystemTime) -> Option<Duration> {
    let file = File::read(CERTIFICATE, config.certificate.as_ref()).ok()?;
    let expiry = expiry_of(file.certificates().ok()?.first()?)?;
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(expiry.saturating_sub(now))
}
