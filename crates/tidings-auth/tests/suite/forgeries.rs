//! Tokens that somebody has tampered with, or made up.

use proptest::prelude::*;
use serde_json::{Value, json};
use tidings_auth::Algorithm;
use tidings_auth::jwt::{MAX_TOKEN_BYTES, VerifyError};
use tidings_core::security::AuthenticationError;

use crate::signing::{NOW_MS, encode, good_claims, keys_for, sign, sign_with, verifier, with};

/// Why the token is refused.
fn refusal(token: &str, algorithm: Algorithm) -> String {
    match verifier().verify(token, &keys_for(algorithm), NOW_MS, false) {
        Err(VerifyError::Rejected(cause)) => cause.into_owned(),
        other => panic!("{token}: {other:?}"),
    }
}

#[test]
fn any_altered_character_makes_a_token_worthless() {
    for algorithm in [
        Algorithm::HS256,
        Algorithm::ES256,
        Algorithm::EdDSA,
        Algorithm::RS256,
        Algorithm::PS384,
    ] {
        let token = sign(algorithm, &good_claims());
        let (verifier, keys) = (verifier(), keys_for(algorithm));
        assert!(verifier.verify(&token, &keys, NOW_MS, false).is_ok());
        for at in 0..token.len() {
            for other in ["A", "B", "_", "=", ".", "", " "] {
                let altered = format!("{}{other}{}", &token[..at], &token[at + 1..]);
                if altered != token {
                    let outcome = verifier.verify(&altered, &keys, NOW_MS, false);
                    assert!(outcome.is_err(), "{algorithm} at {at}: {other:?}");
                }
            }
        }
        for cut in 0..token.len() {
            assert!(
                verifier
                    .verify(&token[..cut], &keys, NOW_MS, false)
                    .is_err(),
                "cut at {cut}"
            );
        }
    }
}

#[test]
fn a_token_without_a_signature_is_refused() {
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let message = format!(
            "{}.{}",
            encode(json!({"alg": name}).to_string()),
            encode(good_claims().to_string())
        );
        for token in [
            format!("{message}."),
            message.clone(),
            format!("{message}.{}", encode("none")),
        ] {
            refusal(&token, Algorithm::HS256);
        }
    }
    let signed = sign(Algorithm::HS256, &good_claims());
    let (message, _) = signed.rsplit_once('.').expect("three parts");
    assert_eq!(
        refusal(&format!("{message}."), Algorithm::HS256),
        "its signature is not by the key of its issuer"
    );
}

#[test]
fn headers_that_ask_for_more_than_is_known_are_refused() {
    let claims = good_claims();
    let forged = |header: Value| {
        refusal(
            &sign_with(Algorithm::HS256, &header, &claims),
            Algorithm::HS256,
        )
    };
    for crit in [
        json!(["exp"]),
        json!(["b64"]),
        json!([]),
        json!("exp"),
        json!({}),
        json!(null),
        json!(0),
    ] {
        let cause = forged(json!({"alg": "HS256", "crit": crit, "b64": false}));
        assert!(cause.contains("crit"), "{crit}: {cause}");
    }
    for header in [
        json!({"alg": ["HS256"]}),
        json!({"alg": null}),
        json!({}),
        json!([]),
        json!("HS256"),
        json!({"alg": "HS256", "kid": 1}),
        json!({"alg": "HS256", "kid": "k".repeat(257)}),
        json!({"alg": "ES512"}),
        json!({"alg": "hs256"}),
        json!({"alg": "dir", "enc": "A128GCM"}),
    ] {
        forged(header);
    }
}

/// RFC 7515, section 4: a member that comes twice. Which one counts must not be a matter of taste.
#[test]
fn a_header_that_says_something_twice_is_refused() {
    let claims = encode(good_claims().to_string());
    let message = format!("{}.{claims}", encode(r#"{"alg":"none","alg":"HS256"}"#));
    let tag = crate::signing::signature(Algorithm::HS256, message.as_bytes());
    refusal(&format!("{message}.{}", encode(tag)), Algorithm::HS256);
}

/// CVE-2026-32301: nothing that a token brings is taken for a key, nor for the address of one.
#[test]
fn a_token_that_brings_its_own_key_is_verified_with_ours() {
    let brought = json!({
        "alg": "ES256", "jku": "https://evil.example/keys", "x5u": "https://evil.example/cert",
        "jwk": crate::signing::jwk_for(Algorithm::ES256), "x5c": ["AAAA"],
    });
    let token = sign_with(Algorithm::ES256, &brought, &good_claims());
    assert!(
        verifier()
            .verify(&token, &keys_for(Algorithm::ES256), NOW_MS, false)
            .is_ok()
    );
    let none = verifier().verify(&token, &keys_for(Algorithm::RS256), NOW_MS, false);
    assert!(
        matches!(none, Err(VerifyError::UnknownKey { .. })),
        "{none:?}"
    );
}

#[test]
fn a_token_may_be_as_long_as_the_limit_and_no_longer() {
    let token = |filler: usize| {
        sign(
            Algorithm::HS256,
            &with(good_claims(), json!({"f": "x".repeat(filler)})),
        )
    };
    let filler = (0..MAX_TOKEN_BYTES)
        .rev()
        .find(|&filler| token(filler).len() <= MAX_TOKEN_BYTES)
        .expect("one fits");
    let (verifier, keys) = (verifier(), keys_for(Algorithm::HS256));
    assert!(
        verifier
            .verify(&token(filler), &keys, NOW_MS, false)
            .is_ok()
    );
    assert_eq!(
        refusal(&token(filler + 1), Algorithm::HS256),
        "it is longer than 8 KiB"
    );
}

#[test]
fn the_client_hears_neither_what_was_wrong_nor_what_it_sent() {
    let error = verifier()
        .verify("a.b.c", &keys_for(Algorithm::HS256), NOW_MS, false)
        .expect_err("no token");
    assert_eq!(
        AuthenticationError::from(error),
        AuthenticationError::Rejected(
            "the token is not accepted; the log of the server says why, at the level debug".into()
        )
    );
    assert_eq!(
        AuthenticationError::from(VerifyError::Expired),
        AuthenticationError::Expired
    );
    let unknown = VerifyError::UnknownKey {
        issuer: Some("https://a".into()),
        kid: Some("\u{1b}[2Jk".into()),
    };
    assert_eq!(
        unknown.to_string(),
        r#"the token is by issuer "https://a", of which no such key is known: kid "\u{1b}[2Jk""#
    );
}

proptest! {
    #[test]
    fn no_text_is_a_token_by_accident(text in "\\PC*|[A-Za-z0-9_.-]*|(e[A-Za-z0-9_-]{0,40}\\.){2}[A-Za-z0-9_-]*") {
        crate::invariants::check_token(text.as_bytes());
    }

    #[test]
    fn no_json_is_a_token_without_a_signature(header in "\\{\"alg\":\"(HS256|none|ES256)\"(,\"kid\":\"[a-z]{0,3}\")?\\}", claims in "\\{(\"(exp|iss|nbf)\":(1e99|-1|\"x\"|null|\\[\\]),?){0,3}\\}") {
        crate::invariants::check_token(format!("{}.{}.AAAA", encode(header), encode(claims)).as_bytes());
    }
}
