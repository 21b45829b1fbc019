//! What a principal gets from a token, and which claims are asked for.

use serde_json::{Value, json};
use tidings_auth::Algorithm;
use tidings_auth::jwt::{ConfigError, Verifier, VerifierConfig, VerifyError};
use tidings_auth::keys::Keys;
use tidings_core::security::Principal;

use crate::signing::{ISSUER, NOW_MS, SECRET, good_claims, keys_for, sign, verifier_of, with};

fn verify(more: Value, change: impl FnOnce(&mut VerifierConfig)) -> Result<Principal, VerifyError> {
    let token = sign(Algorithm::HS256, &with(good_claims(), more));
    verifier_of(change).verify(&token, &keys_for(Algorithm::HS256), NOW_MS, false)
}

fn roles(more: Value, path: &str) -> Option<Vec<String>> {
    let principal = verify(more, |config| config.roles_claim = path.into()).ok()?;
    Some(
        principal
            .roles
            .iter()
            .map(|role| role.to_string())
            .collect(),
    )
}

#[test]
fn a_principal_has_all_that_the_token_says() {
    let more = json!({"jti": "t1", "roles": ["staff", "admin"], "teams": [1, 2]});
    let claims = with(good_claims(), more.clone());
    let expected = claims.as_object().expect("an object").iter().fold(
        Principal::user("ann")
            .with_roles(["staff", "admin"])
            .with_token_id("t1")
            .expiring_at_ms(NOW_MS + 60_000),
        |principal, (name, value)| principal.with_claim(name, value.clone()),
    );
    assert_eq!(verify(more, |_| {}), Ok(expected));
}

#[test]
fn the_name_is_the_configured_claim_and_a_string() {
    let named =
        |more: Value| verify(more, |config| config.name_claim = "email".into()).map(|one| one.name);
    assert_eq!(
        named(json!({"email": "ann@example.org"})),
        Ok(Some("ann@example.org".into()))
    );
    for more in [
        json!({}),
        json!({"email": ""}),
        json!({"email": 7}),
        json!({"email": null}),
    ] {
        assert!(matches!(named(more), Err(VerifyError::Rejected(_))));
    }
}

#[test]
fn roles_come_from_lists_strings_and_paths() {
    let some = |all: &[&str]| Some(all.iter().map(|&role| role.to_owned()).collect::<Vec<_>>());
    for (more, path, expected) in [
        (json!({"roles": ["a", "b c"]}), "roles", some(&["a", "b c"])),
        (
            json!({"scope": " read  write "}),
            "scope",
            some(&["read", "write"]),
        ),
        (
            json!({"realm_access": {"roles": ["a"]}}),
            "realm_access.roles",
            some(&["a"]),
        ),
        (
            json!({"realm_access": {"roles": null}}),
            "realm_access.roles",
            some(&[]),
        ),
        (
            json!({"realm_access": ["roles"]}),
            "realm_access.roles",
            some(&[]),
        ),
        (
            json!({"https://a.b/roles": ["a"]}),
            "https://a.b/roles",
            some(&["a"]),
        ),
        (json!({}), "roles", some(&[])),
        (json!({}), "a.b.c", some(&[])),
        (json!({"roles": [1]}), "roles", None),
        (json!({"roles": {"a": 1}}), "roles", None),
        (json!({"roles": true}), "roles", None),
    ] {
        assert_eq!(roles(more.clone(), path), expected, "{more} at {path}");
    }
}

#[test]
fn a_token_must_be_for_us() {
    let ours = || vec!["tidings".to_owned(), "chat".to_owned()];
    for (audience, of_nobody, of_ours) in [
        (json!({}), true, false),
        (json!({"aud": "chat"}), false, true),
        (json!({"aud": ["other", "tidings"]}), false, true),
        (json!({"aud": ["other"]}), false, false),
        (json!({"aud": "tiding"}), false, false),
        (json!({"aud": "tidings chat"}), false, false),
        (json!({"aud": []}), false, false),
        (json!({"aud": null}), false, false),
        (json!({"aud": {"tidings": 1}}), false, false),
    ] {
        assert_eq!(
            verify(audience.clone(), |_| {}).is_ok(),
            of_nobody,
            "{audience}"
        );
        assert_eq!(
            verify(audience.clone(), |config| config.audiences = ours()).is_ok(),
            of_ours,
            "{audience}"
        );
    }
}

#[test]
fn a_token_must_be_by_a_configured_issuer() {
    for issuer in [
        json!("https://issuer.example/"),
        json!("https://Issuer.example"),
        json!([ISSUER]),
        json!(null),
        json!(""),
    ] {
        let outcome = verify(json!({"iss": issuer}), |_| {});
        assert!(
            matches!(outcome, Err(VerifyError::Rejected(_))),
            "{issuer}: {outcome:?}"
        );
    }
}

#[test]
fn without_issuers_only_keys_without_an_issuer_verify() {
    let mut keys = Keys::new();
    keys.add_secret(None, None, Algorithm::HS256, SECRET)
        .expect("a good key");
    let open = verifier_of(|config| config.issuers.clear());
    let token = sign(Algorithm::HS256, &good_claims());
    assert!(open.verify(&token, &keys, NOW_MS, false).is_ok());
    let of_issuer = keys_for(Algorithm::HS256);
    assert_eq!(
        open.verify(&token, &of_issuer, NOW_MS, false),
        Err(VerifyError::UnknownKey {
            issuer: None,
            kid: None
        })
    );
    assert!(
        verifier_of(|_| {})
            .verify(&token, &keys, NOW_MS, false)
            .is_err()
    );
}

#[test]
fn required_claims_must_be_there() {
    let verify = |more: Value| {
        verify(more, |config| {
            config.required_claims = vec!["tenant".into()]
        })
    };
    assert!(verify(json!({"tenant": false})).is_ok());
    for more in [json!({}), json!({"tenant": null})] {
        assert_eq!(
            verify(more),
            Err(VerifyError::Rejected("it lacks the claim tenant".into()))
        );
    }
}

#[test]
fn a_configuration_without_algorithms_or_with_empty_names_makes_no_verifier() {
    type Change = fn(&mut VerifierConfig);
    let cases: [(Change, ConfigError); 5] = [
        (|config| config.algorithms.clear(), ConfigError::NoAlgorithm),
        (|config| config.name_claim.clear(), ConfigError::EmptyClaim),
        (|config| config.roles_claim.clear(), ConfigError::EmptyClaim),
        (
            |config| config.required_claims.push(String::new()),
            ConfigError::EmptyClaim,
        ),
        (
            |config| config.audiences.push(String::new()),
            ConfigError::EmptyName,
        ),
    ];
    for (change, expected) in cases {
        let mut config = VerifierConfig::default();
        change(&mut config);
        assert_eq!(Verifier::new(config).err(), Some(expected));
    }
}
