//! Key sets as issuers publish them.

use serde_json::{Value, json};
use tidings_auth::Algorithm;
use tidings_auth::keys::{Jwks, JwksError, KeyError, MAX_JWKS_BYTES, MAX_JWKS_KEYS, SkipCause};

use crate::signing::{SECRET, encode, jwk_for, jwks, with};

fn cause_of(key: Value) -> SkipCause {
    let good = jwk_for(Algorithm::EdDSA);
    let set = jwks(None, &[good, key.clone()]);
    assert_eq!(set.count(), 1, "{key}");
    assert_eq!(set.skipped()[0].index, 1);
    set.skipped()[0].cause.clone()
}

#[test]
fn keys_that_are_of_no_use_are_skipped_and_the_others_stay() {
    let (rsa, p256, ed) = (
        jwk_for(Algorithm::RS256),
        jwk_for(Algorithm::ES256),
        jwk_for(Algorithm::EdDSA),
    );
    let malformed = || SkipCause::Key(KeyError::Malformed);
    for (key, cause) in [
        (
            with(rsa.clone(), json!({"use": "enc"})),
            SkipCause::OtherUse,
        ),
        (
            with(rsa.clone(), json!({"key_ops": ["encrypt"]})),
            SkipCause::OtherUse,
        ),
        (
            with(rsa.clone(), json!({"alg": "RSA-OAEP"})),
            SkipCause::UnknownAlgorithm,
        ),
        (
            with(rsa.clone(), json!({"alg": "none"})),
            SkipCause::UnknownAlgorithm,
        ),
        (
            with(rsa.clone(), json!({"alg": "HS256"})),
            SkipCause::Key(KeyError::WrongAlgorithm {
                algorithm: Algorithm::HS256,
            }),
        ),
        (
            with(rsa.clone(), json!({"alg": "ES256"})),
            SkipCause::Key(KeyError::WrongAlgorithm {
                algorithm: Algorithm::ES256,
            }),
        ),
        (
            with(rsa.clone(), json!({"n": encode([0xff; 128])})),
            SkipCause::Key(KeyError::RsaSize { bits: 1024 }),
        ),
        (
            with(rsa.clone(), json!({"n": encode([0xff; 1025])})),
            SkipCause::Key(KeyError::RsaSize { bits: 8200 }),
        ),
        (with(rsa.clone(), json!({"e": encode([2])})), malformed()),
        (with(rsa.clone(), json!({"e": ""})), malformed()),
        (
            with(rsa.clone(), json!({"e": encode([0xff; 6])})),
            malformed(),
        ),
        (with(rsa.clone(), json!({"n": null})), SkipCause::NoJwk),
        (with(rsa.clone(), json!({"n": "a+b/"})), SkipCause::NoJwk),
        (with(rsa, json!({"kid": 5})), SkipCause::NoJwk),
        (
            with(p256.clone(), json!({"alg": "ES384"})),
            SkipCause::Key(KeyError::WrongAlgorithm {
                algorithm: Algorithm::ES384,
            }),
        ),
        (with(p256.clone(), json!({"crv": "P-384"})), malformed()),
        (
            with(p256.clone(), json!({"crv": "P-521"})),
            SkipCause::UnknownKind,
        ),
        (
            with(p256.clone(), json!({"crv": "secp256k1"})),
            SkipCause::UnknownKind,
        ),
        (with(p256, json!({"x": encode([1; 31])})), malformed()),
        (
            with(ed.clone(), json!({"crv": "X25519"})),
            SkipCause::UnknownKind,
        ),
        (
            with(ed.clone(), json!({"crv": "Ed448"})),
            SkipCause::UnknownKind,
        ),
        (with(ed, json!({"x": encode([1; 33])})), malformed()),
        (
            json!({"kty": "oct", "k": encode(SECRET)}),
            SkipCause::Secret,
        ),
        (
            json!({"kty": "AKP", "alg": "ML-DSA-44"}),
            SkipCause::UnknownKind,
        ),
        (json!({"kty": "EC"}), SkipCause::UnknownKind),
        (json!({}), SkipCause::NoJwk),
        (json!(7), SkipCause::NoJwk),
    ] {
        assert_eq!(cause_of(key.clone()), cause, "{key}");
    }
}

#[test]
fn the_second_key_of_an_id_and_algorithm_is_skipped() {
    let named = |more: Value| with(jwk_for(Algorithm::RS256), with(json!({"kid": "k"}), more));
    let set = jwks(
        None,
        &[
            named(json!({"alg": "RS256"})),
            named(json!({"alg": "RS256"})),
            named(json!({"alg": "PS256"})),
            named(json!({})),
        ],
    );
    let skipped: Vec<_> = set
        .skipped()
        .iter()
        .map(|one| (one.index, one.cause.clone()))
        .collect();
    let duplicate = SkipCause::Key(KeyError::Duplicate);
    assert_eq!(skipped, [(1, duplicate.clone()), (3, duplicate)]);
}

#[test]
fn leading_zeros_of_a_modulus_do_not_count() {
    let n = [&[0, 0], &[0xff; 256][..]].concat();
    let key = with(
        jwk_for(Algorithm::RS256),
        json!({"n": encode(n), "e": encode([0, 1, 0, 1])}),
    );
    assert_eq!(jwks(None, &[key]).count(), 1);
}

#[test]
fn what_could_only_lock_everybody_out_is_no_key_set() {
    let parse = |json: &str| Jwks::parse(json.as_bytes(), None).map(|set| set.count());
    for text in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "<html>",
        r#"{"keys":[]} x"#,
    ] {
        assert_eq!(parse(text), Err(JwksError::NoKeySet), "{text}");
    }
    for text in [r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA"}]}"#] {
        assert_eq!(parse(text), Err(JwksError::NoKeys), "{text}");
    }
}

#[test]
fn a_key_set_has_limits() {
    let key = jwk_for(Algorithm::ES256);
    let set = |count: usize| json!({"keys": vec![&key; count]}).to_string();
    let parse = |json: String| Jwks::parse(json.as_bytes(), None).map(|set| set.count());
    assert_eq!(parse(set(MAX_JWKS_KEYS)), Ok(MAX_JWKS_KEYS));
    assert_eq!(parse(set(MAX_JWKS_KEYS + 1)), Err(JwksError::TooManyKeys));
    let padded = |bytes: usize| set(1) + &" ".repeat(bytes - set(1).len());
    assert_eq!(parse(padded(MAX_JWKS_BYTES)), Ok(1));
    assert_eq!(parse(padded(MAX_JWKS_BYTES + 1)), Err(JwksError::TooLong));
}
