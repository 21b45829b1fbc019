//! The form of a token, before anybody vouches for what it says.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use tidings_core::security::Claims;

use super::VerifyError;
use crate::Algorithm;

/// The most bytes of a token. The header lines that carry one are no longer by default.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The most bytes of a key id; thumbprints have 43.
const MAX_KID_BYTES: usize = 256;

/// What a token says, believed by nobody yet. `Debug` shows neither its claims nor its signature.
#[derive(Clone)]
pub struct Unverified {
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    claims: Claims,
    /// The part of the token that is signed.
    message: Box<str>,
    signature: Vec<u8>,
}

/// The members of a header that say something here (RFC 7515, section 4.1). `jku`, `jwk`, `x5u` and `x5c`, with which a
/// token would bring its own key, are not among them. A member that comes twice is refused.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    #[serde(default, rename = "crit", deserialize_with = "anything")]
    has_crit: bool,
}

/// That the member is there, whatever it is: `null` too.
fn anything<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl Unverified {
    /// Who has issued it, as it says.
    pub fn issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(serde_json::Value::as_str)
    }

    /// Which key of the issuer has signed it, as it says.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// How it is signed, as it says.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether its signature takes the processor so long that it must not be checked where sessions wait.
    pub fn is_costly(&self) -> bool {
        self.algorithm.is_costly()
    }

    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(super) fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    pub(super) fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl fmt::Debug for Unverified {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Unverified")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// Reads the compact form (RFC 7515, section 7.1).
pub(super) fn read(token: &str) -> Result<Unverified, VerifyError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(VerifyError::rejected("it is longer than 8 KiB"));
    }
    let (message, signature) = token.rsplit_once('.').ok_or_else(no_jwt)?;
    let (header, claims) = message.split_once('.').ok_or_else(no_jwt)?;
    let header: Header = part(header)?;
    if header.has_crit {
        return Err(VerifyError::rejected(
            "it asks for an extension (crit), and none is known",
        ));
    }
    let algorithm = header
        .alg
        .parse()
        .map_err(|_| VerifyError::rejected("its algorithm (alg) is none that is known"))?;
    if header
        .kid
        .as_ref()
        .is_some_and(|kid| kid.len() > MAX_KID_BYTES)
    {
        return Err(VerifyError::rejected(
            "its key id (kid) is longer than 256 bytes",
        ));
    }
    Ok(Unverified {
        algorithm,
        kid: header.kid.map(String::into_boxed_str),
        claims: part(claims)?,
        message: message.into(),
        signature: URL_SAFE_NO_PAD.decode(signature).map_err(|_| no_jwt())?,
    })
}

/// A second dot in the claims is no base64.
fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, VerifyError> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| no_jwt())?;
    serde_json::from_slice(&json).map_err(|_| no_jwt())
}

fn no_jwt() -> VerifyError {
    VerifyError::rejected(
        "it is no signed JWT: three parts of base64url with dots between, the first two JSON objects",
    )
}
