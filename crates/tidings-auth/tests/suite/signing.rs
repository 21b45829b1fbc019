//! Keys made for the run, and tokens signed with them, not by the code under test.

use std::sync::LazyLock;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tidings_auth::Algorithm;
use tidings_auth::jwt::{Verifier, VerifierConfig};
use tidings_auth::keys::{Jwks, Keys};

/// The time of all tests: a Saturday in 2033.
pub(crate) const NOW: u64 = 2_000_000_000;
pub(crate) const NOW_MS: u64 = NOW * 1000;

pub(crate) const SECRET: &[u8] =
    b"a secret of sixty-four bytes, long enough for HS512 and the others";
pub(crate) const ISSUER: &str = "https://issuer.example";

static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).expect("randomness"));
static P256: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("randomness"));
static P384: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("randomness"));
static ED25519: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::generate().expect("randomness"));

pub(crate) fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

/// A token with this header and these claims, its signature made as the algorithm says, whatever the header says.
pub(crate) fn sign_with(algorithm: Algorithm, header: &Value, claims: &Value) -> String {
    let message = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    );
    let signature = signature(algorithm, message.as_bytes());
    format!("{message}.{}", encode(signature))
}

pub(crate) fn sign(algorithm: Algorithm, claims: &Value) -> String {
    sign_with(
        algorithm,
        &json!({"alg": algorithm.name(), "typ": "JWT"}),
        claims,
    )
}

/// Claims that a [`verifier`] accepts.
pub(crate) fn good_claims() -> Value {
    json!({"iss": ISSUER, "sub": "ann", "iat": NOW, "exp": NOW + 60})
}

/// A verifier of all algorithms for [`ISSUER`], without leeway.
pub(crate) fn verifier() -> Verifier {
    verifier_of(|_| {})
}

pub(crate) fn verifier_of(change: impl FnOnce(&mut VerifierConfig)) -> Verifier {
    let mut config = VerifierConfig {
        issuers: vec![ISSUER.into()],
        algorithms: Algorithm::ALL.to_vec(),
        leeway: std::time::Duration::ZERO,
        ..VerifierConfig::default()
    };
    change(&mut config);
    Verifier::new(config).expect("a configuration that makes sense")
}

/// The one key that verifies what [`sign`] signs.
pub(crate) fn keys_for(algorithm: Algorithm) -> Keys {
    let mut keys = Keys::new();
    if algorithm.is_costly() {
        keys.add_pem(Some(ISSUER), None, Some(algorithm), &pem_for(algorithm))
            .expect("a good key");
    } else {
        keys.add_secret(Some(ISSUER), None, algorithm, SECRET)
            .expect("a good key");
    }
    keys
}

/// The public key of an algorithm in PEM.
pub(crate) fn pem_for(algorithm: Algorithm) -> String {
    pem("PUBLIC KEY", &der_for(algorithm))
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(String::from_utf8_lossy)
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

fn der_for(algorithm: Algorithm) -> Vec<u8> {
    let der = match algorithm {
        Algorithm::ES256 => P256.public_key().as_der(),
        Algorithm::ES384 => P384.public_key().as_der(),
        Algorithm::EdDSA => ED25519.public_key().as_der(),
        _ => RSA.public_key().as_der(),
    };
    der.expect("a key that can be written").as_ref().to_vec()
}

/// The public key of an algorithm as a JWK, without `kid`, `alg` and `use`.
pub(crate) fn jwk_for(algorithm: Algorithm) -> Value {
    match algorithm {
        Algorithm::ES256 => elliptic("P-256", P256.public_key().as_ref()),
        Algorithm::ES384 => elliptic("P-384", P384.public_key().as_ref()),
        Algorithm::EdDSA => {
            json!({"kty": "OKP", "crv": "Ed25519", "x": encode(ED25519.public_key())})
        }
        _ => {
            let parts = RsaPublicKeyComponents::<Vec<u8>>::from(RSA.public_key());
            json!({"kty": "RSA", "n": encode(parts.n), "e": encode(parts.e)})
        }
    }
}

fn elliptic(curve: &str, point: &[u8]) -> Value {
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
}

/// With more members.
pub(crate) fn with(mut value: Value, more: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut value, more) else {
        panic!("two objects");
    };
    all.extend(more);
    value
}

pub(crate) fn jwks(issuer: Option<&str>, keys: &[Value]) -> Jwks {
    Jwks::parse(json!({"keys": keys}).to_string().as_bytes(), issuer).expect("a key set")
}

pub(crate) fn signature(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::HS256 => tag(hmac::HMAC_SHA256, SECRET, message),
        Algorithm::HS384 => tag(hmac::HMAC_SHA384, SECRET, message),
        Algorithm::HS512 => tag(hmac::HMAC_SHA512, SECRET, message),
        Algorithm::RS256 => rsa(&signature::RSA_PKCS1_SHA256, message),
        Algorithm::RS384 => rsa(&signature::RSA_PKCS1_SHA384, message),
        Algorithm::RS512 => rsa(&signature::RSA_PKCS1_SHA512, message),
        Algorithm::PS256 => rsa(&signature::RSA_PSS_SHA256, message),
        Algorithm::PS384 => rsa(&signature::RSA_PSS_SHA384, message),
        Algorithm::PS512 => rsa(&signature::RSA_PSS_SHA512, message),
        Algorithm::ES256 => ecdsa(&P256, message),
        Algorithm::ES384 => ecdsa(&P384, message),
        Algorithm::EdDSA => ED25519.sign(message).as_ref().to_vec(),
        _ => panic!("no key for {algorithm}"),
    }
}

pub(crate) fn tag(algorithm: hmac::Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(algorithm, secret), message)
        .as_ref()
        .to_vec()
}

fn rsa(encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; RSA.public_modulus_len()];
    RSA.sign(encoding, &SystemRandom::new(), message, &mut signature)
        .expect("a signature");
    signature
}

fn ecdsa(pair: &EcdsaKeyPair, message: &[u8]) -> Vec<u8> {
    pair.sign(&SystemRandom::new(), message)
        .expect("a signature")
        .as_ref()
        .to_vec()
}
