//! The algorithms that sign tokens.

use std::fmt;
use std::str::FromStr;

use jsonwebtoken::Algorithm as Signature;

macro_rules! algorithms {
    ($($variant:ident $family:ident $sentence:literal)*) => {
        /// An algorithm that signs tokens (RFC 7518, section 3.1; RFC 8037, section 3.1). `none` is not one of them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[allow(missing_docs, reason = "the sentence of each variant is its documentation")]
        pub enum Algorithm {
            $(#[doc = $sentence] $variant,)*
        }

        impl Algorithm {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in a token's header.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }

            pub(crate) fn family(self) -> Family {
                match self {
                    $(Self::$variant => Family::$family,)*
                }
            }

            pub(crate) fn signature(self) -> Signature {
                match self {
                    $(Self::$variant => Signature::$variant,)*
                }
            }
        }
    };
}

algorithms! {
    HS256 Hmac "HMAC with SHA-256: whoever can verify can sign."
    HS384 Hmac "HMAC with SHA-384."
    HS512 Hmac "HMAC with SHA-512."
    RS256 Rsa "RSA, PKCS #1 v1.5, with SHA-256."
    RS384 Rsa "RSA, PKCS #1 v1.5, with SHA-384."
    RS512 Rsa "RSA, PKCS #1 v1.5, with SHA-512."
    PS256 Rsa "RSA, PSS, with SHA-256."
    PS384 Rsa "RSA, PSS, with SHA-384."
    PS512 Rsa "RSA, PSS, with SHA-512."
    ES256 P256 "ECDSA on the curve P-256 with SHA-256."
    ES384 P384 "ECDSA on the curve P-384 with SHA-384."
    EdDSA Ed25519 "EdDSA on the curve Ed25519."
}

/// What kind of key an algorithm takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Hmac,
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Algorithm {
    /// Whether a check takes the processor so long (tens of microseconds and more) that it must not hold other
    /// sessions up: all but HMAC.
    pub fn is_costly(self) -> bool {
        self.family() != Family::Hmac
    }

    /// The fewest bytes that a secret for it may have: those of its hash (RFC 7518, section 3.2). None where it takes a
    /// public key.
    pub fn min_secret_bytes(self) -> Option<usize> {
        match self {
            Self::HS256 => Some(32),
            Self::HS384 => Some(48),
            Self::HS512 => Some(64),
            _ => None,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// No algorithm has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such algorithm; choose from HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA"
)]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.name() == name)
            .ok_or(UnknownAlgorithm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written_and_none_is_no_algorithm() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(*algorithm));
            assert!(UnknownAlgorithm.to_string().contains(algorithm.name()));
        }
        for name in ["none", "None", "hs256", "ES512", "HS256 ", ""] {
            assert_eq!(name.parse::<Algorithm>(), Err(UnknownAlgorithm), "{name}");
        }
    }
}
