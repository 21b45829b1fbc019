//! Key sets that issuers publish (RFC 7517, section 5).

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::KeyError;
use super::key::Key;
use crate::Algorithm;

/// The most bytes of a key set; those of large providers have a few KiB, with certificates some ten.
pub const MAX_JWKS_BYTES: usize = 256 * 1024;

/// The most keys of a key set, those included that are of no use here.
pub const MAX_JWKS_KEYS: usize = 128;

/// The keys that one issuer has published, as far as they verify tokens.
#[derive(Debug, Clone)]
pub struct Jwks {
    issuer: Option<Arc<str>>,
    keys: Arc<[Arc<Key>]>,
    skipped: Vec<Skipped>,
}

/// A key of a key set that is of no use, which is no fault: key sets also hold keys for encryption, and of kinds to come
/// (RFC 7517, section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Skipped {
    /// Which one, counted from 0.
    pub index: usize,
    /// Why.
    pub cause: SkipCause,
}

/// Why a key of a key set is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SkipCause {
    /// A member is missing or of another type.
    #[error("it is no JWK (RFC 7517, section 4)")]
    NoJwk,
    /// `use` or `key_ops`.
    #[error("it is not for verifying signatures")]
    OtherUse,
    /// `kty` or `crv`.
    #[error("it is of a kind that is not known here")]
    UnknownKind,
    /// `oct`, which is never public.
    #[error("it is a secret, and what is published is none")]
    Secret,
    /// `alg`.
    #[error("it is for an algorithm that is not known here")]
    UnknownAlgorithm,
    /// The key itself.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Why a document is no key set that could replace another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JwksError {
    /// More than [`MAX_JWKS_BYTES`].
    #[error("the key set is longer than {MAX_JWKS_BYTES} bytes; look at what is published there")]
    TooLong,
    /// More than [`MAX_JWKS_KEYS`].
    #[error("the key set has more than {MAX_JWKS_KEYS} keys; look at what is published there")]
    TooManyKeys,
    /// Not JSON, or without `keys`.
    #[error("there is no key set (a JSON object with `keys`); look at what is published there")]
    NoKeySet,
    /// No key in it is of use, so that nobody could come in any more.
    #[error("no key of the key set can verify a token; look at what is published there")]
    NoKeys,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

/// The members of a JWK that say something here (RFC 7517, section 4; RFC 7518, section 6; RFC 8037, section 2).
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    public_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl Jwks {
    /// Reads the key set of this issuer (`None`: for tokens whose issuer is not asked for). Keys that are of no use are
    /// [skipped](Self::skipped).
    ///
    /// # Errors
    /// It is too long, has too many keys, is no key set, or has no key that is of use.
    pub fn parse(json: &[u8], issuer: Option<&str>) -> Result<Self, JwksError> {
        if json.len() > MAX_JWKS_BYTES {
            return Err(JwksError::TooLong);
        }
        let document: Document = serde_json::from_slice(json).map_err(|_| JwksError::NoKeySet)?;
        if document.keys.len() > MAX_JWKS_KEYS {
            return Err(JwksError::TooManyKeys);
        }
        let (mut keys, mut skipped) = (Vec::<Arc<Key>>::new(), Vec::new());
        for (index, value) in document.keys.into_iter().enumerate() {
            match read(value).and_then(|key| unambiguous(key, &keys)) {
                Ok(key) => keys.push(Arc::new(key)),
                Err(cause) => skipped.push(Skipped { index, cause }),
            }
        }
        if keys.is_empty() {
            return Err(JwksError::NoKeys);
        }
        Ok(Self {
            issuer: issuer.map(Arc::from),
            keys: keys.into(),
            skipped,
        })
    }

    /// Whose keys they are.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// How many keys are of use.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// Those that are not.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    pub(super) fn keys(&self) -> &Arc<[Arc<Key>]> {
        &self.keys
    }
}

fn read(value: serde_json::Value) -> Result<Key, SkipCause> {
    let jwk: Jwk = serde_json::from_value(value).map_err(|_| SkipCause::NoJwk)?;
    if jwk.public_use.as_deref().is_some_and(|one| one != "sig")
        || jwk
            .key_ops
            .as_ref()
            .is_some_and(|all| !all.iter().any(|one| one == "verify"))
    {
        return Err(SkipCause::OtherUse);
    }
    match (&*jwk.kty, jwk.crv.as_deref()) {
        ("RSA", _) => jwk.rsa(),
        ("EC", Some("P-256")) => jwk.elliptic(32),
        ("EC", Some("P-384")) => jwk.elliptic(48),
        ("OKP", Some("Ed25519")) => jwk.ed25519(),
        ("oct", _) => Err(SkipCause::Secret),
        _ => Err(SkipCause::UnknownKind),
    }
}

fn unambiguous(key: Key, others: &[Arc<Key>]) -> Result<Key, SkipCause> {
    if others.iter().any(|other| other.is_confusable_with(&key)) && key.kid.is_some() {
        return Err(KeyError::Duplicate.into());
    }
    Ok(key)
}

impl Jwk {
    fn rsa(&self) -> Result<Key, SkipCause> {
        let (n, e) = (bytes(self.n.as_deref())?, bytes(self.e.as_deref())?);
        let algorithm = self.algorithm()?;
        Ok(Key::rsa(self.kid(), algorithm, &n, &e)?)
    }

    fn elliptic(&self, coordinate: usize) -> Result<Key, SkipCause> {
        let (x, y) = (bytes(self.x.as_deref())?, bytes(self.y.as_deref())?);
        if x.len() != coordinate || y.len() != coordinate {
            return Err(KeyError::Malformed.into());
        }
        let algorithm = self.algorithm()?;
        Ok(Key::elliptic(
            self.kid(),
            algorithm,
            &[&[4], &*x, &*y].concat(),
        )?)
    }

    fn ed25519(&self) -> Result<Key, SkipCause> {
        let algorithm = self.algorithm()?;
        Ok(Key::ed25519(
            self.kid(),
            algorithm,
            &bytes(self.x.as_deref())?,
        )?)
    }

    fn algorithm(&self) -> Result<Option<Algorithm>, SkipCause> {
        let name = self.alg.as_deref();
        name.map(|name| name.parse().map_err(|_| SkipCause::UnknownAlgorithm))
            .transpose()
    }

    fn kid(&self) -> Option<Arc<str>> {
        self.kid.as_deref().map(Arc::from)
    }
}

fn bytes(text: Option<&str>) -> Result<Vec<u8>, SkipCause> {
    let text = text.ok_or(SkipCause::NoJwk)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| SkipCause::NoJwk)
}

/// The examples of specifications that sign something else than claims.
#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Keys, Refusal};

    fn verify(key: &str, algorithm: Algorithm, token: &str) {
        let set = format!(r#"{{"keys":[{key}]}}"#);
        let mut keys = Keys::new();
        keys.replace(&Jwks::parse(set.as_bytes(), None).expect("a key set"));
        let (message, signature) = token.rsplit_once('.').expect("three parts");
        let mut signature = bytes(Some(signature)).expect("base64url");
        let verify = |signature: &[u8]| {
            let (right, wrong) = (message.as_bytes(), &message.as_bytes()[1..]);
            let of = |message| keys.verify(None, None, algorithm, message, signature);
            (of(right), of(wrong))
        };
        assert_eq!(verify(&signature), (Ok(()), Err(Refusal::BadSignature)));
        signature[7] ^= 1;
        assert_eq!(verify(&signature).0, Err(Refusal::BadSignature));
    }

    #[test]
    fn rfc_8037_a4_ed25519() {
        verify(
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            Algorithm::EdDSA,
            "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
        );
    }

    #[test]
    fn rfc_7520_4_2_rsa_pss() {
        verify(
            r#"{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"}"#,
            Algorithm::PS384,
            "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4.cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw",
        );
    }
}
