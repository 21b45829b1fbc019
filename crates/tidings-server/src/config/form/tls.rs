//! The words of TLS.

use super::super::checked::{ClientCertificates, TlsVersion};
use super::super::raw::Raw;
use super::{Form, quoted};

/// Whether clients show a certificate.
pub(in super::super) struct ClientCertificatesWord;

impl Form for ClientCertificatesWord {
    type Value = ClientCertificates;

    fn kind(&self) -> &'static str {
        "word"
    }

    fn range(&self) -> String {
        "`off`, `optional` or `required`".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<ClientCertificates> {
        match raw.text()? {
            "off" => Some(ClientCertificates::Off),
            "optional" => Some(ClientCertificates::Optional),
            "required" => Some(ClientCertificates::Required),
            _ => None,
        }
    }

    fn show(&self, value: &ClientCertificates) -> Option<String> {
        Some(quoted(match value {
            ClientCertificates::Off => "off",
            ClientCertificates::Optional => "optional",
            ClientCertificates::Required => "required",
        }))
    }
}

/// A version of TLS.
pub(in super::super) struct TlsVersionWord;

impl Form for TlsVersionWord {
    type Value = TlsVersion;

    fn kind(&self) -> &'static str {
        "word"
    }

    fn range(&self) -> String {
        "`1.2` or `1.3`, in quotes".to_owned()
    }

    fn read(&self, raw: &Raw) -> Option<TlsVersion> {
        match raw.text()? {
            "1.2" => Some(TlsVersion::Tls12),
            "1.3" => Some(TlsVersion::Tls13),
            _ => None,
        }
    }

    fn show(&self, value: &TlsVersion) -> Option<String> {
        Some(quoted(match value {
            TlsVersion::Tls12 => "1.2",
            TlsVersion::Tls13 => "1.3",
        }))
    }
}
