//! The keys that verify tokens: by issuer, then by key id, each pinned to its algorithm.
//!
//! A key of one issuer never verifies a token of another, whatever the key ids are (CVE-2026-49998, CVE-2026-39972:
//! keys found by the key id alone, or by joined strings).

mod jwks;
mod key;

use std::collections::HashMap;
use std::sync::Arc;

use crate::Algorithm;
use crate::issue::DEVELOPMENT_SECRET;
pub use jwks::{Jwks, JwksError, MAX_JWKS_BYTES, MAX_JWKS_KEYS, SkipCause, Skipped};
use key::Key;
pub use key::MAX_PEM_BYTES;

/// The most keys of one issuer that the configuration may name.
pub const MAX_FIXED_KEYS: usize = 128;

/// The keys that verify tokens. To clone it copies no key.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    by_issuer: HashMap<Arc<str>, OfIssuer>,
    /// For tokens whose issuer is not asked for.
    of_anyone: OfIssuer,
}

#[derive(Debug, Clone, Default)]
struct OfIssuer {
    fixed: Vec<Arc<Key>>,
    published: Arc<[Arc<Key>]>,
}

/// Why no key was found, or a key did not verify.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No key of that name; a newer key set may have it.
    Unknown,
    /// The key of that name is pinned to another algorithm.
    WrongAlgorithm,
    /// The token names no key, and more than one fits.
    Ambiguous,
    /// The key says no.
    BadSignature,
}

/// Why a key is not taken. No message shows the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is shorter than the hash (RFC 7518, section 3.2).
    #[error(
        "the secret has {have} bytes, and {algorithm} needs {need} or more; make one with `openssl rand -base64 {need}`"
    )]
    WeakSecret {
        /// What it is for.
        algorithm: Algorithm,
        /// The fewest bytes.
        need: usize,
        /// Its bytes.
        have: usize,
    },
    /// It is [`DEVELOPMENT_SECRET`].
    #[error("the secret is the one for development, which everybody knows; make one of your own")]
    DevelopmentSecret,
    /// The algorithm takes a public key.
    #[error("{algorithm} takes a public key, not a secret; name HS256, HS384 or HS512")]
    NotForSecrets {
        /// What it was to be for.
        algorithm: Algorithm,
    },
    /// The algorithm is for keys of another kind.
    #[error(
        "the key is not of the kind that {algorithm} takes; name an algorithm that fits it, or none"
    )]
    WrongAlgorithm {
        /// What it was to be for.
        algorithm: Algorithm,
    },
    /// It is too weak, or so large that checks take too long.
    #[error("the RSA key has {bits} bits; it must have 2048 to 8192")]
    RsaSize {
        /// The bits of its modulus.
        bits: usize,
    },
    /// A private key, a certificate, several keys, or none.
    #[error(
        "there must be exactly one block `BEGIN PUBLIC KEY` in the PEM text; `openssl pkey -in KEY -pubout` writes one"
    )]
    NotOnePublicKey,
    /// It can't be read.
    #[error("the key is no public key of RSA, P-256, P-384 or Ed25519 that can be read")]
    Malformed,
    /// It is longer than a key.
    #[error("the key is longer than {limit} bytes")]
    TooLong {
        /// The most bytes.
        limit: usize,
    },
    /// A token could be meant for either of two keys.
    #[error(
        "the issuer has a key of the same id for the same algorithm already; give each key its own id"
    )]
    Duplicate,
    /// The issuer has [`MAX_FIXED_KEYS`].
    #[error("the issuer has {MAX_FIXED_KEYS} keys already; remove those that no longer sign")]
    TooMany,
}

impl Keys {
    /// No key: it verifies nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a secret of this issuer (`None`: for tokens whose issuer is not asked for), known by this key id.
    ///
    /// # Errors
    /// The secret is too short for its algorithm or the one for development, the algorithm takes no secret, the key id
    /// is taken, or there are too many.
    pub fn add_secret(
        &mut self,
        issuer: Option<&str>,
        kid: Option<&str>,
        algorithm: Algorithm,
        secret: &[u8],
    ) -> Result<(), KeyError> {
        if secret == DEVELOPMENT_SECRET.as_bytes() {
            return Err(KeyError::DevelopmentSecret);
        }
        self.add(issuer, Key::secret(kid.map(Arc::from), algorithm, secret)?)
    }

    /// Adds [`DEVELOPMENT_SECRET`] for HS256. For development mode, which listens on loopback alone: everybody can sign
    /// with it.
    ///
    /// # Errors
    /// As [`add_secret`](Self::add_secret).
    pub fn add_development_secret(&mut self, issuer: Option<&str>) -> Result<(), KeyError> {
        let secret = DEVELOPMENT_SECRET.as_bytes();
        self.add(issuer, Key::secret(None, Algorithm::HS256, secret)?)
    }

    /// Adds a public key of RSA, P-256, P-384 or Ed25519, from PEM (RFC 7468, section 13), at most [`MAX_PEM_BYTES`]. It
    /// is pinned to the algorithm; without one, to that of its curve, or to those of RSA.
    ///
    /// # Errors
    /// It is no such key, the algorithm does not fit it, the key id is taken, or there are too many.
    pub fn add_pem(
        &mut self,
        issuer: Option<&str>,
        kid: Option<&str>,
        algorithm: Option<Algorithm>,
        pem: &str,
    ) -> Result<(), KeyError> {
        self.add(issuer, Key::pem(kid.map(Arc::from), algorithm, pem)?)
    }

    /// Takes the keys that an issuer has published in place of those that it published before; fixed keys stay.
    pub fn replace(&mut self, jwks: &Jwks) {
        self.of_issuer(jwks.issuer()).published = jwks.keys().clone();
    }

    /// How many keys there are.
    pub fn count(&self) -> usize {
        let all = self.by_issuer.values().chain([&self.of_anyone]);
        all.map(|one| one.fixed.len() + one.published.len()).sum()
    }

    pub(crate) fn verify(
        &self,
        issuer: Option<&str>,
        kid: Option<&str>,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        let key = match issuer {
            None => self.of_anyone.find(kid, algorithm),
            Some(issuer) => self
                .by_issuer
                .get(issuer)
                .ok_or(Refusal::Unknown)?
                .find(kid, algorithm),
        }?;
        if key.verify(algorithm, message, signature) {
            Ok(())
        } else {
            Err(Refusal::BadSignature)
        }
    }

    fn add(&mut self, issuer: Option<&str>, key: Key) -> Result<(), KeyError> {
        let fixed = &mut self.of_issuer(issuer).fixed;
        if fixed.iter().any(|other| other.is_confusable_with(&key)) {
            return Err(KeyError::Duplicate);
        }
        if fixed.len() >= MAX_FIXED_KEYS {
            return Err(KeyError::TooMany);
        }
        fixed.push(Arc::new(key));
        Ok(())
    }

    fn of_issuer(&mut self, issuer: Option<&str>) -> &mut OfIssuer {
        match issuer {
            None => &mut self.of_anyone,
            Some(issuer) => self.by_issuer.entry(Arc::from(issuer)).or_default(),
        }
    }
}

impl OfIssuer {
    /// The one key that a token means: that of its key id, else the only one without an id that fits; for a token that
    /// names none, the only one that fits.
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<&Key, Refusal> {
        let Some(kid) = kid else {
            return only(self.all().filter(|key| key.fits(algorithm)));
        };
        let mut named = self
            .all()
            .filter(|key| key.kid.as_deref() == Some(kid))
            .peekable();
        if named.peek().is_some() {
            return match only(named.filter(|key| key.fits(algorithm))) {
                Err(Refusal::Unknown) => Err(Refusal::WrongAlgorithm),
                found => found,
            };
        }
        only(
            self.all()
                .filter(|key| key.kid.is_none() && key.fits(algorithm)),
        )
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        self.fixed.iter().chain(&*self.published).map(|key| &**key)
    }
}

fn only<'a>(mut keys: impl Iterator<Item = &'a Key>) -> Result<&'a Key, Refusal> {
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(Refusal::Unknown),
        (Some(_), Some(_)) => Err(Refusal::Ambiguous),
    }
}
