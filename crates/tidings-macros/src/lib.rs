//! The attribute [`macro@debug_handler`]. Use it as `tidings::debug_handler`.
//!
//! `debug_handler.rs` says what is checked, and in what order; the checks that need types are functions of
//! `tidings::handler::check`, called here with the position of what they check.

mod debug_handler;
mod state;

use proc_macro::TokenStream;

/// Lets the compiler name what keeps a function from being a message handler: the very argument, the reply, the future.
///
/// Without it the error stands where the handler is given to a router, and says only that one of the conditions is not
/// met. The function stays as it is, and nothing is added to the program.
///
/// ```ignore
/// #[debug_handler]
/// async fn trade(Path(symbol): Path<String>, Json(order): Json<Order>) -> SendTo<String> {
///     SendTo("/topic/trades/{symbol}", format!("{} of {symbol}", order.shares))
/// }
/// ```
///
/// The state is that of an argument `State<T>`, or `()` without one. Where an extractor needs another, or where several
/// `State<T>` are parts of one state, name it:
///
/// ```ignore
/// #[debug_handler(state = App)]
/// async fn trade(State(prices): State<Prices>, State(users): State<Users>) {}
/// ```
///
/// It is for free functions without generics: it can't stand on a closure, a method, or a function of an `impl`.
#[proc_macro_attribute]
pub fn debug_handler(options: TokenStream, function: TokenStream) -> TokenStream {
    debug_handler::expand(options.into(), function.into()).into()
}
