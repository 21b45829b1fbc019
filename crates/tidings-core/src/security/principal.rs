//! Who a session is.

use std::sync::Arc;

/// What a token says of its bearer, or an application of its user: names and JSON values (RFC 7519, section 4).
pub type Claims = serde_json::Map<String, serde_json::Value>;

/// Who a session is, as far as it was found out.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Principal {
    /// The user's name; absent where nobody knows it. User destinations and the HTTP API know the user by it.
    pub name: Option<Arc<str>>,
    /// Whether an [`Authenticator`](super::Authenticator) vouches for it.
    pub is_authenticated: bool,
    /// What the user may be taken for; rules ask for it.
    pub roles: Vec<Box<str>>,
    /// What else is known; rules ask for it.
    pub claims: Claims,
    /// The id of the token that proved it (`jti`, RFC 7519, section 4.1.7): by it the session may be revoked.
    pub token_id: Option<Arc<str>>,
    /// When the proof expires, in milliseconds since the epoch; the session ends then unless it is renewed.
    pub expires_at_ms: Option<u64>,
}

impl Principal {
    /// Nobody knows who it is.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// An authenticated user; with an empty name it is nobody, whom nobody vouches for.
    pub fn user(name: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        let is_authenticated = !name.is_empty();
        Self {
            name: is_authenticated.then_some(name),
            is_authenticated,
            ..Self::default()
        }
    }

    /// With these roles too.
    #[must_use]
    pub fn with_roles<R: Into<Box<str>>>(mut self, roles: impl IntoIterator<Item = R>) -> Self {
        self.roles.extend(roles.into_iter().map(Into::into));
        self
    }

    /// With this claim; one of the same name is replaced.
    #[must_use]
    pub fn with_claim(
        mut self,
        name: impl Into<String>,
        value: impl Into<serde_json::Value>,
    ) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Proven by the token of this id.
    #[must_use]
    pub fn with_token_id(mut self, id: impl Into<Arc<str>>) -> Self {
        self.token_id = Some(id.into());
        self
    }

    /// Proven until then, in milliseconds since the epoch.
    #[must_use]
    pub fn expiring_at_ms(mut self, at: u64) -> Self {
        self.expires_at_ms = Some(at);
        self
    }

    /// Whether it has the role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|one| **one == *role)
    }
}
