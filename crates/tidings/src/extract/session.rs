//! Who asks.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use tidings_core::application::Session;
use tidings_core::security::Principal;

use super::FromMessageParts;
use crate::message::Parts;
use crate::rejection::PrincipalRejection;

/// The name of the user whose session it is. What else is known of the user is in [`Arc<Principal>`](Principal).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User(pub Arc<str>);

/// Who the session is, with roles and claims, as the last token of the session said; rejected where nobody vouches for it.
///
/// ```
/// use std::sync::Arc;
/// use tidings::prelude::*;
///
/// async fn restart(principal: Arc<Principal>) -> &'static str {
///     match principal.has_role("staff") {
///         true => "it restarts",
///         false => "ask the staff",
///     }
/// }
///
/// let router: Router = Router::new().message("restart", restart);
/// ```
impl<S: Sync> FromMessageParts<S> for Arc<Principal> {
    type Rejection = PrincipalRejection;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, PrincipalRejection> {
        let principal = parts.session.principal();
        let is_known = principal.is_authenticated;
        is_known.then_some(principal).ok_or(PrincipalRejection)
    }
}

impl<S: Sync> FromMessageParts<S> for User {
    type Rejection = PrincipalRejection;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, PrincipalRejection> {
        let user = parts.session.user.clone();
        user.map(Self).ok_or(PrincipalRejection)
    }
}

/// The id of the session, as CONNECTED gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionId(pub Arc<str>);

impl<S: Sync> FromMessageParts<S> for SessionId {
    type Rejection = Infallible;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Arc::clone(&parts.session.id)))
    }
}

impl<S: Sync> FromMessageParts<S> for Arc<Session> {
    type Rejection = Infallible;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::clone(&parts.session))
    }
}

/// What the application keeps with the session until its end: one value of each type, at first its default.
///
/// ```
/// use tidings::prelude::*;
///
/// #[derive(Default)]
/// struct Asked(u32);
///
/// let router: Router = Router::new().message("ask", async |asked: Attribute<Asked>| {
///     let times = asked.with(|asked| {
///         asked.0 += 1;
///         asked.0
///     });
///     format!("asked {times} times")
/// });
/// ```
pub struct Attribute<T> {
    session: Arc<Session>,
    value: PhantomData<fn() -> T>,
}

impl<T: Default + Send + Sync + 'static> Attribute<T> {
    /// Looks at the value, or changes it. All attributes of the session are locked meanwhile: be short, and ask for no
    /// other one.
    pub fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        self.session.attribute(look)
    }

    /// A copy of the value.
    pub fn get(&self) -> T
    where
        T: Clone,
    {
        self.with(|value| value.clone())
    }

    /// Replaces the value.
    pub fn set(&self, value: T) {
        self.with(|old| *old = value);
    }
}

impl<T> fmt::Debug for Attribute<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Attribute").finish_non_exhaustive()
    }
}

impl<S: Sync, T> FromMessageParts<S> for Attribute<T> {
    type Rejection = Infallible;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self {
            session: Arc::clone(&parts.session),
            value: PhantomData,
        })
    }
}
