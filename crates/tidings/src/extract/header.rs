//! One header.

use std::fmt;
use std::str::FromStr;

use super::FromMessageParts;
use crate::message::Parts;
use crate::rejection::HeaderRejection;

/// Names a header and the type of its value, for [`Header`].
pub trait HeaderName {
    /// The name, as it stands on the wire: names of STOMP headers are case-sensitive.
    const NAME: &'static str;
    /// What the value is read as.
    type Value: FromStr<Err: fmt::Display> + Send;
}

/// The value of one header; of a repeated one the first counts (STOMP 1.2, "Repeated Header Entries").
///
/// ```
/// use tidings::prelude::*;
///
/// struct Priority;
///
/// impl HeaderName for Priority {
///     const NAME: &'static str = "priority";
///     type Value = u8;
/// }
///
/// let router: Router = Router::new()
///     .message("must", async |Header(priority): Header<Priority>| {
///         format!("priority {priority}")
///     })
///     .message("may", async |priority: Option<Header<Priority>>| {
///         format!("priority {}", priority.map_or(4, |Header(priority)| priority))
///     });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<N: HeaderName>(pub N::Value);

impl<S: Sync, N: HeaderName> FromMessageParts<S> for Header<N> {
    type Rejection = HeaderRejection;

    async fn from_message_parts(parts: &mut Parts, _: &S) -> Result<Self, HeaderRejection> {
        let name = N::NAME;
        let value = parts.headers.get(name);
        let value = value.ok_or(HeaderRejection::Missing { name })?;
        let parsed = value.parse();
        parsed
            .map(Self)
            .map_err(|error: <N::Value as FromStr>::Err| {
                let error = error.to_string();
                HeaderRejection::Invalid { name, error }
            })
    }

    fn is_absent(rejection: &HeaderRejection) -> bool {
        matches!(rejection, HeaderRejection::Missing { .. })
    }
}
