//! The destination variables.

mod de;
mod value;

use std::ops::Deref;

use serde::de::DeserializeOwned;
use tidings_core::disconnect::Reason;

use self::de::Variables;
use super::FromMessageParts;
use crate::message::Parts;
use crate::rejection::rejection_is_failure;

/// The destination variables of the route: one value alone, a tuple in the order of the pattern, a struct or a map by
/// their names. Values are read as they stand in the destination, in which `%` means itself.
///
/// ```
/// use serde::Deserialize;
/// use tidings::prelude::*;
///
/// #[derive(Deserialize)]
/// struct Line {
///     order: u64,
///     line: u8,
/// }
///
/// let router: Router = Router::new()
///     .message("trade/{symbol}", async |Path(symbol): Path<String>| symbol)
///     .message("seat/{row}/{place}", async |Path((row, place)): Path<(char, u16)>| {
///         format!("{row}{place}")
///     })
///     .message("order/{order}/{line}", async |Path(at): Path<Line>| {
///         format!("line {} of order {}", at.line, at.order)
///     });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T> Deref for Path<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<S: Sync, T: DeserializeOwned> FromMessageParts<S> for Path<T> {
    type Rejection = PathRejection;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, PathRejection> {
        T::deserialize(Variables::new(parts)).map(Self)
    }

    fn is_absent(_: &PathRejection) -> bool {
        false
    }
}

/// The destination variables can't be read as what the handler takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathRejection {
    /// A value of another form.
    #[error("the variable {name} of the destination is {value:?}: write {expected}")]
    Value {
        /// Which variable.
        name: String,
        /// What the client wrote.
        value: String,
        /// What is taken.
        expected: String,
    },
    /// The handler takes what the route does not give: the application errs, not the client.
    #[error("the handler takes other variables than its route has: {error}")]
    Handler {
        /// What is wrong.
        error: String,
    },
}

impl PathRejection {
    /// The code of this rejection.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Value { .. } => Reason::InvalidDestination,
            Self::Handler { .. } => Reason::InternalError,
        }
    }
}

rejection_is_failure!(PathRejection);
