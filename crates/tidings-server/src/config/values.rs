//! What values of the configuration are.

use std::fmt;
use std::path::PathBuf;

/// Whether clients show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificates {
    /// None is asked for.
    Off,
    /// One that is shown must be good.
    Optional,
    /// Nobody comes in without.
    Required,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    /// TLS 1.2 (RFC 5246).
    Tls12,
    /// TLS 1.3 (RFC 8446).
    Tls13,
}

/// Which `Origin` headers a WebSocket handshake or a SockJS request may carry. One without it is allowed,
/// unless its `Sec-Fetch-Site` says that another origin asks and its `Referer` names none that may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedOrigins {
    /// Scheme, host and port of the request itself.
    SameOrigin,
    /// Same origin, and these, each `scheme://host[:port]` in lower case without a trailing slash. `*.` before the host
    /// stands for one label or more, `*` as port for each.
    List(Vec<String>),
    /// Every origin.
    Any,
}

/// What happens to a client that reads slower than it is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlowConsumerPolicy {
    /// Close the connection with the reason `slow-consumer`.
    Close,
    /// Drop the oldest waiting messages.
    DropOldest,
    /// Keep only the latest waiting message of each destination; close if that is still too much.
    KeepLatest,
}

/// Destinations of the application that a back end answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRoute {
    /// What follows the application prefix: `trade/{symbol}`.
    pub pattern: String,
    /// Where requests go: `http://127.0.0.1:9000/trade`, or a url of HTTPS.
    pub url: String,
}

/// What nobody else may know: it shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl Secret {
    /// Whether `shown` is this secret; an empty one is none. Takes as long for a wrong guess as for one that is nearly
    /// right; only its length shows.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        !self.0.is_empty() && is_same_secret(self.0.as_bytes(), shown)
    }
}

/// Takes as long for a wrong guess as for one that is nearly right.
pub(crate) fn is_same_secret(own: &[u8], shown: &[u8]) -> bool {
    let difference = own.iter().zip(shown).fold(0, |all, (own, shown)| {
        std::hint::black_box(all | (own ^ shown))
    });
    own.len() == shown.len() && difference == 0
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Secret(..)")
    }
}

/// Who says who a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticatorKind {
    /// The `login` header is the user's name; nothing is proven.
    TrustLogin,
    /// Names and passcodes of a file.
    Users,
    /// Signed tokens.
    Jwt,
    /// A back end.
    Webhook,
}

impl AuthenticatorKind {
    const NAMES: [(Self, &'static str); 4] = [
        (Self::TrustLogin, "trust-login"),
        (Self::Users, "users"),
        (Self::Jwt, "jwt"),
        (Self::Webhook, "webhook"),
    ];

    /// As a file says it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].1
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.into_iter();
        names.find_map(|(kind, own)| (own == name).then_some(kind))
    }
}

/// Whose tokens are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtIssuer {
    /// The claim `iss`.
    pub issuer: String,
    /// Where its keys are.
    pub keys: KeySource,
}

/// Where keys are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A JWKS (RFC 7517, section 5).
    Url(String),
    /// A JWKS, or a public key in PEM where its name ends in `.pem`.
    File(PathBuf),
    /// `jwt.secret`.
    Secret,
}

impl fmt::Display for JwtIssuer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuer = &self.issuer;
        match &self.keys {
            KeySource::Url(url) => write!(out, "{issuer} -> {url}"),
            KeySource::File(path) => write!(out, "{issuer} -> {}", path.display()),
            KeySource::Secret => write!(out, "{issuer} -> secret"),
        }
    }
}
