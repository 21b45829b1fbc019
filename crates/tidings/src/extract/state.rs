//! The state of the router.

use std::convert::Infallible;

use super::FromMessageParts;
use crate::message::Parts;

/// The state that [`Router::with_state`](crate::Router::with_state) was given, or a part of it: see [`FromRef`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State<T>(pub T);

/// Takes a part of a state, for handlers which need no more of it.
///
/// ```
/// use std::sync::Arc;
/// use tidings::prelude::*;
///
/// struct Prices;
///
/// #[derive(Clone)]
/// struct App {
///     prices: Arc<Prices>,
/// }
///
/// impl FromRef<App> for Arc<Prices> {
///     fn from_ref(app: &App) -> Self {
///         app.prices.clone()
///     }
/// }
///
/// async fn price(State(prices): State<Arc<Prices>>) {}
///
/// let router: Router = Router::new()
///     .message("price", price)
///     .with_state(App { prices: Arc::new(Prices) });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no part of the state `{S}`",
    label = "can't be taken from `{S}`",
    note = "parts of a state implement `FromRef` of it; if the router's state is another: `#[debug_handler(state = T)]`"
)]
pub trait FromRef<S> {
    /// The part of `state`.
    fn from_ref(state: &S) -> Self;
}

impl<T: Clone> FromRef<T> for T {
    fn from_ref(state: &T) -> Self {
        state.clone()
    }
}

impl<S: Sync, T: FromRef<S>> FromMessageParts<S> for State<T> {
    type Rejection = Infallible;

    async fn from_message_parts(_: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Self(T::from_ref(state)))
    }
}
