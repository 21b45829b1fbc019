//! Tokens for development and tests.

use std::time::Duration;

use serde_json::json;
use tidings_auth::Algorithm;
use tidings_auth::issue::{DEVELOPMENT_SECRET, Issue, issue};
use tidings_auth::jwt::{Verifier, VerifierConfig};
use tidings_auth::keys::{KeyError, Keys};
use tidings_core::security::Principal;

use crate::signing::{ISSUER, NOW, NOW_MS, SECRET, keys_for, verifier_of};

#[test]
fn a_verifier_accepts_what_is_issued() {
    let mut claims = tidings_core::security::Claims::new();
    claims.insert("team".into(), json!("red"));
    claims.insert("sub".into(), json!("somebody else"));
    let wanted = Issue {
        user: "ann".into(),
        roles: vec!["staff".into()],
        claims,
        issuer: Some(ISSUER.into()),
        audience: Some("tidings".into()),
        lifetime: Duration::from_secs(60),
        token_id: Some("t1".into()),
    };
    let token = issue(SECRET, &wanted, NOW_MS + 999).expect("a long secret");
    let verifier = verifier_of(|config| config.audiences = vec!["tidings".into()]);
    let expected = Principal::user("ann")
        .with_roles(["staff"])
        .with_token_id("t1")
        .expiring_at_ms(NOW_MS + 60_000)
        .with_claim("team", "red")
        .with_claim("sub", "ann")
        .with_claim("roles", json!(["staff"]))
        .with_claim("iss", ISSUER)
        .with_claim("aud", "tidings")
        .with_claim("jti", "t1")
        .with_claim("iat", NOW)
        .with_claim("exp", NOW + 60);
    assert_eq!(
        verifier.verify(&token, &keys_for(Algorithm::HS256), NOW_MS + 999, true),
        Ok(expected)
    );
}

#[test]
fn the_secret_of_development_signs_for_development() {
    let wanted = Issue {
        user: "ann".into(),
        lifetime: Duration::from_secs(1),
        ..Issue::default()
    };
    let token = issue(DEVELOPMENT_SECRET.as_bytes(), &wanted, NOW_MS).expect("a long secret");
    let mut keys = Keys::new();
    keys.add_development_secret(None).expect("a good key");
    let verifier =
        Verifier::new(VerifierConfig::default()).expect("a configuration that makes sense");
    assert!(verifier.verify(&token, &keys, NOW_MS, false).is_ok());
}

#[test]
fn nothing_is_signed_with_a_secret_that_no_verifier_takes() {
    let weak = issue(b"short", &Issue::default(), NOW_MS);
    assert_eq!(
        weak,
        Err(KeyError::WeakSecret {
            algorithm: Algorithm::HS256,
            need: 32,
            have: 5
        })
    );
}
