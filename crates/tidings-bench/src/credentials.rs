//! What clients prove themselves with in a storm, made before it begins, and the configuration that takes it.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
    RsaKeyPair,
};
use aws_lc_rs::{error::Unspecified, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::ValueEnum;
use serde::Serialize;
use serde_json::json;

use crate::error::BenchError;
use crate::greeting::{Greeting, Proof};

/// Tokens that clients take in turn: so many that none is still at hand where it was checked before.
const TOKENS: usize = 1_024;

/// How long tokens are valid, in seconds.
const LIFETIME: u64 = 6 * 3_600;

const SECRET: &[u8] = b"a-secret-of-the-load-generator-for-servers-that-it-starts-itself";
const LOGIN: &str = "ann";
const PASSCODE: &str = "a passcode of the load generator";

/// What a client proves itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing.
    None,
    /// A token signed with HMAC.
    Hs256,
    /// A token signed with ECDSA on P-256.
    Es256,
    /// A token signed with Ed25519.
    Eddsa,
    /// A token signed with RSA of 2,048 bits.
    Rs256,
    /// Name and passcode of a users file: Argon2.
    Users,
}

impl Credentials {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hs256 => "hs256",
            Self::Es256 => "es256",
            Self::Eddsa => "eddsa",
            Self::Rs256 => "rs256",
            Self::Users => "users",
        }
    }

    /// Who issues its tokens: each kind of key has an issuer of its own.
    fn issuer(self) -> String {
        format!("https://{}.bench", self.name())
    }
}

/// A folder with the configuration of the server, its keys and its users, until dropped; and the keys that sign.
pub(crate) struct Issuers {
    folder: PathBuf,
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    rsa: RsaKeyPair,
}

impl Issuers {
    pub(crate) fn new(authentication_threads: u32) -> Result<Self, BenchError> {
        let folder = std::env::temp_dir().join(format!("tidings-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let issuers = Self {
            folder,
            p256: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(no_key)?,
            ed25519: Ed25519KeyPair::generate().map_err(no_key)?,
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).map_err(no_key)?,
        };
        issuers.write(authentication_threads)?;
        Ok(issuers)
    }

    /// The configuration file.
    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("tidings.toml")
    }

    fn write(&self, authentication_threads: u32) -> Result<(), BenchError> {
        let mut issuers = vec![format!("{} -> secret", Credentials::Hs256.issuer())];
        for (kind, der) in [
            (Credentials::Es256, self.p256.public_key().as_der()),
            (Credentials::Eddsa, self.ed25519.public_key().as_der()),
            (Credentials::Rs256, self.rsa.public_key().as_der()),
        ] {
            let der: PublicKeyX509Der<'_> = der.map_err(no_key)?;
            let path = self.folder.join(format!("{}.pem", kind.name()));
            fs::write(&path, pem(der.as_ref()))?;
            issuers.push(format!("{} -> {}", kind.issuer(), path.display()));
        }
        let users = self.folder.join("users.txt");
        let hash = tidings_auth::users::hash(PASSCODE)
            .map_err(|error| BenchError::Credentials(error.to_string()))?;
        fs::write(&users, format!("{LOGIN}:{hash}\n"))?;
        let text = format!(
            "[security]\nauthenticator = [\"jwt\", \"users\"]\nanonymous = true\n\
             rules = [\"allow any\"]\nauthentication_threads = {authentication_threads}\n\
             [users]\nfile = {users:?}\n[jwt]\nsecret = {secret:?}\nissuers = {issuers:?}\n",
            secret = String::from_utf8_lossy(SECRET),
        );
        fs::write(self.configuration(), text)?;
        Ok(())
    }

    /// What clients say in CONNECT, each in turn something else.
    pub(crate) fn greetings(
        &self,
        kind: Credentials,
        greeting: &Greeting,
    ) -> Result<Vec<Greeting>, BenchError> {
        let count = match kind {
            Credentials::None | Credentials::Users => 1,
            _ => TOKENS,
        };
        let with = |number| {
            Ok(Greeting {
                proof: self.proof(kind, number)?,
                ..greeting.clone()
            })
        };
        (0..count).map(with).collect()
    }

    fn proof(&self, kind: Credentials, number: usize) -> Result<Proof, BenchError> {
        Ok(match kind {
            Credentials::None => Proof::None,
            Credentials::Users => Proof::Login {
                login: LOGIN.to_owned(),
                passcode: PASSCODE.to_owned(),
            },
            _ => Proof::Token(self.token(kind, number)?),
        })
    }

    fn token(&self, kind: Credentials, number: usize) -> Result<String, BenchError> {
        let algorithm = match kind {
            Credentials::Eddsa => "EdDSA".to_owned(),
            _ => kind.name().to_uppercase(),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_secs());
        let header = json!({"alg": algorithm, "typ": "JWT"});
        let claims = json!({
            "iss": kind.issuer(), "sub": format!("user-{number}"), "jti": format!("{number:032x}"),
            "iat": now, "exp": now + LIFETIME, "roles": ["reader", "writer"],
        });
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let message = [header, claims].map(|part| encode(part.to_string().as_bytes()));
        let message = message.join(".");
        let signature = self.sign(kind, message.as_bytes()).map_err(no_key)?;
        Ok(format!("{message}.{}", encode(&signature)))
    }

    fn sign(&self, kind: Credentials, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        Ok(match kind {
            Credentials::Es256 => self.p256.sign(&random, message)?.as_ref().to_vec(),
            Credentials::Eddsa => self.ed25519.sign(message).as_ref().to_vec(),
            Credentials::Rs256 => {
                let mut signature = vec![0; self.rsa.public_modulus_len()];
                self.rsa
                    .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
            _ => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
                hmac::sign(&key, message).as_ref().to_vec()
            }
        })
    }
}

impl Drop for Issuers {
    fn drop(&mut self) {
        // What stays behind is small, and worth nothing after this run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn no_key(_: Unspecified) -> BenchError {
    BenchError::Credentials("the library made no key".to_owned())
}

fn pem(der: &[u8]) -> String {
    format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(der)
    )
}

#[cfg(test)]
mod tests {
    use tidings_auth::jwt::{Verifier, VerifierConfig};
    use tidings_auth::keys::Keys;
    use tidings_auth::{Algorithm, users::Users};

    use super::*;

    #[test]
    fn servers_take_what_is_made() {
        let issuers = Issuers::new(1).expect("keys");
        let text = |name: &str| fs::read_to_string(issuers.folder.join(name)).expect(name);
        for (kind, algorithm) in [
            (Credentials::Hs256, Algorithm::HS256),
            (Credentials::Es256, Algorithm::ES256),
            (Credentials::Eddsa, Algorithm::EdDSA),
            (Credentials::Rs256, Algorithm::RS256),
        ] {
            let issuer = kind.issuer();
            let mut keys = Keys::new();
            let added = match kind {
                Credentials::Hs256 => keys.add_secret(Some(&issuer), None, algorithm, SECRET),
                _ => {
                    let pem = text(&format!("{}.pem", kind.name()));
                    keys.add_pem(Some(&issuer), None, Some(algorithm), &pem)
                }
            };
            assert_eq!(added, Ok(()), "{issuer}");
            let verifier = Verifier::new(VerifierConfig {
                issuers: vec![issuer],
                algorithms: vec![algorithm],
                ..VerifierConfig::default()
            });
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let now_ms = now.expect("a clock").as_millis() as u64;
            let token = issuers.token(kind, 7).expect("a token");
            let verified = verifier.expect("good").verify(&token, &keys, now_ms, false);
            let principal = verified.expect("a good token");
            assert_eq!(principal.name.as_deref(), Some("user-7"));
        }
        let users = Users::parse(&text("users.txt")).expect("a users file");
        assert!(users.verify(LOGIN, PASSCODE).is_some());
        let folder = issuers.folder.clone();
        drop(issuers);
        assert!(!folder.exists());
    }
}
