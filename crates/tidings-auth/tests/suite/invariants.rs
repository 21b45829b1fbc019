//! What holds for any token, key set and users file; the fuzz targets check the same.

use std::sync::LazyLock;

use tidings_auth::Algorithm;
use tidings_auth::jwt::{MAX_TOKEN_BYTES, Verifier, VerifierConfig};
use tidings_auth::keys::{Jwks, Keys, MAX_JWKS_KEYS};
use tidings_auth::users::{MAX_USERS, Users};

const KEY_SET: &[u8] = br#"{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#;

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let config = VerifierConfig {
        algorithms: Algorithm::ALL.to_vec(),
        ..VerifierConfig::default()
    };
    Verifier::new(config).expect("a configuration that makes sense")
});

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let mut keys = Keys::new();
    keys.add_development_secret(None).expect("a good key");
    keys.replace(&Jwks::parse(KEY_SET, None).expect("a key set"));
    keys
});

/// No panic, limits hold, and inspecting and checking say what verifying says.
pub(crate) fn check_token(data: &[u8]) {
    let Ok(token) = std::str::from_utf8(data) else {
        return;
    };
    for now_ms in [0, 1_700_000_000_000, u64::MAX] {
        for is_ticket in [false, true] {
            let verified = VERIFIER.verify(token, &KEYS, now_ms, is_ticket);
            let inspected = VERIFIER.inspect(token);
            let in_steps =
                inspected.and_then(|seen| VERIFIER.check(&seen, &KEYS, now_ms, is_ticket));
            assert_eq!(verified, in_steps);
            if let Ok(principal) = &verified {
                assert!(token.len() <= MAX_TOKEN_BYTES && principal.is_authenticated);
                assert!(principal.name.as_ref().is_some_and(|name| !name.is_empty()));
                assert!(principal.expires_at_ms.is_some_and(|end| end > now_ms));
            }
            if let Err(error) = verified {
                assert!(error.to_string().len() < 2048);
            }
        }
    }
}

/// No panic, and every key is used or skipped.
pub(crate) fn check_key_set(data: &[u8]) {
    let Ok(set) = Jwks::parse(data, Some("a")) else {
        return;
    };
    assert!(set.count() > 0 && set.count() + set.skipped().len() <= MAX_JWKS_KEYS);
    let mut keys = Keys::new();
    keys.replace(&set);
    assert_eq!(keys.count(), set.count());
}

/// No panic, and no more users than lines.
pub(crate) fn check_users_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Users::parse(text) {
        Ok(users) => assert!(users.count() <= text.lines().count().min(MAX_USERS)),
        Err(error) => assert!(error.to_string().len() < 1024),
    }
}
