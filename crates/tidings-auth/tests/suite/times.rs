//! When a token is valid.

use std::time::Duration;

use serde_json::{Value, json};
use tidings_auth::Algorithm;
use tidings_auth::jwt::VerifyError;

use crate::signing::{ISSUER, NOW, NOW_MS, keys_for, sign, verifier_of};

const LEEWAY: u64 = 30;

fn verify(times: &Value, now_ms: u64, leeway: u64, is_ticket: bool) -> Result<u64, VerifyError> {
    let claims = crate::signing::with(json!({"iss": ISSUER, "sub": "ann"}), times.clone());
    let verifier = verifier_of(|config| {
        config.leeway = Duration::from_secs(leeway);
        config.max_ticket_lifetime = Duration::from_secs(60);
    });
    verifier
        .verify(
            &sign(Algorithm::HS256, &claims),
            &keys_for(Algorithm::HS256),
            now_ms,
            is_ticket,
        )
        .map(|principal| principal.expires_at_ms.expect("every token ends"))
}

#[test]
fn a_token_ends_with_the_first_millisecond_of_its_end() {
    let times = json!({"exp": NOW});
    assert_eq!(verify(&times, NOW_MS - 1, 0, false), Ok(NOW_MS));
    assert_eq!(verify(&times, NOW_MS, 0, false), Err(VerifyError::Expired));
    assert_eq!(
        verify(&times, NOW_MS + 1, 0, false),
        Err(VerifyError::Expired)
    );
}

#[test]
fn leeway_puts_the_end_off() {
    let (times, end) = (json!({"exp": NOW}), NOW_MS + LEEWAY * 1000);
    assert_eq!(verify(&times, NOW_MS, LEEWAY, false), Ok(end));
    assert_eq!(verify(&times, end - 1, LEEWAY, false), Ok(end));
    assert_eq!(
        verify(&times, end, LEEWAY, false),
        Err(VerifyError::Expired)
    );
}

#[test]
fn a_token_begins_when_it_says_less_the_leeway() {
    for name in ["nbf", "iat"] {
        let times = json!({"exp": NOW + 1000, name: NOW});
        for leeway in [0, LEEWAY] {
            let begin = NOW_MS - leeway * 1000;
            assert!(verify(&times, begin, leeway, false).is_ok(), "{name}");
            let early = verify(&times, begin - 1, leeway, false);
            assert!(
                matches!(early, Err(VerifyError::Rejected(_))),
                "{name}: {early:?}"
            );
        }
    }
}

#[test]
fn a_token_without_an_end_is_refused() {
    let outcome = verify(&json!({}), NOW_MS, 0, false);
    assert_eq!(
        outcome,
        Err(VerifyError::Rejected(
            "it has no end (exp); have it issued with one".into()
        ))
    );
}

/// CVE-2026-25537.
#[test]
fn a_time_that_is_no_number_is_refused() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!("99999999999"),
            json!("x"),
            json!(null),
            json!([NOW]),
            json!({}),
            json!(true),
        ] {
            let times = crate::signing::with(json!({"exp": NOW + 10}), json!({name: value}));
            let outcome = verify(&times, NOW_MS, 0, false);
            assert_eq!(
                outcome,
                Err(VerifyError::Rejected(
                    format!("its time {name} is no number").into()
                )),
                "{value}"
            );
        }
    }
}

#[test]
fn times_may_have_fractions_and_be_as_large_as_numbers_are() {
    assert_eq!(
        verify(&json!({"exp": NOW as f64 + 0.5}), NOW_MS, 0, false),
        Ok(NOW_MS + 500)
    );
    for end in [json!(u64::MAX), json!(1e300)] {
        assert_eq!(
            verify(&json!({"exp": end}), NOW_MS, LEEWAY, false),
            Ok(u64::MAX)
        );
    }
    for end in [json!(-1), json!(-1e300), json!(0)] {
        assert_eq!(
            verify(&json!({"exp": end}), NOW_MS, 0, false),
            Err(VerifyError::Expired)
        );
    }
    assert!(
        verify(
            &json!({"exp": NOW + 1, "nbf": 1e300}),
            NOW_MS,
            LEEWAY,
            false
        )
        .is_err()
    );
    assert!(verify(&json!({"exp": NOW + 1, "nbf": -5}), NOW_MS, 0, false).is_ok());
    assert!(verify(&json!({"exp": NOW + 1}), u64::MAX, LEEWAY, false).is_err());
}

#[test]
fn a_ticket_must_be_short_lived_and_say_since_when() {
    let ticket = |iat: Value, exp: Value| verify(&json!({"iat": iat, "exp": exp}), NOW_MS, 0, true);
    assert!(ticket(json!(NOW), json!(NOW + 60)).is_ok());
    assert!(ticket(json!(NOW - 59), json!(NOW + 1)).is_ok());
    for (iat, exp) in [(NOW, NOW + 61), (NOW - 60, NOW + 1)] {
        assert!(matches!(
            ticket(json!(iat), json!(exp)),
            Err(VerifyError::Rejected(_))
        ));
    }
    assert!(matches!(
        verify(&json!({"exp": NOW + 1}), NOW_MS, 0, true),
        Err(VerifyError::Rejected(_))
    ));
    assert!(
        verify(&json!({"iat": NOW, "exp": NOW + 61}), NOW_MS, 0, false).is_ok(),
        "no ticket"
    );
}
