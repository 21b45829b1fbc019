//! Whom a back end says a client is.

use serde_json::{Map, Value};
use tidings_core::security::Principal;

/// Longest answer, in bytes: what it says is kept for each session.
const MAX_BYTES: usize = 16 << 10;

/// Why an answer does not say who a client is. No value of it is repeated: there may be a secret in it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum IdentityError {
    #[error("the answer has more than {} bytes; say less of a user", MAX_BYTES)]
    TooLong,
    #[error("the answer is no JSON object; write one such as {{\"user\": \"ann\"}}")]
    NoObject,
    #[error("`{0}` is not {1}; correct it or leave it out")]
    Wrong(&'static str, &'static str),
    #[error(
        "the answer has {0} fields that mean nothing here; put what rules are to see into `claims`"
    )]
    Unknown(usize),
}

/// The principal in the body of an answer. A field that is null is as good as absent; an unknown one may be a known one
/// misspelt, without which a session would live for ever, so none is overlooked.
pub(super) fn read(body: &[u8], now_ms: u64) -> Result<Principal, IdentityError> {
    if body.len() > MAX_BYTES {
        return Err(IdentityError::TooLong);
    }
    let fields = serde_json::from_slice::<Map<String, Value>>(body);
    let mut fields = Fields(fields.map_err(|_| IdentityError::NoObject)?);
    let user = fields.text("user")?.filter(|user| !user.is_empty());
    let roles = fields.texts("roles")?;
    let claims = fields.object("claims")?;
    let token_id = fields.text("token_id")?;
    let at = fields.seconds_as_ms("expires_at")?;
    let left = fields.seconds_as_ms("expires_in")?;
    match fields.0.len() {
        0 => {}
        unknown => return Err(IdentityError::Unknown(unknown)),
    }
    let mut principal = match user {
        Some(user) => Principal::user(user),
        None => Principal::anonymous(),
    };
    principal = principal.with_roles(roles);
    principal.claims = claims;
    principal.token_id = token_id.map(Into::into);
    principal.expires_at_ms = [at, left.map(|left| now_ms.saturating_add(left))]
        .into_iter()
        .flatten()
        .min();
    Ok(principal)
}

/// What is left of the answer.
struct Fields(Map<String, Value>);

impl Fields {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, IdentityError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(IdentityError::Wrong(name, "a text")),
        }
    }

    fn texts(&mut self, name: &'static str) -> Result<Vec<String>, IdentityError> {
        let wrong = || IdentityError::Wrong(name, "a list of texts");
        match self.take(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => values
                .into_iter()
                .map(|value| match value {
                    Value::String(text) => Ok(text),
                    _ => Err(wrong()),
                })
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    fn object(&mut self, name: &'static str) -> Result<Map<String, Value>, IdentityError> {
        match self.take(name) {
            None => Ok(Map::new()),
            Some(Value::Object(object)) => Ok(object),
            Some(_) => Err(IdentityError::Wrong(name, "an object")),
        }
    }

    /// Seconds, whole or not (RFC 7519, section 2, "NumericDate"). What is before the epoch is past, as it is.
    fn seconds_as_ms(&mut self, name: &'static str) -> Result<Option<u64>, IdentityError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let seconds = value.as_f64();
        // Saturates where it is too small or too large.
        let ms = seconds.map(|seconds| (seconds * 1_000.0) as u64);
        ms.map(Some)
            .ok_or(IdentityError::Wrong(name, "a number of seconds"))
    }
}
