//! JSON, in and out.

use std::ops::{Deref, DerefMut};

/// A body in JSON: as the last argument of a handler it is read, as a reply it is written.
///
/// Read, its `content-type` is JSON or missing. Written, its `content-type` is `application/json`.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use tidings::prelude::*;
///
/// #[derive(Deserialize, Serialize)]
/// struct Order {
///     symbol: String,
///     shares: u32,
/// }
///
/// let router: Router = Router::new().message("double", async |Json(order): Json<Order>| {
///     Json(Order { shares: 2 * order.shares, ..order })
/// });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[must_use]
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
