//! Each algorithm: what its key accepts, and what it refuses.

use serde_json::json;
use tidings_auth::Algorithm;
use tidings_auth::jwt::VerifyError;
use tidings_auth::keys::Keys;

use crate::signing::{
    ISSUER, NOW_MS, SECRET, good_claims, jwk_for, jwks, keys_for, pem_for, sign, sign_with,
    verifier, verifier_of, with,
};

#[test]
fn a_token_is_accepted_with_its_own_algorithm_and_with_no_other() {
    let verifier = verifier();
    for &signed in Algorithm::ALL {
        let token = sign(signed, &good_claims());
        for &pinned in Algorithm::ALL {
            let outcome = verifier.verify(&token, &keys_for(pinned), NOW_MS, false);
            if signed == pinned {
                let principal = outcome.unwrap_or_else(|error| panic!("{signed}: {error}"));
                assert_eq!(principal.name.as_deref(), Some("ann"));
            } else {
                let unknown = VerifyError::UnknownKey {
                    issuer: Some(ISSUER.into()),
                    kid: None,
                };
                assert_eq!(outcome, Err(unknown), "{signed} with a key for {pinned}");
            }
        }
    }
}

#[test]
fn a_header_that_names_another_algorithm_than_it_was_signed_with_is_refused() {
    let verifier = verifier();
    for &signed in Algorithm::ALL {
        for &named in Algorithm::ALL.iter().filter(|&&named| named != signed) {
            let token = sign_with(signed, &json!({"alg": named.name()}), &good_claims());
            let outcome = verifier.verify(&token, &keys_for(named), NOW_MS, false);
            assert!(
                matches!(outcome, Err(VerifyError::Rejected(_))),
                "{signed} named {named}"
            );
        }
    }
}

#[test]
fn an_algorithm_that_is_not_configured_is_refused_before_any_key_is_looked_at() {
    for &signed in Algorithm::ALL {
        let others = Algorithm::ALL
            .iter()
            .copied()
            .filter(|&one| one != signed)
            .collect();
        let verifier = verifier_of(|config| config.algorithms = others);
        let outcome = verifier.inspect(&sign(signed, &good_claims()));
        let Err(VerifyError::Rejected(cause)) = outcome else {
            panic!("{signed}: {outcome:?}");
        };
        assert!(cause.contains("jwt.algorithms"), "{cause}");
    }
}

/// What was inspected by a verifier that accepts more, before a reload, is checked as the later one says.
#[test]
fn a_token_that_another_verifier_has_inspected_is_checked_in_full() {
    let token = sign(Algorithm::HS256, &good_claims());
    let seen = verifier().inspect(&token).expect("a token");
    let keys = keys_for(Algorithm::HS256);
    let other_issuer = verifier_of(|config| config.issuers = vec!["https://other.example".into()]);
    let other_algorithm = verifier_of(|config| config.algorithms = vec![Algorithm::HS384]);
    for later in [other_issuer, other_algorithm] {
        assert!(matches!(
            later.check(&seen, &keys, NOW_MS, false),
            Err(VerifyError::Rejected(_))
        ));
    }
    assert!(verifier().check(&seen, &keys, NOW_MS, false).is_ok());
}

#[test]
fn inspecting_tells_whose_it_is_and_what_it_will_cost() {
    for &algorithm in Algorithm::ALL {
        let header = json!({"alg": algorithm.name(), "kid": "k1"});
        let token = sign_with(algorithm, &header, &good_claims());
        let seen = verifier().inspect(&token).expect("a token");
        assert_eq!((seen.issuer(), seen.kid()), (Some(ISSUER), Some("k1")));
        assert_eq!(seen.algorithm(), algorithm);
        assert_eq!(seen.is_costly(), !algorithm.name().starts_with("HS"));
        assert!(!format!("{seen:?}").contains("ann"));
    }
}

#[test]
fn a_published_key_without_an_algorithm_verifies_those_of_its_kind() {
    for &published in Algorithm::ALL.iter().filter(|one| one.is_costly()) {
        let mut keys = Keys::new();
        keys.replace(&jwks(Some(ISSUER), &[jwk_for(published)]));
        for &signed in Algorithm::ALL {
            let outcome = verifier().verify(&sign(signed, &good_claims()), &keys, NOW_MS, false);
            let is_rsa =
                |one: Algorithm| one.name().contains("S") && one.name().starts_with(['R', 'P']);
            let fits = signed == published || is_rsa(signed) && is_rsa(published);
            assert_eq!(
                outcome.is_ok(),
                fits,
                "{signed} with a key of {published}: {outcome:?}"
            );
        }
    }
}

#[test]
fn a_published_key_with_an_algorithm_is_pinned_to_it() {
    let key = with(
        jwk_for(Algorithm::RS256),
        json!({"alg": "RS256", "kid": "k1"}),
    );
    let mut keys = Keys::new();
    keys.replace(&jwks(Some(ISSUER), &[key]));
    for (algorithm, is_accepted) in [
        (Algorithm::RS256, true),
        (Algorithm::PS256, false),
        (Algorithm::RS512, false),
    ] {
        let header = json!({"alg": algorithm.name(), "kid": "k1"});
        let outcome = verifier().verify(
            &sign_with(algorithm, &header, &good_claims()),
            &keys,
            NOW_MS,
            false,
        );
        assert_eq!(outcome.is_ok(), is_accepted, "{algorithm}: {outcome:?}");
        assert!(
            !matches!(outcome, Err(VerifyError::UnknownKey { .. })),
            "it causes no fetch"
        );
    }
}

/// A public key, which everybody knows, must never serve as the secret of an HMAC.
#[test]
fn a_public_key_is_no_secret() {
    use aws_lc_rs::hmac;
    for &pinned in Algorithm::ALL.iter().filter(|one| one.is_costly()) {
        let pem = pem_for(pinned);
        for (name, algorithm) in [
            ("HS256", hmac::HMAC_SHA256),
            ("HS384", hmac::HMAC_SHA384),
            ("HS512", hmac::HMAC_SHA512),
        ] {
            let header = crate::signing::encode(json!({"alg": name}).to_string());
            let message = format!(
                "{header}.{}",
                crate::signing::encode(good_claims().to_string())
            );
            let tag = crate::signing::tag(algorithm, pem.as_bytes(), message.as_bytes());
            let token = format!("{message}.{}", crate::signing::encode(tag));
            let outcome = verifier().verify(&token, &keys_for(pinned), NOW_MS, false);
            assert!(outcome.is_err(), "{name} with the key of {pinned}");
        }
    }
}

#[test]
fn a_key_is_not_taken_for_an_algorithm_of_another_kind() {
    let (costly, cheap): (Vec<_>, Vec<_>) = Algorithm::ALL.iter().partition(|one| one.is_costly());
    for algorithm in cheap {
        assert!(
            Keys::new()
                .add_secret(Some(ISSUER), None, algorithm, SECRET)
                .is_ok()
        );
        for &public in &costly {
            assert!(
                Keys::new()
                    .add_pem(None, None, Some(algorithm), &pem_for(public))
                    .is_err()
            );
        }
    }
    for &algorithm in &costly {
        assert!(
            Keys::new()
                .add_secret(Some(ISSUER), None, algorithm, SECRET)
                .is_err()
        );
        for &public in &costly {
            let added = Keys::new().add_pem(None, None, Some(algorithm), &pem_for(public));
            let is_same_kind = pem_for(public) == pem_for(algorithm);
            assert_eq!(
                added.is_ok(),
                is_same_kind,
                "{algorithm} with the key of {public}"
            );
        }
    }
}
