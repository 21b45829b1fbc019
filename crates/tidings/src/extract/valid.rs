//! What is of the right form, yet may make no sense.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use super::{FromMessage, FromMessageParts};
use crate::message::Parts;
use crate::rejection::ValidRejection;

/// Says whether a value makes sense, for [`Valid`].
pub trait Validate {
    /// Why it does not, as the client will read it: the field and the cause, then what to do.
    type Error: fmt::Display;

    /// Looks at the value.
    ///
    /// # Errors
    /// It makes no sense.
    fn validate(&self) -> Result<(), Self::Error>;
}

/// What another extractor gives, if it is [valid](Validate).
///
/// ```
/// use serde::Deserialize;
/// use tidings::prelude::*;
///
/// #[derive(Deserialize)]
/// struct Order {
///     shares: u32,
/// }
///
/// impl Validate for Order {
///     type Error = &'static str;
///
///     fn validate(&self) -> Result<(), &'static str> {
///         match self.shares {
///             0 => Err("shares is 0: order one at least"),
///             _ => Ok(()),
///         }
///     }
/// }
///
/// let router: Router = Router::new()
///     .message("order", async |Valid(Json(order)): Valid<Json<Order>>| Json(order.shares));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Valid<E>(pub E);

impl<S: Sync, E> FromMessageParts<S> for Valid<E>
where
    E: FromMessageParts<S> + Deref<Target: Validate>,
{
    type Rejection = ValidRejection<E::Rejection>;

    async fn from_message_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let extracted = E::from_message_parts(parts, state).await;
        checked(extracted)
    }

    fn is_absent(rejection: &Self::Rejection) -> bool {
        matches!(rejection, ValidRejection::Extractor(rejection) if E::is_absent(rejection))
    }
}

impl<S: Sync, E> FromMessage<S> for Valid<E>
where
    E: FromMessage<S> + Deref<Target: Validate>,
{
    type Rejection = ValidRejection<E::Rejection>;

    async fn from_message(
        parts: &mut Parts,
        body: Bytes,
        state: &S,
    ) -> Result<Self, Self::Rejection> {
        let extracted = E::from_message(parts, body, state).await;
        checked(extracted)
    }

    fn is_absent(rejection: &Self::Rejection) -> bool {
        matches!(rejection, ValidRejection::Extractor(rejection) if E::is_absent(rejection))
    }
}

fn checked<E: Deref<Target: Validate>, R>(
    extracted: Result<E, R>,
) -> Result<Valid<E>, ValidRejection<R>> {
    let extracted = extracted.map_err(ValidRejection::Extractor)?;
    match extracted.validate() {
        Ok(()) => Ok(Valid(extracted)),
        Err(error) => Err(ValidRejection::Invalid(error.to_string())),
    }
}
