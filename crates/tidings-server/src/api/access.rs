//! Who may use the API.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, header};

use super::problem::{Kind, Problem};
use crate::audit::{Actor, Audit, Deed};
use crate::security::{ApiKey, Need};

/// The key that a request shows: the token of RFC 6750, section 2.1.
pub(super) fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(header::AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    scheme
        .eq_ignore_ascii_case(b"bearer ")
        .then(|| token.trim_ascii())
        .filter(|token| !token.is_empty())
}

/// Who asks.
pub(super) struct Caller {
    /// None where an operation needs none.
    key: Option<Arc<ApiKey>>,
    address: Option<IpAddr>,
}

impl Caller {
    /// Somebody without a key, until now.
    pub(super) fn from(address: Option<IpAddr>) -> Self {
        let address = address.map(|address| address.to_canonical());
        Self { key: None, address }
    }

    /// With this key.
    pub(super) fn with_key(self, key: Arc<ApiKey>) -> Self {
        let key = Some(key);
        Self { key, ..self }
    }

    /// Whose idempotency keys are its own.
    pub(super) fn application(&self) -> [u8; 32] {
        self.key.as_ref().map_or([0; 32], |key| key.digest())
    }

    /// What the audit log and the list of revocations call it.
    pub(super) fn name(&self) -> &str {
        self.key.as_ref().map_or("", |key| key.name())
    }

    pub(super) fn actor(&self) -> Actor<'_> {
        Actor {
            api_key: self.key.as_ref().map(|key| key.name()),
            address: self.address,
            ..Actor::default()
        }
    }

    /// Refuses what the key has no scope for; the audit log is told of it, and of `target`.
    pub(super) fn may(&self, audit: &Audit, need: Need<'_>, target: &str) -> Result<(), Problem> {
        let key = self.key.as_ref().ok_or_else(unauthorized)?;
        key.allows(need).map_err(|missing| {
            let deed = Deed::Denied {
                action: need.scope(),
                destination: target,
                rule: None,
            };
            audit.record(self.actor(), &deed);
            Problem::new(Kind::MissingScope, missing.to_string())
        })
    }
}

/// No key is shown, or a wrong one.
pub(super) fn unauthorized() -> Problem {
    let detail = "show one of the server's keys: `authorization: Bearer KEY`";
    Problem::new(Kind::Unauthorized, detail)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_key_is_a_bearer_token() {
        let key = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_static(value));
            shown(&headers).map(<[u8]>::to_vec)
        };
        for right in [
            "Bearer first-first",
            "bearer  first-first",
            "BEARER first-first ",
        ] {
            assert_eq!(key(right).as_deref(), Some(&b"first-first"[..]), "{right}");
        }
        for wrong in ["", "Bearer", "Bearer ", "Basic first-first", "first-first"] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }
}
