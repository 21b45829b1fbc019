//! The examples of the specifications, whose keys and signatures are by other hands.

use serde_json::{Value, json};
use tidings_auth::Algorithm;
use tidings_auth::jwt::VerifyError;
use tidings_auth::keys::Keys;
use tidings_core::security::Principal;

use crate::signing::{jwks, verifier_of};

/// `{"iss":"joe", "exp":1300819380, "http://example.com/is_root":true}`, written with line breaks.
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const END_MS: u64 = 1_300_819_380_000;

fn verify(header: &str, signature: &str, keys: &Keys) -> Result<Principal, VerifyError> {
    let token = format!("{header}.{CLAIMS}.{signature}");
    let verifier = verifier_of(|config| {
        config.issuers = vec!["joe".into()];
        config.name_claim = "iss".into();
    });
    let late = verifier.verify(&token, keys, END_MS, false);
    assert!(late.is_err(), "at its end");
    let other = token.replace(".eyJpc3MiOiJqb2UiLA0K", ".eyJpc3MiOiJqb2UiLA0L");
    assert!(
        verifier.verify(&other, keys, END_MS - 1, false).is_err(),
        "altered"
    );
    verifier.verify(&token, keys, END_MS - 1, false)
}

fn published(key: Value) -> Keys {
    let mut keys = Keys::new();
    keys.replace(&jwks(Some("joe"), &[key]));
    keys
}

fn joe() -> Principal {
    Principal::user("joe")
        .expiring_at_ms(END_MS)
        .with_claim("iss", "joe")
        .with_claim("exp", 1_300_819_380)
        .with_claim("http://example.com/is_root", true)
}

#[test]
fn rfc_7515_a1_hmac() {
    use base64::Engine as _;
    let secret =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let secret = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(secret)
        .expect("base64url");
    let mut keys = Keys::new();
    keys.add_secret(Some("joe"), None, Algorithm::HS256, &secret)
        .expect("a good key");
    let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    assert_eq!(
        verify(header, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", &keys),
        Ok(joe())
    );
}

#[test]
fn rfc_7515_a2_rsa() {
    let keys = published(json!({
        "kty": "RSA",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "e": "AQAB",
    }));
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    assert_eq!(verify("eyJhbGciOiJSUzI1NiJ9", signature, &keys), Ok(joe()));
}

#[test]
fn rfc_7515_a3_ecdsa() {
    let keys = published(json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }));
    let signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert_eq!(verify("eyJhbGciOiJFUzI1NiJ9", signature, &keys), Ok(joe()));
}

#[test]
fn rfc_7515_a5_unsecured() {
    let verifier = verifier_of(|config| config.issuers.clear());
    let outcome = verifier.verify(
        &format!("eyJhbGciOiJub25lIn0.{CLAIMS}."),
        &Keys::new(),
        END_MS - 1,
        false,
    );
    assert_eq!(
        outcome,
        Err(VerifyError::Rejected(
            "its algorithm (alg) is none that is known".into()
        ))
    );
}
