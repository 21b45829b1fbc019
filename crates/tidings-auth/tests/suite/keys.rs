//! Which key a token means, and which keys are taken.

use serde_json::json;
use tidings_auth::Algorithm;
use tidings_auth::issue::DEVELOPMENT_SECRET;
use tidings_auth::jwt::VerifyError;
use tidings_auth::keys::{KeyError, Keys, MAX_FIXED_KEYS, MAX_PEM_BYTES};

use crate::signing::{
    ISSUER, NOW_MS, SECRET, good_claims, jwk_for, jwks, pem, pem_for, sign, sign_with, verifier,
    verifier_of, with,
};

const OTHER: &str = "https://other.example";
const OTHER_SECRET: &[u8] = b"another secret, of an issuer that knows the same key ids";

fn verify(keys: &Keys, issuer: &str, kid: Option<&str>) -> Result<(), VerifyError> {
    let mut header = json!({"alg": "HS256"});
    if let Some(kid) = kid {
        header["kid"] = json!(kid);
    }
    let token = sign_with(
        Algorithm::HS256,
        &header,
        &with(good_claims(), json!({"iss": issuer})),
    );
    let verifier = verifier_of(|config| config.issuers.push(OTHER.into()));
    verifier.verify(&token, keys, NOW_MS, false).map(|_| ())
}

fn add(keys: &mut Keys, issuer: &str, kid: Option<&str>, secret: &[u8]) -> Result<(), KeyError> {
    keys.add_secret(Some(issuer), kid, Algorithm::HS256, secret)
}

/// CVE-2026-49998.
#[test]
fn a_key_of_one_issuer_never_verifies_a_token_of_another() {
    let mut keys = Keys::new();
    add(&mut keys, ISSUER, Some("k"), SECRET).expect("a good key");
    add(&mut keys, OTHER, Some("k"), OTHER_SECRET).expect("a good key");
    assert_eq!(verify(&keys, ISSUER, Some("k")), Ok(()));
    assert!(matches!(
        verify(&keys, OTHER, Some("k")),
        Err(VerifyError::Rejected(_))
    ));
    let published = with(jwk_for(Algorithm::ES256), json!({"kid": "p"}));
    keys.replace(&jwks(Some(ISSUER), std::slice::from_ref(&published)));
    let header = json!({"alg": "ES256", "kid": "p"});
    let token = sign_with(
        Algorithm::ES256,
        &header,
        &with(good_claims(), json!({"iss": OTHER})),
    );
    let verifier = verifier_of(|config| config.issuers.push(OTHER.into()));
    let unknown = VerifyError::UnknownKey {
        issuer: Some(OTHER.into()),
        kid: Some("p".into()),
    };
    assert_eq!(verifier.verify(&token, &keys, NOW_MS, false), Err(unknown));
}

/// CVE-2026-39972: "a" and "b_c" are not "a_b" and "c", whatever stands between.
#[test]
fn issuer_and_key_id_are_never_joined() {
    for between in ["_", "/", ":", "#", "\0", ""] {
        let mut keys = Keys::new();
        let issuer = format!("{ISSUER}{between}x");
        keys.add_secret(Some(&issuer), Some("k"), Algorithm::HS256, SECRET)
            .expect("a good key");
        let outcome = verify(&keys, ISSUER, Some(&format!("x{between}k")));
        assert!(
            matches!(outcome, Err(VerifyError::UnknownKey { .. })),
            "{between:?}: {outcome:?}"
        );
    }
}

#[test]
fn a_token_without_a_key_id_means_the_only_key_that_fits() {
    let mut keys = Keys::new();
    add(&mut keys, ISSUER, Some("k1"), SECRET).expect("a good key");
    keys.add_secret(Some(ISSUER), Some("k2"), Algorithm::HS512, SECRET)
        .expect("a good key");
    assert_eq!(verify(&keys, ISSUER, None), Ok(()));
    add(&mut keys, ISSUER, Some("k3"), OTHER_SECRET).expect("a good key");
    let outcome = verify(&keys, ISSUER, None);
    assert!(
        matches!(&outcome, Err(VerifyError::Rejected(cause)) if cause.contains("more than one")),
        "{outcome:?}"
    );
    assert_eq!(verify(&keys, ISSUER, Some("k1")), Ok(()));
}

#[test]
fn a_key_without_an_id_verifies_tokens_that_name_one_no_other_key_has() {
    let mut keys = Keys::new();
    add(&mut keys, ISSUER, None, SECRET).expect("a good key");
    assert_eq!(verify(&keys, ISSUER, Some("any")), Ok(()));
    add(&mut keys, ISSUER, Some("any"), OTHER_SECRET).expect("a good key");
    assert!(matches!(
        verify(&keys, ISSUER, Some("any")),
        Err(VerifyError::Rejected(_))
    ));
}

#[test]
fn an_unknown_key_id_is_told_apart_so_that_keys_can_be_fetched() {
    let mut keys = Keys::new();
    add(&mut keys, ISSUER, Some("old"), SECRET).expect("a good key");
    let unknown = VerifyError::UnknownKey {
        issuer: Some(ISSUER.into()),
        kid: Some("new".into()),
    };
    assert_eq!(verify(&keys, ISSUER, Some("new")), Err(unknown));
}

#[test]
fn short_secrets_are_refused_with_the_way_out() {
    for (algorithm, need) in [
        (Algorithm::HS256, 32),
        (Algorithm::HS384, 48),
        (Algorithm::HS512, 64),
    ] {
        let have = need - 1;
        let short = Keys::new().add_secret(None, None, algorithm, &SECRET[..have]);
        assert_eq!(
            short,
            Err(KeyError::WeakSecret {
                algorithm,
                need,
                have
            })
        );
        assert_eq!(
            Keys::new().add_secret(None, None, algorithm, &SECRET[..need]),
            Ok(())
        );
    }
    assert_eq!(
        add(&mut Keys::new(), ISSUER, None, b"short").map_err(|error| error.to_string()),
        Err("the secret has 5 bytes, and HS256 needs 32 or more; make one with `openssl rand -base64 32`".into())
    );
}

#[test]
fn the_secret_of_development_is_taken_only_by_name() {
    let development = DEVELOPMENT_SECRET.as_bytes();
    for algorithm in [Algorithm::HS256, Algorithm::HS384] {
        assert_eq!(
            Keys::new().add_secret(None, None, algorithm, development),
            Err(KeyError::DevelopmentSecret)
        );
    }
    assert_eq!(Keys::new().add_development_secret(None), Ok(()));
}

#[test]
fn two_keys_that_one_token_could_mean_are_refused() {
    let mut keys = Keys::new();
    add(&mut keys, ISSUER, Some("k"), SECRET).expect("a good key");
    assert_eq!(
        add(&mut keys, ISSUER, Some("k"), OTHER_SECRET),
        Err(KeyError::Duplicate)
    );
    assert_eq!(
        keys.add_secret(Some(ISSUER), Some("k"), Algorithm::HS384, SECRET),
        Ok(())
    );
    assert_eq!(
        keys.add_pem(Some(ISSUER), Some("r"), None, &pem_for(Algorithm::RS256)),
        Ok(())
    );
    let again = keys.add_pem(
        Some(ISSUER),
        Some("r"),
        Some(Algorithm::PS256),
        &pem_for(Algorithm::RS256),
    );
    assert_eq!(again, Err(KeyError::Duplicate));
    assert_eq!(keys.count(), 3);
}

#[test]
fn an_issuer_has_a_limited_number_of_keys() {
    let mut keys = Keys::new();
    for kid in 0..MAX_FIXED_KEYS {
        add(&mut keys, ISSUER, Some(&kid.to_string()), SECRET).expect("a good key");
    }
    assert_eq!(
        add(&mut keys, ISSUER, Some("one more"), SECRET),
        Err(KeyError::TooMany)
    );
    assert_eq!(add(&mut keys, OTHER, None, SECRET), Ok(()));
}

#[test]
fn only_one_public_key_is_taken_from_a_pem_text() {
    let good = pem_for(Algorithm::ES256);
    let refusal = |text: &str| {
        Keys::new()
            .add_pem(None, None, None, text)
            .expect_err("no key")
    };
    let relabelled = |label: &str| good.replace("PUBLIC KEY", label);
    for text in [
        "",
        "x",
        &relabelled("PRIVATE KEY"),
        &relabelled("CERTIFICATE"),
        &format!("{good}{good}"),
    ] {
        assert_eq!(refusal(text), KeyError::NotOnePublicKey, "{text}");
    }
    for text in [
        &good[..good.len() / 2],
        &pem("PUBLIC KEY", b"rubbish"),
        &relabelled("RSA PUBLIC KEY"),
    ] {
        assert_eq!(refusal(text), KeyError::Malformed, "{text}");
    }
    assert_eq!(
        refusal(&"x".repeat(MAX_PEM_BYTES + 1)),
        KeyError::TooLong {
            limit: MAX_PEM_BYTES
        }
    );
}

#[test]
fn an_rsa_key_in_its_older_form_is_taken() {
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("randomness");
    let text = pem("RSA PUBLIC KEY", pair.public_key().as_ref());
    assert_eq!(Keys::new().add_pem(None, None, None, &text), Ok(()));
}

#[test]
fn no_debug_shows_a_secret() {
    let mut keys = Keys::new();
    add(&mut keys, ISSUER, Some("k"), SECRET).expect("a good key");
    let text = format!("{keys:?}");
    assert!(text.contains(r#"Some("k")"#), "{text}");
    let bytes = format!("{SECRET:?}");
    assert!(
        !text.contains(bytes.trim_matches(['[', ']'])) && !text.contains("sixty-four"),
        "{text}"
    );
}

/// A session that is being verified while keys are replaced goes on with those it began with.
#[test]
fn replacing_keys_leaves_copies_and_fixed_keys_alone() {
    let published = |kid: &str| {
        jwks(
            Some(ISSUER),
            &[with(jwk_for(Algorithm::ES256), json!({"kid": kid}))],
        )
    };
    let token = |kid: &str| {
        sign_with(
            Algorithm::ES256,
            &json!({"alg": "ES256", "kid": kid}),
            &good_claims(),
        )
    };
    let mut keys = Keys::new();
    add(&mut keys, ISSUER, None, SECRET).expect("a good key");
    keys.replace(&published("old"));
    let before = keys.clone();
    keys.replace(&published("new"));
    let accepts = |keys: &Keys, token: &str| verifier().verify(token, keys, NOW_MS, false).is_ok();
    assert_eq!(
        (accepts(&keys, &token("old")), accepts(&keys, &token("new"))),
        (false, true)
    );
    assert_eq!(
        (
            accepts(&before, &token("old")),
            accepts(&before, &token("new"))
        ),
        (true, false)
    );
    assert!(accepts(&keys, &sign(Algorithm::HS256, &good_claims())));
    assert_eq!(keys.count(), 2);
}
