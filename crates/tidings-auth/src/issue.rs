//! Tokens for development and tests: signed with a secret, for whomever one says.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::crypto::aws_lc;
use serde_json::Value;
use tidings_core::security::Claims;

use crate::Algorithm;
use crate::jwt::{DEFAULT_NAME_CLAIM, DEFAULT_ROLES_CLAIM};
use crate::keys::KeyError;

/// The secret of development mode. It proves nothing: everybody can read it here and sign with it. Only a server in
/// development mode, which listens on loopback alone, accepts it; [`Keys::add_secret`](crate::keys::Keys::add_secret)
/// refuses it.
pub const DEVELOPMENT_SECRET: &str = "tidings-development-secret-which-everybody-knows";

/// The fewest bytes of a secret for HS256 (RFC 7518, section 3.2).
const MIN_SECRET_BYTES: usize = 32;

/// What a token is to say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Issue {
    /// Whose it is (`sub`).
    pub user: String,
    /// What the user may be taken for (`roles`; left out where there are none).
    pub roles: Vec<String>,
    /// What else it says; the other fields win.
    pub claims: Claims,
    /// Who issues it (`iss`).
    pub issuer: Option<String>,
    /// Whom it is for (`aud`).
    pub audience: Option<String>,
    /// How long it is valid, from now (`iat`, `exp`), in whole seconds.
    pub lifetime: Duration,
    /// By what it may be revoked (`jti`).
    pub token_id: Option<String>,
}

/// Signs a token with HS256. `now_ms` is the time in milliseconds since the epoch.
///
/// # Errors
/// [`KeyError::WeakSecret`]: no verifier would take the secret.
pub fn issue(secret: &[u8], issue: &Issue, now_ms: u64) -> Result<String, KeyError> {
    let algorithm = Algorithm::HS256;
    let (need, have) = (MIN_SECRET_BYTES, secret.len());
    if have < need {
        return Err(KeyError::WeakSecret {
            algorithm,
            need,
            have,
        });
    }
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = Value::Object(claims(issue, now_ms / 1000)).to_string();
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signer = aws_lc::DEFAULT_PROVIDER.signer_factory;
    let signature = signer(&algorithm.signature(), &EncodingKey::from_secret(secret))
        .ok()
        .and_then(|signer| signer.try_sign(message.as_bytes()).ok())
        .ok_or(KeyError::Malformed)?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn claims(issue: &Issue, now: u64) -> Claims {
    let mut claims = issue.claims.clone();
    let mut say = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            claims.insert(name.to_owned(), value);
        }
    };
    say(DEFAULT_NAME_CLAIM, Some(issue.user.clone().into()));
    say(
        DEFAULT_ROLES_CLAIM,
        (!issue.roles.is_empty()).then(|| issue.roles.clone().into()),
    );
    say("iss", issue.issuer.clone().map(Into::into));
    say("aud", issue.audience.clone().map(Into::into));
    say("jti", issue.token_id.clone().map(Into::into));
    say("iat", Some(now.into()));
    say(
        "exp",
        Some(now.saturating_add(issue.lifetime.as_secs()).into()),
    );
    claims
}
