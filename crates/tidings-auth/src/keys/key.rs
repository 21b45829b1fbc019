//! One key, and what it may verify.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc;

use super::KeyError;
use crate::Algorithm;
use crate::algorithm::Family;

/// The most bytes of a public key in PEM; one of RSA with 8,192 bits needs 1.5 KiB.
pub const MAX_PEM_BYTES: usize = 16 * 1024;

/// Bits of an RSA modulus that are neither weak nor a burden: one check takes longer with the square of them.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The most bytes of a public RSA exponent; beyond 33 bits the library refuses it.
const MAX_EXPONENT_BYTES: usize = 5;

/// A key, who knows it by which name, and the algorithms that it is pinned to. `Debug` does not show it.
pub(super) struct Key {
    pub(super) kid: Option<Arc<str>>,
    pinned: Pinned,
    material: Material,
}

/// Parsed once, not at every check.
enum Material {
    Secret(Box<hmac::Key>),
    /// For each algorithm that it is pinned to.
    Public(Vec<(Algorithm, ParsedPublicKey)>),
}

/// Which algorithms a key verifies, whatever the token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pinned {
    To(Algorithm),
    /// A key of RSA whose publisher names no algorithm.
    AnyOfRsa,
}

impl Pinned {
    fn has(self, algorithm: Algorithm) -> bool {
        match self {
            Self::To(one) => one == algorithm,
            Self::AnyOfRsa => algorithm.family() == Family::Rsa,
        }
    }
}

/// What verifies for each algorithm of RSA.
const RSA: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::RS256, &RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::RS384, &RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::RS512, &RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::PS256, &RSA_PSS_2048_8192_SHA256),
    (Algorithm::PS384, &RSA_PSS_2048_8192_SHA384),
    (Algorithm::PS512, &RSA_PSS_2048_8192_SHA512),
];

impl Key {
    pub(super) fn secret(
        kid: Option<Arc<str>>,
        algorithm: Algorithm,
        secret: &[u8],
    ) -> Result<Self, KeyError> {
        let need = algorithm
            .min_secret_bytes()
            .ok_or(KeyError::NotForSecrets { algorithm })?;
        if secret.len() < need {
            return Err(KeyError::WeakSecret {
                algorithm,
                need,
                have: secret.len(),
            });
        }
        let hash = match algorithm {
            Algorithm::HS384 => hmac::HMAC_SHA384,
            Algorithm::HS512 => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        };
        Ok(Self {
            kid,
            pinned: Pinned::To(algorithm),
            material: Material::Secret(Box::new(hmac::Key::new(hash, secret))),
        })
    }

    pub(super) fn pem(
        kid: Option<Arc<str>>,
        algorithm: Option<Algorithm>,
        pem: &str,
    ) -> Result<Self, KeyError> {
        let pem = one_public_block(pem)?;
        if let Ok(key) = DecodingKey::from_rsa_pem(pem) {
            let der = key.try_get_as_bytes().map_err(|_| KeyError::Malformed)?;
            let parts = aws_lc::DEFAULT_PROVIDER
                .key_utils
                .rsa_pub_components_from_public_key;
            let (modulus, exponent) = parts(der).map_err(|_| KeyError::Malformed)?;
            Self::rsa(kid, algorithm, &modulus, &exponent)
        } else if let Ok(key) = DecodingKey::from_ec_pem(pem) {
            let point = key.try_get_as_bytes().map_err(|_| KeyError::Malformed)?;
            Self::elliptic(kid, algorithm, point)
        } else if let Ok(key) = DecodingKey::from_ed_pem(pem) {
            let point = key.try_get_as_bytes().map_err(|_| KeyError::Malformed)?;
            Self::ed25519(kid, algorithm, point)
        } else {
            Err(KeyError::Malformed)
        }
    }

    /// From modulus and exponent, big-endian. Leading zeros, which some publishers send, don't count.
    pub(super) fn rsa(
        kid: Option<Arc<str>>,
        algorithm: Option<Algorithm>,
        modulus: &[u8],
        exponent: &[u8],
    ) -> Result<Self, KeyError> {
        let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
        let bits = bits(modulus);
        if !RSA_BITS.contains(&bits) {
            return Err(KeyError::RsaSize { bits });
        }
        if exponent.len() > MAX_EXPONENT_BYTES || exponent.last().is_none_or(|last| last % 2 == 0) {
            return Err(KeyError::Malformed);
        }
        let pinned = match algorithm {
            None => Pinned::AnyOfRsa,
            Some(algorithm) => pin(algorithm, Family::Rsa)?,
        };
        let components = RsaPublicKeyComponents {
            n: modulus,
            e: exponent,
        };
        let parse = |(algorithm, parameters): (Algorithm, &'static RsaParameters)| {
            let parsed = components.to_parsed_public_key(parameters);
            Ok((algorithm, parsed.map_err(|_| KeyError::Malformed)?))
        };
        let fitting = RSA.into_iter().filter(|(one, _)| pinned.has(*one));
        let parsed = fitting.map(parse).collect::<Result<_, KeyError>>()?;
        Ok(Self {
            kid,
            pinned,
            material: Material::Public(parsed),
        })
    }

    /// From an uncompressed point (SEC 1, section 2.3.3), whose length tells the curve.
    pub(super) fn elliptic(
        kid: Option<Arc<str>>,
        algorithm: Option<Algorithm>,
        point: &[u8],
    ) -> Result<Self, KeyError> {
        let (of_curve, verifier): (_, &dyn VerificationAlgorithm) =
            match (point.first(), point.len()) {
                (Some(4), 65) => (Algorithm::ES256, &ECDSA_P256_SHA256_FIXED),
                (Some(4), 97) => (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED),
                _ => return Err(KeyError::Malformed),
            };
        Self::of_curve(kid, algorithm, point, of_curve, verifier)
    }

    pub(super) fn ed25519(
        kid: Option<Arc<str>>,
        algorithm: Option<Algorithm>,
        point: &[u8],
    ) -> Result<Self, KeyError> {
        if point.len() != 32 {
            return Err(KeyError::Malformed);
        }
        Self::of_curve(kid, algorithm, point, Algorithm::EdDSA, &ED25519)
    }

    fn of_curve(
        kid: Option<Arc<str>>,
        algorithm: Option<Algorithm>,
        point: &[u8],
        of_curve: Algorithm,
        verifier: &'static dyn VerificationAlgorithm,
    ) -> Result<Self, KeyError> {
        let pinned = pin(algorithm.unwrap_or(of_curve), of_curve.family())?;
        let parsed = ParsedPublicKey::new(verifier, point).map_err(|_| KeyError::Malformed)?;
        Ok(Self {
            kid,
            pinned,
            material: Material::Public(vec![(of_curve, parsed)]),
        })
    }

    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        self.pinned.has(algorithm)
    }

    /// Whether a token could be meant for either.
    pub(super) fn is_confusable_with(&self, other: &Self) -> bool {
        self.kid == other.kid
            && Algorithm::ALL
                .iter()
                .any(|&one| self.fits(one) && other.fits(one))
    }

    /// Whether the signature is of this message, by this key and algorithm. HMAC is compared in constant time.
    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.fits(algorithm) {
            return false;
        }
        match &self.material {
            Material::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Material::Public(parsed) => parsed
                .iter()
                .find(|(one, _)| *one == algorithm)
                .is_some_and(|(_, key)| key.verify_sig(message, signature).is_ok()),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Key")
            .field("kid", &self.kid)
            .field("pinned", &self.pinned)
            .finish_non_exhaustive()
    }
}

fn pin(algorithm: Algorithm, family: Family) -> Result<Pinned, KeyError> {
    if algorithm.family() == family {
        Ok(Pinned::To(algorithm))
    } else {
        Err(KeyError::WrongAlgorithm { algorithm })
    }
}

/// The library would take a private key or a certificate too, and the first block of many.
fn one_public_block(pem: &str) -> Result<&[u8], KeyError> {
    if pem.len() > MAX_PEM_BYTES {
        return Err(KeyError::TooLong {
            limit: MAX_PEM_BYTES,
        });
    }
    let mut begins = pem
        .match_indices("-----BEGIN ")
        .map(|(at, begin)| &pem[at + begin.len()..]);
    match (begins.next(), begins.next()) {
        (Some(label), None)
            if label.starts_with("PUBLIC KEY-----") || label.starts_with("RSA PUBLIC KEY-----") =>
        {
            Ok(pem.as_bytes())
        }
        _ => Err(KeyError::NotOnePublicKey),
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

/// The bits of a number without leading zero bytes.
fn bits(number: &[u8]) -> usize {
    number
        .first()
        .map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}
