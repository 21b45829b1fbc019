//! Why files of TLS cannot be used.

use std::io;
use std::path::PathBuf;

/// Why TLS cannot go by the files that the configuration names.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[error("`{}` {}", self.key(), self.cause())]
pub enum TlsError {
    /// `tls.certificate` or `tls.key` is not given.
    Missing {
        /// The key of the configuration.
        key: &'static str,
    },
    /// A file cannot be read.
    Unreadable {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not what it should be.
    Unusable {
        /// The key that names it.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The key is of another certificate.
    Mismatch {
        /// The file of the key.
        path: PathBuf,
        /// The file of the certificate.
        certificate: PathBuf,
    },
}

impl TlsError {
    /// The key of the configuration that is to blame, such as `tls.certificate`.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Missing { key } | Self::Unreadable { key, .. } | Self::Unusable { key, .. } => {
                key
            }
            Self::Mismatch { .. } => "tls.key",
        }
    }

    /// What is wrong with it, and what to do.
    pub(crate) fn cause(&self) -> String {
        match self {
            Self::Missing { .. } => "is not given; name a file in PEM".to_owned(),
            Self::Unreadable { path, source, .. } => format!(
                "names {}, which cannot be read: {source}; name a file that the server may read",
                path.display()
            ),
            Self::Unusable { path, cause, .. } => {
                format!("names {}, {cause}", path.display())
            }
            Self::Mismatch { path, certificate } => format!(
                "names {}, which is not the key of the first certificate in {}; put the server's own certificate first, \
                 and renew both files together",
                path.display(),
                certificate.display()
            ),
        }
    }
}
